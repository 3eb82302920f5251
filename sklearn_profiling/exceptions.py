"""Errors and warnings of this package.

::

    Exception
    └── ProfilingError
        ├── DataFormatError          (ValueError)   a file or table breaks its format
        ├── GraphError               (ValueError)   edges, weights or ids of a network
        ├── SourceError              (ValueError)   a user's text, vectors or images
        ├── TargetError              (ValueError)   labels: kinds, tasks, classes
        ├── VocabularyMismatchError  (ValueError)   encoded with another vocabulary
        └── MissingDependencyError   (ImportError)  an optional package is missing
    UserWarning
    └── ProfilingWarning
        └── DataQualityWarning                      counted and left out

Each error also derives from the built-in class named in brackets, so code that
catches ``ValueError`` keeps working.
"""

from __future__ import annotations

from os import PathLike, fspath

__all__ = [
    "DataFormatError",
    "DataQualityWarning",
    "GraphError",
    "MissingDependencyError",
    "ProfilingError",
    "ProfilingWarning",
    "SourceError",
    "TargetError",
    "VocabularyMismatchError",
]


def shortened(value: object, limit: int = 60) -> str:
    """Return the repr of what was given, cut to `limit` characters, for messages."""
    if getattr(value, "ndim", 1) == 0 and hasattr(value, "item"):
        value = value.item()  # numpy's 7, whose repr is np.int64(7)
    # a text is cut first: a message may be long, and its repr four times longer
    text = repr(value[: limit + 1] if isinstance(value, str | bytes) else value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


class ProfilingError(Exception):
    """Base class of this package's errors."""


class DataFormatError(ProfilingError, ValueError):
    """A file breaks its format.

    Parameters
    ----------
    path : str or path-like
        The file.
    line : int or None
        The line, counted from 1; None if the fault has no line.
    reason : str
        What is wrong, what is allowed and what was found.

    Attributes
    ----------
    path, line, reason
        As given.
    """

    def __init__(
        self, path: str | PathLike[str], line: int | None, reason: str
    ) -> None:
        self.path = fspath(path)
        self.line = line
        self.reason = reason
        place = self.path if line is None else f"{self.path}, line {line}"
        super().__init__(f"{place}: {reason}")

    def __reduce__(self) -> tuple[type[DataFormatError], tuple[object, ...]]:
        # The default rebuilds from the formatted message alone and fails, which
        # would hide the error when it crosses a process border.
        return type(self), (self.path, self.line, self.reason)


class GraphError(ProfilingError, ValueError):
    """The edges, weights or ids of a network are not usable."""


class SourceError(ProfilingError, ValueError):
    """A source of a user (text, vectors, images) is not usable."""


class TargetError(ProfilingError, ValueError):
    """The labels are not usable: their kind, their tasks or their classes."""


class VocabularyMismatchError(ProfilingError, ValueError):
    """Text was encoded with a vocabulary other than the one seen in ``fit``."""


class MissingDependencyError(ProfilingError, ImportError):
    """An optional package is needed and not installed."""


class ProfilingWarning(UserWarning):
    """Base class of this package's warnings."""


class DataQualityWarning(ProfilingWarning):
    """Something in the data was counted and left out."""
