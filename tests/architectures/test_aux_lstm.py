"""LSTM, Aux-LSTM and multi-task LSTM: whole forward passes against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_lstm import dense, linear, part, read_users
from hand_sources import text_source
from hand_text import lay_out, random_users

from sklearn_profiling.architectures import LSTM, AuxLSTM, MultiTaskLSTM
from sklearn_profiling.training.net import set_generator

N_WORDS = 9
N_CLASSES = (2, 3, 4)
USERS = [[[0, 1, 2], [3]], [[4, 5]], [], [[6], [7, 8, 0, 1], [2]], [[1]]]


def source(name="text"):
    return text_source(N_WORDS, torch.randn(N_WORDS, 3), name)


def settings(level, dropout):
    return {
        "level": level,
        "max_words": None,
        "n_hidden": 4,
        "n_dense": 5,
        "n_dimensions": 3,
        "trainable_vectors": True,
        "dropout": dropout,
        "word_dropout": dropout,
        "source_dropout": dropout,
    }


def make_lstm(level="user", dropout=0.0):
    return LSTM([source()], N_CLASSES, **settings(level, dropout))


def make_aux(
    auxiliary="shared", main=1, level="user", dropout=0.0, n_classes=N_CLASSES
):
    return AuxLSTM(
        [source()],
        n_classes,
        main=main,
        auxiliary=auxiliary,
        **settings(level, dropout),
    )


def make_separate(level="user", dropout=0.0):
    return make_aux("separate", 2, level, dropout)


def make_multi(level="user", dropout=0.0):
    return MultiTaskLSTM(
        [source(), source("own")],
        N_CLASSES,
        shared_source="text",
        own_sources=["text", "own", "text"],
        **settings(level, dropout),
    )


def make_concatenated(level="user", dropout=0.0):
    """Own vectors as the shared ones, those of task 1 in another order."""
    words = torch.arange(N_WORDS)
    other = words + 1
    other[2], other[-1] = -1, 0
    return MultiTaskLSTM(
        [source(), source("own")],
        N_CLASSES,
        shared_source="text",
        own_sources=["own", "own", "text"],
        word_vectors="concatenated",
        own_words=[words, other, words],
        **settings(level, dropout),
    )


def build(make, seed=0, **params):
    torch.manual_seed(seed)
    net = make(**params)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            # Zero at first, where mistakes would not show; above zero, so that none of
            # the few units is dead for everybody.
            if "missing" in name or (parameter.requires_grad and "bias" in name):
                parameter.uniform_(0.5, 1.5)
    return net


every_net = pytest.mark.parametrize(
    "make", [make_lstm, make_aux, make_separate, make_multi, make_concatenated]
)
every_level = pytest.mark.parametrize("level", ["user", "message"])


def own_users(users):
    """The same users in another text, of whom some lack it."""
    return [user[:1] if row % 3 else [] for row, user in enumerate(users)]


def batch(users):
    texts = {"text": users, "own": own_users(users)}
    return (
        {name: lay_out(text, 0, N_WORDS) for name, text in texts.items()},
        {
            name: torch.tensor([bool(user) for user in text])
            for name, text in texts.items()
        },
    )


def state_of(net):
    return {name: value.numpy() for name, value in net.state_dict().items()}


def assert_logits(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other, rtol=0, atol=1e-6)


# -- equations -----------------------------------------------------------------


@every_level
def test_lstm_is_its_equations(level):
    net = build(make_lstm, level=level)
    state = state_of(net)
    hidden = dense(state, "dense.", read_users(state, USERS, "text.", 0, level))
    wanted = [linear(state, f"outputs.{task}.", hidden) for task in range(3)]
    assert_logits(net(*batch(USERS)), wanted)


@every_level
def test_aux_lstm_is_its_equations(level):
    """Eq. 11 to 18; task 1 is the main one, 0 and 2 share the auxiliary LSTM."""
    net = build(make_aux, level=level)
    state = state_of(net)
    h_main1 = read_users(state, USERS, "text.", 0, level)
    h_main2 = h_aux = read_users(state, USERS, "text.", 1, level)
    r_aux = dense(state, "auxiliary_dense.0.", h_main2)
    main = dense(state, "task_dense.1.", np.concatenate([h_main1, r_aux], axis=1))
    hidden = [
        dense(state, "task_dense.0.", h_aux),
        main,
        dense(state, "task_dense.2.", h_aux),
    ]
    wanted = [linear(state, f"outputs.{k}.", each) for k, each in enumerate(hidden)]
    assert_logits(net(*batch(USERS)), wanted)


@every_level
def test_separate_auxiliary_lstms(level):
    """One auxiliary LSTM a task, all of them read by the main task 2."""
    net = build(make_separate, level=level)
    state = state_of(net)
    reads = [read_users(state, USERS, "text.", k, level) for k in range(3)]
    helped = [dense(state, f"auxiliary_dense.{k}.", reads[k + 1]) for k in range(2)]
    main = np.concatenate([reads[0], *helped], axis=1)
    hidden = [
        dense(state, "task_dense.0.", reads[1]),
        dense(state, "task_dense.1.", reads[2]),
        dense(state, "task_dense.2.", main),
    ]
    wanted = [linear(state, f"outputs.{k}.", each) for k, each in enumerate(hidden)]
    assert_logits(net(*batch(USERS)), wanted)


def test_a_main_task_alone_is_the_lstm():
    net = build(lambda: make_aux(main=0, n_classes=(2,)))
    state = state_of(net)
    hidden = dense(state, "task_dense.0.", read_users(state, USERS, "text.", 0, "user"))
    assert_logits(net(*batch(USERS)), [linear(state, "outputs.0.", hidden)])


@every_level
def test_multi_task_lstm_may_read_both_vectors_of_a_word(level):
    net = build(make_concatenated, level=level)
    state = state_of(net)
    wanted = []
    for task in range(3):
        own = f"own.{task}."
        tables = [state[f"{own}embedding.table"], state["shared.table"]]
        joined = {
            "embedding.table": np.concatenate(tables, axis=1),
            "missing.0": state[f"{own}missing"],
            **{
                f"lstms.0.lstm.{k}": v
                for k, v in part(state, f"{own}lstm.lstm.").items()
            },
        }
        hidden = dense(state, f"dense.{task}.", read_users(joined, USERS, "", 0, level))
        wanted.append(linear(state, f"outputs.{task}.", hidden))
    assert_logits(net(*batch(USERS)), wanted)
    # where the own text lacks a word its vector begins with zeros
    table = build(make_concatenated).own[1].embedding.table
    assert not table[2].any()
    assert table[0].any()
    assert torch.equal(table[0], build(make_concatenated).own[0].embedding.table[1])


@every_level
def test_multi_task_lstm_joins_own_and_shared_vectors(level):
    net = build(make_multi, level=level)
    state = state_of(net)
    texts = [USERS, own_users(USERS), USERS]
    wanted = []
    for task, text in enumerate(texts):
        own = read_users(state, text, f"own.{task}.", 0, level)
        shared = read_users(state, USERS, "shared.", task, level)
        joined = np.concatenate([own, shared], axis=1)
        hidden = dense(state, f"dense.{task}.", joined)
        wanted.append(linear(state, f"outputs.{task}.", hidden))
    assert_logits(net(*batch(USERS)), wanted)


# -- gradients -----------------------------------------------------------------


@every_net
def test_gradients_reach_every_parameter(make):
    net = build(make)
    users = random_users(np.random.default_rng(6), 40, N_WORDS)
    sum(task.square().sum() for task in net(*batch(users))).backward()
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


@every_net
def test_gradients_are_the_slopes(make):
    net = build(make).double()
    sources, present = batch(USERS)
    learned = [p for p in net.parameters() if p.requires_grad]
    direction = [torch.randn_like(p) for p in learned]

    def loss():
        return sum(task.square().sum() for task in net(sources, present))

    loss().backward()
    # The vector of the gap stands outside of learning.
    slope = sum(
        float((p.grad * d).sum()) for p, d in zip(learned, direction, strict=True)
    )
    values = []
    with torch.no_grad():
        for size in (1e-6, -2e-6):
            for parameter, step in zip(learned, direction, strict=True):
                parameter += size * step
            values.append(float(loss()))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)


def test_which_labels_teach_which_lstm():
    net = build(make_aux)
    users = random_users(np.random.default_rng(6), 40, N_WORDS)

    def taught(task):
        net.zero_grad()
        net(*batch(users))[task].square().sum().backward()
        return [
            any(p.grad is not None and p.grad.any() for p in lstm.parameters())
            for lstm in net.text.lstms
        ]

    assert taught(0) == taught(2) == [False, True]
    assert taught(1) == [True, True]


# -- users ---------------------------------------------------------------------


@every_net
@every_level
def test_a_users_logits_are_its_own(make, level):
    net = build(make, level=level).double().eval()
    users = random_users(np.random.default_rng(3), 9, N_WORDS)
    sources, present = batch(users)
    whole = net(sources, present)
    for user in range(9):
        part = {
            "text": lay_out([users[user]], 0, N_WORDS),
            "own": lay_out([own_users(users)[user]], 0, N_WORDS),
        }
        alone = net(part, {name: there[[user]] for name, there in present.items()})
        for one, other in zip(alone, whole, strict=True):
            torch.testing.assert_close(one[0], other[user], rtol=0, atol=1e-12)


@every_net
def test_a_batch_in_which_nobody_wrote(make):
    net = build(make)
    logits = net(*batch([[], [], []]))
    assert all(torch.isfinite(task).all() for task in logits)
    sum(task.square().sum() for task in logits).backward()
    for parameter in net.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


@every_net
def test_dropout_acts_in_training_alone(make):
    net = build(make, dropout=0.5)
    set_generator(net, torch.Generator().manual_seed(0))
    first, second = net(*batch(USERS)), net(*batch(USERS))
    assert not any(map(torch.equal, first, second))
    net.eval()
    plain = build(make).eval()
    plain.load_state_dict(net.state_dict())
    assert all(map(torch.equal, net(*batch(USERS)), plain(*batch(USERS))))
