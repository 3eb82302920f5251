"""Labels of a user's neighbours, of theirs and so on, as log-odds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines._posteriors import names_of_classes, splits
from sklearn_profiling.baselines.out_of_fold import accuracy_of
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources import AdjacencyRows
from sklearn_profiling.sources.network._lookup import GraphUsers, find_rows, id_column
from sklearn_profiling.training.label_weights import KnownLabels, read_labels
from sklearn_profiling.training.offset_factors import best_factors

__all__ = ["PropagatedLabels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

_FLOOR = 1e-6
"""Of the share of a class, so that its logarithm is finite."""


class PropagatedLabels(TransformerMixin, BaseEstimator):
    r"""Log-odds of each class of each task from the labels of linked users.

    Labels spread along the links, one step, a few steps and far; for each task a
    logistic regression weighs the three and the shares of the classes. In
    ``fit_transform`` a labelled user's own label and those of the user's fold do not
    take part; ``transform`` spreads the labels of all.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array or list
        The network, or its edges: pairs, or a table with the columns "source" and
        "target". The links of a directed one are taken in both directions.
    damping : sequence of float, default=(0.0, 0.5, 0.85)
        Of each spread, the factor from one step to the next: 0 or more, below 1. 0 is
        of neighbours alone (our choice, on networks with and without homophily).
    n_steps : int, default=20
        Steps that a label spreads (our choice: 0.85 to the power 20 is 0.04).
    cv : int, splitter or iterable of (train, test), default=5
        Folds of the labelled users (5 is our choice). A number is stratified by the
        classes of each task; a splitter must hold out every labelled user once.
    random_state : int, RandomState instance or None, default=None
        Decides the folds.

    Attributes
    ----------
    weights_ : ndarray of float, shape (n_tasks, len(damping) + 1)
        Factors of the spreads, which are brought to deviation 1, and of the logarithms
        of the shares of the classes, likewise.
    scores_ : ndarray of float, shape (n_tasks,)
        Accuracy of the out-of-fold predictions; NaN for a task without any, and for one
        whose cells are sets.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    classes_ : list of ndarray
        Classes of each task, whose log-odds stand side by side.

    See Also
    --------
    OutOfFoldLogits : Log-odds of any classifier.
    sklearn_profiling.sources.AdjacencyRows : The links themselves as features.

    Notes
    -----
    With S = D^-1/2 (A + I) D^-1/2, where A has 1 for each link and D are its row sums,
    and Y the labels less the shares of the classes, 0 for users without label, the
    spread of `damping` a is the sum of a^t S^(t+1) Y over the steps t from 0. It is the
    label spreading of Zhou et al. with a self-loop, which leaves out what a user's own
    label says. A factor below 0 of the nearest with one above 0 of the others is
    monophily: friends of friends are alike where friends are not (Altenburger and
    Ugander), as is seen of gender.

    A user without links teaches nothing and gets a row of NaN. Rows of one user are
    held out together. Nothing of a task is learned from users without its label, yet
    labels spread through them.

    References
    ----------
    Zhou, Bousquet, Lal, Weston and Schoelkopf, "Learning with Local and Global
    Consistency", NIPS 2003.

    Altenburger and Ugander, "Monophily in social networks introduces similarity among
    friends-of-friends", Nature Human Behaviour 2, 2018.

    Examples
    --------
    >>> from sklearn_profiling.baselines import PropagatedLabels
    >>> links = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "f"), ("f", "d")]
    >>> model = PropagatedLabels(links, cv=2, random_state=0)
    >>> odds = model.fit_transform(list("abde"), ["old", "old", "young", "young"])
    >>> model.get_feature_names_out().tolist()
    ['task0=old', 'task0=young']
    >>> (model.transform(["c", "f", "stranger"])[:, 0] > 0).tolist()
    [True, False, False]
    """

    # Left out of model files, as they may be large.
    _read_by_fit_alone: ClassVar[frozenset[str]] = frozenset({"graph"})
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "graph": "no_validation",
        "damping": ["array-like"],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            HasMethods(["split", "get_n_splits"]),
            Iterable,
        ],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        graph: Any,
        *,
        damping: Sequence[float] = (0.0, 0.5, 0.85),
        n_steps: int = 20,
        cv: Any = 5,
        random_state: RandomState = None,
    ) -> None:
        self.graph = graph
        self.damping = damping
        self.n_steps = n_steps
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Spread the labels, and weigh the spreads.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of the users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label. A label of weight 0 counts as
            missing.

        Returns
        -------
        PropagatedLabels
            Itself.
        """
        self._fit(X, y, sample_weight)
        return self

    def fit_transform(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None
    ) -> Singles:
        """Spread the labels, and tell each user those of other folds alone.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of the users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        sample_weight : array-like, shape (n_users,) or (n_users, n_tasks), default=None
            Weight of each user, or of each label. A label of weight 0 counts as
            missing.

        Returns
        -------
        ndarray of float32, shape (n_users, sum of numbers of classes)
            Log-odds, one task after the other.

        Raises
        ------
        TargetError
            If a task has no label at all or the labels are continuous.
        SourceError
            If ``X`` is not one column of ids, or of another kind than the network's, or
            the network has no links.
        ValueError
            If `cv` never holds out a labelled user, or `damping` is none between 0 and
            1.
        """
        logits: Singles = self._fit(X, y, sample_weight)
        return logits

    @fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Singles:
        """Fit everything; return the out-of-fold log-odds."""
        if y is None:
            msg = (
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
            raise TargetError(msg)
        self._check_damping()
        graph = as_social_graph(self.graph)
        if graph.n_edges == 0:
            msg = f"the network of {graph.n_users} users has no links"
            raise SourceError(msg)
        self._users = GraphUsers(graph)
        users = self._vertices(X)
        check_consistent_length(users, y)
        known = read_labels(y, sample_weight)
        # A user without links teaches nothing, as one without a label.
        known.table[users < 0] = None
        known.labels.codes[users < 0] = -1
        codec = known.codec
        self.task_names_, self.classes_ = codec.task_names, codec.classes
        sizes = [len(classes) for classes in codec.classes]
        tasks = [_members(known, task) for task in range(len(sizes))]
        folds = self._folds(users, known)
        labels = np.zeros((graph.n_users, sum(sizes)), dtype=np.float32)
        there = users >= 0
        signs = np.hstack([(each.truth - each.shares) * each.weights for each in tasks])
        np.add.at(labels, users[there], signs[there].astype(np.float32))
        steps = AdjacencyRows(graph, normalize="symmetric").transform(graph.ids)
        full = self._spread(steps, labels)
        left_out = full.copy()
        for fold in range(folds.max() + 1):
            held_out = np.repeat(folds == fold, sizes, axis=1)  # (n_vertices, n_labels)
            others = self._spread(steps, np.where(held_out, 0, labels))
            left_out[:, held_out] = others[:, held_out]
        ends = np.cumsum(sizes)[:-1]
        splits_of = [np.split(each, ends, axis=2) for each in (left_out, full)]
        fits = [
            _weigh(task, users, own, everyone)
            for task, own, everyone in zip(tasks, *splits_of, strict=True)
        ]
        self.weights_ = np.stack([weights for weights, *_ in fits])
        self._logits = np.hstack([logits for *_, logits in fits])
        self.scores_ = np.array(
            [
                accuracy_of(own[users], known, task)
                for task, (_, own, _) in enumerate(fits)
            ]
        )
        return _rows(np.hstack([own for _, own, _ in fits]), users)

    def transform(self, X: Any) -> Singles:
        """Look up the log-odds of users, from the labels of all.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of the users. An id that is not in the network, None or NaN has no
            links.

        Returns
        -------
        ndarray of float32, shape (n_users, sum of numbers of classes)
            Log-odds, one task after the other; NaN for users without links.
        """
        check_is_fitted(self)
        return _rows(self._logits, self._vertices(X))

    def _check_damping(self) -> None:
        found = np.asarray(self.damping, dtype=float)
        if found.ndim != 1 or not len(found) or not ((found >= 0) & (found < 1)).all():
            msg = (
                "damping must be one number or more, each 0 or above and below 1, got "
                f"{self.damping!r}"
            )
            raise ValueError(msg)

    def _vertices(self, X: Any) -> Ints:
        """Look up users (n_users,) in the network, -1 without links."""
        found = find_rows(self._users, id_column(X))
        found[self._users.isolated[found]] = -1
        return found

    def _folds(self, users: Ints, known: KnownLabels) -> Ints:
        """Deal labelled users to folds (n_vertices, n_tasks), -1 without a label.

        A fold belongs to a vertex, so that all rows of a user are held out together.
        """
        codes = known.labels.codes
        folds = np.full((len(self._users.ids), codes.shape[1]), -1, dtype=np.int64)
        seeds = derive_seeds(self.random_state, codes.shape[1])
        for task in np.flatnonzero((codes >= 0).any(axis=0)):
            parts = splits(self.cv, known.table[:, task], codes[:, task], seeds[task])
            for fold, (_, rows) in enumerate(parts):
                folds[users[rows], task] = fold
        return folds

    def _spread(self, steps: Any, labels: Singles) -> Singles:
        """Spread labels (n_vertices, n_labels), once for each damping."""
        spreads = np.zeros((len(self.damping), *labels.shape), dtype=np.float32)
        for step in range(self.n_steps):
            labels = steps @ labels
            for row, damping in enumerate(self.damping):
                if damping > 0 or step == 0:
                    spreads[row] += np.float32(damping**step) * labels
        return spreads

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
        """Say that ids are text and that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


class _Task(NamedTuple):
    """Labels of a task: who is which class, weights (n_users, 1), shares of classes."""

    truth: Floats
    weights: Floats
    shares: Floats
    of_sets: bool


def _members(known: KnownLabels, task: int) -> _Task:
    """Collect the labels of a task; weights are 0 where there is none."""
    codes, members = known.labels.codes[:, task], known.labels.members.get(task)
    n_classes = len(known.codec.classes[task])
    truth = np.eye(n_classes)[codes] if members is None else members.astype(float)
    weights = np.where(codes >= 0, known.weights[:, task], 0.0)[:, None]
    shares = (weights * truth).sum(axis=0) / (weights.sum() or 1.0)
    return _Task(truth, weights, shares, members is not None)


def _weigh(
    task: _Task, users: Ints, own: Singles, full: Singles
) -> tuple[Floats, Floats, Floats]:
    """Fit the factors of a task: them, and log-odds (n_vertices, n_classes) of both.

    The spreads are (n_spreads, n_vertices, n_classes), `own` out of fold.
    """
    shares = np.clip(task.shares, _FLOOR, 1 - _FLOOR)
    odds = np.log(shares) - (np.log(1 - shares) if task.of_sets else 0)
    odds = odds - (0 if task.of_sets else odds.mean())
    rows = np.flatnonzero(task.weights)
    if not len(rows):
        nothing = np.zeros(own.shape[1:])
        return np.zeros(len(own) + 1), nothing, nothing
    evidence = [*own[:, users[rows]].astype(float), np.tile(odds, (len(rows), 1))]
    sizes = np.array([each.std() or 1.0 for each in evidence])
    weights = best_factors(
        np.stack(evidence) / sizes[:, None, None],
        task.truth[rows],
        task.weights[rows, 0],
        of_sets=task.of_sets,
        bounds=(-np.inf, np.inf),
    )
    *factors, of_shares = weights / sizes
    constant = of_shares * odds
    return (
        weights,
        np.tensordot(factors, own, 1) + constant,
        np.tensordot(factors, full, 1) + constant,
    )


def _rows(logits: Floats, users: Ints) -> Singles:
    """Choose rows of (n_vertices, n_labels), NaN where there is no vertex."""
    rows = logits[users].astype(np.float32)
    rows[users < 0] = np.nan
    return rows
