"""What a decoder of 7 billion parameters with LoRA takes, computed from shapes."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "speed"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "generator_memory.py").is_file(), reason="needs a checkout"
)


@pytest.fixture
def module(monkeypatch):
    pytest.importorskip("peft")
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("generator_memory")


def test_seven_billion_parameters_with_lora_fit_24_gigabytes(module):
    found = module.memory(n_tokens=1024)
    n_weights = 2 * 32000 * 4096 + 4096
    n_weights += 32 * (4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096)
    assert found["weights, 16 bits"] == 2 * n_weights
    # rank 8 beside the projections of queries and values
    n_adapters = 32 * 2 * 8 * (4096 + 4096)
    assert found["adapters, 32 bits"] == 4 * n_adapters
    assert found["Adam, two moments"] == 8 * n_adapters
    # the input of each layer
    assert found["inputs of layers"] == 32 * 1024 * 4096 * 2
    # logits in 32 bits beside those in 16
    assert found["logits and the last norm"] >= 64 * 32000 * 4
    assert sum(found.values()) < 24e9
    assert found["one layer, recomputed"] > 3 * 1024 * 11008 * 2


def test_checkpointing_keeps_less(module, capsys):
    small = {
        "vocab_size": 50,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
    }
    options = {"settings": small, "n_tokens": 64, "n_written": 4}
    with_, without = (
        module.memory(**options, checkpointing=each) for each in (True, False)
    )
    kept = [n for name, n in with_.items() if name not in without]
    assert len(kept) == 3
    assert sum(kept) < 0.6 * without["activations"]
    twice = module.memory(**{**options, "n_users": 2}, checkpointing=False)
    assert twice["activations"] > 1.8 * without["activations"]
    module.main(["--tokens", "16", "--written", "2"])
    printed = capsys.readouterr().out
    assert "with gradient checkpointing" in printed
    assert "without gradient checkpointing" in printed
