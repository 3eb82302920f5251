"""Compiled loops over a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def count_visits(indptr: Any, indices: Any, starts: Any, visits: Any) -> None:
    """Count, by the number of their neighbours, the friends whose lists are walked.

    Users whose `starts` leave no room walk none.
    """
    for user in range(len(indptr) - 1):
        if starts[user + 1] > starts[user]:
            for place in range(indptr[user], indptr[user + 1]):
                friend = indices[place]
                visits[indptr[friend + 1] - indptr[friend]] += 1


@njit(nogil=True, cache=True)
def _walk_two_steps(
    user: int,
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    cap: int,
    scores: Any,
    met: Any,
) -> int:
    """Add up what reaches users in two steps, and list whom it reaches.

    Of a friend with more than `cap` neighbours `cap` are looked at, from the same
    share of each friend's list on, so that neighbours of two such friends are met.
    """
    n_met = 0
    # Multiples of the golden ratio spread users evenly over the lists.
    begin = (user * 0.6180339887498949) % 1.0
    for place in range(indptr[user], indptr[user + 1]):
        friend = indices[place]
        if strengths[friend] == 0.0:
            continue
        share = weights[place] / strengths[friend]
        low, high = indptr[friend], indptr[friend + 1]
        step = low
        n_steps = high - low
        if n_steps > cap:
            step = low + np.int64(begin * n_steps)
            n_steps = cap
        for _ in range(n_steps):
            other = indices[step]
            gain = share * weights[step]
            if scores[other] == 0.0 and gain > 0.0:
                met[n_met] = other
                n_met += 1
            scores[other] += gain
            step += 1
            if step == high:
                step = low
    return n_met


@njit(nogil=True, cache=True)
def _sift_down(place: int, others: Any, values: Any, ages: Any) -> None:
    """Restore a heap below a place: the least value on top, of equals the latest."""
    while True:
        least = place
        for child in (2 * place + 1, 2 * place + 2):
            if child < len(values) and (
                values[child] < values[least]
                or (values[child] == values[least] and ages[child] > ages[least])
            ):
                least = child
        if least == place:
            return
        values[place], values[least] = values[least], values[place]
        others[place], others[least] = others[least], others[place]
        ages[place], ages[least] = ages[least], ages[place]
        place = least


@njit(nogil=True, cache=True)
def _keep_heaviest(met: Any, scores: Any, others: Any, values: Any, ages: Any) -> int:
    """Write whom the walk met with the highest scores, of equals the first.

    Clears the scores, and returns how many of the places of `others` are taken.
    """
    room = len(others)
    taken = 0
    for age in range(len(met)):
        other = met[age]
        score = scores[other]
        scores[other] = 0.0
        if score == 0.0:
            continue
        if taken < room:
            others[taken], values[taken], ages[taken] = other, score, age
            taken += 1
            if taken == room:
                for place in range(room // 2 - 1, -1, -1):
                    _sift_down(place, others, values, ages)
        elif score > values[0]:
            others[0], values[0], ages[0] = other, score, age
            _sift_down(0, others, values, ages)
    return taken


@njit(nogil=True, cache=True)
def nearest_of_neighbors(
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    cap: int,
    starts: Any,
    first: int,
    last: int,
    others: Any,
    values: Any,
    counts: Any,
) -> None:
    """Find the heaviest neighbours of neighbours of the users ``first:last``.

    User i gets at most ``starts[i + 1] - starts[i]`` of them, written from place
    ``starts[i]`` on; ``counts[i]`` tells how many.
    """
    n_users = len(indptr) - 1
    scores = np.zeros(n_users, dtype=np.float32)
    met = np.empty(n_users, dtype=np.int32)
    most = 0
    # np.diff would take numba two seconds to compile
    for user in range(first, last):
        most = max(most, starts[user + 1] - starts[user])
    ages = np.empty(most, dtype=np.int32)
    for user in range(first, last):
        low, high = starts[user], starts[user + 1]
        if low == high:
            continue
        n_met = _walk_two_steps(
            user, indptr, indices, weights, strengths, cap, scores, met
        )
        # Neighbours keep their own links, and nobody is a neighbour of theirs.
        scores[user] = 0.0
        for place in range(indptr[user], indptr[user + 1]):
            scores[indices[place]] = 0.0
        counts[user] = _keep_heaviest(
            met[:n_met], scores, others[low:high], values[low:high], ages
        )
