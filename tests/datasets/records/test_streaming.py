"""Users that are read some at a time are those that are read at once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from sklearn_profiling.datasets import load_records, stream_records
from sklearn_profiling.datasets.records import streaming
from sklearn_profiling.exceptions import DataFormatError

WORDS = np.array(["red", "tea", "山", "茶", "run"], dtype=object)


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ROWS_AT_ONCE", 7)


def messages() -> pd.DataFrame:
    """Thirty users with one to five rows, of which some lack the text."""
    draw = np.random.RandomState(0)
    rows = np.repeat(np.arange(30), draw.randint(1, 6, 30))
    draw_words = draw.choice(WORDS, (len(rows), 3))
    return pd.DataFrame(
        {
            "user_id": [f"u{row}" for row in rows],
            "text": [
                None if k % 9 == 4 else " ".join(ws) for k, ws in enumerate(draw_words)
            ],
            "time": draw.permutation(len(rows)),
            "city": np.array(["x", "y", None], dtype=object)[rows % 3],
            "labels.sex": np.array(["f", "m", None, None], dtype=object)[rows % 4],
        }
    )


def users() -> pd.DataFrame:
    table = messages().groupby("user_id", sort=False)
    lists = table["text"].agg(lambda texts: [t for t in texts if t is not None])
    return pd.DataFrame({"user_id": lists.index, "messages": list(lists), "age": 7})


def write(kind: str, folder: Path) -> Path:
    rows = users() if "users" in kind else messages()
    path = folder / "table"
    if "lines" in kind:
        text = "\n".join([*rows.to_json(orient="records", lines=True).splitlines(), ""])
        packed = gzip.compress(text.encode()) if "packed" in kind else text.encode()
        path.write_bytes(packed)
    elif "hive" in kind:
        for number in range(3):
            shard = path / f"part={number}" / f"{number}abc.parquet"
            shard.parent.mkdir(parents=True)
            ends = ["01", "34", "65"][number]
            rows[rows["user_id"].str[-1].isin(list(ends))].to_parquet(shard)
    elif "shards" in kind:
        path.mkdir()
        for number, half in enumerate((rows[:33], rows[33:])):
            half.to_parquet(path / f"part-{number}.parquet", row_group_size=10)
    else:
        rows.to_parquet(path)
    return path


@pytest.mark.parametrize(
    "kind",
    ["lines", "packed lines", "lines of users", "parquet", "users", "shards", "hive"],
)
@pytest.mark.parametrize("chunk_size", [1, 8, 100])
def test_chunks_are_the_users_of_load_records(
    kind: str, chunk_size: int, tmp_path: Path
) -> None:
    path = write(kind, tmp_path)
    options: dict[str, Any] = {}
    if "users" not in kind:
        options = {"time_column": "time", "min_messages": 2}
    whole = load_records(path, **options)
    stream = stream_records(path, chunk_size=chunk_size, **options)
    for _ in range(2):  # a path is read anew
        chunks = list(stream)
        assert {len(chunk.data) for chunk in chunks[:-1]} <= {chunk_size}
        data = pd.concat([chunk.data for chunk in chunks])
        pd.testing.assert_frame_equal(data, whole.data, check_dtype=False)
        target = pd.concat([chunk.target for chunk in chunks])
        pd.testing.assert_frame_equal(target, whole.target)
        found = {**stream.report, "files": None}
        assert found == {name: {**whole.report, "files": None}[name] for name in found}
        read, expected = stream.report["files"]["users"], whole.report["files"]["users"]
        assert read == expected


def test_tables_in_memory_in_which_a_user_goes_on() -> None:
    rows = messages()
    tables = [rows[start : start + 20] for start in range(0, len(rows), 20)]
    stream = stream_records(
        [pa.Table.from_pandas(tables[0], preserve_index=False), *tables[1:]],
        chunk_size=9,
    )
    whole = [each for chunk in stream for each in chunk.data["messages"]]
    texts = messages().groupby("user_id", sort=False)["text"]
    assert whole == [[t for t in user if isinstance(t, str)] for _, user in texts]
    with pytest.raises(DataFormatError, match="table 2: has other columns"):
        list(stream_records([tables[0], tables[1].assign(extra=1)]))
    with pytest.raises(ValueError, match="table 1 of the stream is a int, no table"):
        list(stream_records([3]))


@pytest.mark.parametrize("distance", [1, 3, 40])
def test_a_user_who_comes_back_is_an_error(distance: int, tmp_path: Path) -> None:
    ids = ["back", *(f"u{k}" for k in range(distance)), "back"]
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"user_id": ids, "text": "hello"}).to_parquet(path)
    one_row = "user 'back' comes back|duplicate user"
    # within the rows that are read at once, those of a user are put together
    if distance > 6:
        with pytest.raises(DataFormatError, match=one_row):
            list(stream_records(path))
    with pytest.raises(DataFormatError, match=one_row):
        list(stream_records(path, one_row="user"))


def test_rows_that_are_skipped_are_counted_and_add_up(tmp_path: Path) -> None:
    lines = [json.dumps({"user_id": f"u{k // 2}", "text": "a"}) for k in range(40)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(['{"broken', *lines]))
    with pytest.raises(DataFormatError, match="its first line is no JSON"):
        list(stream_records(path))
    stream = stream_records(path, on_bad_lines="skip")
    assert sum(len(chunk.data) for chunk in stream) == 20
    assert stream.report["files"]["users"]["skipped"] == {"invalid JSON": 1}
    lines[10:30] = ["no json"] * 10 + ["", '{"text": "nobody"}'] * 5
    path.write_text("\n".join(lines))
    with pytest.raises(DataFormatError, match="line 11: invalid JSON"):
        list(stream_records(path))
    stream = stream_records(path, on_bad_lines="skip")
    assert sum(len(chunk.data) for chunk in stream) == 10
    read = stream.report["files"]["users"]
    assert read == load_records(path, on_bad_lines="skip").report["files"]["users"]
    assert (
        read["n_lines"]
        == 40
        == read["n_blank"] + read["n_records"] + sum(read["skipped"].values())
    )


def test_columns_that_part_of_the_rows_lack(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"user_id": f"u{k}", "text": "a", "city": "x"} for k in range(7)
    ]
    lines += [{"user_id": f"v{k}"} for k in range(14)]
    lines += [{"user_id": f"w{k}", "text": "b", "new": 1} for k in range(7)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    chunks = list(stream_records(path, chunk_size=7))
    assert [list(chunk.data) for chunk in chunks[:2]] == [
        ["user_id", "messages", "city"]
    ] * 2
    assert chunks[1].data["city"].isna().all()
    assert [len(texts) for texts in chunks[1].data["messages"]] == [0] * 7
    (chunk,) = stream_records(path)
    assert chunk.data["city"].notna().sum() == 7 == chunk.data["new"].notna().sum()
    assert chunk.data["new"].iloc[-1] == 1


def test_a_column_with_several_values_a_user_is_in_no_chunk_that_has_them() -> None:
    def rows(name: str, moods: str) -> pd.DataFrame:
        return pd.DataFrame({"user_id": name, "text": "a", "mood": list(moods)})

    tables = [rows("a", "xxxxxxxx"), rows("b", "xyxyxyxy"), rows("c", "zzzzzzzz")]
    chunks = list(stream_records(tables, chunk_size=1))
    assert ["mood" in chunk.data for chunk in chunks] == [True, False, True]
    (chunk,) = stream_records(tables)
    assert "mood" not in chunk.data
    (alone,) = stream_records(tables[:1])
    assert alone.data["mood"].tolist() == ["x"]


def test_what_a_row_is_may_not_change(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [{"user_id": f"u{k}", "text": "a"} for k in range(20)]
    lines[-1]["text"] = ["a", "b"]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(DataFormatError, match="say by one_row what a row is"):
        list(stream_records(path))
    (chunk,) = stream_records(path, one_row="user")
    assert chunk.data["messages"].iloc[-1] == ["a", "b"]
    # a list first decides for all, also for users without messages
    lines = [{**line, "text": None} for line in lines[1:]]
    lines.insert(0, {"user_id": "first", "text": ["a"]})
    path.write_text("\n".join(map(json.dumps, lines)))
    stream = stream_records(path)
    list(stream)
    assert stream.report["one_row"] == "user"


def as_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({}, {"text": "a"}),
        ({"text": None}, {"text": "a"}),
        ({}, {"messages": ["a", "b"]}),
        ({"text": None}, {"text": ["a", "b"]}),
        ({"text": None}, {"text": "['a', 'b']"}),
        ({"text": "short"}, {"text": "short", "full_text": "long"}),
        ({"text": "short"}, {"full_text": "long"}),
        ({"full_text": "long"}, {"text": "short"}),
        ({"title": "t", "selftext": "s"}, {"body": "b"}),
        ({"texts": ["a"]}, {"messages": ["a", "b"]}),
    ],
)
def test_messages_that_begin_later_are_read(
    first: dict[str, Any], later: dict[str, Any], tmp_path: Path
) -> None:
    rows = [{"user_id": f"u{k}", **(first if k < 16 else later)} for k in range(30)]
    path = as_lines(tmp_path / "rows.jsonl", rows)
    stream, whole = stream_records(path), load_records(path)
    found = [texts for chunk in stream for texts in chunk.data["messages"]]
    assert found == whole.data["messages"].tolist()
    assert stream.report["columns"]["text"] == whole.report["columns"]["text"]
    assert stream.report["one_row"] == whole.report["one_row"]


def test_messages_of_another_name_that_begin_later_are_an_error(tmp_path: Path) -> None:
    rows = [
        {"user_id": f"u{k}", "text": "a", **({} if k < 16 else {"messages": ["b"]})}
        for k in range(30)
    ]
    path = as_lines(tmp_path / "rows.jsonl", rows)
    match = "of later rows are in 'messages', those of earlier ones in 'text'"
    with pytest.raises(DataFormatError, match=match):
        list(stream_records(path))
    (chunk,) = stream_records(path, text_column="text")
    assert chunk.data["messages"].tolist() == [["a"]] * 30
    (chunk,) = stream_records(path, text_column=False)
    assert chunk.data["messages"].tolist() == [[]] * 30


def test_a_list_after_users_with_several_rows_is_an_error() -> None:
    twice = pd.DataFrame({"user_id": [f"u{k // 2}" for k in range(20)]})
    twice["text"] = pd.array([None] * 20, "string")
    lists = pd.DataFrame({"user_id": ["x"], "text": [["a"]]})
    with pytest.raises(DataFormatError, match="say by one_row what a row is"):
        list(stream_records([twice, lists]))


def test_lists_written_as_text_are_told_by_the_first_rows() -> None:
    tables = [
        pd.DataFrame({"user_id": [f"u{k}"], "text": [text]})
        for k, text in enumerate(["['a']"] * 8 + ["['b', 'c']"])
    ]
    (chunk,) = stream_records(tables)
    assert chunk.data["messages"].iloc[-1] == ["b", "c"]
    tables[0].loc[0, "text"] = "a"  # no list: all are plain texts
    (chunk,) = stream_records(tables)
    assert chunk.data["messages"].iloc[-1] == ["['b', 'c']"]


def test_files_that_cannot_be_read_in_parts(tmp_path: Path) -> None:
    def refused(match: str, **options: Any) -> None:
        with pytest.raises(DataFormatError, match=match):
            list(stream_records(path, **options))

    path = tmp_path / "table"
    refused("does not exist")
    path.write_text("user_id,text\na,b\n")
    refused("is neither Parquet nor JSON lines")
    path.write_text('{\n"user_id": 1}')
    refused("its first line is no JSON")
    path.write_text('{\n"user_id": 1}')
    refused("no line is JSON", on_bad_lines="skip")
    for blank in ("", "\n", " \n\n" * 9):
        path.write_text(blank)
        refused("has no rows")
    path.write_bytes(b"PAR1 and no more")
    refused("no readable Parquet table")
    users().to_parquet(path)
    refused("no user is left: 30 have too few", min_messages=9)
    refused("max_bytes", max_bytes=99)
    path.write_bytes(gzip.compress(path.read_bytes()))
    refused("is packed Parquet")
    path = tmp_path / "folder"
    path.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (path / name).write_text('{"user_id": 1, "text": "a"}')
    refused("several files of users: a.jsonl, b.jsonl")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"chunk_size": 0}, "chunk_size must be a whole number of 1 or more; got 0"),
        ({"chunk_size": True}, "got True"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"one_row": "line"}, "one_row"),
        ({"source": users()}, "iterable of tables; got DataFrame"),
        ({"source": 3}, "iterable of tables; got int"),
    ],
)
def test_parameters_are_checked_at_once(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        stream_records(**{"source": "path", **options})
