"""The suites for airspeed velocity: each runs once, on tiny data."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "asv").is_dir(), reason="needs the files of a checkout"
)

SUITES = [
    ("suite_text", "Segmentation", 4),
    ("suite_text", "Vectors", 2),
    ("suite_network", "LINE", 3),
    ("suite_nets", "TextNets", 2),
]


@pytest.mark.parametrize(("module", "name", "n_timed"), SUITES)
def test_each_suite_runs_on_tiny_data(module, name, n_timed, monkeypatch):
    for folder in ("asv", "speed"):
        monkeypatch.syspath_prepend(str(FOLDER / folder))
    kind = getattr(importlib.import_module(module), name)
    assert kind.tiny.keys() == kind.sizes.keys()
    monkeypatch.setattr(kind, "sizes", kind.tiny)
    suite = kind()
    suite.setup()
    timed = [getattr(suite, each) for each in dir(kind) if each.startswith("time_")]
    assert len(timed) == n_timed
    for run in timed:
        run()
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
    units = [value for name, value in found.items() if "per_" in name or "nano" in name]
    assert len(units) == 5
    assert min(units) > 0


def test_each_first_call_works(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER / "speed"))
    module = importlib.import_module("bench_first_call")

    def run(command, **options):
        exec(command[2])  # noqa: S102 - as the process would
        return type("Done", (), {"stdout": capsys.readouterr().out})

    monkeypatch.setattr(module.subprocess, "run", run)
    for part in module.PARTS.values():
        found = module.first_call(*part, "")
        assert len(found) == 2
        assert min(min(each) for each in found) >= 0
