"""Encoders of sources, and the vector of a user."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_sources import text_source
from hand_text import lay_out, random_users

from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    SourceDescription,
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    MessageAttention,
)
from sklearn_profiling.architectures.layers.vectors import VectorEncoder
from sklearn_profiling.architectures.mmlup import TextEncoder
from sklearn_profiling.training.net import set_generator

N_WORDS = 12


def text_encoder(seed=0, attention="softmax", trainable=False):
    torch.manual_seed(seed)
    vectors = torch.randn(N_WORDS, 4, dtype=torch.float64)
    source = text_source(N_WORDS, vectors, dtype=torch.float64)
    return TextEncoder(
        word_embedding(source, 4, trainable=trainable),
        DeepTextConvolution(4, 3, (1, 3), 5, 3),
        MessageAttention(5, 2, attention),
        word_dropout=0.0,
        dropout=0.0,
    ).double()


def joined(source_dropout=0.0):
    encoders = {
        "text": text_encoder(),
        "a.b": VectorEncoder(torch.zeros(2), torch.tensor([2.0, 2.0]), 0.0).double(),
    }
    layer = JoinedSources(encoders, source_dropout).double()
    with torch.no_grad():
        for number, missing in enumerate(layer.missing):
            missing.copy_(torch.arange(len(missing)) + 100.0 * (number + 1))
    return layer


def test_vectors_are_centred_and_divided_by_one_number():
    encoder = VectorEncoder(torch.tensor([1.0, 5.0]), torch.tensor([6.0, 8.0]), 0.0)
    rows = torch.tensor([[1.0, 5.0], [51.0, 15.0]])
    size = 50**0.5
    torch.testing.assert_close(
        encoder(rows), torch.tensor([[0.0, 0.0], [50 / size, 10 / size]])
    )
    assert encoder.n_features == 2
    assert list(encoder.parameters()) == []
    assert set(encoder.state_dict()) == {"mean", "size"}


def test_constant_vectors_are_only_centred():
    encoder = VectorEncoder(torch.tensor([1.0]), torch.tensor([0.0]), 0.0)
    assert encoder(torch.tensor([[1.0], [4.0]])).tolist() == [[0.0], [3.0]]


def test_scaled_columns_are_dropped_in_training():
    encoder = VectorEncoder(torch.tensor([1.0]), torch.tensor([2.0]), 0.5)
    set_generator(encoder, torch.Generator().manual_seed(0))
    rows = torch.full((1000, 1), 5.0)
    # Dropped is the mean, not zero before standardising.
    assert sorted(encoder(rows).unique().tolist()) == [0.0, 4.0]
    assert encoder.eval()(rows).unique().tolist() == [2.0]


def test_the_scale_of_text_is_taken_off():
    encoder = text_encoder()
    text = lay_out([[[0, 1, 2], [3]], [[4, 5]], []], 1, N_WORDS)
    bare = encoder(text)
    mean = torch.arange(5.0, dtype=torch.float64)
    encoder.set_scale(mean, torch.tensor([1.0, 2.0, 4.0, 0.0, 0.5]))
    divisor = torch.tensor([1.0, 2.0, 4.0, 1.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(encoder(text), (bare - mean) / divisor)
    # Messages and their weights are what they were.
    weights = encoder.message_weights(text)
    again = torch.zeros(3, 5, dtype=torch.float64).index_add(
        0, text.message_users, weights[:, None] * encoder.messages(text)
    )
    torch.testing.assert_close(again, bare)


@pytest.mark.parametrize("attention", ["softmax", "raw", None])
def test_order_of_messages_users_and_company_do_not_matter(attention):
    generator = np.random.default_rng(5)
    encoder = text_encoder(attention=attention)
    users = random_users(generator, 7, N_WORDS)
    whole = encoder(lay_out(users, 1, N_WORDS))

    backwards = [messages[::-1] for messages in users]
    turned = encoder(lay_out(backwards, 1, N_WORDS))
    torch.testing.assert_close(turned, whole, rtol=0, atol=1e-12)

    order = generator.permutation(7)
    moved = encoder(lay_out([users[i] for i in order], 1, N_WORDS))
    torch.testing.assert_close(moved, whole[order], rtol=0, atol=1e-12)

    for number, user in enumerate(users):
        single = encoder(lay_out([user], 1, N_WORDS))
        torch.testing.assert_close(single[0], whole[number], rtol=0, atol=1e-12)

    # The order of words does matter: it is what filters see.
    reversed_words = [[m[::-1] for m in messages] for messages in users]
    other = encoder(lay_out(reversed_words, 1, N_WORDS))
    assert (other - whole).abs().max() > 1e-3


def test_missing_source_embeddings_serve_exactly_the_users_without_the_source():
    layer = joined().eval()
    users = [[[0, 1]], [], [[2]]]
    vectors = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]).double()
    made = layer(
        {"text": lay_out(users, 1, N_WORDS), "a.b": vectors},
        {
            "text": torch.tensor([True, False, True]),
            "a.b": torch.tensor([True, True, False]),
        },
    )
    assert layer.n_features == made.shape[1] == 7
    encoded = layer.encoder("text")(lay_out(users, 1, N_WORDS))
    # five and two columns, brought to one length, the text to a quarter of it
    text, vector = (made / columns(layer)).split([5, 2], dim=1)
    torch.testing.assert_close(text[[0, 2]], encoded[[0, 2]])
    torch.testing.assert_close(text[1], 100.0 + torch.arange(5).double())
    expected = torch.tensor([[0.5, 1.0], [1.5, 2.0], [200.0, 201.0]])
    torch.testing.assert_close(vector, expected.double())


def columns(layer):
    """Factor of each column of :func:`joined`."""
    text, vector = 0.25 * (32 / 5) ** 0.5, (32 / 2) ** 0.5
    return torch.tensor([text] * 5 + [vector] * 2).double()


def test_a_source_alone_keeps_its_length():
    encoder = VectorEncoder(torch.zeros(2), torch.tensor([3.0, 4.0]), 0.0)
    alone = JoinedSources({"network": encoder}, 0.0)
    rows, there = torch.randn(3, 2), torch.ones(3, dtype=torch.bool)
    made = alone({"network": rows}, {"network": there})
    assert torch.equal(made, encoder(rows))


def test_hidden_sources_get_the_embedding_in_training_alone():
    layer = joined(source_dropout=0.5)
    set_generator(layer, torch.Generator().manual_seed(0))
    users = [[[0, 1]]] * 200
    given = {"text": lay_out(users, 1, N_WORDS), "a.b": torch.zeros(200, 2).double()}
    present = {name: torch.ones(200, dtype=torch.bool) for name in given}
    made = layer(given, present) / columns(layer)
    starts = torch.tensor([100.0, 200.0]).double()
    hidden = made[:, [0, 5]].isclose(starts).unbind(dim=1)
    assert 70 < hidden[0].sum() < 130
    # Each source is hidden on its own.
    assert (hidden[0] != hidden[1]).any()
    evaluated = layer.eval()(given, present) / columns(layer)
    assert not evaluated[:, 0].isclose(starts[0]).any()


def test_gradients_go_to_the_embedding_or_to_the_encoder():
    layer = joined()
    given = {
        "text": lay_out([[[0, 1]], []], 1, N_WORDS),
        "a.b": torch.zeros(2, 2).double(),
    }
    for there in (True, False):
        layer.zero_grad()
        present = {
            "text": torch.tensor([there, False]),
            "a.b": torch.tensor([True, True]),
        }
        made = layer(given, present) / columns(layer)
        (made[:, :5] * torch.arange(1, 6)).sum().backward()
        share = 1 if there else 2
        weights = torch.arange(1, 6).double()
        torch.testing.assert_close(layer.missing[0].grad, share * weights)
        learned = [p.grad for p in layer.encoder("text").parameters()]
        moved = any(g is not None and g.abs().sum() > 0 for g in learned)
        assert moved == there


def test_nobody_has_any_message():
    layer = joined()
    made = layer(
        {"text": lay_out([[], []], 1, N_WORDS), "a.b": torch.zeros(2, 2).double()},
        {name: torch.zeros(2, dtype=torch.bool) for name in ("text", "a.b")},
    )
    expected = [[100.0, 101.0, 102.0, 103.0, 104.0, 200.0, 201.0]] * 2
    torch.testing.assert_close(made / columns(layer), torch.tensor(expected).double())
    made.sum().backward()
    for parameter in layer.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


def test_vectors_of_words_are_standardised():
    vectors = torch.tensor([[1.0, 2.0], [3.0, 2.0], [5.0, 2.0]])
    mean, scale = torch.tensor([3.0, 2.0]).double(), torch.tensor([2.0, 0.0]).double()
    text = SourceDescription("t", "text", 2, mean, scale, n_words=3, vectors=vectors)
    assert text.initial_vectors().tolist() == [[-1, 0], [0, 0], [1, 0]]
    assert text.initial_vectors(torch.tensor([2, 0])).tolist() == [[1, 0], [-1, 0]]
    assert word_embedding(text, 9, trainable=False).table.shape == (4, 2)
    bare = SourceDescription("t", "text", 0, mean[:0], scale[:0], n_words=3)
    assert bare.initial_vectors() is None
    assert word_embedding(bare, 9, trainable=False).table.shape == (4, 9)
