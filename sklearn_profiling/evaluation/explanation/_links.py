"""Log-odds of a user without one of the links to neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.preprocessing import normalize

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.evaluation.explanation._model import ClassModel, Floats
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.sources import AdjacencyRows, LINEEmbedding

__all__ = ["Neighbours", "without_links"]

_LONGEST = 1000  # of lists and dicts that may hold parts of a system


class Neighbours(NamedTuple):
    """Neighbours, how far the log-odds fall without each, and what could not be cut."""

    ids: list[Any]
    column: str
    falls: Floats
    n_left_out: int
    notes: list[str]


def without_links(
    model: ClassModel, user: pd.DataFrame, max_items: int
) -> Neighbours | None:
    """Cut each link of a user in turn; None if no step knows the user's links.

    A copy of the system reads rows of the adjacency matrix that lack the link, and
    vectors of new users who have the links that are left.
    """
    parts = {id(part): part for part in _parts_of(model.system)}.values()
    found = _find(user, [_graph_of(part) for part in parts])
    if found is None:
        return None
    graph, column, vertex = found
    can_be_cut = [p for p in parts if isinstance(p, AdjacencyRows | LINEEmbedding)]
    fixed = {type(part).__name__ for part in parts} - {
        type(part).__name__ for part in can_be_cut
    }
    notes = [f"{name} keeps what it learned of all links" for name in sorted(fixed)]
    links = graph.to_undirected().adjacency
    others = links.indices[links.indptr[vertex] : links.indptr[vertex + 1]]
    if not can_be_cut:
        return Neighbours([], column, np.zeros(0), len(others), notes)
    chosen = others[:max_items]
    changed = {
        id(part): _as_given(part, _rows_without(part, graph, vertex, chosen))
        for part in can_be_cut
        if _graph_of(part) == graph
    }
    users = user.iloc[np.zeros(len(chosen) + 1, dtype=int)].reset_index(drop=True)
    odds = model.log_odds(users, _replaced(model.system, changed))
    ids = graph.ids[chosen].tolist()
    return Neighbours(
        ids, column, odds[-1] - odds[:-1], len(others) - len(chosen), notes
    )


def _graph_of(part: Any) -> Any:
    """Return the network that a fitted part reads; one may keep but its users."""
    if hasattr(part, "_users"):
        return getattr(part, "graph", None)
    return getattr(part, "_graph", None)


def _inner(system: Any) -> dict[Any, Any]:
    """Return what an estimator, a mapping or a short list holds, by its place."""
    if isinstance(system, BaseEstimator):
        own: dict[Any, Any] = vars(system)
        return own
    if type(system) in (dict, list, tuple) and len(system) < _LONGEST:
        return dict(system if isinstance(system, dict) else enumerate(system))
    return {}


def _parts_of(system: Any) -> Iterator[Any]:
    """Yield the fitted parts of a system that keep a network."""
    is_part = isinstance(system, BaseEstimator)
    if is_part and isinstance(_graph_of(system), SocialGraph):
        yield system
    for part in _inner(system).values():
        yield from _parts_of(part)


def _replaced(system: Any, changed: Mapping[int, Any]) -> Any:
    """Copy a system as far as it holds parts that are changed, and put those in."""
    if id(system) in changed:
        return changed[id(system)]
    inner = _inner(system)
    made = {place: _replaced(part, changed) for place, part in inner.items()}
    if all(made[place] is part for place, part in inner.items()):
        return system
    if type(system) in (list, tuple):
        return type(system)(made.values())
    copied = copy(system)
    (copied if isinstance(copied, dict) else vars(copied)).update(made)
    return copied


def _find(
    user: pd.DataFrame, graphs: list[SocialGraph]
) -> tuple[SocialGraph, str, int] | None:
    """Find a network and the column of ids whose cell has links there."""
    for graph in graphs:
        for column in user:
            try:
                vertex = int(graph.index_of([user[column].iloc[0]])[0])
            except (ProfilingError, TypeError, ValueError):
                continue
            if vertex >= 0 and not graph.isolated[vertex]:
                return graph, str(column), vertex
    return None


def _as_given(part: Any, rows: Any) -> Any:
    """Copy a transformer so that it returns given rows."""
    copied = copy(part)

    def transform(X: Any, new_links: Any = None) -> Any:  # noqa: ARG001 - as its own
        return rows

    copied.transform = transform
    return copied


def _rows_without(part: Any, graph: SocialGraph, vertex: int, others: Any) -> Any:
    """Make the rows of a user without each of the links, and with all."""
    if isinstance(part, AdjacencyRows):
        return _adjacent(part, graph.ids[vertex], others)
    links = graph.to_undirected().adjacency
    own = links.indices[links.indptr[vertex] : links.indptr[vertex + 1]]
    new = _new_ids(graph, len(others) + 1)
    pairs = [
        (name, graph.ids[end])
        for name, left_out in zip(new, [*others, None], strict=True)
        for end in own
        if end != left_out
    ]
    return part.transform(new, new_links=pairs)


def _new_ids(graph: SocialGraph, number: int) -> list[Any]:
    """Name users who are not in the network, by ids of its kind."""
    if isinstance(graph.ids[0], Integral):
        return [int(graph.ids.max()) + 1 + n for n in range(number)]
    known = set(graph.ids)
    names = (f"new {n}" for n in range(number + len(known)))
    return [name for name in names if name not in known][:number]


def _adjacent(part: AdjacencyRows, user_id: Any, others: Any) -> Any:
    """Make rows of the adjacency matrix, scaled as they would be without the link."""
    own = sparse.csr_matrix(part.transform([user_id]))
    plain = AdjacencyRows(_graph_of(part), weighted=part.weighted).fit([user_id])
    weights = sparse.csr_matrix(plain.transform([user_id])).toarray()[0]
    rows = np.tile(own.toarray(), (len(others) + 1, 1))
    for number, other in enumerate(others):
        left = weights.copy()
        left[other] = 0
        if part.normalize == "symmetric":
            # Entries are divided by roots of the sums of both rows, each with a 1.
            ratio = (weights.sum() + 1) / (left.sum() + 1)
            rows[number] *= np.where(weights > 0, np.sqrt(ratio), ratio) * left.any()
            rows[number, other] = 0
        elif part.normalize is None:
            rows[number, other] = 0
        else:
            norm = "l1" if part.normalize == "degree" else "l2"
            rows[number] = normalize(left[None], norm)[0]
    return sparse.csr_matrix(rows)
