"""The scripts that find out why a claim of a paper holds or not, on few users."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from sklearn_profiling.baselines import make_majority_baseline

FOLDER = Path(__file__).parents[1] / "benchmarks" / "accuracy"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "attention.py").is_file(), reason="needs the files of a checkout"
)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_attention_beside_what_it_could_pay(script, monkeypatch, capsys):
    attention = script("attention")
    monkeypatch.setattr(attention, "N_TEST", 10)
    users = attention.make_users(20, 30.0, 0)
    told = attention.telling(users)["messages"]
    for user, messages in enumerate(told):
        shown = np.any([*users.informative.iloc[user]], axis=0)
        assert len(messages) == shown.sum()
        every = users.data["messages"].iloc[user]
        assert messages == [every[k] for k in np.flatnonzero(shown)]
    assert told.str.len().mean() < users.data["messages"].str.len().mean() / 4
    asked = []

    def make_quick(graph, *, classifier, **options):
        asked.append(classifier.attention)
        assert (graph, classifier.bag_of_words) == (None, 0)
        return make_majority_baseline()

    monkeypatch.setattr(attention, "make_mmlup", make_quick)
    attention.main(["--users", "20", "--messages", "6", "--seeds", "1"])
    assert asked == [None, "softmax", None]
    printed = capsys.readouterr().out
    assert "20 users, 6 messages, 1 seeds" in printed
    for row in ("mean of the messages", "attention", "mean of those that tell"):
        assert len(next(r for r in printed.splitlines() if r.startswith(row))) > 40


def test_pretrained_backbones_are_folders_of_the_tables(script, tmp_path, capsys):
    pretrain, tables = script("pretrain"), script("unified_tables")
    pretrain.main([str(tmp_path), "--users", "8", "--epochs", "1"])
    assert "bert, epoch 0: loss" in capsys.readouterr().err
    folder = {path.name: str(path) for path in tmp_path.iterdir()}
    assert set(folder) == {"t5", "bart", "bert", "vit"}
    few = ["--table", "2", "--users", "16", "--seeds", "1", "--epochs", "1"]
    few += ["--language-model", folder["t5"], "--image-model", folder["vit"]]
    few += ["--model", f"bart={folder['bart']}", f"bert={folder['bert']}"]
    few += ["--image-size", "32", "--systems", "COOPNet", "AoM", "Ours, fusion alone"]
    tables.main(few)
    printed = capsys.readouterr().out
    assert "failed" not in printed
    assert "Small models with random weights: llama, chatglm, llava" in printed
