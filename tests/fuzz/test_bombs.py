"""Small files that stand for gigabytes are refused at once, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.bombs import BOMBS


@pytest.fixture(scope="module")
def measured():
    bombs = Path(__file__).with_name("bombs.py")
    done = subprocess.run(
        [sys.executable, str(bombs)], capture_output=True, check=True, timeout=200
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused(measured, bomb):
    answer, seconds, megabytes = measured[bomb]
    assert answer != "read"
    assert not answer.startswith("foreign"), answer
    assert seconds < 1
    assert megabytes < 500
