"""A network in any form that people have it in, as a SocialGraph."""

from __future__ import annotations

from os import PathLike
from typing import Any

import pandas as pd
from scipy import sparse

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import GraphError

__all__ = ["as_social_graph"]


def as_social_graph(graph: Any) -> SocialGraph:
    """Return a SocialGraph as it is, and make one of edges, tables or other graphs.

    Edges are pairs or triples with a weight, in a list, an array, a tensor or a table;
    other graphs are those of networkx and sparse matrices, whose users are numbered.
    Raises GraphError for anything else.
    """
    if isinstance(graph, SocialGraph):
        return graph
    if sparse.issparse(graph):
        return _of_matrix(graph)
    if hasattr(graph, "is_directed") and hasattr(graph, "nodes"):
        return SocialGraph.from_networkx(graph)
    edges = as_pandas(graph)
    if isinstance(edges, pd.DataFrame):
        return SocialGraph.from_edges(edges, **_ends(edges))
    if isinstance(edges, str | bytes | PathLike):
        msg = (
            f"graph must be a network, not a file: {str(edges)!r:.60}. Read it first, "
            "by SocialGraph.from_links_file"
        )
        raise GraphError(msg)
    if isinstance(edges, dict | pd.Series) or not hasattr(edges, "__iter__"):
        msg = (
            "graph must be a SocialGraph, edges (a list of pairs, an array or a table "
            f"with the columns source and target), a networkx graph or a sparse matrix;"
            f" got {type(graph).__name__}"
        )
        raise GraphError(msg)
    return SocialGraph.from_edges(edges)


def _of_matrix(matrix: Any) -> SocialGraph:
    """Make a graph of a sparse matrix, undirected if it is symmetric."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        msg = (
            "graph as a sparse matrix must have a row and a column for each user; got "
            f"the shape {matrix.shape}"
        )
        raise GraphError(msg)
    rows = matrix.tocsr()
    directed = bool((rows != rows.T).nnz)
    return SocialGraph.from_scipy(rows, directed=directed)


def _ends(edges: pd.DataFrame) -> dict[str, Any]:
    """Find the columns of users: source and target, or the first two of a few."""
    if {"source", "target"} <= set(edges.columns):
        return {}
    if edges.shape[1] not in (2, 3):
        msg = (
            "graph as a table must have the columns source and target, and perhaps "
            f"weight, or two or three columns; got {list(edges.columns)!s:.200}"
        )
        raise GraphError(msg)
    source, target, *weight = edges.columns
    return {
        "source": source,
        "target": target,
        "weights": weight[0] if weight else None,
    }
