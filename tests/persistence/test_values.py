"""What the format stores comes back as it was: kinds, shapes, sharing, order."""

from __future__ import annotations

import datetime as dt
import functools
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import Bunch

from sklearn_profiling.containers import SocialGraph, TokenMessages, Vocabulary
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.persistence import load, read_manifest, save

UTC = dt.UTC


def again(value, folder):
    save(value, folder / "file")
    return load(folder / "file")


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 1, 0, -(2**70), 1.5, -0.0, float("inf"), 2 + 3j, ""),
        *("茶\ud800", b"\x00\xff", Path("a/b"), range(2, 9, 3), slice(1, None, 2)),
        *(np.float32(1.5), np.int64(-3), np.bool_(1), np.str_("茶"), np.uint8(7)),
        *(np.datetime64("2020-01-02"), np.timedelta64(3, "D"), np.complex64(1j)),
        *(dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, 5, 6)),  # noqa: DTZ001
        *(dt.datetime(2020, 1, 2, tzinfo=UTC), Decimal("1.10"), UUID(int=5)),
        *(pd.Timestamp("2020-01-02 03:04:05.678"), pd.Timestamp("2020-05", tz="CET")),
        *([], [1, True, 1.0, None], [1.5, float("inf")] * 5, [2**63] * 9),
        *([3] * 9, [-(2**40), 5] * 8, ["a", "茶", "\ud800", ""] * 5, [True] * 9),
        *((), (1, (2, [3])), ("a",) * 9, set(), {1, (2, 3)}, {"a"}, frozenset({"b"})),
        *({}, {1: "a", "1": "b", (1, 2): None, 1.5: [], None: {}, b"x": 1}),
        *({str(n): n for n in range(20)}, {n: str(n) for n in range(20)}),
        *(float, np.float32, StandardScaler, np.log1p, np.dtype("f4"), torch.float16),
    ],
    ids=repr,
)
def test_values(value, tmp_path):
    found = again([value], tmp_path)[0]
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_a_long_range_is_not_written(tmp_path):
    assert again([range(1 << 20)], tmp_path) == [range(1 << 20)]
    with pytest.raises(ProfilingError, match="range of more than 1,048,576 numbers"):
        save([range(2**20 + 1)], tmp_path / "file")


def test_what_is_unlike_itself(tmp_path):
    nan, missing, never = again([float("nan"), pd.NA, pd.NaT], tmp_path)
    assert np.isnan(nan)
    assert missing is pd.NA
    assert never is pd.NaT


@pytest.mark.parametrize("kind", "?bBhHiIlLqQefdgFD")
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays(kind, shape, tmp_path):
    value = np.asarray(np.random.default_rng(0).random(shape) * 5).astype(kind)
    for each in (value, value.T, value[::-1] if value.ndim else value):
        found = again(each, tmp_path)
        assert found.dtype == value.dtype
        assert np.array_equal(found, each)
        assert found.flags.writeable
        if each.flags.forc:
            assert found.flags.f_contiguous == each.flags.f_contiguous


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "茶\ud800", ""]),
        np.array([["a", "b"], ["c", "d"]], order="F"),
        np.array(["x" * 5000] + ["y"] * 50),
        np.array([b"a", b"bc"]),
        np.array(["2020-01-01", "NaT"], dtype="M8[s]"),
        np.arange(4, dtype=">i4"),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8", (2,))]),
        np.array([1, "a", None, (2,), [3]], dtype=object),
        np.array([["a", None], [2, 3]], dtype=object, order="F"),
        np.array([{"a": np.arange(3)}], dtype=object),
        np.empty((0, 2), dtype=object),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}",
)
def test_arrays_of_other_kinds(value, tmp_path):
    found = again(value, tmp_path)
    assert found.dtype == value.dtype
    assert found.shape == value.shape
    assert found.flags.f_contiguous == value.flags.f_contiguous
    assert repr(found) == repr(value)


