"""The command that reports, as its users type it."""

from __future__ import annotations

import sys

import pytest
from quick_options import QUICK

from sklearn_profiling import cli
from sklearn_profiling.cli import _reporting


def test_report_writes_a_page_and_a_card(records, users, tmp_path, capsys):
    page, card = tmp_path / "report.html", tmp_path / "card.md"
    given = ["report", str(records), "--out", str(page), *QUICK, "--system", "tf-idf"]
    given += ["--folds", "2", "--tasks", "gender", "age", "--explained", "1"]
    given += ["--fairness-by", "age"]
    assert cli.main([*given, "--card", str(card), "--systems", "majority"]) == 0
    printed = capsys.readouterr().out
    assert "macro_f1" in printed
    assert f"report: {page}" in printed
    written = page.read_text("utf-8")
    assert written.startswith("<!doctype html>")
    assert "Majority" in written
    assert "most wrong" in written
    assert card.read_text("utf-8").startswith("# Model card")
    assert str(tmp_path) not in card.read_text("utf-8")
    assert cli.main([*given, "--show"]) == 0
    assert f"{users.data['user_id'].iloc[0]}: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fairness-by", "luck"], "fairness_by must name tasks or columns"),
        (["--system", "luck"], "--system: 'luck' matches none"),
    ],
)
def test_what_is_wrong_is_named(records, tmp_path, options, message, capsys):
    given = ["report", str(records), "--out", str(tmp_path / "r.html"), *QUICK]
    assert cli.main([*given, "--system", "tf-idf", *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_what_draws_is_asked_for_before_users_are_read(
    records, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr(_reporting, "load_users", None)
    assert cli.main(["report", str(records), "--out", str(tmp_path / "r.html")]) == 2
    assert "sklearn_profiling[plots]" in capsys.readouterr().err
