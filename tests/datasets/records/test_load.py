"""Users from JSON lines and Parquet: each rule, each error, there and back."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils import Bunch

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets import dump_records, load_records, make_user_profiles
from sklearn_profiling.exceptions import (
    DataFormatError,
    DataQualityWarning,
)

ROWS = [
    {
        "user_id": "a",
        "messages": ["x", "y"],
        "labels": {"mood": "good", "likes": ["tea", "jam"]},
        "age": 3,
        "city": "Rome",
    },
    {"user_id": 2, "messages": "one", "labels": {"mood": None, "likes": []}},
    {"user_id": "c", "messages": None, "age": 5},
]


def write_users(folder, rows, name="users.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_records(tmp_path):
    bunch = load_records(write_users(tmp_path, ROWS))
    assert bunch.data["user_id"].tolist() == ["a", "2", "c"]
    assert bunch.data["messages"].tolist() == [["x", "y"], ["one"], []]
    np.testing.assert_array_equal(bunch.data["age"], [3, np.nan, 5])
    assert bunch.data["city"].tolist() == ["Rome", None, None]
    assert bunch.target["mood"].tolist() == ["good", None, None]
    assert bunch.target["likes"].tolist() == [
        frozenset({"tea", "jam"}),
        frozenset(),
        None,
    ]
    assert bunch.target_names == {"mood": ["good"], "likes": ["jam", "tea"]}
    assert bunch.graph is None
    assert "JSON lines" in bunch.DESCR
    report = bunch.report
    assert report["missing_labels"] == {"mood": 2, "likes": 1}
    assert (report["missing_messages"], report["n_messages"]) == (1, 3)
    assert (report["n_users"], report["missing_links"]) == (3, 3)


def test_poets_as_they_are(real_data):
    bunch = load_records(real_data / "poets")
    assert len(bunch.data) == 2696
    assert bunch.data.columns.tolist() == ["user_id", "messages", "n_poems"]
    tasks = ["dynasty", "era", "region", "province", "occupation"]
    assert bunch.target.columns.tolist() == tasks
    assert bunch.report["missing_labels"] == {
        "dynasty": 0,
        "era": 508,
        "region": 1030,
        "province": 1030,
        "occupation": 120,
    }
    assert bunch.graph.n_users == 1223
    assert bunch.report["missing_links"] == 1473
    assert load_records(real_data / "poets", directed=True).graph.n_edges == 2406


def test_folder_with_links(tmp_path):
    write_users(tmp_path, ROWS)
    (tmp_path / "links.tsv").write_text("a\t2\t3\n2\ta\nc\tc\na\t2\t0.5\n")
    bunch = load_records(tmp_path)
    graph = bunch.graph.subgraph(["a", "2"])
    assert graph.n_users == bunch.graph.n_users
    # 3 + 0.5 one way, 1 the other
    np.testing.assert_array_equal(graph.adjacency.toarray(), [[0, 4.5], [4.5, 0]])
    directed = load_records(tmp_path, directed=True).graph.subgraph(["a", "2"])
    np.testing.assert_array_equal(directed.adjacency.toarray(), [[0, 3.5], [1, 0]])
    links = bunch.report["files"]["links"]
    assert (links["n_self_links"], links["n_repeated_links"]) == (1, 1)
    assert load_records(tmp_path, links=False).graph is None


@pytest.mark.parametrize(
    ("name", "text"), [("l.csv", "a,2\n"), ("l.txt", "a 2 1.0\n"), ("l.tsv", "a\t2\n")]
)
def test_separators_of_links(tmp_path, name, text):
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    users = write_users(tmp_path, ROWS)
    graph = load_records(users, links=tmp_path / f"{name}.gz").graph
    assert sorted(graph.ids) == ["2", "a"]


def test_packed_files_of_a_folder(tmp_path):
    expected = load_records(write_users(tmp_path, ROWS))
    plain = tmp_path / "users.jsonl"
    packed = tmp_path / "users.jsonl.zst"
    packed.write_bytes(zstandard.compress(plain.read_bytes()))
    plain.unlink()
    (tmp_path / "links.tsv.xz").write_bytes(lzma.compress(b"a\t2\n"))
    bunch = load_records(tmp_path)
    assert bunch.data.equals(expected.data)
    assert sorted(bunch.graph.ids) == ["2", "a"]


def test_ids_with_blanks_in_tab_separated_links(tmp_path):
    write_users(tmp_path, [{"user_id": "Li Bai"}, {"user_id": "Du Fu"}])
    (tmp_path / "links.txt").write_text("Li Bai\tDu Fu\n")
    assert list(load_records(tmp_path).graph.neighbors("Li Bai")) == ["Du Fu"]


LINKS = {
    "csv": 'source,target\n"a",2\n# the end\n',
    "semicolons": "from;to;weight\na;2;1,5\n",
    "columns": '"","target","type","source"\n"1","2","x","a"\n',
    "fans": "2 a x y\na x\n",
    "snap": "# Nodes: 2 Edges: 1\na 2\n",
    "konect": "% sym unweighted\na 2\n2 x 3 100\n",
    "networkx": "a 2 {}\n2 x {'weight': 2}\n",
    "gml": 'graph [\n node [ id 0 label "a" ]\n node [ id 1 label "2" ]\n'
    " edge [ source 0 target 1 ]\n edge [ source 1 target 1 ]\n]\n",
}


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("directed", [True, False])
def test_formats_of_links(tmp_path, name, directed):
    users = write_users(tmp_path, ROWS)
    path = tmp_path / "links.csv"
    path.write_bytes(bz2.compress(LINKS[name].encode()))
    bunch = load_records(users, links=path, on_unknown_links="add", directed=directed)
    assert "2" in bunch.graph.neighbors("a")
    assert set(bunch.graph.ids) <= {"a", "2", "x", "y"}
    links = bunch.report["files"]["links"]
    kinds = {"fans": "fans", "konect": "konect", "gml": "gml"}
    assert links["taken_for"].startswith(kinds.get(name, "edges separated by"))
    apart = links["n_blank"] + links.get("n_comments", 0) + links.get("n_headers", 0)
    assert links["n_lines"] == links["n_records"] + apart
    if name in ("konect", "gml") or not directed:
        assert "a" in bunch.graph.neighbors("2")
    if name == "gml":
        assert links["n_self_links"] == 1 + directed


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ('a,2\n2,a\na,"2\n', "auto", "line 3: quotes"),
        ("source,target\na,2\na\n", "auto", "line 3: number of fields"),
        ("% sym signed\na 2 -1\n", "auto", "line 2: weight"),
        ("% sym signed\na 2 1 2 3\n", "auto", "line 2: number of fields"),
        ("a 2 {}\n2 a {}\na {1}\n", "auto", "line 3: number of fields"),
        ("a 2 {}\na 2 {1]}\n", "auto", "line 2: number of fields"),
        ("*Vertices 2\n1 a\n2 2\n", "edges", "line 1: the file is pajek, not edges"),
        ("{}", "gml", "no readable gml"),
        ("*Vertices 2\n1 a\n2 b\n*Edges\n1 2\n", "auto", r"links.txt: unknown id: 'b'"),
    ],
)
def test_links_that_do_not_fit_their_format(tmp_path, text, kind, message):
    write_users(tmp_path, ROWS)
    (tmp_path / "links.txt").write_text(text)
    with pytest.raises(DataFormatError, match=message):
        load_records(tmp_path, links_format=kind, on_unknown_links="error")


def test_format_of_links_is_checked(tmp_path):
    path = write_users(tmp_path, ROWS)
    with pytest.raises(ValueError, match="links_format must be one of 'auto', 'fans'"):
        load_records(path, links_format="csv")


@pytest.mark.parametrize("policy", ["add", "drop"])
def test_links_of_strangers_are_told(tmp_path, policy):
    path = write_users(tmp_path, [{"user_id": f"u{n}"} for n in range(10)])
    (tmp_path / "links.tsv").write_text("x\ty\n" * 5)
    with pytest.warns(DataQualityWarning, match=r"only 0 of 10 .*'u0'.*'y'") as caught:
        load_records(path, links=tmp_path / "links.tsv", on_unknown_links=policy)
    assert caught[0].filename == __file__


def test_ids_that_look_like_comments_or_quotes_come_back(tmp_path):
    ids = ["#a", "%b", '"c', 'd"']
    adjacency = sparse.csr_matrix(np.ones((4, 4)) - np.eye(4))
    graph = SocialGraph(adjacency, ids, directed=False)
    data = pd.DataFrame({"user_id": ids, "messages": [["x"]] * 4})
    dump_records(data, tmp_path, target=pd.DataFrame(index=range(4)), graph=graph)
    assert load_records(tmp_path).graph.subgraph(ids) == graph


def test_damaged_bzip2(tmp_path):
    users = write_users(tmp_path, ROWS)
    path = tmp_path / "links.bz2"
    path.write_bytes(bz2.compress(b"a\t2\n" * 99)[:-9])
    with pytest.raises(DataFormatError, match="bzip2 archive is damaged"):
        load_records(users, links=path, encoding=("utf-8", "gb18030"))


def test_unknown_links(tmp_path):
    write_users(tmp_path, ROWS)
    (tmp_path / "links.tsv").write_text("a\t2\na\tzz\n")
    with pytest.raises(DataFormatError, match=r"links\.tsv, line 2: unknown id: 'zz'"):
        load_records(tmp_path, on_bad_lines="skip", on_unknown_links="error")
    dropped = load_records(tmp_path, on_unknown_links="drop")
    assert sorted(dropped.graph.ids) == ["2", "a"]
    assert dropped.report["files"]["links"]["n_unknown_links"] == 1
    added = load_records(tmp_path)
    assert sorted(added.graph.ids) == ["2", "a", "zz"]
    assert added.report["files"]["links"]["n_nodes_outside_data"] == 1


def test_tasks_and_columns_of_ones_choice(tmp_path):
    rows = [
        {"id": 1, "body": ["x"], "labels": {"mood": "up", "b": 1}, "sex": "f"},
        {"id": 2, "body": ["y"], "labels.b": 0, "sex": None, "messages": "kept"},
    ]
    path = write_users(tmp_path, rows)
    bunch = load_records(
        path, id_column="id", text_column="body", tasks=["sex", "b", "sex"]
    )
    assert bunch.target.columns.tolist() == ["sex", "b"]
    assert bunch.target.to_numpy().tolist() == [["f", 1], [None, 0]]
    assert bunch.data.columns.tolist() == ["user_id", "messages", "messages_"]
    assert bunch.data["messages"].tolist() == [["x"], ["y"]]
    every = load_records(path, id_column="id", text_column="body")
    assert every.target.columns.tolist() == ["mood", "b"]
    for wrong in ({"tasks": ["zodiac"]}, {"text_column": "zodiac"}):
        with pytest.raises(DataFormatError, match="no record has 'zodiac'"):
            load_records(path, id_column="id", **wrong)
    with pytest.raises(ValueError, match="got the string 'sex'"):
        load_records(path, id_column="id", tasks="sex")


def test_without_labels(tmp_path):
    bunch = load_records(write_users(tmp_path, [{"user_id": "a", "texts": ["x"]}]))
    assert bunch.target.shape == (1, 0)
    assert bunch.data["messages"].tolist() == [["x"]]
    assert bunch.report["n_labeled_users"] == 0


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("{", "invalid JSON"),
        ('{"user_id": "b"} x', "invalid JSON"),
        ("[" * 100_000, "invalid JSON: nested too deeply"),
        ("[1]", "not an object"),
        ("7", "not an object"),
        ('{"messages": []}', "no user id"),
        ('{"user_id": null}', "no user id"),
        ('{"user_id": true}', "bad user id"),
        ('{"user_id": " "}', "bad user id"),
        ('{"user_id": "a"}', "duplicate user"),
        ('{"user_id": 1.5}', "bad user id"),
        ('{"user_id": NaN}', "bad user id"),
        ('{"user_id": 1e300}', "bad user id"),
        ('{"user_id": "b", "messages": [1]}', "bad messages"),
        ('{"user_id": "b", "messages": {}}', "bad messages"),
        ('{"user_id": "b", "messages": [], "texts": []}', "two columns of messages"),
        ('{"user_id": "b", "labels": "x"}', "bad labels"),
        ('{"user_id": "b", "labels": {"mood": {}}}', "bad labels"),
        ('{"user_id": "b", "labels": {"mood": [[1]]}}', "bad labels"),
    ],
)
def test_bad_lines(tmp_path, line, kind):
    path = write_users(tmp_path, ROWS)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataFormatError, match=rf"users\.jsonl, line 4: {kind}"):
        load_records(path)
    bunch = load_records(path, on_bad_lines="skip")
    assert bunch.report["files"]["users"]["skipped"] == {kind.partition(":")[0]: 1}
    assert bunch.report["n_users"] == 3
    assert list(bunch.target) == ["mood", "likes"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a", "number of fields"),
        ("a\t2\t1\t1", "number of fields"),
        ("a\t\t1", "an id is empty"),
        ("a\t2\theavy", "weight"),
        ("a\t2\t0", "weight"),
        ("a\t2\tinf", "weight"),
    ],
)
def test_bad_links(tmp_path, line, kind):
    write_users(tmp_path, ROWS)
    (tmp_path / "links.tsv").write_text(f"a\t2\n{line}\n")
    with pytest.raises(DataFormatError, match=rf"links\.tsv, line 2: {kind}"):
        load_records(tmp_path)
    report = load_records(tmp_path, on_bad_lines="skip").report
    assert report["files"]["links"]["skipped"] == {kind: 1}


def test_faulty_files(tmp_path):
    for name in ("users.jsonl", "links.tsv"):
        write_users(tmp_path, ROWS)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataFormatError, match="the file is empty"):
            load_records(tmp_path)
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"user_id": "a"}\n' * 50)[:-12])
    with pytest.raises(DataFormatError, match="gzip archive is damaged"):
        load_records(path, on_bad_lines="skip")
    path = tmp_path / "gb.jsonl"
    path.write_bytes('{"user_id": "a", "texts": ["中"]}\n'.encode("gb18030"))
    with pytest.raises(DataFormatError, match="line 1: wrong encoding"):
        load_records(path)
    assert load_records(path, encoding=("utf-8", "gb18030")).data["messages"][0] == [
        "中"
    ]


def test_files_that_are_not_found(tmp_path):
    with pytest.raises(DataFormatError, match="does not exist"):
        load_records(tmp_path / "nowhere")
    with pytest.raises(DataFormatError, match=r"no file of users .*holds: nothing"):
        load_records(tmp_path)
    (tmp_path / "users.xml").write_text("")
    with pytest.raises(DataFormatError, match=r"no file of users.*users\.xml"):
        load_records(tmp_path)
    (tmp_path / "users.xml").write_text("<users/>")
    with pytest.raises(DataFormatError, match="unknown format: looked for Parquet"):
        load_records(tmp_path / "users.xml")
    one = write_users(tmp_path, ROWS, "one.json")
    assert load_records(tmp_path).report["n_users"] == 3
    write_users(tmp_path, ROWS, "two.jsonl")
    with pytest.raises(DataFormatError, match=r"several files of users.*one.*two"):
        load_records(tmp_path)
    with pytest.raises(DataFormatError, match="is not a file"):
        load_records(one, links=tmp_path / "nolinks.tsv")
    one.rename(tmp_path / "users.jsonl")
    for name in ("links.tsv", "links.csv"):
        (tmp_path / name).write_text("a 2\n")
    with pytest.raises(DataFormatError, match="several files of links"):
        load_records(tmp_path)
    for name in ("on_bad_lines", "on_unknown_links"):
        with pytest.raises(ValueError, match=f"{name} must be one of"):
            load_records(tmp_path, **{name: "no"})


def write_table(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_parquet_with_nested_and_flat_labels(tmp_path):
    nested = [
        {
            "user_id": "a",
            "texts": ["x"],
            "labels": {"m": "up", "s": ["p", "q"]},
            "n": 1,
        },
        {"user_id": "b", "texts": None, "labels": {"m": None, "s": None}, "n": 2},
    ]
    bunch = load_records(write_table(tmp_path / "users.parquet", nested))
    assert bunch.data["messages"].tolist() == [["x"], []]
    assert bunch.target["m"].tolist() == ["up", None]
    assert bunch.target["s"].tolist() == [frozenset({"p", "q"}), None]
    assert bunch.data["n"].tolist() == [1, 2]
    flat = [{"user_id": 1, "labels.m": "up", "z": 2.0}, {"user_id": 2, "z": np.nan}]
    path = write_table(tmp_path / "flat.pq", flat)
    assert load_records(path).target["m"].tolist() == ["up", None]
    chosen = load_records(path, tasks=["z"])
    assert chosen.target["z"].tolist() == [2.0, None]


def test_whole_numbers_that_became_float_are_ids(tmp_path):
    table = pd.DataFrame({"user_id": [1, 2, None], "z": 0}).dropna()
    table.to_parquet(tmp_path / "users.parquet")
    bunch = load_records(tmp_path / "users.parquet")
    assert bunch.data["user_id"].tolist() == ["1", "2"]
    assert bunch.report["n_float_ids"] == 2
    path = write_users(
        tmp_path, [{"user_id": "1"}, {"user_id": 1.0}, {"user_id": -0.0}]
    )
    with pytest.raises(DataFormatError, match="line 2: duplicate user: '1'"):
        load_records(path)
    report = load_records(path, on_bad_lines="skip").report
    assert (report["n_users"], report["n_float_ids"]) == (2, 2)


def test_null_among_messages_is_left_out_and_counted(tmp_path):
    rows = [
        {"user_id": "a", "messages": ["x", None, "y"]},
        {"user_id": "b", "messages": [None, float("nan")]},
        {"user_id": "d", "messages": float("nan")},
        {"user_id": "c", "messages": [None, 1]},
    ]
    bunch = load_records(write_users(tmp_path, rows), on_bad_lines="skip")
    assert bunch.data["messages"].tolist() == [["x", "y"], [], []]
    assert bunch.report["n_null_messages"] == 3
    assert bunch.report["n_messages"] == 2
    assert bunch.report["missing_messages"] == 2
    table = [{"user_id": "a", "messages": ["x", None, "y"]}]
    bunch = load_records(write_table(tmp_path / "t.parquet", table))
    assert bunch.data["messages"].tolist() == [["x", "y"]]


def test_blank_labels_are_missing(tmp_path):
    labels = ["", "  ", "f", None, 0, [None, ""]]
    rows = [{"user_id": i, "labels": {"g": g}} for i, g in enumerate(labels)]
    bunch = load_records(write_users(tmp_path, rows))
    assert bunch.target["g"].tolist() == [None, None, "f", None, 0, None]
    assert bunch.report["missing_labels"] == {"g": 4}


@pytest.mark.parametrize("labels", [[1, 2, True], [[1], None, [False, "a"]]])
def test_booleans_are_no_numbers(tmp_path, labels):
    rows = [{"user_id": i, "labels": {"g": g}} for i, g in enumerate(labels)]
    with pytest.raises(DataFormatError, match="line 3: the column of labels 'g' holds"):
        load_records(write_users(tmp_path, rows))


def test_parquet_faults(tmp_path):
    path = write_table(tmp_path / "u.parquet", [{"user_id": "a"}, {"user_id": "a"}])
    with pytest.raises(DataFormatError, match=r"u\.parquet: row 2: duplicate user"):
        load_records(path)
    assert load_records(path, on_bad_lines="skip").report["n_users"] == 1
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataFormatError, match="no readable Parquet table"):
        load_records(path)
    empty = tmp_path / "e.parquet"
    pq.write_table(pa.table({"user_id": pa.array([], pa.string())}), empty)
    with pytest.raises(DataFormatError, match="has no rows, only"):
        load_records(empty)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.none() | TEXT | st.frozensets(TEXT)


def known_label(label):
    """Take blank labels for missing, and out of sets."""
    if isinstance(label, frozenset):
        known = {text for text in label if text.strip()}
        return frozenset(known) if known or not label else None
    return None if isinstance(label, str) and not label.strip() else label


@settings(max_examples=40, deadline=None)
@given(
    messages=st.lists(st.lists(TEXT, max_size=3), min_size=1, max_size=5),
    data=st.data(),
    compress=st.booleans(),
)
def test_there_and_back(messages, data, compress):
    n_users = len(messages)
    label = PLAIN | data.draw(st.sampled_from([st.integers(), st.booleans()]))
    labels = data.draw(st.lists(label, min_size=n_users, max_size=n_users))
    bunch = Bunch(
        data=pd.DataFrame(
            {
                "user_id": [f"u {i}" for i in range(n_users)],
                "messages": pd.Series(messages, dtype=object),
                "extra": np.arange(n_users),
            }
        ),
        target=pd.DataFrame({"task": pd.Series(labels, dtype=object)}),
        graph=None,
    )
    with tempfile.TemporaryDirectory() as folder:
        assert dump_records(bunch, folder, compress=compress)["n_users"] == n_users
        back = load_records(folder)
    assert back.data["messages"].tolist() == messages
    assert back.data["extra"].tolist() == list(range(n_users))
    assert back.target["task"].tolist() == [known_label(label) for label in labels]


@pytest.mark.parametrize("directed", [True, False])
def test_links_there_and_back(tmp_path, directed):
    weights = np.array([[0, 0.1, 0], [0.1, 0, 7], [0, 7, 0]], dtype=np.float32)
    if directed:
        weights[2, 1] = 0
    graph = SocialGraph(sparse.csr_matrix(weights), ["a", "b", "c"], directed=directed)
    users = make_user_profiles(5, random_state=0)
    report = dump_records(users.data, tmp_path, target=users.target, graph=graph)
    assert report == {"n_users": 5, "n_links": 3 if directed else 2}
    back = load_records(tmp_path, on_unknown_links="add", directed=directed)
    assert back.graph.subgraph(["a", "b", "c"]) == graph


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([object()], "record of user '1' is not JSON"),
        ([float("inf")], "infinity has no form in JSON"),
        (["\ud800"], "cannot be written as UTF-8"),
    ],
)
def test_what_json_cannot_hold(tmp_path, column, message):
    data = pd.DataFrame(
        {
            "user_id": ["1"],
            "messages": [None],
            "x": pd.Series(column, dtype=object),
            "n": pd.Series([np.int64(1)], dtype=object),
        }
    )
    with pytest.raises(DataFormatError, match=message):
        dump_records(data, tmp_path)


def test_ids_that_a_links_file_cannot_hold(tmp_path):
    adjacency = sparse.csr_matrix(np.ones((2, 2)) - np.eye(2))
    graph = SocialGraph(adjacency, ["a", "b\tc"], directed=False)
    data = pd.DataFrame({"user_id": ["a"], "messages": [["x"]]})
    with pytest.raises(DataFormatError, match=r"the id 'b\\tc' cannot stand"):
        dump_records(data, tmp_path, graph=graph)