def test_other_packages(tmp_path):
    matrix = sparse.random(4, 6, 0.5, format="csr", random_state=0)
    for each in (matrix, matrix.tocsc(), sparse.csr_array(matrix)):
        found = again(each, tmp_path)
        assert type(found) is type(each)
        assert (found != each).nnz == 0
    tensor = torch.arange(6.0).reshape(2, 3)
    for each in (tensor, tensor.to(torch.bfloat16), tensor.int(), tensor.T):
        assert again(each, tmp_path).dtype == each.dtype
        assert torch.equal(again(each, tmp_path), each)
    masked = np.ma.MaskedArray([1, 2], mask=[False, True], fill_value=9)
    assert repr(again(masked, tmp_path)) == repr(masked)
    for each in (Bunch(a=1), functools.partial(np.add, 1)):
        assert type(again(each, tmp_path)) is type(each)
    assert again(functools.partial(np.add, 1), tmp_path)(2) == 3


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([1, None, 3], name="a", dtype="Int64"),
        pd.Series(["a", None], index=["x", "y"]),
        pd.Series([[1], {2}], dtype=object),
        pd.Series(pd.to_datetime(["2020-01-01", None])).dt.tz_localize("UTC"),
        pd.Series(["b", "a", None], dtype="category"),
    ],
    ids=lambda value: str(value.dtype),
)
def test_tables(value, tmp_path):
    pd.testing.assert_series_equal(again(value, tmp_path), value)
    pd.testing.assert_index_equal(again(pd.Index(value), tmp_path), pd.Index(value))
    frame = pd.DataFrame({"茶": value, 2: range(len(value))})
    frame.columns.name = "columns"
    pd.testing.assert_frame_equal(again(frame, tmp_path), frame)


def test_generators_go_on_where_they_were(tmp_path):
    old, new = np.random.RandomState(0), np.random.default_rng(0)
    torches = torch.Generator().manual_seed(3)
    for each in (old, new):
        each.normal(size=3)
        assert (again(each, tmp_path).normal(size=5) == each.normal(size=5)).all()
    found = again(torches, tmp_path)
    assert torch.equal(torch.rand(3, generator=found), torch.rand(3, generator=torches))


def test_containers(tmp_path):
    graph = SocialGraph.from_edges([(1, 2), (2, 3)], weights=[1.0, 0.5])
    found = again(graph, tmp_path)
    assert found == graph
    assert found.report == graph.report
    vocabulary = Vocabulary(["茶", "酒"], [[1.0], [2.0]])
    text = TokenMessages.from_lists([[["茶"]], None, [["酒", "茶"]]], vocabulary)
    assert again(text, tmp_path) == text


def test_what_is_shared_stays_shared(tmp_path):
    array, word = np.arange(3), ["a"]
    model = FunctionTransformer(kw_args={"one": array, "other": array, "word": word})
    loop = [word, model, {"model": model}]
    loop.append(loop)
    found = again(loop, tmp_path)
    assert found[3] is found
    assert found[2]["model"] is found[1]
    assert found[1].kw_args["one"] is found[1].kw_args["other"]
    assert found[1].kw_args["word"] is found[0]
    closed = ([],)
    closed[0].append(closed)
    with pytest.raises(ProfilingError, match="tuple that holds itself"):
        again(closed, tmp_path)
    nested = (0, 1)
    for _ in range(25):
        nested = (nested, nested)
    with pytest.raises(ProfilingError, match="more than 1,048,576 parts in all"):
        again(nested, tmp_path)


def test_equal_models_give_equal_checksums(tmp_path):
    words = [f"word {n}" for n in range(30)]
    for name in ("one", "other"):
        words.reverse()
        save([set(words), {"a": 1}], tmp_path / name)
    one, other = (read_manifest(tmp_path / name) for name in ("one", "other"))
    assert one == other  # checksums of all arrays among it


class Own:
    """A class that the format does not know."""


def own(X):
    """Do nothing; a function that the format does not know."""
    return X


class OwnScaler(StandardScaler):
    """An estimator of the user's."""


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (own, r"test_values\.own"),
        (lambda: None, r"<lambda>"),
        (Own(), r"test_values\.Own"),
        (Own, r"test_values\.Own"),
        (OwnScaler(), r"test_values\.OwnScaler"),
        (OrderedDict(), r"collections\.OrderedDict"),
        (object(), r"builtins\.object"),
        (sparse.coo_array((1, 1)), r"coo_array"),
        (np.matrix([1]), r"matrix"),
        (pd.MultiIndex.from_tuples([(1, 2)]), r"pandas\.MultiIndex"),
        (np.array([(1, "a")], dtype=[("a", "i4"), ("b", "O")]), r"ndarray"),
        (torch.nn.Linear(1, 1), r"torch\.nn\.modules\.linear\.Linear"),
        (slice(1.5), r"slice at float"),
        (torch.device("cpu"), r"torch\.device"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_the_format_does_not_know_is_named(value, named, tmp_path):
    model = FunctionTransformer(kw_args={"given": value})
    with pytest.raises(
        ProfilingError, match=rf"^FunctionTransformer\.kw_args holds .*{named}"
    ):
        save(model, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    with pytest.raises(ProfilingError, match=r"^the model holds .*which the format"):
        save(value, tmp_path / "file")


def test_too_deep(tmp_path):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ProfilingError, match="nested too deeply"):
        save(deep, tmp_path / "file")
