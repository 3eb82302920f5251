"""MMLUP's systems: every parameter, every gap, new users, LINE trained once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cases import LoggedLINE
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_profiling import _memory
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import (
    make_mmlup,
    make_table3_systems,
    make_text_cnn,
    predict_proba_with_links,
)
from sklearn_profiling.sources import (
    CharacterSegmenter,
    GloVeTransformer,
    LINEEmbedding,
    RegionKeywords,
)

QUICK_NET = {
    "n_filters": 4,
    "kernel_sizes": (1, 3),
    "n_filters_second": 8,
    "n_shared": 16,
    "n_hidden": (16,),
    "max_epochs": 2,
}


@pytest.fixture(scope="module")
def profiles():
    return make_user_profiles(
        80,
        n_messages=4,
        missing_labels=0.1,
        missing_text=0.1,
        missing_network=0.1,
        random_state=0,
    )


def quick(pipeline):
    sizes = {
        "text__n_dimensions": 8,
        "text__max_epochs": 2,
        "topics__n_components": 4,
        "network__n_components": 4,
        "network__n_samples": 2000,
    }
    parts = {name for name, part, _ in pipeline["sources"].sources if part != "drop"}
    params = {f"classifier__{name}": value for name, value in QUICK_NET.items()}
    params |= {
        f"sources__{name}": value
        for name, value in sizes.items()
        if name.split("__")[0] in parts
    }
    return pipeline.set_params(**params)


def mmlup(profiles, **params):
    return quick(make_mmlup(profiles.graph, **{"random_state": 0, **params}))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# -- parameters ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mmlup", "text_cnn"])
def test_every_parameter_is_reached_by_set_params(kind, profiles):
    model = (
        make_mmlup(profiles.graph, random_state=0)
        if kind == "mmlup"
        else make_text_cnn(random_state=0)
    )
    for name, value in model.get_params().items():
        model.set_params(**{name: value})
        other = object()
        if "__" in name and not isinstance(value, list) and not _holds_parts(value):
            model.set_params(**{name: other})
            assert model.get_params()[name] is other
            model.set_params(**{name: value})
    model.set_params(segmenter__words=CharacterSegmenter(), classifier__attention=None)
    assert isinstance(dict(model["segmenter"]._pairs)["words"], CharacterSegmenter)


def _holds_parts(value):
    return hasattr(value, "get_params")


def test_defaults_are_the_papers(profiles):
    params = make_mmlup(profiles.graph, random_state=0).get_params()
    assert isinstance(params["classifier"], MMLUPClassifier)
    assert (
        params["sources__text__n_dimensions"],
        params["sources__text__min_count"],
        params["sources__text__window"],
        params["sources__network__n_components"],
        params["sources__network__order"],
    ) == (100, 5, 8, 300, "both")
    seeds = [value for name, value in params.items() if name.endswith("random_state")]
    assert len(set(seeds)) == len(seeds) == 5
    text_cnn = make_text_cnn(random_state=0)
    assert isinstance(text_cnn["classifier"], TextCNNClassifier)
    assert text_cnn.get_params()["sources__text__n_dimensions"] == 100


def test_presets_differ_in_what_they_say(profiles):
    with pytest.raises(SourceError, match="must be 'default' or 'paper'; got 'ours'"):
        make_text_cnn(preset="ours")
    paper = {
        "attention": "softmax",
        "trainable_vectors": False,
        "loss_weights": "paper",
        "n_filters": 64,
        "kernel_sizes": (1, 3, 5, 7, 9),
        "n_shared": 256,
        "n_hidden": (128, 64, 32),
        "dropout": 0.5,
        "word_dropout": 0.0,
        "source_dropout": 0.0,
        "bag_of_words": 0,
        "learning_rate_decay": False,
        "max_epochs": 20,
    }
    for make, kind in (
        (lambda **given: make_mmlup(profiles.graph, **given), MMLUPClassifier),
        (make_text_cnn, TextCNNClassifier),
    ):
        ours = make(random_state=0).get_params()
        theirs = make(random_state=0, preset="paper").get_params()
        own = kind().get_params()
        for name, value in own.items():
            if name != "random_state":
                assert ours[f"classifier__{name}"] == value
                assert theirs[f"classifier__{name}"] == paper.get(name, value)
        assert own["bag_of_words"] == 2
        assert ours["sources__text__unknown"] == "characters"
        assert theirs["sources__text__unknown"] == "drop"
        assert theirs["sources__text__n_dimensions"] == 100
    mmlup = make_mmlup(profiles.graph, preset="paper").get_params()
    assert mmlup["sources__topics"] == "drop"
    assert mmlup["sources__keywords__task"] == "region"
    assert mmlup["sources__keywords__normalize"] is None


def test_the_papers_preset_runs(profiles):
    users, y = profiles.data, profiles.target
    model = quick(make_mmlup(profiles.graph, preset="paper", random_state=0))
    module = model.fit(users, y)["classifier"].net_.module_
    assert module.sources.names == ["text", "keywords", "network"]
    assert module.bags.names == []
    assert model.predict(users).shape == (80, 4)
    own = make_text_cnn(preset="paper", classifier=TextCNNClassifier(bag_of_words=1))
    assert own["classifier"].bag_of_words == 1


def test_parts_may_be_given(profiles):
    parts = {
        "segmenter": CharacterSegmenter(),
        "word_vectors": GloVeTransformer(4),
        "keywords": RegionKeywords(task="region"),
        "topics": "drop",
        "classifier": TextCNNClassifier(source="text"),
    }
    model = make_mmlup(
        profiles.graph,
        network=LINEEmbedding(profiles.graph, 4, solver="spectral", unknown="nan"),
        text_column="said",
        id_column="who",
        **parts,
    )
    params = model.get_params()
    assert params["segmenter__words"] is parts["segmenter"]
    assert params["sources__text"] is parts["word_vectors"]
    assert params["sources__keywords"] is parts["keywords"]
    assert params["classifier"] is parts["classifier"]
    users = profiles.data.rename(columns={"messages": "said", "user_id": "who"})
    model.set_params(classifier__max_epochs=1, classifier__n_filters=4)
    assert model.fit(users, profiles.target).predict(users).shape == (80, 4)
    alone = make_text_cnn(
        segmenter=CharacterSegmenter(),
        word_vectors=GloVeTransformer(4),
        classifier=parts["classifier"],
        text_column="said",
    )
    assert alone.fit(users, profiles.target).predict(users).shape == (80, 4)


# -- users ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mmlup", "text_cnn"])
def test_users_with_gaps_and_users_nobody_knows(kind, profiles):
    model = mmlup(profiles) if kind == "mmlup" else quick(make_text_cnn(random_state=0))
    users, y = profiles.data, profiles.target
    assert (users["messages"].map(len) == 0).any()
    model.fit(users.iloc[:60], y.iloc[:60])
    before = model.predict_proba(users.iloc[60:])
    assert [p.shape[0] for p in before] == [20] * 4
    assert 0 <= model.score(users.iloc[60:], y.iloc[60:]) <= 1
    # beside users who are new to the graph, some with text, some without
    strangers = pd.DataFrame(
        {"user_id": ["x1", "x2", "x3"], "messages": [["今天在北京"], None, ["𝕏"]]}
    )
    together = pd.concat([users.iloc[60:], strangers], ignore_index=True)
    after = model.predict_proba(together)
    for a, b in zip(after, before, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a[:20], b, rtol=0, atol=1e-6)
    assert model.predict(strangers).shape == (3, 4)


def test_without_a_graph_or_parts(profiles):
    users, y = profiles.data, profiles.target
    for model in (
        make_mmlup(None, random_state=0),
        make_mmlup(profiles.graph, network="drop", random_state=0),
        make_mmlup(profiles.graph, keywords="drop", topics="drop", random_state=0),
    ):
        kept = quick(model).fit(users, y)["classifier"]
        assert "text" in kept.net_.module_.sources.names
        assert len(kept.net_.module_.sources.names) < 4
        assert model.predict(users).shape == (80, 4)
    dropped = mmlup(profiles).set_params(sources__network="drop").fit(users, y)
    assert dropped["classifier"].net_.module_.sources.names == [
        "text",
        "keywords",
        "topics",
    ]


def test_ablations_are_parameters(profiles):
    users, y = profiles.data, profiles.target
    full = mmlup(profiles)
    for ablation in (
        {"attention": None},
        {"sources": ["text", "keywords", "topics"]},
        {"multi_task": False},
    ):
        params = {f"classifier__{name}": value for name, value in ablation.items()}
        model = clone(full).set_params(**params).fit(users, y)
        assert model.predict(users).shape == (80, 4)


def test_ablations_differ_in_what_they_say():
    users = make_user_profiles(30, random_state=0)
    systems = make_table3_systems(users.graph, random_state=0, max_epochs=3)

    def nets(name):
        return systems[f"MMLUP ({name})"].named_steps["classifier"]

    full = nets("full architecture").get_params()
    assert full["max_epochs"] == 3
    for name, changed in {
        "single task": {"multi_task": False},
        "without attention": {"attention": None},
        "without friendship network": {"sources": ["text", "keywords", "topics"]},
        "the paper's sources": {"sources": ["text", "keywords", "network"]},
    }.items():
        assert nets(name).get_params() == {**full, **changed}
    without = make_table3_systems(None, random_state=0)
    assert "MMLUP (without friendship network)" not in without
    assert "network" not in without["MMLUP (full architecture)"].get_params()


# -- users who are new to the network -------------------------------------------


def with_new_users(profiles):
    """Take a network without the last 20 users, all users, and their labels."""
    new = set(profiles.data["user_id"][60:])
    known = [user for user in profiles.graph.ids if user not in new]
    return profiles.graph.subgraph(known), profiles.data, profiles.target


def test_new_users_are_predicted_from_their_links(profiles):
    known, users, y = with_new_users(profiles)
    model = quick(make_mmlup(known, random_state=0)).fit(users[:60], y[:60])
    found = predict_proba_with_links(model, users, profiles.graph)
    without = model.predict_proba(users)
    for linked, alone in zip(found, without, strict=True):
        assert np.isfinite(linked).all()
        assert not np.allclose(linked[60:], alone[60:], atol=1e-5)
    for new_graph in (None, known):
        assert same(predict_proba_with_links(model, users, new_graph), without)


def test_steps_may_have_any_names(profiles):
    known, users, y = with_new_users(profiles)
    model = quick(make_mmlup(known, random_state=0)).fit(users[:60], y[:60])
    expected = predict_proba_with_links(model, users, profiles.graph)
    cut, sources, net = (step for _, step in model.steps)
    renamed = Pipeline(
        [("cut", cut), ("nothing", "passthrough"), ("join", sources), ("net", net)]
    )
    assert same(predict_proba_with_links(renamed, users, profiles.graph), expected)
    nested = Pipeline([("inputs", model[:-1]), ("net", net)])
    assert same(predict_proba_with_links(nested, users, profiles.graph), expected)
    # by hand, as a user of the parts would
    links = profiles.graph.adjacency.tocoo()
    ids = profiles.graph.ids
    made = sources.transform(
        cut.transform(users),
        new_links=list(zip(ids[links.row], ids[links.col], links.data, strict=True)),
    )
    assert same(net.predict_proba(made), expected)


def test_a_network_in_any_form(profiles):
    known, users, y = with_new_users(profiles)
    adjacency = known.adjacency.tocoo()
    ends = known.ids[adjacency.row], known.ids[adjacency.col]
    half = adjacency.row < adjacency.col
    frame = pd.DataFrame({"source": ends[0][half], "target": ends[1][half]})
    model = quick(make_mmlup(frame, random_state=0))
    network = model.get_params()["sources__network__graph"]
    assert network.n_edges == known.n_edges
    model.fit(users[:60], y[:60])
    edges = [(a, b) for a in profiles.graph.ids for b in profiles.graph.neighbors(a)]
    found = predict_proba_with_links(model, users, set(edges))
    assert not same(found, model.predict_proba(users))
    systems = make_table3_systems(edges[:10], random_state=0)
    graphs = [
        system.get_params()["sources__network__graph"]
        for name, system in systems.items()
        if name.startswith("MMLUP")
    ]
    assert len(graphs) == 5
    assert all(graph is graphs[0] for graph in graphs)


def test_any_model_predicts_users_of_one_task():
    users = make_user_profiles(12, random_state=0)
    model = make_majority_baseline().fit(users.data, users.target["gender"])
    (likely,) = predict_proba_with_links(model, users.data, users.graph)
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    with pytest.raises(SourceError, match="does not predict probabilities"):
        predict_proba_with_links(object(), users.data, None)


# -- chance and caches ---------------------------------------------------------


def test_one_seed_decides_everything(profiles):
    users, y = profiles.data, profiles.target
    model = mmlup(profiles)
    first = model.fit(users, y).predict_proba(users)
    assert same(clone(model).fit(users, y).predict_proba(users), first)
    assert same(mmlup(profiles).fit(users, y).predict_proba(users), first)
    other = mmlup(profiles, random_state=1).fit(users, y).predict_proba(users)
    assert not same(other, first)


def grid(model, n_jobs):
    return GridSearchCV(
        model,
        {"classifier__dropout": [0.0, 0.3, 0.5], "classifier__n_shared": [4, 8, 16]},
        cv=MultiTaskStratifiedKFold(3),
        n_jobs=n_jobs,
        error_score="raise",
    )


def test_a_grid_of_three_by_three_trains_line_once(profiles, tmp_path, monkeypatch):
    calls = []
    solve = LINEEmbedding._solve

    def counted(self, graph):
        calls.append(graph)
        return solve(self, graph)

    monkeypatch.setattr(LINEEmbedding, "_solve", counted)
    # words are read from the cache where they lie, however few
    monkeypatch.setattr(_memory, "_LEAST_MAPPED", 1)
    model = mmlup(profiles, memory=str(tmp_path)).set_params(classifier__max_epochs=1)
    search = grid(model, 1).fit(profiles.data, profiles.target)
    assert len(search.cv_results_["params"]) == 9
    assert len(calls) == 1
    # what comes from the cache is what would be computed
    plain = mmlup(profiles).set_params(classifier__max_epochs=1, **search.best_params_)
    plain.fit(profiles.data, profiles.target)
    assert same(plain.predict_proba(profiles.data), search.predict_proba(profiles.data))


@pytest.mark.slow
def test_two_workers_train_line_once(profiles, tmp_path):
    model = mmlup(profiles, memory=str(tmp_path))
    line = LoggedLINE(**model.get_params()["sources__network"].get_params())
    model.set_params(sources__network=line, classifier__max_epochs=1)
    grid(model, 2).fit(profiles.data, profiles.target)
    assert (tmp_path / "log").read_text("utf-8") == "trained\n"
    assert len(list(tmp_path.rglob("line/*.npy"))) == 1
