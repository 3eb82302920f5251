"""Sets of labels that hold the true one as often as was promised."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation._held_out import HeldOutClassifier
from sklearn_profiling.evaluation._pairs import members
from sklearn_profiling.evaluation._probabilities import (
    LabelledProbabilities,
    check_probabilities,
    labelled_probabilities,
    split_tasks,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

__all__ = ["PredictionSetClassifier", "prediction_set_report", "prediction_sets"]

Floats = NDArray[np.float64]
Method = Literal["lac", "aps"]

_SPREAD = 1e3
_SMALLEST = 1e-12


def prediction_sets(
    y_proba: Any,
    classes: Any,
    y_calibration: Any,
    proba_calibration: Any,
    *,
    coverage: float = 0.9,
    method: Method = "lac",
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Make sets of labels from probabilities, split-conformal for each task.

    Parameters
    ----------
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray
        Probabilities of the users, as ``predict_proba`` gives them, one array a task.
    classes : list of array-like, or array-like
        The classes of the columns, as in ``classes_``.
    y_calibration : DataFrame, Series or array-like
        Labels of other users, new to the model too; None or NaN where missing.
    proba_calibration : list of ndarray, or ndarray
        Their probabilities.
    coverage : float, default=0.9
        As in :class:`PredictionSetClassifier`.
    method : {"lac", "aps"}, default="lac"
        As in :class:`PredictionSetClassifier`.
    random_state : int, RandomState instance or None, default=None
        Decides the ties of ``"aps"``.

    Returns
    -------
    DataFrame of shape (n_users, n_tasks)
        A frozenset of labels in each cell.

    Raises
    ------
    TargetError
        If users or tasks differ, or what a user has is no probability.
    ValueError
        If ``coverage`` or ``method`` is none of the above.

    See Also
    --------
    PredictionSetClassifier : The same as a classifier.
    prediction_set_report : How often the sets hold the label.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.evaluation import prediction_sets
    >>> known = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.6, 0.4]])
    >>> new = np.array([[0.95, 0.05], [0.45, 0.55]])
    >>> sets = prediction_sets(new, ["f", "m"], list("fmfm"), known, coverage=0.8)
    >>> [sorted(each) for each in sets["task0"]]
    [['f'], ['f', 'm']]
    """
    _check_promise(coverage, method)
    seed = derive_seed(random_state)
    held_out = labelled_probabilities(y_calibration, proba_calibration, classes)
    names = [each.task for each in held_out]
    columns = {}
    for each, (likely, known) in zip(
        held_out, split_tasks(y_proba, classes, names, "y_proba"), strict=True
    ):
        rows = np.arange(len(likely))
        check_probabilities(likely, rows, each.task, of_sets=each.of_sets)
        limit = _limit(each, len(known), coverage, method, seed)
        columns[each.task] = _sets(likely, known, limit, method, seed)
    return pd.DataFrame(columns)


def _check_promise(coverage: Any, method: Any) -> None:
    if not 0 < coverage < 1:
        msg = f"coverage must lie between 0 and 1; got {coverage!r}"
        raise ValueError(msg)
    if method not in ("lac", "aps"):
        msg = f"method must be 'lac' or 'aps'; got {method!r}"
        raise ValueError(msg)


