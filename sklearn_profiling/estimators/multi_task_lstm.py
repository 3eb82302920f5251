"""Multi-task LSTM: a baseline of Aux-LSTM that shares word vectors alone."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.multi_task_lstm import MultiTaskLSTM
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.training.inputs import Sources, TrainingUsers, texts_of

__all__ = ["MultiTaskLSTMClassifier"]


class MultiTaskLSTMClassifier(BaseProfileClassifier):
    """Multi-task LSTM: tasks that share word vectors and nothing else.

    Each task reads the text twice: by an LSTM on word vectors of its own, best trained
    on the users who carry its label, and by an LSTM on word vectors that all tasks
    share. A dense layer reads both averages. Training changes the vectors, and through
    the shared ones the tasks help each other.

    Parameters
    ----------
    source : str, default=None
        Name of the text with the shared vectors; may be left out if only one text of
        `X` is no task's own.
    task_sources : mapping of str to str, default=None
        For a task the name of the text with vectors of its own. A task that is not in
        the mapping reads the text named after it, if `X` has one; else its vectors
        begin as a copy of the shared ones (our choice).
    word_vectors : {"separate", "concatenated"}, default="separate"
        Whether a task reads its own vectors and the shared ones by an LSTM each, or the
        text with the shared vectors by one LSTM, each word in both of its vectors side
        by side; words that the task's own text does not have begin with zeros there.
        The paper does not report which.
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
    level : {"user", "message"}, default="user"
        Whether the messages of a user are read end to end as one sequence, or each from
        the initial state. Either way the outputs are averaged over all words (paper).
    max_words : int, default=None
        Words of a sequence after which the rest is left out; None reads all (our
        choice).
    n_hidden : int, default=64
        Units of each LSTM (our choice: the paper tunes it and does not report it).
    n_dense : int, default=64
        Units of each dense layer (our choice: the paper tunes it and does not report
        it).
    n_dimensions : int, default=200
        Embedding dimension of words, learned where a text brings no vectors (paper).
    trainable_vectors : bool, default=True
        Whether training changes the word vectors that a text brings (paper).
    dropout : float, default=0.5
        Dropout on the dense layers (paper; our value).
    word_dropout : float, default=0.2
        Dropout on the entries of word vectors (paper: "in both the LSTM layer and
        auxiliary LSTM layer"; our value).
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
    learning_rate_decay : bool, default=False
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it.
    weight_decay : float, default=1e-5
        L2 penalty of Adagrad (paper: l of eq. 19; our size).
    batch_size : int, default=32
        Users in a batch (our choice).
    max_epochs : int, default=30
        Epochs over the users (our choice).
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss no longer falls, and
        keep the best epoch.
    validation_fraction : float, default=0.1
        Share of users in the validation set of `early_stopping` (paper).
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
    AuxLSTMClassifier : One task helped by others.
    LSTMClassifier : Each task on its own.

    Notes
    -----
    The paper describes this baseline in three sentences; that each task has one LSTM
    for its own vectors and one for the shared ones, joined by concatenation, is our
    reading, and ``word_vectors="concatenated"`` another. So the two texts of a task may
    come with different vocabularies.

    Our choices: word vectors that a text brings are standardised over the words
    written; biases are initialised to zero, where the paper draws them too; a user
    without text has a learned missing-source embedding in place of the LSTM's average.

    A plain 2-D array is read as padded token ids, one message a user: 0 is padding, any
    other value a word of its own.

    References
    ----------
    Wang, Li, Zhou, "Joint Learning on Relevant User Attributes in Micro-blog",
    IJCAI 2017.

    Collobert et al., "Natural Language Processing (Almost) from Scratch", Journal of
    Machine Learning Research 12, 2011.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import MultiTaskLSTMClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"], ["山"]]] * 8)
    >>> y = [["tea", None], ["hills", "f"], ["tea", "m"], ["hills", None]] * 4
    >>> model = MultiTaskLSTMClassifier(max_epochs=2, random_state=0)
    >>> model.fit(text, y).predict(text).shape
    (16, 2)
    """

    _architecture = MultiTaskLSTM
    _pipeline = "make_multi_task_lstm(tasks)"
    _reads = "text"
    _optimizer = torch.optim.Adagrad

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_hidden": [POSITIVE],
        "task_sources": [dict, None],
        "word_vectors": [StrOptions({"separate", "concatenated"})],
    }

    def __init__(
        self,
        *,
        source: str | None = None,
        task_sources: Mapping[str, str] | None = None,
        word_vectors: Literal["separate", "concatenated"] = "separate",
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        level: Literal["user", "message"] = "user",
        max_words: int | None = None,
        n_hidden: int = 64,
        n_dense: int = 64,
        n_dimensions: int = 200,
        trainable_vectors: bool = True,
        dropout: float = 0.5,
        word_dropout: float = 0.2,
        source_dropout: float = 0.1,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 0.05,
        learning_rate_decay: bool = False,
        weight_decay: float = 1e-5,
        batch_size: int = 32,
        max_epochs: int = 30,
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
        self.task_sources = task_sources
        self.word_vectors = word_vectors
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.level = level
        self.max_words = max_words
        self.n_hidden = n_hidden
        self.n_dense = n_dense
        self.n_dimensions = n_dimensions
        self.trainable_vectors = trainable_vectors
        self.dropout = dropout
        self.word_dropout = word_dropout
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

    def _sources_of(self, arrays: Sources, *, again: bool) -> Sources:
        if again:
            arrays = {name: s for name, s in arrays.items() if name in self._specs}
        return super()._sources_of(arrays, again=again)

    def _choose_sources(self, sources: Sources) -> Sources:
        # Which texts are read depends on the names of the tasks, known later.
        texts = texts_of(sources)
        if not texts:
            msg = f"MultiTaskLSTMClassifier reads text; X holds {list(sources)}"
            raise SourceError(msg)
        return texts

    def _learn(self, users: TrainingUsers) -> Sources:
        self._shared, self._own = self._choose_texts(
            list(users.sources), list(users.codec.task_names)
        )
        read = {self._shared, *self._own}
        texts: dict[str, Any] = dict(users.sources)
        words = texts[self._shared].vocabulary.words
        self._own_words = [texts[name].vocabulary.encode(words) for name in self._own]
        return {name: s for name, s in users.sources.items() if name in read}

    def _choose_texts(
        self, texts: list[str], tasks: list[str]
    ) -> tuple[str, list[str]]:
        """Name the shared text, and the text of each task."""
        given = dict(self.task_sources or {})
        unknown = [task for task in given if task not in tasks]
        if unknown:
            msg = f"task_sources names {unknown}, which are none of the tasks {tasks}"
            raise TargetError(msg)
        absent = [name for name in given.values() if name not in texts]
        if absent:
            msg = f"task_sources names the texts {absent}; X holds the texts {texts}"
            raise SourceError(msg)
        own = {task: given.get(task, task) for task in tasks}
        shared = self.source
        if shared is None:
            free = [name for name in texts if name not in own.values()] or texts
            shared = free[0] if len(free) == 1 else None
        if shared not in texts:
            msg = (
                "MultiTaskLSTMClassifier reads one text that all tasks share; parameter"
                f" source is {self.source!r} and X holds the texts {texts}, of which "
                f"{sorted({*own.values()} & {*texts})} belong to a task"
            )
            raise SourceError(msg)
        return shared, [name if name in texts else shared for name in own.values()]

    def _architecture_options(self) -> dict[str, Any]:
        places = [torch.tensor(each, dtype=torch.long) for each in self._own_words]
        return {
            "shared_source": self._shared,
            "own_sources": self._own,
            "own_words": places,
        }
