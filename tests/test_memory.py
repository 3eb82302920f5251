"""Prepared sources in a folder: checked, apart by versions, done without."""

from __future__ import annotations

import errno
import shutil
from copy import copy

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_profiling import _memory
from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._memory import checked_memory
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.containers._ragged import is_mapped
from sklearn_profiling.exceptions import ProfilingWarning

CALLS: list[float] = []


def double(array):
    CALLS.append(1)
    return {"twice": array * 2, "words": ["tea"] * 3}


@pytest.fixture
def ask(tmp_path):
    CALLS.clear()
    array = np.arange(5.0)

    def ask():
        # what this process knows of functions would hide their files
        joblib.memory._FUNCTION_HASHES.clear()
        found = checked_memory(tmp_path).cache(double)(array)
        assert np.array_equal(found["twice"], array * 2)
        return len(CALLS)

    return ask


def test_a_step_is_computed_once(ask):
    assert [ask(), ask()] == [1, 1]


@pytest.mark.parametrize("name", ["output.pkl", "func_code.py", "metadata.json"])
def test_a_damaged_file_is_computed_anew(ask, tmp_path, name):
    ask()
    (path,) = tmp_path.rglob(name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    if name == "output.pkl":
        with pytest.warns(ProfilingWarning, match="holds damaged entries"):
            assert ask() == 2
    else:
        assert ask() == (2 if name == "func_code.py" else 1)
    assert ask() == len(CALLS)


def test_a_full_disk_costs_no_result(ask, monkeypatch):
    def no_space(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_memory, "write_checked", no_space)
    with pytest.warns(ProfilingWarning, match="No space left"):
        assert ask() == 1


def prepared(n_users):
    """Sources of users, and an array as a fitted step holds it."""
    CALLS.append(1)
    text = TokenMessages.from_lists([[["red", "tea"]], None] * n_users)
    bags = ImageBags(
        np.ones((2 * n_users, 1, 2, 2), np.uint8), np.arange(2 * n_users + 1)
    )
    return {"text": text, "bags": bags}, np.ones(n_users)


@pytest.fixture
def mapping(tmp_path, monkeypatch):
    """Return what a step gave, mapped from its file on."""
    CALLS.clear()
    monkeypatch.setattr(_memory, "_LEAST_MAPPED", 16)

    def mapping():
        sources, array = checked_memory(tmp_path).cache(prepared)(8)
        assert not is_mapped(array)
        text, bags = sources["text"], sources["bags"]
        assert text.tolist() == [[["red", "tea"]], []] * 8
        assert bags.pixels.shape == (16, 1, 2, 2)
        assert (bags.pixels == 1).all()
        return text, bags

    return mapping


def test_text_and_images_of_a_step_are_mapped(mapping):
    first = mapping()
    text, bags = mapping()
    assert len(CALLS) == 1
    for array in (
        text.ids,
        text.message_starts,
        bags.pixels,
        text[[3, 0]]._words[0],
    ):
        assert is_mapped(array)
    assert joblib.hash([text, bags]) == joblib.hash(list(first))


def test_what_is_mapped_outlives_its_file(mapping, tmp_path):
    first = mapping()
    mapped = mapping()
    shutil.rmtree(tmp_path)
    assert mapped == first
    assert tuple(Parallel(2)(delayed(copy)(each) for each in mapped)) == first


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    mapping, tmp_path, monkeypatch
):
    mapping()
    (path,) = tmp_path.rglob("output.pkl")
    loads = []

    def load(*arguments, **options):
        loads.append(arguments)
        if len(loads) == 1:
            shutil.copy(path, path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)
        return joblib.numpy_pickle.load(*arguments, **options)

    monkeypatch.setattr(_memory.joblib, "load", load)
    mapping()
    assert len(loads) == 2


def test_a_damaged_map_is_made_anew(mapping, tmp_path):
    held, _ = mapping()
    (path,) = tmp_path.rglob("output.pkl")
    data = bytearray(path.read_bytes())
    at = data.index(held.ids.tobytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.warns(ProfilingWarning, match="holds damaged entries"):
        mapping()
    text, bags = mapping()
    assert len(CALLS) == 2
    assert is_mapped(text.ids)
    assert is_mapped(bags.pixels)


def test_other_versions_have_another_place(tmp_path, monkeypatch):
    before = checked_memory(tmp_path).location
    monkeypatch.setattr(_memory, "versions_of", lambda *names: {"torch": "0"})
    assert checked_memory(tmp_path).location != before


def test_pipelines_take_it(tmp_path):
    steps = [("scale", StandardScaler()), ("last", StandardScaler())]
    pipeline = clone(Pipeline(steps, memory=checked_memory(tmp_path)))
    X = np.arange(6.0).reshape(3, 2)
    first = pipeline.fit_transform(X)
    assert np.array_equal(clone(pipeline).fit_transform(X), first)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1


def test_a_folder_of_our_pipelines_is_checked(tmp_path):
    X, y = np.arange(6.0).reshape(3, 2), ["f", "m", "m"]
    steps = [("scale", StandardScaler()), ("last", DummyClassifier())]
    pipeline = CheckedPipeline(steps, memory=str(tmp_path))
    scale = clone(pipeline).fit(X, y)["scale"].scale_
    (path,) = tmp_path.rglob("output.pkl")
    data = bytearray(path.read_bytes())
    at = data.index(scale.tobytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.warns(ProfilingWarning, match="holds damaged entries"):
        assert np.array_equal(pipeline.fit(X, y)["scale"].scale_, scale)
    assert pipeline.memory == str(tmp_path)
    assert np.array_equal(clone(pipeline).fit(X, y)["scale"].scale_, scale)
    with pytest.raises(ValueError, match="infinity"):
        pipeline.fit(X + np.inf, y)
    assert pipeline.memory == str(tmp_path)
