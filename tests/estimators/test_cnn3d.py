"""CNN3DClassifier: learns, chooses its source, cuts and turns bags."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from cases import HEADS, IMAGE_SIZES, QUICK, labels, pictures, raw_users, sourced_users
from image_users import digit_users
from sklearn.base import clone
from torch import nn

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import CNN3DClassifier, ImageSetClassifier
from sklearn_profiling.exceptions import SourceError


def small(**params):
    return CNN3DClassifier(**{**IMAGE_SIZES, **QUICK, "n_filters": 2, **params})


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("variant", [1, 2])
def test_memorises_eight_users(variant):
    X, y = digit_users(8)
    model = small(
        variant=variant,
        n_filters=8,
        max_epochs=60,
        learning_rate=0.005,
        dropout=0.0,
        source_dropout=0.0,
    ).fit(X, y)
    assert model.score(X, y) == 1.0


def test_images_are_chosen_by_name_or_kind():
    network, y = raw_users()[1], labels()
    X = {**sourced_users(), "photos": pictures(network)}
    model = small().fit(X, y)
    assert same(model.predict_proba({"photos": X["photos"]}), model.predict_proba(X))
    other = {**X, "avatars": pictures(network[::-1])}
    with pytest.raises(SourceError, match=r"one source of images.*source is None"):
        small().fit(other, y)
    for name in ("network", "pictures"):
        with pytest.raises(SourceError, match=f"source is '{name}' and X holds"):
            small(source=name).fit(other, y)
    chosen = small(source="photos").fit(other, y)
    assert same(chosen.predict_proba(other), model.predict_proba(X))
    # without images the only dense source is read, a row an image
    rows = small().fit(sourced_users(), y)
    named = small(source="network").fit({"network": sourced_users()["network"]}, y)
    assert same(
        rows.predict_proba(sourced_users()), named.predict_proba(sourced_users())
    )
    with pytest.raises(SourceError, match="'text': 'text'"):
        small().fit({"text": sourced_users()["text"]}, y)


def test_images_beyond_n_images_do_not_count():
    X, y = digit_users(20, n_images=5)
    model = small(n_images=3).fit(X, y)
    first = [X[user][:3] for user in range(20)]
    cut = ImageBags(np.concatenate(first), np.arange(0, 61, 3))
    np.testing.assert_allclose(
        model.predict_proba(X)[0], model.predict_proba(cut)[0], atol=1e-6
    )
    whole = small(n_images=5).fit(X, y)
    assert not np.allclose(whole.predict_proba(X)[0], whole.predict_proba(cut)[0])


def test_a_random_order_changes_training_and_not_prediction():
    X, y = digit_users(20)
    given = small().fit(X, y).predict_proba(X)
    turned = small(image_order="random").fit(X, y)
    assert not same(turned.predict_proba(X), given)
    assert same(turned.predict_proba(X), turned.predict_proba(X))
    again = small(image_order="random").fit(X, y)
    assert same(again.predict_proba(X), turned.predict_proba(X))


def test_nobody_has_an_image():
    X, y = digit_users(8)
    nothing = ImageBags(X.pixels[:0], np.zeros(9, dtype=np.int64))
    model = small().fit(nothing, y)
    assert all(np.isfinite(p).all() for p in model.predict_proba(X))
    images_and_none = model.predict_proba(nothing)
    assert np.ptp(images_and_none[0], axis=0).max() == 0


def test_bfloat16_is_close_to_float32():
    X, y = digit_users(20)
    half = small(dtype="bfloat16").fit(X, y).predict_proba(X)
    for a, b in zip(half, small().fit(X, y).predict_proba(X), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=0.05)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("variant", 3),
        ("n_filters", 0),
        ("n_images", 0),
        ("image_order", "sorted"),
        ("source", 1),
        ("n_shared", 0),
    ],
)
def test_parameters_are_checked(parameter, value):
    X, y = digit_users(8)
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        small(**{parameter: value}).fit(X, y)


def small_image_set(**params):
    sizes = {"n_filters": (4, 4), "n_features_image": 8}
    return ImageSetClassifier(**{**HEADS, **QUICK, **sizes, **params})


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


def test_a_given_encoder_reads_vectors_as_lines():
    network, y = raw_users()[1], labels()
    given = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    model = small_image_set(encoder=given).fit({"network": network}, y)
    trained = model.net_.module_.sources.encoder("network").encoder.encoder
    # A copy was trained, the given one stays as it was.
    assert not torch.equal(trained[1].weight, given[1].weight)
    assert model.predict({"network": network}).shape == (40, 3)


@pytest.mark.parametrize("attention", ["softmax", "raw", None])
def test_memorises_eight_users_image_set(attention):
    # which of two digits there are more of: what a set can tell
    X, y = digit_users(8)
    model = small_image_set(
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
    model = small_image_set().fit(X, y)
    weights = model.image_attention(X)
    assert [len(w) for w in weights] == [3] * 12
    np.testing.assert_allclose([w.sum() for w in weights], 1, atol=1e-6)
    part = model.image_attention({"images": X[[4, 2]]})
    np.testing.assert_allclose(part, [weights[4], weights[2]], atol=1e-6)
    average = small_image_set(attention=None).fit(X, y).image_attention(X)
    np.testing.assert_allclose(average, 1 / 3)
    rows = sourced_users()["network"]
    of_rows = small_image_set().fit(rows, labels()).image_attention(rows)
    assert len(of_rows) == 40
    assert np.allclose(of_rows, 1)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_given_encoder_is_copied_and_trained_or_not(encoder, frozen):
    X, y = digit_users(12)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    model = small_image_set(encoder=encoder, freeze_encoder=frozen).fit(X, y)
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
    small_image_set(encoder=Watching(), max_epochs=1).fit(X, y)
    assert len(seen) > 1
    largest = X.pixels.max() / 255
    assert max(float(each.max()) for each in seen) == pytest.approx(largest)
    assert min(float(each.min()) for each in seen) == 0


def test_an_encoder_that_does_not_fit_is_named():
    X, y = digit_users(8)
    with pytest.raises(ValueError, match="for 2 images it gave"):
        small_image_set(encoder=nn.Identity()).fit(X, y)


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
def test_parameters_are_checked_image_set(parameter, value):
    X, y = digit_users(8)
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        small_image_set(**{parameter: value}).fit(X, y)
