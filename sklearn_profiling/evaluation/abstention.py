"""Answers for those users alone of whom a classifier is sure."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.evaluation._held_out import HeldOutClassifier
from sklearn_profiling.evaluation._pairs import labelled_cells
from sklearn_profiling.evaluation.calibration import confidence_of, risk_coverage
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import in_task_order, label_table, mean_accuracy

__all__ = ["AbstainingClassifier"]


class AbstainingClassifier(HeldOutClassifier):
    """Leave those users without an answer of whom a classifier is least sure.

    Each task has its own threshold of confidence, so a user may get an answer for one
    task and none for another.

    Parameters
    ----------
    estimator : classifier
        Of one or several tasks, with ``predict_proba``. A fitted one in a
        :class:`~sklearn.frozen.FrozenEstimator` is taken as it is, and all users of
        ``fit``, who must be new to it, are held out.
    coverage : float, default=0.8
        Share of the users that is to be answered, above 0 and up to 1: the least sure
        fifth gets no answer (our choice). At 1 everybody is answered.
    threshold : float or None, default=None
        Confidence below which there is no answer, for all tasks, in place of
        `coverage`; no user is held out then.
    cv : int, default=5
        One of so many folds, stratified by the classes of all tasks, is held out of the
        classifier's fit (our choice: a fifth of the users).
    random_state : int, RandomState instance or None, default=None
        Decides who is held out.

    Attributes
    ----------
    estimator_ : classifier
        The clone fitted on the users who are not held out.
    thresholds_ : ndarray of float, shape (n_tasks,)
        The confidence of each task from which there is an answer; 0 for a task without
        a held-out user.
    n_held_out_ : ndarray of int, shape (n_tasks,)
        Number of held-out users labelled for each task.
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.

    See Also
    --------
    PredictionSetClassifier : Says more than one label instead of none.
    risk_coverage : The accuracy at every coverage.

    Notes
    -----
    The confidence is the probability of the most probable class. Where cells are sets
    it is that of the whole predicted set, were its classes independent. The share of
    new users that is answered differs from `coverage` by chance, less so the more users
    are held out. Users who alone have a class are not held out. For the thresholds each
    label counts once, whatever its weight, unless that is 0.

    ``predict`` gives None where the classifier is not sure. The metrics of
    :func:`task_report` count a missing answer as wrong; ``score`` leaves it out.

    References
    ----------
    Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS
    2017.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling.evaluation import AbstainingClassifier
    >>> X, y = [[x] for x in range(40)], ["f"] * 20 + ["m"] * 20
    >>> model = AbstainingClassifier(LogisticRegression(C=0.01), threshold=0.75)
    >>> model.fit(X, y).predict([[0], [19], [39]])
    array(['f', None, 'm'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **HeldOutClassifier._parameter_constraints,
        "coverage": [Interval(Real, 0, 1, closed="right")],
        "threshold": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        coverage: float = 0.8,
        threshold: float | None = None,
        cv: int = 5,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.coverage = coverage
        self.threshold = threshold
        self.cv = cv
        self.random_state = random_state

    def _learn(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        learned = self.threshold is None and self.coverage < 1
        held_out = self._fit_and_hold_out(X, y, sample_weight, groups, hold_out=learned)
        self.n_held_out_ = np.array([len(each.likely) for each in held_out])
        given = 0.0 if self.threshold is None else self.threshold
        self.thresholds_ = np.full(len(held_out), float(given))
        for task, each in enumerate(held_out):
            if learned and len(each.likely):
                sure = -np.sort(-confidence_of(each.likely, of_sets=each.of_sets))
                last = int(np.ceil(self.coverage * len(sure) - 1e-9)) - 1
                self.thresholds_[task] = sure[last]

    def _silent(self, X: Any) -> NDArray[np.bool_]:
        """Find who gets no answer, (n_users, n_tasks)."""
        columns = [
            confidence_of(likely, of_sets=of_sets) < threshold
            for likely, of_sets, threshold in zip(
                self._tables(X), self._of_sets, self.thresholds_, strict=True
            )
        ]
        return np.column_stack(columns)

    def _predict(self, X: Any) -> NDArray[Any]:
        predicted = super()._predict(X)
        if not self.thresholds_.any():
            return predicted
        answers = predicted.astype(object)
        answers[self._silent(X).reshape(answers.shape)] = None
        return answers

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the mean over tasks of the accuracy on the users who are answered.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            True labels; None or NaN where missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label.

        Returns
        -------
        float
            The mean accuracy; a task without an answer for a labelled user is left out.

        Raises
        ------
        TargetError
            If no labelled user is answered.
        """
        check_is_fitted(self)
        table, _, one = label_table(in_task_order(y, self.task_names_))
        predicted = self._predict(X)
        answered = labelled_cells(predicted.astype(object).reshape(table.shape))
        if not (answered & labelled_cells(table)).any():
            msg = (
                "no user who is labelled for a task got an answer for it; the "
                f"thresholds are {self.thresholds_.round(4).tolist()}"
            )
            raise TargetError(msg)
        table[~answered] = None
        labels = table[:, 0] if one else table
        return mean_accuracy(labels, predicted, sample_weight)

    def risk_coverage(self, X: Any, y: Any, *, coverages: Any = None) -> pd.DataFrame:
        """Tell how accurate the classifier is on those of whom it is most sure.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            True labels; None or NaN where missing.
        coverages : array-like of float, default=None
            Shares of the labelled users that are answered.

        Returns
        -------
        DataFrame
            As from :func:`risk_coverage`.
        """
        table = label_table(in_task_order(y, self.task_names_))[0]
        return risk_coverage(
            pd.DataFrame(table, columns=self.task_names_),
            self.predict_proba(X),
            self.classes_,
            coverages=coverages,
        )
