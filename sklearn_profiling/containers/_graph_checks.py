"""Checks of a network's parts, and its ids as bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling.containers._edges import (
    Codes,
    Ids,
    OnUnknown,
    Weights,
    id_index,
    require_same_kind,
)
from sklearn_profiling.exceptions import GraphError


def check_option(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse a value outside the allowed ones."""
    if value not in allowed:
        msg = f"{name} must be one of {list(allowed)}, got {value!r}."
        raise GraphError(msg)


def require_symmetric(matrix: Any) -> None:
    """Refuse a matrix that differs from its transpose."""
    turned = matrix.T.tocsr()
    if turned.nnz:
        matrix.sort_indices()
        turned.sort_indices()
    if not (
        np.array_equal(matrix.indptr, turned.indptr)
        and np.array_equal(matrix.indices, turned.indices)
        and np.array_equal(matrix.data, turned.data)
    ):
        msg = (
            "The adjacency of an undirected graph must be symmetric. Pass "
            "directed=True, and call to_undirected() if direction does not matter."
        )
        raise GraphError(msg)


def match_known(
    known: Ids,
    names: Ids,
    sources: Codes,
    targets: Codes,
    weights: Weights | None,
    on_unknown: OnUnknown,
    report: dict[str, Any],
) -> tuple[Codes, Codes, Weights | None, Ids]:
    """Renumber the edges' users by the given ids."""
    require_same_kind(known, names, "ids and users of edges")
    found = id_index(known, "ids").get_indexer_for(
        pd.Index(names, dtype=names.dtype, tupleize_cols=False)
    )
    rows = np.asarray(found, dtype=np.int32)
    unknown = rows < 0
    if unknown.any() and on_unknown == "error":
        user = names[int(np.argmax(unknown))]
        msg = (
            f"{int(unknown.sum())} users of the edges are not among the given ids, for "
            f"example {user!r}; on_unknown='drop' would leave their edges out, "
            "on_unknown='add' take them in."
        )
        raise GraphError(msg)
    if on_unknown == "add":
        n_new = int(unknown.sum())
        rows[unknown] = np.arange(len(known), len(known) + n_new)
        report["users_added"] = n_new
        known = np.concatenate([known, names[unknown]]) if n_new else known
    sources, targets = rows[sources], rows[targets]
    keep = (sources >= 0) & (targets >= 0)
    n_dropped = int((~keep).sum())
    if n_dropped:
        report["unknown_dropped"] = n_dropped
        sources, targets = sources[keep], targets[keep]
        weights = None if weights is None else weights[keep]
    return sources, targets, weights, known


def ids_as_bytes(ids: Ids) -> Iterable[bytes]:
    """Bring ids to bytes that differ where the ids do."""
    if all(isinstance(name, str) for name in ids):
        # Lengths tell ["ab", "c"] from ["a", "bc"].
        lengths = np.fromiter(map(len, ids), dtype="<i8", count=len(ids))
        return b"text", lengths.tobytes(), "".join(ids).encode("utf-8", "surrogatepass")
    if all(type(name) is int for name in ids):
        return b"int", np.asarray(ids, dtype="<i8").tobytes()
    return b"other", "\n".join(f"{type(n).__name__} {n!r}" for n in ids).encode()
