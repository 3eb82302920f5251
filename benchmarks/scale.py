"""Time and peak memory by size: links, LINE and whole systems.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/scale.py
    python benchmarks/scale.py --edges 1e6 1e7 1e8 --users 1000 10000 44000
    python benchmarks/scale.py --record

A network of n links has n / 100 users, whose degrees are skewed. Its stages are: the
file of links read into a graph; a pass of LINE's second order over the arcs, and its
closed form, both in 128 dimensions on the network as it is. The default expansion is
measured on n links of n / 4 fans to hubs, drawn by Zipf's law. Users are
`make_user_profiles`, and the stages on them are whole fits from raw messages on. Every
stage and size runs in a process of its own, on `--jobs` threads where it can; what
numba compiles is compiled before, and not counted. Data are written before by another
process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from scipy import sparse

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER / "accuracy"))
sys.path.insert(0, str(FOLDER / "speed"))

_USERS_PER_EDGE = 0.01
_BLOCK = 1_000_000
_RUN = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def write_links(folder: Path, n_edges: int, seed: int) -> None:
    """Write links of users with skewed degrees, one line each."""
    n_users = max(int(n_edges * _USERS_PER_EDGE), 10)
    rng = np.random.default_rng(seed)
    options = arrow_csv.WriteOptions(include_header=False, delimiter="\t")
    with (folder / "links.tsv").open("wb") as file:
        for start in range(0, n_edges, _BLOCK):
            shape = (2, min(_BLOCK, n_edges - start))
            ends = (n_users * rng.random(shape) ** 2).astype(np.int64)
            table = pa.table({"a": ends[0], "b": ends[1]})
            arrow_csv.write_csv(table, file, options)


def read_links(folder: Path) -> Any:
    """Read the file of links."""
    from sklearn_profiling.containers import SocialGraph

    return SocialGraph.from_links_file(folder / "links.tsv", format="edges")


def prepare_links(folder: Path, n_edges: int, _: int) -> Callable[[], int]:
    """Read a small file first, then the whole one."""
    small = folder / "small"
    small.mkdir(exist_ok=True)
    write_links(small, 1000, 0)
    read_links(small)

    def run() -> int:
        read_links(folder)
        return n_edges

    return run


def load(folder: Path) -> Any:
    """Load the adjacency that the stage of links kept."""
    return sparse.csr_array(sparse.load_npz(folder / "graph.npz"))


def draw_fans(n_edges: int, seed: int) -> Any:
    """Draw links of fans, drawn evenly, to hubs, drawn by Zipf's law: adjacency."""
    n_users = max(n_edges // 4, 10)
    rng = np.random.default_rng(seed)
    fans = rng.integers(n_users, size=n_edges)
    # log-uniform ranks: the popularity of a hub falls as one over its rank
    hubs = np.minimum(n_users ** rng.random(n_edges), n_users - 1).astype(np.int64)
    hubs = rng.permutation(n_users)[hubs]
    ends = fans[fans != hubs], hubs[fans != hubs]
    ones = np.ones(len(ends[0]), dtype=np.float32)
    matrix = sparse.coo_array((ones, ends), shape=(n_users, n_users)).tocsr()
    matrix = sparse.csr_array(matrix.maximum(matrix.T.tocsr()))
    matrix.sort_indices()
    return matrix


def prepare_expansion(_: Path, n_edges: int, jobs: int) -> Callable[[], int]:
    """Expand a corner of a network, then all of it."""
    from sklearn_profiling.sources.network._expansion import expand_low_degrees

    matrix = draw_fans(n_edges, 0)
    corner = sparse.csr_array(matrix[:500, :500])
    expand_low_degrees(corner, 10, directed=False, n_threads=jobs)

    def run() -> int:
        expand_low_degrees(matrix, 10, directed=False, n_threads=jobs)
        return int(matrix.nnz)

    return run


def prepare_line(solver: str) -> Callable[[Path, int, int], Callable[[], int]]:
    """Fit a corner of the network, then all of it."""

    def prepare(folder: Path, _: int, jobs: int) -> Callable[[], int]:
        from sklearn_profiling.containers import SocialGraph
        from sklearn_profiling.sources import LINEEmbedding

        graph = SocialGraph.from_scipy(load(folder))

        def fit(graph: Any, n_samples: int) -> None:
            LINEEmbedding(
                graph,
                128,
                order="second",
                solver=solver,
                n_samples=n_samples,
                expansion=None,
                n_jobs=jobs,
                random_state=0,
            ).fit()

        fit(graph.subgraph(graph.ids[:300]), 1000)
        n_arcs = int(graph.adjacency.nnz)

        def run() -> int:
            fit(graph, n_arcs)
            return n_arcs

        return run

    return prepare


def prepare_system(name: str) -> Callable[[Path, int, int], Callable[[], int]]:
    """Fit a system on 100 users, then on all."""

    def prepare(_: Path, n_users: int, jobs: int) -> Callable[[], int]:
        import torch

        torch.set_num_threads(jobs)
        from sklearn_profiling.baselines import make_tfidf_baseline
        from sklearn_profiling.datasets import make_user_profiles
        from sklearn_profiling.pipelines import make_mmlup

        def fit(users: Any) -> None:
            if name == "tfidf":
                system = make_tfidf_baseline()
            else:
                system = make_mmlup(users.graph, random_state=0)
            system.fit(users.data, users.target)

        fit(make_user_profiles(100, random_state=0))
        users = make_user_profiles(n_users, random_state=0)

        def run() -> int:
            fit(users)
            return n_users

        return run

    return prepare


NETWORK_STAGES: dict[str, Callable[[Path, int, int], Callable[[], int]]] = {
    "links file to graph": prepare_links,
    "expansion": prepare_expansion,
    "LINE, a pass of second order": prepare_line("sgd"),
    "LINE, closed form of second order": prepare_line("spectral"),
}
USER_STAGES = {
    "make_tfidf_baseline, raw messages to model": prepare_system("tfidf"),
    "make_mmlup, raw messages to model": prepare_system("mmlup"),
}


# They read the file, or the network that is written with it.
_OF_FILE = [stage for stage in NETWORK_STAGES if stage != "expansion"]


def work(stage: str, folder: Path, size: int, jobs: int) -> None:
    """Run a stage in this process and print its figures."""
    run = (NETWORK_STAGES | USER_STAGES)[stage](folder, size, jobs)
    before = _peak()
    start, start_cpu = time.perf_counter(), time.process_time()
    n_units = run()
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    figures = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_gb": round(_peak(), 3),
        "peak_before_gb": round(before, 3),
        "microseconds": round(cpu / n_units * 1e6, 4),
    }
    print(json.dumps(figures))


