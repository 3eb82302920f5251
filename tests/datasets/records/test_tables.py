"""Tables of every format, one row a user or one row a message."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_profiling.datasets import load_records
from sklearn_profiling.datasets.records import delimited
from sklearn_profiling.exceptions import DataFormatError

TWEETS = pd.DataFrame(
    {
        "user_id": ["007", "8", "007"],
        "text": ['hello, "world"\nand mañana', "hi; there", "again\tand\tagain"],
        "gender": ["f", "m", "f"],
        "age": [31, 40, 31],
        "tweet_id": [1, 2, 3],
    }
)
MESSAGES = {
    "007": ['hello, "world"\nand mañana', "again\tand\tagain"],
    "8": ["hi; there"],
}
PACKINGS = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda raw: zstandard.ZstdCompressor().compress(raw),
}


def zipped(raw):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("tweets", raw)
    return stream.getvalue()


PACKINGS[".zip"] = zipped


def as_csv(separator, encoding="utf-8", **kwargs):
    text = TWEETS.to_csv(sep=separator, index=False, **kwargs)
    return text.encode(encoding)


def as_json(**kwargs):
    return TWEETS.to_json(**kwargs).encode()


def as_parquet(frame=TWEETS):
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def as_arrow():
    stream = io.BytesIO()
    pyarrow.feather.write_feather(TWEETS, stream)
    return stream.getvalue()


FORMATS = {
    "commas": (as_csv(","), "a table separated by commas"),
    "tabs": (as_csv("\t"), "a table separated by tabs"),
    "semicolons": (as_csv(";"), "a table separated by semicolons"),
    "bars": (as_csv("|"), "a table separated by bars"),
    "quoted": (as_csv(",", quoting=csv.QUOTE_ALL), "a table separated by commas"),
    "windows": (as_csv(",", lineterminator="\r\n"), "a table separated by commas"),
    "old mac": (
        as_csv(",").replace(b"\nand", b" and").replace(b"\n", b"\r"),
        "a table separated by commas",
    ),
    "utf-8 mark": (as_csv(",", "utf-8-sig"), "a table separated by commas"),
    "excel": (as_csv("\t", "utf-16"), "a table separated by tabs"),
    "big endian": (
        b"\xfe\xff" + as_csv("\t", "utf-16-be"),
        "a table separated by tabs",
    ),
    "lines": (as_json(orient="records", lines=True), "JSON lines"),
    "utf-16 lines": (
        TWEETS.to_json(orient="records", lines=True).encode("utf-16"),
        "JSON lines",
    ),
    "array": (as_json(orient="records"), "a JSON array"),
    "indented": (as_json(orient="records", indent=2), "a JSON array"),
    "columns": (as_json(orient="columns"), "pandas' JSON (orient='columns')"),
    "index": (as_json(orient="index"), "pandas' JSON (orient='index')"),
    "split": (as_json(orient="split"), "pandas' JSON (orient='split')"),
    "table": (as_json(orient="table"), "pandas' JSON (orient='table')"),
    "wrapped": (
        json.dumps({"tweets": TWEETS.to_dict("records")}, indent=1).encode(),
        "a JSON object with rows",
    ),
    "parquet": (as_parquet(), "Parquet"),
    "arrow": (as_arrow(), "Arrow"),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_formats_and_packings(tmp_path, name, packing):
    raw, taken_for = FORMATS[name]
    path = tmp_path / f"tweets{packing}"
    path.write_bytes(PACKINGS[packing](raw))
    bunch = load_records(path, tasks=["gender"])
    found = bunch.data.set_index("user_id")["messages"].to_dict()
    # the line end in a message is the file's
    ends = ("\r\n", " ")
    for end in ends:
        found = {k: [text.replace(end, "\n") for text in v] for k, v in found.items()}
    assert found == {k: [t.replace(" ", "\n") for t in v] for k, v in MESSAGES.items()}
    assert bunch.target["gender"].tolist() == ["f", "m"]
    assert bunch.data["age"].tolist() == [31, 40]
    report = bunch.report
    assert report["one_row"] == "message"
    assert report["columns"]["id"] == "user_id"
    assert report["columns"]["text"] == ["text"]
    assert "tweet_id" in report["columns"]["left_out"]
    users = report["files"]["users"]
    assert users["taken_for"] == taken_for
    assert (users["n_lines"], users["n_records"], users["skipped"]) == (3, 3, {})


def write(folder, text, name="tweets.csv"):
    path = Path(folder) / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_lines(folder, rows, name="tweets.jsonl"):
    return write(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def messages_of(bunch):
    return bunch.data.set_index("user_id")["messages"].to_dict()


@pytest.mark.parametrize(
    ("header", "id_column", "text_columns"),
    [
        ("user_id,text,id", "user_id", ["text"]),
        ("User ID,Tweet Text,x", "User ID", ["Tweet Text"]),
        ("author_id,full_text,id", "author_id", ["full_text"]),
        ("author.id,body,x", "author.id", ["body"]),
        ("uid,content,username", "uid", ["content"]),
        ("author,post,id", "author", ["post"]),
        ("screenName,comment,id", "screenName", ["comment"]),
        ("id,message,x", "id", ["message"]),
        ("用户id,微博正文,user_id", "user_id", ["微博正文"]),
    ],
)
def test_known_names(tmp_path, header, id_column, text_columns):
    names = header.split(",")
    row = {name: f"v{place}" for place, name in enumerate(names)}
    frame = pd.DataFrame([row, row])
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    bunch = load_records(path)
    columns = bunch.report["columns"]
    assert (columns["id"], columns["text"]) == (id_column, text_columns)
    assert messages_of(bunch) == {row[id_column]: [row[text_columns[0]]] * 2}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name,text", r"no column of ids is known among the columns 'name', 'text'"),
        ("user_id,mensaje", r"no column of messages is known .*'mensaje'; name it by"),
        ("user_id,author_id", r"several columns may be ids: 'user_id', 'author_id'"),
        ("user_id,text,body", r"several columns may be messages: 'text', 'body'"),
        ("user_id,User ID,text", r"two columns of one name: 'user_id' and 'User ID'"),
        ("user_id,text,text", r"line 1: no header: .*'text' is there twice"),
        ("7,2019", r"line 1: no header: .*it holds numbers"),
        ("ann,hello", r"no column of ids is known .*write a header if this is"),
    ],
)
def test_names_that_are_not_clear(tmp_path, header, message):
    row = ",".join(f"v{place}" for place in range(header.count(",") + 1))
    with pytest.raises(DataFormatError, match=message):
        load_records(write(tmp_path, f"{header}\n{row}\n"))


def test_a_named_column_is_used_exactly(tmp_path):
    path = write(tmp_path, "user_id,User_ID,text,body,x,uid\na,b,c,d,e,f\n")
    bunch = load_records(path, id_column="User_ID", text_column="body", tasks=["x"])
    assert messages_of(bunch) == {"b": ["d"]}
    assert bunch.data.columns.tolist() == [
        "user_id",
        "messages",
        "user_id_",
        "text",
        "uid",
    ]
    for wrong in ({"id_column": "userid"}, {"text_column": "Body"}, {"tasks": ["X"]}):
        parameter, value = next(iter(wrong.items()))
        named = value if isinstance(value, str) else value[0]
        message = rf"no record has '{named}' \(given as {parameter}\); .*'User_ID'"
        with pytest.raises(DataFormatError, match=message):
            load_records(
                path, **{"id_column": "user_id", "text_column": "body"} | wrong
            )
    alone = load_records(path, id_column="user_id", text_column=False)
    assert (alone.report["one_row"], alone.report["missing_messages"]) == ("user", 1)


def test_tables_without_text(tmp_path):
    path = write(tmp_path, "user_id,age\na,3\nb,4\n")
    assert load_records(path, text_column=False).data["age"].tolist() == [3, 4]
    frame = pd.DataFrame({"user_id": ["a", "b"], "age": [3, 4]})
    frame.to_parquet(tmp_path / "t.parquet")
    # no column may be text, so nothing is missed
    assert load_records(tmp_path / "t.parquet").report["n_messages"] == 0


def test_indexes_without_a_name(tmp_path):
    path = tmp_path / "t.csv"
    TWEETS.to_csv(path)
    bunch = load_records(path)
    assert bunch.report["columns"]["left_out"] == ["Unnamed: 0", "tweet_id"]


def test_values_of_csv(tmp_path):
    path = write(
        tmp_path,
        "user_id,text,n,x,b,zip,mixed,na,empty\n"
        "a,NA,1,1.5,True,007,1,NA,\n"
        "b,null,-2,1e3,False,010,x,y,\n"
        "c,5,,.5,,1,,NaN,\n",
    )
    data = load_records(path, one_row="user").data
    assert data["messages"].tolist() == [["NA"], ["null"], ["5"]]
    np.testing.assert_array_equal(data["n"], [1, -2, np.nan])
    assert data["x"].tolist() == [1.5, 1000.0, 0.5]
    assert data["b"].tolist() == [True, False, None]
    assert data["zip"].tolist() == ["007", "010", "1"]
    assert data["mixed"].tolist() == ["1", "x", None]
    assert data["na"].tolist() == [None, "y", None]
    assert data["empty"].tolist() == [None, None, None]
    bunch = load_records(path, tasks=["na", "b", "n"])
    assert bunch.report["missing_labels"] == {"na": 2, "b": 1, "n": 1}
    assert bunch.target["n"].tolist() == [1, -2, None]
    assert "empty" in bunch.report["columns"]["left_out"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a,b,c", "wrong number of fields"),
        ("a", "wrong number of fields"),
        (",b", "no user id"),
        (" ,b", "bad user id"),
        ("1.23457E+17,b", "bad user id"),
        ("123456789012345678.0,b", "bad user id"),
        ("a,\udcff", "wrong encoding"),
    ],
)
def test_bad_rows_of_csv(tmp_path, line, kind):
    path = tmp_path / "t.csv"
    text = f'user_id,text\n7,"x\n\ny"\n\n8,z\n{line}\n9,"é"\n'
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataFormatError, match=rf"t\.csv: row 4: {kind}"):
        load_records(path)
    bunch = load_records(path, on_bad_lines="skip")
    assert messages_of(bunch) == {"7": ["x\n\ny"], "8": ["z"], "9": ["é"]}
    users = bunch.report["files"]["users"]
    assert users["skipped"] == {kind: 1}
    assert (users["n_lines"], users["n_records"]) == (4, 3)


def test_rows_after_a_skipped_one_keep_their_numbers(tmp_path):
    path = write(tmp_path, "user_id,text,x\n7,a\n7,b,f\n7,c,m\n")
    with pytest.raises(DataFormatError, match="row 2: wrong number of fields"):
        load_records(path, tasks=["x"])
    bunch = load_records(path, tasks=["x"], on_bad_lines="skip")
    assert bunch.report["conflicting_labels"] == {"x": 1}
    bad_time = write(tmp_path, "user_id,text,x\n7,a\n7,b,1\n7,c,2\n", "b.csv")
    bunch = load_records(bad_time, time_column="x", on_bad_lines="skip")
    assert messages_of(bunch) == {"7": ["b", "c"]}


def test_open_quotes_are_an_error(tmp_path):
    path = write(tmp_path, 'user_id,text\n7,a\n8,"b\n9,c\n')
    for policy in ("error", "skip"):
        with pytest.raises(DataFormatError, match="row 3: bad quotes: unexpected end"):
            load_records(path, on_bad_lines=policy)
    # an odd number of quotes is no fault where no field is quoted
    inches = write(tmp_path, 'user_id,text\n7,a 5" screen\n')
    assert messages_of(load_records(inches)) == {"7": ['a 5" screen']}


def test_long_fields(tmp_path):
    text = "x" * (3 << 20)
    path = write(tmp_path, f'user_id,text\n7,a\n8,"{text}"\n')
    assert messages_of(load_records(path)) == {"7": ["a"], "8": [text]}


def test_other_encodings(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("user_id,text\n7,中文\n8,文\n".encode("gb18030"))
    with pytest.raises(DataFormatError, match="row 2: wrong encoding"):
        load_records(path)
    bunch = load_records(path, encoding=("utf-8", "gb18030"))
    assert messages_of(bunch) == {"7": ["中文"], "8": ["文"]}
    assert bunch.report["files"]["users"]["encoding"] == "gb18030"
    path.write_bytes("user_id,text\n7,中文".encode("gb18030")[:-1])
    with pytest.raises(DataFormatError, match="wrong encoding: not gb18030"):
        load_records(path, encoding="gb18030")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<a>1,2</a>\n<a>3,4</a>\n", "unknown format"),
        (b"<users/>", "unknown format: looked for Parquet, Arrow, JSON lines"),
        (b"just a line\nof words\n", "unknown format"),
        (b"user_id,text\n", "has no rows, only the columns 'user_id', 'text'"),
        (b'user_id,"text"', "has no rows, only the columns 'user_id', 'text'"),
        (b"\n\n", "no usable line among 2: all lines are blank"),
        (b"\xd0\xcf\x11\xe0....", "is an old Excel workbook: save it as CSV"),
        # its bytes hold the time of day, which must not name the test
        pytest.param(
            zipped(b"")[:30] + b"[Content_Types].xml",
            "is an Excel workbook",
            id="workbook",
        ),
        (b"SQLite format 3\0", "is an SQLite database"),
        (b"\x80\x04\x95\x0b", "is a pickle, which may run any code"),
        ("user_id,text\n7,x\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"{} 5", "line 1: invalid JSON"),
        (b'"text"\n', "unknown format"),
        (b"[1, 2]", "row 1: not an object: 1"),
        (b'[{"user_id": 1},', "no readable JSON array or object, and no JSON lines"),
        (b"[" * 100_000, "nested too deeply"),
        (b"ARROW1\0\0", "no readable Arrow table"),
        (b"\xff\xff\xff\xff\1\0\0\0", "no readable Arrow table"),
        (b"[]", "the file is empty"),
    ],
)
def test_what_is_no_table(tmp_path, raw, message):
    path = tmp_path / "t"
    path.write_bytes(raw)
    with pytest.raises(DataFormatError, match=message):
        load_records(path)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), CELLS), min_size=1, max_size=8),
    separator=st.sampled_from([",", "\t", ";", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_csv_there_and_back(rows, separator, encoding):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["user_id", "text"])
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t")
        path.write_bytes(stream.getvalue().encode(encoding))
        bunch = load_records(path)
    wanted: dict[str, list[str]] = {user: [] for user, _ in rows}
    for user, text in rows:
        # an empty field is a missing one
        wanted[user] += [text] if text else []
    assert messages_of(bunch) == wanted
    assert list(messages_of(bunch)) == list(wanted)
    assert bunch.report["n_null_messages"] == sum(not text for _, text in rows)


BROKEN_ROWS = st.lists(
    st.sampled_from(
        [
            {"user_id": "a", "text": "x"},
            {"user_id": 1, "text": "y"},
            {"user_id": 1.0, "text": None},
            {"user_id": "b", "text": "[removed]"},
            {"user_id": "[deleted]", "text": "z"},
            {"user_id": None, "text": "z"},
            {"user_id": 1.5, "text": "z"},
            {"user_id": "a", "text": 7},
            {"user_id": "a", "text": "x", "labels": {"g": [[1]]}},
            {"user_id": "a", "text": "x", "labels": 5},
            {"text": "x"},
            "",
            "{",
            "[]",
        ]
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(rows=BROKEN_ROWS, min_messages=st.integers(0, 2))
def test_reports_add_up(rows, min_messages):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    # two messages of a user who stays
    lines = ['{"user_id": "c", "text": "x"}'] * 2 + lines
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, "".join(f"{line}\n" for line in lines), "t.jsonl")
        report = load_records(
            path, on_bad_lines="skip", min_messages=min_messages
        ).report
    users = report["files"]["users"]
    n_skipped = sum(users["skipped"].values())
    assert users["n_lines"] == len(lines)
    assert users["n_lines"] == users["n_blank"] + users["n_records"] + n_skipped
    assert users["n_records"] == (
        report["n_messages"]
        + report["n_messages_below_min"]
        + report["n_null_messages"]
        + report["n_removed_messages"]
    )


def test_what_arrow_cannot_hold(tmp_path):
    rows = [
        {"user_id": 2**70, "text": "\ud800", "n": 2**70},
        {"user_id": 2**70, "text": "x", "n": 2**70},
    ]
    bunch = load_records(write_lines(tmp_path, rows))
    assert messages_of(bunch) == {str(2**70): ["\ud800", "x"]}
    assert bunch.data["n"].tolist() == [2**70]


def test_packed_files_without_an_ending(tmp_path):
    for packing, pack in PACKINGS.items():
        path = tmp_path / f"tweets{packing[1:]}"
        path.write_bytes(pack(FORMATS["commas"][0]))
        assert messages_of(load_records(path)) == MESSAGES


def test_names_with_dots(tmp_path):
    path = write_lines(tmp_path, [{"a.b": {"id": "7", "n": {"k": 1}}, "text": "x"}])
    assert messages_of(load_records(path, id_column="a.b.id")) == {"7": ["x"]}
    table = pa.Table.from_pylist([{"a.b": {"id": "7", "c": [1]}, "text": "x"}])
    pq.write_table(table, tmp_path / "t.parquet")
    bunch = load_records(tmp_path / "t.parquet", id_column="a.b.id")
    assert messages_of(bunch) == {"7": ["x"]}
    for wrong in ("a.b.x", "a.b.id.x", "a.c.id", "text.x"):
        with pytest.raises(DataFormatError, match="no record has"):
            load_records(tmp_path / "t.parquet", id_column=wrong)
        with pytest.raises(DataFormatError, match="no record has"):
            load_records(path, id_column=wrong)


def test_many_columns_are_not_all_listed(tmp_path):
    names = ",".join(f"c{n}" for n in range(40))
    with pytest.raises(DataFormatError, match="'c29' and 10 more; name it"):
        load_records(write(tmp_path, f"{names}\n{names}\n"))


def test_a_line_with_the_separator_before_the_header(tmp_path):
    path = write(tmp_path, "sep=^\r\nuser_id^text\r\n7^a,b\r\n8^c^d\r\n")
    with pytest.raises(DataFormatError, match="row 4: wrong number of fields"):
        load_records(path)
    bunch = load_records(path, on_bad_lines="skip")
    assert messages_of(bunch) == {"7": ["a,b"]}
    taken_for = "a table separated by '^'"
    assert bunch.report["files"]["users"]["taken_for"] == taken_for
    with pytest.raises(DataFormatError, match="nothing follows the line"):
        load_records(write(tmp_path, "sep=;\n"))


def test_blanks_around_values_of_csv(tmp_path):
    path = write(tmp_path, "user_id, text, labels, n\n 7, a, f , 3\n8 , b, m, 4\n")
    bunch = load_records(path, tasks=["labels"])
    assert messages_of(bunch) == {"7": [" a"], "8": [" b"]}
    assert bunch.target["labels"].tolist() == ["f", "m"]
    assert bunch.data["n"].tolist() == [3, 4]
    assert load_records(path).data["labels"].tolist() == ["f", "m"]


def test_separators_beside_each_other(tmp_path):
    path = write(tmp_path, "user_id,text,x;y\n7,a,b;c\n8,d,e;f\n")
    bunch = load_records(path)
    assert messages_of(bunch) == {"7": ["a"], "8": ["d"]}
    assert bunch.data["x;y"].tolist() == ["b;c", "e;f"]


def test_a_stray_null_byte_is_text(tmp_path):
    path = write(tmp_path, "user_id,text\n7,a\0b\n8,many words without one\n")
    assert messages_of(load_records(path))["7"] == ["a\0b"]


def test_rows_that_are_too_long(tmp_path, monkeypatch):
    path = write(tmp_path, f"user_id,text\n7,{'x' * (2 << 20)}\n")
    monkeypatch.setattr(delimited, "_LARGEST_BLOCK", 1 << 20)
    with pytest.raises(DataFormatError, match=r"a row is longer than .*quote may be"):
        load_records(path)


def test_other_errors_of_pyarrow(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        msg = "something else"
        raise pa.ArrowInvalid(msg)

    monkeypatch.setattr(pyarrow.csv, "read_csv", fail)
    with pytest.raises(DataFormatError, match="no readable table: something else"):
        load_records(write(tmp_path, "user_id,text\n7,a\n"))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("listed", [pa.list_, pa.large_list])
def test_lists_of_messages_in_parquet(tmp_path, kind, listed):
    texts = pa.array([["a", "b"], ["c"]], listed(kind))
    for name in ("tweets", "mensajes"):
        table = pa.table({"user_id": ["7", "8"], name: texts, "n": [[1], [2]]})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    bunch = load_records(tmp_path / "tweets.parquet")
    assert messages_of(bunch) == {"7": ["a", "b"], "8": ["c"]}
    assert bunch.report["one_row"] == "user"
    assert bunch.data["n"].tolist() == [[1], [2]]
    with pytest.raises(DataFormatError, match=r"no column of messages is .*'mens"):
        load_records(tmp_path / "mensajes.parquet")


BROKEN_LINES = st.lists(
    st.sampled_from(
        [
            b"a,x,f",
            b"1,y,m",
            b"1.0,,f",
            b"b,[removed],",
            b"[deleted],z,m",
            b",z,f",
            b"1.5E+9,z,f",
            b"a",
            b"a,b,c,d",
            b'a,"x\ny",f',
            b"a,\xff,f",
        ]
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(rows=BROKEN_LINES, min_messages=st.integers(0, 2))
def test_reports_of_csv_add_up(rows, min_messages):
    # two messages of a user who stays
    rows = [b"c,x,f", b"c,x,f", *rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(b"user_id,text,sex\n" + b"\n".join(rows))
        report = load_records(
            path, tasks=["sex"], on_bad_lines="skip", min_messages=min_messages
        ).report
    users = report["files"]["users"]
    assert users["n_lines"] == len(rows)
    assert users["n_lines"] == users["n_records"] + sum(users["skipped"].values())
    assert users["n_records"] == (
        report["n_messages"]
        + report["n_messages_below_min"]
        + report["n_null_messages"]
        + report["n_removed_messages"]
    )
    n_good = sum(row.count(b",") == 2 and b"\xff" not in row for row in rows)
    assert users["skipped"].get("wrong encoding", 0) == rows.count(b"a,\xff,f")
    wrong = len(rows) - n_good - rows.count(b"a,\xff,f")
    assert users["skipped"].get("wrong number of fields", 0) == wrong
