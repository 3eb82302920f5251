"""Nothing tells a user's own label: chance on drawn labels, planted marks, repeats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from case_settings import LSTM_SIZES
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold

from sklearn_profiling import baselines, pipelines
from sklearn_profiling.baselines import OutOfFoldLogits
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.pipelines import AutoSources, make_profiler
from sklearn_profiling.sources import ImageBagTransformer, LINEEmbedding

WORDS = ["tea", "ale", "goal", "rain", "song", "moon", "tram", "cake"]
GREYS = [np.full((8, 8, 3), level, dtype=np.uint8) for level in (0, 80, 160, 240)]
NET = {"n_filters": 2, "kernel_sizes": (1,), "n_hidden": (4,), "max_epochs": 1}
TASKS = ["side", "team"]


def planted_users(n_users, seed=0):
    """Users with a word, a friend, a number, a category and an image of their own.

    The labels of two tasks are drawn, half of each class, so that the marks alone can
    tell them, and those of other users nothing.
    """
    rng = np.random.default_rng(seed)
    numbers = np.arange(n_users)
    marks = ["".join(chr(97 + int(digit)) for digit in f"{n:04d}") for n in numbers]
    users = pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in numbers],
            "messages": [
                [" ".join([*rng.choice(WORDS, 4), f"zz{mark}"]) for _ in range(3)]
                for mark in marks
            ],
            "images": [
                [rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), *rng.choice(GREYS, 2)]
                for _ in numbers
            ],
            "fans": rng.normal(size=n_users),
            "code": marks,
            "vector": list(rng.normal(size=(n_users, 3))),
        }
    )
    own = [(f"u{n}", f"friend of u{n}") for n in numbers]
    others = [
        (f"u{a}", f"u{b}") for a, b in rng.integers(n_users, size=(3 * n_users, 2))
    ]
    graph = SocialGraph.from_edges([*own, *((a, b) for a, b in others if a != b)])
    half = np.array(["x", "y"], dtype=object)[numbers % 2]
    target = pd.DataFrame({task: rng.permutation(half) for task in TASKS})
    return users, graph, target


COLUMNS = {"code": "categories"}
MANY = planted_users(160)
FEW = planted_users(48)  # each with a category of its own in the table


def profiler(graph):
    """The recommended system, with small images and all else as it is."""
    model = make_profiler(graph, columns=COLUMNS, random_state=0)
    # A word that one user alone writes is kept.
    ones = {name: 1 for name in model.get_params() if name.endswith("__min_users")}
    return model.set_params(sources__decoder__size=(8, 8), **ones)


def table3_systems(graph):
    network = LINEEmbedding(graph, 4, n_samples=2000, unknown="nan", random_state=0)
    sizes = {"n_filters_second": 2, "n_shared": 4}
    made = pipelines.make_table3_systems(graph, network=network, random_state=0)
    for system in made.values():
        quick = {
            "classifier__" + name: value for name, value in {**NET, **sizes}.items()
        }
        quick |= {"sources__text__n_dimensions": 4, "sources__text__max_epochs": 1}
        quick |= {"sources__topics__n_components": 4}
        known = system.get_params()
        system.set_params(**{name: v for name, v in quick.items() if name in known})
    return made


def aux_lstm_systems(graph):
    del graph
    return pipelines.make_aux_lstm_systems(
        TASKS,
        n_dimensions=LSTM_SIZES["n_dimensions"],
        lstm_parameters={"n_hidden": 4, "n_dense": 4},
        cnn_parameters={"n_nodes": 2},
        max_epochs=1,
        random_state=0,
    )


def aux_lstm_beside_experts(graph):
    del graph
    model = pipelines.make_aux_lstm(random_state=0)
    quick = dict.fromkeys(("n_hidden", "n_dense", "max_epochs"), 4)
    model.set_params(**{f"classifier__{name}": n for name, n in quick.items()})
    return {"Aux-LSTM": model.set_params(sources__text__n_dimensions=4)}


def image_systems(graph):
    del graph
    return pipelines.make_image_systems(
        images=ImageBagTransformer(size=(8, 8)),
        n_filters=(2, 2),
        text_parameters={"n_filters": 2, "kernel_sizes": (1,)},
        text_column="messages",
        max_epochs=1,
        random_state=0,
    )


SETS = {
    "make_table3_systems": table3_systems,
    "make_aux_lstm_systems": aux_lstm_systems,
    "make_aux_lstm": aux_lstm_beside_experts,
    "make_image_systems": image_systems,
    "make_profiler": lambda graph: {"Profiler": profiler(graph)},
    **{
        name: lambda graph, name=name: {
            name: getattr(baselines, name)(*([graph] if "link" in name else []))
        }
        for name in baselines.__all__
        if name.startswith("make_")
    },
}
ELSEWHERE = {"make_unified_systems"}
"""Generators learn on prompts of training users alone; no label is a feature."""


def test_every_set_of_systems_is_here():
    whole = {name for name in pipelines.__all__ if name.endswith("_systems")}
    assert whole | {"make_profiler"} <= {*SETS} | ELSEWHERE


@pytest.mark.parametrize("made", SETS)
def test_drawn_labels_are_at_chance(made):
    users, graph, target = MANY
    result = compare(
        SETS[made](graph),
        users,
        target,
        cv=MultiTaskStratifiedKFold(2, random_state=0),
        metrics="accuracy",
    )
    assert not len(result.failures)
    scores = result.scores[result.scores["metric"] == "accuracy"]
    found = scores.groupby("system")["value"].mean()
    assert len(found)
    # Two tasks of as many users, half of each class.
    error = 0.5 / np.sqrt(len(TASKS) * len(users))
    assert (found - 0.5).abs().max() < 4 * error, found


def test_the_profiler_learns_from_drawn_labels_that_nothing_is_known():
    users, graph, target = MANY
    model = profiler(graph).fit(users[:100], target[:100])
    for task, likely in zip(TASKS, model.predict_proba(users[100:]), strict=True):
        # A net that trusted a leak in training would be sure, and wrong.
        assert log_loss(target[task][100:], likely) < np.log(2) + 0.25
    experts = model.describe().query("role == 'expert and source'")
    scores = experts[[f"accuracy of {task}" for task in TASKS]].to_numpy(float)
    assert np.abs(scores - 0.5).max() < 4 * 0.5 / np.sqrt(100)


def split_by_task(odds):
    """Cut log-odds (n_users, 2 tasks x 2 classes) into those of each task."""
    return np.split(odds.astype(float), len(TASKS), axis=1)


def odds_of(made):
    return {name: source for name, source in made.items() if name.endswith("_odds")}


def test_marks_are_seen_by_the_full_experts_alone():
    users, graph, target = MANY
    step = profiler(graph)["sources"]
    own = odds_of(step.fit_transform(users, target))
    full = odds_of(step.transform(users))
    assert len(own) == 8
    error = 0.5 / np.sqrt(len(TASKS) * len(users))
    for name in own:
        hits = {
            kind: np.mean(
                [
                    (odds[:, 1] > odds[:, 0]) == (target[task] == "y")
                    for task, odds in zip(TASKS, split_by_task(found), strict=True)
                ]
            )
            for kind, found in {"own": own[name], "full": full[name]}.items()
        }
        assert abs(hits["own"] - 0.5) < 4 * error, name
        if name in ("messages_tfidf_odds", "messages_counts_odds", "links_odds"):
            assert hits["full"] > 0.95, name


def with_folds(step, cv):
    """Give every source with folds the same, and one spread of labels."""
    folds = {name: cv for name in step.get_params() if name.endswith("__cv")}
    # Several spreads would be weighed anew by the labels of all.
    return step.set_params(**folds, neighbors__damping=(0.5,))


def test_log_odds_of_a_fold_do_not_depend_on_its_labels():
    # Users of a fold, in pairs of the two classes, change labels. The log-odds of the
    # fold may change by a factor and a constant a task, which are fitted to the labels
    # of all folds together.
    users, graph, target = FEW
    cv = KFold(4, shuffle=True, random_state=0)
    fold, rest = next((test, train) for train, test in cv.split(users))
    changed = target.copy()
    for task in TASKS:
        labels = target[task].to_numpy()
        xs, ys = (fold[labels[fold] == kind] for kind in ("x", "y"))
        n_pairs = min(len(xs), len(ys))
        assert n_pairs > 3
        changed.loc[xs[:n_pairs], task], changed.loc[ys[:n_pairs], task] = "y", "x"
    step = with_folds(profiler(graph)["sources"], cv)
    before = odds_of(clone(step).fit_transform(users, target))
    after = odds_of(clone(step).fit_transform(users, changed))
    assert before.keys() == after.keys()
    assert len(before) == 8

    def alike(name, rows):
        """Whether each task's log-odds are those of before, but for two numbers."""
        for one, other in zip(
            split_by_task(before[name]), split_by_task(after[name]), strict=True
        ):
            first, second = one[rows, 1] - one[rows, 0], other[rows, 1] - other[rows, 0]
            assert np.ptp(first) > 1e-6
            yield abs(np.corrcoef(first, second)[0, 1]) > 1 - 1e-5

    for name in before:
        assert all(alike(name, fold)), name
        assert not any(alike(name, rest)), name


