"""How far probabilities can be believed: reliability, Brier score, log loss."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling.evaluation._probabilities import (
    LabelledProbabilities,
    labelled_probabilities,
    log_loss_of,
)

__all__ = [
    "bins_of",
    "calibration_report",
    "confidence_of",
    "reliability_table",
    "risk_coverage",
]

Floats = NDArray[np.float64]
Strategy = Literal["uniform", "quantile"]


def reliability_table(
    y_true: Any,
    y_proba: Any,
    classes: Any,
    *,
    n_bins: int = 10,
    strategy: Strategy = "uniform",
) -> pd.DataFrame:
    """Compare how sure a model is with how often it is right, in bins.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray
        Probabilities as ``predict_proba`` gives them, one array a task.
    classes : list of array-like, or array-like
        The classes of the columns of ``y_proba``, as in ``classes_``.
    n_bins : int, default=10
        Number of bins of each task. Guo et al. take 15, for more users.
    strategy : {"uniform", "quantile"}, default="uniform"
        ``"uniform"`` bins are equally wide between 0 and 1, ``"quantile"`` bins hold
        equally many answers, where these are not equal.

    Returns
    -------
    DataFrame
        One row per task and bin that is not empty, with the index (``task``, ``bin``)
        and the columns ``lower`` and ``upper`` (the bounds; a bin holds its upper
        one), ``n`` (answers), ``confidence`` and ``accuracy`` (their means). A task
        without labels has no row.

    Raises
    ------
    TargetError
        If users or tasks differ, or what a labelled user has is no probability.
    ValueError
        If ``n_bins`` or ``strategy`` is none of the above.

    See Also
    --------
    calibration_report : One line a task.
    sklearn.calibration.calibration_curve : For one task of two classes.

    Notes
    -----
    An answer is the most probable class of a labelled user; its confidence is its
    probability, and it is right if it is the label. Where cells are sets, each pair of
    a user and a class is an answer: its confidence is the probability that the class
    belongs to the set, and its accuracy how often it does.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.evaluation import reliability_table
    >>> y_proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])
    >>> reliability_table(["f", "m", "m", None], y_proba, ["f", "m"], n_bins=5)
               lower  upper  n  confidence  accuracy
    task  bin
    task0 3      0.6    0.8  1         0.7       1.0
          4      0.8    1.0  2         0.9       0.5
    """
    _check_bins(n_bins, strategy)
    tables = {
        found.task: bins_of(*_answers(found), n_bins, strategy)
        for found in labelled_probabilities(y_true, y_proba, classes)
    }
    return pd.concat(tables, names=["task", "bin"])


def calibration_report(
    y_true: Any, y_proba: Any, classes: Any, *, n_bins: int = 10
) -> pd.DataFrame:
    """Measure for each task how far its probabilities can be believed.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray
        Probabilities as ``predict_proba`` gives them, one array a task.
    classes : list of array-like, or array-like
        The classes of the columns of ``y_proba``, as in ``classes_``.
    n_bins : int, default=10
        Number of equally wide bins of the expected calibration error.

    Returns
    -------
    DataFrame of shape (n_tasks, 6)
        One row per task. Columns: ``n_labelled`` users; ``confidence`` and
        ``accuracy`` of the answers; ``ece``, the expected calibration error;
        ``brier`` and ``log_loss``. A task without labels has NaN.

    Raises
    ------
    TargetError
        If users or tasks differ, or what a labelled user has is no probability.
    ValueError
        If ``n_bins`` is no positive integer.

    See Also
    --------
    reliability_table : The bins; it says what an answer is.
    TemperatureScaledClassifier : Probabilities that can be believed.

    Notes
    -----
    The expected calibration error is the mean over the answers of the distance between
    confidence and accuracy of their bin. The Brier score is the sum over the classes of
    the squared distance of probability and label, between 0 and 2, averaged over users;
    scikit-learn halves it for two classes. Where cells are sets, Brier score and log
    loss are means over users and classes. Of all three lower is better.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.evaluation import calibration_report
    >>> y_proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])
    >>> report = calibration_report(["f", "m", "m", None], y_proba, ["f", "m"])
    >>> report[["n_labelled", "accuracy", "ece", "brier"]].round(3)
           n_labelled  accuracy    ece  brier
    task
    task0           3     0.667  0.367  0.607
    """
    _check_bins(n_bins, "uniform")
    found = labelled_probabilities(y_true, y_proba, classes)
    return pd.DataFrame(
        [_calibration(each, n_bins) for each in found],
        index=pd.Index([each.task for each in found], name="task"),
    )


def risk_coverage(
    y_true: Any, y_proba: Any, classes: Any, *, coverages: Any = None
) -> pd.DataFrame:
    """Tell how accurate a model is on those users of whom it is most sure.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray
        Probabilities as ``predict_proba`` gives them, one array a task.
    classes : list of array-like, or array-like
        The classes of the columns of ``y_proba``, as in ``classes_``.
    coverages : array-like of float, default=None
        Shares of the labelled users that are answered, above 0 and up to 1. None is
        0.1, 0.2 and so on.

    Returns
    -------
    DataFrame
        One row per task and share, with the index (``task``, ``coverage``) and the
        columns ``n_answered``, ``threshold`` (the confidence of the least sure answer),
        ``accuracy`` and ``risk``, 1 - accuracy. A task without labels has NaN.

    Raises
    ------
    TargetError
        If users or tasks differ, or what a labelled user has is no probability.
    ValueError
        If a share does not lie above 0 and up to 1.

    See Also
    --------
    AbstainingClassifier : Leaves the others without an answer.

    Notes
    -----
    The confidence is the probability of the most probable class. Where cells are sets
    it is that of the whole predicted set, were its classes independent.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.evaluation import risk_coverage
    >>> y_proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])
    >>> curve = risk_coverage(list("fmmf"), y_proba, ["f", "m"], coverages=[0.5, 1.0])
    >>> curve[["n_answered", "accuracy"]]
                    n_answered  accuracy
    task  coverage
    task0 0.5                2      1.00
          1.0                4      0.75
    """
    shares = np.asarray(
        np.arange(1, 11) / 10 if coverages is None else coverages, dtype=float
    )
    if shares.ndim != 1 or not ((shares > 0) & (shares <= 1)).all():
        msg = f"coverages must lie above 0 and up to 1; got {coverages!r}"
        raise ValueError(msg)
    tables = {
        found.task: _risks(found, shares)
        for found in labelled_probabilities(y_true, y_proba, classes)
    }
    return pd.concat(tables, names=["task", "coverage"])


def confidence_of(likely: Floats, *, of_sets: bool) -> Floats:
    """Return how sure the prediction of each user is, (n_users,)."""
    each = np.maximum(likely, 1 - likely) if of_sets else likely
    found: Floats = each.prod(axis=1) if of_sets else each.max(axis=1, initial=0.0)
    return found


def _check_bins(n_bins: Any, strategy: Any) -> None:
    if not isinstance(n_bins, Integral) or n_bins < 1:
        msg = f"n_bins must be a positive integer; got {n_bins!r}"
        raise ValueError(msg)
    if strategy not in ("uniform", "quantile"):
        msg = f"strategy must be 'uniform' or 'quantile'; got {strategy!r}"
        raise ValueError(msg)


def _answers(found: LabelledProbabilities) -> tuple[Floats, Floats]:
    """Return the confidence of each answer, and 1 where it is right, 0 elsewhere."""
    if found.of_sets:
        return found.likely.ravel(), found.inside.ravel().astype(float)
    confidence = confidence_of(found.likely, of_sets=False)
    return confidence, found.hits().astype(float)


def bins_of(
    confidence: Floats, right: Floats, n_bins: int, strategy: Strategy = "uniform"
) -> pd.DataFrame:
    """Average answers in bins; a bin holds its upper bound, the first 0 too."""
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile" and len(confidence):
        edges = np.unique(np.quantile(confidence, edges))
        edges = np.repeat(edges, 2) if len(edges) == 1 else edges
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    n = np.bincount(place, minlength=len(edges) - 1)
    kept = np.flatnonzero(n)
    sums = [np.bincount(place, each, len(edges) - 1) for each in (confidence, right)]
    return pd.DataFrame(
        {
            "lower": edges[kept],
            "upper": edges[kept + 1],
            "n": n[kept],
            "confidence": sums[0][kept] / n[kept],
            "accuracy": sums[1][kept] / n[kept],
        },
        index=kept,
    )


def _calibration(found: LabelledProbabilities, n_bins: int) -> dict[str, float]:
    n_labelled = len(found.likely)
    names = ("confidence", "accuracy", "ece", "brier", "log_loss")
    if not n_labelled:
        return {"n_labelled": 0, **dict.fromkeys(names, math.nan)}
    bins = bins_of(*_answers(found), n_bins)
    share = bins["n"] / bins["n"].sum()
    squares = (found.likely - found.inside) ** 2
    values = (
        (share * bins["confidence"]).sum(),
        (share * bins["accuracy"]).sum(),
        (share * (bins["confidence"] - bins["accuracy"]).abs()).sum(),
        squares.mean() if found.of_sets else squares.sum(axis=1).mean(),
        log_loss_of(found.inside, found.likely, of_sets=found.of_sets),
    )
    return {
        "n_labelled": n_labelled,
        **dict(zip(names, map(float, values), strict=True)),
    }


def _risks(found: LabelledProbabilities, shares: Floats) -> pd.DataFrame:
    confidence = confidence_of(found.likely, of_sets=found.of_sets)
    order = np.argsort(-confidence, kind="stable")
    n_answered = np.ceil(shares * len(order) - 1e-9).astype(int)
    threshold = accuracy = np.full(len(shares), math.nan)
    if len(order):
        threshold = confidence[order][n_answered - 1]
        accuracy = np.cumsum(found.hits()[order])[n_answered - 1] / n_answered
    return pd.DataFrame(
        {
            "n_answered": n_answered,
            "threshold": threshold,
            "accuracy": accuracy,
            "risk": 1 - accuracy,
        },
        index=pd.Index(shares),
    )
