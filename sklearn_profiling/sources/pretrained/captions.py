"""Captions of users' images, for models that read text alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import deepcopy
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._frames import as_pandas
from sklearn_profiling._seeding import RandomState
from sklearn_profiling._store import Store, cached_texts
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._columns import read_messages
from sklearn_profiling.sources.pretrained._tokenizers import load_transformers_tokenizer
from sklearn_profiling.sources.pretrained._vision import VISION_CONSTRAINTS, VisionModel

__all__ = ["ImageCaptioner"]


class ImageCaptioner(TransformerMixin, VisionModel):
    """Describe each image with a frozen image-to-text model.

    Parameters
    ----------
    model : str, path-like, PreTrainedConfig or Module
        A folder with the files of a Hugging Face model that writes a caption without a
        prompt (BLIP, BLIP-2, a VisionEncoderDecoder), its configuration, which gives
        random weights, or the module itself, of which a copy is used. Nothing is ever
        downloaded.
    tokenizer : str, path-like, PreTrainedTokenizerFast or None, default=None
        Decodes captions: a folder or the object; None takes that of the folder `model`.
    messages : str or None, default=None
        Name of a column of messages. If given, `X` is a table of that column and the
        one of images, and captions are appended to the messages. None gives captions
        alone.
    max_tokens : int, default=30
        Longest caption, in tokens (our choice).
    n_beams : int, default=1
        Beams of the search; 1 is greedy decoding (our choice).
    max_images : int or None, default=None
        Describe only the first `max_images` images of each user (3 in the paper [1]_);
        None describes all.
    size : tuple of (int, int) or None, default=None
        Height and width in pixels that the model gets; None takes the model's own, or
        (224, 224) if it has none.
    image_mean, image_std : sequence of 3 floats or None, default=None
        Mean and deviation of red, green and blue, of pixels from 0 to 1, by which they
        are scaled. None takes those of the file ``processor_config.json`` or
        ``preprocessor_config.json`` in the folder `model`. Where there are none it is
        0.5, as for ViT, with a warning unless the weights are random.
    batch_size : int, default=8
        Images per batch.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which decoded images and their captions are kept, found by their
        content and by the fingerprint of the model. None writes nothing.
    device : str, default="cpu"
        Torch device; "auto" takes a GPU if there is one.
    dtype : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Precision of the model.
    random_state : int, RandomState instance or None, default=None
        Decides the weights where `model` is a configuration.
    verbose : int, default=0
        Show a progress bar if above 0.

    Attributes
    ----------
    fingerprint_ : str
        Hash of the model's weights and settings.
    size_ : tuple of (int, int)
        Height and width that the model gets.
    image_mean_, image_std_ : tuple of 3 floats
        The scale of pixels.

    See Also
    --------
    PretrainedImageVectors : Images as vectors, for models that read vectors.
    SubwordSegmenter : Reads what comes out.

    Notes
    -----
    Captions are searched, never sampled. A repeated image is described once. There is a
    caption for each image, in its place: one without a word is an empty str, which is
    left out behind messages. ``SubwordSegmenter(keep_all=True)`` keeps the places.

    Images are stretched to the size, not cropped, with bilinear, antialiased scaling;
    the model's own preprocessing is not run.

    A pickle holds no weights of a folder: the folder has to be there when it is used
    again, with the same content.

    References
    ----------
    .. [1] Exploring Unified Training Framework for Multimodal User Profiling. Anonymous
       submission to the ACL.

    Examples
    --------
    With a model in a folder, captions as a source of their own and behind the reviews::

        SourceUnion(
            [
                (
                    "captions",
                    make_pipeline(ImageCaptioner("blip2"), segmenter),
                    "images",
                ),
                (
                    "text",
                    make_pipeline(
                        ImageCaptioner("blip2", messages="reviews"), segmenter
                    ),
                    ["reviews", "images"],
                ),
            ]
        )
    """

    _auto_class: ClassVar[str] = "AutoModelForImageTextToText"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VISION_CONSTRAINTS,
        "tokenizer": [str, os.PathLike, HasMethods(["decode"]), None],
        "messages": [str, None],
        "max_tokens": [Interval(Integral, 1, None, closed="left")],
        "n_beams": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        messages: str | None = None,
        max_tokens: int = 30,
        n_beams: int = 1,
        max_images: int | None = None,
        size: tuple[int, int] | None = None,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        batch_size: int = 8,
        memory: str | os.PathLike[str] | Memory | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.messages = messages
        self.max_tokens = max_tokens
        self.n_beams = n_beams
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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Load the model and the tokenizer; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_users,)
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        ImageCaptioner
            The fitted transformer.

        Raises
        ------
        SourceError
            If a folder does not exist or does not hold what it should, there is no
            tokenizer, or the model writes no text.
        MissingDependencyError
            If the extra ``multimodal`` is not installed.
        """
        given = self.model if self.tokenizer is None else self.tokenizer
        if not isinstance(given, str | os.PathLike) and self.tokenizer is None:
            msg = (
                "ImageCaptioner needs a tokenizer: a folder as model may hold one, a "
                "configuration or a module does not"
            )
            raise SourceError(msg)
        model = self._fit_model()
        if not hasattr(model, "generate"):
            msg = (
                f"ImageCaptioner needs a model that generates text; got "
                f"{type(model).__name__}"
            )
            raise SourceError(msg)
        self._tokenizer = deepcopy(load_transformers_tokenizer(given, self))
        self._fit_pixels(model.config)
        return self

    def transform(self, X: Any) -> NDArray[np.object_]:
        """Describe the images.

        Parameters
        ----------
        X : ImageBags, Series, array-like of shape (n_users,), or table
            Images of each user: bags that are made already, of any size, or cells as
            :class:`ImageBagTransformer` takes them; with `messages`, a DataFrame of
            two columns, that one and the images.

        Returns
        -------
        ndarray of object, shape (n_users,)
            A list of captions for each user, one an image; with `messages`, the
            messages and then the captions that say something.

        Raises
        ------
        SourceError
            If the column is of another kind, an image cannot be used, or the folder of
            the model has changed since `fit`.
        """
        check_is_fitted(self)
        written: list[list[str]] | None = None
        if self.messages is not None:
            written, X = self._split(X)
        bags = self._read_bags(X)
        digests, places, users = self._distinct(bags)
        captions = self._captions(bags, digests, places)
        found = np.empty(len(users), dtype=object)
        for user, own in enumerate(users):
            described = [captions[i] for i in own]
            if written is not None:
                described = written[user] + [text for text in described if text]
            found[user] = described
        return found

    def _split(self, X: Any) -> tuple[list[list[str]], Any]:
        X = as_pandas(X)
        if not isinstance(X, pd.DataFrame) or self.messages not in X or X.shape[1] != 2:
            columns = list(X) if isinstance(X, pd.DataFrame) else type(X).__name__
            msg = (
                f"ImageCaptioner with messages={self.messages!r} takes a table of that "
                f"column and one of images; got {columns}"
            )
            raise SourceError(msg)
        messages = read_messages(X[self.messages], self)
        return messages, X.drop(columns=self.messages)

    def _captions(
        self, bags: ImageBags, digests: list[bytes], places: list[int]
    ) -> list[str]:
        key = {
            **self._key(),
            "max_tokens": int(self.max_tokens),
            "n_beams": int(self.n_beams),
            "tokenizer": self._tokenizer.backend_tokenizer.to_str(),
        }
        with tqdm(
            total=len(places), desc="Captions", unit="image", disable=not self.verbose
        ) as bar:

            def compute(positions: list[int]) -> list[str]:
                texts: list[str] = []
                for start in range(0, len(positions), self.batch_size):
                    part = [places[i] for i in positions[start:][: self.batch_size]]
                    texts += self._describe(bags.pixels[part])
                    bar.update(len(part))
                return texts

            return cached_texts(
                Store.of(self.memory, "pretrained"), key, digests, compute
            )

    @torch.inference_mode()
    @fixed_threads()
    def _describe(self, pixels: NDArray[np.uint8]) -> list[str]:
        model, prepared = self._ready_model(), self._prepared(pixels)
        with self._running():
            tokens = model.generate(
                pixel_values=prepared,
                max_new_tokens=self.max_tokens,
                num_beams=self.n_beams,
                do_sample=False,
            )
        texts = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
