"""Counts of threads in a process of its own: one of these functions, by name."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

import scipy.linalg  # noqa: F401 - brings its BLAS
import sklearn.linear_model  # noqa: F401 - brings its OpenMP
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import sklearn_profiling
from sklearn_profiling._threads import fixed_threads

DEFAULTS = {"deterministic": True, "data_parallel": False}


def counts() -> dict[str, int]:
    found = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    return {"torch": torch.get_num_threads(), **found}


def of_blas() -> set[int]:
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def one_inside_and_as_many_as_before_outside() -> None:
    outside = counts()
    assert set(outside.values()) == {3}, outside
    one = dict.fromkeys(outside, 1)
    with fixed_threads():
        assert counts() == one, counts()
        with fixed_threads():
            assert counts() == one, counts()
        assert counts() == one, counts()
    assert counts() == outside, counts()
    with suppress(ZeroDivisionError), fixed_threads():
        _ = 1 / 0
    assert counts() == outside, counts()


def the_last_thread_of_several_gives_the_cores_back() -> None:
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
    assert found == [dict.fromkeys(outside, 1)], found
    assert of_blas() == {3}


def another_thread_that_lives_set_a_number_before() -> None:
    done, over = threading.Event(), threading.Event()

    def other() -> None:
        threadpool_limits(3, user_api="blas")
        done.set()
        over.wait(60)

    worker = threading.Thread(target=other)
    worker.start()
    done.wait(10)
    with fixed_threads():
        assert of_blas() == {1}
    assert of_blas() == {3}
    over.set()
    worker.join()


def all_cores_on_request() -> None:
    outside = counts()
    with sklearn_profiling.config_context(deterministic=False):
        changed = sklearn_profiling.get_config()
        assert changed == {**DEFAULTS, "deterministic": False}
        with fixed_threads():
            assert counts() == outside, counts()
        with sklearn_profiling.config_context():
            assert sklearn_profiling.get_config() == changed
    assert sklearn_profiling.get_config() == DEFAULTS


if __name__ == "__main__":
    test = globals()[sys.argv[1]]
    if test is not another_thread_that_lives_set_a_number_before:
        threadpool_limits(3)
        torch.set_num_threads(3)
    test()
    sys.stdout.write("right")
