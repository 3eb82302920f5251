"""The benchmark that prints Tables 3 to 6 of the Aux-LSTM paper, on few users."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from sklearn_profiling.datasets import dump_records, make_user_profiles

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "accuracy" / "aux_lstm_tables.py"

pytestmark = pytest.mark.skipif(
    not SCRIPT.is_file(), reason="needs the files of a checkout"
)
QUICK = ["--max-epochs", "1", "--hidden", "2", "--nodes", "2", "--dimensions", "4"]
QUICK += ["--jobs", "1", "--folds", "2", "--max-words", "10", "--lstm-epochs", "1"]


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("aux_lstm_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    dump_records(make_user_profiles(40, random_state=0), folder)
    return str(folder)


def test_the_papers_numbers_are_f_of_averages(tables):
    rows = [
        numbers
        for group in (tables.PAPER_ALONE, tables.PAPER_JOINT)
        for systems in group.values()
        for numbers in systems.values()
    ]
    assert len(rows) == 15 + 18
    for precision, recall, f in rows:
        # Printed with three digits, so off by rounding.
        assert f == pytest.approx(
            2 * precision * recall / (precision + recall), abs=2e-3
        )


def test_every_table_is_printed(tables, records, tmp_path, capsys):
    out, results = tmp_path / "scores.csv", tmp_path / "results"
    arguments = [records, "--tasks", "gender", "occupation", *QUICK]
    arguments += ["--out", str(out), "--results", str(results)]
    tables.main(arguments)
    printed = capsys.readouterr().out
    assert "Table 3: each task alone" in printed
    for task, other in (("gender", "occupation"), ("occupation", "gender")):
        assert f"Joint learning, main task {task}" in printed
        for system in ("Meta-Learning", "Multi-task LSTM", "Aux-LSTM"):
            assert f"{system} ({task} + {other})" in printed
    rows = {line.split("  ")[0]: line.split()[-6:] for line in printed.splitlines()}
    # Profession is the paper's word for occupation.
    assert rows["SVM"] == ["0.825", "0.903", "0.862", "0.395", "0.262", "0.315"]
    assert rows["Aux-LSTM (gender + occupation)"][3:] == ["0.885", "0.922", "0.903"]
    assert rows["Aux-LSTM (occupation + gender)"][3:] == ["0.450", "0.329", "0.380"]
    assert "failed" not in printed
    scores = pd.read_csv(out)
    assert scores["system"].nunique() == 6 + 6
    # A second run finds everything.
    n_results = len(list(results.iterdir()))
    tables.main(arguments)
    assert capsys.readouterr().out == printed
    assert len(list(results.iterdir())) == n_results
    # Another reference stands in every table.
    tables.main([*arguments, "--reference", "maj"])
    other = capsys.readouterr().out
    assert (printed.count("Majority class"), other.count("Majority class")) == (1, 4)
    assert "F against that of LSTM:" in printed
    assert "F against that of Majority class:" in other
    table = other[other.index("main task gender") : other.index("main task occup")]
    assert "LSTM  " in table
    assert len(list(results.iterdir())) == n_results


def test_f_is_tested_against_the_reference(tables):
    # By fold: F of ME and SVM hardly differ, that of LSTM is far above both.
    values = {"ME": (0.1, 0.2, 0.3), "SVM": (0.2, 0.1, 0.3), "LSTM": (0.7, 0.8, 0.9)}
    shared = {"task": "age", "n_labelled": 10, "n_train": 20, "error": None}
    shared |= {"fit_seconds": 0.0, "predict_seconds": 0.0}
    scores = pd.DataFrame(
        {"system": system, "fold": fold, "metric": metric, "value": value, **shared}
        for system, folds in values.items()
        for fold, value in enumerate(folds)
        for metric in ("macro_precision", "macro_recall", tables.METRIC)
    )

    def marked(reference):
        drawn = tables.table(
            tables.Comparison(scores), {}, reference, "corrected", joint=False
        )
        return {line.split()[0] for line in drawn.splitlines() if "*" in line}

    assert marked("LSTM") == {"ME", "SVM"}
    assert marked("ME") == {"LSTM"}


def test_a_task_beside_one_of_the_papers(tables, capsys):
    _, beside = tables.parse(["users", "--beside", "era=age"])
    assert beside["era"] == "age"
    assert tables.paper_numbers("ME", ["age"]) == (0.297, 0.236, 0.263)
    assert tables.paper_numbers("ME", [None]) is None
    assert tables.paper_numbers("Aux-LSTM", ["age", "age"]) is None
    with pytest.raises(SystemExit):
        tables.parse(["users", "--beside", "era=dynasty"])
    assert "names none of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--systems", "LSTM", "ME"], "--systems: .* got ['LSTM', 'ME']"),
        (["--metric", "accuracy"], "--metric: .* got 'accuracy'"),
        (["--main-task", "age"], "--main-task: .* got 'age'"),
        (["--main-task", "age", "--aux-task", "gender"], "--main-task: "),
        (["--aux-task", "gender"], "--aux-task: .* got ['gender']"),
        (
            ["--reference", "Aux-LSTM"],
            "--reference: 'Aux-LSTM' matches none; name one of",
        ),
        (["--reference", "CNN"], "--reference: 'CNN' matches ['bow-CNN', 'PCNN']"),
    ],
)
def test_what_the_tables_decide_is_refused(tables, capsys, arguments, message):
    with pytest.raises(SystemExit):
        tables.parse(["users", *arguments])
    printed = " ".join(capsys.readouterr().err.split())
    assert all(part in printed for part in message.split(".*"))


def test_one_task_is_not_enough(tables, records):
    with pytest.raises(SystemExit, match="two tasks"):
        tables.main([records, "--tasks", "gender", *QUICK])
