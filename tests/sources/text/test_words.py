"""Words of every language and tokens of social media."""

from __future__ import annotations

import itertools
import pickle
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import DataFormatError, SourceError
from sklearn_profiling.sources import (
    CharacterSegmenter,
    JiebaSegmenter,
    SubwordSegmenter,
    WordSegmenter,
)
from sklearn_profiling.sources.text import _markup, _segmenter
from sklearn_profiling.sources.text._jieba import dictionary


def words(message, **parameters):
    cut = WordSegmenter(**parameters).transform([message])[0]
    return cut[0] if cut else []


def nfd(text):
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("mañana mi niño cumple un año", "mañana mi niño cumple un año"),
        (nfd("mañana mi niño"), nfd("mañana mi niño")),
        ("¿Qué? ¡Sí!", "¿ Qué ? ¡ Sí !"),
        ("Grüße, Herr Müller-Lüdenscheidt", "Grüße , Herr Müller-Lüdenscheidt"),
        ("J'aime l'amour aujourd’hui", "J'aime l'amour aujourd’hui"),
        ("Don't rock'n'roll 'tis", "Don't rock'n'roll ' tis"),
        ("col·lecció", "col·lecció"),
        ("हिन्दी में लिखना मज़ेदार है।", "हिन्दी में लिखना मज़ेदार है ।"),
        ("السَّلامُ عَلَيْكُمْ، مرحبا", "السَّلامُ عَلَيْكُمْ ، مرحبا"),
        ("می‌خواهم بروم", "می‌خواهم بروم"),
        ("한국어 트윗을 씁니다ㅋㅋ", "한국어 트윗을 씁니다ㅋㅋ"),
        ("Привет, как дела?", "Привет , как дела ?"),
        ("Γειά σου", "Γειά σου"),
        ('צה"ל שלום', 'צה"ל שלום'),
        ("ไทย ลาว", "ไ ท ย ล า ว"),
        ("ກຳ", "ກຳ"),
        ("ខ្មែរ မြန်မာ", "ខ្មែ រ မြ န် မာ"),
        ("日本語を勉強する。", "日本 語 を 勉強 する 。"),
        ("コーヒー飲みたいｗ", "コーヒー 飲 みたい ｗ"),
        ("ＡＢＣ１２ x", "ＡＢＣ１２ x"),
        ("Donau\u00addampf \u200fשלום\u200f", "Donau\u00addampf \u200f שלום \u200f"),
        ("COVID-19 B2B 3D 10pm 2nd", "COVID-19 B2B 3D 10pm 2nd"),
        ("U.S.A. e.g. this.Then", "U.S.A. e.g. this . Then"),
        ("AT&T R&B you&me", "AT&T R&B you & me"),
        ("C++ C# c++. F#, C#x", "C++ C# c++ . F# , C # x"),
        ("a/b and/or -x- --- !!", "a / b and / or - x - --- ! !"),
        ("hello...world", "hello ... world"),
        ("snake_case _x_", "snake_case _x_"),
        ("I eat 火锅 daily, don't I, at T恤", "I eat 火锅 daily , don't I , at T恤"),
        ("the price of 涨了3.5%, they said", "the price of 涨 了 3.5% , they said"),
        ("I call it AA制, said they, X光", "I call it AA制 , said they , X光"),
        ("ㄅㄆㄇ x", "ㄅㄆㄇ x"),
        ("\x00a", "\x00 a"),
    ],
)
def test_words_of_languages(message, expected):
    assert words(message) == expected.split(" ")


def test_persian_and_arabic_words_keep_their_marks():
    assert words("می\u200cخواهم") == ["می\u200cخواهم"]
    assert words("كِتَابٌ") == ["كِتَابٌ"]