def _peak() -> float:
    """Return the peak of resident memory, in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e9 / 1024)


def _alone(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**os.environ, **_RUN},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def grow(stages: Sequence[str], sizes: Sequence[int], jobs: int, seed: int) -> Any:
    """Yield a row for each stage and size."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            if not set(stages).isdisjoint(_OF_FILE):
                _alone("--write", name, "--size", str(size), "--seed", str(seed))
            for stage in stages:
                printed = _alone(
                    *("--stage", stage, "--folder", name),
                    *("--size", str(size), "--jobs", str(jobs)),
                )
                figures = json.loads(printed.splitlines()[-1])
                yield {
                    "row": stage,
                    "task": f"{size:,}",
                    "seed": seed,
                    "figures": figures,
                    "seconds": figures["seconds"],
                }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", nargs="*", type=float, default=[1e6, 1e7])
    parser.add_argument("--users", nargs="*", type=float, default=[1000, 4000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[""], help="words of stages")
    parser.add_argument("--record", action="store_true")
    for name in ("--stage", "--folder", "--write"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.write:
        folder = Path(given.write)
        write_links(folder, given.size, given.seed)
        matrix = sparse.csr_matrix(read_links(folder).adjacency)
        sparse.save_npz(folder / "graph.npz", matrix, compressed=False)
        return
    if given.stage:
        work(given.stage, Path(given.folder or ""), given.size, given.jobs)
        return
    rows = []
    for all_stages, sizes in (
        (NETWORK_STAGES, given.edges),
        (USER_STAGES, given.users),
    ):
        stages = [s for s in all_stages if any(word in s for word in given.only)]
        for row in grow(stages, list(map(int, sizes)), given.jobs, given.seed):
            print(json.dumps(row), flush=True)
            rows.append(row)
    if given.record:
        from results import record
        from speed_page import SCALE

        setting = f"{given.jobs} threads"
        record(SCALE, rows, data="synthetic", setting=setting)


if __name__ == "__main__":
    main()
