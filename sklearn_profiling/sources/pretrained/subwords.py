"""Segmentation of messages into the tokens of a language model."""

from __future__ import annotations

import os
from itertools import chain
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.pretrained._tokenizers import (
    SPECIAL_TOKENS,
    as_transformers_tokenizer,
    cutting,
    load_tokenizer,
    load_transformers_tokenizer,
    train_tokenizer,
    vocabulary_of,
)
from sklearn_profiling.sources.text._segmenter import Segmenter, assemble

__all__ = ["SubwordSegmenter"]

_N_SMALLEST = 256 + len(SPECIAL_TOKENS)


class SubwordSegmenter(Segmenter):
    """Cut messages into the tokens of a language model.

    The ids of the result are those of the tokenizer, so that a language model reads
    them as they are.

    Parameters
    ----------
    tokenizer : str, path-like, tokenizers.Tokenizer, PreTrainedTokenizerFast or None, \
default=None
        A folder with the files of a Hugging Face tokenizer, or the object itself. None
        learns a byte-pair encoding from the messages of `fit`, as BART's: any text can
        be written with it. Nothing is ever downloaded.
    n_tokens : int, default=8000
        Largest vocabulary of a tokenizer that is learned, at least 261 for all bytes
        and the special tokens ``<pad>``, ``</s>``, ``<unk>``, ``<s>`` and ``<mask>``,
        which have the ids 0 to 4 (our choice). Ignored if `tokenizer` is given.
    max_tokens : int or None, default=None
        Longest message in tokens; the rest is cut off. None keeps all.
    drop_duplicates : bool, default=True
        Drop repeated messages of one user first.
    keep_all : bool, default=False
        Keep each message in its place: repeated ones, whatever `drop_duplicates` says,
        and those without a token, nulls among them. For captions, of which each goes
        with an image.

    Attributes
    ----------
    tokenizer_ : tokenizers.Tokenizer
        A copy of the tokenizer, without truncation or padding.
    vocabulary_ : Vocabulary
        All its tokens in the order of their ids, without vectors.

    See Also
    --------
    JiebaSegmenter : Words of Chinese, for nets that learn or read word vectors.

    Notes
    -----
    Special tokens are neither added nor recognised: ``</s>`` in a message is four
    characters. The model that reads the tokens adds its own. An id that the tokenizer
    does not use is named ``<unused id>`` in the vocabulary.

    The vocabulary is that of the tokenizer whatever the messages are, so all texts of
    one segmenter share it.

    Examples
    --------
    >>> from sklearn_profiling.sources import SubwordSegmenter
    >>> segmenter = SubwordSegmenter(n_tokens=270)
    >>> text = segmenter.fit_transform([["tea and tea", "teapot"], None])
    >>> text[0]
    [['tea', 'Ġand', 'Ġtea'], ['teapot']]
    >>> segmenter.tokenizer_.decode(text.ids[:3].tolist())
    'tea and tea'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "tokenizer": [str, os.PathLike, HasMethods(["encode"]), None],
        "n_tokens": [Interval(Integral, _N_SMALLEST, None, closed="left")],
        "max_tokens": [Interval(Integral, 1, None, closed="left"), None],
        "drop_duplicates": ["boolean"],
        "keep_all": ["boolean"],
    }

    def __init__(
        self,
        tokenizer: Any = None,
        *,
        n_tokens: int = 8000,
        max_tokens: int | None = None,
        drop_duplicates: bool = True,
        keep_all: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self.n_tokens = n_tokens
        self.max_tokens = max_tokens
        self.drop_duplicates = drop_duplicates
        self.keep_all = keep_all

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Load the tokenizer, or learn one.

        Parameters
        ----------
        X : Series, list or array of shape (n_users,), or table with one column
            Messages of each user; read only if `tokenizer` is None.
        y : None
            Ignored.

        Returns
        -------
        SubwordSegmenter
            The segmenter itself.

        Raises
        ------
        SourceError
            If the folder does not exist or holds no tokenizer, or there is no text to
            learn from.
        MissingDependencyError
            If the extra ``multimodal`` is not installed.
        """
        if self.tokenizer is None:
            messages, _ = self._read(X)
            if not any(messages):
                msg = (
                    "SubwordSegmenter learns its tokens from messages, and no user has "
                    "any; give a tokenizer, or users with text"
                )
                raise SourceError(msg)
            self.tokenizer_ = train_tokenizer(messages, int(self.n_tokens), self)
        else:
            self.tokenizer_ = load_tokenizer(self.tokenizer, self)
        self.vocabulary_ = vocabulary_of(self.tokenizer_)
        return self

    def transform(self, X: Any) -> TokenMessages:
        """Cut messages into tokens.

        Parameters
        ----------
        X : Series, list or array of shape (n_users,), or table with one column
            Messages of each user: a list of str, one str, or None or NaN for a user
            without text.

        Returns
        -------
        TokenMessages of shape (n_users,)
            The tokens, with the vocabulary of the tokenizer.

        Raises
        ------
        SourceError
            If a cell is anything else, with its row.
        """
        check_is_fitted(self)
        messages, lengths = self._read(X)
        # Pickles of tokenizers do not keep it; without it a message could hold
        # special tokens.
        self.tokenizer_.encode_special_tokens = True
        cut = self.tokenizer_.encode_batch_fast
        with cutting(self):
            encoded = cut(messages, add_special_tokens=False)
        kept = [each.ids[: self.max_tokens] for each in encoded]
        sizes = np.fromiter(map(len, kept), np.int64, len(kept))
        ids = np.fromiter(chain.from_iterable(kept), np.int32, int(sizes.sum()))
        return assemble(ids, sizes, lengths, self.vocabulary_, keep_empty=self.keep_all)

    def to_transformers(self) -> Any:
        """Return the tokenizer as one of the package transformers.

        Returns
        -------
        PreTrainedTokenizerFast
            The object given as `tokenizer` if it is one, what its folder holds, or a
            copy of the tokenizer with its special tokens named if it was learned.

        Raises
        ------
        SourceError
            If `tokenizer` is a ``tokenizers.Tokenizer``, which does not name its
            special tokens.
        """
        check_is_fitted(self)
        if self.tokenizer is None:
            return as_transformers_tokenizer(self.tokenizer_, self)
        return load_transformers_tokenizer(self.tokenizer, self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags
