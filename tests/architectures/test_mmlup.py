"""MMLUP, Text-CNN and separate tasks: whole forward passes against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_sources import text_source, vector_source
from hand_text import lay_out, random_users

from sklearn_profiling.architectures import MMLUP, TextCNN
from sklearn_profiling.architectures.layers.heads import TaskHeads, dense_stack
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.training.net import set_generator

N_WORDS = 9
N_CLASSES = (2, 3, 4)


SETTINGS = {
    "attention": "softmax",
    "n_filters": 2,
    "kernel_sizes": (1, 3),
    "n_filters_second": 4,
    "kernel_size_second": 3,
    "n_attention": 3,
    "n_shared": 5,
    "n_dimensions": 3,
    "trainable_vectors": True,
    "word_dropout": 0.0,
}


def make(architecture, sources, n_classes, dropout=0.0, **parameters):
    net = architecture(
        sources, n_classes, dropout=dropout, **{**SETTINGS, **parameters}
    )
    with torch.no_grad():
        for missing in net.sources.missing:
            missing.normal_()
    encoder = net.sources.encoder("text")
    encoder.set_scale(torch.randn(4), torch.rand(4) + 0.5)
    return net


def make_mmlup(seed=0, dropout=0.0, source_dropout=0.0, n_classes=N_CLASSES):
    torch.manual_seed(seed)
    sources = [
        text_source(N_WORDS, torch.randn(N_WORDS, 3)),
        vector_source(torch.randn(2), torch.rand(2) + 0.5),
    ]
    return make(
        MMLUP,
        sources,
        n_classes,
        dropout,
        source_dropout=source_dropout,
        n_hidden=(4,),
    )


def make_text_cnn(seed=0):
    torch.manual_seed(seed)
    sources = [text_source(N_WORDS, torch.randn(N_WORDS, 3))]
    return make(TextCNN, sources, N_CLASSES, source_dropout=0.0, n_hidden=(4, 3))


def batch(users, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(len(users), 2))
    present = np.arange(len(users)) % 3 != 1
    return (
        {"text": lay_out(users, 1, N_WORDS), "network": torch.tensor(vectors).float()},
        {
            "text": torch.tensor([bool(user) for user in users]),
            "network": torch.tensor(present),
        },
    )


def relu(values):
    return np.maximum(values, 0.0)


def convolve(words, weight, bias):
    """Eq. 2 by its letters: words (n, d_in), weight (d_out, d_in, width)."""
    half = weight.shape[2] // 2
    padded = np.pad(words, ((half, half), (0, 0)))
    return np.array(
        [
            [
                (padded[i : i + 2 * half + 1].T * filter_).sum() + b
                for filter_, b in zip(weight, bias, strict=True)
            ]
            for i in range(len(words))
        ]
    )


def numpy_text(state, users, prefix):
    """h_T of each message, attention, m of each user: eq. 2 to 5."""

    def get(name):
        return state[prefix + name].astype(np.float64)

    vectors = []
    for user in users:
        messages = []
        for ids in user:
            words = get("embedding.table")[ids]
            maps = [
                relu(
                    convolve(
                        words,
                        get(f"convolution.first.{k}.weight"),
                        get(f"convolution.first.{k}.bias"),
                    )
                )
                for k in range(2)
            ]
            maps = convolve(
                np.concatenate(maps, axis=1),
                get("convolution.second.weight"),
                get("convolution.second.bias"),
            )
            messages.append(relu(maps).max(axis=0))
        joined = np.zeros(4)
        if messages:
            h = np.array(messages)
            hidden = np.tanh(
                h @ get("attention.hidden.weight").T + get("attention.hidden.bias")
            )
            e = np.exp(hidden @ get("attention.score.weight")[0])
            joined = (e / e.sum()) @ h
        vectors.append((joined - get("mean")) / get("scale"))
    return np.array(vectors)


def numpy_dense(state, prefix, values):
    weight = state[prefix + ".weight"].astype(np.float64)
    return values @ weight.T + state[prefix + ".bias"]


def numpy_sources(net, users, sources, present):
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    text = numpy_text(state, users, "sources.encoders.0.")
    there = present["text"].numpy()[:, None]
    parts = [np.where(there, text, state["sources.missing.0"])]
    if "sources.encoders.1.mean" in state:
        vectors = (
            sources["network"].numpy() - state["sources.encoders.1.mean"]
        ) / state["sources.encoders.1.size"]
        there = present["network"].numpy()[:, None]
        parts.append(np.where(there, vectors, state["sources.missing.1"]))
    if len(parts) > 1:  # to a mean square length of 32, the text to a quarter
        parts = [part * (32 / part.shape[1]) ** 0.5 for part in parts]
        parts[0] = parts[0] / 4
    return state, np.concatenate(parts, axis=1)


USERS = [[[0, 1, 2], [3]], [[4, 5]], [], [[6], [7, 8, 0, 1], [2]], [[1]]]


def test_mmlup_is_its_equations():
    net = make_mmlup()
    sources, present = batch(USERS)
    logits = net(sources, present)
    state, joined = numpy_sources(net, USERS, sources, present)
    shared = relu(numpy_dense(state, "heads.shared", joined))
    for task, (found, n_classes) in enumerate(zip(logits, N_CLASSES, strict=True)):
        assert found.shape == (5, n_classes)
        hidden = relu(numpy_dense(state, f"heads.tasks.{task}.0", shared))
        wanted = numpy_dense(state, f"heads.tasks.{task}.2", hidden)
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=1e-6)


def test_text_cnn_is_its_equations():
    net = make_text_cnn()
    sources, present = batch(USERS)
    logits = net(sources, present)
    state, joined = numpy_sources(net, USERS, sources, present)
    shared = relu(numpy_dense(state, "heads.shared", joined))
    for task, found in enumerate(logits):
        hidden = shared
        for layer in (0, 2):
            hidden = relu(numpy_dense(state, f"heads.tasks.{task}.{layer}", hidden))
        wanted = numpy_dense(state, f"heads.tasks.{task}.4", hidden)
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [make_mmlup, make_text_cnn])
def test_a_users_logits_are_its_own(make):
    """Company, order and the values behind a missing source change nothing."""
    net = make().double().eval()
    users = random_users(np.random.default_rng(3), 9, N_WORDS)
    sources, present = batch(users)
    sources["network"] = sources["network"].double()
    whole = net(sources, present)
    order = np.random.default_rng(4).permutation(9)[:6]
    part_sources = {
        "text": lay_out([users[i][::-1] for i in order], 1, N_WORDS),
        "network": sources["network"][order].clone(),
    }
    part_present = {name: there[order] for name, there in present.items()}
    part_sources["network"][~part_present["network"]] = 1e6
    part = net(part_sources, part_present)
    for one, other in zip(part, whole, strict=True):
        torch.testing.assert_close(one, other[order], rtol=0, atol=1e-10)


@pytest.mark.parametrize("make", [make_mmlup, make_text_cnn])
def test_every_parameter_learns_and_the_gap_stays_zero(make):
    # A seed under which no unit of the few is dead for everybody.
    net = make(4)
    users = random_users(np.random.default_rng(6), 40, N_WORDS)
    sources, present = batch(users)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        sum(task.square().sum() for task in net(sources, present)).backward()
        optimizer.step()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        assert not torch.equal(parameter, before[name]), name
    table = net.sources.encoder("text").embedding.table
    assert table[-1].tolist() == [0.0, 0.0, 0.0]


def test_dropout_acts_in_training_alone():
    net = make_mmlup(dropout=0.5, source_dropout=0.5)
    set_generator(net, torch.Generator().manual_seed(0))
    sources, present = batch(USERS)
    first, second = net(sources, present)[0], net(sources, present)[0]
    assert not torch.equal(first, second)
    net.eval()
    plain = make_mmlup()(sources, present)
    for one, other in zip(net(sources, present), plain, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("make", [make_mmlup, make_text_cnn])
def test_a_batch_in_which_nobody_wrote(make):
    net = make()
    sources, present = batch([[], [], []])
    logits = net(sources, present)
    assert all(torch.isfinite(task).all() for task in logits)
    sum(task.sum() for task in logits).backward()
    for parameter in net.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


def test_separate_tasks_share_nothing():
    nets = [make_mmlup(seed, n_classes=(n,)) for seed, n in enumerate(N_CLASSES)]
    separate = SeparateTasks(nets)
    sources, present = batch(USERS)
    logits = separate(sources, present)
    for task, net in enumerate(nets):
        assert torch.equal(logits[task], net(sources, present)[0])
    owners = [{id(p) for p in net.parameters()} for net in nets]
    assert not owners[0] & owners[1]
    assert not owners[0] & owners[2]
    assert not owners[1] & owners[2]
    assert set().union(*owners) == {id(p) for p in separate.parameters()}
    logits[1].sum().backward()
    assert all(p.grad is None for net in (nets[0], nets[2]) for p in net.parameters())
    assert all(p.grad is not None for p in nets[1].parameters())


def test_heads_by_hand():
    torch.manual_seed(0)
    heads = TaskHeads(3, 4, (5, 3), (2, 6), 0.0).double()
    joined = torch.randn(7, 3, dtype=torch.float64)
    logits = heads(joined)
    assert [task.shape for task in logits] == [(7, 2), (7, 6)]
    shared = (joined @ heads.shared.weight.t() + heads.shared.bias).clamp(min=0)
    for head, task in zip(heads.tasks, logits, strict=True):
        hidden = shared
        for layer in (head[0], head[2]):
            hidden = (hidden @ layer.weight.t() + layer.bias).clamp(min=0)
        wanted = hidden @ head[4].weight.t() + head[4].bias
        torch.testing.assert_close(task, wanted, rtol=0, atol=1e-12)
        # Logits, not probabilities: some are below zero.
        assert (task < 0).any()


def test_without_hidden_layers_a_head_is_linear():
    head = dense_stack(4, (), 2)
    assert torch.equal(head(torch.zeros(1, 4))[0], head[0].bias)
    assert len(list(head.parameters())) == 2


def test_a_task_moves_its_own_head_alone():
    heads = TaskHeads(4, 4, (3,), (2, 2), 0.0)
    heads(torch.ones(2, 4))[0].sum().backward()
    assert all(p.grad is not None for p in heads.tasks[0].parameters())
    assert all(p.grad is None for p in heads.tasks[1].parameters())
