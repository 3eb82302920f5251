"""Plain and packed files: recognised by content, read as a stream, damage told."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile

import pytest
import zstandard

from sklearn_profiling._packed_files import (
    marked_encoding,
    open_packed,
    open_text,
    packing,
    without_packed_ending,
)
from sklearn_profiling.exceptions import DataFormatError, MissingDependencyError


def lines(n_lines: int) -> bytes:
    return b"".join(b"line %d of a text\n" % number for number in range(n_lines))


CONTENT = lines(70_000)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/links.txt", content)
        archive.writestr("__MACOSX/folder/._links.txt", b"noise")
    return file.getvalue()


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstandard": zstandard.ZstdCompressor(write_checksum=True).compress,
    "zip": zipped,
}
STREAMS = [name for name in PACKERS if name != "zip"]


def written(folder, content, name="file"):
    path = folder / name
    path.write_bytes(content)
    return path


def read(path, member=None):
    with open_packed(path, member) as file:
        return file.read()


@pytest.mark.parametrize("name", ["file", "file.txt", "file.gz"])
@pytest.mark.parametrize("packer", PACKERS)
def test_the_content_tells_the_packer(tmp_path, packer, name):
    path = written(tmp_path, PACKERS[packer](CONTENT), name)
    assert packing(path.read_bytes()[:10]) == packer
    assert read(str(path)) == CONTENT


@pytest.mark.parametrize("content", [b"", b"BZh 1 2\n", b"Zip\n", b"\x1f"])
def test_plain_files(tmp_path, content):
    assert read(written(tmp_path, content)) == content


@pytest.mark.parametrize("packer", PACKERS)
def test_empty_content(tmp_path, packer):
    assert read(written(tmp_path, PACKERS[packer](b""))) == b""


@pytest.mark.parametrize("packer", STREAMS)
def test_archives_one_behind_the_other(tmp_path, packer):
    pack = PACKERS[packer]
    assert read(written(tmp_path, pack(CONTENT) + pack(b"end"))) == CONTENT + b"end"


@pytest.mark.parametrize("packer", PACKERS)
def test_lines_come_before_the_whole_is_read(tmp_path, packer):
    # the second half is damaged, the first lines are there all the same
    whole = PACKERS[packer](lines(300_000))
    torn = whole if packer == "zip" else whole[: len(whole) // 2]
    path = written(tmp_path, torn)
    with open_packed(path) as file:
        assert file.readline() == b"line 0 of a text\n"
        assert file.peek(4)[:4] == b"line"


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off(tmp_path, packer, share):
    whole = PACKERS[packer](CONTENT)
    path = written(tmp_path, whole[: int(share * len(whole))])
    with pytest.raises(DataFormatError, match=f"{packer} archive is damaged or cut"):
        read(path)


@pytest.mark.parametrize("packer", PACKERS)
def test_damaged(tmp_path, packer):
    content = bytearray(PACKERS[packer](CONTENT))
    middle = len(content) // 2
    content[middle : middle + 60] = b"\xff" * 60
    path = written(tmp_path, bytes(content))
    with pytest.raises(DataFormatError, match=f"{packer} archive is damaged or cut"):
        read(path)


def test_a_plain_file_named_gz(tmp_path):
    with pytest.raises(DataFormatError, match=r"named \.gz but is not gzip"):
        read(written(tmp_path, b"plain", "links.gz"))
    assert read(written(tmp_path, b"", "empty.gz")) == b""


def test_zstandard_windows_of_the_long_range_mode(tmp_path):
    # 128 MiB are the limit of the library, and 2 GiB that of the format's tools
    settings = zstandard.ZstdCompressionParameters(
        window_log=28, enable_ldm=True, compression_level=1
    )
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    packed = packer.compress(CONTENT) + packer.flush()
    assert zstandard.get_frame_parameters(packed).window_size == 1 << 28
    assert read(written(tmp_path, packed)) == CONTENT


def test_zstandard_begins_with_a_frame_to_skip(tmp_path):
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"
    packed = PACKERS["zstandard"](CONTENT)
    assert read(written(tmp_path, skipped + packed)) == CONTENT


def test_zstandard_is_optional(tmp_path, monkeypatch):
    path = written(tmp_path, PACKERS["zstandard"](CONTENT), "RC_2015-01.zst")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingDependencyError, match=r"RC_2015-01\.zst .*\[zstd\]"):
        read(path)
    assert read(written(tmp_path, PACKERS["xz"](CONTENT))) == CONTENT


def test_members_of_a_zip_archive(tmp_path):
    path = tmp_path / "several.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(12):
            archive.writestr(f"{number}.txt", str(number))
    assert read(path, "7.txt") == b"7"
    with pytest.raises(DataFormatError, match=r"12 files, .* '0\.txt', .*, \.\.\."):
        read(path)
    with pytest.raises(DataFormatError, match=r"has no 'x'; it holds '0\.txt'"):
        read(path, "x")
    with pytest.raises(DataFormatError, match="no zip archive, so it has no 'x'"):
        read(written(tmp_path, b"plain"), "x")


def test_names_in_a_zip_archive(tmp_path):
    packed = zipped(CONTENT)
    for name, fault in ((b"\0" * 16, "holds 0 files"), (b"\xff" * 16, "damaged")):
        changed = packed.replace(b"folder/links.txt", name)
        marked = changed.replace(
            b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\0\x08"
        )
        with pytest.raises(DataFormatError, match=fault):
            read(written(tmp_path, marked))


def test_a_zip_archive_with_a_password(tmp_path):
    content = bytearray(zipped(CONTENT))
    content[content.index(b"PK\x03\x04", 4) + 6] |= 1  # the flag of encryption
    content[content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4) + 8] |= 1
    path = written(tmp_path, bytes(content))
    with pytest.raises(DataFormatError, match=r"cannot be unpacked: .*password"):
        read(path)


def test_faults_of_the_disk_are_no_faults_of_the_file(tmp_path, monkeypatch):
    def fail(self, size=-1):
        raise OSError(5, "Input/output error")

    path = written(tmp_path, gzip.compress(CONTENT))
    monkeypatch.setattr(gzip.GzipFile, "read", fail)
    with pytest.raises(OSError, match="Input/output error"):
        read(path)


def test_faults_of_the_caller_are_no_faults_of_the_file(tmp_path):
    path = written(tmp_path, bz2.compress(CONTENT))
    with pytest.raises(OSError, match="no space"), open_packed(path):
        raise OSError("no space")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-16-be", "\ufeff")],
)
@pytest.mark.parametrize("packer", [None, "gzip", "zstandard"])
def test_texts_are_utf8_without_a_mark(tmp_path, encoding, mark, packer):
    text = "中文 😀 a\n" * 100_000
    content = (mark + text).encode(encoding)
    path = written(tmp_path, PACKERS[packer](content) if packer else content)
    with open_text(path) as file:
        assert file.readline().decode() == "中文 😀 a\n"
        assert file.read().decode() == text[len("中文 😀 a\n") :]


def test_broken_utf16(tmp_path):
    path = written(tmp_path, "abc".encode("utf-16") + b"\x00")
    reason = "begins as UTF-16, which it is not"
    with pytest.raises(DataFormatError, match=reason), open_text(path) as file:
        file.read()


def test_marks():
    assert marked_encoding(b"\xef\xbb\xbfa") == "utf-8"
    assert marked_encoding(b"\xff\xfea\0") == "utf-16"
    assert marked_encoding(b"abc") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("users.jsonl.zst", "users.jsonl"), ("A.CSV.GZ", "A.CSV"), ("a.txt", "a.txt")],
)
def test_names(name, expected):
    assert without_packed_ending(name) == expected
