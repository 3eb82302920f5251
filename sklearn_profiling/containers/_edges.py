"""Edges of any kind to codes, weights and an adjacency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.containers._ids import (
    Codes,
    Ids,
    id_array,
    ranked,
    require_same_kind,
    require_unique,
)
from sklearn_profiling.exceptions import GraphError, shortened

Weights = npt.NDArray[np.float32]
#: What float32 can hold.
SMALLEST_WEIGHT = float(np.finfo(np.float32).smallest_subnormal)
LARGEST_WEIGHT = float(np.finfo(np.float32).max)
Duplicates = Literal["sum", "max", "error"]
OnUnknown = Literal["error", "drop", "add"]


def split_edges(
    edges: object,
    source: str,
    target: str,
    weights: str | npt.ArrayLike | None,
) -> tuple[Ids, Ids, Weights | None]:
    """Split edges of any kind into checked sources, targets and weights, (n,) each.

    Weights are None if every edge weighs 1.
    """
    given: object
    edges, weights = as_pandas(edges), as_pandas(weights)
    if isinstance(edges, pd.DataFrame):
        first, second, given = _split_frame(edges, source, target, weights)
    else:
        if isinstance(weights, str):
            msg = (
                f"weights={weights!r} names a column, but the edges are "
                f"{type(edges).__name__}, no DataFrame."
            )
            raise GraphError(msg)
        first, second, given = _split_rows(edges)
        if weights is not None:
            if given is not None:
                msg = "weights= is given, but the edges already have a third entry."
                raise GraphError(msg)
            given = weights
    sources = id_array(first, "sources of edges")
    targets = id_array(second, "targets of edges")
    require_same_kind(sources, targets, "Sources and targets of edges")
    return sources, targets, _checked_weights(given, len(sources))


def _split_frame(
    frame: pd.DataFrame, source: str, target: str, weights: str | npt.ArrayLike | None
) -> tuple[object, object, object]:
    needed = [source, target] + ([weights] if isinstance(weights, str) else [])
    lacking = [name for name in needed if name not in frame.columns]
    if lacking:
        msg = (
            f"The DataFrame of edges has no column {lacking[0]!r}; it has "
            f"{list(map(str, frame.columns))}. Name the columns by source=, target= "
            "and weights=."
        )
        raise GraphError(msg)
    if weights is None and "weight" in frame.columns:
        weights = "weight"
    given = frame[weights] if isinstance(weights, str) else weights
    return frame[source], frame[target], given


def _split_rows(edges: object) -> tuple[object, object, object]:
    # as a tensor has it; an element of a tensor would be an id of its own
    if hasattr(edges, "__array__") and getattr(edges, "ndim", 0) > 1:
        edges = np.asarray(edges)
    if isinstance(edges, np.ndarray):
        if edges.ndim != 2 or edges.shape[1] not in (2, 3):
            msg = (
                "An array of edges must have shape (n, 2) or (n, 3), got "
                f"{edges.shape}. PyTorch Geometric's edge_index is to be transposed."
            )
            raise GraphError(msg)
        return edges[:, 0], edges[:, 1], edges[:, 2] if edges.shape[1] == 3 else None
    if not isinstance(edges, Iterable):
        msg = (
            "edges must be a DataFrame, an array or an iterable of tuples, got "
            f"{type(edges).__name__}."
        )
        raise GraphError(msg)
    rows = [tuple(edge) for edge in edges]
    if not rows:
        return [], [], None
    width = len(rows[0])
    for row, edge in enumerate(rows):
        if len(edge) not in (2, 3) or len(edge) != width:
            msg = (
                "Every edge must be (a, b), or every edge (a, b, weight): edge "
                f"{row} is {shortened(edge)}."
            )
            raise GraphError(msg)
    columns = list(zip(*rows, strict=True))
    return columns[0], columns[1], columns[2] if width == 3 else None


def _checked_weights(given: object, n_edges: int) -> Weights | None:
    if given is None:
        return None
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"Weights of edges must be numbers: {error}."
        raise GraphError(msg) from error
    if values.shape != (n_edges,):
        msg = (
            f"Each of the {n_edges} edges needs one weight, got weights of shape "
            f"{values.shape}."
        )
        raise GraphError(msg)
    bad = ~((values >= SMALLEST_WEIGHT) & (values <= LARGEST_WEIGHT))
    if bad.any():
        row = int(np.argmax(bad))
        msg = (
            f"Weights of edges must be finite and above 0, within float32: edge {row} "
            f"has {shortened(values[row])}."
        )
        raise GraphError(msg)
    return values.astype(np.float32)


def factorize(sources: Ids, targets: Ids) -> tuple[Codes, Codes, Ids]:
    """Return int32 codes of both ends, by order of value, and the id of each code."""
    codes, ids = pd.factorize(np.concatenate([sources, targets]))
    ranks, ids = ranked(ids)
    ends = ranks[codes]
    return ends[: len(sources)], ends[len(sources) :], ids


def match_known(
    known: Ids,
    names: Ids,
    sources: Codes,
    targets: Codes,
    weights: Weights | None,
    on_unknown: OnUnknown,
    report: dict[str, Any],
) -> tuple[Codes, Codes, Weights | None, Ids]:
    """Renumber the users of edges by the given ids; drop or add the others."""
    require_same_kind(known, names, "ids and users of edges")
    found = require_unique(known, "ids").get_indexer_for(
        pd.Index(names, dtype=names.dtype, tupleize_cols=False)
    )
    rows = np.asarray(found, dtype=np.int32)
    unknown = rows < 0
    if unknown.any() and on_unknown == "error":
        user = names[int(np.argmax(unknown))]
        msg = (
            f"{int(unknown.sum())} users of the edges are not among the given ids, for "
            f"example {shortened(user)}; on_unknown='drop' would leave their edges "
            "out, on_unknown='add' take them in."
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


def build_adjacency(
    sources: Codes,
    targets: Codes,
    weights: Weights | None,
    n_users: int,
    *,
    directed: bool,
    duplicates: Duplicates,
    report: dict[str, Any],
) -> Any:
    """Build the float32 CSR adjacency from codes, without self-loops and duplicates.

    What was left out is counted in `report`.
    """
    loops = sources == targets
    report["self_loops"] = int(loops.sum())
    if report["self_loops"]:
        sources, targets = sources[~loops], targets[~loops]
        weights = None if weights is None else weights[~loops]
    if not directed:
        sources, targets = np.minimum(sources, targets), np.maximum(sources, targets)
    if duplicates != "sum":
        sources, targets, weights = _merge(sources, targets, weights, duplicates)
    values = np.ones(len(sources), np.float32) if weights is None else weights
    half = _summed(
        sparse.coo_array((values, (sources, targets)), shape=(n_users, n_users)).tocsr()
    )
    report["duplicates"] = report["edges"] - report["self_loops"] - half.nnz
    full = half if directed else half + half.T.tocsr()
    full.sort_indices()
    return full


def _summed(matrix: Any) -> Any:
    """Sum entries of one place, which not every version of scipy does by itself."""
    matrix.sort_indices()
    new = np.diff(matrix.indices, prepend=-1) != 0
    new[matrix.indptr[:-1][np.diff(matrix.indptr) > 0]] = True
    if not new.all():
        starts = np.flatnonzero(new)
        ends = np.searchsorted(starts, matrix.indptr)
        parts = np.add.reduceat(matrix.data, starts), matrix.indices[starts], ends
        matrix = sparse.csr_array(parts, shape=matrix.shape)
    require_finite(matrix)
    return matrix


def weights_of(adjacency: Any) -> Any:
    """Return a sparse matrix as float32 CSR, repeats summed; zeros stay."""
    matrix: Any = sparse.csr_array(adjacency, copy=True)
    values = np.asarray(matrix.data)
    if values.dtype.kind not in "biuf":
        msg = f"Weights in the adjacency must be numbers, got {values.dtype}."
        raise GraphError(msg)
    small = (values != 0) & (np.abs(values) < SMALLEST_WEIGHT)
    bad = ~((values >= 0) & (values <= LARGEST_WEIGHT)) | small
    if bad.any():
        place = int(np.argmax(bad))
        row = int(np.searchsorted(matrix.indptr, place, side="right")) - 1
        msg = (
            "Weights in the adjacency must be finite and above 0, within float32: "
            f"entry ({row}, {matrix.indices[place]}) is {shortened(values[place])}."
        )
        raise GraphError(msg)
    return _summed(matrix.astype(np.float32))


def require_finite(matrix: Any) -> None:
    """Refuse sums of weights that float32 cannot hold."""
    if not np.isfinite(matrix.data).all():
        msg = "The weights of a link that comes again sum to more than float32 holds."
        raise GraphError(msg)


def _merge(
    sources: Codes, targets: Codes, weights: Weights | None, duplicates: Duplicates
) -> tuple[Codes, Codes, Weights | None]:
    order = np.lexsort((targets, sources))
    sources, targets = sources[order], targets[order]
    new = np.ones(len(sources), dtype=bool)
    new[1:] = (sources[1:] != sources[:-1]) | (targets[1:] != targets[:-1])
    if duplicates == "error" and not new.all():
        row = int(order[np.argmin(new)])
        msg = (
            f"The edge at row {row} (self-loops not counted) comes twice; "
            "duplicates='sum' or 'max' would merge them."
        )
        raise GraphError(msg)
    starts = np.flatnonzero(new)
    if weights is not None and len(starts):
        weights = np.maximum.reduceat(weights[order], starts)
    return sources[new], targets[new], weights


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
