"""Predictions of users who are read some at a time, from the command line."""

from __future__ import annotations

import json
import os
import signal

import pandas as pd
import pytest
from quick_options import NET

from sklearn_profiling import cli
from sklearn_profiling.cli import _predicting
from sklearn_profiling.cli._printing import write_frame
from sklearn_profiling.datasets import dump_records, make_user_profiles
from sklearn_profiling.datasets.records import streaming


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    dump_records(make_user_profiles(230, missing_labels=0.2, random_state=1), folder)
    return folder


@pytest.fixture(scope="module")
def model(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    arguments = ["fit", str(records), "--model", str(path), "--quiet"]
    assert cli.main([*arguments, "--system", "without attention", *NET]) == 0
    return path


def as_parquet(records, folder):
    """Two shards of a folder, one row a message, with the same links."""
    folder.mkdir()
    users = pd.read_json(records / "users.jsonl", lines=True, dtype=False)
    rows = users[["user_id", "messages"]].explode("messages")
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        part.to_parquet(folder / f"part-{number}.parquet", index=False)
    (folder / "links.tsv").write_bytes((records / "links.tsv").read_bytes())
    return folder


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_chunks_are_written_as_all_users_at_once(
    many, model, tmp_path, kind, monkeypatch, capsys
):
    monkeypatch.setattr(streaming, "ROWS_AT_ONCE", 97)
    folder = many if kind == "csv" else as_parquet(many, tmp_path / "messages")
    outs = [tmp_path / "whole", tmp_path / "chunks"]
    arguments = ["predict", str(model), str(folder), "--format", kind, "--out"]
    assert cli.main([*arguments, str(outs[0])]) == 0
    said = capsys.readouterr().err
    assert cli.main([*arguments, str(outs[1]), "--chunk-size", "60"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert lines[:2] == ["100 users predicted", "230 users predicted"]
    assert lines[-1].startswith("predictions of 230 users: ")
    assert said.splitlines()[1:-1] == lines[2:-1]  # what the rows were taken for
    assert cli.main([*arguments[:-1], "--chunk-size", "60", "--quiet"]) == 0
    found = capsys.readouterr()
    assert (found.out, found.err) == (outs[0].read_text("utf-8"), "")


def test_the_first_users_of_a_stream_are_shown(many, model, capsys):
    arguments = ["predict", str(model), str(many), "--chunk-size", "9", "--show"]
    assert cli.main(arguments) == 0
    shown = capsys.readouterr().out
    assert cli.main([*arguments[:3], "--show"]) == 0
    assert capsys.readouterr().out == shown


def test_what_cannot_be_read_in_chunks_is_refused(smpcup, model, tmp_path, capsys):
    table = tmp_path / "users.csv"
    table.write_text("user_id,text\na,hello\n")
    for path, reason in (
        (smpcup, "is a folder of a competition"),
        (table, "is neither Parquet nor JSON lines"),
    ):
        arguments = ["predict", str(model), str(path), "--chunk-size", "9"]
        out = tmp_path / "out.csv"
        assert cli.main([*arguments, "--out", str(out)]) == 2
        assert reason in capsys.readouterr().err
        assert not out.exists()


def test_a_table_to_look_at_is_not_written_in_chunks(many, model, capsys):
    arguments = ["predict", str(model), str(many), "--format", "table"]
    assert cli.main([*arguments, "--chunk-size", "9"]) == 2
    found = capsys.readouterr()
    assert "--chunk-size: --format csv or json is needed; got table" in found.err
    assert (found.out, found.err.count("\n")) == ("", 1)


def test_a_user_who_comes_back_leaves_no_half_file(many, model, tmp_path, capsys):
    lines = (many / "users.jsonl").read_text("utf-8").splitlines()
    file, out = tmp_path / "users.jsonl", tmp_path / "out.csv"
    file.write_text("\n".join([*lines, lines[0]]), "utf-8")
    arguments = ["predict", str(model), str(file), "--chunk-size", "50"]
    assert cli.main([*arguments, "--out", str(out)]) == 2
    first = json.loads(lines[0])["user_id"]
    assert f"user '{first}' comes back" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [file]


def test_an_interrupt_leaves_no_half_file(many, model, tmp_path, monkeypatch, capsys):
    written = []

    def write_and_stop(table, *arguments, **options):
        write_frame(table, *arguments, **options)
        written.append(len(table))
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(_predicting, "write_frame", write_and_stop)
    out = tmp_path / "out.csv"
    arguments = ["predict", str(model), str(many), "--chunk-size", "50"]
    # processes in the background of a shell ignore SIGINT
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert cli.main([*arguments, "--out", str(out)]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in capsys.readouterr().err
    assert written == [50]
    assert list(tmp_path.iterdir()) == []
