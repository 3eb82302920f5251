"""Object graphs as a table of nodes in JSON, and arrays; and back.

A value is itself where JSON has it, ``[tag, parts...]`` where it is a single value, and
``[number]`` where it is a node. A node is an array, a container of values, or an object
of an allowed class with its attributes. Whatever is shared stays shared.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.persistence._allowed import class_named, name_of_class
from sklearn_profiling.persistence._arrays import ArraysRead, ArraysWritten, shaped
from sklearn_profiling.persistence._converters import (
    CONVERTERS,
    converter_of,
)
from sklearn_profiling.persistence._values import (
    NODE,
    NotPlainError,
    plain_of_value,
    value_of_plain,
)

__all__ = ["Decoder", "Encoder"]

# Folders of the machine that wrote the file: of no use, or not to be written to, on
# that which reads it.
_FOLDERS: Final = frozenset({"memory", "checkpoint"})
# Compiled objects that each fit makes anew and nothing else reads.
_COMPILED: Final = frozenset({"_loss_function_"})
# Built of their parts, so that they cannot be one of them.
_BUILT_LAST: Final = (tuple, frozenset, np.ndarray)
_ARRAYS: Final = frozenset({"array", "texts", "raw"})
# A tuple that holds one twice which holds one twice is small, and its hash takes long.
_MOST_WITHIN: Final = 1 << 20
_SEQUENCES: Final[dict[str, Callable[[Iterable[Any]], Any]]] = {
    "tuple": tuple,
    "frozenset": frozenset,
}


class Encoder:
    """Takes one value apart; `nodes` and `arrays` then hold what is to be stored.

    Parameters that only fit reads are left out, unless they are to be kept.
    """

    def __init__(self, *, keep_graphs: bool = False) -> None:
        self.nodes: list[Any] = []
        self.classes: list[str] = []
        self._arrays = ArraysWritten()
        self._keep_graphs = keep_graphs
        self._numbers: dict[int, int] = {}
        # Else the id of a state that was dropped would be that of another.
        self._alive: list[Any] = []
        self._within: dict[int, int] = {}
        self._place = "the model"

    @property
    def arrays(self) -> dict[str, Any]:
        """The arrays by name."""
        return self._arrays.arrays

    def encode(self, value: Any) -> Any:
        """Return a value in words of JSON; its parts become nodes."""
        try:
            plain = plain_of_value(value)
        except NotPlainError as error:
            raise self._refusal(str(error)) from None
        return self._reference(value) if plain is NODE else plain

    def _reference(self, value: Any) -> list[Any]:
        """Return the number of a node, which is made when it is first met."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.nodes)
            self._alive.append(value)
            self.nodes.append(None)
            self.nodes[number] = self._node(value)
            if isinstance(value, tuple | frozenset):
                self._count_within(value)
        elif self.nodes[number] is None and isinstance(value, _BUILT_LAST):
            what = f"{type(value).__name__} that holds itself"
            raise self._refusal(what)
        return [number]

    def _count_within(self, value: Iterable[Any]) -> None:
        """Refuse what would be refused when it is read."""
        items = list(value)
        within = sum(self._within.get(id(item), 0) for item in items)
        if within > _MOST_WITHIN:
            what = f"tuples with more than {_MOST_WITHIN:,} parts in all"
            raise self._refusal(what)
        self._within[id(value)] = within + len(items)

    def _node(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind in (np.ndarray, np.memmap):
            if value.dtype.kind == "O":
                return self._objects(value)
            if not value.dtype.hasobject:
                return self._arrays.array(value)
        if kind is dict:
            return ["dict", self._items(list(value)), self._items([*value.values()])]
        if kind in (list, tuple):
            return [kind.__name__, self._items(list(value))]
        if kind in (set, frozenset):  # in one order, whatever the hashes
            return [kind.__name__, self._items(sorted(value, key=repr))]
        converter = converter_of(value)
        if converter is not None:
            try:
                parts = converter.parts_of(value)
            except NotPlainError as error:
                raise self._refusal(str(error)) from None
            return [converter.tag, self.encode(parts)]
        return self._object(value)

    def _objects(self, value: Any) -> list[Any]:
        by_column = value.flags.f_contiguous and not value.flags.c_contiguous
        flat = value.T if by_column else value
        items = self._items(flat.ravel().tolist())
        return ["objects", list(flat.shape), by_column, items]

    def _items(self, items: list[Any]) -> list[Any]:
        packed = self._arrays.packed(items)
        return packed or ["v", *map(self.encode, items)]

    def _object(self, value: Any) -> list[Any]:
        name = name_of_class(type(value))
        if name is None or not _is_built(name):
            what = f"{type(value).__module__}.{type(value).__qualname__}"
            raise self._refusal(what)
        if name not in self.classes:
            self.classes.append(name)
        number = self.classes.index(name)
        if isinstance(value, tuple):
            return ["named tuple", number, self._items(list(value))]
        state = value.__getstate__() or {}
        left_out = _FOLDERS if isinstance(value, BaseEstimator) else frozenset()
        if not self._keep_graphs:
            left_out |= getattr(value, "_read_by_fit_alone", frozenset())
        before, stored = self._place, {}
        for attribute, each in state.items():
            if attribute in _COMPILED:
                continue
            self._place = f"{type(value).__name__}.{attribute}"
            stored[attribute] = None if attribute in left_out else self.encode(each)
        self._place = before
        return ["object", number, stored]

    def _refusal(self, what: str) -> ProfilingError:
        msg = (
            f"{self._place} holds {what}, which the format does not know; a model file "
            "holds public classes of sklearn_profiling and scikit-learn, numbers, "
            "texts and arrays. Set it to a value of these, or write the model with "
            "skops.io, whose readers say which other classes they trust"
        )
        return ProfilingError(msg)


class Decoder:
    """Builds the value again; any error of Python if it cannot be."""

    def __init__(
        self, nodes: list[Any], classes: list[str], arrays: dict[str, Any]
    ) -> None:
        self._nodes = nodes
        self._arrays = ArraysRead(arrays)
        self._built: dict[int, Any] = {}
        self._begun: set[int] = set()
        self._within: dict[int, int] = {}
        # All of them, before anything is built.
        self._classes = [_class_of(name) for name in classes]

    def decode(self, plain: Any) -> Any:
        """Return the value that stands for some JSON."""
        if not isinstance(plain, list):
            return plain
        head, *parts = plain
        return value_of_plain(head, parts) if isinstance(head, str) else self._at(head)

    def _at(self, number: int) -> Any:
        if number not in self._built:
            if number in self._begun or number < 0:
                msg = f"node {number} is part of itself"
                raise ValueError(msg)
            self._begun.add(number)
            tag, *parts = self._nodes[number]
            self._built[number] = self._build(number, tag, parts)
        return self._built[number]

    def _build(self, number: int, tag: str, parts: list[Any]) -> Any:
        if tag in _ARRAYS:
            return self._arrays.array(tag, parts)
        if tag == "objects":
            shape, by_column, items = parts
            return shaped(self._items(items), shape, by_column=by_column)
        if tag in _SEQUENCES:
            return self._hashed(_SEQUENCES[tag], parts[0])
        if tag == "named tuple":
            return self._hashed(self._named_tuple(parts[0]), parts[1])
        if tag in CONVERTERS:
            return CONVERTERS[tag].build(self.decode(parts[0]))
        return self._build_around(number, tag, parts)

    def _build_around(self, number: int, tag: str, parts: list[Any]) -> Any:
        """Build what may hold itself: known before its parts are built."""
        made: Any
        if tag == "object":
            kind = self._classes[parts[0]]
            if issubclass(kind, tuple):
                msg = f"{kind.__name__} is no object with attributes"
                raise ValueError(msg)
            made = self._built[number] = kind.__new__(kind)
            state = {name: self.decode(each) for name, each in parts[1].items()}
            _set_state(made, state)
            return made
        made = self._built[number] = {"list": list, "set": set, "dict": dict}[tag]()
        if tag == "dict":
            keys, values = map(self._items, parts)
            made.update(zip(keys, values, strict=True))
        elif tag == "list":
            made.extend(self._items(parts[0]))
        else:
            made.update(self._items(parts[0]))
        return made

    def _hashed(self, make: Callable[[list[Any]], Any], payload: list[Any]) -> Any:
        """Build what may be a key, and so is hashed with all that is within it."""
        items = self._items(payload)
        within = sum(self._within.get(id(item), 0) for item in items)
        if within > _MOST_WITHIN:
            msg = "its tuples hold one another too often"
            raise ValueError(msg)
        made = make(items)
        self._within[id(made)] = within + len(items)
        return made

    def _named_tuple(self, number: int) -> Callable[[list[Any]], Any]:
        kind = self._classes[number]
        if not issubclass(kind, tuple):
            msg = f"{kind.__name__} is no tuple"
            raise TypeError(msg)
        return lambda items: kind(*items)

    def _items(self, payload: list[Any]) -> list[Any]:
        if payload[0] == "v":
            return [self.decode(each) for each in payload[1:]]
        return self._arrays.items(payload)


def _is_built(name: str) -> bool:
    """Tell classes whose objects are stored from those that are only named."""
    package, _, own = name.partition(".")
    return bool(own) and package != "numpy"


def _class_of(name: str) -> type:
    found = class_named(name) if _is_built(name) else None
    if found is None:
        msg = f"the class {name:.100} is not allowed in a model file"
        raise ValueError(msg)
    return found


def _set_state(made: Any, state: dict[str, Any]) -> None:
    """Give an object its attributes, and parameters that the file lacks defaults."""
    if isinstance(made, BaseEstimator):
        for name, parameter in inspect.signature(type(made)).parameters.items():
            if name in _FOLDERS:
                state[name] = None
            elif name not in state and parameter.kind != parameter.VAR_KEYWORD:
                if parameter.default is parameter.empty:
                    msg = (
                        f"it lacks the parameter {name!r} of {type(made).__name__}, "
                        "which has no default; fit the model again"
                    )
                    raise ProfilingError(msg)
                state[name] = parameter.default
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
    else:
        made.__dict__.update(state)
