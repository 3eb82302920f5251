"""Links files of every format, recognised by their content."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma

import networkx as nx
import numpy as np
import pytest
import zstandard
from scipy import sparse
from scipy.io import mmwrite

from sklearn_profiling import _optional
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import (
    DataFormatError,
    DataQualityWarning,
    GraphError,
    MissingDependencyError,
)

MATRIX = "".join(",".join("01"[n != m] for m in range(9)) + "\n" for n in range(9))
PATH = [("1", "2"), ("2", "3"), ("2", "4")]


def write(folder, content, name="links"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def arcs(graph):
    links = graph.adjacency.tocoo()
    return {
        (graph.ids[i], graph.ids[j]): float(w)
        for i, j, w in zip(links.row, links.col, links.data, strict=True)
    }


def adds_up(report):
    apart = report["blank_lines"] + report["comments"] + report["headers"]
    apart += sum(report["bad_lines"].values())
    return report["lines"] == report["edges"] + apart


@pytest.mark.parametrize(
    ("text", "taken_for"),
    [
        ("# Nodes: 4\n# FromNodeId\tToNodeId\n1\t2\n2\t3\n2\t4\n", "by tabs"),
        ("% a comment\n1 2\n2 3\n\n# another\n2 4\n", "by blanks"),
        ("1   2\n2\t3\r\n  2 4\n", "by blanks"),
        ("source,target\n1,2\n2,3\n2,4\n", "by commas"),
        ('"source","target"\n"1","2"\n"2","3"\n"2","4"\n', "by commas"),
        ('"","from","to"\n"1","1","2"\n"2","2","3"\n"3","2","4"\n', "by commas"),
        ("1;2\n2;3\n2;4\n", "by semicolons"),
        ("id_1,id_2\n1,2\n2,3\n2,4\n", "by commas"),
        ("left right\n1 2\n2 3\n2 4\n", "by blanks"),
        (
            "Target\tFrom user\tType\n2\t1\tx\n3\t2\tx\n4\t2\ty\n",
            "by tabs, without the columns 'Type'",
        ),
        (
            (
                ":START_ID(User);since;:END_ID(User);n:int;:TYPE\n"
                "1;x;2;4;FOLLOWS\n2;y;3;5;FOLLOWS\n2;z;4;6;FOLLOWS\n"
            ),
            "by semicolons, without the columns 'since', 'n:int', ':TYPE'",
        ),
        ("user_id,follower_id\n2,1\n3,2\n4,2\n", "by commas"),
        ("source,target\n1,2\n2,3\nsource,target\n2,4\n", "by commas"),
        ("user_id,friends\n1,2\n2,3\n2,4\n", "by commas"),
        ("1 2 {}\n2 3 {}\n2 4 {}\n", "by blanks, with weights"),
    ],
)
def test_edges_are_recognised(tmp_path, text, taken_for):
    graph = SocialGraph.from_links_file(write(tmp_path, text), directed=True)
    assert set(arcs(graph)) == set(PATH)
    assert graph.ids.tolist() == ["1", "2", "3", "4"]
    assert graph.report["format"] == "edges"
    assert graph.report["taken_for"] == f"edges separated {taken_for}"
    assert adds_up(graph.report)


@pytest.mark.parametrize(
    "text",
    [
        "1 2 0.5\n2 3 1.5\n",
        "1\t2 0.5\n2\t3 1.5\n",
        "1;2;0,5\n2;3;1,5\n",
        "a,b,n\n1,2,0.5\n2,3,1.5\n",
        "Source,Target,Type,Id,Label,Weight\n1,2,D,0,,0.5\n2,3,D,1,,1.5\n",
        "# weighted\n1 2 0.5\n2 3 1.5\n",
        "1 2 {'weight': 0.5}\n2 3 {'weight': 1.5}\n",
        "1::2::0.5\n2::3::1.5\n",
    ],
)
def test_weights_are_recognised(tmp_path, text):
    separator = "::" if "::" in text else None
    if text.startswith("a,b,n"):
        with pytest.raises(DataFormatError, match=r"line 1: the header must name two"):
            SocialGraph.from_links_file(write(tmp_path, text))
        return
    graph = SocialGraph.from_links_file(
        write(tmp_path, text), directed=True, separator=separator
    )
    assert arcs(graph) == {("1", "2"): 0.5, ("2", "3"): 1.5}
    assert adds_up(graph.report)


@pytest.mark.parametrize(
    "text",
    ["user1,user2\nuser3,user4\n", "u v\nv w\n", "from\tto\nfrom\tx\nto\ty\n"],
)
def test_ids_like_names_of_columns_are_no_header(tmp_path, text):
    graph = SocialGraph.from_links_file(write(tmp_path, text))
    assert graph.report["headers"] == 0
    assert graph.n_edges == len(text.splitlines())


def test_words_as_ids_and_weights(tmp_path):
    path = write(tmp_path, "ann,bob,2\nbob,cyd,1\n")
    assert SocialGraph.from_links_file(path).adjacency.data.max() == 2
    path = write(tmp_path, '"Li, Bai","Du ""Fu"""\n')
    assert set(SocialGraph.from_links_file(path).ids) == {"Li, Bai", 'Du "Fu"'}
    path = write(tmp_path, '"Li Bai" "Du Fu"\n')
    assert set(SocialGraph.from_links_file(path).ids) == {"Li Bai", "Du Fu"}
    path = write(tmp_path, "Li Bai\tDu Fu\n")
    assert set(SocialGraph.from_links_file(path).ids) == {"Li Bai", "Du Fu"}


