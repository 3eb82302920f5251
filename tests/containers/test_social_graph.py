"""The friendship network: building, checking, comparing, travelling."""

from __future__ import annotations

import copy
import gzip
import pickle

import joblib
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import DataFormatError, GraphError

EDGES = [("a", "b", 2.0), ("b", "c", 1.0), ("c", "a", 0.5)]
DENSE = np.array([[0, 2, 0.5], [2, 0, 1], [0.5, 1, 0]])


@pytest.fixture
def graph():
    return SocialGraph.from_edges(EDGES)


def write(tmp_path, text, name="links.txt"):
    path = tmp_path / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


class TestFromEdges:
    @pytest.mark.parametrize(
        "edges",
        [
            EDGES,
            iter(EDGES),
            np.array(EDGES, dtype=object),
            pd.DataFrame(EDGES, columns=["source", "target", "weight"]),
            pd.DataFrame(EDGES[::-1], columns=["source", "target", "weight"]),
        ],
    )
    def test_every_kind_gives_the_same_graph(self, graph, edges):
        built = SocialGraph.from_edges(edges)
        assert built == graph
        np.testing.assert_array_equal(built.adjacency.toarray(), DENSE)
        assert built.ids.tolist() == ["a", "b", "c"]
        assert (built.n_users, len(built), built.n_edges) == (3, 3, 3)
        assert built.weighted

    def test_weights_apart(self, graph):
        pairs = [edge[:2] for edge in EDGES]
        assert SocialGraph.from_edges(pairs, weights=[2, 1, 0.5]) == graph
        frame = pd.DataFrame(EDGES, columns=["x", "y", "w"])
        named = SocialGraph.from_edges(frame, weights="w", source="x", target="y")
        assert named == graph

    def test_integers_stay_integers(self):
        graph = SocialGraph.from_edges(np.array([[3, 1], [1, 2]]))
        assert graph.ids.tolist() == [1, 2, 3]
        assert type(graph.ids[0]) is int
        assert not graph.weighted
        assert graph.index_of(np.array([2.0, np.nan, 9])).tolist() == [1, -1, -1]
        floats = SocialGraph.from_edges(np.array([[3, 1, 1.0], [1, 2, 1.0]]))
        assert floats == graph

    def test_tuples_may_be_ids(self):
        graph = SocialGraph.from_edges([((1, 2), (3, 4)), ((3, 4), (5, 6))])
        assert graph.neighbors((3, 4)).tolist() == [(1, 2), (5, 6)]
        assert pickle.loads(pickle.dumps(graph)).fingerprint == graph.fingerprint

    def test_directed_keeps_both_ways_apart(self):
        graph = SocialGraph.from_edges([("a", "b"), ("b", "a"), ("b", "c")], directed=1)
        assert graph.n_edges == 3
        assert graph.neighbors("c").tolist() == []
        undirected = graph.to_undirected()
        assert undirected.adjacency.toarray().tolist() == [
            [0, 2, 0],
            [2, 0, 1],
            [0, 1, 0],
        ]
        assert undirected.to_undirected() is undirected

    @pytest.mark.parametrize(("duplicates", "weight"), [("sum", 5.0), ("max", 3.0)])
    def test_duplicates_are_merged(self, duplicates, weight):
        graph = SocialGraph.from_edges(
            [("a", "b", 2), ("b", "a", 3), ("a", "a", 7)], duplicates=duplicates
        )
        assert graph.adjacency.toarray().tolist() == [[0, weight], [weight, 0]]
        assert graph.report["self_loops"] == 1
        assert graph.report["duplicates"] == 1

    def test_duplicates_without_weights_at_most_one(self):
        graph = SocialGraph.from_edges([("a", "b"), ("b", "a")], duplicates="max")
        assert graph.adjacency.data.tolist() == [1, 1]
        empty = SocialGraph.from_edges([], ids=["a"], duplicates="max")
        assert empty.n_edges == 0

    def test_duplicates_may_be_refused(self):
        assert SocialGraph.from_edges([("a", "b")], duplicates="error").n_edges == 1
        with pytest.raises(GraphError, match=r"row 1 .* comes twice"):
            SocialGraph.from_edges([("a", "b"), ("b", "a")], duplicates="error")

    def test_ids_give_order_and_isolated_users(self):
        graph = SocialGraph.from_edges([("b", "a")], ids=["z", "b", "a"])
        assert graph.ids.tolist() == ["z", "b", "a"]
        assert graph.isolated.tolist() == [True, False, False]

    def test_unknown_users(self):
        edges = [("a", "b", 1), ("b", "x", 2), ("y", "x", 3)]
        with pytest.raises(GraphError, match=r"2 users .* for example 'x'"):
            SocialGraph.from_edges(edges, ids=["a", "b"])
        dropped = SocialGraph.from_edges(edges, ids=["a", "b"], on_unknown="drop")
        assert dropped.n_edges == 1
        assert dropped.report["unknown_dropped"] == 2
        added = SocialGraph.from_edges(edges, ids=["b", "a"], on_unknown="add")
        assert added.ids.tolist() == ["b", "a", "x", "y"]
        assert added.report["users_added"] == 2
        same = SocialGraph.from_edges(edges[:1], ids=["b", "a"], on_unknown="add")
        assert same.ids.tolist() == ["b", "a"]
        unweighted = SocialGraph.from_edges(
            [("a", "b"), ("b", "x")], ids=["a", "b"], on_unknown="drop"
        )
        assert unweighted.n_edges == 1

    @pytest.mark.parametrize(
        ("edges", "arguments", "message"),
        [
            ([("a", 1)], {}, "two kinds"),
            ([("a", "b"), (1, "b")], {}, "mix text with other kinds"),
            ([("a", None)], {}, "row 0 holds no id"),
            ([("a", "b"), (float("nan"), "b")], {}, "row 1 holds no id"),
            ([("a", "b", 1), ("a", "c")], {}, r"edge 1 is \('a', 'c'\)"),
            ([("a",)], {}, r"edge 0 is \('a',\)"),
            ([("a", "b", float("nan"))], {}, "edge 0 has .*nan"),
            ([("a", "b", 1), ("a", "c", -1)], {}, "edge 1 has .*-1"),
            ([("a", "b", 0)], {}, "above 0"),
            ([("a", "b", "much")], {}, "must be numbers"),
            ([("a", "b")], {"weights": [1, 2]}, "each of|Each of the 1 edges"),
            ([("a", "b", 1)], {"weights": [1]}, "already have a third"),
            ([("a", "b")], {"weights": "w"}, "names a column"),
            ([([1], [2])], {}, "hashable"),
            (7, {}, "iterable of tuples, got int"),
            (np.zeros((2, 4)), {}, r"\(n, 2\) or \(n, 3\)"),
            (np.array([[0.5, 1]]), {}, "whole"),
            (np.array([[np.nan, 1]]), {}, "row 0 holds .*nan"),
            (pd.DataFrame({"a": [1]}), {}, "no column 'source'"),
            ([("a", "b")], {"ids": ["a", "a", "b"]}, "unique: 'a' comes again, row 1"),
            ([("a", "b")], {"ids": [1, 2]}, "two kinds"),
            ([("a", "b")], {"ids": np.zeros((2, 2))}, "one-dimensional"),
            ([("a", "b")], {"ids": [["a"], ["b"]]}, "hashable|two kinds"),
            ([("a", "b")], {"duplicates": "mean"}, "duplicates must be one of"),
            ([("a", "b")], {"on_unknown": "guess"}, "on_unknown must be one of"),
        ],
    )
    def test_errors_say_what_and_where(self, edges, arguments, message):
        with pytest.raises(GraphError, match=message):
            SocialGraph.from_edges(edges, **arguments)

    def test_tensors(self):
        pairs = torch.tensor([[0, 1], [1, 2], [1, 3]])
        graph = SocialGraph.from_edges(pairs)
        assert graph == SocialGraph.from_edges(pairs.numpy())
        assert graph.ids.tolist() == [0, 1, 2, 3]
        edge_index = torch.tensor([[0, 1, 1, 2], [1, 2, 3, 0]])
        with pytest.raises(GraphError, match="edge_index is to be transposed"):
            SocialGraph.from_edges(edge_index)
        assert SocialGraph.from_edges(edge_index.T).n_edges == 4
        # a column of pairs is no matrix
        column = pd.Series([("a", "b"), ("b", "c")])
        assert SocialGraph.from_edges(column).ids.tolist() == ["a", "b", "c"]

    def test_unhashable_ids(self):
        with pytest.raises(GraphError, match="hashable"):
            SocialGraph.from_scipy(sparse.csr_array((2, 2)), [[1], [2]])

    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1),
        st.booleans(),
    )
    def test_against_a_dense_sum(self, edges, directed):
        graph = SocialGraph.from_edges(edges, ids=range(9), directed=directed)
        dense = np.zeros((9, 9))
        for a, b in edges:
            dense[a, b] += a != b
            dense[b, a] += (a != b) and not directed
        np.testing.assert_array_equal(graph.adjacency.toarray(), dense)


