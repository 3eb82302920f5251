"""Plain blocks of links: compiled loops read what is read line by line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_profiling.containers import _edges, _link_codes, _links_files
from sklearn_profiling.containers._edges import Block, build_adjacency
from sklearn_profiling.containers._links_files import LinksFile, read_links_file
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import ProfilingError

SETTINGS = {
    "kind": "auto",
    "directed": True,
    "ids": None,
    "duplicates": "sum",
    "on_unknown": "add",
    "on_bad_lines": "error",
    "encoding": "utf-8",
    "separator": None,
    "header": "auto",
    "max_bytes": None,
}


def outcome(path, monkeypatch, *, plain, chunk_bytes=1 << 20, **changed):
    """Return a graph with its report, or the error, and how many blocks were plain."""
    found = []
    read = LinksFile._plain

    def counted(file, block):
        found.append(read(file, block))
        return found[-1]

    with monkeypatch.context() as patch:
        patch.setattr(_links_files, "PLAIN_FROM", 0 if plain else 1 << 60)
        patch.setattr(_links_files, "_CHUNK_BYTES", chunk_bytes)
        patch.setattr(LinksFile, "_plain", counted)
        try:
            matrix, names, report = read_links_file(path, **(SETTINGS | changed))
        except ProfilingError as error:
            return repr(error), 0
    parts = [matrix.data, matrix.indices, matrix.indptr, names]
    content = [(str(part.dtype), part.tolist()) for part in parts]
    return (content, report), sum(chunk is not None for chunk in found)


EDGES = {"kind": "edges", "separator": " "}
LONG = "a-name-of-many-letters another-name-of-many-letters\n" * 2
PLAIN = {
    "blanks": ("1 2\n2  3 \n 3\t1\r\n2 1\n12 1", {}),
    "tabs": ("1\t2\n2\t 3\n", {"kind": "edges"}),
    "commas": ("1,2\nann, bob\n1234567,12345678\n", {}),
    "zeros": ("0 00\n01 1\n0 1\n", {}),
    "numbers": (
        f"{10**17}\t{10**18}\n{10**18}\t1\n{2**64}\t{10**17}\n",
        {"kind": "edges"},
    ),
    "names": (LONG + "ann another-name-of-many-letterz\n", {}),
    "floats": ("1.0 2\n2 1\n2 2.0\n", {}),
    "weights": ("1,2,0.1\n2,3,5\n1,2,.7\n3,1,1e3\n", {}),
    "many digits": (f"1,2,{1 / 3!r}\n2,3,123456789012345678\n3,1,+2\n", {}),
    "columns": (
        "id,source,note,target\n" + "9,1,x,2\n8,2,,3\n7,3,z,1\n" * 9,
        {"chunk_bytes": 90},
    ),
    "times": ("1 2 1262304000\n2 3 1262304001\n", {}),
    "konect": ("1 2\n2 3 4\n3 1 0.5 1262304000\n", {"kind": "konect"}),
    "fans": ("1 2 3 4\n2 3\n3\nann None 2 None\n", {}),
    "a separator of one byte": ("1|2\n2|3\n", {"separator": "|"}),
    "latin": ("1 2\n2 3\n", EDGES | {"encoding": "latin-1"}),
}
#: The same read line by line, whole or in part.
ODD = {
    "a comment": ("# all\n1 2\n2 3\n", {}),
    "a blank line": ("1 2\n\n2 3\n", EDGES),
    "quotes": ('"1" 2\n2 3\n', EDGES),
    "a header": ("source,target\n1,2\n2,3\n", {}),
    "a first line left out": ("x,y\n1,2\n2,3\n", {"header": True}),
    "letters beyond ASCII": ("é 2\n2 3\n", EDGES),
    "another encoding": ("1 2\n2 +AGE-\n", EDGES | {"encoding": "utf-7"}),
    "a long separator": ("1::2\n2::3\n", {"separator": "::"}),
    "decimal commas": ("1;2;0,5\n2;3;1,5\n", {}),
    "a carriage return": ("1 2\n2\r3 1\n", {"on_bad_lines": "skip"}),
    "another at the end": ("1 2\r\r\n2 3\n", EDGES),
    "a field too many": ("1,2\n2,3,4\n3,1\n1,3\n", {"on_bad_lines": "skip"}),
    "an empty id": ("1,2\n,3\n3,1\n1,3\n", {"on_bad_lines": "skip"}),
    "an empty weight": ("1,2,3\n2,3,\n3,1,2\n1,3,2\n", {"on_bad_lines": "skip"}),
    "no weight": ("1,2,3\n2,3,0\n3,1,2\n1,3,2\n", {"on_bad_lines": "skip"}),
    "fans of None": ("1 2 3\nNone 2\n2 3 1\n", {"on_bad_lines": "skip"}),
    "fans by commas": ("1 2 3\n4,5\n2 3 1\n", {"kind": "fans", "on_bad_lines": "skip"}),
    "a blank line of fans": ("1 2 3\n \n2 3 1\n", {"kind": "fans"}),
    "a NUL of fans": ("1 2 3\n\0 1\n2 3 1\n", {"kind": "fans", "on_bad_lines": "skip"}),
    "dicts": ("1 2 {'weight': 3}\n", {}),
    "types": (
        "Source,Target,Type\n1,2,Directed\n2,3,Undirected\n",
        {"kind": "edges", "separator": ","},
    ),
    "rounded": ("1 1.2E+17\n2 3\n", {}),
}
ERRORS = {"rounded"}


@pytest.mark.parametrize("name", [*PLAIN, *ODD])
def test_compiled_loops_read_what_is_read_line_by_line(tmp_path, monkeypatch, name):
    text, changed = (PLAIN | ODD)[name]
    path = tmp_path / "links"
    path.write_bytes(text.encode())
    for directed in (True, False):
        both = [
            outcome(path, monkeypatch, plain=plain, directed=directed, **changed)
            for plain in (False, True)
        ]
        assert both[0][0] == both[1][0]
        assert both[0][1] == 0
        assert isinstance(both[0][0], str) == (name in ERRORS), both[0][0]
        assert both[1][1] == (0 if name in ODD else 2 if name == "columns" else 1)


def test_an_empty_weight_at_the_beginning_of_a_block(tmp_path, monkeypatch):
    path = tmp_path / "links"
    path.write_text("weight,source,target\n" + "1,2,3\n2,3,1\n,7,9\n" * 3)
    for chunk_bytes in range(20, 60):
        both = [
            outcome(path, monkeypatch, plain=plain, chunk_bytes=chunk_bytes)
            for plain in (False, True)
        ]
        assert both[0][0] == both[1][0]
        assert "line 4" in both[0][0]


IDS = st.sampled_from(["1", "2", "30", "1.0", "ann", "a-longer-name", "None", "é", "#"])
LINES = st.lists(st.tuples(st.lists(IDS, min_size=1, max_size=4)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    lines=LINES,
    kind=st.sampled_from(["fans", "edges", "konect"]),
    on_unknown=st.sampled_from(["add", "drop", "error"]),
    ids=st.sampled_from([None, ["2", "7", "ann"]]),
    skip=st.booleans(),
    chunk_bytes=st.sampled_from([8, 40, 1 << 20]),
)
def test_any_links_are_read_alike(
    tmp_path_factory, lines, kind, on_unknown, ids, skip, chunk_bytes
):
    path = tmp_path_factory.getbasetemp() / "any-links"
    path.write_text("\n".join(" ".join(words) for (words,) in lines), "utf-8")
    changed = {
        "kind": kind,
        "on_unknown": on_unknown,
        "ids": ids,
        "separator": " ",
        "on_bad_lines": "skip" if skip else "error",
        "chunk_bytes": chunk_bytes,
    }
    with pytest.MonkeyPatch.context() as patch:
        read = [outcome(path, patch, plain=plain, **changed)[0] for plain in (0, 1)]
    assert read[0] == read[1]


def test_a_bad_id_of_a_plain_block_is_told_with_its_line(tmp_path, monkeypatch):
    path = tmp_path / "links"
    path.write_text("1 2\n2 1\n1 3\n")
    monkeypatch.setattr(_links_files, "PLAIN_FROM", 0)
    monkeypatch.setattr(_links_files, "_CHUNK_BYTES", 8)
    with pytest.raises(ProfilingError, match="line 3: unknown id: '3'"):
        SocialGraph.from_links_file(path, ids=["1", "2"])
    path.write_text("1 2\n2 1\n1 1.2E+17\n")
    with pytest.raises(ProfilingError, match=r"line 3: '1.2E\+17' is a rounded"):
        SocialGraph.from_links_file(path)


def test_more_ids_than_the_first_tables_hold(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    names = [f"{'user-' * (n % 3)}{n}" for n in range(9000)]
    ends = [names[n] for n in rng.permutation(9000)] + names
    text = "".join(f"{a},{b}\n" for a, b in zip(ends[::2], ends[1::2], strict=True))
    path = tmp_path / "links"
    path.write_text(text)
    read = [
        outcome(path, monkeypatch, plain=plain, chunk_bytes=20_000)
        for plain in (False, True)
    ]
    assert read[0][0] == read[1][0]
    assert read[1][1] == -(-len(text) // 20_000)


@pytest.mark.parametrize("directed", [True, False])
def test_blocks_and_turns_do_not_change_an_adjacency(tmp_path, monkeypatch, directed):
    rng = np.random.default_rng(1)
    ends = rng.integers(40, size=(600, 2))
    weights = rng.integers(1, 9, size=600) / 4
    dense = np.zeros((40, 40))
    np.add.at(dense, tuple(ends.T), weights)
    np.fill_diagonal(dense, 0)
    dense = dense if directed else dense + dense.T
    path = tmp_path / "links"
    np.savetxt(path, np.column_stack([ends + 10, weights]), "%g")
    whole = SocialGraph.from_links_file(path, directed=directed)
    assert np.array_equal(whole.adjacency.toarray(), dense)
    assert whole.adjacency.has_canonical_format
    monkeypatch.setattr(_link_codes, "_LINKS_PER_BLOCK", 7)
    monkeypatch.setattr(_links_files, "_CHUNK_BYTES", 64)
    monkeypatch.setattr(_edges, "_ROWS_IN_CACHE", 3)
    assert SocialGraph.from_links_file(path, directed=directed) == whole
    monkeypatch.setattr(_edges, "_MOST_COLUMNS", 3)
    wide = SocialGraph.from_links_file(path, directed=directed)
    assert wide.adjacency.indices.dtype == wide.adjacency.indptr.dtype == np.int64
    assert wide == whole


def test_blocks_are_taken_out_and_the_second_of_two_links_is_named():
    def blocks(*pairs):
        return [
            Block(*np.array(part, dtype=np.int32).reshape(-1, 2).T, None)
            for part in pairs
        ]

    report = {}
    given_ones = blocks([(0, 1), (2, 2)], [], [(1, 2), (1, 0)])
    matrix = build_adjacency(
        given_ones, 3, directed=True, duplicates="error", report=report
    )
    assert given_ones == []
    assert report == {"self_loops": 1, "duplicates": 0}
    assert isinstance(matrix, sparse.csr_array)
    again = blocks([(0, 1), (2, 2)], [], [(1, 2), (1, 0)])
    with pytest.raises(ProfilingError, match=r"edge at row 2 .* comes twice"):
        build_adjacency(again, 3, directed=False, duplicates="error", report=report)
