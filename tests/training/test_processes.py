"""Parts of batches, and sums over processes, without starting any process."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import accelerate
import numpy as np
import pytest
import torch
from cases import labels
from contract import exact, make, probabilities, same, users_of
from torch import nn

import sklearn_profiling
from sklearn_profiling.exceptions import MissingDependencyError, ProfilingError
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training import net as net_module
from sklearn_profiling.training import processes as module
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.callbacks import EpochProgress
from sklearn_profiling.training.losses import MultiTaskLoss
from sklearn_profiling.training.net import set_generator
from sklearn_profiling.training.processes import (
    BatchParts,
    Processes,
    by_first,
    from_first,
    processes_of,
)

N_CLASSES = (2, 3, 3)
# One of two processes would have both users who are labelled for the second task.
CODES = np.array([[0, 1, 0], [1, -1, 1], [-1, 2, 1], [0, -1, -1], [1, -1, 2]])


def one_of(rank=0, n_processes=2, waits=None, device="cpu"):
    return Processes(
        SimpleNamespace(
            process_index=rank,
            num_processes=n_processes,
            device=torch.device(device),
            wait_for_everyone=lambda: waits.append(rank),
        )
    )


def dataset(n_users=5):
    columns = ["fm", "abc", [{"x", "z"}, {"x"}, {"y", "z"}]]
    table = np.empty((n_users, 3), dtype=object)
    for user, row in enumerate(CODES[:n_users]):
        for task, code in enumerate(row):
            table[user, task] = columns[task][code] if code >= 0 else None
    known = LabelCodec.learn(table).encode(table)
    vectors = np.random.RandomState(0).normal(size=(n_users, 4))
    return UserDataset({"v": vectors}, 0, torch.float64, known)


# -- parts of batches ----------------------------------------------------------


@pytest.mark.parametrize("n_processes", [2, 3, 7])
@pytest.mark.parametrize("weights", [[1.0, 2.0, 0.5], None])
def test_losses_and_gradients_of_parts_sum_to_those_of_the_batch(n_processes, weights):
    users, rows = dataset(), [4, 0, 2, 1, 3]
    users.weights.loss[:] = np.arange(1.0, 16.0).reshape(5, 3)
    torch.manual_seed(0)
    heads = [nn.Linear(4, n).double() for n in N_CLASSES]
    loss = MultiTaskLoss(weights, 3).double()
    values = [*loss.parameters(), *(p for head in heads for p in head.parameters())]

    def loss_of(batch, labels):
        return loss([head(batch.sources["v"]) for head in heads], labels)

    whole = loss_of(*users.__getitems__(rows))
    wanted = torch.autograd.grad(whole, values)
    sums = [torch.zeros_like(each) for each in (whole, *values)]
    n_users = 0
    for rank in range(n_processes):
        batch, known = BatchParts(users, one_of(rank, n_processes)).__getitems__(rows)
        n_users += batch.n_users
        assert len(batch.to("cpu")) == len(known.to("cpu").whole.codes) == 5
        part = loss_of(batch, known)
        gradients = torch.autograd.grad(part, values)
        sums = [a + b for a, b in zip(sums, (part, *gradients), strict=True)]
    assert n_users == 5
    for found, each in zip(sums, (whole, *wanted), strict=True):
        torch.testing.assert_close(found, each, rtol=1e-12, atol=1e-12)


def test_parts_share_the_users_of_a_batch():
    rows = np.array([7, 1, 5, 3, 2])
    parts = [one_of(rank, 3).part_of(rows).tolist() for rank in range(3)]
    assert parts == [[7, 3], [1, 2], [5]]
    assert len(BatchParts(dataset(), one_of())) == 5


# -- sums ----------------------------------------------------------------------


@pytest.fixture
def doubled(monkeypatch):
    """Sums over two processes, of which the other holds what this one holds."""
    sent = []

    def reduce(tensor, how):
        assert how == "sum"
        sent.append((tensor.dtype, tensor.numel()))
        return 2 * tensor

    monkeypatch.setattr("accelerate.utils.reduce", reduce)
    monkeypatch.setattr("accelerate.utils.pad_across_processes", lambda each: each)
    monkeypatch.setattr("accelerate.utils.gather", lambda each: torch.cat([each, each]))
    return sent


def test_gradients_are_summed_in_place(doubled, monkeypatch):
    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 100)
    shapes = [(5, 2), (3,), (30,), (2,), (2, 2)]
    values = [nn.Parameter(torch.zeros(shape)) for shape in shapes]
    values[3] = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    for number, value in enumerate(values):
        value.grad = torch.full_like(value, number + 1.0)
    values[1].grad = None
    values[4].grad = values[4].grad.T
    before = [value.grad for value in values]
    total = one_of().sum_up(torch.tensor(1.5), values)
    assert total.item() == 3.0
    assert values[1].grad is None
    for number, (value, gradient) in enumerate(zip(values, before, strict=True)):
        assert value.grad is gradient
        if gradient is not None:
            assert (gradient == 2.0 * (number + 1)).all()
    # The loss and two flags a parameter; then 40 and 120 bytes, and another precision.
    sizes = [(torch.float32, 10), (torch.float32, 30), (torch.float64, 2)]
    assert doubled == [(torch.float64, 11), *sizes, (torch.float32, 4)]


def test_gradients_that_another_process_alone_has(monkeypatch):
    monkeypatch.setattr("accelerate.utils.reduce", lambda each, how: each + 1.0)
    monkeypatch.setattr("accelerate.utils.pad_across_processes", lambda each: each)
    monkeypatch.setattr(
        "accelerate.utils.gather",
        lambda each: torch.cat(
            [each, torch.ones(1, *each.shape[1:], dtype=each.dtype)]
        ),
    )
    value = nn.Parameter(torch.zeros(3, 2))
    one_of().sum_up(torch.tensor(0.0), [value])
    # By those flags it is sparse there, and of the second row.
    assert value.grad.to_dense().tolist() == [[0, 0], [1, 1], [0, 0]]
    value.grad = None
    monkeypatch.setattr(
        "accelerate.utils.reduce",
        lambda each, how: torch.tensor([0.0, 1.0, 0.0]) if len(each) == 3 else each + 4,
    )
    one_of().sum_up(torch.tensor(0.0), [value])
    assert value.grad.tolist() == [[4, 4]] * 3


def test_rows_of_sparse_gradients_are_added(doubled):
    table = nn.Embedding(6, 2, sparse=True)
    table(torch.tensor([4, 1, 4])).sum().backward()
    wanted = 2 * table.weight.grad.to_dense()
    one_of().sum_up(torch.tensor(0.0), [table.weight])
    gradient = table.weight.grad
    assert gradient.is_sparse
    assert gradient.indices().tolist() == [[1, 4]]
    assert torch.equal(gradient.to_dense(), wanted)


# -- what the first process has, and has to be equal ---------------------------


def test_all_take_the_tensors_of_the_first(monkeypatch):
    first = iter([torch.arange(6.0), torch.tensor([7], dtype=torch.int16)])

    def broadcast(content):
        content.copy_(next(first).view(torch.uint8))

    monkeypatch.setattr("accelerate.utils.broadcast", broadcast)
    layer = nn.Parameter(torch.zeros(2, 3))
    turned = layer.detach().new_zeros(0)
    step = torch.zeros((), dtype=torch.int16)
    one_of(1).share([layer, turned, step])
    assert layer.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert step.item() == 7


def test_the_first_acts_and_the_others_wait():
    done, waits = [], []
    by_first(None, lambda: done.append("alone"))
    by_first(one_of(0, waits=waits), lambda: done.append("first"))
    by_first(one_of(1, waits=waits), lambda: done.append("second"))
    assert done == ["alone", "first"]
    assert waits == [0, 1]


def test_what_differs_is_named(monkeypatch):
    others = []
    monkeypatch.setattr(
        "accelerate.utils.gather_object", lambda own: [*own, *(others or own)]
    )
    facts = {"labels": np.arange(3), "source 'text'": ["a"]}
    one_of().require_same("Net", facts)
    monkeypatch.setattr(
        "accelerate.utils.gather_object",
        lambda own: [*own, {"labels": own[0]["labels"], "source 'tweets'": "0"}],
    )
    with pytest.raises(ProfilingError, match=r"^Net: processes 0 and 1 of 2") as error:
        one_of().require_same("Net", facts)
    assert "the same source 'text', source 'tweets'; every" in str(error.value)


def test_a_value_of_the_first(monkeypatch):
    monkeypatch.setattr("accelerate.utils.broadcast_object_list", lambda own: ["first"])
    assert from_first("own", "cpu") == "own"
    monkeypatch.setattr(module, "processes_of", lambda device: one_of(1))
    assert from_first("own", "cpu") == "first"


# -- which processes -----------------------------------------------------------


@pytest.fixture
def launched(monkeypatch):
    """Be the second of two processes, as accelerate tells."""
    asked = []

    def state(cpu):
        asked.append(cpu)
        return SimpleNamespace(
            process_index=1, num_processes=2, device=torch.device("cpu")
        )

    monkeypatch.setattr(accelerate, "PartialState", state)
    with sklearn_profiling.config_context(data_parallel=True):
        yield asked


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_processes_of_a_launch(device, launched, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = processes_of(device)
    assert (found.rank, found.n_processes, found.is_first) == (1, 2, False)
    assert launched == [True]


def test_a_device_of_another_kind_is_refused(launched):
    with pytest.raises(ProfilingError, match=r"'cuda' cannot be used .* for 'cpu'"):
        processes_of("cuda")
    assert launched == [False]


def test_without_accelerate_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert processes_of("cpu") is None  # nobody asked
    with (
        sklearn_profiling.config_context(data_parallel=True),
        pytest.raises(MissingDependencyError, match=r"sklearn_profiling\[accelerate\]"),
    ):
        make("MMLUPClassifier").fit(users_of("MMLUPClassifier"), labels())


@pytest.mark.skipif("WORLD_SIZE" in os.environ, reason="launched with others")
def test_a_process_alone_trains_as_it_does_unasked():
    name = "AuxLSTMClassifier"
    users = users_of(name)
    plain = probabilities(make(name).fit(users, labels()), users)
    with sklearn_profiling.config_context(data_parallel=True):
        found = probabilities(make(name).fit(users, labels()), users)
    accelerate.PartialState._reset_state()
    assert same(plain, found)


# -- nets ----------------------------------------------------------------------


def test_a_checkpoint_that_only_some_processes_read(monkeypatch):
    trained = make("AuxLSTMClassifier").fit(users_of("AuxLSTMClassifier"), labels())
    found = SimpleNamespace(restore=lambda net: 2)
    assert trained.net_._restore(found) == 2
    monkeypatch.setattr("accelerate.utils.gather_object", lambda own: [*own, 0])
    trained.net_.processes = one_of()
    with pytest.raises(ProfilingError, match=r"one folder .* found \[2, 0\] epochs"):
        trained.net_._restore(found)


def test_a_batch_for_each_process_at_least(monkeypatch):
    monkeypatch.setattr(net_module, "processes_of", lambda device: one_of(0, 9))
    plan = SimpleNamespace(device="cpu", batch_size=9)
    assert net_module._processes(plan).n_processes == 9
    plan.batch_size = 8
    with pytest.raises(ProfilingError, match=r"batch_size=8 .* their number, 9"):
        net_module._processes(plan)


@pytest.mark.parametrize(("rank", "shown"), [(0, True), (1, False)])
def test_one_bar_is_shown(rank, shown, capsys):
    bar = EpochProgress(2, "fit")
    bar.on_train_begin(SimpleNamespace(processes=one_of(rank)))
    bar.close()
    assert ("fit" in capsys.readouterr().err) is shown


@pytest.fixture
def group_of_one(monkeypatch):
    """Train as a process of a launch does, with no other to sum with."""
    waits = []

    def found(device):
        return one_of(0, 1, waits)

    monkeypatch.setattr(module, "processes_of", found)
    monkeypatch.setattr(net_module, "processes_of", found)
    yield waits
    accelerate.PartialState._reset_state()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MMLUPClassifier", {"early_stopping": True, "bag_of_words": 8, "verbose": 2}),
        ("ProfileGeneratorClassifier", {"joint_modes": ("fusion",), "dropout": 0.0}),
    ],
)
def test_the_part_of_one_process_is_the_batch(name, settings, monkeypatch, capsys):
    settings = {**exact(name), "batch_size": 9, **settings}
    users = users_of(name)
    plain = make(name, **settings).fit(users, labels())
    printed = capsys.readouterr().out
    with monkeypatch.context() as patch:
        for where in (module, net_module):
            patch.setattr(where, "processes_of", lambda device: one_of(0, 1))
        found = make(name, **settings).fit(users, labels())
    assert capsys.readouterr().out.count("\n") == printed.count("\n")
    for one, other in zip(
        probabilities(plain, users), probabilities(found, users), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    assert found.net_.processes is None
    accelerate.PartialState._reset_state()


@pytest.mark.parametrize("stops", [True, False])
def test_the_first_writes_the_checkpoints_of_a_group(stops, group_of_one, tmp_path):
    name = "MMLUPClassifier"
    stopping = {"early_stopping": True, "n_iter_no_change": 1, "learning_rate": 0.5}
    model = make(name, checkpoint=tmp_path, max_epochs=20 if stops else 3)
    model.set_params(**stopping if stops else {}).fit(users_of(name), labels())
    assert (model.n_iter_ < 20) is stops or model.n_iter_ == 3
    # Once an epoch, but for that which is stopped in, and once for the removal.
    assert len(group_of_one) == model.n_iter_ + (not stops)
    assert list(tmp_path.glob("*.checkpoint")) == []


def test_a_process_without_users_in_a_batch_adds_nothing(group_of_one, monkeypatch):
    name = "AuxLSTMClassifier"
    monkeypatch.setattr(Processes, "part_of", lambda self, rows: rows[:0])
    model = make(name).fit(users_of(name), labels())
    assert {epoch["train_loss"] for epoch in model.history_} == {0.0}


def test_each_process_draws_its_own_noise():
    net = make("AuxLSTMClassifier").fit(users_of("AuxLSTMClassifier"), labels()).net_
    drawn = []
    for keys in ((1, 0), (1, 1), (2, 0), (1, 0)):
        net.seed_noise(*keys)
        drawn.append(torch.rand(1, generator=net.noise()[0]).item())
    assert drawn[0] == drawn[3]
    assert len(set(drawn)) == 3
    set_generator(net.module_, None)
    net.seed_noise(1, 0)  # nothing to seed
