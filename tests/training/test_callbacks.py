"""The bar over epochs."""

from __future__ import annotations

from types import SimpleNamespace

from sklearn_profiling.training.callbacks import EpochProgress


def test_one_step_an_epoch_with_the_latest_losses(capsys):
    bar = EpochProgress(2, "fit")
    net = SimpleNamespace(history=[{"train_loss": 0.5}])
    bar.on_train_begin(net)
    bar.on_epoch_end(net)
    assert bar.bar_.n == 1
    net.history.append({"train_loss": 0.25, "valid_loss": 0.125, "dur": 1.0})
    bar.on_epoch_end(net)
    assert bar.bar_.n == bar.bar_.total == 2
    assert not bar.bar_.disable
    bar.on_train_end(net)
    assert bar.bar_.disable
    bar.close()
    output, errors = capsys.readouterr()
    assert output == ""
    assert "train_loss=0.25, valid_loss=0.125" in errors
    assert "dur" not in errors


def test_a_bar_that_was_never_opened_can_be_closed():
    EpochProgress(2, "fit").close()
