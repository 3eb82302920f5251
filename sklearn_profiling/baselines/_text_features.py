"""Unigram and stylometric features of the SVM, MaxEnt and Meta-Learning baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState
from sklearn_profiling.baselines._inner_folds import SparingFolds
from sklearn_profiling.baselines._linear import multiples
from sklearn_profiling.sources import StylometricFeatures, TfidfVectors
from sklearn_profiling.sources._columns import as_users
from sklearn_profiling.sources.text.segmentation import default_segmenter
from sklearn_profiling.sources.text.suited import SuitedSegmenter
from sklearn_profiling.sources.union import select_column

__all__ = [
    "Weighting",
    "make_text_pipeline",
    "search_strength",
    "text_of",
]

Weighting = Literal["tf-idf", "tf", "binary"]

_SEARCH_FOLDS = 3


def make_text_pipeline(
    classifier: Any,
    *,
    segmenter: Any,
    unigrams: Weighting | None,
    stylometric: Any,
    style_weight: float,
    text_column: str,
    max_features: int | None,
    memory: str | joblib.Memory | None,
) -> CheckedPipeline:
    """Make the steps "text", "segmenter", "features" and "classifier".

    The parameters are those of :func:`make_svm_baseline`, which raise ValueError; if
    `unigrams` is None, n-grams of words and characters take their place.
    """
    if not 0 < style_weight < np.inf:
        msg = f"style_weight must be a positive number; got {style_weight!r}"
        raise ValueError(msg)
    features = [_words(unigrams, max_features)]
    weights = {}
    if not isinstance(stylometric, str):
        style = StylometricFeatures() if stylometric is None else stylometric
        features.append(("style", _scaled(style)))
        weights["style"] = style_weight
    elif stylometric != "drop":
        msg = f"stylometric must be a transformer, 'drop' or None; got {stylometric!r}"
        raise ValueError(msg)
    if segmenter is None and unigrams is None:
        segmenter = SuitedSegmenter()
    tags = not isinstance(stylometric, str)
    return CheckedPipeline(
        [
            ("text", text_of(text_column)),
            ("segmenter", default_segmenter(segmenter, part_of_speech=tags)),
            ("features", FeatureUnion(features, transformer_weights=weights)),
            ("classifier", classifier),
        ],
        memory=memory,
    )


def text_of(column: str) -> FunctionTransformer:
    """Make the step that takes the column of messages, or the messages alone."""
    return FunctionTransformer(_text_of, kw_args={"column": column})


def _text_of(X: Any, column: str) -> Any:
    return select_column(as_users(X, [column]), column, "text")


def _words(unigrams: Weighting | None, max_features: int | None) -> tuple[str, Any]:
    """Name and make the transformer of words."""
    if unigrams is None:
        return "n_grams", TfidfVectors(min_users=1, max_features=max_features)
    if unigrams not in ("tf-idf", "tf", "binary"):
        msg = f"unigrams must be 'tf-idf', 'tf' or 'binary'; got {unigrams!r}"
        raise ValueError(msg)
    words = TfidfVectorizer(
        analyzer=_words_of_user,
        max_features=max_features,
        use_idf=unigrams == "tf-idf",
        sublinear_tf=unigrams == "tf-idf",
        binary=unigrams == "binary",
    )
    return "unigrams", words


def _words_of_user(messages: list[list[str]]) -> Iterator[str]:
    return chain.from_iterable(messages)


def _scaled(style: Any) -> Pipeline:
    """Scale stylometric features to rows of mean norm 1, like the unigrams."""
    return Pipeline(
        [
            ("measure", style),
            ("standardize", StandardScaler()),
            (
                "weigh",
                FunctionTransformer(_share_weight, feature_names_out="one-to-one"),
            ),
        ]
    )


def _share_weight(X: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Divide standardised columns by the mean norm of their rows.

    A missing feature becomes 0, the average user's.
    """
    shared: NDArray[np.floating[Any]] = np.nan_to_num(X) / np.sqrt(X.shape[1])
    return shared


class StrengthSearch(GridSearchCV):  # type: ignore[misc, unused-ignore]
    """A grid search that shows that it takes weights, so that calibration gives them.

    Folds are scored without them.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> StrengthSearch:
        """Search with the weights (n_users,) of users."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        super().fit(X, y, **given)
        return self


def search_strength(
    estimator: Any,
    C: float | Sequence[float],
    *,
    tune: bool,
    random_state: RandomState,
) -> Any:
    """Set `C` of a linear classifier, or let inner folds choose it by accuracy.

    They choose from a sequence of `C`, or from its multiples if `tune`.
    """
    grid = multiples(C, tune=tune)
    if len(grid) == 1:
        return estimator.set_params(C=grid[0])
    return StrengthSearch(
        estimator,
        {"C": grid},
        scoring="accuracy",
        cv=SparingFolds(_SEARCH_FOLDS, random_state=random_state),
    )
