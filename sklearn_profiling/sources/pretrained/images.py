"""Vectors of users' images from a pretrained vision model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from tqdm.auto import tqdm

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._image_models import image_state, patch_states, vision_part
from sklearn_profiling._seeding import RandomState
from sklearn_profiling._store import Store, cached_vectors
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._model import without_pooler
from sklearn_profiling.sources.pretrained._pooling import pool_positions, pool_users
from sklearn_profiling.sources.pretrained._vision import VISION_CONSTRAINTS, VisionModel

__all__ = ["PretrainedImageVectors"]

# Of CLIP; what reads images is left.
_TEXT_PARTS = ("text_model", "text_projection", "logit_scale")

Floats = NDArray[np.float32]


class PretrainedImageVectors(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, VisionModel
):
    """Encode each image with a frozen vision model and pool the vectors of a user.

    Parameters
    ----------
    model : str, path-like, PreTrainedConfig or Module
        A folder with the files of a Hugging Face vision model (ViT, DINOv2, ResNet) or
        of a model of images and text (CLIP, SigLIP), its configuration, which gives
        random weights, or the module itself, of which a copy is used. Nothing is ever
        downloaded, and no code of a folder is run.
    pooling : {"cls", "mean", "projected"}, default="cls"
        Vector of an image. "cls" is the state of [CLS], as the paper [1]_ takes it from
        ViT: of ViT, DeiT, BEiT and DINOv2 after the last layer, of CLIP after its last
        normalisation. SigLIP has no [CLS]; its pooler stands for it. "mean" is the mean
        of the patches alone, which models with neither (ResNet, ConvNeXt, Swin) need.
        "projected" is the embedding of a whole CLIP or SigLIP model, which is compared
        with that of text.
    user_pooling : {"mean", "max"}, default="mean"
        Pooling of the images of a user: their mean, or the largest value of each
        feature (our choice).
    max_images : int or None, default=None
        Use only the first `max_images` images of each user; None uses all.
    size : tuple of (int, int) or None, default=None
        Height and width in pixels that the model gets; None takes the model's own, or
        (224, 224) if it has none.
    image_mean, image_std : sequence of 3 floats or None, default=None
        Mean and deviation of red, green and blue, of pixels from 0 to 1, by which they
        are scaled. None takes those of the file ``processor_config.json`` or
        ``preprocessor_config.json`` in the folder `model`. Where there are none it is
        0.5, as for ViT, with a warning unless the weights are random.
    batch_size : int, default=32
        Images per batch.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which decoded images and their vectors are kept, found by their
        content and by the fingerprint of the model. None writes nothing.
    device : str, default="cpu"
        Torch device; "auto" takes a GPU if there is one.
    dtype : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Precision of the model. What comes out is float32.
    random_state : int, RandomState instance or None, default=None
        Decides the weights where `model` is a configuration.
    verbose : int, default=0
        Show a progress bar if above 0.

    Attributes
    ----------
    fingerprint_ : str
        Hash of the model's weights and settings.
    n_dimensions_ : int
        Embedding dimension.
    size_ : tuple of (int, int)
        Height and width that the model gets.
    image_mean_, image_std_ : tuple of 3 floats
        The scale of pixels.

    See Also
    --------
    PretrainedTextVectors : The same for messages.
    ImageBagTransformer : Decodes images with more control, such as over bad files.

    Notes
    -----
    Users without images get a row of NaN, the mark of a missing source. A
    repeated image is encoded once and counts each time.

    Images are stretched to the size, not cropped, with bilinear, antialiased scaling;
    the model's own preprocessing, which may crop, is not run; only its normalisation of
    pixels is used.

    A pickle holds no weights of a folder: the folder has to be there when it is used
    again, with the same content.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling. Anonymous
       submission to the ACL.

    Examples
    --------
    >>> import numpy as np
    >>> from transformers import ViTConfig
    >>> from sklearn_profiling.sources import PretrainedImageVectors
    >>> config = ViTConfig(
    ...     hidden_size=8,
    ...     num_hidden_layers=1,
    ...     num_attention_heads=2,
    ...     intermediate_size=8,
    ...     image_size=16,
    ...     patch_size=8,
    ... )
    >>> grey = np.full((16, 16), 90, dtype=np.uint8)
    >>> vectors = PretrainedImageVectors(config, random_state=0)
    >>> vectors.fit_transform([[grey, grey], None]).shape
    (2, 8)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VISION_CONSTRAINTS,
        "pooling": [StrOptions({"mean", "cls", "projected"})],
        "user_pooling": [StrOptions({"mean", "max"})],
    }

    def __init__(
        self,
        model: Any,
        *,
        pooling: str = "cls",
        user_pooling: str = "mean",
        max_images: int | None = None,
        size: tuple[int, int] | None = None,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        batch_size: int = 32,
        memory: str | os.PathLike[str] | Memory | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.pooling = pooling
        self.user_pooling = user_pooling
        self.max_images = max_images
        self.size = size
        self.image_mean = image_mean
        self.image_std = image_std
        self.batch_size = batch_size
        self.memory = memory
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _part(self, module: Any) -> Any:
        if not hasattr(module, "visual_projection"):
            return without_pooler(vision_part(module))
        for name in _TEXT_PARTS:
            if hasattr(module, name):
                delattr(module, name)
        return module

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Load the model; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_users,)
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        PretrainedImageVectors
            The fitted transformer.

        Raises
        ------
        SourceError
            If the folder does not exist or holds no such model, or the model does not
            take images or has nothing that `pooling` takes.
        MissingDependencyError
            If the extra ``multimodal`` is not installed.
        """
        self._fit_pixels(self._fit_model().config)
        try:
            tried = self._see(np.zeros((1, 3, *self.size_), np.uint8))
        except SourceError:
            raise
        except (TypeError, ValueError) as error:
            msg = (
                f"PretrainedImageVectors: {type(self._module).__name__} does not take "
                f"images of {self.size_[0]} x {self.size_[1]} pixels: {error}"
            )
            raise SourceError(msg) from error
        self.n_dimensions_ = tried.shape[1]
        self._n_features_out = self.n_dimensions_
        return self

    def transform(self, X: Any) -> Floats:
        """Encode the images.

        Parameters
        ----------
        X : ImageBags, Series, array-like of shape (n_users,), or table with one column
            Images of each user: bags that are made already, of any size, or cells as
            :class:`ImageBagTransformer` takes them.

        Returns
        -------
        ndarray of float32, shape (n_users, n_dimensions)
            One vector a user; NaN for users without images.

        Raises
        ------
        SourceError
            If the column is of another kind, an image cannot be used, or the folder of
            the model has changed since `fit`.
        """
        check_is_fitted(self)
        bags = self._read_bags(X)
        digests, places, users = self._distinct(bags)
        with tqdm(
            total=len(places), desc="Images", unit="image", disable=not self.verbose
        ) as bar:

            def compute(positions: list[int]) -> Floats:
                vectors = np.empty((len(positions), self.n_dimensions_), np.float32)
                for start in range(0, len(positions), self.batch_size):
                    part = [places[i] for i in positions[start:][: self.batch_size]]
                    vectors[start : start + len(part)] = self._see(bags.pixels[part])
                    bar.update(len(part))
                return vectors

            vectors = cached_vectors(
                Store.of(self.memory, "pretrained"),
                {**self._key(), "pooling": self.pooling},
                digests,
                self.n_dimensions_,
                compute,
            )
        return pool_users(vectors, users, self.user_pooling)

    @torch.inference_mode()
    @fixed_threads()
    def _see(self, pixels: NDArray[np.uint8]) -> Floats:
        whole = self._ready_model()
        model = vision_part(whole)
        prepared = self._prepared(pixels)
        with self._running():
            read = model(pixel_values=prepared)
        if self.pooling == "mean":
            vectors = _mean_of_patches(model, read)
        elif self.pooling == "projected":
            vectors = _projected(whole, model, read)
        else:
            vectors = _state(model, read)
        found: Floats = vectors.float().cpu().numpy()
        return found


def _state(model: Any, read: Any) -> Tensor:
    state = image_state(model, read)
    if state is None:
        msg = (
            f"PretrainedImageVectors: {type(model).__name__} has neither a [CLS] "
            "position nor a learned pooler, which pooling='cls' takes; use "
            "pooling='mean'"
        )
        raise SourceError(msg)
    return state


def _projected(whole: Any, model: Any, read: Any) -> Tensor:
    projection = getattr(whole, "visual_projection", None)
    if projection is not None:
        vectors: Tensor = projection(_state(model, read))
        return vectors
    if hasattr(model, "head"):
        # SigLIP compares what its pooler gives.
        return _state(model, read)
    msg = (
        f"PretrainedImageVectors: pooling='projected' takes a whole CLIP or SigLIP "
        f"model; {type(whole).__name__} projects no images"
    )
    raise SourceError(msg)


def _mean_of_patches(model: Any, read: Any) -> Tensor:
    # ConvNeXt normalises its mean, and ResNet pools for itself.
    pooled: Tensor | None = getattr(read, "pooler_output", None)
    if read.last_hidden_state.ndim == 4 and pooled is not None:
        return pooled.flatten(1)
    return pool_positions(patch_states(model, read), None, "mean")
