"""The content of a network: reading, comparing and sending it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from sklearn_profiling.containers._edges import Codes, Ids, Weights, object_array
from sklearn_profiling.containers._graph_checks import ids_as_bytes
from sklearn_profiling.exceptions import GraphError


class Network:
    """Read-only links over ids; :class:`SocialGraph` adds the ways to build it."""

    __slots__ = (
        "_adjacency",
        "_directed",
        "_fingerprint",
        "_ids",
        "_index",
        "_report",
    )

    def _set(
        self,
        matrix: Any,
        names: Ids,
        directed: bool,
        report: dict[str, Any],
        index: pd.Index[Any] | None = None,
    ) -> None:
        matrix.sort_indices()
        objects = names.astype(object)
        for array in (matrix.data, matrix.indices, matrix.indptr, objects):
            array.flags.writeable = False
        self._adjacency = matrix
        self._ids = objects
        self._directed = bool(directed)
        self._report = report
        self._index = index
        self._fingerprint: str | None = None

    @classmethod
    def _trusted(
        cls,
        matrix: Any,
        names: Ids,
        directed: bool,
        report: dict[str, Any],
        index: pd.Index[Any] | None = None,
    ) -> Self:
        # Checks that the caller's construction makes true anyway are left out.
        graph = cls.__new__(cls)
        graph._set(matrix, names, directed, report, index)  # noqa: SLF001
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
        """What was read and left out on construction."""
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
        """
        if self._index is None:
            names = self._ids
            if len(names) and all(type(name) is int for name in names):
                names = names.astype(np.int64)
            self._index = pd.Index(names, dtype=names.dtype, tupleize_cols=False)
        if not isinstance(ids, (np.ndarray, pd.Series, pd.Index)):
            ids = object_array(list(ids))
        given = pd.Index(np.asarray(ids), dtype=object, tupleize_cols=False)
        try:
            return np.asarray(
                self._index.astype(object).get_indexer_for(given)
                if self._index.dtype != object
                else self._index.get_indexer_for(given),
                dtype=np.int64,
            )
        except TypeError as error:
            msg = f"Ids must be hashable: {error}."
            raise GraphError(msg) from error

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
            msg = f"The graph has no user {user!r}."
            raise GraphError(msg)
        start, stop = self._adjacency.indptr[row : row + 2]
        names: Ids = self._ids[self._adjacency.indices[start:stop]]
        return names

    def __len__(self) -> int:
        return self.n_users

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(n_users={self.n_users}, n_edges={self.n_edges}, "
            f"directed={self._directed})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
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

    def __reduce__(self) -> tuple[Any, ...]:
        # Plain arrays and nothing lazy: joblib hashes what pickle sees.
        matrix = self._adjacency
        parts = (matrix.data, matrix.indices, matrix.indptr)
        return _restore, (type(self), *parts, self._ids, self._directed, self._report)


def _restore(
    kind: type[Network],
    data: Weights,
    indices: Codes,
    indptr: Codes,
    ids: Ids,
    directed: bool,
    report: dict[str, Any],
) -> Network:
    matrix: Any = sparse.csr_array((data, indices, indptr), shape=(len(ids), len(ids)))
    return kind._trusted(matrix, ids, directed, report)  # noqa: SLF001