def prediction_set_report(y_true: Any, sets: Any) -> pd.DataFrame:
    """Tell how often sets of labels hold the true one, and how large they are.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    sets : DataFrame or ndarray of the same shape
        Sets, as from ``predict_sets``.

    Returns
    -------
    DataFrame of shape (n_tasks, 5)
        One row per task. Columns: ``n_labelled`` users; ``coverage``, the share of them
        whose set holds the label, or all labels where cells are sets; ``size``, the
        mean number of labels; ``n_single`` and ``n_empty``, the users with one label
        and with none. A task without labels has NaN.

    Raises
    ------
    TargetError
        If the shapes differ, or a cell of ``sets`` holds no set.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import prediction_set_report
    >>> report = prediction_set_report(["f", "m"], [{"f"}, {"f", "x"}])
    >>> report[["coverage", "size", "n_single"]]
           coverage  size  n_single
    task
    task0       0.5   1.5         1
    """
    true, tasks, _ = label_table(y_true)
    found, _, _ = label_table(sets)
    if found.shape != true.shape:
        msg = (
            "y_true and sets must hold the same users and tasks; y_true has (users, "
            f"tasks) = {true.shape}, sets has {found.shape}"
        )
        raise TargetError(msg)
    rows = []
    for labels, given, task in zip(true.T, found.T, tasks, strict=True):
        known = np.array([cell is not None for cell in labels], dtype=bool)
        wrong = [row for row in np.flatnonzero(known) if given[row] is None]
        if wrong or not all(isinstance(cell, frozenset) for cell in given[known]):
            msg = f"sets must hold a set for each user who is labelled for {task!r}"
            raise TargetError(msg)
        pairs = list(zip(labels[known], given[known], strict=True))
        sizes = np.array([len(cell) for _, cell in pairs])
        rows.append(
            {
                "n_labelled": len(pairs),
                "coverage": _mean([members(one) <= cell for one, cell in pairs]),
                "size": _mean(sizes),
                "n_single": int((sizes == 1).sum()),
                "n_empty": int((sizes == 0).sum()),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(tasks, name="task"))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else math.nan


class PredictionSetClassifier(HeldOutClassifier):
    """Predict sets of labels that hold the true one at a promised rate.

    Split-conformal prediction: users who are held out of the classifier's fit tell how
    improbable a true label may be. Each task has its own limit, from the users who are
    labelled for it.

    Parameters
    ----------
    estimator : classifier
        Of one or several tasks, with ``predict_proba``. A fitted one in a
        :class:`~sklearn.frozen.FrozenEstimator` is taken as it is, and all users of
        ``fit``, who must be new to it, are held out.
    coverage : float, default=0.9
        Share of the users whose set holds the true label, between 0 and 1. The default
        is that of most papers on the matter.
    method : {"lac", "aps"}, default="lac"
        ``"lac"`` takes all classes above one probability: the smallest sets on average,
        and empty ones for users of whom nothing is probable enough. ``"aps"`` adds
        classes from the most probable on: larger sets, whose rate is more alike for
        easy and for hard users.
    cv : int, default=5
        One of so many folds, stratified by the classes of all tasks, is held out of the
        classifier's fit (our choice: a fifth of the users).
    random_state : int, RandomState instance or None, default=None
        Decides who is held out, and the ties of ``"aps"``.

    Attributes
    ----------
    estimator_ : classifier
        The clone fitted on the users who are not held out.
    limits_ : ndarray of float, shape (n_tasks,)
        The largest score of a class that belongs to a set: 1 - probability for
        ``"lac"``, the sum of the probabilities down to the class for ``"aps"``.
        Infinite, so that sets hold all classes, where too few users are held out for
        the promise.
    n_held_out_ : ndarray of int, shape (n_tasks,)
        Number of held-out users labelled for each task.
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.

    See Also
    --------
    AbstainingClassifier : Gives no answer instead of several.
    prediction_set_report : How often the sets hold the label.

    Notes
    -----
    Of n held-out users the limit is the score of rank ceil((n + 1) coverage). If new
    users are drawn as the held-out ones were, their sets hold the label with
    probability `coverage` at least, and at most 1 / (n + 1) more where no scores are
    tied. The promise is for all users on average, for each task by itself, not for each
    class or group: see :func:`group_report`. Users who alone have a class are not held
    out. For the limits each label counts once, whatever its weight, unless that is 0.

    Where cells are sets, the predicted set holds all labels of a user at the promised
    rate.

    ``"aps"`` counts a random part of the probability of the class itself, without which
    its sets are too large. The part follows from the probabilities of the user and
    `random_state`, so a set does not depend on other users.

    For one task ``SplitConformalClassifier`` of MAPIE has further methods.

    References
    ----------
    Sadinle, Lei and Wasserman, "Least Ambiguous Set-Valued Classifiers With Bounded
    Error Levels", JASA 2019. Romano, Sesia and Candès, "Classification with Valid and
    Adaptive Coverage", NeurIPS 2020.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling.evaluation import PredictionSetClassifier
    >>> X = [[x % 7] for x in range(140)]
    >>> y = ["f" if x % 7 < 3 else "m" for x in range(140)]
    >>> model = PredictionSetClassifier(LogisticRegression(C=0.1), random_state=0)
    >>> [sorted(each) for each in model.fit(X, y).predict_sets([[0], [6]])]
    [['f'], ['m']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **HeldOutClassifier._parameter_constraints,
        "coverage": [Interval(Real, 0, 1, closed="neither")],
        "method": [StrOptions({"lac", "aps"})],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        coverage: float = 0.9,
        method: Method = "lac",
        cv: int = 5,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.coverage = coverage
        self.method = method
        self.cv = cv
        self.random_state = random_state

    def _learn(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        held_out = self._fit_and_hold_out(X, y, sample_weight, groups, hold_out=True)
        self._seed = derive_seed(self.random_state)
        self.n_held_out_ = np.array([len(each.likely) for each in held_out])
        n_classes = map(len, self._classes_of_tasks())
        self.limits_ = np.array(
            [
                _limit(each, n, self.coverage, self.method, self._seed)
                for each, n in zip(held_out, n_classes, strict=True)
            ]
        )

    def predict_sets(self, X: Any) -> Any:
        """Predict a set of labels for each task.

        Parameters
        ----------
        X : array-like, DataFrame or sources
            Users, as the classifier reads them.

        Returns
        -------
        ndarray of frozenset, shape (n_users, n_tasks), or (n_users,)
            The sets; a table if ``set_output`` says so.
        """
        check_is_fitted(self)
        columns = [
            _sets(likely, known, limit, self.method, self._seed)
            for likely, known, limit in zip(
                self._tables(X), self._classes_of_tasks(), self.limits_, strict=True
            )
        ]
        return self._as_labels(columns, X)


def _limit(
    found: LabelledProbabilities,
    n_classes: int,
    coverage: float,
    method: str,
    seed: int,
) -> float:
    """Find the score of rank ceil((n + 1) coverage); infinite beyond the last."""
    # A label that the model does not know is in no set but that of all classes.
    scores = np.full(found.likely.shape, math.inf)
    scores[:, :n_classes] = _scores(found.likely[:, :n_classes], method, seed)
    worst = np.max(scores, axis=1, initial=-math.inf, where=found.inside)
    rank = math.ceil((len(worst) + 1) * coverage - 1e-9)
    return float(np.sort(worst)[rank - 1]) if rank <= len(worst) else math.inf


def _sets(
    likely: Floats, classes: Any, limit: float, method: str, seed: int
) -> NDArray[np.object_]:
    """Make the set of each user, (n_users,)."""
    labels = np.asarray(classes, dtype=object)
    found = np.empty(len(likely), dtype=object)
    for row, inside in enumerate(_scores(likely, method, seed) <= limit):
        found[row] = frozenset(labels[inside].tolist())
    return found


def _scores(likely: Floats, method: str, seed: int) -> Floats:
    """Score how strange each class is, (n_users, n_classes)."""
    if method == "lac":
        return 1 - likely
    order = np.argsort(-likely, axis=1, kind="stable")
    ordered = np.take_along_axis(likely, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    scores = np.empty_like(likely)
    parts = before + _parts(likely, seed)[:, None] * ordered
    np.put_along_axis(scores, order, parts, axis=1)
    return scores


def _parts(likely: Floats, seed: int) -> Floats:
    """Draw a number in [0, 1) of each user from the probabilities themselves.

    A change in their last digits changes it little.
    """
    weights = np.random.default_rng(seed).uniform(1, 2, size=likely.shape[1])
    logs: Floats = np.log(np.maximum(likely, _SMALLEST))
    return (_SPREAD * (logs @ weights)) % 1.0
