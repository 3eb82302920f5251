"""The loader of SMP CUP 2016 files: each rule of the format, each error."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import zstandard

from sklearn_profiling.datasets import load_smpcup2016
from sklearn_profiling.datasets._files import BadLine
from sklearn_profiling.datasets.smpcup2016.format import (
    REGION_OF_PROVINCE,
    REGIONS,
    age_class,
    parse_info_line,
    parse_label_line,
    parse_status_field,
    split_status_line,
)
from sklearn_profiling.exceptions import DataFormatError

FILES = {
    "labels.txt": "1||f||1972||江苏 南京\n2||m||None||None\n3||None||1990||海外\n",
    "status.txt": (
        "1,0,3,小米手机 2S,2014-09-07 21:12:16,忙活了一晚上的成果, 当过节了!\n"
        "4,0,0,None,None,没有标签\n"
        "1,None,0,web,2014-09-08 10:00:00,第二,条\n"
        "2,0,0,web,None,None\n"
        "2,0,0,web,None,\n"
    ),
    "links.txt": "1 2 9 9\n2 1 2\n3\n8 9\n",
    "info.txt": "1||CagePaPa||http://x/1\n2||None||None\n7||only info||u\n",
}


@pytest.fixture
def folder(tmp_path) -> Path:
    write_files(tmp_path, FILES)
    return tmp_path


def write_files(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> None:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))


def test_users_messages_and_labels(folder):
    bunch = load_smpcup2016(folder)
    assert bunch.data["user_id"].tolist() == ["1", "2", "3", "4"]
    assert bunch.data["messages"].tolist() == [
        ["忙活了一晚上的成果, 当过节了!", "第二,条"],
        [],
        [],
        ["没有标签"],
    ]
    assert bunch.data["screen_name"].tolist() == ["CagePaPa", None, None, None]
    assert bunch.data["avatar_url"].tolist() == ["http://x/1", None, None, None]
    assert bunch.target.to_numpy().tolist() == [
        ["f", "-1979", "华东"],
        ["m", None, None],
        [None, "1990+", "境外"],
        [None, None, None],
    ]
    assert set(map(str, bunch.target.dtypes)) == {"object"}
    assert bunch.target.index.equals(bunch.data.index)
    assert bunch.target_names["gender"] == ["m", "f"]
    assert bunch.target_names["region"] == list(REGIONS)
    assert "SMP CUP 2016" in bunch.DESCR


def test_users_to_predict_for_have_rows_whatever_they_wrote(folder):
    write_files(folder, {"valid_nolabel.txt": "9\n4\n 5 \n\n2\n"})
    bunch = load_smpcup2016(folder)
    assert bunch.data["user_id"].tolist() == ["1", "2", "3", "9", "4", "5"]
    assert bunch.data["messages"].tolist()[3:] == [[], ["没有标签"], []]
    assert bunch.target["gender"].tolist() == ["f", "m", None, None, None, None]
    assert bunch.report["n_users"] == 6
    counts = bunch.report["files"]["nolabel"]
    assert (counts["n_lines"], counts["n_blank"], counts["n_records"]) == (5, 1, 4)
    alone = load_smpcup2016(folder, tasks=())
    assert alone.data["user_id"].tolist() == ["9", "4", "5", "2", "1"]
    labeled = load_smpcup2016(folder, users="labeled")
    assert labeled.data["user_id"].tolist() == ["1", "2", "3"]
    assert "nolabel" not in labeled.report["files"]


@pytest.mark.parametrize(
    ("line", "kind"), [("5", "duplicate user"), ("6||m", "bad user id")]
)
def test_bad_lines_among_the_users_to_predict_for(folder, line, kind):
    write_files(folder, {"nolabel.txt": f"5\n{line}\n"})
    with pytest.raises(DataFormatError, match=rf"nolabel\.txt, line 2: {kind}"):
        load_smpcup2016(folder)
    report = load_smpcup2016(folder, on_bad_lines="skip").report
    assert report["files"]["nolabel"]["skipped"] == {kind: 1}


def test_report_counts_everything(folder):
    report = load_smpcup2016(folder).report
    assert report["files"]["labels"] == {
        "path": str(folder / "labels.txt"),
        "encoding": "utf-8",
        "n_lines": 3,
        "n_blank": 0,
        "n_records": 3,
        "skipped": {},
    }
    links = report["files"]["links"]
    assert {name: value for name, value in links.items() if name.startswith("n_")} == {
        "n_lines": 4,
        "n_blank": 0,
        "n_comments": 0,
        "n_headers": 0,
        "n_records": 4,
        "n_missing_ids": 0,
        "n_float_ids": 0,
        "n_links_read": 6,
        "n_links": 4,  # 2>1, 9>1, 1>2, 9>8
        "n_repeated_links": 1,
        "n_self_links": 1,
        "n_unknown_links": 0,
        "n_nodes": 4,
        "n_nodes_outside_data": 2,
    }
    del report["files"]
    assert report == {
        "n_users": 4,
        "n_labeled_users": 3,
        "missing_labels": {"gender": 2, "age": 2, "region": 2},
        "missing_messages": 2,
        "missing_links": 2,
        "n_users_below_min_messages": 0,
        "n_messages_below_min": 0,
        "n_messages": 3,
        "n_messages_without_text": 2,
        "n_messages_of_other_users": 0,
        "n_messages_over_maximum": 0,
    }


def test_undirected_network(folder):
    graph = load_smpcup2016(folder).graph
    assert list(graph.ids) == ["1", "2", "8", "9"]
    # 1 and 2 follow each other; 3 has no fan and is no node
    expected = [[0, 2, 0, 1], [2, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0]]
    np.testing.assert_array_equal(graph.adjacency.toarray(), expected)


def test_directed_network_runs_from_the_fan(folder):
    graph = load_smpcup2016(folder, directed=True).graph
    expected = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]]
    np.testing.assert_array_equal(graph.adjacency.toarray(), expected)


def test_fans_may_be_missing(folder):
    write_files(folder, {"links.txt": FILES["links.txt"] + "8 None None\n"})
    bunch = load_smpcup2016(folder)
    assert bunch.report["files"]["links"]["n_missing_ids"] == 2
    assert bunch.graph.n_users == 4


def test_unknown_links(folder):
    bunch = load_smpcup2016(folder, on_unknown_links="drop")
    assert sorted(bunch.graph.ids) == ["1", "2"]
    assert bunch.report["files"]["links"]["n_unknown_links"] == 3
    with pytest.raises(
        DataFormatError, match=r"links\.txt, line 1: unknown id: '9' is no user"
    ):
        load_smpcup2016(folder, on_unknown_links="error")


def test_unknown_followed_user(folder):
    write_files(folder, {"links.txt": "8 1\n"})
    with pytest.raises(DataFormatError, match="'8' is no user"):
        load_smpcup2016(folder, on_unknown_links="error")
    bunch = load_smpcup2016(folder, on_unknown_links="drop")
    assert bunch.graph is None
    assert bunch.report["missing_links"] == 4


def test_choice_of_users(folder):
    labelled = load_smpcup2016(folder, users="labeled")
    assert labelled.data["user_id"].tolist() == ["1", "2", "3"]
    assert labelled.report["n_messages_of_other_users"] == 1
    everybody = load_smpcup2016(folder, users="all")
    assert everybody.data["user_id"].tolist() == ["1", "2", "3", "4", "7"]
    assert everybody.data["screen_name"].tolist()[-1] == "only info"


def test_tasks(folder):
    bunch = load_smpcup2016(folder, tasks=("city", "birth_year", "province"))
    assert bunch.target.columns.tolist() == ["city", "birth_year", "province"]
    assert bunch.target.to_numpy().tolist()[:3] == [
        ["南京", 1972, "江苏"],
        [None, None, None],
        [None, 1990, "海外"],
    ]
    assert bunch.target_names["birth_year"] == [1972, 1990]
    assert bunch.target_names["province"] == list(REGION_OF_PROVINCE)


def test_without_tasks_no_labels_are_needed(folder):
    (folder / "labels.txt").unlink()
    bunch = load_smpcup2016(folder, tasks=())
    assert bunch.data["user_id"].tolist() == ["1", "4"]
    assert bunch.target.shape == (2, 0)
    assert bunch.report["n_labeled_users"] == 0
    with pytest.raises(ValueError, match="users='labeled' needs tasks"):
        load_smpcup2016(folder, tasks=(), users="labeled")


def test_maximum_of_messages(folder):
    bunch = load_smpcup2016(folder, max_messages=1)
    assert bunch.data["messages"].map(len).tolist() == [1, 0, 0, 1]
    assert bunch.report["n_messages_over_maximum"] == 1


def test_status_columns_run_parallel_to_messages(folder):
    columns = ("retweets", "reviews", "source", "time")
    data = load_smpcup2016(folder, status_columns=columns).data
    assert data.loc[0, list(columns)].tolist() == [
        [0, None],
        [3, 0],
        ["小米手机 2S", "web"],
        ["2014-09-07 21:12:16", "2014-09-08 10:00:00"],
    ]
    assert data.loc[1, "source"] == []
    assert "source" not in load_smpcup2016(folder).data


def test_optional_files(folder):
    (folder / "links.txt").unlink()
    (folder / "info.txt").unlink()
    bunch = load_smpcup2016(folder)
    assert bunch.graph is None
    assert bunch.report["missing_links"] == 4
    assert bunch.data.columns.tolist() == ["user_id", "messages"]
    assert set(bunch.report["files"]) == {"labels", "status"}


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)]
)
def test_prefixes_and_packed_files(folder, ending, pack):
    (folder / "labels.txt").rename(folder / "train_labels.txt")
    status = (folder / "status.txt").read_bytes()
    (folder / "status.txt").unlink()
    (folder / f"train_status.txt.{ending}").write_bytes(pack(status))
    assert load_smpcup2016(folder).report["n_messages"] == 3


def test_exact_names_win_and_doubles_are_ambiguous(folder):
    write_files(folder, {"old_labels.txt": "broken"})
    assert load_smpcup2016(folder).report["n_users"] == 4
    (folder / "labels.txt").rename(folder / "new_labels.txt")
    with pytest.raises(DataFormatError, match=r"several.*new_labels.*old_labels"):
        load_smpcup2016(folder)


def test_missing_files_name_what_is_there(folder):
    (folder / "status.txt").unlink()
    with pytest.raises(
        DataFormatError, match=r"status\.txt is missing.*info\.txt, labels\.txt, links"
    ):
        load_smpcup2016(folder)
    (folder / "labels.txt").unlink()
    with pytest.raises(DataFormatError, match=r"labels\.txt is missing"):
        load_smpcup2016(folder)
    with pytest.raises(DataFormatError, match="not a folder"):
        load_smpcup2016(folder / "nowhere")


def test_gb18030_on_request(tmp_path):
    write_files(tmp_path, FILES, "gb18030")
    with pytest.raises(DataFormatError, match=r"labels\.txt, line 1: wrong encoding"):
        load_smpcup2016(tmp_path)
    bunch = load_smpcup2016(tmp_path, encoding=("utf-8", "gb18030"))
    assert bunch.report["files"]["status"]["encoding"] == "gb18030"
    assert bunch.data["messages"][3] == ["没有标签"]


@pytest.mark.parametrize("name", FILES)
def test_empty_files(folder, name):
    (folder / name).write_bytes(b"")
    with pytest.raises(DataFormatError, match=rf"{name}: the file is empty"):
        load_smpcup2016(folder, on_bad_lines="skip")


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        ("labels.txt", "5||m||1980", "wrong number of fields"),
        ("labels.txt", "5||m||1980||北京||x", "wrong number of fields"),
        ("labels.txt", "5||x||1980||北京", "unknown gender"),
        ("labels.txt", "5||m||80||北京", "bad birth year"),
        ("labels.txt", "5||m||1899||北京", "bad birth year"),
        ("labels.txt", "5||m||2017||北京", "bad birth year"),
        ("labels.txt", "5||m||１９８０||北京", "bad birth year"),
        ("labels.txt", "5||m||1980||火星 基地", "unknown province"),
        ("labels.txt", "5||m||1980||", "unknown province"),
        ("labels.txt", "||m||1980||北京", "bad user id"),
        ("labels.txt", "None||m||1980||北京", "bad user id"),
        ("labels.txt", "2||m||1980||北京", "duplicate user"),
        ("status.txt", "1,0,0,web,2014", "wrong number of fields"),
        ("status.txt", "1,many,0,web,2014,text", "bad count"),
        ("status.txt", "1,0,-1,web,2014,text", "bad count"),
        ("status.txt", "1,0,²,web,2014,text", "bad count"),
        ("status.txt", " ,0,0,web,2014,text", "bad user id"),
        ("links.txt", "None 1", "the first id of a line must not be None"),
        ("info.txt", "5||name", "wrong number of fields"),
        ("info.txt", "1||again||u", "duplicate user"),
    ],
)
def test_bad_lines(folder, name, line, kind):
    number = FILES[name].count("\n") + 1
    write_files(folder, {name: FILES[name] + line + "\n"})
    with pytest.raises(DataFormatError, match=rf"{name}, line {number}: {kind}"):
        load_smpcup2016(folder)
    good, skipped = load_smpcup2016(folder, on_bad_lines="skip"), {kind: 1}
    file = good.report["files"][name.removesuffix(".txt")]
    assert file["skipped"] == skipped
    assert file["n_records"] == number - 1
    assert good.report["n_users"] == 4
    assert good.target["gender"].tolist() == ["f", "m", None, None]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tasks": ("gender", "hobby")}, "each of tasks must be one of"),
        ({"tasks": "gender"}, "got the string 'gender'"),
        ({"users": "some"}, "users must be one of 'labeled', 'content', 'all'"),
        ({"status_columns": ["likes"]}, "each of status_columns"),
        ({"max_messages": 0}, "max_messages must be at least 1"),
        ({"on_bad_lines": "warn"}, "on_bad_lines must be one of"),
        ({"on_unknown_links": "x"}, "on_unknown_links must be one of"),
        ({"encoding": "utf-16"}, "ASCII"),
    ],
)
def test_bad_parameters(folder, parameters, message):
    with pytest.raises(ValueError, match=message):
        load_smpcup2016(folder, **parameters)


def test_lines_by_hand():
    record = parse_label_line("1053604635||f||1972||江苏 南京")
    assert record == ("1053604635", "f", 1972, "江苏", "南京")
    assert (record.age, record.region) == ("-1979", "华东")
    assert parse_label_line("1||m||None||None None")[2:] == (None, None, None)
    assert parse_label_line("1||m||1985||北京 None")[3:] == ("北京", None)
    assert parse_info_line("1||a b||None") == ("1", "a b", None)
    assert split_status_line("1,2,3,web,t, a,,b ", ()) == [
        *("1", "2", "3", "web", "t", " a,,b ")
    ]
    assert parse_status_field("retweets", "12") == 12
    assert parse_status_field("reviews", "None") is None
    assert parse_status_field("source", "12") == "12"
    with pytest.raises(BadLine, match="expected 6"):
        split_status_line("1 2 3", ())


@pytest.mark.parametrize(
    ("year", "expected"),
    [(1979, "-1979"), (1980, "1980-1989"), (1989, "1980-1989"), (1990, "1990+")],
)
def test_borders_of_the_age_classes(year, expected):
    assert age_class(year) == expected


def test_every_province_has_one_region():
    assert len(REGION_OF_PROVINCE) == sum(map(len, REGIONS.values())) == 36
    for name, region in {"内蒙古": "华北", "台湾": "华东", "西藏": "西南"}.items():
        assert REGION_OF_PROVINCE[name] == region
