"""Links collected from a file, arc by arc, and the network that they make."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

import numpy as np
from scipy import sparse

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._lines import CountedFile

OnUnknownLinks = Literal["add", "drop", "error"]
UNKNOWN_LINKS = ("add", "drop", "error")


class ArcCollector:
    """Arcs between user ids, held as integers.

    Parameters
    ----------
    file : CountedFile
        The file being read; errors point at its current line.
    known : collection of str
        Ids of the users in the data.
    on_unknown_links : {"add", "drop", "error"}
        What becomes of a link with an id outside `known`: the id becomes a node of
        the network, the link is left out, or an error is raised.
    weighted : bool, default=False
        Arcs have weights, and the weights of a repeated arc are added. Otherwise a
        repeated arc counts once.
    """

    def __init__(
        self,
        file: CountedFile,
        known: Collection[str],
        on_unknown_links: OnUnknownLinks,
        *,
        weighted: bool = False,
    ) -> None:
        self._file = file
        self._known = known
        self._policy = on_unknown_links
        self._weighted = weighted
        self._nodes: dict[str, int] = {}
        self._tails = array("i")
        self._heads = array("i")
        self._weights = array("f")
        self._n_unknown = 0
        self._n_self = 0

    def add(self, tails: Iterable[str], head: str, weight: float = 1.0) -> None:
        """Add an arc from every tail to the head; links to oneself are left out."""
        kept = list(self._allowed(tails, head))
        if not kept:
            return
        nodes = self._nodes
        number = nodes.setdefault(head, len(nodes))
        self._tails.extend([nodes.setdefault(tail, len(nodes)) for tail in kept])
        self._heads.extend([number] * len(kept))
        if self._weighted:
            self._weights.extend([weight] * len(kept))

    def _allowed(self, tails: Iterable[str], head: str) -> Iterator[str]:
        checked = self._policy != "add"
        head_known = not checked or head in self._known
        for tail in tails:
            if tail == head:
                self._n_self += 1
            elif head_known and (not checked or tail in self._known):
                yield tail
            else:
                self._unknown(tail if head_known else head)

    def _unknown(self, user_id: str) -> None:
        if self._policy == "error":
            reason = (
                f"unknown id: {user_id!r} is no user of the data; on_unknown_links="
                f"'add' makes such ids nodes of the network, 'drop' leaves their "
                f"links out"
            )
            raise self._file.error(reason)
        self._n_unknown += 1

    def finish(self, *, directed: bool) -> tuple[SocialGraph | None, dict[str, Any]]:
        """Return the network, None without any link, and the counts.

        Undirected, an arc in both directions weighs twice as much as one direction.
        """
        n_nodes = len(self._nodes)
        tails = np.frombuffer(self._tails, dtype=np.int32)
        heads = np.frombuffer(self._heads, dtype=np.int32)
        weights = (
            np.frombuffer(self._weights, dtype=np.float32)
            if self._weighted
            else np.ones(len(tails), dtype=np.float32)
        )
        # building sums repeated arcs
        arcs = sparse.csr_matrix((weights, (tails, heads)), shape=(n_nodes, n_nodes))
        if not self._weighted:
            arcs.data[:] = 1.0
        report = {
            "n_links": int(arcs.nnz),
            "n_repeated_links": len(tails) - int(arcs.nnz),
            "n_self_links": self._n_self,
            "n_unknown_links": self._n_unknown,
            "n_nodes": n_nodes,
            "n_nodes_outside_data": sum(
                node not in self._known for node in self._nodes
            ),
        }
        if not n_nodes:
            return None, report
        adjacency = arcs if directed else (arcs + arcs.T).tocsr()
        graph = SocialGraph(adjacency, list(self._nodes), directed=directed)
        return graph, report


def missing_in_network(user_ids: Iterable[str], graph: SocialGraph | None) -> int:
    """Return how many users the network does not hold."""
    ids = list(user_ids)
    if graph is None:
        return len(ids)
    return int((graph.index_of(ids) < 0).sum())
