"""LINE's speed on a degree-corrected block network, as JSON lines.

Prints the samples per second of second order by descent, the seconds of the closed
form, and the ratio to a plain port of the paper authors' loop in the same run: one
arc at a time drawn from an alias table over arcs, noise from a table of users, one
negative at a time. The port runs compiled, with as many threads, each without a lock
on the shared tables, as the authors' program does. ``--program`` measures that program
itself, given its path: what it takes for further samples, without reading the links. On
a busy machine the figures by processor second are the ones to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import njit

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.sources.network import LINEEmbedding
from sklearn_profiling.sources.network._line_sgd import SGDSettings, train_sgd


def block_network(
    n_users: int, n_edges: int, n_blocks: int = 20, seed: int = 0
) -> SocialGraph:
    """Draw users with Zipf-like degrees, 60 % of links inside their block."""
    rng = np.random.default_rng(seed)
    block = rng.integers(n_blocks, size=n_users)
    share = rng.permutation((1.0 + np.arange(n_users)) ** -0.7)
    inside = [np.flatnonzero(block == b) for b in range(n_blocks)]
    cumulated = [np.cumsum(share[users]) / share[users].sum() for users in inside]
    everyone = np.cumsum(share) / share.sum()
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < n_edges:
        size = int((n_edges - len(keys)) * 1.4) + 100
        a = np.searchsorted(everyone, rng.random(size)).clip(max=n_users - 1)
        b = np.searchsorted(everyone, rng.random(size)).clip(max=n_users - 1)
        stays = rng.random(size) < 0.6
        for number, users in enumerate(inside):
            rows = np.flatnonzero(stays & (block[a] == number))
            places = np.searchsorted(cumulated[number], rng.random(len(rows)))
            b[rows] = users[places.clip(max=len(users) - 1)]
        low, high = np.minimum(a, b), np.maximum(a, b)
        keys = np.unique(np.append(keys, (low * n_users + high)[low != high]))
    keys = rng.permutation(keys)[:n_edges]
    edges = np.stack([keys // n_users, keys % n_users], axis=1)
    return SocialGraph.from_edges(edges, ids=np.arange(n_users))


@njit(cache=True)
def alias_table(weights):
    """Walker's table over all arcs."""
    n = len(weights)
    scaled = weights * (n / weights.sum())
    chance, alias = np.ones(n), np.arange(n)
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    n_small = n_large = 0
    for k in range(n):
        if scaled[k] < 1.0:
            small[n_small] = k
            n_small += 1
        else:
            large[n_large] = k
            n_large += 1
    while n_small and n_large:
        n_small -= 1
        a, b = small[n_small], large[n_large - 1]
        chance[a], alias[a] = scaled[a], b
        scaled[b] -= 1.0 - scaled[a]
        if scaled[b] < 1.0:
            n_large -= 1
            small[n_small] = b
            n_small += 1
    return chance, alias


# The authors compile with -Ofast.
@njit(nogil=True, cache=True, fastmath=True)
def authors_update(u, v, label, rate, sigmoid, error):
    """Train one pair of rows."""
    score = np.float32(0.0)
    for d in range(len(u)):
        score += u[d] * v[d]
    if score > 6:
        g = (label - np.float32(1.0)) * rate
    elif score < -6:
        g = label * rate
    else:
        g = (label - sigmoid[np.int64((score + 6) * 1000 / 12)]) * rate
    for d in range(len(u)):
        error[d] += g * v[d]
    for d in range(len(u)):
        v[d] += g * u[d]


@njit(nogil=True, cache=True, fastmath=True)
def authors_loop(
    vertex, context, sources, targets, chance, alias, noise, sigmoid, n_samples, seed
):
    """Train as LINE's published program does, sample by sample."""
    n_arcs, n_dimensions = len(sources), vertex.shape[1]
    state = np.uint64(seed)
    error = np.empty(n_dimensions, dtype=np.float32)
    rate = np.float32(0.025)
    for sample in range(n_samples):
        if sample % 10000 == 0:
            rate = np.float32(0.025 * max(1 - sample / (n_samples + 1), 1e-4))
        state = state * np.uint64(25214903917) + np.uint64(11)
        arc = np.int64((state >> np.uint64(16)) % np.uint64(n_arcs))
        state = state * np.uint64(25214903917) + np.uint64(11)
        if (state >> np.uint64(11)) * (1.0 / 9007199254740992.0) >= chance[arc]:
            arc = alias[arc]
        u = vertex[sources[arc]]
        error[:] = 0.0
        authors_update(u, context[targets[arc]], np.float32(1.0), rate, sigmoid, error)
        for _ in range(5):
            state = state * np.uint64(25214903917) + np.uint64(11)
            v = noise[np.int64((state >> np.uint64(16)) % np.uint64(len(noise)))]
            authors_update(u, context[v], np.float32(0.0), rate, sigmoid, error)
        for d in range(n_dimensions):
            u[d] += error[d]


