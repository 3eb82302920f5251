"""Synthetic reviewers: the posterior by hand, what shows where, reproducibility."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.datasets.synthetic._reviewers_draw import (
    _SENTENCES,
    PRODUCTS,
    draw_pictures,
    write_captions,
    write_reviews,
)
from sklearn_profiling.datasets.synthetic._reviewers_model import (
    IN_PICTURES,
    IN_WORDS,
    PAIRS,
    Visits,
    log_likelihood,
    value_probability,
)
from sklearn_profiling.datasets.yelp.format import (
    BUDGET,
    CATEGORIES,
    CATEGORY,
    CLASSES,
    DISCOUNT,
    MEAL,
    SERVICE,
    STARS,
    TASKS,
)
from sklearn_profiling.sources import ImageBagTransformer
from sklearn_profiling.targets import LabelCodec

SMALL = {"size": 16}


def read_review(review):
    """What the words of a review say, by looking for its sentences."""
    said = {}
    for task, ways in _SENTENCES.items():
        for value, sentences in enumerate(ways):
            if any(sentence in review for sentence in sentences):
                said[task] = value
    for value, product in enumerate(PRODUCTS):
        if f"the {product}." in review:
            said[CATEGORY] = value
    return said


def read_caption(caption):
    words = {
        MEAL: ("by day", "at night"),
        BUDGET: ("teal", "orange"),
        SERVICE: ("with a bag", "with a menu"),
        CATEGORY: [f"the {product}" for product in PRODUCTS],
    }
    return {
        task: value
        for task, parts in words.items()
        for value, part in enumerate(parts)
        if part in caption
    }


def read_picture(picture):
    """What the pixels of a picture of 32 x 32 show, by the nearest known colour."""

    def nearest(pixel, colours):
        distance = np.abs(np.array(colours, int) - pixel.astype(int)).max(axis=1)
        return int(distance.argmin()) if distance.min() <= 8 else -1

    light = nearest(picture[2, 16], [(240, 240, 230), (35, 35, 50)])
    budget = nearest(picture[0, 0], [(0, 160, 160), (255, 120, 0)])
    bag = nearest(picture[25, 6], [(120, 75, 30)])
    menu = nearest(picture[25, 25], [(255, 120, 190)])
    colours = [
        *((210, 40, 40), (40, 160, 60), (40, 80, 210), (235, 210, 50), (150, 50, 170))
    ]
    # the band around the middle that both shapes fill, and the middle itself
    band = [nearest(pixel, colours) for pixel in picture[14, 9:12]]
    middle = nearest(picture[14, 16], colours)
    colour = max(band)
    shown = {
        MEAL: light,
        BUDGET: budget,
        SERVICE: 0 if bag == 0 else 1 if menu == 0 else -1,
        CATEGORY: -1 if colour < 0 else 2 * colour + (middle < 0),
    }
    return {task: value for task, value in shown.items() if value >= 0}


def by_hand(task, values, noise):
    """P(label | values seen), multiplied out visit by visit."""
    n_values = len(CLASSES[task])
    labels = (
        list(itertools.combinations(range(10), 2))
        if task == CATEGORY
        else [(k,) for k in range(n_values)]
    )
    joint = np.ones(len(labels))
    for row, own in enumerate(labels):
        for value in values:
            joint[row] *= (1 - noise) * (value in own) / len(own) + noise / n_values
    joint /= joint.sum()
    if task != CATEGORY:
        return joint, joint.max()
    inside = [[k in pair for pair in labels] for k in range(10)]
    return np.array(inside) @ joint, joint.max()


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_posterior_by_hand_from_words_and_captions(pairing):
    noise = 0.3
    bunch = make_reviewers(
        40,
        noise=noise,
        n_reviews=(1, 3),
        pairing=pairing,
        missing_pictures=0.3,
        missing_text=0.2,
        missing_images=0.2,
        random_state=1,
        **SMALL,
    )
    largest = {task: {"": [], "_text": [], "_images": []} for task in TASKS}
    for row, user in bunch.data.iterrows():
        said = [read_review(review) for review in user["messages"]]
        shown = [read_caption(caption) for caption in user["captions"]]
        if pairing == "unpaired":
            shown = [{} for _ in shown]
        visits = {("review", place): seen for place, seen in enumerate(said)}
        for k, (place, seen) in enumerate(
            zip(user["image_reviews"], shown, strict=True)
        ):
            key = ("review", place) if place >= 0 else ("stranger", k)
            both = visits.get(key, {})
            # what both show of a visit is the same
            assert all(both[task] == seen[task] for task in both.keys() & seen.keys())
            visits[key] = both | seen
        for task in TASKS:
            for source, parts in (
                ("", visits.values()),
                ("_text", said),
                ("_images", shown),
            ):
                values = [seen[task] for seen in parts if task in seen]
                proba, best = by_hand(task, values, noise)
                largest[task][source].append(best)
                if not source:
                    found = bunch.bayes_proba[task][row]
                    np.testing.assert_allclose(found, proba)
    for task, source in itertools.product(TASKS, ("", "_text", "_images")):
        found = bunch[f"bayes_accuracy{source}"][task]
        assert found == pytest.approx(np.mean(largest[task][source]))


def test_pictures_show_what_captions_say():
    bunch = make_reviewers(60, random_state=0)
    for images, captions in zip(
        bunch.data["images"], bunch.data["captions"], strict=True
    ):
        for image, caption in zip(images, captions, strict=True):
            assert read_picture(image) == read_caption(caption)
            assert image.dtype == np.uint8
            assert not image.flags.writeable


@pytest.mark.parametrize("size", [16, 31, 64])
def test_every_value_shows_at_every_size(size):
    hidden = {task: np.array([-1]) for task in IN_PICTURES}
    rng = np.random.default_rng(0)
    seen = [draw_pictures(hidden, size, rng)[0]]
    for task in IN_PICTURES:
        for value in range(len(CLASSES[task])):
            one = hidden | {task: np.array([value])}
            seen.append(draw_pictures(one, size, rng)[0])
    means = [image.astype(float) for image in seen]
    for first, second in itertools.combinations(means, 2):
        assert first.shape == (size, size, 3)
        assert np.abs(first - second).max() > 60


def test_hidden_values_leave_no_word():
    hidden = {task: np.array([-1]) for task in TASKS}
    assert write_captions(hidden) == ["a picture of a box"]
    for seed in range(10):
        (review,) = write_reviews(hidden, np.random.default_rng(seed))
        assert read_review(review) == {}
        assert review.count(".") == 2


def test_one_visit_by_hand():
    visits = Visits(np.array([0, 2, 2]), {BUDGET: np.array([1, 0])})
    seen = np.array([True, False])
    found = np.exp(log_likelihood(BUDGET, visits, seen, 0.2))
    np.testing.assert_allclose(found, [[0.1, 0.9], [1.0, 1.0]])
    pair = PAIRS.index((2, 7))
    expected = np.full(10, 0.02)
    expected[[2, 7]] = 0.42
    np.testing.assert_allclose(value_probability(CATEGORY, 0.2)[pair], expected)


def test_the_posterior_is_calibrated():
    bunch = make_reviewers(
        2000, noise=0.4, missing_text=0.2, missing_images=0.2, random_state=2, **SMALL
    )
    for task in TASKS:
        gap = bunch.bayes_accuracy_realized[task] - bunch.bayes_accuracy[task]
        assert abs(gap) < 4 * 0.5 / np.sqrt(2000)
        proba = bunch.bayes_proba[task]
        n_true = 2 if task == CATEGORY else 1
        np.testing.assert_allclose(proba.sum(axis=1), n_true)


def test_where_each_attribute_shows():
    bunch = make_reviewers(400, random_state=0, **SMALL)
    text, images = bunch.bayes_accuracy_text, bunch.bayes_accuracy_images
    chance = {STARS: 0.2, CATEGORY: 1 / 45, MEAL: 0.5, BUDGET: 0.5}
    chance |= {DISCOUNT: 0.5, SERVICE: 0.5}
    for task in TASKS:
        assert (text[task] > chance[task] + 0.3) == (task in IN_WORDS)
        assert (images[task] > chance[task] + 0.3) == (task in IN_PICTURES)
        if task not in IN_WORDS:
            assert text[task] == pytest.approx(chance[task])
        if task not in IN_PICTURES:
            assert images[task] == pytest.approx(chance[task])
    for task in (CATEGORY, BUDGET):
        assert bunch.bayes_accuracy[task] > max(text[task], images[task]) + 0.01
    assert bunch.report["shows_in"][CATEGORY] == ("text", "images")
    assert bunch.report["shows_in"][MEAL] == ("images",)
    assert bunch.report["shows_in"][STARS] == ("text",)


def test_limits_of_the_noise():
    all_known = make_reviewers(
        50, n_reviews=12, noise=0, mention_rate=1, show_rate=1, random_state=0, **SMALL
    )
    for task in TASKS:
        assert all_known.bayes_accuracy_realized[task] == pytest.approx(1, abs=0.03)
        assert all_known.bayes_accuracy[task] == pytest.approx(1, abs=0.03)
    nothing = make_reviewers(50, noise=1, random_state=0, **SMALL)
    silent = make_reviewers(
        50, mention_rate=0, show_rate=0, random_state=0, **SMALL
    ).bayes_accuracy
    assert nothing.bayes_accuracy == pytest.approx(silent)
    assert silent[CATEGORY] == pytest.approx(1 / 45)


def test_pairing_changes_pictures_alone():
    paired = make_reviewers(30, random_state=0, **SMALL)
    unpaired = make_reviewers(30, pairing="unpaired", random_state=0, size=20)
    pd.testing.assert_frame_equal(paired.target, unpaired.target)
    for name in ("user_id", "messages", "image_reviews"):
        assert paired.data[name].tolist() == unpaired.data[name].tolist()
    assert paired.data["captions"].tolist() != unpaired.data["captions"].tolist()
    assert paired.bayes_accuracy_text == unpaired.bayes_accuracy_text
    assert unpaired.bayes_accuracy == unpaired.bayes_accuracy_text
    assert unpaired.bayes_accuracy_images[MEAL] == 0.5
    fewer = make_reviewers(30, missing_pictures=0.5, random_state=0, **SMALL)
    assert fewer.data["messages"].tolist() == paired.data["messages"].tolist()
    assert 0.3 < fewer.report["n_images"] / paired.report["n_images"] < 0.7
    assert fewer.bayes_accuracy[MEAL] < paired.bayes_accuracy[MEAL]


def test_table_and_missing_values():
    bunch = make_reviewers(
        200,
        n_reviews=(2, 4),
        missing_labels=0.3,
        missing_images=0.3,
        missing_text=0.3,
        missing_pictures=0.2,
        random_state=0,
        **SMALL,
    )
    data, target, report = bunch.data, bunch.target, bunch.report
    assert data.columns.tolist() == [
        *("user_id", "messages", "ratings", "images", "captions", "image_reviews"),
    ]
    assert data["user_id"].is_unique
    assert target.columns.tolist() == list(TASKS) == list(bunch.target_names)
    for row, user in data.iterrows():
        n_images = len(user["images"])
        assert n_images == len(user["captions"]) == len(user["image_reviews"])
        places = user["image_reviews"]
        if user["messages"]:
            assert 2 <= len(user["messages"]) <= 4
            assert places == sorted(set(places))
            assert all(0 <= place < len(user["messages"]) for place in places)
        else:
            assert set(places) <= {-1}
        for task in TASKS:
            label, true = target[task][row], bunch.complete_target[task][row]
            assert label is None or label == true
            if task == CATEGORY:
                assert len(true) == 2
                assert true <= set(CATEGORIES)
            else:
                assert true in CLASSES[task]
    assert report["missing_messages"] == (data["messages"].map(len) == 0).sum() > 30
    assert report["missing_images"] == (data["images"].map(len) == 0).sum() > 30
    assert report["n_messages"] == data["messages"].map(len).sum()
    assert report["n_images"] == data["images"].map(len).sum()
    assert report["missing_labels"] == target.isna().sum().to_dict()
    assert (data["messages"].map(len) + data["images"].map(len) == 0).any()
    assert bunch.graph is None
    assert bunch.DESCR.startswith(".. _reviewers:")
    assert type(bunch.complete_target[DISCOUNT][0]) is bool
    assert type(bunch.complete_target[STARS][0]) is int


def test_ratings_are_what_reviews_say():
    said = {"terrible": 1, "awful": 1, "poor": 2, "weak": 2, "okay": 3, "average": 3}
    said |= {"good": 4, "nice": 4, "excellent": 5, "perfect": 5}
    bunch = make_reviewers(
        200, noise=0.2, missing_text=0.2, missing_labels=0.3, random_state=0, **SMALL
    )
    n_said, n_own, n_all = 0, 0, 0
    for messages, ratings, own in zip(
        bunch.data["messages"],
        bunch.data["ratings"],
        bunch.complete_target[STARS],
        strict=True,
    ):
        for message, rating in zip(messages, ratings, strict=True):
            words = message.replace(".", "").split()
            found = {said[word] for word in words if word in said}
            assert found <= {rating}
            n_said += len(found)
            n_own += rating == own
            n_all += 1
    assert n_said / n_all == pytest.approx(0.7, abs=0.06)
    # a fifth of the noise is the user's own value
    assert n_own / n_all == pytest.approx(0.84, abs=0.05)


def test_the_columns_go_into_the_sources():
    bunch = make_reviewers(
        20, missing_images=0.3, missing_labels=0.2, random_state=0, **SMALL
    )
    bags = ImageBagTransformer(size=(16, 16)).fit_transform(bunch.data["images"])
    assert bags.n_images == bunch.report["n_images"]
    assert bags.missing.sum() == bunch.report["missing_images"]
    codec = LabelCodec.learn(bunch.target, classes=bunch.target_names)
    assert codec.set_valued == [task == CATEGORY for task in TASKS]
    members = codec.encode(bunch.complete_target).members[1]
    assert (members.sum(axis=1) == 2).all()


def test_the_vocabulary_is_closed_and_small():
    bunch = make_reviewers(400, random_state=0, **SMALL)
    texts = bunch.data["messages"].sum() + bunch.data["captions"].sum()
    words = {word for text in texts for word in text.replace(".", " ").split()}
    assert len(words) < 120
    assert all(word.isascii() and word == word.lower() for word in words)


def test_random_state_decides_everything():
    first, second, other = (
        make_reviewers(20, random_state=seed, **SMALL) for seed in (0, 0, 1)
    )
    assert first.data["messages"].tolist() == second.data["messages"].tolist()
    for one, two in zip(first.data["images"], second.data["images"], strict=True):
        np.testing.assert_array_equal(one, two)
    pd.testing.assert_frame_equal(first.target, second.target)
    assert first.data["messages"].tolist() != other.data["messages"].tolist()
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    make_reviewers(5, **SMALL)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("n_reviews", [(3,), (0, 2), (3, 2), (1.5, 2), ("1", 2)])
def test_bad_numbers_of_reviews(n_reviews):
    with pytest.raises(ValueError, match="n_reviews must be a number from 1 up or"):
        make_reviewers(5, n_reviews=n_reviews)


@pytest.mark.parametrize(
    "bad", [{"noise": 1.1}, {"pairing": "mixed"}, {"size": 8}, {"n_reviews": 0}]
)
def test_bad_parameters(bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        make_reviewers(5, **bad)


def test_simple_models_come_near_the_best():
    bunch = make_reviewers(1000, n_reviews=4, random_state=0)
    texts = bunch.data["messages"].map(" ".join)
    words = CountVectorizer().fit_transform(texts)
    pixels = np.stack(
        [
            np.concatenate(
                [
                    np.mean([image[rows, columns] for image in images], axis=0).ravel()
                    for rows, columns in ((0, 0), (2, 16), (25, 6), (25, 25))
                ]
            )
            for images in bunch.data["images"]
        ]
    )

    def reached(model, inputs, task):
        labels = bunch.target[task].astype(str)
        return cross_val_score(model, inputs, labels, cv=3).mean()

    for task in (STARS, DISCOUNT, BUDGET):
        found = reached(LogisticRegression(max_iter=1000), words, task)
        assert bunch.bayes_accuracy_text[task] - 0.1 < found
        assert found < bunch.bayes_accuracy_text[task] + 0.03
    for task in (MEAL, SERVICE, BUDGET):
        found = reached(RandomForestClassifier(50, random_state=0), pixels, task)
        assert bunch.bayes_accuracy_images[task] - 0.1 < found
        assert found < bunch.bayes_accuracy_images[task] + 0.03
