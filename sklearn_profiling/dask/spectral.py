"""LINE in closed form on a Dask cluster, for networks larger than one machine."""

from __future__ import annotations

from math import fsum
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._decorators import validate_params
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.dask._blocks import (
    Layout,
    Network,
    Rows,
    SomeIds,
    engine,
    lay_out,
    open_edges,
    row_of_each,
)
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.network._expansion import read_only
from sklearn_profiling.sources.network._line_svd import (
    OVERSAMPLING,
    POWER_ITERATIONS,
    fixed_width,
    leading_directions,
)
from sklearn_profiling.sources.network._line_svd_kernels import multiply_rows
from sklearn_profiling.sources.network._lookup import unit_rows

__all__ = ["spectral_line"]

Floats = npt.NDArray[np.float32]
#: Blocks of rows of a tall matrix, each a Delayed.
Blocks = list[Any]

_BYTES_PER_DRAW = 1 << 28
_TEXT: Any = pd.StringDtype("pyarrow")


@validate_params(
    {
        "edges": "no_validation",
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "order": [StrOptions({"both", "first", "second"})],
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "directed": ["boolean"],
        "normalize": ["boolean"],
        "source": [str],
        "target": [str],
        "weights": [str, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def spectral_line(
    edges: Any,
    n_components: int = 300,
    *,
    order: Literal["both", "first", "second"] = "both",
    n_negatives: int = 5,
    directed: bool = False,
    normalize: bool = True,
    source: str = "source",
    target: str = "target",
    weights: str | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Embed a network that outgrows one machine, by LINE in closed form.

    The vectors are those of ``LINEEmbedding(SocialGraph.from_edges(edges),
    solver="spectral", expansion=None)`` with the same parameters, up to rounding.

    Parameters
    ----------
    edges : str, path-like or dask.dataframe.DataFrame
        Links, one a row: a Parquet file, a folder of them or a pattern such as
        ``"edges/*.parquet"``, on a disk that all workers see, or a remote address such
        as ``"s3://..."``; or a Dask DataFrame. Ids of users are text or whole numbers.
    n_components : int, default=300
        Embedding dimension; even for ``order="both"``, which gives each order one
        half (MMLUP: 150 + 150).
    order : {"both", "first", "second"}, default="both"
        Proximities to embed.
    n_negatives : int, default=5
        Noise contexts per arc (paper).
    directed : bool, default=False
        Whether (a, b) differs from (b, a). First order ignores the direction.
    normalize : bool, default=True
        Whether each order's vectors are scaled to unit length (paper).
    source, target : str, default="source", "target"
        Columns with the users of each link.
    weights : str or None, default=None
        Column with the weights. None takes "weight" where there is one, else 1.
    random_state : int, RandomState instance or None, default=None
        Decides the random start of the factorisation.

    Returns
    -------
    Bunch
        ``vectors``, a Dask DataFrame that the workers hold: the column "id" and
        n_components columns of float32, named as by LINEEmbedding, one row for each
        user with a link; and ``report``, a dict: "edges" is the sum of "self_loops",
        "duplicates" (links that came again, whose weights are summed) and "n_links",
        "n_users" that of "n_isolated" (users with links to themselves alone, who have
        no vector) and "n_vectors".

    Raises
    ------
    MissingDependencyError
        If Dask is not installed (extra ``dask``).
    DataFormatError
        If a path leads to no readable Parquet.
    GraphError
        If columns are missing, ids or weights are not usable, or there is no link.
    SourceError
        If `n_components` is odd and ``order="both"``.

    See Also
    --------
    sklearn_profiling.sources.LINEEmbedding : The same in one machine's memory.
    sklearn_profiling.sources.UserVectors : Reads the vectors, in a pipeline.

    Notes
    -----
    Runs on the cluster of the active ``dask.distributed.Client``, without one on
    threads of this machine. The users are numbered, and Dask's shuffle sends each link
    to the blocks of both its users. Subspace iteration takes five products with the
    matrix and five with its transpose for each order, each a task for a block of rows
    and a group of columns, with QR by ``dask.array.linalg.tsqr`` between them. Blocks
    are cut and sums are taken alike on any number of workers; the order of the edges
    and of their partitions changes the last bits at most.

    **Memory** of all workers together, in bytes, for n users, m links (undirected) and
    w = n_components / 2 + 16 columns (n_components + 16 for a single order): 32 m for
    the links while an order is factorised, measured 92 m at the peak, while they are
    laid out; 24 n w for dense factors at the peak; 4 n n_components for the result.
    Every worker holds the ids while links are numbered (8 n, or about 60 n a thread for
    text), and about 0.5 GB a thread for a group of a dense factor's rows.

    References
    ----------
    .. [1] Tang, Qu, Wang, Zhang, Yan and Mei, "LINE: Large-scale Information Network
       Embedding", WWW 2015.
    .. [2] Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM
       Review 2011.
    .. [3] Benson, Gleich and Demmel, "Direct QR Factorizations for Tall-and-Skinny
       Matrices in MapReduce Architectures", IEEE Big Data 2013.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_profiling.dask import spectral_line
    >>> from sklearn_profiling.sources import UserVectors
    >>> edges = pd.DataFrame(
    ...     {
    ...         "source": ["ann", "bob", "cyd", "cyd"],
    ...         "target": ["bob", "cyd", "ann", "dan"],
    ...     }
    ... )
    >>> found = spectral_line(
    ...     dd.from_pandas(edges, npartitions=2), n_components=4, random_state=0
    ... )
    >>> found.report["n_links"], found.report["n_vectors"]
    (4, 4)
    >>> UserVectors(found.vectors.compute()).fit_transform(["ann", "eve"]).shape
    (2, 4)
    """
    orders: list[str] = ["first", "second"] if order == "both" else [order]
    if n_components % len(orders):
        msg = (
            'order="both" gives each order half of n_components, which must be even, '
            f"got {n_components}."
        )
        raise SourceError(msg)
    n_dimensions = n_components // len(orders)
    frame, columns = open_edges(edges, source, target, weights)
    seeds = dict(zip(("first", "second"), derive_seeds(random_state, 2), strict=True))
    # Of this process, which computes where there is no cluster; workers have one each.
    with fixed_threads():
        network = lay_out(
            frame,
            columns,
            n_dimensions + OVERSAMPLING,
            directed=directed,
            orders=orders,
        )
        halves = [
            _Order(network, each, n_negatives).embed(n_dimensions, seeds[each])
            for each in orders
        ]
        return _vectors(network, halves, orders, n_dimensions, normalize=normalize)


class _Order:
    """The matrix of one order on the cluster, and products with it."""

    def __init__(self, network: Network, order: str, n_negatives: int) -> None:
        self.layout = network.layout
        self.order = order
        directed = order == "second" and "out" in network.views
        names = ("out", "in") if directed else ("links", "links")
        self.degrees = network.degrees[names[0]]
        shift = None
        if order == "second":
            dask = engine()
            sums = dask.compute(*(dask.delayed(np.sum)(each) for each in self.degrees))
            shift = np.log(fsum(sums) / n_negatives)
        self.matrix = self._weighted(network, names, shift)
        if shift is not None and self._is_empty():
            # A small dense network: no link stands out by a factor of b.
            shift += np.log(n_negatives)
            self.matrix = self._weighted(network, names, shift)
        self.turned = self.matrix
        if directed:
            self.turned = self._weighted(network, names[::-1], shift)

    def embed(self, n_dimensions: int, seed: int) -> Blocks:
        """Compute vectors (n_users, n_dimensions), zero for users without links."""
        dask = engine()
        width = min(n_dimensions + OVERSAMPLING, self.layout.n_users)
        basis = self._range(width, seed)
        other = self._product(self.turned, basis)
        pairs = zip(basis if self.order == "first" else other, other, strict=True)
        kind = np.float32 if self.order == "first" else np.float64
        parts = [dask.delayed(_turned_product)(*pair, kind) for pair in pairs]
        (gram,) = dask.compute(dask.delayed(sum)(parts))
        scaled = leading_directions(gram, n_dimensions, order=self.order)
        shared = dask.delayed(scaled)
        vectors = [
            dask.delayed(_combined)(block, shared, degrees)
            for block, degrees in zip(basis, self.degrees, strict=True)
        ]
        vectors = dask.persist(*vectors)
        peaks = dask.compute(*(dask.delayed(_peaks)(block) for block in vectors))
        highest = np.abs(peaks).argmax(axis=0)
        signs = np.sign(np.stack(peaks)[highest, np.arange(scaled.shape[1])])
        signs[signs == 0] = 1
        return [dask.delayed(np.multiply)(block, signs) for block in vectors]

    def _range(self, width: int, seed: int) -> Blocks:
        """Find an orthonormal basis of the dominant range, by power iterations."""
        basis = self._product(self.matrix, _start(self.layout, width, seed))
        for _ in range(POWER_ITERATIONS):
            basis = self._orthonormal(basis, width)
            basis = self._orthonormal(self._product(self.turned, basis), width)
            basis = self._product(self.matrix, basis)
        return self._orthonormal(basis, width)

    def _product(self, matrix: list[list[Any]], dense: Blocks) -> Blocks:
        dask = engine()
        found = []
        for parts in matrix:
            total = None
            for part, group in zip(parts, self.layout.groups, strict=True):
                factors = [dense[block] for block in group]
                total = dask.delayed(_multiplied)(total, part, factors)
            found.append(total)
        return list(dask.persist(*found))

    def _orthonormal(self, columns: Blocks, width: int) -> Blocks:
        arrays = engine("dask.array")
        parts = [
            arrays.from_delayed(part, (self.layout.n_rows(block), width), np.float32)
            for block, part in enumerate(columns)
        ]
        basis, _ = arrays.linalg.tsqr(arrays.concatenate(parts))
        return list(engine().persist(*basis.to_delayed().ravel()))

    def _weighted(
        self, network: Network, names: tuple[str, str], shift: float | None
    ) -> list[list[Any]]:
        """Weight the links of a view by the degrees of both users."""
        dask = engine()
        of_rows, of_columns = (network.degrees[name] for name in names)
        weighted = [
            [
                dask.delayed(_weighted_rows)(
                    part, of_rows[block], [of_columns[i] for i in group], shift
                )
                for part, group in zip(parts, self.layout.groups, strict=True)
            ]
            for block, parts in enumerate(network.views[names[0]])
        ]
        return list(dask.persist(*weighted))

    def _is_empty(self) -> bool:
        dask = engine()
        counts = [dask.delayed(_n_entries)(parts) for parts in self.matrix]
        return not any(dask.compute(*counts))


def _start(layout: Layout, width: int, seed: int) -> Blocks:
    """Draw the start row by row, as one machine does, whatever the blocks are."""
    dask = engine()
    step = layout.n_blocks * max(_BYTES_PER_DRAW // (4 * width * layout.n_blocks), 1)
    state: Any = np.random.default_rng(seed).bit_generator.state
    pieces: list[Blocks] = [[] for _ in range(layout.n_blocks)]
    for first in range(0, layout.n_users, step):
        n_rows = min(step, layout.n_users - first)
        drawn, state = dask.delayed(_draw, nout=2)(state, n_rows, width)
        for block, rows in enumerate(pieces):
            rows.append(dask.delayed(_every)(drawn, block, layout.n_blocks))
    return list(dask.persist(*(dask.delayed(np.concatenate)(each) for each in pieces)))


def _vectors(
    network: Network,
    halves: list[Blocks],
    orders: list[str],
    n_dimensions: int,
    *,
    normalize: bool,
) -> Bunch:
    dask, frames = engine(), engine("dask.dataframe")
    names = [f"line_{order}{i}" for order in orders for i in range(n_dimensions)]
    linked = list(network.degrees.values())
    parts = [
        dask.delayed(_table)(
            dask.delayed(_every)(network.ids, block, network.layout.n_blocks),
            [half[block] for half in halves],
            [degrees[block] for degrees in linked],
            names,
            normalize,
        )
        for block in range(network.layout.n_blocks)
    ]
    parts = list(dask.persist(*parts))
    kind = dask.delayed(_empty)(parts[0]).compute()
    n_vectors = sum(dask.compute(*(dask.delayed(len)(part) for part in parts)))
    n_isolated = network.report["n_users"] - n_vectors
    report = network.report | {"n_isolated": n_isolated, "n_vectors": n_vectors}
    vectors = frames.from_delayed(parts, meta=kind, verify_meta=False)
    return Bunch(vectors=vectors, report=report)


# -- tasks ---------------------------------------------------------------------


def _draw(state: Any, n_rows: int, width: int) -> tuple[Floats, Any]:
    generator = np.random.default_rng()
    generator.bit_generator.state = state
    drawn = generator.standard_normal((n_rows, width), dtype=np.float32)
    return drawn, generator.bit_generator.state


def _every(rows: Any, first: int, step: int) -> Any:
    """Return every `step`th row of an array, of numpy or Arrow."""
    if isinstance(rows, np.ndarray):
        return rows[first::step].copy()
    return rows.take(np.arange(first, len(rows), step))


def _weighted_rows(
    rows: Rows,
    of_rows: npt.NDArray[np.float64],
    of_columns: list[npt.NDArray[np.float64]],
    shift: float | None,
) -> Rows:
    """Weight links by degrees: w / sqrt(d_i d_j), or max(log(w / d_i d_j) + shift, 0).

    `shift` is None for the former. Zeros are left out.
    """
    indptr, indices, weights = rows
    degrees = of_rows[row_of_each(rows)]
    others = np.concatenate(of_columns)[indices]
    if shift is None:
        values = (weights / np.sqrt(degrees * others)).astype(np.float32)
        return indptr, indices, values
    logs = np.log(weights) - np.log(degrees) - np.log(others) + shift
    values = logs.astype(np.float32)
    kept = values > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[indptr].astype(np.int32)
    return ends, indices[kept], values[kept]


def _n_entries(parts: list[Rows]) -> int:
    return sum(len(values) for _, _, values in parts)


def _multiplied(total: Floats | None, rows: Rows, factors: list[Floats]) -> Floats:
    """Add the product of rows with a group of a tall matrix to `total`."""
    dense = np.concatenate(factors)
    n_rows = len(rows[0]) - 1
    product = np.empty((n_rows, dense.shape[1]), dtype=np.float32)
    multiply_rows(*map(read_only, rows), dense, product, 0, n_rows)
    if total is not None:
        product += total
    return product


def _turned_product(first: Floats, second: Floats, kind: Any) -> Any:
    """Multiply (n, k) turned and (n, m), both taken as `kind`: float64."""
    with fixed_threads():
        right = second.astype(kind, copy=False)
        left = first.astype(kind, copy=False)
        return (left.T @ right).astype(np.float64)


def _combined(
    basis: Floats, scaled: Floats, degrees: npt.NDArray[np.float64]
) -> Floats:
    with fixed_threads():
        vectors: Floats = basis @ scaled
    vectors[degrees == 0] = 0
    return vectors


def _peaks(vectors: Floats) -> Floats:
    """Return the entry of each column that is farthest from zero."""
    peaks: Floats = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return peaks


def _table(
    ids: SomeIds,
    halves: list[Floats],
    degrees: list[npt.NDArray[np.float64]],
    names: list[str],
    normalize: bool,
) -> pd.DataFrame:
    n_dimensions = len(names) // len(halves)
    vectors = np.hstack([fixed_width(half, n_dimensions) for half in halves])
    if normalize:
        vectors = unit_rows(vectors, len(halves))
    column = ids if isinstance(ids, np.ndarray) else _TEXT.__from_arrow__(ids)
    table = pd.DataFrame(vectors, columns=names)
    table.insert(0, "id", column)
    linked = np.sum(degrees, axis=0) > 0
    kept: pd.DataFrame = table[linked].reset_index(drop=True)
    return kept


def _empty(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:0]
