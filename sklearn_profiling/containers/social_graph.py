"""The friendship network of users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from sklearn_profiling.containers._edges import (
    Block,
    Duplicates,
    OnUnknown,
    build_adjacency,
    check_option,
    factorize,
    match_known,
    require_finite,
    require_symmetric,
    split_edges,
    weights_of,
)
from sklearn_profiling.containers._ids import (
    Ids,
    id_array,
    ids_as_bytes,
    ids_to_find,
    require_unique,
)
from sklearn_profiling.containers._links_files import (
    OnBadLines,
    read_links_file,
)
from sklearn_profiling.containers._links_formats import LinksFormat
from sklearn_profiling.exceptions import GraphError, shortened

__all__ = ["SocialGraph"]


class SocialGraph:
    """Immutable friendship network over checked user ids.

    The links lie in one compressed sparse row matrix. Graphs compare by content,
    and ``sklearn.clone`` and ``copy.deepcopy`` pass them through uncopied, so that
    a grid search shares one graph.

    Parameters
    ----------
    adjacency : sparse matrix of shape (n_users, n_users)
        Entry (i, j) is the weight of the link from user i to user j. Stored zeros
        and the diagonal are dropped.
    ids : sequence of shape (n_users,)
        Unique hashable ids: all text, or all numbers, or other hashables.
    directed : bool
        Whether the link (i, j) differs from (j, i). If False, the matrix must be
        symmetric.

    Attributes
    ----------
    adjacency : csr_array of shape (n_users, n_users)
        float32, read-only, without diagonal; symmetric if undirected.
    ids : object ndarray of shape (n_users,)
        The id of each row.
    directed : bool
        As given.
    n_users, n_edges : int
        Sizes; an undirected edge counts once.
    weighted : bool
        Whether the weights differ from each other.
    isolated : bool ndarray of shape (n_users,)
        Users without any link, in or out.
    fingerprint : str
        Hash of the content: ids, links, weights and direction.
    report : dict
        Counts of what was read and left out on construction; not compared.

    Raises
    ------
    GraphError
        If ids or weights are not usable.

    See Also
    --------
    sklearn_profiling.sources.LINEEmbedding : Vectors of users from their links.

    Notes
    -----
    Takes 8 bytes an arc (an undirected edge is two arcs), 4 bytes a user and the ids.

    Examples
    --------
    >>> graph = SocialGraph.from_edges(
    ...     [("ann", "bob"), ("bob", "cyd")], ids=["dan"], on_unknown="add"
    ... )
    >>> graph
    SocialGraph(n_users=4, n_edges=2, directed=False)
    >>> graph.neighbors("bob").tolist()
    ['ann', 'cyd']
    >>> graph.index_of(["cyd", "eve"]).tolist()
    [3, -1]
    """

    __slots__ = ("_adjacency", "_directed", "_fingerprint", "_ids", "_index", "_report")

    def __init__(
        self,
        adjacency: Any,
        ids: Sequence[Any] | Ids,
        *,
        directed: bool,
    ) -> None:
        is_sparse: bool = sparse.issparse(adjacency)
        if not is_sparse or adjacency.shape[0] != adjacency.shape[1]:
            msg = (
                "adjacency must be a square scipy sparse matrix, got "
                f"{type(adjacency).__name__} of shape "
                f"{getattr(adjacency, 'shape', None)}."
            )
            raise GraphError(msg)
        matrix = weights_of(adjacency)
        loops = int(np.count_nonzero(matrix.diagonal()))
        if loops:
            matrix = matrix - sparse.diags_array(matrix.diagonal(), dtype=np.float32)
            matrix = sparse.csr_array(matrix)
        matrix.eliminate_zeros()
        if not directed:
            require_symmetric(matrix)
        names = id_array(ids, "ids")
        if len(names) != matrix.shape[0]:
            msg = (
                f"The adjacency has {matrix.shape[0]} users, but {len(names)} ids are "
                "given."
            )
            raise GraphError(msg)
        require_unique(names, "ids")
        edges = matrix.nnz if directed else matrix.nnz // 2
        report = {"edges": edges + loops, "self_loops": loops, "duplicates": 0}
        self._set(matrix, names, directed, report)

    @classmethod
    def from_edges(
        cls,
        edges: pd.DataFrame | npt.NDArray[Any] | Iterable[tuple[Any, ...]],
        *,
        weights: str | npt.ArrayLike | None = None,
        directed: bool = False,
        ids: Sequence[Any] | Ids | None = None,
        duplicates: Duplicates = "sum",
        on_unknown: OnUnknown = "error",
        source: str = "source",
        target: str = "target",
    ) -> SocialGraph:
        """Build a graph from edges.

        Parameters
        ----------
        edges : DataFrame, array of shape (n, 2) or (n, 3), or iterable of tuples
            Pairs (a, b) or triples (a, b, weight); also a tensor. A table may be of
            pandas, polars or Arrow.
        weights : str, array of shape (n,) or None, default=None
            Weights, or their column in a DataFrame. None takes a third entry or
            the column "weight" where there is one, else 1.
        directed : bool, default=False
            Whether (a, b) differs from (b, a).
        ids : sequence or None, default=None
            All users in the wanted order, isolated ones included. None takes the
            users of the edges, sorted if text or numbers.
        duplicates : {"sum", "max", "error"}, default="sum"
            What to do with the weights of an edge that comes again. In an
            undirected graph (b, a) is (a, b) again.
        on_unknown : {"error", "drop", "add"}, default="error"
            What to do with edges to users outside ``ids``: refuse, leave them
            out, or append the users after ``ids``.
        source, target : str, default="source", "target"
            Columns of a DataFrame.

        Returns
        -------
        SocialGraph
            The graph; its ``report`` counts what was left out.

        Raises
        ------
        GraphError
            If edges, ids or weights are not usable.
        """
        check_option("duplicates", duplicates, ("sum", "max", "error"))
        check_option("on_unknown", on_unknown, ("error", "drop", "add"))
        sources, targets, values = split_edges(edges, source, target, weights)
        first, second, names = factorize(sources, targets)
        report: dict[str, Any] = {
            "edges": len(sources),
            "unknown_dropped": 0,
            "users_added": 0,
        }
        if ids is not None:
            known = id_array(ids, "ids")
            first, second, values, names = match_known(
                known, names, first, second, values, on_unknown, report
            )
        matrix = build_adjacency(
            [Block(first, second, values)],
            len(names),
            directed=directed,
            duplicates=duplicates,
            report=report,
        )
        return cls._trusted(matrix, names, directed, report)

    @classmethod
    def from_scipy(
        cls,
        adjacency: Any,
        ids: Sequence[Any] | Ids | None = None,
        *,
        directed: bool = False,
    ) -> SocialGraph:
        """Build a graph from a scipy sparse adjacency.

        Parameters
        ----------
        adjacency : sparse matrix of shape (n_users, n_users)
            Weights; symmetric unless ``directed``.
        ids : sequence of shape (n_users,) or None, default=None
            Ids of the rows. None numbers them from 0.
        directed : bool, default=False
            Whether (a, b) differs from (b, a).

        Returns
        -------
        SocialGraph
            The graph.
        """
        if ids is None:
            ids = np.arange(adjacency.shape[0])
        return cls(adjacency, ids, directed=directed)

    @classmethod
    def from_networkx(cls, graph: Any, *, weight: str | None = "weight") -> SocialGraph:
        """Build a graph from a networkx graph.

        Parameters
        ----------
        graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
            The graph; parallel edges are summed.
        weight : str or None, default="weight"
            Attribute of edges that holds the weight, 1 where absent. None ignores
            weights.

        Returns
        -------
        SocialGraph
            The graph, with users in the order of ``graph.nodes``.
        """
        edges = list(graph.edges(data=weight, default=1) if weight else graph.edges())
        return cls.from_edges(
            [(edge[0], edge[1], edge[2] if weight else 1) for edge in edges],
            directed=graph.is_directed(),
            ids=list(graph.nodes),
        )

    @classmethod
    def from_links_file(
        cls,
        path: str | PathLike[str],
        *,
        format: LinksFormat = "auto",  # noqa: A002 - the word that pandas uses
        directed: bool = False,
        ids: Sequence[str] | Ids | None = None,
        duplicates: Duplicates = "sum",
        on_unknown: OnUnknown = "error",
        on_bad_lines: OnBadLines = "error",
        encoding: str = "utf-8",
        separator: str | None = None,
        header: bool | Literal["auto"] = "auto",
        max_bytes: int | None = None,
    ) -> SocialGraph:
        r"""Read a graph from a links file, chunk by chunk.

        Parameters
        ----------
        path : str or path-like
            The file, plain or packed with gzip, bzip2, xz, zstandard (extra ``zstd``)
            or zip.
        format : str, default="auto"
            "fans": ``uid fan fan ...``, each later id follows the first (SMP CUP
            2016); a line of one id is a user without fans. "edges":
            ``a b [weight]``. "konect", "matrix_market", "metis", and through
            networkx "graphml", "gexf", "gml" and "pajek". "auto" looks at the
            content, refuses what it does not know, and says in
            ``report["taken_for"]`` what it took the file for.
        directed : bool, default=False
            Whether (a, b) differs from (b, a). A fan is linked to whom it follows.
        ids : sequence of str or None, default=None
            All users in the wanted order. None takes the users of the file, sorted.
        duplicates : {"sum", "max", "error"}, default="sum"
            What to do with the weights of a link that comes again.
        on_unknown : {"error", "drop", "add"}, default="error"
            What to do with links to users outside ``ids``.
        on_bad_lines : {"error", "skip"}, default="error"
            What to do with lines that break the format. Skipped lines are counted
            by reason in ``report["bad_lines"]``.
        encoding : str, default="utf-8"
            Encoding of the file, an extension of ASCII.
        separator : str or None, default=None
            Between the fields of "edges". None is a tab if `format` is "edges",
            and what is found if it is "auto".
        header : bool or "auto", default="auto"
            Whether the first line names the fields. "auto" takes a line for a
            header if it holds names such as "source" and "target", or is the only
            one without numbers.
        max_bytes : int or None, default=None
            Most bytes of the file, unpacked, and of a line. None takes 100 times its
            size and at least 32 MiB, and 64 MiB for a line (our choice).

        Returns
        -------
        SocialGraph
            The graph; ids are text. In ``report``, "lines" is the sum of "lines_used",
            "blank_lines", "comments", "headers" and the counts of "bad_lines", and
            "edges" that of the graph's edges, "duplicates", "self_loops" and
            "unknown_dropped". "missing_ids" counts fans named None, and "float_ids"
            ids such as 1.0 that were read as 1.

        Raises
        ------
        DataFormatError
            If the file breaks its format; with the line.
        GraphError
            If ``ids`` are not usable, or links come twice and may not.

        Warns
        -----
        DataQualityWarning
            If fewer than a tenth of ``ids`` occur in the file, and others do.

        Notes
        -----
        Lines that begin with ``#`` or ``%`` are comments, and fields in double
        quotes follow the rules of csv. With a header, ids and weights are found by
        the names of their columns. Unix times in a third or fourth column are left out,
        and so are links of "[deleted]" authors, counted among "bad_lines". Adjacency
        matrices and ids that a spreadsheet rounded (1.23E+17) are refused.
        """
        matrix, names, report = read_links_file(
            path,
            kind=format,
            directed=directed,
            ids=ids,
            duplicates=duplicates,
            on_unknown=on_unknown,
            on_bad_lines=on_bad_lines,
            encoding=encoding,
            separator=separator,
            header=header,
            max_bytes=max_bytes,
        )
        return cls._trusted(matrix, names, directed, report)

    def _set(
        self,
        matrix: Any,
        names: Ids,
        directed: bool,
        report: dict[str, Any],
    ) -> None:
        matrix.sort_indices()
        objects = names.astype(object)
        for array in (matrix.data, matrix.indices, matrix.indptr, objects):
            array.flags.writeable = False
        self._adjacency = matrix
        self._ids = objects
        self._directed = bool(directed)
        self._report = report
        self._index: pd.Index[Any] | None = None
        self._fingerprint: str | None = None

    @classmethod
    def _trusted(
        cls,
        matrix: Any,
        names: Ids,
        directed: bool,
        report: dict[str, Any],
    ) -> Self:
        # The caller's construction makes true what __init__ checks.
        graph = cls.__new__(cls)
        graph._set(matrix, names, directed, report)  # noqa: SLF001 - of this class
        return graph

    @property
    def adjacency(self) -> Any:
        """Weights of links, float32, read-only."""
        return self._adjacency

    @property
    def ids(self) -> Ids:
        """Ids of the rows."""
        return self._ids

    @property
    def directed(self) -> bool:
        """Whether (a, b) differs from (b, a)."""
        return self._directed

    @property
    def report(self) -> dict[str, Any]:
        """Counts of what was read and left out on construction."""
        return self._report

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self._ids)

    @property
    def n_edges(self) -> int:
        """Number of links; an undirected one counts once."""
        n_arcs = int(self._adjacency.nnz)
        return n_arcs if self._directed else n_arcs // 2

    @property
    def weighted(self) -> bool:
        """Whether the weights differ from each other."""
        data = self._adjacency.data
        return bool(len(data)) and bool(data.min() != data.max())

    @property
    def isolated(self) -> npt.NDArray[np.bool_]:
        """Users without any link, in or out."""
        linked: npt.NDArray[np.bool_] = np.diff(self._adjacency.indptr) > 0
        linked[self._adjacency.indices] = True
        return ~linked

    @property
    def fingerprint(self) -> str:
        """Hash of the content, the same in every process."""
        if self._fingerprint is None:
            digest = blake2b(digest_size=16)
            digest.update(f"{self._directed} {self.n_users} ".encode())
            matrix = self._adjacency
            digest.update(np.ascontiguousarray(matrix.indptr, dtype="<i8").data)
            digest.update(np.ascontiguousarray(matrix.indices, dtype="<i4").data)
            digest.update(np.ascontiguousarray(matrix.data, dtype="<f4").data)
            for array in ids_as_bytes(self._ids):
                digest.update(array)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def index_of(self, ids: Iterable[Any]) -> npt.NDArray[np.int64]:
        """Look up the rows of users.

        Parameters
        ----------
        ids : iterable of shape (n,)
            Ids; missing and unknown ones are welcome.

        Returns
        -------
        int64 ndarray of shape (n,)
            Rows, -1 where unknown.

        Raises
        ------
        GraphError
            If an id has no hash, or is a float from 2**53 on (of several numbers).
        """
        if self._index is None:
            self._index = pd.Index(self._ids, dtype=object, tupleize_cols=False)
        wanted = ids_to_find(ids, "ids")
        given = pd.Index(wanted, dtype=object, tupleize_cols=False)
        return np.asarray(self._index.get_indexer_for(given), dtype=np.int64)

    def neighbors(self, user: Any) -> Ids:
        """List the users whom a user is linked to.

        Parameters
        ----------
        user : hashable
            An id.

        Returns
        -------
        object ndarray
            Ids.

        Raises
        ------
        GraphError
            If there is no such user.
        """
        row = int(self.index_of([user])[0])
        if row < 0:
            msg = f"The graph has no user {shortened(user)}."
            raise GraphError(msg)
        start, stop = self._adjacency.indptr[row : row + 2]
        names: Ids = self._ids[self._adjacency.indices[start:stop]]
        return names

    def to_undirected(self) -> SocialGraph:
        """Forget the direction of links.

        Returns
        -------
        SocialGraph
            The graph with the weights of (a, b) and (b, a) summed; itself if it
            is undirected.
        """
        if not self._directed:
            return self
        matrix = self._adjacency + self._adjacency.T.tocsr()
        require_finite(matrix)
        report = dict(self._report)
        return self._trusted(matrix, self._ids, directed=False, report=report)

    def subgraph(self, ids: Iterable[Any]) -> SocialGraph:
        """Keep some users and the links between them.

        Parameters
        ----------
        ids : iterable
            Unique ids of this graph, in the wanted order.

        Returns
        -------
        SocialGraph
            The smaller graph.

        Raises
        ------
        GraphError
            If an id is unknown or comes twice.
        """
        wanted = ids_to_find(ids, "ids")
        rows = self.index_of(wanted)
        if (rows < 0).any():
            msg = (
                f"The graph has no user {shortened(wanted[int(np.argmax(rows < 0))])}."
            )
            raise GraphError(msg)
        require_unique(wanted, "ids")
        matrix = self._adjacency[rows][:, rows].tocsr()
        n_edges = matrix.nnz if self._directed else matrix.nnz // 2
        report = {"edges": self.n_edges, "outside": self.n_edges - n_edges}
        return self._trusted(matrix, self._ids[rows], self._directed, report)

    def __len__(self) -> int:
        return self.n_users

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(n_users={self.n_users}, n_edges={self.n_edges}, "
            f"directed={self._directed})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SocialGraph):
            return NotImplemented
        return self is other or self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __sklearn_clone__(self) -> Self:
        return self

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        # Plain arrays and nothing lazy: joblib hashes what pickle sees.
        return {
            "weights": self._adjacency.data,
            "indices": self._adjacency.indices,
            "indptr": self._adjacency.indptr,
            "ids": self._ids,
            "directed": self._directed,
            "report": self._report,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        ids = state["ids"]
        parts = state["weights"], state["indices"], state["indptr"]
        matrix: Any = sparse.csr_array(parts, shape=(len(ids), len(ids)))
        matrix.check_format(full_check=True)
        self._set(matrix, ids, state["directed"], state["report"])
