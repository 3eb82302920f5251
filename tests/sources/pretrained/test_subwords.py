"""Subwords: ids of the tokenizer, nothing added, nothing fetched."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_profiling.exceptions import MissingDependencyError, SourceError
from sklearn_profiling.persistence import _converters
from sklearn_profiling.sources import SourceUnion, SubwordSegmenter
from sklearn_profiling.sources.pretrained._tokenizers import vocabulary_of

tokenizers = pytest.importorskip("tokenizers")

MESSAGES = [
    ["the tea was good", "the teapot was not"],
    None,
    ["喝茶 the tea", "</s> the <pad>"],
    [],
]


def word_tokenizer(words=("[UNK]", "tea", "good", "the")):
    """A tokenizer of whole words, of which one id stays unused."""
    ids = {word: number for number, word in enumerate(words)} | {"last": 5}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, "[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="last $A", special_tokens=[("last", 5)]
    )
    return tokenizer


def wrapped(tokenizer):
    transformers = pytest.importorskip("transformers")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",  # noqa: S106 - no password
    )


def test_ids_and_words_are_those_of_the_tokenizer():
    tokenizer = word_tokenizer()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    segmenter = SubwordSegmenter(tokenizer)
    text = segmenter.fit_transform([["tea good the tea", "what tea"], None, ["good"]])
    assert text.ids.tolist() == [1, 2, 3, 1, 0, 1, 2]
    assert text.tolist()[0][1] == ["[UNK]", "tea"]
    assert text.missing.tolist() == [False, True, False]
    words = ("[UNK]", "tea", "good", "the", "<unused 4>", "last")
    assert text.vocabulary.words == segmenter.vocabulary_.words == words
    # The user's object goes on cutting and padding.
    assert len(tokenizer.encode("tea tea tea").ids) == 9


def test_folders_and_objects_give_the_same(tmp_path):
    tokenizer = word_tokenizer()
    saved, single = tmp_path / "saved", tmp_path / "single"
    wrapped(tokenizer).save_pretrained(saved)
    single.mkdir()
    tokenizer.save(str(single / "tokenizer.json"))
    expected = SubwordSegmenter(tokenizer).fit_transform(MESSAGES)
    for given in (wrapped(tokenizer), saved, str(saved), single):
        assert SubwordSegmenter(given).fit_transform(MESSAGES) == expected
    found = SubwordSegmenter(saved).fit(None).to_transformers()
    assert found.encode("tea", add_special_tokens=False) == [1]
    given = wrapped(tokenizer)
    assert SubwordSegmenter(given).fit(None).to_transformers() is given


def test_a_learned_tokenizer_can_write_any_text():
    segmenter = SubwordSegmenter(n_tokens=280).fit(MESSAGES)
    assert len(segmenter.vocabulary_) == 280
    assert segmenter.vocabulary_.words[:5] == (
        "<pad>", "</s>", "<unk>", "<s>", "<mask>",
    )  # fmt: skip
    text = segmenter.transform([["山高水长 </s> <mask>\n🍵"]])
    decoded = segmenter.tokenizer_.decode(text.ids.tolist(), skip_special_tokens=False)
    assert decoded == "山高水长 </s> <mask>\n🍵"
    # Frequent words have become one token.
    assert "Ġtea" in segmenter.vocabulary_
    again = SubwordSegmenter(n_tokens=280).fit(MESSAGES)
    assert again.vocabulary_ == segmenter.vocabulary_


def test_special_tokens_are_neither_added_nor_read():
    segmenter = SubwordSegmenter(n_tokens=280).fit(MESSAGES)
    for fitted in (segmenter, pickle.loads(pickle.dumps(segmenter))):
        text = fitted.transform(MESSAGES)
        assert text.ids.min() >= 5
        assert "".join(text[2][1]).startswith("</s>")
    dressed = segmenter.to_transformers()
    assert dressed.encode("tea")[-1] == dressed.eos_token_id == 1
    assert (dressed.pad_token_id, dressed.mask_token_id) == (0, 4)
    assert dressed.decode(dressed.encode("喝茶"), skip_special_tokens=True) == "喝茶"


def test_longest_message_and_repeated_messages():
    tokenizer = word_tokenizer()
    users = [["tea good the", "tea good the"], ["tea"]]
    cut = SubwordSegmenter(tokenizer, max_tokens=2).fit_transform(users)
    assert cut.ids.tolist() == [1, 2, 1]
    kept = SubwordSegmenter(tokenizer, drop_duplicates=False).fit_transform(users)
    assert kept.n_messages == 3


def test_messages_of_which_nothing_is_left_are_dropped():
    text = SubwordSegmenter(word_tokenizer()).fit_transform([["", "  "], ["tea", ""]])
    assert text.tolist() == [[], [["tea"]]]


def test_as_a_source_of_a_union_with_nobody_and_again():
    users = pd.DataFrame({"reviews": MESSAGES})
    union = SourceUnion([("text", SubwordSegmenter(n_tokens=280), "reviews")])
    made = union.fit_transform(users)["text"]
    assert made == union.transform(users)["text"]
    assert made[2] == union.transform(users.iloc[[2]])["text"][0]
    assert union.transform(users.iloc[:0])["text"].shape == (0,)


def test_cloned_and_pickled():
    segmenter = SubwordSegmenter(word_tokenizer()).fit(None)
    assert clone(segmenter).fit_transform(MESSAGES) == segmenter.transform(MESSAGES)
    copy = pickle.loads(pickle.dumps(segmenter))
    assert copy.transform(MESSAGES) == segmenter.transform(MESSAGES)
    with pytest.raises(NotFittedError):
        clone(segmenter).transform(MESSAGES)


def test_a_folder_that_is_absent_says_what_to_put_where():
    segmenter = SubwordSegmenter("google/flan-t5-base")
    with pytest.raises(
        SourceError, match=r"google/flan-t5-base.*no such folder.*tokenizer\.json"
    ):
        segmenter.fit(None)


def test_folders_without_a_tokenizer(tmp_path):
    with pytest.raises(
        SourceError, match=r"folder with a tokenizer: [^\n]*nothing is down"
    ):
        SubwordSegmenter(tmp_path).fit(None)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SourceError, match="folder with a tokenizer"):
        SubwordSegmenter(tmp_path).fit(None)


def test_other_objects_and_no_text():
    class Encoder:
        def encode(self, text):
            return text

    with pytest.raises(SourceError, match=r"PreTrainedTokenizerFast; got .*Encoder"):
        SubwordSegmenter(Encoder()).fit(None)
    with pytest.raises(SourceError, match="no user has any"):
        SubwordSegmenter().fit([None, []])
    with pytest.raises(SourceError, match=r"row 0.*3 \(int\)"):
        SubwordSegmenter(word_tokenizer()).fit(None).transform([3])
    bare = SubwordSegmenter(word_tokenizer()).fit(None)
    with pytest.raises(SourceError, match="knows its special tokens"):
        bare.to_transformers()


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependencyError, match=r"\[multimodal\]"):
        SubwordSegmenter().fit(MESSAGES)


def test_ids_far_beyond_the_tokens_are_refused(tmp_path):
    # written by hand: the tokenizer would list all ids between
    text = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"a": 0, "b": 1}, "a")
    ).to_str()
    far = text.replace('"b":1', f'"b":{2**32 - 2}')
    assert far != text
    (tmp_path / "tokenizer.json").write_text(far, "utf-8")
    for _read_by in ("tokenizers", "transformers"):
        with pytest.raises(
            SourceError, match="the id 4,294,967,294 is far beyond its 2"
        ):
            SubwordSegmenter(tmp_path).fit([["a"]])
        settings = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
        (tmp_path / "tokenizer_config.json").write_text(settings, "utf-8")
    with pytest.raises(SourceError, match="far beyond"):
        _converters.CONVERTERS["tokenizer"].build(far)


def test_an_empty_vocabulary():
    empty = tokenizers.Tokenizer(tokenizers.models.BPE())
    assert len(vocabulary_of(empty)) == 0
    assert SubwordSegmenter(empty).fit_transform([["tea"]]).missing.all()
    assert SubwordSegmenter(empty).fit_transform([]).ids.dtype == np.int32
