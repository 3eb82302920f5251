"""Rows of the papers' tables: how they are kept, marked as old, and shown."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "accuracy"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "results.py").is_file(), reason="needs the files of a checkout"
)


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("results", "published", "result_pages")
    return [importlib.import_module(name) for name in names]


def row(name, task, seed=0, seconds=6.0, **figures):
    return {
        "row": name,
        "task": task,
        "seed": seed,
        "figures": figures,
        "seconds": seconds,
    }


def test_the_list_of_tables_is_whole(modules):
    results, published, _ = modules
    assert len(published.BY_KEY) == len(published.TABLES) == 24
    for table in published.TABLES:
        assert table.paper in published.PAPERS
        assert len(results.code_of(table.uses)) == 16
        for tasks in table.published.values():
            for numbers in tasks.values():
                assert len(numbers) == len(table.figures)
        script = table.command.split()[1]
        assert (FOLDER.parents[1] / script).is_file()
    with pytest.raises(FileNotFoundError, match=r"no pipelines/nothing.py"):
        results.code_of(["pipelines/nothing.py"])


def test_every_table_has_rows(modules, tmp_path):
    results, published, pages = modules
    pages.write_pages(tmp_path)
    for table in published.TABLES:
        page = (tmp_path / f"{table.paper}.md").read_text("utf-8")
        assert f"## {table.number}: {table.title}\n" in page
    assert "mmlup\naux_lstm\nunified\ncnn3d\n" in (tmp_path / "index.md").read_text()
    for table in published.TABLES:
        for found in results.read(table):
            assert set(found["figures"]) == set(table.figures)
            assert not re.search(r"\s/\w", json.dumps(found))


def test_a_table_without_rows_stops_the_build(modules, tmp_path):
    _, published, pages = modules
    with pytest.raises(pages.NoResultsError, match="mmlup_table_1, mmlup_table_3"):
        pages.write_pages(tmp_path / "pages", tmp_path)
    assert not (tmp_path / "pages").exists()
    assert "cnn3d_table_5" in published.BY_KEY


def test_every_number_has_ours_or_a_reason_beside_it(modules, tmp_path):
    results, published, pages = modules
    for table in published.TABLES:
        rows = results.read(table)
        assert pages.unexplained(table, rows) == []
        # Each reason is needed.
        beside = {(row["row"], row["task"]) for row in rows}
        for name in table.alone:
            assert any(name in number for number in pages._without_ours(table, rows))
            assert not any(name in number for number in beside)
    table = published.BY_KEY["mmlup_table_4"]
    rows = results.read(table)
    shown = pages.section(table, rows)
    assert "Not beside ours: HLT_HITSZ, DUTIR_TONE, Luhongyu, Neptune" in shown
    without = [each for each in rows if "full architecture" not in each["row"]]
    left = [("MMLUP (full architecture)", "score")]
    assert pages.unexplained(table, without) == left
    folder = tmp_path / "results"
    for other in published.TABLES:
        kept = without if other is table else results.read(other)
        lines = "".join(f"{json.dumps(each)}\n" for each in kept)
        folder.mkdir(exist_ok=True)
        (folder / f"{other.key}.jsonl").write_text(lines, "utf-8")
    with pytest.raises(pages.NoResultsError, match="mmlup_table_4: no row of ours"):
        pages.write_pages(tmp_path / "pages", folder)
    assert not (tmp_path / "pages").exists()


def test_rows_are_replaced_by_later_ones(modules, tmp_path):
    results, published, _ = modules
    table = published.BY_KEY["mmlup_table_3"]
    said = {"data": "users", "setting": "few", "folder": tmp_path}
    results.record(table, [row("a", "age", accuracy=0.1)], **said)
    results.record(table, [row("a", "age", accuracy=0.2)], **said)
    results.record(table, [row("a", "age", seed=1, accuracy=0.3)], **said)
    found = results.read(table, tmp_path)
    assert [each["figures"]["accuracy"] for each in found] == [0.2, 0.3]
    assert set(found[0]) >= {"commit", "command", "versions", "time", "code"}
    assert found[0]["versions"]["numpy"]


def test_a_command_holds_no_path_of_the_machine(modules, tmp_path):
    results, _, _ = modules
    (tmp_path / "poets").mkdir()
    (tmp_path / "users.csv").touch()
    arguments = ["/x/mmlup_tables.py", str(tmp_path / "poets"), "--folds", "1"]
    arguments += [str(tmp_path / "users.csv"), "/no/such/path"]
    assert results.command_of(arguments) == (
        "python benchmarks/accuracy/mmlup_tables.py poets/ --folds 1 users.csv "
        "/no/such/path"
    )


def test_words_about_code_do_not_make_it_new(modules, tmp_path, monkeypatch):
    results, _, _ = modules
    file = tmp_path / "part.py"
    found = []
    for text in (
        '"""One."""\ndef f():\n    """Add."""\n    return 1\n',
        '"""Two."""\n# why\ndef f():\n    """Sum."""\n    return 1\n',
        '"""Two."""\ndef f():\n    """Sum."""\n    return 2\n',
    ):
        file.write_text(text, "utf-8")
        monkeypatch.setattr("sklearn_profiling.__file__", str(tmp_path / "__init__.py"))
        results._syntax.cache_clear()
        found.append(results.code_of(["part.py"]))
    results._syntax.cache_clear()
    assert found[0] == found[1] != found[2]


def test_what_a_section_shows(modules, tmp_path):
    results, published, pages = modules
    table = published.BY_KEY["mmlup_table_3"]
    said = {"data": "users", "setting": "2 folds", "folder": tmp_path}
    full, text = "MMLUP (full architecture), paper", "Text-CNN (single task)"
    rows = [
        each
        for seed, better in enumerate((0.3, 0.31, 0.29))
        for each in (
            row("MMLUP (full architecture)", "age", seed, accuracy=0.9),
            row(full, "age", seed, accuracy=0.9),
            row(text, "age", seed, accuracy=0.9 - better),
        )
    ]
    results.record(table, rows, **said)
    shown = pages.section(table, results.read(table, tmp_path))
    lines = {line.split(" | ")[0]: line for line in shown.splitlines()}
    assert f"{table.command} --record" in shown
    assert "users; 2 folds; 3 seeds; 0.9 minutes of training a fold" in shown
    assert "By `python benchmarks/accuracy/" in shown
    # Ours, its star, and the paper's; what has no row of ours has the paper's alone.
    assert "0.600\\* (0.599)" in lines[f"| {text}"]
    assert "0.900 (0.650)" in lines[f"| {full}"]
    assert "| (0.593) |" in lines["| MMLUP (without attention)"]
    assert "†" not in shown
    old = [{**each, "code": "earlier"} for each in results.read(table, tmp_path)]
    assert f"{text} †" in pages.section(table, old)


def test_several_figures_take_a_line_a_task(modules, tmp_path):
    results, published, pages = modules
    table = published.BY_KEY["aux_lstm_table_3"]
    rows = [row("LSTM", "age", P=0.5, R=0.25, F=1 / 3)]
    results.record(table, rows, data="users", setting="few", folder=tmp_path)
    shown = pages.section(table, results.read(table, tmp_path))
    assert "| LSTM | age | 0.500 (0.312) | 0.250 (0.254) | 0.333 (0.280) |" in shown
    assert "| SVM | gender | (0.825) | (0.903) | (0.862) |" in shown


def test_scores_and_counts_become_rows(modules, tmp_path):
    results, published, pages = modules
    scores = pd.DataFrame(
        {
            "system": "T5",
            "fold": [0, 0, 1, 1],
            "task": ["a", "b"] * 2,
            "metric": "macro_f1",
            "value": [0.2, 0.4, 0.6, 0.8],
            "fit_seconds": [1.0, 1.0, 3.0, 3.0],
            "error": None,
        }
    )
    table = published.BY_KEY["unified_table_5"]
    said = {"data": "d", "setting": "s", "scale": 100.0, "average": "average"}
    named = {"macro_f1": "macro-F1"}
    results.record_scores(table, scores, named, folder=tmp_path, **said)
    found = results.read(table, tmp_path)
    assert [(r["seed"], r["task"], r["figures"]["macro-F1"]) for r in found] == [
        *((0, "a", 20.0), (0, "b", 40.0), (0, "average", 30.0)),
        *((1, "a", 60.0), (1, "b", 80.0), (1, "average", 70.0)),
    ]
    results.record_scores(table, scores, named, folder=tmp_path, seed=7, **said)
    last = results.read(table, tmp_path)[-1]
    assert (last["seed"], last["seconds"], last["figures"]["macro-F1"]) == (7, 2.0, 50)
    counted = published.BY_KEY["unified_table_1"]
    counts = {"ours": {"users": 1600, "words a review": 12.34}}
    results.record_counts(counted, counts, data="d", folder=tmp_path)
    shown = pages.section(counted, results.read(counted, tmp_path))
    assert "| ours | 1,600 (14,821) | 12.3 (58.7) | (24.3) | (13.7) |" in shown
