"""Vectors of users' messages from a pretrained language model."""

from __future__ import annotations

import os
from copy import deepcopy
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState
from sklearn_profiling._store import Store, cached_vectors, digest_of
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources._columns import read_messages
from sklearn_profiling.sources.pretrained._model import (
    MODEL_CONSTRAINTS,
    LocalModel,
    without_pooler,
)
from sklearn_profiling.sources.pretrained._pooling import pool_positions, pool_users
from sklearn_profiling.sources.pretrained._tokenizers import (
    cutting,
    load_transformers_tokenizer,
)

__all__ = ["PretrainedTextVectors"]

Floats = NDArray[np.float32]
Tokens = NDArray[np.int64]


class PretrainedTextVectors(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, LocalModel
):
    """Encode messages with a frozen language model and pool the vectors of a user.

    Parameters
    ----------
    model : str, path-like, PreTrainedConfig or Module
        A folder with the files of a Hugging Face encoder (BERT, RoBERTa, a sentence
        transformer's, the encoder of T5 or BART), its configuration, which gives
        random weights, or the module itself, of which a copy is used. Nothing is ever
        downloaded.
    tokenizer : str, path-like, PreTrainedTokenizerFast or None, default=None
        A folder or the object; None takes that of the folder `model`.
    pooling : {"mean", "cls"}, default="mean"
        Pooling of the tokens of a message: their mean, which without fine-tuning is
        better than the state of the first token, "cls" (our choice).
    user_pooling : {"mean", "max"}, default="mean"
        Pooling of the messages of a user: their mean, or the largest value of each
        feature (our choice).
    max_tokens : int, default=256
        Longest message in tokens, special ones counted; the rest is cut off, as is
        what exceeds the positions of the model (our choice).
    max_messages : int or None, default=None
        Use only the first `max_messages` messages of each user; None uses all.
    batch_size : int, default=32
        Messages per batch; messages of similar length share one.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which vectors of messages are kept, found by their tokens and by the
        fingerprint of the model: no message is encoded twice. None writes nothing.
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

    See Also
    --------
    PretrainedImageVectors : The same for images.
    MeanWordVectors : Word vectors, a thousand times cheaper.

    Notes
    -----
    Users without text get a row of NaN, the mark of a missing source, as do users of
    whose messages the tokenizer leaves nothing. A repeated message is encoded
    once and counts each time. Special tokens that a user wrote are read as plain text.

    A pickle holds no weights of a folder: the folder has to be there when it is used
    again, with the same content. Copies of a module are made by ``clone`` as well, so
    a folder is better for large models.

    Messages that share a batch change a vector by no more than rounding.

    Examples
    --------
    >>> from transformers import BertConfig
    >>> from sklearn_profiling.sources import PretrainedTextVectors, SubwordSegmenter
    >>> column = [["tea and tea", "teapot"], None, ["tea"]]
    >>> tokenizer = SubwordSegmenter(n_tokens=270).fit(column).to_transformers()
    >>> config = BertConfig(
    ...     vocab_size=270,
    ...     hidden_size=8,
    ...     num_hidden_layers=1,
    ...     num_attention_heads=2,
    ...     intermediate_size=8,
    ... )
    >>> vectors = PretrainedTextVectors(config, tokenizer, random_state=0)
    >>> found = vectors.fit_transform(column)
    >>> found.shape, bool(found[1, 0] != found[1, 0])
    ((3, 8), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MODEL_CONSTRAINTS,
        "tokenizer": [str, os.PathLike, HasMethods(["encode"]), None],
        "pooling": [StrOptions({"mean", "cls"})],
        "user_pooling": [StrOptions({"mean", "max"})],
        "max_tokens": [Interval(Integral, 1, None, closed="left")],
        "max_messages": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        pooling: str = "mean",
        user_pooling: str = "mean",
        max_tokens: int = 256,
        max_messages: int | None = None,
        batch_size: int = 32,
        memory: str | os.PathLike[str] | Memory | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.user_pooling = user_pooling
        self.max_tokens = max_tokens
        self.max_messages = max_messages
        self.batch_size = batch_size
        self.memory = memory
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _part(self, module: Any) -> Any:
        # A T5 that was saved as an encoder alone is read with a decoder of no use.
        both = hasattr(module, "encoder") and hasattr(module, "decoder")
        if both or getattr(module.config, "is_encoder_decoder", False):
            return module.get_encoder()
        return without_pooler(getattr(module, "text_model", module))

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
        PretrainedTextVectors
            The fitted transformer.

        Raises
        ------
        SourceError
            If a folder does not exist or does not hold what it should, there is no
            tokenizer, or it has more tokens than the model knows.
        MissingDependencyError
            If the extra ``multimodal`` is not installed.
        """
        self._tokenizer = self._read_tokenizer()
        config = self._fit_model().config
        self._limit(config)
        n_known = getattr(config, "vocab_size", None)
        if n_known is not None and len(self._tokenizer) > n_known:
            msg = (
                f"PretrainedTextVectors: the tokenizer has {len(self._tokenizer)} "
                f"tokens and the model knows {n_known}; give the tokenizer that the "
                "model was trained with"
            )
            raise SourceError(msg)
        self.n_dimensions_ = int(config.hidden_size)
        self._n_features_out = self.n_dimensions_
        return self

    def _read_tokenizer(self) -> Any:
        given = self.tokenizer
        if given is None:
            if not isinstance(self.model, str | os.PathLike):
                msg = (
                    "PretrainedTextVectors needs a tokenizer: a folder as model may "
                    "hold one, a configuration or a module does not"
                )
                raise SourceError(msg)
            given = self.model
        # Copy, so that the caller's truncation and padding settings stay unchanged.
        return deepcopy(load_transformers_tokenizer(given, self))

    def transform(self, X: Any) -> Floats:
        """Encode the messages.

        Parameters
        ----------
        X : Series, list or array of shape (n_users,), or table with one column
            Messages of each user: a list of str, one str, or None or NaN for a user
            without text.

        Returns
        -------
        ndarray of float32, shape (n_users, n_dimensions)
            One vector a user; NaN for users without text.

        Raises
        ------
        SourceError
            If a cell is anything else, with its row, or the folder of the model has
            changed since `fit`.
        """
        check_is_fitted(self)
        self._validate_params()
        users = [messages[: self.max_messages] for messages in read_messages(X, self)]
        texts = list(dict.fromkeys(text for messages in users for text in messages))
        tokens = self._tokens(texts)
        # Shortest first, so that messages of similar length share a batch.
        filled = [i for i, ids in enumerate(tokens) if len(ids)]
        order = sorted(filled, key=lambda i: len(tokens[i]))
        row = {texts[i]: position for position, i in enumerate(order)}
        vectors = self._vectors([tokens[i] for i in order])
        return pool_users(
            vectors,
            [[row[text] for text in messages if text in row] for messages in users],
            self.user_pooling,
        )

    def _limit(self, config: Any) -> int:
        """Return how many tokens of a message are read."""
        limits = {
            "max_tokens": self.max_tokens,
            "model_max_length": self._tokenizer.model_max_length,
            "max_position_embeddings": getattr(config, "max_position_embeddings", None)
            or self.max_tokens,
        }
        for name, limit in limits.items():
            if not isinstance(limit, int | float) or not limit >= 1:
                msg = (
                    f"{type(self).__name__}: {name} of model={str(self.model)!r:.80} "
                    f"must be a number from 1 up; got {shortened(limit)}"
                )
                raise SourceError(msg)
        return int(min(limits.values()))

    def _tokens(self, texts: list[str]) -> list[Tokens]:
        """Cut texts into tokens; an empty array for a text without any of its own."""
        if not texts:
            return []
        limit = self._limit(self._ready_model().config)
        with cutting(self):
            cut = self._tokenizer(
                texts,
                truncation=True,
                max_length=limit,
                # Special tokens that a user writes are plain text.
                split_special_tokens=True,
                return_attention_mask=False,
                return_special_tokens_mask=True,
            )
        return [
            np.array([] if all(special) else ids, np.int64)
            for ids, special in zip(
                cut["input_ids"], cut["special_tokens_mask"], strict=True
            )
        ]

    def _vectors(self, tokens: list[Tokens]) -> Floats:
        """Encode messages, or take their vectors from the store."""
        key = {
            **self._computed_by(),
            "kind": type(self).__name__,
            "pooling": self.pooling,
        }
        with tqdm(
            total=len(tokens), desc="Messages", unit="msg", disable=not self.verbose
        ) as bar:

            def compute(positions: list[int]) -> Floats:
                vectors = np.empty((len(positions), self.n_dimensions_), np.float32)
                for start in range(0, len(positions), self.batch_size):
                    part = positions[start : start + self.batch_size]
                    found = self._read_batch([tokens[i] for i in part])
                    vectors[start : start + len(part)] = found
                    bar.update(len(part))
                return vectors

            return cached_vectors(
                Store.of(self.memory, "pretrained"),
                key,
                [digest_of(ids.tobytes()) for ids in tokens],
                self.n_dimensions_,
                compute,
            )

    @torch.inference_mode()
    @fixed_threads()
    def _read_batch(self, tokens: list[Tokens]) -> Floats:
        longest = max(map(len, tokens))
        ids = np.full((len(tokens), longest), self._tokenizer.pad_token_id or 0)
        mask = np.zeros((len(tokens), longest), np.int64)
        for row, message in enumerate(tokens):
            ids[row, : len(message)] = message
            mask[row, : len(message)] = 1
        there = torch.from_numpy(mask).to(self._torch_device)
        given = torch.from_numpy(ids).to(self._torch_device)
        model = self._ready_model()
        with self._running():
            read = model(input_ids=given, attention_mask=there)
        states = read.last_hidden_state  # (n_messages, longest, n_dimensions)
        pooled = pool_positions(states, there, self.pooling)
        found: Floats = pooled.float().cpu().numpy()
        return found

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags
