"""Segmenters: words as jieba cuts them, without what jieba does on the side."""

from __future__ import annotations

import functools
import io
import itertools
import logging
import pickle
import tempfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources.text import (
    CharacterSegmenter,
    JiebaSegmenter,
    WordSegmenter,
    _segmenter,
)
from sklearn_profiling.sources.text import segmentation as module
from sklearn_profiling.sources.text._jieba import compiled
from sklearn_profiling.sources.text._jieba import dictionary as jieba_dictionary
from sklearn_profiling.sources.text._jieba.compiled import (
    code_points,
    cut_part,
    join_parts,
    number_part,
)
from sklearn_profiling.sources.text.segmentation import (
    choose_segmenter,
    default_segmenter,
)

SENTENCE = "我来到北京清华大学"
MIXED = "小明硕士毕业于中国科学院计算所,后在日本京都大学深造 3.5% C++ iPhone"


def words(segmenter, *messages):
    return segmenter.fit_transform([list(messages)])[0]


@pytest.mark.parametrize("engine", ["compiled", "jieba"])
def test_words_are_those_of_jieba(engine):
    jieba = pytest.importorskip("jieba")
    own = jieba.Tokenizer()
    own.FREQ, own.total = own.gen_pfdict(own.get_dict_file())
    own.initialized = True
    for hmm in (True, False):
        expected = [w for w in own.lcut(MIXED, HMM=hmm) if not w.isspace()]
        segmenter = JiebaSegmenter(hmm=hmm, lowercase=False, engine=engine)
        assert words(segmenter, MIXED) == [expected]
    assert "iphone" in words(JiebaSegmenter(engine=engine), MIXED)[0]
    unknown = words(JiebaSegmenter(engine=engine), "他来到了网易杭研大厦")
    assert unknown[0][-2:] == ["杭研", "大厦"]


def cut_both_ways(messages, user_words=(), *, hmm=True):
    settings = jieba_dictionary.CutSettings(user_words, hmm)
    part = cut_part(settings, messages)
    ends = np.cumsum([0, *part.sizes])
    words = part.words()
    quick = [
        [words[i] for i in part.ids[begin:end]]
        for begin, end in itertools.pairwise(ends)
    ]
    # jieba has one word of white space where two stand here
    slow = [
        list(
            itertools.chain.from_iterable(
                [word] if word != "\r\n" else word for word in message
            )
        )
        for message in jieba_dictionary.cut_messages(settings, messages)
    ]
    return quick, slow


ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from(
            "我来到北京清华大学的是不了在有一丁aZ09.%+-#&_ ，。é😀\r\n㐀鿕鿖𠀀"
        ),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD5),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ANY_TEXT, max_size=4), st.booleans())
def test_compiled_cut_of_any_text(messages, hmm):
    quick, slow = cut_both_ways(messages, hmm=hmm)
    assert quick == slow


def test_compiled_cut_of_words_thrown_together():
    rng = np.random.RandomState(0)
    dictionary = np.array(list(jieba_dictionary.tokenizer(()).FREQ), dtype=object)
    more = np.array([*"的了是在我a1B.%+-#&_ ，", "3.5%", "C++"], dtype=object)
    messages = [
        "".join(np.where(rng.rand(25) < 0.6, rng.choice(dictionary, 25),
                         rng.choice(more, 25)))
        for _ in range(400)
    ]  # fmt: skip
    for hmm in (True, False):
        quick, slow = cut_both_ways(messages, hmm=hmm)
        assert quick == slow


def test_compiled_cut_with_a_user_dictionary():
    messages = ["李小福是创新办主任也是云计算方面的专家", "a-b公司的x射线𠀀字"]
    user = (
        ("创新办", None, None),
        ("a-b公司", 5, None),
        ("李小", 3, "nr"),
        ("𠀀字", 9, None),
    )
    quick, slow = cut_both_ways(messages, user)
    assert quick == slow
    assert "a-b公司" in quick[1]


def test_many_words_are_numbered_as_they_appear():
    """More than the table holds at first, with characters beyond 2**16."""
    words = ["a", "😀", "😀b", *(f"{n:x}" for n in range(9000)), "a", "😀b", "1ff", ""]
    first, second = words[:4000], words[4000:]
    parts = []
    for part in (first, second):
        marks = np.zeros(len("".join(part)), np.uint8)
        marks[np.cumsum([len(word) for word in part if word]) - 1] = 1
        parts.append(
            number_part(code_points("".join(part)), marks, np.array([len(marks)]))
        )
    joined = join_parts(parts)
    expected = list(dict.fromkeys(words[:-1]))
    assert joined.words() == expected
    assert [expected[i] for i in joined.ids] == words[:-1]
    assert joined.sizes.tolist() == [4000, len(second) - 1]


def test_words_of_any_length_and_character_are_sorted_as_by_python():
    rng = np.random.RandomState(0)
    letters = np.array([*"ab\0京\uffff\U0001f600"])
    drawn = ["".join(rng.choice(letters, n)) for n in rng.randint(1, 9, 3000)]
    words = [*drawn, "", "aaaaaaab", "aaaaaaa", "aaaaaaab", "a", "a\0"]
    vocabulary, ids = _segmenter.sorted_vocabulary(words)
    assert vocabulary.words == tuple(sorted(set(words)))
    assert [vocabulary.words[i] for i in ids] == words
    assert len(_segmenter.sorted_vocabulary([])[0]) == 0


def test_a_word_may_hold_what_parts_words_when_they_are_read():
    message = "a\uffff好\uffff"
    part = cut_part(jieba_dictionary.CutSettings(), [message])
    assert [part.words()[i] for i in part.ids] == ["a", "\uffff", "好", "\uffff"]


def test_entries_of_the_dictionary_are_those_that_jieba_reads(monkeypatch):
    words, frequencies, total = jieba_dictionary.entries(())
    made = jieba_dictionary.tokenizer(())
    assert total == made.total
    known = {word: frequency for word, frequency in made.FREQ.items() if frequency}
    assert dict(zip(words, frequencies, strict=True)) == known

    class Tokenizer(jieba_dictionary.import_jieba().Tokenizer):
        def get_dict_file(self):
            return io.BytesIO("我 5 r\n我们 3\n".encode())

    # a line without a tag, which jieba reads and the quick way does not
    monkeypatch.setattr(jieba_dictionary.import_jieba(), "Tokenizer", Tokenizer)
    monkeypatch.setattr(jieba_dictionary, "tokenizer", lambda _: made)
    assert jieba_dictionary.entries(()) == (
        list(made.FREQ),
        list(made.FREQ.values()),
        made.total,
    )


def test_a_trie_grows_until_all_beginnings_of_words_have_room(monkeypatch):
    words = ["".join(map(chr, range(n, n + 12))) for n in range(0x4E00, 0x4F00, 12)]
    found = words, [3] * len(words), 3 * len(words)
    expected = JiebaSegmenter(hmm=False).fit_transform([words[0] + "了" + words[5]])
    monkeypatch.setattr(jieba_dictionary, "entries", lambda _: found)
    build = compiled._dictionary.__wrapped__(())
    assert len(build.trie) > 4 * len(words)
    monkeypatch.setattr(compiled, "_dictionary", lambda _: build)
    text = JiebaSegmenter(hmm=False).fit_transform([words[0] + "了" + words[5]])
    assert text[0] == [[words[0], "了", words[5]]]
    assert text != expected


def test_parts_are_as_many_for_each_job(monkeypatch):
    messages = ["ab"] * 50
    parts = functools.partial(_segmenter.equal_parts, messages)
    assert [len(part) for part in parts(3)] == [50]
    monkeypatch.setattr(_segmenter, "_LEAST_PER_PART", 4)
    assert [*map(len, parts(1))] == [50]
    assert [*map(len, parts(2))] == [26, 24]
    monkeypatch.setattr(_segmenter, "_CHARACTERS_PER_PART", 40)
    assert [*map(len, parts(2))] == [13, 13, 13, 11]
    assert [*_segmenter.equal_parts([], 2)] == []
    for n_jobs in (1, 2):
        assert [*itertools.chain.from_iterable(parts(n_jobs))] == messages


def test_compiled_parts_and_threads(monkeypatch):
    column = [[SENTENCE, MIXED], None, ["好", " "], [SENTENCE]] * 3
    whole = JiebaSegmenter().fit_transform(column)
    assert whole == JiebaSegmenter(engine="jieba").fit_transform(column)
    monkeypatch.setattr(_segmenter, "_CHARACTERS_PER_PART", 12)
    monkeypatch.setattr(_segmenter, "_LEAST_PER_PART", 12)
    assert JiebaSegmenter().fit_transform(column) == whole
    assert JiebaSegmenter(n_jobs=2).fit_transform(column) == whole


def test_words_that_the_process_splits(monkeypatch):
    import jieba.finalseg

    assert words(JiebaSegmenter(), "他来到了网易杭研大厦")[0][-2] == "杭研"
    monkeypatch.setattr(jieba.finalseg, "Force_Split_Words", {"杭研"})
    split = ["杭", "研", "大厦"]
    assert words(JiebaSegmenter(), "他来到了网易杭研大厦")[0][-3:] == split


def test_no_file_no_log_no_global_tokenizer(tmp_path, monkeypatch, caplog):
    import jieba

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        jieba_dictionary, "_dictionary", jieba_dictionary._dictionary.__wrapped__
    )
    jieba_dictionary.tokenizer.cache_clear()
    with caplog.at_level(logging.DEBUG):
        words(JiebaSegmenter(user_dictionary=["来到北京"]), SENTENCE)
    assert list(tmp_path.iterdir()) == []
    assert caplog.records == []
    assert not jieba.dt.initialized
    jieba_dictionary.tokenizer.cache_clear()


def test_missing_users_and_empty_messages():
    column = [["你好", " \n"], None, [], float("nan"), ["\t"], "好"]
    text = JiebaSegmenter().fit_transform(column)
    assert text.missing.tolist() == [False, True, True, True, True, False]
    assert text.tolist() == [[["你好"]], [], [], [], [], [["好"]]]
    assert text.vocabulary.words == ("你好", "好")
    assert text.vocabulary.vectors is None


@pytest.mark.parametrize("segmenter", [JiebaSegmenter(), CharacterSegmenter()])
def test_no_user_and_no_text(segmenter):
    assert len(segmenter.fit_transform([])) == 0
    assert segmenter.fit_transform([None]).missing.all()


@pytest.mark.parametrize("kind", [JiebaSegmenter, CharacterSegmenter])
def test_duplicates(kind):
    column = [["茶", "山", "茶"], ["茶"]]
    kept = kind(drop_duplicates=False).fit_transform(column)
    assert kept.tolist() == [[["茶"], ["山"], ["茶"]], [["茶"]]]
    assert kind().fit_transform(column).tolist() == [[["茶"], ["山"]], [["茶"]]]


def test_user_dictionary(tmp_path):
    text = "李小福是创新办主任"
    assert "创新办" not in words(JiebaSegmenter(), text)[0]
    assert "创新办" in words(JiebaSegmenter(user_dictionary=["创新办"]), text)[0]
    path = tmp_path / "user.txt"
    path.write_text("\ufeff创新办 3 i\n\n李小福 2\n云 计算 5 x\n", encoding="utf-8")
    assert words(JiebaSegmenter(user_dictionary=path), text) == [
        ["李小福", "是", "创新办", "主任"]
    ]
    entries = jieba_dictionary.user_entries(str(path))
    assert entries == (("创新办", 3, "i"), ("李小福", 2, None), ("云 计算", 5, "x"))
    # the dictionary shared by all others is untouched
    assert "创新办" not in words(JiebaSegmenter(), text)[0]


