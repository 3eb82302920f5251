"""Cost of choosing ``C`` in the linear baselines, as JSON lines.

Users are synthetic. "ratio" is the time of the classifier that chooses among three
values of ``C`` on held-out users to that of one plain fit with the largest of them, the
slowest, on the same features; medians of runs of both in turn.

    python benchmarks/speed/bench_linear_tuning.py --n-users 1000
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from sklearn.linear_model import RidgeClassifier
from sklearn.svm import LinearSVC

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_link_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.datasets import make_user_profiles


def seconds(model: Any, X: Any, y: Any) -> float:
    """Time a fit."""
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    users = make_user_profiles(given.n_users, random_state=given.seed)
    systems = {
        "tfidf": make_tfidf_baseline(),
        "svm": make_svm_baseline(random_state=given.seed),
        "link": make_link_baseline(users.graph),
    }
    for name, system in systems.items():
        X = system[:-1].fit_transform(users.data, users.target)
        tuned = system[-1]
        strength = max(tuned.estimator.C)
        plain = (
            LinearSVC(C=strength, dual=False, max_iter=1000)
            if name == "svm"
            else RidgeClassifier(alpha=1 / (2 * strength))
        )
        one = MaskedMultiOutputClassifier(plain)
        runs = [
            (seconds(tuned, X, users.target), seconds(one, X, users.target))
            for _ in range(given.repeats)
        ]
        found, single = (statistics.median(times) for times in zip(*runs, strict=True))
        result = {
            "benchmark": "linear_tuning",
            "system": name,
            "n_users": given.n_users,
            "tuned_seconds": round(found, 3),
            "one_fit_seconds": round(single, 3),
            "ratio": round(found / single, 2),
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
