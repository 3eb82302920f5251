"""A small model, damage to its file, and the files of each format of model files.

From the root of a checkout:

``PYTHONPATH=tests python tests/model_files.py damage 1000``
    damages the file so often and prints how it ended; any other end is an error.
``PYTHONPATH=tests python tests/model_files.py write tests/persistence/format_1``
    writes the file that later versions have to read, and what its model predicts. To be
    run once a format, by the version that releases it.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from cases import CASES, labels, sourced_users
from contract import same

from sklearn_profiling.exceptions import DataFormatError
from sklearn_profiling.persistence import load, save

PROBE = sourced_users()


@functools.cache
def small_model():
    """A fitted net of three tasks."""
    return CASES["AuxLSTMClassifier"].make().fit(PROBE, labels())


@functools.cache
def expected():
    """What the small model predicts."""
    return small_model().predict_proba(PROBE)


def damaged(content, seed):
    """Change bits, drop, repeat or cut bytes somewhere, the header as often as not."""
    generator = np.random.default_rng(seed)
    end = len(content) if generator.random() < 0.5 else min(len(content), 12_000)
    place, length = int(generator.integers(end)), int(generator.integers(1, 40))
    kind = generator.choice(["bit", "bit", "byte", "drop", "repeat", "cut"])
    changed = bytearray(content)
    if kind == "bit":
        changed[place] ^= 1 << int(generator.integers(8))
    elif kind == "byte":
        changed[place] = int(generator.integers(256))
    elif kind == "drop":
        del changed[place : place + length]
    elif kind == "repeat":
        changed[place:place] = changed[place : place + length]
    else:
        del changed[place:]
    return bytes(changed)


def one_damage(content, path, seed):
    """Say whether a damaged file is refused or predicts the same."""
    path.write_bytes(damaged(content, seed))
    try:
        model = load(path)
    except DataFormatError:
        return "refused"
    assert same(model.predict_proba(PROBE), expected()), f"seed {seed} predicts else"
    return "the same"


def _main(command, argument):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save(small_model(), path)
        content = path.read_bytes()
        if command == "damage":
            ends = Counter(one_damage(content, path, n) for n in range(int(argument)))
            sys.stdout.write(f"{dict(ends)}\n")
        else:
            Path(f"{argument}.safetensors").write_bytes(content)
            np.save(f"{argument}.npy", np.hstack(expected()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