EMOJI = [
    "😀",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🇪🇸",
    "1️⃣",
    "#️⃣",
    "❤️",
    "☺",
    "©️",
    "🏴\U000e0067\U000e0062\U000e007f",
]
TOKENS = {
    "mention": ["@ann_b", "＠ann", "@Ann-b", "@张三", "@ann@mastodon.social", "@7up"],
    "hashtag": ["#MondayMotivation", "＃tag", "#100DaysOfCode", "#año", "$AAPL"],
    "url": [
        "http://t.co/AbC",
        "https://en.wikipedia.org/wiki/Tea_(drink)",
        "HTTPS://X.ORG/?a=1&b=c,d#e-f",
        "www.foo.com",
        "https://es.wikipedia.org/wiki/España",
        "example.com",
        "t.co/abc",
        "youtu.be/x",
        "docs.x-y.org/a.html",
        "http://localhost:80/~a",
    ],
    "email": ["ann.b+c@mail.co.uk", "a@x.org"],
    "number": [
        "1,000.50", "3.5%", "2-3", "½", "10:30", "24/7", "2024-01-02", "٣٫٥", "7", "१२",
    ],
    "emoticon": [
        ":-)", ";D", "<3", "<33", "</3", "xD", "XDDD", ":(", ":P", "=D", ":'(", "(:",
        "^_^", "T_T", ">_<", "-_-", "o_O", "(^_^)", "¯\\_(ツ)_/¯", "=_=", ":/", ":3",
    ],
    "emoji": EMOJI,
    "punctuation": ["!", "...", "…", "。", "€", "\u200b", "∑", "&"],
}  # fmt: skip
PARAMETER = {
    "mention": "mentions",
    "hashtag": "hashtags",
    "url": "urls",
    "email": "emails",
    "number": "numbers",
    "emoticon": "emoticons",
    "emoji": "emoji",
    "punctuation": "punctuation",
}


@pytest.mark.parametrize(
    ("kind", "token"), [(k, t) for k, tokens in TOKENS.items() for t in tokens]
)
def test_tokens_are_kept_masked_and_dropped(kind, token):
    for message in (f"tea {token} now", f"喝茶 {token} 现在"):
        first, last = message.split(" ")[0], message.split(" ")[-1]
        around = words(first), words(last)
        if kind == "number" and first == "喝茶" and set(token) & set(",:/-٫٬"):
            continue  # as by jieba
        assert words(message) == [*around[0], token, *around[1]]
        dropped = words(message, **{PARAMETER[kind]: "drop"})
        assert dropped == [*around[0], *around[1]]
        if kind != "punctuation":
            masked = words(message, **{PARAMETER[kind]: "mask"})
            assert masked == [*around[0], f"<{kind}>", *around[1]]
        others = {p: "drop" for k, p in PARAMETER.items() if k != kind}
        assert token in words(message, **others)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("看http://t.cn/abc很好", "看 http://t.cn/abc 很 好"),
        ("@user：你好", "@user ： 你好"),
        ("//@张三: 转发 [微笑][doge]", "/ / @张三 : 转发 [微笑] [doge]"),
        ("看[1]，一作[廊]", "看 [ 1 ] ， 一作 [ 廊 ]"),
        ("#话题#真好 #北京 天气", "#话题# 真 好 #北京 天气"),
        ("#周末 #去哪 #a #b #a#b", "#周末 #去哪 #a #b #a # b"),
        ("#iPhone15# ok #1 # x", "#iPhone15# ok # 1 # x"),
        ("(http://a.com/x). http://b.org!", "( http://a.com/x ) . http://b.org !"),
        ("\"www.a.de\", <http://b.c/d>", '" www.a.de " , < http://b.c/d >'),
        ("[link](https://a.b/c)", "[ link ] ( https://a.b/c )"),
        ("http://a.com...then", "http://a.com ... then"),
        ("mail me@x.org. Or ann@home", "mail me@x.org . Or ann @ home"),
        ("@@a .@b (@c) @", "@ @ a . @b ( @c ) @"),
        ("@ann's RT @bob: hi", "@ann ' s RT @bob : hi"),
        ("hola😀😀mundo👍🏽!", "hola 😀 😀 mundo 👍🏽 !"),
        ("好😀👍🏽好", "好 😀 👍🏽 好"),
        ("lol:) nota:(ver) size:3 8)", "lol :) nota : ( ver ) size : 3 8 )"),
        ("时间:(下午) 好的:)", "时间 : ( 下午 ) 好 的 :)"),
        ("$5 $AAPL, $5k US$", "$ 5 $AAPL , $ 5k US $"),
        ("3D打印 我在café喝茶", "3D 打印 我 在 café 喝茶"),
        ("nǐ hǎo 你好你好你好", "nǐ hǎo 你好 你好 你好"),
        ("Привет 你好你好你好 コーヒー", "Привет 你好 你好 你好 コーヒー"),
        ("🇪🇸🇫🇷🇩 ©™", "🇪🇸 🇫🇷 🇩 © ™"),
        ("ok.com/a x.yz/w google.com@a", "ok.com/a x . yz / w google . com @ a"),
        ("192.168.0.1 1.000.000,00", "192.168.0.1 1.000.000,00"),
        ("1) 2. 3, 4: 5% +6 -7", "1 ) 2 . 3 , 4 : 5% + 6 - 7"),
        ("\u2066@user\u2069 \u200f#tag", "\u2066 @user \u2069 \u200f #tag"),
        ("\u200ehttp://a.b/c\u200e x", "\u200e http://a.b/c \u200e x"),
        ("\u2066@小明\u2069你好你好你好", "\u2066 @小明 \u2069 你好 你好 你好"),
    ],
)  # fmt: skip
def test_awkward_neighbours(message, expected):
    assert words(message) == expected.split(" ")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("AT&amp;T &lt;3 &#39;x&#x27;", "AT&T <3 ' x '"),
        ("&gt;.&lt; 你好&amp;你好&nbsp;你好", ">.< 你好 & 你好 你好"),
        ("&amp;amp;", "& amp ;"),
        ("&notes; &#; &;", "& notes ; & # ; & ;"),
        ("http://a.b/?x=1&copy=2&amp;y=3", "http://a.b/?x=1&copy=2&y=3"),
    ],
)
def test_character_references(message, expected):
    assert words(message) == expected.split(" ")


