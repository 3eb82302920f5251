"""Files in which a training is saved after each step, and which end with it."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from sklearn_profiling._store import Key, Store, read_checked, write_checked
from sklearn_profiling._writing import check_writable
from sklearn_profiling.exceptions import ProfilingWarning

__all__ = ["Checkpoint", "check_checkpoint", "load_arrays", "save_arrays"]

State = TypeVar("State")
Arrays = Sequence[npt.NDArray[Any]]

# Files written since belong to trainings beside this one, as of the folds of a search.
_STARTED: Final = time.time()


def check_checkpoint(owner: Any) -> None:
    """Refuse a `checkpoint` folder that cannot be written to, before any work."""
    folder = getattr(owner, "checkpoint", None)  # not all classes have it
    if folder is not None:
        check_writable(Path(folder), "checkpoint", folder=True)


class Checkpoint:
    """The file of one training in a folder; removed when the training is complete.

    Its name is the class that is trained and a hash of all that decides the result,
    the `key`, so another training never takes it. A damaged file, and a folder that
    cannot be written to any more, are told once and cost no result.
    """

    def __init__(self, folder: str | os.PathLike[str], owner: str, key: Key) -> None:
        self.owner = owner
        self._store = Store(Path(folder))
        path = self._store.path({**key, "owner": owner}, ".checkpoint")
        self.path = path.with_name(f"{owner}-{path.name}")

    @classmethod
    def of(cls, trained: Any, key: Callable[[], Key]) -> Checkpoint | None:
        """Open the folder of the parameter `checkpoint`, if it has one.

        Without a seed a training is never found again, which is told.
        """
        folder = getattr(trained, "checkpoint", None)
        if folder is None:
            return None
        owner = type(trained).__name__
        if not isinstance(trained.random_state, int | np.integer):
            msg = (
                f"{owner}: no checkpoint is saved, since random_state is "
                f"{trained.random_state!r}: only an int lets a training be found again"
            )
            warnings.warn(msg, ProfilingWarning, stacklevel=4)
            return None
        return cls(folder, owner, key())

    def load(self, read: Callable[[IO[bytes]], State]) -> State | None:
        """Read the state of the last step; None if there is none that is whole."""
        if not self.path.exists():
            self._tell_of_others()
            return None
        try:
            return read_checked(self.path, read)
        except OSError as error:
            msg = f"{error}; {self.owner} is trained from the start"
            warnings.warn(msg, ProfilingWarning, stacklevel=4)
            return None

    def save(self, write: Callable[[IO[bytes]], object]) -> None:
        """Replace the state."""
        try:
            with write_checked(self.path) as stream:
                write(stream)
        except (OSError, RuntimeError) as error:  # torch's where a disk is full
            self._store.tell_unusable(error)

    def remove(self) -> None:
        """Remove the file: the training is complete."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _tell_of_others(self) -> None:
        others = []
        for path in self.path.parent.glob(f"{self.owner}-*.checkpoint"):
            with suppress(OSError):  # of a training beside this one, complete by now
                if path.stat().st_mtime < _STARTED:
                    others.append(path.name)
        if others:
            msg = (
                f"{self.path.parent} holds {len(others)} checkpoints of {self.owner} "
                "that this training does not use, since parameters, data or packages "
                f"are others: {sorted(others)[0]}; they are left there"
            )
            warnings.warn(msg, ProfilingWarning, stacklevel=5)


def save_arrays(stream: IO[bytes], arrays: Arrays, plain: Mapping[str, Any]) -> None:
    """Write arrays, and what JSON can hold, to a checkpoint."""
    text = np.frombuffer(json.dumps(plain).encode(), np.uint8)
    for array in (text, *arrays):
        np.save(stream, array)


def load_arrays(stream: IO[bytes], arrays: Arrays) -> dict[str, Any]:
    """Read into arrays what :func:`save_arrays` wrote; return the rest."""
    plain: dict[str, Any] = json.loads(np.load(stream).tobytes())
    for array in arrays:
        array[...] = np.load(stream)
    return plain
