"""Frozen parts in 16 bits, what is trained in 32, and recomputed activations."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from causal_models import LLAMA, make_causal, parameters_of
from generators import VIT, make_generator, make_users
from skorch.callbacks import Callback

from sklearn_profiling.estimators import LLaVAProfileClassifier
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.training.state import is_finite

X, y = make_users(8)
LORA = {"lora": {"rank": 2}}


def llava(**params):
    settings = {"language_model": LLAMA, "image_model": VIT, "max_epochs": 1}
    settings |= {"learning_rate": 0.02, "random_state": 0}
    return LLaVAProfileClassifier(**{**settings, **params})


CASES = {
    "LoRA": (make_causal, LORA),
    "a head alone": (make_causal, {"frozen": ("embeddings", "layers")}),
    "LLaVA with LoRA": (llava, {**LORA, "frozen": ("image_encoder",)}),
    "a fusion": (
        make_generator,
        {"frozen": ("text_encoder", "decoder", "image_encoder"), "dropout": 0.0},
    ),
}


class Norms(Callback):
    def __init__(self, found):
        self.found = found

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for name, value in named_parameters:
            if value.grad is not None:
                seen = self.found.get(name, 0.0)
                self.found[name] = max(seen, float(value.grad.norm()))


def fit(make, settings, **params):
    norms = {}
    model = make(**{"max_epochs": 2, **settings, **params}, callbacks=[Norms(norms)])
    return model.fit(X, y), norms


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", CASES)
def test_frozen_parts_take_16_bits_and_nearly_the_same_is_learned(case, half):
    make, settings = CASES[case]
    whole, norms = fit(make, settings)
    model, half_norms = fit(make, settings, frozen_dtype=half)
    module = model.net_.module_
    for value in module.parameters():
        wide = value.requires_grad or value.ndim < 2
        wanted = torch.float32 if wide else getattr(torch, half)
        assert value.dtype == wanted
    trained = {n for n, p in module.named_parameters() if p.requires_grad}
    assert half_norms.keys() == norms.keys() == trained
    for name, norm in norms.items():
        assert half_norms[name] == pytest.approx(norm, rel=0.3, abs=0.05), name
    assert max(half_norms.values()) > 0
    for one, other in zip(whole.predict_proba(X), model.predict_proba(X), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.1)
    # the search too computes in 16 bits
    assert model.predict(X).shape == (8, 2)
    back = pickle.loads(pickle.dumps(model))
    for one, other in zip(back.predict_proba(X), model.predict_proba(X), strict=True):
        assert np.array_equal(one, other)
    before = parameters_of(back)
    back.partial_fit(X, y)
    moved = {n for n, v in parameters_of(back).items() if not v.equal(before[n])}
    assert moved == trained


@pytest.mark.parametrize("case", ["LoRA", "LLaVA with LoRA"])
@pytest.mark.parametrize("half", [None, "bfloat16"])
def test_recomputed_activations_change_no_gradient(case, half):
    make, settings = CASES[case]
    plain, norms = fit(make, settings, frozen_dtype=half)
    saved, again = fit(make, settings, frozen_dtype=half, gradient_checkpointing=True)
    assert again == pytest.approx(norms, rel=1e-4)
    assert saved.history_[-1]["train_loss"] == pytest.approx(
        plain.history_[-1]["train_loss"], rel=1e-5
    )


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (make_causal, {}),
        (make_causal, {**LORA, "dtype": "float64"}),
        (make_generator, {}),
    ],
)
def test_a_precision_of_nothing_is_refused(make, settings):
    with pytest.raises(ProfilingError, match="freeze some, or take LoRA"):
        make(**settings, frozen_dtype="bfloat16").fit(X, y)


def test_sums_of_16_bits_may_be_large():
    layer = torch.nn.Linear(300, 300, dtype=torch.float16)
    torch.nn.init.constant_(layer.weight, 10.0)
    assert is_finite(layer)
    layer.bias.data[0] = torch.inf
    assert not is_finite(layer)
