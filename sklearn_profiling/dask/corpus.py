"""Words of a corpus that is larger than memory, with one vocabulary for all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.containers._ragged import segment_ids
from sklearn_profiling.dask._partitions import (
    check_column,
    current_client,
    id_columns,
    map_partitions,
)
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources import FrequentWords
from sklearn_profiling.sources.text.averaging import user_word_counts
from sklearn_profiling.sources.text.segmentation import default_segmenter
from sklearn_profiling.sources.text.vocabulary import most_frequent

__all__ = ["fit_vocabulary", "segment", "word_counts"]

_PARTITIONS_PER_COUNT = 8
"""Partitions whose words are counted in one of the result."""


def word_counts(
    frame: Any, text_column: str = "messages", *, segmenter: Any = None
) -> Any:
    """Count the words of a corpus, partition by partition.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, one row each.
    text_column : str, default="messages"
        Column with the messages of each user.
    segmenter : transformer, default=None
        From messages to words. None is
        :class:`~sklearn_profiling.sources.WordSegmenter`.

    Returns
    -------
    dask.dataframe.DataFrame of shape (n_words, 2)
        Index ``"word"``, in no order; columns ``"count"``, how often a word was
        written, and ``"users"``, by how many users.

    Raises
    ------
    SourceError
        If `frame` is no Dask DataFrame or there is no such column. When computed, if a
        cell does not hold messages.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    fit_vocabulary : The frequent words alone, on this machine.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_profiling import dask as on_dask
    >>> users = pd.DataFrame({"messages": ["red tea", "tea and tea", None]})
    >>> counts = on_dask.word_counts(dd.from_pandas(users, npartitions=2))
    >>> counts.compute(scheduler="synchronous").loc["tea"].tolist()
    [3, 2]
    """
    check_column(frame, text_column, "text_column")
    columns = {"word": "string[pyarrow]", "count": "int64", "users": "int64"}
    text = frame[[text_column]]
    by_part = map_partitions(text, _count, _checked(segmenter), columns, [])
    n_parts = max(1, frame.npartitions // _PARTITIONS_PER_COUNT)
    # "p2p" keeps what is on its way on the workers' disks
    method = "tasks" if current_client() is None else "p2p"
    return by_part.groupby("word", sort=False).sum(
        split_out=n_parts, shuffle_method=method
    )


def fit_vocabulary(
    frame: Any,
    text_column: str = "messages",
    *,
    segmenter: Any = None,
    min_count: int = 1,
    max_words: int | None = None,
) -> Vocabulary:
    """Learn the vocabulary of a corpus that is larger than memory.

    The first of two passes: words are counted by partition and the counts added up on
    the workers, which keep them on their disks until then. The second is
    :func:`segment`, which needs the vocabulary of all.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, one row each.
    text_column : str, default="messages"
        Column with the messages of each user.
    segmenter : transformer, default=None
        As for :func:`word_counts`.
    min_count : int, default=1
        Rarer words are left out, before any comes to this machine.
    max_words : int, default=None
        At most that many words, the most frequent; None for no limit.

    Returns
    -------
    Vocabulary
        The words, the most frequent first, as
        :class:`~sklearn_profiling.sources.FrequentWords` learns them from all users at
        once.

    Raises
    ------
    SourceError
        As for :func:`word_counts`, and if no word is frequent enough.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    segment : The text with this vocabulary.

    Examples
    --------
    >>> import dask
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_profiling import dask as on_dask
    >>> users = pd.DataFrame({"messages": ["red tea", "tea and tea", None]})
    >>> frame = dd.from_pandas(users, npartitions=2)
    >>> with dask.config.set(scheduler="synchronous"):
    ...     on_dask.fit_vocabulary(frame).words
    ('tea', 'and', 'red')
    """
    FrequentWords(min_count=min_count, max_words=max_words)._validate_params()  # noqa: SLF001 - the same parameters
    counts = word_counts(frame, text_column, segmenter=segmenter)["count"]
    kept = counts[counts >= min_count].compute()
    if not len(kept):
        msg = (
            f"no word of the column {text_column!r} occurs at least "
            f"min_count={min_count} times. Lower min_count or give more text"
        )
        raise SourceError(msg)
    return most_frequent(kept.index.tolist(), kept.to_numpy(), max_words)


def segment(
    frame: Any,
    vocabulary: Any,
    text_column: str = "messages",
    *,
    segmenter: Any = None,
    id_column: str | None = None,
    counts: bool = False,
) -> Any:
    """Write a corpus with one vocabulary, partition by partition.

    One row a word, or a word and user, since no list is needed for that: such tables
    are read and written by any library.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, one row each.
    vocabulary : Vocabulary
        The words to write, from :func:`fit_vocabulary`; others are left out. Each
        worker gets it once.
    text_column : str, default="messages"
        Column with the messages of each user.
    segmenter : transformer, default=None
        As for :func:`word_counts`; that of :func:`fit_vocabulary`.
    id_column : str or None, default=None
        Column with the ids of the users. None is ``"user_id"`` where there is one.
    counts : bool, default=False
        Whether to count the words of each user in place of listing them in order.

    Returns
    -------
    dask.dataframe.DataFrame
        The index and the ids of `frame` at each row, with ``"message"``, the number of
        the message among those of the user that hold a known word, and ``"word"``, the
        position in the vocabulary; with `counts`, ``"word"``, in order, and
        ``"count"``. Users without a known word have no row.

    Raises
    ------
    SourceError
        As for :func:`word_counts`, and if `vocabulary` is none.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    fit_vocabulary : Learns the vocabulary of all partitions.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_profiling import dask as on_dask
    >>> from sklearn_profiling.containers import Vocabulary
    >>> users = pd.DataFrame({"messages": ["red tea", "tea and tea", None]})
    >>> frame = dd.from_pandas(users, npartitions=2)
    >>> words = on_dask.segment(frame, Vocabulary(["tea", "red"]))
    >>> words.compute(scheduler="synchronous")
       message  word
    0        0     1
    0        0     0
    1        0     0
    1        0     0
    """
    if not isinstance(vocabulary, Vocabulary):
        msg = f"vocabulary must be a Vocabulary; got {shortened(vocabulary)}"
        raise SourceError(msg)
    check_column(frame, text_column, "text_column")
    kept = id_columns(frame, id_column)
    columns: dict[str, Any] = {"message": "int32", "word": "int32"}
    work: Callable[..., pd.DataFrame] = _word_rows
    if counts:
        columns = {"word": "int32", "count": "int64"}
        work = _count_rows
    text = frame[[*kept, text_column]]
    work = partial(work, _checked(segmenter), text_column)
    return map_partitions(text, work, vocabulary, columns, kept)


def _checked(segmenter: Any) -> Any:
    """Clone a segmenter, or the default one, after a look at its parameters."""
    return clone(default_segmenter(segmenter)).fit(None)


def _words(segmenter: Any, messages: pd.Series[Any]) -> TokenMessages:
    made = segmenter.transform(messages)
    if isinstance(made, TokenMessages):
        return made
    msg = (
        f"segmenter must make TokenMessages; {type(segmenter).__name__} made "
        f"{type(made).__name__}"
    )
    raise SourceError(msg)


def _count(segmenter: Any, part: pd.DataFrame) -> pd.DataFrame:
    """Count the words of one partition, and the users of each."""
    text = _words(segmenter, part.iloc[:, 0])
    words = pd.array(list(text.vocabulary.words), dtype="string[pyarrow]")
    of_users = user_word_counts(text).indices
    users = np.bincount(of_users, minlength=len(words))
    made = {"word": words, "count": text.word_counts(), "users": users}
    return pd.DataFrame(made, index=np.zeros(len(words), int))


def _word_rows(
    segmenter: Any, column: str, vocabulary: Vocabulary, part: pd.DataFrame
) -> pd.DataFrame:
    """List the words of one partition; the index has the positions of the users."""
    text = _words(segmenter, part[column]).with_vocabulary(vocabulary)
    messages = segment_ids(text.message_starts)
    users = text.word_users()
    numbers = (messages - text.user_starts[users]).astype(np.int32)
    return pd.DataFrame({"message": numbers, "word": text.ids}, index=users)


def _count_rows(
    segmenter: Any, column: str, vocabulary: Vocabulary, part: pd.DataFrame
) -> pd.DataFrame:
    """Count the words of each user of one partition."""
    text = _words(segmenter, part[column]).with_vocabulary(vocabulary)
    counts = user_word_counts(text)
    users = np.repeat(np.arange(len(text)), np.diff(counts.indptr))
    made = {"word": counts.indices, "count": counts.data.astype(np.int64)}
    return pd.DataFrame(made, index=users)
