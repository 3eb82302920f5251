"""Yelp files: what stays, derived profiles, faults, friends, two passes."""

from __future__ import annotations

import gzip
import json
from zlib import crc32

import numpy as np
import pytest
import zstandard

from sklearn_profiling.datasets import load_yelp
from sklearn_profiling.datasets.yelp.format import (
    BUSINESSES,
    CLASSES,
    PHOTOS,
    REVIEWS,
    TASKS,
    USERS,
    meals_of,
    plain_value,
    price_of,
    truth_of,
)
from sklearn_profiling.exceptions import DataFormatError
from sklearn_profiling.targets import LabelCodec

LOW = {"min_reviews": 1, "min_words": 1}


def business(name, categories=None, **attributes):
    return {
        "business_id": name,
        "categories": categories,
        "attributes": attributes or None,
    }


def review(number, user, place, stars=4, text="good food"):
    return {
        "review_id": f"r{number}",
        "user_id": user,
        "business_id": place,
        "stars": stars,
        "text": text,
        "date": "2020-01-01",
    }


def photo(name, place, caption=""):
    return {"photo_id": name, "business_id": place, "caption": caption, "label": "food"}


PIZZERIA = business(
    "pizzeria",
    "Pizza, Restaurants, coffee & tea",
    GoodForMeal="{'dinner': True, 'lunch': False, 'brunch': None}",
    RestaurantsPriceRange2="3",
    HappyHour="True",
    RestaurantsTakeOut="True",
)
CAFE = business(
    "cafe",
    "Coffee & Tea, Shopping",
    GoodForMeal="{u'dinner': True, u'lunch': True}",
    RestaurantsPriceRange2="1",
    HappyHour="False",
    RestaurantsTakeOut="None",
    Caters="False",
)
GYM = business("gym", "Active Life")
DEFAULTS = {
    "businesses": [PIZZERIA, CAFE, GYM],
    "reviews": [
        review(0, "ana", "pizzeria", 5, "first\nreview"),
        review(1, "bea", "cafe", 2.0),
        review(2, "ana", "gym", 4, "no picture"),
        review(3, "ana", "pizzeria", 4, "second one"),
        review(4, "ana", "cafe", 4, "third one"),
    ],
    "photos": [
        photo("p0", "cafe", " a cup "),
        photo("p1", "pizzeria", None),
        photo("p2", "pizzeria", "a pizza"),
        photo("p3", "gym"),
    ],
}
FILES = ("p0.jpg", "p1.png", "p2.jpg", "notes.txt")


def write(folder, *, files=FILES, raw=None, **parts):
    folder.mkdir(exist_ok=True)
    names = {"businesses": BUSINESSES, "reviews": REVIEWS, "photos": PHOTOS}
    for part, records in (DEFAULTS | parts).items():
        lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
        (folder / names[part]).write_text("\n".join(lines), encoding="utf-8")
    (folder / "photos").mkdir(exist_ok=True)
    for name in files:
        (folder / "photos" / name).write_bytes(b"x")
    return folder


def path_of(folder, name):
    return str(folder / "photos" / name)


def test_a_folder_by_hand(tmp_path):
    bunch = load_yelp(write(tmp_path), **LOW, images_per_review=None)
    data, target = bunch.data, bunch.target
    assert data["user_id"].tolist() == ["ana", "bea"]
    assert data["messages"].tolist() == [
        ["first\nreview", "second one", "third one"],
        ["good food"],
    ]
    p0, p1, p2 = (path_of(tmp_path, name) for name in FILES[:3])
    assert data["images"].tolist() == [[p1, p2, p1, p2, p0], [p0]]
    assert data["captions"].tolist() == [["", "a pizza"] * 2 + ["a cup"], ["a cup"]]
    assert data["image_reviews"].tolist() == [[0, 0, 1, 1, 2], [0]]
    assert target.columns.tolist() == list(TASKS)
    # pizzeria, pizzeria, cafe: 13 / 3 stars; coffee 3, pizza 2, shopping 1
    assert target.iloc[0].tolist() == [
        *(4, frozenset({"Coffee & Tea", "Pizza"}), "Dinner", "High", True, True)
    ]
    # the cafe is good for both meals
    assert target.iloc[1].tolist() == [
        *(2, frozenset({"Coffee & Tea", "Shopping"}), None, "Low", False, False)
    ]
    assert type(target["Stars"][0]) is int
    assert type(target["Discount Preference"][0]) is bool
    assert bunch.graph is None
    assert bunch.target_names == {task: list(names) for task, names in CLASSES.items()}
    assert bunch.DESCR.startswith(".. _yelp:")
    files = bunch.report.pop("files")
    assert {name: counts["n_records"] for name, counts in files.items()} == {
        "businesses": 3,
        "photos": 4,
        "reviews": 5,
    }
    assert files["photos"]["n_missing_photos"] == 1
    assert files["photos"]["n_photos_of_unknown_businesses"] == 0
    assert bunch.report == {
        "n_users": 2,
        "n_messages": 4,
        "n_images": 6,
        "n_captions": 4,
        "n_reviews_of_unknown_businesses": 0,
        "n_reviews_too_short": 0,
        "n_reviews_too_long": 0,
        "n_users_with_too_few_reviews": 0,
        "n_reviews_of_users_with_too_few": 0,
        "n_reviews_without_images": 1,
        "n_users_with_too_few_kept_reviews": 0,
        "n_reviews_of_users_with_too_few_kept": 0,
        "missing_images": 0,
        "missing_labels": {**dict.fromkeys(TASKS, 0), "Preferred Meal": 1},
        "tied_labels": {"Preferred Meal": 1},
    }


