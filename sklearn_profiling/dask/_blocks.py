"""Edges on a Dask cluster: users numbered, links laid out in blocks of rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sklearn_profiling._optional import import_optional
from sklearn_profiling.containers._edges import LARGEST_WEIGHT, split_edges
from sklearn_profiling.containers._ids import require_same_kind
from sklearn_profiling.dask._partitions import EXTRA
from sklearn_profiling.exceptions import DataFormatError, GraphError, shortened

#: Ids: an int64 array, or text as Arrow's strings, which take a third of Python's.
SomeIds = Any
#: Compressed rows of links: where each row starts, columns, and values.
Rows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]

_ARCS_PER_BLOCK: Final = 1 << 23
_BYTES_PER_BLOCK: Final = 1 << 26
_BYTES_PER_GROUP: Final = 1 << 28
_LEAST_BLOCKS: Final = 8
_FAN_IN: Final = 16
_MOST_USERS: Final = np.iinfo(np.int32).max


def engine(module: str = "dask") -> Any:
    """Import a module of Dask."""
    return import_optional(module, **EXTRA)


@dataclass(frozen=True)
class Layout:
    """User r is row r // n_blocks of block r % n_blocks.

    Neighbouring numbers lie in different blocks, since old accounts have most links.
    A product reads the blocks of its dense factor group by group.
    """

    n_users: int
    n_blocks: int
    blocks_per_group: int

    @classmethod
    def of(cls, n_users: int, n_edges: int, width: int) -> Layout:
        """Cut a network for dense factors of `width` columns, by its sizes alone."""
        n_bytes = 4 * width * n_users
        n_blocks = max(
            _LEAST_BLOCKS,
            -(-2 * n_edges // _ARCS_PER_BLOCK),
            -(-n_bytes // _BYTES_PER_BLOCK),
        )
        n_blocks = min(n_blocks, n_users)
        per_group = _BYTES_PER_GROUP * n_blocks // n_bytes
        return cls(n_users, n_blocks, min(max(per_group, 1), n_blocks))

    @property
    def groups(self) -> list[range]:
        """Blocks of each group."""
        step = self.blocks_per_group
        return [
            range(start, min(start + step, self.n_blocks))
            for start in range(0, self.n_blocks, step)
        ]

    def n_rows(self, block: int) -> int:
        """Return the number of users of a block."""
        return len(range(block, self.n_users, self.n_blocks))


@dataclass(frozen=True)
class Network:
    """A network on the cluster: its ids, and its links by views of their direction.

    A view, "links", "out" or "in", is a list of blocks, each a list of `Rows`, one a
    group of columns; ``degrees`` has the sums of their weights by row, a block each.
    """

    layout: Layout
    ids: Any
    views: dict[str, list[list[Any]]]
    degrees: dict[str, list[Any]]
    report: dict[str, int]


def open_edges(
    edges: Any, source: str, target: str, weights: str | None
) -> tuple[Any, list[str]]:
    """Open edges as a Dask DataFrame of the columns that are listed."""
    frames = engine("dask.dataframe")
    if isinstance(edges, str | os.PathLike):
        path = os.fspath(edges)
        try:
            edges = frames.read_parquet(path)
        except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors
            reason = f"no readable Parquet: {error}"
            raise DataFormatError(path, None, reason) from error
    if not isinstance(edges, frames.DataFrame):
        msg = (
            "edges must be a Dask DataFrame or the path of Parquet files, got "
            f"{type(edges).__name__}. LINEEmbedding embeds networks in memory."
        )
        raise GraphError(msg)
    # Checked by its empty frame, as a table in memory is.
    split_edges(edges._meta, source, target, weights)  # noqa: SLF001 - Dask's own way
    columns = [source, target]
    if weights is not None or "weight" in edges.columns:
        columns.append("weight" if weights is None else weights)
    return edges[columns], columns


def lay_out(
    edges: Any, columns: list[str], width: int, *, directed: bool, orders: list[str]
) -> Network:
    """Give users numbers and send every link to the blocks of both its users.

    `width` is that of the dense factors, as far as there are so many users.
    """
    dask = engine()
    split = partial(_split, columns=columns)
    parts = edges.to_delayed()
    found = [
        dask.delayed(_users_of)(part, split, place) for place, part in enumerate(parts)
    ]
    while len(found) > 1:
        found = [
            dask.delayed(_joined)(found[start : start + _FAN_IN])
            for start in range(0, len(found), _FAN_IN)
        ]
    users, counts = dask.persist(*dask.delayed(_sorted, nout=2)(found[0]))
    n_users, n_edges, n_loops = counts.compute()
    if n_edges == n_loops:
        msg = (
            f"The {n_edges} edges hold no link between two users: {n_loops} are links "
            "of a user to itself."
        )
        raise GraphError(msg)
    if n_users > _MOST_USERS:
        msg = f"A network may have {_MOST_USERS:,} users; the edges have {n_users:,}."
        raise GraphError(msg)
    layout = Layout.of(n_users, n_edges, min(width, n_users))
    blocks = _shuffled(parts, split, users, layout, directed=directed)
    views = _views(blocks, layout, directed=directed, orders=orders)
    degrees = {
        name: [
            dask.delayed(_row_sums)(parts, layout.n_rows(block))
            for block, parts in enumerate(view)
        ]
        for name, view in views.items()
    }
    degrees = dict(zip(degrees, dask.persist(*degrees.values()), strict=True))
    counted = views.get("out") or views["links"]
    n_arcs = sum(
        dask.compute(*(dask.delayed(_n_links)(part) for row in counted for part in row))
    )
    n_links = n_arcs if "out" in views else n_arcs // 2
    report = {
        "edges": n_edges,
        "self_loops": n_loops,
        "duplicates": n_edges - n_loops - n_links,
        "n_links": n_links,
        "n_users": n_users,
    }
    return Network(layout, users, views, degrees, report)


# -- numbering -----------------------------------------------------------------


def _split(part: pd.DataFrame, place: int, columns: list[str]) -> tuple[Any, Any]:
    """Check a partition: ids of sources and targets end to end, weights or None."""
    weights = columns[2] if len(columns) == 3 else None
    try:
        first, second, values = split_edges(part, columns[0], columns[1], weights)
        return _column(np.concatenate([first, second])), values
    except GraphError as error:
        msg = f"Partition {place} of the edges: {error}"
        raise GraphError(msg) from error


def _column(ids: npt.NDArray[Any]) -> SomeIds:
    if ids.dtype.kind == "i":
        return ids
    try:
        return pa.array(ids, pa.large_string())
    except (pa.ArrowException, TypeError, UnicodeError) as error:
        other = next((i for i in ids if not isinstance(i, str)), ids[0])
        msg = (
            "ids on a cluster must be text in Unicode or whole numbers of 64 bits, got "
            f"{shortened(other)}."
        )
        raise GraphError(msg) from error


def _unique(ids: SomeIds) -> SomeIds:
    return np.unique(ids) if isinstance(ids, np.ndarray) else ids.unique()


def _users_of(part: pd.DataFrame, split: Any, place: int) -> tuple[SomeIds, int, int]:
    """Return the users of a partition, and its numbers of edges and self-loops."""
    ends, _ = split(part, place)
    first, second = ends[: len(part)], ends[len(part) :]
    same = first == second if isinstance(ends, np.ndarray) else pc.equal(first, second)
    return _unique(ends), len(part), int(np.count_nonzero(np.asarray(same)))


def _joined(found: list[tuple[SomeIds, int, int]]) -> tuple[SomeIds, int, int]:
    users = [each for each, _, _ in found if len(each)] or [found[0][0]]
    for each in users:
        require_same_kind(
            np.asarray(users[0][:1].tolist(), dtype=object),
            np.asarray(each[:1].tolist(), dtype=object),
            "Ids of the edges in different partitions",
        )
    joined: SomeIds = (
        np.concatenate(users)
        if isinstance(users[0], np.ndarray)
        else pa.chunked_array(users).combine_chunks()
    )
    n_edges, n_loops = (sum(each[place] for each in found) for place in (1, 2))
    return _unique(joined), n_edges, n_loops


def _sorted(found: tuple[SomeIds, int, int]) -> tuple[SomeIds, tuple[int, int, int]]:
    """Return the users, sorted, and the numbers of users, edges and self-loops."""
    ids, n_edges, n_loops = found
    if not isinstance(ids, np.ndarray):
        ids = ids.take(pc.array_sort_indices(ids))
    return ids, (len(ids), n_edges, n_loops)


def _codes(ids: SomeIds, ends: SomeIds) -> npt.NDArray[np.int32]:
    if len(ends) == 0:
        return np.empty(0, dtype=np.int32)  # an empty partition has no kind of ids
    if isinstance(ids, np.ndarray):
        return np.asarray(np.searchsorted(ids, ends), dtype=np.int32)
    return np.asarray(pc.index_in(ends, value_set=ids), dtype=np.int32)


# -- blocks --------------------------------------------------------------------


def _shuffled(
    parts: list[Any], split: Any, ids: Any, layout: Layout, *, directed: bool
) -> list[Any]:
    """Send each link to the blocks of both its users."""
    dask, frames = engine(), engine("dask.dataframe")
    kinds = {"block": "i4", "row": "i4", "column": "i4", "weight": "f4"}
    if directed:
        kinds["out"] = "bool"
    meta = pd.DataFrame({name: np.empty(0, kind) for name, kind in kinds.items()})
    arcs = frames.from_delayed(
        [
            dask.delayed(_arcs_of)(part, split, place, ids, layout, directed)
            for place, part in enumerate(parts)
        ],
        meta=meta,
        verify_meta=False,
    )
    by_block = arcs.set_index("block", divisions=list(range(layout.n_blocks + 1)))
    return list(by_block.to_delayed())


def _arcs_of(
    part: pd.DataFrame,
    split: Any,
    place: int,
    ids: SomeIds,
    layout: Layout,
    directed: bool,
) -> pd.DataFrame:
    """Return each link twice, once from either user, but none from a user to itself."""
    ends, weights = split(part, place)
    codes = _codes(ids, ends)
    first, second = codes[: len(part)], codes[len(part) :]
    kept = first != second
    if weights is None:
        weights = np.ones(len(part), dtype=np.float32)
    first, second, weights = first[kept], second[kept], weights[kept]
    rows = np.concatenate([first, second])
    arcs = {
        "block": rows % np.int32(layout.n_blocks),
        "row": rows // np.int32(layout.n_blocks),
        "column": np.concatenate([second, first]),
        "weight": np.tile(weights, 2),
    }
    if directed:
        arcs["out"] = np.arange(len(rows)) < len(first)
    return pd.DataFrame(arcs)


def _views(
    blocks: list[Any], layout: Layout, *, directed: bool, orders: list[str]
) -> dict[str, list[list[Any]]]:
    """Build the views of the links that the orders need."""
    dask = engine()
    names = ["links"] if not directed or "first" in orders else []
    names += ["out", "in"] if directed and "second" in orders else []
    n_groups = len(layout.groups)
    built = [
        dask.delayed(_compressed, nout=n_groups * len(names))(
            arcs, layout, layout.n_rows(block), names
        )
        for block, arcs in enumerate(blocks)
    ]
    built = list(dask.persist(*built))
    return {
        name: [
            [rows[place * n_groups + group] for group in range(n_groups)]
            for rows in built
        ]
        for place, name in enumerate(names)
    }


def _compressed(
    arcs: pd.DataFrame, layout: Layout, n_rows: int, names: list[str]
) -> list[Rows]:
    """Compress the rows of a block: groups of each view, repeated links summed."""
    found = []
    for name in names:
        part = arcs if name == "links" else arcs[arcs["out"] == (name == "out")]
        found += _groups(part, layout, n_rows)
    return found


def _groups(arcs: pd.DataFrame, layout: Layout, n_rows: int) -> list[Rows]:
    rows, columns = arcs["row"].to_numpy(), arcs["column"].to_numpy()
    sizes = np.array([layout.n_rows(block) for block in range(layout.n_blocks)])
    starts = np.concatenate([np.cumsum(sizes[g]) - sizes[g] for g in layout.groups])
    others = columns % layout.n_blocks
    group_of = others // layout.blocks_per_group
    columns = starts.astype(np.int32)[others] + columns // layout.n_blocks
    weights = arcs["weight"].to_numpy(np.float64)
    # By weight too, so that sums do not depend on the order of the partitions.
    order = np.lexsort((weights, columns, rows, group_of))
    keys = np.stack([group_of[order], rows[order], columns[order]])
    new = np.ones(len(order), dtype=bool)
    new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    places = np.flatnonzero(new)
    sums = np.add.reduceat(weights[order], places) if len(places) else weights
    if (sums > LARGEST_WEIGHT).any():
        msg = "The weights of a link that comes again sum to more than float32 holds."
        raise GraphError(msg)
    group_of, rows, columns = keys[:, places]
    found = []
    for group in range(len(layout.groups)):
        own = group_of == group
        indptr = np.zeros(n_rows + 1, dtype=np.int32)
        np.cumsum(np.bincount(rows[own], minlength=n_rows), out=indptr[1:])
        found.append((indptr, columns[own], sums[own].astype(np.float32)))
    return found


def row_of_each(rows: Rows) -> npt.NDArray[np.int64]:
    """Return the row of each link."""
    return np.repeat(np.arange(len(rows[0]) - 1), np.diff(rows[0]))


def _row_sums(parts: list[Rows], n_rows: int) -> npt.NDArray[np.float64]:
    sums = np.zeros(n_rows)
    for part in parts:
        sums += np.bincount(row_of_each(part), part[2], minlength=n_rows)
    return sums


def _n_links(rows: Rows) -> int:
    return len(rows[2])
