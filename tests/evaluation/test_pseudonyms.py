"""Ids are hashed with a key; what leads to a person is taken out of messages."""

from __future__ import annotations

import time
from hashlib import blake2b

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_profiling.evaluation import pseudonymise
from sklearn_profiling.exceptions import SourceError

KEY = b"sixteen bytes or more"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ann_b: hi", "<handle>: hi"),
        ("转发@张三 好", "转发<handle> 好"),
        ("(@ann@mastodon.social)", "(<handle>)"),
        ("write ann.b+x@mail.example.org.", "write <mail>."),
        ("jürgen@müller.de", "<mail>"),
        ("邮箱 ann@mail.org", "邮箱 <mail>"),
        ("see https://t.co/aB1?x=2#f, ok", "see <link>, ok"),
        ("www.ann.org/me youtube.com t.me/ann", "<link> <link> <link>"),
        ("ftp://host/ann?u=1 end", "<link> end"),
        ("http://ann@host.org:80/x", "<link>"),
        ("call +49 (0)30 1234-567 now", "call <phone> now"),
        ("电话13800138000打", "电话<phone>打"),
        ("(555) 123-4567", "<phone>"),
        ("4111 1111 1111 1111", "<phone>"),
        ("in 2019, 12,000 of 3.1416 at 10:30", None),
        ("a@b no.one e.g. C++ 5/6 1000", None),
        ("", None),
    ],
)
def test_what_is_taken_out_of_a_message(text: str, expected: str | None) -> None:
    assert pseudonymise(text, key=KEY) == (text if expected is None else expected)


def test_tokens_can_be_left_out() -> None:
    assert pseudonymise(["a @b c"], key=KEY, strip=True) == ["a  c"]


def test_users_with_ids_lists_and_numbers() -> None:
    users = pd.DataFrame(
        {
            "user_id": ["ann", 7, None],
            "messages": [["@bob", None], np.array(["x", "@y"], dtype=object), None],
            "name": ["see t.co/a", "b", "c"],
            "n_fans": [1.0, 2.0, np.nan],
            "pair": [("@a", 1), None, 3],
            "seen": pd.to_datetime(["2020-01-01"] * 3),
        },
        index=list("pqr"),
    )
    before = users.copy(deep=True)
    hidden = pseudonymise(users, key=KEY)
    digest = [
        blake2b(i.encode(), key=KEY, digest_size=16).hexdigest() for i in ("ann", "7")
    ]
    assert hidden["user_id"].tolist() == [*digest, None]
    assert [list(m) for m in hidden["messages"][:2]] == [
        ["<handle>", None],
        ["x", "<handle>"],
    ]
    assert hidden["messages"].iloc[2] is None
    assert hidden["name"].tolist() == ["see <link>", "b", "c"]
    assert hidden["pair"].tolist() == [("<handle>", 1), None, 3]
    assert (
        hidden.dtypes[["n_fans", "seen"]].tolist()
        == users.dtypes[["n_fans", "seen"]].tolist()
    )
    assert hidden.index.tolist() == list("pqr")
    pd.testing.assert_frame_equal(users, before)


def test_ids_in_the_index_and_alone() -> None:
    ids = pd.Series(["ann", "bob"], name="author")
    alone = pseudonymise(ids, key="sixteen bytes or more", id_column="author")
    column = pd.Series([["@x"], ["y"]], index=pd.Index(ids, name="author"))
    hidden = pseudonymise(column, key=KEY, id_column="author")
    assert hidden.index.tolist() == alone.tolist()
    assert hidden.tolist() == [["<handle>"], ["y"]]
    table = pseudonymise(column.to_frame("m"), key=KEY, id_column="author")
    assert table.index.equals(hidden.index)
    assert pseudonymise(ids, key=b"another key of 16").tolist() == ids.tolist()
    other = pseudonymise(ids, key=b"another key of 16", id_column="author")
    assert set(other).isdisjoint(alone)


def test_tables_of_polars_and_of_nothing() -> None:
    hidden = pseudonymise(pl.DataFrame({"messages": [["@a"], ["b"]]}), key=KEY)
    assert hidden["messages"].tolist() == [["<handle>"], ["b"]]
    assert pseudonymise(pd.DataFrame(index=[1, 2]), key=KEY).shape == (2, 0)


@pytest.mark.parametrize(
    ("key", "text"),
    [(b"short", "16 to 64 bytes, .*got 5"), ("x" * 65, "got 65"), (7, "got int")],
)
def test_wrong_keys(key: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        pseudonymise([], key=key)  # type: ignore[arg-type]


def test_wrong_messages() -> None:
    with pytest.raises(SourceError, match="got dict"):
        pseudonymise({"a": "b"}, key=KEY)


@pytest.mark.parametrize(
    "text",
    [
        "a." * 20000,
        "a" * 40000,
        "1-" * 20000,
        "@" * 40000,
        "a@" * 20000,
        "9 " * 20000,
        "x://" * 10000,
        "(" * 40000,
        "a-a." * 10000,
        "+" * 40000,
    ],
)
def test_the_time_is_linear(text: str) -> None:
    started = time.perf_counter()
    pseudonymise(text, key=KEY)
    assert time.perf_counter() - started < 2