def test_targets_are_taken_by_the_codec(tmp_path):
    codec = LabelCodec.learn(load_yelp(write(tmp_path), **LOW).target)
    assert codec.set_valued == [name == "Favorite Category" for name in TASKS]
    assert codec.classes[4].tolist() == [False, True]


def test_thresholds(tmp_path):
    long = " ".join(["word"] * 7)
    reviews = [
        review(0, "few", "cafe"),
        review(1, "enough", "cafe"),
        review(2, "enough", "gym"),
        review(3, "few", "cafe", text="short"),
        review(4, "few", "cafe", text=long),
        review(5, "few", "nowhere"),
        review(6, "bare", "gym"),
        review(7, "bare", "gym"),
    ]
    write(tmp_path, reviews=reviews)
    bunch = load_yelp(tmp_path, min_reviews=2, min_words=2, max_words=6)
    assert bunch.data["user_id"].tolist() == ["enough"]
    assert bunch.data["messages"].tolist() == [["good food"]]
    found = {name: bunch.report[name] for name in bunch.report if name.startswith("n_")}
    assert found == {
        "n_users": 1,
        "n_messages": 1,
        "n_images": 1,
        "n_captions": 1,
        "n_reviews_of_unknown_businesses": 1,
        "n_reviews_too_short": 1,
        "n_reviews_too_long": 1,
        "n_users_with_too_few_reviews": 1,
        "n_reviews_of_users_with_too_few": 1,
        "n_reviews_without_images": 3,
        "n_users_with_too_few_kept_reviews": 1,
        "n_reviews_of_users_with_too_few_kept": 0,
    }
    bunch = load_yelp(tmp_path, min_reviews=3, min_words=1, max_words=None)
    assert bunch.data["user_id"].tolist() == ["few"]
    assert len(bunch.data["messages"][0]) == 3
    with pytest.raises(
        DataFormatError,
        match=r"no user stays; lower the thresholds\. Left out: .*too_few_reviews': 3",
    ):
        load_yelp(tmp_path, min_words=1)
    with pytest.raises(DataFormatError, match=r"too_few_kept_reviews': 2"):
        load_yelp(tmp_path, min_reviews=2, min_words=2, min_kept_reviews=2, max_words=6)


def test_reviews_without_images(tmp_path):
    write(tmp_path)
    voting = load_yelp(
        tmp_path, **LOW, profile_from="all_reviews", categories=["Active Life", "Pizza"]
    )
    assert voting.data["messages"][0] == ["first\nreview", "second one", "third one"]
    favorites = voting.target["Favorite Category"].tolist()
    assert favorites == [frozenset({"Active Life", "Pizza"}), None]
    assert voting.target_names["Favorite Category"] == ["Active Life", "Pizza"]
    staying = load_yelp(tmp_path, **LOW, require_images=False)
    assert len(staying.data["messages"][0]) == 4
    assert staying.data["image_reviews"][0] == [0, 2, 3]
    assert staying.report["n_reviews_without_images"] == 0
    (tmp_path / PHOTOS).unlink()
    plain = load_yelp(tmp_path, **LOW, require_images=False)
    assert plain.data["images"].tolist() == [[], []]
    assert plain.report["missing_images"] == 2
    assert "photos" not in plain.report["files"]


