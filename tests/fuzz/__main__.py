"""Fuzzers of all loaders: ``python -m tests.fuzz --minutes 10 --loader links``.

Each loader runs in a process of its own. A crash or a hang that Python cannot end is
told with the folder of the input that was read last.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.loaders import LOADERS
from fuzz.running import SECONDS, fuzz, peak

# threads reserve most of it; what is used is watched by itself
_MOST_BYTES = 6 << 30


def main() -> int:
    """Run the fuzzers that are asked for; 1 if there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--loader", nargs="+", choices=sorted(LOADERS), default=None)
    parser.add_argument("--minutes", type=float, default=1.0, help="for each loader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the inputs of findings")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here is not None:
        return _run(options)
    failed = False
    for name in options.loader or sorted(LOADERS):
        folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz"]
        command += ["--loader", name, "--minutes", str(options.minutes)]
        command += ["--seed", str(options.seed), "--here", str(folder)]
        if options.keep is not None:
            command += ["--keep", str(options.keep)]
        most = 60 * options.minutes + 7 * SECONDS + 60
        try:
            status = subprocess.run(command, timeout=most, check=False).returncode
        except subprocess.TimeoutExpired:
            status = -1
        if status not in (0, 1):
            print(f"{name}: ended with {status}; the last input lies in {folder}")
        failed = failed or status != 0
    return int(failed)


def _run(options: argparse.Namespace) -> int:
    (name,) = options.loader
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    report = fuzz(
        name,
        options.here,
        seed=options.seed,
        seconds=60 * options.minutes,
        keep=options.keep,
    )
    n_findings = sum(report.findings.values())
    print(
        f"{name}: {report.n_read} read, {report.n_refused} refused, {n_findings} "
        f"findings of {len(report.findings)} kinds, at most {peak()} MB"
    )
    for kind, count in report.findings.most_common():
        print(f"--- {count} x {kind}\n{report.examples[kind]}")
    return int(n_findings > 0)


if __name__ == "__main__":
    raise SystemExit(main())
