"""The contract of every step of text: clone, pickle, tags, generators, scikit-learn."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_get_params_invariance,
    check_mixin_order,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
)
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.persistence import load, save
from sklearn_profiling.sources import text as package
from sklearn_profiling.sources.text import (
    CharacterSegmenter,
    FrequentPOSPatterns,
    FrequentWords,
    GloVeTransformer,
    JiebaSegmenter,
    LatentSemanticVectors,
    MeanWordVectors,
    PretrainedVectors,
    RegionKeywords,
    StylometricFeatures,
    TfidfVectors,
    Word2VecTransformer,
    WordSegmenter,
)

COLUMN = [["山高月小", "水落石出，山高"], None, ["明月松间照", "山"], [], ["月"]] * 4
LABELS = ["a", "b", "b", "a", None] * 4
STEPS = package.__all__


def steps(folder):
    path = folder / "vectors.txt"
    path.write_text("山 1 2\n月 3 4\n高 5 6\n", encoding="utf-8")
    glove = GloVeTransformer(4, min_count=1, max_epochs=2, random_state=0)
    characters = CharacterSegmenter()
    return {
        "JiebaSegmenter": JiebaSegmenter(),
        "WordSegmenter": WordSegmenter(),
        "CharacterSegmenter": characters,
        "GloVeTransformer": make_pipeline(characters, glove),
        "Word2VecTransformer": make_pipeline(
            characters, Word2VecTransformer(4, min_count=1, random_state=0)
        ),
        "FrequentWords": make_pipeline(characters, FrequentWords()),
        "PretrainedVectors": make_pipeline(characters, PretrainedVectors(path)),
        "LatentSemanticVectors": make_pipeline(
            characters, LatentSemanticVectors(2, random_state=0)
        ),
        "MeanWordVectors": make_pipeline(characters, glove, MeanWordVectors()),
        "TfidfVectors": make_pipeline(characters, TfidfVectors(min_users=1)),
        "RegionKeywords": make_pipeline(
            characters, RegionKeywords(cv=2, min_users=1, random_state=0)
        ),
        "FrequentPOSPatterns": make_pipeline(
            JiebaSegmenter(part_of_speech=True), FrequentPOSPatterns()
        ),
        "StylometricFeatures": make_pipeline(
            JiebaSegmenter(part_of_speech=True), StylometricFeatures()
        ),
    }


def equal(one, other):
    if isinstance(one, TokenMessages):
        return one == other
    if sparse.issparse(one):
        one, other = one.toarray(), other.toarray()
    return np.array_equal(one, other, equal_nan=True)


def test_every_public_step_is_here(tmp_path):
    assert sorted(steps(tmp_path)) == STEPS


@pytest.mark.parametrize("name", STEPS)
def test_fit_clone_pickle_slices_and_generators(name, tmp_path):
    step = steps(tmp_path)[name]
    states = np.random.get_state()[1].copy(), random.getstate()
    first = step.fit_transform(COLUMN, LABELS)
    again = clone(step).fit_transform(COLUMN, LABELS)
    assert equal(first, again)
    assert (np.random.get_state()[1] == states[0]).all()
    assert random.getstate() == states[1]

    out = step.transform(COLUMN)
    loaded = pickle.loads(pickle.dumps(step))
    assert equal(loaded.transform(COLUMN), out)
    save(step, tmp_path / "step")
    assert equal(load(tmp_path / "step").transform(COLUMN), out)
    part = step.transform(COLUMN[2:5])
    if isinstance(out, TokenMessages):
        assert part.tolist() == out[2:5].tolist()
        assert len(out) == len(COLUMN)
        assert out.missing.tolist() == [False, True, False, True, False] * 4
    elif sparse.issparse(out):  # a row of zeros is a missing source
        assert equal(part, out[2:5])
        assert not out[[1, 3]].nnz
    else:
        assert equal(part, out[2:5])
        assert np.isnan(out[[1, 3]]).all()
    # a refit forgets the past
    refit = clone(step).fit(COLUMN[:3] * 3, LABELS[:3] * 3).fit(COLUMN, LABELS)
    assert equal(refit.transform(COLUMN), out)


@pytest.mark.parametrize("name", STEPS)
def test_scikit_learn_checks_that_need_no_data(name, tmp_path):
    step = steps(tmp_path)[name]
    estimator = step if name.endswith("Segmenter") else step[-1]
    check_estimator_cloneable(name, estimator)
    check_estimator_repr(name, estimator)
    check_estimator_tags_renamed(name, estimator)
    check_get_params_invariance(name, estimator)
    check_mixin_order(name, estimator)
    check_set_params(name, estimator)
    check_valid_tag_types(name, estimator)
    check_no_attributes_set_in_init(name, estimator)
    if name != "PretrainedVectors":  # needs its path
        check_parameters_default_constructible(name, estimator)


@pytest.mark.parametrize("name", STEPS)
def test_tags_are_true(name, tmp_path):
    step = steps(tmp_path)[name]
    estimator = step if name.endswith("Segmenter") else step[-1]
    tags = get_tags(estimator)
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string
    assert tags.requires_fit != name.endswith("Segmenter")
    assert tags.target_tags.required == (name == "RegionKeywords")


def test_the_vocabulary_of_fit_is_that_of_every_transform(tmp_path):
    for name in ("GloVeTransformer", "Word2VecTransformer", "PretrainedVectors"):
        step = steps(tmp_path)[name].fit(COLUMN)
        known = step[-1].vocabulary_
        assert step.transform(COLUMN[:1]).vocabulary is known
        assert (
            step.transform([["全新的话"]]).vocabulary.fingerprint == known.fingerprint
        )


def test_base_class_learns_nothing_of_its_own():
    from sklearn_profiling.sources.text.vocabulary import WordVectorTransformer

    with pytest.raises(NotImplementedError):
        WordVectorTransformer().fit(None)


@pytest.mark.parametrize(
    "segmenter", [WordSegmenter(), JiebaSegmenter(), CharacterSegmenter()]
)
def test_segmenters_need_no_fit(segmenter):
    check_is_fitted(segmenter)
    assert segmenter.transform(["山"]).tolist() == [[["山"]]]
