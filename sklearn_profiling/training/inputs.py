"""Named sources as estimators read them, checked, and what ``fit`` saw of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import sparse

from sklearn_profiling._frames import as_pandas, refuse_levels
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import ImageBags, TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.targets import EncodedLabels, LabelCodec
from sklearn_profiling.training.label_weights import LabelWeights

__all__ = [
    "Source",
    "SourceSpec",
    "Sources",
    "TrainingUsers",
    "as_in_fit",
    "as_sources",
    "matching_names",
    "named_sources",
    "one_bag",
    "one_text",
    "present",
    "raw_content",
    "refuse_raw",
    "refuse_sparse",
    "text_and_images",
    "texts_of",
    "tokens_of_array",
    "without_empty_messages",
]

Source = TokenMessages | ImageBags | npt.NDArray[np.floating[Any]] | sparse.csr_array
Sources = dict[str, Source]


@dataclass(frozen=True)
class SourceSpec:
    """What ``fit`` saw of a source, and ``predict`` must see again.

    Attributes
    ----------
    kind : {"text", "images", "vectors", "sparse"}
        Kind of the source.
    n_features : int
        Columns of a dense or sparse source; embedding dimension of a text, 0 if it has
        no vectors; values of an image.
    fingerprint : str
        That of a text's vocabulary; empty for other sources.
    n_words : int
        Size of a text's vocabulary; 0 for other sources.
    image_shape : tuple of int
        Channels, height and width of images; empty for other sources.
    """

    kind: Literal["text", "images", "vectors", "sparse"]
    n_features: int
    fingerprint: str = ""
    n_words: int = 0
    image_shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: Source) -> SourceSpec:
        """Describe a checked source."""
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
        return cls("sparse" if sparse.issparse(source) else "vectors", source.shape[1])

    def describe(
        self,
        name: str,
        statistics: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
        vectors: npt.NDArray[np.floating[Any]] | torch.Tensor | None = None,
    ) -> SourceDescription:
        """Describe the source to an architecture, with its mean and deviation (d,)."""
        if isinstance(vectors, np.ndarray):
            vectors = torch.tensor(vectors)
        mean, scale = (torch.tensor(part) for part in statistics)
        return SourceDescription(
            name,
            self.kind,
            self.n_features,
            mean,
            scale,
            n_words=self.n_words,
            vectors=vectors,
            image_shape=self.image_shape,
        )

    def __str__(self) -> str:
        if self.kind == "images":
            return f"images of {' x '.join(map(str, self.image_shape))}"
        if self.kind == "sparse":
            return f"a sparse matrix with {self.n_features} features"
        return f"{self.kind} with {self.n_features} features"


class TrainingUsers(NamedTuple):
    """The users that a net is trained on: each has a label of weight above zero."""

    sources: Sources
    labels: EncodedLabels
    weights: LabelWeights
    codec: LabelCodec


def as_sources(X: Any, *, default_name: str) -> Sources:
    """Bring what an estimator may be given into a dict of checked sources.

    A source given alone gets `default_name`. Raises SourceError if a source is of an
    unknown kind, numbers of users differ, or a row of a dense source is NaN in part.
    """
    # Scipy's dictionary of keys is a mapping too.
    named = isinstance(X, Mapping) and not sparse.issparse(X)
    given = dict(X) if named else {default_name: X}
    if not given:
        msg = "X holds no source; at least one is needed"
        raise SourceError(msg)
    sources = {str(name): _check_source(name, source) for name, source in given.items()}
    lengths = {name: source.shape[0] for name, source in sources.items()}
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
    if sparse.issparse(source):
        return _check_sparse(name, source)
    try:
        dense = np.asarray(source)
        if dense.dtype.kind not in "fiub":
            dense = dense.astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = (
            f"source {name!r} must be TokenMessages, ImageBags or a numeric array or "
            "sparse matrix of shape (n_users, n_features); got "
            f"{type(source).__name__}: {error}"
        )
        raise SourceError(msg) from error
    _check_shape(name, dense.shape)
    if dense.dtype.kind == "f":
        _check_rows(name, dense)
    return dense


def _check_sparse(name: str, source: Any) -> sparse.csr_array:
    """Bring a sparse matrix of any format into rows of floats in order of columns.

    Neither the matrix nor its flags change, so that its hash stays the same.
    """
    _check_shape(name, source.shape)
    if source.dtype.kind not in "fiub":
        msg = f"source {name!r} must hold real numbers; its dtype is {source.dtype}"
        raise SourceError(msg)
    rows = sparse.csr_array(source)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    faults = np.flatnonzero(~np.isfinite(rows.data))
    if len(faults):
        row = int(np.searchsorted(rows.indptr, faults[0], side="right")) - 1
        msg = (
            f"source {name!r} must be finite; row {row} holds {rows.data[faults[0]]} "
            f"in column {rows.indices[faults[0]]}; a row of a sparse matrix without "
            "entries marks a missing source"
        )
        raise SourceError(msg)
    return rows


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[1] == 0:
        msg = (
            f"source {name!r} must have shape (n_users, n_features) with at least one "
            f"feature; got {shape}"
        )
        raise SourceError(msg)


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


def raw_content(X: Any) -> str:
    """Say what of X is text or lists, as users' own tables hold them; else "".

    Arrays of two dimensions are left to scikit-learn's validation.
    """
    table = as_pandas(X)
    refuse_levels(table, "X", SourceError)
    if isinstance(table, pd.DataFrame):
        texts = [name for name, column in table.items() if not _is_numeric(column)]
        return f"the columns {texts!s:.200} hold text or lists" if texts else ""
    flat = isinstance(table, np.ndarray) and table.ndim == 1
    if isinstance(table, pd.Series | list | tuple) or flat:
        for cell in table:
            parts = cell if isinstance(cell, list | tuple) else [cell]
            if any(isinstance(part, str) for part in parts):
                return "it holds text"
    return ""


def refuse_raw(X: Any, name: str, pipeline: str) -> None:
    """Refuse users' own tables, given to the classifier `name` without its `pipeline`.

    `pipeline` is the call that makes the Pipeline of "{}"; "" where there is none.
    """
    raw = raw_content(X)
    if not raw:
        return
    way = (
        f"{pipeline.format(name)} of sklearn_profiling.pipelines makes the whole system"
        if pipeline
        else "put a SourceUnion of sklearn_profiling.sources before it in a Pipeline"
    )
    msg = f"{name} reads sources, not users' own messages: {raw} in X; {way}"
    raise SourceError(msg)


def _is_numeric(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return True
    try:
        column.astype(float)
    except (TypeError, ValueError):
        # The validation of arrays refuses other cells that are no numbers, like dates.
        return not any(isinstance(cell, Iterable) for cell in column)
    return True


def present(source: Source) -> npt.NDArray[np.bool_]:
    """Which users have a source, with a message, an image or a number: (n_users,)."""
    if isinstance(source, TokenMessages | ImageBags):
        return ~source.missing
    there: npt.NDArray[np.bool_]
    if isinstance(source, np.ndarray):
        there = ~np.isnan(source[:, 0])
    else:
        there = np.diff(source.indptr) > 0
    return there


def texts_of(sources: Sources) -> Sources:
    """Pick the texts among sources."""
    return {n: s for n, s in sources.items() if isinstance(s, TokenMessages)}


def without_empty_messages(sources: Sources) -> Sources:
    """Leave out messages without a word, whose maximum or mean is undefined."""
    texts = {
        name: text.without_empty()
        for name, text in sources.items()
        if isinstance(text, TokenMessages)
    }
    return {**sources, **texts}


def one_text(sources: Sources, name: str | None, reader: str) -> Sources:
    """Pick the one text that an estimator reads, by its name or as the only one."""
    texts = texts_of(sources)
    chosen = next(iter(texts)) if name is None and len(texts) == 1 else name
    if chosen not in texts:
        msg = (
            f"{reader} reads one text; parameter source is {name!r} and X holds the "
            f"texts {list(texts)}"
        )
        raise SourceError(msg)
    return {chosen: texts[chosen]}


def one_bag(sources: Sources, name: str | None, reader: str) -> Sources:
    """Pick the images that an estimator reads, or vectors where there are no images."""
    kinds = {each: SourceSpec.of(source).kind for each, source in sources.items()}
    readable = [each for each, kind in kinds.items() if kind == "images"]
    # Vectors serve as images, so that a plain array is enough.
    readable = readable or [each for each, kind in kinds.items() if kind == "vectors"]
    chosen = readable[0] if name is None and len(readable) == 1 else name
    if chosen not in readable:
        msg = (
            f"{reader} reads one source of images; parameter source is {name!r} and X "
            f"holds {kinds}"
        )
        raise SourceError(msg)
    return {chosen: sources[chosen]}


def text_and_images(
    sources: Sources,
    name: str | None,
    reader: str,
    *,
    reads: str,
    captions: str | None,
    required: bool = False,
) -> tuple[list[str], list[str]]:
    """Names of the one text, other than captions, and of the one source of images.

    Either may be absent, and both where none is `required`; `reads` tells in an error
    what the reader takes.
    """
    kinds = {each: SourceSpec.of(source).kind for each, source in sources.items()}
    texts = [each for each, k in kinds.items() if k == "text" and each != captions]
    images = [each for each, k in kinds.items() if k == "images"]
    if name is not None:
        texts = [each for each in texts if each == name]
    too_many = len(texts) > 1 or len(images) > 1
    absent = (name is not None and not texts) or (required and not (texts or images))
    if too_many or absent:
        msg = (
            f"{reader} reads {reads}; parameter source is {name!r} and X holds {kinds}"
        )
        raise SourceError(msg)
    return texts, images


def matching_names(entries: Sequence[str], names: Iterable[str]) -> list[str]:
    """Replace each entry that holds a `*` by the names that match it, in their order.

    Each name once. An entry that matches nothing stays, for the caller to refuse.
    """
    given = list(names)
    chosen: list[str] = []
    for entry in entries:
        pattern = str(entry)
        matching = [name for name in given if fnmatchcase(name, pattern)]
        chosen += matching if matching and "*" in pattern else [entry]
    return list(dict.fromkeys(chosen))


def named_sources(sources: Sources, names: Sequence[str] | None) -> Sources:
    """Pick the sources that are named, also by patterns; None takes all."""
    if names is None:
        return sources
    chosen = matching_names(names, sources)
    absent = [name for name in chosen if name not in sources]
    if absent or not len(names):
        msg = (
            f"parameter sources names {list(names)}; X holds {list(sources)}, and at "
            "least one of them is needed"
        )
        raise SourceError(msg)
    return {name: sources[name] for name in chosen}


def refuse_sparse(sources: Sources, reader: Any) -> Sources:
    """Return the sources; SourceError if one is sparse and the reader takes none."""
    for name, source in sources.items():
        if sparse.issparse(source) and not hasattr(reader, "n_features_sparse"):
            msg = (
                f"{type(reader).__name__} reads no sparse matrices, and source "
                f"{name!r} is one; a step such as TruncatedSVD makes it dense"
            )
            raise SourceError(msg)
    return sources


def as_in_fit(array: Any, specs: Mapping[str, SourceSpec]) -> Any:
    """Return a plain array as it is, or sparse where ``fit`` saw a sparse matrix.

    Scikit-learn predicts dense rows after a fit of sparse ones.
    """
    fitted = specs.get("vectors")
    if fitted is None or fitted.kind != "sparse" or sparse.issparse(array):
        return array
    return sparse.csr_array(array)


def check_specs(sources: Sources, specs: Mapping[str, SourceSpec]) -> Sources:
    """Check the sources of ``predict`` against those of ``fit``, and order them alike.

    Raises SourceError if one is absent or of another shape, and
    VocabularyMismatchError if a text comes with another vocabulary.
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
            or (
                spec.kind in {"vectors", "sparse"} and now.n_features != spec.n_features
            )
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
    """Read padded token ids (n_users, n_positions) as text, one message a user.

    0 is padding, any other value is a word of its own; words that are unknown to the
    `vocabulary` of ``fit`` are left out.
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
