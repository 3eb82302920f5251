"""What can go wrong ends in one line and a status."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import pytest
from quick_options import NET, QUICK

from sklearn_profiling import __version__, cli
from sklearn_profiling.cli import (
    _comparing,
    _evaluating,
    _models,
    _options,
    _reporting,
)


def test_errors_are_one_line_and_exit_with_2(records, tmp_path, capsys):
    assert cli.main(["compare", str(tmp_path / "absent"), *QUICK]) == 2
    assert "absent" in capsys.readouterr().err
    assert cli.main(["compare", str(records), "--systems", "nobody", *QUICK]) == 2
    assert "'nobody'" in capsys.readouterr().err
    model = tmp_path / "model"
    joblib.dump(["no model"], model)
    out = str(tmp_path / "out.csv")
    assert cli.main(["predict", str(model), str(records), "--out", out]) == 2
    assert "a pickle runs the code that it holds" in capsys.readouterr().err


def test_interrupt(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_options, "run_demo", interrupt)
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--folds", "1"], ["--users", "0"]])
def test_numbers_out_of_range(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", *arguments])
    assert ended.value.code == 2
    assert "must be at least" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "{}", "--device", "cuda:99"], "device='cuda:99' cannot be used"),
        (["compare", "{}", "--device", "abacus"], "device='abacus' cannot be used"),
        (["compare", "{}", "--out", "{}"], "--out: a file is needed; {} is a folder"),
        (
            ["predict", "{}/users.jsonl", "{}", "--out", "/dev/null"],
            "--out: a file is needed; /dev/null is a device",
        ),
        (
            ["fit", "{}/users.jsonl", "--model", "{}/users.jsonl"],
            "--model: {}/users.jsonl is given as PATH too, which it would",
        ),
        (
            ["predict", "{}/links.tsv", "{}", "--out", "{}/links.tsv"],
            "--out: {}/links.tsv is given as MODEL too",
        ),
        (
            ["compare", "{}", "--out", "{}/new", "--model", "{}/new"],
            "--model: {}/new is given as --out too",
        ),
        (
            ["compare", "{}", "--results", "{}/users.jsonl"],
            "--results: a folder is needed; {}/users.jsonl is a file",
        ),
        (
            ["fit", "{}", "--model", "{}/users.jsonl/model"],
            "--model: {}/users.jsonl is no folder, so {}/users.jsonl/model cannot be",
        ),
        (["fit", "{}", "--model", "m", "--links", "{}/absent"], "'{}/absent'"),
        (["compare", "{}", "--labels", "{}/absent"], "'{}/absent'"),
        (["predict", "{}/absent", "{}", "--out", "x"], "'{}/absent'"),
        (
            ["compare", "{}", "--systems", "majority", "nobody"],
            "--systems: 'nobody' matches none of ['all', ",
        ),
        (
            ["compare", "{}", "--main-task", "age", "--reference", "nobody"],
            "--reference: 'nobody' matches none; name one of ['Profiler', ",
        ),
        (
            ["fit", "{}", "--model", "{}/model", "--system", "nobody"],
            "--system: 'nobody' matches none; name one of ",
        ),
        (["evaluate", "{}", "--systems", "nobody"], "--systems: 'nobody' matches none"),
        (
            ["report", "{}", "--out", "{}/page", "--system", "nobody"],
            "--system: 'nobody' matches none; name one of ",
        ),
    ],
)
def test_options_are_checked_before_any_work(
    records, arguments, message, capsys, monkeypatch
):
    for module in (_comparing, _models, _reporting):
        monkeypatch.setattr(module, "load_users", None)
    monkeypatch.setattr(_evaluating, "_parts", None)
    arguments = [part.format(records) for part in arguments]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert message.replace("{}", str(records)) in said
    assert said.count("\n") == 1


def test_a_folder_that_cannot_be_written_to(records, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cli.main(["compare", str(records), "--out", "scores.csv"]) == 2
    assert " cannot be written to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare"],
        ["compare", "x", "--metric", "luck"],
        ["compare", "x", "--kernel-sizes", "2"],
        ["compare", "x", "--jobs", "0"],
        ["compare", "x", "--seed", "one"],
        ["compare", "x", "--min-messages", "-1"],
        ["fit", "x"],
        ["nothing"],
        [],
    ],
)
def test_a_wrong_option_takes_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("sklearn-profiling")
    assert said.count("\n") == 1


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"sklearn-profiling {__version__}\n"


def run(*arguments, **options):
    command = [sys.executable, "-m", "sklearn_profiling", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_a_closed_pipe_ends_without_a_word(records):
    process = run("compare", str(records), "--show")
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_disk_is_an_error_in_one_line(records):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "sklearn_profiling", "compare", str(records)]
        ended = subprocess.run(
            [*command, "--show"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("sklearn-profiling: error: [Errno 28]")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["fit", "predict", "compare"])
def test_a_full_disk_costs_no_file_that_was_there(
    records, tmp_path, command, capsys, monkeypatch
):
    model, table = tmp_path / "model", tmp_path / "table.csv"
    fit = ["fit", str(records), "--model", str(model), "--system", "majority"]
    assert cli.main(fit) == 0
    table.write_text("precious")
    arguments = {
        "fit": fit,
        "predict": ["predict", str(model), str(records), "--out", str(table)],
        "compare": ["compare", str(records), "--systems", "majority", "--jobs", "1"],
    }[command]
    if command == "compare":
        arguments += ["--out", str(table)]
    before = model.read_bytes()

    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    capsys.readouterr()
    monkeypatch.setattr(os, "fsync", fail)
    assert cli.main(arguments) == 2
    file = model if command == "fit" else table
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"sklearn-profiling: error: [Errno 28] No space left on device: '{file}'"
    )
    assert {*tmp_path.iterdir()} == {model, table}
    assert model.read_bytes() == before
    assert table.read_text() == "precious"


@pytest.mark.usefixtures("capsys")  # whose stream is no file that could be closed
def test_scores_are_written_though_the_pipe_is_closed(records, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(_comparing, "_print_result", fail)
    out = tmp_path / "scores.csv"
    arguments = ["compare", str(records), "--systems", "majority", "--out", str(out)]
    assert cli.main([*arguments, *QUICK]) == 141
    assert len(out.read_text().splitlines()) > 5


@pytest.mark.parametrize(
    ("number", "status", "word", "jobs"),
    [
        (signal.SIGINT, 130, "interrupted", "1"),
        (signal.SIGTERM, 143, "terminated", "2"),
    ],
)
def test_a_signal_ends_in_one_line_and_leaves_nothing(
    records, tmp_path, monkeypatch, number, status, word, jobs
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for variable in ("TMPDIR", "JOBLIB_TEMP_FOLDER"):
        monkeypatch.setenv(variable, str(temporary))
    # torch keeps a cache where temporary files lie
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    process = run("compare", str(records), "--jobs", jobs, "--systems", "all")
    while "segmenter" not in process.stdout.readline():
        assert process.poll() is None
    if jobs == "2":  # until workers are there
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while len(workers.read_text().split()) < 3:
            assert process.poll() is None
            time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate()  # until no worker holds the stream any more
    assert process.returncode == status
    assert said.splitlines()[-1] == f"sklearn-profiling: {word}"
    assert "Traceback" not in said
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_in_the_middle_of_training(
    records, tmp_path, monkeypatch, capsys, number
):
    def train(self, net, **kwargs):
        signal.raise_signal(number)

    monkeypatch.setattr("skorch.callbacks.EpochTimer.on_epoch_end", train)
    model = tmp_path / "model"
    arguments = ["fit", str(records), "--model", str(model), "--system", "full"]
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    # processes in the background of a shell ignore SIGINT
    before = signal.signal(number, usual)
    try:
        assert cli.main([*arguments, *NET]) == 128 + number
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)
    assert capsys.readouterr().err.splitlines()[-1].endswith(("interrupted", "ated"))
    assert not model.exists()


@pytest.mark.parametrize("on_the_way_out", ["fails", "goes on"])
def test_a_signal_is_not_lost_where_another_error_follows(
    on_the_way_out, monkeypatch, capsys
):
    def work(options):
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException as stopped:
            if on_the_way_out == "fails":
                msg = "cannot join thread before it is started"
                raise RuntimeError(msg) from stopped
        return 0

    monkeypatch.setattr(_options, "run_demo", work)
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert cli.main(["demo"]) == 143
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == "sklearn-profiling: terminated\n"


def test_a_signal_waits_until_a_worker_is_started(monkeypatch, capsys):
    steps = []

    def fork_exec():  # as joblib's, in a function of Python's around the fork
        signal.raise_signal(signal.SIGTERM)
        steps.append("started")

    def work(options):
        fork_exec()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.01)
        steps.append("lost")
        return 0

    def _launch():  # in which a forked program may run as a whole
        return cli.main(["demo"])

    monkeypatch.setattr(_options, "run_demo", work)
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert _launch() == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert steps == ["started"]
    assert capsys.readouterr().err == "sklearn-profiling: terminated\n"


def test_handlers_of_the_program_around_are_left_alone(monkeypatch):
    seen = []

    def look(options):
        seen.append(signal.getsignal(signal.SIGTERM))
        return 0

    def own(number, frame):
        raise AssertionError

    monkeypatch.setattr(_options, "run_demo", look)
    before = signal.signal(signal.SIGTERM, own)
    try:
        assert cli.main(["demo"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [own]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (OSError(28, "No space left"), 2, "error: [Errno 28] No space left\n"),
    ],
)
def test_output_that_cannot_be_written(error, status, said, monkeypatch, capsys):
    def fail(options):
        raise error

    monkeypatch.setattr(_options, "run_demo", fail)
    assert cli.main(["demo"]) == status
    assert capsys.readouterr().err == (f"sklearn-profiling: {said}" if said else "")


def test_too_little_memory_is_an_error_in_one_line(monkeypatch, capsys):
    def fail(options):
        msg = "(9 TB)"
        raise MemoryError(msg)

    monkeypatch.setattr(_options, "run_demo", fail)
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "sklearn-profiling: error: out of memory (9 TB)\n"
