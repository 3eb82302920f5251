"""What estimators read: named sources, checked; what ``fit`` saw of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError

__all__ = [
    "Source",
    "SourceSpec",
    "Sources",
    "as_sources",
    "one_text",
    "present",
    "texts_of",
    "tokens_of_array",
]

Source = TokenMessages | ImageBags | npt.NDArray[np.floating[Any]]
Sources = dict[str, Source]


@dataclass(frozen=True)
class SourceSpec:
    """What ``fit`` saw of a source, and ``predict`` must see again.

    Attributes
    ----------
    kind : {"text", "images", "vectors"}
        Kind of the source.
    n_features : int
        Columns of a dense source; length of a text's word vectors, 0 if it has none;
        numbers in an image.
    fingerprint : str
        That of a text's vocabulary; empty for other sources.
    n_words : int
        Size of a text's vocabulary; 0 for other sources.
    image_shape : tuple of int
        Channels, height and width of images; empty for other sources.
    """

    kind: str
    n_features: int
    fingerprint: str = ""
    n_words: int = 0
    image_shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: Source) -> SourceSpec:
        """Describe a source.

        Parameters
        ----------
        source : TokenMessages, ImageBags or ndarray
            A checked source.

        Returns
        -------
        SourceSpec
            Its description.
        """
        if isinstance(source, TokenMessages):
            vocabulary = source.vocabulary
            return cls(
                "text",
                vocabulary.n_dimensions,
                vocabulary.fingerprint,
                len(vocabulary),
            )
        if isinstance(source, ImageBags):
            shape = source.image_shape
            return cls("images", math.prod(shape), image_shape=shape)
        return cls("vectors", source.shape[1])

    def __str__(self) -> str:
        if self.kind == "images":
            return f"images of {' x '.join(map(str, self.image_shape))}"
        return f"{self.kind} with {self.n_features} features"


def as_sources(X: Any, *, default_name: str) -> Sources:
    """Bring what an estimator may be given into a dict of checked sources.

    Parameters
    ----------
    X : mapping of str to source, TokenMessages, ImageBags or ndarray
        Named sources, as :class:`~sklearn_profiling.sources.SourceUnion` makes them,
        or one source alone.
    default_name : str
        Name of a source given alone.

    Returns
    -------
    dict of str to TokenMessages, ImageBags or ndarray
        The sources in the order of the mapping.

    Raises
    ------
    SourceError
        If a source is of an unknown kind, numbers of users differ, or a row of a dense
        source is NaN in part.
    """
    given = dict(X) if isinstance(X, Mapping) else {default_name: X}
    if not given:
        msg = "X holds no source; at least one is needed"
        raise SourceError(msg)
    sources = {str(name): _check_source(name, source) for name, source in given.items()}
    lengths = {name: len(source) for name, source in sources.items()}
    if len(set(lengths.values())) > 1:
        msg = f"all sources must hold the same users; they hold {lengths}"
        raise SourceError(msg)
    return sources


def _check_source(name: str, source: Any) -> Source:
    if isinstance(source, TokenMessages):
        return source
    if isinstance(source, ImageBags):
        if 0 in source.image_shape:
            size = SourceSpec.of(source)
            msg = f"source {name!r} holds {size}; every side must be at least 1"
            raise SourceError(msg)
        return source
    try:
        dense = np.asarray(source)
        if dense.dtype.kind not in "fiub":
            dense = dense.astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = (
            f"source {name!r} must be TokenMessages, ImageBags or a numeric array of "
            f"shape (n_users, n_features); got {type(source).__name__}: {error}"
        )
        raise SourceError(msg) from error
    if dense.ndim != 2 or dense.shape[1] == 0:
        msg = (
            f"source {name!r} must have shape (n_users, n_features) with at least one "
            f"feature; got {dense.shape}"
        )
        raise SourceError(msg)
    if dense.dtype.kind == "f":
        _check_rows(name, dense)
    return dense


def _check_rows(name: str, dense: npt.NDArray[np.floating[Any]]) -> None:
    """Accept a row of NaN, the sign of a missing source, and nothing in between."""
    if np.isinf(dense).any():
        row = int(np.flatnonzero(np.isinf(dense).any(axis=1))[0])
        msg = f"source {name!r} must be finite; row {row} holds infinity"
        raise SourceError(msg)
    unknown = np.isnan(dense)
    torn = unknown.any(axis=1) & ~unknown.all(axis=1)
    if torn.any():
        row = int(np.flatnonzero(torn)[0])
        column = int(np.flatnonzero(unknown[row])[0])
        msg = (
            f"source {name!r}: row {row} is NaN in column {column} but not in all; a "
            "row of NaN alone marks a missing source, single gaps must be imputed"
        )
        raise SourceError(msg)


def present(source: Source) -> npt.NDArray[np.bool_]:
    """Tell which users have a source.

    Parameters
    ----------
    source : TokenMessages, ImageBags or ndarray
        A checked source.

    Returns
    -------
    ndarray of bool, shape (n_users,)
        False for users without messages or images, or with a row of NaN.
    """
    if isinstance(source, TokenMessages | ImageBags):
        return ~source.missing
    there: npt.NDArray[np.bool_] = ~np.isnan(source[:, 0])
    return there


def texts_of(sources: Sources) -> Sources:
    """Pick the texts among sources.

    Parameters
    ----------
    sources : dict of str to source
        Checked sources.

    Returns
    -------
    dict of str to TokenMessages
        Those that are texts.
    """
    return {n: s for n, s in sources.items() if isinstance(s, TokenMessages)}


def one_text(sources: Sources, name: str | None, reader: str) -> Sources:
    """Pick the one text that an estimator reads.

    Parameters
    ----------
    sources : dict of str to source
        Checked sources.
    name : str or None
        Name of the text; None if there is only one.
    reader : str
        Name of the estimator, for the message.

    Returns
    -------
    dict of str to TokenMessages
        That text alone.

    Raises
    ------
    SourceError
        If there is no such text, or several and none is named.
    """
    texts = texts_of(sources)
    chosen = next(iter(texts)) if name is None and len(texts) == 1 else name
    if chosen not in texts:
        msg = (
            f"{reader} reads one text; parameter source is {name!r} and X holds the "
            f"texts {list(texts)}"
        )
        raise SourceError(msg)
    return {chosen: texts[chosen]}


def check_specs(sources: Sources, specs: Mapping[str, SourceSpec]) -> Sources:
    """Hold sources at predict time against those of ``fit``.

    Parameters
    ----------
    sources : dict of str to source
        Checked sources.
    specs : mapping of str to SourceSpec
        What ``fit`` saw.

    Returns
    -------
    dict of str to source
        The sources in the order of ``fit``.

    Raises
    ------
    SourceError
        If a source is absent or of another shape.
    VocabularyMismatchError
        If a text comes with another vocabulary.
    """
    if set(sources) != set(specs):
        msg = (
            f"X must hold the sources seen in fit, {list(specs)}; it holds "
            f"{list(sources)}. A user without a source keeps a row: an empty list of "
            "messages or images, or a row of NaN"
        )
        raise SourceError(msg)
    for name, spec in specs.items():
        now = SourceSpec.of(sources[name])
        if (
            now.kind != spec.kind
            or now.image_shape != spec.image_shape
            or (spec.kind == "vectors" and now.n_features != spec.n_features)
        ):
            msg = f"source {name!r} was {spec} in fit; it is {now}"
            raise SourceError(msg)
        if now.fingerprint != spec.fingerprint:
            msg = (
                f"source {name!r} is written with another vocabulary than in fit "
                f"({now.n_words} words against {spec.n_words}); transform it with the "
                "fitted transformer, or use TokenMessages.with_vocabulary"
            )
            raise VocabularyMismatchError(msg)
    return {name: sources[name] for name in specs}


def tokens_of_array(
    X: npt.NDArray[Any], vocabulary: Vocabulary | None = None
) -> TokenMessages:
    """Read a plain 2-D array as padded token ids, one message a user.

    Parameters
    ----------
    X : ndarray of numbers, shape (n_users, n_positions)
        Token ids; 0 is padding. Any other value is a word of its own.
    vocabulary : Vocabulary, default=None
        That of ``fit``; unknown tokens are then left out.

    Returns
    -------
    TokenMessages
        The tokens as words.
    """
    values, inverse = np.unique(X, return_inverse=True)
    # numpy 2.0 and 2.1 give the inverse different shapes.
    inverse = inverse.reshape(X.shape)
    words = [repr(value) for value in values.astype(float).tolist()]
    used = X != 0
    counts = used.sum(axis=1)
    filled = counts > 0
    text = TokenMessages(
        inverse[used],
        np.concatenate([[0], np.cumsum(counts[filled])]),
        np.concatenate([[0], np.cumsum(filled)]),
        Vocabulary(words),
    )
    if vocabulary is None:
        vocabulary = Vocabulary(
            word
            for word, count in zip(words, text.word_counts(), strict=True)
            if count > 0
        )
    return text.with_vocabulary(vocabulary)