def test_user_dictionary_errors(tmp_path):
    path = tmp_path / "user.txt"
    path.write_text("好 3\n坏 0\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"line 2: the frequency of '坏'"):
        JiebaSegmenter(user_dictionary=path).fit([])
    path.write_text(f"好 {'3' * 5000}\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1: a frequency may have 18 dig"):
        JiebaSegmenter(user_dictionary=path).fit([])
    with pytest.raises(SourceError, match="user_dictionary is a list of words"):
        JiebaSegmenter(user_dictionary=tmp_path / "none").fit([])
    with pytest.raises(SourceError, match="stop_words is a list of words"):
        JiebaSegmenter(stop_words="nowhere").fit([])


def test_stop_words(tmp_path):
    path = tmp_path / "stop.txt"
    path.write_text("来到\nIPHONE\n", encoding="utf-8")
    expected = [["我", "北京", "清华大学"]]
    assert words(JiebaSegmenter(stop_words=path), SENTENCE + "iPhone") == expected
    stop = {"来到", "iphone"}
    assert words(JiebaSegmenter(stop_words=stop), SENTENCE + "iPhone") == expected


def test_part_of_speech(tmp_path):
    path = tmp_path / "user.txt"
    path.write_text("爱慕虚荣者 99999 zz\n", encoding="utf-8")
    for hmm in (True, False):
        segmenter = JiebaSegmenter(part_of_speech=True, hmm=hmm, stop_words=["我"])
        text = segmenter.fit_transform([["我 爱北京天安门"], ["爱 iPhone"]])
        named = [text.tag_names[tag] for tag in text.tags]
        assert text[0] == [["爱", "北京", "天安门"]]
        assert named == ["v", "ns", "ns", "v", "eng"]
        assert text.tag_names == tuple(sorted(text.tag_names))
    other = JiebaSegmenter(part_of_speech=True, user_dictionary=path)
    text = other.fit_transform([["爱慕虚荣者"]])
    assert text[0] == [["爱慕虚荣者"]]
    assert text.tag_names[text.tags[0]] == "zz"
    again = JiebaSegmenter(part_of_speech=True).fit_transform([["好"]])
    assert again.tag_names == segmenter.fit_transform([["我们去"]]).tag_names


def test_rjieba_gives_the_words_of_jieba():
    pytest.importorskip("rjieba")
    column = [[MIXED, SENTENCE, "他来到了网易杭研大厦", "𠀀字！？～ GDP增长了"]]
    slow = JiebaSegmenter().fit_transform(column)
    assert JiebaSegmenter(engine="rjieba").fit_transform(column) == slow
    quick = JiebaSegmenter(engine="rjieba", hmm=False).fit_transform(column)
    assert quick == JiebaSegmenter(hmm=False).fit_transform(column)


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        alphabet="我来到北京清华大学的是不了在有ab1 -+.%，。!é😀\n\u3400", max_size=20
    )
)
def test_rjieba_on_any_mixture(message):
    pytest.importorskip("rjieba")
    slow, quick = (
        jieba_dictionary.cut_messages(
            jieba_dictionary.CutSettings(engine=engine), [message]
        )
        for engine in ("jieba", "rjieba")
    )
    assert slow == quick


def test_rjieba_refuses_what_it_cannot():
    for wrong in ({"user_dictionary": ["好"]}, {"part_of_speech": True}):
        segmenter = JiebaSegmenter(engine="rjieba", **wrong)
        with pytest.raises(SourceError, match=f"does not take {next(iter(wrong))}"):
            segmenter.fit([])


