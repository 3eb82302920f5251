"""What the first call costs, before and after numba kept its machine code.

Each call runs in two processes of its own, one after the other, with an empty folder
for numba's machine code: the first compiles, the second loads. Imports come before the
clock starts; the second call of the same process, which does the work alone, is given
beside. One JSON line a part; ``help`` is a whole process of the command line.

    python benchmarks/speed/bench_first_call.py --only segmentation

``--keep`` compiles into the folder of ``NUMBA_CACHE_DIR``, or beside the package, so
that whoever calls the parts afterwards waits no longer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_NETWORK = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from bench_line import block_network
from sklearn_profiling.sources import LINEEmbedding
graph = block_network(300, 2000)
line = LINEEmbedding(graph, n_components=16, n_samples=10_000, random_state=0)
"""
_GLOVE = """
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources import GloVeTransformer
text = TokenMessages.from_lists([[["a", "b", "c"] * 9]] * 9)
"""
PARTS = {
    "segmentation": (
        "from sklearn_profiling.sources import JiebaSegmenter",
        "JiebaSegmenter().transform([['我来到北京清华大学']])",
    ),
    "words": (
        "from sklearn_profiling.sources import WordSegmenter",
        "WordSegmenter().transform([['我来到北京清华大学', 'two words']])",
    ),
    "LINE": (_NETWORK, "line.fit()"),
    "spectral": (_NETWORK, "line.set_params(solver='spectral').fit()"),
    "GloVe": (_GLOVE, "GloVeTransformer(8, max_epochs=1).fit(text)"),
}
_CODE = """
{before}
import json, time
found = []
for _ in range(2):
    wall, cpu = time.perf_counter(), time.process_time()
    {call}
    found.append((time.perf_counter() - wall, time.process_time() - cpu))
print(json.dumps(found))
"""


def first_call(before: str, call: str, folder: str) -> list[list[float]]:
    """Return seconds and CPU seconds of the first and of the second call."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE.format(before=before, call=call)],
        env={**os.environ, "NUMBA_CACHE_DIR": folder, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[list[float]] = json.loads(done.stdout)
    return found


def seconds_of_help() -> float:
    """Return the seconds of the quickest ``--help`` of three."""
    command = [sys.executable, "-m", "sklearn_profiling", "--help"]
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        spent.append(time.perf_counter() - start)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*PARTS, "help"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--keep", action="store_true", help="the machine code")
    given = parser.parse_args()
    if given.keep:
        folder = os.environ.get("NUMBA_CACHE_DIR", "")
        for name in set(given.only) - {"help"}:
            first_call(*PARTS[name], folder)
        return
    for name in given.only:
        result = {"benchmark": "first_call", "part": name}
        if name == "help":
            result["seconds"] = round(seconds_of_help(), 3)
            print(json.dumps(result), flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            cold, again = first_call(*PARTS[name], folder)
            warm, _ = first_call(*PARTS[name], folder)
        for state, (seconds, cpu) in (("cold", cold), ("warm", warm), ("next", again)):
            result[f"{state}_seconds"] = round(seconds, 3)
            result[f"{state}_cpu_seconds"] = round(cpu, 3)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