@pytest.mark.parametrize(
    "text",
    ["u f g\nf\n", "# adjacency\nu f g\nf g\n", "uid fans\n1 2 3\n2 3\n", "a b c\n"],
)
def test_fans_are_recognised(tmp_path, text):
    path = write(tmp_path, text)
    graph = SocialGraph.from_links_file(path)
    assert graph.report["format"] == graph.report["taken_for"] == "fans"
    assert graph.n_users == 3
    if not text.startswith("uid"):
        assert graph == SocialGraph.from_links_file(path, format="fans", header=False)
    assert graph == SocialGraph.from_links_file(path, format="fans")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\n3\n", "line 1: 1 fields"),
        ("6,2,4,1\n6,5,2,3\n", "line 1: 4 fields"),
        (
            "1082040961 1082040962 1082040963\n1082155839 1082040961 1082040962\n",
            "line 1: the third field looks like a time",
        ),
        ("0,1,0\n1,0,2\n0,2,0\n", "line 1: the file looks like an adjacency matrix"),
        ("0 1 0\n1 0 2\n0 2 0\n", "line 1: the file looks like an adjacency matrix"),
        (",a,b,c\na,0,1,0\nb,1,0,1\nc,0,1,0\n", "looks like an adjacency matrix"),
        ("id;a;b;c\na;0;1;0\nb;1;0;1\nc;0;1;0\n", "looks like an adjacency matrix"),
        (MATRIX, "looks like an adjacency matrix"),
        ("a,b\rb,c\rc,d\n", "line 1: 4 fields"),
        ("a b\nb c\nc a\rd e\na d\n", "line 3: "),
        ("1 2 3\n2 3 1\n", "line 1: the third number may be a weight"),
        ("1,2,x\n2,3,y\n", "line 1: the third field is no weight"),
        ("user_id,gender,age\n1,f,20\n2,m,30\n", "line 1: the header must name"),
        ("Hello, world.\nThis is no list of links at all.\n", "line 2: 8 fields"),
        ("It was a dark night.\nThe end.\n", "line 2: 2 fields"),
        ('{"source": 1, "target": 2}\n', "line 1: the file is JSON"),
        ('[["a", "b"]]', "line 1: the file is JSON"),
        ("nodedef>name VARCHAR\ns1\n", "line 1: the file is GDF"),
        ("<html></html>", "line 1: the file is XML"),
        ("digraph {\n a -> b }\n", "line 1: the file is Graphviz"),
        (b"PAR1\x15\x04\x00\x01", "line 1: the file is a binary file"),
        (b"\x28\xb5\x2f\xfd\x00\x01", "zstandard archive is damaged or cut off"),
        (b"\xff\xfe1\x00\t", "begins as UTF-16, which it is not"),
        ("% bip weighted\n1 1 2\n", "line 1: a bipartite network"),
        ("id,when,what\n1,x,y\n2,z,y\n", "line 1: the header must name"),
        ("a,b\nb,c\nd\n", "line 3: number of fields: 2 are needed"),
        ("a b\na c\nd e f\n", "line 3: number of fields: 2 are needed"),
        ('a,b\nb,c\n"b,c\n', "line 3: quotes"),
        ("1 2 {}\n1 3 {}\n1 {}\n", "line 3: number of fields: two ids and a dict"),
        ("% sym weighted\n1 2 3 4 5\n", "line 2: number of fields: two ids"),
        ("1 2 {}\n2 3 {'weight': 0}\n", "line 2: weight"),
        ("1 2 {}\n2 3 {1}\n", "line 2: number of fields: two ids and a dict"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path, text, message):
    with pytest.raises(DataFormatError, match=message):
        SocialGraph.from_links_file(write(tmp_path, text))


