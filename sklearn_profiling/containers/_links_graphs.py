"""Links files that scipy and networkx read as a whole."""

from __future__ import annotations

import re
from io import BytesIO
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.io import mmread

from sklearn_profiling._bounds import check_bytes
from sklearn_profiling._optional import import_optional
from sklearn_profiling._packed_files import open_text
from sklearn_profiling.containers._links_formats import is_count
from sklearn_profiling.exceptions import DataFormatError

_MOST_COMMENTS = 10_000
#: Bytes of a vertex, its name included.
_NAME = 64
_NUMBER = (
    rb"[-+]?+(?:\d++(?:\.\d*+)?+(?:[eE][-+]?+\d++)?+|\.\d++(?:[eE][-+]?+\d++)?+"
    rb"|(?i:nan|inf(?:inity)?+))"
)
_PAIR = re.compile(rb"[ \t]*+\d++[ \t]++\d++[ \t\r]*+")
_TRIPLE = re.compile(rb"[ \t]*+\d++[ \t]++\d++[ \t]++" + _NUMBER + rb"[ \t\r]*+")


class WholeGraph(NamedTuple):
    """The vertices and links of a file; `symmetric` links have no direction."""

    users: list[str]
    sources: list[str]
    targets: list[str]
    weights: list[Any]
    symmetric: bool


