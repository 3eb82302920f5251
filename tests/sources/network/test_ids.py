"""Ids of users mean the same to every step that reads the network."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from sklearn_profiling.baselines import make_link_baseline
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import GraphError, SourceError
from sklearn_profiling.sources import AdjacencyRows, LINEEmbedding, SourceUnion

EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4)]
NAMES = [(f"u{a}", f"u{b}") for a, b in EDGES]
NUMBERED, NAMED = SocialGraph.from_edges(EDGES), SocialGraph.from_edges(NAMES)


def adjacency(graph: Any, ids: Any) -> Any:
    return AdjacencyRows(graph).fit(ids).transform(ids).toarray()


def line(graph: Any, ids: Any) -> Any:
    made = LINEEmbedding(graph, 4, solver="spectral", random_state=0)
    return made.fit(ids).transform(ids)


def baseline(graph: Any, ids: Any) -> Any:
    users = pd.DataFrame({"user_id": ids})
    y = np.arange(len(users)) % 2
    return make_link_baseline(graph).fit(users, y).predict_proba(users)


def union(graph: Any, ids: Any) -> Any:
    made = LINEEmbedding(graph, 4, solver="spectral", random_state=0)
    users = pd.DataFrame({"id": ids})
    return SourceUnion([("network", made, "id")]).fit_transform(users)["network"]


every_step = pytest.mark.parametrize("step", [adjacency, line, baseline, union])


@every_step
@pytest.mark.parametrize(
    "ids",
    [
        [0.0, 4.0, 1.0],
        np.array([0, 4, 1], dtype=np.int32),
        np.array([0.0, 4.0, 1.0]),
        pd.Series([0, 4, 1], dtype="Int64"),
        pd.Series([0, 4, 1], dtype="category"),
        [np.int64(0), np.float32(4), True],
    ],
    ids=str,
)
def test_a_number_is_the_same_user_in_any_type(step: Any, ids: Any) -> None:
    np.testing.assert_array_equal(step(NUMBERED, ids), step(NUMBERED, [0, 4, 1]))


@every_step
def test_text_is_the_same_user_in_any_type(step: Any) -> None:
    ids = ["u0", "u4", "u1"]
    expected = step(NAMED, ids)
    for other in (np.array(ids), pd.Series(ids, dtype="string"), pd.Categorical(ids)):
        np.testing.assert_array_equal(step(NAMED, other), expected)


@every_step
@pytest.mark.parametrize(
    ("graph", "ids"),
    [(NUMBERED, ["0", "4", "1"]), (NAMED, [0, 4, 1]), (NAMED, [0.0, np.nan, 4.0])],
)
def test_text_is_no_number(step: Any, graph: SocialGraph, ids: Any) -> None:
    with pytest.raises(
        SourceError, match=r"of another kind.*no text is equal to a num"
    ):
        step(graph, ids)


@every_step
def test_missing_and_unknown_users_are_welcome(step: Any) -> None:
    found = step(NUMBERED, [0, None, np.nan, 99])
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_array_equal(found[1], found[3])


def test_links_of_new_users_are_of_the_same_kind() -> None:
    made = LINEEmbedding(NUMBERED, 4, solver="spectral", random_state=0).fit()
    linked = made.transform([20], new_links=[(20, 0), (20.0, 1.0)])
    assert linked[0, -1] == 0
    turned = made.transform([20], new_links=[(0, 20), (1, 20)])
    np.testing.assert_array_equal(turned, linked)
    assert made.transform([20], new_links=[(20, 21)])[0, -1] == 1
    with pytest.raises(SourceError, match="of another kind"):
        made.transform([20], new_links=[("20", "0")])


@every_step
def test_a_network_in_any_form(step: Any) -> None:
    ids = [0, 4, 1]
    ends = np.transpose(EDGES)
    matrix = sparse.coo_matrix((np.ones(8), ends), shape=(8, 8))
    expected = step(NUMBERED, ids)
    frame = pd.DataFrame(EDGES, columns=["source", "target"])
    for graph in (EDGES, np.array(EDGES), frame, matrix + matrix.T):
        np.testing.assert_array_equal(step(graph, ids), expected)
    # networkx has an order of its own
    found = step(nx.Graph(EDGES), ids)
    assert found.shape == expected.shape
    with pytest.raises(GraphError, match="graph must be a SocialGraph, edges"):
        step(7, ids)


@pytest.mark.parametrize("made", [AdjacencyRows, LINEEmbedding])
def test_what_is_given_is_kept_as_it_is(made: Any) -> None:
    graph = nx.Graph(EDGES)
    transformer = made(graph)
    assert transformer.graph is graph
    assert clone(transformer).graph is not None
    assert made(NUMBERED).fit([0]).graph is NUMBERED
    assert clone(made(NUMBERED)).graph is NUMBERED
    frame = pd.DataFrame(EDGES, columns=["source", "target"])
    copied = clone(made(frame))
    pd.testing.assert_frame_equal(copied.graph, frame)


def test_nothing_need_be_fitted_to_know_the_links() -> None:
    rows = AdjacencyRows(EDGES)
    assert rows.transform([0]).toarray().tolist() == [[0, 1, 0, 1, 0, 0, 0, 0]]
    assert rows.get_feature_names_out().tolist() == list("01234567")
    # fitted again, it follows its parameter
    rows.fit([0]).set_params(graph=[(0, 1)]).fit([0])
    assert rows.transform([0]).toarray().tolist() == [[0, 1]]
