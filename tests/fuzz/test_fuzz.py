"""Damaged files of every kind give this package's errors; minutes of it by hand."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from fuzz.loaders import LOADERS
from fuzz.running import fuzz, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sklearn_profiling.exceptions import ProfilingError

N_INPUTS = {"models": 8, "command": 5, "words": 10, "smpcup2016": 25, "images": 40}


@pytest.mark.parametrize("name", LOADERS)
def test_valid_files_are_read(name, tmp_path):
    for number, files in enumerate(LOADERS[name].seeds()):
        write(tmp_path / str(number), files)
        LOADERS[name].load(tmp_path / str(number), "skip")


@pytest.mark.parametrize("name", LOADERS)
def test_damaged_files_give_own_errors(name, tmp_path):
    report = fuzz(name, tmp_path, seed=1, n_inputs=N_INPUTS.get(name, 60))
    assert not report.findings, "\n".join(report.examples.values())
    assert report.n_refused or name in ("command", "words")


def test_a_fuzzer_reports_what_is_foreign(tmp_path, monkeypatch):
    def load(folder, turn):
        return (folder / "file").read_bytes().decode()

    loader = LOADERS["records"]
    monkeypatch.setitem(LOADERS, "records", type(loader)(loader.seeds, load))
    kept = tmp_path / "kept"
    report = fuzz("records", tmp_path / "work", n_inputs=30, keep=kept)
    assert any("UnicodeDecodeError" in kind for kind in report.findings)
    assert len(list(kept.iterdir())) == len(report.findings)


@pytest.mark.parametrize("name", ["records", "links", "user_vectors"])
@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_any_content_gives_own_errors(name, tmp_path, content):
    seed = dict(LOADERS[name].seeds()[0])
    data = content if isinstance(content, bytes) else content.encode()
    write(tmp_path / "input", {**seed, "file": data})
    with suppress(ProfilingError):
        LOADERS[name].load(tmp_path / "input", "error")


def test_the_command_runs_one_loader(tmp_path, monkeypatch, capsys):
    from fuzz import __main__ as command

    arguments = ["fuzz", "--loader", "mex_a3t", "--minutes", "0.005"]
    monkeypatch.setattr(command.resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(sys, "argv", [*arguments, "--here", str(tmp_path)])
    assert command.main() == 0
    assert capsys.readouterr().out.startswith("mex_a3t: ")
