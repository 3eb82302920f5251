"""Fits of two processes together; launched with torchrun by the tests.

Each process writes what it found to a file of its own in the folder that is given.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import joblib
from cases import labels
from contract import exact, make, probabilities, users_of
from skorch.callbacks import Callback

import sklearn_profiling
from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling.exceptions import ProfilingError

# Twenty steps of 39 users each; an odd batch, so that parts differ in size.
STEPS = {"batch_size": 9, "max_epochs": 4, "dtype": "float32"}
FITS: dict[str, dict[str, Any]] = {
    "MMLUPClassifier": {"loss_weights": "uncertainty", "class_weight": "balanced"},
    "AuxLSTMClassifier": {},
    "CNN3DClassifier": {},
    "ProfileGeneratorClassifier": {
        "joint_modes": ("fusion", "text"),
        "micro_batch_size": 2,
    },
}
# Sparse gradients, a validation set, batches of one user, learned gates and shares.
FURTHER: dict[str, tuple[str, dict[str, Any]]] = {
    "bags": ("MMLUPClassifier", {"bag_of_words": 8, "batch_size": 19}),
    "stopped": ("MMLUPClassifier", {"early_stopping": True, "n_iter_no_change": 1}),
    "gates": ("MultimodalCNN3DClassifier", {"gate_fraction": 0.3}),
}


class KilledError(Exception):
    """What ends a training after its second epoch."""


class Killing(Callback):
    """Ends training, and says what files there are then."""

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        if len(net.history) == 3:
            raise KilledError


def prepared(case: str, **settings: Any) -> Any:
    """A net whose training follows from the users alone, but for what is set."""
    return make(case, **{**exact(case), **STEPS, **settings})


def fitted(case: str, **settings: Any) -> Any:
    """A net trained on the users of its case."""
    return prepared(case, **settings).fit(users_of(case), labels())


def described(case: str, model: Any) -> dict[str, Any]:
    """Losses of all steps, and what has to be equal in all processes."""
    batches = [batch for epoch in model.history_ for batch in epoch["batches"]]
    found = probabilities(model, users_of(case))
    return {
        "losses": [b["train_loss"] for b in batches if "train_loss" in b],
        "epochs": [(e["train_loss"], e.get("valid_loss")) for e in model.history_],
        "probabilities": [each.tolist() for each in found],
        "state": joblib.hash(model.__getstate__()["_net_state"]["module"]),
    }


def all_fits() -> dict[str, Any]:
    """The same fits in one process or in several."""
    found = {name: described(name, fitted(name, **s)) for name, s in FITS.items()}
    for name, (case, settings) in FURTHER.items():
        found[name] = described(case, fitted(case, **settings))
    return found


def resumed(rank: int, folder: Path) -> dict[str, Any]:
    """Killed and resumed training beside one that was not, with dropout."""
    noisy = {"dropout": 0.5, "bag_dropout": 0.5, "source_dropout": 0.3}
    name = "MMLUPClassifier"
    saves: list[int] = []
    save = Checkpoint.save

    def counted(self: Any, write: Any) -> None:
        saves.append(rank)
        save(self, write)

    Checkpoint.save = counted  # type: ignore[method-assign]
    whole = fitted(name, **noisy)
    place = folder / "checkpoints"
    try:
        fitted(name, **noisy, checkpoint=place, callbacks=[Killing()])
    except KilledError:
        files = len(list(place.glob("*.checkpoint")))
    # Callbacks are part of the name of a checkpoint.
    Killing.on_epoch_begin = Callback.on_epoch_begin  # type: ignore[method-assign]
    again = fitted(name, **noisy, checkpoint=place, callbacks=[Killing()])
    return {
        "whole": described(name, whole),
        "again": described(name, again),
        "n_saves": len(saves),
        "n_files": [files, len(list(place.glob("*.checkpoint")))],
    }


def errors(rank: int, folder: Path) -> dict[str, str]:
    """What is said where processes cannot train together."""
    name = "AuxLSTMClassifier"
    users, known = users_of(name), labels()
    changed = known.replace("f", "m") if rank else known
    trials = {
        "small": (prepared(name, batch_size=1), users, known),
        "labels": (prepared(name), users, changed),
        "users": (prepared(name), users[:30] if rank else users, known),
        "parameters": (prepared(name, learning_rate=0.1 + rank), users, known),
        "device": (prepared(name, device="cuda:1"), users, known),
    }
    found = {}
    for each, (model, X, y) in trials.items():
        try:
            model.fit(X, y[: len(X["network"])])
        except ProfilingError as error:
            found[each] = str(error)
    return found


def main(folder: Path) -> None:
    """Fit in all processes, and write what was found."""
    from accelerate import PartialState

    with sklearn_profiling.config_context(data_parallel=True):
        fits = all_fits()
        rank = PartialState().process_index
        found = {
            "fits": fits,
            "unseeded": described(
                "AuxLSTMClassifier", fitted("AuxLSTMClassifier", random_state=None)
            ),
            "resumed": resumed(rank, folder),
            "errors": errors(rank, folder),
        }
    PartialState().destroy_process_group()
    tasks = Path("/proc/self/task").glob("*/comm")
    found["threads"] = [each.read_text(encoding="utf-8") for each in tasks]
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
