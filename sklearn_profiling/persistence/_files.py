"""Model files: one safetensors file whose every byte is checked before it is used."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
from safetensors.numpy import save as to_bytes
from sklearn.base import BaseEstimator

from sklearn_profiling import __version__
from sklearn_profiling._writing import check_writable, write_atomically
from sklearn_profiling.evaluation._fingerprints import fingerprint
from sklearn_profiling.exceptions import DataFormatError, ProfilingError
from sklearn_profiling.persistence._codec import Decoder, Encoder
from sklearn_profiling.persistence._limits import BoundedTensors

__all__ = ["load", "read_manifest", "save"]

FORMAT_VERSION: Final = 1
_MANIFEST: Final = "sklearn_profiling"
_DIGEST: Final = "digest"
_STATE: Final = "state"
_PACKAGES: Final = (
    *("sklearn_profiling", "numpy", "scipy", "pandas", "scikit-learn", "torch"),
    *("skorch", "transformers", "tokenizers"),
)


def save(
    model: Any,
    path: str | os.PathLike[str],
    *,
    data: Any = None,
    keep_graphs: bool = False,
) -> None:
    """Write a model to one file, which :func:`load` reads without running its code.

    The file is a safetensors file: arrays as they are, everything else as JSON, and a
    manifest with versions and checksums. It takes the place of an old one whole or
    not at all.

    Parameters
    ----------
    model : estimator, Pipeline, or dict, list or tuple of such
        What to write, fitted or not: estimators, transformers and containers of this
        package, scikit-learn's estimators whose state is numbers, texts and arrays,
        and Pipelines of them.
    path : str or path-like
        The file to write; its folder is made.
    data : object, default=None
        What the model was fitted on, such as ``(X, y)``. The manifest keeps its
        fingerprint alone.
    keep_graphs : bool, default=False
        Whether the network is stored where only ``fit`` reads it: the parameter
        ``graph`` of :class:`~sklearn_profiling.sources.LINEEmbedding`,
        :class:`~sklearn_profiling.baselines.PropagatedLabels` and
        :class:`~sklearn_profiling.pipelines.AutoSources`. By default it is None in
        the loaded model, which predicts the same and is given the network by
        ``set_params`` before it is fitted again.

    Raises
    ------
    ProfilingError
        If the model holds what the format does not know; the message names the class
        and the attribute.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read the file.

    Notes
    -----
    Folders of caches and checkpoints (``memory``, ``checkpoint``) are not
    stored; they are None in the loaded model. Models that were given as folders are
    found there again: only the path is stored.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.persistence import load, save
    >>> texts = [["good tea"], ["old wine"], ["green tea"], ["red wine"]]
    >>> model = make_tfidf_baseline().fit(texts, ["tea", "wine", "tea", "wine"])
    >>> with TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/model.safetensors")
    ...     loaded = load(f"{folder}/model.safetensors")
    >>> loaded.predict([["black tea"]])
    array(['tea'], dtype=object)
    """
    file = Path(path)
    check_writable(file, "path")
    encoder = Encoder(keep_graphs=keep_graphs)
    try:
        root = encoder.encode(model)
    except RecursionError as error:
        msg = "the model is nested too deeply to be saved"
        raise ProfilingError(msg) from error
    state = {"root": root, "nodes": encoder.nodes, "classes": encoder.classes}
    text = json.dumps(state, allow_nan=False, separators=(",", ":"))
    arrays = {_STATE: np.frombuffer(text.encode(), np.uint8), **encoder.arrays}
    manifest = {
        "format": FORMAT_VERSION,
        "versions": _versions(),
        "class": f"{type(model).__module__}.{type(model).__qualname__}",
        "classes": encoder.classes,
        "tasks": _tasks_of(model),
        "data": None if data is None else fingerprint(data),
        "checksums": {name: _checksum(array) for name, array in arrays.items()},
    }
    written = json.dumps(manifest)
    metadata = {_MANIFEST: written, _DIGEST: _digest(written.encode())}
    content = to_bytes(arrays, metadata=metadata)
    with write_atomically(file) as stream:
        stream.write(content)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model that :func:`save` wrote, without running code of the file.

    Each byte is checked before it is used. Objects are built of classes that this
    package lists, and only of those; nothing is unpickled and nothing else imported.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    object
        The model, which predicts what it predicted before.

    Raises
    ------
    DataFormatError
        If the file is damaged, no model file, of a newer format, or names a class
        that is not allowed.

    See Also
    --------
    save : Write the file.
    read_manifest : Look at a file without building the model.

    Examples
    --------
    See :func:`save`.
    """
    file = Path(path)
    manifest, arrays = _read(file)
    try:
        _check_arrays(arrays, manifest["checksums"])
        state = json.loads(arrays[_STATE].tobytes())
        decoder = Decoder(state["nodes"], state["classes"], arrays)
        n_bytes = sum(array.nbytes for array in arrays.values())
        with BoundedTensors(n_bytes, len(arrays)):
            return decoder.decode(state["root"])
    except ImportError:  # an optional package is missing
        raise
    except ProfilingError as error:
        raise DataFormatError(file, None, str(error)) from error
    except Exception as error:  # a file may hold anything
        reason = f"the model cannot be read: {type(error).__name__}: {error!s:.200}"
        raise DataFormatError(file, None, reason) from error


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a model file says of itself, without building the model.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    dict
        ``format``, the version of the format; ``versions`` of the packages that wrote
        it; ``class`` of the model and ``classes`` within it; ``tasks``, the labels of
        each as text; ``data``, the fingerprint given to :func:`save`; and
        ``checksums`` of the arrays.

    Raises
    ------
    DataFormatError
        If the file is damaged, no model file or of a newer format.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.persistence import read_manifest, save
    >>> from sklearn_profiling.sources import WordSegmenter
    >>> with TemporaryDirectory() as folder:
    ...     save(WordSegmenter(), f"{folder}/words.safetensors")
    ...     manifest = read_manifest(f"{folder}/words.safetensors")
    >>> manifest["format"], manifest["classes"]
    (1, ['sklearn_profiling.sources.WordSegmenter'])
    """
    manifest, _ = _read(Path(path), arrays=False)
    return manifest


def _read(path: Path, *, arrays: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a file: its manifest, which is checked, and its arrays, which are not."""
    if not path.is_file():
        kind = "no file" if path.exists() else "there is no such file"
        raise DataFormatError(path, None, kind)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            manifest = _checked(path, file.metadata() or {})
            names = file.keys() if arrays else ()
            return manifest, {name: file.get_tensor(name) for name in names}
    except DataFormatError:
        raise
    except Exception as error:  # safetensors has an error of its own, and OSErrors
        reason = f"no model file, or a damaged one ({error!s:.200})"
        with path.open("rb") as stream:
            start = stream.read(1)
        if start in (b"\x80", b"x"):  # of pickle, and of zlib as joblib writes it
            reason = (
                "no model file; a pickle runs the code that it holds, so none is read. "
                "Fit the model again and write it with sklearn_profiling.persistence"
            )
        raise DataFormatError(path, None, reason) from error


