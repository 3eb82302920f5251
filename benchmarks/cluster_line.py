"""Spectral LINE on a Dask cluster beside one machine: time, memory and the subspace.

    OMP_NUM_THREADS=1 python benchmarks/cluster_line.py
    python benchmarks/cluster_line.py --edges 4e6 --users 4e4 1e6 --workers 1 2 4

Links are drawn between users of skewed degrees, and written to 16 Parquet files. Each
run has a cluster of its own, of processes with one thread on this machine. Peaks are
those of a worker beyond what it takes at the start, the largest of all; CPU seconds are
those of all workers, numba's compilation included if its cache is empty.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import subspace_angles

_FILES = 16
_HEAD = "| links | users | workers | wall s | CPU s | peak MB a worker | angle |"


def write_links(folder: Path, n_edges: int, n_users: int) -> None:
    """Write links of users with skewed degrees."""
    rng = np.random.default_rng(0)
    for number in range(_FILES):
        shape = (2, n_edges // _FILES)
        ends = (n_users * rng.random(shape) ** 2).astype(np.int64)
        table = pd.DataFrame({"source": ends[0], "target": ends[1]})
        table.to_parquet(folder / f"{number:02}.parquet")


def cost() -> tuple[float, float]:
    """Return the peak of this process in MB and its CPU seconds."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024, time.process_time()


def warm(folder: str) -> None:
    """Import and compile what a worker needs."""
    import dask

    from sklearn_profiling.dask import spectral_line

    with dask.config.set(scheduler="synchronous"):
        spectral_line(folder, 4, random_state=0)


def on_cluster(folder: Path, n_workers: int, n_components: int) -> tuple[Any, ...]:
    """Return the vectors, wall seconds, CPU seconds and the largest peak."""
    from sklearn_profiling.dask import spectral_line

    distributed: Any = import_module("distributed")
    cluster = distributed.LocalCluster(
        n_workers=n_workers, threads_per_worker=1, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        client.run(warm, str(folder.parent / "warm"))
        before = client.run(cost)
        start = time.perf_counter()
        found = spectral_line(folder, n_components, random_state=0)
        len(found.vectors)
        wall = time.perf_counter() - start
        after = client.run(cost)
        vectors = found.vectors.compute().set_index("id").sort_index()
    used = np.array([np.subtract(after[key], before[key]) for key in after])
    return vectors, wall, used[:, 1].sum(), used[:, 0].max()


def on_one_machine(folder: Path, n_components: int) -> tuple[Any, float, float]:
    """Return the vectors of users with links, wall and CPU seconds."""
    from sklearn_profiling.containers import SocialGraph
    from sklearn_profiling.sources import LINEEmbedding

    start = time.perf_counter(), time.process_time()
    graph = SocialGraph.from_edges(pd.read_parquet(folder))
    line = LINEEmbedding(
        graph, n_components, solver="spectral", expansion=None, random_state=0
    ).fit()
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    linked = ~graph.isolated
    return pd.DataFrame(line.embedding_[linked], graph.ids[linked]), wall, cpu


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edges", type=float, nargs="+", default=[1e6, 4e6])
    parser.add_argument("--users", type=float, nargs="+", default=[4e4, 4e5])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--components", type=int, default=128)
    options = parser.parse_args()
    print(_HEAD, "|---" * 7 + "|", sep="\n", flush=True)
    for n_edges in map(int, options.edges):
        for n_users in map(int, options.users):
            with tempfile.TemporaryDirectory() as root:
                folder, small = Path(root, "links"), Path(root, "warm")
                folder.mkdir()
                small.mkdir()
                write_links(folder, n_edges, n_users)
                write_links(small, 1600, 100)
                compare(folder, n_edges, n_users, options)


def compare(folder: Path, n_edges: int, n_users: int, options: Any) -> None:
    """Print the rows of one network."""
    expected, wall, cpu = on_one_machine(folder, options.components)
    sizes = f"| {n_edges:,} | {n_users:,} |"
    print(sizes, f"none | {wall:.1f} | {cpu:.1f} | - | - |", flush=True)
    half = options.components // 2
    for n_workers in options.workers:
        vectors, *costs = on_cluster(folder, n_workers, options.components)
        angle = max(
            subspace_angles(
                vectors.to_numpy(np.float64)[:, columns],
                expected.loc[vectors.index].to_numpy(np.float64)[:, columns],
            ).max()
            for columns in (slice(half), slice(half, None))
        )
        figures = " | ".join(f"{each:.1f}" for each in costs)
        print(sizes, f"{n_workers} | {figures} | {angle:.1e} |", flush=True)


if __name__ == "__main__":
    main()
