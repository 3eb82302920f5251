"""Vectors from files: three layouts, packed or not, and every fault by its line."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import DataFormatError, SourceError
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
        ("3 2\n茶 1 2\n山 3 4\n", "auto", "states 3 words and the file holds 2"),
        ("1 2\n茶 1 2\n山 3 4\n", "auto", "states 1 words and the file holds 2"),
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
