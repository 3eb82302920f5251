"""A linear classifier, one class against the rest, tuned and calibrated at once."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_profiling._seeding import RandomState
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.baselines._inner_folds import SparingFolds

__all__ = ["Loss", "TunedLinearClassifier", "make_linear", "multiples"]

Loss = Literal["squared", "squared_hinge", "log"]
Floats = NDArray[np.float64]

_MULTIPLES = (0.1, 1.0, 10.0)
_PARTS = 3
"""Of the users one is held out once: three fits on the others cost two of all."""


def make_linear(
    loss: Loss,
    C: float | Sequence[float],
    *,
    max_iter: int,
    random_state: RandomState = 0,
) -> Any:
    """Make the classifier of one task; of one `C`, logistic regression is plain."""
    if loss not in get_args(Loss):
        msg = f"loss must be one of {get_args(Loss)}; got {loss!r}"
        raise ValueError(msg)
    strengths = read_strengths(C)
    if loss == "log" and len(strengths) == 1:
        return LogisticRegression(C=strengths[0], max_iter=max_iter)
    return TunedLinearClassifier(
        loss, C=C, max_iter=max_iter, random_state=random_state
    )


class TunedLinearClassifier(ClassifierMixin, BaseEstimator):
    """Ridge regression ("squared"), an SVM ("squared_hinge") or logistic regression.

    A stratified third of the users is held out once. For each `C` of a sequence it
    gives the scale of the decision values whose softmax has the least log loss there,
    and the least of these losses chooses `C`. The classifier is then trained on all
    users; with three values this costs three fits.
    """

    def __init__(
        self,
        loss: Loss = "squared",
        *,
        C: float | Sequence[float] = (0.5, 2.0, 10.0),
        max_iter: int = 1000,
        random_state: RandomState = 0,
    ) -> None:
        self.loss = loss
        self.C = C
        self.max_iter = max_iter
        self.random_state = random_state

    @fixed_threads()
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose `C` and the scale, then train on all users (n_users, n_features)."""
        strengths = read_strengths(self.C)
        X, y = validate_data(self, X, y, accept_sparse="csr")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        weights = np.ones(len(codes)) if sample_weight is None else sample_weight
        weights = np.asarray(weights, dtype=float)
        folds = SparingFolds(_PARTS, random_state=self.random_state)
        train, held_out = next(folds.split(X, codes))

        def trial(strength: float) -> tuple[float, float, float]:
            model = self._make(strength).fit(X[train], codes[train], weights[train])
            odds = _per_class(model.decision_function(X[held_out]))
            loss, scale = _calibrate(odds, codes[held_out], weights[held_out])
            return loss, strength, scale

        _, self.C_, self.scale_ = min(trial(strength) for strength in strengths)
        self.classifier_ = self._make(self.C_).fit(X, codes, weights)
        return self

    def _make(self, strength: float) -> Any:
        if self.loss == "squared":
            return RidgeClassifier(alpha=1 / (2 * strength), max_iter=self.max_iter)
        if self.loss == "log":
            return LogisticRegression(C=strength, max_iter=self.max_iter)
        # The primal problem, because the dual's solver draws from a generator that all
        # threads of the process share.
        return LinearSVC(C=strength, dual=False, max_iter=self.max_iter)

    @fixed_threads()
    def decision_function(self, X: Any) -> Floats:
        """Compute decision values (n_users, n_classes); (n_users,) of two classes."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr")
        values: Floats = self.classifier_.decision_function(X)
        return values

    @fixed_threads()
    def predict_proba(self, X: Any) -> Floats:
        """Compute probabilities (n_users, n_classes)."""
        odds = _per_class(self.decision_function(X))
        likely: Floats = softmax(self.scale_ * odds, axis=1)
        return likely

    def predict(self, X: Any) -> NDArray[Any]:
        """Choose the class of the highest decision value."""
        odds = _per_class(self.decision_function(X))
        chosen: NDArray[Any] = self.classes_[odds.argmax(axis=1)]
        return chosen

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def read_strengths(C: Any) -> list[Any]:
    """Read `C`, a positive number or a sequence of such, as a list."""
    strengths = [C] if isinstance(C, Real) else list(C)
    valid = all(isinstance(c, Real) and 0 < float(c) < np.inf for c in strengths)
    if not strengths or not valid:
        msg = f"C must be a positive number or a sequence of them; got {C!r}"
        raise ValueError(msg)
    return strengths


def multiples(C: Any, *, tune: bool) -> list[Any]:
    """Read `C`; a single number becomes a search around it if `tune`."""
    strengths = read_strengths(C)
    if tune and len(strengths) == 1:
        return [factor * strengths[0] for factor in _MULTIPLES]
    return strengths


def _per_class(values: Floats) -> Floats:
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def _calibrate(odds: Floats, own: Any, weights: Floats) -> tuple[float, float]:
    """Find the scale of `odds` that makes the log loss of codes `own` least.

    Its logarithm has a normal prior, so that a few users give little certainty. Return
    the loss and the scale.
    """

    def loss(log_scale: float) -> float:
        logs = log_softmax(np.exp(log_scale) * odds, axis=1)
        own_logs = logs[np.arange(len(own)), own]
        return float(log_scale**2 / len(own) - np.average(own_logs, weights=weights))

    found = minimize_scalar(
        loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-3}
    )
    return float(found.fun), float(np.exp(found.x))