def test_hashtags_are_split():
    def split(hashtag, **parameters):
        return words(f"a {hashtag} b", hashtags="split", **parameters)[1:-1]

    assert split("#MondayMotivation") == ["Monday", "Motivation"]
    assert split("#NASAGoesTo_the_moon2024") == [
        "NASA", "Goes", "To", "the", "moon", "2024",
    ]  # fmt: skip
    assert split("#mañana") == ["mañana"]
    assert split("#北京天气#") == ["北京", "天气"]
    assert split("$AAPL") == ["AAPL"]
    assert split("#LoveIn2020", lowercase=True, numbers="mask") == [
        "love", "in", "<number>",
    ]  # fmt: skip
    assert split("#LoveIn", stop_words=["In"]) == ["Love"]
    assert words("no tag", hashtags="split") == ["no", "tag"]
    users = [["#GoodNews x", "#A_b"], None, ["y #GoodNews"]]
    text = WordSegmenter(hashtags="split").transform(users)
    assert text.tolist() == [
        [["Good", "News", "x"], ["A", "b"]], [], [["y", "Good", "News"]],
    ]  # fmt: skip


def test_rewriting():
    assert words("İstanbul I\u0307zmir IŞIK ığdır", lowercase=True) == [
        "istanbul", "izmir", "işik", "ığdır",
    ]  # fmt: skip
    assert words("İYİ gün", lowercase=True, stop_words=["İyi"]) == ["gün"]
    assert words("Sooooo GOOOD", elongated=3) == ["Sooo", "GOOOD"]
    assert words("Sooooo GOOOD 10000 www.wwwww.com", elongated=2, lowercase=True) == [
        "soo", "good", "10000", "www.wwwww.com",
    ]  # fmt: skip
    assert words(nfd("ééé ñ"), normalize="NFC") == ["ééé", "ñ"]
    assert words(nfd("ééé"), elongated=1) == [nfd("é")]
    assert words("ｈｉ ´", normalize="NFKC") == ["hi", "\u0301"]
    assert words("A http://T.co/Ab :D #Ab @Cd", lowercase=True) == [
        "a", "http://T.co/Ab", ":D", "#ab", "@cd",
    ]  # fmt: skip
    assert words("No NO the tea", stop_words=["No", "the"]) == ["NO", "tea"]
    assert words("No NO The tea", stop_words=["No", "the"], lowercase=True) == ["tea"]
    # a stop word drops no mask
    assert words("@a <mention>", mentions="mask", stop_words=["@a"])[0] == "<mention>"


HAN = st.sampled_from("我来到北京清华大学的是不了在有一丁中国人民生活今天㐀鿖々〇𠀀")
MARKS = st.sampled_from("，。！？、；“”‘’（）《》【】…—～· \u3000")
LATIN = st.sampled_from("aZ09")


def same_as_jieba(messages):
    column = [messages]
    ours = WordSegmenter(drop_duplicates=False).transform(column)
    assert ours == JiebaSegmenter(lowercase=False, drop_duplicates=False).transform(
        column
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.one_of(HAN, HAN, MARKS, LATIN), max_size=30), max_size=4))
@example(["我爱iPhone15手机，3D打印T恤100件。", "我a’a"])
def test_chinese_is_cut_as_by_jieba(messages):
    # other messages are no Chinese
    def is_chinese(message):
        n_han = sum("一" <= c <= "鿿" for c in message)
        return n_han > 0 and 2 * n_han >= sum(c in "aZ" for c in message)

    same_as_jieba([m for m in messages if is_chinese(m)])


