"""Speed and space of bow-CNN's windows as embedding bags against one-hot products.

Three ways to multiply the bags of a batch's windows with the table of words, run
forward and backward over the same users in the same batches, so that their losses and
gradients must agree: sums of rows (an embedding bag, what the package does), a product
with a sparse matrix of counts, and a product with the dense matrix of counts. Cutting
the windows and pooling count for all. One JSON line each.

    python benchmarks/speed/bench_bow_cnn.py

With ``--epoch`` instead, ``BowCNNClassifier`` trains one epoch, and the line holds its
time and the peak of resident memory of the process.

    python benchmarks/speed/bench_bow_cnn.py --epoch --n-users 2000 --batch-size 50
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy, embedding_bag

from sklearn_profiling.architectures.layers.pooling import (
    average_into_units,
    normalise_response,
)
from sklearn_profiling.architectures.pcnn import drop_repeated, text_windows
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.estimators import BowCNNClassifier

SIZE, STRIDE, N_UNITS = 20, 2, 10
MESSAGE = 20


def make_text(settings):
    """Users of equally many words, of which few are frequent and many rare."""
    rng = np.random.default_rng(settings.seed)
    n_words = settings.n_users * settings.n_words
    n_messages = settings.n_words // MESSAGE
    ids = (settings.n_vocabulary * rng.random(n_words) ** 3).astype(int)
    return TokenMessages(
        ids,
        np.arange(0, n_words + 1, MESSAGE),
        np.arange(0, settings.n_users * n_messages + 1, n_messages),
        Vocabulary(map(str, range(settings.n_vocabulary))),
    )


def sum_rows(ids, table):
    starts = torch.arange(0, ids.numel(), ids.shape[1])
    known = ids.flatten()
    return embedding_bag(known, table, starts, mode="sum")


def multiply_sparse(ids, table):
    rows = torch.arange(len(ids)).repeat_interleave(ids.shape[1])
    counts = torch.sparse_coo_tensor(
        torch.stack([rows, ids.flatten()]),
        torch.ones(ids.numel()),
        (len(ids), len(table)),
        check_invariants=False,
    )
    return torch.sparse.mm(counts.coalesce(), table)


def multiply_dense(ids, table):
    counts = torch.zeros(len(ids), len(table))
    counts.scatter_add_(1, ids, torch.ones(ids.shape))
    return counts @ table


WAYS = {
    "embedding bag": sum_rows,
    "sparse counts": multiply_sparse,
    "dense counts": multiply_dense,
}


def epoch(multiply, text, codes, table, head, settings):
    """Forward and backward over all users; the mean loss, gradients in the tensors."""
    table.grad = head.grad = None
    total = 0.0
    for start in range(0, len(text), settings.batch_size):
        rows = slice(start, start + settings.batch_size)
        words = torch.from_numpy(text[rows].ids.astype(np.int64))
        lengths = torch.full((len(codes[rows]),), settings.n_words)
        regions = text_windows(
            words, lengths, size=SIZE, stride=STRIDE, no_word=len(table) - 1
        )
        regions = drop_repeated(regions, ordered=False)
        values = torch.relu(multiply(regions.ids, table))
        units = normalise_response(average_into_units(values, regions.counts, N_UNITS))
        loss = cross_entropy(units.flatten(1) @ head, codes[rows], reduction="sum")
        loss.backward()
        total += loss.item()
    return total / len(text)


def compare(settings):
    text = make_text(settings)
    torch.manual_seed(settings.seed)
    table = torch.randn(settings.n_vocabulary + 1, settings.n_nodes) * 0.05
    head = torch.randn(N_UNITS * settings.n_nodes, 2) * 0.01
    codes = torch.randint(0, 2, (len(text),))
    table.requires_grad_()
    head.requires_grad_()
    first = None
    for name, multiply in WAYS.items():
        warm = text[: settings.batch_size]
        epoch(multiply, warm, codes[: len(warm)], table, head, settings)
        seconds = []
        for _ in range(settings.n_repeats):
            start = time.process_time()
            loss = epoch(multiply, text, codes, table, head, settings)
            seconds.append(time.process_time() - start)
        result = {
            "benchmark": "bow_cnn", "way": name, **vars(settings),
            "cpu_seconds": round(min(seconds), 3), "loss": loss,
        }  # fmt: skip
        if first is None:
            first = min(seconds), loss, table.grad.clone()
        else:
            difference = (table.grad - first[2]).abs().max().item()
            result["ratio"] = round(min(seconds) / first[0], 1)
            result["loss_difference"] = abs(loss - first[1])
            result["gradient_difference"] = difference
            assert result["loss_difference"] < 1e-5, "the ways disagree"
            assert difference < 1e-4, "the ways disagree"
        print(json.dumps(result), flush=True)


def train_epoch(settings):
    text = make_text(settings)
    labels = np.random.default_rng(settings.seed).choice(["f", "m"], len(text))
    before = peak_megabytes()
    model = BowCNNClassifier(
        n_nodes=settings.n_nodes,
        batch_size=settings.batch_size,
        max_epochs=1,
        random_state=settings.seed,
    )
    cpu, wall = time.process_time(), time.perf_counter()
    model.fit(text, labels)
    result = {
        "benchmark": "bow_cnn epoch", **vars(settings),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "seconds": round(time.perf_counter() - wall, 1),
        "imports_megabytes": round(before), "peak_megabytes": round(peak_megabytes()),
    }  # fmt: skip
    print(json.dumps(result))
    assert result["peak_megabytes"] < 1024, "over 1 GB"


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epoch", action="store_true")
    parser.add_argument("--n-users", type=int, default=20)
    parser.add_argument("--n-words", type=int, default=600)
    parser.add_argument("--n-vocabulary", type=int, default=30_000)
    parser.add_argument("--n-nodes", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=5)
    parser.add_argument("--n-repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    run = train_epoch if settings.epoch else compare
    del settings.epoch
    run(settings)


if __name__ == "__main__":
    main()
