"""Trials of sources: who is held out, what hiding does, when a loss rises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.held_out import hold_out, hold_out_at_random
from sklearn_profiling.training.selection import (
    LossRise,
    UserLosses,
    eliminate,
    validation_losses,
)

N_USERS = 300


def users(seed=0):
    generator = np.random.RandomState(seed)
    codes = generator.randint(0, 3, N_USERS)
    signal = generator.normal(size=(N_USERS, 4))
    signal[:, :3] += 3 * np.eye(3)[codes]
    odds = 4 * np.eye(3)[codes] + generator.normal(size=(N_USERS, 3))
    noise = generator.normal(size=(N_USERS, 50))
    y = pd.DataFrame({"age": np.array(["70s", "80s", "90s"], object)[codes]})
    y.iloc[::7] = None
    return {"signal": signal, "noise": noise, "odds": odds}, y


def fitted(X, y, **parameters):
    """Train a net and give it with the users as it reads them."""
    settings = {"n_shared": 16, "max_epochs": 5, "learning_rate": 0.01}
    model = MMLUPClassifier(random_state=0, **settings, **parameters).fit(X, y)
    known = y["age"].notna().to_numpy()
    sources = {name: model._choose_sources(X)[name][known] for name in model._specs}
    labels = model._codec.encode(y[known].to_numpy(dtype=object))
    return model, model._dataset_of(sources, labels), known


def test_held_out_users_have_the_shares_of_all():
    generator = np.random.RandomState(0)
    codes = generator.choice([-1, 0, 1], size=(1000, 2), p=[0.2, 0.7, 0.1])
    rest, held_out = hold_out(EncodedLabels(codes), 0.2, 0)
    assert sorted([*rest, *held_out]) == list(range(1000))
    assert len(held_out) == 200
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            together = (codes == [a, b]).all(axis=1)
            assert abs(together[held_out].sum() - together.sum() / 5) < 1.01
    assert hold_out(EncodedLabels(codes), 0.2, 0)[1].tolist() == held_out.tolist()
    assert hold_out(EncodedLabels(codes), 0.2, 1)[1].tolist() != held_out.tolist()
    rest, held_out = hold_out(EncodedLabels(codes[:4]), 0.2, 0)
    assert (rest.tolist(), held_out.tolist()) == ([0, 1, 2, 3], [])


def test_rows_of_one_person_are_held_out_together():
    generator = np.random.RandomState(0)
    codes = generator.choice([0, 1], size=(300, 1))
    groups = generator.randint(0, 100, 300).astype(str)
    labels = EncodedLabels(codes, groups=groups)
    for parts in (hold_out(labels, 0.2, 0), hold_out_at_random(labels, 60, 0)):
        rest, held_out = parts
        assert sorted([*rest, *held_out]) == list(range(300))
        assert set(groups[rest]).isdisjoint(groups[held_out])
        assert 50 <= len(held_out) <= 70
    alone = EncodedLabels(codes, groups=np.arange(300))
    for draw, amount in ((hold_out, 0.2), (hold_out_at_random, 60)):
        expected = draw(EncodedLabels(codes), amount, 3)[1]
        assert draw(alone, amount, 3)[1].tolist() == expected.tolist()
    rest, _ = hold_out_at_random(EncodedLabels(codes, groups=np.zeros(300)), 1, 0)
    assert not len(rest)


def test_rises_are_paired_and_weighted():
    weights = np.array([[1.0, 0.0], [1.0, 2.0], [1.0, 2.0]])
    before = UserLosses(np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]), weights)
    after = UserLosses(np.array([[1.5, 0.0], [2.5, 2.0], [5.0, 4.0]]), weights)
    rise = before.rise_to(after)
    np.testing.assert_allclose(rise.means, [1.0, 2.0])
    first, second = np.std([0.5, 0.5, 2.0], ddof=1), np.std([1.0, 3.0], ddof=1)
    np.testing.assert_allclose(rise.errors, [first / 3**0.5, second / 2**0.5])
    assert rise.total == pytest.approx(3.0)
    parts = np.array([-0.5 / 3, -0.5 / 3 - 1 / 2, 1 / 3 + 1 / 2])
    assert rise.total_error == pytest.approx((1.5 * (parts**2).sum()) ** 0.5)
    # one task alone: the total is the task
    alone = [UserLosses(each.values[:, :1], weights[:, :1]) for each in (before, after)]
    rise = alone[0].rise_to(alone[1])
    assert (rise.total, rise.total_error) == (
        pytest.approx(rise.means[0]),
        pytest.approx(rise.errors[0]),
    )


def test_a_rise_matters_in_one_task_or_in_all_together():
    def rise(means, total_error):
        means = np.array(means)
        return LossRise(means, np.ones(2), means.sum(), total_error)

    assert rise([2.1, -5.0], 1.0).matters
    assert rise([2.1, -5.0], 1.0).clear.tolist() == [True, False]
    assert rise([1.5, 0.6], 2.0).matters
    assert not rise([1.5, 0.4], 2.0).matters
    assert not rise([1.9, -1.0], 1.0).matters


def test_a_hidden_source_is_one_that_everybody_lacks():
    X, y = users()
    model, dataset, known = fitted(X, y, sources=["signal", "noise"])
    hidden, full = (
        validation_losses(model.net_, dataset, names).values[:, 0]
        for names in (["signal"], [])
    )
    assert len(full) == known.sum()
    lacking = {**X, "signal": np.full_like(X["signal"], np.nan)}
    assert hidden.mean() > full.mean() + 0.3
    # the best temperature is found, so no other one is better
    logits = np.log(model.predict_proba(lacking)[0][known])
    truth = np.array([["70s", "80s", "90s"].index(a) for a in y["age"][known]])
    for temperature in np.geomspace(0.2, 5, 50):
        scaled = logits / temperature
        losses = (
            np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]
        )
        assert losses.mean() > hidden.mean() - 1e-4
    # and nothing stays hidden
    again = validation_losses(model.net_, dataset)
    assert again.values[:, 0].tolist() == full.tolist()
    assert (again.weights == 1).all()


def test_an_offset_is_not_hidden():
    X, y = users()
    both = {"sources": ["odds", "noise"], "offset": ["odds"]}
    model, dataset, _ = fitted(X, y, **both)
    hidden = validation_losses(model.net_, dataset, ["odds", "noise"]).values
    assert hidden.mean() < 0.3  # chance is 1.1
    assert hidden.mean() != validation_losses(model.net_, dataset).values.mean()


@pytest.mark.parametrize("multi_task", [True, False])
def test_noise_is_eliminated_and_one_source_always_stays(multi_task):
    X, y = users()
    model, _, _ = fitted(X, y, sources=["noise", "signal"], multi_task=multi_task)
    fresh, truth = users(1)
    known = truth["age"].notna().to_numpy()
    labels = model._codec.encode(truth[known].to_numpy(dtype=object))
    sources = {name: fresh[name][known] for name in ("noise", "signal")}
    dataset = model._dataset_of(sources, labels)
    hidden, rises = eliminate(model.net_, dataset, ["noise", "signal"])
    assert hidden == ["noise"]
    assert [rises[name].matters for name in ("noise", "signal")] == [False, True]
    # shuffled labels: nothing helps
    order = np.random.RandomState(0).permutation(known.sum())
    dataset = model._dataset_of(sources, labels.take(order))
    hidden, rises = eliminate(model.net_, dataset, ["noise", "signal"])
    assert len(hidden) == 1
    assert set(rises) == {"noise", "signal"}
