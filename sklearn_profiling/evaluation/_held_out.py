"""Classifiers that learn on held-out users what they add to another classifier."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._frames import as_pandas
from sklearn_profiling._outputs import NamedPredictionsMixin, Probabilities, log_of
from sklearn_profiling._seeding import derive_seed
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.evaluation._pairs import labelled_cells, members
from sklearn_profiling.evaluation._probabilities import (
    LabelledProbabilities,
    TaskProbabilities,
    labelled_probabilities,
    predict_tasks,
)
from sklearn_profiling.evaluation.splits import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources._grouped import groups_of
from sklearn_profiling.targets import (
    in_task_order,
    label_table,
    mean_accuracy,
    weight_table,
)

__all__ = ["HeldOutClassifier"]


class HeldOutClassifier(
    NamedPredictionsMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Base of classifiers that learn more on users held out of a fit.

    A :class:`~sklearn.frozen.FrozenEstimator` is not fitted, so all users are others.
    """

    estimator: Any
    cv: int
    random_state: Any

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict", "predict_proba"])],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    @fit_context(prefer_skip_nested_validation=False)
    @fixed_threads()
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> Self:
        """Fit the classifier, and learn the rest on held-out users.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users, as the classifier reads them.
        y : DataFrame or array-like, shape (n_users,) or (n_users, n_tasks)
            Labels; None or NaN where missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label. Held-out labels of weight 0 count as
            missing.
        groups : array-like, shape (n_users,), default=None
            Rows with the same value are held out together. None takes those that the
            sources of :class:`~sklearn_profiling.pipelines.AutoSources` carry where
            users stand in several rows.

        Returns
        -------
        self
            The fitted classifier.
        """
        if y is None:
            msg = (
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
            raise TargetError(msg)
        X, y = as_pandas(X), as_pandas(y)
        groups = groups_of(X) if groups is None else groups
        self._learn(X, y, sample_weight, groups)
        return self

    @abstractmethod
    def _learn(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        """Fit the classifier and what is learned on held-out users."""

    def _folds(
        self, y: Any, groups: Any
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Split users into training and held-out ones, `cv` times.

        Who alone has a class is not held out, so that all classes are trained.
        """
        kind = (
            MultiTaskStratifiedKFold
            if groups is None
            else MultiTaskStratifiedGroupKFold
        )
        folds = kind(self.cv, random_state=derive_seed(self.random_state))
        table = label_table(y)[0]
        for _, test in folds.split(np.zeros(len(table)), y, groups):
            held_out = np.zeros(len(table), dtype=bool)
            held_out[test] = True
            for column in table.T:
                known = {c for cell in column[~held_out] for c in members(cell)}
                for row in np.flatnonzero(held_out):
                    if not members(column[row]) <= known:
                        held_out[row] = False
                        known |= members(column[row])
            yield np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def _fit_clone(
        self, X: Any, y: Any, sample_weight: Any, rows: NDArray[np.int64] | None
    ) -> Any:
        """Fit a clone of the classifier on users of some rows, or on all."""
        parts = [X, y] if sample_weight is None else [X, y, sample_weight]
        if rows is not None:
            parts = [_safe_indexing(part, rows) for part in parts]
        weighted = {} if sample_weight is None else {"sample_weight": parts[2]}
        return clone(self.estimator).fit(*parts[:2], **weighted)

    def _fit_and_hold_out(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, hold_out: bool
    ) -> list[LabelledProbabilities]:
        """Fit the classifier, and return what it finds for one held-out part.

        Of a :class:`~sklearn.frozen.FrozenEstimator` all users are held out. Users of
        weight 0 teach nothing; a task without held-out users has none.
        """
        X, y, sample_weight = indexable(X, y, sample_weight)
        table, names, self._one_dimensional = label_table(y)
        table[weight_table(sample_weight, table, names) == 0] = None
        known = pd.DataFrame(table, columns=names)
        frozen = isinstance(self.estimator, FrozenEstimator)
        labelled = np.asarray(labelled_cells(table).any(axis=1))
        held_out = np.full(len(known), frozen and hold_out)
        if hold_out and not frozen and labelled.sum() >= self.cv:
            _, test = next(self._folds(known, groups))
            held_out[test] = labelled[test]
        train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        if frozen:
            model = clone(self.estimator)
        else:
            model = self._fit_clone(X, y, sample_weight, train)
        self.estimator_ = model
        self.classes_ = model.classes_
        self.task_names_ = list(getattr(model, "task_names_", names))
        known = in_task_order(known, self.task_names_)
        self._of_sets = [
            any(isinstance(cell, frozenset) for cell in known.iloc[:, task])
            for task in range(known.shape[1])
        ]
        parts: TaskProbabilities
        parts = [(np.zeros((0, len(c))), list(c)) for c in self._classes_of_tasks()]
        if len(test):
            parts = predict_tasks(model, _safe_indexing(X, test), self.task_names_)
        columns = [list(each) for each in zip(*parts, strict=True)]
        return labelled_probabilities(known.iloc[test], *columns)

    def _classes_of_tasks(self) -> list[Any]:
        several = isinstance(self.classes_, list)
        return self.classes_ if several else [self.classes_]

    def _tables(self, X: Any) -> list[NDArray[np.float64]]:
        """Predict the probabilities of each task."""
        return [each for each, _ in predict_tasks(self.estimator_, X, self.task_names_)]

    def _as_labels(self, columns: list[NDArray[np.object_]], X: Any) -> Any:
        """Lay answers of tasks (n_users,) side by side, in the form that is chosen."""
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for task, column in enumerate(columns):
            table[:, task] = column
        return self._as_output(table[:, 0] if self._one_dimensional else table, X)

    def predict(self, X: Any) -> Any:
        """Predict the label of each task.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users, as the classifier reads them.

        Returns
        -------
        ndarray of shape (n_users, n_tasks), or (n_users,)
            Labels; a table if ``set_output`` says so.
        """
        check_is_fitted(self)
        return self._as_output(self._predict(X), X)

    def _predict(self, X: Any) -> NDArray[Any]:
        """Predict labels (n_users,) or (n_users, n_tasks)."""
        return np.asarray(self.estimator_.predict(X))

    def predict_proba(self, X: Any) -> Probabilities:
        """Predict the probability of each class of each task.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users, as the classifier reads them.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or one such array
            One array a task, columns as in ``classes_``.
        """
        check_is_fitted(self)
        return self._probabilities(X, log=False)

    def predict_log_proba(self, X: Any) -> Probabilities:
        """Predict the logarithm of the probability of each class of each task.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users, as the classifier reads them.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or one such array
            As from ``predict_proba``.
        """
        check_is_fitted(self)
        return self._probabilities(X, log=True)

    def _probabilities(self, X: Any, *, log: bool) -> Probabilities:
        """Predict probabilities, or their logarithms, as the classifier does."""
        likely: Probabilities = self.estimator_.predict_proba(X)
        return log_of(likely) if log else likely

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the mean over tasks of the accuracy on the users labelled for it.

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
            The mean accuracy of ``predict``.
        """
        check_is_fitted(self)
        y = in_task_order(y, self.task_names_)
        return mean_accuracy(y, self._predict(X), sample_weight)

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in ``fit``, if the classifier has it."""
        check_is_fitted(self)
        n_features: int = self.estimator_.n_features_in_
        return n_features

    def __sklearn_tags__(self) -> Tags:
        """Take the tags of the classifier."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        tags.non_deterministic = inner.non_deterministic
        return tags
