"""Wrong command lines, made of the parser's own options: one line, and no work."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from sklearn_profiling import cli
from sklearn_profiling.cli import _comparing, _model_files, _models, _options, _reading
from sklearn_profiling.cli._printing import _as_text

ABSENT, FOLDER, FIFO, FILE, LINK = "{}/absent", "{}", "{}/fifo", "{}/users.csv", "{}/l"
READ = {"path", "model_file", "links", "labels"}
WRITTEN = {"out", "model", "results", "card"}
NUMBERS = ["0", "-1", "1.5", "x", "", "nan", "9" * 30, "9" * 5000, "\udc80"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    (folder / "users.csv").write_text("user_id,texts,g\na,x,f\nb,y,m\n")
    os.mkfifo(folder / "fifo")
    (folder / "l").symlink_to(folder / "nowhere")
    return folder


def commands():
    found = _options.make_parser()._subparsers._group_actions[0].choices
    for name, parser in found.items():
        actions = [a for a in parser._actions if a.option_strings != ["-h", "--help"]]
        needed = [name]
        for action in actions:
            if action.required and action.dest in WRITTEN:
                needed += [action.option_strings[0], "{}/new"]
            elif not action.option_strings:
                needed.append(FILE)
        yield name, needed, actions


def wrong_values(action):
    """Values that an option must refuse before anything is read."""
    if action.dest in READ:
        # users are in a file or a folder, everything else in a file
        return [ABSENT, FIFO, LINK, "/dev/null", "", "a\0b", f"{FILE}/x"] + (
            [FOLDER] if action.dest != "path" else []
        )
    if action.dest in WRITTEN:
        wrong = [FIFO, FILE, "/dev/full", "", "a\0b", f"{FILE}/x"]
        return wrong + [FOLDER] * (action.dest != "results")
    if action.choices is not None:
        return ["luck", "", "\udc80"]
    if action.dest == "encoding":
        return ["luck", "rot13", "base64", "idna", "utf-16", "", "a\0b", "\udc80"]
    if action.dest == "device":
        return ["abacus", "", "cuda:99", "\udc80"]
    if action.dest == "links_format":
        return ["luck", ""]
    if action.type in (_options._positive, _options._folds, _options._width):
        return NUMBERS
    if action.type is _options._not_negative:
        return [value for value in NUMBERS if value != "0"]
    return [v for v in NUMBERS if v != "-1"] if action.type is _options._jobs else []


def wrong_lines():
    # A value of an option that several commands have is wrong in the first of them.
    seen = set()
    for name, needed, actions in commands():
        yield [*needed, "--luck"]
        yield [*needed, "more", "than", "enough"]
        for position in range(1, len(needed)):
            yield needed[:position]
        for action in actions:
            if action.option_strings:
                option = action.option_strings[0]
                if action.nargs != 0:
                    yield [*needed, option]
                else:
                    yield [*needed, f"{option}=yes"]
                for value in wrong_values(action):
                    if (option, value) not in seen:
                        yield [*needed, f"{option}={value}"]
                    seen.add((option, value))
            else:
                place = 1 + [a.dest for a in actions if not a.option_strings].index(
                    action.dest
                )
                for value in wrong_values(action):
                    yield [*needed[:place], value, *needed[place + 1 :]]
        if name != "demo":
            yield [*needed, "--encoding=utf-8", "--encoding", "utf-9"]
    contradictions = [
        ["compare", FILE, "--aux-task", "g"],
        ["compare", FILE, "--aux-task", "g", "--main-task", "g"],
        ["compare", FILE, "--aux-task", "g", "--main-task", "h", "--tasks", "g"],
        ["fit", FILE, "--model", "{}/new", "--aux-task", "g"],
        ["compare", FILE, "--out", "{}/new", "--model", "{}/./new"],
        ["compare", FILE, "--tasks", "g", "g"],
        ["compare", FOLDER, "--out", FILE],
        ["fit", FOLDER, "--model", FILE],
        ["predict", FILE, FOLDER, "--out", FILE],
        ["luck"],
        [],
        ["--luck"],
    ]
    yield from contradictions


WRONG = list(wrong_lines())


def test_there_are_many_wrong_command_lines():
    assert len(WRONG) >= 200
    assert {line[0] for line in WRONG if line} >= {"demo", "compare", "fit", "predict"}


def test_no_wrong_command_line_does_any_work(place, capsys, monkeypatch):
    def work(*_, **__):
        msg = "the work has begun"
        raise AssertionError(msg)

    monkeypatch.setattr(_reading, "_load", work)
    for module, name in [
        (_comparing, "_make_users"),
        (_comparing, "_make_image_users"),
        (_models, "load_model"),
        (_model_files, "load_model"),
    ]:
        monkeypatch.setattr(module, name, work)
    before = {path: path.lstat().st_mtime_ns for path in place.iterdir()}
    for line in WRONG:
        arguments = [part.replace("{}", str(place)) for part in line]
        try:
            status = cli.main(arguments)
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr().err
        assert status == 2, line
        assert said.count("\n") == 1, (line, said)
        assert re.match(r"sklearn-profiling[ a-z]*: error: ", said), (line, said)
        assert len(said) < 700, line
    assert {path: path.lstat().st_mtime_ns for path in place.iterdir()} == before


def test_what_cannot_be_read_is_told(place, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cli.main(["compare", str(place / "users.csv")]) == 2
    assert capsys.readouterr().err == (
        f"sklearn-profiling: error: PATH: {place}/users.csv cannot be read\n"
    )


def test_outputs_are_not_among_the_inputs(place, tmp_path, capsys):
    users = str(place / "users.csv")
    other = tmp_path / "other"
    other.symlink_to(users)
    hard = tmp_path / "hard"
    os.link(users, hard)
    alone = tmp_path / "alone"
    alone.write_text("")
    before = Path(users).read_bytes()
    for path, out, said in [
        (str(place), users, "is a file of PATH, which it would replace; write else"),
        (str(place), str(other), "is a file of PATH"),
        (str(place), str(hard), "is a file of PATH"),
        (users, str(hard), "is given as PATH too, which it would replace"),
        (users, str(other), "is given as PATH too"),
    ]:
        assert cli.main(["predict", str(alone), path, "--out", out]) == 2
        assert said in capsys.readouterr().err
    os.link(alone, tmp_path / "twice")
    assert cli.main(["predict", str(alone), str(place), "--out", users + "2"]) == 2
    assert "no model file" in capsys.readouterr().err
    arguments = ["predict", users, str(place), "--out", str(tmp_path / "twice")]
    assert cli.main(arguments) == 2
    assert "no model file" in capsys.readouterr().err
    assert Path(users).read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_full_disk_is_told_where_only_a_message_is_printed(option, monkeypatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert cli.main([option]) == 2
        monkeypatch.undo()


def test_text_that_cannot_be_printed_is_an_error_in_one_line(monkeypatch, capsys):
    def fail(options):
        "\udc80".encode()

    monkeypatch.setattr(_options, "run_demo", fail)
    assert cli.main(["demo"]) == 2
    said = capsys.readouterr().err
    assert "surrogates not allowed" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-", "'-"),
        ("@ann", "'@ann"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
        ("-.5", "-.5"),
        ("-1.5\n", "'-1.5\n"),
        ("-1-1", "'-1-1"),
        ("a=b", "a=b"),
        (-1.5, -1.5),
        (None, None),
    ],
)
def test_cells_that_a_spreadsheet_would_calculate(cell, written):
    assert _as_text(cell) == written


def test_safe_csv_is_on_and_can_be_turned_off(tmp_path, capsys):
    users, model = tmp_path / "users.csv", tmp_path / "model"
    rows = [
        {"user_id": f"={n}", "text": "x", "g": "@f" if n % 2 else "m"}
        for n in range(1, 8)
    ]
    pd.DataFrame(rows).to_csv(users, index=False)
    fit = ["fit", str(users), "--model", str(model), "--system", "majority"]
    assert cli.main([*fit, "--tasks", "g", "--quiet"]) == 0
    capsys.readouterr()
    assert cli.main(["predict", str(model), str(users), "--quiet"]) == 0
    safe = capsys.readouterr().out
    assert safe.splitlines()[1].startswith("'=1,'@f,")
    assert "g=@f" in safe.splitlines()[0]
    plain = ["predict", str(model), str(users), "--quiet", "--no-safe-csv"]
    assert cli.main(plain) == 0
    assert capsys.readouterr().out == safe.replace("'", "")
