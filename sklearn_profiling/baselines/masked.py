"""Any classifier for several tasks, each on the users labelled for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from scipy.special import expit
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
)
from sklearn.dummy import DummyClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.utils import Tags, _safe_indexing, get_tags
from sklearn.utils._metadata_requests import UNUSED
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from sklearn_profiling._decorators import available_if, fit_context
from sklearn_profiling._frames import refuse_levels
from sklearn_profiling._model_selection import refuse_unreadable_labels
from sklearn_profiling._outputs import NamedPredictionsMixin, Probabilities, log_of
from sklearn_profiling._processes import Parallel
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.targets import (
    EncodedLabels,
    LabelCodec,
    in_task_order,
    mean_accuracy,
)
from sklearn_profiling.training.label_weights import read_labels, weigh_labels


def _estimator_has(method: str) -> Callable[[Any], bool]:
    """Check that the inner estimator, or every fitted clone, has a method."""

    def check(self: Any) -> bool:
        # A task with a single class has a clone of another kind.
        for estimator in getattr(self, "estimators_", [self.estimator]):
            getattr(estimator, method)
        return True

    return check


class MaskedMultiOutputClassifier(
    NamedPredictionsMixin,
    ClassifierMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Fit one clone of a classifier per task, on the users labelled for the task.

    :class:`sklearn.multioutput.MultiOutputClassifier` needs every label of every user.
    Here a missing label excludes the user from that task only. This is also the
    single-task ablation of an estimator that can learn several tasks at once.

    Parameters
    ----------
    estimator : estimator
        Classifier or Pipeline with ``fit`` and ``predict``.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
    pass_missing : bool, default=False
        Whether each clone is fitted on all users, with None for a missing label. For
        estimators that accept missing labels and learn from unlabelled users, such as
        those of this package. False suits any classifier.
    n_jobs : int, default=None
        Number of fits in parallel, as in joblib.

    Attributes
    ----------
    estimators_ : list of estimator
        The fitted clones, one per task.
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    n_features_in_ : int
        Number of features seen in ``fit``, if the clones have it.
    feature_names_in_ : ndarray of str
        Names of the features seen in ``fit``, if the clones have them.

    See Also
    --------
    make_majority_baseline : The majority class of each task.

    Notes
    -----
    ``score`` is the mean over the tasks of the accuracy on labelled users, while
    :class:`~sklearn.multioutput.MultiOutputClassifier` scores the exact match, which
    is undefined with missing labels; :class:`~sklearn_profiling.evaluation.TaskScorer`
    offers it as ``"exact_match"``.

    Unless ``pass_missing``, the clones see the classes as the numbers 0, 1, ..., so
    labels may be of any kind. A task with a single class is always predicted as that
    class. A task whose cells are sets is learned one class against the rest
    (:class:`~sklearn.multiclass.OneVsRestClassifier`).

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling.baselines import MaskedMultiOutputClassifier
    >>> X = [[0.0], [1.0], [0.0], [1.0]]
    >>> y = pd.DataFrame(
    ...     {"gender": ["f", "m", None, None], "age": [None, "90s", "80s", None]}
    ... )
    >>> model = MaskedMultiOutputClassifier(LogisticRegression(C=10)).fit(X, y)
    >>> model.predict(X).tolist()
    [['f', '80s'], ['m', '90s'], ['f', '80s'], ['m', '90s']]
    >>> model.score(X, y)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "class_weight": [StrOptions({"balanced"}), dict, list, tuple, None],
        "pass_missing": ["boolean"],
        "n_jobs": [None, int],
    }
    # The weights of fit are for the clones alone, which ask for them or do not.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"sample_weight": UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        pass_missing: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.class_weight = class_weight
        self.pass_missing = pass_missing
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        **fit_params: Any,
    ) -> MaskedMultiOutputClassifier:
        """Fit a clone per task.

        Parameters
        ----------
        X : array-like
            Users: DataFrame, array, sparse matrix, list or any container whose rows
            scikit-learn can index.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label, for estimators that accept it. A
            DataFrame is read by the names of its columns. A label of weight 0 counts as
            missing. With metadata routing enabled, for estimators that request it, such
            as the steps of a Pipeline.
        **fit_params : dict
            What else the clones' ``fit`` takes; that with one entry a user is cut to
            the users of each task.

        Returns
        -------
        MaskedMultiOutputClassifier
            Itself.

        Raises
        ------
        TargetError
            If a task has no label at all or the labels are continuous.
        ValueError
            If weights are given and the estimator takes none.
        sklearn.exceptions.UnsetMetadataPassedError
            If metadata routing is enabled and the estimator says nothing about what is
            given.
        """
        if y is None:
            msg = (
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
            raise TargetError(msg)
        refuse_levels(X, "X", SourceError)
        check_consistent_length(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight
        params = self._routed(fit_params)
        given = params.pop("sample_weight", None)
        known = read_labels(y, given)
        encoded, weights = weigh_labels(known, self.class_weight)
        weighted = given is not None or self.class_weight is not None
        codec = known.codec
        parts = self._training_parts(
            X, codec, encoded, params, weights.loss if weighted else None
        )
        self.estimators_ = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_task)(clone(self.estimator), *part) for part in parts
        )
        self._codec = codec
        self.task_names_ = codec.task_names
        self.classes_ = codec.classes[0] if codec.one_dimensional else codec.classes
        return self

    @fixed_threads()
    def predict(self, X: Any) -> Any:
        """Predict a label of every task.

        Parameters
        ----------
        X : array-like
            Users.

        Returns
        -------
        ndarray of shape (n_users, n_tasks), or (n_users,)
            Labels as given to ``fit``; one column less for one-dimensional ``y``. A
            table that names the tasks after ``set_output(predict="pandas")``.
        """
        check_is_fitted(self, "estimators_")
        predicted: NDArray[Any] = self._codec.decode(
            [self._choose(X, task) for task in range(len(self.estimators_))]
        )
        return self._as_output(predicted, X)

    @available_if(_estimator_has("predict_proba"))
    @fixed_threads()
    def predict_proba(self, X: Any) -> Probabilities:
        """Predict the probability of every class of every task.

        Parameters
        ----------
        X : array-like
            Users.

        Returns
        -------
        list of ndarray of shape (n_users, n_classes), or ndarray
            Columns as in ``classes_``; one array for one-dimensional ``y``.
        """
        check_is_fitted(self, "estimators_")
        probabilities = [estimator.predict_proba(X) for estimator in self.estimators_]
        # A clone that was fitted on a table of one task returns a list of one array.
        arrays = [p[0] if isinstance(p, list) else p for p in probabilities]
        for task, estimator in enumerate(self.estimators_):
            if self._is_of_one_class(task):
                arrays[task] = _of_one_class(estimator, arrays[task])
            elif arrays[task].shape[1] < len(self._codec.classes[task]):
                arrays[task] = self._with_unseen(estimator, arrays[task], task)
        return arrays[0] if self._codec.one_dimensional else arrays

    @available_if(_estimator_has("predict_proba"))
    @fixed_threads()
    def predict_log_proba(self, X: Any) -> Probabilities:
        """Predict the logarithm of the probability of every class of every task.

        Parameters
        ----------
        X : array-like
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
        X : array-like
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

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in ``fit``, if the clones have it."""
        return int(self._first_clone("n_features_in_").n_features_in_)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features seen in ``fit``, if the clones have them."""
        names: NDArray[np.object_] = self._first_clone(
            "feature_names_in_"
        ).feature_names_in_
        return names

    def get_metadata_routing(self) -> MetadataRouter:
        """Get the routing of metadata: to ``fit`` of the clones, and to ``score``.

        Returns
        -------
        MetadataRouter
            The routing, as in scikit-learn's user guide.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

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

    def _first_clone(self, attribute: str) -> Any:
        """Return a fitted clone that has an attribute."""
        for estimator in getattr(self, "estimators_", ()):
            if hasattr(estimator, attribute):
                return estimator
        msg = f"{type(self).__name__!r} object has no attribute {attribute!r}"
        raise AttributeError(msg)

    def _routed(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of the clones' ``fit``."""
        if get_config()["enable_metadata_routing"]:
            return dict(process_routing(self, "fit", **given).estimator.fit)
        needs = [
            name
            for name, weights in (
                ("sample_weight", given.get("sample_weight")),
                ("class_weight", self.class_weight),
            )
            if weights is not None
        ]
        if needs and not has_fit_parameter(self.estimator, "sample_weight"):
            msg = (
                f"{type(self.estimator).__name__} takes no sample_weight; leave "
                f"{needs[0]} None, or enable metadata routing where a step of it takes "
                "one"
            )
            raise ValueError(msg)
        return given

    def _training_parts(
        self,
        X: Any,
        codec: LabelCodec,
        encoded: EncodedLabels,
        params: dict[str, Any],
        weights: NDArray[np.float64] | None,
    ) -> Any:
        """Yield users, targets and parameters of fit of each task."""
        for task, name in enumerate(codec.task_names):
            if weights is not None:
                params = {**params, "sample_weight": weights[:, task]}
            if self.pass_missing:
                labels = _labels_of_task(codec, encoded, task, name)
                if isinstance(X, pd.DataFrame | pd.Series):
                    # Splitters within the clones compare the indices.
                    labels.index = X.index
                yield X, labels, params
                continue
            rows = np.flatnonzero(encoded.codes[:, task] >= 0)
            targets: Any = (
                encoded.members[task][rows].astype(np.int64)
                if codec.set_valued[task]
                else encoded.codes[rows, task]
            )
            users = X if len(rows) == len(encoded) else _safe_indexing(X, rows)
            yield users, targets, _check_method_params(X, params, indices=rows)

    def _is_of_one_class(self, task: int) -> bool:
        """Whether the task's cells are sets of one class: a clone predicts 0 or 1."""
        several = self.pass_missing or not self._codec.set_valued[task]
        return not several and len(self._codec.classes[task]) == 1

    def _with_unseen(
        self, estimator: Any, seen: NDArray[Any], task: int
    ) -> NDArray[np.float64]:
        """Give probability 0 to the classes of weight 0, which no clone has seen."""
        names = np.ravel(estimator.classes_).tolist()
        if self.pass_missing:
            position = {k: i for i, k in enumerate(self._codec.classes[task].tolist())}
            names = [position[label] for label in names]
        every = np.zeros((len(seen), len(self._codec.classes[task])))
        every[:, names] = seen
        return every

    def _choose(self, X: Any, task: int) -> NDArray[np.float64]:
        """Return one column per class, above 0.5 where a class is chosen."""
        estimator = self.estimators_[task]
        classes = self._codec.classes[task]
        if self.pass_missing:
            table = pd.DataFrame({self.task_names_[task]: list(estimator.predict(X))})
            single = LabelCodec(
                [self.task_names_[task]],
                [classes],
                [self._codec.set_valued[task]],
                one_dimensional=False,
            )
            encoded = single.encode(table)
            if self._codec.set_valued[task]:
                return encoded.members[0].astype(float)
            codes = encoded.codes[:, 0]
        elif self._is_of_one_class(task):
            return np.asarray(estimator.predict(X), dtype=float)[:, None]
        elif self._codec.set_valued[task]:
            if hasattr(estimator, "predict_proba"):
                return np.asarray(estimator.predict_proba(X), dtype=float)
            return np.asarray(expit(estimator.decision_function(X)), dtype=float)
        else:
            codes = np.asarray(estimator.predict(X), dtype=np.int64)
        return np.asarray(codes[:, None] == np.arange(len(classes)), dtype=float)