def test_photos_of_a_business_are_spread_over_its_reviews(tmp_path):
    names = [f"p{k}" for k in range(5)]
    write(
        tmp_path,
        photos=[photo(name, "cafe") for name in names],
        reviews=[review(k, "ana", "cafe") for k in range(20)],
        files=[f"{name}.jpg" for name in names],
    )
    bunch = load_yelp(tmp_path, **LOW, images_per_review=2)
    assert bunch.data["image_reviews"][0] == np.repeat(range(20), 2).tolist()
    firsts = [crc32(f"r{k}".encode()) % 5 for k in range(20)]
    expected = [
        path_of(tmp_path, f"p{(first + step) % 5}.jpg")
        for first in firsts
        for step in range(2)
    ]
    assert bunch.data["images"][0] == expected
    assert len(set(expected)) == 5


def test_rules_of_the_profile(tmp_path):
    places = [PIZZERIA, CAFE]
    reviews = [review(0, "ana", "pizzeria", 4), review(1, "ana", "cafe", 3)]
    write(tmp_path, businesses=places, reviews=reviews, photos=DEFAULTS["photos"])
    tied = load_yelp(tmp_path, **LOW)
    # stars 3.5; coffee 2, pizza 1 and shopping 1; price 3 and 1
    assert tied.target.iloc[0].tolist() == [4, None, "Dinner", None, None, None]
    assert tied.report["tied_labels"] == {
        "Favorite Category": 1,
        "Budget Range": 1,
        "Discount Preference": 1,
        "Service Preference": 1,
    }
    first = load_yelp(tmp_path, **LOW, ties="first").target.iloc[0].tolist()
    favorites = frozenset({"Coffee & Tea", "Pizza"})
    assert first == [4, favorites, "Dinner", "High", True, True]
    other = load_yelp(
        tmp_path,
        **LOW,
        high_price=4,
        n_favorites=1,
        min_visits=2,
        discount_attributes=["RestaurantsTakeOut", "HappyHour"],
        service_attributes=["Caters"],
    )
    assert other.target.iloc[0].tolist() == [
        *(4, frozenset({"Coffee & Tea"}), "Dinner", "Low", None, None)
    ]


def test_stars_round_half_up_and_may_be_unknown(tmp_path):
    stars = {"a": [2.0, 3], "b": [1, 1, 2], "c": [None], "d": [None, 5]}
    reviews = [
        review(f"{user}{k}", user, "cafe", value)
        for user, values in stars.items()
        for k, value in enumerate(values)
    ]
    bunch = load_yelp(write(tmp_path, reviews=reviews), **LOW)
    assert bunch.target["Stars"].tolist() == [3, 1, None, 5]
    assert bunch.report["missing_labels"]["Stars"] == 1
    ratings = bunch.data["ratings"].tolist()
    assert ratings == list(stars.values())
    assert type(ratings[0][0]) is int


def test_values_of_attributes():
    assert plain_value("u'free'") == "free"
    assert plain_value("not python (") == "not python ("
    assert plain_value("{[]: 1}") == "{[]: 1}"
    assert plain_value(None) is None
    assert plain_value(0.5) == 0.5
    assert price_of({"RestaurantsPriceRange2": 4}) == 4
    for bad in ("None", "7", "True", "cheap"):
        assert price_of({"RestaurantsPriceRange2": bad}) is None
    assert meals_of({"GoodForMeal": {"lunch": True, "dinner": "True"}}) == ["Lunch"]
    assert meals_of({"GoodForMeal": "None"}) == []
    assert truth_of({"a": "False", "b": "True"}, ("a", "b")) is True
    assert truth_of({"a": "False", "b": "None"}, ("a", "b")) is False
    assert truth_of({"b": "1"}, ("a", "b")) is None


OK = review(9, "zoe", "cafe")


