"""Compiled loops of LINE's stochastic gradient descent.

All of them release the interpreter's lock and draw from generators whose state is an
argument, so a result depends on arguments alone and never on threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sklearn_profiling.sources._prefetch import prefetch_for_write

# Sigmoid by table, as in the authors' program: constant outside of +-6.
_BOUND = 6.0
_TABLE_SIZE = 1024
SIGMOID = (
    1.0 / (1.0 + np.exp(-(np.arange(_TABLE_SIZE) + 0.5) / _TABLE_SIZE * 12.0 + _BOUND))
).astype(np.float32)

# Arcs to look ahead, whose rows are asked for, and the noise kept of them.
_AHEAD = 2
_RING = 4
# Floats per cache line.
_LINE = 16


@njit(nogil=True, cache=True, inline="always")
def _next_random(state: Any) -> Any:
    """Step a splitmix64 generator: new state and 64 random bits."""
    state += np.uint64(0x9E3779B97F4A7C15)
    bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, bits ^ (bits >> np.uint64(31))


@njit(nogil=True, cache=True, inline="always")
def _below(bits: Any, bound: Any) -> Any:
    """Map the upper 32 of 64 random bits to a whole number below a bound."""
    return np.int64(((bits >> np.uint64(32)) * bound) >> np.uint64(32))


@njit(nogil=True, cache=True)
def draw_arcs(
    indptr: Any,
    indices: Any,
    weights: Any,
    parts: Any,
    n_parts: int,
    start: float,
    step: float,
    places: Any,
    sources: Any,
    targets: Any,
) -> None:
    """Draw arcs systematically by weight and lay them down block by block.

    An arc of weight w is drawn ``w / step`` times on average, with the remainder
    carried over to the next arc. With empty ``sources`` nothing is laid down, and
    ``places`` counts the arcs of each block; else ``places`` holds the next free
    place of each block.
    """
    fill = len(sources) > 0
    carried = start
    for user in range(len(indptr) - 1):
        row = np.int64(parts[user]) * n_parts
        for arc in range(indptr[user], indptr[user + 1]):
            carried += weights[arc] / step
            while carried >= 1.0:
                carried -= 1.0
                block = row + np.int64(parts[indices[arc]])
                place = places[block]
                if fill:
                    if place >= len(sources):
                        return
                    sources[place] = user
                    targets[place] = indices[arc]
                places[block] = place + 1


@njit(nogil=True, cache=True)
def build_noise(
    members: Any, starts: Any, weights: Any, thresholds: Any, aliases: Any
) -> None:
    """Build one alias table per part (Walker's method as Vose does it).

    ``members[starts[p]:starts[p + 1]]`` are the users of part p. A user is kept if
    32 random bits are at most its threshold, else replaced by its alias.
    """
    stack = np.empty(len(members), dtype=np.int32)
    scaled = np.empty(len(members), dtype=np.float64)
    for part in range(len(starts) - 1):
        low, high = starts[part], starts[part + 1]
        total = 0.0
        for slot in range(low, high):
            total += weights[members[slot]]
        small, large = low, high - 1
        for slot in range(low, high):
            scaled[slot] = weights[members[slot]] * (high - low) / total
            aliases[slot] = members[slot]
            thresholds[slot] = np.uint32(0xFFFFFFFF)
            if scaled[slot] < 1.0:
                stack[small] = slot
                small += 1
            else:
                stack[large] = slot
                large -= 1
        # Small slots lie below ``small``, large ones above ``large``.
        while small > low and large < high - 1:
            small -= 1
            lean, rich = stack[small], stack[large + 1]
            thresholds[lean] = np.uint32(scaled[lean] * 4294967295.0)
            aliases[lean] = members[rich]
            scaled[rich] -= 1.0 - scaled[lean]
            if scaled[rich] < 1.0:
                large += 1
                stack[small] = rich
                small += 1


@njit(nogil=True, cache=True, inline="always")
def _rate(label: float, score: Any, learning_rate: Any, sigmoid: Any) -> Any:
    """Give the step along the gradient of the log-likelihood of one pair."""
    if score >= np.float32(6.0):
        return (np.float32(label) - np.float32(1.0)) * learning_rate
    if score <= np.float32(-6.0):
        return np.float32(label) * learning_rate
    slot = np.int64((score + np.float32(6.0)) * np.float32(1024.0 / 12.0))
    return (np.float32(label) - sigmoid[min(slot, 1023)]) * learning_rate


@njit(nogil=True, cache=True, fastmath=True)
def _step_of_five(
    vertex: Any,
    context: Any,
    user: int,
    target: int,
    noise: Any,
    learning_rate: Any,
    sigmoid: Any,
    error: Any,
) -> None:
    """Learn one arc against five negatives, all loops unrolled over the six."""
    u = vertex[user]
    c0, c1, c2 = context[target], context[noise[0]], context[noise[1]]
    c3, c4, c5 = context[noise[2]], context[noise[3]], context[noise[4]]
    n_dimensions = len(error)
    s0 = s1 = s2 = s3 = s4 = s5 = np.float32(0.0)
    for d in range(n_dimensions):
        x = u[d]
        s0 += x * c0[d]
        s1 += x * c1[d]
        s2 += x * c2[d]
        s3 += x * c3[d]
        s4 += x * c4[d]
        s5 += x * c5[d]
    g0 = _rate(1.0, s0, learning_rate, sigmoid)
    g1 = _rate(0.0, s1, learning_rate, sigmoid)
    g2 = _rate(0.0, s2, learning_rate, sigmoid)
    g3 = _rate(0.0, s3, learning_rate, sigmoid)
    g4 = _rate(0.0, s4, learning_rate, sigmoid)
    g5 = _rate(0.0, s5, learning_rate, sigmoid)
    for d in range(n_dimensions):
        error[d] = (
            g0 * c0[d] + g1 * c1[d] + g2 * c2[d] + g3 * c3[d] + g4 * c4[d] + g5 * c5[d]
        )
    # Three rows at a time: with all six, the compiler gives up proving that rows
    # do not overlap and writes one number at a time.
    for d in range(n_dimensions):
        x = u[d]
        c0[d] += g0 * x
        c1[d] += g1 * x
        c2[d] += g2 * x
    for d in range(n_dimensions):
        x = u[d]
        c3[d] += g3 * x
        c4[d] += g4 * x
        c5[d] += g5 * x
    for d in range(n_dimensions):
        u[d] += error[d]


@njit(nogil=True, cache=True, fastmath=True)
def _step_of_any(
    vertex: Any,
    context: Any,
    user: int,
    target: int,
    noise: Any,
    learning_rate: Any,
    sigmoid: Any,
    error: Any,
) -> None:
    """Learn one arc against any number of negatives, one after the other."""
    u = vertex[user]
    n_dimensions = len(error)
    error[:] = np.float32(0.0)
    for k in range(len(noise) + 1):
        c = context[target] if k == 0 else context[noise[k - 1]]
        score = np.float32(0.0)
        for d in range(n_dimensions):
            score += u[d] * c[d]
        label = 1.0 if k == 0 else 0.0
        g = _rate(label, score, learning_rate, sigmoid)
        for d in range(n_dimensions):
            error[d] += g * c[d]
            c[d] += g * u[d]
    for d in range(n_dimensions):
        u[d] += error[d]


@njit(nogil=True, cache=True, inline="always")
def _ask_for(table: Any, row: int) -> None:
    """Ask for the cache lines of a row."""
    for place in range(0, table.shape[1], _LINE):
        prefetch_for_write(table, row * table.shape[1] + place)


@njit(nogil=True, cache=True)
def train_block(
    vertex: Any,
    context: Any,
    sources: Any,
    targets: Any,
    members: Any,
    thresholds: Any,
    aliases: Any,
    n_negatives: int,
    shared_negatives: int,
    learning_rate: float,
    seed: int,
    sigmoid: Any,
) -> None:
    """Shuffle the arcs of a block and learn them one by one.

    The negatives come from the alias table given, and are drawn anew after every
    ``shared_negatives`` arcs.
    """
    state = np.uint64(seed)
    for place in range(len(sources) - 1, 0, -1):
        state, bits = _next_random(state)
        other = np.int64(
            ((bits >> np.uint64(32)) * np.uint64(place + 1)) >> np.uint64(32)
        )
        sources[place], sources[other] = sources[other], sources[place]
        targets[place], targets[other] = targets[other], targets[place]
    noise = np.empty((_RING, n_negatives), dtype=np.int32)
    error = np.empty(vertex.shape[1], dtype=np.float32)
    rate = np.float32(learning_rate)
    n_members = np.uint64(len(members))
    for coming in range(len(sources) + _AHEAD):
        if coming < len(sources):
            drawn = noise[coming % _RING]
            if coming % shared_negatives == 0:
                for k in range(n_negatives):
                    state, bits = _next_random(state)
                    slot = _below(bits, n_members)
                    keep = np.uint32(bits & np.uint64(0xFFFFFFFF)) <= thresholds[slot]
                    drawn[k] = members[slot] if keep else aliases[slot]
                    _ask_for(context, drawn[k])
            else:
                drawn[:] = noise[(coming - 1) % _RING]
            _ask_for(vertex, sources[coming])
            _ask_for(context, targets[coming])
        place = coming - _AHEAD
        if place < 0:
            continue
        user, target = sources[place], targets[place]
        others = noise[place % _RING]
        if n_negatives == 5:
            _step_of_five(vertex, context, user, target, others, rate, sigmoid, error)
        else:
            _step_of_any(vertex, context, user, target, others, rate, sigmoid, error)
