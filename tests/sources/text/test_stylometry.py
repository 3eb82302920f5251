"""Features of style: the F-measure by hand, classes of tags, endings, errors."""

from __future__ import annotations

import numpy as np
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import (
    CharacterSegmenter,
    FrequentPOSPatterns,
    JiebaSegmenter,
    StylometricFeatures,
    WordSegmenter,
)
from sklearn_profiling.sources.text._function_words import FUNCTION_WORDS
from sklearn_profiling.sources.text._style_words import WORD_CLASSES, WORD_ENDINGS


def tagged(users):
    """Text whose words are their own tags, by a tagger that says so."""
    return TokenMessages.from_lists(users), {"tagger": list}


def f_measures(users, **parameters):
    text, tagger = tagged(users)
    style = StylometricFeatures(pos_patterns="drop", **tagger, **parameters)
    return style.fit_transform(text)[:, 0]


def test_f_measure_by_hand():
    users = [
        # 3 nouns, 1 adjective, 1 preposition; 1 pronoun, 1 verb, 1 adverb, 2 others
        [["nr", "s", "t", "a", "p"], ["r", "vn", "d", "m", "uj"]],
        [["n", "ng", "zg"]],
        [["v", "y", "rr", "o"]],
        None,
    ]
    found = f_measures(users)
    np.testing.assert_allclose(found[:3], [0.5 * (50 - 30 + 100), 100, 0])
    assert np.isnan(found[3])


def test_punctuation_is_no_word():
    np.testing.assert_allclose(
        f_measures([[["n", "x", "x", "m"]], [["x"]], [["w", "v"]]]), [75, 50, 0]
    )


def test_universal_and_own_tag_classes():
    users = [[["DET", "NOUN", "AUX", "PUNCT"]], [["INTJ", "X"]]]
    np.testing.assert_allclose(
        f_measures(users, tag_classes="universal"), [50 * (1 + 1 / 3), 25]
    )
    # the exact tag goes before the beginning of another class
    own = {"noun": ["N*"], "verb": "NV"}
    np.testing.assert_allclose(
        f_measures([[["NN", "NV", "N"]]], tag_classes=own), 200 / 3
    )
    with pytest.raises(SourceError, match=r"may hold the classes .*; got \['nuon'\]"):
        f_measures(users, tag_classes={"nuon": ["N"]})
    with pytest.raises(
        SourceError, match=r"tag_classes\['noun'\] must hold words; got 1"
    ):
        f_measures(users, tag_classes={"noun": [1]})


def test_jieba_tags_travel_with_the_text():
    users = [["我爱北京天安门"], ["他慢慢地走", "我跑"], None]
    text = JiebaSegmenter(part_of_speech=True).transform(users)
    style = StylometricFeatures(pos_patterns=FrequentPOSPatterns(min_support=0.5))
    found = style.fit_transform(text)
    names = style.get_feature_names_out().tolist()
    assert names[0] == "f_measure"
    assert "pos=r+v" in names
    assert found.shape == (3, len(names))
    assert found[0, 0] == pytest.approx(50)  # r v ns ns
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(style.transform(text), found)
    np.testing.assert_array_equal(style.fit(text).transform(text[[1]]), found[[1]])
    patterns = style.pos_patterns_.transform(text)
    np.testing.assert_array_equal(found[:, 1:], patterns)
    assert not hasattr(style.pos_patterns, "patterns_"), "the parameter stays unfitted"


def test_word_endings_and_classes():
    text = TokenMessages.from_lists(
        [[["Truly", "ly", "!", "lovely"], ["MOTHER"]], [["tea"]], [["。"]], None]
    )
    style = StylometricFeatures(
        f_measure=False,
        pos_patterns="drop",
        word_endings=["ly", "Er"],
        word_classes={"family": ["Mother", "tea"]},
    )
    found = style.fit_transform(text)
    assert style.get_feature_names_out().tolist() == [
        "ending=ly",
        "ending=Er",
        "class=family",
    ]
    np.testing.assert_allclose(found[:3], [[0.5, 0.25, 0.25], [0, 0, 1], [0, 0, 0]])
    assert np.isnan(found[3]).all()
    one = style.set_params(word_endings="ly", word_classes=False).fit_transform(text)
    np.testing.assert_array_equal(one, found[:, :1])


