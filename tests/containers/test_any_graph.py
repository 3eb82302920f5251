"""Networks in every form that people have them in, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.exceptions import GraphError, SourceError

EDGES = [(0, 1), (1, 2), (3, 2)]
GRAPH = SocialGraph.from_edges(EDGES)
FRAME = pd.DataFrame(EDGES, columns=["source", "target"])
ONES = np.ones(3)
MATRIX = sparse.coo_matrix((ONES, np.transpose(EDGES)), shape=(4, 4))
FORMS: dict[str, Any] = {
    "graph": GRAPH,
    "list": EDGES,
    "lists": [list(edge) for edge in EDGES],
    "generator": (edge for edge in EDGES),
    "triples": [(*edge, 1.0) for edge in EDGES],
    "array": np.array(EDGES),
    "floats": np.array(EDGES, dtype=float),
    "tensor": torch.tensor(EDGES),
    "frame": FRAME,
    "reordered": FRAME.assign(note="x")[["note", "target", "source"]],
    "other names": FRAME.set_axis(["follower", "followed"], axis=1),
    "third column": FRAME.set_axis(["a", "b"], axis=1).assign(times=1.0),
    "polars": pl.DataFrame(FRAME),
    "arrow": pa.Table.from_pandas(FRAME),
    "networkx": nx.Graph(EDGES),
    "symmetric": MATRIX + MATRIX.T,
    "symmetric array": sparse.csr_array(MATRIX + MATRIX.T),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_graph(form: str) -> None:
    found = as_social_graph(FORMS[form])
    assert sorted(found.ids) == [0, 1, 2, 3]
    assert found.subgraph([0, 1, 2, 3]) == GRAPH


def test_direction_and_weights_are_kept() -> None:
    assert as_social_graph(GRAPH) is GRAPH
    arcs = as_social_graph(MATRIX)
    assert arcs.directed
    assert arcs.neighbors(3).tolist() == [2]
    assert as_social_graph(nx.DiGraph(EDGES)).directed
    times = FRAME.set_axis(["a", "b"], axis=1).assign(times=[1.0, 2.0, 5.0])
    assert as_social_graph(times).adjacency.max() == 5.0
    assert as_social_graph(FRAME.assign(weight=3.0)).adjacency.max() == 3.0
    # an isolated user of a matrix stays
    assert as_social_graph(sparse.csr_array((3, 3))).n_users == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("links.txt", r"not a file: 'links\.txt'\. Read it first.*from_links_file"),
        (Path("links.txt"), "not a file"),
        (7, "sparse matrix; got int"),
        ({"ann": ["bob"]}, "sparse matrix; got dict"),
        (pd.Series([1, 2]), "got Series"),
        (FRAME.assign(a=1, b=2)[["a", "b", "source", "b"]], "columns source and targ"),
        (FRAME[["source"]], r"got \['source'\]"),
        (sparse.csr_array((2, 3)), r"a row and a column for each.*\(2, 3\)"),
        (np.ones((4, 4)), "shape"),
        (["ann", "bob"], "edge"),
    ],
)
def test_what_is_no_network_is_refused(given: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        as_social_graph(given)


def test_a_table_must_be_in_memory() -> None:
    with pytest.raises(SourceError, match="collect"):
        as_social_graph(pl.LazyFrame(FRAME))
