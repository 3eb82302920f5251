"""Prediction of a stream of users from a Parquet folder, as JSON lines.

The folder is written first by another process: files of 10,000 synthetic users with
four messages each on average, from ten draws. A process for each number of users then
reads and predicts them by `predict_stream`; its peak is that of the whole process, the
model included.

    python benchmarks/speed/bench_stream.py --n-users 1000000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_USERS_PER_FILE = 10_000
_MESSAGES = 4.0


def write_users(folder: Path, n_users: int, seed: int) -> None:
    """Write files of users, those of ten draws in turn, each with ids of its own."""
    from sklearn_profiling.datasets import make_user_profiles

    folder.mkdir()
    draws = [
        make_user_profiles(
            _USERS_PER_FILE, n_messages=_MESSAGES, random_state=seed + number
        ).data[["user_id", "messages"]]
        for number in range(min(10, -(-n_users // _USERS_PER_FILE)))
    ]
    for number, start in enumerate(range(0, n_users, _USERS_PER_FILE)):
        users = draws[number % 10].iloc[: n_users - start].copy()
        users["user_id"] = [f"{number}-{user_id}" for user_id in users["user_id"]]
        users.to_parquet(folder / f"part-{number:05}.parquet", index=False)


def fit_system(name: str, seed: int):
    """Fit a system on users that are not in the folder."""
    from sklearn_profiling.baselines import make_tfidf_baseline
    from sklearn_profiling.datasets import make_user_profiles
    from sklearn_profiling.pipelines import make_mmlup, make_profiler

    users = make_user_profiles(500, random_state=seed + 1000)
    model = {
        "tf-idf": make_tfidf_baseline,
        "profiler": lambda: make_profiler(random_state=seed),
        "MMLUP": lambda: make_mmlup(None, random_state=seed).set_params(
            classifier__max_epochs=1
        ),
    }[name]()
    return model.fit(users.data, users.target)


def measure(folder: Path, settings: argparse.Namespace) -> None:
    """Predict the users of a folder and print what that took."""
    from sklearn_profiling.evaluation import predict_stream

    model = fit_system(settings.system, settings.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    start, cpu = time.perf_counter(), time.process_time()
    n_users = 0
    for chunk in predict_stream(model, folder, chunk_size=settings.chunk_size):
        n_users += len(chunk)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    result = {
        "benchmark": "stream",
        **vars(settings),
        "n_users": n_users,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "users_a_cpu_second": round(n_users / cpu),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        "peak_before_gb": round(before, 3),
    }
    del result["folder"]
    print(json.dumps(result), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--system", default="tf-idf")
    parser.add_argument("--chunk-size", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="folder to predict, written before")
    settings = parser.parse_args()
    if settings.folder is not None:
        measure(settings.folder, settings)
        return
    options = ["--system", settings.system, "--seed", str(settings.seed)]
    options += ["--chunk-size", str(settings.chunk_size)]
    for n_users in settings.n_users:
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "users"
            write_users(folder, n_users, settings.seed)
            command = [sys.executable, __file__, *options, "--folder", str(folder)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
