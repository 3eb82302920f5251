"""What the keywords of classes are counted and scored with: functions on arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import TargetError

__all__ = [
    "class_members",
    "deal_folds",
    "keyword_scores",
    "text_sizes",
    "words_at_places",
]


def keyword_scores(
    presence: sparse.csr_array, members: NDArray[np.bool_], smoothing: float
) -> NDArray[np.float64]:
    r"""Score how much more the users of a class write a word than all others.

    Parameters
    ----------
    presence : csr_array of shape (n_users, n_words)
        One where a user wrote a word.
    members : ndarray of bool, shape (n_users, n_classes)
        The users of each class.
    smoothing : float
        Strength of the prior in users: that many are added to each side, of whom the
        share that the word has among all users wrote it.

    Returns
    -------
    ndarray of float64, shape (n_classes, n_words)
        The difference of the log-odds inside and outside the class, divided by its
        standard deviation: :math:`z = (\log o_{in} - \log o_{out}) /
        \sqrt{1/a + 1/b + 1/c + 1/d}` over the four smoothed counts. Zero for words
        that nobody or everybody wrote and for classes without or with all users.
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


def deal_folds(
    members: NDArray[np.bool_], missing: NDArray[np.bool_], n_folds: int, seed: int
) -> list[NDArray[np.int64]]:
    """Deal the labelled users with text out to folds, class after class.

    Parameters
    ----------
    members : ndarray of bool, shape (n_users, n_classes)
        The users of each class.
    missing : ndarray of bool, shape (n_users,)
        Users without text, who belong to no fold.
    n_folds : int
        Number of folds; fewer are returned if there are fewer users.
    seed : int
        Decides who comes into which fold.

    Returns
    -------
    list of ndarray of int64
        Rows of each fold, ascending. Unlike scikit-learn's stratified folds these
        allow classes with fewer users than folds.
    """
    labelled = np.flatnonzero(members.any(axis=1) & ~missing)
    shuffled = np.random.RandomState(seed).permutation(labelled)
    first_class = members[shuffled].argmax(axis=1)
    order = shuffled[np.argsort(first_class, kind="stable")]
    folds = [np.sort(order[fold::n_folds]) for fold in range(n_folds)]
    return [fold for fold in folds if len(fold)]


def text_sizes(text: TokenMessages) -> NDArray[np.int64]:
    """Count the words of each user.

    Parameters
    ----------
    text : TokenMessages
        Segmented text.

    Returns
    -------
    ndarray of int64, shape (n_users,)
        The numbers.
    """
    starts = text.message_starts[text.user_starts]
    sizes: NDArray[np.int64] = np.diff(starts)
    return sizes


def class_members(
    labels: NDArray[np.object_], usable: NDArray[np.bool_], name: str
) -> tuple[list[Any], NDArray[np.bool_]]:
    """Find the classes of a task and who belongs to them.

    Parameters
    ----------
    labels : ndarray of object, shape (n_users,)
        None where missing; a frozenset belongs to each of its classes.
    usable : ndarray of bool, shape (n_users,)
        Users who count.
    name : str
        The task, for errors.

    Returns
    -------
    classes : list
        The classes, sorted.
    members : ndarray of bool, shape (n_users, n_classes)
        The usable users of each class.

    Raises
    ------
    TargetError
        If there are fewer than two classes.
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
    if len(found) < 2:
        msg = (
            f"task {name!r} must have at least two classes among the labelled users "
            f"with text, to tell their words apart; it has {sorted(map(str, found))}"
        )
        raise TargetError(msg)
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
    """Find words in running text, the longest at each place, without overlap.

    Parameters
    ----------
    message : str
        The text.
    words : mapping
        Its keys are the words.
    lengths : mapping of str to sequence of int
        First character to the lengths of the words that begin with it, descending.

    Yields
    ------
    str
        Words, from left to right.
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
