"""The store on disk: keys, whole files, growth, damage, several at once."""

from __future__ import annotations

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import sleep

import joblib
import numpy as np
import pytest
from filelock import FileLock

from sklearn_profiling._store import (
    Store,
    cached_texts,
    cached_vectors,
    digest_of,
)
from sklearn_profiling.exceptions import ProfilingWarning

SHAPE = (3, 2, 2)
DIGESTS = [digest_of(bytes([number])) for number in range(6)]
PIXELS = np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


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


@pytest.fixture
def rows(tmp_path):
    return open_rows(tmp_path)


def open_rows(folder):
    opened = Store(folder).rows({"size": [2, 2]}, SHAPE)
    opened.refresh()
    return opened


def add(rows, first, last):
    with rows.lock:
        rows.refresh()
        rows.append(DIGESTS[first:last], PIXELS[first:last])


def test_the_folder_of_a_memory_parameter(tmp_path):
    expected = tmp_path / "sklearn_profiling" / "line"
    assert Store.of(None, "line") is None
    assert Store.of(joblib.Memory(None), "line") is None
    for memory in (str(tmp_path), Path(tmp_path), joblib.Memory(tmp_path, verbose=0)):
        store = Store.of(memory, "line")
        assert store is not None
        assert store.folder == expected
    assert not expected.exists()


def test_other_parameters_have_another_place(tmp_path):
    store = Store(tmp_path)
    keys = [{"size": size} for size in ([2, 2], [2, 3], [3, 2])]
    assert len({store.path(key) for key in keys}) == 3
    assert store.path({"a": 1, "b": 2}) == store.path({"b": 2, "a": 1})


# -- arrays ----------------------------------------------------------------------------


def test_two_at_once_compute_once(tmp_path, compute):
    barrier = Barrier(2)

    def ask(_):
        barrier.wait()
        return Store(tmp_path / "new").array({"seed": 1}, compute)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))
    assert compute.calls == 1
    np.testing.assert_array_equal(first, second)
    assert not list(tmp_path.rglob("*.part"))


def test_another_key_is_computed(tmp_path, compute):
    for seed in (1, 2, 1):
        Store(tmp_path).array({"seed": seed}, compute)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "empty", "shape", "type"])
def test_damaged_files_are_computed_anew(tmp_path, compute, damage):
    store = Store(tmp_path)
    store.array({}, compute)
    (path,) = tmp_path.glob("*.npy")
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-4])
    elif damage == "bit":
        # the last byte of the last number, before the checksum
        path.write_bytes(whole[:-17] + bytes([whole[-17] ^ 1]) + whole[-16:])
    elif damage == "shape":
        np.save(path, np.zeros((2, 2), dtype=np.float32))
    elif damage == "type":
        np.save(path, np.zeros((3, 2)))
    else:
        path.write_bytes(b"" if damage == "empty" else b"nothing")
    with pytest.warns(ProfilingWarning, match="damaged.*computed anew"):
        again = store.array({}, compute)
    np.testing.assert_array_equal(again, compute.array)
    assert compute.calls == 2
    np.testing.assert_array_equal(store.array({}, compute), compute.array)
    assert compute.calls == 2


# -- rows ------------------------------------------------------------------------------


def test_rows_end_to_end_are_mapped_and_others_copied(rows):
    add(rows, 0, 6)
    mapped = rows.rows(DIGESTS[1:4])
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, PIXELS[1:4])
    for order in ([2, 1], [0, 2], [3, 3], [0, 2, 1, 3]):
        copied = rows.rows([DIGESTS[row] for row in order])
        assert not isinstance(copied, np.memmap)
        np.testing.assert_array_equal(copied, PIXELS[order])
    assert rows.rows([]).shape == (0, *SHAPE)


def test_what_one_writes_another_finds(rows, tmp_path):
    other = open_rows(tmp_path)
    add(rows, 0, 2)
    assert other.absent(DIGESTS) == [0, 1, 2, 3, 4, 5]
    add(other, 2, 5)
    assert other.absent(DIGESTS) == [5]
    rows.refresh()
    np.testing.assert_array_equal(rows.rows(DIGESTS[:5]), PIXELS[:5])
    np.testing.assert_array_equal(open_rows(tmp_path).rows(DIGESTS[:5]), PIXELS[:5])


@pytest.mark.parametrize(
    ("file", "n_bytes"),
    [("rows.bin", -1), ("rows.bin", 7), ("index.bin", -1), ("index.bin", -16)],
)
def test_a_writer_that_did_not_finish(rows, tmp_path, file, n_bytes):
    add(rows, 0, 3)
    (path,) = tmp_path.rglob(file)
    data = path.read_bytes()
    path.write_bytes(data[:n_bytes] if n_bytes < 0 else data + b"x" * n_bytes)
    n_whole = 2 if n_bytes < 0 else 3
    other = open_rows(tmp_path)
    assert other.absent(DIGESTS[:4]) == list(range(n_whole, 4))
    add(other, n_whole, 5)
    np.testing.assert_array_equal(open_rows(tmp_path).rows(DIGESTS[:5]), PIXELS[:5])


