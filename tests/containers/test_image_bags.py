"""ImageBags: the same rows contract as text, over pixels."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils import _safe_indexing

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.containers._ragged import is_mapped
from sklearn_profiling.exceptions import SourceError


def make(counts):
    n_images = sum(counts)
    pixels = np.arange(n_images, dtype=np.uint8)[:, None, None, None]
    pixels = pixels * np.ones((1, 2, 1, 3), dtype=np.uint8)
    return ImageBags(pixels, np.cumsum([0, *counts]))


def names(bags):
    """Each image is filled with its number; so bags read as lists of numbers."""
    return [bags[user][:, 0, 0, 0].tolist() for user in range(len(bags))]


def test_layout():
    bags = make([2, 0, 3])
    assert names(bags) == [[0, 1], [], [2, 3, 4]]
    assert (len(bags), bags.shape, bags.n_images) == (3, (3,), 5)
    assert bags.image_shape == (2, 1, 3)
    assert bags.missing.tolist() == [False, True, False]
    assert repr(bags) == "ImageBags(3 users, 5 images of 2 x 1 x 3)"
    assert bags[-1].shape == (3, 2, 1, 3)
    assert bags[2, ...].tolist() == bags[np.int64(-1)].tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=6), st.data())
def test_slicing_is_list_slicing(counts, data):
    bags = make(counts)
    whole = names(bags)
    bound = st.none() | st.integers(-8, 8)
    step = st.none() | st.integers(-3, 3).filter(bool)
    key = slice(data.draw(bound), data.draw(bound), data.draw(step))
    assert names(bags[key]) == whole[key]
    assert bags[key].image_shape == (2, 1, 3)
    mask = data.draw(st.lists(st.booleans(), min_size=len(bags), max_size=len(bags)))
    chosen = [bag for bag, there in zip(whole, mask, strict=True) if there]
    assert names(bags[np.array(mask, dtype=bool)]) == chosen
    if counts:
        rows = data.draw(st.lists(st.integers(-len(counts), len(counts) - 1)))
        assert names(bags[rows]) == [whole[row] for row in rows]
        assert names(_safe_indexing(bags, rows)) == [whole[row] for row in rows]


def test_equal_content_has_one_hash_however_it_was_cut():
    bags = make([2, 0, 3, 1])
    ways = [
        bags[1:3],
        bags[[1, 2]],
        bags[::-1][1:3][::-1],
        pickle.loads(pickle.dumps(bags))[1:3],
        pickle.loads(pickle.dumps(bags[1:3])),
    ]
    assert len({joblib.hash(way) for way in ways}) == 1
    assert all(way == ways[0] for way in ways)
    assert bags[[2, 1]] != ways[0]
    assert bags[0:2] != ways[0]
    assert joblib.hash(bags[[2, 1]]) != joblib.hash(ways[0])
    assert bags != names(bags)
    with pytest.raises(TypeError, match="unhashable"):
        hash(bags)


def test_pickles_hold_only_what_was_chosen_and_stay_locked():
    starts = np.arange(1001)
    bags = ImageBags(np.zeros((1000, 1, 8, 8), dtype=np.uint8), starts)
    assert len(pickle.dumps(bags[:10])) < len(pickle.dumps(bags)) / 20
    for locked in (bags, bags[2:4], bags[[3]], pickle.loads(pickle.dumps(bags))):
        with pytest.raises(ValueError, match="read-only"):
            locked.pixels[0] = 1


def test_pixels_are_shared_but_the_callers_array_stays_open():
    pixels = np.zeros((2, 1, 1, 1), dtype=np.uint8)
    bags = ImageBags(pixels, [0, 2])
    assert np.shares_memory(bags.pixels, pixels)
    pixels[0] = 7
    assert pixels.flags.writeable


def test_memory_maps_stay_on_disk(tmp_path):
    np.save(tmp_path / "pixels.npy", np.ones((3, 1, 2, 2), dtype=np.uint8))
    bags = ImageBags(np.load(tmp_path / "pixels.npy", mmap_mode="r"), [0, 1, 3])
    assert is_mapped(bags.pixels)
    assert bags[1].sum() == 8


@pytest.mark.parametrize(
    "key", [slice(None), slice(1, 3), slice(None, None, -1), [2, 0], [0, 0], []]
)
def test_users_of_mapped_bags_stay_in_their_file(tmp_path, key):
    bags = make([2, 0, 3, 1])
    joblib.dump(bags, tmp_path / "bags")
    mapped = joblib.load(tmp_path / "bags", mmap_mode="r")
    for chosen, wanted in [
        (mapped[key], bags[key]),
        (mapped[[3, 2, 0]][key], bags[[3, 2, 0]][key]),
    ]:
        assert names(chosen) == names(wanted)
        assert repr(chosen) == repr(wanted)
        assert chosen.images(1, 3).tolist() == wanted.pixels[1:3].tolist()
        assert joblib.hash(chosen) == joblib.hash(wanted)
        assert pickle.loads(pickle.dumps(chosen)) == wanted
        # none of that has read the pixels into memory
        assert is_mapped(chosen._images[0])
        assert chosen == wanted
        assert chosen[::-1] == wanted[::-1]
        with pytest.raises(ValueError, match="read-only"):
            chosen.pixels[:] = 0


@pytest.mark.parametrize(
    ("pixels", "starts", "message"),
    [
        (np.zeros((2, 1, 1, 1)), [0, 2], "must be uint8 .* got float64 of shape"),
        (np.zeros((2, 1, 1), np.uint8), [0, 2], r"got uint8 of shape \(2, 1, 1\)"),
        (np.zeros((2, 1, 1, 1), np.uint8), [0, 1], "end with 2, the number of elem"),
        (
            np.zeros((2, 1, 1, 1), np.uint8),
            [0, 3, 2],
            "user_starts must be non-decreasing",
        ),
    ],
)
def test_what_is_refused(pixels, starts, message):
    with pytest.raises(SourceError, match=message):
        ImageBags(pixels, starts)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (2, "user 2 is out of bounds: there are 2 users"),
        ((-3, ...), "user -3 is out of bounds"),
        ([2], "row 2 is out of bounds"),
        ([True], "mask must have 2 entries"),
    ],
)
def test_rows_that_are_not_there(key, message):
    with pytest.raises(IndexError, match=message):
        make([1, 1])[key]


def test_the_first_of_each():
    bags = make([3, 0, 1])
    assert names(bags.first_of_each(2)) == [[0, 1], [], [3]]
    assert bags.first_of_each(3) is bags
    assert bags.first_of_each(None) is bags