@pytest.mark.parametrize(
    ("part", "line", "kind"),
    [
        ("reviews", "{", "invalid JSON"),
        ("reviews", "[1]", "not an object"),
        ("reviews", OK | {"stars": 6}, "bad stars"),
        ("reviews", OK | {"stars": True}, "bad stars"),
        ("reviews", OK | {"text": None}, "bad text"),
        ("reviews", OK | {"user_id": 3}, "bad user_id"),
        ("reviews", OK | {"review_id": " "}, "bad review_id"),
        ("reviews", OK | {"business_id": None}, "bad business_id"),
        ("businesses", business("new", ["Pizza", 1]), "bad categories"),
        ("businesses", business("new", {"Pizza": 1}), "bad categories"),
        ("businesses", business("new") | {"attributes": ["Caters"]}, "bad attributes"),
        ("businesses", business("new") | {"attributes": [1]}, "bad attributes"),
        ("businesses", business("new") | {"attributes": 1}, "bad attributes"),
        ("businesses", business(""), "bad business_id"),
        ("businesses", CAFE, "duplicate business"),
        ("photos", photo("p0", "cafe"), "duplicate photo"),
        ("photos", photo("p9", "cafe", 1), "bad caption"),
        ("photos", photo(None, "cafe"), "bad photo_id"),
    ],
)
def test_bad_lines(tmp_path, part, line, kind):
    records = DEFAULTS[part]
    write(tmp_path, **{part: [*records[:2], "", line, *records[2:]]})
    name = {"businesses": BUSINESSES, "reviews": REVIEWS, "photos": PHOTOS}[part]
    with pytest.raises(DataFormatError, match=rf"{name}, line 4: {kind}"):
        load_yelp(tmp_path, **LOW)
    found = load_yelp(tmp_path, **LOW, on_bad_lines="skip")
    assert found.report["files"][part]["skipped"] == {kind: 1}
    assert found.report["files"][part]["n_blank"] == 1
    expected = load_yelp(write(tmp_path / "good"), **LOW)
    assert found.data["messages"].tolist() == expected.data["messages"].tolist()
    assert found.target.equals(expected.target)


def test_files_of_earlier_rounds(tmp_path):
    expected = load_yelp(write(tmp_path / "new"), **LOW)
    listed = PIZZERIA | {
        "categories": PIZZERIA["categories"].split(", "),
        "attributes": [
            f"{key}: {value}" for key, value in PIZZERIA["attributes"].items()
        ],
    }
    renamed = CAFE | {
        "categories": CAFE["categories"].split(","),
        "attributes": {
            "Good For": {"dinner": True, "lunch": True},
            "Price Range": 1,
            "Happy Hour": False,
            "Caters": False,
        },
    }
    gym = GYM | {"categories": ["Active Life"], "attributes": []}
    old = write(tmp_path / "old", businesses=[listed, renamed, gym])
    for name, short in (
        (BUSINESSES, "business.json"),
        (REVIEWS, "review.json"),
        (PHOTOS, "photo.json"),
    ):
        (old / name).rename(old / short)
    found = load_yelp(old, **LOW)
    assert found.target.equals(expected.target)
    assert found.data["messages"].tolist() == expected.data["messages"].tolist()
    assert list(map(len, found.data["images"])) == list(
        map(len, expected.data["images"])
    )
    # the name of the last round comes first
    (old / BUSINESSES).write_text(json.dumps(GYM))
    with pytest.raises(DataFormatError, match=BUSINESSES):
        load_yelp(write(old, businesses=["{"]), **LOW)


def test_the_second_pass_finds_its_lines(tmp_path):
    write(tmp_path)
    good = [json.dumps(record).encode() for record in DEFAULTS["reviews"]]
    left_out = json.dumps(review(8, "ana", "nowhere")).encode()
    lines = [b"", b"\xff", good[0], b"{", good[1], left_out, good[2], b" ", *good[3:]]
    (tmp_path / REVIEWS).write_bytes(b"\r\n".join([*lines, left_out, b"{"]))
    found = load_yelp(tmp_path, **LOW, on_bad_lines="skip")
    skipped = found.report["files"]["reviews"]["skipped"]
    assert skipped == {"wrong encoding": 1, "invalid JSON": 2}
    assert found.report["n_reviews_of_unknown_businesses"] == 2
    expected = load_yelp(write(tmp_path / "good"), **LOW)
    assert found.data["messages"].tolist() == expected.data["messages"].tolist()


