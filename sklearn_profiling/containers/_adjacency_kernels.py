"""Compiled loops that put links into the rows of an adjacency."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def count_links(sources: Any, targets: Any, directed: bool, counts: Any) -> int:
    """Add each row's links to `counts`, and return how many are self-loops.

    An undirected link belongs to the lower of its rows.
    """
    n_loops = 0
    for link in range(len(sources)):
        source, target = sources[link], targets[link]
        if source == target:
            n_loops += 1
        elif directed or source < target:
            counts[source] += 1
        else:
            counts[target] += 1
    return n_loops


@njit(nogil=True, cache=True)
def place_links(
    sources: Any,
    targets: Any,
    weights: Any,
    directed: bool,
    places: Any,
    indices: Any,
    data: Any,
) -> None:
    """Write links to the next place of their rows; without weights each weighs 1."""
    for link in range(len(sources)):
        row, column = sources[link], targets[link]
        if row == column:
            continue
        if not directed and column < row:
            row, column = column, row
        place = places[row]
        indices[place] = column
        if len(weights):
            data[place] = weights[link]
        else:
            data[place] = 1.0
        places[row] = place + 1


@njit(nogil=True, cache=True)
def count_both(indptr: Any, indices: Any, counts: Any) -> None:
    """Count the links of both ends, of links that stand in one row each."""
    for row in range(len(indptr) - 1):
        counts[row] += indptr[row + 1] - indptr[row]
        for place in range(indptr[row], indptr[row + 1]):
            counts[indices[place]] += 1


@njit(nogil=True, cache=True)
def place_both(
    indptr: Any,
    indices: Any,
    data: Any,
    starts: Any,
    n_at_once: int,
    columns: Any,
    values: Any,
) -> None:
    """Write each link into the rows of both ends, columns in order.

    The columns of a row are above it and in order; they are written behind the lower
    ones, which come from other rows, and only to `n_at_once` rows at a time.
    """
    n_rows = len(indptr) - 1
    places = starts[:-1].copy()
    nexts = indptr[:-1].copy()
    for begin in range(0, n_rows, n_at_once):
        end = min(begin + n_at_once, n_rows)
        for row in range(end):
            link = nexts[row]
            while link < indptr[row + 1] and indices[link] < end:
                place = places[indices[link]]
                columns[place], values[place] = row, data[link]
                places[indices[link]] = place + 1
                link += 1
            nexts[row] = link
    for row in range(n_rows):
        place = places[row]
        for link in range(indptr[row], indptr[row + 1]):
            columns[place], values[place] = indices[link], data[link]
            place += 1
