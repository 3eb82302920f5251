"""What columns hold: text, images, vectors, numbers, categories, ids."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._column_kinds import column_kinds

PIXELS = np.zeros((4, 4, 3), np.uint8)
WORDS = ["I like tea and toast", "ale", "what a day", "goodbye now", "hello there all"]


def kind(cells, name="column", dtype=object, graph=None):
    table = pd.DataFrame({name: pd.Series(cells, dtype=dtype)})
    return column_kinds(table, graph, {})[name]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([[word] for word in WORDS], "text"),
        ([[word, None] for word in WORDS], "text"),
        ([np.array([word]) for word in WORDS], "text"),
        ([*WORDS], "text"),
        ([[word] for word in WORDS] + [None, np.nan], "text"),
        ([[word] for word in WORDS] + WORDS, "text"),
        (["茶"] * 5 + ["山"] * 5, "categories"),
        (["long text that is the same for all users, as some are"] * 8, "text"),
        (["f", "m"] * 5, "categories"),
        ([f"+49 17{i}-555" for i in range(9)], "drop"),
        ([f"a/{i}.JPG" for i in range(9)], "images"),
        ([[f"a/{i}.png"] for i in range(9)], "images"),
        ([[f"a/{i}.png", "and what I wrote"] for i in range(9)], "text"),
        ([Path("a.webp")] * 9, "images"),
        ([PIXELS] * 9, "images"),
        ([[PIXELS, PIXELS]] * 9, "images"),
        ([Image.fromarray(PIXELS)] * 9, "images"),
        ([[], ["a"]] * 9, "text"),
        ([[1.0, 2.0]] * 9, "vectors"),
        ([np.ones(3)] * 9, "vectors"),
        ([[1, 2], [1]] * 9, "lists"),
        ([1, 2.5, None, 3, 4, 5], "numbers"),
        ([True, False, None] * 5, "numbers"),
        ([{"a": 1}] * 9, "drop"),
        ([f"2020-01-0{i}" for i in range(1, 9)], "numbers"),
        (["2020-01-01T10:00:00Z", "2021-01-01 10:00"] * 5, "numbers"),
        (["2020-01-01 was a day to stay at home"] * 9, "categories"),
        ([dt.date(2020, 1, 1)] * 9, "drop"),
        ([None] * 6 + ["x"] * 4, "drop"),
        ([[], (), "", " ", np.array([]), None] * 6, "drop"),
    ],
)
def test_objects(cells, expected):
    assert kind(cells).kind == expected


def test_typed_columns():
    days = pd.Series(pd.date_range("2020", periods=9))
    assert kind(days, dtype=days.dtype) == ("numbers", "dates, in days")
    assert kind(list("ab") * 5, dtype="category").kind == "categories"
    assert kind(np.arange(9) * 0.5, "stars", float).kind == "numbers"
    assert kind([True, False] * 5, dtype=bool) == ("numbers", "yes or no")
    assert kind(list("ab") * 5, dtype="string").kind == "categories"


@pytest.mark.parametrize("name", ["id", "user_id", "author.id", "userId", "UID", "uid"])
def test_ids_without_a_network_are_left_out(name):
    assert kind(range(100, 109), name, "int64").reason.startswith("ids")
    assert kind([f"u{i}" for i in range(9)], name).reason.startswith("ids")
    # Users of the loaders' column may come in several rows; others may be codes.
    repeated = "drop" if name == "user_id" else "numbers"
    assert kind([7, 7, 7, 8, 8, 9], name, "int64").kind == repeated


def test_names_that_only_end_alike_are_no_ids():
    assert kind(range(9), "paid", "int64").kind == "numbers"


def test_the_column_of_the_network():
    graph = SocialGraph.from_edges([("u1", "u2"), ("u3", "u4")])
    table = pd.DataFrame(
        {
            "who": [f"u{i}" for i in range(8)],
            "friend": ["u1"] + [None] * 7,
            "text": [[word] for word in WORDS] + [None] * 3,
        }
    )
    found = column_kinds(table, graph, {})
    assert found["who"].kind == "ids"
    assert found["who"].reason == "50% of the cells are users of the network"
    assert found["friend"].kind == "drop"
    given = column_kinds(table, graph, {"friend": "ids"})
    assert given["friend"] == ("ids", "as given")
    assert given["who"].kind != "ids"


def test_the_column_user_id_is_taken_where_nothing_fits_better():
    graph = SocialGraph.from_edges([("a", "b")])
    table = pd.DataFrame({"user_id": range(20)})
    assert column_kinds(table, graph, {})["user_id"].kind == "ids"
    with pytest.raises(SourceError, match=r'name it as \{column: "ids"\}'):
        column_kinds(table.rename(columns={"user_id": "n"}), graph, {})
    with pytest.raises(SourceError, match="no column of X holds ids"):
        column_kinds(table, graph, {"user_id": "drop"})


def test_errors_in_columns():
    table = pd.DataFrame({"a": range(9)})
    with pytest.raises(SourceError, match=r"columns\['a'\] must be .*got 'word'"):
        column_kinds(table, None, {"a": "word"})
    with pytest.raises(SourceError, match=r"columns names \['b'\]; X has \['a'\]"):
        column_kinds(table, None, {"b": "text"})
