"""The suites for airspeed velocity: each runs once, on tiny data."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "asv").is_dir(), reason="needs the files of a checkout"
)

SUITES = [
    ("suite_text", "Segmentation", ("ids", "ids_of_two_threads", "lists", "tweets")),
    ("suite_text", "Vectors", ("glove", "topics")),
    ("suite_network", "LINE", ("closed_form", "descent", "shared_negatives")),
    ("suite_nets", "TextNets", ("lstm", "text_cnn")),
]


@pytest.mark.parametrize(("module", "name", "timed"), SUITES)
def test_each_suite_runs_on_tiny_data(module, name, timed, monkeypatch):
    for folder in ("asv", "speed"):
        monkeypatch.syspath_prepend(str(FOLDER / folder))
    kind = getattr(importlib.import_module(module), name)
    assert kind.tiny.keys() == kind.sizes.keys()
    monkeypatch.setattr(kind, "sizes", kind.tiny)
    suite = kind()
    suite.setup()
    found = [each for each in dir(kind) if each.startswith("time_")]
    assert found == [f"time_{each}" for each in timed]
    for each in found:
        getattr(suite, each)()
    getattr(suite, "teardown", lambda: None)()


def test_every_suite_is_run_here():
    found = {path.stem for path in (FOLDER / "asv").glob("suite_*.py")}
    assert found == {module for module, _, _ in SUITES}
    settings = json.loads((FOLDER / "asv.conf.json").read_text("utf-8"))
    assert (FOLDER / settings["benchmark_dir"]).is_dir()
    for key in ("env_dir", "results_dir", "html_dir"):
        assert settings[key].startswith("../.venv-asv/")  # which git ignores


def test_the_roofline_is_measured(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER / "speed"))
    roofline = importlib.import_module("roofline")
    roofline.main(["--megabytes", "1", "--n-rows", "64", "--n-times", "2"])
    found = json.loads(capsys.readouterr().out)
    settings = {"benchmark", "megabytes", "n_rows", "n_times", "seed"}
    units = {
        "copy_gb_per_second",
        "random_read_nanoseconds",
        "random_read_in_cache_nanoseconds",
        "float32_gflop_per_second",
        "float64_gflop_per_second",
    }
    assert found.keys() == settings | units
    assert found["benchmark"] == "roofline"
    assert min(found[unit] for unit in units) > 0


def test_each_first_call_works(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER / "speed"))
    module = importlib.import_module("bench_first_call")

    def run(command, **options):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(command[2])  # noqa: S102 - as the process would
        return type("Done", (), {"stdout": printed.getvalue()})

    monkeypatch.setattr(module.subprocess, "run", run)
    monkeypatch.setattr("sys.argv", ["bench_first_call", "--only", *module.PARTS])
    module.main()
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["part"] for each in found] == [*module.PARTS]
    times = {
        f"{state}_{clock}"
        for state in ("cold", "warm", "next")
        for clock in ("seconds", "cpu_seconds")
    }
    for each in found:
        assert each.keys() == {"benchmark", "part"} | times
        assert min(each[name] for name in times) >= 0
