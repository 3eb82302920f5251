"""Regional keywords: scores by hand, cross-fitting, gazetteers, missing everything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import DataQualityWarning, SourceError, TargetError
from sklearn_profiling.sources.text import CharacterSegmenter
from sklearn_profiling.sources.text._gazetteer_china import CHINA
from sklearn_profiling.sources.text.region_keywords import (
    RegionKeywords,
    keyword_scores,
    stratified_folds,
)

REGIONS = ["东北", "华北", "华东", "华中", "华南", "西南", "西北", "境外"]


def regional_text(n_users=200, seed=0, *, signal=0.3):
    """Users of two regions; each region has three words of its own."""
    rng = np.random.RandomState(seed)
    labels = np.array(["north", "south"])[rng.randint(2, size=n_users)]
    users = []
    for label in labels:
        words = [f"common{w}" for w in rng.randint(30, size=20)]
        words += [f"{label}{w}" for w in range(3) if rng.rand() < signal]
        rng.shuffle(words)
        users.append([words[:8], words[8:]])
    return TokenMessages.from_lists(users), labels


def noise_text(n_users=120, seed=0):
    """Users with many rare words that know nothing of the labels."""
    rng = np.random.RandomState(seed)
    users = [[[f"w{w}" for w in rng.randint(2000, size=80)]] for _ in range(n_users)]
    return TokenMessages.from_lists(users), rng.randint(2, size=n_users)


def test_scores_by_hand():
    presence = sparse.csr_array(np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 0, 1]]))
    members = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
    scores = keyword_scores(presence, members, smoothing=2.0)
    # word 0: 2 of 2 inside, 0 of 2 outside, prior 2 users of whom 1 wrote it
    z = np.log((3 / 1) / (1 / 3)) / np.sqrt(1 / 3 + 1 / 1 + 1 / 1 + 1 / 3)
    np.testing.assert_allclose(scores[:, 0], [z, -z])
    # word 1: 0 of 2 and 1 of 2, prior 0.5 of 2
    a, b, c, d = 0.5, 3.5, 1.5, 2.5
    z = np.log((a / b) / (c / d)) / np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    np.testing.assert_allclose(scores[:, 1], [z, -z])
    # everybody wrote word 2
    np.testing.assert_array_equal(scores[:, 2], 0)
    one_class = np.ones((4, 1), dtype=bool)
    np.testing.assert_array_equal(keyword_scores(presence, one_class, 2.0), 0)


def test_an_overwhelming_prior_leaves_nothing():
    text, labels = regional_text()
    assert RegionKeywords().fit(text, labels).keywords_["north"][0][1] > 2
    step = RegionKeywords(smoothing=1e9, min_score=0).fit(text, labels)
    assert 0 < step.keywords_["north"][0][1] < 0.01
    nothing = RegionKeywords(smoothing=1e9).fit(text, labels)
    assert nothing.keywords_ == {"north": [], "south": []}
    np.testing.assert_array_equal(nothing.transform(text), np.zeros((200, 2)))


def test_keywords_are_found_and_counted():
    text, labels = regional_text()
    step = RegionKeywords("region", n_keywords=3).fit(text, labels)
    assert {word for word, _ in step.keywords_["north"]} == {
        "north0", "north1", "north2"
    }  # fmt: skip
    scores = [score for _, score in step.keywords_["south"]]
    assert scores == sorted(scores, reverse=True)
    assert step.get_feature_names_out().tolist() == ["region_north", "region_south"]
    counts = step.transform(text)
    assert counts.dtype == np.float32
    words = [word for message in text[4] for word in message]
    expected = [sum(w.startswith(name) for w in words) for name in ("north", "south")]
    np.testing.assert_array_equal(counts[4], expected)
    # another vocabulary, words found by what they are
    other = TokenMessages.from_lists([[["x", "south1", "south1"]], None])
    np.testing.assert_array_equal(step.transform(other), [[0, 2], [np.nan, np.nan]])
    weighted = clone(step).set_params(use_scores=True).fit(text, labels)
    value = dict(weighted.keywords_["south"])["south1"]
    np.testing.assert_allclose(weighted.transform(other)[0], [0, 2 * value], rtol=1e-6)


def test_one_user_who_repeats_a_word_makes_no_keyword():
    users = [[["spam"] * 50]] + [[["x"]], [["y"]]] * 5
    labels = ["a"] + ["a", "b"] * 5
    text = TokenMessages.from_lists(users)
    step = RegionKeywords(min_score=0).fit(text, labels)
    assert "spam" not in dict(step.keywords_["a"])
    rare = RegionKeywords(min_users=1, min_score=0).fit(text, labels)
    assert "spam" in dict(rare.keywords_["a"])


def test_fit_transform_does_not_show_a_user_his_own_label():
    text, labels = noise_text()
    step = RegionKeywords(min_users=2, min_score=0, n_keywords=500, random_state=0)

    def accuracy(counts):
        return (counts.argmax(axis=1) == labels).mean()

    leaking = step.fit(text, labels).transform(text)
    fair = step.fit_transform(text, labels)
    assert accuracy(leaking) > 0.9
    assert 0.3 < accuracy(fair) < 0.7
    # where there is a signal, it stays
    text, labels = regional_text(signal=0.8)
    fair = RegionKeywords(random_state=0).fit_transform(text, labels)
    assert ((fair[:, 1] > fair[:, 0]) == (labels == "south")).mean() > 0.9


def test_a_fold_is_counted_by_the_keywords_of_the_others():
    text, labels = regional_text(50)
    step = RegionKeywords(cv=3, random_state=0, normalize="words", use_scores=True)
    crossed = step.fit_transform(text, labels)
    members = labels[:, None] == np.array(["north", "south"])
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=1)[0]
    folds = stratified_folds(members, text.missing, 3, seed)
    assert np.sort(np.concatenate(folds)).tolist() == list(range(50))
    for fold in folds:
        rest = np.setdiff1d(np.arange(50), fold)
        apart = clone(step).fit(text[rest], labels[rest]).transform(text[fold])
        np.testing.assert_allclose(crossed[fold], apart, rtol=1e-6)
        share = members[fold].mean(axis=0) - members.mean(axis=0)
        assert np.abs(share).max() < 0.05
    # learned attributes are those of fit
    assert step.keywords_ == clone(step).fit(text, labels).keywords_
    again = clone(step).fit_transform(text, labels)
    np.testing.assert_array_equal(again, crossed)


def test_missing_labels_and_missing_text():
    text, labels = regional_text()
    hidden = pd.Series(labels, dtype=object)
    hidden[:50] = None
    users = text.tolist()
    users[60] = None
    text = TokenMessages.from_lists(users)
    step = RegionKeywords(random_state=0)
    crossed = step.fit_transform(text, hidden)
    np.testing.assert_array_equal(crossed[:50], step.transform(text)[:50])
    assert np.isnan(crossed[60]).all()
    assert np.isfinite(np.delete(crossed, 60, axis=0)).all()
    kept = np.delete(np.arange(50, 200), 10)
    assert step.keywords_ == RegionKeywords().fit(text[kept], hidden[kept]).keywords_


def test_several_tasks_and_sets():
    text, labels = regional_text()
    likes = [frozenset({"tea", "go"}) if x == "south" else {"go"} for x in labels]
    likes[0] = {"chess"}
    y = pd.DataFrame({"region": labels, "likes": likes})
    step = RegionKeywords(normalize="l1", random_state=0, n_keywords=5)
    crossed = step.fit_transform(text, y)
    names = ["region_north", "region_south", "likes_chess", "likes_go", "likes_tea"]
    assert step.get_feature_names_out().tolist() == names
    assert step.n_features_out_ == crossed.shape[1] == 5
    assert set(step.keywords_) == {
        ("region", "north"), ("region", "south"),
        ("likes", "chess"), ("likes", "go"), ("likes", "tea"),
    }  # fmt: skip
    for counts in (crossed, step.transform(text)):
        for part in (counts[:, :2], counts[:, 2:]):
            total = part.sum(axis=1)
            assert np.isclose(total, 1).sum() > 100
            assert (np.isclose(total, 1) | (total == 0)).all()
    only = RegionKeywords("likes").fit(text, y)
    assert list(only.keywords_) == ["chess", "go", "tea"]
    assert only.keywords_["tea"][0][0].startswith("south")


def test_labels_that_cannot_be_ordered():
    text, labels = regional_text(40)
    mixed = np.array([1 if x == "north" else "s" for x in labels], dtype=object)
    step = RegionKeywords().fit(text, mixed)
    assert step.classes_ == {"task0": [1, "s"]}
    assert step.get_feature_names_out().tolist() == ["task0_1", "task0_s"]


@pytest.mark.parametrize("normalize", [None, "words", "log", "l1"])
def test_normalize(normalize):
    gazetteer = {"a": ["x"], "b": ["y", "z"]}
    step = RegionKeywords(gazetteer=gazetteer, normalize=normalize)
    text = TokenMessages.from_lists([[["x", "y", "z", "z", "q"]], [["q"]]])
    expected = {
        None: [1, 3],
        "words": [0.2, 0.6],
        "log": [np.log(2), np.log(4)],
        "l1": [0.25, 0.75],
    }[normalize]
    np.testing.assert_allclose(step.fit_transform(text), [expected, [0, 0]], rtol=1e-6)


def test_gazetteer_on_raw_messages():
    places = {"n": ["长春", "吉林"], "s": ["春城", "吉林路", "春城路口"]}
    step = RegionKeywords(gazetteer=places)
    column = ["长春城里吉林路，吉林", ["春城路", "春城路口"], None, [""], [], "山"]
    counts = step.fit_transform(column)
    # the first word wins, of words that begin together the longest
    expected = [[2, 1], [0, 2], *[[np.nan] * 2] * 3, [0, 0]]
    np.testing.assert_array_equal(counts, expected)
    assert step.get_feature_names_out().tolist() == ["region_n", "region_s"]
    share = RegionKeywords(gazetteer=places, normalize="words").fit(column)
    np.testing.assert_allclose(share.transform(["吉林"])[0], [0.5, 0])


def test_a_word_of_two_regions_counts_for_both():
    step = RegionKeywords("home", gazetteer={"n": ["x", "x"], "s": "x"})
    np.testing.assert_array_equal(step.fit(["x"]).transform(["xx"]), [[2, 2]])
    assert step.keywords_ == {"n": [("x", 1.0)], "s": [("x", 1.0)]}
    assert step.get_feature_names_out().tolist() == ["home_n", "home_s"]


def test_gazetteer_of_china():
    assert list(CHINA) == REGIONS
    assert all(len(words) > 20 for words in CHINA.values())
    words = [word for words in CHINA.values() for word in words]
    assert len(set(words)) == len(words)
    assert min(map(len, words)) >= 2
    provinces = {
        "东北": "辽宁 吉林 黑龙江",
        "华北": "河北 山西 内蒙古 北京 天津",
        "华东": "山东 江苏 安徽 浙江 台湾 福建 江西 上海",
        "华中": "河南 湖北 湖南",
        "华南": "广东 广西 海南 香港 澳门",
        "西南": "云南 重庆 贵州 四川 西藏",
        "西北": "新疆 陕西 宁夏 青海 甘肃",
        "境外": "海外",
    }
    for region, names in provinces.items():
        assert set(names.split()) <= set(CHINA[region])
    step = RegionKeywords(gazetteer="china").fit(None)
    assert step.n_features_out_ == 8
    counts = step.transform([["从哈尔滨到三亚", "重庆火锅，成都小吃"]])
    np.testing.assert_array_equal(counts, [[1, 0, 0, 0, 1, 2, 0, 0]])


def test_a_task_of_one_class_has_no_keywords_and_costs_no_other():
    text, labels = regional_text(20)
    y = pd.DataFrame({"planet": ["earth"] * 20, "region": labels})
    expected = RegionKeywords("region").fit(text, y).transform(text)
    with pytest.warns(DataQualityWarning, match=r"are 'earth' in task 'planet'"):
        both = RegionKeywords().fit(text, y)
    found = both.transform(text)
    assert both.keywords_["planet", "earth"] == []
    assert (found[:, 0] == 0).all()
    np.testing.assert_array_equal(found[:, 1:], expected)


def test_errors():
    text, labels = regional_text(20)
    raw = [["一"]] * 20
    with pytest.raises(TargetError, match="y is None; give y or a gazetteer"):
        RegionKeywords().fit(text)
    with pytest.raises(TargetError, match="y has 19 rows for 20 users"):
        RegionKeywords().fit(text, labels[:-1])
    frame = pd.DataFrame({"gender": labels})
    for y in (frame, frame["gender"]):
        with pytest.raises(TargetError, match=r"no task 'region'.*\['gender'\]"):
            RegionKeywords("region").fit(text, y)
    with pytest.raises(TargetError, match="task 'task0' must have a labelled user"):
        RegionKeywords().fit(text, [None] * 20)
    with pytest.raises(SourceError, match=r"got list\. Raw messages are taken with"):
        RegionKeywords().fit(raw, labels)
    with pytest.raises(SourceError, match="learned keywords takes TokenMessages"):
        RegionKeywords().fit(text, labels).transform(raw)
    with pytest.raises(SourceError, match="gazetteer must map at least one region"):
        RegionKeywords(gazetteer={}).fit(raw)
    for wrong, found in (([], "none"), ([""], "''"), (["x", 3], "3")):
        with pytest.raises(SourceError, match=f"'n' must have words; got {found}"):
            RegionKeywords(gazetteer={"n": wrong}).fit(raw)
    with pytest.raises(ValueError, match="'cv' parameter"):
        RegionKeywords(cv=1).fit(text, labels)


def test_tags():
    assert RegionKeywords().__sklearn_tags__().target_tags.required
    with_words = RegionKeywords(gazetteer="china")
    assert not with_words.__sklearn_tags__().target_tags.required


def test_poets_write_of_their_times(real_data):
    import gzip
    import json

    with gzip.open(real_data / "poets" / "users.jsonl.gz", "rt") as file:
        users = [json.loads(line) for line in file][:600]
    text = CharacterSegmenter().fit_transform([user["texts"] for user in users])
    dynasty = np.array([user["labels"]["dynasty"] for user in users], dtype=object)
    step = RegionKeywords(normalize="l1", random_state=0)
    counts = step.fit_transform(text, dynasty)
    known = dynasty != None  # noqa: E711
    classes = np.array(step.classes_["task0"])
    right = classes[np.nanargmax(counts[known], axis=1)] == dynasty[known]
    majority = pd.Series(dynasty[known]).value_counts(normalize=True).iloc[0]
    assert right.mean() > majority


def test_output_as_pandas():
    text = TokenMessages.from_lists([[["北京", "地铁"]], [["上海"]], None] * 4)
    y = ["north", "south", None] * 4
    plain = RegionKeywords(cv=2, min_users=1, random_state=0)
    expected = plain.fit_transform(text, y)
    wrapped = clone(plain).set_output(transform="pandas")
    found = wrapped.fit_transform(text, y)
    assert list(found.columns) == list(wrapped.get_feature_names_out())
    np.testing.assert_array_equal(found.to_numpy(), expected)
    with config_context(transform_output="pandas"):
        found = clone(plain).fit_transform(text, y)
    np.testing.assert_array_equal(found.to_numpy(), expected)
