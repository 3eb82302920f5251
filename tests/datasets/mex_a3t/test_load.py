"""MEX-A3T folders: reading, faults, and the way through the writer and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.utils import Bunch
from writers.mex_a3t import dump_mex_a3t

from sklearn_profiling.datasets import load_mex_a3t, make_image_users
from sklearn_profiling.datasets.mex_a3t.format import (
    CLASSES,
    TASKS,
    natural_order,
    parse_label,
)
from sklearn_profiling.exceptions import DataFormatError
from sklearn_profiling.sources import ImageBagTransformer


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


FOLDER = {
    "truth.txt": "bea:::female:::norte:::Arts\n\nana:::MALE:::None:::\n",
    "text/ana.txt": "uno\n\ndos \r\n",
    "text/eva.txt": "¡hola!",
    "images/bea/10.jpg": b"x",
    "images/bea/9.PNG": b"x",
    "images/bea/notes.txt": b"x",
    "images/.cache/1.jpg": b"x",
    "images/astray.jpg": b"x",
    "text/dan.doc": b"x",
    "images/dan/a.webp": b"x",
    "readme.md": "x",
}


def test_a_folder_by_hand(tmp_path):
    bunch = load_mex_a3t(write(tmp_path, FOLDER))
    data, target = bunch.data, bunch.target
    assert data["user_id"].tolist() == ["bea", "ana", "dan", "eva"]
    assert data["messages"].tolist() == [[], ["uno", "dos "], [], ["¡hola!"]]
    bea = tmp_path / "images" / "bea"
    assert data["images"].tolist() == [
        [str(bea / "9.PNG"), str(bea / "10.jpg")],
        [],
        [str(tmp_path / "images" / "dan" / "a.webp")],
        [],
    ]
    assert target.columns.tolist() == list(TASKS)
    assert target.iloc[0].tolist() == ["female", "north", "arts"]
    assert target.iloc[1].tolist() == ["male", None, None]
    assert target.iloc[2:].isna().all(axis=None)
    assert bunch.graph is None
    assert bunch.target_names == {task: list(names) for task, names in CLASSES.items()}
    assert bunch.DESCR.startswith(".. _mex_a3t:")
    truth = bunch.report.pop("files")["truth"]
    assert (truth["n_records"], truth["n_blank"]) == (2, 1)
    assert bunch.report == {
        "n_users": 4,
        "n_users_not_in_truth": 2,
        "n_labeled_users": 2,
        "missing_labels": {"gender": 2, "location": 3, "occupation": 3},
        "missing_messages": 2,
        "n_users_below_min_messages": 0,
        "n_messages_below_min": 0,
        "n_message_lines": 4,
        "n_messages": 3,
        "n_blank_messages": 1,
        "skipped_messages": {},
        "missing_images": 2,
        "n_images": 3,
        "n_images_per_user": {0: 2, 1: 1, 2: 1},
        "n_files_ignored": 3,
    }


def test_without_labels_truth_is_not_needed(tmp_path):
    files = {name: text for name, text in FOLDER.items() if name != "truth.txt"}
    bunch = load_mex_a3t(write(tmp_path, files), tasks=())
    assert bunch.data["user_id"].tolist() == ["ana", "bea", "dan", "eva"]
    assert bunch.target.shape == (4, 0)
    assert bunch.report["n_users_not_in_truth"] == bunch.report["n_labeled_users"] == 0
    with pytest.raises(DataFormatError, match=r"truth.txt is missing; .* readme.md"):
        load_mex_a3t(tmp_path)


def test_labels_alone(tmp_path):
    write(tmp_path, {"truth.txt": "a:::male:::west:::health"})
    bunch = load_mex_a3t(tmp_path, tasks=["location", "location"])
    assert bunch.target.columns.tolist() == ["location"]
    assert bunch.report["missing_images"] == bunch.report["missing_messages"] == 1


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a:::male:::west", "wrong number of fields"),
        ("a:::x:::west:::arts", "unknown gender"),
        ("a:::male:::south:::arts", "unknown location"),
        ("a:::male:::west:::baker", "unknown occupation"),
        ("ok:::male:::west:::arts", "duplicate user"),
        ("../a:::male:::west:::arts", "bad user id"),
        ("..:::male:::west:::arts", "bad user id"),
        (":::male:::west:::arts", "bad user id"),
        ("a\\b:::male:::west:::arts", "bad user id"),
        ("a\xe9".encode("latin-1"), "wrong encoding"),
    ],
)
def test_bad_lines_of_labels(tmp_path, line, kind):
    line = line if isinstance(line, bytes) else line.encode()
    write(tmp_path, {"truth.txt": b"ok:::male:::west:::arts\n" + line})
    with pytest.raises(DataFormatError, match=rf"truth.txt, line 2: {kind}"):
        load_mex_a3t(tmp_path)
    bunch = load_mex_a3t(tmp_path, on_bad_lines="skip")
    assert bunch.data["user_id"].tolist() == ["ok"]
    assert bunch.report["files"]["truth"]["skipped"] == {kind: 1}


def test_bad_lines_of_text(tmp_path):
    write(tmp_path, {"truth.txt": "a:::male:::west:::arts"})
    write(tmp_path, {"text/a.txt": "niño\n".encode("latin-1") + b"uno"})
    with pytest.raises(DataFormatError, match=r"a.txt, line 1: wrong encoding"):
        load_mex_a3t(tmp_path)
    bunch = load_mex_a3t(tmp_path, on_bad_lines="skip")
    assert bunch.data["messages"][0] == ["uno"]
    assert bunch.report["skipped_messages"] == {"wrong encoding": 1}
    bunch = load_mex_a3t(tmp_path, encoding=("utf-8", "latin-1"))
    assert bunch.data["messages"][0] == ["niño", "uno"]


def test_folders_that_hold_nobody(tmp_path):
    with pytest.raises(DataFormatError, match="is not a folder"):
        load_mex_a3t(tmp_path / "absent")
    with pytest.raises(DataFormatError, match="folder holds: nothing"):
        load_mex_a3t(tmp_path)
    with pytest.raises(DataFormatError, match=r"no users: truth\.txt"):
        load_mex_a3t(tmp_path, tasks=())
    write(tmp_path, {"truth.txt": ""})
    with pytest.raises(DataFormatError, match="the file is empty"):
        load_mex_a3t(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"tasks": "gender"}, "sequence of names"),
        ({"tasks": ["age"]}, "each of tasks must be one of"),
        ({"on_bad_lines": "warn"}, "on_bad_lines"),
        ({"encoding": "none"}, "not known"),
    ],
)
def test_bad_parameters(tmp_path, parameters, fault):
    with pytest.raises(ValueError, match=fault):
        load_mex_a3t(tmp_path, **parameters)


def test_every_class_is_named_once_in_each_language():
    assert [len(CLASSES[task]) for task in TASKS] == [2, 6, 8]
    assert parse_label("location", "Occidente") == parse_label("location", "west")
    for task, names in CLASSES.items():
        for name in names:
            assert parse_label(task, name.upper()) == name


def test_natural_order():
    names = ["b", "10.jpg", "2.jpg", "a10b2", "a10b10", "02.jpg", "a9"]
    expected = ["02.jpg", "2.jpg", "10.jpg", "a9", "a10b2", "a10b10", "b"]
    assert sorted(names, key=natural_order) == expected


# -- and back ------------------------------------------------------------------


def users(n_users=12):
    """Digit users with the labels of the corpus."""
    bunch = make_image_users(
        n_users, n_images=(1, 12), with_text=True, missing_images=0.2, random_state=0
    )
    rng = np.random.default_rng(0)
    target = pd.DataFrame(
        {task: rng.choice(names, n_users) for task, names in CLASSES.items()},
        dtype=object,
    )
    target.iloc[2, 1] = None
    target.iloc[3] = np.nan
    return Bunch(data=bunch.data, target=target, graph=None)


def test_round_trip(tmp_path):
    bunch = users()
    bunch.target["age"] = 3
    report = dump_mex_a3t(bunch, tmp_path / "first")
    first = load_mex_a3t(tmp_path / "first")
    assert first.data["user_id"].tolist() == bunch.data["user_id"].tolist()
    assert first.data["messages"].tolist() == bunch.data["messages"].tolist()
    expected = bunch.target[list(TASKS)]
    pd.testing.assert_frame_equal(first.target, expected.where(expected.notna(), None))
    assert report == {
        "n_users": 12,
        "n_messages": first.report["n_messages"],
        "n_images": first.report["n_images"],
        "replaced": {},
        "tasks_left_out": ["age"],
    }
    # the images, from arrays to files and from files to files
    read = ImageBagTransformer(size=(16, 16), max_images=None)
    bags = read.transform(bunch.data["images"])
    assert read.transform(first.data["images"]) == bags
    assert bags.missing.any()
    dump_mex_a3t(first.data, tmp_path / "second", target=first.target)
    second = load_mex_a3t(tmp_path / "second")
    assert read.transform(second.data["images"]) == bags
    pd.testing.assert_frame_equal(second.target, first.target)
    assert second.report["n_images_per_user"] == first.report["n_images_per_user"]


def test_pil_images_and_missing_columns(tmp_path):
    data = pd.DataFrame(
        {"user_id": [1, 2], "images": [[Image.new("L", (3, 3), 7)], np.nan]}
    )
    dump_mex_a3t(data, tmp_path)
    bunch = load_mex_a3t(tmp_path)
    assert bunch.data["user_id"].tolist() == ["1", "2"]
    assert bunch.target.isna().all(axis=None)
    with Image.open(bunch.data["images"][0][0]) as image:
        assert image.getpixel((0, 0)) == 7
    assert not (tmp_path / "text").exists()


def test_messages_that_lines_cannot_hold(tmp_path):
    data = pd.DataFrame({"user_id": ["a"], "messages": [["uno\r\ndos", " \n", "x"]]})
    with pytest.raises(
        DataFormatError, match=r"a.txt: line end in a text: 'uno.*replace"
    ):
        dump_mex_a3t(data, tmp_path / "a")
    report = dump_mex_a3t(data, tmp_path / "b", on_unwritable="replace")
    assert report["replaced"] == {"line end in a text": 1, "message without text": 1}
    assert report["n_messages"] == 2
    assert load_mex_a3t(tmp_path / "b").data["messages"][0] == ["uno dos", "x"]


@pytest.mark.parametrize(
    ("data", "target", "fault"),
    [
        ({"user_id": ["a", "a"]}, {}, "duplicate user 'a'"),
        ({"user_id": ["a/b"]}, {}, "row 0 of data: bad user id"),
        ({"user_id": ["a"]}, {"gender": ["x"]}, "row 0 of data: unknown gender"),
        ({"user_id": ["a"], "images": [["a.doc"]]}, {}, "image 0 must end in one of"),
        ({"user_id": ["a"], "messages": ["x"]}, {}, "no list of str"),
    ],
)
def test_what_cannot_be_written(tmp_path, data, target, fault):
    data = pd.DataFrame(data)
    target = pd.DataFrame(target, index=data.index)
    with pytest.raises(DataFormatError, match=fault):
        dump_mex_a3t(data, tmp_path, target=target)


def test_a_folder_in_use_is_left_alone(tmp_path):
    data = pd.DataFrame({"user_id": ["a"]})
    for name in ("truth.txt", "text", "images"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).mkdir()
        with pytest.raises(FileExistsError, match=name):
            dump_mex_a3t(data, folder)
    with pytest.raises(ValueError, match="on_unwritable"):
        dump_mex_a3t(data, tmp_path / "new", on_unwritable="ignore")


def test_the_loader_lists_what_pillow_opens_and_counts_the_rest(tmp_path):
    read = (".jpg", ".PNG", ".jfif", ".avif", ".ico", ".tga", ".psd", ".dds", ".mpo")
    for ending in (*read, ".eps", ".pdf", ".mpg", ".txt"):
        write(tmp_path, {f"images/u/a{ending}": b"x"})
    bunch = load_mex_a3t(tmp_path, tasks=())
    assert bunch.report["n_images"] == len(read)
    assert bunch.report["n_files_ignored"] == 4
