"""Vectors of users with their ids: text, tables and arrays, from files and memory."""

from __future__ import annotations

import csv
import os
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from sklearn_profiling._arrow_files import read_parquet
from sklearn_profiling._frames import as_pandas
from sklearn_profiling._packed_files import check_zip, open_packed, open_text
from sklearn_profiling.containers._ids import FLOAT_IDS_END, id_array, object_array
from sklearn_profiling.exceptions import (
    DataFormatError,
    GraphError,
    SourceError,
    shortened,
)
from sklearn_profiling.sources._image_cells import is_null
from sklearn_profiling.sources._vectors import VectorColumn, holds_vectors
from sklearn_profiling.sources.text._vector_files import VectorFile, existing_file

__all__ = ["KnownVectors", "read_vectors"]

Ids = NDArray[Any]
Floats = NDArray[np.float32]

#: Names of columns and arrays that hold ids, in lower case.
_ID_NAMES: Final = frozenset(
    {
        *("id", "ids", "user", "users", "user_id", "user_ids", "userid", "user id"),
        *("node", "nodes", "node_id", "node_ids", "vertex", "index", "name", "names"),
        *("author", "author_id", "account", "", "unnamed: 0"),
    }
)
_PARQUET: Final = b"PAR1"
_NUMPY: Final = b"\x93NUMPY"
_LONGEST_LINE: Final = 1 << 24
_MOST_COLUMNS: Final = 1 << 17
#: So many lines tell the layout of a table.
_SAMPLE: Final = 100
_JSON: Final = re.compile(rb"\s*(?:\{\s*\"|\[\s*[\[{])")
_WHOLE: Final = re.compile(r"[+-]?\d+(\.0*)?(e\+?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class KnownVectors:
    """Users' ids (n_users,), all different, and their vectors (n_users, n_dimensions).

    The ids of text files have no kind (``typed`` is False): 7 and "7" are one user.
    """

    ids: Ids
    vectors: Floats
    format: str
    typed: bool
    n_without_vector: int = 0


@dataclass(frozen=True)
class _Origin:
    """Where vectors come from, for errors; ``lines`` has the line of each row."""

    format: str
    path: Path | None = None
    lines: NDArray[np.int64] | None = None

    def place(self, row: int) -> str:
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def error(self, reason: str, row: int | None = None) -> Exception:
        if self.path is not None and row is not None and self.lines is not None:
            return DataFormatError(self.path, int(self.lines[row]), reason)
        if row is not None:
            reason = f"{self.place(row)}: {reason}"
        if self.path is not None:
            return DataFormatError(self.path, None, reason)
        return SourceError(f"vectors: {reason}")


@dataclass(frozen=True)
class _Asked:
    """What the user says of the ids: them, or the name of their column."""

    ids: Any
    id_column: str | None
    typed: bool = True


def read_vectors(
    given: Any, ids: Any, id_column: str | None, *, member: str | None, trusted: bool
) -> KnownVectors:
    """Read vectors of users from a file, a table, an array or a mapping."""
    asked = _Asked(ids, id_column)
    if isinstance(ids, str | os.PathLike):
        found, typed = _ids_of_file(existing_file(ids))
        asked = _Asked(found, id_column, typed)
    if isinstance(given, str | os.PathLike):
        return _from_file(existing_file(given), asked, member, trusted=trusted)
    if isinstance(given, Mapping):
        keys = object_array(list(given))
        return _stacked(_Asked(keys, None), list(given.values()), _Origin("mapping"))
    table = as_pandas(given)
    if isinstance(table, pd.DataFrame):
        return _from_table(table, asked, _Origin("table"))
    return _from_array(given, asked, _Origin("array"))


def _from_file(
    path: Path, asked: _Asked, member: str | None, *, trusted: bool
) -> KnownVectors:
    if member is None and (names := _npz_names(path)):
        return _from_npz(path, names, asked)
    with open_text(path, member) as file:
        start = file.peek(6)[:6]
        if start == _NUMPY:
            return _from_array(_numpy_array(path, file), asked, _Origin("npy", path))
        if start.startswith(_PARQUET):
            return _from_parquet(path, asked)
        if _JSON.match(start):
            reason = "the file is JSON: load it, and give a mapping of ids to vectors"
            raise DataFormatError(path, None, reason)
        is_pickle = start[:1] == b"\x80"
        layout = None if is_pickle else _Layout.of(*_first_lines(file))
    if layout is None:
        return _from_words(path, asked, member, trusted=trusted)
    with open_text(path, member) as file:
        return _from_text(path, file, layout, asked)


def _first_lines(file: BinaryIO) -> list[bytes]:
    """Read two lines, and others as far as they take no more than a long one."""
    lines = [file.readline(_LONGEST_LINE) for _ in range(2)]
    while len(lines) < _SAMPLE and sum(map(len, lines)) < _LONGEST_LINE:
        lines.append(file.readline(_LONGEST_LINE))
    return lines


# -- text ----------------------------------------------------------------------


def _from_words(
    path: Path, asked: _Asked, member: str | None, *, trusted: bool
) -> KnownVectors:
    """Read word2vec's format, text or binary, or GloVe's, of ids in place of words."""
    for name, value in (("ids", asked.ids), ("id_column", asked.id_column)):
        if value is not None:
            reason = f"{name} must be None: each line of this format begins with an id"
            raise DataFormatError(path, None, reason)
    hint = "correct the line, or delete it where no number of words is needed"
    file = VectorFile(path, "auto", member=member, trusted=trusted, hint=hint)
    names: list[str] = []
    numbers = bytearray()  # a list of arrays takes twice the space
    for name, vector in file.entries(lambda _: True):
        names.append(name)
        numbers += vector.tobytes()
    vectors = np.frombuffer(numbers, np.float32).reshape(-1, file.n_dimensions)
    origin = _Origin(file.format, path)
    return _checked(
        _Asked(_text_ids(names, origin), None, typed=False), vectors, origin
    )


@dataclass(frozen=True)
class _Layout:
    """How a table in a text file is written; ``first`` are the fields of its data."""

    separator: str
    decimal: str
    names: list[str] | None
    first: list[str]

    @classmethod
    def of(cls, first: bytes, second: bytes, *more: bytes) -> _Layout | None:
        """Recognise a table by its first lines; None is vectors as of words."""
        if b"\0" in first or not first.strip():
            return None
        line, following = (
            part.decode("utf-8", "replace").rstrip("\r\n") for part in (first, second)
        )
        separator = next((mark for mark in ";,\t " if mark in line), " ")
        commas = any(b"," in part for part in (second or first, *more))
        decimal = "," if separator == ";" and commas else "."
        try:
            fields, data = csv.reader([line, following or line], delimiter=separator)
        except (csv.Error, ValueError):
            return None  # quotes that are open, or a carriage return
        names = [field.strip() for field in fields]
        if len(names) < 2:
            return None
        is_header = names[0].lower() in _ID_NAMES or not all(
            _is_number(field.replace(decimal, "."))
            for field in (names[-1:] if separator == " " else names[1:])
        )
        if not is_header and separator in "\t ":
            return None
        return cls(separator, decimal, names if is_header else None, data)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_text(
    path: Path, file: BinaryIO, layout: _Layout, asked: _Asked
) -> KnownVectors:
    names = layout.names
    position = None
    n_columns = max(len(names or ()), len(layout.first))
    if n_columns > _MOST_COLUMNS:
        reason = f"{n_columns:,} columns; a table may have {_MOST_COLUMNS:,}"
        raise DataFormatError(path, 1, reason)
    if names is None and asked.id_column is not None:
        raise DataFormatError(path, 1, "id_column needs a header, and there is none")
    if asked.ids is None:
        position = 0
        if names is not None:
            position = _id_position(names, layout.first, asked, _Origin("csv", path))
    skipped = 0 if names is None else 1
    table = _read_csv(path, file, layout, position)
    table = table[~(table.isna() | (table == "")).all(axis=1)]
    lines = table.index.to_numpy(np.int64) + 1 + skipped
    origin = _Origin("csv", path, lines)
    if position is not None:
        ids = _text_ids(table[position].tolist(), origin)
        asked = _Asked(ids, None, typed=False)
        table = table.drop(columns=position)
    if names is not None:
        table = table.rename(columns=dict(enumerate(names)))
    return _checked(asked, _numbers(table, origin), origin)


def _read_csv(
    path: Path, file: BinaryIO, layout: _Layout, id_position: int | None
) -> pd.DataFrame:
    """Read a table with numbered columns and a row for each line behind the header."""
    columns = range(len(layout.names or layout.first))
    converters: Any = {} if id_position is None else {id_position: str.strip}
    missing: Any = {c: ["", "NA", "NaN", "nan"] for c in columns if c != id_position}
    try:
        with warnings.catch_warnings():
            # pandas would cut lines that are too long
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file,
                sep=layout.separator,
                decimal=layout.decimal,
                header=None,
                names=columns,
                index_col=False,
                skiprows=0 if layout.names is None else 1,
                skip_blank_lines=False,
                converters=converters,
                keep_default_na=False,  # the id "NA" is one
                na_values=missing,
                encoding="utf-8",
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        reason = "lines have more columns than the first"
        raise DataFormatError(path, None, reason) from None
    except (ValueError, pd.errors.ParserError) as error:
        raise DataFormatError(path, None, f"no readable table: {error}") from error


def _text_ids(names: list[str], origin: _Origin) -> Ids:
    """Write whole numbers alike, 7 for "7.0", if all ids are numbers."""
    if "" in names:
        reason = "expected an id; there is none"
        raise origin.error(reason, names.index(""))
    if all(map(str.isdigit, names)) or not all(map(_is_number, names)):
        return object_array(names)
    for row, name in enumerate(names):
        if not _WHOLE.fullmatch(name):
            reason = f"expected an id and got the number {shortened(name)}; give ids"
            raise origin.error(reason, row)
        if not name.lstrip("+-").isdigit() and abs(float(name)) >= FLOAT_IDS_END:
            reason = f"{shortened(name)} is a rounded number; write ids with all digits"
            raise origin.error(reason, row)
    return object_array([_plain_digits(name) for name in names])


def _plain_digits(name: str) -> str:
    """Write a whole number as Python's int does, of any length."""
    digits = f"{Decimal(name).to_integral_value():f}"
    return "0" if digits == "-0" else digits


def _numbers(table: pd.DataFrame, origin: _Origin) -> NDArray[np.float64]:
    """Return a table as numbers; what is none is named with its row and column."""
    for position, name in enumerate(table.columns):
        values = table.iloc[:, position]
        if pd.api.types.is_numeric_dtype(values):
            continue
        try:
            found = pd.to_numeric(values, errors="coerce")
        except OverflowError:  # whole numbers of more than 308 digits
            found = values.map(_as_float)
        wrong = np.flatnonzero((found.isna() & values.notna()).to_numpy())
        if len(wrong):
            given = shortened(values.iloc[wrong[0]])
            reason = f"column {name!r} must hold numbers; got {given}"
            raise origin.error(reason, int(wrong[0]))
    numbers: NDArray[np.float64] = table.to_numpy(np.float64, na_value=np.nan)
    return numbers


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return np.nan


# -- tables --------------------------------------------------------------------


def _id_position(
    names: Sequence[Any], first: Sequence[Any], asked: _Asked, origin: _Origin
) -> int:
    """Find the column of ids by its name, or by the text in the `first` row."""
    listed = [str(name) for name in names]
    if asked.id_column is not None:
        if asked.id_column in listed:
            return listed.index(asked.id_column)
        reason = f"there is no column {asked.id_column!r}, the id_column, among "
        raise origin.error(reason + shortened(listed, 200))
    for position, name in enumerate(listed):
        if name.lower() in _ID_NAMES:
            return position
    if first and isinstance(first[0], str) and not _is_number(first[0]):
        return 0
    reason = (
        "which column holds the ids of users must be said by id_column, by ids or by a "
        f"name such as 'id'; the columns are {shortened(listed, 200)}"
    )
    raise origin.error(reason)


def _from_table(table: pd.DataFrame, asked: _Asked, origin: _Origin) -> KnownVectors:
    if asked.ids is None:
        names = list(table.columns)
        named = asked.id_column or any(str(n).lower() in _ID_NAMES for n in names)
        if not named and not isinstance(table.index, pd.RangeIndex):
            asked = _Asked(table.index, None)
        else:
            first = [table.iloc[0, i] for i in range(len(names))] if len(table) else []
            position = _id_position(names, first, asked, origin)
            asked = _Asked(table.iloc[:, position], None)
            table = table.iloc[:, [i for i in range(len(names)) if i != position]]
    if table.shape[1] == 1 and holds_vectors(table.iloc[:, 0]):
        return _stacked(asked, table.iloc[:, 0], origin)
    return _checked(asked, _numbers(table, origin), origin)


def _from_parquet(path: Path, asked: _Asked) -> KnownVectors:
    try:
        # not as_pandas: cells stay arrays, where Python's lists take eight times more
        table = read_parquet(path, pa.OSFile(os.fspath(path))).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataFormatError(path, None, f"no readable Parquet: {error}") from error
    return _from_table(table, asked, _Origin("parquet", path))


def _stacked(asked: _Asked, cells: Any, origin: _Origin) -> KnownVectors:
    """Stack the vectors of a column; users without one are left out and counted."""
    if not holds_vectors(cells):
        reason = "expected a vector, an array or list of numbers, of each user"
        raise origin.error(reason)
    vectors = VectorColumn("vectors", cells).transform(cells)
    there = np.array([not is_null(cell) for cell in cells], dtype=bool)
    rows = np.flatnonzero(there)
    names = object_array(list(asked.ids))
    if len(names) == len(there):
        names, vectors = names[rows], vectors[rows]
    known = _checked(_Asked(names, None, asked.typed), vectors, origin)
    return replace(known, n_without_vector=len(there) - len(rows))


# -- arrays --------------------------------------------------------------------


def _npz_names(path: Path) -> list[str]:
    """List the arrays of an .npz archive; empty if the file is none."""
    if not zipfile.is_zipfile(path):
        return []
    check_zip(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return []  # damaged, of which the reader of archives tells
    return names if all(name.endswith(".npy") for name in names) else []


def _from_npz(path: Path, names: list[str], asked: _Asked) -> KnownVectors:
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        with open_packed(path, name) as file:
            arrays[name.removesuffix(".npy")] = _numpy_array(path, file)
    tables = [array for array in arrays.values() if array.ndim == 2]
    columns = {name: array for name, array in arrays.items() if array.ndim == 1}
    if asked.ids is None:
        named = [name for name in columns if name.lower() in _ID_NAMES]
        chosen = [asked.id_column] if asked.id_column else named or list(columns)
        if len(chosen) == 1 and chosen[0] in columns:
            asked = _Asked(columns[chosen[0]], None)
    if len(tables) != 1 or asked.ids is None:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        reason = (
            "expected one array of vectors (n_users, n_dimensions) and one of ids "
            f"(n_users,), named by id_column if there are more; found {shapes}"
        )
        raise DataFormatError(path, None, reason)
    return _from_array(tables[0], asked, _Origin("npz", path))


def _numpy_array(path: Path, file: BinaryIO) -> NDArray[Any]:
    try:
        with warnings.catch_warnings():
            # a header as Python 2 wrote it is read all the same
            warnings.simplefilter("ignore", UserWarning)
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        if array.dtype.itemsize == 0:
            msg = f"{array.size:,} values of no byte."
            raise ValueError(msg)
    # numpy parses the header as Python, and asks for the memory that it states
    except (
        *(ValueError, TypeError, SyntaxError, MemoryError, OverflowError),
        *(RecursionError, TokenError, AttributeError, KeyError, IndexError),
    ) as error:
        reason = (
            f"no readable array: {error} An array of Python objects is a pickle, which "
            "can run any code: save ids as str or numbers"
        )
        raise DataFormatError(path, None, reason) from error
    return array


def _from_array(given: Any, asked: _Asked, origin: _Origin) -> KnownVectors:
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().numpy()
    array = np.asarray(given)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        reason = (
            "expected a path, a table, a mapping or an array of numbers of shape "
            f"(n_users, n_dimensions); got {type(given).__name__} of {array.dtype} of "
            f"shape {array.shape}"
        )
        raise origin.error(reason)
    if asked.ids is None:
        reason = "an array of vectors needs ids, one for each row, in its order"
        raise origin.error(reason)
    return _checked(asked, array, origin)


def _ids_of_file(path: Path) -> tuple[Ids, bool]:
    """Read one id a line, or an .npy array, and whether the ids have a kind."""
    with open_text(path) as file:
        if file.peek(6)[:6] == _NUMPY:
            return _numpy_array(path, file), True
        try:
            lines = file.read().decode("utf-8").rstrip().split("\n")
        except UnicodeDecodeError as error:
            raise DataFormatError(path, None, f"ids must be UTF-8: {error}") from error
    numbers = np.arange(1, len(lines) + 1)
    return _text_ids(
        [line.strip() for line in lines], _Origin("", path, numbers)
    ), False


def _checked(asked: _Asked, vectors: NDArray[Any], origin: _Origin) -> KnownVectors:
    """Check ids and numbers; a fault is named with its place and the user."""
    try:
        names = id_array(asked.ids, "ids")
    except GraphError as error:
        raise origin.error(str(error)) from error
    if len(names) != len(vectors) or not vectors.size:
        reason = (
            "expected an id and a vector of each user; found "
            f"{len(names)} ids and vectors of shape {vectors.shape}"
        )
        raise origin.error(reason)
    # compared, not cast: what float32 cannot hold must not become infinite
    wrong = ~(np.abs(vectors) <= np.finfo(np.float32).max).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        reason = (
            f"the vector of {shortened(names[row])} holds a number that is missing or "
            "not finite"
        )
        raise origin.error(reason, row)
    index = pd.Index(names, dtype=object, tupleize_cols=False)
    twice = index.duplicated()
    if twice.any():
        row = int(np.argmax(twice))
        first = int(np.argmax(index == names[row]))
        reason = (
            f"user {shortened(names[row])} stands twice, first in {origin.place(first)}"
        )
        raise origin.error(reason, row)
    return KnownVectors(names, vectors.astype(np.float32), origin.format, asked.typed)
