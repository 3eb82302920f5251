"""Compiled loops over a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _walk_two_steps(
    user: int,
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    scores: Any,
    met: Any,
) -> int:
    """Add up what reaches users in two steps, and list whom it reaches."""
    n_met = 0
    for place in range(indptr[user], indptr[user + 1]):
        friend = indices[place]
        if strengths[friend] == 0.0:
            continue
        share = weights[place] / strengths[friend]
        for step in range(indptr[friend], indptr[friend + 1]):
            other = indices[step]
            if scores[other] == 0.0:
                met[n_met] = other
                n_met += 1
            scores[other] += share * weights[step]
    return n_met


@njit(nogil=True, cache=True)
def nearest_of_neighbors(
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    starts: Any,
    others: Any,
    values: Any,
    counts: Any,
) -> None:
    """Find the heaviest neighbours of neighbours of users with few neighbours.

    User i gets at most ``starts[i + 1] - starts[i]`` of them, written from place
    ``starts[i]`` on; ``counts[i]`` tells how many.
    """
    n_users = len(indptr) - 1
    scores = np.zeros(n_users, dtype=np.float32)
    met = np.empty(n_users, dtype=np.int32)
    for user in range(n_users):
        room = starts[user + 1] - starts[user]
        if room == 0:
            continue
        n_met = _walk_two_steps(user, indptr, indices, weights, strengths, scores, met)
        # Neighbours keep their own links, and nobody is a neighbour of theirs.
        scores[user] = 0.0
        for place in range(indptr[user], indptr[user + 1]):
            scores[indices[place]] = 0.0
        found = met[:n_met]
        order = np.argsort(-scores[found], kind="mergesort")[:room]
        taken = 0
        for place in order:
            other = found[place]
            if scores[other] > 0.0:
                others[starts[user] + taken] = other
                values[starts[user] + taken] = scores[other]
                taken += 1
        counts[user] = taken
        for place in range(n_met):
            scores[found[place]] = 0.0
