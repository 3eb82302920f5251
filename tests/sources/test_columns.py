"""Columns of messages and images: every form that is read, every cell refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from PIL import Image

from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources._columns import (
    read_images,
    read_messages,
    read_word_list,
)

OWNER = object()
CELLS = [
    ["一", "二"],
    *(None, [], "三", float("nan"), ("四",), np.array(["五"])),
    [None, "六", np.nan, pd.NA, pd.NaT, "七"],
    pd.Series(["八", None]),
]
READ = [["一", "二"], [], [], ["三"], [], ["四"], ["五"], ["六", "七"], ["八"]]


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


def test_columns_of_polars_and_arrow():
    cells = [["一", None], None, []]
    for column in (pl.Series(cells), pa.array(cells), pa.table({"a": cells})):
        assert read_messages(column, OWNER) == [["一"], [], []]
    assert read_messages(pl.Series(["一", None]), OWNER) == [["一"], []]
    with pytest.raises(SourceError, match=r"row 1: message 0 must be a str; got 3 "):
        read_messages(pl.Series([["一"], [3]], dtype=pl.Object), OWNER)


def test_messages_are_never_repeated_whole():
    long = "\u200bx" * 999
    for cell in ([[long]], [{"a": long}], [long.encode()], [long, 3], {long}):
        with pytest.raises(SourceError) as error:
            read_messages([cell], OWNER)
        assert len(str(error.value)) < 250


def test_string_series_of_pandas():
    column = pd.Series(["一", None, pd.NA], dtype="string")
    assert read_messages(column, OWNER) == [["一"], [], []]


def test_surrogate_pairs_come_together_and_halves_go():
    assert read_messages([["\ud840\udc00x\ud83d"]], OWNER) == [["\U00020000x"]]


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ([["一"], 3], "object, row 1: the messages of a user must be a list of str"),
        ([["一", None, 3.5]], r"row 0: message 2 must be a str; got 3.5 \(float\)"),
        ([["一", ["二"]]], r"row 0: message 1 must be a str; got \['二'\] \(list\)"),
        ([np.array([["一"]])], r"got an array of <U1 of shape \(1, 1\)"),
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


GREY = np.zeros((4, 5), np.uint8)


class Owner:
    pass


def read(column, max_images=None):
    return read_images(column, max_images, Owner())


def objects(*cells):
    column = np.empty(len(cells), object)
    column[:] = cells
    return column


IMAGES = (["a.png", Path("b.png")], None, [GREY], [], np.nan, pd.NA)


@pytest.mark.parametrize(
    "column",
    [
        list(IMAGES),
        IMAGES,
        objects(*IMAGES),
        objects(*IMAGES)[:, None],
        pd.Series(IMAGES),
        pd.DataFrame({"images": pd.Series(IMAGES)}),
    ],
)
def test_columns_of_every_kind(column):
    found = read(column)
    assert found.n_users == 6
    assert found.rows.tolist() == [0, 0, 2]
    assert found.images[:2] == ["a.png", Path("b.png")]
    assert found.n_over_maximum == 0


def test_cells_of_every_kind():
    image = Image.new("L", (3, 3))
    stack = np.zeros((2, 4, 5, 3), np.uint8)
    found = read(["a.png", Path("b.png"), image, stack, objects("c", "d"), ("e",)])
    assert found.rows.tolist() == [0, 1, 2, 3, 3, 4, 4, 5]
    assert found.images[2] is image
    assert found.images[3].shape == (4, 5, 3)
    assert [found.path(place) for place in (0, 1, 2, 7)] == [
        "a.png",
        "b.png",
        None,
        "e",
    ]


def test_the_first_images_are_kept():
    found = read([["a", "b", "c"], ["d"], ["e", "f"]], max_images=1)
    assert found.images == ["a", "d", "e"]
    assert found.n_over_maximum == 3


def test_places_name_the_row_its_label_and_the_path():
    found = read(pd.Series([["a.png"], [GREY]], index=["anna", "bob"]))
    assert found.place(0) == "row 0 ('anna'), a.png"
    assert found.place(1) == "row 1 ('bob')"
    assert found.label(1) == "bob"
    unnamed = read([["a.png"]])
    assert unnamed.place(0) == "row 0, a.png"
    assert unnamed.label(0) == 0


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        ("a.png", "got str"),
        (np.zeros((2, 2)), r"got ndarray of shape \(2, 2\)"),
        (objects("a", "b", "c", "d").reshape(2, 2), r"got ndarray of shape \(2, 2\)"),
        (pd.DataFrame({"a": [[]], "b": [[]]}), r"2 columns: \['a', 'b'\]"),
        (ImageBags(np.zeros((0, 3, 2, 2), np.uint8), [0]), "got ImageBags"),
    ],
)
def test_what_is_no_column_of_images(column, fault):
    with pytest.raises(SourceError, match=f"Owner takes .*{fault}"):
        read(column)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (3, r"must be a list, one image, or None .* got 3 \(int\)"),
        ([None, {"path": 3}], r"image 1 must be a path.* got {'path': 3} \(dict\)"),
        ({"bytes": {"path": "a"}}, r"image 0 must be .*\(dict\)"),
        ([{"url": "a"}], r"image 0 must be .* got {'url': 'a'} \(dict\)"),
        ([torch.zeros((3, 4, 5))], r"got a tensor of torch.float32 of shape \(3, 4"),
        ([["a"]], r"image 0 must be .* got \['a'\] \(list\)"),
        (["a", 2.5], r"image 1 must be .* got 2.5 \(float\)"),
        ([GREY.astype(float)], r"got an array of float64 of shape \(4, 5\)"),
        ([np.zeros((4, 5, 2), np.uint8)], r"of shape \(4, 5, 2\)"),
        ([np.zeros((2, 4, 5), np.uint8)], r"of shape \(2, 4, 5\)"),
        ([np.zeros((0, 5), np.uint8)], r"none of them 0; got .*\(0, 5\)"),
        ([np.zeros(5, np.uint8)], r"of shape \(5,\)"),
        (np.zeros((2, 4, 5), np.uint8), r"an image is .* of shape \(2, 4, 5\)"),
    ],
)
def test_what_is_no_image(cell, fault):
    with pytest.raises(SourceError, match=rf"Owner, row 1 \('b'\): .*{fault}"):
        read(pd.Series([[], cell], index=["a", "b"], dtype=object))
    with pytest.raises(SourceError, match=r"Owner, row 0: "):
        read([cell])
