"""PCNN, parallel convolutions over windows of words, and bow-CNN, which has one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.pcnn import PCNN, BowCNN
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE
from sklearn_profiling.training.inputs import Sources, TrainingUsers
from sklearn_profiling.training.optimizers import FusedAdagrad
from sklearn_profiling.training.statistics import Weights

__all__ = ["BowCNNClassifier", "PCNNClassifier"]


class BaseWindowClassifier(BaseProfileClassifier):
    """Base of classifiers that read windows of frequent words and train by Adagrad."""

    _architecture = PCNN
    _reads = "text"
    _optimizer = FusedAdagrad

    def _learn(self, users: TrainingUsers) -> Sources:
        text = cast("TokenMessages", next(iter(users.sources.values())))
        self._word_numbers = frequent_words(
            text,
            users.weights.users,
            self.max_vocabulary,
            unseen=text.vocabulary.vectors is not None,
        )
        return super()._learn(users)

    def _architecture_options(self) -> dict[str, Any]:
        return {"word_numbers": torch.tensor(self._word_numbers)}


class PCNNClassifier(BaseWindowClassifier):
    """Parallel CNN over windows of words: a baseline of the Aux-LSTM paper.

    Two or more convolutions, each like that of :class:`BowCNNClassifier` and each with
    windows of its own size, read the same document; one linear layer a task reads the
    pooling units of them all.

    Parameters
    ----------
    source : str, default=None
        Name of the text to read; may be left out if `X` holds only one.
    offset : sequence of str, default=None
        Names of dense sources with log-odds of all classes of all tasks, as
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits` gives them. They are added
        to the logits, times a learned factor for each task; a user without them gets
        none. Training begins at the factors of least log loss, and the net at zero. A
        name with a ``*`` stands for all names that match it, in the order of `X` (our
        choice).
    shrink_fraction : float, default=0.2
        Share of the users whom a trial net does not see. They tell, for each task, how
        much of the net to add to `offset`: what makes their loss least, from nothing to
        all of it. 0 adds all without a trial, in half the time, and so do tasks with
        fewer than 20 labels among these users, and ``partial_fit`` (our choice).
    multi_task : bool, default=False
        Whether the tasks share one net; False trains one net for each task (paper:
        independent nets).
    window_sizes : sequence of int, default=(3, 20)
        Words in a window of each convolution (Johnson and Zhang: 2 and 3, or 3 and 20).
    stride : int or sequence of int, default=2
        Words from the beginning of one window to that of the next; one number for all
        convolutions or one for each (Johnson and Zhang: 2 for windows of 20 words).
    variable_stride : bool, default=True
        Whether to leave out a window that holds the same as the one before it (Johnson
        and Zhang, for bags).
    windows : {"bag", "sequence"} or sequence of them, default="bag"
        Whether windows are bags or sequences of words, for all convolutions or for
        each. Sequences need a table with a row for each word at each place (our choice:
        the Aux-LSTM paper calls its PCNN an extension of bow-CNN).
    n_nodes : int, default=1000
        Nodes of each convolution (Johnson and Zhang).
    n_units : int, default=10
        Pooling units of a user: the windows are averaged in this many equal parts
        (Johnson and Zhang).
    max_vocabulary : int, default=30000
        Most frequent words of the training users that are read. The others keep their
        places in windows as zero vectors (Johnson and Zhang).
    trainable_vectors : bool, default=False
        Whether training changes the word vectors that a text brings.
    dropout : float, default=0.5
        Dropout on the pooling units (Johnson and Zhang).
    source_dropout : float, default=0.1
        Probability that training hides a source of a user, so that its missing-source
        embedding is learned (our choice).
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
    learning_rate : float, default=0.05
        Initial learning rate of Adagrad (our choice).
    learning_rate_decay : bool, default=True
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it (our choice).
    weight_decay : float, default=0.0001
        L2 penalty of Adagrad (Johnson and Zhang).
    batch_size : int, default=50
        Users in a batch (our choice).
    max_epochs : int, default=20
        Epochs over the users (our choice).
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss no longer falls, and
        keep the best epoch.
    validation_fraction : float, default=0.1
        Share of users in the validation set of `early_stopping`.
    n_iter_no_change : int, default=5
        Epochs without improvement before `early_stopping` stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the last ``fit``, or from where an interrupt left
        training, instead of starting anew. The learning rate, the batch size and the
        number of epochs may change in between; all else stays as it was.
    callbacks : list, default=None
        Skorch callbacks, used as they are given.
    checkpoint : str, path-like or None, default=None
        Folder in which training is saved after each epoch, and from which a killed one
        goes on, to the same bits; needs an int as ``random_state``.
    device : str, default="cpu"
        Torch device; "auto" is a GPU if there is one.
    dtype : {"float32", "float64", "bfloat16"}, default="float32"
        Precision. "bfloat16" keeps parameters in 32 bits and computes convolutions and
        matrix products in 16 where the device does so in hardware, else in 32.
    random_state : int, RandomState instance or None, default=None
        Determines initial parameters, order of users, dropout and all other draws.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints a line per epoch.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    net_ : skorch.NeuralNet
        The trained net.
    history_ : list of dict
        Losses and times of each epoch.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of features seen in ``fit``, if `X` was a plain array.

    See Also
    --------
    BowCNNClassifier : One convolution.

    Notes
    -----
    All that :class:`BowCNNClassifier` notes holds here too. Convolutions share nothing:
    each has a table, or a dense layer on word vectors, of its own.

    References
    ----------
    Johnson and Zhang, "Effective Use of Word Order for Text Categorization with
    Convolutional Neural Networks", NAACL 2015.

    Wang, Li and Zhou, "Joint Learning on Relevant User Attributes in Micro-blog",
    IJCAI 2017.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import PCNNClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"], ["山"]]] * 8)
    >>> model = PCNNClassifier(window_sizes=(2, 3), n_nodes=16, random_state=0)
    >>> model.fit(text, ["tea", "hills"] * 8).predict(text[:2])
    array(['tea', 'hills'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "window_sizes": ["array-like"],
        "stride": [POSITIVE, "array-like"],
        "windows": [StrOptions({"bag", "sequence"}), "array-like"],
    }

    def __init__(
        self,
        *,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        multi_task: bool = False,
        window_sizes: Sequence[int] = (3, 20),
        stride: int | Sequence[int] = 2,
        variable_stride: bool = True,
        windows: str | Sequence[str] = "bag",
        n_nodes: int = 1000,
        n_units: int = 10,
        max_vocabulary: int = 30_000,
        trainable_vectors: bool = False,
        dropout: float = 0.5,
        source_dropout: float = 0.1,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 0.05,
        learning_rate_decay: bool = True,
        weight_decay: float = 1e-4,
        batch_size: int = 50,
        max_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        callbacks: list[Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.source = source
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.multi_task = multi_task
        self.window_sizes = window_sizes
        self.stride = stride
        self.variable_stride = variable_stride
        self.windows = windows
        self.n_nodes = n_nodes
        self.n_units = n_units
        self.max_vocabulary = max_vocabulary
        self.trainable_vectors = trainable_vectors
        self.dropout = dropout
        self.source_dropout = source_dropout
        self.loss_weights = loss_weights
        self.class_weight = class_weight
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
        self.checkpoint = checkpoint
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _architecture_options(self) -> dict[str, Any]:
        sizes = list(self.window_sizes)
        strides = _one_each(self.stride, len(sizes))
        kinds = _one_each(self.windows, len(sizes))
        if len(sizes) < 2 or not len(sizes) == len(strides) == len(kinds):
            msg = (
                "PCNNClassifier needs two window_sizes or more, and one stride and one "
                f"kind of windows for all or for each; got window_sizes={sizes}, "
                f"stride={self.stride}, windows={self.windows!r}"
            )
            raise ValueError(msg)
        numbers = [*sizes, *strides]
        if not all(isinstance(n, int | np.integer) and n >= 1 for n in numbers):
            msg = (
                "window_sizes and stride of PCNNClassifier must be integers of at "
                f"least 1; got window_sizes={sizes}, stride={self.stride}"
            )
            raise ValueError(msg)
        unknown = [kind for kind in kinds if kind not in ("bag", "sequence")]
        if unknown:
            msg = (
                "windows of PCNNClassifier must be 'bag' or 'sequence', for all "
                f"convolutions or for each; got {unknown[0]!r}"
            )
            raise ValueError(msg)
        return {
            **super()._architecture_options(),
            "window_sizes": sizes,
            "stride": strides,
            "windows": kinds,
        }


class BowCNNClassifier(BaseWindowClassifier):
    """CNN over bags of words: a baseline of the Aux-LSTM paper.

    A user's messages are read as one document. Each window of `window_size` consecutive
    words goes through one dense layer with ReLU; the windows are averaged in `n_units`
    parts of the document, each part is scaled by response normalisation, and one linear
    layer a task reads them all.

    Parameters
    ----------
    source : str, default=None
        Name of the text to read; may be left out if `X` holds only one.
    offset : sequence of str, default=None
        Names of dense sources with log-odds of all classes of all tasks, as
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits` gives them. They are added
        to the logits, times a learned factor for each task; a user without them gets
        none. Training begins at the factors of least log loss, and the net at zero. A
        name with a ``*`` stands for all names that match it, in the order of `X` (our
        choice).
    shrink_fraction : float, default=0.2
        Share of the users whom a trial net does not see. They tell, for each task, how
        much of the net to add to `offset`: what makes their loss least, from nothing to
        all of it. 0 adds all without a trial, in half the time, and so do tasks with
        fewer than 20 labels among these users, and ``partial_fit`` (our choice).
    multi_task : bool, default=False
        Whether the tasks share one net; False trains one net for each task (paper:
        independent nets).
    window_size : int, default=20
        Words in a window (Johnson and Zhang).
    stride : int, default=2
        Words from the beginning of one window to that of the next (Johnson and Zhang).
    variable_stride : bool, default=True
        Whether to leave out a window that holds the same as the one before it (Johnson
        and Zhang, for bags).
    windows : {"bag", "sequence"}, default="bag"
        Whether a window is the bag of its words (bow-CNN) or their sequence (seq-CNN).
        Sequences need a table with a row for each word at each place, so they are meant
        for windows of two or three words.
    n_nodes : int, default=1000
        Nodes of each convolution (Johnson and Zhang).
    n_units : int, default=10
        Pooling units of a user: the windows are averaged in this many equal parts
        (Johnson and Zhang).
    max_vocabulary : int, default=30000
        Most frequent words of the training users that are read. The others keep their
        places in windows as zero vectors (Johnson and Zhang).
    trainable_vectors : bool, default=False
        Whether training changes the word vectors that a text brings.
    dropout : float, default=0.5
        Dropout on the pooling units (Johnson and Zhang).
    source_dropout : float, default=0.1
        Probability that training hides a source of a user, so that its missing-source
        embedding is learned (our choice).
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
    learning_rate : float, default=0.05
        Initial learning rate of Adagrad (our choice).
    learning_rate_decay : bool, default=True
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it (our choice).
    weight_decay : float, default=0.0001
        L2 penalty of Adagrad (Johnson and Zhang).
    batch_size : int, default=50
        Users in a batch (our choice).
    max_epochs : int, default=20
        Epochs over the users (our choice).
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss no longer falls, and
        keep the best epoch.
    validation_fraction : float, default=0.1
        Share of users in the validation set of `early_stopping`.
    n_iter_no_change : int, default=5
        Epochs without improvement before `early_stopping` stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the last ``fit``, or from where an interrupt left
        training, instead of starting anew. The learning rate, the batch size and the
        number of epochs may change in between; all else stays as it was.
    callbacks : list, default=None
        Skorch callbacks, used as they are given.
    checkpoint : str, path-like or None, default=None
        Folder in which training is saved after each epoch, and from which a killed one
        goes on, to the same bits; needs an int as ``random_state``.
    device : str, default="cpu"
        Torch device; "auto" is a GPU if there is one.
    dtype : {"float32", "float64", "bfloat16"}, default="float32"
        Precision. "bfloat16" keeps parameters in 32 bits and computes convolutions and
        matrix products in 16 where the device does so in hardware, else in 32.
    random_state : int, RandomState instance or None, default=None
        Determines initial parameters, order of users, dropout and all other draws.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints a line per epoch.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        Classes of each task in sorted order; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    net_ : skorch.NeuralNet
        The trained net.
    history_ : list of dict
        Losses and times of each epoch.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of features seen in ``fit``, if `X` was a plain array.

    See Also
    --------
    PCNNClassifier : Several such convolutions in parallel.

    Notes
    -----
    The Aux-LSTM paper gives "a bag of features" of four types to this net and names no
    sizes; here it reads words, with the sizes of Johnson and Zhang. No one-hot vector
    is ever built: the product of a window's vector and the weights is a sum of rows of
    a table, of shape (n_words, n_nodes).

    Our choices where that paper does not report it: a bag counts how often a word
    occurs; the last window ends with the document and may be shorter; a document
    shorter than a window is one window, and one with fewer windows than pooling units
    repeats them. Letters are taken as they are: segmenters write lower case by default,
    as the paper does. The optimizer is Adagrad, as for the LSTMs of the Aux-LSTM paper,
    and the loss is cross-entropy; theirs are gradient descent with momentum and the
    square loss.

    A text with word vectors is read through them, standardised: a window is the sum (or
    the sequence) of its words' vectors, which the dense layer reads. A user without
    text gets a missing-source embedding in place of the pooling units. A plain 2-D
    array is read as padded token ids, one message a user: 0 is padding, any other value
    a word of its own.

    References
    ----------
    Johnson and Zhang, "Effective Use of Word Order for Text Categorization with
    Convolutional Neural Networks", NAACL 2015.

    Wang, Li and Zhou, "Joint Learning on Relevant User Attributes in Micro-blog",
    IJCAI 2017.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import BowCNNClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"], ["山"]]] * 8)
    >>> model = BowCNNClassifier(n_nodes=16, random_state=0)
    >>> model.fit(text, ["tea", "hills"] * 8).predict(text[:2])
    array(['tea', 'hills'], dtype=object)
    """

    _architecture = BowCNN

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "window_size": [POSITIVE],
        "stride": [POSITIVE],
        "windows": [StrOptions({"bag", "sequence"})],
    }

    def __init__(
        self,
        *,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        multi_task: bool = False,
        window_size: int = 20,
        stride: int = 2,
        variable_stride: bool = True,
        windows: Literal["bag", "sequence"] = "bag",
        n_nodes: int = 1000,
        n_units: int = 10,
        max_vocabulary: int = 30_000,
        trainable_vectors: bool = False,
        dropout: float = 0.5,
        source_dropout: float = 0.1,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 0.05,
        learning_rate_decay: bool = True,
        weight_decay: float = 1e-4,
        batch_size: int = 50,
        max_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        callbacks: list[Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.source = source
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.multi_task = multi_task
        self.window_size = window_size
        self.stride = stride
        self.variable_stride = variable_stride
        self.windows = windows
        self.n_nodes = n_nodes
        self.n_units = n_units
        self.max_vocabulary = max_vocabulary
        self.trainable_vectors = trainable_vectors
        self.dropout = dropout
        self.source_dropout = source_dropout
        self.loss_weights = loss_weights
        self.class_weight = class_weight
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
        self.checkpoint = checkpoint
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _architecture_options(self) -> dict[str, Any]:
        return {
            **super()._architecture_options(),
            "window_sizes": [self.window_size],
            "stride": [self.stride],
            "windows": [self.windows],
        }


def _one_each(given: Any, n_convolutions: int) -> list[Any]:
    """Repeat what was given once for all convolutions."""
    return [given] * n_convolutions if np.ndim(given) == 0 else list(given)


def frequent_words(
    text: TokenMessages, weights: Weights, max_vocabulary: int, *, unseen: bool
) -> npt.NDArray[np.int64]:
    """Give the most frequent words numbers from 0: (n_vocabulary,), -1 for the others.

    Words are counted by the weights (n_users,) of their users, and ties broken by their
    order in the vocabulary. `unseen` numbers words that nobody wrote too: with vectors
    of their own they mean something all the same.
    """
    counts = text.word_counts(weights)
    order = np.argsort(-counts, kind="stable")[:max_vocabulary]
    kept = order if unseen else order[counts[order] > 0]
    numbers = np.full(len(counts), -1, dtype=np.int64)
    numbers[kept] = np.arange(len(kept))
    return numbers
