"""Training saved on disk after each epoch, so that a killed process can resume."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from sklearn_profiling._writing import write_atomically
from sklearn_profiling.training.callbacks import EpochProgress, LinearDecay

__all__ = ["TrainingCheckpoint"]


class TrainingCheckpoint:
    """The file in which a net is saved after each epoch; removed when it is trained.

    Parameters, the optimizer's moments, the history and the states of all generators
    are saved, so that resumed training gives the same bits as training that was never
    interrupted; the user's callbacks with a state of their own start again. The name of
    the file is the `fingerprint` of settings, users and labels.
    """

    def __init__(self, folder: str | os.PathLike[str], fingerprint: str) -> None:
        self.path = Path(folder) / f"{fingerprint}.checkpoint"

    def save(self, net: Any) -> None:
        """Save a net after an epoch."""
        state = {
            "module": net.module_.state_dict(),
            "loss": net.criterion_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            # As text: a file that holds plain numbers alone can be read safely.
            "history": json.dumps(net.history.to_list(), default=_plain),
            "generators": [each.get_state() for each in _generators(net)],
        }
        with write_atomically(self.path) as stream:
            torch.save(state, stream)

    def restore(self, net: Any) -> int:
        """Load the file, if there is one, into a new net; return the epochs done."""
        if not self.path.is_file():
            return 0
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        net.module_.load_state_dict(state["module"])
        net.criterion_.load_state_dict(state["loss"])
        net.optimizer_.load_state_dict(state["optimizer"])
        history = json.loads(state["history"])
        net.history.extend(history)
        for each, saved in zip(_generators(net), state["generators"], strict=True):
            each.set_state(saved)
        done = len(history)
        for _, callback in net.callbacks_:
            if isinstance(callback, LinearDecay):
                callback.done_ = done
            if isinstance(callback, EpochProgress):
                callback.bar_.update(done)
        return done

    def remove(self) -> None:
        """Remove the file: training is complete."""
        self.path.unlink(missing_ok=True)


def _generators(net: Any) -> list[torch.Generator]:
    return [net.iterator_train__generator, net.generator]


def _plain(value: Any) -> Any:
    """One of numpy's numbers as Python's."""
    return value.item()