class TestConstructor:
    def test_scipy(self, graph):
        matrix = sparse.coo_matrix(DENSE + np.diag([1, 0, 0]))
        built = SocialGraph.from_scipy(matrix, ["a", "b", "c"])
        assert built == graph
        assert built.report["self_loops"] == 1
        assert SocialGraph.from_scipy(matrix).ids.tolist() == [0, 1, 2]
        directed = SocialGraph(sparse.csr_array(np.triu(DENSE)), "abc", directed=True)
        assert directed.n_edges == 3
        assert directed.to_undirected() == graph

    @pytest.mark.parametrize(
        ("matrix", "message"),
        [
            (np.zeros((2, 2)), "square scipy sparse matrix, got ndarray"),
            (sparse.csr_array((2, 3)), "square"),
            (sparse.csr_array(np.array([[0, -1.0], [-1.0, 0]])), "above 0"),
            (sparse.csr_array(np.array([[0, np.inf], [np.inf, 0]])), "finite"),
            (sparse.csr_array(np.array([[0, 1.0], [0, 0]])), "symmetric"),
            (sparse.csr_array((3, 3)), "3 users, but 2 ids"),
        ],
    )
    def test_errors(self, matrix, message):
        with pytest.raises(GraphError, match=message):
            SocialGraph(matrix, ["a", "b"], directed=False)

    def test_networkx(self, graph):
        drawn = nx.Graph()
        drawn.add_nodes_from("abc")
        drawn.add_weighted_edges_from(EDGES)
        assert SocialGraph.from_networkx(drawn) == graph
        assert not SocialGraph.from_networkx(drawn, weight=None).weighted
        many = nx.MultiDiGraph([(1, 2), (1, 2), (2, 1)])
        many.add_node(0)
        built = SocialGraph.from_networkx(many)
        assert built.directed
        assert built.adjacency.toarray().tolist() == [[0, 2, 0], [1, 0, 0], [0, 0, 0]]
        assert built.ids.tolist() == [1, 2, 0]


