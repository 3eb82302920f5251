"""The writer of SMP CUP 2016 files, and the way there and back."""

from __future__ import annotations

import tempfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils import Bunch

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets import (
    dump_smpcup2016,
    load_smpcup2016,
    make_user_profiles,
)
from sklearn_profiling.datasets.smpcup2016.format import (
    AGE_CLASSES,
    REGION_OF_PROVINCE,
    REGIONS,
)
from sklearn_profiling.exceptions import DataFormatError

MESSAGE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1
).filter(lambda text: text != "None")


@st.composite
def users(draw):
    """A bunch that the format can hold, with any text and any missing parts."""
    ids = draw(st.lists(st.integers(0, 10**12), min_size=1, max_size=6, unique=True))
    ids = [str(number) for number in ids]
    n_users = len(ids)
    messages = draw(
        st.lists(st.lists(MESSAGE, max_size=3), min_size=n_users, max_size=n_users)
    )
    messages[0] = messages[0] or ["."]
    choices = {"gender": ["m", "f"], "age": AGE_CLASSES, "region": list(REGIONS)}
    target = {}
    for task, classes in choices.items():
        label = st.none() | st.sampled_from(classes)
        target[task] = draw(st.lists(label, min_size=n_users, max_size=n_users))
    pairs = st.tuples(st.sampled_from([*ids, "x1"]), st.sampled_from([*ids, "x2"]))
    edges = sorted({pair for pair in draw(st.lists(pairs)) if pair[0] != pair[1]})
    directed = draw(st.booleans())
    return Bunch(
        data=pd.DataFrame(
            {"user_id": ids, "messages": pd.Series(messages, dtype=object)}
        ),
        target=pd.DataFrame(target, dtype=object),
        graph=graph_of(edges, directed=directed),
    )


def graph_of(edges, *, directed):
    if not edges:
        return None
    ids = sorted({node for edge in edges for node in edge})
    arcs = np.zeros((len(ids), len(ids)), dtype=np.float32)
    for source, target in edges:
        arcs[ids.index(source), ids.index(target)] = 1
    adjacency = sparse.csr_matrix(arcs if directed else arcs + arcs.T)
    return SocialGraph(adjacency, ids, directed=directed)


def weights(graph):
    if graph is None:
        return {}
    arcs = graph.adjacency.tocoo()
    return {
        (graph.ids[i], graph.ids[j]): float(weight)
        for i, j, weight in zip(arcs.row, arcs.col, arcs.data, strict=True)
    }


@settings(max_examples=60, deadline=None)
@given(bunch=users(), encoding=st.sampled_from(["utf-8", "gb18030"]))
def test_there_and_back(bunch, encoding):
    directed = bunch.graph is not None and bunch.graph.directed
    with tempfile.TemporaryDirectory() as folder:
        dump_smpcup2016(bunch, folder, encoding=encoding)
        back = load_smpcup2016(folder, encoding=encoding, directed=directed)
    assert back.data["user_id"].tolist() == bunch.data["user_id"].tolist()
    assert back.data["messages"].tolist() == bunch.data["messages"].tolist()
    assert back.target.to_numpy().tolist() == bunch.target.to_numpy().tolist()
    assert weights(back.graph) == weights(bunch.graph)


@pytest.mark.parametrize("compress", [False, True])
def test_synthetic_users_there_and_back(tmp_path, compress):
    bunch = make_user_profiles(
        60, missing_labels=0.2, missing_text=0.2, missing_network=0.2, random_state=3
    )
    report = dump_smpcup2016(bunch, tmp_path, compress=compress)
    assert report["tasks_left_out"] == ["occupation"]
    assert report["replaced"] == {}
    back = load_smpcup2016(tmp_path)
    assert back.data["messages"].tolist() == bunch.data["messages"].tolist()
    shared = ["gender", "age", "region"]
    pd.testing.assert_frame_equal(back.target, bunch.target[shared])
    assert weights(back.graph) == weights(bunch.graph)
    assert back.report["missing_links"] == bunch.report["missing_links"]


def test_all_columns_there_and_back(tmp_path):
    data = pd.DataFrame(
        {
            "user_id": [7, 8],
            "screen_name": ["名", None],
            "avatar_url": [np.nan, "http://x"],
            "messages": [["a", "b,c"], None],
            "retweets": [[1, None], []],
            "reviews": [[0, 2], []],
            "source": [["web", None], []],
            "time": [["2014", "2015"], []],
        }
    )
    target = pd.DataFrame(
        {
            "birth_year": [1972.0, np.nan],
            "province": ["江苏", None],
            "city": ["南京", None],
            "age": ["-1979", None],
            "region": ["华东", None],
        }
    )
    dump_smpcup2016(data, tmp_path, target=target)
    back = load_smpcup2016(
        tmp_path,
        tasks=tuple(target),
        status_columns=("retweets", "reviews", "source", "time"),
    )
    assert back.target.to_numpy().tolist()[0] == [1972, "江苏", "南京", "-1979", "华东"]
    assert back.data.loc[0].tolist() == [
        *("7", "名", None, ["a", "b,c"]),
        *([1, None], [0, 2], ["web", None], ["2014", "2015"]),
    ]
    assert back.data["avatar_url"].tolist() == [None, "http://x"]


