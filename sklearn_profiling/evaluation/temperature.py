"""Probabilities that are as certain as the predictions are right."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax
from sklearn.utils import _safe_indexing

from sklearn_profiling._outputs import Probabilities
from sklearn_profiling._seeding import RandomState
from sklearn_profiling.evaluation._held_out import HeldOutClassifier
from sklearn_profiling.evaluation._probabilities import predict_tasks
from sklearn_profiling.evaluation.prediction import align_classes
from sklearn_profiling.exceptions import TargetError, shortened
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
    right; predictions stay what they were, unless shares are mixed in.

    Parameters
    ----------
    estimator : classifier
        Of one or several tasks, with ``predict_proba``.
    cv : int, default=3
        Number of folds, stratified by the classes of all tasks, whose held-out users
        decide the temperatures; so ``fit`` takes `cv` + 1 fits (our choice).
    mix_shares : bool, default=False
        Whether the shares of the classes are mixed into the probabilities of a task, as
        far as this makes the log loss of held-out users clearly less. In a task of
        which the classifier knows nothing, everybody gets the shares, and so the
        largest class.
    random_state : int, RandomState instance or None, default=None
        Decides the folds.

    Attributes
    ----------
    estimator_ : classifier
        The clone fitted on all users.
    temperatures_ : ndarray of float, shape (n_tasks,)
        What the logits of each task are divided by; above 1 for a classifier that is
        too certain. 1 for tasks with fewer than 100 labelled users.
    share_weights_ : ndarray of float, shape (n_tasks,)
        Weight of the shares of the classes in each task: 0 where they are left out, 1
        where nothing else counts.
    shares_ : list of ndarray
        For each task, the shares of the classes; zeros where nothing was learned.
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
    not held out. With `mix_shares`, temperature and weight are learned together; a
    difference is clear if it is more than its standard error over the users, and what
    is not clear is left out: the mixing first, then the classifier.

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
        "mix_shares": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        cv: int = 3,
        mix_shares: bool = False,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.mix_shares = mix_shares
        self.random_state = random_state

    def _learn(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        self.estimator_ = self._fit_clone(X, y, sample_weight, None)
        self.classes_ = self.estimator_.classes_
        codec = LabelCodec.learn(y)
        self.task_names_ = list(codec.task_names)
        if self.mix_shares:
            self._check_classes(codec)
        labels = codec.encode(y)
        held_out = self._held_out(X, y, sample_weight, groups, codec)
        weights = weight_table(sample_weight, labels.codes, codec.task_names)
        found = [
            _best_scale(likely, labels, weights[:, task], task, mix=self.mix_shares)
            for task, likely in enumerate(held_out)
        ]
        self.temperatures_ = np.array([each.temperature for each in found])
        self.share_weights_ = np.array([each.share_weight for each in found])
        self.shares_ = [each.shares for each in found]
        self._codec = codec

    def _check_classes(self, codec: LabelCodec) -> None:
        """Refuse other classes than those of y, or in another order."""
        for task, classes in enumerate(self._classes_of_tasks()):
            wanted, own = codec.classes[task].tolist(), np.asarray(classes).tolist()
            if own != wanted:
                msg = (
                    f"mix_shares: the estimator must have the classes of y in sorted "
                    f"order; of task {codec.task_names[task]!r} it has "
                    f"{shortened(own)} in place of {shortened(wanted)}"
                )
                raise TargetError(msg)

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
        if not self.share_weights_.any():
            return super()._predict(X)
        scaled = self._probabilities(X, log=False)
        decoded: NDArray[Any] = self._codec.decode(
            scaled if isinstance(scaled, list) else [scaled]
        )
        return decoded

    def _probabilities(self, X: Any, *, log: bool) -> Probabilities:
        parts = predict_tasks(self.estimator_, X, self.task_names_)
        result = []
        scales = map(_Scale, self.temperatures_, self.share_weights_, self.shares_)
        for (likely, _), scale, sets in zip(
            parts, scales, self._codec.set_valued, strict=True
        ):
            logs = scale.log_probabilities(_logits(likely, of_sets=sets), of_sets=sets)
            result.append(logs if log else np.exp(logs))
        return result if isinstance(self.classes_, list) else result[0]


def _logits(likely: Floats, *, of_sets: bool) -> Floats:
    logs: Floats = np.log(np.maximum(likely, _FLOOR))
    return logs - np.log(np.maximum(1 - likely, _FLOOR)) if of_sets else logs


class _Scale(NamedTuple):
    """The temperature of a task, and the weight of the classes' shares (n_classes,)."""

    temperature: float
    share_weight: float
    shares: Floats

    def log_probabilities(self, logits: Floats, *, of_sets: bool) -> Floats:
        """Scale and mix logits (n_users, n_classes)."""
        values = logits / self.temperature
        logs: Floats = log_expit(values) if of_sets else log_softmax(values, axis=1)
        if not self.share_weight:
            return logs
        with np.errstate(divide="ignore"):
            own = np.log1p(-self.share_weight) + logs
            mixed: Floats = np.logaddexp(own, np.log(self.share_weight * self.shares))
        return mixed

    def losses(self, logits: Floats, truth: Floats, *, of_sets: bool) -> Floats:
        """Log losses (n_users,) of users with known classes (n_users, n_classes)."""
        logs = self.log_probabilities(logits, of_sets=of_sets)
        others: Any = 0.0
        if of_sets:
            absent = self._replace(shares=1 - self.shares)
            others = absent.log_probabilities(-logits, of_sets=True)
        each: Floats = -np.where(truth > 0, logs, others).sum(axis=1)
        return each


