"""The way of reviewers into Yelp files and back."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from writers.yelp import dump_yelp

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import load_yelp, make_reviewers
from sklearn_profiling.datasets.yelp.format import PHOTOS, REVIEWS, TASKS, USERS
from sklearn_profiling.exceptions import DataFormatError, MissingDependencyError

LOW = {"min_reviews": 1, "min_words": 1, "require_images": False}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("compress", [False, True])
def test_there_and_back(tmp_path, compress):
    users = make_reviewers(
        30,
        size=16,
        missing_labels=0.3,
        missing_images=0.2,
        missing_pictures=0.3,
        random_state=0,
    )
    report = dump_yelp(users, tmp_path, compress=compress)
    assert report == {
        "n_users": 30,
        "n_messages": users.report["n_messages"],
        "n_images": users.report["n_images"],
        "n_users_left_out": 0,
        "n_images_left_out": 0,
        "tasks_left_out": [],
    }
    for high_price in (2, 4):
        bunch = load_yelp(tmp_path, **LOW, high_price=high_price)
        pd.testing.assert_frame_equal(bunch.target, users.target)
    assert bunch.target_names == users.target_names
    assert bunch.data.columns.tolist() == users.data.columns.tolist()
    for name in ("user_id", "messages", "captions", "image_reviews"):
        assert bunch.data[name].tolist() == users.data[name].tolist()
    for paths, images in zip(bunch.data["images"], users.data["images"], strict=True):
        for path, image in zip(paths, images, strict=True):
            np.testing.assert_array_equal(pixels(path), image)
    # and once more, from the files
    dump_yelp(bunch, tmp_path / "again")
    again = load_yelp(tmp_path / "again", **LOW)
    pd.testing.assert_frame_equal(again.target, users.target)
    np.testing.assert_array_equal(
        pixels(again.data["images"].sum()[-1]), pixels(bunch.data["images"].sum()[-1])
    )


def test_several_images_a_review_and_odd_texts(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    data = pd.DataFrame(
        {
            "user_id": ["a", "b"],
            "messages": [["line\nend", '"quoted" \ud800 ü'], ["one"]],
            "images": [[image, Image.fromarray(image), image], None],
            "captions": [["x", "", "z"], np.nan],
            "image_reviews": [[1, 0, 1], []],
        }
    )
    dump_yelp(data, tmp_path)
    found = load_yelp(tmp_path, **LOW, images_per_review=None).data
    assert found["messages"].tolist() == data["messages"].tolist()
    # by review: the images of review 0 come first
    assert found["image_reviews"].tolist() == [[0, 1, 1], []]
    assert found["captions"].tolist() == [["", "x", "z"], []]


def test_without_a_column_of_reviews(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    data = pd.DataFrame(
        {"user_id": [7], "messages": [["a", "b"]], "images": [[image] * 3]}
    )
    dump_yelp(data, tmp_path)
    found = load_yelp(tmp_path, **LOW, images_per_review=None).data
    assert found["image_reviews"][0] == [0, 1, 1]
    assert found["user_id"][0] == "7"
    assert found["captions"][0] == [""] * 3


def test_what_the_format_has_no_place_for(tmp_path):
    users = make_reviewers(
        20, size=16, missing_text=0.5, missing_images=0.1, random_state=0
    )
    target = users.target.assign(mood="good")
    report = dump_yelp(users.data, tmp_path, target=target)
    silent = users.data["messages"].map(len) == 0
    assert report["n_users_left_out"] == silent.sum() > 0
    n_left_out = users.data["images"][silent].map(len).sum()
    assert report["n_images_left_out"] == n_left_out > 0
    assert report["tasks_left_out"] == ["mood"]
    bunch = load_yelp(tmp_path, **LOW)
    assert bunch.data["user_id"].tolist() == users.data["user_id"][~silent].tolist()
    assert bunch.report["n_images"] == report["n_images"]


def test_an_image_of_no_review(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    data = pd.DataFrame(
        {
            "user_id": ["a"],
            "messages": [["x"]],
            "images": [[image, image]],
            "captions": [["first", "second"]],
            "image_reviews": [[-1, 0]],
        }
    )
    report = dump_yelp(data, tmp_path)
    assert (report["n_images"], report["n_images_left_out"]) == (1, 1)
    assert load_yelp(tmp_path, **LOW).data["captions"][0] == ["second"]


def test_no_image_no_file_of_photos(tmp_path):
    data = pd.DataFrame(
        {
            "user_id": ["a", "b"],
            "messages": [["x"], None],
            "images": [None, [np.zeros((2, 2, 3), np.uint8)]],
        }
    )
    report = dump_yelp(data, tmp_path)
    assert report["n_images_left_out"] == 1
    assert not (tmp_path / PHOTOS).exists()
    assert not (tmp_path / USERS).exists()
    bunch = load_yelp(tmp_path, **LOW)
    assert bunch.target.isna().all(axis=None)
    assert bunch.target.columns.tolist() == list(TASKS)


def test_friends(tmp_path):
    users = make_reviewers(4, size=16, missing_pictures=1, random_state=0)
    ids = users.data["user_id"].tolist()
    graph = SocialGraph.from_edges([(ids[0], ids[1]), (ids[1], ids[2]), (ids[0], "x")])
    dump_yelp(users.data, tmp_path, target=users.target, graph=graph)
    lines = (tmp_path / USERS).read_text().splitlines()
    friends = {row["user_id"]: row["friends"] for row in map(json.loads, lines)}
    assert friends[ids[0]] == ids[1]
    assert friends[ids[3]] == "None"
    bunch = load_yelp(tmp_path, **LOW, with_network=True)
    assert sorted(bunch.graph.ids) == ids[:3]
    links = (bunch.graph.adjacency > 0).nnz
    assert links == 4


def test_two_writings_do_not_mix(tmp_path):
    data = pd.DataFrame({"user_id": ["a"], "messages": [["x"]]})
    dump_yelp(data, tmp_path)
    with pytest.raises(FileExistsError, match="exists; it would be mixed up"):
        dump_yelp(data, tmp_path, compress=True)
    assert (tmp_path / REVIEWS).exists()


@pytest.mark.parametrize(
    ("task", "label", "allowed"),
    [
        ("Stars", 6, "one of 1, 2, 3, 4, 5"),
        ("Stars", True, "one of 1, 2, 3, 4, 5"),
        ("Discount Preference", 1, "one of True, False"),
        ("Preferred Meal", "Brunch", "one of 'Lunch', 'Dinner'"),
        ("Favorite Category", frozenset({"A, B"}), "names without commas"),
        ("Favorite Category", {""}, "names without commas"),
    ],
)
def test_bad_labels(tmp_path, task, label, allowed):
    data = pd.DataFrame({"user_id": ["ana"], "messages": [["x"]]})
    target = pd.DataFrame({task: pd.Series([label], dtype=object)})
    with pytest.raises(
        DataFormatError, match=f"{task} of user 'ana' must be {allowed}"
    ):
        dump_yelp(data, tmp_path, target=target)


def test_labels_of_numpy(tmp_path):
    data = pd.DataFrame({"user_id": ["a", "b"], "messages": [["x"], ["y"]]})
    target = pd.DataFrame({"Stars": [4.0, np.nan], "Service Preference": [True, False]})
    dump_yelp(data, tmp_path, target=target)
    found = load_yelp(tmp_path, **LOW).target
    assert found["Stars"].tolist() == [4, None]
    assert found["Service Preference"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"user_id": ["a", "a"]}, "row 1 of data: duplicate user id 'a'"),
        ({"user_id": ["a", " "]}, "row 1 of data: empty user id"),
        ({"captions": [["x"], []]}, "'a' has 0 images and 1 captions"),
        ({"image_reviews": [[], [0]]}, "'b' has 0 images and 1 image_reviews"),
        ({"images": [["x.png"], []], "image_reviews": [[1], []]}, "must be below"),
        ({"images": [["x.exe"], []]}, "an image must end in one of"),
        ({"messages": ["x", ["y"]]}, "the messages of user 'a' are no list of str"),
    ],
)
def test_bad_tables(tmp_path, columns, fault):
    data = pd.DataFrame({"user_id": ["a", "b"], "messages": [["x"], ["y"]]} | columns)
    with pytest.raises(DataFormatError, match=fault):
        dump_yelp(data, tmp_path)


def test_arrays_need_pillow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    users = make_reviewers(1, size=16, random_state=0)
    with pytest.raises(MissingDependencyError, match="Writing images needs"):
        dump_yelp(users, tmp_path)
