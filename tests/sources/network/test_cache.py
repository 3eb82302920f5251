"""An array computed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import numpy as np
import pytest
from joblib import Memory

from sklearn_profiling.exceptions import ProfilingWarning
from sklearn_profiling.sources.network._cache import cache_folder, cached_array


class Counter:
    def __init__(self, array):
        self.array, self.calls = array, 0

    def __call__(self):
        self.calls += 1
        sleep(0.05)
        return self.array


@pytest.fixture
def compute():
    return Counter(np.arange(6, dtype=np.float32).reshape(3, 2))


def test_folder(tmp_path):
    assert cache_folder(None) is None
    assert cache_folder(Memory(None, verbose=0)) is None
    assert cache_folder(str(tmp_path)) == tmp_path / "sklearn_profiling" / "line"
    assert cache_folder(Memory(tmp_path, verbose=0)) == cache_folder(tmp_path)


def test_two_at_once_compute_once(tmp_path, compute):
    barrier = Barrier(2)

    def ask(_):
        barrier.wait()
        return cached_array(tmp_path / "new", {"seed": 1}, (3, 2), compute)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))
    assert compute.calls == 1
    np.testing.assert_array_equal(first, second)
    assert not list(tmp_path.rglob("*.part"))


def test_another_key_is_computed(tmp_path, compute):
    for seed in (1, 2, 1):
        cached_array(tmp_path, {"seed": seed}, (3, 2), compute)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "shape", "type"])
def test_damaged_files_are_computed_anew(tmp_path, compute, damage):
    cached_array(tmp_path, {}, (3, 2), compute)
    (path,) = tmp_path.glob("*.npy")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif damage == "shape":
        np.save(path, np.zeros((2, 2), dtype=np.float32))
    elif damage == "type":
        np.save(path, np.zeros((3, 2)))
    else:
        path.write_bytes(b"" if damage == "empty" else b"nothing")
    with pytest.warns(ProfilingWarning, match="damaged .*computed anew"):
        again = cached_array(tmp_path, {}, (3, 2), compute)
    np.testing.assert_array_equal(again, compute.array)
    assert compute.calls == 2
    cached_array(tmp_path, {}, (3, 2), compute)
    assert compute.calls == 2
