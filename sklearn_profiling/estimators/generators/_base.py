"""Base of classifiers that write profiles: from sources to text, and back to labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.profile_generator import BaseGenerator
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.estimators._backbones import check_names, with_pixels
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import RATE
from sklearn_profiling.estimators.generators._parts import (
    GeneratorParts,
    learn_parts,
)
from sklearn_profiling.exceptions import ProfilingError, SourceError
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.generators.backbones import (
    Kind,
    build_backbone,
    checkpoint_activations,
)
from sklearn_profiling.training.generators.lora import add_lora
from sklearn_profiling.training.generators.modes import make_modes
from sklearn_profiling.training.generators.net import GeneratorNet
from sklearn_profiling.training.generators.search import generate_texts
from sklearn_profiling.training.inputs import (
    Sources,
    SourceSpec,
    TrainingUsers,
    text_and_images,
)
from sklearn_profiling.training.net import TrainingPlan
from sklearn_profiling.training.state import share_parameters

__all__: list[str] = []

MODES = ("fusion", "text", "masked_image", "masked_profile")
_WITH_CAPTIONS = {"unimodal", "both"}
_WITH_IMAGES = {"multimodal", "both"}


class BaseGeneratorClassifier(BaseProfileClassifier):
    """Base of classifiers that write a user's profile as text."""

    _reads = "text"
    _pipeline = "make_profile_generator(classifier={}())"
    _architecture: ClassVar[type[BaseGenerator]]
    # An encoder and a decoder ("language"), or a decoder alone ("causal").
    _language_kind: ClassVar[Kind] = "language"
    # What a language model of None stands for, where it is not the small T5 or LLaMA.
    _small_language: ClassVar[dict[str, Any] | None] = None
    _freezable: ClassVar[tuple[str, ...]] = (
        "text_encoder",
        "decoder",
        "image_encoder",
    )
    _reads_images: ClassVar[bool] = True
    # Parameters of some estimators, constants of the others.
    paradigm: Any = "multimodal"
    captions: Any = "captions"
    lora: Any = None
    chat: Any = False
    prompt: Any = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"dropout": [RATE, None]}

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        joint_modes: Sequence[str] = ("fusion",),
        mask_image: float = 0.5,
        mask_profile: float = 0.5,
        mixing: Literal["step", "batch", "epoch"] = "step",
        source: str | None = None,
        max_messages: int | None = 3,
        max_images: int | None = 3,
        max_tokens: int = 600,
        n_beams: int = 5,
        decoding: Literal["beam", "scoring"] = "beam",
        scoring: Literal["sum", "mean"] = "sum",
        max_sets: int = 100,
        dropout: float | None = None,
        frozen: Sequence[str] = (),
        frozen_dtype: str | None = None,
        gradient_checkpointing: bool = False,
        micro_batch_size: int | None = None,
        prediction_batch_size: int = 32,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 5e-5,
        learning_rate_decay: bool = False,
        weight_decay: float = 0.0,
        batch_size: int = 4,
        max_epochs: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        callbacks: list[Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.language_model = language_model
        self.image_model = image_model
        self.tokenizer = tokenizer
        self.joint_modes = joint_modes
        self.mask_image = mask_image
        self.mask_profile = mask_profile
        self.mixing = mixing
        self.source = source
        self.max_messages = max_messages
        self.max_images = max_images
        self.max_tokens = max_tokens
        self.n_beams = n_beams
        self.decoding = decoding
        self.scoring = scoring
        self.max_sets = max_sets
        self.dropout = dropout
        self.frozen = frozen
        self.frozen_dtype = frozen_dtype
        self.gradient_checkpointing = gradient_checkpointing
        self.micro_batch_size = micro_batch_size
        self.prediction_batch_size = prediction_batch_size
        self.loss_weights = loss_weights
        self.class_weight = class_weight
        self.learning_rate = learning_rate
        self.learning_rate_decay = learning_rate_decay
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    # -- sources ---------------------------------------------------------------

    def _choose_sources(self, sources: Sources) -> Sources:
        if not self._reads_images:
            sources = self._without_images(sources)
        texts, images = text_and_images(
            sources,
            self.source,
            type(self).__name__,
            reads=f"one text, the captions {self.captions!r} and one source of images",
            captions=self.captions,
        )
        kinds = {name: SourceSpec.of(source).kind for name, source in sources.items()}
        has_captions = kinds.get(self.captions) == "text"
        if self.paradigm in _WITH_CAPTIONS and not has_captions:
            msg = (
                f"{type(self).__name__}: paradigm={self.paradigm!r} reads captions of "
                f"the images, a text named {self.captions!r}; X holds {kinds}"
            )
            raise SourceError(msg)
        chosen = texts + (images if self.paradigm in _WITH_IMAGES else [])
        chosen += [self.captions] if self.paradigm in _WITH_CAPTIONS else []
        if not chosen:
            name = type(self).__name__
            msg = f"{name} reads text, images and captions; X holds {kinds}"
            raise SourceError(msg)
        _check_one_vocabulary(type(self).__name__, sources, chosen)
        return {name: self._first(name, sources[name]) for name in chosen}

    def _without_images(self, sources: Sources) -> Sources:
        kept: Sources = {
            name: source
            for name, source in sources.items()
            if not isinstance(source, ImageBags)
        }
        if not kept:
            msg = (
                f"{type(self).__name__} reads text; X holds images alone: "
                f"{list(sources)}"
            )
            raise SourceError(msg)
        return kept

    def _first(self, name: str, source: Any) -> Any:
        """Keep the first messages or images of each user."""
        # A caption goes with an image.
        of_images = isinstance(source, ImageBags) or name == self.captions
        most = self.max_images if of_images else self.max_messages
        return source.first_of_each(most)

    # -- fitting ---------------------------------------------------------------

    def _train(
        self, users: TrainingUsers, *, again: bool, epochs: int, shrink: bool = False
    ) -> None:
        for name, allowed in (("joint_modes", MODES), ("frozen", self._freezable)):
            check_names(type(self).__name__, name, getattr(self, name), allowed)
        super()._train(users, again=again, epochs=epochs, shrink=shrink)

    def _learn(self, users: TrainingUsers) -> Sources:
        sources = super()._learn(users)
        specs = {name: SourceSpec.of(source) for name, source in sources.items()}
        texts = [s for s in sources.values() if isinstance(s, TokenMessages)]
        words = texts[0].vocabulary.words if texts else ()
        self._parts = learn_parts(self, specs, words, users)
        self.profile_form_ = self._parts.tokens.text
        self.repairs_ = dict.fromkeys(users.codec.task_names, 0)
        return sources

    def _plan(self) -> TrainingPlan:
        plan = super()._plan()
        tokens = self._parts.tokens
        modes = make_modes(
            list(self.joint_modes),
            tokens,
            {"masked_image": self.mask_image, "masked_profile": self.mask_profile},
            has_images=any(
                spec.kind == "images" or name == self.captions
                for name, spec in self._specs.items()
            ),
        )
        options = {
            "modes": modes,
            "tokens": tokens,
            "mixing": self.mixing,
            "micro_batch_size": self.micro_batch_size,
            "generator": torch.Generator().manual_seed(plan.seed + 3),
            "iterator_valid__batch_size": self.prediction_batch_size,
        }
        return replace(
            plan,
            net=GeneratorNet,
            net_options=options,
            frozen_dtype=self.frozen_dtype,
        )

    def _build_module(
        self,
        sources: list[SourceDescription],
        n_classes: list[int],
        *,
        shared: Mapping[str, str] | None,
    ) -> nn.Module:
        parts: GeneratorParts = self._parts
        # A net whose state is loaded next needs no weights of the user's models.
        given = (self.language_model, self.image_model)
        given = given if shared is None else (None, None)
        own: dict[str, Any] = {}
        image = None
        if parts.reads_whole(given[0]):
            language, image, own = parts.build_llava(given[0])
        else:
            language = build_backbone(given[0], self._language_kind, parts.language)
            if parts.image is not None:
                image = build_backbone(given[1], "image", parts.image)
        if self.lora is not None:
            add_lora(language, self.lora, type(self).__name__)
        module: Any = self._build_net(
            with_pixels(sources, parts.pixels),
            n_classes,
            language_model=language,
            image_model=image,
            profile=parts.describe(),
            captions=self.captions,
            **own,
        )
        share_parameters(module, shared)
        self._freeze(module)
        module.frozen_dtype = self.frozen_dtype
        if self.gradient_checkpointing:
            checkpoint_activations(language)
        net: nn.Module = module
        return net

    def _freeze(self, module: Any) -> None:
        """Stop the training of parts."""
        parts = module.freezable()
        for name in self.frozen:
            for parameter in parts[name]:
                parameter.requires_grad = False
        trained = {parameter.requires_grad for parameter in module.parameters()}
        if self.frozen_dtype is not None and (
            False not in trained or self.dtype == "float64"
        ):
            msg = (
                f"{type(self).__name__}: parameter frozen_dtype={self.frozen_dtype!r} "
                "is that of frozen parts beside others in 32 bits; freeze some, or "
                f"take LoRA, and leave dtype at 'float32'; got dtype={self.dtype!r}, "
                f"frozen={self.frozen!r}, lora={self.lora!r}"
            )
            raise ProfilingError(msg)
        if True not in trained:
            msg = (
                f"{type(self).__name__}: nothing is left to train; parameter frozen is "
                f"{self.frozen!r}"
            )
            raise ProfilingError(msg)

    # -- predicting ------------------------------------------------------------

    def generate(self, X: Any) -> npt.NDArray[np.object_]:
        """Write the profile of each user by beam search.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Users to write a profile of.

        Returns
        -------
        ndarray of str, shape (n_users,)
            The text as the model wrote it, valid or not.
        """
        return np.array(self._generate(self._dataset(X)), dtype=object)

    def _generate(self, dataset: UserDataset) -> list[str]:
        return generate_texts(
            self.net_, dataset, self._parts.decode, n_beams=self.n_beams
        )

    def _predict(self, X: Any) -> npt.NDArray[Any]:
        if self.decoding == "scoring":
            return super()._predict(X)
        texts = self._generate(self._dataset(X))
        codec, form = self._codec, self.profile_form_
        chosen = [np.zeros((len(texts), len(each))) for each in codec.classes]
        # In place, so that predicting replaces no attribute.
        self.repairs_.update(dict.fromkeys(codec.task_names, 0))
        for user, text in enumerate(texts):
            profile = form.parse(text)
            for task, classes in enumerate(profile.classes):
                chosen[task][user, list(classes)] = 1.0
                self.repairs_[codec.task_names[task]] += profile.repaired[task]
        labels: npt.NDArray[Any] = codec.decode(chosen)
        return labels


def _check_one_vocabulary(owner: str, sources: Sources, chosen: Sequence[str]) -> None:
    texts = {n: s for n in chosen if isinstance(s := sources[n], TokenMessages)}
    if len({text.vocabulary.fingerprint for text in texts.values()}) > 1:
        msg = (
            f"{owner}: the texts {list(texts)} must share one vocabulary; segment them "
            "with one tokenizer"
        )
        raise SourceError(msg)
