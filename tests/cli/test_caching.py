"""The folder --cache: prepared sources are made once, and a killed fit goes on."""

from __future__ import annotations

import numpy as np
import pytest
from quick_options import NET, QUICK

from sklearn_profiling import cli
from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling.persistence import load
from sklearn_profiling.sources import GloVeTransformer


class KilledError(Exception):
    pass


def test_a_second_comparison_makes_no_source_again(
    records, tmp_path, monkeypatch, capsys
):
    cache, out = tmp_path / "cache", tmp_path / "out.csv"
    arguments = ["compare", str(records), "--systems", "full", "--folds", "2"]
    arguments += ["--cache", str(cache), "--out", str(out), *QUICK]
    assert cli.main(arguments) == 0
    first = out.read_text()
    monkeypatch.setattr(GloVeTransformer, "fit", None)
    assert cli.main(arguments) == 0
    columns = [3, 4, 5]  # all but the seconds
    for one, other in zip(
        first.splitlines(), out.read_text().splitlines(), strict=True
    ):
        assert [one.split(",")[i] for i in columns] == [
            other.split(",")[i] for i in columns
        ]


def test_a_killed_fit_goes_on_and_its_model_keeps_no_path(
    records, tmp_path, monkeypatch
):
    def fit(name, *further):
        path = tmp_path / name
        arguments = ["fit", str(records), "--model", str(path), "--system", "full"]
        options = [*NET[2:], "--max-epochs", "3", *further]
        assert cli.main([*arguments, *options]) == 0
        return load(path)["model"]

    whole = fit("whole")
    cache = tmp_path / "cache"
    save, saved = Checkpoint.save, []

    def save_and_die(self, write):
        save(self, write)
        saved.append(self.owner)
        if self.owner == "MMLUPClassifier":
            raise KilledError

    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    with pytest.raises(KilledError):
        fit("model", "--cache", str(cache))
    assert {"GloVeTransformer", "LINEEmbedding"} < set(saved)
    assert len(list((cache / "unfinished").iterdir())) == 1
    monkeypatch.setattr(Checkpoint, "save", save)
    monkeypatch.setattr(GloVeTransformer, "fit", None)
    model = fit("model", "--cache", str(cache))
    assert not list((cache / "unfinished").iterdir())
    assert "fit" not in vars(model)
    assert model.memory is None
    assert same_nets(model, whole)


def same_nets(one, other):
    states = [each[-1].net_.module_.state_dict() for each in (one, other)]
    return all(
        np.array_equal(a, b)
        for a, b in zip(*(state.values() for state in states), strict=True)
    )