def _best_scale(
    likely: Floats, labels: EncodedLabels, weights: Floats, task: int, *, mix: bool
) -> _Scale:
    """Find the scale of least log loss of held-out users (n_users, n_classes)."""
    known = (labels.codes[:, task] >= 0) & ~np.isnan(likely).any(axis=1)
    rows = np.flatnonzero(known & (weights > 0))
    members = labels.members.get(task)
    of_sets = members is not None
    if members is None:
        # Of a class that a fold's training users lacked nothing can be learned.
        rows = rows[likely[rows, labels.codes[rows, task]] > 0]
    weights = weights[rows]
    n_classes = likely.shape[1]
    if len(rows) < _FEWEST or n_classes < 2:
        return _Scale(1.0, 0.0, np.zeros(n_classes))
    truth = np.eye(n_classes)[labels.codes[rows, task]]
    if members is not None:
        truth = members[rows].astype(float)
    logits = _logits(likely[rows], of_sets=of_sets)
    shares = np.average(truth, axis=0, weights=weights)

    def losses(scale: _Scale) -> Floats:
        return scale.losses(logits, truth, of_sets=of_sets)

    def best(share_weight: float) -> tuple[_Scale, float]:
        """Find the temperature beside shares of some weight, and its loss."""
        found = minimize_scalar(
            lambda log_temperature: float(
                np.average(
                    losses(_Scale(np.exp(log_temperature), share_weight, shares)),
                    weights=weights,
                )
            ),
            bounds=(-1.5, 1.5),
            method="bounded",
        )
        return _Scale(float(np.exp(found.x)), share_weight, shares), float(found.fun)

    plain = best(0.0)[0]
    if not mix:
        return plain
    weight = minimize_scalar(
        lambda w: best(w)[1], bounds=(0.0, 1.0), method="bounded"
    ).x
    mixed, alone = best(float(weight))[0], plain._replace(share_weight=1.0)
    gains = losses(mixed)
    if not _is_clear(losses(alone) - gains, weights):
        return alone
    return mixed if _is_clear(losses(plain) - gains, weights) else plain


def _is_clear(gains: Floats, weights: Floats) -> bool:
    """Tell whether a mean gain (n_users,) is more than its standard error."""
    mean = np.average(gains, weights=weights)
    parts = weights / weights.sum() * (gains - mean)
    return bool(mean > np.sqrt((parts**2).sum()))
