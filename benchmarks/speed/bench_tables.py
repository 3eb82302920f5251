"""Speed and memory of grouping messages to users against pandas.

A table with one row a message is written to a temporary place, as CSV and as Parquet.
Each reader runs in a process of its own, so that its peak memory is its own:

- ``load_records``, which also checks and counts every row and takes a column of labels,
- ``pandas``: ``read_csv(engine="pyarrow")`` or ``read_parquet``, then
  ``groupby(sort=False)[text].agg(list)`` and ``[label].first()``,
- ``text alone``: nothing but the messages as lists of Python strings, the least that
  such a reader can hold.

Speed is in seconds, the median of several runs of both in turn, with pyarrow's threads
on both sides. Memory is the peak over what the imports take, as a multiple of the text
kept: the lists of Python strings that are returned, of which each string takes some 50
bytes beside its characters. One JSON line is printed for each reader and format, with
its ratios to pandas.

    python benchmarks/speed/bench_tables.py --n-messages 1000000 --n-users 50000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sklearn_profiling.datasets import load_records

WORDS = ["so", "happy", "today", "football", "match", "the", "rain", "again", "coffee"]
FORMATS = ("csv", "parquet")


def write_tables(folder: Path, n_messages: int, n_users: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    users = rng.integers(n_users, size=n_messages)
    words = np.array(WORDS, object)[rng.integers(len(WORDS), size=(8, n_messages))]
    texts = [f"{' '.join(row)}, {number}" for number, row in enumerate(words.T)]
    table = pa.table(
        {
            "user_id": [str(10**9 + user) for user in users.tolist()],
            "text": texts,
            "gender": ["fm"[user % 2] for user in users.tolist()],
        }
    )
    pa.csv.write_csv(table, folder / "tweets.csv")
    pa.parquet.write_table(table, folder / "tweets.parquet")


def read_package(path):
    users = load_records(path, tasks=["gender"])
    return users.data["messages"].tolist(), users.target["gender"].tolist()


def read_pandas(path):
    if path.suffix == ".csv":
        table = pd.read_csv(path, engine="pyarrow", dtype={"user_id": str})
    else:
        table = pd.read_parquet(path)
    groups = table.groupby("user_id", sort=False)
    return groups["text"].agg(list).tolist(), groups["gender"].first().tolist()


def read_text_alone(path):
    if path.suffix == ".csv":
        table = pa.csv.read_csv(path)
    else:
        table = pa.parquet.read_table(path)
    return [table["text"].to_pylist()], []


READERS = {
    "text alone": read_text_alone,
    "pandas": read_pandas,
    "load_records": read_package,
}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name, path, queue):
    before, start = peak_megabytes(), time.perf_counter()
    messages, labels = READERS[name](path)
    seconds, peak = time.perf_counter() - start, peak_megabytes() - before
    strings = sum(sys.getsizeof(text) for texts in messages for text in texts)
    text = (strings + sum(map(sys.getsizeof, messages))) / 2**20
    queue.put((seconds, peak, text, sum(map(len, messages)), len(labels)))


def run_alone(context, name, path):
    queue = context.Queue()
    process = context.Process(target=measure, args=(name, path, queue))
    process.start()
    result = queue.get()
    process.join()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-messages", type=int, default=1_000_000)
    parser.add_argument("--n-users", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # in a process of its own: a child's peak counts from its parent's size
        sizes = (settings.n_messages, settings.n_users, settings.seed)
        writer = context.Process(target=write_tables, args=(folder, *sizes))
        writer.start()
        writer.join()
        for kind in FORMATS:
            path = folder / f"tweets.{kind}"
            runs = {version: [] for version in READERS}
            for _ in range(settings.repeats):
                for version in READERS:
                    runs[version].append(run_alone(context, version, path))
            medians = {
                version: [
                    statistics.median(column) for column in zip(*run, strict=True)
                ]
                for version, run in runs.items()
            }
            for version, (seconds, peak, text, n_messages, n_users) in medians.items():
                result = {
                    "benchmark": "tables", **vars(settings), "format": kind,
                    "version": version, "n_read": n_messages, "n_grouped": n_users,
                    "seconds": round(seconds, 2),
                    "seconds_over_pandas": round(seconds / medians["pandas"][0], 2),
                    "peak_megabytes": round(peak, 1),
                    "peak_over_pandas": round(peak / medians["pandas"][1], 2),
                    "peak_over_text_kept": round(peak / text, 2),
                    "megabytes_of_file": round(path.stat().st_size / 1e6, 1),
                }  # fmt: skip
                print(json.dumps(result))


if __name__ == "__main__":
    main()
