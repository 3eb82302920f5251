"""What a model said, kept on disk: vectors and texts found by their content."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from filelock import FileLock
from joblib import Memory
from numpy.typing import NDArray

from sklearn_profiling.sources.images._store import PixelStore

__all__ = ["cached_texts", "cached_vectors", "results_folder"]

Floats = NDArray[np.float32]

# Inputs that a process runs before others get a turn, and the most that a crash loses.
_UNDER_LOCK: Final = 512


def results_folder(memory: str | os.PathLike[str] | Memory | None) -> Path | None:
    """Find the folder of a scikit-learn ``memory`` parameter.

    Parameters
    ----------
    memory : str, path-like, joblib.Memory or None
        As given by the user.

    Returns
    -------
    Path or None
        The folder for what models say; None if nothing is to be stored.
    """
    location = memory.location if isinstance(memory, Memory) else memory
    if location is None:
        return None
    return Path(location) / "sklearn_profiling" / "pretrained"


def cached_vectors(
    folder: Path | None,
    key: Mapping[str, Any],
    digests: Sequence[bytes],
    n_features: int,
    compute: Callable[[list[int]], Floats],
) -> Floats:
    """Look vectors up, and compute and store those that are new.

    Parameters
    ----------
    folder : Path or None
        Folder of all stores; None computes all and writes nothing.
    key : mapping
        All but the inputs that decides the vectors, as JSON can write it.
    digests : sequence of bytes
        16 bytes that stand for each input, each once.
    n_features : int
        Length of a vector.
    compute : callable
        From positions of inputs to their vectors, float32.

    Returns
    -------
    ndarray of float32, shape (n_inputs, n_features)
        The vectors, in the order of the inputs.
    """
    if folder is None or not digests:
        return compute(list(range(len(digests))))
    # Rows of bytes, whatever they mean.
    store = PixelStore(folder, key, (1, n_features, 4))
    for part in _parts(len(digests)):
        with store.lock:
            store.refresh()
            new = [i for i in part if digests[i] not in store]
            if new:
                rows = np.ascontiguousarray(compute(new), np.float32)
                store.append(
                    [digests[i] for i in new],
                    rows.view(np.uint8).reshape(len(new), 1, n_features, 4),
                )
    found = np.ascontiguousarray(store.rows(digests))
    return found.reshape(len(digests), -1).view(np.float32)


def cached_texts(
    folder: Path | None,
    key: Mapping[str, Any],
    digests: Sequence[bytes],
    compute: Callable[[list[int]], list[str]],
) -> list[str]:
    """Look texts up, and compute and store those that are new.

    Parameters
    ----------
    folder : Path or None
        Folder of all stores; None computes all and writes nothing.
    key : mapping
        All but the inputs that decides the texts, as JSON can write it.
    digests : sequence of bytes
        What stands for each input, each once.
    compute : callable
        From positions of inputs to their texts.

    Returns
    -------
    list of str
        The texts, in the order of the inputs.
    """
    if folder is None or not digests:
        return compute(list(range(len(digests))))
    name = blake2b(json.dumps(dict(key), sort_keys=True).encode(), digest_size=16)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.hexdigest()}.jsonl"
    known: dict[str, str] = {}
    for part in _parts(len(digests)):
        with FileLock(path.with_suffix(".lock")):
            known |= _read_lines(path)
            new = [i for i in part if digests[i].hex() not in known]
            if new:
                texts = compute(new)
                lines = {digests[i].hex(): t for i, t in zip(new, texts, strict=True)}
                _append_lines(path, lines)
                known |= lines
    return [known[digest.hex()] for digest in digests]


def _parts(n_inputs: int) -> Iterator[range]:
    for start in range(0, n_inputs, _UNDER_LOCK):
        yield range(start, min(start + _UNDER_LOCK, n_inputs))


def _read_lines(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    # What a writer that did not finish left behind has no end of line.
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
    return dict(json.loads(line) for line in whole)


def _append_lines(path: Path, lines: Mapping[str, str]) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.seek(file.read().rfind(b"\n") + 1)
        file.truncate()
        for entry in lines.items():
            file.write(json.dumps(entry).encode() + b"\n")
