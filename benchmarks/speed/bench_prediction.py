"""Speed of prediction from raw text, as a JSON line.

MMLUP with its default net, without a network, and the profiler are fitted to synthetic
users, then predict one user, a hundred and all. Milliseconds are medians of wall time,
the quickest, and the least of CPU time, of which users a second are counted; calls that
come before the first timed one load and compile. Then all users in as many parts as
``--threads``, side by side.

    python benchmarks/speed/bench_prediction.py --n-users 2000
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import time
from functools import partial

import joblib

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.pipelines import make_mmlup, make_profiler


def milliseconds(work, n_times):
    """Return median and least wall time of some work, and the least CPU time."""
    spent, computed = [], []
    for _ in range(n_times):
        start, start_cpu = time.perf_counter(), time.process_time()
        work()
        computed.append(1000 * (time.process_time() - start_cpu))
        spent.append(1000 * (time.perf_counter() - start))
    return [round(t, 2) for t in (statistics.median(spent), min(spent), min(computed))]


def in_threads(predict, users, n_threads):
    """Predict parts of some users side by side, as one call does."""
    step = -(-len(users) // n_threads)
    parts = [users[start : start + step] for start in range(0, len(users), step)]
    return joblib.Parallel(n_threads, "threading")(
        joblib.delayed(predict)(part) for part in parts
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=2000)
    parser.add_argument("--n-fitted", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="of all users at once")
    settings = parser.parse_args()
    users = make_user_profiles(settings.n_users, random_state=settings.seed)
    fitted = slice(0, settings.n_fitted)
    mmlup = make_mmlup(None, random_state=settings.seed)
    systems = {
        "MMLUP": mmlup.set_params(classifier__max_epochs=1),
        "profiler": make_profiler(random_state=settings.seed),
    }
    for name, system in systems.items():
        system.fit(users.data[fitted], users.target[fitted])
        result = {"benchmark": "prediction", "system": name, **vars(settings)}
        for n_users, n_times in ((1, 100), (100, 20), (settings.n_users, 5)):
            predict = partial(system.predict, users.data[:n_users])
            predict()
            median, least, computed = milliseconds(predict, n_times)
            result[f"milliseconds_{n_users}"] = median
            result[f"quickest_{n_users}"] = least
            result[f"cpu_{n_users}"] = computed
        result["users_a_cpu_second"] = round(1000 * settings.n_users / computed)
        shared = partial(in_threads, system.predict, users.data, settings.threads)
        _, least, computed = milliseconds(shared, 5)
        result["quickest_in_threads"] = least
        result["cpu_in_threads"] = computed
        result["users_a_second_in_threads"] = round(1000 * settings.n_users / least)
        print(json.dumps(result), flush=True)
        if settings.profile:
            with cProfile.Profile() as profile:
                predict()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