def test_two_processes_give_the_same(monkeypatch):
    monkeypatch.setattr(module, "_CHARACTERS_PER_WORKER", 10)
    column = [[SENTENCE, MIXED], None, ["好"], [SENTENCE]]
    one = JiebaSegmenter().fit_transform(column)
    two = JiebaSegmenter(n_jobs=2, engine="jieba").fit_transform(column)
    assert two == one


def test_characters():
    message = "《静夜思》床前明月光，𠀀々〇 iPhone's 15 ＡＢ ひらカナ한글 мир_😀"
    plain = [
        *"静夜思床前明月光𠀀々〇",
        "iphone's",
        "15",
        "ａｂ",
        *"ひらカナ한글",
        "мир",
    ]
    assert words(CharacterSegmenter(), message) == [plain]
    assert words(CharacterSegmenter(lowercase=False), message)[0][11] == "iPhone's"
    ideographs = [*"静夜思床前明月光𠀀々〇ひらカナ한글"]
    only = CharacterSegmenter(keep_latin_words=False)
    assert words(only, message) == [ideographs]
    marks = words(CharacterSegmenter(punctuation="keep"), message)[0]
    assert marks[0] == "《"
    assert marks[-2:] == ["_", "😀"]
    stop = CharacterSegmenter(stop_characters="静夜", keep_latin_words=False)
    assert words(stop, message) == [ideographs[2:]]


def test_characters_lose_nothing():
    message = "山 a\u0301中b1，🇨🇳\u3000!"
    kept = words(CharacterSegmenter(punctuation="keep", lowercase=False), message)
    assert "".join(kept[0]) == "".join(message.split())


@pytest.mark.parametrize("segmenter", [JiebaSegmenter(n_jobs=1), CharacterSegmenter()])
def test_stateless_clone_and_pickle(segmenter):
    column = [["床前明月光"], None]
    text = segmenter.transform(column)
    assert segmenter.fit(column) is segmenter
    assert clone(segmenter).fit_transform(column) == text
    assert len(pickle.dumps(segmenter)) < 1000
    assert pickle.loads(pickle.dumps(segmenter)).transform(column) == text
    assert segmenter.transform(np.array(column, dtype=object)) == text


def test_wrong_parameters_are_named():
    with pytest.raises(ValueError, match="'engine' parameter of JiebaSegmenter"):
        JiebaSegmenter(engine="other").transform([])
    with pytest.raises(ValueError, match="'punctuation' parameter"):
        CharacterSegmenter(punctuation="some").fit([])
    with pytest.raises(SourceError, match="stop_characters must hold words"):
        CharacterSegmenter(stop_characters=["好", 3]).fit([])
    with pytest.raises(SourceError, match="JiebaSegmenter, row 0"):
        JiebaSegmenter().transform([7])


def test_a_segmenter_is_chosen_by_the_text():
    words = make_user_profiles(30, random_state=0).data["messages"]
    assert type(choose_segmenter(words)).__name__ == "WordSegmenter"
    poem = pd.Series([["西風颯颯雨瀟瀟", "獨倚闌干數鵝匹", "古心未展閒游戲"]] * 5)
    assert type(choose_segmenter(poem)).__name__ == "CharacterSegmenter"
    empty = pd.Series([[], None], dtype=object)
    assert type(choose_segmenter(empty)).__name__ == "WordSegmenter"
    # scripts that jieba cuts into single letters are no classical Chinese
    for message in (
        "ภาษาไทย",
        "한국어 트윗",
        "これはペンです。",
        "مرحبا بك",
        "a b c",
    ):
        column = pd.Series([[message]])
        assert type(choose_segmenter(column)).__name__ == "WordSegmenter"


def test_the_default_segmenter_cuts_any_language():
    assert default_segmenter().get_params() == WordSegmenter().get_params()
    assert default_segmenter(None, part_of_speech=True).part_of_speech
    given = CharacterSegmenter()
    assert default_segmenter(given, part_of_speech=True) is given
