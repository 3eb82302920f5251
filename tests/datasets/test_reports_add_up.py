"""What a loader reads is used, or skipped for a reason that its report counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sklearn_profiling.datasets import (
    load_mex_a3t,
    load_pan,
    load_records,
    load_smpcup2016,
    load_yelp,
)
from sklearn_profiling.exceptions import DataFormatError


def json_lines(*rows):
    lines = (row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    return "".join(lines)


def author(*texts):
    inside = "".join(f"<document>{text}</document>" for text in texts)
    return f'<author lang="en"><documents>{inside}</documents></author>'


def review(user, text="good food", place="cafe"):
    ids = {"review_id": "r", "user_id": user, "business_id": place}
    return {**ids, "stars": 4, "text": text, "date": "2020-01-01"}


SMPCUP2016 = {
    "labels.txt": "1||m||1980||北京\n\n2||x||1980||北京\n3||f||None||None\n",
    "status.txt": "1,0,0,web,t,a\n1,0,0,web,t,b\n1,0,0,web,t,c\n\n3,0,0,web,t,a\n"
    "3,0,0,web,t,None\n4,0,0,web,t,a\n4,0,0,web,t,b\nbad\n3,x,0,web,t,a\n",
    "links.txt": "# fans\n1 3 4 9\n\n3 3 1 1\nNone 1\n4 None\n9 8\n",
    "info.txt": "1||ann||u\n1||ann||u\n3\n",
}
MEX_A3T = {
    "truth.txt": "ann:::female:::norte:::Arts\nbob:::x:::y\n\ncyd:::male:::None:::\n",
    "text/ann.txt": "one\n\ntwo\n \nthree\n",
    "text/cyd.txt": b"one\n\xff\n",
    "text/dan.txt": "one\ntwo\n",
}
PAN = {
    "truth.txt": "ann:::female:::usa\nbob:::male\n\ncyd:::male:::ireland\n"
    "eve:::male:::usa\n",
    "ann.xml": author("one", "two", "", "three"),
    "cyd.xml": author("one", " "),
    "dan.xml": author("one", "two"),
    "fay.xml": "<author",
}
YELP = {
    "business.json": json_lines({"business_id": "cafe", "categories": None}, "{\n"),
    "photo.json": json_lines(
        {"photo_id": "p", "business_id": "bar", "caption": "", "label": ""}, "\n"
    ),
    "photos/p.jpg": b"x",
    "review.json": json_lines(
        *[review("ann"), review("ann", "good"), review("ann"), review("ann")],
        *["\n", review("bob"), review("bob"), review("cyd", place="bar")],
        *[review("dan", "very " * 9), {"user_id": 1}, review("cyd")],
    ),
    "user.json": json_lines(
        {"user_id": "ann", "friends": "bob, ann, cyd"},
        {"user_id": "bob", "friends": "ann, ann"},
        {"user_id": 3},
        "\n",
        {"user_id": "zed", "friends": "ann"},
    ),
}
RECORDS = {
    "users.jsonl": json_lines(
        {"user_id": "ann", "messages": ["one", "two", None]},
        *["\n", "{\n", {"messages": []}, {"user_id": "bob", "messages": ["one"]}],
        {"user_id": "ann", "messages": []},
    ),
    "links.csv": "source,target\n# c\nann,bob\nann,bob\n\nann,ann\nbob,cyd\nann\n",
}
CASES = {
    "smpcup2016": (SMPCUP2016, load_smpcup2016, {"on_unknown_links": "drop"}),
    "smpcup2016, all": (SMPCUP2016, load_smpcup2016, {"users": "all"}),
    "smpcup2016, few": (
        SMPCUP2016,
        load_smpcup2016,
        {"min_messages": 2, "max_messages": 2, "on_unknown_links": "drop"},
    ),
    "smpcup2016, labelled": (
        SMPCUP2016,
        load_smpcup2016,
        {"users": "labeled", "min_messages": 2, "directed": True},
    ),
    "mex_a3t": (MEX_A3T, load_mex_a3t, {}),
    "mex_a3t, few": (MEX_A3T, load_mex_a3t, {"min_messages": 2}),
    "pan": (PAN, load_pan, {}),
    "pan, few": (PAN, load_pan, {"min_messages": 2}),
    "yelp": (
        YELP,
        load_yelp,
        {"min_reviews": 2, "min_words": 2, "max_words": 5, "with_network": True}
        | {"require_images": False, "on_unknown_links": "add"},
    ),
    "yelp, few": (
        YELP,
        load_yelp,
        {"min_reviews": 1, "min_words": 1, "max_words": None, "with_network": True}
        | {"require_images": False, "min_kept_reviews": 3},
    ),
    "records": (RECORDS, load_records, {"on_unknown_links": "drop"}),
}


def load(folder, case):
    files, loader, parameters = CASES[case]
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return loader(folder, on_bad_lines="skip", **parameters)


@pytest.mark.parametrize("case", CASES)
def test_each_line_of_each_file_is_counted(tmp_path, case):
    report = load(tmp_path, case).report
    assert report["files"]
    for name, counts in report["files"].items():
        content = Path(counts["path"]).read_bytes()
        assert counts["n_lines"] == len(content.splitlines()), name
        apart = counts["n_blank"] + sum(counts["skipped"].values())
        apart += counts.get("n_comments", 0) + counts.get("n_headers", 0)
        assert counts["n_lines"] == counts["n_records"] + apart, name
        if "n_links_read" in counts:
            left_out = counts["n_repeated_links"] + counts["n_self_links"]
            left_out += counts["n_unknown_links"]
            assert counts["n_links_read"] == counts["n_links"] + left_out


@pytest.mark.parametrize("case", CASES)
def test_each_message_is_counted(tmp_path, case):
    bunch = load(tmp_path, case)
    report, files = bunch.report, bunch.report["files"]
    n_messages = int(bunch.data["messages"].str.len().sum())
    assert report["n_messages"] == n_messages
    assert report["n_users"] == len(bunch.data) == len(bunch.target)
    below = report.get("n_messages_below_min", 0)
    if "status" in files:
        names = ("without_text", "of_other_users", "over_maximum")
        apart = sum(report[f"n_messages_{name}"] for name in names)
        assert files["status"]["n_records"] == n_messages + apart + below
    if "n_message_lines" in report:
        apart = report["n_blank_messages"] + sum(report["skipped_messages"].values())
        assert report["n_message_lines"] == n_messages + apart + below
    if "n_documents" in report:
        apart = report["n_messages_without_text"]
        assert report["n_documents"] == n_messages + apart + below
        skipped = sum(report["skipped_authors"].values())
        assert report["n_author_files"] == report["n_authors_read"] + skipped
    if "reviews" in files:
        apart = sum(n for name, n in report.items() if name.startswith("n_reviews_"))
        assert files["reviews"]["n_records"] == n_messages + apart


@pytest.mark.parametrize("name", ["smpcup2016", "mex_a3t", "pan"])
def test_users_with_few_messages_are_left_out(tmp_path, name):
    whole = load(tmp_path, name)
    few = load(tmp_path, f"{name}, few")
    enough = whole.data["messages"].str.len() >= 2
    assert few.data["user_id"].tolist() == whole.data["user_id"][enough].tolist()
    assert few.target.equals(whole.target[enough].reset_index(drop=True))
    assert few.report["n_users_below_min_messages"] == int((~enough).sum()) > 0
    assert whole.report["n_users_below_min_messages"] == 0
    if name != "smpcup2016":
        few_ids = set(few.data["user_id"])
        assert few.report["n_users_not_in_truth"] == len(few_ids & {"dan"}) == 1
    loader = CASES[name][1]
    with pytest.raises(DataFormatError, match=r"no user has 9 messages .*; the most"):
        loader(tmp_path, on_bad_lines="skip", min_messages=9)
    for value in (-1, True, 1.5, None):
        with pytest.raises(ValueError, match="min_messages must be a whole number"):
            loader(tmp_path, min_messages=value)


def test_the_maximum_is_not_below_the_minimum(tmp_path):
    load(tmp_path, "smpcup2016")
    with pytest.raises(ValueError, match="max_messages must be at least min_messages"):
        load_smpcup2016(tmp_path, min_messages=3, max_messages=2)
