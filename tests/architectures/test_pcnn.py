"""PCNN and bow-CNN: the whole net by hand, on a few users."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_sources import text_source
from hand_text import lay_out, random_users
from hand_windows import convolve, cut, leave_out

from sklearn_profiling.architectures import PCNN, BowCNN
from sklearn_profiling.architectures.pcnn import (
    WindowConvolution,
    WindowEmbedding,
    WindowEncoder,
    drop_repeated,
    text_windows,
)

USERS = [[[0, 1, 2], [3, 0]], [], [[4]], [[1, 1, 1], [1], [1, 2, 3, 4, 0]]]
N_WORDS_OF_NET, N_NODES, N_UNITS = 5, 3, 2


def make_net(architecture, sizes):
    torch.manual_seed(0)
    net = architecture(
        [text_source(N_WORDS_OF_NET)],
        [2, 4],
        word_numbers=torch.arange(N_WORDS_OF_NET),
        window_sizes=sizes,
        stride=[2] * len(sizes),
        windows=["bag"] * len(sizes),
        variable_stride=True,
        n_nodes=N_NODES,
        n_units=N_UNITS,
        trainable_vectors=False,
        dropout=0.5,
        source_dropout=0.0,
    ).double()
    for name, parameter in net.named_parameters():
        if "bias" in name or "missing" in name:
            torch.nn.init.normal_(parameter)
    return net, list(net.sources.encoder("text").convolutions)


def logits_of(net, users):
    present = torch.tensor([bool(user) for user in users])
    return net({"text": lay_out(users, 0, N_WORDS_OF_NET)}, {"text": present})


@pytest.mark.parametrize(
    ("architecture", "sizes"), [(BowCNN, [3]), (PCNN, [2, 3]), (PCNN, [1, 4, 20])]
)
def test_logits_by_hand(architecture, sizes):
    net, layers = make_net(architecture, sizes)
    net.eval()
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    rows = []
    for user in USERS:
        words = [word for message in user for word in message]
        units = [
            convolve(
                words,
                layer.embedding.words.table.detach().numpy()[:-1],
                layer.embedding.bias.detach().numpy(),
                size=layer.size,
                stride=2,
                variable=True,
                ordered=False,
                n_units=N_UNITS,
            )
            for layer in layers
        ]
        rows.append(np.concatenate(units) if user else state["sources.missing.0"])
    for task, scores in enumerate(logits_of(net, USERS)):
        weight = state[f"outputs.{task}.weight"]
        expected = np.array(rows) @ weight.T + state[f"outputs.{task}.bias"]
        np.testing.assert_allclose(scores.detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("architecture", "sizes"), [(BowCNN, [3]), (PCNN, [2, 3])])
def test_gradients_reach_every_parameter(architecture, sizes):
    net, _ = make_net(architecture, sizes)
    net.eval()
    sum(scores.square().sum() for scores in logits_of(net, USERS)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_hides_pooling_units_in_training():
    net, _ = make_net(BowCNN, [3])
    torch.manual_seed(1)
    first, second = logits_of(net, USERS)[0], logits_of(net, USERS)[0]
    assert not torch.equal(first, second)
    net.eval()
    assert torch.equal(logits_of(net, USERS)[0], logits_of(net, USERS)[0])


N_WORDS = 6


def cut_all(documents, size, stride):
    words = torch.tensor([word for d in documents for word in d], dtype=torch.int64)
    lengths = torch.tensor([len(d) for d in documents])
    return text_windows(words, lengths, size=size, stride=stride, no_word=N_WORDS)


def fill(window, size):
    return window + [N_WORDS] * (size - len(window))


def random_documents(seed, n_users=12):
    generator = np.random.default_rng(seed)
    users = random_users(generator, n_users, N_WORDS)
    return [[word for message in user for word in message] for user in users]


def make(size, *, ordered=False, stride=2, variable=True, vectors=None, seed=0):
    torch.manual_seed(seed)
    embedding = WindowEmbedding(N_WORDS, size, 4, ordered=ordered, vectors=vectors)
    torch.nn.init.normal_(embedding.bias)
    return WindowConvolution(
        embedding, size=size, stride=stride, variable_stride=variable, n_units=3
    ).double()


def encode(layer, documents):
    words = torch.tensor([word for d in documents for word in d], dtype=torch.int64)
    return layer(words, torch.tensor([len(d) for d in documents]))


def test_windows_by_hand():
    windows = cut_all([[0, 1, 2, 3, 4], [], [5]], 3, 2)
    assert windows.ids.tolist() == [[0, 1, 2], [2, 3, 4], [5, 6, 6]]
    assert windows.users.tolist() == [0, 0, 2]
    assert windows.counts.tolist() == [2, 0, 1]
    # what the last window lacks is filled
    assert cut_all([[0, 1, 2, 3]], 3, 2).ids.tolist() == [[0, 1, 2], [2, 3, 6]]


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_windows_are_those_cut_by_loops(size, stride):
    documents = random_documents(size)
    windows = cut_all(documents, size, stride)
    expected = [fill(r, size) for d in documents for r in cut(d, size, stride)]
    assert windows.ids.tolist() == expected
    counts = [len(cut(d, size, stride)) for d in documents]
    assert windows.counts.tolist() == counts


def test_equal_bags_are_left_out():
    # 0 1 | 1 0 | 0 1 have one bag, so do the windows of another user
    windows = cut_all([[0, 1, 0, 1, 2], [2, 1, 2]], 2, 1)
    bags = drop_repeated(windows, ordered=False)
    assert bags.ids.tolist() == [[0, 1], [1, 2], [2, 1]]
    assert bags.users.tolist() == [0, 0, 1]
    sequences = drop_repeated(windows, ordered=True)
    assert sequences.ids.tolist() == windows.ids.tolist()
    # a word twice is another bag than a word once
    counted = drop_repeated(cut_all([[0, 0, 1, 1]], 3, 1), ordered=False)
    assert counted.ids.tolist() == [[0, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize("ordered", [False, True])
def test_repeated_windows_are_those_found_by_loops(ordered):
    generator = np.random.default_rng(5)
    documents = [generator.integers(0, 2, n).tolist() for n in range(12)]
    found = drop_repeated(cut_all(documents, 3, 1), ordered=ordered)
    expected = [
        fill(window, 3)
        for d in documents
        for window in leave_out(cut(d, 3, 1), N_WORDS, ordered=ordered)
    ]
    assert found.ids.tolist() == expected
    assert len(expected) < sum(len(cut(d, 3, 1)) for d in documents)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("variable", [False, True])
@pytest.mark.parametrize("size", [1, 3, 20])
def test_tables_give_the_product_with_one_hot_vectors(ordered, variable, size):
    layer = make(size, ordered=ordered, variable=variable)
    documents = random_documents(3)
    table = layer.embedding.words.table.detach().numpy()
    assert len(table) == N_WORDS * (size if ordered else 1) + 1
    expected = [
        convolve(
            document,
            table[:-1],
            layer.embedding.bias.detach().numpy(),
            size=size,
            stride=2,
            variable=variable,
            ordered=ordered,
            n_units=3,
        )
        for document in documents
    ]
    found = encode(layer, documents).detach().numpy()
    assert (found[-1] == 0).all()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ordered", [False, True])
def test_given_vectors_take_the_place_of_one_hot_vectors(ordered):
    vectors = torch.randn(N_WORDS, 5, dtype=torch.float64)
    layer = make(3, ordered=ordered, vectors=vectors)
    assert "words.table" not in dict(layer.embedding.named_parameters())
    weights = layer.embedding.weights.weight.detach().numpy().T
    places = weights.reshape(-1, 5, 4)
    # a row of weights for each word, at each place
    rows = np.concatenate([vectors.numpy() @ place for place in places])
    settings = {"size": 3, "stride": 2, "variable": True, "ordered": ordered}
    documents = random_documents(4)
    bias = layer.embedding.bias.detach().numpy()
    expected = [convolve(d, rows, bias, n_units=3, **settings) for d in documents]
    found = encode(layer, documents).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_words_that_do_not_count_keep_their_places():
    layer = make(2, stride=1, variable=False)
    with_gap = encode(layer, [[0, N_WORDS, 1]])
    table = layer.embedding.words.table[:-1].detach().numpy()
    bias = layer.embedding.bias.detach().numpy()
    expected = convolve(
        [0, N_WORDS, 1],
        table,
        bias,
        size=2,
        stride=1,
        variable=False,
        ordered=False,
        n_units=3,
    )
    np.testing.assert_allclose(with_gap[0].detach().numpy(), expected, atol=1e-12)
    assert not torch.allclose(with_gap, encode(layer, [[0, 1]]))


@pytest.mark.parametrize("vectors", [None, torch.ones(N_WORDS, 2)])
@pytest.mark.parametrize("ordered", [False, True])
def test_gradients_reach_every_parameter_of_a_convolution(ordered, vectors):
    torch.manual_seed(0)
    embedding = WindowEmbedding(
        N_WORDS, 3, 4, ordered=ordered, vectors=vectors, trainable=True
    ).double()
    windows = drop_repeated(cut_all(random_documents(1), 3, 2), ordered=ordered)
    embedding(windows.ids).square().sum().backward()
    for name, parameter in embedding.named_parameters():
        rows = parameter.grad[:-1] if name == "words.table" else parameter.grad
        assert (rows != 0).all(), name
    # the row that stands for no word stays zero
    assert (embedding.words.table.grad[-1] == 0).all()


def test_nobody_wrote_anything():
    layer = make(3)
    assert encode(layer, [[], []]).tolist() == [[0.0] * 12] * 2


def test_messages_are_read_end_to_end_whatever_the_gap():
    torch.manual_seed(0)
    # The words 4, 5 and 6 of the text do not count.
    rows = torch.tensor([3, 0, 2, 1, 6, 6, 6])
    encoder = WindowEncoder(rows, [make(2, seed=1), make(5, seed=2)])
    assert encoder.n_features == 2 * 3 * 4
    assert "rows" not in encoder.state_dict()
    users = random_users(np.random.default_rng(2), 9, 7)
    found = encoder(lay_out(users, 0, 7))
    assert torch.equal(found, encoder(lay_out(users, 3, 7)))
    documents = [[int(rows[w]) for message in u for w in message] for u in users]
    parts = [encode(layer, documents) for layer in encoder.convolutions]
    assert torch.equal(found, torch.cat(parts, dim=1))
    # each user alone
    alone = [encoder(lay_out([user], 0, 7)) for user in users]
    torch.testing.assert_close(torch.cat(alone), found, rtol=0, atol=1e-14)


def test_sixteen_bits_are_close():
    layer = make(3, vectors=torch.randn(N_WORDS, 5)).float()
    documents = random_documents(4)
    exact = encode(layer, documents)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encode(layer, documents)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.05