def test_direction_is_not_guessed(tmp_path):
    path = write(tmp_path, "a b\nb c\n")
    with pytest.raises(DataFormatError, match="nothing in the file tells which"):
        SocialGraph.from_links_file(path, directed=True)
    fans = SocialGraph.from_links_file(path, format="fans", directed=True)
    edges = SocialGraph.from_links_file(
        path, format="edges", separator=" ", directed=True
    )
    assert set(arcs(fans)) == {(b, a) for a, b in arcs(edges)}
    assert SocialGraph.from_links_file(path) == fans.to_undirected()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("fans", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n"),
        ("edges", "<?xml version='1.0'?>\n<graphml></graphml>"),
        ("fans", "*Vertices 2\n1 a\n"),
        ("edges", 'graph [\n node [ id 0 label "a" ] ]'),
        ("gexf", "<graphml></graphml>"),
    ],
)
def test_another_format_than_the_named_one(tmp_path, kind, text):
    with pytest.raises(DataFormatError, match=rf"line 1: the file is .*, not {kind}"):
        SocialGraph.from_links_file(write(tmp_path, text), format=kind)


def test_lines_that_do_not_fit_the_named_format(tmp_path):
    path = write(tmp_path, "a,b\nb,c\n")
    with pytest.raises(DataFormatError, match="line 1: no fans"):
        SocialGraph.from_links_file(path, format="fans")
    path = write(tmp_path, "#c\na b\nb,c\n")
    graph = SocialGraph.from_links_file(path, format="fans", on_bad_lines="skip")
    assert graph.report["bad_lines"] == {"no fans": 1}
    path = write(tmp_path, "# c\nfrom\tto\na\tb\n")
    graph = SocialGraph.from_links_file(path, format="edges")
    assert graph.ids.tolist() == ["a", "b"]
    assert (graph.report["comments"], graph.report["headers"]) == (1, 1)
    path = write(tmp_path, "from\tto\na\tb\n")
    graph = SocialGraph.from_links_file(path, format="edges", header=False)
    assert graph.ids.tolist() == ["a", "b", "from", "to"]
    path = write(tmp_path, "x,y,z\na,b,2\nb,c,1\n")
    graph = SocialGraph.from_links_file(path, header=True)
    assert arcs(graph)["a", "b"] == 2


def test_konect(tmp_path):
    path = write(tmp_path, "% asym posweighted\n% 2 3 3\n1 2 2 100\n2\t3\n", "out.x")
    graph = SocialGraph.from_links_file(path, directed=True)
    assert arcs(graph) == {("1", "2"): 2, ("2", "3"): 1}
    assert graph.report["taken_for"] == "konect"
    assert adds_up(graph.report)
    path = write(tmp_path, "% sym signed\n1 2 -1\n2 3 1\n")
    with pytest.raises(DataFormatError, match="line 2: weight"):
        SocialGraph.from_links_file(path)
    graph = SocialGraph.from_links_file(path, on_bad_lines="skip", directed=True)
    assert arcs(graph) == {("2", "3"): 1, ("3", "2"): 1}
    assert graph.report["duplicates"] == 0
    # as edges, its first line is a comment
    path = write(tmp_path, "% sym unweighted\n1\t2\n")
    assert SocialGraph.from_links_file(path, format="edges").n_edges == 1
    path = write(tmp_path, "1 2\n2 3 2\n")
    assert SocialGraph.from_links_file(path, format="konect").n_edges == 2