def test_every_class_has_a_member_that_maps_back(tmp_path):
    n_users = len(REGIONS)
    data = pd.DataFrame(
        {"user_id": [str(i) for i in range(n_users)], "messages": [["x"]] * n_users}
    )
    ages = [AGE_CLASSES[i % 3] for i in range(n_users)]
    target = pd.DataFrame({"age": ages, "region": list(REGIONS)})
    dump_smpcup2016(data, tmp_path, target=target)
    back = load_smpcup2016(tmp_path, tasks=("age", "region", "province"))
    assert back.target["age"].tolist() == ages
    assert back.target["region"].tolist() == list(REGIONS)
    assert set(back.target["province"]) <= set(REGION_OF_PROVINCE)


def one(messages=("x",), **columns):
    return pd.DataFrame({"user_id": ["1"], "messages": [list(messages)], **columns})


@pytest.mark.parametrize(
    ("data", "kind", "written"),
    [
        (one(["a\nb", "c\r\n"]), "line end in a text", "1,0,0,None,None,a b\n"),
        (one(["", "None", "x"]), "empty message", "1,0,0,None,None,x\n"),
        (one(source=[["a,b"]]), "comma before the content", "1,0,0,a，b,None,x\n"),
        (one(["\ud800"]), "character outside the encoding", "1,0,0,None,None,?\n"),
    ],
)
def test_unwritable_text(tmp_path, data, kind, written):
    with pytest.raises(DataFormatError, match=kind):
        dump_smpcup2016(data, tmp_path / "a")
    report = dump_smpcup2016(data, tmp_path / "b", on_unwritable="replace")
    assert kind in report["replaced"]
    assert (tmp_path / "b" / "status.txt").read_bytes().startswith(written.encode())


@pytest.mark.parametrize("directed", [True, False])
def test_unwritable_links(tmp_path, directed):
    weights = np.array([[0, 3], [3, 0]], dtype=np.float32)
    graph = SocialGraph(sparse.csr_matrix(weights), ["1", "2"], directed=directed)
    with pytest.raises(DataFormatError, match=r"weight of a link: 2 of them"):
        dump_smpcup2016(one(), tmp_path / "a", graph=graph)
    dump_smpcup2016(one(), tmp_path / "b", graph=graph, on_unwritable="replace")
    lines = (tmp_path / "b" / "links.txt").read_text().splitlines()
    assert lines == (["1 2", "2 1"] if directed else ["1 2"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"gender": "x"}, "unknown gender"),
        ({"age": "young"}, "bad birth year"),
        ({"region": "月球"}, "unknown province"),
        ({"birth_year": 1995, "age": "-1979"}, "contradicting labels: age '-1979'"),
        ({"province": "江苏", "region": "西北"}, "contradicting labels: region"),
        ({"city": "南京"}, "contradicting labels: city"),
        ({"province": "江苏", "city": "南\n京"}, "line end"),
        ({"province": "江苏", "city": "南||京"}, "wrong number of fields"),
    ],
)
def test_unwritable_labels(tmp_path, labels, message):
    with pytest.raises(DataFormatError, match=rf"user '1'.*{message}"):
        dump_smpcup2016(one(), tmp_path, target=pd.DataFrame([labels]))


def test_unwritable_ids_names_and_cells(tmp_path):
    bad_id = pd.DataFrame({"user_id": ["a b"], "messages": [["x"]]})
    with pytest.raises(DataFormatError, match="row 0 of data: bad user id"):
        dump_smpcup2016(bad_id, tmp_path / "a")
    twice = pd.concat([one(), one()])
    with pytest.raises(DataFormatError, match="duplicate user '1'"):
        dump_smpcup2016(twice, tmp_path / "b")
    with pytest.raises(DataFormatError, match="user '1': wrong number of fields"):
        dump_smpcup2016(one(screen_name=["a||b"]), tmp_path / "c")
    text = pd.DataFrame({"user_id": ["1"], "messages": ["no list"]})
    with pytest.raises(DataFormatError, match="messages of user '1' are no list"):
        dump_smpcup2016(text, tmp_path / "d")
    with pytest.raises(DataFormatError, match="must be as long as messages"):
        dump_smpcup2016(one(time=[["1", "2"]]), tmp_path / "e")
    with pytest.raises(DataFormatError, match="no user has a message"):
        dump_smpcup2016(one([]), tmp_path / "f")
    graph = SocialGraph(
        sparse.csr_matrix(np.ones((2, 2)) - np.eye(2)), ["1", "2 3"], directed=False
    )
    with pytest.raises(DataFormatError, match="node of the network: bad user id"):
        dump_smpcup2016(one(), tmp_path / "g", graph=graph)


def test_nothing_is_mixed_up(tmp_path):
    dump_smpcup2016(one(), tmp_path)
    with pytest.raises(FileExistsError, match=r"labels\.txt exists"):
        dump_smpcup2016(one(), tmp_path)


def test_bad_parameters(tmp_path):
    with pytest.raises(ValueError, match="on_unwritable must be one of"):
        dump_smpcup2016(one(), tmp_path, on_unwritable="drop")
    with pytest.raises(ValueError, match="target has 2 rows, data has 1"):
        dump_smpcup2016(one(), tmp_path, target=pd.DataFrame({"age": [None, None]}))
    with pytest.raises(ValueError, match="data needs the column 'messages'"):
        dump_smpcup2016(pd.DataFrame({"user_id": ["1"]}), tmp_path)
    bunch = Bunch(data=one(), target=None, graph=None)
    with pytest.raises(ValueError, match="must be None if data is a Bunch"):
        dump_smpcup2016(bunch, tmp_path, target=pd.DataFrame())
