"""ImageSetClassifier: learns, tells its attention, takes encoders of the user's."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from cases import HEADS, QUICK, sourced_users
from cases import labels as labels_of
from image_users import digit_users
from sklearn.base import clone
from torch import nn

from sklearn_profiling.estimators import ImageSetClassifier


def small(**params):
    sizes = {"n_filters": (4, 4), "n_features_image": 8}
    return ImageSetClassifier(**{**HEADS, **QUICK, **sizes, **params})


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def encoder():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )


@pytest.mark.parametrize("attention", ["softmax", "raw", None])
def test_memorises_eight_users(attention):
    # which of two digits there are more of: what a set can tell
    X, y = digit_users(8)
    model = small(
        attention=attention,
        max_epochs=80,
        learning_rate=0.01,
        dropout=0.0,
        source_dropout=0.0,
    ).fit(X, y["most"])
    assert model.score(X, y["most"]) == 1.0


def test_attention_is_aligned_and_sums_to_one():
    X, y = digit_users(12)
    X = X[[0, 3, 1, 2, 5, 4, 6, 7, 8, 9, 10, 11]]
    model = small().fit(X, y)
    weights = model.image_attention(X)
    assert [len(w) for w in weights] == [3] * 12
    np.testing.assert_allclose([w.sum() for w in weights], 1, atol=1e-6)
    part = model.image_attention({"images": X[[4, 2]]})
    np.testing.assert_allclose(part, [weights[4], weights[2]], atol=1e-6)
    average = small(attention=None).fit(X, y).image_attention(X)
    np.testing.assert_allclose(average, 1 / 3)
    rows = sourced_users()["network"]
    of_rows = small().fit(rows, labels_of()).image_attention(rows)
    assert len(of_rows) == 40
    assert np.allclose(of_rows, 1)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_given_encoder_is_copied_and_trained_or_not(encoder, frozen):
    X, y = digit_users(12)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    model = small(encoder=encoder, freeze_encoder=frozen).fit(X, y)
    trained = model.net_.module_.sources.encoder("images").encoder.encoder.state_dict()
    for name, value in encoder.state_dict().items():
        assert value.equal(before[name]), name
        if "running" in name or "batches" in name or frozen:
            assert trained[name].equal(value), name
    assert frozen or not trained["0.weight"].equal(before["0.weight"])
    assert same(clone(model).fit(X, y).predict_proba(X), model.predict_proba(X))
    loaded = pickle.loads(pickle.dumps(model))
    assert same(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.image_attention(X), model.image_attention(X))


def test_a_given_encoder_sees_pixels_from_zero_to_one():
    seen = []

    class Watching(nn.Module):
        def forward(self, pixels):
            seen.append(pixels)
            return pixels.flatten(1)

    X, y = digit_users(8)
    # what it is copied into writes where the original does
    Watching.__deepcopy__ = lambda self, memo: self
    small(encoder=Watching(), max_epochs=1).fit(X, y)
    assert len(seen) > 1
    largest = X.pixels.max() / 255
    assert max(float(each.max()) for each in seen) == pytest.approx(largest)
    assert min(float(each.min()) for each in seen) == 0


def test_an_encoder_that_does_not_fit_is_named():
    X, y = digit_users(8)
    with pytest.raises(ValueError, match="for 2 images it gave"):
        small(encoder=nn.Identity()).fit(X, y)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("encoder", "resnet"),
        ("freeze_encoder", 2),
        ("n_filters", 3),
        ("n_features_image", 0),
        ("attention", "hard"),
        ("n_attention", 0),
    ],
)
def test_parameters_are_checked(parameter, value):
    X, y = digit_users(8)
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        small(**{parameter: value}).fit(X, y)