class TestFromLinksFile:
    def test_fans_follow_the_first(self, tmp_path):
        path = write(tmp_path, "u f g\nf u\n\nz\nq None\n")
        graph = SocialGraph.from_links_file(path, directed=True)
        assert graph.ids.tolist() == ["f", "g", "q", "u", "z"]
        assert graph.neighbors("g").tolist() == ["u"]
        assert graph.neighbors("u").tolist() == ["f"]
        assert graph.isolated.tolist() == [False, False, True, False, True]
        assert graph.report["blank_lines"] == 1
        undirected = SocialGraph.from_links_file(path)
        assert undirected.report["duplicates"] == 1
        assert undirected == graph.to_undirected()

    @pytest.mark.parametrize("name", ["links.tsv", "links.tsv.gz"])
    def test_tab_separated(self, tmp_path, graph, name):
        text = "".join(f"{a}\t{b}\t{w}\r\n" for a, b, w in EDGES)
        path = write(tmp_path, "\ufefffrom\tto\tweight\n" + text, name)
        built = SocialGraph.from_links_file(path, format="edges", header=True)
        assert built == graph
        assert built.report["lines"] == 4

    def test_byte_order_mark(self, tmp_path):
        path = write(tmp_path, "\ufeffa,b\nb,c")
        graph = SocialGraph.from_links_file(path, format="edges", separator=",")
        assert graph.ids.tolist() == ["a", "b", "c"]
        assert not graph.weighted

    def test_other_encoding(self, tmp_path):
        path = write(tmp_path, "李白 杜甫\n".encode("gb18030"))
        with pytest.raises(DataFormatError, match="line 1: not utf-8"):
            SocialGraph.from_links_file(path)
        graph = SocialGraph.from_links_file(path, encoding="gb18030")
        assert set(graph.ids) == {"李白", "杜甫"}

    def test_small_chunks_give_the_same(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(0)
        rows = rng.integers(1, 50, (200, 3))
        path = write(tmp_path, "".join("{}\t{}\t{}\n".format(*row) for row in rows))
        whole = SocialGraph.from_links_file(path, format="edges")
        monkeypatch.setattr(
            "sklearn_profiling.containers._links_files._CHUNK_BYTES", 64
        )
        assert SocialGraph.from_links_file(path, format="edges") == whole

    @pytest.mark.parametrize(
        ("text", "kind", "message"),
        [
            ("", "fans", "the file is empty"),
            ("a b\nNone c\n", "fans", "line 2: the first id .* got 'None c'"),
            ("a b\nc \x00d\n", "fans", "line 2: a NUL"),
            ("a\tb\na\tb\tc\n", "edges", "line 2: number of fields: 2"),
            ("a b\n", "edges", "line 1: number of fields: 2 or 3"),
            ("a\tb\t1\na\tb\n", "edges", "line 2: number of fields: 3"),
            ("a\t\n", "edges", "line 1: an id is empty"),
            ("a\tb\t1\na\tb\tnan\n", "edges", "line 2: weight: .*not 'nan'"),
            ("a\tb\t-1\n", "edges", "line 1: weight"),
            ("a\tb\t0\n", "edges", "line 1: weight"),
            ("a\tb\tmany\n", "edges", "line 1: weight: .*not 'many'"),
            (b"a b\n\xff\xfe c\n", "fans", "line 2: not utf-8: .* at byte 0"),
        ],
    )
    def test_bad_lines(self, tmp_path, text, kind, message):
        path = write(tmp_path, text)
        with pytest.raises(DataFormatError, match=message):
            SocialGraph.from_links_file(path, format=kind)

    def test_bad_lines_are_counted_by_reason(self, tmp_path):
        text = b"a\tb\t1\na\tb\n\xff\tc\t1\nb\tc\t-1\nb\tc\tx\n\nb\tc\t2\n"
        graph = SocialGraph.from_links_file(
            write(tmp_path, text), format="edges", on_bad_lines="skip"
        )
        assert graph.n_edges == 2
        assert graph.report["bad_lines"] == {
            "number of fields": 1,
            "encoding": 1,
            "weight": 2,
        }
        assert graph.report["blank_lines"] == 1

    def test_unknown_users(self, tmp_path):
        path = write(tmp_path, "a b\nb a x\ny\n")
        with pytest.raises(DataFormatError, match="line 2: unknown id: 'x'"):
            SocialGraph.from_links_file(path, ids=["a", "b"])
        with pytest.raises(DataFormatError, match="line 2: unknown id: 'x'"):
            SocialGraph.from_links_file(path, ids=["a", "b", "y"])
        dropped = SocialGraph.from_links_file(path, ids=["b", "a"], on_unknown="drop")
        assert dropped.ids.tolist() == ["b", "a"]
        assert dropped.report["unknown_dropped"] == 1
        assert dropped.report["edges"] == 3
        added = SocialGraph.from_links_file(path, ids=["b", "a"], on_unknown="add")
        assert added.ids.tolist()[:2] == ["b", "a"]
        assert added.report["users_added"] == 2
        weighted = write(tmp_path, "a\tb\t2\na\tx\t3\n", "weighted.tsv")
        graph = SocialGraph.from_links_file(
            weighted, format="edges", ids=["a", "b"], on_unknown="drop"
        )
        assert graph.adjacency.data.tolist() == [2, 2]

    def test_number_ids_do_not_fit_a_text_file(self, tmp_path):
        with pytest.raises(GraphError, match="two kinds"):
            SocialGraph.from_links_file(write(tmp_path, "1 2\n"), ids=[1, 2])

    def test_options_are_checked(self, tmp_path):
        path = write(tmp_path, "1 2\n")
        with pytest.raises(GraphError, match="format must be one of"):
            SocialGraph.from_links_file(path, format="json")
        with pytest.raises(GraphError, match="on_bad_lines must be one of"):
            SocialGraph.from_links_file(path, on_bad_lines="warn")

    def test_broken_gzip(self, tmp_path):
        path = tmp_path / "links.gz"
        whole = gzip.compress("\n".join(map(str, range(9999))).encode())
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataFormatError, match="damaged or cut off"):
            SocialGraph.from_links_file(path)
        path.write_bytes(b"no gzip at all")
        with pytest.raises(DataFormatError, match=r"named \.gz but is not gzip"):
            SocialGraph.from_links_file(path)

    def test_poets(self, real_data):
        graph = SocialGraph.from_links_file(
            real_data / "poets" / "links.tsv", format="edges", directed=True
        )
        assert (graph.n_users, graph.n_edges) == (1223, 2406)


