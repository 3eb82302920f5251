"""What the SVM, MaxEnt and Meta-Learning baselines read: unigrams and style."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Real
from typing import Any, Literal

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.baselines._inner_folds import SparingFolds
from sklearn_profiling.sources import JiebaSegmenter, StylometricFeatures
from sklearn_profiling.sources.union import select_column

__all__ = ["Weighting", "make_text_pipeline", "search_strength"]

Weighting = Literal["tf-idf", "tf", "binary"]

_STRENGTHS = (0.1, 1.0, 10.0)
"""What `C` is multiplied by in a search."""
_SEARCH_FOLDS = 3


def make_text_pipeline(
    classifier: Any,
    *,
    segmenter: Any,
    unigrams: Weighting,
    stylometric: Any,
    style_weight: float,
    text_column: str,
    max_features: int | None,
    memory: str | joblib.Memory | None,
) -> Pipeline:
    """Make the way from the users' table over words and style to a classifier.

    Parameters
    ----------
    classifier : classifier
        The last step.
    segmenter : transformer or None
        From messages to words; None is jieba with parts of speech.
    unigrams : {"tf-idf", "tf", "binary"}
        Weights of the words.
    stylometric : transformer, "drop" or None
        Features of style; None is :class:`StylometricFeatures`.
    style_weight : float
        Norm of the features of style on average; words have norm 1.
    text_column : str
        Column with lists of messages.
    max_features : int or None
        Number of words to keep, by frequency.
    memory : str, joblib.Memory or None
        Folder for the cache of the Pipeline.

    Returns
    -------
    Pipeline
        Steps "text", "segmenter", "features" and "classifier".

    Raises
    ------
    ValueError
        If `unigrams`, `stylometric` or `style_weight` is anything else.
    """
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
    if not 0 < style_weight < np.inf:
        msg = f"style_weight must be a positive number; got {style_weight!r}"
        raise ValueError(msg)
    features: list[tuple[str, Any]] = [("unigrams", words)]
    weights = {}
    if not isinstance(stylometric, str):
        style = StylometricFeatures() if stylometric is None else stylometric
        features.append(("style", _scaled(style)))
        weights["style"] = style_weight
    elif stylometric != "drop":
        msg = f"stylometric must be a transformer, 'drop' or None; got {stylometric!r}"
        raise ValueError(msg)
    if segmenter is None:
        segmenter = JiebaSegmenter(part_of_speech=stylometric != "drop")
    column = FunctionTransformer(
        select_column, kw_args={"column": text_column, "source": "text"}
    )
    return Pipeline(
        [
            ("text", column),
            ("segmenter", segmenter),
            ("features", FeatureUnion(features, transformer_weights=weights)),
            ("classifier", classifier),
        ],
        memory=memory,
    )


def _words_of_user(messages: list[list[str]]) -> Iterator[str]:
    return chain.from_iterable(messages)


def _scaled(style: Any) -> Pipeline:
    """Bring features of style to rows of norm 1 on average, as the unigrams have."""
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
    """Divide standardised columns by the norm that their rows have on average.

    A missing feature becomes 0, the average user's.
    """
    shared: NDArray[np.floating[Any]] = np.nan_to_num(X) / np.sqrt(X.shape[1])
    return shared


def search_strength(
    estimator: Any,
    C: float | Sequence[float],
    *,
    tune: bool,
    random_state: RandomState,
) -> Any:
    """Set the strength of a linear classifier, or have inner folds choose it.

    Parameters
    ----------
    estimator : classifier
        Classifier with a parameter ``C``.
    C : float or sequence of float
        Inverse strength of the regularisation, or the grid to choose from.
    tune : bool
        Whether to choose from 0.1, 1 and 10 times `C`.
    random_state : int
        Decides the folds.

    Returns
    -------
    estimator
        The classifier itself, or a search by accuracy over three folds.

    Raises
    ------
    ValueError
        If a strength is not positive or none is given.
    """
    grid: list[Any] = [C] if isinstance(C, Real) else list(C)  # type: ignore[arg-type]
    if not grid or not all(isinstance(c, Real) and 0 < float(c) < np.inf for c in grid):
        msg = f"C must be a positive number or a sequence of them; got {C!r}"
        raise ValueError(msg)
    if tune and len(grid) == 1:
        grid = [factor * grid[0] for factor in _STRENGTHS]
    if len(grid) == 1:
        return estimator.set_params(C=grid[0])
    return GridSearchCV(
        estimator,
        {"C": grid},
        scoring="accuracy",
        cv=SparingFolds(_SEARCH_FOLDS, random_state=random_state),
    )
