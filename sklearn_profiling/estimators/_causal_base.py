"""What estimators around a decoder alone share: prompts, room, freezing, search."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_profiling._profile_text import ProfileWords
from sklearn_profiling.architectures.causal_lm import CausalLM
from sklearn_profiling.architectures.layers.image_states import ImageStates
from sklearn_profiling.architectures.profile_generator import ProfileGenerator
from sklearn_profiling.estimators._generator_base import BaseGeneratorClassifier
from sklearn_profiling.estimators._generator_parts import GeneratorParts
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.training.backbones import Kind
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.causal_generation import continue_texts

__all__: list[str] = []


class BaseCausalClassifier(BaseGeneratorClassifier):
    """Base of classifiers whose language model is a decoder alone."""

    _language_kind: ClassVar[Kind] = "causal"
    _architecture: ClassVar[type[ProfileGenerator]] = CausalLM
    _freezable: ClassVar[tuple[str, ...]] = ("embeddings", "layers")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseGeneratorClassifier._parameter_constraints,
        "request": [str],
        "max_tokens": [Interval(Integral, 8, None, closed="left")],
        "lora": [dict, None],
    }

    request: str

    def _module_options(self) -> dict[str, Any]:
        return {"request": self._request_ids()}

    def _request_ids(self) -> list[int]:
        """Tokens that end the prompt."""
        parts: GeneratorParts = self._parts
        if isinstance(parts.writer, ProfileWords):
            return [parts.ids.end]
        found = parts.writer.encode(self.request, add_special_tokens=False).ids
        return list(found) or [parts.ids.end]

    def _room(self, language: Any, images: ImageStates | None) -> int:
        most = getattr(language, "max_position_embeddings", None)
        if most is None:
            return int(self.max_tokens)
        n_profile = self._parts.tokens.longest
        n_image = self._image_tokens(images)
        room = min(self.max_tokens, most - n_profile - n_image)
        if room < 2 + len(self._request_ids()):
            msg = (
                f"{type(self).__name__}: the language model reads {most} tokens; the "
                f"longest profile takes {n_profile} of them and images {n_image}, so "
                "that no text would be read. Take another model, fewer images or fewer "
                "classes"
            )
            raise SourceError(msg)
        return int(room)

    def _image_tokens(self, images: ImageStates | None) -> int:  # noqa: ARG002 - without images there are none
        """Most tokens that the images of a user take."""
        return 0

    def _freeze(self, module: ProfileGenerator) -> None:
        parts = self._parts_of(module)
        for name in self.frozen:
            for parameter in parts.get(name, ()):
                parameter.requires_grad = False
        if not any(parameter.requires_grad for parameter in module.parameters()):
            msg = (
                f"{type(self).__name__}: nothing is left to train; parameter frozen is "
                f"{self.frozen!r}"
            )
            raise ProfilingError(msg)

    def _parts_of(self, module: ProfileGenerator) -> dict[str, list[nn.Parameter]]:
        """Parameters that can be frozen; the matrices of LoRA are never."""
        model: Any = module.language_model
        table = {*map(id, model.get_input_embeddings().parameters())}
        return {
            "embeddings": [p for p in model.parameters() if id(p) in table],
            "layers": [p for p in _body(model) if id(p) not in table],
        }

    def _generate(self, dataset: UserDataset) -> list[str]:
        return continue_texts(
            self.net_,
            dataset,
            self._parts.decode,
            n_beams=self.n_beams,
            max_new_tokens=self._parts.tokens.longest,
        )


def _body(model: Any) -> Iterator[nn.Parameter]:
    """All but what turns states into logits, and but LoRA."""
    for name, parameter in model.base_model.named_parameters():
        if "lora_" not in name:
            yield parameter
