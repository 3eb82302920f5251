"""Batches: flat text as its definition says, users in the order asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_text import lay_out
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.batches import (
    UserDataset,
    collate_whole,
    flatten_images,
    flatten_text,
)
from sklearn_profiling.training.label_weights import LabelWeights

VOCABULARY = Vocabulary(list("abcd"))


def same(one, other):
    assert one.n_users == other.n_users
    for name in ("ids", "is_word", "segment_lengths", "message_users"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.dtype == second.dtype, name
        assert first.tolist() == second.tolist(), name


def test_flat_text_by_hand():
    text = TokenMessages.from_lists([["ab", "c"], None, ["d"]], VOCABULARY)
    flat = flatten_text(text, 2)
    assert flat.ids.tolist() == [0, 1, 4, 4, 2, 4, 4, 3]
    assert flat.is_word.tolist() == [True, True, False, False, True, False, False, True]
    assert flat.segment_lengths.tolist() == [2, 2, 1, 2, 1]
    assert flat.message_users.tolist() == [0, 0, 2]
    assert (flat.n_users, flat.n_messages) == (3, 3)


texts = st.lists(
    st.lists(st.text("abcd", min_size=1, max_size=4), max_size=3), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(0, 3))
def test_flat_text_is_the_slow_layout(users, gap):
    text = TokenMessages.from_lists(users, VOCABULARY)
    ids = [[["abcd".index(w) for w in message] for message in user] for user in users]
    same(flatten_text(text, gap), lay_out(ids, gap, 4))


def make_bags():
    """Six images for users with 2, 0, 3 and 1 of them; each full of its number."""
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None]
    return ImageBags(np.tile(pixels, (1, 1, 2, 3)), [0, 2, 2, 5, 6])


def test_flat_images_by_hand():
    flat = flatten_images(make_bags()[[2, 1, 0]])
    assert flat.pixels.dtype == torch.uint8
    assert flat.pixels.shape == (5, 1, 2, 3)
    assert flat.pixels[:, 0, 1, 2].tolist() == [2, 3, 4, 0, 1]
    assert flat.image_users.tolist() == [0, 0, 0, 2, 2]
    assert (flat.n_users, flat.n_images) == (3, 5)
    assert flat.positions().tolist() == [0, 1, 2, 0, 1]
    nobody = flatten_images(make_bags()[[1]])
    assert (nobody.n_users, nobody.n_images, nobody.positions().tolist()) == (1, 0, [])


def test_images_come_in_the_order_asked_for():
    bags = make_bags()
    dataset = UserDataset({"i": bags}, 0, torch.float32)
    batch, _ = dataset.__getitems__([3, 1, 0])
    assert batch.sources["i"].pixels[:, 0, 0, 0].tolist() == [5, 0, 1]
    assert batch.sources["i"].image_users.tolist() == [0, 2, 2]
    assert batch.present["i"].tolist() == [True, False, True]
    # a copy: what a net does to its batch leaves the data alone
    batch.sources["i"].pixels.zero_()
    assert bags == make_bags()
    moved = batch.to("meta").sources["i"]
    assert {moved.pixels.device.type, moved.image_users.device.type} == {"meta"}
    assert moved.n_users == 3


def make():
    text = TokenMessages.from_lists(
        [["ab"], None, ["c", "d"], ["a"]], Vocabulary("abcd")
    )
    vectors = np.array(
        [[1.0, 2.0], [3.0, 4.0], [np.nan, np.nan], [7.0, 8.0]], dtype=np.float32
    )
    y = [["m", {"x"}], [None, None], ["f", {"x", "y"}], ["m", {"y"}]]
    labels = LabelCodec.learn(y).encode(y)
    weights = LabelWeights.of_users(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    return text, vectors, labels, weights


def test_users_come_in_the_order_asked_for():
    text, vectors, labels, weights = make()
    dataset = UserDataset(
        {"text": text, "net": vectors}, 1, torch.float64, labels, weights
    )
    assert len(dataset) == 4
    batch, target = dataset.__getitems__([3, 2, 1])
    assert len(batch) == 3
    same(batch.sources["text"], flatten_text(text[[3, 2, 1]], 1))
    # Zeros, not NaN, where the source is missing.
    assert batch.sources["net"].tolist() == [[7.0, 8.0], [0.0, 0.0], [3.0, 4.0]]
    assert batch.sources["net"].dtype == torch.float64
    assert batch.present["text"].tolist() == [True, True, False]
    assert batch.present["net"].tolist() == [True, False, True]
    assert target.codes.tolist() == [[1, 0], [0, 0], [-1, -1]]
    assert target.members[1].tolist() == [[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    assert target.weights.tolist() == [[4.0] * 2, [3.0] * 2, [2.0] * 2]
    assert target.weights.dtype == target.members[1].dtype == torch.float64


def test_one_user_and_no_labels():
    text, vectors, _, _ = make()
    dataset = UserDataset({"text": text, "net": vectors}, 1, torch.float32)
    batch, target = dataset[2]
    same(batch.sources["text"], flatten_text(text[[2]], 1))
    assert target.shape == (0,)
    assert dataset.weights.users.tolist() == [1.0] * 4
    assert collate_whole((batch, target)) == (batch, target)


def test_integers_and_booleans_are_vectors_too():
    numbers = np.array([[1, 0], [0, 1]])
    for kind in (np.int64, np.uint8, bool):
        dataset = UserDataset({"v": numbers.astype(kind)}, 0, torch.float32)
        batch, _ = dataset.__getitems__([1, 0])
        assert batch.sources["v"].tolist() == [[0.0, 1.0], [1.0, 0.0]]
        assert batch.present["v"].all()


def test_batches_do_not_share_memory_with_the_data():
    _, vectors, labels, weights = make()
    dataset = UserDataset({"v": vectors}, 0, torch.float32, labels, weights)
    batch, target = dataset.__getitems__([0, 1, 2, 3])
    for tensor in (batch.sources["v"], target.codes, target.weights):
        tensor.zero_()
    assert vectors[0].tolist() == [1.0, 2.0]
    assert labels.codes[0].tolist() == [1, 0]
    assert weights.users.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_batches_move_as_a_whole(device):
    text, vectors, labels, weights = make()
    dataset = UserDataset(
        {"text": text, "net": vectors}, 1, torch.float32, labels, weights
    )
    batch, target = dataset.__getitems__([0, 2])
    moved, moved_target = batch.to(device), target.to(device)
    tensors = [
        moved.sources["text"].ids, moved.sources["net"], *moved.present.values(),
        moved_target.codes, moved_target.members[1], moved_target.weights,
    ]  # fmt: skip
    assert {tensor.device.type for tensor in tensors} == {device}
    assert moved.n_users == 2


def test_sparse_rows_lie_end_to_end_in_the_order_asked_for():
    rows = sparse.csr_array([[0, 1, 2], [0, 0, 0], [3, 0, 0]], dtype=np.float64)
    dataset = UserDataset({"words": rows}, 0, torch.float32)
    batch, _ = dataset.__getitems__([2, 1, 0])
    columns, values, starts = batch.to("cpu").sources["words"]
    assert columns.dtype == starts.dtype == torch.int64
    assert values.dtype == torch.float32
    assert columns.tolist() == [0, 1, 2]
    assert values.tolist() == [3, 1, 2]
    assert starts.tolist() == [0, 1, 1]
    assert batch.present["words"].tolist() == [True, False, True]
    assert len(dataset) == len(dataset.take(np.array([0, 2]))) + 1 == 3
