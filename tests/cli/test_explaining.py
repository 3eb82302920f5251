"""The command that explains, as its users type it."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from quick_options import NET

from sklearn_profiling import cli


@pytest.fixture(scope="module")
def model(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("explain") / "model.joblib"
    given = ["fit", str(records), "--model", str(path), *NET]
    assert cli.main([*given, "--system", "tf-idf", "--quiet"]) == 0
    return path


def test_explain_prints_and_writes_a_page(model, records, users, tmp_path, capsys):
    user = users.data["user_id"].iloc[0]
    page = tmp_path / "page.html"
    given = ["explain", str(model), str(records), "--user", user, "--task", "gender"]
    assert cli.main([*given, "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "gender: " in printed
    assert "messages" in printed
    written = page.read_text("utf-8")
    assert written.startswith("<!doctype html>")
    assert "<mark" in written
    assert "<script" not in written
    assert cli.main([*given, "--label", "f", "--format", "csv"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert {"column", "message", "word"} <= set(table["level"])
    assert cli.main([*given, "--show"]) == 0
    assert f"\n{user}: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "nobody", "--task", "gender"], "'nobody' is not one of the 40"),
        (["--user", "USER"], "task must be one of"),
        (
            ["--user", "USER", "--task", "gender", "--label", "x"],
            "label must be one of",
        ),
    ],
)
def test_what_is_wrong_is_named(model, records, users, options, message, capsys):
    first = users.data["user_id"].iloc[0]
    options = [first if option == "USER" else option for option in options]
    assert cli.main(["explain", str(model), str(records), *options]) == 2
    assert message in capsys.readouterr().err
