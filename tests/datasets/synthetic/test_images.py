"""Digit users: the posterior by hand, the rates, the pictures, reproducibility."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.datasets.synthetic._images_draw import (
    CLASSES,
    TASKS,
    Pictures,
    enlarge,
    pictures_log_likelihood,
)

GROUPS = {"low": (1, 2, 3), "middle": (4, 5, 6), "high": (7, 8, 9)}


def by_hand(digits, noise):
    """P(taste | digits) and P(zero | digits), multiplied out digit by digit."""
    joint = np.zeros((3, 2))
    for (t, taste), z in itertools.product(enumerate(GROUPS), range(2)):
        likelihood = 1.0
        for digit in digits:
            if digit:
                own = digit in GROUPS[taste]
                likelihood *= (1 - noise) * own / 3 + noise / 9
        if len(digits):
            shows = noise**2 / 2 + (1 - noise**2) * z
            likelihood *= shows if 0 in digits else 1 - shows
        joint[t, z] = likelihood
    joint /= joint.sum()
    return joint.sum(axis=1), joint.sum(axis=0)


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0])
def test_posterior_by_hand(noise):
    bunch = make_image_users(
        60, n_images=(1, 4), image_noise=noise, missing_images=0.2, random_state=3
    )
    assert any(len(digits) == 0 for digits in bunch.digits)
    for row, digits in enumerate(bunch.digits):
        taste, zero = by_hand(digits.tolist(), noise)
        np.testing.assert_allclose(bunch.bayes_proba["taste"][row], taste)
        np.testing.assert_allclose(bunch.bayes_proba["zero"][row], zero)
    assert (bunch.bayes_proba["coin"] == 0.5).all()
    for task in TASKS:
        largest = bunch.bayes_proba[task].max(axis=1)
        assert bunch.bayes_accuracy[task] == pytest.approx(largest.mean())
        assert bunch.bayes_accuracy_images[task] == bunch.bayes_accuracy[task]


def test_one_user_by_hand():
    pictures = Pictures(np.array([1, 0, 2]), np.array([0, 3, 3]))
    found = np.exp(pictures_log_likelihood(pictures, 0.6))
    own, other = 0.4 + 0.2, 0.2
    shown = {"no": 0.18, "yes": 0.82}  # 0.36 of the zeros come by chance
    expected = np.outer(list(shown.values()), [own**2, other**2, other**2])
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_allclose(found[1], 1.0)


@pytest.mark.parametrize("with_both", [False, True])
def test_the_posterior_is_calibrated(with_both):
    bunch = make_image_users(
        4000,
        n_images=(1, 4),
        size=8,
        with_text=with_both,
        with_network=with_both,
        missing_images=0.3,
        missing_text=0.3,
        missing_network=0.3,
        random_state=1,
    )
    for task in TASKS:
        proba = bunch.bayes_proba[task]
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        truth = bunch.complete_target[task].to_numpy()
        names = np.array(bunch.target_names[task])
        promised, right = proba.max(axis=1), names[proba.argmax(axis=1)] == truth
        for low, high in ((0, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
            chosen = (promised >= low) & (promised < high)
            if chosen.sum() > 50:
                gap = abs(right[chosen].mean() - promised[chosen].mean())
                assert gap < 4 * 0.5 / np.sqrt(chosen.sum())
        assert bunch.bayes_accuracy_realized[task] == right.mean()


def test_where_each_attribute_shows():
    bunch = make_image_users(
        2000, size=8, with_text=True, with_network=True, random_state=0
    )
    images, text = bunch.bayes_accuracy_images, bunch.bayes_accuracy_text
    network, both = bunch.bayes_accuracy_network, bunch.bayes_accuracy
    assert 0.8 < images["taste"] < 0.92 < both["taste"]
    assert 0.88 < images["zero"] < both["zero"]
    assert 0.4 < text["taste"] < 0.6 < network["taste"] < 0.9
    assert 0.75 < text["zero"] < 0.9
    assert network["zero"] == pytest.approx(0.5)
    for accuracy in (images, text, network, both):
        assert accuracy["coin"] == 0.5
    assert bunch.report["shows_in"]["coin"] == ()


def test_one_picture_says_less_of_the_taste_than_the_bag():
    one = make_image_users(3000, n_images=1, size=8, random_state=0)
    bag = make_image_users(3000, n_images=8, size=8, random_state=0)
    assert one.bayes_accuracy["taste"] < bag.bayes_accuracy["taste"] - 0.15
    assert one.bayes_accuracy["zero"] == pytest.approx(bag.bayes_accuracy["zero"])


def test_limits_of_the_noise():
    certain = make_image_users(200, n_images=2, size=8, image_noise=0, random_state=0)
    assert certain.bayes_accuracy["zero"] == pytest.approx(1)
    assert certain.bayes_accuracy["taste"] == pytest.approx(1)
    blind = make_image_users(
        200,
        size=8,
        with_text=True,
        with_network=True,
        image_noise=1,
        text_noise=1,
        network_noise=1,
        random_state=0,
    )
    assert blind.bayes_accuracy["zero"] == pytest.approx(1 / 2)
    assert blind.bayes_accuracy_images["taste"] == pytest.approx(1 / 3)
    # words of age keep no certainty either
    assert blind.bayes_accuracy["taste"] == pytest.approx(1 / 3)


def test_the_pictures_show_the_digits():
    bunch = make_image_users(100, size=8, random_state=0)
    known = load_digits()
    shown = np.rint(known.images * 255 / 16).astype(np.uint8)
    label_of = {
        image.tobytes(): label for image, label in zip(shown, known.target, strict=True)
    }
    for images, digits in zip(bunch.data["images"], bunch.digits, strict=True):
        assert len(images) == len(digits)
        for image, digit in zip(images, digits.tolist(), strict=True):
            assert image.shape == (8, 8, 3)
            assert image.dtype == np.uint8
            assert (image == image[..., :1]).all()
            assert label_of[np.ascontiguousarray(image[..., 0]).tobytes()] == digit
            with pytest.raises(ValueError, match="read-only"):
                image[0, 0] = 1


def test_scaling_is_bilinear():
    image = np.zeros((1, 8, 8))
    np.testing.assert_array_equal(enlarge(image + 16.0, 11), 255)
    image[0, :, 4:] = 16.0
    large = enlarge(image, 16)[0, 0, :, 0]
    # between the middles of two pixels, a quarter and three quarters of the way
    assert large.tolist() == [0] * 7 + [64, 191] + [255] * 7


def test_simple_features_reach_both_tasks_and_not_the_coin():
    bunch = make_image_users(800, random_state=0)
    means = np.array(
        [np.mean(images, axis=0)[..., 0].ravel() for images in bunch.data["images"]]
    )
    scores = {
        task: cross_val_score(
            LogisticRegression(C=0.01, max_iter=300),
            means / 64,
            bunch.target[task],
            cv=4,
        ).mean()
        for task in TASKS
    }
    assert 0.6 < scores["taste"] < bunch.bayes_accuracy["taste"]
    assert 0.6 < scores["zero"] < bunch.bayes_accuracy["zero"]
    assert abs(scores["coin"] - 0.5) < 0.07


def test_counts_and_missing_parts():
    bunch = make_image_users(
        1000,
        n_images=(2, 5),
        size=8,
        with_text=True,
        with_network=True,
        missing_labels=0.3,
        missing_images=0.1,
        missing_text=0.2,
        missing_network=0.4,
        random_state=0,
    )
    report, data = bunch.report, bunch.data
    assert list(data.columns) == ["user_id", "images", "messages"]
    assert report["n_users"] == len(data) == data["user_id"].nunique() == 1000
    sizes = data["images"].map(len)
    assert set(sizes) == {0, 2, 3, 4, 5}
    assert report["n_images"] == sizes.sum()
    assert report["missing_images"] == (sizes == 0).sum() == pytest.approx(100, abs=40)
    assert report["missing_messages"] == sum(not m for m in data["messages"])
    assert report["n_messages"] == data["messages"].map(len).sum()
    unlinked = bunch.graph.index_of(data["user_id"]) < 0
    assert report["missing_links"] == unlinked.sum() == pytest.approx(400, abs=60)
    for task in TASKS:
        missing = bunch.target[task].isna()
        assert report["missing_labels"][task] == missing.sum()
        assert missing.mean() == pytest.approx(0.3, abs=0.06)
        known = bunch.target[task].dropna()
        assert (known == bunch.complete_target.loc[known.index, task]).all()
        assert set(known) == set(CLASSES[task])
    assert bunch.DESCR.startswith(".. _image_users:")


def test_pictures_alone_are_the_same_with_other_sources():
    alone = make_image_users(50, random_state=7)
    both = make_image_users(50, with_text=True, with_network=True, random_state=7)
    assert alone.graph is None
    assert "messages" not in alone.data
    pd.testing.assert_frame_equal(alone.target, both.target)
    for a, b in zip(alone.digits, both.digits, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_seed_gives_the_same_users_and_no_global_generator_is_touched():
    before = np.random.get_state()[1].copy()
    first, second, third = (
        make_image_users(30, random_state=seed, with_text=True) for seed in (4, 4, 5)
    )
    assert (np.random.get_state()[1] == before).all()
    pd.testing.assert_frame_equal(first.target, second.target)
    assert first.data["messages"].equals(second.data["messages"])
    for a, b in zip(first.data["images"], second.data["images"], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not first.target.equals(third.target)


@pytest.mark.parametrize("n_images", [(3,), (0, 2), (4, 3), (1, 2.5), (1, 2, 3)])
def test_a_bad_range_of_pictures(n_images):
    with pytest.raises(ValueError, match="fewest and the most"):
        make_image_users(5, n_images=n_images)


@pytest.mark.parametrize(
    "parameters", [{"n_images": 0}, {"size": 7}, {"image_noise": 1.1}, {"n_users": 0}]
)
def test_parameters_out_of_range(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        make_image_users(**{"n_users": 5, **parameters})