def authors_speed(
    graph: SocialGraph, n_dimensions: int, n_samples: int, n_threads: int, table: int
) -> tuple[float, float]:
    """Measure the port's samples per second of wall clock and of processors."""
    matrix = graph.adjacency.tocoo()
    sources, targets = matrix.row.astype(np.int64), matrix.col.astype(np.int64)
    chance, alias = alias_table(matrix.data.astype(np.float64))
    mass = np.cumsum(np.asarray(graph.adjacency.sum(axis=1)) ** 0.75)
    places = (np.arange(table) + 0.5) / table * mass[-1]
    noise = np.searchsorted(mass, places).astype(np.int32)
    sigmoid = (1 / (1 + np.exp(-(np.arange(1001) / 1000 * 12 - 6)))).astype(np.float32)
    rng = np.random.default_rng(0)
    vertex = ((rng.random((graph.n_users, n_dimensions)) - 0.5) / n_dimensions).astype(
        np.float32
    )
    context = np.zeros_like(vertex)

    def run(size: int, seed: int) -> None:
        authors_loop(
            vertex, context, sources, targets, chance, alias, noise, sigmoid, size, seed
        )

    run(10, 1)
    start, start_cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(run, [n_samples // n_threads] * n_threads, range(n_threads)))
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    return n_samples / seconds, n_samples / cpu


def program_speed(
    graph: SocialGraph, n_dimensions: int, millions: int, n_threads: int, program: str
) -> tuple[float, float]:
    """Measure the authors' program: samples per second beyond the first million."""
    matrix = graph.adjacency.tocoo()
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        links, vectors = Path(folder) / "links.txt", Path(folder) / "vectors"
        rows = np.column_stack([matrix.row, matrix.col, np.ones(matrix.nnz, int)])
        np.savetxt(links, rows, fmt="%d")
        sizes = f"-size {n_dimensions} -order 2 -negative 5 -rho 0.025 -binary 1"
        sizes += f" -threads {n_threads} -samples"
        for size in (1, 1 + millions):
            start, start_cpu = time.perf_counter(), sum(os.times()[2:4])
            subprocess.run(
                [
                    program,
                    "-train",
                    links,
                    "-output",
                    vectors,
                    *sizes.split(),
                    f"{size}",
                ],
                stdout=subprocess.DEVNULL,
                check=True,
            )
            cpu = sum(os.times()[2:4]) - start_cpu
            spent.append((time.perf_counter() - start, cpu))
    seconds, cpu = np.subtract(spent[1], spent[0])
    return millions * 1e6 / seconds, millions * 1e6 / cpu


def our_speed(
    graph: SocialGraph, n_dimensions: int, n_samples: int, n_threads: int, shared: int
) -> tuple[float, float]:
    """Measure the descent's samples per second of wall clock and of processors."""
    for size in (1000, n_samples):
        settings = SGDSettings(n_dimensions, size, 5, shared, 0.025, 0, n_threads)
        start, start_cpu = time.perf_counter(), time.process_time()
        train_sgd(graph.adjacency, settings, order="second")
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    return n_samples / seconds, n_samples / cpu


def spectral_seconds(graph: SocialGraph, n_dimensions: int, n_threads: int) -> float:
    """Measure a whole fit of the closed form, second order, compiled before."""
    line = LINEEmbedding(
        graph,
        n_dimensions,
        order="second",
        solver="spectral",
        n_jobs=n_threads,
        random_state=0,
    )
    line.fit()
    start = time.perf_counter()
    line.fit()
    return time.perf_counter() - start


def commit() -> str:
    """Name the measured state of the code."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--edges", type=int, default=334_000)
    parser.add_argument("--components", type=int, default=150)
    parser.add_argument("--samples", type=int, default=20_000_000)
    parser.add_argument("--port-samples", type=int, default=4_000_000)
    parser.add_argument("--noise-table", type=int, default=100_000_000)
    parser.add_argument("--program", help="path of the authors' program")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3, help="the best run counts")
    given = parser.parse_args()
    graph = block_network(given.users, given.edges)
    setting = {
        "users": graph.n_users,
        "edges": graph.n_edges,
        "components": given.components,
        "jobs": given.jobs,
        "seed": 0,
        "commit": commit(),
        "machine": platform.machine(),
    }

    def best(measure, *arguments):
        runs = np.array([measure(*arguments) for _ in range(given.repeat)])
        return runs.max(axis=0)

    port, port_cpu = best(
        authors_speed,
        graph,
        given.components,
        given.port_samples,
        given.jobs,
        given.noise_table,
    )
    line = {
        "benchmark": "line_authors_port",
        "samples_per_second": round(port),
        "samples_per_cpu_second": round(port_cpu),
    }
    print(json.dumps(line | setting), flush=True)
    if given.program:
        speed, speed_cpu = best(
            program_speed,
            graph,
            given.components,
            max(given.samples // 1_000_000, 1),
            given.jobs,
            given.program,
        )
        line = {
            "benchmark": "line_program",
            "samples_per_second": round(speed),
            "samples_per_cpu_second": round(speed_cpu),
        }
        print(json.dumps(line | setting), flush=True)
    for shared in (1, 8, 32):
        speed, speed_cpu = best(
            our_speed, graph, given.components, given.samples, given.jobs, shared
        )
        line = {
            "benchmark": "line_sgd_second_order",
            "shared_negatives": shared,
            "samples_per_second": round(speed),
            "samples_per_cpu_second": round(speed_cpu),
            "ratio_to_authors_port": round(speed / port, 2),
            "cpu_ratio_to_authors_port": round(speed_cpu / port_cpu, 2),
        }
        print(json.dumps(line | setting), flush=True)
    seconds = min(
        spectral_seconds(graph, given.components, given.jobs)
        for _ in range(given.repeat)
    )
    line = {"benchmark": "line_spectral_second_order", "seconds": round(seconds, 3)}
    print(json.dumps(line | setting), flush=True)


if __name__ == "__main__":
    main()
