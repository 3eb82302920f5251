"""The messages column: every form that is taken, every cell that is refused."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources._columns import read_messages, read_word_list

OWNER = object()
CELLS = [["一", "二"], None, [], "三", float("nan"), ("四",), np.array(["五"])]
READ = [["一", "二"], [], [], ["三"], [], ["四"], ["五"]]


def _array(cells):
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        _array,
        lambda cells: _array(cells)[:, None],
        lambda cells: pd.Series(cells, dtype=object),
        lambda cells: pd.DataFrame({"messages": pd.Series(cells, dtype=object)}),
    ],
    ids=["list", "tuple", "array", "column", "series", "frame"],
)
def test_all_forms_read_alike(form):
    assert read_messages(form(CELLS), OWNER) == READ


def test_string_series_of_pandas():
    column = pd.Series(["一", None, pd.NA], dtype="string")
    assert read_messages(column, OWNER) == [["一"], [], []]


def test_surrogate_pairs_come_together_and_halves_go():
    assert read_messages([["\ud840\udc00x\ud83d"]], OWNER) == [["\U00020000x"]]


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ([["一"], 3], "object, row 1: the messages of a user must be a list of str"),
        ([["一", None]], r"row 0: message 1 must be a str; got None \(NoneType\)"),
        (pd.Series([["一"], [3]], index=["u1", "u2"]), r"row 1 \('u2'\): message 0"),
        ([{"一"}], r"row 0: .* got {'一'} \(set\)"),
        ("一", "got str$"),
        (np.zeros((2, 2)), r"got ndarray of shape \(2, 2\)"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), r"2 columns: \['a', 'b'\]"),
        (TokenMessages.from_lists([[["一"]]]), "segmented already"),
    ],
)
def test_refused(column, error):
    with pytest.raises(SourceError, match=error):
        read_messages(column, OWNER)


def test_word_lists(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeff一 \r\n\n二".encode())
    assert read_word_list(path, "stop_words") == [(1, "一"), (3, "二")]
    assert read_word_list(str(path), "stop_words") == [(1, "一"), (3, "二")]
    assert read_word_list(("一", " 二"), "stop_words") == [(1, "一"), (2, "二")]
    assert read_word_list(None, "stop_words") == []


def test_word_list_errors(tmp_path):
    with pytest.raises(SourceError, match=r"stop_words .* no file 'nowhere'"):
        read_word_list("nowhere", "stop_words")
    with pytest.raises(SourceError, match="stop_words must be a list or set of words"):
        read_word_list(iter(["一"]), "stop_words")
    for wrong in (3, " "):
        with pytest.raises(SourceError, match=f"entry 1 is {re.escape(repr(wrong))}"):
            read_word_list(["一", wrong], "stop_words")
    path = tmp_path / "gb.txt"
    path.write_bytes("a\n中文".encode("gb18030"))
    with pytest.raises(DataFormatError, match="line 2: stop_words must be UTF-8"):
        read_word_list(path, "stop_words")