def _checked(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest of a file, whose digest must fit and format be known."""
    if _MANIFEST not in metadata:
        reason = "no model file of sklearn_profiling, but other arrays, or damaged"
        raise DataFormatError(path, None, reason)
    text = metadata[_MANIFEST]
    if _digest(text.encode()) != metadata.get(_DIGEST):
        raise DataFormatError(path, None, "damaged: the manifest's checksum is wrong")
    manifest: dict[str, Any] = json.loads(text)
    if manifest["format"] > FORMAT_VERSION:
        reason = (
            f"a model file of format {manifest['format']}, written by "
            f"sklearn_profiling {manifest['versions']['sklearn_profiling']}; version "
            f"{__version__} reads formats up to {FORMAT_VERSION}. Install a newer one"
        )
        raise DataFormatError(path, None, reason)
    return manifest


def _check_arrays(arrays: Mapping[str, Any], checksums: Mapping[str, str]) -> None:
    for name, checksum in checksums.items():
        if _checksum(arrays[name]) != checksum:
            msg = f"the checksum of its array {name!r:.60} is wrong"
            raise ValueError(msg)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _checksum(array: Any) -> str:
    digest = blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # optional
            continue
    return {**found, "sklearn_profiling": __version__}


def _tasks_of(model: Any) -> dict[str, list[str]] | None:
    """List the classes of each task as text; None for what has no tasks."""
    if isinstance(model, dict | list | tuple):
        parts = model.values() if isinstance(model, dict) else model
        models = [each for each in parts if isinstance(each, BaseEstimator)]
        return next((found for each in models if (found := _tasks_of(each))), None)
    try:
        names, classes = model.task_names_, model.classes_
    except AttributeError:
        steps = getattr(model, "steps", None)
        return _tasks_of(steps[-1][1]) if steps else None
    if isinstance(classes, Mapping):
        classes = [classes[name] for name in names]
    several = classes if isinstance(classes, list | tuple) else [classes]
    return {
        str(name): [str(each) for each in own]
        for name, own in zip(names, several, strict=True)
    }
