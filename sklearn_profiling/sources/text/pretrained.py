"""Word vectors from a file."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._bounds import bounded
from sklearn_profiling._decorators import fit_context
from sklearn_profiling._packed_files import check_encodings
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text._vector_files import (
    FORMATS,
    VectorFile,
    existing_file,
)
from sklearn_profiling.sources.text.vocabulary import (
    WordVectorTransformer,
    check_text,
)

__all__ = ["PretrainedVectors"]


class PretrainedVectors(WordVectorTransformer):
    r"""Use word vectors that were trained elsewhere.

    The file is read once, in `fit`, entry by entry.

    Parameters
    ----------
    path : str or path-like
        The file; also packed with gzip, bzip2, xz, zstandard (extra ``zstd``) or zip. A
        byte order mark is no part of the first word, and UTF-16 that has one is read.
    format : str, default="auto"
        Layout: "auto", "word2vec-text", "word2vec-binary", "glove" or "gensim". Text is
        one word and its numbers a line, separated by blanks or tabs; word2vec files,
        fastText's .vec among them, have the number of words and of dimensions in the
        first line. "gensim" is what gensim's ``save`` writes. "auto" looks at the first
        lines.
    only_seen : bool, default=True
        Keep the words that occur in the text of `fit` and leave the others in the
        file, which keeps the vocabulary small. False keeps all, also for words that
        occur in `transform` only.
    max_words : int, default=None
        Read that many entries of the file, which commonly begins with the most
        frequent words; None reads all.
    unknown : {"drop", "average"}, default="drop"
        What becomes of words outside the vocabulary in `transform`: left out, or
        replaced by one entry that has the average of all vectors.
    encoding : str, default="utf-8"
        Encoding of the words.
    on_bad_lines : {"error", "skip"}, default="error"
        Raise at an entry that breaks the format, or leave it out and count it in
        ``report_``: of a word that stands twice, the first is kept. A first line whose
        numbers are off raises likewise, or is a warning.
    member : str, default=None
        The file in a zip archive that holds several.
    trusted : bool, default=False
        Load the files of gensim's ``save`` (.kv, .model). They are pickles, which can
        run any code: only for files whose origin you trust.
    max_bytes : int or None, default=None
        Most bytes of the file, unpacked, and of a line. None takes 100 times its size
        and at least 32 MiB, and 64 MiB for a line (our choice).

    Attributes
    ----------
    vocabulary_ : Vocabulary
        Words in the order of the file, with their vectors.
    report_ : dict
        Counts: ``format``, ``n_dimensions``, ``n_read`` (entries of the file),
        ``n_kept``, ``skipped`` (by reason), ``n_words_seen`` and ``n_words_covered``
        (different words of the text of `fit`), ``share_of_text_covered``.

    See Also
    --------
    GloVeTransformer, Word2VecTransformer : Vectors trained on the text at hand.

    Notes
    -----
    Vectors of words that are not kept are not parsed: a fault in their numbers is not
    noticed, and neither is a repetition. A fault in the number of columns is. What
    ``n_read`` counts beyond ``n_kept`` and ``skipped`` are words that are not kept.

    A word may hold blanks, as ". . ." in the vectors of GloVe: the last columns of a
    line are its numbers. How many they are is told by the first line of word2vec files
    and else by most of the first hundred lines. Where the word would end in what may be
    one number too many, the line breaks the format.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources.text.pretrained import PretrainedVectors
    >>> text = TokenMessages.from_lists([[["喝", "茶"]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "vectors.txt")
    ...     _ = path.write_text("茶 0.5 1.0\n山 2.0 1.5\n", encoding="utf-8")
    ...     vectors = PretrainedVectors(path).fit(text)
    >>> vectors.vocabulary_.words, vectors.report_["share_of_text_covered"]
    (('茶',), 0.5)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "path": [str, os.PathLike],
        "format": [StrOptions({"auto", *FORMATS})],
        "only_seen": ["boolean"],
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
        "unknown": [StrOptions({"drop", "average"})],
        "encoding": [str],
        "on_bad_lines": [StrOptions({"error", "skip"})],
        "member": [str, None],
        "trusted": ["boolean"],
        "max_bytes": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: str = "auto",  # noqa: A002 - the word that pandas uses
        only_seen: bool = True,
        max_words: int | None = None,
        unknown: str = "drop",
        encoding: str = "utf-8",
        on_bad_lines: str = "error",
        member: str | None = None,
        trusted: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        self.path = path
        self.format = format
        self.only_seen = only_seen
        self.max_words = max_words
        self.unknown = unknown
        self.encoding = encoding
        self.on_bad_lines = on_bad_lines
        self.member = member
        self.trusted = trusted
        self.max_bytes = max_bytes

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Read the vectors.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : None
            Ignored.

        Returns
        -------
        PretrainedVectors
            The fitted transformer.

        Raises
        ------
        DataFormatError
            If the file is missing or breaks its format.
        SourceError
            If it has no vector for any word of the text.
        """
        text = check_text(X, self)
        counts = text.word_counts()
        seen = {
            word
            for word, count in zip(text.vocabulary.words, counts, strict=True)
            if count
        }
        words: list[str] = []
        # Appended to one buffer: a list of arrays takes twice the space.
        numbers = bytearray()
        wanted = seen.__contains__ if self.only_seen else bool
        with bounded(self.max_bytes):
            file = VectorFile(
                existing_file(self.path),
                self.format,
                encoding=check_encodings(self.encoding)[0],
                skip_bad=self.on_bad_lines == "skip",
                member=self.member,
                trusted=self.trusted,
            )
            for word, vector in file.entries(wanted, self.max_words):
                words.append(word)
                numbers += vector.tobytes()
        if not words:
            msg = (
                f"none of the {len(seen)} different words of the text is among the "
                f"{file.n_read} of {os.fspath(self.path)!r}: are script, segmentation "
                "and letter case the same?"
            )
            raise SourceError(msg)
        vectors: NDArray[np.float32] = np.frombuffer(numbers, np.float32).reshape(
            len(words), file.n_dimensions
        )
        vocabulary = Vocabulary(words, vectors)
        covered = vocabulary.encode(text.vocabulary.words) >= 0
        self.report_ = {
            "format": file.format,
            "n_dimensions": file.n_dimensions,
            "n_read": file.n_read,
            "n_kept": len(words),
            "skipped": dict(file.skipped),
            "n_words_seen": len(seen),
            "n_words_covered": int((covered & (counts > 0)).sum()),
            "share_of_text_covered": float(
                counts[covered].sum() / max(text.n_words, 1)
            ),
        }
        self._keep(vocabulary)
        return self
