"""What this machine can do: memory bandwidth, random access and matrix products.

With these three figures, measured by numpy on one thread, the bytes and the operations
of a part of the package say how far it is from what the machine allows. One JSON line;
the quickest of the runs counts, since whatever else runs only takes away.

    OMP_NUM_THREADS=1 python benchmarks/speed/roofline.py
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits


def quickest(work: Callable[[], object], n_times: int) -> float:
    """Return the seconds of the quickest of some runs."""
    spent = []
    for _ in range(n_times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


def bandwidth(n_bytes: int, n_times: int) -> float:
    """Return the GB a second of a copy, read and written."""
    source = np.ones(n_bytes // 8)
    target = np.zeros_like(source)
    return 2e-9 * source.nbytes / quickest(lambda: np.copyto(target, source), n_times)


def random_access(n_bytes: int, n_times: int, seed: int) -> float:
    """Return the nanoseconds of one of many independent reads of a large table."""
    table = np.zeros(n_bytes // 8)
    places = np.random.default_rng(seed).integers(len(table), size=len(table) // 8)
    found = np.empty(len(places))
    seconds = quickest(lambda: table.take(places, out=found, mode="clip"), n_times)
    return 1e9 * seconds / len(places)


def matrix_products(n_rows: int, n_times: int, dtype: type) -> float:
    """Return the GFLOP a second of a product of two square matrices."""
    one = np.ones((n_rows, n_rows), dtype)
    made = np.empty_like(one)
    return 2e-9 * n_rows**3 / quickest(lambda: np.matmul(one, one, out=made), n_times)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--n-rows", type=int, default=1536, help="of the matrices")
    parser.add_argument("--n-times", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    n_bytes, n_times = given.megabytes << 20, given.n_times
    with threadpool_limits(1):
        found = {
            "copy_gb_per_second": bandwidth(n_bytes, n_times),
            "random_read_nanoseconds": random_access(n_bytes, n_times, given.seed),
            "random_read_in_cache_nanoseconds": random_access(1 << 20, n_times, 0),
            "float32_gflop_per_second": matrix_products(
                given.n_rows, n_times, np.float32
            ),
            "float64_gflop_per_second": matrix_products(
                given.n_rows, n_times, np.float64
            ),
        }
    rounded = {name: round(value, 2) for name, value in found.items()}
    print(json.dumps({"benchmark": "roofline", **vars(given), **rounded}))


if __name__ == "__main__":
    main()
