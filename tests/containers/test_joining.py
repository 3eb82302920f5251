"""Users joined from parts are those of one call, in memory and in a file."""

from __future__ import annotations

import errno
from copy import copy

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed

from sklearn_profiling.containers import (
    ImageBags,
    TokenMessages,
    Vocabulary,
    concatenate,
    joining,
)
from sklearn_profiling.containers._ragged import is_mapped
from sklearn_profiling.exceptions import SourceError

WORDS = Vocabulary(["a", "b"])


def text(tag_names=("n", "v")):
    return TokenMessages(
        [0, 1, 0],
        [0, 0, 2, 2, 3],
        [0, 3, 3, 4, 4],
        WORDS,
        tags=[0, 1, 1],
        tag_names=tag_names,
    )


def bags(side=1):
    pixels = np.arange(4 * side, dtype=np.uint8).reshape(4, 1, 1, side)
    return ImageBags(pixels, [0, 1, 1, 4])


@pytest.mark.parametrize("make", [text, bags])
@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("sizes", [[4], [1, 3], [0, 2, 0, 1, 1], [0]])
def test_parts_join_to_the_whole(make, in_file, sizes, tmp_path):
    folder = tmp_path / "new" / "folder" if in_file else None
    ends = np.cumsum(sizes)
    whole = make()[: ends[-1]]
    parts = (make()[end - size : end] for end, size in zip(ends, sizes, strict=True))
    joined = concatenate(parts, folder=folder)
    array = joined._words[0] if make is text else joined._images[0]
    assert is_mapped(array) == (in_file and len(array) > 0)
    assert joined == whole
    assert joblib.hash(joined) == joblib.hash(whole)
    assert joined[::-1] == whole[::-1]
    # the files have no name
    assert not in_file or not list(folder.iterdir())


def test_joined_texts_are_read_only(tmp_path):
    joined = concatenate([text(), text()[[2, 0]]], folder=tmp_path)
    wanted = text()[[0, 1, 2, 3, 2, 0]]
    assert joined == wanted
    assert joined.tags.tolist() == wanted.tags.tolist()
    with pytest.raises(ValueError, match="read-only"):
        joined.ids[0] = 1


@pytest.mark.parametrize("make", [text, bags])
def test_joined_users_go_to_other_processes(make, tmp_path):
    joined = concatenate([make(), make()], folder=tmp_path)
    chosen = joined, joined[2:5], joined[[4, 0]]
    found = Parallel(2)(delayed(copy)(each) for each in chosen)
    assert found == list(chosen)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "parts holds no TokenMessages or ImageBags"),
        (text(), "parts must be an iterable of .*; got one TokenMessages"),
        ([text(), [["a"]]], "parts must be TokenMessages or .*; part 1 is list"),
        ([text(), bags()], "part 1 of parts is ImageBags, the first TokenMessages"),
        ([bags(), bags(2)], r"of \(1, 1, 2\), the first of \(1, 1, 1\)"),
        (
            [text(), text().with_vocabulary(Vocabulary(["b"]))],
            r"part 1 of parts is written with another vocabulary \(Vocabulary\(1 word",
        ),
        (
            [text(), text(("n", "x"))],
            r"part 1 of parts has other parts of speech \(\('n', 'x'\)\)",
        ),
    ],
)
def test_what_is_refused(parts, message, tmp_path):
    with pytest.raises(SourceError, match=message):
        concatenate(parts, folder=tmp_path)


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"cannot hold the users: .*file"):
        concatenate([text()], folder=tmp_path / "file")


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    class Full:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(joining, "TemporaryFile", Full)
    with pytest.raises(SourceError, match="No space left"):
        concatenate([text()], folder=tmp_path)
