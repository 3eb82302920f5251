"""Skip-gram word vectors by gensim."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._cluster import n_threads
from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources.text.vocabulary import (
    WordVectorTransformer,
    added_counts,
    build_vocabulary,
    counted_vocabulary,
)
from sklearn_profiling.targets import label_table

__all__ = ["Word2VecTransformer"]

# gensim silently cuts what is longer.
_LONGEST_SENTENCE = 10_000
# gensim lowers the learning rate from job to job; fewer jobs lower it too coarsely,
# and fewer than ten a worker make it log a warning.
_JOBS_PER_WORKER = 40


class _Sentences:
    """Messages as lists of words, any number of times."""

    def __init__(self, text: TokenMessages) -> None:
        self.text = text

    def __iter__(self) -> Iterator[list[str]]:
        words = np.array(self.text.vocabulary.words, dtype=object)
        ids, starts = self.text.ids, self.text.message_starts.tolist()
        for begin, end in pairwise(starts):
            for part in range(begin, end, _LONGEST_SENTENCE):
                yield words[ids[part : min(part + _LONGEST_SENTENCE, end)]].tolist()


def _stable_hash(word: str) -> int:
    """Hash a word alike in every process, unlike Python's ``hash``."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


class Word2VecTransformer(WordVectorTransformer):
    """Train skip-gram vectors with negative sampling [1]_ by gensim.

    Parameters
    ----------
    n_dimensions : int, default=200
        Embedding dimension (Aux-LSTM).
    window : int, default=5
        Words to each side that are predicted, at most (Aux-LSTM).
    min_count : int, default=5
        Rarer words are left out (gensim's default).
    n_negatives : int, default=5
        Noise words for each pair (the word2vec paper).
    max_epochs : int, default=5
        Number of epochs (gensim's default).
    learning_rate : float, default=0.025
        Initial learning rate; it falls linearly to a 250th (gensim's default).
    subsample : float, default=0.001
        Share of the text above which a word is left out at random; 0 for never
        (gensim's default).
    max_words : int, default=None
        At most that many words, the most frequent; None for no limit.
    unknown : {"drop", "average", "characters"}, default="drop"
        What becomes of words outside the vocabulary in `transform`: left out, replaced
        by one entry that has the average of all vectors, or, those with ideographs, by
        these. Then ``fit`` already splits words of fewer than ten times `min_count`
        (our choice).
    task : str, default=None
        Task whose labelled users alone train the vectors, a column of `y`: the
        task-specific vectors of multi-task LSTM. None trains on all users.
    n_jobs : int, default=None
        Threads. The result is the same at each run with one thread only: gensim's
        threads write to one table without locks.
    random_state : int, RandomState instance or None, default=None
        Decides the initialisation, the noise words and the words left out.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        Words, the most frequent first, with their vectors.

    See Also
    --------
    GloVeTransformer : The vectors of MMLUP, the same for any number of threads.

    Notes
    -----
    A sentence is a message; messages of more than 10,000 words are cut there.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean. Distributed
       Representations of Words and Phrases and their Compositionality. NIPS 2013.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources.text.word2vec import Word2VecTransformer
    >>> text = TokenMessages.from_lists([[["喝", "茶"], ["爬", "山"]], [["喝", "茶"]]])
    >>> word2vec = Word2VecTransformer(2, min_count=2, random_state=0)
    >>> word2vec.fit_transform(text)
    TokenMessages(2 users, 2 messages, 4 words, Vocabulary(2 words, 2 dimensions))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_dimensions": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "subsample": [Interval(Real, 0, 1, closed="both")],
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
        "unknown": [StrOptions({"drop", "average", "characters"})],
        "task": [str, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    # Read by the fingerprints of stored results: threads change the vectors.
    _result_parameters: ClassVar[frozenset[str]] = frozenset({"n_jobs"})
    # Of `partial_fit`: how often each word occurred, and the weights of the output.
    _counted: dict[str, int]
    _outputs: npt.NDArray[np.float32]

    def __init__(
        self,
        n_dimensions: int = 200,
        *,
        window: int = 5,
        min_count: int = 5,
        n_negatives: int = 5,
        max_epochs: int = 5,
        learning_rate: float = 0.025,
        subsample: float = 1e-3,
        max_words: int | None = None,
        unknown: str = "drop",
        task: str | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_dimensions = n_dimensions
        self.window = window
        self.min_count = min_count
        self.n_negatives = n_negatives
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.max_words = max_words
        self.unknown = unknown
        self.task = task
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def fit(self, X: TokenMessages, y: Any = None) -> Self:
        """Train the vectors.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : DataFrame or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels, None where missing. Needed with `task`, otherwise ignored.

        Returns
        -------
        Word2VecTransformer
            The fitted transformer.

        Raises
        ------
        SourceError
            If no word is frequent enough.
        TargetError
            If `y` is needed and missing, has another length or lacks `task`.
        """
        for name in ("_counted", "_outputs"):
            self.__dict__.pop(name, None)
        text = self._text(X, self.min_count)
        if self.task is not None:
            text = text[_labelled(self.task, y, len(text))]
        vocabulary = build_vocabulary(
            text, min_count=self.min_count, max_words=self.max_words
        )
        text = text.with_vocabulary(vocabulary)
        model = self._model(text, _Sentences(text))
        order = [model.wv.key_to_index[word] for word in vocabulary.words]
        self._keep(vocabulary.with_vectors(model.wv.vectors[order]))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def partial_fit(self, X: TokenMessages, y: Any = None) -> Self:
        """Train for one epoch on further text, going on from where training stands.

        Words that have become frequent enough in all text so far join with new
        vectors. The learning rate does not fall. This is another training than that of
        one `fit`, whose epochs go over all text. The first call after `fit`, which
        keeps neither counts nor the weights of the output, begins anew.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary. With ``unknown="characters"``, rare words
            are those of this text.
        y : DataFrame or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels, as in `fit`.

        Returns
        -------
        Word2VecTransformer
            The transformer; not fitted as long as no word is frequent enough.

        Raises
        ------
        TargetError
            If `y` is needed and missing, has another length or lacks `task`.
        """
        text = self._text(X, self.min_count)
        if self.task is not None:
            text = text[_labelled(self.task, y, len(text))]
        if not hasattr(self, "_counted"):
            self.__dict__.pop("vocabulary_", None)
        self._counted = counts = added_counts(getattr(self, "_counted", None), text)
        vocabulary = counted_vocabulary(
            counts, min_count=self.min_count, max_words=self.max_words
        )
        if vocabulary is None:
            return self
        words = vocabulary.words
        text = text.with_vocabulary(vocabulary)
        model = self._model(text, None)
        model.build_vocab_from_freq({word: counts[word] for word in words})
        order = np.array([model.wv.key_to_index[word] for word in words])
        self._go_on(model, order, words)
        if text.n_words:
            model.train(
                _Sentences(text),
                total_examples=text.n_messages,
                total_words=text.n_words,
                epochs=1,
                start_alpha=self.learning_rate,
                end_alpha=self.learning_rate,
            )
        self._outputs = model.syn1neg[order].copy()
        self._keep(vocabulary.with_vectors(model.wv.vectors[order]))
        return self

    def _go_on(
        self, model: Any, order: npt.NDArray[np.int64], words: Sequence[str]
    ) -> None:
        """Put the vectors and output weights of words that were there before."""
        if not hasattr(self, "_outputs"):
            return
        before = self.vocabulary_.index
        rows = np.array([row for row, word in enumerate(words) if word in before], int)
        places = np.array([before[words[row]] for row in rows], int)
        model.wv.vectors[order[rows]] = np.asarray(self.vocabulary_.vectors)[places]
        model.syn1neg[order[rows]] = self._outputs[places]

    def _model(self, text: TokenMessages, sentences: _Sentences | None) -> Any:
        """Make the model of gensim, trained if there are sentences."""
        # gensim takes a second to import: only where it is used.
        from gensim.models import Word2Vec

        workers = n_threads(self.n_jobs)
        return Word2Vec(
            sentences,
            sg=1,
            hs=0,
            vector_size=self.n_dimensions,
            window=self.window,
            min_count=1,
            negative=self.n_negatives,
            epochs=self.max_epochs,
            alpha=self.learning_rate,
            min_alpha=self.learning_rate / 250,
            sample=self.subsample,
            workers=workers,
            seed=derive_seed(self.random_state),
            hashfxn=_stable_hash,
            batch_words=int(
                np.clip(text.n_words // (_JOBS_PER_WORKER * workers), 1, 10_000)
            ),
        )


def _labelled(task: str, y: Any, n_users: int) -> npt.NDArray[np.bool_]:
    """Mark the users with a label of a task."""
    if y is None:
        msg = (
            f"Word2VecTransformer(task={task!r}) trains on the users labelled for that "
            "task and y is None; give y to fit"
        )
        raise TargetError(msg)
    table, names, one_dimensional = label_table(y)
    if len(table) != n_users:
        msg = f"y has {len(table)} rows for {n_users} users"
        raise TargetError(msg)
    if one_dimensional and getattr(y, "name", None) is None:
        # One task without a name of its own to compare with.
        names = [task]
    if task not in names:
        msg = f"y has no task {task!r}; its tasks are {names}"
        raise TargetError(msg)
    labels = table[:, names.index(task)]
    return np.array([label is not None for label in labels], dtype=bool)
