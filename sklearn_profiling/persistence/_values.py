"""Single values that JSON has no word for: ``[tag, parts...]``, all plain."""

from __future__ import annotations

import datetime as dt
import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final
from uuid import UUID

import numpy as np
import pandas as pd
import torch

from sklearn_profiling.persistence._allowed import (
    class_named,
    function_named,
    name_of_class,
    name_of_function,
)

__all__ = ["NODE", "NotPlainError", "dtype_of", "plain_of_value", "value_of_plain"]

NODE: Final = object()
"""Stands for a value that is no single one."""


class NotPlainError(Exception):
    """A single value that cannot be stored; the message says which."""


def _named(name: str | None, value: Any) -> str:
    if name is None:
        msg = f"{value.__module__}.{value.__qualname__}"
        raise NotPlainError(msg)
    return name


def _found(name: str, find: Callable[[str], Any]) -> Any:
    found = find(name)
    if found is None:
        msg = f"{name:.100} is not allowed in a model file"
        raise ValueError(msg)
    return found


def _scalar(dtype: str, data: str) -> Any:
    kind = np.dtype(dtype)
    if kind.hasobject:
        msg = f"dtype {dtype:.60} holds objects"
        raise ValueError(msg)
    return np.frombuffer(b64decode(data), kind, 1)[0]


def _parts_of_datetime(value: dt.datetime) -> list[Any]:
    if not isinstance(value.tzinfo, dt.timezone | None):
        msg = "datetime.datetime with a named time zone"
        raise NotPlainError(msg)
    return [value.isoformat(), value.fold]


def _datetime(text: str, fold: int) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(fold=fold)


def _timestamp(value: int, unit: str, zone: str | None) -> Any:
    made = pd.Timestamp(np.datetime64(value, unit))  # type: ignore[call-overload]
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _plain_end(value: Any) -> Any:
    end = value.item() if isinstance(value, np.integer) else value
    if type(end) not in (int, str, type(None)):
        msg = f"slice at {type(end).__qualname__}"
        raise NotPlainError(msg)
    return end


# More could be a list of as many numbers somewhere, from a file of a few bytes.
_LONGEST_RANGE: Final = 1 << 20


def _parts_of_range(value: range) -> list[Any]:
    if len(value) > _LONGEST_RANGE:
        msg = f"range of more than {_LONGEST_RANGE:,} numbers"
        raise NotPlainError(msg)
    return [value.start, value.stop, value.step]


def _range(start: int, stop: int, step: int) -> range:
    made = range(start, stop, step)
    _parts_of_range(made)
    return made


def _torch_dtype(name: str) -> torch.dtype:
    found = getattr(torch, name)
    if not isinstance(found, torch.dtype):
        msg = f"torch has no dtype {name:.60}"
        raise TypeError(msg)
    return found


def dtype_of(descr: Any) -> np.dtype[Any]:
    """Return the dtype that a file describes; it may hold no objects."""
    if isinstance(descr, list):  # JSON's lists are numpy's tuples
        descr = [tuple(map(_as_tuples, field)) for field in descr]
    found = np.lib.format.descr_to_dtype(descr)
    if found.hasobject:
        msg = f"dtype {descr!s:.60} holds objects"
        raise ValueError(msg)
    return found


def _as_tuples(part: Any) -> Any:
    return tuple(map(_as_tuples, part)) if isinstance(part, list) else part


_Entry = tuple[str, Callable[[Any], list[Any]], Callable[..., Any]]
_BY_KIND: Final[dict[type, _Entry]] = {
    float: ("float", lambda v: [repr(v)], float),
    complex: ("complex", lambda v: [repr(v)], complex),
    bytes: ("bytes", lambda v: [b64encode(v).decode()], b64decode),
    slice: (
        "slice",
        lambda v: [*map(_plain_end, (v.start, v.stop, v.step))],
        slice,
    ),
    range: ("range", _parts_of_range, _range),
    type(pd.NA): ("NA", lambda _: [], lambda: pd.NA),
    type(pd.NaT): ("NaT", lambda _: [], lambda: pd.NaT),
    pd.Timestamp: (
        "Timestamp",
        # the number counts units since 1970 in UTC
        lambda v: [v.as_unit(v.unit)._value, v.unit, v.tz and str(v.tz)],  # noqa: SLF001 - exact, in its unit
        _timestamp,
    ),
    dt.datetime: ("datetime", _parts_of_datetime, _datetime),
    dt.date: (
        "date",
        lambda v: [v.isoformat()],
        dt.date.fromisoformat,
    ),
    Decimal: ("Decimal", lambda v: [str(v)], Decimal),
    UUID: ("UUID", lambda v: [str(v)], UUID),
    torch.dtype: (
        "torch dtype",
        lambda v: [str(v).removeprefix("torch.")],
        _torch_dtype,
    ),
}
_BY_BASE: Final[tuple[tuple[type | tuple[type, ...], _Entry], ...]] = (
    (
        np.generic,
        ("scalar", lambda v: [v.dtype.str, b64encode(v.tobytes()).decode()], _scalar),
    ),
    (PurePath, ("path", lambda v: [str(v)], Path)),
    (
        np.dtype,
        (
            "dtype",
            lambda v: [np.lib.format.dtype_to_descr(v)],
            dtype_of,
        ),
    ),
    (
        type,
        (
            "class",
            lambda v: [_named(name_of_class(v), v)],
            lambda name: _found(name, class_named),
        ),
    ),
    (
        (FunctionType, BuiltinFunctionType, np.ufunc),
        (
            "function",
            lambda v: [_named(name_of_function(v), v)],
            lambda name: _found(name, function_named),
        ),
    ),
)
_BUILDERS: Final = {
    tag: build
    for tag, _, build in (*_BY_KIND.values(), *(entry for _, entry in _BY_BASE))
}


def plain_of_value(value: Any) -> Any:
    """Return a single value in words of JSON; `NODE` if it is made of others."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float and math.isfinite(value):
        return value
    entry = _BY_KIND.get(kind)
    if entry is None:
        entry = next((e for base, e in _BY_BASE if isinstance(value, base)), None)
    if entry is None or (isinstance(value, np.generic) and value.dtype.hasobject):
        return NODE
    tag, parts_of, _ = entry
    return [tag, *parts_of(value)]


def value_of_plain(tag: str, parts: list[Any]) -> Any:
    """Return the value of a tag and its parts."""
    return _BUILDERS[tag](*parts)
