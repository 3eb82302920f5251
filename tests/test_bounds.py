"""What is opened and how much it may unpack to, in every loader."""

from __future__ import annotations

import bz2
import gzip
import os
import socket

import pytest

from sklearn_profiling import _bounds
from sklearn_profiling._bounds import check_file, read_blocks
from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.datasets import (
    load_mex_a3t,
    load_pan,
    load_records,
    load_smpcup2016,
    load_yelp,
)
from sklearn_profiling.exceptions import DataFormatError
from sklearn_profiling.sources import (
    JiebaSegmenter,
    PretrainedVectors,
    UserVectors,
    WordSegmenter,
)

CSV = b"user_id,text\n7,hello\n8,rain\n"


def fifo(path):
    os.mkfifo(path)
    return "a named pipe (FIFO)"


def folder(path):
    path.mkdir()
    return "a folder"


def dangling(path):
    path.symlink_to("nothing")
    return "a link to a file that does not exist"


def device(path):
    path.symlink_to("/dev/zero")
    return "a device"


@pytest.fixture(params=[fifo, folder, dangling, device])
def other(request, tmp_path):
    """A path that is no regular file, and what it is called."""
    path = tmp_path / "data" / "other"
    path.parent.mkdir()
    return path, request.param(path)


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(DataFormatError, match="is a socket; a regular file"):
            check_file("socket")


def test_a_path_with_a_null_is_refused():
    with pytest.raises(DataFormatError, match=r"is no path: .*embedded null"):
        check_file("a\0b")


def test_a_missing_file_stays_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_file(tmp_path / "nothing")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "read",
    [
        SocialGraph.from_links_file,
        lambda path: UserVectors(path).fit(),
        lambda path: UserVectors([[1.0]], ids=path).fit(),
        lambda path: PretrainedVectors(path).fit(TokenMessages.from_lists([[["a"]]])),
        lambda path: WordSegmenter(stop_words=path).fit(["a"]),
        lambda path: load_records(write(path.parent / "users.csv", CSV), labels=path),
        lambda path: load_records(write(path.parent / "users.csv", CSV), links=path),
    ],
)
def test_readers_of_a_file_take_regular_ones(read, other):
    path, kind = other
    with pytest.raises(DataFormatError) as caught:
        read(path)
    # of labels, a folder of shards is a table
    assert kind in str(caught.value) or "the folder holds: nothing" in str(caught.value)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [fifo, dangling, device])
@pytest.mark.parametrize(
    ("load", "name"),
    [
        (load_records, "users.csv"),
        (load_smpcup2016, "labels.txt"),
        (load_mex_a3t, "truth.txt"),
        (load_pan, "ann.xml"),
        (load_yelp, "yelp_academic_dataset_business.json"),
    ],
)
def test_loaders_of_a_folder_take_regular_files(load, name, make, tmp_path):
    if load is load_yelp:
        write(tmp_path / "yelp_academic_dataset_review.json", b"{}\n")
    kind = make(tmp_path / name)
    with pytest.raises(DataFormatError) as caught:
        load(tmp_path)
    # a device lies outside of the folder
    assert kind in str(caught.value) or "leaves the folder" in str(caught.value)


def test_links_that_leave_the_folder_are_followed_if_asked(tmp_path):
    write(tmp_path / "elsewhere" / "users.csv", CSV)
    data = tmp_path / "data"
    data.mkdir()
    (data / "users.csv").symlink_to(tmp_path / "elsewhere" / "users.csv")
    with pytest.raises(DataFormatError, match=r"leaves the folder .*follow_links=True"):
        load_records(data)
    assert len(load_records(data, follow_links=True).data) == 2
    # named by the user
    assert len(load_records(data / "users.csv").data) == 2


def test_links_within_the_folder_are_read(tmp_path):
    write(tmp_path / "real" / "en.xml", b"<author><document>a</document></author>")
    (tmp_path / "ann.xml").symlink_to(tmp_path / "real" / "en.xml")
    assert load_pan(tmp_path).report["n_authors_read"] == 2


