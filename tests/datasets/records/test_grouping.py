"""What becomes of rows: ids, times, labels and other columns of users."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklearn_profiling.datasets import load_records
from sklearn_profiling.exceptions import DataFormatError


def write(folder, text, name="tweets.csv"):
    path = Path(folder) / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_lines(folder, rows, name="tweets.jsonl"):
    return write(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def messages_of(bunch):
    return bunch.data.set_index("user_id")["messages"].to_dict()


def test_ids_of_several_kinds(tmp_path):
    rows = [
        {"user_id": 1, "text": "a"},
        {"user_id": 1.0, "text": "b"},
        {"user_id": "1", "text": "c"},
        {"user_id": 123456789012345678, "text": "d"},
        {"user_id": "007", "text": "e"},
    ]
    bunch = load_records(write_lines(tmp_path, rows))
    assert messages_of(bunch) == {
        "1": ["a", "b", "c"],
        "123456789012345678": ["d"],
        "007": ["e"],
    }
    assert bunch.report["n_float_ids"] == 1
    text = "user_id,text\n1,a\n1.0,b\n123456789012345678,d\n 007,e\n"
    bunch = load_records(write(tmp_path, text))
    assert messages_of(bunch) == {
        "1": ["a", "b"],
        "123456789012345678": ["d"],
        "007": ["e"],
    }
    assert bunch.report["n_float_ids"] == 1


@pytest.mark.parametrize("rounded", ["1.23E+17", "1,23E+17", "1e+17", "-1.2e17"])
def test_ids_that_a_spreadsheet_rounded(tmp_path, rounded):
    fault = "row 2: bad user id: .* is a rounded number"
    path = write(tmp_path, f"user_id;text\n{rounded};a\n{rounded};b\n7;c\n")
    with pytest.raises(DataFormatError, match=fault):
        load_records(path)
    assert load_records(path, on_bad_lines="skip").data["user_id"].tolist() == ["7"]
    labels = pd.DataFrame({"user_id": ["7", rounded], "sex": ["f", "m"]})
    good = write(tmp_path, "user_id;text\n7;a\n8;b\n", "good.csv")
    with pytest.raises(DataFormatError, match=fault):
        load_records(good, labels=labels)


def test_ids_of_hexadecimal_digits_are_no_numbers(tmp_path):
    bunch = load_records(write(tmp_path, "user_id,text\n1e3,a\n12e456,b\n"))
    assert bunch.data["user_id"].tolist() == ["1e3", "12e456"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 1e18], "row 2: bad user id: 1e.18 is a rounded number"),
        ([1.0, 1.5], "row 2: bad user id: must be a string or a whole number; got 1.5"),
        ([1.0, None], "row 2: no user id"),
        ([Decimal(1), Decimal("1.5")], r"row 2: bad user id: .*Decimal\('1.5'\)"),
        ([[1], [2]], r"row 1: bad user id: .*got \[1\]"),
        ([True, False], "row 1: bad user id: .*got True"),
    ],
)
def test_ids_that_are_none(tmp_path, values, message):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"user_id": values, "text": ["a", "b"]}), path)
    with pytest.raises(DataFormatError, match=message):
        load_records(path, id_column="user_id")


def test_ids_without_a_hash(tmp_path):
    rows = [{"user_id": "a", "text": "x"}, {"user_id": [1], "text": "y"}]
    path = write_lines(tmp_path, rows)
    with pytest.raises(DataFormatError, match=r"line 2: bad user id: .*got \[1\]"):
        load_records(path, id_column="user_id")


def test_kinds_of_ids_in_parquet(tmp_path):
    for values in (
        pa.array([5, 6], pa.uint64()),
        pa.array(["5", "6"]).dictionary_encode(),
        pa.array(["5", "6"], pa.large_string()),
        pa.array(["5", "6"], pa.string_view()),
        pa.array([Decimal(5), Decimal(6)]),
    ):
        path = tmp_path / "t.parquet"
        table = pa.table({"user_id": values, "text": values.cast(pa.string())})
        pq.write_table(table, path)
        assert messages_of(load_records(path)) == {"5": ["5"], "6": ["6"]}


def test_rows_of_lists_are_put_together_if_asked(tmp_path):
    rows = [
        {"user_id": "a", "texts": ["x", None]},
        {"user_id": "b", "texts": "z"},
        {"user_id": "a", "texts": ["y"]},
    ]
    path = write_lines(tmp_path, rows)
    with pytest.raises(DataFormatError, match="line 3: duplicate user: 'a'"):
        load_records(path)
    bunch = load_records(path, one_row="message")
    assert messages_of(bunch) == {"a": ["x", "y"], "b": ["z"]}
    assert bunch.report["n_null_messages"] == 1
    with pytest.raises(ValueError, match="one_row must be one of 'auto', 'user'"):
        load_records(path, one_row="tweet")


def test_one_row_a_user_is_checked_if_asked(tmp_path):
    path = write(tmp_path, "user_id,text,t\n7,a,1\n8,b,2\n7,c,3\n")
    with pytest.raises(DataFormatError, match="row 4: duplicate user: '7'"):
        load_records(path, one_row="user")
    report = load_records(path, one_row="user", on_bad_lines="skip").report
    assert report["files"]["users"]["skipped"] == {"duplicate user": 1}
    with pytest.raises(DataFormatError, match="time_column='t' orders rows"):
        load_records(path, one_row="user", time_column="t")


MOMENT = datetime(2018, 10, 10, 20, 19, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.000Z",
        "%a %b %d %H:%M:%S +0000 %Y",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%Y/%m/%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S UTC",
        "%a %b %d %H:%M:%S PDT %Y",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%Y-%m-%d %I:%M:%S %p",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y %H:%M:%S",
        "%s",
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_times_as_text(tmp_path, form, name):
    order = [2, 0, 3, 1]
    frame = pd.DataFrame(
        {
            "user_id": "a",
            "text": [f"m{n}" for n in order],
            "time": [(MOMENT + timedelta(hours=9 * n)).strftime(form) for n in order],
        }
    )
    frame.loc[2, "time"] = None
    path = tmp_path / name
    if name == "t.csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    bunch = load_records(path, time_column="time")
    assert bunch.data["messages"][0] == ["m0", "m1", "m2", "m3"]
    assert bunch.report["n_missing_times"] == 1
    frame.loc[1, "time"] = "yesterday"
    frame.to_json(tmp_path / "b.jsonl", orient="records", lines=True)
    with pytest.raises(DataFormatError, match=r"line 2: bad time: .*'yesterday'"):
        load_records(tmp_path / "b.jsonl", time_column="time")
    bunch = load_records(tmp_path / "b.jsonl", time_column="time", on_bad_lines="skip")
    assert bunch.data["messages"][0] == ["m1", "m2", "m0", "m3"]
    assert (bunch.report["n_bad_times"], bunch.report["n_missing_times"]) == (1, 1)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([3, 1, None, 2]),
        pa.array([0.5, -1.0, float("nan"), 0.0]),
        pa.array([MOMENT, MOMENT.replace(1969), None, MOMENT.replace(1971)]),
        pa.array(
            [MOMENT, MOMENT.replace(1969), None, MOMENT.replace(1971)], pa.date32()
        ),
    ],
)
def test_times_of_other_kinds(tmp_path, times):
    table = pa.table({"user_id": ["a"] * 4, "text": list("dbxc"), "time": times})
    pq.write_table(table, tmp_path / "t.parquet")
    bunch = load_records(tmp_path / "t.parquet", time_column="time")
    assert bunch.data["messages"][0] == ["b", "c", "d", "x"]
    assert bunch.report["n_missing_times"] == 1


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(
            ["9999-12-31", "2020-01-01T00:00:00.123456Z", "0001-01-01", "NaT"],
            marks=pytest.mark.skipif(
                pd.__version__.startswith("2"), reason="pandas 2 reads 1678 to 2261"
            ),
        ),
        ["2.5.2004", "14.05.2003", "13.5.2003", "nan"],
        ["2,June,2004", "14,May,2004", "13,May,2004", "None"],
        # zones are heeded
        ["Mon Apr 06 22:19:45 PDT 2009", "2009-04-07 00:00", "2009-04-06", "NA"],
    ],
)
def test_times_of_several_forms(tmp_path, times):
    rows = [f'a,{n},"{time}"' for n, time in zip("dcbe", times, strict=True)]
    path = write(tmp_path, "\n".join(["user_id,text,time", *rows]))
    bunch = load_records(path, time_column="time")
    assert bunch.data["messages"][0] == ["b", "c", "d", "e"]
    assert bunch.report["n_missing_times"] == 1


@pytest.mark.parametrize("time", ["1/2/2020 10:00", "14/05/2004", "PDT"])
def test_times_that_may_be_two_days_are_an_error(tmp_path, time):
    path = write(tmp_path, f"user_id,text,time\na,b,{time}\n")
    with pytest.raises(DataFormatError, match="row 2: bad time"):
        load_records(path, time_column="time")


def test_times_that_are_none(tmp_path):
    table = pa.table({"user_id": ["a"], "text": ["x"], "time": [[1]]})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataFormatError, match=r"row 1: bad time: .*got \[1\]"):
        load_records(tmp_path / "t.parquet", time_column="time")
    with pytest.raises(DataFormatError, match=r"no record has 'when' \(given as time"):
        load_records(tmp_path / "t.parquet", time_column="when")


def test_labels_of_one_user_agree(tmp_path):
    path = write(tmp_path, "user_id,text,sex,age\n7,a,,1\n8,b,m,2\n7,c,f,1\n8,d,f,3\n")
    with pytest.raises(
        DataFormatError,
        match=r"row 5: two labels: the 'sex' of user '8' is 'm' in .* and 'f' here",
    ):
        load_records(path, tasks=["sex"])
    bunch = load_records(path, tasks=["sex", "age"], on_bad_lines="skip")
    assert bunch.target["sex"].tolist() == ["f", None]
    assert bunch.report["conflicting_labels"] == {"sex": 1, "age": 1}
    assert bunch.report["missing_labels"] == {"sex": 1, "age": 1}


def test_labels_in_rows_of_messages(tmp_path):
    rows = [
        {"user_id": "a", "text": "x", "labels": {"g": "f", "s": ["p", "q"]}},
        {"user_id": "b", "text": "y", "labels.g": "m"},
        {"user_id": "a", "text": "z", "labels": {"s": ["q", "p"]}},
    ]
    bunch = load_records(write_lines(tmp_path, rows))
    assert bunch.target["g"].tolist() == ["f", "m"]
    assert bunch.target["s"].tolist() == [frozenset({"p", "q"}), None]


LABELS = "id,sex,age\n007,f,31\n8.0,m,\n99,m,5\n"


@pytest.mark.parametrize("kind", ["path", "frame", "index", "series"])
def test_a_second_table_of_labels(tmp_path, kind):
    users = write(tmp_path, "user_id,text\n007,a\n8,b\n5,c\n007,d\n")
    labels = write(tmp_path, LABELS, "labels.csv")
    if kind != "path":
        frame = pd.DataFrame(
            {"user_id": ["007", 8.0, 99], "sex": list("fmm"), "age": [31, None, 5]}
        )
        labels = frame if kind == "frame" else frame.set_index("user_id")
        labels = labels["sex"] if kind == "series" else labels
    bunch = load_records(users, labels=labels)
    assert bunch.target["sex"].tolist() == ["f", "m", None]
    if kind != "series":
        assert bunch.target["age"].tolist() == [31, None, None]
    report = bunch.report
    assert report["n_label_ids_outside_data"] == 1
    assert report["n_users_outside_labels"] == 1
    assert report["files"]["labels"]["n_records"] == 3
    if kind == "path":
        chosen = load_records(users, labels=labels, tasks=["age"])
        assert chosen.target.columns.tolist() == ["age"]
        named = load_records(users, labels=labels, id_column="user_id")
        assert named.target["sex"].tolist() == ["f", "m", None]


def test_faults_of_a_second_table(tmp_path):
    users = write(tmp_path, "user_id,text,sex\n7,a,f\n")
    labels = write(tmp_path, "user_id,sex\n7,f\n7,m\n", "labels.csv")
    with pytest.raises(DataFormatError, match=r"labels\.csv: row 3: two labels"):
        load_records(users, labels=labels)
    bunch = load_records(users, labels=labels, on_bad_lines="skip")
    assert bunch.report["conflicting_labels_of_table"] == {"sex": 1}
    with pytest.raises(DataFormatError, match="'sex' stands in both tables"):
        load_records(users, labels=labels, tasks=["sex"], on_bad_lines="skip")
    strangers = write(tmp_path, "user_id,age\nu7,1\n", "strangers.csv")
    with pytest.raises(DataFormatError, match=r"none of its ids .* 'u7', the .* '7'"):
        load_records(users, labels=strangers)
    with pytest.raises(DataFormatError, match="labels: no column of ids is known"):
        load_records(users, labels=pd.DataFrame({"age": [1]}))
    with pytest.raises(ValueError, match="labels must be a path or a table; got int"):
        load_records(users, labels=7)
    with pytest.raises(DataFormatError, match="has no rows, only"):
        load_records(users, labels=write(tmp_path, "id,sex\n", "empty.csv"))
    with pytest.raises(DataFormatError, match="labels: the column 'x' is there twice"):
        load_records(users, labels=pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"]))


def test_min_messages(tmp_path):
    path = write(tmp_path, "user_id,text\n7,a\n8,b\n7,c\n9,\n")
    bunch = load_records(path, min_messages=1)
    assert messages_of(bunch) == {"7": ["a", "c"], "8": ["b"]}
    report = load_records(path, min_messages=2).report
    assert (report["n_users"], report["n_users_below_min_messages"]) == (1, 2)
    assert (report["n_messages"], report["n_messages_below_min"]) == (2, 1)
    with pytest.raises(
        DataFormatError, match=r"no user has 3 messages \(min_messages\)"
    ):
        load_records(path, min_messages=3)
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="min_messages must be a whole number"):
            load_records(path, min_messages=wrong)


def test_columns_of_messages_that_say_something_of_users(tmp_path):
    rows = [
        {"user_id": "a", "text": "x", "city": "Rome", "id": 1, "user": {"bio": "b"}},
        {"user_id": "b", "text": "y", "id": 2, "user": {"bio": "c", "n": {"k": 1}}},
        {"user_id": "a", "text": "z", "id": 3, "user": {"bio": "b", "tags": ["t"]}},
        {"user_id": "b", "text": "y", "id": 2, "user": {"n": {"k": 2}}, "geo": None},
    ]
    bunch = load_records(write_lines(tmp_path, rows))
    assert bunch.data.columns.tolist() == ["user_id", "messages", "city", "user.bio"]
    assert bunch.data["city"].tolist() == ["Rome", None]
    assert bunch.data["user.bio"].tolist() == ["b", "c"]
    assert bunch.report["columns"]["left_out"] == ["id", "user.n.k", "user.tags", "geo"]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    same = load_records(tmp_path / "t.parquet")
    assert same.data["user.bio"].tolist() == ["b", "c"]


def test_a_late_second_value_is_found(tmp_path):
    n_rows = 12_000
    frame = pd.DataFrame({"user_id": "a", "text": "x", "city": "Rome"}, range(n_rows))
    frame.loc[n_rows - 1, "city"] = "Oslo"
    frame.to_csv(tmp_path / "t.csv", index=False)
    bunch = load_records(tmp_path / "t.csv")
    assert bunch.report["columns"]["left_out"] == ["city"]
