"""Encodings, gzip and the policy for bad lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sklearn_profiling._packed_files import check_encodings
from sklearn_profiling.datasets._dumping import write_lines
from sklearn_profiling.datasets._files import (
    BadLine,
    LineFile,
    check_choice,
    choose_encoding,
)
from sklearn_profiling.exceptions import DataFormatError


def write(folder: Path, content: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_lines_keep_all_but_their_end(tmp_path):
    content = " a\u2028b \r\nc\x0bd\n\n   \ne\rf".encode()
    file = LineFile(write(tmp_path, content))
    assert list(file) == [" a\u2028b ", "c\x0bd", "e\rf"]
    assert (file.n_lines, file.n_blank) == (5, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", ("gb18030", "utf-8")])
@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_byte_order_mark_tells_the_encoding(tmp_path, written, encoding):
    mark = "\ufeff" if written == "utf-16-be" else ""
    file = LineFile(write(tmp_path, f"{mark}中\nb".encode(written)), encoding=encoding)
    assert list(file) == ["中", "b"]
    assert file.encoding == "utf-8"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_gzip_is_told_by_its_first_bytes(tmp_path, name):
    path = write(tmp_path, gzip.compress("中\n".encode()), name)
    assert list(LineFile(path)) == ["中"]


def test_false_gz_ending(tmp_path):
    with pytest.raises(DataFormatError, match=r"named \.gz but is not gzip"):
        list(LineFile(write(tmp_path, b"plain", "a.gz")))


@pytest.mark.parametrize("encoding", ["utf-8", ("utf-8", "gb18030")])
@pytest.mark.parametrize("policy", ["error", "skip"])
def test_truncated_gzip_is_an_error_under_any_policy(tmp_path, encoding, policy):
    whole = gzip.compress(b"".join(b"%d line\n" % i for i in range(9999)))
    path = write(tmp_path, whole[: len(whole) // 2], "a.gz")
    with pytest.raises(DataFormatError, match=r"a\.gz: the gzip archive is damaged"):
        list(LineFile(path, encoding=encoding, on_bad_lines=policy))


def test_damaged_gzip(tmp_path):
    whole = bytearray(gzip.compress(b"some text\n" * 100))
    whole[-6] ^= 0xFF  # the check sum
    with pytest.raises(DataFormatError, match="gzip archive is damaged"):
        list(LineFile(write(tmp_path, bytes(whole), "a.gz")))


def test_wrong_encoding_points_at_the_byte(tmp_path):
    path = write(tmp_path, b"ok\nab" + "中".encode("gb18030"))
    with pytest.raises(DataFormatError, match=r"line 2: wrong encoding: byte 0xd6"):
        list(LineFile(path))
    file = LineFile(path, on_bad_lines="skip")
    assert list(file) == ["ok"]
    assert file.skipped == {"wrong encoding": 1}


def test_fallback_is_for_the_whole_file(tmp_path):
    # 联通 in GB18030 happens to be valid UTF-8, the well-known Notepad puzzle
    path = write(tmp_path, "联通\n中文\n".encode("gb18030"))
    file = LineFile(path, encoding=("utf-8", "gb18030"))
    assert list(file) == ["联通", "中文"]
    assert file.encoding == "gb18030"


def test_first_encoding_that_fits_wins(tmp_path):
    path = write(tmp_path, "中文\n".encode())
    assert choose_encoding(path, ("utf-8", "gb18030")) == "utf-8"


def test_without_a_fit_the_furthest_encoding_is_taken(tmp_path):
    path = write(tmp_path, "中文\n好\n".encode("gb18030") + b"\xff\xff\n")
    file = LineFile(path, encoding=("utf-8", "gb18030"), on_bad_lines="skip")
    assert list(file) == ["中文", "好"]


def test_character_on_the_border_of_two_blocks(tmp_path):
    path = write(tmp_path, b"a" * ((1 << 20) - 1) + "中".encode())
    assert choose_encoding(path, ("utf-8", "gb18030")) == "utf-8"


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ((), "empty sequence"),
        ("utf-99", "not known"),
        ((1,), "not known"),
        ("utf-16", "ASCII as single bytes"),
    ],
)
def test_unusable_encodings(encoding, message):
    with pytest.raises(ValueError, match=message):
        check_encodings(encoding)


def test_bad_line_policy(tmp_path):
    path = write(tmp_path, b"a\nb\n")
    strict = LineFile(path)
    for _ in strict:
        pass
    with pytest.raises(DataFormatError, match=r"a\.txt, line 2: kind: what") as caught:
        strict.bad(BadLine("kind", "what"))
    assert caught.value.line == 2
    lenient = LineFile(path, on_bad_lines="skip")
    for _ in lenient:
        lenient.bad(BadLine("kind", "what"))
    with pytest.raises(DataFormatError, match=r"no usable line among 2: .*'kind': 2"):
        lenient.finish()


def test_empty_and_blank_files(tmp_path):
    empty = LineFile(write(tmp_path, b""))
    assert list(empty) == []
    with pytest.raises(DataFormatError, match="the file is empty"):
        empty.finish()
    blank = LineFile(write(tmp_path, b"\n \n"))
    assert list(blank) == []
    with pytest.raises(DataFormatError, match="all lines are blank"):
        blank.finish()
    empty_gz = LineFile(write(tmp_path, b"", "b.gz"))
    assert list(empty_gz) == []


def test_equal_text_compresses_to_equal_bytes(tmp_path):
    for name in ("a.gz", "b.gz"):
        with write_lines(tmp_path / name, compress=True) as file:
            file.write(b"text\n")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"text\n"


def test_choice_names_the_allowed_values():
    with pytest.raises(ValueError, match=r"mode must be one of 'a', 'b'; got 'c'"):
        check_choice("mode", "c", ("a", "b"))


def test_line_numbers_go_on_over_blocks(tmp_path):
    line = b"x" * 99 + b"\n"
    n_lines = 2 * (1 << 20) // 100
    good = LineFile(write(tmp_path, line * n_lines))
    assert sum(len(text) for text in good) == 99 * n_lines
    assert good.n_lines == n_lines
    path = write(tmp_path, line * n_lines + b"\xff\n" + line)
    with pytest.raises(DataFormatError, match=rf"line {n_lines + 1}: wrong encoding"):
        list(LineFile(path))
    skipping = LineFile(path, on_bad_lines="skip")
    assert len(list(skipping)) == n_lines + 1
    assert skipping.n_lines == n_lines + 2
