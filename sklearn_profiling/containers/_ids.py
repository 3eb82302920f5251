"""Ids of users of any kind: checked, compared, sorted and hashed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Integral, Number, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.exceptions import GraphError, shortened

Codes = npt.NDArray[np.int32]
Ids = npt.NDArray[Any]

#: Below, each whole number has a float64 of its own.
FLOAT_IDS_END = 2**53
_WHOLE = "an id that is a number must be a whole one"
_INT64 = range(-(2**63), 2**63)


def object_array(values: Sequence[Any] | Ids) -> Ids:
    """Return a 1-D object array of the values, even of tuples."""
    array = np.empty(len(values), dtype=object)
    # Assigning a list would spread ids that are themselves sequences over axes.
    for row, value in enumerate(values):
        array[row] = value
    return array


def id_array(values: object, what: str) -> Ids:
    """Check ids (all numbers, all text, or other hashables): 1-D, int64 or object.

    Whole numbers beyond int64 are Python's. `what` names the ids in error messages.
    """
    array = _array(values, what)
    if array.dtype.kind == "f":
        return _whole_floats(array, what)
    if array.dtype.kind in "iu":
        return _smallest_integers(array)
    kind = pd.api.types.infer_dtype(array, skipna=False)
    if kind in {"string", "empty"}:
        return array
    if kind != "integer":
        array = _plain(array, what)
        _require_all(array, what)
    types = {type(value) for value in array}
    if str in types and len(types) > 1:
        kinds = ", ".join(sorted(each.__name__ for each in types))
        msg = (
            f"{what} mix text with other kinds ({kinds}): 1 and '1' would be two "
            "users. Bring them to one kind first."
        )
        raise GraphError(msg)
    if kind == "integer" or types == {int}:
        return _smallest_integers(array)
    return array


def ids_to_find(values: object, what: str) -> Ids:
    """Check ids that are looked up, as :func:`id_array`, in a 1-D object array.

    Missing ones and fractions, which are nobody's, are welcome.
    """
    array = _array(values, what)
    if array.dtype.kind == "f":
        _refuse_rounded(array, what)
        found = array.astype(object)
        whole = np.isfinite(array) & (array == np.floor(array))
        found[whole] = array[whole].astype(np.int64)
        return found
    if array.dtype.kind in "iu":
        return array.astype(object)
    if pd.api.types.infer_dtype(array, skipna=True) in {"string", "empty", "integer"}:
        return array
    return _plain(array, what, fractions=True)


def is_null(value: Any) -> bool:
    """Whether a value is None, NaN or pandas' NA or NaT."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _end_of(kind: Any) -> int:
    """Return the first whole number that shares its float with another one."""
    own: int = 2 ** (np.finfo(kind).nmant + 1)
    return min(own, FLOAT_IDS_END)


def _rounded(kind: np.dtype[Any]) -> str:
    return (
        f"from {_end_of(kind)} on a {kind} stands for several whole numbers, so the "
        "digits of the id are lost; give ids as integers or text"
    )


def _array(values: object, what: str) -> Ids:
    """Return a 1-D array of the ids, whole numbers never as floats."""
    values = as_pandas(values)
    if isinstance(values, pd.Series | pd.Index | ExtensionArray):
        # nullable numbers and times keep what they are as objects alone
        plain = isinstance(values.dtype, np.dtype) and values.dtype.kind not in "mM"
        array = values.to_numpy() if plain else _objects_of(values)
    elif hasattr(values, "__array__") and hasattr(values, "ndim") and values.ndim:
        array = np.asarray(values)
    else:
        # what is left can only be iterated, which errors of list say better than types
        array = object_array(list(values))  # type: ignore[call-overload]
    if array.ndim != 1:
        msg = f"{what} must be one-dimensional, got an array of shape {array.shape}."
        raise GraphError(msg)
    if array.dtype.kind in "iuf":
        return array
    if array.dtype.kind in "mM":
        return pd.Series(array).to_numpy(dtype=object)
    return array.astype(object, copy=False)


def _objects_of(values: Any) -> Ids:
    if isinstance(values.dtype, pd.CategoricalDtype):
        # beside missing cells pandas would make floats of whole numbers
        categories: Ids = object_array([*values.dtype.categories, None])
        codes = values.cat.codes if isinstance(values, pd.Series) else values.codes
        found: Ids = categories[np.asarray(codes)]
        return found
    array: Ids = values.to_numpy(dtype=object)
    return array


def _whole_floats(array: Ids, what: str) -> Ids:
    """Return whole floats as int64, and refuse others."""
    bad = ~(np.isfinite(array) & (array == np.floor(array)))
    if bad.any():
        row = int(np.argmax(bad))
        msg = (
            f"{what}: row {row} holds {shortened(array[row])}; {_WHOLE}, and no id may "
            "be missing."
        )
        raise GraphError(msg)
    _refuse_rounded(array, what)
    return array.astype(np.int64)


