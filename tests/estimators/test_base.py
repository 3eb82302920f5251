"""The base of the classifiers: ways to train, weigh, stop and be interrupted."""

from __future__ import annotations

import pickle
from threading import Lock

import numpy as np
import pytest
import torch
from case_settings import EXACT, HEADS, QUICK, TEXT
from cases import CASES as TABLE
from cases import NETS, join, labels, raw_users
from cases import sourced_users as users
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback
from skorch.helper import SliceDict

from sklearn_profiling.architectures import MMLUP
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import ProfilingError, SourceError, TargetError


def small(**params):
    return MMLUPClassifier(**{**HEADS, **TEXT, **QUICK, **params})


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class Counting(Callback):
    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, net, **kwargs):
        self.epochs.append(len(net.history))


class Sink(Callback):
    """What skorch's writers hold: something that cannot be copied."""

    def __init__(self, losses, lock):
        self.losses = losses
        self.lock = lock

    def on_epoch_end(self, net, **kwargs):
        with self.lock:
            self.losses.append(net.history[-1, "train_loss"])


class Impatient(Callback):
    """Press control-C once, in the middle of the second epoch."""

    def __init__(self):
        self.pressed = False

    def on_batch_end(self, net, training, **kwargs):
        if not self.pressed and len(net.history) == 2:
            self.pressed = True
            raise KeyboardInterrupt


def test_a_part_that_is_forgotten_is_named():
    with pytest.raises(TypeError, match=r"Forgetful: no constraint.*\['n_boxes'\]"):

        class Forgetful(MMLUPClassifier):
            def __init__(self, *, n_boxes=3):
                self.n_boxes = n_boxes

    class Wider(MMLUP):
        def __init__(self, sources, n_classes, *, n_boxes, **others):
            super().__init__(sources, n_classes, **others)

    class Wide(MMLUPClassifier):
        _architecture = Wider

    with pytest.raises(TypeError, match=r"Wider takes \['n_boxes'.*Wide does not have"):
        Wide(**QUICK).fit(users(), labels())

    class Homeless(MMLUPClassifier):
        _architecture = None

    with pytest.raises(TypeError, match=r"Homeless has no architecture.*_architecture"):
        Homeless(**QUICK).fit(users(), labels())


def test_constraints_are_those_of_the_parameters():
    class Other(MMLUPClassifier):
        _parameter_constraints = {"dropout": [str]}

    assert set(Other._parameter_constraints) == set(Other().get_params())
    assert Other._parameter_constraints["dropout"] == [str]
    assert MMLUPClassifier._parameter_constraints["dropout"] != [str]


# -- losses --------------------------------------------------------------------


def test_loss_weights_reach_the_loss():
    X, y = users(), labels()

    def weights(given):
        model = small(loss_weights=given, max_epochs=1).fit(X, y)
        return model.net_.criterion_.weights.tolist()

    assert weights(None) == [1, 1, 1]
    assert weights("paper") == [1, 3, 1]
    assert weights({"region": 2.0}) == [1, 1, 2]
    assert weights([0.5, 0, 1]) == [0.5, 0, 1]
    for wrong in ("equal", {"sex": 1}, [1, 2], [-1, 1, 1]):
        with pytest.raises(TargetError, match="loss_weights"):
            weights(wrong)


def test_a_task_of_weight_zero_teaches_nothing():
    X, y = users(), labels()
    other = y.assign(age=y["age"].map({"70s": "80s", "80s": "90s", "90s": "70s"}))
    other = other.where(other.notna(), None)
    without = [
        small(loss_weights={"age": 0}).fit(X, t).predict_proba(X) for t in (y, other)
    ]
    assert same(*without)
    with_it = [small().fit(X, t).predict_proba(X) for t in (y, other)]
    assert not np.array_equal(with_it[0][0], with_it[1][0])


def test_uncertainty_is_learned_and_survives_a_pickle():
    X, y = users(), labels()
    model = small(loss_weights="uncertainty", learning_rate=0.05).fit(X, y)
    learned = model.net_.criterion_.log_variances.tolist()
    assert min(abs(s + 0.5) for s in learned) > 1e-3
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.net_.criterion_.log_variances.tolist() == learned