def test_a_damaged_row_is_absent_and_can_be_added_again(rows, tmp_path):
    add(rows, 0, 3)
    (path,) = tmp_path.rglob("rows.bin")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    other = open_rows(tmp_path)
    with pytest.warns(ProfilingWarning, match="damaged entries"):
        assert other.absent(DIGESTS[:3]) == [1]
    assert other.absent(DIGESTS[:3]) == [1]  # told once
    add(other, 1, 2)
    last = open_rows(tmp_path)
    for found in (other, last):
        assert found.absent(DIGESTS[:3]) == []
        np.testing.assert_array_equal(found.rows(DIGESTS[:3]), PIXELS[:3])
    add(last, 3, 6)
    np.testing.assert_array_equal(open_rows(tmp_path).rows(DIGESTS), PIXELS)


def test_a_map_stays_while_the_store_grows(rows):
    add(rows, 0, 2)
    mapped = rows.rows(DIGESTS[:2])
    add(rows, 2, 6)
    np.testing.assert_array_equal(mapped, PIXELS[:2])


# -- vectors and texts -----------------------------------------------------------------


def vectors_of(positions):
    return np.array([[p, p + 0.5] for p in positions], np.float32).reshape(-1, 2)


def texts_of(positions):
    return [f"text {p}\n" for p in positions]


def look_up(kind, store, digests, asked):
    def compute(positions):
        asked.extend(positions)
        return (vectors_of if kind == "vectors" else texts_of)(positions)

    if kind == "vectors":
        return cached_vectors(store, {"model": 1}, digests, 2, compute).tolist()
    return cached_texts(store, {"model": 1}, digests, compute)


@pytest.mark.parametrize("kind", ["vectors", "texts"])
@pytest.mark.parametrize("stored", [False, True])
def test_only_new_inputs_are_computed(tmp_path, kind, stored):
    store = Store(tmp_path) if stored else None
    asked: list[int] = []
    first = look_up(kind, store, DIGESTS[:4], asked)
    assert look_up(kind, store, DIGESTS, asked)[:4] == first
    assert asked == ([0, 1, 2, 3, 4, 5] if stored else [*range(4), *range(6)])
    assert len(look_up(kind, store, [], asked)) == 0
    assert bool(list(tmp_path.iterdir())) == stored


def test_a_damaged_text_is_computed_anew(tmp_path):
    store, asked = Store(tmp_path), []
    expected = look_up("texts", store, DIGESTS, asked)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"text 2", b"test 2"))
    asked.clear()
    with pytest.warns(ProfilingWarning, match="damaged entries"):
        assert look_up("texts", store, DIGESTS, asked) == expected
    assert look_up("texts", store, DIGESTS, asked) == expected
    assert asked == [2]


# -- folders that cannot be used -------------------------------------------------------


def look_up_all(store):
    """Ask for an array, vectors and texts; the result and what was computed."""
    asked: list[int] = []
    array = store.array({}, lambda: np.arange(3.0, dtype=np.float32))
    found = [look_up(kind, store, DIGESTS, asked) for kind in ("vectors", "texts")]
    return [array.tolist(), *found], asked


def no_space(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("kind", ["file", "full", "no locks"])
def test_a_folder_that_cannot_be_used_is_told_once(tmp_path, monkeypatch, kind):
    folder = tmp_path / "cache"
    expected, _ = look_up_all(Store(tmp_path / "other"))
    if kind == "file":
        folder.touch()
    elif kind == "full":
        monkeypatch.setattr("sklearn_profiling._store.write_atomically", no_space)
        monkeypatch.setattr("sklearn_profiling._store._write_at", no_space)
    else:
        monkeypatch.setattr(FileLock, "acquire", no_space)
    with pytest.warns(ProfilingWarning, match="cannot be used.*done without") as told:
        found, asked = look_up_all(Store(folder))
    assert found == expected
    assert asked == [*range(6), *range(6)]
    assert len(told) == 1


def test_what_is_stored_is_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    expected, _ = look_up_all(Store(tmp_path))
    monkeypatch.setattr(FileLock, "acquire", no_space)
    with pytest.warns(ProfilingWarning, match="cannot be used"):
        found, asked = look_up_all(Store(tmp_path))
    assert (found, asked) == (expected, [])
    wanted = [DIGESTS[2], digest_of(b"new")]
    with pytest.warns(ProfilingWarning, match="cannot be used"):
        found = look_up("vectors", Store(tmp_path), wanted, asked)
    assert (found, asked) == ([[2, 2.5], [1, 1.5]], [1])


@pytest.mark.parametrize("name", ["index.bin", "*.jsonl", "*.npy"])
def test_a_folder_in_place_of_a_file_is_done_without(tmp_path, name):
    expected, _ = look_up_all(Store(tmp_path))
    (path,) = tmp_path.rglob(name)
    path.unlink()
    path.mkdir()
    with pytest.warns(ProfilingWarning, match="cannot be used"):
        assert look_up_all(Store(tmp_path))[0] == expected


def test_rows_that_have_shrunk_since_they_were_counted_are_absent(rows, tmp_path):
    add(rows, 0, 3)
    (path,) = tmp_path.rglob("rows.bin")
    path.write_bytes(b"")
    with pytest.warns(ProfilingWarning, match="cannot be used"):
        assert rows.absent(DIGESTS[:2]) == [0, 1]


def test_texts_are_read_once_however_many_there_are(tmp_path, monkeypatch):
    digests = [digest_of(str(n).encode()) for n in range(1500)]
    store, asked = Store(tmp_path), []
    expected = look_up("texts", store, digests, asked)
    read = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda line: read.append(1) or loads(line))
    assert look_up("texts", store, digests, asked) == expected
    assert len(read) == len(asked) == 1500