def test_rows_of_one_user_are_held_out_together():
    users, graph, target = FEW
    twice = pd.concat([users, users], ignore_index=True)
    labels = pd.concat([target, target], ignore_index=True)
    twice["user_id"] = twice["user_id"].where(np.arange(96) % 48 > 0)  # two without ids
    step = profiler(graph)["sources"]
    own = odds_of(step.fit_transform(twice, labels))
    alone = twice.drop(columns="user_id")
    unknown = profiler(None)["sources"]
    told = odds_of(unknown.fit_transform(alone, labels))

    def hits(odds):
        return np.mean(
            [
                (found[:, 1] > found[:, 0]) == (labels[task] == "y")
                for task, found in zip(TASKS, split_by_task(odds), strict=True)
            ]
        )

    error = 0.5 / np.sqrt(len(TASKS) * 48)
    for name, odds in own.items():
        assert hits(odds) < 0.5 + 3 * error, name
    # Without ids nobody can know whose rows they are.
    assert hits(told["messages_tfidf_odds"]) > 0.8
    # Ids need no network, and folds that are given stay.
    without = clone(unknown).set_params(table_expert__logits__cv=KFold(3))
    found = odds_of(without.fit_transform(twice, labels))
    assert hits(found["messages_tfidf_odds"]) < 0.5 + 3 * error
    assert isinstance(without.union_.named_sources_["table_odds"][-1].cv, KFold)


def test_one_row_each_changes_nothing_and_one_labelled_user_is_too_few():
    users, _, target = FEW
    step = AutoSources(
        columns={name: "drop" for name in users if name != "fans"},
        table_expert=OutOfFoldLogits(random_state=0),
    )
    step.fit(users, target)
    assert step.union_.named_sources_["table_odds"].cv == 5
    twice = users.assign(user_id="one")
    with pytest.raises(TargetError, match="groups"):
        step.fit(twice, target)
    # Nothing is learned from labels, so nothing is held out.
    step.set_params(table_expert="drop", table="passthrough").fit(twice)
