"""Compiled loops of GloVe: co-occurrence counts and AdaGrad.

Plain functions on arrays. None of them uses numba's own threads: each works on a
part of the data with the GIL released, so that the caller decides on threads and the
same machine code runs for any number of them.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.sources._prefetch import prefetch_for_write

__all__ = [
    "CELL",
    "count_row_sizes",
    "fill_cells",
    "group_positions",
    "pad_messages",
    "shuffle_cells",
    "sort_into_blocks",
    "train_block",
]

# One cell of the co-occurrence matrix: 16 bytes, so that a shuffle moves one line.
CELL = np.dtype(
    [
        ("word", np.int32),
        ("context", np.int32),
        ("log_count", np.float32),
        ("weight", np.float32),
    ]
)

# Everything that lets sums run in vector registers. "nnan" and "ninf" stay out: a
# diverging run has to be seen, not optimised away.
_FAST = {"reassoc", "contract", "nsz", "arcp", "afn"}

# Cells to look ahead: long enough for main memory, short enough to stay in L1.
_AHEAD = 4
# Floats per cache line.
_LINE = 16


@numba.njit(nogil=True, cache=True)
def pad_messages(
    ids: NDArray[np.int32], message_starts: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Copy the words with a -1 before, between and after messages.

    A window then ends at the first negative word and needs no message bounds.
    """
    n_messages = len(message_starts) - 1
    padded = np.full(len(ids) + n_messages + 1, -1, np.int32)
    for message in range(n_messages):
        for position in range(message_starts[message], message_starts[message + 1]):
            padded[position + message + 1] = ids[position]
    return padded


