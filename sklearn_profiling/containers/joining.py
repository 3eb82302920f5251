"""Users of several containers in one, in memory or in a mapped file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.containers._ragged import Ragged
from sklearn_profiling.containers.image_bags import ImageBags
from sklearn_profiling.containers.messages import TokenMessages
from sklearn_profiling.exceptions import SourceError, shortened

__all__ = ["concatenate"]

Users = TypeVar("Users", TokenMessages, ImageBags)


def concatenate(
    parts: Iterable[Users], *, folder: str | os.PathLike[str] | None = None
) -> Users:
    """Join users of several containers, end to end.

    Parameters
    ----------
    parts : iterable of TokenMessages or of ImageBags
        Texts of one vocabulary and the same parts of speech, or images of one size.
        They are taken one by one.
    folder : str, path-like or None, default=None
        Folder on a disk for word ids and pixels that are larger than memory. They, and
        where users and messages begin, are written part by part into files without a
        name, which are mapped into memory and go with the result. None joins in memory.

    Returns
    -------
    TokenMessages or ImageBags
        All users.

    Raises
    ------
    SourceError
        If there is no part, parts do not fit together, or the folder cannot be used.

    See Also
    --------
    sklearn_profiling.datasets.stream_records : Users of a file in chunks.

    Notes
    -----
    Pickling and hashing, and with them ``n_jobs``, ``memory`` and ``checkpoint``, read
    all that they are given into memory. On Windows the folder cannot be removed before
    the result.

    Examples
    --------
    >>> from sklearn_profiling.containers import concatenate, TokenMessages, Vocabulary
    >>> words = Vocabulary(["tea", "green"])
    >>> chunks = [[["green", "tea"]]], [None, [["tea"]]]
    >>> text = concatenate(TokenMessages.from_lists(c, words) for c in chunks)
    >>> text
    TokenMessages(3 users, 2 messages, 3 words, Vocabulary(2 words, 0 dimensions))
    """
    if isinstance(parts, Ragged):
        msg = (
            "parts must be an iterable of TokenMessages or of ImageBags; got one "
            f"{type(parts).__name__}"
        )
        raise SourceError(msg)
    joined: dict[str, _Joined] = {}
    first: Any = None
    with ExitStack() as files:
        for number, part in enumerate(parts):
            state = _state_of(part, number)
            if first is None:
                first = part
                joined = {
                    name: _Joined(each, _open_nameless(folder, files))
                    for name, each in state.items()
                    if isinstance(each, np.ndarray)
                }
            _check_like_first(first, part, number)
            with _told(folder):
                for name, whole in joined.items():
                    whole.append(state[name], is_starts=name.endswith("_starts"))
        if first is None:
            msg = "parts holds no TokenMessages or ImageBags; at least one is needed"
            raise SourceError(msg)
        with _told(folder):
            arrays = {name: whole.array() for name, whole in joined.items()}
    made: Users = object.__new__(type(first))
    made.__setstate__({**first[:0].__getstate__(), **arrays})
    return made


def _state_of(part: Any, number: int) -> dict[str, Any]:
    if isinstance(part, TokenMessages | ImageBags):
        return part.__getstate__()
    msg = (
        f"parts must be TokenMessages or ImageBags; part {number} is "
        f"{type(part).__name__}"
    )
    raise SourceError(msg)


def _check_like_first(first: Any, part: Any, number: int) -> None:
    """Refuse users whose words or images mean something else."""
    if type(part) is not type(first):
        what = f"is {type(part).__name__}, the first {type(first).__name__}"
    elif isinstance(part, ImageBags) and part.image_shape != first.image_shape:
        what = f"holds images of {part.image_shape}, the first of {first.image_shape}"
    elif not isinstance(part, TokenMessages):
        return
    elif part.vocabulary != first.vocabulary:
        what = (
            f"is written with another vocabulary ({part.vocabulary!r}) than the first "
            f"({first.vocabulary!r}); use one fitted step for all, such as "
            "FrequentWords, or TokenMessages.with_vocabulary"
        )
    elif part.tag_names != first.tag_names:
        what = (
            f"has other parts of speech ({shortened(part.tag_names)}) than the first "
            f"({shortened(first.tag_names)})"
        )
    else:
        return
    msg = f"part {number} of parts {what}"
    raise SourceError(msg)


@contextmanager
def _told(folder: str | os.PathLike[str] | None) -> Iterator[None]:
    """Name the folder in an error of its disk."""
    try:
        yield
    except OSError as error:
        msg = f"folder={str(folder)!r} cannot hold the users: {error}"
        raise SourceError(msg) from error


def _open_nameless(
    folder: str | os.PathLike[str] | None, files: ExitStack
) -> IO[bytes] | None:
    if folder is None:
        return None
    with _told(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return files.enter_context(TemporaryFile(dir=folder))


class _Joined:
    """An array that grows, in memory or in a file."""

    def __init__(self, like: NDArray[Any], file: IO[bytes] | None) -> None:
        self._like = like[:0]
        self._length = self._last = 0
        self._parts: list[NDArray[Any]] = []
        self._file = file

    def append(self, array: NDArray[Any], *, is_starts: bool) -> None:
        """Add rows; starts go on where those before end."""
        if is_starts:
            array = (array[1:] if self._length else array) + self._last
            self._last = int(array[-1]) if len(array) else self._last
        self._length += len(array)
        if self._file is None:
            self._parts.append(array)
        else:
            self._file.write(np.ascontiguousarray(array).view(np.uint8).data)

    def array(self) -> NDArray[Any]:
        """Return all rows: of a file a read-only map, which stays when it is closed."""
        if not self._length:
            return self._like
        if self._file is None:
            return np.concatenate(self._parts)
        self._file.flush()
        shape = (self._length, *self._like.shape[1:])
        return np.memmap(self._file, self._like.dtype, "r", shape=shape)
