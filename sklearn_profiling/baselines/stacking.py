"""Meta-Learning: posteriors of some tasks as features of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
)
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from sklearn_profiling._decorators import available_if, fit_context
from sklearn_profiling._model_selection import refuse_unreadable_labels
from sklearn_profiling._outputs import NamedPredictionsMixin, Probabilities, log_of
from sklearn_profiling._processes import Parallel
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.baselines._posteriors import (
    append_posteriors,
    check_read,
    check_readable,
    check_users,
    fit_task,
    out_of_fold,
    posteriors_of,
    seeded,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import in_task_order, mean_accuracy
from sklearn_profiling.training.label_weights import (
    read_labels,
    resolve_class_weight,
)

__all__ = ["MetaLearningClassifier"]

Floats = NDArray[np.float64]


def _has_probabilities(self: Any) -> bool:
    """Check that every estimator that predicts a task has probabilities."""
    final = self.estimator if self.final_estimator is None else self.final_estimator
    getattr(final, "predict_proba")  # noqa: B009 - raises if it is absent
    if self.main_task is not None:
        getattr(self.estimator, "predict_proba")  # noqa: B009 - raises if it is absent
    return True


class MetaLearningClassifier(
    NamedPredictionsMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    r"""Stack tasks: posteriors of the auxiliary tasks are features of the main one.

    In the first stage a classifier is trained for each auxiliary task. Its posterior
    probabilities are appended to the features of all users, on which a classifier of
    the main task is trained in the second stage.

    Parameters
    ----------
    estimator : classifier
        Classifier of the first stage, with ``predict_proba`` or ``decision_function``
        (a linear SVM in the paper).
    final_estimator : classifier, default=None
        Classifier of the second stage; None is `estimator` again (paper). A net that
        reads only a text is refused, because it would ignore the posteriors;
        :class:`~sklearn_profiling.estimators.MMLUPClassifier` reads vectors too.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
    main_task : str or None, default=None
        The task that the others help. None is every task in turn, helped by all
        others. With a name, the others are predicted by the first stage.
    cv : int, splitter or iterable of (train, test), default=5
        Folds of the posteriors of users who have the auxiliary label (our choice). A
        number is stratified by the classes of the task; a splitter of scikit-learn, for
        example one that keeps groups together, must hold out every user once.
    random_state : int, RandomState instance or None, default=None
        Determines the folds, and each ``random_state`` of the classifiers that is None.
    n_jobs : int, default=None
        Number of fits in parallel, as in joblib.

    Attributes
    ----------
    estimators_ : list of MaskedMultiOutputClassifier
        For each task the classifier that predicts it: of the second stage for main
        tasks, of the first for the others.
    auxiliary_estimators_ : dict of str to MaskedMultiOutputClassifier
        Classifiers of the first stage by task, trained on all users with its label.
    main_tasks_ : list of str
        Tasks with a second stage.
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    n_features_in_ : int
        Number of features seen in ``fit``, without the posteriors; for arrays.
    feature_names_in_ : ndarray of str
        Names of the features seen in ``fit``, for tables whose columns are all str.

    See Also
    --------
    make_meta_learning_baseline : The paper's system from the users' DataFrame.
    MaskedMultiOutputClassifier : Each task alone.
    sklearn.multioutput.ClassifierChain : Tasks in a row, without missing labels.

    Notes
    -----
    The paper obtains "the posterior probabilities of the training samples in the main
    task" from a classifier trained on the auxiliary task, which has other users there.
    If the users are the same, the classifier has seen their labels, and its posteriors
    are far more confident than for new users. So a user who has the auxiliary label
    gets the posterior of a classifier trained without the user's fold; all others, and
    new users, get that of the classifier trained on all labelled users. Users without
    the main label still train the first stage.

    The posteriors of several auxiliary tasks are concatenated; the paper has one task.
    Without ``predict_proba`` in the first stage, its ``decision_function`` is used. A
    task whose cells are sets has one probability per class. With one task there is no
    first stage.

    Arrays and sparse matrices get the posteriors as last columns; a ``SliceDict`` of
    sources gets them as the source "posteriors"; a text or images given alone become
    one with the source "text" or "images". A Pipeline as second stage must pass the
    posteriors on itself. Tables contain numbers: the steps that read the users'
    messages precede this classifier in a Pipeline.

    References
    ----------
    .. [1] J. Wang, S. Li, G. Zhou. Joint Learning on Relevant User Attributes in
       Micro-blog. IJCAI 2017.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling.baselines import MetaLearningClassifier
    >>> X = [[0.0], [1.0]] * 8
    >>> y = pd.DataFrame(
    ...     {"gender": ["f", "m"] * 8, "age": ["80s", "90s"] * 4 + [None] * 8}
    ... )
    >>> model = MetaLearningClassifier(
    ...     LogisticRegression(), main_task="age", random_state=0
    ... )
    >>> model.fit(X, y).predict([[0.0], [1.0]]).tolist()
    [['f', '80s'], ['m', '90s']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [
            HasMethods(["fit", "predict", "predict_proba"]),
            HasMethods(["fit", "predict", "decision_function"]),
        ],
        "final_estimator": [HasMethods(["fit", "predict"]), None],
        "class_weight": [StrOptions({"balanced"}), dict, list, tuple, None],
        "main_task": [str, None],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            HasMethods(["split", "get_n_splits"]),
            Iterable,
        ],
        "random_state": ["random_state"],
        "n_jobs": [None, int],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        final_estimator: Any = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        main_task: str | None = None,
        cv: Any = 5,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.final_estimator = final_estimator
        self.class_weight = class_weight
        self.main_task = main_task
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    @fixed_threads()
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MetaLearningClassifier:
        """Fit both stages.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or SliceDict
            Users; TokenMessages or ImageBags alone are a SliceDict of one source.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, for estimators that accept it. A
            DataFrame is read by the names of its columns. A label of weight 0 counts as
            missing.

        Returns
        -------
        MetaLearningClassifier
            Itself.

        Raises
        ------
        SourceError
            If the second stage would not read the posteriors, `X` has a source of that
            name, or a table contains text.
        TargetError
            If a task has no label at all, the labels are continuous, or `main_task` is
            not one of the tasks.
        ValueError
            If weights are given and an estimator takes none, or `cv` never holds out a
            user who has an auxiliary label.
        """
        if y is None:
            msg = (
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
            raise TargetError(msg)
        X = self._checked(X, reset=True)
        check_consistent_length(X, y)
        self._check_takes_weights(sample_weight)
        codec, labels, encoded, given = read_labels(y, sample_weight)
        class_weights = resolve_class_weight(self.class_weight, codec)
        names = codec.task_names

        def of_task(task: int) -> tuple[Any, ...]:
            weights = None if sample_weight is None else given[:, task]
            return labels[:, task], weights, class_weights[task]

        self.main_tasks_ = self._find_main_tasks(names)
        helpers = [
            task
            for task, name in enumerate(names)
            if any(main != name for main in self.main_tasks_)
        ]
        last = self.estimator if self.final_estimator is None else self.final_estimator
        if helpers:
            check_readable(last, X, len(labels))
        first, final, *seeds = derive_seeds(self.random_state, 2 + len(names))
        first_stage = seeded(self.estimator, first, self.random_state)
        auxiliary = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_task)(first_stage, X, *of_task(task)) for task in helpers
        )
        self.auxiliary_estimators_ = {
            names[task]: fitted for task, fitted in zip(helpers, auxiliary, strict=True)
        }
        posteriors = {
            names[task]: out_of_fold(
                fitted,
                first_stage,
                X,
                encoded.codes[:, task],
                *of_task(task),
                classes=np.asarray(fitted.classes_),
                cv=self.cv,
                seed=seeds[task],
                n_jobs=self.n_jobs,
            )
            for task, fitted in zip(helpers, auxiliary, strict=True)
        }
        second_stage = seeded(last, final, self.random_state)
        second = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_task)(
                second_stage,
                _with_others(X, posteriors, name),
                *of_task(names.index(name)),
            )
            for name in self.main_tasks_
        )
        if helpers:
            for fitted in second:
                check_read(fitted)
        mains = dict(zip(self.main_tasks_, second, strict=True))
        self.estimators_ = [
            mains[name] if name in mains else self.auxiliary_estimators_[name]
            for name in names
        ]
        self.task_names_ = names
        self.classes_ = codec.classes[0] if codec.one_dimensional else codec.classes
        self._one_dimensional = codec.one_dimensional
        return self

    @fixed_threads()
    def predict(self, X: Any) -> Any:
        """Predict a label of every task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or SliceDict
            Users.

        Returns
        -------
        ndarray of shape (n_users, n_tasks), or (n_users,)
            Labels as given to ``fit``; one column less for one-dimensional ``y``. A
            table that names the tasks after ``set_output(predict="pandas")``.
        """
        check_is_fitted(self)
        columns = [fitted.predict(users) for fitted, users in self._final_inputs(X)]
        labels = columns[0] if self._one_dimensional else _join_columns(columns)
        return self._as_output(labels, X)

    @available_if(_has_probabilities)
    @fixed_threads()
    def predict_proba(self, X: Any) -> Probabilities:
        """Predict the probability of every class of every task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or SliceDict
            Users.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or ndarray
            Columns as in ``classes_``; one array for one-dimensional ``y``.
        """
        check_is_fitted(self)
        arrays = [
            fitted.predict_proba(users) for fitted, users in self._final_inputs(X)
        ]
        return arrays[0] if self._one_dimensional else arrays

    @available_if(_has_probabilities)
    @fixed_threads()
    def predict_log_proba(self, X: Any) -> Probabilities:
        """Predict the logarithm of the probability of every class of every task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or SliceDict
            Users.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or ndarray
            As from ``predict_proba``; minus infinity where that is 0.
        """
        return log_of(self.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean over the tasks of the accuracy on labelled users.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_users, n_features), or SliceDict
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label.

        Returns
        -------
        float
            Mean accuracy.
        """
        check_is_fitted(self, "estimators_")
        y = in_task_order(y, self.task_names_)
        return mean_accuracy(y, self.predict(X), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        """Take the tags of the inputs from the inner estimator."""
        refuse_unreadable_labels()
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Validate arrays; sources are checked by the estimators that read them."""
        return check_users(
            self,
            X,
            reset=reset,
            allow_nan=get_tags(self.estimator).input_tags.allow_nan,
            recipe="make_meta_learning_baseline",
        )

    def _check_takes_weights(self, sample_weight: Any) -> None:
        """Refuse weights of users or classes that an estimator does not take."""
        if sample_weight is None and self.class_weight is None:
            return
        for estimator in (self.estimator, self.final_estimator):
            if estimator is not None and not has_fit_parameter(
                estimator, "sample_weight"
            ):
                name = "sample_weight" if sample_weight is not None else "class_weight"
                msg = (
                    f"{type(estimator).__name__} takes no sample_weight; leave {name} "
                    "None"
                )
                raise ValueError(msg)

    def _find_main_tasks(self, names: list[str]) -> list[str]:
        if self.main_task is None:
            return names
        if self.main_task not in names:
            msg = f"y has no task {self.main_task!r} to be main_task; it has {names}"
            raise TargetError(msg)
        return [self.main_task]

    def _final_inputs(self, X: Any) -> list[tuple[Any, Any]]:
        """Pair the classifier of each task with its inputs."""
        X = self._checked(X, reset=False)
        posteriors = {
            name: posteriors_of(fitted, X, fitted.classes_)
            for name, fitted in self.auxiliary_estimators_.items()
        }
        return [
            (
                fitted,
                _with_others(X, posteriors, name) if name in self.main_tasks_ else X,
            )
            for name, fitted in zip(self.task_names_, self.estimators_, strict=True)
        ]


def _join_columns(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """Stack labels (n_users,) of tasks; of objects if their dtypes differ."""
    kinds = {column.dtype for column in columns}
    dtype = kinds.pop() if len(kinds) == 1 else np.dtype(object)
    table = np.empty((len(columns[0]), len(columns)), dtype=dtype)
    for task, column in enumerate(columns):
        table[:, task] = column
    return table


def _with_others(X: Any, posteriors: dict[str, Floats], main: str) -> Any:
    """Append the posteriors of all tasks but one."""
    return append_posteriors(X, [p for name, p in posteriors.items() if name != main])
