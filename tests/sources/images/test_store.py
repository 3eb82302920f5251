"""The store of decoded images: growth, damage, several stores."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest

from sklearn_profiling.sources.images._store import PixelStore, digest_of, store_folder

SHAPE = (3, 2, 2)
DIGESTS = [digest_of(bytes([number])) for number in range(6)]
PIXELS = np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


@pytest.fixture
def store(tmp_path):
    return PixelStore(tmp_path, {"size": [2, 2]}, SHAPE)


def add(store, first, last):
    with store.lock:
        store.refresh()
        store.append(DIGESTS[first:last], PIXELS[first:last])


def again(store):
    other = PixelStore(store.folder.parent, {"size": [2, 2]}, SHAPE)
    other.refresh()
    return other


def test_rows_end_to_end_are_mapped_and_others_copied(store):
    add(store, 0, 6)
    mapped = store.rows(DIGESTS[1:4])
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, PIXELS[1:4])
    for order in ([2, 1], [0, 2], [3, 3], [0, 2, 1, 3]):
        copied = store.rows([DIGESTS[row] for row in order])
        assert not isinstance(copied, np.memmap)
        np.testing.assert_array_equal(copied, PIXELS[order])
    assert store.rows([]).shape == (0, *SHAPE)


def test_what_one_writes_another_finds(store):
    other = again(store)
    add(store, 0, 2)
    assert DIGESTS[0] not in other
    add(other, 2, 5)
    assert DIGESTS[0] in other
    store.refresh()
    np.testing.assert_array_equal(store.rows(DIGESTS[:5]), PIXELS[:5])
    np.testing.assert_array_equal(again(store).rows(DIGESTS[:5]), PIXELS[:5])


@pytest.mark.parametrize(
    ("file", "n_bytes"),
    [("pixels.bin", -1), ("pixels.bin", 7), ("digests.bin", -1), ("digests.bin", -16)],
)
def test_a_writer_that_did_not_finish(store, file, n_bytes):
    add(store, 0, 3)
    path = store.folder / file
    data = path.read_bytes()
    path.write_bytes(data[:n_bytes] if n_bytes < 0 else data + b"x" * n_bytes)
    n_whole = 2 if n_bytes < 0 else 3
    other = again(store)
    assert [digest in other for digest in DIGESTS[:4]] == [
        row < n_whole for row in range(4)
    ]
    add(other, n_whole, 5)
    np.testing.assert_array_equal(again(store).rows(DIGESTS[:5]), PIXELS[:5])


def test_a_map_stays_while_the_store_grows(store):
    add(store, 0, 2)
    mapped = store.rows(DIGESTS[:2])
    add(store, 2, 6)
    np.testing.assert_array_equal(mapped, PIXELS[:2])


def test_other_parameters_have_another_place(tmp_path):
    folders = {
        PixelStore(tmp_path, {"size": size}, (3, *size)).folder
        for size in ([2, 2], [2, 3], [3, 2])
    }
    assert len(folders) == 3


def test_the_folder_of_a_memory_parameter(tmp_path):
    expected = tmp_path / "sklearn_profiling" / "images"
    assert store_folder(None) is None
    assert store_folder(str(tmp_path)) == expected
    assert store_folder(Path(tmp_path)) == expected
    assert store_folder(joblib.Memory(tmp_path)) == expected
    assert store_folder(joblib.Memory(None)) is None
