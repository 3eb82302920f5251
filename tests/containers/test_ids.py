"""Ids of any kind: one user each, whatever holds them, or refused with the row."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_profiling.baselines import PropagatedLabels
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.containers._ids import id_array, ids_to_find
from sklearn_profiling.exceptions import GraphError, SourceError
from sklearn_profiling.sources import AdjacencyRows, LINEEmbedding, UserVectors

HASHES = [2**63 + 5, 2**63 + 6, 2**64 - 1, 3]
BEYOND = [2**70 + 1, 2**70 + 2, 2**70 + 3, -(2**70)]
SMALL = [4, 3, 2, 1]
# pairs of one user after the other
DENSE = np.eye(4, k=1) + np.eye(4, k=-1)
FORMS: dict[str, tuple[Any, list[Any]]] = {
    "uint64": (np.array(HASHES, dtype=np.uint64), HASHES),
    "hashes as ints": (HASHES, HASHES),
    "hashes as numpy scalars": ([np.uint64(v) for v in HASHES], HASHES),
    "hashes of both signs": ([2**63 + 5, -1, 2, 3], [2**63 + 5, -1, 2, 3]),
    "beyond 64 bits": (BEYOND, BEYOND),
    "UInt64": (pd.array(HASHES, dtype="UInt64"), HASHES),
    "categories": (pd.Series(HASHES, dtype="category"), HASHES),
    "Arrow": (pa.array(HASHES, type=pa.uint64()), HASHES),
    "Arrow in pandas": (pd.Series(HASHES, dtype="uint64[pyarrow]"), HASHES),
    "polars": (pl.Series("id", HASHES, dtype=pl.UInt64), HASHES),
    "int64": (np.array(SMALL), SMALL),
    "Int64": (pd.Series(SMALL, dtype="Int64"), SMALL),
    "uint8": (np.array(SMALL, dtype=np.uint8), SMALL),
    "float64": (np.array(SMALL, dtype=float), SMALL),
    "float16": (np.array(SMALL, dtype=np.float16), SMALL),
    "Float64": (pd.Series(SMALL, dtype="Float64"), SMALL),
    "floats": ([4.0, np.float32(3), 2, np.int8(1)], SMALL),
    "decimals": ([Decimal(2**200 + 1), Decimal("3.0"), 2, 1], [2**200 + 1, 3, 2, 1]),
    "tensor": (torch.tensor(SMALL), SMALL),
    "tensors": ([torch.tensor(value) for value in SMALL], SMALL),
    "text": (np.array(list("dcba")), list("dcba")),
    "bytes": (np.array([b"d", b"c", b"b", b"a"]), [b"d", b"c", b"b", b"a"]),
    "tuples": ([(1, 2), (3, 4), (5, 6), (7, 8)], [(1, 2), (3, 4), (5, 6), (7, 8)]),
    "days": (
        np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]"),
        [pd.Timestamp(2020, 1, day) for day in range(1, 5)],
    ),
    "times": (
        [*pd.date_range("2020-01-01", periods=3), np.datetime64("2020-01-04", "ns")],
        [pd.Timestamp(2020, 1, day) for day in range(1, 5)],
    ),
}
every_form = pytest.mark.parametrize(("ids", "plain"), FORMS.values(), ids=list(FORMS))


@every_form
def test_a_graph_and_its_look_up(ids: Any, plain: list[Any]) -> None:
    graph = SocialGraph.from_scipy(sparse.csr_array(DENSE), ids)
    assert graph.ids.tolist() == plain
    assert {type(each) for each in graph.ids} == {type(each) for each in plain}
    for asked in (ids, plain, pd.Series(plain, dtype=object), iter(plain)):
        assert graph.index_of(asked).tolist() == [0, 1, 2, 3]
    same = SocialGraph.from_scipy(sparse.csr_array(DENSE), plain)
    assert same.fingerprint == graph.fingerprint
    assert graph.subgraph(list(ids)[:2]).ids.tolist() == plain[:2]
    assert graph.neighbors(plain[0]).tolist() == [plain[1]]


@every_form
def test_edges_of_any_kind(ids: Any, plain: list[Any]) -> None:
    expected = SocialGraph.from_edges(list(pairwise(plain)))
    cells = list(ids)
    pairs = list(pairwise(cells))
    assert SocialGraph.from_edges(pairs) == expected
    if not isinstance(cells[0], torch.Tensor | pa.Scalar):
        column = pd.Series(cells, dtype=object)
        frame = pd.DataFrame({"source": column[:-1], "target": column[1:].to_numpy()})
        assert SocialGraph.from_edges(frame) == expected
        built = SocialGraph.from_networkx(nx.Graph(pairs))
        assert sorted(map(str, built.ids)) == sorted(map(str, expected.ids))
    ordered = SocialGraph.from_edges(pairs, ids=ids)
    assert ordered.ids.tolist() == plain
    np.testing.assert_array_equal(ordered.adjacency.toarray(), DENSE)
    if type(plain[0]) in (int, str):
        assert expected.ids.tolist() == sorted(plain)


@every_form
def test_steps_find_their_users(ids: Any, plain: list[Any]) -> None:
    graph = SocialGraph.from_scipy(sparse.csr_array(DENSE), plain)
    rows = AdjacencyRows(graph).fit(ids).transform(ids).toarray()
    np.testing.assert_array_equal(rows, DENSE)
    line = LINEEmbedding(graph, 2, solver="spectral", random_state=0).fit(ids)
    np.testing.assert_array_equal(line.transform(ids), line.transform(plain))
    assert (line.transform(ids) != line.transform([None])).any(axis=1).all()
    labels = PropagatedLabels(graph, random_state=0).fit(ids, ["x", "y", "x", "y"])
    np.testing.assert_array_equal(labels.transform(ids), labels.transform(plain))
    vectors = UserVectors(np.eye(4), ids=ids).fit(plain)
    np.testing.assert_array_equal(vectors.transform(ids), np.eye(4))
    by_user = dict(zip(plain, np.eye(4), strict=True))
    found = UserVectors(by_user).fit(ids).transform(plain)
    np.testing.assert_array_equal(found, np.eye(4))


def test_vectors_beside_a_column_of_hashes() -> None:
    table = pd.DataFrame(np.eye(4)).assign(user_id=FORMS["Arrow in pandas"][0].array)
    found = UserVectors(table).fit(HASHES).transform(HASHES)
    np.testing.assert_array_equal(found, np.eye(4))


ROUNDED = [
    (np.array([3.0, 2**53]), "row 1 holds 9007199254740992.0; from 9007199254740992"),
    ([3, float(2**53 + 2)], "row 1 holds 9007199254740994.0; .* float64 stands"),
    (np.array([2**24, 1], dtype=np.float32), "row 0 holds 16777216.0; from 16777216"),
    ([np.float32(2**24), 1], "row 0 .* a float32 stands for several"),
    (np.array([1, 2048], dtype=np.float16), "row 1 holds 2048.0; from 2048 on a"),
    (pd.Series([1e300, None], dtype="Float64"), "row 0 holds 1e\\+300"),
]


@pytest.mark.parametrize(("ids", "reason"), ROUNDED)
def test_rounded_floats_are_refused_with_the_row(ids: Any, reason: str) -> None:
    graph = SocialGraph.from_edges([(1, 2), (2, 3)])
    with pytest.raises(GraphError, match=f"^ids: {reason}"):
        graph.index_of(ids)
    with pytest.raises(SourceError, match=f"^ids of users: {reason}"):
        AdjacencyRows(graph).fit(ids)
    with pytest.raises(SourceError, match=f"ids: {reason}|no id, but"):
        UserVectors(np.eye(2), ids=ids).fit()
    pairs = [(each, 7) for each in ids if each is not pd.NA]
    with pytest.raises(GraphError, match="sources of edges: row"):
        SocialGraph.from_edges(pairs)


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ([1, 1.5], "row 1 holds 1.5; an id that is a number must be a whole one."),
        (np.array([1, np.inf]), "row 1 holds inf; an id that is a number must be"),
        ([1, float("inf")], "row 1 holds inf; an id that is a number must be"),
        ([Decimal("NaN"), 1], "row 0 holds Decimal.*must be a whole one"),
        ([1, 2 + 0j], "row 1 holds .2.0j.; .*must be a whole one"),
        (pd.Series([1, None], dtype="UInt64"), "row 1 holds no id, but <NA>"),
        (pd.Series([1, None], dtype="Float64"), "row 1 holds no id, but <NA>"),
        (pd.Categorical([2**53 + 1, None]), "row 1 holds no id, but None"),
        (np.array([1.0, np.nan]), "row 1 holds nan; .* no id may be missing"),
        ([[1], [2]], "row 0 holds \\[1\\]; an id must be hashable"),
        (np.array([[1], [2]]), "one-dimensional, got an array of shape \\(2, 1\\)"),
        (pd.DataFrame({"id": [1, 2]}), "one-dimensional, got an array of shape"),
        ([1, "1"], "mix text with other kinds \\(int, str\\)"),
    ],
)
def test_what_is_no_id_is_refused_with_the_row(ids: Any, reason: str) -> None:
    with pytest.raises(GraphError, match=f"ids:? .*{reason}|ids:? {reason}"):
        id_array(ids, "ids")


def test_a_look_up_keeps_missing_ids_and_fractions() -> None:
    graph = SocialGraph.from_edges([(1, 2)])
    for asked in (
        [1, None, 1.5, float("nan"), "1", Decimal("0.5"), float("inf")],
        np.array([1, np.nan, 1.5, np.inf]),
        pd.Series([1, None, 2**64 - 1], dtype="UInt64"),
        pd.Categorical([1, None, 2**53 + 1]),
    ):
        found = graph.index_of(asked)
        assert found.tolist() == [0] + [-1] * (len(asked) - 1)
    assert ids_to_find(pd.Categorical([2**53 + 1, None]), "").tolist() == [
        2**53 + 1,
        None,
    ]


def test_one_id_of_the_other_kind_is_refused_too() -> None:
    rows = AdjacencyRows([(1, 2)])
    assert rows.transform([1, 7, None]).sum() == 1
    with pytest.raises(SourceError, match=r"'2' are of another kind than .* graph"):
        rows.transform([1, "2"])
    with pytest.raises(SourceError, match=r"2 are of another kind than .* vectors"):
        UserVectors({"a": [1.0], "b": [2.0]}).fit(["a", 2])


def test_text_files_keep_all_digits(tmp_path: Any) -> None:
    path = tmp_path / "vectors.csv"
    path.write_text(f"{2**63 + 5},1\n{2**63 + 6},2\n7.0,3\n+8e0,4\n")
    asked = np.array([2**63 + 6, 2**63 + 5, 7, 8], dtype=np.uint64)
    found = UserVectors(path).fit(asked).transform(asked)
    assert found.tolist() == [[2], [1], [3], [4]]
    path.write_text("9007199254740994.0,1\n7,2\n")
    with pytest.raises(ValueError, match=r"line 1: '9007199254740994\.0' is a rounded"):
        UserVectors(path).fit()


numbers = st.lists(
    st.one_of(
        st.integers(-(2**66), 2**66),
        st.integers(2**63 - 3, 2**63 + 3),
        st.integers(2**53 - 3, 2**53 + 3),
    ),
    min_size=2,
    max_size=8,
    unique=True,
)


@settings(max_examples=150, deadline=None)
@given(numbers, st.randoms(use_true_random=False))
def test_no_number_is_lost_or_merged(ids: list[int], random: Any) -> None:
    pairs = list(pairwise(ids))
    graph = SocialGraph.from_edges(pairs)
    assert graph.ids.tolist() == sorted(ids)
    asked = random.sample(ids, len(ids))
    kinds = [
        pd.Series(asked),
        np.array(asked, dtype=object),
        pl.Series(asked, dtype=pl.Object),
    ]
    for kind in (np.int64, np.uint64):
        info = np.iinfo(kind)
        if info.min <= min(ids) and max(ids) <= info.max:
            kinds += [np.array(asked, dtype=kind), [kind(each) for each in asked]]
    for given_ids in kinds:
        assert graph.ids[graph.index_of(given_ids)].tolist() == asked
    for each in ids:
        try:
            (row,) = graph.index_of([float(each)])
        except GraphError:
            assert abs(each) >= 2**53 - 1
        else:
            assert graph.ids[row] == each
