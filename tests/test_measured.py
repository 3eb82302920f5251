"""The short tables of the guide of models are those of the pages and of the results."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "accuracy"
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "measured.py").is_file(), reason="needs the files of a checkout"
)


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("measured")


def test_tables_are_read(measured):
    text = """
# One

| system | a | average |
|---|---|---|
| **ours** | **0.5** ± 0.1 | 0.25 |
| `other` | | 0.75 |

words

| system | b |
|---|---|
| ours | none |
| other | 1.0 |
"""
    assert measured.tables(text) == {
        "One": [
            {"ours": {"a": 0.5, "average": 0.25}, "other": {"average": 0.75}},
            {"other": {"b": 1.0}},
        ]
    }


def test_accuracies_are_those_of_the_pages(measured):
    found = measured.accuracies(DOCS)
    assert found["2,696 poets"] == {
        "majority": 0.504,
        "text, linear": 0.759,
        "links, linear": 0.599,
        "MMLUP": 0.752,
        "profiler": 0.785,
    }
    # The mean of two tasks, since that table has no average.
    assert found["1,000 users of digits"]["profiler"] == pytest.approx(0.9005, abs=6e-4)
    readme = (ROOT / "README.md").read_text("utf-8").partition("## Results")[2]
    numbers = re.findall(r"0\.\d{3}", readme.partition("##")[0])
    poets = found["2,696 poets"].values()
    assert len(set(numbers)) >= 4
    assert {float(n) for n in numbers} <= set(poets)


def test_what_is_gone_is_an_error(measured, tmp_path):
    for page in ("real_users.md", "reproduction.md"):
        text = (DOCS / page).read_text("utf-8")
        (tmp_path / page).write_text(text.replace("| majority class |", "| x |"))
    with pytest.raises(KeyError, match="no accuracy of 2,696 poets"):
        measured.accuracies(tmp_path)
    for key, *_ in measured.SECONDS:
        (tmp_path / f"{key}.jsonl").write_text("")
    with pytest.raises(KeyError, match=r"mmlup_table_3.jsonl has no row TF-IDF"):
        measured.seconds(tmp_path)


def test_tables_and_plot_are_written(measured, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    measured.write_measured(DOCS, tmp_path / "new")
    table = (tmp_path / "new" / "measured.inc").read_text("utf-8").splitlines()
    assert len(table) == 2 + len(measured.DATA)
    assert "| 2,696 poets | poems and links | 0.504 | 0.759 |" in table[2]
    assert table[2].count("**") == 2
    assert len({line.count("|") for line in table}) == 1
    seconds = (tmp_path / "new" / "seconds.inc").read_text("utf-8")
    assert "| `make_mmlup` | 5.5 |" in seconds
    assert b"<svg" in (tmp_path / "new" / "measured.svg").read_bytes()
