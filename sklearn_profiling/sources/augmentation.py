"""Predicted profiles as text behind the messages of users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._frames import as_pandas
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.exceptions import SourceError, TargetError, shortened
from sklearn_profiling.sources._columns import read_messages
from sklearn_profiling.targets import Table, label_table

__all__ = ["ProfileAugmenter"]

Rows = NDArray[np.intp]


class ProfileAugmenter(TransformerMixin, MetaEstimatorMixin, BaseEstimator):
    """Predict the profile of each user and append it to the messages as text.

    The text of a user then ends in, for example, "Stars: 4; Favorite Category: Coffee,
    Pizza", for another model: the application of profiles in the paper [1]_.

    Parameters
    ----------
    estimator : classifier
        Predicts profiles from the same table of users: any classifier of this package
        in a Pipeline. It is cloned, unless ``cv="prefit"``.
    messages : str, default="messages"
        The column to append to.
    profile : list of str or None, default=None
        Columns of `X` that hold the labels of profiles in `fit`. Neither `estimator`
        nor what comes out sees them, and `transform` needs none. None takes `y`, which
        in a Pipeline for another target holds no profiles.
    task_names : list of str or None, default=None
        Names of the attributes in the text; None takes the names of the labels.
    separator : str or None, default=None
        None appends the profile as a message of its own, for models that join the
        messages of a user; a str writes it behind every message with this between, for
        models that read each message by itself (our choice; in the paper a user has one
        message, with which both are nearly the same).
    cv : int, splitter or "prefit", default=5
        How the users of `fit_transform` get their profiles: each from a clone that was
        not fitted on their labels. An int is the number of random folds; a splitter
        must hold every labelled user out once. "prefit" uses `estimator` as it is,
        which must be fitted, on other users.
    random_state : int, RandomState instance or None, default=None
        Decides the folds.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on all users.
    task_names_ : list of str
        Names of the attributes.

    Notes
    -----
    ``fit_transform`` is not ``fit`` and then ``transform``: a classifier predicts the
    users it was fitted on better than new ones, and a model trained on such predictions
    would trust them too much. Users without any label are in every training part and
    get the prediction of `estimator_`.

    A set of labels is written in sorted order with commas, a whole number without its
    decimal point. A user without messages gets the profile as the only one.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling, Table 5.
       Anonymous submission to the ACL.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.sources import ProfileAugmenter
    >>> users = pd.DataFrame(
    ...     {
    ...         "messages": [["a pizza"], ["a coffee"], ["pizza!"], ["coffee!"]],
    ...         "Favorite Category": ["Pizza", "Coffee", "Pizza", "Coffee"],
    ...     }
    ... )
    >>> augmenter = ProfileAugmenter(
    ...     make_tfidf_baseline(), profile=["Favorite Category"], random_state=0
    ... )
    >>> augmenter.fit(users).transform(pd.DataFrame({"messages": [["one coffee"]]}))
                                          messages
    0  [one coffee, Favorite Category: Coffee]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "messages": [str],
        "profile": [list, None],
        "task_names": [list, None],
        "separator": [str, None],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            # a str has the first of these alone
            HasMethods(["split", "get_n_splits"]),
            StrOptions({"prefit"}),
        ],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        messages: str = "messages",
        profile: list[str] | None = None,
        task_names: list[str] | None = None,
        separator: str | None = None,
        cv: Any = 5,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.messages = messages
        self.profile = profile
        self.task_names = task_names
        self.separator = separator
        self.cv = cv
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Fit the classifier on all users.

        Parameters
        ----------
        X : DataFrame of shape (n_users, n_columns)
            Users, with the columns `messages` and `profile` and what `estimator` reads.
        y : DataFrame or array-like, default=None
            Labels of profiles; ignored if `profile` is given or ``cv="prefit"``.

        Returns
        -------
        ProfileAugmenter
            The fitted transformer.

        Raises
        ------
        SourceError
            If `X` is no table with these columns.
        TargetError
            If there are no labels, or `task_names` are not one for each of them.
        """
        self._fit(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> pd.DataFrame:
        """Fit, and append profiles predicted out of fold.

        Parameters
        ----------
        X : DataFrame of shape (n_users, n_columns)
            Users, with the columns `messages` and `profile` and what `estimator` reads.
        y : DataFrame or array-like, default=None
            Labels of profiles; ignored if `profile` is given or ``cv="prefit"``.

        Returns
        -------
        DataFrame of shape (n_users, n_columns)
            The same users without the columns `profile`; `messages` are lists of str.

        Raises
        ------
        SourceError
            If `X` is no table with these columns.
        TargetError
            If there are no labels, fewer than two users have any, or a splitter does
            not hold each of these out once.
        """
        users, labels = self._fit(X, y)
        if labels is None:
            return self._append(users, self._predict(self.estimator_, users))
        known = np.flatnonzero((label_table(labels)[0] != None).any(axis=1))  # noqa: E711 - cell by cell
        others = np.setdiff1d(np.arange(len(users)), known)
        predicted: Table = np.empty((len(users), len(self.task_names_)), dtype=object)
        for train, test in self._folds(users, labels, known):
            rows = np.sort(np.concatenate([train, others]))
            model = clone(self.estimator)
            model.fit(users.iloc[rows], _safe_indexing(labels, rows))
            predicted[test] = self._predict(model, users.iloc[test])
        if len(others):
            predicted[others] = self._predict(self.estimator_, users.iloc[others])
        return self._append(users, predicted)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Append the predicted profile to the messages of each user.

        Parameters
        ----------
        X : DataFrame of shape (n_users, n_columns)
            Users, with the column `messages` and what `estimator` reads.

        Returns
        -------
        DataFrame of shape (n_users, n_columns)
            The same users without the columns `profile`; `messages` are lists of str.

        Raises
        ------
        SourceError
            If `X` is no table with the column `messages`.
        """
        check_is_fitted(self)
        users = self._check_table(X, ())
        return self._append(users, self._predict(self.estimator_, users))

    def _fit(self, X: Any, y: Any) -> tuple[pd.DataFrame, Any]:
        """Fit, and return the users with the labels of their profiles."""
        profile = self.profile or []
        prefit = isinstance(self.cv, str)
        users = self._check_table(X, () if prefit else profile)
        if prefit:
            check_is_fitted(self.estimator)
            self.estimator_ = self.estimator
            labels = None
            found = _names_known_to(self.estimator)
        else:
            labels = as_pandas(X)[profile] if profile else as_pandas(y)
            if labels is None:
                msg = (
                    "ProfileAugmenter needs labels of profiles: name their columns in "
                    "profile, give y, or use cv='prefit'"
                )
                raise TargetError(msg)
            check_consistent_length(users, labels)
            found = label_table(labels)[1]
            self.estimator_ = clone(self.estimator).fit(users, labels)
        self.task_names_ = self._names(found)
        return users, labels

    def _names(self, found: list[str] | None) -> list[str]:
        given = self.task_names
        if given is None and found is None:
            msg = (
                "ProfileAugmenter: the fitted estimator does not say what its tasks "
                "are called (task_names_); give task_names"
            )
            raise TargetError(msg)
        names = list(found or []) if given is None else [str(name) for name in given]
        if found is not None and len(names) != len(found):
            msg = (
                f"task_names must name {len(found)} tasks, {found}; got {len(names)}: "
                f"{names}"
            )
            raise TargetError(msg)
        return names

    def _check_table(self, X: Any, profile: Sequence[str]) -> pd.DataFrame:
        """Return the users without the labels of their profiles."""
        X = as_pandas(X)
        if not isinstance(X, pd.DataFrame):
            msg = f"ProfileAugmenter takes a DataFrame of users; got {type(X).__name__}"
            raise SourceError(msg)
        absent = [name for name in (self.messages, *profile) if name not in X]
        if absent:
            listed = shortened(list(X), 200)
            msg = f"ProfileAugmenter reads the columns {absent}; X has {listed}"
            raise SourceError(msg)
        return X.drop(columns=self.profile or [], errors="ignore")

    def _folds(
        self, users: pd.DataFrame, labels: Any, known: Rows
    ) -> Iterator[tuple[Rows, Rows]]:
        """Yield training and held-out rows of the users with labels."""
        if len(known) < 2:
            msg = (
                "ProfileAugmenter predicts labelled users out of fold, which takes "
                f"two such users; got {len(known)}. "
                "cv='prefit' takes a fitted classifier"
            )
            raise TargetError(msg)
        splitter = self.cv
        if isinstance(splitter, Integral):
            seed = derive_seed(self.random_state)
            n_folds = min(int(splitter), len(known))
            splitter = KFold(n_folds, shuffle=True, random_state=seed)
        folds = list(splitter.split(users.iloc[known], _safe_indexing(labels, known)))
        held_out = np.bincount(
            np.concatenate([test for _, test in folds]), minlength=len(known)
        )
        if (held_out != 1).any():
            row = int(known[np.flatnonzero(held_out != 1)[0]])
            msg = (
                f"cv={self.cv!r} must hold every user with labels out once; row {row} "
                f"was held out {int(held_out[held_out != 1][0])} times"
            )
            raise TargetError(msg)
        for train, test in folds:
            yield known[train], known[test]

    def _predict(self, model: Any, users: pd.DataFrame) -> Table:
        if not len(users):
            return np.empty((0, len(self.task_names_)), dtype=object)
        table = label_table(model.predict(users))[0]
        if table.shape[1] != len(self.task_names_):
            msg = (
                f"the estimator predicts {table.shape[1]} tasks; task_names has "
                f"{len(self.task_names_)}: {self.task_names_}"
            )
            raise TargetError(msg)
        return table

    def _append(self, users: pd.DataFrame, predicted: Table) -> pd.DataFrame:
        column = np.empty(len(users), dtype=object)
        messages = read_messages(users[self.messages], self)
        for row, (own, labels) in enumerate(zip(messages, predicted, strict=True)):
            profile = _write(self.task_names_, labels)
            if self.separator is None or not own:
                column[row] = [*own, profile]
            else:
                column[row] = [message + self.separator + profile for message in own]
        return users.assign(
            **{self.messages: pd.Series(column, index=users.index, dtype=object)}
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


def _names_known_to(estimator: Any) -> list[str] | None:
    """Return the tasks of a fitted classifier or of the last step of a Pipeline."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    names = getattr(estimator, "task_names_", None)
    return None if names is None else [str(name) for name in names]


def _write(names: Sequence[str], labels: Sequence[Any]) -> str:
    written = (
        f"{name}: {_label_text(label)}"
        for name, label in zip(names, labels, strict=True)
        if label is not None
    )
    return "; ".join(written)


def _label_text(label: Any) -> str:
    if isinstance(label, frozenset):
        return ", ".join(sorted(map(_label_text, label)))
    # Beside a missing label pandas makes 4 a 4.0.
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)
