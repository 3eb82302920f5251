"""Every public transformer, written and read again; classifiers are in the contract."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("transformers")

from cases import CASES, CLASSIFIERS, GRAPH, TRANSFORMERS
from scipy import sparse
from skorch.helper import SliceDict
from tiny_models import bert, captioner, tokenizer, vit
from transformers import BertModel

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.persistence import load, save
from sklearn_profiling.sources import (
    ImageBagTransformer,
    ImageCaptioner,
    LINEEmbedding,
    PretrainedImageVectors,
    PretrainedTextVectors,
    ProfileAugmenter,
    SubwordSegmenter,
)
from sklearn_profiling.sources import text as steps_of_text

TEXTS = [["good tea", "tea"], None, ["red wine", "bad"], [], ["tea"], ["wine"]] * 2
Y = pd.DataFrame({"drink": ["tea", "tea", "wine", None, "tea", "wine"] * 2})
IDS = ["a", "b", "c", "d", None, "stranger"] * 2
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
BAGS = [[IMAGES[0], IMAGES[1]], None, [IMAGES[2]], [], [*IMAGES[3:]], [IMAGES[1]]] * 2
PIXELS = ImageBagTransformer(size=(8, 8)).fit_transform(BAGS)
USERS = pd.DataFrame({"user_id": IDS, "messages": TEXTS, "number": range(12)})
LABELLED = USERS.assign(drink=Y["drink"])

# How to fit each; steps of words are in the contract of the sources of text.
FITTED = {
    "AutoSources": (CASES["AutoSources"].make, USERS),
    "SourceUnion": (CASES["SourceUnion"].make, USERS),
    "SubwordSegmenter": (lambda: SubwordSegmenter(n_tokens=270), TEXTS),
    "OutOfFoldLogits": (CASES["OutOfFoldLogits"].make, sparse.random(12, 5, 0.6)),
    "PropagatedLabels": (CASES["PropagatedLabels"].make, IDS),
    "LINEEmbedding": (
        lambda: LINEEmbedding(GRAPH, 4, solver="spectral", random_state=0),
        IDS,
    ),
    "AdjacencyRows": (CASES["AdjacencyRows"].make, IDS),
    "UserVectors": (CASES["UserVectors"].make, IDS),
    "ImageBagTransformer": (CASES["ImageBagTransformer"].make, BAGS),
    "MeanImageVectors": (CASES["MeanImageVectors"].make, PIXELS),
    "VisualWordCounts": (CASES["VisualWordCounts"].make, PIXELS),
    "ImageCaptioner": (
        lambda: ImageCaptioner(captioner(), tokenizer(), max_tokens=3),
        BAGS,
    ),
    "PretrainedImageVectors": (lambda: PretrainedImageVectors(vit()), BAGS),
    "PretrainedTextVectors": (
        lambda: PretrainedTextVectors(bert(), tokenizer()),
        TEXTS,
    ),
    "ProfileAugmenter": (
        lambda: ProfileAugmenter(
            make_tfidf_baseline(), messages="messages", profile=["drink"]
        ),
        LABELLED,
    ),
}


def test_every_case_is_read_again_somewhere():
    covered = {
        *FITTED,
        *steps_of_text.__all__,
        *CLASSIFIERS,
        "NaiveBayesRidgeClassifier",
    }
    assert covered == set(CASES)
    assert not set(FITTED) - set(TRANSFORMERS)


def plain(made):
    if isinstance(made, SliceDict):
        return {name: plain(source) for name, source in made.items()}
    if sparse.issparse(made):
        return made.toarray()
    return made


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            equal(one[name], other[name]) for name in one
        )
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    if isinstance(one, np.ndarray) and one.dtype != object:
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, np.ndarray):
        return one.tolist() == other.tolist()
    return bool(one == other)


@pytest.mark.filterwarnings("ignore:.*nothing says how")
@pytest.mark.parametrize("name", FITTED)
def test_a_transformer_gives_the_same(name, tmp_path):
    make, X = FITTED[name]
    step = make().fit(X, Y)
    save(step, tmp_path / "step")
    again = load(tmp_path / "step")
    assert type(again) is type(step)
    assert equal(plain(again.transform(X)), plain(step.transform(X)))


class OwnModel(BertModel):
    """A model that transformers does not have."""


def test_a_model_that_transformers_does_not_have_is_refused(tmp_path):
    step = PretrainedTextVectors(OwnModel(bert()), tokenizer())
    with pytest.raises(
        ProfilingError, match=r"^PretrainedTextVectors\.model holds .*\.OwnModel"
    ):
        save(step, tmp_path / "step")


def test_naive_bayes_with_ridge(tmp_path):
    counts = np.arange(24).reshape(12, 2)
    model = CASES["NaiveBayesRidgeClassifier"].make().fit(counts, np.arange(12) % 3)
    save(model, tmp_path / "model")
    found = load(tmp_path / "model").decision_function(counts)
    assert np.array_equal(found, model.decision_function(counts))
