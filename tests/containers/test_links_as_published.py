"""Links as people have them: one reader for graphs and loaders, whose counts add up."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets import load_records
from sklearn_profiling.exceptions import DataFormatError

TRIANGLE = {frozenset("ab"), frozenset("bc"), frozenset("ac")}


def write(folder, content, name="links"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def ends(graph):
    links = graph.adjacency.tocoo()
    return {
        frozenset((graph.ids[i], graph.ids[j])): float(w)
        for i, j, w in zip(links.row, links.col, links.data, strict=True)
    }


def lines_add_up(report):
    apart = report["blank_lines"] + report["comments"] + report["headers"]
    apart += sum(report["bad_lines"].values())
    return report["lines"] == report["lines_used"] + apart


def links_add_up(graph):
    report = graph.report
    left_out = report["self_loops"] + report["duplicates"] + report["unknown_dropped"]
    return report["edges"] == graph.n_edges + left_out


def loaded(folder, path, users="abc", **parameters):
    rows = [json.dumps({"user_id": name, "messages": []}) for name in users]
    file = write(folder, "\n".join(rows), "users.jsonl")
    return load_records(file, links=path, **parameters)


FILES = {
    "snap": "# Directed graph\n# FromNodeId\tToNodeId\na\tb\nb\tc\na\tc\n",
    "percent": "% a comment\na b\nb c\na c\n",
    "csv": '"source","target"\n"a","b"\n"b","c"\n"a","c"\n',
    "capitals": "SOURCE,TARGET\na,b\nb,c\na,c\n",
    "mark": "\ufeffSource,Target\na,b\nb,c\na,c\n",
    "excel": "Source\tTarget\na\tb\nb\tc\na\tc\n".encode("utf-16"),
    "gephi": "Source;Target;Weight\na;b;1\nb;c;1,0\na;c;1\n",
    "gephi table": "Source,Target,Type,Id,Label,Weight\n"
    "a,b,Directed,0,,1\nb,c,Directed,1,,1\na,c,Directed,2,,1\n",
    "exponents": "a b 1e0\nb c 10.0E-1\na c 1e+0\n",
    "windows": "a b\r\nb c\r\n\r\na c\r\n",
    "spaces in csv": "a, b\nb, c\na, c\n",
    "times": "a b 1217567877\nb c 1217573801\na c 1217606247\n",
    "weights and times": "a,b,1,1289241911.7\nb,c,1,1289241941.5\na,c,1,1289243140.3\n",
    "named times": "source,target,timestamp\na,b,1217567877\nb,c,1\na,c,1217606247\n",
    "konect": "% sym weighted\n% 3 3 3\na b 1 1217567877\nb c 1 1\na c 1 5\n",
    "loops": "a b\na a\nb c\na c\nc c\n",
    "fans": "c a b\nb a\na\n",
    "pajek": '*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Arcs\n1 2\n*Edges\n2 3 1\n1 3\n',
    "lists": '*Network x\n*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Edgeslist\n1 2 3\n2 3\n',
    "graphml": gzip.compress(
        b"<?xml version='1.0'?><graphml xmlns='http://graphml.graphdrawing.org/xmlns'>"
        b"<graph edgedefault='undirected'><node id='a'/><node id='b'/><node id='c'/>"
        b"<edge source='a' target='b'/><edge source='b' target='c'/>"
        b"<edge source='a' target='c'/></graph></graphml>"
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_one_reader_for_graphs_and_loaders(tmp_path, name):
    path = write(tmp_path, FILES[name])
    graph = SocialGraph.from_links_file(path)
    assert ends(graph) == dict.fromkeys(TRIANGLE, 1.0)
    assert lines_add_up(graph.report)
    assert links_add_up(graph)
    bunch = loaded(tmp_path, path)
    assert ends(bunch.graph) == dict.fromkeys(TRIANGLE, 1.0)
    assert bunch.report["files"]["links"]["taken_for"] == graph.report["taken_for"]


def test_times_are_no_weights(tmp_path):
    for name in ("times", "weights and times"):
        graph = SocialGraph.from_links_file(write(tmp_path, FILES[name]))
        assert graph.report["taken_for"].endswith("without their times")
    path = write(tmp_path, FILES["times"].replace(" ", "\t"))
    graph = SocialGraph.from_links_file(path, format="edges", header=True)
    assert graph.report["taken_for"] == "edges separated by tabs, without their times"
    assert graph.report["headers"] == 1
    # the third of three large numbers is a time or a third user
    path = write(tmp_path, "1182040961 1182040962 1217567877\n" * 3)
    with pytest.raises(DataFormatError, match="looks like a time, not like a weight"):
        loaded(tmp_path, path, ["1182040961"])
    path = write(tmp_path, "1182040961,1182040962,1217567877\n" * 3)
    assert SocialGraph.from_links_file(path).n_users == 2


def test_directions_of_pajek(tmp_path):
    path = write(tmp_path, FILES["pajek"])
    graph = SocialGraph.from_links_file(path, directed=True)
    assert graph.n_edges == 5
    arcs = graph.adjacency.tocoo()
    assert set(zip(arcs.row.tolist(), arcs.col.tolist(), strict=True)) == {
        *((0, 1), (1, 2), (2, 1), (0, 2), (2, 0))
    }
    path = write(tmp_path, FILES["lists"])
    assert SocialGraph.from_links_file(path, directed=True).n_edges == 6
    path = write(tmp_path, FILES["pajek"].partition("*Edges")[0])
    assert SocialGraph.from_links_file(path, directed=True).n_edges == 1
    path = write(tmp_path, "*Vertices 2\n1 a\n2 b\n*Matrix\n0 1\n1 0\n")
    with pytest.raises(DataFormatError, match=r"line 4: \*Vertices, .*'\*Matrix'"):
        SocialGraph.from_links_file(path)


@pytest.mark.parametrize(
    "weight", ["1e39", "1e-50", "1_0", "NaN", "1e400", "0", "-1", "", "x" * 500]
)
def test_weights_that_are_none(tmp_path, weight):
    path = write(tmp_path, f"source,target,weight\na,b,{weight}\nb,c,2\n")
    fault = "line 2: weight: a finite number above 0 is needed, within float32, not"
    with pytest.raises(DataFormatError, match=fault) as raised:
        SocialGraph.from_links_file(path)
    assert len(str(raised.value)) < 250 + len(str(path))
    graph = SocialGraph.from_links_file(path, on_bad_lines="skip")
    assert ends(graph) == {frozenset("bc"): 2}
    assert lines_add_up(graph.report)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1 2 # friend\n2 3\n3 4\n", "line 1: a comment behind a link"),
        ("id,friends\n1,\"['2', '3']\"\n2,[]\n", "line 2: an id is a list"),
        ('id,friends\n1,"[2, 3]"\n', "line 2: an id is a list"),
        ("source,target\r1,2\r2,3\r", "line 1: a carriage return"),
    ],
)
def test_what_is_no_id(tmp_path, text, fault):
    with pytest.raises(DataFormatError, match=fault):
        SocialGraph.from_links_file(write(tmp_path, text))


def test_deleted_authors_have_no_links(tmp_path):
    path = write(tmp_path, "source,target\na,[deleted]\n[deleted],b\na,[b]\n")
    graph = SocialGraph.from_links_file(path)
    assert ends(graph) == {frozenset(["a", "[b]"]): 1}
    assert graph.report["bad_lines"] == {"deleted author": 2}
    assert lines_add_up(graph.report)
    report = loaded(tmp_path, path).report["files"]["links"]
    assert (report["n_records"], report["skipped"]) == (1, {"deleted author": 2})


def test_directions_of_gephi(tmp_path):
    text = "Source;Target;Type\na;b;Directed\nb;c;Undirected\n"
    graph = SocialGraph.from_links_file(write(tmp_path, text), directed=True)
    assert graph.n_edges == 3
    assert links_add_up(graph)
    assert SocialGraph.from_links_file(write(tmp_path, text)).n_edges == 2


def test_ids_are_text(tmp_path):
    path = write(tmp_path, "007,7\n7,08\n")
    assert sorted(SocialGraph.from_links_file(path).ids) == ["007", "08", "7"]


@pytest.mark.parametrize("policy", ["add", "drop", "error"])
def test_whole_numbers_that_became_float(tmp_path, policy):
    path = write(tmp_path, "source,target\n1.0,2.0\n2.0,3\n1.5,1.5\n")
    known = SocialGraph.from_links_file(path, ids=["1.5", "1", "2", "3"])
    assert known.ids.tolist() == ["1.5", "1", "2", "3"]
    assert known.n_edges == 2
    assert known.report["float_ids"] == 2
    bunch = loaded(tmp_path, path, ["1", "2", "3", "1.5"], on_unknown_links=policy)
    assert sorted(bunch.graph.ids) == ["1", "2", "3"]
    assert bunch.report["files"]["links"]["n_float_ids"] == 2
    as_they_are = SocialGraph.from_links_file(path, ids=["1.0", "2.0", "3", "1.5"])
    assert as_they_are.report["float_ids"] == 0


@pytest.mark.parametrize("policy", ["add", "drop", "error"])
@pytest.mark.parametrize("line", ["1.23E+17;c", "c;1.23E+17", "1.23e+17;1.23e+17"])
def test_ids_that_a_spreadsheet_rounded(tmp_path, line, policy):
    path = write(tmp_path, f"source;target\n1e3;c\n{line}\n")
    fault = "links, line 3: '1.23[Ee].17' is a rounded number"
    with pytest.raises(DataFormatError, match=fault):
        SocialGraph.from_links_file(path, on_unknown=policy, ids=["1e3", "c"])
    graph = SocialGraph.from_links_file(write(tmp_path, "source,target\n1e3,c\n"))
    assert list(graph.ids) == ["1e3", "c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "no usable line among 2"),
        ("source,target\n", "no usable line among 1: nothing but headers"),
        ("# nothing\n", "no usable line among 1"),
        ("a,b,c\nb,0,1\nc,1,0\n", "line 1: "),
        (",a,b,c\na,0,1,0\nb,1,0,1\nc,0,1,0\n", "looks like an adjacency matrix"),
        ("one\ntwo\n", "line 1: number of fields: two ids"),
        ("a b c d\na e f g\n", "line 1: number of fields: two ids"),
        ("Dear all,\nthis is text.\nBye\n", "line 2: weight"),
    ],
)
def test_loaders_refuse_what_is_no_list_of_links(tmp_path, text, message):
    with pytest.raises(DataFormatError, match=message):
        loaded(tmp_path, write(tmp_path, text), on_unknown_links="add")


def test_without_a_good_line(tmp_path):
    path = write(tmp_path, "a\tb\tx\nb\tc\ty\n")
    with pytest.raises(DataFormatError, match=r"no usable line among 2: .*'weight': 2"):
        SocialGraph.from_links_file(path, format="edges", on_bad_lines="skip")


def test_edges_of_loaders_have_any_separator(tmp_path):
    for text in ("a b\nb c\na c 1\n", "a,b\nb,c,1\na,c\n", "a\tb\nb\tc\na\tc\t1\n"):
        path = write(tmp_path, text)
        for kind in ("auto", "edges"):
            graph = loaded(tmp_path, path, links_format=kind).graph
            assert ends(graph) == dict.fromkeys(TRIANGLE, 1.0)


LINE_KINDS = (
    *("a\tb", "b\ta", "b\tc\t2", "c\tc", "a\tx", "x\ty\t0.5", "# c", "", " "),
    *("a", "a\tb\t-1", "a\tb\tc\td", "\tb", '"a', "source\ttarget", "a\tb\x00"),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(LINE_KINDS), min_size=1, max_size=30),
    st.sampled_from(["add", "drop"]),
    st.booleans(),
)
def test_counts_add_up(tmp_path_factory, lines, policy, directed):
    folder = tmp_path_factory.mktemp("links")
    path = write(folder, "a\tb\n" + "".join(f"{line}\n" for line in lines))
    bunch = loaded(
        folder, path, on_bad_lines="skip", on_unknown_links=policy, directed=directed
    )
    links = bunch.report["files"]["links"]
    apart = links["n_blank"] + links["n_comments"] + links["n_headers"]
    apart += sum(links["skipped"].values())
    assert links["n_lines"] == len(lines) + 1 == links["n_records"] + apart
    left_out = links["n_repeated_links"] + links["n_self_links"]
    left_out += links["n_unknown_links"]
    assert links["n_links_read"] == links["n_links"] + left_out
    if directed:
        assert bunch.graph.n_edges == links["n_links"]
    graph = SocialGraph.from_links_file(
        path,
        format="edges",
        ids=list("abc"),
        on_unknown=policy,
        on_bad_lines="skip",
        directed=directed,
    )
    assert graph.report["lines"] == len(lines) + 1
    assert lines_add_up(graph.report)
    assert links_add_up(graph)
