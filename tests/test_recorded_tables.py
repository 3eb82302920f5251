"""The scripts of the four papers write a row of every table, here of few users."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.generators import BART, VIT

FOLDER = Path(__file__).parents[1] / "benchmarks" / "accuracy"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "results.py").is_file(), reason="needs the files of a checkout"
)


@pytest.fixture
def rows_of(monkeypatch, tmp_path):
    """Run a script and read its rows, by table."""
    monkeypatch.syspath_prepend(str(FOLDER))
    results, published = (
        importlib.import_module(name) for name in ("results", "published")
    )
    monkeypatch.setattr(results, "FOLDER", tmp_path)

    def run(script, *arguments):
        importlib.import_module(script).main([*arguments, "--record"])
        return {
            key: rows
            for key, table in published.BY_KEY.items()
            if (rows := results.read(table))
        }

    return run


def test_mmlup(rows_of, capsys):
    few = ["--folds", "1", "--epochs", "1", "--filters", "2", "--kernel-sizes", "1"]
    few += ["--only", "Majority", "Text-CNN", "--sample", "30"]
    found = rows_of("mmlup_tables", "synthetic:40", *few)
    counts = {row["task"]: row["figures"]["count"] for row in found["mmlup_table_1"]}
    assert counts["users"] == counts["with label"] == 40
    names = {
        "Majority class",
        "Text-CNN (single task)",
        "Text-CNN (single task), paper",
    }
    for key in ("mmlup_table_3", "mmlup_table_4"):
        assert {row["row"] for row in found[key]} == names
    whole = {
        row["task"]: row["figures"]["accuracy"]
        for row in found["mmlup_table_3"]
        if row["row"] == "Majority class"
    }
    score = 0.2 * whole["gender"] + 0.3 * whole["age"] + 0.5 * whole["region"]
    assert whole["score"] == pytest.approx(score, abs=1e-4)
    assert {row["task"] for row in found["mmlup_table_4"]} == {"score"}
    setting = "1 of 5 folds, max_epochs=1, n_filters=2, kernel_sizes=[1]"
    assert found["mmlup_table_3"][0]["setting"] == setting
    assert found["mmlup_table_3"][0]["data"] == "synthetic:40, 30 of the users"
    assert "synthetic:40, 30 of the users, seed 0" in capsys.readouterr().out


def test_aux_lstm(rows_of, capsys):
    few = ["--max-epochs", "1", "--hidden", "2", "--nodes", "2", "--dimensions", "4"]
    few += ["--jobs", "1", "--folds", "2", "--max-words", "5", "--lstm-epochs", "1"]
    few += ["--tasks", "gender", "occupation", "--preset", "paper"]
    found = rows_of("aux_lstm_tables", "synthetic:40", *few)
    tables = ("table_1", "table_2", "table_3", "table_4", "table_6")
    assert list(found) == [f"aux_lstm_{table}" for table in tables]
    assert {row["row"] for row in found["aux_lstm_table_1"]} == {"male", "female"}
    assert {row["task"] for row in found["aux_lstm_table_2"]} == {"profession"}
    names = {row["row"] for row in found["aux_lstm_table_4"]}
    assert names == {
        "LSTM, paper",
        "Meta-Learning (gender + profession)",
        "Multi-task LSTM (gender + profession), paper",
        "Aux-LSTM (gender + profession), paper",
    }
    assert {row["task"] for row in found["aux_lstm_table_3"]} == {
        "gender",
        "profession",
    }
    assert set(found["aux_lstm_table_6"][0]["figures"]) == {"P", "R", "F"}
    capsys.readouterr()


def test_cnn3d(rows_of, capsys):
    found = rows_of(
        *("cnn3d_tables", "--users", "24", "--size", "8", "--epochs", "1"),
        *("--filters", "2", "2", "--preset", "paper"),
    )
    assert [key[-1] for key in found] == ["1", "2", "3", "4", "5"]
    assert set(found["cnn3d_table_1"][0]["figures"]) == {"F", "Acc", "P", "R"}
    assert {row["task"] for row in found["cnn3d_table_4"]} == {"occupation"}
    names = {row["row"] for row in found["cnn3d_table_5"]}
    assert {"3D-CNN, Model 1, paper", "3D-CNN, Model 2, paper"} < names
    capsys.readouterr()


def test_unified(rows_of, monkeypatch, capsys):
    module = importlib.import_module("unified_tables")
    small = {"t5": {**BART, "max_position_embeddings": 128}, "vit": VIT}
    monkeypatch.setattr(module, "SMALL", {**module.SMALL, **small})
    few = ["--users", "16"]
    for table in ("1", "6"):
        rows_of("unified_tables", "--table", table, *few)
    few += ["--seeds", "1", "--epochs", "1", "--systems"]
    rows_of("unified_tables", "--figure", "6", *few, "Text-Only")
    found = rows_of("unified_tables", "--table", "4", *few, "Text-Only")
    keys = ("table_1", "table_4", "table_6", "figure_6")
    assert list(found) == [f"unified_{key}" for key in keys]
    counts = {row["task"]: row["figures"]["count"] for row in found["unified_table_1"]}
    assert (counts["users"], counts["reviews a user"]) == (16, 3)
    favourites = [
        row["figures"]["count"]
        for row in found["unified_table_6"]
        if row["task"] == "Favorite Category"
    ]
    assert sum(favourites) == 32
    values = {
        row["task"]: row["figures"]["macro-F1"] for row in found["unified_table_4"]
    }
    average = values.pop("average")
    assert len(values) == 6
    assert average == pytest.approx(sum(values.values()) / 6, abs=1e-3)
    capsys.readouterr()