# -- ablations -----------------------------------------------------------------


def test_single_tasks_share_no_net():
    X, y = users(), labels()
    model = small(multi_task=False).fit(X, y)
    nets = list(model.net_.module_.architectures)
    assert len(nets) == 3
    addresses = [p.data_ptr() for net in nets for p in net.parameters() if p.numel()]
    assert len(addresses) == len(set(addresses))
    # so labels of one task say nothing to another
    other = y.copy()
    known = np.flatnonzero(y["age"].notna())
    other.loc[known, "age"] = y["age"].to_numpy()[known[::-1]]
    settings = {**EXACT, "max_epochs": 3}
    alone, alone_other = (
        small(multi_task=False, **settings).fit(X, t).predict_proba(X)
        for t in (y, other)
    )
    assert np.array_equal(alone[0], alone_other[0])
    assert np.array_equal(alone[2], alone_other[2])
    assert not np.array_equal(alone[1], alone_other[1])
    shared, shared_other = (
        small(**settings).fit(X, t).predict_proba(X) for t in (y, other)
    )
    assert not np.array_equal(shared[0], shared_other[0])


# -- stopping ------------------------------------------------------------------


@pytest.mark.parametrize("name", NETS)
def test_early_stopping(name):
    X, y = users(), labels()
    model = TABLE[name].make()
    model.set_params(
        early_stopping=True,
        max_epochs=60,
        learning_rate=0.05,
        n_iter_no_change=2,
        validation_fraction=0.3,
    ).fit(X, y)
    assert 2 < model.n_iter_ < 60
    assert all("valid_loss" in epoch for epoch in model.history_)
    # at a later warm start too
    n_before = model.n_iter_
    assert model.set_params(warm_start=True).fit(X, y).n_iter_ > n_before
    with pytest.raises(ProfilingError, match="leaves none to train on"):
        model.set_params(warm_start=False, validation_fraction=0.99).fit(X, y)


def test_callbacks_are_used_as_they_are_given():
    X, y = users(), labels()
    mine, sink = Counting(), []
    model = small(callbacks=[mine, ("sink", Sink(sink, Lock()))]).fit(X, y)
    assert mine.epochs == [1, 2]
    assert len(sink) == 2
    assert any(callback is mine for _, callback in model.net_.callbacks_)
    # as in skorch, a second fit goes on with the same callback
    model.fit(X, y)
    assert mine.epochs == [1, 2, 1, 2]


def test_a_device_that_is_not_here_is_named():
    with pytest.raises(
        ProfilingError, match=r"device='cuda:99' cannot be used here.*cpu"
    ):
        small(device="cuda:99").fit(users(), labels())
    with pytest.raises(ProfilingError, match=r"device='toaster' cannot be used here"):
        small(device="toaster").fit(users(), labels())


@pytest.mark.parametrize("name", NETS)
def test_an_interrupt_leaves_a_model_that_goes_on(name):
    X, y = users(), labels()
    model = TABLE[name].make().set_params(callbacks=[Impatient()], max_epochs=5)
    model.fit(X, y)
    assert model.n_iter_ == 2
    before = model.predict_proba(X)
    assert np.isfinite(before[0]).all()
    assert model.score(X, y) > 0
    model.set_params(warm_start=True).fit(X, y)
    assert model.n_iter_ == 7
    assert not same(model.predict_proba(X), before)


def test_an_interrupt_in_the_first_batch():
    class AtOnce(Impatient):
        def on_batch_end(self, net, training, **kwargs):
            if not self.pressed:
                self.pressed = True
                raise KeyboardInterrupt

    X, y = users(), labels()
    model = small(callbacks=[AtOnce()], early_stopping=True).fit(X, y)
    assert model.predict(X).shape == (40, 3)
    assert model.set_params(warm_start=True).fit(X, y).n_iter_ == 3


def test_divergence_is_said():
    with pytest.raises(ProfilingError, match=r"diverged.*learning_rate=1e\+30"):
        small(learning_rate=1e30).fit(users(), labels())


