"""Edges of any kind to codes, weights and an adjacency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

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
# Rows whose next places, one cache line each, stay in a second-level cache.
_ROWS_IN_CACHE = 1 << 15
_MOST_TURNS = 32
_MOST_COLUMNS = np.iinfo(np.int32).max
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


def weight_of(text: str) -> float | None:
    """Return the weight that a text holds, None if it is none."""
    try:
        weight = float(text.replace("_", "?"))  # Python takes 1_0 for 10
    except ValueError:
        return None
    return weight if SMALLEST_WEIGHT <= weight <= LARGEST_WEIGHT else None


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


class Block(NamedTuple):
    """Links by codes of users, (n,) each; without weights each weighs 1."""

    sources: Codes
    targets: Codes
    weights: Weights | None


def build_adjacency(
    blocks: list[Block],
    n_users: int,
    *,
    directed: bool,
    duplicates: Duplicates,
    report: dict[str, Any],
) -> Any:
    """Build the float32 CSR adjacency from codes, without self-loops and duplicates.

    What was left out is counted in `report`. The blocks are taken out of the list, so
    that links and adjacency need not be in memory together.
    """
    half, report["self_loops"] = _rows_of(blocks, n_users, directed=directed)
    n_links = half.nnz
    if duplicates == "sum":
        half.sum_duplicates()
        require_finite(half)
    else:
        half = _merged(half, duplicates, blocks, directed=directed)
    blocks.clear()
    report["duplicates"] = n_links - half.nnz
    return half if directed else _both_ends(half)


def _rows_of(blocks: list[Block], n_users: int, *, directed: bool) -> tuple[Any, int]:
    """Return links by row, in the order of the blocks, and the number of self-loops.

    An undirected link stands in the lower row alone.
    """
    counts = np.zeros(n_users + 1, dtype=np.int64)
    n_loops = sum(
        kernels().count_links(block.sources, block.targets, directed, counts[1:])
        for block in blocks
    )
    indptr = counts.cumsum()
    indices, data = _places(int(indptr[-1]))
    places = indptr.copy()
    for sources, targets, weights in blocks:
        values = data[:0] if weights is None else weights
        kernels().place_links(sources, targets, values, directed, places, indices, data)
    return _csr(data, indices, indptr), n_loops


def _both_ends(half: Any) -> Any:
    """Return the symmetric matrix of links that stand in their lower row alone."""
    counts = np.zeros(len(half.indptr), dtype=np.int64)
    kernels().count_both(half.indptr, half.indices, counts[1:])
    indptr = counts.cumsum()
    indices, data = _places(int(indptr[-1]))
    n_at_once = max(_ROWS_IN_CACHE, len(indptr) // _MOST_TURNS)
    kernels().place_both(
        half.indptr, half.indices, half.data, indptr, n_at_once, indices, data
    )
    return _csr(data, indices, indptr)


def _places(n: int) -> tuple[Any, Weights]:
    """Make room for n columns and values; 32 bits count two billion links."""
    wide = np.int64 if n > _MOST_COLUMNS else np.int32
    return np.empty(n, dtype=wide), np.empty(n, dtype=np.float32)


def _csr(data: Weights, indices: Any, indptr: Any) -> Any:
    """Return a square matrix of rows, whose ends are counted as columns are."""
    n_rows = len(indptr) - 1
    ends = indptr.astype(indices.dtype)
    return sparse.csr_array((data, indices, ends), shape=(n_rows, n_rows))


def kernels() -> Any:
    """Import what numba compiles as soon as it is needed."""
    from sklearn_profiling.containers import _adjacency_kernels

    return _adjacency_kernels


def _summed(matrix: Any) -> Any:
    """Sum entries of one place, which not every version of scipy does by itself."""
    matrix.sort_indices()
    new = _firsts(matrix)
    if not new.all():
        matrix = _reduced(matrix, new, np.add)
    require_finite(matrix)
    return matrix


def _firsts(matrix: Any) -> npt.NDArray[np.bool_]:
    """Tell which entries are the first of their places, where indices are sorted."""
    new: npt.NDArray[np.bool_] = np.diff(matrix.indices, prepend=-1) != 0
    new[matrix.indptr[:-1][np.diff(matrix.indptr) > 0]] = True
    return new


def _reduced(matrix: Any, new: npt.NDArray[np.bool_], function: np.ufunc) -> Any:
    """Reduce entries of one place to one."""
    starts = np.flatnonzero(new)
    ends = np.searchsorted(starts, matrix.indptr).astype(matrix.indptr.dtype)
    parts = function.reduceat(matrix.data, starts), matrix.indices[starts], ends
    return sparse.csr_array(parts, shape=matrix.shape)


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


def _merged(
    half: Any, duplicates: Duplicates, blocks: list[Block], *, directed: bool
) -> Any:
    """Return the heaviest of the links of one place, or refuse the first repeat."""
    half.sort_indices()
    new = _firsts(half)
    if new.all():
        return half
    if duplicates == "error":
        place = int(np.argmin(new))
        row = int(np.searchsorted(half.indptr, place, side="right")) - 1
        again = _place_of_repeat(blocks, (row, half.indices[place]), directed=directed)
        msg = (
            f"The edge at row {again} (self-loops not counted) comes twice; "
            "duplicates='sum' or 'max' would merge them."
        )
        raise GraphError(msg)
    return _reduced(half, new, np.maximum)


def _place_of_repeat(
    blocks: list[Block], ends: tuple[int, int], *, directed: bool
) -> int:
    """Return which link, self-loops not counted, joins the ends the second time."""
    n_before = 0
    places: list[int] = []
    for sources, targets, _ in blocks:
        kept = sources != targets
        pairs = np.stack([sources[kept], targets[kept]])
        if not directed:
            pairs.sort(axis=0)
        found = np.flatnonzero((pairs[0] == ends[0]) & (pairs[1] == ends[1]))
        places.extend((n_before + found).tolist())
        n_before += pairs.shape[1]
    return places[1]


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
