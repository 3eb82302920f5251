"""What the command line reads, and what it says of it."""

from __future__ import annotations

import json

import pytest
from quick_options import NET, QUICK

from sklearn_profiling import cli
from sklearn_profiling.cli import _options
from sklearn_profiling.cli._reading import segmenter_of


def test_links_are_read_in_any_format(records, tmp_path, capsys):
    lines = (records / "links.tsv").read_text("utf-8").splitlines()
    links = tmp_path / "links.txt"
    text = "".join(f"{line.partition(chr(9))[0]} {n}\n" for n, line in enumerate(lines))
    links.write_text("# a comment\n" + text, "utf-8")
    path = str(records / "users.jsonl")
    fit = ["fit", path, "--links", str(links), *NET]
    assert cli.main([*fit, "--model", str(tmp_path / "model.safetensors")]) == 0
    assert "links: read as edges separated by blanks" in capsys.readouterr().out
    named = [*fit, "--model", str(tmp_path / "m.safetensors"), "--links-format", "gml"]
    assert cli.main(named) == 2
    assert "no readable gml" in capsys.readouterr().err


def test_records_without_tasks_say_so(tmp_path, capsys):
    path = tmp_path / "users.jsonl"
    path.write_text('{"user_id": "a", "texts": ["茶"]}\n', "utf-8")
    assert cli.main(["compare", str(path), *QUICK]) == 2
    assert "--tasks" in capsys.readouterr().err


def test_skipped_lines_are_counted(smpcup, tmp_path, capsys):
    folder = tmp_path / "bad"
    folder.mkdir()
    for file in smpcup.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "labels.txt").open("a", encoding="utf-8") as file:
        file.write("broken\n")
    arguments = ["compare", str(folder), "--systems", "majority", "--folds", "2"]
    assert cli.main([*arguments, *QUICK]) == 2
    assert "labels.txt, line 41" in capsys.readouterr().err
    assert cli.main([*arguments, "--on-bad-lines", "skip", *QUICK]) == 0
    assert "1 lines skipped" in capsys.readouterr().out


def test_segmenter_can_be_named(users, capsys):
    for name, kind in (
        ("words", "WordSegmenter"),
        ("jieba", "JiebaSegmenter"),
        ("character", "CharacterSegmenter"),
    ):
        options = _options.make_parser().parse_args(["demo", "--segmenter", name])
        assert type(segmenter_of(options, users)).__name__ == kind


@pytest.mark.parametrize("command", ["compare", "fit"])
def test_show_prints_three_users_and_stops(records, users, tmp_path, command, capsys):
    model = tmp_path / "model"
    more = ["--model", str(model)] if command == "fit" else []
    assert cli.main([command, str(records), *more, "--show"]) == 0
    printed = capsys.readouterr().out
    ids = users.data["user_id"].tolist()
    assert [f"\n{user_id}: " in printed for user_id in ids[:4]] == [1, 1, 1, 0]
    assert max(map(len, printed.splitlines())) <= 100
    assert not model.exists()


def test_show_says_what_is_missing(tmp_path, capsys):
    lines = [
        {"user_id": "a", "texts": ["x" * 500, "\n tea "], "labels": {"sex": None}},
        {"user_id": "b", "labels": {"sex": ["m", "f"]}, "homepage": "h" * 99},
    ]
    path = tmp_path / "users.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert cli.main(["compare", str(path), "--show"]) == 0
    printed = capsys.readouterr().out
    first = f"a: no label\n  homepage: None\n  2 messages\n    {'x' * 59}…\n    tea\n"
    assert first in printed.replace("homepage: nan", "homepage: None")
    assert f"  homepage: {'h' * 59}…\n  0 messages\n" in printed


def test_options_of_tables_are_refused_for_folders_of_a_format(smpcup, capsys):
    links = str(smpcup / "links.txt")
    arguments = ["compare", str(smpcup), "--id-column", "uid", "--links", links]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert f"--id-column, --links: for tables only; {smpcup} is a folder of SMP" in said
