"""The command that repeats the competition's own test."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from writers.smpcup2016 import dump_competition

from sklearn_profiling import cli
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.cli._evaluating import RANKING, _joined
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.evaluation import accuracy_per_task, smpcup_score

TASKS = ["gender", "age", "region"]


@pytest.fixture(scope="module")
def competition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("competition")
    users = make_user_profiles(120, missing_labels=0.1, random_state=0)
    return folder, dump_competition(users, folder, n_valid=22, n_test=30)


def test_scores_and_ranking(competition, tmp_path, capsys):
    folder, parts = competition
    out = tmp_path / "scores.csv"
    arguments = ["evaluate", str(folder), "--systems", "majority", "tf-idf"]
    assert cli.main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    scores = pd.read_csv(out)
    assert list(scores["part"]) == ["valid", "test"] * 2
    assert list(scores["n_users"]) == [22, 30] * 2
    majority = make_majority_baseline().fit(
        parts["train"].data, parts["train"].target[TASKS]
    )
    for row, part in ((0, "valid"), (1, "test")):
        target = parts[part].target[TASKS]
        labels = majority.predict(parts[part].data)
        expected = [*accuracy_per_task(target, labels), smpcup_score(target, labels)]
        found = scores.loc[row, [*TASKS, "score"]].astype(float)
        np.testing.assert_allclose(found, expected)
    assert "score = 0.2 gender + 0.3 age + 0.5 region" in printed
    ranked = printed[printed.index("among the published") :].splitlines()[1:]
    assert len(ranked) == len(RANKING) + 2
    ranking = [float(line.split()[0]) for line in ranked]
    assert ranking == sorted(ranking, reverse=True)
    assert any(line.endswith("here: TF-IDF + ridge") for line in ranked)


def test_the_network_of_all_parts_is_seen(competition, tmp_path, capsys):
    folder, parts = competition
    found = []
    for name in ("with", "without"):
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        shutil.rmtree(copy / "valid")
        if name == "without":
            (copy / "test" / "links.txt").unlink()
        arguments = ["evaluate", str(copy), "--systems", "links + ridge", "--quiet"]
        assert cli.main([*arguments, "--format", "json"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        found.append(json.loads(line))
    assert found[0]["part"] == found[1]["part"] == "test"
    # Without their links, new users get the largest class.
    majority = make_majority_baseline().fit(
        parts["train"].data, parts["train"].target[TASKS]
    )
    target = parts["test"].target[TASKS]
    without = smpcup_score(target, majority.predict(parts["test"].data))
    assert found[1]["score"] == pytest.approx(without)
    assert found[0]["score"] != found[1]["score"]


def test_networks_are_joined_by_their_largest_weights():
    first = SocialGraph.from_edges([("a", "b", 2.0), ("b", "c", 1.0)])
    second = SocialGraph.from_edges([("b", "a", 1.0), ("d", "a", 1.0)])
    joined = _joined([first, None, second])
    assert joined.ids.tolist() == ["a", "b", "c", "d"]
    assert joined.adjacency.toarray().tolist() == [
        [0, 2, 0, 1],
        [2, 0, 1, 0],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
    ]
    assert _joined([None, None]) is None


def test_folders_that_cannot_be_scored(competition, tmp_path, capsys):
    folder, _ = competition
    assert cli.main(["evaluate", str(folder / "train")]) == 2
    said = capsys.readouterr().err
    assert "train and valid or test" in said
    assert "labels.txt" in said
    shutil.copytree(folder / "train", tmp_path / "train")
    assert cli.main(["evaluate", str(tmp_path)]) == 2
    assert "it holds: train" in capsys.readouterr().err
    shutil.copytree(folder / "train", tmp_path / "test")
    assert cli.main(["evaluate", str(tmp_path)]) == 2
    assert "have a label in train too" in capsys.readouterr().err