def _refuse_rounded(array: Ids, what: str) -> None:
    """Refuse floats that stand for several whole numbers."""
    bad = np.isfinite(array) & (np.abs(array) >= _end_of(array.dtype))
    if bad.any():
        row = int(np.argmax(bad))
        msg = (
            f"{what}: row {row} holds {shortened(array[row])}; {_rounded(array.dtype)}."
        )
        raise GraphError(msg)


def _smallest_integers(array: Ids) -> Ids:
    """Return whole numbers as int64, or as Python's where one is beyond."""
    if len(array) and not all(int(end) in _INT64 for end in (array.min(), array.max())):
        return object_array([int(value) for value in array])
    return array.astype(np.int64, copy=False)


def _plain(array: Ids, what: str, *, fractions: bool = False) -> Ids:
    """Return ids as Python's own objects; missing ones stay, as fractions may."""
    plain = np.empty(len(array), dtype=object)
    for row, value in enumerate(array):
        try:
            plain[row] = _plain_id(value, fractions=fractions)
        except (TypeError, ValueError) as error:
            msg = f"{what}: row {row} holds {shortened(value)}; {error}."
            raise GraphError(msg) from error
    return plain


def _plain_id(value: Any, *, fractions: bool) -> Any:
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    if isinstance(value, str):
        return str(value)
    if is_null(value):
        return value
    if isinstance(value, np.datetime64 | np.timedelta64):
        return pd.Series([value]).to_numpy(dtype=object)[0]
    # floats keep their size, and each tensor would be an id of its own
    if getattr(value, "ndim", 1) == 0 and not isinstance(value, np.floating):
        value = value.item()
    if isinstance(value, Number):
        return _plain_number(value, fractions=fractions)
    try:
        hash(value)
    except TypeError as error:
        msg = f"an id must be hashable: {error}"
        raise TypeError(msg) from error
    return value


def _plain_number(value: Any, *, fractions: bool) -> Any:
    """Return the whole number that a number is; fractions stay if they may be."""
    if isinstance(value, Integral):
        return int(value)
    is_float = isinstance(value, float | np.floating)
    if is_float and _end_of(type(value)) <= abs(value) < np.inf:
        raise ValueError(_rounded(np.dtype(type(value))))
    # neither infinite nor complex numbers, nor Decimal's NaN, are whole
    if isinstance(value, Decimal):  # its remainders have but 28 digits
        whole = value.is_finite() and value == value.to_integral_value()
    else:
        whole = isinstance(value, Real) and isfinite(value) and value % 1 == 0
    if not whole and not fractions:
        raise ValueError(_WHOLE)
    return int(value) if whole else value


def _require_all(array: Ids, what: str) -> None:
    missing = np.fromiter(map(is_null, array), dtype=bool, count=len(array))
    if missing.any():
        row = int(np.argmax(missing))
        msg = f"{what}: row {row} holds no id, but {shortened(array[row])}."
        raise GraphError(msg)


def require_same_kind(first: Ids, second: Ids, what: str) -> None:
    """Refuse to compare text ids with numbers; both as :func:`id_array` gives them."""
    if len(first) == 0 or len(second) == 0:
        return
    kinds = [isinstance(ids[0], str) for ids in (first, second)]
    if kinds[0] != kinds[1]:
        msg = (
            f"{what} are of two kinds, for example {shortened(first[0])} and "
            f"{shortened(second[0])}: no text is equal to a number. Bring them to one "
            "kind first."
        )
        raise GraphError(msg)


def require_unique(ids: Ids, what: str) -> pd.Index[Any]:
    """Refuse ids of which one comes twice; return the look-up from id to row."""
    index = pd.Index(ids, dtype=ids.dtype, tupleize_cols=False)
    doubled = index.duplicated()
    if doubled.any():
        row = int(np.argmax(doubled))
        msg = f"{what} must be unique: {shortened(ids[row])} comes again, row {row}."
        raise GraphError(msg)
    return index


def ranked(ids: Ids) -> tuple[Codes, Ids]:
    """Return the rank of each id and the sorted ids; ids without an order stay."""
    order = np.arange(len(ids))
    if ids.dtype.kind == "i" or any(
        all(isinstance(value, kind) for value in ids) for kind in (str, int)
    ):
        order = np.argsort(ids, kind="stable")
    ranks = np.empty(len(ids), dtype=np.int32)
    ranks[order] = np.arange(len(ids), dtype=np.int32)
    return ranks, ids[order]


def ids_as_bytes(ids: Ids) -> Iterable[bytes]:
    """Encode ids as bytes that differ where the ids do."""
    if all(isinstance(name, str) for name in ids):
        # Lengths tell ["ab", "c"] from ["a", "bc"].
        lengths = np.fromiter(map(len, ids), dtype="<i8", count=len(ids))
        return b"text", lengths.tobytes(), "".join(ids).encode("utf-8", "surrogatepass")
    if all(type(name) is int and name in _INT64 for name in ids):
        return b"int", np.asarray(ids, dtype="<i8").tobytes()
    return b"other", "\n".join(f"{type(n).__name__} {n!r}" for n in ids).encode()
