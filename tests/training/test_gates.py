"""Gates learned on users held out: noise is shut, signals stay, nets are copied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_sources import vector_source

from sklearn_profiling.architectures import MultimodalCNN3D
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.gates import learn_gates
from sklearn_profiling.training.net import TrainingPlan, build_module

PLAN = TrainingPlan(
    loss_weights=[1.0],
    learning_rate=0.003,
    weight_decay=0.0,
    batch_size=20,
    max_epochs=1,
    early_stopping=True,
    validation_fraction=0.5,
    n_iter_no_change=1,
    callbacks=[],
    device="cpu",
    dtype="float32",
    verbose=1,
    seed=0,
    learning_rate_decay=True,
)


def users(n_users=400, names=("signal", "noise"), seed=0):
    generator = np.random.RandomState(seed)
    sources = {name: generator.normal(size=(n_users, 30)) for name in names}
    codes = generator.randint(0, 2, n_users)
    sources["signal"][:, :3] += codes[:, None]
    y = np.array(["f", "m"], object)[codes]
    labels = LabelCodec.learn(y).encode(y)
    return UserDataset(sources, 0, torch.float32, labels)


def module_of(dataset):
    def build():
        return MultimodalCNN3D(
            [
                vector_source(torch.zeros(30), torch.ones(30), name)
                for name in dataset.sources
            ],
            [2],
            n_gated=16,
            variant=1,
            n_filters_image=None,
            n_images=1,
            image_order="given",
            attention=None,
            n_filters=1,
            kernel_sizes=(1,),
            n_filters_second=1,
            kernel_size_second=1,
            n_attention=1,
            n_dimensions=1,
            trainable_vectors=False,
            word_dropout=0.0,
            n_shared=16,
            n_hidden=(),
            dropout=0.2,
            source_dropout=0.1,
        )

    return build_module(build, 0, "float32")


def learn(dataset, **parameters):
    settings = {"n_tasks": 1, "fraction": 0.35, "epochs": 15, **parameters}
    module = module_of(dataset)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    scores = learn_gates(module, dataset, PLAN, **settings)
    for name, value in module.state_dict().items():
        assert value.equal(before[name]), name
    return scores


def test_the_gate_of_noise_is_shut_and_that_of_a_signal_open(capfd):
    gates = torch.sigmoid(learn(users()))
    assert gates[0] == 1
    assert gates[1] < 0.2
    assert capfd.readouterr() == ("", "")  # the trial makes no noise of its own


def test_without_anyone_to_train_on_all_gates_are_open():
    dataset = users(60)
    dataset.labels = replace(dataset.labels, groups=np.zeros(60))  # one person
    assert (torch.sigmoid(learn(dataset)) == 1).all()


def test_the_same_seed_gives_the_same_gates():
    state = torch.get_rng_state()
    once = learn(users(60), epochs=2)
    assert once.equal(learn(users(60), epochs=2))
    assert torch.get_rng_state().equal(state)
    assert not once.equal(learn(users(60), epochs=3))


@pytest.mark.parametrize(
    ("names", "fraction"), [(("signal",), 0.2), (("signal", "noise"), 0.0)]
)
def test_gates_are_open_where_there_is_nothing_to_learn(names, fraction):
    scores = learn(users(20, names), fraction=fraction)
    assert torch.sigmoid(scores).tolist() == [1.0] * len(names)
    assert torch.isfinite(scores).all()
