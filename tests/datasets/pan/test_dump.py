"""Predictions for PAN: the files, their names and what they refuse."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sklearn_profiling.datasets import dump_pan_predictions, load_pan
from sklearn_profiling.exceptions import DataFormatError


def read(folder):
    return {
        path.relative_to(folder).as_posix(): ET.parse(path).getroot().attrib  # noqa: S314
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def corpus(folder, languages):
    for language in languages:
        (folder / language).mkdir(parents=True)
        text = f'<author lang="{language}"><document>x</document></author>'
        (folder / language / "a.xml").write_text(text)
        (folder / language / "truth.txt").write_text("a:::bot:::bot")
    return load_pan(folder)


def test_a_table_of_labels(tmp_path):
    users = pd.DataFrame({"user_id": ["a", 2], "language": ["en", "en"]})
    predicted = pd.DataFrame(
        {"gender": ["female", None], "age_group": ['<25 & "up"', "20s"]}
    )
    report = dump_pan_predictions(tmp_path / "out", users, predicted)
    assert read(tmp_path / "out") == {
        "2.xml": {"id": "2", "lang": "en", "age_group": "20s"},
        "a.xml": {
            "id": "a",
            "lang": "en",
            "gender": "female",
            "age_group": '<25 & "up"',
        },
    }
    assert report == {
        "n_users": 2,
        "n_labels": 3,
        "missing_labels": 1,
        "n_users_per_language": {"en": 2},
    }


def test_users_of_several_languages(tmp_path):
    users = corpus(tmp_path / "in", ["en", "es"])
    assert users.data["user_id"].tolist() == ["en/a", "es/a"]
    predicted = np.array([["bot", "male"], ["human", "male"]], dtype=object)
    dump_pan_predictions(tmp_path / "out", users, predicted)
    assert read(tmp_path / "out") == {
        "en/a.xml": {"id": "a", "lang": "en", "type": "bot", "gender": "bot"},
        "es/a.xml": {"id": "a", "lang": "es", "type": "human", "gender": "male"},
    }


def test_the_only_language_of_a_bunch(tmp_path):
    users = corpus(tmp_path / "in", ["pt"])
    dump_pan_predictions(tmp_path / "out", users, users.target)
    assert read(tmp_path / "out") == {
        "a.xml": {"id": "a", "lang": "pt", "type": "bot", "gender": "bot"}
    }
    dump_pan_predictions(tmp_path / "es", users, users.target, language="es")
    assert read(tmp_path / "es")["a.xml"]["lang"] == "es"
    bare = Bunch(data=users.data, target=users.target)
    dump_pan_predictions(tmp_path / "bare", bare, users.target)
    assert "lang" not in read(tmp_path / "bare")["a.xml"]


def test_unknown_languages_and_own_attributes(tmp_path):
    users = pd.DataFrame({"user_id": ["a", "b"], "language": [None, "en"]})
    report = dump_pan_predictions(
        *(tmp_path, users, np.array(["I", "NI"])),
        tasks=["irony"],
        attributes={"irony": "ironic"},
    )
    assert read(tmp_path) == {
        "a.xml": {"id": "a", "ironic": "I"},
        "en/b.xml": {"id": "b", "lang": "en", "ironic": "NI"},
    }
    assert report["n_users_per_language"] == {"unknown": 1, "en": 1}


def test_nothing_is_written_over_or_by_half(tmp_path):
    old = tmp_path / "b.xml"
    old.write_text("old")
    with pytest.raises(FileExistsError, match=r"b\.xml exists"):
        dump_pan_predictions(tmp_path, ["a", "b"], ["x", "y"], tasks=["t"])
    with pytest.raises(DataFormatError, match="t has a character that XML cannot"):
        dump_pan_predictions(tmp_path, ["a", "c"], ["x", "\0"], tasks=["t"])
    assert [path.name for path in tmp_path.iterdir()] == ["b.xml"]
    assert old.read_text() == "old"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "a"], r"a\.xml: duplicate user 'a'"),
        (["a", ".."], "user '..': bad user id"),
        (["a", ""], "user '': bad user id"),
    ],
)
def test_ids_that_name_no_file(tmp_path, ids, message):
    with pytest.raises(DataFormatError, match=message):
        dump_pan_predictions(tmp_path, ids, ["x", "y"], tasks=["t"])


def test_a_language_that_names_no_folder(tmp_path):
    users = pd.DataFrame({"user_id": ["a", "b"], "language": ["en", "../x"]})
    with pytest.raises(DataFormatError, match="user 'b': bad user id"):
        dump_pan_predictions(tmp_path, users, ["x", "y"], tasks=["t"])


FRAME = pd.DataFrame({"t": ["x"]})


@pytest.mark.parametrize(
    ("users", "predictions", "more", "message"),
    [
        ("ann", FRAME, {}, "users must be a Bunch, a DataFrame or ids"),
        (["a", "b"], FRAME, {}, "predictions has 1 rows, users has 2"),
        (pd.DataFrame({"id": ["a"]}), FRAME, {}, "needs the column 'user_id'"),
        (pd.DataFrame({"user_id": ["a"]}, index=[7]), FRAME, {}, "indexes differ"),
        (["a"], ["x"], {}, r"tasks must name each column.*got None.*\(1, 1\)"),
        (["a"], ["x"], {"tasks": "t"}, "tasks must name each column"),
        (["a"], ["x"], {"tasks": ["t", "u"]}, "tasks must name each column"),
        (["a"], ["x"], {"tasks": ["my task"]}, "cannot be written as the attribute"),
        (["a"], ["x"], {"tasks": ["id"]}, "not 'id' or 'lang'"),
        (["a"], [["x", "y"]], {"tasks": ["bot", "irony"]}, "attribute of its own"),
    ],
)
def test_users_and_predictions_that_do_not_fit(
    tmp_path, users, predictions, more, message
):
    with pytest.raises(ValueError, match=message):
        dump_pan_predictions(tmp_path, users, predictions, **more)
    assert not list(tmp_path.iterdir())