def read_graph(
    path: str | PathLike[str], kind: str, encoding: str, *, directed: bool
) -> WholeGraph:
    """Read Matrix Market, METIS, GraphML, GEXF, GML or Pajek."""
    with open_text(path) as stream:
        content = stream.read()
    if kind == "matrix_market":
        return _matrix_market(path, content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"not {encoding}: {error.reason} at byte {error.start}."
        raise DataFormatError(path, None, reason) from error
    if kind == "metis":
        return _metis(path, text)
    if kind == "pajek":
        return _pajek(path, text, directed=directed)
    return _networkx(path, kind, text)


def _matrix_market(path: str | PathLike[str], content: bytes) -> WholeGraph:
    head = content.split(b"\n", 1)[0].decode("latin-1").lower().split()
    if "coordinate" not in head or "complex" in head:
        reason = "a real matrix in coordinates is needed, '%%MatrixMarket matrix ...'"
        raise DataFormatError(path, 1, f"{reason}; got {' '.join(head)[:60]!r}.")
    _check_sizes(path, content)
    # scipy reads beyond a last line that does not end, and crashes
    stream = BytesIO(content + b"\n")
    try:
        matrix: Any = sparse.coo_array(mmread(stream, spmatrix=False))
    except (ValueError, OverflowError, TypeError) as error:
        reason = f"no readable Matrix Market file: {error}."
        raise DataFormatError(path, None, reason) from error
    if matrix.shape[0] != matrix.shape[1]:
        reason = f"the matrix of links must be square, got {matrix.shape}."
        raise DataFormatError(path, None, reason)
    symmetric = "symmetric" in head
    rows, columns, values = matrix.row, matrix.col, matrix.data
    if symmetric:
        lower = rows >= columns
        rows, columns, values = rows[lower], columns[lower], values[lower]
    names = [str(row) for row in range(1, matrix.shape[0] + 1)]
    return WholeGraph(
        names,
        [names[row] for row in rows.tolist()],
        [names[column] for column in columns.tolist()],
        np.asarray(values, dtype=float).tolist(),
        symmetric,
    )


def _check_sizes(path: str | PathLike[str], content: bytes) -> None:
    """Refuse sizes that the file cannot hold, for which memory would be taken."""
    lines = content.split(b"\n", _MOST_COMMENTS)
    for number, line in enumerate(lines, 1):
        if line.startswith(b"%") or not line.strip():
            continue
        sizes = [int(size) for size in line.split() if is_count(size)]
        if len(sizes) < 3 or sizes[2] > len(content):
            reason = (
                "numbers of rows, columns and links are needed, of which all follow"
            )
            raise DataFormatError(path, number, f"{reason}; got {line[:60]!r}.")
        check_bytes(path, _NAME * max(sizes[:2]), "the vertices take")
        _check_links(path, content, number)
        return


def _check_links(path: str | PathLike[str], content: bytes, n_before: int) -> None:
    """Refuse what scipy would pass over behind the numbers of a line."""
    kinds = ("row, column and weight", _TRIPLE), ("row and column", _PAIR)
    lines = content.split(b"\n")
    wanted, link = kinds[b"pattern" in lines[0].lower()]
    for number, line in enumerate(lines[n_before:], n_before + 1):
        if link.fullmatch(line) is None and line.strip():
            reason = f"{wanted} of a link are needed; got {line[:60]!r}."
            raise DataFormatError(path, number, reason)


def _metis(path: str | PathLike[str], text: str) -> WholeGraph:
    """Read lines of neighbours; each link stands in the lines of both of its ends."""
    lines = [
        (number, line.split())
        for number, line in enumerate(text.splitlines(), 1)
        if not line.startswith(("%", "#"))
    ]
    while lines and not lines[0][1]:
        del lines[0]
    number, head = lines[0] if lines else (1, [])
    if not 2 <= len(head) <= 3 or not all(map(is_count, head)):
        reason = "numbers of vertices and links, and 1 for weights of links, are needed"
        raise DataFormatError(path, number, f"{reason}; got {' '.join(head)[:60]!r}.")
    n_users, weighted = int(head[0]), head[2:] and int(head[2]) == 1
    if head[2:] and int(head[2]) > 1:
        reason = f"weights of vertices are not read (format {head[2]})."
        raise DataFormatError(path, number, reason)
    lines = lines[1 : n_users + 1] + [row for row in lines[n_users + 1 :] if row[1]]
    if len(lines) != n_users:
        reason = f"{n_users} vertices are told, and {len(lines)} lines follow."
        raise DataFormatError(path, number, reason)
    graph = WholeGraph(
        [str(n) for n in range(1, n_users + 1)], [], [], [], symmetric=True
    )
    step = 2 if weighted else 1
    for vertex, (number, fields) in enumerate(lines, 1):
        if len(fields) % step or not all(
            is_count(field) and 0 < int(field) <= n_users for field in fields[::step]
        ):
            reason = f"neighbours from 1 to {n_users} are needed, with weights if told"
            got = " ".join(fields)[:60]
            raise DataFormatError(path, number, f"{reason}; got {got!r}.")
        for place in range(0, len(fields), step):
            if int(fields[place]) <= vertex:
                graph.sources.append(str(vertex))
                graph.targets.append(fields[place])
                graph.weights.append(fields[place + 1] if weighted else 1)
    return graph


def _pajek(path: str | PathLike[str], text: str, *, directed: bool) -> WholeGraph:
    """Read arcs and edges, which networkx would take for whichever comes first."""
    vertices: list[str] = []
    parts: dict[str, list[str]] = {"arcs": [], "edges": []}
    lines = vertices
    listed = False
    for number, line in enumerate(text.splitlines(), 1):
        name = re.match(r"\s*\*\s*(\w+)", line)
        if name is None:
            lines.extend(_pairs(line) if listed else [line])
            continue
        section = name[1].lower()
        listed = section in ("arcslist", "edgeslist")
        if section in ("network", "vertices"):
            vertices.append(line)
            lines = vertices
        elif (kind := section.removesuffix("list")) in parts:
            lines = parts[kind]
        else:
            reason = "*Vertices, *Arcs, *Edges and their lists are read"
            raise DataFormatError(path, number, f"{reason}; got {line[:60]!r}.")
    graphs = [
        _networkx(path, "pajek", "\n".join([*vertices, f"*{kind}", *links]))
        for kind, links in parts.items()
        if links or kind == "edges"
    ]
    graph = graphs[0]
    if len(graphs) > 1 and any(graphs[1].sources):
        edges = graphs[1]
        both = range(2 if directed else 1)
        for turn in both:
            ends = (edges.sources, edges.targets)[:: 1 - 2 * turn]
            graph.sources.extend(ends[0])
            graph.targets.extend(ends[1])
            graph.weights.extend(edges.weights)
    return graph


def _pairs(line: str) -> list[str]:
    """Return a line ``a b c`` of a list as the links ``a b`` and ``a c``."""
    source, *targets = line.split() or [""]
    return [f"{source} {target}" for target in targets]


def _networkx(path: str | PathLike[str], kind: str, text: str) -> WholeGraph:
    networkx: Any = import_optional(
        "networkx", extra="graphs", purpose=f"Reading links from {kind}"
    )
    if kind in ("graphml", "gexf") and re.search(r"<!(?:DOCTYPE|ENTITY)", text):
        reason = "XML with a document type or entities is not read."
        raise DataFormatError(path, None, reason)
    try:
        graph = _parse(networkx, kind, text)
    except Exception as error:
        # a broken file makes networkx raise nearly anything
        reason = f"no readable {kind} file: {type(error).__name__}: {error}."
        raise DataFormatError(path, None, reason) from error
    sources, targets, weights = [], [], []
    for source, target, data in graph.edges(data=True):
        sources.append(str(source).strip())
        targets.append(str(target).strip())
        weights.append(data.get("weight", data.get("value", 1)))
    users = [str(user).strip() for user in graph.nodes]
    if len(set(users)) < len(users) or "" in users:
        reason = "ids of vertices must be unique and not empty."
        raise DataFormatError(path, None, reason)
    return WholeGraph(users, sources, targets, weights, not graph.is_directed())


def _parse(networkx: Any, kind: str, text: str) -> Any:
    if kind == "pajek":
        return networkx.parse_pajek(text)
    if kind == "gml":
        labelled = re.search(r"\bnode\s*\[[^\[\]]*\blabel\b", text)
        label = "label" if labelled else "id"
        return networkx.parse_gml(text, label=label)
    reader = getattr(networkx, f"read_{kind}")
    return reader(BytesIO(text.encode("utf-8")))
