"""Bags of words: weights and logits against sums over lists of words."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hand_sources import text_source, vector_source
from hand_text import lay_out, random_users

from sklearn_profiling.architectures.layers import bag as module
from sklearn_profiling.architectures.layers.bag import BagLogits, BagOfWords

N_WORDS = 7


def test_keys_are_sorted_on_any_device():
    keys = torch.tensor([3, 1, 2, 1])
    assert module._sorted(keys.clone()).tolist() == keys.sort().values.tolist()
    assert module._sorted(keys.to("meta")).shape == keys.shape


def make_bag(longest, dropout=0.0, source_dropout=0.0, n_outputs=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    bag = BagOfWords(
        N_WORDS,
        n_outputs,
        longest=longest,
        dropout=dropout,
        source_dropout=source_dropout,
    ).double()
    with torch.no_grad():
        bag.table.normal_(generator=generator)
        shares = torch.rand(len(bag.table), generator=generator)
        bag.set_shares(torch.where(shares < 0.1, 0.0, shares).double())
    return bag.eval()


def bucket(words):
    """Row of a sequence, by the definition of the hash."""
    if len(words) == 1:
        return words[0]
    hashed = words[0]
    for word in words[1:]:
        hashed = (hashed * 1_000_003 + word) % (2**31 - 1)
    place = hashed * 1_000_003 % (2**31 - 1) % module.N_BUCKETS
    return N_WORDS + (len(words) - 2) * module.N_BUCKETS + place


def by_hand(bag, user, longest):
    """Sum over the sequences of each length, message by message."""
    total = np.zeros(bag.table.shape[1])
    table, idf = bag.table.detach().numpy(), bag.idf.numpy()
    for length in range(1, longest + 1):
        counts = Counter(
            bucket(message[start : start + length])
            for message in user
            for start in range(len(message) - length + 1)
        )
        weights = {row: (1 + math.log(n)) * idf[row] for row, n in counts.items()}
        norm = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        for row, weight in weights.items():
            factor = module.SCALE * module.PAIRS ** (length - 1) / norm
            total += factor * weight * table[row]
    return total


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("gap", [0, 2])
def test_sums_over_the_sequences_of_each_user(longest, gap, monkeypatch):
    monkeypatch.setattr(module, "N_BUCKETS", 11)  # so that sequences share rows
    bag = make_bag(longest)
    users = random_users(np.random.default_rng(0), 12, N_WORDS)
    found = bag(lay_out(users, gap, N_WORDS)).detach().numpy()
    expected = [by_hand(bag, user, longest) for user in users]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.all(found[-1] == 0)  # no text
    one_by_one = [bag(lay_out([user], gap, N_WORDS))[0] for user in users]
    torch.testing.assert_close(torch.stack(one_by_one), torch.tensor(found))


def test_no_text_at_all_and_words_that_training_has_not_seen():
    bag = make_bag(2)
    assert bag(lay_out([[], []], 1, N_WORDS)).tolist() == [[0.0] * 3] * 2
    bag.set_shares(torch.zeros(len(bag.table)).double())
    outputs = bag(lay_out([[[1, 2]]], 1, N_WORDS))
    assert outputs.tolist() == [[0.0] * 3]
    outputs.sum().backward()
    assert torch.isfinite(bag.table.grad).all()


def test_idf_of_shares():
    bag = make_bag(1)
    shares = torch.tensor([1.0, 0.5, math.exp(-2), 0.0, 1.0, 1.0, 1.0])
    bag.set_shares(shares.double())
    np.testing.assert_allclose(bag.idf[:4], [1.0, 1.0 + math.log(2), 3.0, 0.0])


def test_only_rows_of_written_words_learn():
    bag = make_bag(1)
    bag.set_shares(torch.ones(N_WORDS).double())
    bag(lay_out([[[1, 4]], [[4]]], 1, N_WORDS)).sum().backward()
    written = bag.table.grad.abs().sum(dim=1) > 0
    assert torch.nonzero(written).squeeze(1).tolist() == [1, 4]


def test_sequences_and_whole_texts_are_hidden_in_training():
    users = [[[0, 1, 2, 3, 4, 5, 6]]] * 4000
    text = lay_out(users, 1, N_WORDS)
    bag = make_bag(1, dropout=0.5)
    bag.set_shares(torch.ones(N_WORDS).double())
    whole = bag(text)[0]
    bag.train()
    bag.dropout.generator = torch.Generator().manual_seed(0)
    drawn = bag(text)
    assert len({tuple(row) for row in drawn.tolist()}) > 60  # of 2**7
    torch.testing.assert_close(drawn.mean(dim=0), whole, rtol=0.0, atol=10.0)
    hiding = make_bag(1, source_dropout=0.5).train()
    hiding.hide.generator = torch.Generator().manual_seed(0)
    hidden = (hiding(text) == 0).all(dim=1).double().mean()
    assert 0.4 < hidden < 0.6


def test_logits_of_all_tasks_get_the_bags_of_all_texts():
    sources = [
        text_source(N_WORDS, name="posts"),
        vector_source(torch.zeros(2), torch.ones(2)),
        text_source(N_WORDS, name="comments"),
    ]
    settings = {"longest": 1, "dropout": 0.0, "source_dropout": 0.0}
    bags = BagLogits(sources, (2, 3), **settings).double()
    assert bags.names == ["posts", "comments"]
    users = random_users(np.random.default_rng(1), 5, N_WORDS)
    batch = {
        "posts": lay_out(users, 1, N_WORDS),
        "network": torch.zeros(5, 2),
        "comments": lay_out(users[::-1], 1, N_WORDS),
    }
    present = {name: torch.ones(5, dtype=torch.bool) for name in batch}
    logits = (torch.rand(5, 2).double(), torch.rand(5, 3).double())
    for one, other in zip(bags(batch, present, logits), logits, strict=True):
        assert torch.equal(one, other)  # zero at first
    with torch.no_grad():
        for each in bags.bags:
            each.table.normal_()
    first, second = bags(batch, present, logits)
    expected = sum(
        bag(batch[name]) for name, bag in zip(bags.names, bags.bags, strict=True)
    )
    torch.testing.assert_close(first - logits[0], expected[:, :2])
    torch.testing.assert_close(second - logits[1], expected[:, 2:])
    present["posts"] = present["comments"] = torch.arange(5) > 0
    hidden = bags(batch, present, logits)
    assert torch.equal(hidden[0][0], logits[0][0])
    assert torch.equal(hidden[0][1:], first[1:])
    none = BagLogits(sources, (2, 3), **{**settings, "longest": 0})
    assert none.names == []
    assert none(batch, present, logits) == logits
    assert list(none.parameters()) == []
