"""What baselines that write profiles from text and images share: their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal

from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators.vlp_mabsa import RegionTokens
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier
from sklearn_profiling.estimators.generators._parts import GeneratorParts
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.generators.backbones import SMALL_BART

__all__: list[str] = []

_N_MARKS = 2
_LEAST_TEXT = 2
"""A token, and the one that ends the text."""


class BaseGeneratorBaseline(BaseGeneratorClassifier):
    """Base of baselines that write profiles from text and images, not from captions."""

    paradigm: ClassVar[str] = "multimodal"
    captions: ClassVar[str] = "captions"

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
        gradient_checkpointing: bool = False,
        micro_batch_size: int | None = None,
        prediction_batch_size: int = 32,
        checkpoint_folder: Any = None,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
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
        self.gradient_checkpointing = gradient_checkpointing
        self.micro_batch_size = micro_batch_size
        self.prediction_batch_size = prediction_batch_size
        self.checkpoint_folder = checkpoint_folder
        self.loss_weights = loss_weights
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
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose


class BaseRegionGenerator(BaseGeneratorBaseline):
    """Base of generators whose encoder reads regions of images among the tokens."""

    _small_language: ClassVar[dict[str, Any] | None] = SMALL_BART

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "region_grid": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        region_grid: int = 6,
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
        gradient_checkpointing: bool = False,
        micro_batch_size: int | None = None,
        prediction_batch_size: int = 32,
        checkpoint_folder: Any = None,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
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
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.language_model = language_model
        self.image_model = image_model
        self.tokenizer = tokenizer
        self.region_grid = region_grid
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
        self.gradient_checkpointing = gradient_checkpointing
        self.micro_batch_size = micro_batch_size
        self.prediction_batch_size = prediction_batch_size
        self.checkpoint_folder = checkpoint_folder
        self.loss_weights = loss_weights
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
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _build_image_encoder(self, given: Any) -> ImageStates | None:
        parts: GeneratorParts = self._parts
        return parts.build_image_encoder(given, patches=True, grid=self.region_grid)

    def _build_fusion(
        self, n_text: int, images: ImageStates | None
    ) -> nn.Module | None:
        if images is None:
            return None
        vision: Any = images.model
        return RegionTokens(n_text, vision.config.hidden_size)

    def _room(self, language: Any, images: ImageStates | None) -> int:
        room = super()._room(language, images)
        most = getattr(language, "max_position_embeddings", None)
        if images is None or images.regions is None or most is None:
            return room
        n_regions, name = len(images.regions), type(self).__name__
        if self.max_images is None:
            msg = (
                f"{name}: the language model reads at most {most} tokens and regions; "
                "parameter max_images must be a number, not None"
            )
            raise SourceError(msg)
        free: int = most - self.max_images * n_regions - _N_MARKS
        if free < _LEAST_TEXT:
            msg = (
                f"{name}: max_images={self.max_images} images of {n_regions} regions "
                f"leave no room for text; the language model reads at most {most} "
                "tokens and regions. Lower max_images or region_grid"
            )
            raise SourceError(msg)
        return min(room, free)
