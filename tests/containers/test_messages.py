"""TokenMessages behaves as a list of lists of words, and as an array of users."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils import _safe_indexing

from sklearn_profiling.containers import TokenMessages, Vocabulary, messages
from sklearn_profiling.containers._ragged import is_mapped
from sklearn_profiling.exceptions import SourceError

USERS = [
    [["喝", "茶"], ["爬", "山", "喝"]],
    [],
    [["茶"]],
    [["山"], ["月", "山"], ["茶", "茶"]],
    [],
]

texts = st.lists(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), max_size=3),
    max_size=6,
)


@pytest.fixture
def text():
    return TokenMessages.from_lists(USERS)


def tagged():
    return TokenMessages(
        [0, 1, 0, 1, 1],
        [0, 2, 3, 5],
        [0, 1, 1, 3],
        Vocabulary(["喝", "茶"]),
        tags=[0, 1, 0, 1, 0],
        tag_names=["v", "n"],
    )


def test_layout(text):
    assert text.vocabulary.words == tuple(sorted("喝茶爬山月"))
    words = np.array(text.vocabulary.words)
    assert "".join(words[text.ids]) == "喝茶爬山喝茶山月山茶茶"
    assert text.message_starts.tolist() == [0, 2, 5, 6, 7, 9, 11]
    assert text.user_starts.tolist() == [0, 2, 2, 3, 6, 6]
    assert (text.ids.dtype, text.message_starts.dtype) == (np.int32, np.int64)
    assert (len(text), text.shape, text.n_messages, text.n_words) == (5, (5,), 6, 11)
    assert text.missing.tolist() == [False, True, False, False, True]
    assert text.tolist() == USERS
    assert text.word_users().tolist() == [0] * 5 + [2] + [3] * 5
    assert dict(zip(words, text.word_counts(), strict=True)) == {
        "喝": 2, "山": 3, "月": 1, "爬": 1, "茶": 4,
    }  # fmt: skip
    assert repr(text) == (
        "TokenMessages(5 users, 6 messages, 11 words, "
        "Vocabulary(5 words, 0 dimensions))"
    )


def test_missing_users_and_empty_messages_are_one_thing():
    made = TokenMessages.from_lists([None, [[], ["a"], []], [[]], iter([iter("b")])])
    assert made.tolist() == [[], [["a"]], [], [["b"]]]
    assert made.missing.tolist() == [True, False, True, False]


def spaced():
    return TokenMessages(
        [0, 1, 0],
        [0, 0, 2, 2, 2, 2, 3],
        [0, 3, 4, 4, 6],
        Vocabulary(["a", "b"]),
        tags=[0, 1, 1],
        tag_names=["n", "v"],
    )


def test_an_empty_message_is_one_of_no_words():
    text = spaced()
    assert text.tolist() == [[[], ["a", "b"], []], [[]], [], [[], ["a"]]]
    assert text.missing.tolist() == [False, True, True, False]
    assert text[[3, 0]].tolist() == [[[], ["a"]], [[], ["a", "b"], []]]
    assert text.first_of_each(1).tolist() == [[[]], [[]], [], [[]]]
    filled = text.without_empty()
    assert filled.tolist() == [[["a", "b"]], [], [], [["a"]]]
    assert filled.tags.tolist() == [0, 1, 1]
    assert filled.without_empty() is filled
    assert pickle.loads(pickle.dumps(text)) == text != filled
    # what becomes empty is left out, what was stays
    other = text.with_vocabulary(Vocabulary(["b"]))
    assert other.tolist() == [[[], ["b"], []], [[]], [], [[]]]
    nothing = text[[1, 2]]
    assert nothing.without_empty().tolist() == [[], []]


def test_nobody_at_all():
    nobody = TokenMessages.from_lists([])
    assert (len(nobody), nobody.n_messages, nobody.n_words) == (0, 0, 0)
    assert nobody[:].tolist() == []
    assert nobody[[]].tolist() == []
    assert nobody[np.zeros(0, bool)].tolist() == []
    assert nobody.with_vocabulary(Vocabulary(["a"])).word_counts().tolist() == [0]
    silent = TokenMessages.from_lists([None, []])
    assert silent.missing.all()
    assert silent[::-1].tolist() == [[], []]
    assert silent.with_vocabulary(Vocabulary(["a"])).missing.all()


@pytest.mark.parametrize(
    "key",
    [
        slice(None), slice(1, 4), slice(4, 1), slice(-2, None), slice(0, 99),
        slice(None, None, 2), slice(None, None, -1), slice(3, 0, -2), slice(9, 12),
    ],
)  # fmt: skip
def test_slices_are_those_of_a_list(text, key):
    assert text[key].tolist() == USERS[key]
    assert text[key, ...].tolist() == USERS[key]


@pytest.mark.parametrize(
    "key",
    [
        [2, 0], [-1, -5, 3], [3, 3, 0, 3], [], np.array([4, 2], dtype=np.uint8),
        np.array([1, 1], dtype=np.int32), pd.Series([0, 4]), (3, 1),
    ],
)  # fmt: skip
def test_rows_in_any_order_and_any_number(text, key):
    wanted = [USERS[row] for row in key]
    assert text[key].tolist() == wanted
    assert text[key, ...].tolist() == wanted
    assert text[key].vocabulary is text.vocabulary


def test_masks(text):
    mask = [True, False, False, True, True]
    assert text[mask].tolist() == [USERS[0], USERS[3], []]
    assert text[np.array(mask), ...].tolist() == text[pd.Series(mask)].tolist()
    assert text[~text.missing].missing.any() == False  # noqa: E712
    assert len(text[[False] * 5]) == 0


@pytest.mark.parametrize("user", range(-5, 5))
def test_one_user(text, user):
    assert text[user] == USERS[user]
    assert text[np.int32(user)] == USERS[user]
    assert text[user, ...] == USERS[user]


@pytest.mark.parametrize("key", [[3, 1], slice(1, 3), [True, False, True, False, True]])
def test_scikit_learn_can_choose_users(text, key):
    rows = np.arange(5)[key]
    assert _safe_indexing(text, key).tolist() == [USERS[row] for row in rows]
    assert _safe_indexing(text, 3) == USERS[3]


@settings(max_examples=60, deadline=None)
@given(texts, st.data())
def test_slicing_is_list_slicing(users, data):
    text = TokenMessages.from_lists(users)
    bound = st.none() | st.integers(-8, 8)
    step = st.none() | st.integers(-3, 3).filter(bool)
    key = slice(data.draw(bound), data.draw(bound), data.draw(step))
    assert text.tolist() == users
    assert text[key].tolist() == users[key]
    if users:
        rows = data.draw(st.lists(st.integers(-len(users), len(users) - 1)))
        assert text[rows].tolist() == [users[row] for row in rows]
        # Slices of slices, too.
        twice = text[rows][::-1]
        assert twice.tolist() == [users[row] for row in rows][::-1]
        assert twice == TokenMessages.from_lists(twice.tolist(), text.vocabulary)


@settings(max_examples=60, deadline=None)
@given(texts, st.permutations("abcdef"), st.integers(0, 6))
def test_another_vocabulary_keeps_the_known_words(users, words, n_known):
    text = TokenMessages.from_lists(users)
    known = words[:n_known]
    wanted = [
        [m for message in user if (m := [w for w in message if w in known])]
        for user in users
    ]
    other = text.with_vocabulary(Vocabulary(known))
    assert other.tolist() == wanted
    assert other.vocabulary.words == tuple(known)
    assert other.missing.tolist() == [not user for user in wanted]
    assert TokenMessages.from_lists(users, Vocabulary(known)) == other
    assert other[::2].tolist() == wanted[::2]


def test_equal_content_has_one_hash_however_it_was_cut(text):
    ways = [
        text[1:4],
        text[[1, 2, 3]],
        text[[False, True, True, True, False]],
        text[::-1][1:4][::-1],
        text[-4:-1],
        TokenMessages.from_lists(USERS[1:4], Vocabulary(text.vocabulary.words)),
        pickle.loads(pickle.dumps(text[1:4])),
        pickle.loads(pickle.dumps(text))[1:4],
    ]
    assert len({joblib.hash(way) for way in ways}) == 1
    assert all(way == ways[0] for way in ways)
    others = [text[[3, 2, 1]], text[1:5], TokenMessages.from_lists(USERS[1:4])]
    assert all(joblib.hash(other) != joblib.hash(ways[0]) for other in others)
    assert all(other != ways[0] for other in others)


def mapped(text, folder):
    joblib.dump(text, folder / "text")
    return joblib.load(folder / "text", mmap_mode="r")


@pytest.mark.parametrize("first", [slice(None), [3, 1, 0]])
@pytest.mark.parametrize(
    "key", [slice(None), slice(1, 3), slice(None, None, -1), [2, 0], [0, 1, 1, 0], []]
)
def test_users_of_a_mapped_text_stay_in_its_file(tmp_path, first, key):
    text = spaced()
    chosen, wanted = mapped(text, tmp_path)[first][key], text[first][key]
    assert chosen.tolist() == wanted.tolist()
    assert chosen.missing.tolist() == wanted.missing.tolist()
    assert repr(chosen) == repr(wanted)
    assert chosen.word_counts().tolist() == wanted.word_counts().tolist()
    assert chosen.first_of_each(1).tolist() == wanted.first_of_each(1).tolist()
    assert chosen.without_empty().tolist() == wanted.without_empty().tolist()
    other = Vocabulary(["b"])
    assert chosen.with_vocabulary(other) == wanted.with_vocabulary(other)
    assert joblib.hash(chosen) == joblib.hash(wanted)
    assert pickle.loads(pickle.dumps(chosen)) == wanted
    # none of that has read the words into memory
    assert is_mapped(chosen._words[0])
    assert chosen.tags.tolist() == wanted.tags.tolist()
    assert chosen == wanted
    assert chosen[::-1] == wanted[::-1]
    assert chosen.without_empty().tags.tolist() == wanted.without_empty().tags.tolist()
    with pytest.raises(ValueError, match="read-only"):
        chosen.ids[:] = 0


def test_ids_of_a_file_are_read_where_they_are(tmp_path):
    np.save(tmp_path / "ids.npy", np.array([1, 0, 1], dtype=np.int32))
    ids = np.load(tmp_path / "ids.npy", mmap_mode="r")
    text = TokenMessages(ids, [0, 1, 3], [0, 2], Vocabulary(["a", "b"]))
    assert np.shares_memory(text.ids, ids)
    assert text[0] == [["b"], ["a", "b"]]


def test_locked_ids_of_ones_own_are_not_copied():
    ids = np.array([1, 0], dtype=np.int32)
    parts = [0, 2], [0, 1], Vocabulary(["a", "b"])
    assert not np.shares_memory(TokenMessages(ids, *parts).ids, ids)
    ids.flags.writeable = False
    assert np.shares_memory(TokenMessages(ids, *parts).ids, ids)
    # beside a view another may write into what it shows
    assert not np.shares_memory(TokenMessages(ids[:], *parts).ids, ids)


@settings(max_examples=30, deadline=None)
@given(texts, st.integers(1, 5))
def test_blocks_of_words_change_nothing(users, size):
    text = TokenMessages.from_lists(users, Vocabulary("abcd"))
    weights = np.random.RandomState(0).random_sample(len(users))
    wanted = np.bincount(text.ids, weights[text.word_users()], minlength=4)
    other = text.with_vocabulary(Vocabulary("ca"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_WORDS_AT_ONCE", size)
        assert np.array_equal(text.word_counts(weights), wanted)
        assert (
            text.word_counts().tolist() == np.bincount(text.ids, minlength=4).tolist()
        )
        assert text.with_vocabulary(Vocabulary("ca")) == other


def test_no_two_texts_that_differ_are_equal():
    base = tagged()
    parts = base.__getstate__()

    def build(**changes):
        return TokenMessages(**{**parts, **changes})

    assert build() == base
    assert build(ids=[0, 1, 1, 1, 1]) != base
    assert build(message_starts=[0, 1, 3, 5]) != base
    assert build(user_starts=[0, 1, 2, 3]) != base
    assert build(vocabulary=Vocabulary(["茶", "喝"])) != base
    assert build(tags=[0, 1, 0, 1, 1]) != base
    assert build(tag_names=["n", "v"]) != base
    assert build(tags=None, tag_names=None) != base
    assert base != base.tolist()
    with pytest.raises(TypeError, match="unhashable"):
        hash(base)


def test_pickles_hold_only_what_was_chosen_and_stay_locked():
    vocabulary = Vocabulary(["a", "b"])
    ids = np.arange(20_000) % 2
    starts = np.arange(20_001)
    text = TokenMessages(ids, starts, starts, vocabulary)
    whole, part = len(pickle.dumps(text)), len(pickle.dumps(text[:10]))
    assert part < whole / 20
    copy = pickle.loads(pickle.dumps(text[3:6]))
    assert copy == text[3:6]
    for array in (copy.ids, copy.message_starts, copy.user_starts, text[[0]].ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_tags_follow_their_words():
    text = tagged()
    assert text[[2, 0]].tags.tolist() == [0, 1, 0, 0, 1]
    assert text[2:].tags.tolist() == [0, 1, 0]
    assert text[2:].tag_names == ("v", "n")
    # Dropping a word drops its tag.
    only = text.with_vocabulary(Vocabulary(["茶"]))
    assert only.tolist() == [[["茶"]], [], [["茶", "茶"]]]
    assert only.tags.tolist() == [1, 1, 0]
    assert only.tag_names == ("v", "n")
    assert pickle.loads(pickle.dumps(text)) == text
    assert text.tags.dtype == np.int16


def test_what_the_caller_gave_stays_the_callers():
    ids, tags = np.array([0, 0], np.int32), np.array([0, 0], np.int16)
    starts = np.array([0, 2])
    users = np.array([0, 1])
    text = TokenMessages(
        ids, starts, users, Vocabulary(["a"]), tags=tags, tag_names=["n"]
    )
    for array in (ids, tags, starts, users):
        array[0] = 9
    assert text.tolist() == [[["a", "a"]]]
    assert text.tags.tolist() == [0, 0]


GOOD = {
    "ids": [0, 1, 0],
    "message_starts": [0, 1, 3],
    "user_starts": [0, 2],
    "vocabulary": Vocabulary(["a", "b"]),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": [[0, 1, 0]]}, "1-D array of integers; got dtype int64 and 2"),
        ({"ids": [0.0, 1.0, 0.0]}, "1-D array of integers; got dtype float64"),
        ({"ids": [0, 2, 0]}, "between 0 and 1, the last word .* between 0 and 2"),
        ({"ids": [-1, 1, 0]}, "they lie between -1 and 1"),
        ({"message_starts": [0, 1, 2]}, "message_starts must begin with 0 and end w"),
        ({"message_starts": [1, 2, 3]}, "it begins with 1 and ends with 3"),
        (
            {"message_starts": [0, 2, 1, 3]},
            "must be non-decreasing; it decreases after entry 1",
        ),
        ({"message_starts": [0.0, 1.0, 3.0]}, "got float64 of shape"),
        ({"message_starts": []}, "message_starts must be a 1-D array of integers"),
        ({"message_starts": [[0, 3]]}, r"of shape \(1, 2\)"),
        ({"user_starts": [0, 3]}, "user_starts must begin with 0 and end with 2"),
        ({"user_starts": 2}, "user_starts must be a 1-D array"),
        ({"tags": [0, 0, 0]}, "tags and tag_names are given together"),
        ({"tag_names": ["n"]}, "tags and tag_names are given together"),
        ({"tags": [0, 0], "tag_names": ["n"]}, r"shape \(3,\); got \(2,\)"),
        ({"tags": [0, 1, 0], "tag_names": ["n"]}, "from 0 to 0, .* from 0 to 1"),
        ({"tags": [0, -1, 0], "tag_names": ["n"]}, "got int64 from -1 to 0"),
        ({"tags": [0.5, 0, 0], "tag_names": ["n"]}, "got float64 from 0.0 to 0.5"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(SourceError, match=message):
        TokenMessages(**{**GOOD, **changes})


def test_tags_of_a_text_without_words():
    text = TokenMessages([], [0], [0, 0], Vocabulary([]), tags=[], tag_names=["n"])
    assert text.missing.tolist() == [True]
    assert text.tags.shape == (0,)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (5, "user 5 is out of bounds: there are 5 users"),
        (-6, "user -6 is out of bounds"),
        ((5, ...), "user 5 is out of bounds"),
        ([0, 5], "row 5 is out of bounds: there are 5 rows"),
        ([0, -6], "row -6 is out of bounds"),
        ([True, False], "mask must have 5 entries, one a row; got 2"),
        (np.zeros(0, bool), "mask must have 5 entries, one a row; got 0"),
        ([0.0, 1.0], "got list of dtype float64 and 1 dimensions"),
        ("ab", "got str of dtype"),
        ([[0, 1]], "2 dimensions"),
        (np.zeros((0, 2)), "2 dimensions"),
    ],
)
def test_rows_that_are_not_there(text, key, message):
    with pytest.raises(IndexError, match=message):
        text[key]


def test_the_first_of_each():
    text = TokenMessages.from_lists([[["a"], ["b", "c"], ["d"]], None, [["e"]]])
    assert text.first_of_each(2).tolist() == [[["a"], ["b", "c"]], [], [["e"]]]
    assert text.first_of_each(3) is text
