"""CNN3DClassifier: learns, chooses its source, cuts and turns bags."""

from __future__ import annotations

import numpy as np
import pytest
from cases import IMAGE_SIZES, QUICK, labels, pictures, raw_users, sourced_users
from image_users import digit_users

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import CNN3DClassifier
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
