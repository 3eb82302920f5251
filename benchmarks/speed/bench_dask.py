"""Memory and speed of segmentation on a Dask cluster, partition by partition.

Tweets of made-up words, with mentions and links that occur once, are written to a
folder of Parquet files, one a partition, unless they are there. Then the two passes run
on a LocalCluster of processes with one thread each: `fit_vocabulary` and `segment` to
Parquet. One JSON line each: seconds, CPU seconds of all workers, MB a CPU second, and
the largest peak of any worker process, from Linux's own count.

    python benchmarks/speed/bench_dask.py /tmp/corpus --megabytes 1000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

import pandas as pd
from bench_segmentation import make_tweets
from dask import dataframe as dd
from distributed import Client, LocalCluster

from sklearn_profiling import dask as on_dask

LETTERS = list("abcdefghijklmnopqrstuvwxyz")
PER_USER = 100


def write_corpus(folder, n_megabytes, per_part):
    """Write users of 100 tweets, a file for each partition."""
    n_parts = -(-n_megabytes // per_part)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n_parts):
        path = folder / f"users-{number:04}.parquet"
        if path.exists():
            continue
        tweets = make_tweets(per_part, number, LETTERS)
        starts = range(0, len(tweets), PER_USER)
        table = pd.DataFrame({"messages": [tweets[s : s + PER_USER] for s in starts]})
        table.insert(0, "user_id", [f"{number}-{user}" for user in range(len(table))])
        table.to_parquet(path, index=False)
    return dd.read_parquet(folder / "users-*.parquet", split_row_groups=False)


def usage():
    """CPU seconds and peak in bytes of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def measured(client, name, n_megabytes, work):
    before = sum(cpu for cpu, _ in client.run(usage).values())
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    workers = client.run(usage).values()
    cpu = sum(cpu for cpu, _ in workers) - before
    row = {
        "part": name,
        "megabytes": n_megabytes,
        "workers": len(workers),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "megabytes_a_cpu_second": round(n_megabytes / cpu, 1),
        "peak_gb_of_a_worker": round(max(peak for _, peak in workers) / 1e9, 2),
    }
    print(json.dumps(row), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--per-partition", type=int, default=20)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--min-count", type=int, default=5)
    parser.add_argument("--memory-limit", default="1GB", help="of each worker")
    options = parser.parse_args()
    frame = write_corpus(options.folder, options.megabytes, options.per_partition)
    with (
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            memory_limit=options.memory_limit,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster) as client,
    ):
        vocabulary = measured(
            client,
            "fit_vocabulary",
            options.megabytes,
            lambda: on_dask.fit_vocabulary(frame, min_count=options.min_count),
        )
        measured(
            client,
            "segment",
            options.megabytes,
            lambda: on_dask.segment(frame, vocabulary).to_parquet(
                options.folder / "words", overwrite=True
            ),
        )
        print(json.dumps({"words": len(vocabulary)}))


if __name__ == "__main__":
    main()
