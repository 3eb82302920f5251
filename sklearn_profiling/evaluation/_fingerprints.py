"""Fingerprints: equal values have equal ones, in every process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import FunctionType
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy import sparse

_NO_MATTER = frozenset({"checkpoint", "memory", "n_jobs", "verbose"})
"""Parameters that change the time or the output of a fit, and no result.

A class for which one of them does change the result names it in its attribute
``_result_parameters``.
"""


def fingerprint(value: Any) -> str:
    """Hash estimators, tables, arrays, labels and containers of them by value.

    Estimators count by class and parameters, functions by name, everything unknown by
    its pickle; a ValueError if it has neither. Returns 32 hexadecimal digits.
    """
    digest = blake2b(digest_size=16)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Add one value, with its kind and length, so that no two readings collide."""
    if isinstance(value, str):
        encoded = value.encode("utf-8", "surrogatepass")
        digest.update(b"s%d:" % len(encoded) + encoded)
    elif value is None or value is pd.NA or value is pd.NaT:
        digest.update(b"N;")
    elif isinstance(value, bool | int | float | complex | bytes | np.generic):
        _feed_number(digest, value)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(f"a{value.dtype.str}{value.shape}:".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, list | tuple):
        digest.update(b"l%d:" % len(value))
        for item in value:
            _feed(digest, item)
    elif sparse.issparse(value):
        _feed_sparse(digest, value)
    else:
        _feed_composite(digest, value)


def _feed_number(digest: Any, value: Any) -> None:
    item = value.item() if isinstance(value, np.generic) else value
    # A missing cell is None in one column and NaN in another.
    digest.update(b"N;" if item != item else f"n{item!r};".encode())


def _feed_composite(digest: Any, value: Any) -> None:
    """Add a value that is made of others."""
    if isinstance(value, set | frozenset):
        digest.update(f"u{sorted(fingerprint(item) for item in value)};".encode())
    elif isinstance(value, np.ndarray):
        digest.update(f"o{value.shape}:".encode())
        _feed(digest, value.ravel().tolist())
    elif isinstance(value, Mapping):
        digest.update(b"m%d:" % len(value))
        for key, item in value.items():
            _feed(digest, key)
            _feed(digest, item)
    elif isinstance(value, pd.DataFrame):
        # By column, whatever the blocks and string types inside are; rows are known
        # by position, so the index does not count.
        digest.update(b"t%d:" % value.shape[1])
        for position, name in enumerate(value.columns):
            _feed(digest, str(name))
            _feed(digest, value.iloc[:, position].tolist())
    elif isinstance(value, pd.Series | pd.Index):
        _feed(digest, str(value.name))
        _feed(digest, value.tolist())
    elif hasattr(value, "get_params") and not isinstance(value, type):
        _feed_estimator(digest, value)
    elif isinstance(value, type | FunctionType):
        _feed(digest, _name_of(value))
    else:
        _feed(digest, _hash_of_pickle(value))


def _feed_estimator(digest: Any, value: Any) -> None:
    parameters = value.get_params(deep=False)
    _feed(digest, _name_of(type(value)))
    left_out = _NO_MATTER - getattr(value, "_result_parameters", frozenset())
    kept = {name: parameters[name] for name in sorted(parameters.keys() - left_out)}
    _feed(digest, kept)
    for each in kept.values():
        _feed_files(digest, each)


def _feed_files(digest: Any, value: Any) -> None:
    """Add what lies at the path that a parameter names, such as a dictionary."""
    if isinstance(value, str) and not (os.sep in value or "." in value):
        return  # a choice such as "auto", and no path
    path = Path(value) if isinstance(value, str | os.PathLike) else None
    # a name may be too long for a path, or hold what no path may
    with suppress(OSError, ValueError):
        if path is not None and path.is_file():
            digest.update(blake2b(path.read_bytes()).digest())
        elif path is not None and path.is_dir():
            # of a model, whose files are large
            for each in sorted(path.iterdir()):
                seen = each.stat()
                _feed(digest, [each.name, seen.st_size, seen.st_mtime_ns])


def _feed_sparse(digest: Any, value: Any) -> None:
    """Add a sparse matrix by its entries: its pickle depends on how it was made."""
    entries = sparse.coo_array(value, copy=True)
    entries.sum_duplicates()
    _feed(digest, ["sparse", entries.shape, entries.data])
    _feed(digest, [axis.astype(np.int64) for axis in entries.coords])


def _name_of(value: type | FunctionType) -> str:
    if "<" in value.__qualname__:
        msg = (
            f"{value.__qualname__} of {value.__module__} cannot be told from others by "
            "its name; define it at the top level of a module"
        )
        raise ValueError(msg)
    return f"{value.__module__}.{value.__qualname__}"


def _hash_of_pickle(value: Any) -> str:
    try:
        return str(joblib.hash(value))
    # Pickle has no error of its own for what cannot be pickled.
    except Exception as error:
        msg = (
            f"{type(value).__name__} cannot be hashed, since it has no pickle: {error}"
        )
        raise ValueError(msg) from error
