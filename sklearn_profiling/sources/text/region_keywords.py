"""The regional dictionary of MMLUP: how often a user writes words of each region."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import (
    DataQualityWarning,
    SourceError,
    TargetError,
    shortened,
)
from sklearn_profiling.sources._columns import read_messages
from sklearn_profiling.sources.text._gazetteer_china import CHINA
from sklearn_profiling.sources.text.averaging import user_word_counts
from sklearn_profiling.targets import label_table

__all__ = ["RegionKeywords"]

Floats = NDArray[np.float32]
Keywords = list[tuple[str, float]]
_GAZETTEER_TASK = "region"


class RegionKeywords(TransformerMixin, BaseEstimator):
    r"""Count the words of a regional dictionary in each user's text.

    The dictionary is learned from text against labels, of regions or of any other task,
    or given as a gazetteer.

    Parameters
    ----------
    task : str, default=None
        Task whose classes get keywords; None for every task of `y`, side by side.
    gazetteer : {"china"} or mapping of str to iterable of str, default=None
        Words of each region, in place of learning. "china" holds provinces and cities
        in the eight regions of SMP CUP 2016.
    n_keywords : int, default=100
        At most that many words for each class (our choice).
    min_users : int, default=3
        Words written by fewer labelled users are left out (our choice).
    min_score : float, default=1.96
        Words with a lower score are left out (our choice: a word unrelated to the class
        exceeds it once in forty).
    smoothing : float, default=10.0
        Strength of the prior, in users (our choice).
    use_scores : bool, default=False
        Weight each occurrence by the score of the word instead of counting one.
    normalize : {"l1", "words", "log"} or None, default=None
        "l1": the classes of a task sum to one, if there is any keyword; "words":
        occurrences for each word of the text (for each character, if raw messages are
        given); "log": log(1 + count); None: counts.
    cv : int, default=5
        Folds of `fit_transform`.
    random_state : int, RandomState instance or None, default=None
        Decides the folds.

    Attributes
    ----------
    keywords_ : dict
        Class to its list of (word, score), the best first; with several tasks the keys
        are pairs (task, class). Words of a gazetteer have score 1.
    classes_ : dict of str to list
        Classes of each task, in the order of the columns.
    task_names_ : list of str
        The tasks.
    n_features_out_ : int
        Number of columns.

    Notes
    -----
    The paper does not report how it extracts "regional keywords in the text
    content". Here users are the units, so one who repeats a word does not make it a
    keyword. Words are ranked by the log-odds ratio with an informative Dirichlet prior
    [1]_, in its form for two outcomes (a user wrote the word or did not), divided by
    its standard deviation. Users without label or text are not used.

    ``fit_transform(X, y)`` differs from ``fit(X, y).transform(X)``, as in
    :class:`sklearn.preprocessing.TargetEncoder`: a labelled user's row is counted with
    keywords learned from the users of the other folds. Otherwise rare words that one
    user of a class wrote would show the label of exactly that user, and a model trained
    on the counts would overfit to them. A Pipeline does this by itself.

    In segmented text a word of a gazetteer counts where the segmenter cut it out; give
    raw messages, or the gazetteer's words as user dictionary, to find all. Characters
    never match words of two.

    Users without text get a row of NaN, the mark of a missing source.

    References
    ----------
    .. [1] B. L. Monroe, M. P. Colaresi, K. M. Quinn. Fightin' Words: Lexical Feature
       Selection and Evaluation for Identifying the Content of Political Conflict.
       Political Analysis 16(4), 2008.

    Examples
    --------
    >>> from sklearn_profiling.sources.text.region_keywords import RegionKeywords
    >>> messages = [["在成都吃火锅", "成都下雨"], ["哈尔滨下雪"], None]
    >>> regions = RegionKeywords(gazetteer="china").fit(messages)
    >>> regions.transform(messages)[:, [0, 5]]
    array([[ 0.,  2.],
           [ 1.,  0.],
           [nan, nan]], dtype=float32)
    >>> regions.get_feature_names_out()[[0, 5]].tolist()
    ['region_东北', 'region_西南']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "task": [str, None],
        "gazetteer": [StrOptions({"china"}), Mapping, None],
        "n_keywords": [Interval(Integral, 1, None, closed="left")],
        "min_users": [Interval(Integral, 1, None, closed="left")],
        "min_score": [Interval(Real, 0, None, closed="left")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "use_scores": ["boolean"],
        "normalize": [StrOptions({"l1", "words", "log"}), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        task: str | None = None,
        *,
        gazetteer: str | Mapping[str, Iterable[str]] | None = None,
        n_keywords: int = 100,
        min_users: int = 3,
        min_score: float = 1.96,
        smoothing: float = 10.0,
        use_scores: bool = False,
        normalize: str | None = None,
        cv: int = 5,
        random_state: RandomState = None,
    ) -> None:
        self.task = task
        self.gazetteer = gazetteer
        self.n_keywords = n_keywords
        self.min_users = min_users
        self.min_score = min_score
        self.smoothing = smoothing
        self.use_scores = use_scores
        self.normalize = normalize
        self.cv = cv
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the keywords of each class from all labelled users.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,), or a messages column with a gazetteer
            The text.
        y : DataFrame or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; missing ones are skipped. Not needed with a gazetteer.

        Returns
        -------
        RegionKeywords
            The fitted transformer.

        Raises
        ------
        TargetError
            If `y` is needed and missing, has another length, lacks `task`, or no user
            with text has a label of a task.
        SourceError
            If the gazetteer is empty or the text is not segmented.

        Warns
        -----
        DataQualityWarning
            If all users with text are of one class, which gets no keyword then.
        """
        self._learn(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Floats:
        """Learn the keywords and count them, each fold by those of the others.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,), or a messages column with a gazetteer
            The text.
        y : DataFrame or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; missing ones are skipped. Not needed with a gazetteer.

        Returns
        -------
        ndarray of float32, shape (n_users, n_features_out)
            The counts. Rows of users without a label of a task are those of
            `transform`.
        """
        tasks = self._learn(X, y)
        result = self._count(X)
        if tasks is None:
            return result
        text: TokenMessages = X
        column = 0
        seeds = derive_seeds(self.random_state, len(self.task_names_))
        for name, members, seed in zip(self.task_names_, tasks, seeds, strict=True):
            width = members.shape[1]
            for fold in stratified_folds(members, text.missing, self.cv, seed):
                rest = members.copy()
                rest[fold] = False
                keywords = self._keywords(text, rest)
                part = text[fold]
                result[fold, column : column + width] = self._normalized(
                    self._count_words(part, keywords),
                    [len(self.classes_[name])],
                    text_sizes(part),
                )
            column += width
        result[text.missing] = np.nan
        return result

    def _learn(self, X: Any, y: Any) -> list[NDArray[np.bool_]] | None:
        """Set the learned attributes; return the members of the classes by task."""
        if self.gazetteer is not None:
            self._take_gazetteer()
            return None
        if not isinstance(X, TokenMessages):
            msg = (
                "RegionKeywords learns from TokenMessages, the output of a segmenter; "
                f"got {type(X).__name__}. Raw messages are taken with a gazetteer only"
            )
            raise SourceError(msg)
        columns = self._label_columns(y, len(X))
        self.task_names_ = list(columns)
        self.classes_ = {}
        self._by_column: list[Keywords] = []
        tasks = []
        for name, labels in columns.items():
            classes, members = class_members(labels, ~X.missing, name)
            self.classes_[name] = classes
            tasks.append(members)
            self._by_column += self._keywords(X, members)
        self.n_features_out_ = len(self._by_column)
        return tasks

    @property
    def keywords_(self) -> dict[Hashable, Keywords]:
        """Words and scores by label, or by task and label."""
        labels = [
            (name, label) for name in self.task_names_ for label in self.classes_[name]
        ]
        alone = len(self.task_names_) == 1
        return {
            label if alone else (name, label): keywords
            for (name, label), keywords in zip(labels, self._by_column, strict=True)
        }

    def _take_gazetteer(self) -> None:
        given = CHINA if isinstance(self.gazetteer, str) else self.gazetteer
        if not given:
            msg = "gazetteer must map at least one region to its words; it is empty"
            raise SourceError(msg)
        keywords: dict[Hashable, Keywords] = {}
        for region, words in given.items():
            listed = [words] if isinstance(words, str) else list(words)
            wrong = [word for word in listed if not isinstance(word, str) or not word]
            if wrong or not listed:
                found = repr(wrong[0]) if wrong else "none"
                msg = f"gazetteer region {region!r} must have words; got {found}"
                raise SourceError(msg)
            keywords[region] = [(word, 1.0) for word in dict.fromkeys(listed)]
        name = self.task or _GAZETTEER_TASK
        self.task_names_ = [name]
        self.classes_ = {name: list(keywords)}
        self._by_column = list(keywords.values())
        self.n_features_out_ = len(self._by_column)

    def _label_columns(self, y: Any, n_users: int) -> dict[str, NDArray[np.object_]]:
        if y is None:
            msg = (
                "RegionKeywords learns from labels and y is None; give y or a gazetteer"
            )
            raise TargetError(msg)
        table, names, one_dimensional = label_table(y)
        if len(table) != n_users:
            msg = f"y has {len(table)} rows for {n_users} users"
            raise TargetError(msg)
        if self.task is None:
            return {name: table[:, position] for position, name in enumerate(names)}
        if one_dimensional and getattr(y, "name", None) is None:
            # one task without a name of its own to compare with
            return {self.task: table[:, 0]}
        if self.task not in names:
            msg = f"y has no task {self.task!r}; its tasks are {names}"
            raise TargetError(msg)
        return {self.task: table[:, names.index(self.task)]}

    def _keywords(
        self, text: TokenMessages, members: NDArray[np.bool_]
    ) -> list[Keywords]:
        """Choose the best words of each class among the users who belong to any."""
        if members.shape[1] < 2:
            return [[]]
        rows = np.flatnonzero(members.any(axis=1) & ~text.missing)
        presence = user_word_counts(text[rows])
        presence.data[:] = 1
        scores = keyword_scores(presence, members[rows], self.smoothing)
        users = np.bincount(presence.indices, minlength=presence.shape[1])
        scores[:, users < self.min_users] = 0
        words = text.vocabulary.words
        chosen = []
        for row in scores:
            candidates = np.flatnonzero((row > 0) & (row >= self.min_score))
            best = sorted(candidates.tolist(), key=lambda w: (-row[w], words[w]))
            chosen.append([(words[w], float(row[w])) for w in best[: self.n_keywords]])
        return chosen

    def transform(self, X: Any) -> Floats:
        """Count the keywords of each class.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,), or a messages column with a gazetteer
            The text, of any vocabulary. In raw messages the longest word of the
            gazetteer that begins at a place is counted, wherever it stands.

        Returns
        -------
        ndarray of float32, shape (n_users, n_features_out)
            The counts, NaN for users without text.
        """
        check_is_fitted(self)
        return self._count(X)

    def _count(self, X: Any) -> Floats:
        """Count as :meth:`transform` does, whatever its output is wrapped into."""
        if isinstance(X, TokenMessages):
            counts, sizes, missing = (
                self._count_words(X, self._by_column),
                text_sizes(X),
                X.missing,
            )
        elif self.gazetteer is not None:
            users = read_messages(X, self)
            counts = self._count_raw(users)
            sizes = np.array([sum(map(len, user)) for user in users], np.int64)
            missing = sizes == 0
        else:
            msg = (
                "RegionKeywords with learned keywords takes TokenMessages, the output "
                f"of a segmenter; got {type(X).__name__}"
            )
            raise SourceError(msg)
        widths = [len(self.classes_[name]) for name in self.task_names_]
        result = self._normalized(counts, widths, sizes)
        result[missing] = np.nan
        return result

    def _count_words(
        self, text: TokenMessages, keywords: Sequence[Keywords]
    ) -> NDArray[np.float64]:
        index = text.vocabulary.index
        cells = [
            (index[word], column, score if self.use_scores else 1.0)
            for column, listed in enumerate(keywords)
            for word, score in listed
            if word in index
        ]
        rows, columns, scores = np.array(cells).reshape(-1, 3).T
        weights = sparse.csr_array(
            (scores, (rows.astype(np.int32), columns.astype(np.int32))),
            shape=(len(text.vocabulary), len(keywords)),
        )
        counts = user_word_counts(text).astype(np.float64) @ weights
        dense: NDArray[np.float64] = counts.toarray()
        return dense

    def _count_raw(self, users: list[list[str]]) -> NDArray[np.float64]:
        columns: dict[str, list[int]] = {}
        for column, listed in enumerate(self._by_column):
            for word, _ in listed:
                columns.setdefault(word, []).append(column)
        # Lengths to try at a place, by its first character: nearly every place
        # begins no word and costs one look-up.
        lengths: dict[str, list[int]] = {}
        for word in sorted(columns, key=len, reverse=True):
            sizes = lengths.setdefault(word[0], [])
            if len(word) not in sizes:
                sizes.append(len(word))
        counts = np.zeros((len(users), len(self._by_column)))
        for row, messages in enumerate(users):
            for message in messages:
                for word in words_at_places(message, columns, lengths):
                    counts[row, columns[word]] += 1
        return counts

    def _normalized(
        self,
        counts: NDArray[np.float64],
        widths: Iterable[int],
        sizes: NDArray[np.int64],
    ) -> Floats:
        if self.normalize == "words":
            counts = counts / np.maximum(sizes, 1)[:, None]
        elif self.normalize == "log":
            counts = np.log1p(counts)
        elif self.normalize == "l1":
            counts, begin = counts.copy(), 0
            for width in widths:
                part = counts[:, begin : begin + width]
                total = part.sum(axis=1, keepdims=True)
                part /= np.where(total > 0, total, 1)
                begin += width
        return counts.astype(np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Name the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of object, shape (n_features_out,)
            ``task_class`` for each column.
        """
        check_is_fitted(self)
        names = chain.from_iterable(
            (f"{name}_{label}" for label in self.classes_[name])
            for name in self.task_names_
        )
        return np.array(list(names), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = self.gazetteer is None
        tags.target_tags.multi_output = True
        return tags


def keyword_scores(
    presence: sparse.csr_array, members: NDArray[np.bool_], smoothing: float
) -> NDArray[np.float64]:
    r"""Score how much more the users of a class write a word than all others.

    The difference of the log-odds inside and outside the class (n_classes, n_words),
    divided by its standard deviation: :math:`z = (\log o_{in} - \log o_{out}) /
    \sqrt{1/a + 1/b + 1/c + 1/d}` over the four counts of users, each side smoothed by
    `smoothing` users of whom the word's overall share wrote it. Zero where undefined.
    """
    n_users = presence.shape[0]
    inside = np.asarray(members.astype(np.float64).T @ presence)
    total = np.bincount(presence.indices, minlength=presence.shape[1])
    sizes = members.sum(axis=0)[:, None]
    prior = smoothing * total / max(n_users, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = inside + prior
        b = sizes - inside + smoothing - prior
        c = total - inside + prior
        d = n_users - sizes - (total - inside) + smoothing - prior
        scores = np.log(a * d / (b * c)) / np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    defined = (total > 0) & (total < n_users) & (sizes > 0) & (sizes < n_users)
    result: NDArray[np.float64] = np.where(defined, scores, 0.0)
    return result


def stratified_folds(
    members: NDArray[np.bool_], missing: NDArray[np.bool_], n_folds: int, seed: int
) -> list[NDArray[np.int64]]:
    """Split the labelled users with text into folds of sorted rows, class after class.

    Unlike scikit-learn's, these folds allow classes with fewer users than folds.
    """
    labelled = np.flatnonzero(members.any(axis=1) & ~missing)
    shuffled = np.random.RandomState(seed).permutation(labelled)
    first_class = members[shuffled].argmax(axis=1)
    order = shuffled[np.argsort(first_class, kind="stable")]
    folds = [np.sort(order[fold::n_folds]) for fold in range(n_folds)]
    return [fold for fold in folds if len(fold)]


def text_sizes(text: TokenMessages) -> NDArray[np.int64]:
    """Count the words of each user."""
    starts = text.message_starts[text.user_starts]
    sizes: NDArray[np.int64] = np.diff(starts)
    return sizes


def class_members(
    labels: NDArray[np.object_], usable: NDArray[np.bool_], name: str
) -> tuple[list[Any], NDArray[np.bool_]]:
    """Return the sorted classes of a task and their members, bool (n_users, n_classes).

    A frozenset belongs to each of its classes; only `usable` users count.
    """
    cells = [
        () if label is None else label if isinstance(label, frozenset) else (label,)
        for label in labels
    ]
    found = set(
        chain.from_iterable(
            cell for cell, use in zip(cells, usable, strict=True) if use
        )
    )
    if not found:
        msg = f"task {name!r} must have a labelled user with text; it has none"
        raise TargetError(msg)
    if len(found) == 1:
        warnings.warn(
            f"All labelled users with text are {shortened(*found)} in task {name!r}: "
            "no word tells its classes apart, and it gets no keyword.",
            DataQualityWarning,
            stacklevel=2,
        )
    try:
        classes = sorted(found)
    except TypeError:
        classes = sorted(found, key=lambda label: (type(label).__name__, str(label)))
    column = {label: position for position, label in enumerate(classes)}
    members = np.zeros((len(cells), len(classes)), dtype=np.bool_)
    for row in np.flatnonzero(usable):
        for label in cells[row]:
            members[row, column[label]] = True
    return classes, members


def words_at_places(
    message: str, words: Mapping[str, Any], lengths: Mapping[str, Sequence[int]]
) -> Iterable[str]:
    """Find words in running text from left to right, the longest at each place.

    `lengths` maps a first character to the lengths of its words, descending.
    """
    place = 0
    while place < len(message):
        for length in lengths.get(message[place], ()):
            if (word := message[place : place + length]) in words:
                yield word
                place += length
                break
        else:
            place += 1
