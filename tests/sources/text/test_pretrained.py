"""Vectors from files as they are published, and every fault by its line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import (
    DataFormatError,
    DataQualityWarning,
    SourceError,
)
from sklearn_profiling.sources.text import PretrainedVectors
from sklearn_profiling.sources.text import _vector_files as files

WORDS = ["茶", "山", "the", "海"]
VECTORS = np.array([[1, 2, 3], [-0.5, 0.25, 1e-3], [4, 5, 6], [7, 8, 9]], np.float32)
TEXT = TokenMessages.from_lists([[["茶", "山", "茶"], ["雨"]], None, [["海"]]])


def text_bytes(*, header):
    lines = [f"{len(WORDS)} 3"] if header else []
    for word, vector in zip(WORDS, VECTORS, strict=True):
        lines.append(" ".join([word, *map(str, vector.tolist())]))
    return ("\n".join(lines) + "\n").encode()


def binary_bytes(*, line_feeds):
    end = b"\n" if line_feeds else b""
    return f"{len(WORDS)} 3\n".encode() + b"".join(
        word.encode() + b" " + vector.tobytes() + end
        for word, vector in zip(WORDS, VECTORS, strict=True)
    )


LAYOUTS = {
    "glove": text_bytes(header=False),
    "word2vec-text": text_bytes(header=True),
    "word2vec-binary": binary_bytes(line_feeds=True),
}
# Without the time of packing: test processes must see the same parameters.
TORN_ARCHIVE = gzip.compress(LAYOUTS["glove"] * 50, mtime=0)[:-20]


def written(folder, content, name="vectors"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("given", [True, False])
def test_layouts(tmp_path, layout, packed, given):
    content = LAYOUTS[layout]
    path = written(tmp_path, gzip.compress(content) if packed else content)
    vectors = PretrainedVectors(path, format=layout if given else "auto").fit(TEXT)
    assert vectors.vocabulary_.words == ("茶", "山", "海")
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, VECTORS[[0, 1, 3]])
    assert vectors.report_ == {
        "format": layout,
        "n_dimensions": 3,
        "n_read": 4,
        "n_kept": 3,
        "skipped": {},
        "n_words_seen": 4,
        "n_words_covered": 3,
        "share_of_text_covered": 0.8,
    }
    changed = vectors.transform(TEXT)
    assert changed.tolist() == [[["茶", "山", "茶"]], [], [["海"]]]
    assert changed.vocabulary is vectors.vocabulary_


def test_binary_without_line_feeds_and_in_small_chunks(tmp_path, monkeypatch):
    path = written(tmp_path, binary_bytes(line_feeds=False))
    monkeypatch.setattr(files, "_CHUNK", 40)
    monkeypatch.setattr(files, "_LONGEST_WORD", 6)
    vectors = PretrainedVectors(path, only_seen=False).fit(TEXT)
    assert vectors.vocabulary_.words == tuple(WORDS)
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, VECTORS)


def test_all_words_some_words_unknown_words(tmp_path):
    path = written(tmp_path, LAYOUTS["word2vec-text"])
    everything = PretrainedVectors(str(path), only_seen=False, unknown="average")
    changed = everything.fit_transform(TEXT)
    assert changed.vocabulary.words == (*WORDS, "<unknown>")
    assert changed[0] == [["茶", "山", "茶"], ["<unknown>"]]
    for layout, content in LAYOUTS.items():
        first = PretrainedVectors(
            written(tmp_path, content), format=layout, only_seen=False, max_words=2
        )
        assert first.fit(TEXT).vocabulary_.words == tuple(WORDS[:2])
        assert first.report_["n_read"] == 2


def test_trailing_blanks_empty_lines_and_carriage_returns(tmp_path):
    path = written(tmp_path, "茶 1 2 \r\n\r\n山 3 4\r\n")
    vectors = PretrainedVectors(path).fit(TEXT)
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("content", "line", "error", "kind"),
    [
        ("茶 1 2\n山 3\n", 2, "expected a word and 2 numbers; found 1 col", "columns"),
        ("茶 1 2\n山 3 4 5\n", 2, "found 3 columns", "columns"),
        ("茶 1 2\n山\n", 2, "found 0 columns", "columns"),
        ("茶 1 2\n\f\n", 2, "columns after b''", "columns"),
        ("茶 1 2\n山 3 x\n", 2, "'山' holds something else than numbers", "number"),
        ("茶 1 2\n山 3 nan\n", 2, "'山' holds a number that is not finite", "finite"),
        ("茶 1 2\n山 3 1e39\n", 2, "not finite", "finite"),
        ("茶 1 2\n海 1 1\n茶 3 4\n", 3, "'茶' stands twice, first in entry 1", "dupli"),
        ("2 2\n茶 1 2\n山 3\n", 3, "found 1 columns", "columns"),
        (b"\xe8\x8c\xb6 1 2\n\xff 3 4\n", 2, r"is not utf-8", "encoding"),
    ],
)
def test_bad_lines(tmp_path, content, line, error, kind):
    path = written(tmp_path, content)
    with pytest.raises(DataFormatError, match=error) as caught:
        PretrainedVectors(path).fit(TEXT)
    assert caught.value.line == line
    assert str(path) in str(caught.value)
    lenient = PretrainedVectors(path, on_bad_lines="skip").fit(TEXT)
    assert lenient.vocabulary_.words[0] == "茶"
    np.testing.assert_array_equal(lenient.vocabulary_.vectors[0], [1, 2])
    [(reason, number)] = lenient.report_["skipped"].items()
    assert kind in reason
    assert number == 1


def test_bad_binary_entries(tmp_path):
    bad = VECTORS.copy()
    bad[1, 0] = np.nan
    content = b"4 3\n" + b"".join(
        word + b" " + vector.tobytes()
        for word, vector in zip(
            ["茶".encode(), "山".encode(), b"\xff", "茶".encode()], bad, strict=True
        )
    )
    path = written(tmp_path, content)
    lenient = PretrainedVectors(
        path, format="word2vec-binary", on_bad_lines="skip"
    ).fit(TEXT)
    assert lenient.vocabulary_.words == ("茶",)
    assert lenient.report_["skipped"] == {
        "not finite": 1,
        "wrong encoding": 1,
        "duplicate word": 1,
    }
    with pytest.raises(DataFormatError, match="'山' holds a number that is not finite"):
        PretrainedVectors(path).fit(TEXT)


@pytest.mark.parametrize(
    ("content", "layout", "error"),
    [
        ("", "auto", "line 1: the file is empty"),
        ("茶\n", "auto", "line 1: expected a word and its numbers"),
        ("茶 1 2\n", "word2vec-text", "line 1: expected the number of words and of"),
        ("1 0\n茶\n", "word2vec-binary", "line 1: expected the number of words"),
        (LAYOUTS["word2vec-binary"][:-10], "auto", "cut off in entry 4 of 4"),
        (b"1 2\n" + b"x" * 9000, "word2vec-binary", "does not begin with a word"),
        (TORN_ARCHIVE, "auto", "gzip archive is dam"),
        (TORN_ARCHIVE, "glove", "gzip archive is dam"),
        (b"\x1f\x8bnonsense", "glove", "gzip archive is damaged"),
    ],
)
def test_broken_files(tmp_path, content, layout, error):
    path = written(tmp_path, content)
    text = TokenMessages.from_lists([[["雨", "茶", "山"]]])
    with pytest.raises(DataFormatError, match=error):
        PretrainedVectors(path, format=layout, on_bad_lines="skip").fit(text)


@pytest.mark.parametrize(
    ("content", "error", "n_kept"),
    [
        ("3 2\n茶 1 2\n山 3 4\n", "states 3 words and the file holds 2", 2),
        ("1 2\n茶 1 2\n山 3 4\n", "states 1 words and the file holds 2", 2),
        ("2 5\n茶 1 2\n山 3 4\n", "states 5 dim.* lines after it hold 2 num", 2),
        (LAYOUTS["word2vec-binary"].replace(b"4 3", b"9 3"), "states 9 .* holds 4", 3),
    ],
)
def test_a_first_line_that_is_off(tmp_path, content, error, n_kept):
    path = written(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{error}.*on_bad_lines='skip' reads"):
        PretrainedVectors(path).fit(TEXT)
    with pytest.warns(DataQualityWarning, match=error):
        lenient = PretrainedVectors(path, on_bad_lines="skip").fit(TEXT)
    assert lenient.report_["n_kept"] == n_kept
    assert lenient.report_["skipped"] == {}
    assert lenient.report_["n_dimensions"] in {2, 3}


def test_a_first_line_that_is_off_does_not_matter_before_max_words(tmp_path):
    for name, content in LAYOUTS.items():
        off = content.replace(b"4 3\n", b"5 3\n", 1)
        path = written(tmp_path, off, name)
        first = PretrainedVectors(path, max_words=4).fit(TEXT)
        assert first.report_["n_kept"] == 3


def test_one_broken_line_is_no_doubt_of_the_first_line(tmp_path):
    path = written(tmp_path, "1 2\n茶 1 2 3\n")
    with pytest.raises(DataFormatError, match=r"line 2: .* 2 numbers; found 3 columns"):
        PretrainedVectors(path, format="word2vec-text").fit(TEXT)


def test_what_follows_a_binary_file_is_said(tmp_path):
    content = LAYOUTS["word2vec-binary"]
    path = written(tmp_path, content.replace(b"4 3", b"3 3"))
    with pytest.warns(DataQualityWarning, match="goes on after the 3 words"):
        vectors = PretrainedVectors(path).fit(TEXT)
    assert vectors.vocabulary_.words == ("茶", "山")
    PretrainedVectors(written(tmp_path, content + b"\n\n")).fit(TEXT)


ODD_WORDS = {". . .": "0.5 1.5", "at name@domain.com": "2.5 3.5", "茶": "4.5 5.5"}


@pytest.mark.parametrize("header", ["", "6 2\n", "\ufeff", "\ufeff6 2\r\n"])
@pytest.mark.parametrize("blank", [" ", "\t", "  ", " \t"])
@pytest.mark.parametrize("margin", ["", "  "])
def test_words_with_blanks(tmp_path, header, blank, margin):
    words = {**ODD_WORDS, "windows 95": "6.5 7", "1 1/2": "8.5 -9e-05", "95": "1 2.5"}
    lines = [
        margin + blank.join([word, *numbers.split()]) + "\n"
        for word, numbers in words.items()
    ]
    path = written(tmp_path, header + "".join(lines))
    vectors = PretrainedVectors(path, only_seen=False).fit(TEXT)
    assert vectors.vocabulary_.words == tuple(words)
    expected = [[float(number) for number in row.split()] for row in words.values()]
    np.testing.assert_array_equal(
        vectors.vocabulary_.vectors, np.array(expected, np.float32)
    )
    assert vectors.report_["n_read"] == vectors.report_["n_kept"] == 6
    assert vectors.report_["format"] == ("word2vec-text" if "6" in header else "glove")


def test_most_lines_say_how_many_numbers_there_are(tmp_path):
    path = written(tmp_path, "海 1.5\n山 1.5 2.5\n茶 3.5 4.5\n")
    with pytest.raises(DataFormatError, match=r"line 1: .* 2 numbers; found 1 columns"):
        PretrainedVectors(path).fit(TEXT)
    lenient = PretrainedVectors(path, on_bad_lines="skip").fit(TEXT)
    assert lenient.vocabulary_.words == ("山", "茶")
    assert lenient.report_["skipped"] == {"wrong number of columns": 1}


@pytest.mark.parametrize(
    "line",
    [
        "山 0.5 1.5 2.5",  # one number too many
        "山 0.5 1.5海 2.5 3.5",  # a line feed is missing
        "山 海 x 0.5",
        "山\t0.5\tx\ty",
        "\t0.5\t1.5",
    ],
)
def test_what_is_no_word_with_blanks(tmp_path, line):
    path = written(tmp_path, f"茶 1.5 2.5\n海 3.5 4.5\n{line}\n")
    with pytest.raises(DataFormatError, match=r"line 3: expected a word and 2 numbers"):
        PretrainedVectors(path).fit(TEXT)
    lenient = PretrainedVectors(path, on_bad_lines="skip").fit(TEXT)
    assert lenient.vocabulary_.words == ("茶", "海")
    assert lenient.report_["skipped"] == {"wrong number of columns": 1}


@pytest.mark.parametrize(
    "content", ["茶,0.5,1.5\n", "茶, 0.5, 1.5\n山, 1.5, 2.5\n", "茶 0,5 1,5\n"]
)
def test_other_separators_are_named(tmp_path, content):
    path = written(tmp_path, content)
    with pytest.raises(DataFormatError, match="separated by blanks or tabs; found"):
        PretrainedVectors(path).fit(TEXT)


def zipped(folder, members, name="vectors.zip"):
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("packer", ["bzip2", "xz", "zip"])
def test_archives(tmp_path, layout, packer):
    content = LAYOUTS[layout]
    if packer == "zip":
        noise = {"__MACOSX/._vectors": b"x", "glove/": b"", "glove/.DS_Store": b"x"}
        path = zipped(tmp_path, {"glove/vectors": content, **noise})
    else:
        path = written(tmp_path, PACKERS[packer](content))
    vectors = PretrainedVectors(path, only_seen=False).fit(TEXT)
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, VECTORS)
    assert vectors.report_["format"] == layout


def test_a_file_of_a_zip_archive(tmp_path):
    files = {f"{n}d.txt": f"茶 {' '.join(['1.5'] * n)}\n" for n in range(2, 15)}
    path = zipped(tmp_path, files)
    vectors = PretrainedVectors(path, member="5d.txt").fit(TEXT)
    assert vectors.report_["n_dimensions"] == 5
    with pytest.raises(
        DataFormatError, match=r"13 files, and .* member: '2d.txt', .*\.\.\."
    ):
        PretrainedVectors(path).fit(TEXT)
    with pytest.raises(DataFormatError, match=r"has no 'x'; it holds '2d.txt'"):
        PretrainedVectors(path, member="x").fit(TEXT)
    with pytest.raises(DataFormatError, match=r"holds 0 files, .*: none"):
        PretrainedVectors(zipped(tmp_path, {}, "empty.zip")).fit(TEXT)
    with pytest.raises(DataFormatError, match="no zip archive, so it has no 'x'"):
        PretrainedVectors(written(tmp_path, "茶 1\n"), member="x").fit(TEXT)


@pytest.mark.parametrize("packer", ["bzip2", "xz", "zip"])
def test_damaged_archives(tmp_path, packer):
    content = LAYOUTS["glove"] * 50
    if packer == "zip":
        torn = zipped(tmp_path, {"vectors": content}).read_bytes()[:-40]
    else:
        torn = PACKERS[packer](content)[:-20]
    with pytest.raises(DataFormatError, match=f"{packer} archive is damaged or cut"):
        PretrainedVectors(written(tmp_path, torn), on_bad_lines="skip").fit(TEXT)


def test_a_zip_archive_with_a_password(tmp_path):
    path = zipped(tmp_path, {"vectors": LAYOUTS["glove"]})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag of encryption, in both headers
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"cannot be unpacked: .*password"):
        PretrainedVectors(path).fit(TEXT)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"fastText model \(\.bin\).* give the \.vec"),
        (b"\x93NUMPY\x01\0", r"a NumPy array \(\.npy\)"),
        (b"Rar!\x1a\x07", "a RAR archive; unpack it, or pack it with gzip"),
        (
            b"\x28\xb5\x2f\xfd1234",
            "a zstandard archive within another",
        ),
        (b"vectors" + b"\0" * 250 + b"ustar\0", "a tar archive; unpack it"),
        (bz2.compress(b"x 1 2\n"), "a bzip2 archive within another; unpack the outer"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x2c\x01\0\0\x05\0\0\0\n", "binary, and of no format that is known"),
    ],
)
def test_other_formats_are_named(tmp_path, content, error):
    path = written(tmp_path, gzip.compress(content))
    with pytest.raises(DataFormatError, match=error):
        PretrainedVectors(path).fit(TEXT)


def test_a_word_may_begin_as_an_archive(tmp_path):
    path = written(tmp_path, "BZh 1 2\n茶 3 4\n")
    assert PretrainedVectors(path).fit(TEXT).vocabulary_.words == ("茶",)


def keyed_vectors():
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(3)
    keyed.add_vectors(WORDS, VECTORS)
    return keyed


def test_files_of_gensim_only_if_trusted(tmp_path):
    path = tmp_path / "x.kv"
    keyed_vectors().save(str(path))
    for layout in ("auto", "glove", "gensim"):
        with pytest.raises(
            DataFormatError, match=r"a pickle, as gensim's .* trusted=T"
        ):
            PretrainedVectors(path, format=layout).fit(TEXT)
    vectors = PretrainedVectors(path, trusted=True, max_words=3).fit(TEXT)
    assert vectors.vocabulary_.words == ("茶", "山")
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, VECTORS[:2])
    assert vectors.report_["format"] == "gensim"
    assert vectors.report_["n_read"] == 3


def test_models_of_gensim_and_large_arrays_beside(tmp_path):
    from gensim.models import Word2Vec

    path = tmp_path / "w2v.model"
    model = Word2Vec([["茶", "山"]] * 5, vector_size=4, min_count=1, workers=1)
    model.save(str(path), sep_limit=0)
    assert len(list(tmp_path.iterdir())) > 1
    vectors = PretrainedVectors(path, trusted=True, only_seen=False).fit(TEXT)
    assert vectors.vocabulary_.words == tuple(model.wv.index_to_key)
    np.testing.assert_array_equal(vectors.vocabulary_.vectors, model.wv.vectors)


def test_bad_files_of_gensim(tmp_path):
    keyed = keyed_vectors()
    keyed.vectors[1, 0] = np.nan
    path = tmp_path / "x.kv"
    keyed.save(str(path))
    lenient = PretrainedVectors(path, trusted=True, on_bad_lines="skip").fit(TEXT)
    assert lenient.vocabulary_.words == ("茶", "海")
    assert lenient.report_["skipped"] == {"not finite": 1}
    with pytest.raises(DataFormatError, match="'山' holds a number that is not finite"):
        PretrainedVectors(path, trusted=True).fit(TEXT)
    torn = written(tmp_path, path.read_bytes()[:100])
    with pytest.raises(DataFormatError, match="gensim cannot load it"):
        PretrainedVectors(torn, trusted=True).fit(TEXT)
    other = tmp_path / "phrases"
    from gensim.models.phrases import Phrases

    Phrases([["茶", "山"]]).save(str(other))
    with pytest.raises(DataFormatError, match="KeyedVectors or a model; found Phrases"):
        PretrainedVectors(other, trusted=True).fit(TEXT)
    text = written(tmp_path, LAYOUTS["glove"])
    with pytest.raises(
        DataFormatError, match=r"expected a file that gensim's save\(\)"
    ):
        PretrainedVectors(text, format="gensim", trusted=True).fit(TEXT)


def test_no_overlap_no_file_no_text(tmp_path):
    path = written(tmp_path, LAYOUTS["glove"])
    with pytest.raises(SourceError, match=r"none of the 1 different words .* the 4 of"):
        PretrainedVectors(path).fit(TokenMessages.from_lists([[["雨"]]]))
    with pytest.raises(DataFormatError, match="no such file"):
        PretrainedVectors(tmp_path / "none").fit(TEXT)
    with pytest.raises(SourceError, match="takes TokenMessages"):
        PretrainedVectors(path).fit(["茶"])
    with pytest.raises(ValueError, match="'format' parameter"):
        PretrainedVectors(path, format="fast").fit(TEXT)


def test_other_encoding(tmp_path):
    path = written(tmp_path, "茶 1 2\n".encode("gb18030"))
    vectors = PretrainedVectors(path, encoding="gb18030").fit(TEXT)
    assert vectors.vocabulary_.words == ("茶",)


def test_gensim_reads_and_writes_the_same(tmp_path):
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(3)
    keyed.add_vectors(WORDS, VECTORS)
    for binary, layout in ((False, "word2vec-text"), (True, "word2vec-binary")):
        path = tmp_path / layout
        keyed.save_word2vec_format(str(path), binary=binary)
        vectors = PretrainedVectors(path, only_seen=False).fit(TEXT)
        assert vectors.report_["format"] == layout
        np.testing.assert_array_equal(vectors.vocabulary_.vectors, VECTORS)
