"""Suites for airspeed velocity: the work of ``benchmarks/speed``, commit by commit.

    cd benchmarks && asv run --python=same --quick

`sizes` of a suite are those of the runs, `tiny` those of a test that all of them work.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "speed"))
