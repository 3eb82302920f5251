"""Training of nets saved on disk after each epoch, so that a killed process goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from hashlib import blake2b
from typing import IO, Any, Final

import joblib
import numpy as np
import torch
from torch import Tensor

from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling._store import versions_of
from sklearn_profiling.architectures.layers.randomness import RandomLayer
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.callbacks import EpochProgress

__all__ = ["NetCheckpoint", "deciding_parameters", "net_checkpoint"]

_WITHOUT_EFFECT: Final = {
    "callbacks",
    "checkpoint",
    "device",
    "prediction_batch_size",
    "random_state",
    "verbose",
}
"""Parameters that do not decide a training, or count in another way."""


def deciding_parameters(classifier: Any) -> dict[str, Any]:
    """Parameters of a classifier that decide a training, beside its seed."""
    parameters = classifier.get_params(deep=False)
    return {k: v for k, v in parameters.items() if k not in _WITHOUT_EFFECT}


def net_checkpoint(
    classifier: Any, dataset: UserDataset, *, again: bool, epochs: int
) -> NetCheckpoint | None:
    """Open the checkpoint of a classifier whose net is made; None if it has none.

    One epoch has none: there is nothing to go on from. Its name depends on parameters,
    seed, users, labels and versions, and, where a net is trained further, on the net.
    """
    if epochs == 1:
        return None

    def key() -> dict[str, Any]:
        kept = deciding_parameters(classifier)
        kept["callbacks"] = [_name_of(each) for each in classifier.callbacks or ()]
        state = classifier.net_.module_.state_dict()
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        plain = [kept, dict(dataset.sources), dataset.labels, dataset.weights, shapes]
        return {
            "training": joblib.hash(plain, coerce_mmap=True),
            "seed": classifier._seed,  # noqa: SLF001 - of this package
            "start": _hash_of(state) if again else "new",
            "epochs": epochs,
            **versions_of("numpy", "skorch", "torch", "transformers"),
        }

    file = Checkpoint.of(classifier, key)
    return None if file is None else NetCheckpoint(file)


class NetCheckpoint:
    """A net as it was after its last epoch.

    Parameters, the optimizer's moments, the history, the states of all generators and
    of callbacks are saved, so that resumed training gives the same bits as training
    that was never interrupted. Of a callback that is what its attributes with a
    trailing underscore hold, if it is plain or has a `state_dict`.
    """

    def __init__(self, file: Checkpoint) -> None:
        self._file = file
        self._state = file.load(_load)

    def save(self, net: Any) -> None:
        """Save a net after an epoch."""
        state = {
            "module": net.module_.state_dict(),
            "loss": net.criterion_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            # As text: a file that holds plain numbers alone can be read safely.
            "history": json.dumps(net.history.to_list(), default=_item),
            "generators": [each.get_state() for each in _generators(net)],
            "callbacks": {name: _state_of(each) for name, each in net.callbacks_},
        }
        self._file.save(partial(torch.save, state))

    def restore(self, net: Any) -> int:
        """Put what was found into a net; return how many of its epochs are done."""
        state, self._state = self._state, None
        if state is None:
            return 0
        net.module_.load_state_dict(state["module"])
        net.criterion_.load_state_dict(state["loss"])
        net.optimizer_.load_state_dict(state["optimizer"])
        for each, saved in zip(_generators(net), state["generators"], strict=True):
            each.set_state(saved)
        history = json.loads(state["history"])
        done = len(history) - len(net.history)
        net.history.extend(history[len(net.history) :])
        for name, callback in net.callbacks_:
            _restore_callback(callback, state["callbacks"].get(name, {}))
            if isinstance(callback, EpochProgress):
                callback.bar_.update(done)
        return done

    def remove(self) -> None:
        """Remove the file: training is complete."""
        self._file.remove()


def _load(stream: IO[bytes]) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(stream, map_location="cpu", weights_only=True)
    return state


def _generators(net: Any) -> list[torch.Generator]:
    """Return all generators that training draws from, each once, in a fixed order."""
    layers = [m.generator for m in net.module_.modules() if isinstance(m, RandomLayer)]
    own = [net.iterator_train__generator, net.iterator_valid__generator]
    all_of_them = [*layers, *own, getattr(net, "generator", None)]
    return list({id(each): each for each in all_of_them if each is not None}.values())


def _state_of(callback: Any) -> dict[str, Any]:
    """Return what a callback has learned, as far as a plain file can hold it."""
    state = {}
    for name, value in vars(callback).items():
        if name.endswith("_") and not isinstance(callback, EpochProgress):
            has_state = hasattr(value, "state_dict") and not isinstance(value, type)
            kept = value.state_dict() if has_state else _plain(value)
            if _is_plain(kept):
                state[name] = kept
    return state


def _restore_callback(callback: Any, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        own: Any = getattr(callback, name, None)
        if hasattr(own, "load_state_dict"):
            own.load_state_dict(value)
        else:
            setattr(callback, name, value)


def _is_plain(value: Any) -> bool:
    """Tell whether torch reads a value from a file without running code."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.keys())) and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or type(value) in {bool, int, float, str} or _is_tensor(value)


def _is_tensor(value: Any) -> bool:
    return type(value) is Tensor


def _hash_of(state: Mapping[str, Tensor]) -> str:
    digest = blake2b(digest_size=16)
    for name, value in state.items():
        digest.update(name.encode())
        flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(flat.numpy().data)
    return digest.hexdigest()


def _name_of(callback: Any) -> str:
    """By class and parameters, since training writes into what else it holds."""
    each = callback[1] if isinstance(callback, tuple) else callback
    if isinstance(each, type):
        return each.__qualname__
    try:
        return f"{type(each).__qualname__} {joblib.hash(each.get_params(deep=False))}"
    except Exception:  # noqa: BLE001 - pickle has no error of its own for it
        return type(each).__qualname__


def _plain(value: Any) -> Any:
    return _item(value) if isinstance(value, np.generic) else value


def _item(value: Any) -> Any:
    """One of numpy's numbers as Python's."""
    return value.item()
