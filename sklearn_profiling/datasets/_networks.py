"""The network of a loader: links that were read, its users and its counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
from scipy import sparse

from sklearn_profiling.containers._edges import build_adjacency
from sklearn_profiling.containers._link_codes import (
    Chunk,
    Links,
    collect_links,
    warn_of_strangers,
)
from sklearn_profiling.containers._links_files import open_links_file
from sklearn_profiling.containers._links_formats import LinksFormat
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._files import OnBadLines

OnUnknownLinks = Literal["add", "drop", "error"]
UNKNOWN_LINKS = ("add", "drop", "error")

Network = tuple[SocialGraph | None, dict[str, Any]]


def read_network(
    path: str | PathLike[str],
    user_ids: Sequence[str],
    on_unknown_links: OnUnknownLinks,
    *,
    kind: LinksFormat,
    directed: bool,
    encoding: str,
    on_bad_lines: OnBadLines,
    weighted: bool,
    stacklevel: int,
) -> Network:
    """Return the network of a links file, None without any link, and the counts.

    Where weights are not asked for, a link that comes again counts once.
    """
    file = open_links_file(
        path,
        kind=kind,
        directed=directed,
        encoding=encoding,
        on_bad_lines=on_bad_lines,
        guess=True,
    )
    links = collect_links(
        path, file.chunks(), user_ids, on_unknown_links, "on_unknown_links"
    )
    file.require_links()
    warn_of_strangers(path, links, stacklevel=stacklevel + 1)
    file.both_ways(links)
    graph, counts = make_network(links, directed=directed, weighted=weighted)
    read = file.report()
    return graph, {
        "path": str(path),
        "encoding": file.encoding,
        "taken_for": read["taken_for"],
        "n_lines": read["lines"],
        "n_records": read["lines_used"],
        "n_blank": read["blank_lines"],
        "n_comments": read["comments"],
        "n_headers": read["headers"],
        "skipped": read["bad_lines"],
        "n_missing_ids": read["missing_ids"],
        **counts,
    }


def network_of(
    path: str | PathLike[str],
    chunks: Iterable[Chunk],
    user_ids: Sequence[str],
    on_unknown_links: OnUnknownLinks,
) -> Network:
    """Return the undirected network of links without weights, and their counts."""
    links = collect_links(path, chunks, user_ids, on_unknown_links, "on_unknown_links")
    return make_network(links, directed=False, weighted=False)


def make_network(links: Links, *, directed: bool, weighted: bool) -> Network:
    """Return the network of all who have links, and its counts.

    Undirected, a link in both directions weighs twice as much as one direction.
    """
    n_users = len(links.ids)
    counts: dict[str, Any] = {"edges": 0}
    nodes = np.zeros(n_users, dtype=np.bool_)
    for sources, targets, _ in links.blocks:
        counts["edges"] += len(sources)
        linked = sources != targets
        nodes[sources[linked]] = True
        nodes[targets[linked]] = True
    arcs = build_adjacency(
        links.blocks,
        n_users,
        directed=True,
        duplicates="sum",
        report=counts,
    )
    if not weighted:
        arcs.data[:] = 1.0
    adjacency = arcs if directed else sparse.csr_array(arcs + arcs.T)
    report = {
        "n_links_read": counts["edges"] + links.n_unknown,
        "n_links": int(arcs.nnz),
        "n_repeated_links": counts["duplicates"],
        "n_self_links": counts["self_loops"],
        "n_unknown_links": links.n_unknown,
        "n_float_ids": links.n_float_ids,
        "n_nodes": int(nodes.sum()),
        "n_nodes_outside_data": int(nodes[links.n_known :].sum()),
    }
    if not nodes.any():
        return None, report
    if not nodes.all():
        kept = np.flatnonzero(nodes)
        adjacency = adjacency[kept][:, kept]
    ids = [name for name, node in zip(links.ids, nodes, strict=True) if node]
    return SocialGraph(adjacency, ids, directed=directed), report


def missing_in_network(user_ids: Iterable[str], graph: SocialGraph | None) -> int:
    """Return how many users the network does not hold."""
    ids = list(user_ids)
    if graph is None:
        return len(ids)
    return int((graph.index_of(ids) < 0).sum())
