"""The rules of labels: when one is missing, and which are one class.

One place for estimators, metrics, splitters and loaders:

- ``None``, NaN, NaT, ``pd.NA`` and text without a visible character are missing.
- Labels are one class if Python takes them for equal: 1, 1.0 and ``Decimal(1)``. The
  class is the first of them in the order of :data:`_RANKS`, whoever comes first.
- Booleans are no numbers: ``True`` and 1 in one task are an error.
- Numpy's texts, bytes and times become those of Python and pandas.
- A set holds no missing label: these are left out, and a set of nothing else is missing
  itself. An empty set is a label: the user is known to have none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.exceptions import TargetError, shortened

__all__ = ["mixed_booleans", "read_cell", "read_column", "sorted_classes"]

Classes = npt.NDArray[Any]

_RANKS: Final = {bool: 0, int: 1, float: 2, str: 3, bytes: 4}
_PLAIN: Final = frozenset({*_RANKS, type(None)})
_SETS: Final = (set, frozenset, list)
_NUMBERS: Final = (int, float, np.integer, np.floating)


def read_cell(cell: Any) -> Any:
    """Return a cell as one of Python's labels, a frozenset for a set; None if missing.

    Raises TypeError if a label has no hash, or is a set within a set.
    """
    if not isinstance(cell, _SETS):
        return _read_label(cell)
    if any(isinstance(member, _SETS) for member in cell):
        msg = "a list or set within a list or set"
        raise TypeError(msg)
    known = frozenset(map(_read_label, cell)) - {None}
    return known if known or not cell else None


def _read_label(label: Any) -> Any:
    if isinstance(label, str):
        plain = str(label) if isinstance(label, np.str_) else label
        return plain if plain.strip() else None
    hash(label)
    if pd.api.types.is_scalar(label) and pd.isna(label):
        return None
    if isinstance(label, np.datetime64):
        return pd.Timestamp(label)
    if isinstance(label, np.timedelta64):
        return pd.Timedelta(label)
    return bytes(label) if isinstance(label, np.bytes_) else label


def read_column(column: npt.NDArray[Any], task: str) -> npt.NDArray[Any]:
    """Read the cells (n_users,) of a task; TargetError if they are no labels."""
    kinds = set(map(type, column))
    labels = column
    if not kinds <= _PLAIN - {str, float}:
        labels = np.empty(len(column), dtype=object)
        for row, cell in enumerate(column):
            try:
                labels[row] = read_cell(cell)
            except TypeError as error:
                msg = (
                    f"labels must be hashable; task {task!r}, row {row} holds one that "
                    f"is not: {error}"
                )
                raise TargetError(msg) from error
    mixed = None if kinds <= {str, float, type(None)} else mixed_booleans(labels)
    if mixed is not None:
        msg = f"row {mixed[0]}: task {task!r} {mixed[1]}"
        raise TargetError(msg)
    return labels


def mixed_booleans(labels: Iterable[Any]) -> tuple[int, str] | None:
    """Return the place at which booleans stand beside numbers, and what is wrong."""
    boolean, number = None, None
    for place, cell in enumerate(labels):
        for label in cell if isinstance(cell, frozenset) else (cell,):
            if isinstance(label, bool | np.bool_):
                boolean = label
            elif isinstance(label, _NUMBERS):
                number = label
        if boolean is not None and number is not None:
            reason = (
                f"holds booleans and numbers, such as {shortened(boolean)} and "
                f"{shortened(number)}: Python takes True for 1 and False for 0, so two "
                "classes could become one; give all labels as booleans, as numbers or "
                "as text"
            )
            return place, reason
    return None


def sorted_classes(labels: Iterable[Any], task: str) -> Classes:
    """Distinct labels in a stable order, in their natural dtype where they have one.

    Raises TargetError if a label has no hash, or booleans stand beside numbers.
    """
    try:
        distinct = _one_a_class(labels)
    except TypeError as error:
        msg = f"labels must be hashable; task {task!r} holds one that is not: {error}"
        raise TargetError(msg) from error
    mixed = mixed_booleans(distinct)
    if mixed is not None:
        msg = f"task {task!r} {mixed[1]}"
        raise TargetError(msg)
    kinds = set(map(type, distinct))
    if len(kinds) > 1:
        distinct = [x.item() if isinstance(x, np.generic) else x for x in distinct]
        kinds = set(map(type, distinct))
    try:
        ordered = sorted(distinct)
    except TypeError:
        ordered = sorted(distinct, key=lambda label: (type(label).__name__, str(label)))
    if len(kinds) == 1 and _is_of_numpy(kinds.pop()):
        array = np.array(ordered)
        # of whole numbers that no integer of numpy holds, floats would be made
        if array.dtype.kind != "f" or isinstance(ordered[0], float | np.floating):
            return array
    array = np.empty(len(ordered), dtype=object)
    array[:] = ordered
    return array


def _one_a_class(labels: Iterable[Any]) -> list[Any]:
    """Choose one of equal labels, whatever their order."""
    chosen: dict[Any, Any] = {}
    for label in labels:
        known = chosen.setdefault(label, label)
        if type(known) is not type(label) and _rank(label) < _rank(known):
            chosen[label] = label
    return list(chosen.values())


def _rank(label: Any) -> tuple[int, str]:
    return _RANKS.get(type(label), len(_RANKS)), type(label).__name__


def _is_of_numpy(kind: type) -> bool:
    """Whether arrays hold labels of a kind as they are; not those of its subclasses."""
    return kind in (bool, int, float) or issubclass(kind, np.number | np.bool_)
