"""Baselines that write profiles: images, company, gradients, overfitting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from generators import BART, VIT, make_users
from skorch.callbacks import Callback
from skorch.helper import SliceDict

from sklearn_profiling.architectures.generators.vlp_mabsa import AoM
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import (
    AoMClassifier,
    SelectAttClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.generators.modes import FusionMode

BASELINES = [SelectAttClassifier, VLPMABSAClassifier, AoMClassifier]
every_baseline = pytest.mark.parametrize("kind", BASELINES)


def make(kind, **params):
    settings = {
        "language_model": BART,
        "image_model": VIT,
        "max_epochs": 1,
        "learning_rate": 0.02,
        # Of its 32 places images take up to 14.
        "max_tokens": 18,
        "dtype": "float64",
        "random_state": 0,
    }
    return kind(**{**settings, **params})


def inputs_of(model, X):
    batch, _ = model._dataset(X).__getitems__(range(len(X["text"])))
    module = model.net_.module_.eval()
    return module, module.inputs(batch.sources)


@pytest.fixture(scope="module", params=BASELINES)
def fitted(request):
    X, y = make_users()
    return make(request.param).fit(X, y), X


def test_nobody_else_changes_a_user(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, mask = module.encode(inputs)
    for user in (2, 5):  # 5 has no image
        _, alone = inputs_of(model, X[[user]])
        one, one_mask = module.encode(alone)
        assert one_mask.all()
        torch.testing.assert_close(one[0], states[user][mask[user]], rtol=0, atol=1e-12)


def test_without_an_image_only_the_text_is_read(fitted):
    model, X = fitted
    module, inputs = inputs_of(model, X)
    states, mask = module.encode(inputs)
    _, without = inputs_of(model, X[[5]])
    assert without.images.n_images == 0
    ids, is_token = module._read_text(without)
    read = module.language_model.get_encoder()(ids, is_token.long()).last_hidden_state
    # In AoM words attend to attributes all the same; its own tests hold how.
    if not isinstance(module, AoM):
        torch.testing.assert_close(states[5][mask[5]], read[0], rtol=0, atol=1e-12)
    assert mask[5].sum() == is_token.sum()
    black = ImageBags(np.zeros_like(X["images"].pixels), X["images"].user_starts)
    _, dark = inputs_of(model, SliceDict(**{**X, "images": black}))
    there = np.arange(12) != 5
    changed = (module.encode(dark)[0] != states).flatten(1).any(dim=1).numpy()
    assert changed[there].all()
    assert not changed[5]


class Gradients(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        for name, parameter in named_parameters:
            most = 0.0 if parameter.grad is None else parameter.grad.abs().max()
            net.seen = getattr(net, "seen", {})
            net.seen[name] = max(float(most), net.seen.get(name, 0.0))


@every_baseline
def test_gradients_reach_every_parameter(kind):
    X, y = make_users()
    model = make(kind, callbacks=[Gradients()]).fit(X, y)
    assert model.net_.seen.keys() == dict(model.net_.module_.named_parameters()).keys()
    # What is added to all keys alike, softmax does not see.
    ignored = ("k_proj.bias", "key.bias")
    still = [n for n, most in model.net_.seen.items() if most < 1e-12]
    assert [name for name in still if not name.endswith(ignored)] == []


@every_baseline
def test_eight_users_are_memorised(kind):
    X, _ = make_users(8)
    y = [["a", {"p"}], ["b", {"p"}], ["a", {"q"}], ["b", {"p", "q"}]] * 2
    settings = {"dtype": "float32", "dropout": 0.0, "learning_rate": 0.01}
    model = make(kind, **settings, max_epochs=40, n_beams=2).fit(X, y)
    assert model.score(X, y) == 1.0
    assert sum(model.repairs_.values()) == 0
    assert model.set_params(decoding="scoring").score(X, y) == 1.0
    assert model.generate(X[:1])[0] == "task0 : a ; task1 : p ;"


@every_baseline
def test_captions_are_not_read_and_other_texts_need_a_name(kind):
    X, y = make_users()
    model = make(kind).fit(X, y)
    assert set(model._specs) == {"text", "images"}
    assert [type(mode) for mode in model.net_.modes.values()] == [FusionMode]
    with pytest.raises(SourceError, match="reads one text"):
        make(kind).fit(SliceDict(a=X["text"], b=X["text"]), y)


@every_baseline
def test_all_modes_of_training_and_sixteen_bits(kind):
    X, y = make_users()
    modes = ("fusion", "text", "masked_image", "masked_profile")
    model = make(kind, joint_modes=modes, dtype="bfloat16", max_images=2).fit(X, y)
    assert tuple(model.net_.modes) == modes
    assert all(np.isfinite(p).all() for p in model.predict_proba(X))


@pytest.mark.parametrize("kind", [VLPMABSAClassifier, AoMClassifier])
def test_parts_of_a_batch_add_up_to_the_batch(kind):
    X, y = make_users()
    settings = {"dropout": 0.0, "batch_size": 12, "loss_weights": {"Stars": 3.0}}
    whole = make(kind, **settings).fit(X, y).predict_proba(X)
    parts = make(kind, **settings, micro_batch_size=5).fit(X, y).predict_proba(X)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)
