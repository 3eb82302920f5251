"""A kill of what is quick to start again; kills.py has a longer loop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and fork")
def test_killed_runs_go_on_to_the_same_result_and_leave_nothing() -> None:
    # in a process of its own, since it forks
    script = Path(__file__).with_name("kills.py")
    options = ["--kills", "1", "--terms", "0", "--scenarios"]
    names = ["line", "pixels", "net"]
    done = subprocess.run(
        [sys.executable, script, *options, *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 kills") == len(names)