@pytest.mark.parametrize("symmetric", [True, False])
def test_matrix_market(tmp_path, symmetric):
    matrix = np.array([[0, 2, 0, 0], [0, 0, 1.5, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    if symmetric:
        matrix += matrix.T
    file = io.BytesIO()
    mmwrite(file, sparse.coo_array(matrix))
    graph = SocialGraph.from_links_file(write(tmp_path, file.getvalue()))
    assert graph.n_users == 4
    assert arcs(graph)["1", "2"] == arcs(graph)["2", "1"] == 2
    directed = SocialGraph.from_links_file(tmp_path / "links", directed=True)
    np.testing.assert_array_equal(directed.adjacency.toarray(), matrix)
    assert directed.report["taken_for"] == "matrix_market"


MATRIX = "".join(",".join("01"[n != m] for m in range(9)) + "\n" for n in range(9))
HEAD = "%%MatrixMarket matrix coordinate real general\n"
PATTERN = HEAD.replace("real", "pattern")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (
            "auto",
            "%%MatrixMarket matrix array real general\n1 1\n1\n",
            "in coordinates",
        ),
        ("auto", HEAD + "2 3 1\n1 2 1\n", "must be square"),
        ("auto", HEAD + "2 2 1\n1 5 1\n", "no readable Matrix Market"),
        ("auto", HEAD + "2 2 1\n1 2 -1\n", "link from '1' to '2': weight"),
        ("auto", HEAD + "2 2 1\n1 2 1x", "line 3: row, column and weight"),
        ("auto", HEAD + "2 2 2\n1 2 1\0 2 1 1\n", "line 3: row, column and weight"),
        ("auto", PATTERN + "2 2 1\n1 2 1\n", "line 3: row and column of a link"),
        ("metis", "a b\n", "line 1: numbers of vertices"),
        ("metis", "", "line 1: numbers of vertices"),
        ("metis", "2 1 11\n2\n1\n", "line 1: weights of vertices"),
        ("metis", "3 1\n2\n1\n", "line 1: 3 vertices are told, and 2"),
        ("metis", "2 1\n2\n5\n", "line 3: neighbours from 1 to 2"),
        ("graphml", "<graphml><x", "no readable graphml"),
        ("graphml", "<!DOCTYPE a><graphml></graphml>", "document type"),
        ("gml", 'graph [\nnode [ id 0 label "a" ]', "no readable gml"),
        ("gml", b"graph [\n # \xff\n]", "not utf-8"),
        ("pajek", '*Vertices 2\n1 " a"\n2 "a"\n*Edges\n1 2\n', "ids of vertices"),
    ],
)
def test_broken_graph_files(tmp_path, kind, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataFormatError, match=message):
        SocialGraph.from_links_file(path, format=kind)


def test_bad_weights_of_graph_files_are_counted(tmp_path):
    path = write(tmp_path, HEAD + "3 3 2\n1 2 -1\n2 3 1\n")
    graph = SocialGraph.from_links_file(path, on_bad_lines="skip")
    assert graph.n_edges == 1
    assert adds_up(graph.report)


def test_metis(tmp_path):
    path = write(tmp_path, "% a comment\n4 3\n2\n1 3 4\n2\n2\n")
    graph = SocialGraph.from_links_file(path)
    assert graph.report["taken_for"] == "metis"
    assert set(arcs(graph)) == {*PATH, *((b, a) for a, b in PATH)}
    # a vertex without neighbours has an empty line
    path = write(tmp_path, "3 1 1\n2 7\n1 7\n\n")
    graph = SocialGraph.from_links_file(path, format="metis")
    assert (graph.n_users, graph.n_edges) == (3, 1)
    assert graph.adjacency.data.tolist() == [7, 7]
    path = write(tmp_path, "\n3 2 1\n2 3\n1 3 3 1\n2 1\n")
    assert SocialGraph.from_links_file(path, format="metis").n_edges == 2
    path = write(tmp_path, "3 2 1\n2 3\n1 3 3 1\n2 1\n")
    assert SocialGraph.from_links_file(path).report["format"] == "metis"


@pytest.mark.parametrize("kind", ["graphml", "gexf", "gml", "pajek"])
@pytest.mark.parametrize("kind_of_graph", [nx.Graph, nx.DiGraph])
def test_networkx_formats(tmp_path, kind, kind_of_graph):
    drawn = kind_of_graph()
    drawn.add_weighted_edges_from([("ann", "bob", 2.0), ("bob", "cyd", 1.0)])
    drawn.add_node("dan")
    path = tmp_path / "network"
    getattr(nx, f"write_{kind}")(drawn, path)
    graph = SocialGraph.from_links_file(path, directed=drawn.is_directed())
    assert graph.report["taken_for"] == kind
    known = SocialGraph.from_networkx(drawn).subgraph(graph.ids.tolist())
    assert graph == known
    assert SocialGraph.from_links_file(path) == known.to_undirected()


def test_gml_without_labels(tmp_path):
    path = write(
        tmp_path,
        "graph [\n node [ id 7 ]\n node [ id 8 ]\n"
        " edge [ source 7 target 8 value 3 ]\n]\n",
    )
    assert arcs(SocialGraph.from_links_file(path))["7", "8"] == 3


def test_networkx_is_named_where_it_is_missing(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(_optional, "import_module", absent)
    path = write(tmp_path, "*Vertices 1\n1 a\n")
    with pytest.raises(MissingDependencyError, match=r"links from pajek .*'networkx'"):
        SocialGraph.from_links_file(path)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding):
    # as Excel saves "Unicode text"
    content = "Source\tTarget\n李\t王\n王\t张\n".encode("utf-16")
    path = write(tmp_path, content)
    graph = SocialGraph.from_links_file(path, encoding=encoding)
    assert sorted(graph.ids) == sorted("李王张")


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress]
)
def test_compression_is_told_by_the_content(tmp_path, pack):
    path = write(tmp_path, pack(b"a,b\nb,c\n"))
    assert SocialGraph.from_links_file(path).n_edges == 2
    whole = pack(np.random.default_rng(0).bytes(9999))
    path = write(tmp_path, whole[: len(whole) // 2])
    with pytest.raises(DataFormatError, match="damaged or cut off"):
        SocialGraph.from_links_file(path)


def test_the_sample_ends_in_the_file(tmp_path, monkeypatch):
    path = write(
        tmp_path, "from,to,weight\n" + "".join(f"{n},1,2.5\n" for n in range(99))
    )
    whole = SocialGraph.from_links_file(path)
    monkeypatch.setattr("sklearn_profiling.containers._links_formats._SAMPLE_BYTES", 40)
    assert SocialGraph.from_links_file(path) == whole


def test_files_without_links(tmp_path):
    for text in ("\n\n", "# a comment\n", "source,target\n"):
        graph = SocialGraph.from_links_file(write(tmp_path, text))
        assert graph.n_users == 0
        assert adds_up(graph.report)
    graph = SocialGraph.from_links_file(write(tmp_path, "\n"), format="edges")
    assert graph.n_users == 0


def test_strangers_are_told(tmp_path):
    path = write(tmp_path, "x1,x2\nx2,x3\nx3,u0\n")
    users = [f"u{n}" for n in range(11)]
    for on_unknown in ("drop", "add"):
        with pytest.warns(DataQualityWarning, match=r"only 1 of 11 .*'u0'.*'x1'") as w:
            SocialGraph.from_links_file(path, ids=users, on_unknown=on_unknown)
        assert w[0].filename == __file__
    few = SocialGraph.from_links_file(path, ids=users[:10], on_unknown="drop")
    assert few.n_edges == 0
    all_known = SocialGraph.from_links_file(path, ids=["x3", "x2", "x1", "u0"])
    assert all_known.n_edges == 3


def test_unknown_users_of_graph_files_have_no_line(tmp_path):
    path = write(tmp_path, HEAD + "2 2 1\n1 2 1\n")
    with pytest.raises(DataFormatError, match=r"links: unknown id: '2' is no"):
        SocialGraph.from_links_file(path, ids=["1"])
    with pytest.raises(GraphError, match="format must be one of"):
        SocialGraph.from_links_file(path, format="mtx")


@pytest.mark.parametrize("end", ["", "\r", " ", "\n\n"])
def test_matrix_market_of_any_end(end, tmp_path):
    path = tmp_path / "links.mtx"
    path.write_text(f"{HEAD}2 2 1\n1 2 1.5{end}", "utf-8", newline="")
    graph = SocialGraph.from_links_file(path)
    assert graph.adjacency.toarray().max() == 1.5
