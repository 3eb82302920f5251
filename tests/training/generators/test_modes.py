"""Modes of training: what each hides, and which can be trained."""

from __future__ import annotations

import pytest
import torch

from sklearn_profiling.architectures.generators._tokens import (
    ProfileInputs,
    TokenIds,
    TokenRows,
)
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.generators.modes import (
    FusionMode,
    MaskedImageMode,
    MaskedProfileMode,
    TextMode,
    make_modes,
)
from sklearn_profiling.training.generators.text import ProfileText, ProfileWords
from sklearn_profiling.training.generators.tokens import ProfileTokens

IDS = TokenIds(pad=0, end=1, start=0, mask=2, offset=3)
TEXT = ProfileText(
    ["Stars", "Likes"], [["3", "4"], ["tea", "wine"]], [False, True], [(0,), (0,)]
)
WORDS = ProfileWords(TEXT, 3)
TOKENS = ProfileTokens(TEXT, WORDS.encode, IDS, [[(0,), (1,)], [(0, 1), (0,), (1,)]])
LABELS = LabelBatch(
    torch.tensor([[1, 0], [-1, 0], [0, -1]]),
    {1: torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])},
    torch.ones(3, 2),
)


def inputs():
    pixels = torch.full((40, 2, 8, 8), 9, dtype=torch.uint8)
    users = torch.arange(3).repeat_interleave(torch.tensor([20, 15, 5]))
    return ProfileInputs(
        TokenRows.from_lists([[5], [6, 7], []]),
        TokenRows.from_lists([[8] * 400, [9] * 400, []]),
        TokenRows.empty(3),
        FlatImages(pixels, users, 3),
    )


def generator():
    return torch.Generator().manual_seed(0)


def words(ids):
    return [
        "<mask>" if k == 2 else "</s>" if k == 1 else WORDS.words[k - 3] for k in ids
    ]


def test_fusion_reads_all_and_text_the_reviews():
    given = inputs()
    assert FusionMode()(given, LABELS, generator()) is given
    read = TextMode()(given, LABELS, generator())
    assert read.reviews is given.reviews
    assert read.images is None
    assert not len(read.captions.ids)


def test_masked_images_are_black_in_all_channels_at_the_rate():
    given = inputs()
    read = MaskedImageMode(0.3, 2)(given, LABELS, generator())
    black = read.images.pixels == 0
    assert torch.equal(black[:, 0], black[:, 1])
    assert ((read.images.pixels == 9) | black).all()
    assert black.float().mean() == pytest.approx(0.3, abs=0.03)
    assert (read.captions.ids == 2).float().mean() == pytest.approx(0.3, abs=0.05)
    assert (given.images.pixels == 9).all()
    assert read.reviews is given.reviews
    everything = MaskedImageMode(1.0, 2)(given, LABELS, generator())
    assert not everything.images.pixels.any()
    without = ProfileInputs(given.reviews, given.captions, given.profile, None)
    assert MaskedImageMode(0.0, 2)(without, LABELS, generator()).images is None


def test_a_masked_profile_stands_for_the_reviews():
    given = inputs()
    read = MaskedProfileMode(1.0, TOKENS)(given, LABELS, generator())
    assert not len(read.reviews.ids)
    assert read.images is given.images
    rows = [words(read.profile.ids[read.profile.users == u].tolist()) for u in range(3)]
    assert rows == [
        ["Stars", ":", "<mask>", ";", "Likes", ":", "<mask>", ";"],
        ["Likes", ":", "<mask>", ";"],
        ["Stars", ":", "<mask>", ";"],
    ]
    read = MaskedProfileMode(0.0, TOKENS)(given, LABELS, generator())
    first = words(read.profile.ids[read.profile.users == 0].tolist())
    assert first == ["Stars", ":", "4", ";", "Likes", ":", "tea", ",", "wine", ";"]


def test_profiles_to_be_written_leave_missing_labels_out():
    written = TOKENS.written(LABELS)
    rows = [
        words(row[task >= 0].tolist())
        for row, task in zip(written.ids, written.tasks, strict=True)
    ]
    assert rows == [
        ["Stars", ":", "4", ";", "Likes", ":", "tea", ",", "wine", ";", "</s>"],
        ["Likes", ":", "wine", ";", "</s>"],
        ["Stars", ":", "3", ";", "</s>"],
    ]
    assert written.tasks[0].tolist() == [0] * 4 + [1] * 7
    assert written.tasks[2].tolist() == [0] * 5 + [-1] * 6
    assert TOKENS.longest == 12  # with a comma after each class of a set


def test_which_modes_can_be_trained():
    names = ("fusion", "text", "masked_image", "masked_profile")
    rates = {"masked_image": 0.5, "masked_profile": 0.5}

    def made(names, has_images):
        return [*make_modes(names, TOKENS, rates, has_images=has_images)]

    assert made(names, has_images=True) == [*names]
    assert made(names[::-1], has_images=True) == [*names[::-1]]
    assert made(names, has_images=False) == ["fusion"]
    assert made(("text",), has_images=False) == ["text"]
    assert made(("masked_profile",), has_images=False) == ["fusion"]
