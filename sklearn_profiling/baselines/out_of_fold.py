"""Log-odds of a classifier that has not seen a user's own label."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.linear_model import RidgeClassifier
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._processes import Parallel
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.baselines._posteriors import (
    check_users,
    fit_task,
    names_of_classes,
    out_of_fold,
    posteriors_of,
    seeded,
)
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.training.inputs import as_sources, present
from sklearn_profiling.training.label_weights import KnownLabels, read_labels

__all__ = ["OutOfFoldLogits", "accuracy_of"]

Floats = NDArray[np.float64]

_FLOOR = 1e-6
"""Of a probability, so that its logarithm is finite."""


class OutOfFoldLogits(TransformerMixin, MetaEstimatorMixin, BaseEstimator):
    """Centred log-odds of each class of each task, as features or offsets.

    A classifier is fitted for each task on the users who have its label. In ``fit``'s
    own users, ``fit_transform`` gives a labelled user the log-odds of a classifier that
    was trained without the user's fold; ``transform`` gives those of the classifier
    trained on all.

    Parameters
    ----------
    estimator : classifier, default=None
        Classifier with ``predict_proba`` or ``decision_function``. None is a ridge
        classifier with ``alpha=0.1``, which on our data is as accurate as logistic
        regression and ten times as fast.
    cv : int, splitter or iterable of (train, test), default=5
        Folds of the labelled users (5 is our choice). A number is stratified by the
        classes of each task; a splitter must hold out every labelled user once.
    random_state : int, RandomState instance or None, default=None
        Decides the folds, and each ``random_state`` of the classifier that is None.
    n_jobs : int, default=None
        Number of tasks to fit in parallel, as in joblib.

    Attributes
    ----------
    estimators_ : list of MaskedMultiOutputClassifier
        For each task, the classifier that was trained on all labelled users.
    n_features_in_ : int
        Number of features seen in ``fit``, for arrays.
    feature_names_in_ : ndarray of str
        Names of the features seen in ``fit``, for tables whose columns are all str.
    scales_ : ndarray of float, shape (n_tasks,)
        Factor of the log-odds of each task that makes the log loss of the out-of-fold
        predictions least.
    scores_ : ndarray of float, shape (n_tasks,)
        Accuracy of the out-of-fold predictions; NaN for a task without any, and for one
        whose cells are sets.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    classes_ : list of ndarray
        Classes of each task, whose log-odds stand side by side.

    See Also
    --------
    MetaLearningClassifier : Posteriors of some tasks as features of another.

    Notes
    -----
    Probabilities are turned into their logarithms, decision values are taken as they
    are, both are centred, so that the log-odds of a user and task sum to zero, and
    multiplied by ``scales_``. A class of a task whose cells are sets has log-odds of
    its own, which are not centred.

    A user without a label for a task gets the log-odds of the classifier trained on all
    who have one. A user without the source, a row of NaN or a sparse row without
    entries, teaches nothing and gets a row of NaN. A task that no user with the source
    has a label of gets zeros, and None among ``estimators_``.

    The folds are not grouped; give `cv` as pairs of rows to keep users together.

    Examples
    --------
    >>> from sklearn_profiling.baselines import OutOfFoldLogits
    >>> X = [[0.0], [1.0]] * 10
    >>> logits = OutOfFoldLogits(random_state=0)
    >>> logits.fit_transform(X, ["f", "m"] * 10).shape
    (20, 2)
    >>> logits.transform([[1.0]]).argmax(axis=1)
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [
            HasMethods(["fit", "predict_proba"]),
            HasMethods(["fit", "decision_function"]),
            None,
        ],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            HasMethods(["split", "get_n_splits"]),
            Iterable,
        ],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit a classifier a task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or sources
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, for classifiers that accept it. A
            DataFrame is read by the names of its columns. A label of weight 0 counts as
            missing.

        Returns
        -------
        OutOfFoldLogits
            Itself.
        """
        self._fit(X, y, sample_weight)
        return self

    def fit_transform(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Fit a classifier a task, and predict each user without his own label.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or sources
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, for classifiers that accept it. A
            DataFrame is read by the names of its columns. A label of weight 0 counts as
            missing.

        Returns
        -------
        ndarray of float32, shape (n_users, sum of numbers of classes)
            Log-odds, one task after the other.

        Raises
        ------
        TargetError
            If a task has no label at all or the labels are continuous.
        ValueError
            If `cv` never holds out a labelled user.
        """
        logits: NDArray[np.float32] = self._fit(X, y, sample_weight)
        return logits

    @fit_context(prefer_skip_nested_validation=False)
    @fixed_threads()
    def _fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> NDArray[np.float32]:
        """Fit everything; return the out-of-fold log-odds."""
        if y is None:
            msg = (
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
            raise TargetError(msg)
        X, there = self._read(X, reset=True)
        check_consistent_length(X, y)
        known = read_labels(y, sample_weight)
        # A user without the source teaches nothing, as one without a label.
        known.table[~there] = None
        known.labels.codes[~there] = -1
        codec = known.codec
        seed, *seeds = derive_seeds(self.random_state, 1 + len(codec.task_names))
        estimator = seeded(self._inner(), seed, self.random_state)
        fits = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_out_of_fold)(
                estimator,
                X,
                known,
                task,
                weighted=sample_weight is not None,
                cv=self.cv,
                seed=seeds[task],
            )
            for task in range(len(codec.task_names))
        )
        self.estimators_ = [fitted for fitted, _ in fits]
        self.task_names_ = codec.task_names
        self.classes_ = codec.classes
        self._set_valued = codec.set_valued
        odds = [self._log_odds(found, task) for task, (_, found) in enumerate(fits)]
        self.scales_ = np.array(
            [_best_scale(each, known, task) for task, each in enumerate(odds)]
        )
        self.scores_ = np.array(
            [accuracy_of(each, known, task) for task, each in enumerate(odds)]
        )
        return self._join(odds, there)

    @fixed_threads()
    def transform(self, X: Any) -> NDArray[np.float32]:
        """Compute the log-odds of users by the classifiers trained on all.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or sources
            Users.

        Returns
        -------
        ndarray of float32, shape (n_users, sum of numbers of classes)
            Log-odds, one task after the other.
        """
        check_is_fitted(self)
        X, there = self._read(X, reset=False)
        odds = []
        for task, (fitted, classes) in enumerate(
            zip(self.estimators_, self.classes_, strict=True)
        ):
            found = None if fitted is None else posteriors_of(fitted, X, classes)
            odds.append(self._log_odds(found, task))
        return self._join(odds, there)

    def _inner(self) -> Any:
        return RidgeClassifier(alpha=0.1) if self.estimator is None else self.estimator

    def _read(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.bool_]]:
        """Check users, and tell who has the source; rows of NaN become zeros."""
        X = check_users(self, X, reset=reset, allow_nan=True, recipe="make_profiler")
        if isinstance(X, dict):
            sources = as_sources(X, default_name="text").values()
            return X, np.any([present(source) for source in sources], axis=0)
        if sparse.issparse(X):
            rows: Any = X
            return X, np.asarray(np.diff(rows.indptr) > 0)
        there = ~np.isnan(X).all(axis=1)
        return np.where(there[:, None], X, 0), there

    def _log_odds(self, found: Floats | None, task: int) -> Floats:
        """Turn posteriors (n_users, n_classes) of a task into log-odds, not scaled."""
        if found is None:
            return np.zeros((1, len(self.classes_[task])))
        if hasattr(self._inner(), "predict_proba"):
            likely = np.log(np.maximum(found, _FLOOR))
            if self._set_valued[task]:
                return np.asarray(likely - np.log(np.maximum(1 - found, _FLOOR)))
            found = likely
        if self._set_valued[task]:
            return found
        centred: Floats = found - found.mean(axis=1, keepdims=True)
        return centred

    def _join(
        self, odds: list[Floats], there: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Scale the log-odds of all tasks, NaN for users without the source."""
        result: NDArray[np.float32] = np.hstack(
            [
                np.broadcast_to(scale * each, (len(there), each.shape[1]))
                for scale, each in zip(self.scales_, odds, strict=True)
            ]
        ).astype(np.float32)
        result[~there] = np.nan
        return result

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the task and class of each column, as ``task=class``.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects, shape (n_features_out,)
            The names.
        """
        del input_features
        check_is_fitted(self)
        return names_of_classes(self.task_names_, self.classes_)

    def __sklearn_tags__(self) -> Tags:
        """Take the tags of the inputs from the classifier."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


@fixed_threads()
def _fit_out_of_fold(
    estimator: Any,
    X: Any,
    known: KnownLabels,
    task: int,
    *,
    weighted: bool,
    cv: Any,
    seed: int,
) -> tuple[MaskedMultiOutputClassifier | None, Floats | None]:
    """Fit a task on all its users; return also their out-of-fold posteriors.

    Both are None if nobody has both the source and a label.
    """
    labels, codes = known.table[:, task], known.labels.codes[:, task]
    if not (codes >= 0).any():
        return None, None
    weights = known.weights[:, task] if weighted else None
    fitted = fit_task(estimator, X, labels, weights, None)
    found = out_of_fold(
        fitted,
        estimator,
        X,
        codes,
        labels,
        weights,
        None,
        classes=known.codec.classes[task],
        cv=cv,
        seed=seed,
        n_jobs=None,
    )
    return fitted, found


def _best_scale(odds: Floats, known: KnownLabels, task: int) -> float:
    """Find the factor of log-odds that makes the log loss on labelled users least."""
    rows = np.flatnonzero(known.labels.codes[:, task] >= 0)
    if not len(rows) or not np.ptp(odds[rows]) > 0:
        return 1.0
    odds, weights = odds[rows], known.weights[rows, task]
    if known.codec.set_valued[task]:
        signs = np.where(known.labels.members[task][rows], -1.0, 1.0)

        def losses(scale: float) -> Floats:
            return np.asarray(np.logaddexp(0, scale * signs * odds).mean(axis=1))
    else:
        own = np.arange(len(rows)), known.labels.codes[rows, task]

        def losses(scale: float) -> Floats:
            return -np.asarray(log_softmax(scale * odds, axis=1)[own])

    found = minimize_scalar(
        lambda log_scale: np.average(losses(np.exp(log_scale)), weights=weights),
        bounds=(-5, 5),
        method="bounded",
    )
    return float(np.exp(found.x))


def accuracy_of(odds: Floats, known: KnownLabels, task: int) -> float:
    """Weighted share of labelled users whose class has the largest log-odds."""
    rows = np.flatnonzero(known.labels.codes[:, task] >= 0)
    if not len(rows) or len(odds) == 1 or known.codec.set_valued[task]:
        return np.nan
    right = odds[rows].argmax(axis=1) == known.labels.codes[rows, task]
    return float(np.average(right, weights=known.weights[rows, task]))
