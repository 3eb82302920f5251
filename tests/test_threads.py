"""The number of threads changes no bit, unless one asks for all cores."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import sklearn_profiling
from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import compare


def run_script(script: str, *arguments: str, **variables: str) -> str:
    there = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, there))
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name(script), *arguments],
        env={**os.environ, **variables, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def hashes(n_threads: int, n_jobs: int, seed: int) -> str:
    return run_script(
        "thread_hashes.py",
        str(n_jobs),
        OMP_NUM_THREADS=str(n_threads),
        OPENBLAS_NUM_THREADS=str(n_threads),
        OMP_WAIT_POLICY="PASSIVE",
        PYTHONHASHSEED=str(seed),
    )


def test_threads_jobs_and_hash_seeds_change_no_bit():
    one = hashes(1, n_jobs=1, seed=1)
    assert len(one.splitlines()) == 7
    assert hashes(2, n_jobs=2, seed=2) == one


@pytest.mark.parametrize(
    "name",
    [
        "one_inside_and_as_many_as_before_outside",
        "the_last_thread_of_several_gives_the_cores_back",
        "all_cores_on_request",
        "another_thread_that_lives_set_a_number_before",
    ],
)
def test_counts_of_threads(name):
    assert run_script("thread_counts.py", name) == "right"


def test_options_are_truth_values():
    with pytest.raises(ValueError, match="must be True, False or None; got 'yes'"):
        sklearn_profiling.set_config(deterministic="yes", data_parallel=True)
    assert not sklearn_profiling.get_config()["data_parallel"]


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