def test_real_and_drawn_chinese_is_cut_as_by_jieba():
    rng = np.random.RandomState(0)
    known = np.array(list(dictionary.tokenizer(()).FREQ), dtype=object)
    known = known[[all("一" <= c <= "鿕" for c in word) for word in known]]
    marks = np.array([*"的了是在我，。！？", "2024", "iPhone"], dtype=object)
    same_as_jieba(
        [
            "".join(np.where(rng.rand(25) < 0.7, rng.choice(known, 25),
                             rng.choice(marks, 25)))
            for _ in range(300)
        ]
    )  # fmt: skip
    users = make_user_profiles(60, random_state=0).data["messages"]
    assert WordSegmenter().transform(users) == JiebaSegmenter().transform(users)
    for parameters in ({"hmm": False}, {"user_dictionary": ["京清华"]}):
        message = ["我来到北京清华大学，他来到了网易杭研大厦"]
        assert WordSegmenter(**parameters).transform(message) == JiebaSegmenter(
            **parameters
        ).transform(message)


def test_words_that_the_process_splits(monkeypatch):
    import jieba.finalseg

    message = "http://a.cn 他来到了网易杭研大厦 😀 网易杭研"
    assert "杭研" in words(message)
    monkeypatch.setattr(jieba.finalseg, "Force_Split_Words", {"杭研"})
    assert words(message)[-5:] == ["大厦", "😀", "网易", "杭", "研"]


ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            [*"我来好的是aZñ09٣.%+-#&_@:/()[]<>=^'’ ，。é$＃＠DxXT\r\n\t\x1c", "www."]
        ),
        st.sampled_from(
            [*"😀👍🏽\u200d\ufe0f🇪🇸かカーไทยက", "http://", ".com", "t.co/", "#话题#"]
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT)
@example("#我\x1c# http://a(\x1cb)")
def test_nothing_is_lost(message):
    kept = words(message)
    assert "".join(kept) == "".join(message.split())
    assert not any(word != word.strip() or not word for word in kept)
    without = "".join(words(message, punctuation="drop"))
    assert sorted(filter(str.isalnum, without)) == sorted(filter(str.isalnum, message))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(ANY_TEXT, max_size=3), max_size=4))
def test_a_message_is_cut_alone_as_among_others(users):
    segmenter = WordSegmenter(drop_duplicates=False)
    alone = [
        [cut for m in user for cut in segmenter.transform([m])[0]] for user in users
    ]
    assert segmenter.transform(users).tolist() == alone


USERS = [
    ["Don't @ann http://t.co/a", "我来到北京", "niño 😀 #GoodDay"],
    None,
    [],
    float("nan"),
    "one str",
    [" \n", "", "我 love 茶"],
]


@pytest.mark.parametrize(
    "parameters", [{}, {"hashtags": "split"}, {"part_of_speech": True}]
)
def test_parts_and_threads_give_the_same(parameters, monkeypatch):
    whole = WordSegmenter(**parameters).fit_transform(USERS)
    assert whole.missing.tolist() == [False, True, True, True, False, False]
    assert whole[4] == [["one", "str"]]
    assert whole[5] == [["我", "love", "茶"]]
    monkeypatch.setattr(_segmenter, "_CHARACTERS_PER_PART", 8)
    monkeypatch.setattr(_segmenter, "_LEAST_PER_PART", 8)
    assert WordSegmenter(**parameters).transform(USERS) == whole
    assert WordSegmenter(n_jobs=2, **parameters).transform(USERS) == whole
    rows = [WordSegmenter(**parameters).transform(USERS[i : i + 1]) for i in range(6)]
    assert [row.tolist()[0] for row in rows] == whole.tolist()


def test_clone_pickle_and_kinds_of_columns():
    segmenter = WordSegmenter(urls="mask", lowercase=True)
    text = segmenter.fit_transform(USERS)
    assert clone(segmenter).transform(USERS) == text
    assert pickle.loads(pickle.dumps(segmenter)).transform(USERS) == text
    series = pd.Series(USERS, index=list("abcdef"))
    assert segmenter.transform(series) == text
    assert segmenter.transform(series.to_frame()) == text
    assert text.vocabulary.words == tuple(sorted(text.vocabulary.words))
    assert len(segmenter.transform([])) == 0
    repeated = WordSegmenter(drop_duplicates=False).transform([["a", "a"]])
    assert repeated.tolist() == [[["a"], ["a"]]]
    assert WordSegmenter().transform([["a", "a"]]).tolist() == [[["a"]]]
    # halves of one character come together, a half alone is dropped
    assert words("a\ud83d\ude00 \ud83d") == ["a", "😀"]