@numba.njit(nogil=True, cache=True)
def group_positions(
    padded: NDArray[np.int32], n_words: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the positions of each word, by counting sort.

    Word w stands at ``positions[starts[w]:starts[w + 1]]``.
    """
    starts = np.zeros(n_words + 1, np.int64)
    for word in padded:
        if word >= 0:
            starts[word + 1] += 1
    for word in range(n_words):
        starts[word + 1] += starts[word]
    heads = starts[:-1].copy()
    positions = np.empty(starts[-1], np.int64)
    for position in range(len(padded)):
        word = padded[position]
        if word >= 0:
            positions[heads[word]] = position
            heads[word] += 1
    return starts, positions


@numba.njit(nogil=True, cache=True)
def count_row_sizes(
    padded: NDArray[np.int32],
    starts: NDArray[np.int64],
    positions: NDArray[np.int64],
    first: int,
    last: int,
    window: int,
    sizes: NDArray[np.int64],
) -> None:
    """Count the different contexts of the words ``first`` to ``last - 1``."""
    seen_by = np.full(len(starts) - 1, -1, np.int32)
    for word in range(first, last):
        size = 0
        for k in range(starts[word], starts[word + 1]):
            for step in (-1, 1):
                at = positions[k]
                for _ in range(window):
                    at += step
                    context = padded[at]
                    if context < 0:
                        break
                    if seen_by[context] != word:
                        seen_by[context] = word
                        size += 1
        sizes[word] = size


@numba.njit(nogil=True, cache=True)
def fill_cells(
    padded: NDArray[np.int32],
    starts: NDArray[np.int64],
    positions: NDArray[np.int64],
    first: int,
    last: int,
    window: int,
    x_max: float,
    alpha: float,
    row_starts: NDArray[np.int64],
    cells: NDArray[np.void],
) -> None:
    """Write the cells of the words ``first`` to ``last - 1``.

    A row is summed in one dense array that stays in the cache: no hash table, no sort.
    Neighbours are taken to the left and the right, so the matrix is symmetric and a
    pair of equal words counts twice, as in the authors' program.
    """
    n_words = len(starts) - 1
    sums = np.zeros(n_words, np.float64)
    touched = np.empty(n_words, np.int32)
    for word in range(first, last):
        size = 0
        for k in range(starts[word], starts[word + 1]):
            for step in (-1, 1):
                at = positions[k]
                for distance in range(1, window + 1):
                    at += step
                    context = padded[at]
                    if context < 0:
                        break
                    if sums[context] == 0.0:
                        touched[size] = context
                        size += 1
                    sums[context] += 1.0 / distance
        begin = row_starts[word]
        for k in range(size):
            context = touched[k]
            count = sums[context]
            sums[context] = 0.0
            cell = cells[begin + k]
            cell.word = word
            cell.context = context
            cell.log_count = math.log(count)
            cell.weight = min(1.0, (count / x_max) ** alpha)


@numba.njit(nogil=True, cache=True)
def sort_into_blocks(
    cells: NDArray[np.void], n_groups: int
) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Order the cells by (word modulo groups, context modulo groups).

    Words are numbered by frequency, so the modulo spreads frequent words over all
    groups and the blocks come out at about one size.
    """
    starts = np.zeros(n_groups * n_groups + 1, np.int64)
    for k in range(len(cells)):
        block = cells[k].word % n_groups * n_groups + cells[k].context % n_groups
        starts[block + 1] += 1
    for block in range(n_groups * n_groups):
        starts[block + 1] += starts[block]
    heads = starts[:-1].copy()
    ordered = np.empty_like(cells)
    for k in range(len(cells)):
        block = cells[k].word % n_groups * n_groups + cells[k].context % n_groups
        ordered[heads[block]] = cells[k]
        heads[block] += 1
    return starts, ordered


@numba.njit(nogil=True, cache=True)
def shuffle_cells(cells: NDArray[np.void], seed: int) -> None:
    """Shuffle in place (Fisher and Yates) with numbers of splitmix64."""
    state = np.uint64(seed)
    for k in range(len(cells) - 1, 0, -1):
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        # the upper bits scaled to 0..k: a bias of 2**-32 k, of no weight here
        other = np.int64(((z >> np.uint64(32)) * np.uint64(k + 1)) >> np.uint64(32))
        word, context = cells[k].word, cells[k].context
        log_count, weight = cells[k].log_count, cells[k].weight
        cells[k] = cells[other]
        cells[other].word = word
        cells[other].context = context
        cells[other].log_count = log_count
        cells[other].weight = weight


# The numpy error model leaves out a branch per division, without which the loop over
# a row would not be vectorised.
@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def train_block(
    words: NDArray[np.float32],
    contexts: NDArray[np.float32],
    cells: NDArray[np.void],
    learning_rate: np.float32,
) -> float:
    """Train one epoch on the cells by AdaGrad and return its cost.

    A row holds [parameters | sums of their squared gradients], so one look-up brings
    both. Parameters are [vector, bias, 1, 0 ...] for a word and [vector, 1, bias, 0
    ...] for a context: their inner product is the model, and one loop updates vectors
    and biases alike. The sum of squares of a constant one is so large that its step
    rounds to zero.
    """
    half = words.shape[1] // 2
    width = words.shape[1]
    flat_words = words.reshape(-1)
    flat_contexts = contexts.reshape(-1)
    n_cells = len(cells)
    cost = 0.0
    for k in range(n_cells):
        if k + _AHEAD < n_cells:
            coming_word = np.int64(cells[k + _AHEAD].word) * width
            coming_context = np.int64(cells[k + _AHEAD].context) * width
            for line in range(0, width, _LINE):
                prefetch_for_write(flat_words, coming_word + line)
                prefetch_for_write(flat_contexts, coming_context + line)
        word = words[cells[k].word]
        context = contexts[cells[k].context]
        product = np.float32(0.0)
        for j in range(half):
            product += word[j] * context[j]
        difference = product - cells[k].log_count
        weighted = cells[k].weight * difference
        cost += 0.5 * weighted * difference
        step = weighted * learning_rate
        for j in range(half):
            word_gradient = step * context[j]
            context_gradient = step * word[j]
            word_squares = word[half + j]
            context_squares = context[half + j]
            word[j] -= word_gradient / np.sqrt(word_squares)
            context[j] -= context_gradient / np.sqrt(context_squares)
            word[half + j] = word_squares + word_gradient * word_gradient
            context[half + j] = context_squares + context_gradient * context_gradient
    return cost