def test_default_lists():
    text = TokenMessages.from_lists([[["home"], ["careful"]]])
    style = StylometricFeatures(
        f_measure=False, pos_patterns="drop", word_endings=True, word_classes=True
    ).fit(text)
    assert style.feature_names_ == [
        *(f"ending={ending}" for ending in WORD_ENDINGS),
        *(f"class={name}" for name in WORD_CLASSES),
    ]
    shares = dict(zip(style.feature_names_, style.transform(text)[0], strict=True))
    assert {name: value for name, value in shares.items() if value} == {
        "ending=ful": 0.5,
        "class=home": 0.5,
    }
    for words in WORD_CLASSES.values():
        assert list(words) == sorted(set(words))


def test_the_tagger_is_asked_once_a_message():
    asked = []

    def tagger(words):
        asked.append(words)
        return ["n" if word == "tea" else "v" for word in words]

    text = CharacterSegmenter().transform([["Drink tea", "tea"], None, ["tea drink"]])
    style = StylometricFeatures(tagger=tagger)
    found = style.fit_transform(text)
    assert asked == [["drink", "tea"], ["tea"], ["tea", "drink"]]
    names = ["f_measure", "pos=n", "pos=v", "pos=n+v", "pos=v+n"]
    assert style.feature_names_ == names
    np.testing.assert_allclose(
        found[[0, 2]], [[200 / 3, 1, 1, 0, 1], [50, 1, 1, 1, 0]], rtol=1e-6
    )


@pytest.mark.parametrize(
    "tagger", [lambda words: ["n"], lambda words: [("a", "n")] * len(words)]
)
def test_a_tagger_gives_one_tag_a_word(tagger):
    text = TokenMessages.from_lists([None, [["red", "tea"]]])
    with pytest.raises(
        SourceError, match=r"row 1: .* each of the 2 words \['red', 'te"
    ):
        StylometricFeatures(tagger=tagger).fit(text)


def test_errors():
    text = CharacterSegmenter().transform([["山水"]])
    tagged = JiebaSegmenter(part_of_speech=True).transform([["我爱山水"]])
    with pytest.raises(SourceError, match=r"was fitted on parts of speech.* a tagger"):
        StylometricFeatures().fit(tagged).transform(text)
    with pytest.raises(SourceError, match="gives no feature"):
        StylometricFeatures(f_measure=False, pos_patterns="drop").fit(text)
    with pytest.raises(SourceError, match="takes TokenMessages"):
        StylometricFeatures().fit([["山水"]])
    with pytest.raises(SourceError, match="StylometricFeatures needs text"):
        StylometricFeatures(tagger=list, pos_patterns="drop").fit(text[[]])
    with pytest.raises(SourceError, match="word_endings must hold words; got ''"):
        StylometricFeatures(tagger=list, word_endings=[""]).fit(text)


def measured(users, segmenter=None, **parameters):
    """Columns by name, for text that is cut with tags that say nothing."""
    cut = WordSegmenter(part_of_speech=True) if segmenter is None else segmenter
    style = StylometricFeatures(**parameters)
    found = style.fit_transform(cut.transform(users))
    return dict(zip(style.feature_names_, found.T, strict=True)), style


