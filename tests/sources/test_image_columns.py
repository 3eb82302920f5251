"""Every form of an images column, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._columns import read_images

GREY = np.zeros((4, 5), np.uint8)


class Owner:
    pass


def read(column, max_images=None):
    return read_images(column, max_images, Owner())


def objects(*cells):
    column = np.empty(len(cells), object)
    column[:] = cells
    return column


CELLS = (["a.png", Path("b.png")], None, [GREY], [], np.nan, pd.NA)


@pytest.mark.parametrize(
    "column",
    [
        list(CELLS),
        CELLS,
        objects(*CELLS),
        objects(*CELLS)[:, None],
        pd.Series(CELLS),
        pd.DataFrame({"images": pd.Series(CELLS)}),
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
        (3, r"must be a list, one path or PIL image, or None .* got 3 \(int\)"),
        ([None], r"image 0 must be a path.* got None \(NoneType\)"),
        (["a", 2.5], r"image 1 must be .* got 2.5 \(float\)"),
        ([GREY.astype(float)], r"got an array of float64 of shape \(4, 5\)"),
        ([np.zeros((4, 5, 2), np.uint8)], r"of shape \(4, 5, 2\)"),
        ([np.zeros((2, 4, 5), np.uint8)], r"of shape \(2, 4, 5\)"),
        ([np.zeros((0, 5), np.uint8)], r"none of them 0; got .*\(0, 5\)"),
        ([np.zeros(5, np.uint8)], r"of shape \(5,\)"),
        (GREY, r"put one image into a list; got the shape \(4, 5\)"),
    ],
)
def test_what_is_no_image(cell, fault):
    with pytest.raises(SourceError, match=rf"Owner, row 1 \('b'\): .*{fault}"):
        read(pd.Series([[], cell], index=["a", "b"], dtype=object))
    with pytest.raises(SourceError, match=r"Owner, row 0: "):
        read([cell])