def test_parts_of_speech():
    text = WordSegmenter(part_of_speech=True, numbers="drop").transform(
        [["我爱北京天安门 3 niño :) #GoodDay", "tea"]]
    )
    named = [text.tag_names[tag] for tag in text.tags]
    assert text[0][0] == ["我", "爱", "北京", "天安门", "niño", ":)", "#GoodDay"]
    assert named == ["r", "v", "ns", "ns", "eng", "x", "x", "eng"]
    split = WordSegmenter(part_of_speech=True, hashtags="split")
    split = split.transform([["#GoodDay 3"]])
    assert split[0] == [["Good", "Day", "3"]]
    assert [split.tag_names[tag] for tag in split.tags] == ["x", "x", "m"]
    jieba = JiebaSegmenter(part_of_speech=True).transform([["我爱北京天安门"]])
    assert WordSegmenter(part_of_speech=True).transform([["我爱北京天安门"]]) == jieba


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "@", "#", "a.", "aa.", "a@", "(", "http://a(", "-", "a-", ":", "我",
     "[", "我a", "é", "我é", "1.", "#a", "😀", "\u200d", "_", "^", "ก", "か", "$",
     "😀\u200d", "a我", "www.", "aa.我", "(^", "我#", "a1", "!", "-_", "'a", "🇪", "@a@",
     "x"],
)  # fmt: skip
def test_time_is_linear(unit):
    def seconds(n):
        message = unit * (n // len(unit))
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            cut = words(message)
            best = min(best, time.process_time() - start)
            assert "".join(cut) == message
        return best

    seconds(100)  # compiled
    assert seconds(100_000) < 1.5


def test_wrong_parameters():
    for name in ("mentions", "hashtags", "urls", "emoji", "punctuation", "normalize"):
        with pytest.raises(ValueError, match=f"'{name}' parameter of WordSegmenter"):
            WordSegmenter(**{name: "other"}).fit([])
    with pytest.raises(ValueError, match="'elongated' parameter of WordSegmenter"):
        WordSegmenter(elongated=0).transform([])
    with pytest.raises(SourceError, match="user_dictionary is a list of words"):
        WordSegmenter(user_dictionary="nowhere").fit([])
    with pytest.raises(SourceError, match="stop_words must hold words"):
        WordSegmenter(stop_words=[3]).fit([])
    with pytest.raises(SourceError, match="WordSegmenter, row 0"):
        WordSegmenter().transform([7])


def test_user_dictionary_is_read_as_by_jieba(tmp_path):
    path = tmp_path / "user.txt"
    path.write_text("创新办 3 i\n坏 0\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 2"):
        WordSegmenter(user_dictionary=path).fit([])


@pytest.mark.parametrize(
    "segmenter",
    [WordSegmenter(), JiebaSegmenter(), CharacterSegmenter(), SubwordSegmenter()],
)
def test_names_and_tables(segmenter):
    assert segmenter.get_feature_names_out().tolist() == ["words"]
    assert segmenter.get_feature_names_out(["said"]).tolist() == ["said"]
    with pytest.raises(SourceError, match=r"one column that .*; got 2 names"):
        segmenter.get_feature_names_out(["a", "b"])
    # text is no table, whatever output is asked for
    column = pd.Series([["tea 茶"]], name="said")
    text = clone(segmenter).fit_transform(column)
    with config_context(transform_output="pandas"):
        assert clone(segmenter).fit_transform(column) == text
    steps = make_pipeline(clone(segmenter)).set_output(transform="pandas")
    assert steps.fit_transform(column) == text


def test_classes_of_characters():
    every = [chr(point) for point in range(0x110000)]
    space = _markup.classes() & _markup.SPACE != 0
    assert space.tolist() == [c.isspace() for c in every]
    assert _markup.kind_of("tea") == "word"
    assert all(
        _markup.kind_of(token) == kind
        for kind, tokens in TOKENS.items()
        for token in tokens
    )


def test_every_kind_has_a_parameter():
    assert set(itertools.chain(TOKENS)) == set(PARAMETER)
    assert set(PARAMETER.values()) <= set(WordSegmenter().get_params())
