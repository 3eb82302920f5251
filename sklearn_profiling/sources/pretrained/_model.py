"""Pretrained models from a folder, a configuration or a module; never downloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from hashlib import blake2b
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from torch import nn

from sklearn_profiling._optional import import_optional
from sklearn_profiling._seeding import TORCH_GENERATORS, RandomState, derive_seed
from sklearn_profiling._store import versions_of
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._folders import check_folder
from sklearn_profiling.sources.pretrained._tokenizers import short_reason

__all__ = ["MODEL_CONSTRAINTS", "LocalModel", "fingerprint_of", "without_pooler"]

_DTYPES: Final = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}

MODEL_CONSTRAINTS: Final[dict[str, list[Any]]] = {
    "model": [str, os.PathLike, HasMethods(["to_dict"]), nn.Module],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "memory": [str, os.PathLike, HasMethods(["cache"]), None],
    "device": [str],
    "dtype": [StrOptions(set(_DTYPES))],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


class LocalModel(BaseEstimator):
    """Base of the transformers that run a frozen model.

    A pickle holds no weights: the module is loaded in `fit` and again after unpickling.
    """

    _auto_class: ClassVar[str] = "AutoModel"

    model: Any
    device: str
    dtype: str
    random_state: RandomState

    def _part(self, module: Any) -> Any:
        """Return the part of a model that is run."""
        return module

    def _fit_model(self) -> Any:
        self._seed = derive_seed(self.random_state)
        module = self._part(self._read_model())
        self.fingerprint_ = fingerprint_of(module)
        return self._place(module)

    def _ready_model(self) -> Any:
        """Return the model seen in `fit`, loading it if need be."""
        if self.__dict__.get("_module_dtype") != self.dtype:
            # After unpickling; or in another precision, for which what was rounded
            # before will not do.
            module = self._part(self._read_model())
            if fingerprint_of(module) != self.fingerprint_:
                msg = (
                    f"{type(self).__name__} was fitted with a model of the fingerprint "
                    f"{self.fingerprint_}; {self.model!r:.80} now holds other weights "
                    "or settings. Put the old files back or fit again"
                )
                raise SourceError(msg)
            return self._place(module)
        return self._module.to(self._torch_device)

    def _place(self, module: Any) -> Any:
        self._module = module.to(self._torch_device, self._torch_dtype)
        self._module_dtype = self.dtype
        return self._module

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Say of a model that cannot be run that its settings are to blame."""
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "alloc" in str(error):
                raise
            msg = (
                f"{type(self).__name__}: model={str(self.model)!r:.80} was read but "
                f"cannot be run: {short_reason(error)}. Look at its config.json"
            )
            raise SourceError(msg) from error

    def _computed_by(self) -> dict[str, str]:
        """Return everything about the model that decides its output, for stores."""
        package = import_optional(
            "transformers", extra="multimodal", purpose=type(self).__name__
        )
        return {
            "model": self.fingerprint_,
            "dtype": self.dtype,
            "torch": str(torch.__version__),
            "transformers": str(package.__version__),
            **versions_of("tokenizers"),
        }

    @property
    def _torch_device(self) -> str:
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    @property
    def _torch_dtype(self) -> torch.dtype:
        return _DTYPES[self.dtype]

    def _read_model(self) -> Any:
        package = import_optional(
            "transformers", extra="multimodal", purpose=type(self).__name__
        )
        kind = getattr(package, self._auto_class)
        given = self.model
        if isinstance(given, nn.Module) and hasattr(given, "config"):
            # Its state is the user's: neither training mode nor device may change.
            module = deepcopy(given)
        elif isinstance(given, str | os.PathLike | package.PreTrainedConfig):
            # A folder too may lack weights, such as those of a pooler.
            with TORCH_GENERATORS, torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(self._seed)
                if isinstance(given, str | os.PathLike):
                    module = self._read_folder(Path(given), kind)
                else:
                    module = kind.from_config(given, trust_remote_code=False)
        else:
            msg = (
                f"{type(self).__name__}: model must be a folder, a configuration of "
                "transformers, which gives random weights, or one of its modules; got "
                f"{type(given).__module__}.{type(given).__qualname__}"
            )
            raise SourceError(msg)
        return module.eval().requires_grad_(False)  # noqa: FBT003 - torch's signature

    def _read_folder(self, folder: Path, kind: Any) -> Any:
        if not folder.is_dir():
            raise SourceError(self._unreadable(folder, "there is no such folder"))
        check_folder(folder)
        try:
            return kind.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        # Files that are absent, damaged or of another model show as almost any.
        except Exception as error:
            raise SourceError(self._unreadable(folder, error)) from error

    def _unreadable(self, folder: Path, reason: object) -> str:
        return (
            f"{type(self).__name__}: model={os.fspath(folder)!r} is to be the path of "
            f"a folder with a model: {short_reason(reason)}. Put there the files of a "
            "Hugging Face model (config.json and model.safetensors), as its "
            "save_pretrained writes them; nothing is downloaded, so a name on the hub "
            "will not do"
        )

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = {**super().__getstate__()}
        for name in ("_module", "_module_dtype"):
            state.pop(name, None)
        return state


def without_pooler(module: Any) -> Any:
    """Drop a learned pooler of [CLS], which nothing reads, from a model.

    Folders of models that were trained for something else do not hold its weights.
    """
    pooler = getattr(module, "pooler", None)
    if pooler is not None and any(True for _ in pooler.parameters()):
        module.pooler = None
    return module


def fingerprint_of(module: nn.Module) -> str:
    """Hash the class, the configuration (if any) and the weights of a module."""
    digest = blake2b(type(module).__qualname__.encode(), digest_size=16)
    config = getattr(module, "config", None)
    if config is not None and hasattr(config, "to_dict"):
        settings = config.to_dict()
        # Where it came from and what wrote it.
        for name in ("_name_or_path", "transformers_version", "architectures"):
            settings.pop(name, None)
        text = json.dumps(settings, sort_keys=True, default=str)
        digest.update(text.encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(flat.numpy().data)
    return digest.hexdigest()
