"""Sources of the columns that are there: kinds, gaps, errors, containers."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import AutoSources, auto_sources, make_profiler
from sklearn_profiling.sources import CharacterSegmenter, WordSegmenter

N = 60
USERS = make_user_profiles(N, signal_rate=0.6, random_state=0)
RNG = np.random.RandomState(0)


def table():
    """Users with a column of each kind, and gaps in all of them."""
    users = USERS.data.copy()
    users["age__years"] = np.where(np.arange(N) % 7, RNG.normal(30, 5, N), np.nan)
    users["fans"] = RNG.pareto(1, N).round()
    users["since"] = pd.date_range("2010", periods=N, tz="UTC")
    users["verified"] = pd.Series([True, False, None] * 20, dtype=object)
    users["city"] = ["Rome", "Oslo", None, "Lima"] * 15
    users["vector"] = [None if i % 9 == 0 else RNG.normal(size=4) for i in range(N)]
    users["bio"] = [None if i % 5 else f"I am user {i} and like tea" for i in range(N)]
    users["nothing"] = None
    return users


def auto(**parameters):
    """Steps of make_profiler, alone."""
    model = make_profiler(USERS.graph, random_state=0)
    return model["sources"].set_params(**parameters)


def test_every_column_finds_its_sources():
    users = table()
    step = auto()
    made = step.fit_transform(users, USERS.target)
    assert {name: each.kind for name, each in step.kinds_.items()} == {
        "user_id": "ids",
        "messages": "text",
        "age__years": "numbers",
        "fans": "numbers",
        "since": "numbers",
        "verified": "numbers",
        "city": "categories",
        "vector": "vectors",
        "bio": "text",
        "nothing": "drop",
    }
    assert list(made) == [
        "messages_tfidf_odds",
        "messages_counts_odds",
        "messages_topics",
        "vector_vectors",
        "vector_vectors_odds",
        "bio_tfidf_odds",
        "bio_counts_odds",
        "bio_topics",
        "links_odds",
        "neighbors_odds",
        "network",
        "table",
        "table_odds",
    ]
    assert step.columns_ == [name for name in users if name != "nothing"]
    n_classes = sum(USERS.target.nunique())
    for name, source in made.items():
        assert len(source) == N
        assert name[-4:] != "odds" or source.shape[1] == n_classes
    assert np.isnan(made["vector_vectors_odds"][::9]).all()
    # Numbers come twice, with what was missing, and values beside them.
    assert made["table"].shape == (N, 2 * (4 + 2) + 4)
    assert made.index.equals(users.index)
    again = step.transform(users)
    assert list(again) == list(made)
    np.testing.assert_array_equal(again["table"], made["table"])
    # Users of fit get what was learned without them, others of the whole.
    assert not np.array_equal(again["table_odds"], made["table_odds"])


def test_classical_chinese_is_read_by_characters_and_punctuation_is_kept():
    poems = pd.DataFrame({"poem": [["花 月 風 雪 山 水"], ["雨 雲 月 天 海"]] * 5})
    step = make_profiler(random_state=0)["sources"].fit(poems, ["a", "b"] * 5)
    (_, suited, _) = step.first_.sources_[0]
    assert isinstance(suited.segmenter_, CharacterSegmenter)
    posts = pd.DataFrame({"post": [["red tea!"], ["green tea?"]] * 5})
    step.fit(posts, ["a", "b"] * 5)
    (_, suited, _) = step.first_.sources_[0]
    assert isinstance(suited.segmenter_, WordSegmenter)
    assert suited.segmenter_.punctuation == "keep"
    step.set_params(segmenter=CharacterSegmenter()).fit(poems, ["a", "b"] * 5)
    assert isinstance(step.first_.sources_[0][1], CharacterSegmenter)


def test_containers():
    users = table()[["messages", "fans", "city"]]
    columns = {"fans": "drop"}
    step = make_profiler(columns=columns, random_state=0)["sources"]
    expected = step.fit_transform(users, USERS.target)
    assert step.columns_ == ["messages", "city"]
    for given in (pl.from_pandas(users), dict(users), users.to_dict("list")):
        found = step.fit_transform(given, USERS.target)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
    alone = make_profiler(random_state=0)["sources"]
    for given in (users["messages"], users["messages"].tolist()):
        found = alone.fit_transform(given, USERS.target)
        assert list(found)[:1] == ["messages_tfidf_odds"]
        assert alone.transform(given[:3]).shape == (3,)
    numbered = pd.DataFrame({0: users["fans"], 1: users["city"]})
    assert list(alone.fit_transform(numbered, USERS.target)) == ["table", "table_odds"]


def test_values_and_users_that_are_new():
    users = table()
    step = auto().fit(users, USERS.target)
    new = users[:2].assign(city=["Cairo", None], fans=[np.nan, 1e9], user_id="x")
    made = step.transform(new.assign(more=1))
    assert np.isfinite(made["table_odds"]).all()
    assert np.isnan(made["links_odds"]).all()
    linked = step.transform(new, new_links=[("x", USERS.data["user_id"][0])])
    assert np.isfinite(linked["network"]).all()


def test_dates_as_text_and_as_timestamps_are_the_same_days():
    days = pd.date_range("2020-03-01", periods=12)
    given = [
        days.astype(str),
        days.tz_localize("UTC"),
        days.to_numpy(),
        [f"{day}T00:00:00Z" for day in days.astype(str)],
    ]
    made = [
        make_profiler(random_state=0)["sources"].fit_transform(
            pd.DataFrame({"since": each}, index=[7] * 12), ["f", "m"] * 6
        )["table"]
        for each in given
    ]
    for other in made[1:]:
        np.testing.assert_allclose(made[0], other)
    assert np.ptp(made[0][:, 0]) > 1


def test_lists_of_numbers_are_summed_up():
    stars = [[5, 4, None], [1], [], None, np.array([2.0, 4.0, 3.0]), (1, 5)] * 2
    users = pd.DataFrame({"stars": stars}, index=range(7, 19))
    step = make_profiler(random_state=0)["sources"]
    made = step.fit_transform(users, ["f", "m"] * 6)
    assert step.columns_of_["table"] == ["stars"]
    fitted = step.union_.named_sources_["table"].named_transformers_["numbers"]
    assert list(fitted.feature_names_in_) == [
        *("stars (length)", "stars (mean)", "stars (deviation)"),
        *("stars (least)", "stars (largest)"),
    ]
    assert made["table"].shape == (12, 2 * (5 + 5))
    figures = auto_sources._figures_of_lists("stars", users["stars"])
    assert figures[0].tolist()[:2] == [2, 1]
    assert figures[1][11] == 3
    assert figures[4][12] == 5
    assert figures[0].isna().sum() == 4
    with pytest.raises(SourceError, match="column 'stars' held numbers or dates"):
        step.transform(users.assign(stars=[["many"]] * 12))
    with pytest.raises(SourceError, match="row 0: held lists in fit; got 5"):
        step.transform(users.assign(stars=5))


def test_errors():
    users = table()
    step = auto().fit(users, USERS.target)
    with pytest.raises(SourceError, match=r"lacks the columns \['fans', 'city'\]"):
        step.transform(users.drop(columns=["fans", "city"]))
    with pytest.raises(SourceError, match="'fans', row 3: a number must be finite"):
        step.transform(users.assign(fans=[1.0] * 3 + [np.inf] * (N - 3)))
    with pytest.raises(SourceError, match="column 'fans' held numbers or dates in fit"):
        step.transform(users.assign(fans="many"))
    with pytest.raises(SourceError, match=r"columns named \['a'\]"):
        auto().fit(pd.DataFrame([[1, 2]] * 9, columns=["a", "a"]))
    with pytest.raises(SourceError, match=r"no column of X is of use.*0 users have it"):
        make_profiler()["sources"].fit(users[["nothing"]], USERS.target)
    with pytest.raises(SourceError, match=r'"ids" for \[.user_id.\].*there is a graph'):
        AutoSources(columns={"user_id": "ids"}).fit(users)
    twice = {"user_id": "ids", "city": "ids"}
    with pytest.raises(SourceError, match="one column"):
        AutoSources(USERS.graph, columns=twice).fit(users)
    with pytest.raises(ValueError, match="'columns' parameter"):
        AutoSources(columns="all").fit(users)


def test_numbers_and_categories_of_some_rows():
    users, columns = table(), ["fans", "verified", "city"]
    step = make_profiler(random_state=0)["sources"]
    made = step.fit_transform(users[columns][::2], USERS.target[::2])
    again = step.fit_transform(
        users[columns][::2].reset_index(drop=True), USERS.target[::2]
    )
    np.testing.assert_array_equal(made["table"], again["table"])


def test_sources_carry_whose_rows_they_are():
    users = pd.DataFrame({"user_id": [*"abcabdef"], "fans": np.arange(8.0)})
    users.loc[7, "user_id"] = None
    y = [*"xyxyxyxy"]
    step = make_profiler(random_state=0)["sources"]
    made = step.fit_transform(users, y)
    assert made.groups[:5].tolist() == [0, 1, 2, 0, 1]
    assert len(set(made.groups)) == 6
    assert made[np.array([3, 4, 6])].groups.tolist() == [0, 1, made.groups[6]]
    assert pickle.loads(pickle.dumps(made))[:2].groups.tolist() == [0, 1]
    assert made.copy().groups is made.groups
    assert type(made)(**made)[:2].groups is None
    alone = step.fit_transform(users[2:], y[2:])
    assert not hasattr(alone, "groups")


def test_the_diagram_shows_the_sources():
    model = auto(topics="drop")
    prefix = 'data-param-prefix="{}__"'
    assert prefix.format("counts_expert") in model._repr_html_()
    assert prefix.format("topics") not in model._repr_html_()
    model = AutoSources(vectors="passthrough").fit(table())
    page = model._repr_html_()
    assert prefix.format("vector_vectors") in page
    assert prefix.format("vectors") not in page
