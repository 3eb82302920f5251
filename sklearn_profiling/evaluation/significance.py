"""Significance tests of two systems, from their scores on the same folds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

SignificanceMethod = Literal["corrected", "t"]
Correction = Literal["holm"]

METHOD_NAMES: dict[str, str] = {
    "corrected": "corrected resampled t-test",
    "t": "paired t-test",
}

CORRECTION_NAMES: dict[str, str] = {"holm": "Holm's correction"}

# Differences that should be equal differ by rounding; this far below the scores
# themselves is rounding and no spread.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedTest:
    """What :func:`paired_test` found.

    Parameters
    ----------
    statistic : float
        The t; positive if the first system is better. Infinite where all differences
        are equal and not zero.
    p_value : float
        Two-sided: the chance of a ``|t|`` at least as large if the systems are equally
        good.
    difference : float
        Mean of the first system's scores minus mean of the second's.
    n : int
        Number of pairs.

    Attributes
    ----------
    statistic, p_value, difference, n
        As given.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import paired_test
    >>> found = paired_test([0.80, 0.82, 0.81], [0.78, 0.79, 0.80])
    >>> found.n, round(found.difference, 3), round(found.p_value, 3)
    (3, 0.02, 0.074)
    """

    statistic: float
    p_value: float
    difference: float
    n: int


def paired_test(
    first: Any,
    second: Any,
    *,
    method: SignificanceMethod = "t",
    test_fraction: float | None = None,
) -> PairedTest:
    r"""Test whether two systems differ, from scores on the same folds or seeds.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Scores of the two systems; position i of both is the same fold or seed.
    method : {"t", "corrected"}, default="t"
        ``"t"`` is the paired t-test, right for independent repetitions (seeds on
        new users). ``"corrected"`` is the corrected resampled t-test of Nadeau and
        Bengio, right for folds, whose training parts overlap.
    test_fraction : float, default=None
        Share of the users that is tested in one repetition, in (0, 1): 1 / k for k
        folds. Needed by ``"corrected"`` and not used by ``"t"``.

    Returns
    -------
    PairedTest
        Statistic, two-sided p-value, mean difference and number of pairs.

    Raises
    ------
    ValueError
        If the scores are not two finite sequences of the same length of 2 at least,
        or ``method`` or ``test_fraction`` is not one of the above.

    See Also
    --------
    Comparison.significance : The same for every system and task of a comparison.

    Notes
    -----
    With the mean d and the variance s² (n - 1 in the denominator) of the differences,

    .. math::

        t = \frac{d}{\sqrt{s^2 / n}}, \qquad
        t_{corrected} = \frac{d}{\sqrt{s^2 (1 / n + n_{test} / n_{train})}},

    both with n - 1 degrees of freedom. The t-test takes the folds for independent,
    although any two of k folds share (k - 2) / (k - 1) of their training users, and
    finds differences that are not there; the correction widens it by what the overlap
    hides.

    The Aux-LSTM paper names a t-test after Yang and Liu, who pair the scores of
    *classes*; its tasks have two to eleven classes. We pair folds or seeds.

    Identical scores have t = 0 and p = 1. Differences that are all equal and not zero
    have an infinite t and p = 0.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine
       Learning 52, 2003.
    .. [2] Y. Yang, X. Liu, "A re-examination of text categorization methods", SIGIR
       1999.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import paired_test
    >>> first, second = [0.81, 0.80, 0.84, 0.79, 0.83], [0.78, 0.79, 0.80, 0.78, 0.79]
    >>> round(paired_test(first, second).p_value, 4)
    0.0186
    >>> corrected = paired_test(first, second, method="corrected", test_fraction=0.2)
    >>> round(corrected.p_value, 4)
    0.0629
    """
    a, b = _check_scores(first, second)
    n = len(a)
    variance_factor = 1 / n + _overlap(method, test_fraction)
    differences = a - b
    difference = float(differences.mean())
    deviation = float(differences.std(ddof=1))
    largest = float(np.max(np.abs([a, b])))
    if deviation <= _ROUNDING * largest:
        if abs(difference) <= _ROUNDING * largest:
            return PairedTest(0.0, 1.0, difference, n)
        return PairedTest(math.copysign(math.inf, difference), 0.0, difference, n)
    statistic = difference / (deviation * math.sqrt(variance_factor))
    p_value = 2 * float(stats.t.sf(abs(statistic), df=n - 1))
    return PairedTest(statistic, p_value, difference, n)


def holm(p_values: Any) -> np.ndarray:
    """Correct p-values (n,) for their number by Holm's method; NaN is no test."""
    values = np.asarray(p_values, dtype=float)
    corrected = np.full(len(values), math.nan)
    order = [place for place in np.argsort(values) if not math.isnan(values[place])]
    factors = np.arange(len(order), 0, -1)
    steps = np.maximum.accumulate(np.minimum(values[order] * factors, 1.0))
    corrected[order] = steps
    return corrected


def check_method(method: str) -> None:
    """Refuse an unknown method."""
    if method not in METHOD_NAMES:
        msg = f"method must be one of {sorted(METHOD_NAMES)}; got {method!r}"
        raise ValueError(msg)


def _overlap(method: str, test_fraction: float | None) -> float:
    """Find what the correction adds to 1 / n: tested users per training user."""
    check_method(method)
    if method == "t":
        return 0.0
    if test_fraction is None or not 0 < test_fraction < 1:
        msg = (
            "method='corrected' needs test_fraction, the share of the users that one "
            f"fold tests, between 0 and 1 (1 / k for k folds); got {test_fraction!r}"
        )
        raise ValueError(msg)
    return test_fraction / (1 - test_fraction)


def _check_scores(first: Any, second: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bring the scores to two float arrays, or say what is wrong with them."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape:
        msg = (
            "first and second must be two sequences of the same length, one score a "
            f"fold or seed; got the shapes {a.shape} and {b.shape}"
        )
        raise ValueError(msg)
    if len(a) < 2:
        msg = f"a test needs the scores of 2 folds or seeds at least; got {len(a)}"
        raise ValueError(msg)
    for name, scores in (("first", a), ("second", b)):
        bad = np.flatnonzero(~np.isfinite(scores))
        if len(bad):
            msg = f"{name} must hold finite scores; number {bad[0]} is {scores[bad[0]]}"
            raise ValueError(msg)
    return a, b