@fixed_threads()
def _fit_task(estimator: Any, X: Any, targets: Any, params: dict[str, Any]) -> Any:
    """Fit the clone of one task."""
    if isinstance(targets, np.ndarray):
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = targets.ravel()
        if targets.ndim == 2:
            return _fit_one_vs_rest(estimator, X, targets, params)
        if (targets == targets[0]).all():
            # Many classifiers refuse a single class, which a fold of a rare task has.
            return DummyClassifier().fit(X, targets)
    return estimator.fit(X, targets, **params)


def _fit_one_vs_rest(
    estimator: Any, X: Any, targets: NDArray[Any], params: dict[str, Any]
) -> OneVsRestClassifier:
    """Fit a clone for each class of sets; `targets` (n_users, n_classes) are 0 or 1."""
    if not params:
        return OneVsRestClassifier(estimator).fit(X, targets)
    # scikit-learn passes parameters of fit on only where metadata are routed.
    rest = OneVsRestClassifier(DummyClassifier()).fit(X, targets)
    rest.estimator = estimator
    rest.estimators_ = [
        clone(estimator).fit(X, column, **params)
        if isinstance(one, DummyClassifier)
        else one
        for one, column in zip(rest.estimators_, targets.T, strict=True)
    ]
    return rest


def _of_one_class(estimator: Any, answer: NDArray[Any]) -> NDArray[Any]:
    """Probability (n_users, 1) that a set contains the only class."""
    inside = np.asarray(estimator.classes_) == 1
    likely: NDArray[Any] = np.asarray(answer)[:, inside].sum(axis=1, keepdims=True)
    return likely


def _labels_of_task(
    codec: LabelCodec, encoded: EncodedLabels, task: int, name: str
) -> pd.Series[Any]:
    """Return one task's labels under its name, None where missing."""
    labels = np.full(len(encoded), None, dtype=object)
    for row in np.flatnonzero(encoded.codes[:, task] >= 0):
        if codec.set_valued[task]:
            chosen = encoded.members[task][row]
            labels[row] = frozenset(codec.classes[task][chosen].tolist())
        else:
            labels[row] = codec.classes[task].tolist()[encoded.codes[row, task]]
    return pd.Series(labels, name=name, dtype=object)
