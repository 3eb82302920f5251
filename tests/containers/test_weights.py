"""Weights of links: repeats are summed, and what is no weight is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.containers._edges import _summed
from sklearn_profiling.exceptions import DataFormatError, GraphError

LARGEST = float(np.finfo(np.float32).max)
EXPECTED = [[0, 6, 1], [6, 0, 0], [1, 0, 0]]
REPEATED = [("a", "b", 2.0), ("b", "a", 1.0), ("a", "c", 1.0), ("a", "b", 3.0)]
BAD = [0.0, -1.0, float("nan"), float("inf"), 1e39, 1e-50]


def lines(kind: str, edges: Any) -> str:
    """Write a links file, vertices by number where the format has no names."""
    numbers = {"a": "1", "b": "2", "c": "3"}
    rows = [(numbers[a], numbers[b], weight) for a, b, weight in edges]
    head = "%%MatrixMarket matrix coordinate real general\n3 3 "
    return {
        "edges": "\n".join(f"{a}\t{b}\t{w}" for a, b, w in edges),
        "konect": "% sym weighted\n" + "\n".join("{} {} {}".format(*r) for r in rows),
        "matrix_market": f"{head}{len(rows)}\n"
        + "\n".join("{} {} {}".format(*row) for row in rows),
        "pajek": '*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Edges\n'
        + "\n".join("{} {} {}".format(*row) for row in rows),
    }[kind]


every_format = pytest.mark.parametrize(
    "kind", ["edges", "konect", "matrix_market", "pajek"]
)


@every_format
def test_files_sum_repeats(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "links.txt"
    path.write_text(lines(kind, REPEATED))
    graph = SocialGraph.from_links_file(path, format=kind)
    assert graph.adjacency.toarray().tolist() == EXPECTED
    assert graph.report["duplicates"] == 2


@every_format
@pytest.mark.parametrize("weight", BAD, ids=str)
def test_files_refuse_what_is_no_weight(
    tmp_path: Path, kind: Any, weight: float
) -> None:
    path = tmp_path / "links.txt"
    path.write_text(lines(kind, [*REPEATED, ("b", "c", weight)]))
    with pytest.raises(DataFormatError, match=r"(line [56]|from '[2b]' to '[3c]'): w"):
        SocialGraph.from_links_file(path, format=kind)


def test_edges_in_memory_sum_repeats() -> None:
    graphs = nx.MultiGraph()
    graphs.add_weighted_edges_from(REPEATED)
    frame = pd.DataFrame(REPEATED, columns=["source", "target", "weight"])
    for built in (
        SocialGraph.from_edges(REPEATED),
        SocialGraph.from_edges(frame),
        SocialGraph.from_networkx(graphs),
    ):
        assert built.adjacency.toarray().tolist() == EXPECTED
    half = sparse.coo_array(([2, 1, 3], ([0, 0, 0], [1, 2, 1])), shape=(3, 3))
    ends = np.r_[half.row, half.col], np.r_[half.col, half.row]
    both = sparse.coo_array((np.r_[half.data, half.data], ends), shape=(3, 3))
    matrix = SocialGraph.from_scipy(both).adjacency
    assert matrix.toarray().tolist() == [[0, 5, 1], [5, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("weight", [*BAD, 10**400], ids=lambda value: f"{value!s:.6}")
def test_edges_in_memory_refuse_what_is_no_weight(weight: Any) -> None:
    reason = "edge 1 has|Weights of edges must be numbers: "
    with pytest.raises(GraphError, match=reason):
        SocialGraph.from_edges([(1, 2, 1.0), (2, 3, weight)])
    if 0 != weight != 10**400:
        matrix = sparse.csr_array([[0, 1.0, 0], [0, 0, weight], [0, 0, 0]])
        with pytest.raises(GraphError, match=r"float32: entry \(1, 2\) is"):
            SocialGraph.from_scipy(matrix, directed=True)


def test_other_entries_than_numbers_are_refused() -> None:
    with pytest.raises(GraphError, match="must be numbers, got complex128"):
        SocialGraph.from_scipy(sparse.csr_array([[0, 1j], [1j, 0]]))
    linked = sparse.csr_array([[False, True], [True, False]])
    assert SocialGraph.from_scipy(linked).adjacency.toarray().tolist() == [
        [0, 1],
        [1, 0],
    ]


def test_sums_beyond_float32_are_refused() -> None:
    with pytest.raises(GraphError, match="sum to more than float32 holds"):
        SocialGraph.from_edges([(1, 2, LARGEST), (2, 1, LARGEST)])
    graph = SocialGraph.from_edges([(1, 2, LARGEST), (2, 1, LARGEST)], directed=True)
    with pytest.raises(GraphError, match="sum to more than float32 holds"):
        graph.to_undirected()


places = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 9))


@settings(max_examples=100, deadline=None)
@given(st.lists(places, max_size=25))
def test_entries_of_one_place_are_summed(entries: list[tuple[int, int, int]]) -> None:
    dense = np.zeros((5, 5))
    for row, column, weight in entries:
        dense[row, column] += weight
    ordered = sorted(entries, key=lambda entry: entry[0])
    rows = np.array([row for row, _, _ in ordered], dtype=np.int64)
    matrix = sparse.csr_array(
        (
            np.array([weight for *_, weight in ordered], dtype=np.float32),
            np.array([column for _, column, _ in ordered], dtype=np.int32),
            np.searchsorted(rows, np.arange(6)),
        ),
        shape=(5, 5),
    )
    summed = _summed(matrix)
    np.testing.assert_array_equal(summed.toarray(), dense)
    assert summed.nnz == np.count_nonzero(dense)