def test_images_outside_of_the_folder_are_refused(tmp_path):
    write(tmp_path / "secret.jpg", b"x")
    data = tmp_path / "data"
    write(data / "text" / "ana.txt", b"hola\n")
    write(data / "images" / "ana" / "1.jpg", b"x")
    (data / "images" / "ana" / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DataFormatError, match=r"2\.jpg: is a link that leaves"):
        load_mex_a3t(data, tasks=())
    users = load_mex_a3t(data, tasks=(), follow_links=True)
    assert len(users.data["images"][0]) == 2


@pytest.mark.parametrize("load", [load_pan, load_records])
def test_a_link_to_a_folder_above_is_refused(load, tmp_path):
    folder = tmp_path / "lang=en"
    folder.mkdir()
    (folder / "lang=en").symlink_to(tmp_path)
    with pytest.raises(DataFormatError, match="is a link to a folder above it"):
        load(tmp_path)


@pytest.mark.parametrize("max_bytes", [0, -1, 1.5, True, "many"])
def test_max_bytes_is_checked(max_bytes, tmp_path):
    path = write(tmp_path / "users.csv", CSV)
    with pytest.raises(ValueError, match="max_bytes must be a whole number of 1 or"):
        load_records(path, max_bytes=max_bytes)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_max_bytes_bounds_plain_and_packed_files(pack, tmp_path):
    path = write(tmp_path / "users.csv", pack(CSV))
    assert len(load_records(path, max_bytes=1000).data) == 2
    with pytest.raises(DataFormatError, match=r"more than 20 bytes \(max_bytes\)"):
        load_records(path, max_bytes=20)


def test_max_bytes_raises_the_bound(tmp_path):
    path = write(tmp_path / "links", gzip.compress(b"1\t2\n2\t3\n" * (1 << 23)))
    with pytest.raises(DataFormatError, match=r"unpacks to more than 33,554,432 bytes"):
        SocialGraph.from_links_file(path)
    with pytest.raises(DataFormatError, match="unpacks to more than 40,000,000"):
        SocialGraph.from_links_file(path, max_bytes=40_000_000)


def test_long_lines_are_told_with_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr(_bounds, "LONGEST_LINE", 50)
    path = write(tmp_path / "links", b"1\t2\n" * 5 + b"x" * 99 + b"\n")
    with path.open("rb") as file:
        reason = "line 6: the line has more than 50 bytes.*raise max_bytes"
        with pytest.raises(DataFormatError, match=reason):
            list(read_blocks(path, file, 22))


def test_estimators_take_max_bytes(tmp_path):
    path = write(tmp_path / "vectors", b"7 0.5 1.0\n8 2.0 1.5\n")
    assert UserVectors(path, max_bytes=100).fit().report_["n_known"] == 2
    with pytest.raises(DataFormatError, match="the file has more than 5 bytes"):
        UserVectors(path, max_bytes=5).fit()
    text = TokenMessages.from_lists([[["7"]]])
    with pytest.raises(DataFormatError, match="the file has more than 5 bytes"):
        PretrainedVectors(path, max_bytes=5).fit(text)


def test_long_lists_of_words_are_refused(tmp_path, monkeypatch):
    from sklearn_profiling.sources import _columns

    monkeypatch.setattr(_columns, "_LARGEST_LIST", 5)
    path = write(tmp_path / "words", b"and\nor\n")
    with pytest.raises(DataFormatError, match="stop_words must have at most 5 bytes"):
        WordSegmenter(stop_words=path).fit(["a"])


def test_long_words_of_jieba_are_refused(tmp_path):
    path = write(tmp_path / "words", b"word 5 n\n" + b"a" * 70_000 + b"\n")
    with pytest.raises(DataFormatError, match="line 2: a word may have 1000 char"):
        JiebaSegmenter(user_dictionary=path).fit(["a"])
