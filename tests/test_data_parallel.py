"""Two processes train as one does: same losses, same parameters, files of the first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_parallel_fits import FITS, FURTHER, STEPS, all_fits

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def alone():
    return all_fits()


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("together")
    here = Path(__file__)
    paths = [str(here.parents[1]), str(here.parent), os.environ.get("PYTHONPATH", "")]
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    script = str(here.with_name("data_parallel_fits.py"))
    run = subprocess.run(
        [sys.executable, "-m", *command, script, str(folder)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-5000:]
    return [json.loads((folder / f"{k}.json").read_text("utf-8")) for k in (0, 1)]


@pytest.mark.parametrize("name", [*FITS, *FURTHER])
def test_losses_are_those_of_one_process(name, alone, together):
    found, expected = together[0]["fits"][name], alone[name]
    if name in FITS:
        assert len(found["losses"]) >= 20 == 5 * STEPS["max_epochs"]
    assert len(found["losses"]) == len(expected["losses"])
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=0, atol=1e-5)
    for one, other in zip(found["epochs"], expected["epochs"], strict=True):
        np.testing.assert_allclose(
            np.array(one, float), np.array(other, float), rtol=0, atol=1e-5
        )
    for one, other in zip(
        found["probabilities"], expected["probabilities"], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", [*FITS, *FURTHER])
def test_all_processes_end_with_the_same_net(name, together):
    first, second = (found["fits"][name] for found in together)
    assert first == second


def test_all_processes_take_the_seed_of_the_first(together):
    assert together[0]["unseeded"] == together[1]["unseeded"]


def test_no_thread_outlives_the_group_of_processes(together):
    # one that does aborts now and then when Python ends
    threads = [name for found in together for name in found["threads"]]
    assert not [name for name in threads if "gloo" in name]


def test_a_killed_training_goes_on_in_all_processes(together):
    first, second = (found["resumed"] for found in together)
    assert first["whole"] == first["again"] == second["whole"] == second["again"]


def test_checkpoints_are_written_by_the_first_process(together):
    first, second = (found["resumed"] for found in together)
    assert (first["n_saves"], second["n_saves"]) == (4, 0)
    assert first["n_files"] == second["n_files"] == [1, 0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small", "batch_size=1 is that of all processes together and below"),
        ("labels", "0 and 1 of 2 do not hold the same labels"),
        ("users", "do not hold the same source 'text', labels, weights"),
        ("parameters", "do not hold the same parameters"),
        ("device", "device='cuda:1' cannot be used by processes"),
    ],
)
def test_what_cannot_be_trained_together_is_told_by_all(name, said, together):
    messages = [found["errors"][name] for found in together]
    assert messages[0] == messages[1]
    assert said in messages[0]