def test_a_diverged_net_does_not_predict():
    model = small(warm_start=True).fit(users(), labels())
    with pytest.raises(ProfilingError, match="diverged"):
        model.set_params(learning_rate=1e30).fit(users(), labels())
    with pytest.raises(NotFittedError):
        model.predict(users())
    model.set_params(learning_rate=1e-3).fit(users(), labels()).predict(users())


def test_a_refused_fit_leaves_an_earlier_one_alone():
    model = small(warm_start=True).fit(users(), labels())
    before = model.predict_proba(users())[0]
    refused = model.set_params(early_stopping=True, validation_fraction=0.999)
    with pytest.raises(ProfilingError, match="holds out"):
        refused.fit(users(), labels())
    assert np.array_equal(before, model.predict_proba(users())[0])
    with pytest.raises(ProfilingError, match="holds out"):
        clone(refused).fit(users(), labels())


# -- progress, precision, device -----------------------------------------------


def test_progress(capfd):
    X, y = users(), labels()
    small().fit(X, y)
    assert capfd.readouterr() == ("", "")
    small(verbose=1).fit(X, y)
    silent, bar = capfd.readouterr()
    assert silent == ""
    assert "fit: 100%" in bar
    assert "train_loss" in bar
    small(verbose=2).fit(X, y)
    lines, no_bar = capfd.readouterr()
    assert "train_loss" in lines
    assert no_bar == ""


def test_bfloat16_is_close_to_float32():
    X, y = users(), labels()
    half = small(dtype="bfloat16").fit(X, y)
    whole = small().fit(X, y)
    for a, b in zip(half.predict_proba(X), whole.predict_proba(X), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=0.03)
    assert small(dtype="float64").fit(X, y).predict_proba(X)[0].dtype == np.float64


def test_auto_is_the_cpu_where_there_is_nothing_else(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X, y = users(), labels()
    auto = small(device="auto").fit(X, y)
    assert auto.net_.device == "cpu"
    assert same(auto.predict_proba(X), small().fit(X, y).predict_proba(X))


# -- inputs that are refused ---------------------------------------------------


def test_sources_must_be_those_of_fit():
    texts, network = raw_users()
    X, y = join(texts, network), labels()
    model = small().fit(X, y)
    with pytest.raises(SourceError, match=r"sources seen in fit.*'network'"):
        model.predict({"text": X["text"]})
    with pytest.raises(SourceError, match="vectors with 3 features"):
        model.predict({"text": X["text"], "network": network[:, :2]})
    with pytest.raises(SourceError, match="vectors with 3 features"):
        model.predict({"text": X["text"], "network": X["text"]})
    with pytest.raises(SourceError, match="no source"):
        small().fit({}, y)
    pictures = ImageBags(np.zeros((0, 3, 2, 2), np.uint8), np.zeros(41, np.int64))
    with pytest.raises(SourceError, match="text with 5 features in fit; it is images"):
        model.predict({"text": pictures, "network": network})
    # order of sources does not matter
    turned = SliceDict(network=network, text=X["text"])
    assert same(model.predict_proba(turned), model.predict_proba(X))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("dropout", 1.0),
        ("word_dropout", -0.1),
        ("learning_rate", 0.0),
        ("batch_size", 0),
        ("attention", "hard"),
        ("dtype", "float16"),
        ("sources", "text"),
        ("callbacks", Counting()),
        ("validation_fraction", 1.0),
    ],
)
def test_parameters_are_checked(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        small(**{parameter: value}).fit(users(), labels())


@pytest.mark.parametrize("widths", [(2, 3), (0,), (-1,)])
def test_filter_widths_are_odd(widths):
    with pytest.raises(ValueError, match="odd and at least 1"):
        small(kernel_sizes=widths).fit(users(), labels())


def test_new_labels_are_refused_where_training_goes_on():
    X, y = users(), labels()
    model = small(warm_start=True).fit(X, y)
    other = y.replace({"age": {"70s": "60s"}})
    with pytest.raises(TargetError, match="'60s' is no class of task 'age'"):
        model.fit(X, other)
    with pytest.raises(TargetError, match="3 tasks"):
        model.fit(X, y[["age"]])
