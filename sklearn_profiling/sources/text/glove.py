"""GloVe word vectors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from tqdm import tqdm

from sklearn_profiling._checkpoints import (
    Checkpoint,
    check_checkpoint,
    load_arrays,
    save_arrays,
)
from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling._store import digest_of, versions_of
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text import _glove_kernels as kernels
from sklearn_profiling.sources.text.vocabulary import (
    WordVectorTransformer,
    build_vocabulary,
)

__all__ = ["GloVeTransformer"]

# Blocks of one round share no row, so up to this many threads can work at once; it
# is part of the result and therefore does not follow n_jobs.
_N_GROUPS = 16
_WORDS_PER_GROUP = 32
# Floats per half row are rounded up to this, so that a row fills cache lines.
_ROUNDING = 8
# The sum of squares of a constant: the step 1 / sqrt(1e30) is below rounding.
_FROZEN = 1e30


class GloVeTransformer(WordVectorTransformer):
    r"""Train GloVe vectors [1]_ on the text of all users.

    The logarithm of how often two words stand near each other, each pair counted by
    one over its distance, is approximated by weighted least squares:
    :math:`\sum_{ij} f(X_{ij}) (w_i^T c_j + b_i + d_j - \log X_{ij})^2` with
    :math:`f(x) = \min(1, (x / x_{max})^\alpha)`. The vector of a word is
    :math:`w_i + c_i`.

    Parameters
    ----------
    n_dimensions : int, default=100
        Embedding dimension (MMLUP [2]_).
    min_count : int, default=5
        Rarer words are left out before pairs are counted (MMLUP).
    window : int, default=8
        Words to each side that count as near, inside one message (MMLUP).
    max_epochs : int, default=15
        Number of epochs (the authors' demonstration script).
    x_max : float, default=10.0
        Count from which a pair has full weight (the authors' demonstration script;
        their paper has 100 for billions of words).
    alpha : float, default=0.75
        Exponent of the weight of rarer pairs (the GloVe paper).
    learning_rate : float, default=0.05
        Learning rate of AdaGrad (the GloVe paper).
    max_words : int, default=None
        At most that many words, the most frequent; None for no limit.
    unknown : {"drop", "average", "characters"}, default="drop"
        What becomes of words outside the vocabulary in `transform`: left out, replaced
        by one entry that has the average of all vectors, or, those with ideographs, by
        these. Then ``fit`` already splits words of fewer than ten times `min_count`
        (our choice).
    checkpoint : str, path-like or None, default=None
        Folder in which training is saved after each epoch, and from which a killed one
        goes on, to the same bits; needs an int as ``random_state``.
    n_jobs : int, default=None
        Threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Decides the initialisation and the order of the pairs.
    verbose : int, default=0
        If positive, a progress bar with the cost of each epoch.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        Words, the most frequent first, with their vectors.
    costs_ : ndarray of shape (max_epochs,)
        Mean cost over the pairs, met during each epoch.
    n_pairs_ : int
        Cells of the table of counts that are not zero.

    See Also
    --------
    Word2VecTransformer : Skip-gram vectors by gensim.
    PretrainedVectors : Vectors from a file.

    Notes
    -----
    The objective, the initialisation, AdaGrad and the sum of word and context
    vectors follow the authors' program. It differs in the order of the pairs: the
    table is cut into square blocks that are each shuffled and visited in random
    rounds; the blocks of a round share no word, which is what makes several threads
    give the bits of one. Gradients are not clipped.

    Pairs never cross a message. Words below `min_count` are taken out first, which
    moves their neighbours together, as in the authors' program. A pair takes 16 bytes,
    32 while the blocks are cut.

    References
    ----------
    .. [1] J. Pennington, R. Socher, C. D. Manning. GloVe: Global Vectors for Word
       Representation. EMNLP 2014.
    .. [2] D. Zhu et al. MMLUP: Multi-Source & Multi-Task Learning for User Profiles
       in Social Network. 2019.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources.text.glove import GloVeTransformer
    >>> text = TokenMessages.from_lists([[["喝", "茶"], ["爬", "山"]], [["喝", "茶"]]])
    >>> glove = GloVeTransformer(n_dimensions=2, min_count=2, random_state=0)
    >>> glove.fit_transform(text)
    TokenMessages(2 users, 2 messages, 4 words, Vocabulary(2 words, 2 dimensions))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_dimensions": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "x_max": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
        "unknown": [StrOptions({"drop", "average", "characters"})],
        "checkpoint": [str, os.PathLike, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_dimensions: int = 100,
        *,
        min_count: int = 5,
        window: int = 8,
        max_epochs: int = 15,
        x_max: float = 10.0,
        alpha: float = 0.75,
        learning_rate: float = 0.05,
        max_words: int | None = None,
        unknown: str = "drop",
        checkpoint: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.n_dimensions = n_dimensions
        self.min_count = min_count
        self.window = window
        self.max_epochs = max_epochs
        self.x_max = x_max
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.max_words = max_words
        self.unknown = unknown
        self.checkpoint = checkpoint
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Count pairs and train the vectors.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : None
            Ignored.

        Returns
        -------
        GloVeTransformer
            The fitted transformer.

        Raises
        ------
        SourceError
            If no word is frequent enough, no message holds two words, or training
            diverges.
        """
        check_checkpoint(self)
        text = self._text(X, self.min_count)
        vocabulary = build_vocabulary(
            text, min_count=self.min_count, max_words=self.max_words
        )
        seeds = derive_seeds(self.random_state, 2)
        # Threads, since the kernels release the GIL and share their tables.
        with Parallel(n_jobs=self.n_jobs, require="sharedmem") as parallel:
            cells = count_pairs(
                text.with_vocabulary(vocabulary),
                window=self.window,
                x_max=self.x_max,
                alpha=self.alpha,
                parallel=parallel,
            )
            if not len(cells):
                msg = (
                    "GloVe learns from words that occur in the same message; no "
                    f"message holds two of the {len(vocabulary)} words that occur at "
                    f"least min_count={self.min_count} times"
                )
                raise SourceError(msg)
            self.n_pairs_ = len(cells)
            vectors = self._train(vocabulary, cells, seeds, parallel)
        self._keep(vocabulary.with_vectors(vectors))
        return self

    def _key(
        self, vocabulary: Vocabulary, cells: NDArray[np.void], seeds: list[int]
    ) -> dict[str, Any]:
        """Return all that decides the vectors."""
        return {
            "words": vocabulary.fingerprint,
            "pairs": digest_of(cells.tobytes()).hex(),
            "seeds": seeds,
            "n_dimensions": int(self.n_dimensions),
            "max_epochs": int(self.max_epochs),
            "learning_rate": float(self.learning_rate),
            **versions_of("numba", "numpy"),
        }

    def _train(
        self,
        vocabulary: Vocabulary,
        cells: NDArray[np.void],
        seeds: list[int],
        parallel: Parallel,
    ) -> NDArray[np.float32]:
        saved = Checkpoint.of(self, partial(self._key, vocabulary, cells, seeds))
        n_groups = min(max(len(vocabulary) // _WORDS_PER_GROUP, 1), _N_GROUPS)
        blocks = cut_into_blocks(cells, n_groups, seeds[0], parallel)
        del cells  # the blocks hold a copy
        generator = np.random.default_rng(seeds[1])
        words = new_table(len(vocabulary), self.n_dimensions, 1, generator)
        contexts = new_table(len(vocabulary), self.n_dimensions, 0, generator)
        train = delayed(kernels.train_block)
        learning_rate = np.float32(self.learning_rate)
        costs = np.zeros(self.max_epochs)
        tables: list[NDArray[Any]] = [words, contexts, costs]
        done = 0
        if saved is not None:
            plain = saved.load(partial(load_arrays, arrays=tables))
            if plain is not None:
                generator.bit_generator.state = plain["generator"]
                done = plain["done"]
        bar = tqdm(
            range(done, self.max_epochs),
            desc="GloVe",
            disable=not self.verbose,
            initial=done,
            total=self.max_epochs,
        )
        for epoch in bar:
            for shift in generator.permutation(n_groups):
                pairs = [(i, (i + shift) % n_groups) for i in range(n_groups)]
                costs[epoch] += sum(
                    parallel(
                        train(words, contexts, blocks[i][j], learning_rate)
                        for i, j in pairs
                    )
                )
            costs[epoch] /= self.n_pairs_
            if not np.isfinite(costs[epoch]):
                msg = (
                    f"GloVe diverged in epoch {epoch + 1}: the cost is {costs[epoch]}. "
                    f"Lower learning_rate; it is {self.learning_rate}"
                )
                raise SourceError(msg)
            bar.set_postfix(cost=f"{costs[epoch]:.4f}")
            if saved is not None:
                place = {"done": epoch + 1, "generator": generator.bit_generator.state}
                saved.save(partial(save_arrays, arrays=tables, plain=place))
        if saved is not None:
            saved.remove()
        self.costs_ = costs
        d = self.n_dimensions
        total: NDArray[np.float32] = words[:, :d] + contexts[:, :d]
        return total


def new_table(
    n_words: int, n_dimensions: int, bias: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Initialise parameters and squared gradients for ``train_block``.

    Shape (n_words, 2 * half) with half at least ``n_dimensions + 2``; parameters are
    uniform on +-0.5 / n_dimensions. `bias` says which of the two columns after the
    vector is the constant one: 1 for words, 0 for contexts.
    """
    half = -(-(n_dimensions + 2) // _ROUNDING) * _ROUNDING
    table = np.zeros((n_words, 2 * half), np.float32)
    start = generator.random((n_words, n_dimensions + 2), np.float32)
    table[:, : n_dimensions + 2] = (start - np.float32(0.5)) / n_dimensions
    table[:, half:] = 1.0
    table[:, n_dimensions + bias] = 1.0
    table[:, half + n_dimensions + bias] = _FROZEN
    return table


def count_pairs(
    text: TokenMessages,
    *,
    window: int,
    x_max: float,
    alpha: float,
    parallel: Parallel,
) -> NDArray[np.void]:
    """Count which words stand near each other: a ``CELL`` per ordered pair, by word."""
    n_words = len(text.vocabulary)
    padded = kernels.pad_messages(text.ids, text.message_starts)
    starts, positions = kernels.group_positions(padded, n_words)
    place = (padded, starts, positions)
    sizes = np.zeros(n_words, np.int64)
    parallel(
        delayed(kernels.count_row_sizes)(*place, first, last, window, sizes)
        for first, last in _equal_shares(starts)
    )
    row_starts = np.concatenate([[0], np.cumsum(sizes)])
    cells = np.empty(row_starts[-1], kernels.CELL)
    parallel(
        delayed(kernels.fill_cells)(
            *place, first, last, window, float(x_max), float(alpha), row_starts, cells
        )
        for first, last in _equal_shares(starts)
    )
    return cells


def _equal_shares(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut the words into ranges that occur about equally often."""
    targets = np.linspace(0, starts[-1], _N_GROUPS + 1)
    bounds = np.searchsorted(starts, targets)
    bounds[-1] = len(starts) - 1
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if first < last:
            yield first, last


def cut_into_blocks(
    cells: NDArray[np.void], n_groups: int, seed: int, parallel: Parallel
) -> list[list[NDArray[np.void]]]:
    """Group the cells into shuffled blocks.

    Block [i][j] has the words of group i with the contexts of group j.
    """
    starts, ordered = kernels.sort_into_blocks(cells, n_groups)
    seeds = np.random.default_rng(seed).integers(2**62, size=n_groups * n_groups)
    flat = [ordered[starts[block] : starts[block + 1]] for block in range(n_groups**2)]
    parallel(
        delayed(kernels.shuffle_cells)(block, int(number))
        for block, number in zip(flat, seeds, strict=True)
    )
    return [flat[i * n_groups : (i + 1) * n_groups] for i in range(n_groups)]
