"""Memory and time of a sparse source against scikit-learn, as a JSON line.

Users have a row of tf-idf, whose columns are drawn by Zipf's law, and two labels, whose
words they use more. MMLUPClassifier reads the rows as its one source, for all tasks
together; SGDClassifier fits a task after the other, for as many epochs. Each runs in a
process of its own, whose peak holds Python, the libraries and the users as well.

    python benchmarks/speed/bench_sparse_source.py
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import normalize

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.estimators import MMLUPClassifier

N_CLASSES = {"gender": 2, "region": 8}


def make_users(
    n_users: int, n_columns: int, n_entries: int, seed: int
) -> tuple[sparse.csr_matrix, pd.DataFrame]:
    """Draw rows (n_users, n_columns) and labels."""
    rng = np.random.default_rng(seed)
    labels = {task: rng.integers(n, size=n_users) for task, n in N_CLASSES.items()}
    # log-uniform ranks: the frequency of a column falls as one over its rank
    powers = rng.random((n_users, n_entries), dtype=np.float32)
    ranks = np.exp(powers * np.log(n_columns))
    columns = np.minimum(ranks.astype(np.int32), n_columns - 1)
    for task, n in N_CLASSES.items():
        # Every column belongs to a class; some entries move to one of the user's own.
        moved = rng.random(columns.shape, dtype=np.float32) < 0.05
        owned = columns - columns % n + labels[task][:, None].astype(np.int32)
        columns = np.where(moved, np.minimum(owned, n_columns - 1), columns)
    starts = np.arange(0, columns.size + 1, n_entries)
    counts = sparse.csr_matrix(
        (np.ones(columns.size, dtype=np.float32), columns.ravel(), starts),
        shape=(n_users, n_columns),
    )
    counts.sum_duplicates()
    used = np.bincount(counts.indices, minlength=n_columns)
    counts.data *= np.log((1 + n_users) / (1 + used)).astype(np.float32)[counts.indices]
    return normalize(counts, copy=False), pd.DataFrame(labels).map(str)


def run(name: str, settings: dict[str, Any], answer: Any) -> None:
    """Fit and score one system, and send seconds, peak and accuracies."""
    rows, labels = make_users(
        *(settings[key] for key in ("n_users", "n_columns", "n_entries", "seed"))
    )
    n_test = len(labels) // 10
    epochs, seed = settings["epochs"], settings["seed"]
    if name == "MMLUPClassifier":
        model: Any = MMLUPClassifier(max_epochs=epochs, random_state=seed)
    else:
        linear = SGDClassifier("log_loss", max_iter=epochs, tol=None, random_state=seed)
        model = MaskedMultiOutputClassifier(linear)
    start = time.process_time()
    model.fit(rows[n_test:], labels[n_test:])
    seconds = time.process_time() - start
    right = model.predict(rows[:n_test]) == labels[:n_test].to_numpy()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    answer.put((seconds, peak, right.mean(axis=0).tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=44_000)
    parser.add_argument("--n-columns", type=int, default=100_000)
    parser.add_argument("--n-entries", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    settings = vars(parser.parse_args())
    processes = multiprocessing.get_context("spawn")
    result: dict[str, Any] = {"benchmark": "sparse_source", **settings}
    for name in ("MMLUPClassifier", "SGDClassifier"):
        answer = processes.Queue()
        process = processes.Process(target=run, args=(name, settings, answer))
        process.start()
        seconds, peak, accuracies = answer.get()
        process.join()
        result[name] = {
            "seconds": round(seconds, 1),
            "peak_gib": round(peak, 2),
            "accuracy": dict(zip(N_CLASSES, np.round(accuracies, 3), strict=True)),
        }
    ours, theirs = result["MMLUPClassifier"], result["SGDClassifier"]
    result["ratio_seconds"] = round(ours["seconds"] / theirs["seconds"], 2)
    result["ratio_peak"] = round(ours["peak_gib"] / theirs["peak_gib"], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
