"""Hash what systems predict; run by the tests under several numbers of threads."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np

from sklearn_profiling.baselines import make_svm_baseline
from sklearn_profiling.datasets import make_image_users, make_user_profiles
from sklearn_profiling.evaluation import compare
from sklearn_profiling.pipelines import (
    make_cnn3d,
    make_lstm,
    make_mmlup,
    make_profiler,
    make_text_cnn,
)


def hash_of(arrays: list[Any]) -> str:
    """Hash the bytes of arrays."""
    content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Print a line a system, and one a comparison."""
    users = make_user_profiles(120, random_state=0)
    quick = {"random_state": 0}
    systems = {
        "svm": make_svm_baseline(**quick),
        "profiler": make_profiler(users.graph, random_state=0),
        "text_cnn": make_text_cnn(**quick),
        "mmlup": make_mmlup(users.graph, **quick),
        "lstm": make_lstm(**quick),
    }
    for name, system in systems.items():
        if hasattr(system[-1], "max_epochs"):
            system[-1].set_params(max_epochs=1)
        system.fit(users.data[:90], users.target[:90])
        print(name, hash_of(system.predict_proba(users.data[90:])))  # noqa: T201
    pictures = make_image_users(40, random_state=0)
    net = make_cnn3d(**quick)
    net[-1].set_params(max_epochs=1)
    net.fit(pictures.data[:30], pictures.target[:30])
    print("cnn3d", hash_of(net.predict_proba(pictures.data[30:])))  # noqa: T201
    compared = {name: systems[name] for name in ("svm", "profiler")}
    found = compare(
        compared, users.data, users.target, cv=2, n_jobs=int(sys.argv[1])
    ).scores
    print("compare", hash_of([found["value"].to_numpy()]))  # noqa: T201


if __name__ == "__main__":
    main()
