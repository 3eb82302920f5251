"""The number of threads changes no bit, unless one asks for all cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

import sklearn_profiling
from sklearn_profiling import _threads
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import compare


@pytest.fixture
def several_threads():
    before = torch.get_num_threads()
    _threads._controller.cache_clear()  # other tests may just have loaded a library
    limits = threadpool_limits(3)
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)
    limits.restore_original_limits()


def counts() -> list[int]:
    return [
        torch.get_num_threads(),
        *(pool["num_threads"] for pool in threadpool_info()),
    ]


def hashes(n_threads: int, n_jobs: int, seed: int) -> str:
    there = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(n_threads),
        "OPENBLAS_NUM_THREADS": str(n_threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": os.pathsep.join(filter(None, there)),
    }
    script = Path(__file__).with_name("thread_hashes.py")
    run = subprocess.run(
        [sys.executable, script, str(n_jobs)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_threads_jobs_and_hash_seeds_change_no_bit():
    one = hashes(1, n_jobs=1, seed=1)
    assert len(one.splitlines()) == 7
    assert hashes(2, n_jobs=2, seed=2) == one


@pytest.mark.usefixtures("several_threads")
def test_one_thread_inside_and_as_many_as_before_outside():
    outside = counts()
    assert outside[0] == 3
    with fixed_threads():
        assert set(counts()) == {1}
        with fixed_threads():
            assert set(counts()) == {1}
        assert set(counts()) == {1}
    assert counts() == outside
    with pytest.raises(RuntimeError), fixed_threads():
        raise RuntimeError
    assert counts() == outside


@pytest.mark.usefixtures("several_threads")
def test_the_last_thread_of_several_gives_the_cores_back():
    outside = counts()
    inside, left = threading.Event(), threading.Event()
    found = []

    def stay() -> None:
        with fixed_threads():
            inside.set()
            left.wait(10)
            found.append(counts())

    worker = threading.Thread(target=stay)
    with fixed_threads():
        worker.start()
        inside.wait(10)
    left.set()
    worker.join()
    assert found
    assert set(found[0]) == {1}
    assert counts()[1:] == outside[1:]


@pytest.mark.usefixtures("several_threads")
def test_all_cores_on_request():
    outside = counts()
    with sklearn_profiling.config_context(deterministic=False):
        assert sklearn_profiling.get_config() == {"deterministic": False}
        with fixed_threads():
            assert counts() == outside
        with sklearn_profiling.config_context():
            assert sklearn_profiling.get_config() == {"deterministic": False}
    assert sklearn_profiling.get_config() == {"deterministic": True}


def test_options_are_truth_values():
    with pytest.raises(ValueError, match="must be True, False or None; got 'yes'"):
        sklearn_profiling.set_config(deterministic="yes")


class KnowsOptions(LogisticRegression):
    """Predicts 1 where results may depend on the number of threads, 0 elsewhere."""

    def predict(self, X):
        deterministic = sklearn_profiling.get_config()["deterministic"]
        return np.full(len(X), int(not deterministic))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_comparison_hands_its_options_to_the_workers(n_jobs, tmp_path):
    X, y = np.arange(20.0)[:, None], np.repeat([0, 0, 0, 1], 5)
    systems = {"options": MaskedMultiOutputClassifier(KnowsOptions())}

    def accuracies():
        found = compare(systems, X, y, cv=2, n_jobs=n_jobs, results_folder=tmp_path)
        return found.table("accuracy")["average"].round(1).tolist()

    assert accuracies() == [0.8]
    n_stored = len(list(tmp_path.iterdir()))
    warned = pytest.warns(UserWarning, match="the number of threads changed")
    with sklearn_profiling.config_context(deterministic=False), warned:
        assert accuracies() == [0.2]
    assert len(list(tmp_path.iterdir())) == 2 * n_stored
