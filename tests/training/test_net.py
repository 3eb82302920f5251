"""The net behind every estimator: seeds, threads, early stopping, its errors."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_profiling.architectures.layers.bag import TABLE_OPTIONS, BagOfWords
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.net import (
    TrainingPlan,
    _computes_bfloat16,
    apply_to_batches,
    build_module,
    compute_logits,
    make_net,
    train,
)
from sklearn_profiling.training.state import load_numpy_state, state_as_numpy


class Linear(nn.Module):
    """The smallest architecture: one vector source, linear tasks."""

    def __init__(self, n_classes=(2, 3), dropout=0.0):
        super().__init__()
        self.dropout = Dropout(dropout)
        self.tasks = nn.ModuleList(nn.Linear(4, n) for n in n_classes)
        self.register_buffer("steps", torch.zeros(2))

    def forward(self, sources, present):
        given = self.dropout(sources["v"])
        return tuple(task(given) for task in self.tasks)


class Spy(Callback):
    def __init__(self, record):
        self.record = record

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.record["train"] = X
        held_out = net.train_split
        self.record["valid"] = held_out.keywords["valid_ds"] if held_out else None

    def on_epoch_end(self, net, **kwargs):
        self.record.setdefault("states", []).append(state_as_numpy(net.module_))

    def __deepcopy__(self, memo):
        return self


def make_plan(**changes):
    plan = TrainingPlan(
        loss_weights=[1.0, 1.0],
        learning_rate=0.05,
        weight_decay=0.0,
        batch_size=16,
        max_epochs=3,
        early_stopping=False,
        validation_fraction=0.25,
        n_iter_no_change=2,
        callbacks=[],
        device="cpu",
        dtype="float64",
        verbose=0,
        seed=5,
    )
    return dataclasses.replace(plan, **changes)


def make_data(n_users=60, seed=0, dtype=torch.float64, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_users, 4))
    scores = X + noise * rng.normal(size=X.shape)
    y = np.column_stack([scores[:, 0] > 0, scores[:, 1:].argmax(axis=1)]).astype(int)
    labels = LabelCodec.learn(y).encode(y)
    return UserDataset({"v": X}, 0, dtype, labels)


def fit(plan, data=None, epochs=None, dropout=0.0):
    module = build_module(lambda: Linear(dropout=dropout), plan.seed, plan.dtype)
    net = make_net(module, 2, plan)
    data = make_data() if data is None else data
    train(net, data, plan, epochs=plan.max_epochs if epochs is None else epochs)
    return net


def same_state(one, other):
    one, other = state_as_numpy(one), state_as_numpy(other)
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


# -- building ------------------------------------------------------------------


def test_the_seed_alone_decides_the_start():
    before = torch.get_rng_state()
    first = build_module(Linear, 7, "float32")
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert same_state(build_module(Linear, 7, "float32"), first)
    assert not same_state(build_module(Linear, 8, "float32"), first)
    torch.set_rng_state(before)


def test_the_start_is_the_same_in_threads():
    def wide():
        return nn.Sequential(*[nn.Linear(50, 50) for _ in range(20)])

    wanted = [build_module(wide, seed, "float32") for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda s: build_module(wide, s, "float32"), range(8)))
    assert all(map(same_state, found, wanted))


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("float32", torch.float32),
        ("float64", torch.float64),
        ("bfloat16", torch.float32),
    ],
)
def test_precision_of_the_parameters(dtype, wanted):
    module = build_module(Linear, 0, dtype)
    assert {p.dtype for p in module.parameters()} == {wanted}


def test_a_failed_build_gives_the_generator_back():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        build_module(lambda: 1 / 0, 0, "float32")
    assert torch.equal(torch.get_rng_state(), before)
    build_module(Linear, 0, "float32")


# -- training ------------------------------------------------------------------


def test_it_learns_what_it_is_shown():
    data = make_data(300, noise=0.0)
    plan = make_plan(max_epochs=60)
    net = fit(plan, data)
    losses = net.history[:, "train_loss"]
    assert losses[-1] < 0.4 * losses[0]
    for task, logits in enumerate(compute_logits(net, data)):
        hits = logits.argmax(dim=1).numpy() == data.labels.codes[:, task]
        assert hits.mean() > 0.95


def test_a_step_is_adams_step_by_hand():
    data, plan = make_data(10), make_plan(max_epochs=1, weight_decay=0.1)
    net = fit(plan, data)
    module = build_module(Linear, plan.seed, plan.dtype)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05, weight_decay=0.1)
    logits = module({"v": torch.tensor(data.sources["v"])}, {})
    codes = torch.tensor(data.labels.codes)
    loss = sum(
        nn.functional.cross_entropy(logits[task], codes[:, task]) for task in range(2)
    )
    loss.backward()
    optimizer.step()
    for one, other in zip(net.module_.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
    assert net.history[0, "train_loss"] == pytest.approx(loss.item())


def test_the_seed_decides_everything_and_the_global_generators_nothing():
    plan = make_plan()
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()
    first = fit(plan, dropout=0.3)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state[1]).all()
    torch.rand(1)
    assert same_state(fit(plan, dropout=0.3).module_, first.module_)
    other = fit(make_plan(seed=6), dropout=0.3)
    assert not same_state(other.module_, first.module_)
    torch.set_rng_state(torch_state)


def test_threads_change_nothing():
    plans = [make_plan(seed=seed) for seed in range(4)]
    wanted = [fit(plan, dropout=0.3).module_ for plan in plans]
    with ThreadPoolExecutor(4) as pool:
        found = [n.module_ for n in pool.map(lambda p: fit(p, dropout=0.3), plans)]
    assert all(map(same_state, found, wanted))


def test_training_goes_on_where_it_stood():
    plan, data = make_plan(), make_data()
    net = fit(plan, data, epochs=2)
    train(net, data, plan, epochs=3)
    assert len(net.history) == 5
    assert same_state(net.module_, fit(plan, data, epochs=5).module_)


def test_learned_weights_of_tasks_are_trained():
    net = fit(make_plan(loss_weights=None, max_epochs=5))
    assert (net.criterion_.log_variances.detach() != -0.5).all()
    assert net.criterion_.log_variances.dtype == torch.float64


def test_the_users_callbacks_are_used():
    class Counting(Callback):
        calls = 0

        def on_epoch_end(self, net, **kwargs):
            self.calls += 1

    mine = Counting()
    net = fit(make_plan(callbacks=[("mine", mine)]))
    assert mine.calls == 3
    assert dict(net.callbacks_)["mine"] is mine


def test_silence_a_bar_and_lines(capsys):
    fit(make_plan())
    assert capsys.readouterr() == ("", "")
    fit(make_plan(verbose=1))
    output, errors = capsys.readouterr()
    assert output == ""
    assert "3/3" in errors
    fit(make_plan(verbose=2))
    output, errors = capsys.readouterr()
    assert "train_loss" in output
    assert errors == ""


# -- early stopping ------------------------------------------------------------


def test_early_stopping_holds_users_out_and_takes_the_best_epoch():
    record = {}
    data = make_data(40, noise=3.0)
    plan = make_plan(
        early_stopping=True, max_epochs=100, learning_rate=0.3,
        callbacks=[("spy", Spy(record))],
    )  # fmt: skip
    net = fit(plan, data)
    losses = net.history[:, "valid_loss"]
    best = int(np.argmin(losses))
    assert len(losses) < 100
    assert best == len(losses) - 1 - plan.n_iter_no_change
    for name, values in state_as_numpy(net.module_).items():
        assert np.array_equal(values, record["states"][best][name])

    parts = [record[part].sources["v"] for part in ("train", "valid")]
    assert [len(part) for part in parts] == [30, 10]
    together = np.concatenate(parts)
    order = np.lexsort(together.T), np.lexsort(data.sources["v"].T)
    assert np.array_equal(together[order[0]], data.sources["v"][order[1]])
    # Labels and weights came along.
    for part in ("train", "valid"):
        held = record[part]
        for row, vector in enumerate(held.sources["v"]):
            (origin,) = np.flatnonzero((data.sources["v"] == vector).all(axis=1))
            assert (held.labels.codes[row] == data.labels.codes[origin]).all()
    # The net does not carry the users about.
    assert net.train_split is None
    assert not np.isnan(losses).any()


def test_the_users_held_out_do_not_train():
    plan = make_plan(early_stopping=True, max_epochs=2, n_iter_no_change=5)
    record = {}
    data = make_data()
    fit(dataclasses.replace(plan, callbacks=[("spy", Spy(record))]), data)
    held = record["valid"].sources["v"]
    changed = make_data()
    rows = [
        int(np.flatnonzero((data.sources["v"] == vector).all(axis=1))[0])
        for vector in held
    ]
    changed.labels.codes[rows] = 1 - changed.labels.codes[rows].clip(0, 1)
    states = []
    for given in (data, changed):
        record = {}
        fit(dataclasses.replace(plan, callbacks=[("spy", Spy(record))]), given)
        states.append(record["states"])
    for one, other in zip(*states, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_losses_below_zero_stop_early_too():
    plan = make_plan(
        loss_weights=None, early_stopping=True, max_epochs=300, learning_rate=0.05
    )
    net = fit(plan, make_data(200, noise=0.0))
    stopping = dict(net.callbacks_)["early_stopping"]
    assert stopping.threshold_mode == "abs"
    assert min(net.history[:, "valid_loss"]) < 0


def test_early_stopping_tells_when_asked(capsys):
    plan = make_plan(early_stopping=True, max_epochs=100, learning_rate=0.3, verbose=2)
    fit(plan, make_data(40, noise=3.0))
    assert "Stopping since valid_loss has not improved" in capsys.readouterr().out


def test_too_few_users_to_hold_any_out():
    plan = make_plan(early_stopping=True, validation_fraction=0.9)
    with pytest.raises(ProfilingError, match=r"holds out 1 of 1 labelled users .*0.9"):
        fit(plan, make_data(1))


# -- errors --------------------------------------------------------------------


def test_a_loss_that_is_not_finite(capsys):
    plan = make_plan(learning_rate=1e308, verbose=1, early_stopping=True)
    module = build_module(Linear, plan.seed, plan.dtype)
    net = make_net(module, 2, plan)
    with pytest.raises(
        ProfilingError, match=r"training diverged.* learning_rate=1e\+308 is too high"
    ):
        train(net, make_data(), plan, epochs=3)
    assert dict(net.callbacks_)["progress"].bar_.disable
    assert net.train_split is None


def test_parameters_that_are_not_finite_are_seen_after_one_step():
    plan = make_plan(learning_rate=float("inf"), max_epochs=1, batch_size=100)
    with pytest.raises(ProfilingError, match="training diverged"):
        fit(plan)


def test_the_bar_closes_when_training_fails(capsys):
    class Fails(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise ZeroDivisionError

    plan = make_plan(verbose=1, early_stopping=True, callbacks=[("fails", Fails())])
    net = make_net(build_module(Linear, 0, "float64"), 2, plan)
    with pytest.raises(ZeroDivisionError):
        train(net, make_data(), plan, epochs=3)
    assert dict(net.callbacks_)["progress"].bar_.disable
    assert net.train_split is None


# -- after training ------------------------------------------------------------


def test_logits_come_in_the_order_of_users_whatever_the_batches():
    net, data = fit(make_plan(), dropout=0.5), make_data(37)
    whole = [net.module_.eval()({"v": torch.tensor(data.sources["v"])}, {})]
    for size in (1, 5, 64):
        net.set_params(batch_size=size)
        for one, other in zip(compute_logits(net, data), whole[0], strict=True):
            torch.testing.assert_close(one, other.detach(), rtol=0, atol=1e-12)
            assert not one.requires_grad
    sums = apply_to_batches(net, data, lambda batch: batch.sources["v"].sum(dim=1))
    np.testing.assert_allclose(sums, data.sources["v"].sum(axis=1))


def test_sixteen_bits_give_full_precision_logits_that_are_close():
    data = make_data(dtype=torch.float32)
    net = fit(make_plan(dtype="float32"), data)
    exact = compute_logits(net, data)[0]
    net.autocast = True
    rough = compute_logits(net, data)[0]
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.1


def test_sixteen_bits_only_where_they_help(monkeypatch):
    assert _computes_bfloat16("mps")
    for answer in (True, False):
        # A GPU that only emulates 16 bits is slower with them.
        monkeypatch.setattr(
            torch.cuda,
            "is_bf16_supported",
            lambda *, including_emulation, a=answer: a and not including_emulation,
        )
        assert _computes_bfloat16("cuda:0") is answer
        monkeypatch.setattr(
            torch.cpu, "_is_avx512_bf16_supported", lambda a=answer: a, raising=False
        )
        monkeypatch.setattr(
            torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False
        )
        plan = make_plan(dtype="bfloat16")
        net = make_net(build_module(Linear, 0, "bfloat16"), 2, plan)
        assert net.autocast is answer


def test_the_device():
    assert make_plan(device="cpu").torch_device == "cpu"
    found = make_plan(device="auto").torch_device
    assert found == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_state_there_and_back():
    net = fit(make_plan())
    state = state_as_numpy(net.module_)
    assert set(state) == set(net.module_.state_dict())
    assert all(type(array) is np.ndarray for array in state.values())
    for array in state.values():
        array.flags.writeable = False
    other = build_module(Linear, 99, "float64")
    load_numpy_state(other, state)
    assert same_state(other, net.module_)
    with torch.no_grad():
        other.tasks[0].weight.add_(1.0)
    assert not np.array_equal(
        state["tasks.0.weight"], state_as_numpy(other)["tasks.0.weight"]
    )


def test_the_state_is_a_copy():
    module = build_module(Linear, 0, "float64")
    state = state_as_numpy(module)
    before = state["tasks.0.bias"].copy()
    with torch.no_grad():
        module.tasks[0].bias.add_(1.0)
    assert np.array_equal(state["tasks.0.bias"], before)


def test_tables_of_bags_alone_have_options_of_their_own():
    plain = make_net(Linear(), 2, make_plan())
    assert len(plain.optimizer_.param_groups) == 1
    module = Linear()
    bag = BagOfWords(5, 2, longest=1, dropout=0.0, source_dropout=0.0)
    module.bags = nn.ModuleList([bag])
    rest, tables = sorted(
        make_net(module, 2, make_plan()).optimizer_.param_groups,
        key=lambda group: -len(group["params"]),
    )
    assert [each is bag.table for each in tables["params"]] == [True]
    assert tables["eps"] == TABLE_OPTIONS["eps"] > rest["eps"]
    assert tables["lr"] == rest["lr"]
    learned = [each for each in rest["params"] if each.requires_grad]
    assert len(learned) == len(plain.optimizer_.param_groups[0]["params"])