def test_friends(tmp_path):
    write(tmp_path)
    users = [
        {"user_id": "ana", "friends": "bea, cyn, ana"},
        {"user_id": "bea", "friends": "None"},
        {"user_id": "cyn", "friends": ["ana"]},
        {"user_id": "dan"},
    ]
    (tmp_path / USERS).write_text("\n".join(map(json.dumps, users)))
    bunch = load_yelp(tmp_path, **LOW, with_network=True)
    assert sorted(bunch.graph.ids) == ["ana", "bea"]
    counts = bunch.report["files"]["friends"]
    assert (counts["n_links"], counts["n_unknown_links"]) == (1, 1)
    assert (counts["n_self_links"], counts["n_records"]) == (1, 4)
    assert bunch.report["missing_links"] == 0
    wide = load_yelp(tmp_path, **LOW, with_network=True, on_unknown_links="add")
    assert sorted(wide.graph.ids) == ["ana", "bea", "cyn"]
    with pytest.raises(DataFormatError, match="unknown id: 'cyn' is no user"):
        load_yelp(tmp_path, **LOW, with_network=True, on_unknown_links="error")
    (tmp_path / USERS).write_text('{"user_id": "ana", "friends": 1}')
    with pytest.raises(DataFormatError, match="line 1: bad friends"):
        load_yelp(tmp_path, **LOW, with_network=True)
    (tmp_path / USERS).unlink()
    with pytest.raises(
        DataFormatError, match=rf"{USERS} is missing \(also user\.json\); "
    ):
        load_yelp(tmp_path, **LOW, with_network=True)


def test_friends_are_read_in_parts(tmp_path, monkeypatch):
    write(tmp_path)
    users = [{"user_id": a, "friends": b} for a, b in ("ab", "bc", "ca")]
    users += [{"user_id": "ana", "friends": "bea, cyn, ana"}] * 2
    users += [{"user_id": "bea", "friends": ["ana", "dan"]}]
    (tmp_path / USERS).write_text("\n".join(map(json.dumps, users)))
    expected = load_yelp(tmp_path, **LOW, with_network=True, on_unknown_links="add")
    monkeypatch.setattr("sklearn_profiling.datasets.yelp.reading._LINKS_AT_ONCE", 0)
    found = load_yelp(tmp_path, **LOW, with_network=True, on_unknown_links="add")
    assert found.graph.subgraph(expected.graph.ids) == expected.graph
    assert found.report == expected.report
    counts = found.report["files"]["friends"]
    assert (counts["n_links_read"], counts["n_repeated_links"]) == (8, 2)


def test_compressed_files_and_photos_elsewhere(tmp_path):
    write(tmp_path)
    expected = load_yelp(tmp_path, **LOW)
    packers = {"gz": gzip.compress, "zst": zstandard.compress}
    for name, (ending, pack) in zip(
        (BUSINESSES, REVIEWS), packers.items(), strict=True
    ):
        plain = tmp_path / name
        (tmp_path / f"{name}.{ending}").write_bytes(pack(plain.read_bytes()))
        plain.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("photos", PHOTOS):
        (tmp_path / name).rename(elsewhere / name)
    found = load_yelp(tmp_path, photos_path=elsewhere, **LOW)
    assert found.target.equals(expected.target)
    assert found.data["images"][1] == [path_of(elsewhere, "p0.jpg")]
    with pytest.raises(DataFormatError, match=f"{PHOTOS} is missing .* the folder"):
        load_yelp(tmp_path, **LOW)


def test_missing_files(tmp_path):
    with pytest.raises(DataFormatError, match="is not a folder"):
        load_yelp(tmp_path / "absent")
    with pytest.raises(DataFormatError, match=rf"{BUSINESSES} .* holds: nothing"):
        load_yelp(tmp_path)
    write(tmp_path, files=())
    with pytest.raises(DataFormatError, match="n_reviews_without_images': 5"):
        load_yelp(tmp_path, **LOW)
    (tmp_path / "photos").rmdir()
    with pytest.raises(DataFormatError, match="the folder 'photos' of the photos must"):
        load_yelp(tmp_path, **LOW)


def test_photos_of_unknown_businesses(tmp_path):
    photos = [*DEFAULTS["photos"], photo("p9", "nowhere")]
    report = load_yelp(write(tmp_path, photos=photos), **LOW).report
    assert report["files"]["photos"]["n_photos_of_unknown_businesses"] == 1


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"categories": ["Pizza"]}, "categories must hold at least 2 names"),
        ({"categories": ["Pizza", "PIZZA"]}, "must not name anything twice"),
        ({"categories": ["Pizza", 1]}, "categories must hold strings"),
        ({"service_attributes": []}, "service_attributes must hold at least 1 names"),
        ({"categories": "Pizza"}, "The 'categories' parameter"),
        ({"min_reviews": 0}, "The 'min_reviews' parameter"),
        ({"high_price": 1}, "The 'high_price' parameter"),
        ({"on_bad_lines": "warn"}, "The 'on_bad_lines' parameter"),
    ],
)
def test_bad_parameters(tmp_path, parameters, fault):
    with pytest.raises(ValueError, match=fault):
        load_yelp(tmp_path, **parameters)
