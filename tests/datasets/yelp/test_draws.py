"""Draws of reviews and of users."""

from __future__ import annotations

import numpy as np
import pytest
from writers.yelp import dump_yelp

from sklearn_profiling.datasets import load_yelp, make_reviewers, split_yelp
from sklearn_profiling.exceptions import SourceError

LOW = {"min_reviews": 1, "min_words": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("yelp")
    dump_yelp(make_reviewers(12, n_reviews=4, random_state=0), path)
    return path


def test_drawn_reviews_keep_their_ratings_and_images(folder):
    whole = load_yelp(folder, **LOW)
    drawn = load_yelp(folder, **LOW, n_reviews=2, random_state=0)
    assert drawn.target.equals(whole.target)
    n_left = drawn.report["n_reviews_not_drawn"]
    assert n_left == whole.report["n_messages"] - drawn.report["n_messages"] == 24
    moved = set()
    for user, all_of in zip(
        drawn.data.itertuples(), whole.data.itertuples(), strict=True
    ):
        assert len(user.messages) == len(user.ratings) == 2
        places = [all_of.messages.index(text) for text in user.messages]
        assert places == sorted(places)
        moved.add(tuple(places))
        assert user.ratings == [all_of.ratings[place] for place in places]
        shown = {
            place: [
                (image, caption)
                for image, caption, review in zip(
                    all_of.images, all_of.captions, all_of.image_reviews, strict=True
                )
                if review == place
            ]
            for place in places
        }
        assert list(zip(user.images, user.captions, strict=True)) == [
            pair for place in places for pair in shown[place]
        ]
        expected = [n for n, place in enumerate(places) for _ in shown[place]]
        assert user.image_reviews == expected
    assert len(moved) > 2


def test_the_seed_decides_the_draw(folder):
    first, again, other = (
        load_yelp(folder, **LOW, n_reviews=2, random_state=seed).data["messages"]
        for seed in (0, 0, 1)
    )
    assert first.tolist() == again.tolist() != other.tolist()


def test_who_has_fewer_keeps_all(folder):
    drawn = load_yelp(folder, **LOW, n_reviews=9, random_state=0)
    whole = load_yelp(folder, **LOW)
    assert drawn.data.equals(whole.data)
    assert drawn.report["n_reviews_not_drawn"] == 0


def test_three_parts_share_no_user():
    users = make_reviewers(20, random_state=0)
    parts = split_yelp(users, sizes=(10, 4, 3), random_state=0)
    again = split_yelp(users, sizes=(10, 4, 3), random_state=0)
    rows = np.concatenate(list(parts.rows.values()))
    assert [len(parts[part].data) for part in parts.rows] == [10, 4, 3]
    assert len(set(rows.tolist())) == 17
    for part, own in parts.rows.items():
        assert parts[part].target.equals(users.target.iloc[own])
        assert parts[part].data.equals(users.data.iloc[own])
        assert again.rows[part].tolist() == own.tolist()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3000, 500, 500), "take 4000 users; there are 5"),
        ((3, 1), "three numbers"),
        ((3, 1, 0), "at least 1"),
    ],
)
def test_sizes_that_do_not_fit(sizes, message):
    with pytest.raises(SourceError, match=message):
        split_yelp(make_reviewers(5, random_state=0), sizes=sizes)
