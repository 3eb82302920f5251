"""Rows of a network for a column of ids, and vectors of new users."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.containers._edges import split_edges
from sklearn_profiling.containers._ids import ids_to_find, is_null
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import GraphError, SourceError, shortened

Floats = npt.NDArray[np.float32]


def id_column(X: Any) -> npt.NDArray[Any]:
    """Bring ids in any column-like form to a 1-D object array."""
    X = as_pandas(X)
    if isinstance(X, (pd.DataFrame, np.ndarray)) and X.ndim == 2 and X.shape[1] == 1:
        X = X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0]
    if isinstance(X, (str, bytes)) or not isinstance(X, Iterable):
        msg = f"Ids of users must be one column, got {type(X).__name__}."
        raise SourceError(msg)
    if isinstance(X, (pd.DataFrame, np.ndarray)) and X.ndim != 1:
        msg = f"Ids of users must be one column, got an array of shape {X.shape}."
        raise SourceError(msg)
    try:
        return ids_to_find(X, "ids of users")
    except GraphError as error:
        raise SourceError(str(error)) from error


class GraphUsers:
    """Users of a network without their links: `ids`, and who is `isolated`."""

    def __init__(self, graph: SocialGraph) -> None:
        self.ids = graph.ids
        self.isolated = graph.isolated

    @cached_property
    def _index(self) -> pd.Index[Any]:
        return pd.Index(self.ids, dtype=object, tupleize_cols=False)

    def index_of(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Look up rows, -1 where unknown."""
        given = pd.Index(ids_to_find(ids, "ids"), dtype=object, tupleize_cols=False)
        return np.asarray(self._index.get_indexer_for(given), dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {"ids": self.ids, "isolated": self.isolated}


def find_rows(
    graph: SocialGraph | GraphUsers, ids: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Look up rows, -1 where unknown; refuse text for numbers and the reverse.

    Every step that reads ids does it here. 1, 1.0 and numpy's 1 are one user.
    """
    rows = graph.index_of(ids)
    _refuse_other_kind(graph.ids, ids[rows < 0], "graph")
    return rows


def rows_in(
    known: npt.NDArray[Any], ids: npt.NDArray[Any], what: str
) -> npt.NDArray[np.int64]:
    """Look up rows among known ids, of what is named in errors, as `find_rows`."""
    index = pd.Index(known, dtype=object, tupleize_cols=False)
    given = pd.Index(ids, dtype=object, tupleize_cols=False)
    rows = np.asarray(index.get_indexer_for(given), dtype=np.int64)
    _refuse_other_kind(known, ids[rows < 0], what)
    return rows


def _refuse_other_kind(
    known: npt.NDArray[Any], unknown: npt.NDArray[Any], what: str
) -> None:
    """Refuse text that is unknown where the known ids are none, and the reverse."""
    for name in unknown if len(known) else ():
        if isinstance(name, str) != isinstance(known[0], str) and not is_null(name):
            msg = (
                f"Ids such as {shortened(name)} are of another kind than those of the "
                f"{what}, such as {shortened(known[0])}: no text is equal to a number."
            )
            raise SourceError(msg)


def mean_of_neighbors(
    ids: npt.NDArray[Any],
    links: Any,
    graph: GraphUsers,
    embedding: Floats,
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the weighted mean of neighbours' vectors, and who has such neighbours.

    Shapes (n, n_components), zero without neighbours, and (n,). `links` are between
    `ids`, users without a vector, and users of the network.
    """
    sources, targets, weights = split_edges(links, "source", "target", None)
    if weights is None:
        weights = np.ones(len(sources), dtype=np.float32)
    trained = ~graph.isolated
    wanted = pd.Index(ids, dtype=object, tupleize_cols=False)
    # Looked up together, since a link may have its known user on either side.
    rows_of = find_rows(graph, np.concatenate([sources, targets]))
    users = wanted.unique()
    sums = np.zeros((len(users), embedding.shape[1]), dtype=np.float32)
    totals = np.zeros((len(users), 1), dtype=np.float32)
    of_sources, of_targets = np.split(rows_of, 2)
    for new, rows in ((sources, of_targets), (targets, of_sources)):
        slots = users.get_indexer_for(pd.Index(new, dtype=object, tupleize_cols=False))
        use = (slots >= 0) & (rows >= 0) & trained[rows]
        share = weights[use, None]
        np.add.at(sums, slots[use], embedding[rows[use]] * share)
        np.add.at(totals, slots[use], share)
    linked = totals[:, 0] > 0
    sums[linked] /= totals[linked]
    slots = users.get_indexer_for(wanted)
    return sums[slots], linked[slots]


def unit_rows(vectors: Floats, n_parts: int) -> Floats:
    """Scale each of `n_parts` equal parts of a row to unit length; zeros stay."""
    parts = vectors.reshape(len(vectors), n_parts, vectors.shape[1] // n_parts)
    lengths: Floats = np.linalg.norm(parts, axis=2, keepdims=True)
    lengths[lengths == 0] = 1.0
    scaled: Floats = (parts / lengths).reshape(vectors.shape)
    return scaled
