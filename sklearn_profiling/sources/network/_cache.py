"""An array computed once by however many processes ask for it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from joblib import Memory

from sklearn_profiling.exceptions import ProfilingWarning

Floats = npt.NDArray[np.float32]


def cache_folder(memory: str | os.PathLike[str] | Memory | None) -> Path | None:
    """Find the folder of a scikit-learn ``memory`` parameter.

    Parameters
    ----------
    memory : str, path-like, joblib.Memory or None
        As given by the user.

    Returns
    -------
    Path or None
        The folder for embeddings; None if nothing is to be stored.
    """
    location = memory.location if isinstance(memory, Memory) else memory
    if location is None:
        return None
    return Path(location) / "sklearn_profiling" / "line"


def cached_array(
    folder: Path,
    key: Mapping[str, Any],
    shape: tuple[int, int],
    compute: Callable[[], Floats],
) -> Floats:
    """Load an array, or compute and store it.

    Parameters
    ----------
    folder : Path
        Where arrays lie; made if absent.
    key : mapping
        All that decides the content, as JSON can write it.
    shape : (int, int)
        The shape it must have.
    compute : callable
        Called without arguments if there is no good file. Other processes that
        ask for the same key wait meanwhile.

    Returns
    -------
    float32 ndarray
        The array.
    """
    text = json.dumps(dict(key), sort_keys=True)
    name = blake2b(text.encode(), digest_size=16).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.npy"
    with FileLock(folder / f"{name}.lock"):
        array = _load(path, shape)
        if array is None:
            array = compute()
            _store(path, array)
    return array


def _load(path: Path, shape: tuple[int, int]) -> Floats | None:
    if not path.exists():
        return None
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
        problem = f"shape {array.shape} and type {array.dtype}"
    except (ValueError, EOFError, OSError) as error:
        problem = str(error)
    else:
        if array.shape == shape and array.dtype == np.float32:
            return array
    warnings.warn(
        f"The stored embedding {path} is damaged ({problem}); it is computed anew.",
        ProfilingWarning,
        stacklevel=2,
    )
    return None


def _store(path: Path, array: Floats) -> None:
    # Whoever finds the file finds it whole, even after a crash while writing.
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
        np.save(stream, array)
    Path(stream.name).replace(path)
