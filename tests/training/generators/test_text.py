"""Profiles as text: written, read back, repaired."""

from __future__ import annotations

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_profiling.architectures.generators._tokens import TokenIds
from sklearn_profiling.training.generators.text import (
    ProfileText,
    ProfileWords,
    canonical,
    edit_distance,
    text_forms,
)
from sklearn_profiling.training.generators.tokens import ProfileTokens

FORM = ProfileText(
    ["Stars", "Favorite Category", "Discount Preference"],
    [["3", "4"], ["Coffee & tea", "Pizza", "Shopping"], ["False", "True"]],
    [False, True, False],
    [(1,), (0, 1), (1,)],
)


def test_written_and_read_back():
    text = FORM.write([(0,), (1, 2), (0,)])
    assert text == (
        "Stars: 3; Favorite Category: Pizza, Shopping; Discount Preference: False;"
    )
    profile = FORM.parse(text)
    assert profile.classes == [(0,), (1, 2), (0,)]
    assert profile.repaired == [False, False, False]


def test_a_missing_label_is_left_out_and_read_as_the_usual_one():
    text = FORM.write([(0,), None, None])
    assert text == "Stars: 3;"
    assert FORM.parse(text).classes == [(0,), (0, 1), (1,)]
    assert FORM.parse(text).repaired == [False, True, True]


@pytest.mark.parametrize(
    ("text", "classes", "repaired"),
    [
        ("stars :3 ;FAVORITE category: coffee&tea", [(0,), (0,), (1,)], [0, 0, 1]),
        ("Star: 4; Favorit Catgory: Pizzza, shoping;", [(1,), (1, 2), (1,)], [1, 1, 1]),
        # the first of two, and nothing for a name that is too far off
        ("Stars: 3; Stars: 4; Weather: rain;", [(0,), (0, 1), (1,)], [0, 1, 1]),
        ("Discount Preference: Flase;", [(1,), (0, 1), (0,)], [1, 1, 1]),
        ("Stars: ; Favorite Category: ,;", [(1,), (0, 1), (1,)], [1, 1, 1]),
        ("", [(1,), (0, 1), (1,)], [1, 1, 1]),
        ("no profile at all", [(1,), (0, 1), (1,)], [1, 1, 1]),
        (
            "Stars: 3; Favorite Category: Pizza; Discount Preference: True; Star: 4",
            [(0,), (1,), (1,)],
            [0, 0, 0],
        ),
    ],
)
def test_repairs(text, classes, repaired):
    profile = FORM.parse(text)
    assert profile.classes == classes
    assert profile.repaired == [bool(k) for k in repaired]


def test_labels_of_any_kind_have_texts_of_their_own():
    labels = [True, "true", 1, "1", "a;b", "a,b", "", " ", "a\nb", 1.0]
    forms = text_forms(labels, "class")
    assert forms == [
        *("True", "true (2)", "1", "1 (2)", "a/b", "a/b (2)"),
        *("class 6", "class 7", "a b", "1.0"),
    ]
    assert text_forms(["茶", "tea"], "class", str.isascii) == ["class 0", "tea"]


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_every_profile_comes_back(data):
    labels = st.lists(st.text(), min_size=1, max_size=4, unique=True)
    names = data.draw(labels)
    classes = [text_forms(data.draw(labels), "class") for _ in names]
    sets = [data.draw(st.booleans()) for _ in names]
    form = ProfileText(
        text_forms(names, "task"),
        classes,
        sets,
        [(0,)] * len(names),
        frozenset(task for task, is_set in enumerate(sets) if is_set),
    )
    chosen = []
    for forms, is_set in zip(classes, sets, strict=True):
        positions = st.integers(0, len(forms) - 1)
        sizes = (0, 3) if is_set else (1, 1)
        drawn = data.draw(st.sets(positions, min_size=sizes[0], max_size=sizes[1]))
        chosen.append(tuple(sorted(drawn)))
    text = form.write(chosen)
    words = ProfileWords(form, 5)
    for written in (text, words.decode(words.encode(text))):
        assert form.parse(written).classes == chosen
        assert not any(form.parse(written).repaired)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("ab", "", 2), ("kitten", "sitting", 3), ("flaw", "lawn", 2)],
)
def test_edit_distance(one, other, distance):
    assert edit_distance(one, other) == edit_distance(other, one) == distance


def test_words_of_profiles_as_ids():
    words = ProfileWords(FORM, 10)
    ids = words.encode("Stars: 4;")
    assert [words.words[k - 10] for k in ids] == ["Stars", ":", "4", ";"]
    assert words.decode([0, *ids, 3, 10 + len(words)]) == "Stars : 4 ;"
    assert canonical("Stars : 4 ;") == canonical("stars:4;")


def make_tokenizer(kind):
    """A tokenizer that keeps blanks before words, as GPT-2's or as T5's does."""
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    if kind == "bytes":
        bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = tokenizers.decoders.ByteLevel()
    else:
        split = tokenizers.pre_tokenizers
        bpe.pre_tokenizer = split.Sequence([split.Metaspace(), split.Punctuation()])
        bpe.decoder = tokenizers.decoders.Metaspace()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, show_progress=False)
    texts = ["Stars: 3; Favorite Category: Coffee, Pizza;", "Stars: 14;"] * 9
    bpe.train_from_iterator(texts, trainer)
    return bpe


@pytest.mark.parametrize("kind", ["bytes", "blanks"])
def test_a_profile_has_the_tokens_of_its_whole_text(kind):
    form = ProfileText(
        ["Stars", "Favorite Category"],
        [["3", "14"], ["Coffee", "Pizza"]],
        [False, True],
        [(1,), (0,)],
    )
    bpe = make_tokenizer(kind)

    def encode(text):
        return bpe.encode(text, add_special_tokens=False).ids

    ids = TokenIds(pad=0, end=1, start=0, mask=2, offset=0)
    sets = [[(0,), (1,)], [(0,), (1,), (0, 1)]]
    tokens = ProfileTokens(form, encode, ids, sets)
    for stars in (0, 1):
        for chosen in sets[1]:
            written = [
                *tokens.prefixes[0],
                *tokens.value(0, [stars]),
                *tokens.prefixes[1],
                *tokens.value(1, chosen),
            ]
            whole = form.write([[stars], chosen])
            assert bpe.decode(written) == whole
            assert written == encode(whole)
            found = form.parse(whole)
            assert found.classes == [(stars,), chosen]
            assert not any(found.repaired)
