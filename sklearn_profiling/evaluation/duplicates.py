"""Users who wrote the same: nearly, by MinHash, and exactly, across the folds."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Sequence
from hashlib import blake2b
from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation.splits import Fold
from sklearn_profiling.exceptions import DataQualityWarning, SourceError, shortened
from sklearn_profiling.sources._columns import as_users, read_messages

__all__ = ["near_duplicates", "rows_of_shared_text", "warn_of_shared_text"]

Hashes = NDArray[np.uint64]

_WORD = re.compile(r"\w+")
_OWNER = type("near_duplicates", (), {})()
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_EMPTY = np.uint64(2**64 - 1)
_RECALL = 0.99


def near_duplicates(
    X: Any,
    threshold: float = 0.8,
    *,
    column: str = "messages",
    shingles: Literal["characters", "words"] = "characters",
    shingle_size: int | None = None,
    n_hashes: int = 128,
    random_state: RandomState = 0,
) -> NDArray[np.int64]:
    """Group users whose messages are nearly the same.

    Two users are near duplicates if the Jaccard similarity of their sets of shingles
    (overlapping runs of characters or words of one message) reaches the threshold. A
    group holds all who are connected by such pairs. Give the result as ``groups`` to
    :func:`compare`, :class:`MultiTaskStratifiedGroupKFold` or
    :func:`multi_task_train_test_split`, so that no copy of a training user is tested.

    Parameters
    ----------
    X : DataFrame, Series or list
        Users, with a column of messages, or that column alone: one list of str each.
    threshold : float, default=0.8
        Least similarity, in (0, 1]. The default is the usual one of web crawls.
    column : str, default="messages"
        Column of ``X`` with the messages.
    shingles : {"characters", "words"}, default="characters"
        Runs of which units. Characters suit every language; words are what spaces and
        punctuation separate.
    shingle_size : int, default=None
        Units in a shingle. None is 5 characters or 3 words, our choice.
    n_hashes : int, default=128
        Size of the signature, 8 at least; the standard error of a similarity s is
        about ``sqrt(s (1 - s) / n_hashes)``.
    random_state : int, RandomState instance or None, default=0
        Decides the hash function.

    Returns
    -------
    ndarray of int64, shape (n_users,)
        Group of each user, numbered in the order of the first user. A user without
        near duplicates, or without text, is a group of one.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    SourceError
        If a user's messages are none, or the column is absent.

    See Also
    --------
    MultiTaskStratifiedGroupKFold : Folds that keep groups together.

    Notes
    -----
    Case, white space and compatibility forms of characters are not told apart, and the
    order of the messages does not count. One hash function with ``n_hashes`` bins
    takes the place of as many functions, so that the time is linear in the text; empty
    bins are filled by optimal densification [2]_. Users that agree in a band of the
    signature are compared; the bands are as wide as lets 99 % of the pairs at the
    threshold meet.

    References
    ----------
    .. [1] A. Broder, "On the resemblance and containment of documents", SEQUENCES
       1997.
    .. [2] A. Shrivastava, "Optimal Densification for Fast and Accurate Minwise
       Hashing", ICML 2017.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import near_duplicates
    >>> messages = [
    ...     ["The sea is calm to-night.", "The tide is full."],
    ...     ["I wandered lonely as a cloud"],
    ...     ["the tide is full.", "The sea is calm to-night!"],
    ...     None,
    ... ]
    >>> near_duplicates(messages)
    array([0, 1, 0, 2])
    """
    _check_parameters(threshold, shingles, shingle_size, n_hashes)
    width = shingle_size or {"characters": 5, "words": 3}[shingles]
    seed = np.uint64(derive_seed(random_state))
    cells = _messages_of(X, column)
    signatures = np.full((len(cells), n_hashes), _EMPTY)
    for row, messages in enumerate(cells):
        units = _units(messages, shingles, width)
        found = _shingle_hashes(units, width, seed)
        # A bin keeps the least hash of those that fall into it.
        np.minimum.at(signatures[row], found % np.uint64(n_hashes), found)
    with_text = np.flatnonzero((signatures != _EMPTY).any(axis=1))
    _densify(signatures, with_text)
    # Copies are compared once.
    unique, of_unique = np.unique(signatures[with_text], axis=0, return_inverse=True)
    groups = _linked(unique, threshold)[of_unique.ravel()]
    labels = np.arange(len(cells)) + len(groups)
    labels[with_text] = groups
    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)


def _check_parameters(
    threshold: Any, shingles: Any, shingle_size: Any, n_hashes: Any
) -> None:
    if not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        msg = f"threshold must lie in (0, 1]; got {shortened(threshold)}"
        raise ValueError(msg)
    if shingles not in ("characters", "words"):
        msg = f"shingles must be 'characters' or 'words'; got {shortened(shingles)}"
        raise ValueError(msg)
    least = {"shingle_size": (shingle_size, 1), "n_hashes": (n_hashes, 8)}
    for name, (value, smallest) in least.items():
        if value is None and name == "shingle_size":
            continue
        if not isinstance(value, Integral) or value < smallest:
            msg = f"{name} must be an integer of {smallest} at least; "
            raise ValueError(msg + f"got {shortened(value)}")


def _messages_of(X: Any, column: str) -> list[list[str]]:
    """Return the messages of every user."""
    users = as_users(X, [column])
    if column not in users:
        msg = f"near_duplicates reads the column {column!r}; X has {list(users)}"
        raise SourceError(msg)
    return read_messages(users[column], _OWNER)


def _units(messages: list[str], shingles: str, width: int) -> Hashes:
    """Return characters or words as numbers, each message ended by zeros."""
    ends = np.zeros(width, dtype=np.uint64)
    parts: list[Hashes] = []
    for message in messages:
        text = message if message.isascii() else unicodedata.normalize("NFKC", message)
        text = text.casefold()
        if shingles == "words":
            words = [_digest(word) for word in _WORD.findall(text)]
            codes = np.array(words, dtype=np.uint64)
        else:
            encoded = " ".join(text.split()).encode("utf-32-le", "surrogatepass")
            codes = np.frombuffer(encoded, dtype="<u4").astype(np.uint64)
        parts += [codes, ends]
    return np.concatenate([ends[:0], *parts])


def _digest(text: str) -> int:
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "little")


def _shingle_hashes(units: Hashes, width: int, seed: np.uint64) -> Hashes:
    """Hash the runs that begin with a unit; short messages are padded with zeros."""
    if not len(units):
        return units
    starts = np.flatnonzero(units[: len(units) - width + 1])
    hashes = np.full(len(starts), seed)
    for offset in range(width):
        hashes = _mixed(hashes + units[starts + offset])
    return hashes


def _mixed(values: Hashes) -> Hashes:
    """Spread the bits, as splitmix64 does."""
    values = values + _FACTOR
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _densify(signatures: Hashes, rows: NDArray[np.int64]) -> None:
    """Fill the empty bins of users with text from bins that a hash chooses."""
    n_hashes = np.uint64(signatures.shape[1])
    empty_rows, empty = np.nonzero(signatures[rows] == _EMPTY)
    empty_rows = rows[empty_rows]
    filled = signatures.copy()
    chosen = empty.astype(np.uint64)
    while len(empty):
        chosen = _mixed(chosen)
        taken = signatures[empty_rows, chosen % n_hashes]
        filled[empty_rows, empty] = taken
        left = taken == _EMPTY
        empty_rows, empty, chosen = empty_rows[left], empty[left], chosen[left]
    signatures[:] = filled


def _rows_per_band(threshold: float, n_hashes: int) -> int:
    """Find the widest band in which pairs at the threshold still meet."""
    chances = [
        1 - (1 - threshold**rows) ** (n_hashes // rows)
        for rows in range(1, n_hashes // 2 + 1)
    ]
    enough = [rows for rows, chance in enumerate(chances, 1) if chance >= _RECALL]
    return max(enough, default=1)


def _linked(signatures: Hashes, threshold: float) -> NDArray[np.int64]:
    """Return each user's component, linked by pairs at or above the threshold."""
    n_users, n_hashes = signatures.shape
    width = _rows_per_band(threshold, n_hashes)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, n_hashes - width + 1, width):
        band = np.full(n_users, np.uint64(start))
        for values in signatures[:, start : start + width].T:
            band = _mixed(band + values)
        order = np.argsort(band, kind="stable")
        ends = np.flatnonzero(np.diff(band[order])) + 1
        pairs += [
            _similar_pairs(signatures, bucket, threshold)
            for bucket in np.split(order, ends)
            if len(bucket) > 1
        ]
    found = np.concatenate(pairs)
    links = coo_matrix((np.ones(len(found)), found.T), shape=(n_users, n_users))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _similar_pairs(
    signatures: Hashes, bucket: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    """Link the users of a bucket, each to one at least that it resembles."""
    pairs = []
    left = bucket
    reached: list[int] = []
    while len(left):
        if not reached:
            reached, left = [int(left[0])], left[1:]
        user = reached.pop()
        alike = (signatures[left] == signatures[user]).mean(axis=1) >= threshold
        pairs += [(user, int(other)) for other in left[alike]]
        reached += left[alike].tolist()
        left = left[~alike]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def warn_of_shared_text(X: Any, folds: Sequence[Fold]) -> None:
    """Warn of tested users whose very messages are those of a training user."""
    shared = rows_of_shared_text(X, folds)
    if shared:
        warnings.warn(
            f"{len(shared)} users are tested by models that were trained on a user "
            f"with the same messages, the first in row {min(shared)}: scores look "
            "better than they are. Give groups=near_duplicates(X) (of "
            "sklearn_profiling.evaluation) to keep such users together",
            DataQualityWarning,
            stacklevel=3,
        )


def rows_of_shared_text(X: Any, folds: Sequence[Fold]) -> set[int]:
    """Find tested users whose very messages are those of a training user.

    Of a table with a column ``messages``; users without text are left out.
    """
    X = as_pandas(X)
    if not isinstance(X, pd.DataFrame) or not X.columns.is_unique:
        return set()
    if "messages" not in X or X["messages"].dtype.kind != "O":
        return set()
    texts = read_messages(X["messages"], _OWNER)
    codes = np.array(
        [
            _digest("\0".join(messages)) if any(m.strip() for m in messages) else 0
            for messages in texts
        ],
        dtype=np.uint64,
    )
    return {
        row
        for fold in folds
        for row in fold.test[np.isin(codes[fold.test], codes[fold.train])].tolist()
        if codes[row]
    }
