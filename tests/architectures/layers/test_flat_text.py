"""Word vectors: looked up, learned or not, zero in gaps."""

from __future__ import annotations

import pytest
import torch
from hand_text import lay_out

from sklearn_profiling.architectures.layers.flat_text import FlatText, WordEmbedding

VECTORS = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)


def test_given_vectors_and_a_zero_for_gaps():
    embedding = WordEmbedding(2, 2, VECTORS)
    assert embedding.gap_id == 2
    found = embedding(torch.tensor([1, 2, 0]))
    assert found.tolist() == [[3.0, 4.0], [0.0, 0.0], [1.0, 2.0]]
    assert found.dtype == torch.float64
    assert list(embedding.parameters()) == []
    assert "table" in embedding.state_dict()
    assert embedding.table.data_ptr() != VECTORS.data_ptr()


def test_without_vectors_they_are_random_of_length_about_one():
    torch.manual_seed(0)
    embedding = WordEmbedding(4000, 25)
    assert [p.shape for p in embedding.parameters()] == [(4001, 25)]
    squares = embedding.table[:-1].square().sum(dim=1)
    assert squares.mean().item() == pytest.approx(1.0, abs=0.02)
    assert embedding.table[-1].abs().sum() == 0


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_the_gap_stays_zero_while_words_learn(vectors):
    embedding = WordEmbedding(2, 2, vectors, trainable=True)
    before = embedding.table.detach().clone()
    optimizer = torch.optim.Adam(embedding.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (embedding(torch.tensor([0, 2, 2, 0])) - 1.0).square().sum().backward()
        assert embedding.table.grad[2].abs().sum() == 0
        optimizer.step()
    assert embedding.table[2].tolist() == [0.0, 0.0]
    assert not torch.equal(embedding.table[0], before[0])


def test_text_moves_as_a_whole():
    text = lay_out([[[0, 1], [1]], []], gap=1, n_words=2)
    moved = text.to("meta")
    assert isinstance(moved, FlatText)
    assert all(part.device.type == "meta" for part in moved[:4])
    assert (moved.n_users, moved.n_messages) == (2, 2)
    assert text.ids.tolist() == [0, 1, 2, 1]
