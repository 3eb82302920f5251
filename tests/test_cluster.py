"""Whether this code runs in a worker of a Dask cluster, without one."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from sklearn_profiling._cluster import KeptData, inside_worker


def no_worker():
    raise ValueError


@pytest.mark.parametrize(
    ("distributed", "inside"),
    [
        (None, False),
        (SimpleNamespace(get_worker=no_worker), False),
        (SimpleNamespace(get_worker=object), True),
    ],
)
def test_a_worker_is_one_of_dask(monkeypatch, distributed, inside):
    monkeypatch.setitem(sys.modules, "distributed", distributed)
    assert inside_worker() is inside


def test_several_objects_are_kept_each_by_itself():
    sent = []
    client = SimpleNamespace(submit=lambda read, data, key: sent.append(read(data)))
    KeptData(client).scatter(["a", {"b": 1}], broadcast=True)
    assert sent == ["a", {"b": 1}]
