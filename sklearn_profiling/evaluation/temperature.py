"""Probabilities that are as certain as the predictions are right."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax
from sklearn.utils import _safe_indexing

from sklearn_profiling._outputs import Probabilities
from sklearn_profiling._seeding import RandomState
from sklearn_profiling.evaluation._held_out import HeldOutClassifier
from sklearn_profiling.evaluation._probabilities import predict_tasks
from sklearn_profiling.evaluation.prediction import align_classes
from sklearn_profiling.targets import EncodedLabels, LabelCodec, weight_table

__all__ = ["TemperatureScaledClassifier"]

Floats = NDArray[np.float64]

_FLOOR = 1e-30
"""Of a probability, so that its logarithm is finite."""
_FEWEST = 100
"""Labelled users from which a temperature is learned; fewer leave it at 1."""


class TemperatureScaledClassifier(HeldOutClassifier):
    """Divide the logits of each task by a temperature learned on held-out users.

    A net that fits its training users too well is too certain of others. One number a
    task, learned on users that a clone has not seen, makes it as certain as it is
    right; predictions stay what they were.

    Parameters
    ----------
    estimator : classifier
        Of one or several tasks, with ``predict_proba``.
    cv : int, default=3
        Number of folds, stratified by the classes of all tasks, whose held-out users
        tell the temperatures; so ``fit`` takes `cv` + 1 fits (our choice).
    shares_where_uninformed : bool, default=False
        Whether everybody gets the shares of the classes, and so the largest class, in
        tasks of which the classifier knows nothing: whose log loss of held-out users is
        no less than that of the shares.
    random_state : int, RandomState instance or None, default=None
        Decides the folds.

    Attributes
    ----------
    estimator_ : classifier
        The clone fitted on all users.
    temperatures_ : ndarray of float, shape (n_tasks,)
        What the logits of each task are divided by; above 1 for a classifier that is
        too certain. 1 for tasks with fewer than 100 labelled users.
    shares_ : list of ndarray or None
        For each task, the shares of the classes if they are given to everybody.
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : The same and others, for one task whose
        labels are all known.

    Notes
    -----
    The temperature makes the log loss of the held-out users least. For a task whose
    cells are sets, the logit of each class is divided. Users who alone have a class are
    not held out.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017.

    Examples
    --------
    >>> from sklearn_profiling.estimators import MMLUPClassifier
    >>> from sklearn_profiling.evaluation import TemperatureScaledClassifier
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]] * 20, ["f", "m", "f", "f"] * 10
    >>> net = MMLUPClassifier(max_epochs=2, random_state=0)
    >>> model = TemperatureScaledClassifier(net, random_state=0).fit(X, y)
    >>> model.temperatures_.shape, model.predict_proba(X[:2]).shape
    ((1,), (2, 2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **HeldOutClassifier._parameter_constraints,
        "shares_where_uninformed": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        cv: int = 3,
        shares_where_uninformed: bool = False,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.shares_where_uninformed = shares_where_uninformed
        self.random_state = random_state

    def _learn(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        self.estimator_ = self._fit_clone(X, y, sample_weight, None)
        self.classes_ = self.estimator_.classes_
        codec = LabelCodec.learn(y)
        self.task_names_ = list(codec.task_names)
        labels = codec.encode(y)
        held_out = self._held_out(X, y, sample_weight, groups, codec)
        weights = weight_table(sample_weight, labels.codes, codec.task_names)
        found = [
            _best_temperature(likely, labels, weights[:, task], task)
            for task, likely in enumerate(held_out)
        ]
        self.temperatures_ = np.array([each.temperature for each in found])
        self.shares_ = [
            each.shares
            if self.shares_where_uninformed and each.loss >= each.loss_of_shares
            else None
            for each in found
        ]
        self._codec = codec

    def _held_out(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, codec: LabelCodec
    ) -> list[Floats]:
        """Predict users by clones that were fitted without them; NaN if they cannot."""
        n_users = len(codec.encode(y))
        found = [np.full((n_users, len(each)), np.nan) for each in codec.classes]
        if n_users < max(self.cv, _FEWEST):
            return found
        for train, test in self._folds(y, groups):
            model = self._fit_clone(X, y, sample_weight, train)
            parts = predict_tasks(model, _safe_indexing(X, test), codec.task_names)
            for task, (likely, known) in enumerate(parts):
                found[task][test] = align_classes(likely, known, codec, task)
        return found

    def _predict(self, X: Any) -> NDArray[Any]:
        if all(shares is None for shares in self.shares_):
            return super()._predict(X)
        scaled = self._probabilities(X, log=False)
        decoded: NDArray[Any] = self._codec.decode(
            scaled if isinstance(scaled, list) else [scaled]
        )
        return decoded

    def _probabilities(self, X: Any, *, log: bool) -> Probabilities:
        parts = predict_tasks(self.estimator_, X, self.task_names_)
        result = []
        for (likely, _), temperature, shares, sets in zip(
            parts, self.temperatures_, self.shares_, self._codec.set_valued, strict=True
        ):
            if shares is None:
                logits = _logits(likely, of_sets=sets) / temperature
            else:
                logits = np.tile(_logits(shares, of_sets=sets), (len(likely), 1))
            if sets:
                result.append(log_expit(logits) if log else expit(logits))
            else:
                logs = log_softmax(logits, axis=1)
                result.append(logs if log else np.exp(logs))
        return result if isinstance(self.classes_, list) else result[0]


def _logits(likely: Floats, *, of_sets: bool) -> Floats:
    logs: Floats = np.log(np.maximum(likely, _FLOOR))
    return logs - np.log(np.maximum(1 - likely, _FLOOR)) if of_sets else logs


class _Scale(NamedTuple):
    """The temperature of a task, its log loss, and the loss of the classes' shares."""

    temperature: float
    loss: float
    loss_of_shares: float
    shares: Floats


def _best_temperature(
    likely: Floats, labels: EncodedLabels, weights: Floats, task: int
) -> _Scale:
    """Find the temperature of least log loss of held-out users (n_users, n_classes)."""
    known = (labels.codes[:, task] >= 0) & ~np.isnan(likely).any(axis=1)
    rows = np.flatnonzero(known & (weights > 0))
    members = labels.members.get(task)
    if members is None:
        # Of a class that a fold's training users lacked nothing can be learned.
        rows = rows[likely[rows, labels.codes[rows, task]] > 0]
    if len(rows) < _FEWEST or likely.shape[1] < 2:
        return _Scale(1.0, 0.0, np.inf, np.ones(0))
    truth = np.eye(likely.shape[1])[labels.codes[rows, task]]
    if members is not None:
        truth = members[rows].astype(float)
    logits = _logits(likely[rows], of_sets=members is not None)
    shares = np.average(truth, axis=0, weights=weights[rows])

    def loss(values: Floats) -> float:
        if members is not None:
            each = -log_expit(np.where(truth > 0, values, -values)).sum(axis=1)
        else:
            each = -(truth * log_softmax(values, axis=1)).sum(axis=1)
        return float(np.average(each, weights=weights[rows]))

    found = minimize_scalar(
        lambda log_temperature: loss(logits / np.exp(log_temperature)),
        bounds=(-1.5, 1.5),
        method="bounded",
    )
    of_shares = np.tile(_logits(shares, of_sets=members is not None), (len(rows), 1))
    return _Scale(float(np.exp(found.x)), float(found.fun), loss(of_shares), shares)
