"""Speed of GloVe training against the same algorithm written plainly in numba.

The plain version is the authors' program line by line: a hash table of pairs, pairs in
random order, four tables of parameters and squared gradients. Both are compiled
before the clock starts; the ratio is of CPU seconds. One JSON line for each version.

    python benchmarks/speed/bench_glove.py --n-words 1000000
"""

from __future__ import annotations

import argparse
import io
import json
import time
from contextlib import redirect_stdout

import numba
import numpy as np

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.sources.text import GloVeTransformer


@numba.njit
def plain_counts(ids, starts, window):
    counts = numba.typed.Dict.empty(numba.int64, numba.float32)
    for message in range(len(starts) - 1):
        for i in range(starts[message], starts[message + 1]):
            for j in range(max(starts[message], i - window), i):
                for pair in (ids[i] << 32 | ids[j], ids[j] << 32 | ids[i]):
                    more = np.float32(1.0 / (i - j))
                    counts[pair] = counts.get(pair, np.float32(0)) + more
    pairs = np.empty(len(counts), np.int64)
    values = np.empty(len(counts), np.float32)
    for k, (pair, value) in enumerate(counts.items()):
        pairs[k], values[k] = pair, value
    return pairs, values


@numba.njit(fastmath=True, error_model="numpy")
def plain_epoch(pairs, values, words, contexts, biases, squares, bias_squares, rate):
    d = words.shape[1]
    cost = 0.0
    for k in range(len(pairs)):
        i, j = pairs[k] >> 32, pairs[k] & 0xFFFFFFFF
        difference = biases[0, i] + biases[1, j] - np.log(values[k])
        for m in range(d):
            difference += words[i, m] * contexts[j, m]
        step = min(1.0, (values[k] / 10.0) ** 0.75) * difference
        cost += 0.5 * step * difference
        step *= rate
        for m in range(d):
            a, b = step * contexts[j, m], step * words[i, m]
            words[i, m] -= a / np.sqrt(squares[0, i, m])
            contexts[j, m] -= b / np.sqrt(squares[1, j, m])
            squares[0, i, m] += a * a
            squares[1, j, m] += b * b
        biases[0, i] -= step / np.sqrt(bias_squares[0, i])
        biases[1, j] -= step / np.sqrt(bias_squares[1, j])
        bias_squares[0, i] += step * step
        bias_squares[1, j] += step * step
    return cost / len(pairs)


def plain(text, n_dimensions, window, n_epochs, seed):
    rng = np.random.default_rng(seed)
    start = time.process_time()
    pairs, values = plain_counts(text.ids.astype(np.int64), text.message_starts, window)
    counted = time.process_time() - start
    order = rng.permutation(len(pairs))
    pairs, values = pairs[order], values[order]
    shape = (2, len(text.vocabulary), n_dimensions)
    words, contexts = (rng.random(shape, np.float32) - np.float32(0.5)) / n_dimensions
    biases = np.zeros(shape[:2], np.float32)
    squares, bias_squares = np.ones(shape, np.float32), np.ones(shape[:2], np.float32)
    for _ in range(n_epochs):
        cost = plain_epoch(
            pairs, values, words, contexts, biases, squares, bias_squares,
            np.float32(0.05),
        )  # fmt: skip
    return counted, time.process_time() - start, cost, len(pairs)


def dense(text, n_dimensions, window, n_epochs):
    """Count into a dense matrix and descend by mittens."""
    from mittens import GloVe

    start = time.process_time()
    n_words = len(text.vocabulary)
    pairs, values = plain_counts(text.ids.astype(np.int64), text.message_starts, window)
    counts = np.zeros((n_words, n_words))
    counts[pairs >> 32, pairs & 0xFFFFFFFF] = values
    with redirect_stdout(io.StringIO()):
        GloVe(n=n_dimensions, max_iter=n_epochs, display_progress=n_epochs).fit(counts)
    return time.process_time() - start


def make_text(n_words, n_vocabulary, seed):
    """Words by Zipf's law in messages of 20."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, n_vocabulary + 1)
    ids = np.searchsorted(np.cumsum(shares / shares.sum()), rng.random(n_words))
    starts = np.append(np.arange(0, n_words, 20), n_words)
    return TokenMessages(
        ids.clip(0, n_vocabulary - 1),
        starts,
        np.arange(len(starts)),
        Vocabulary(map(str, range(n_vocabulary))),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-words", type=int, default=1_000_000)
    parser.add_argument("--n-vocabulary", type=int, default=26_700)
    parser.add_argument("--n-dimensions", type=int, default=100)
    parser.add_argument("--max-epochs", type=int, default=5)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-plain", action="store_true")
    parser.add_argument("--mittens", action="store_true", help="memory: words squared")
    settings = parser.parse_args()

    def ours(text, n_epochs):
        glove = GloVeTransformer(
            settings.n_dimensions, min_count=1, window=settings.window,
            max_epochs=n_epochs, random_state=settings.seed, n_jobs=settings.n_jobs,
        )  # fmt: skip
        wall, cpu = time.perf_counter(), time.process_time()
        glove.fit(text)
        return glove, time.perf_counter() - wall, time.process_time() - cpu

    small = make_text(1000, 100, settings.seed)
    ours(small, 1)
    plain(small, settings.n_dimensions, settings.window, 1, settings.seed)

    text = make_text(settings.n_words, settings.n_vocabulary, settings.seed)
    glove, wall, cpu = ours(text, settings.max_epochs)
    shared = {"benchmark": "glove", **vars(settings), "n_pairs": glove.n_pairs_}
    result = {
        **shared, "version": "sklearn_profiling", "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2), "cost": round(float(glove.costs_[-1]), 5),
        "million_updates_per_second":
            round(glove.n_pairs_ * settings.max_epochs / wall / 1e6, 2),
    }  # fmt: skip
    print(json.dumps(result))
    if settings.no_plain:
        return
    counted, total, cost, _ = plain(
        text, settings.n_dimensions, settings.window, settings.max_epochs,
        settings.seed,
    )  # fmt: skip
    result = {
        **shared, "version": "plain numba", "cpu_seconds": round(total, 2),
        "cpu_seconds_counting": round(counted, 2), "cost": round(float(cost), 5),
        "ratio": round(total / cpu, 2),
    }  # fmt: skip
    print(json.dumps(result))
    if settings.mittens:
        total = dense(text, settings.n_dimensions, settings.window, settings.max_epochs)
        result = {
            **shared, "version": "mittens", "cpu_seconds": round(total, 2),
            "ratio": round(total / cpu, 2),
        }  # fmt: skip
        print(json.dumps(result))


if __name__ == "__main__":
    main()
