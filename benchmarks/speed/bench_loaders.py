"""Speed and memory of reading ``status.txt`` against two plain ways to read it.

A folder in SMP CUP 2016 format is written to a temporary place: 10 % of the users have
labels, and all have messages. Then each reader runs in a process of its own, so that
its peak memory is its own:

- ``load_smpcup2016``, with all users and with the labelled ones,
- ``plain``: split every line, append the content to its user's list, check nothing,
- ``pandas``: every line into one DataFrame, split into columns, grouped by user.

Speed is in CPU seconds, which other work on the machine disturbs least. Memory is the
peak over what the imports take, given as a multiple of the file's size
and of the text kept: what the messages themselves take as Python strings. One JSON
line is printed for each reader.

    python benchmarks/speed/bench_loaders.py --megabytes 200
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_profiling.datasets import load_smpcup2016

WORDS = [
    "今天天气不错",
    "我们一起去看电影",
    "转发微博",
    "晚上吃什么",
    ",",
    "，加油",
    "北京",
    "春天",
    "http://t.cn",
]


def write_folder(folder: Path, megabytes: float, n_users: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = folder / "status.txt"
    written, size = 0, megabytes * 1e6
    with path.open("w", encoding="utf-8", newline="") as file:
        while written < size:
            users = np.sort(rng.integers(n_users, size=2000))
            words = rng.integers(len(WORDS), size=(2000, 8))
            lengths = rng.integers(1, 9, size=2000)
            numbers = rng.integers(10**6, size=2000)
            lines = [
                f"{10**9 + user},0,{number % 7},小米手机 2S,2014-09-07 21:12:16,"
                f"{''.join(WORDS[w] for w in row[:length])}{number}\n"
                for user, row, length, number in zip(
                    users, words.tolist(), lengths, numbers, strict=True
                )
            ]
            block = "".join(lines)
            file.write(block)
            written += len(block.encode())
    labels = (f"{10**9 + user}||m||1985||北京 None\n" for user in range(0, n_users, 10))
    (folder / "labels.txt").write_text("".join(labels), encoding="utf-8")


def read_package(folder, users):
    return load_smpcup2016(folder, users=users).data["messages"].tolist()


def read_plain(folder, _):
    texts = {}
    with (folder / "status.txt").open(encoding="utf-8", newline="\n") as file:
        for line in file:
            fields = line.rstrip("\n").split(",", 5)
            texts.setdefault(fields[0], []).append(fields[5])
    return list(texts.values())


def read_pandas(folder, _):
    # a separator that cannot occur: the content's commas rule out sep=","
    lines = pd.read_csv(
        folder / "status.txt", sep="\x01", names=["line"], quoting=3, dtype=object
    )
    table = lines["line"].str.split(",", n=5, expand=True)
    return table.groupby(0, sort=False)[5].agg(list).tolist()


READERS = {
    "plain": (read_plain, None),
    "pandas": (read_pandas, None),
    "load_smpcup2016, all users": (read_package, "content"),
    "load_smpcup2016, labelled users": (read_package, "labeled"),
}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name, folder, queue):
    reader, users = READERS[name]
    before, start = peak_megabytes(), time.process_time()
    messages = reader(folder, users)
    seconds, peak = time.process_time() - start, peak_megabytes() - before
    text = sum(sys.getsizeof(text) for texts in messages for text in texts) / 1e6
    queue.put((seconds, peak, text, sum(map(len, messages))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=50.0)
    parser.add_argument("--n-users", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    reference = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder, settings.megabytes, settings.n_users, settings.seed)
        size = (folder / "status.txt").stat().st_size / 1e6
        for version in READERS:
            queue = context.Queue()
            process = context.Process(target=measure, args=(version, folder, queue))
            process.start()
            seconds, peak, text, n_messages = queue.get()
            process.join()
            reference = reference or seconds
            result = {
                "benchmark": "loaders", **vars(settings), "version": version,
                "n_messages": n_messages, "cpu_seconds": round(seconds, 2),
                "megabytes_per_cpu_second": round(size / seconds, 1),
                "cpu_seconds_over_plain": round(seconds / reference, 2),
                "peak_megabytes": round(peak, 1),
                "peak_over_file": round(peak / size, 2),
                "peak_over_text_kept": round(peak / text, 2),
            }  # fmt: skip
            print(json.dumps(result))


if __name__ == "__main__":
    main()