def test_surface_by_hand():
    users = [
        ["Sooo HAPPY @ann 😀!! 3 teas...", "¿Qué? No"],
        None,
        ["ok :) http://t.co/a #b a@b.co (so), «x»: a-b — $"],
    ]
    found, style = measured(users, surface=True)
    assert not style.by_tags_
    # Sooo HAPPY @ann 😀 ! ! 3 teas ... | ¿ Qué ? No
    expected = {
        "characters=capital": 8 / 18,  # S HAPPY Q N among 4 + 5 + 4 + 3 + 2 letters
        "characters=digit": 1 / 31,
        "words=capitals": 1 / 13,
        "words=elongated": 1 / 13,
        "words=mention": 1 / 13,
        "words=emoji": 1 / 13,
        "words=number": 1 / 13,
        "words=url": 0,
        "marks=exclamation": 2 / 13,
        "marks=ellipsis": 1 / 13,
        "marks=question": 2 / 13,
        "marks=comma": 0,
        "length=word": 18 / 5,
        "length=sentence": 13 / 4,  # !! | ... | ? | the end
        "length=message": 13 / 2,
    }
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value), name
        assert np.isnan(found[name][1])
    # ok :) url #b mail ( so ) , « x » : a-b — $
    for name, value in {
        "words=emoticon": 1, "words=url": 1, "words=hashtag": 1, "words=email": 1,
        "marks=bracket": 2, "marks=comma": 1, "marks=quote": 2, "marks=colon": 1,
        "marks=dash": 1, "marks=other_mark": 1, "marks=full_stop": 0,
    }.items():  # fmt: skip
        assert found[name][2] == pytest.approx(value / 16), name
    masked, _ = measured(users, WordSegmenter(urls="mask", mentions="mask"))
    for name in ("words=url", "words=mention", "words=emoji"):
        np.testing.assert_allclose(masked[name], found[name])


def test_words_and_endings_of_text_without_tags():
    users = [["The runner was running, The end"], ["la cantante cantando"], ["x1 山水"]]
    found, _ = measured(users)
    assert found["word=the"].tolist() == pytest.approx([2 / 6, 0, 0])
    assert found["word=la"].tolist() == pytest.approx([0, 1 / 3, 0])
    assert found["ending=ing"].tolist() == pytest.approx([1 / 6, 0, 0])
    assert found["ending=do"].tolist() == pytest.approx([0, 1 / 3, 0])
    assert "word=you" not in found
    assert not any("山" in name or "1" in name for name in found)
    few, _ = measured(users, n_endings=1, function_words=["You", "THE"], surface=False)
    assert list(few) == ["ending=he", "word=you", "word=the"]
    assert few["word=the"].tolist() == pytest.approx([2 / 6, 0, 0])
    for language in ("en", "es"):
        listed, _ = measured(users, function_words=language, surface=False, n_endings=0)
        assert set(listed) <= {f"word={word}" for word in FUNCTION_WORDS[language]}
    for words in FUNCTION_WORDS.values():
        assert list(words) == sorted(set(words))
    none, _ = measured(users, function_words=False, n_endings=0)
    assert all("=" in name and not name.startswith(("word=", "end")) for name in none)
    with pytest.raises(SourceError, match="function_words must hold words; got 3"):
        measured(users, function_words=[3])


def test_text_with_and_without_parts_of_speech():
    chinese = [["我爱北京天安门", "ok"], ["他慢慢地走"]]
    found, style = measured(chinese)
    assert style.by_tags_
    assert next(iter(found)) == "f_measure"
    assert not any(name.startswith(("word", "marks", "ending")) for name in found)
    both, _ = measured(chinese, surface=True, n_endings=3, function_words=True)
    assert {"f_measure", "length=word"} <= set(both)
    # no tags at all, and text without any word
    for cut in (WordSegmenter(), CharacterSegmenter()):
        untagged, style = measured([["The tea"], None], cut)
        assert not style.by_tags_
        assert "length=word" in untagged
    assert not measured([["tea"]])[1].by_tags_
    # what was wanted without tags stays alone
    alone, _ = measured([["truly"]], f_measure=False, pos_patterns="drop",
                        word_endings=["ly"])  # fmt: skip
    assert list(alone) == ["ending=ly"]
    with pytest.raises(SourceError, match="needs text"):
        measured([None, []])
    fitted = measured([["The tea"]])[1]
    assert np.isnan(fitted.transform(WordSegmenter().transform([None]))).all()