class TestTravel:
    def test_immutable(self, graph):
        for array in (graph.adjacency.data, graph.adjacency.indices, graph.ids):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = array[0]
        with pytest.raises(AttributeError):
            graph.ids = []

    def test_the_callers_matrix_stays_writeable(self):
        matrix = sparse.csr_array(DENSE, dtype=np.float32)
        SocialGraph(matrix, "abc", directed=False)
        matrix.data[0] = 9

    def test_clone_and_deepcopy_pass_it_through(self, graph):
        assert clone(graph, safe=False) is graph
        assert copy.deepcopy(graph) is graph
        assert copy.copy(graph) is graph
        estimator = LogisticRegression(C=graph)
        assert clone(estimator).C is graph

    def test_pickle_and_hash(self, graph):
        before = joblib.hash(graph)
        fingerprint = graph.fingerprint
        graph.index_of(["a"])
        copied = pickle.loads(pickle.dumps(graph))
        assert copied == graph
        assert hash(copied) == hash(graph)
        assert copied.fingerprint == fingerprint
        assert joblib.hash(copied) == before
        assert copied.report == graph.report
        assert not copied.adjacency.data.flags.writeable

    def test_fingerprint_tells_contents_apart(self, graph):
        others = [
            SocialGraph.from_edges([*EDGES[:2], ("c", "a", 0.25)]),
            SocialGraph.from_edges(EDGES, directed=True),
            SocialGraph.from_edges(EDGES, ids=["c", "a", "b"]),
            SocialGraph.from_edges([("ab", "c")]),
            SocialGraph.from_edges([("a", "bc")]),
            SocialGraph.from_edges([(1, 2)]),
            SocialGraph.from_edges([((1, 2), (2.5, 3))]),
        ]
        assert len({g.fingerprint for g in [graph, *others]}) == 8
        assert graph != others[0]
        assert graph != "graph"

    def test_index_of(self, graph):
        ids = pd.Series(["c", None, "nobody", "a", float("nan"), 3])
        assert graph.index_of(ids).tolist() == [2, -1, -1, 0, -1, -1]
        with pytest.raises(GraphError, match="hashable"):
            graph.index_of([["a"]])
        with pytest.raises(GraphError, match="no user 'x'"):
            graph.neighbors("x")

    def test_subgraph(self, graph):
        part = graph.subgraph(["c", "a"])
        assert part.adjacency.toarray().tolist() == [[0, 0.5], [0.5, 0]]
        assert part.report["outside"] == 2
        directed = SocialGraph.from_edges(EDGES, directed=True).subgraph(["a", "b"])
        assert directed.n_edges == 1
        with pytest.raises(GraphError, match="no user 'x'"):
            graph.subgraph(["a", "x"])
        with pytest.raises(GraphError, match="unique"):
            graph.subgraph(["a", "a"])
