"""LSTM, and Aux-LSTM: one task helped by others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Literal

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.aux_lstm import LSTM, AuxLSTM
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.training.net import TrainingPlan

__all__ = ["AuxLSTMClassifier", "LSTMClassifier"]


class LSTMClassifier(BaseProfileClassifier):
    """LSTM on one text: the individual classification of the Aux-LSTM paper.

    The words of a user go through an LSTM, its outputs are averaged over all words, and
    a dense layer with ReLU and dropout reads the average.

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
        Whether the tasks share one net; False trains one net for each task (paper).
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
    trainable_vectors : bool, default=False
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
    MultiTaskLSTMClassifier : Several tasks that share word vectors.

    Notes
    -----
    Our choices: word vectors that a text brings are standardised over the words
    written; biases are initialised to zero, where the paper draws them too; a user
    without text has a learned missing-source embedding in place of the LSTM's average.

    A plain 2-D array is read as padded token ids, one message a user: 0 is padding, any
    other value a word of its own.

    References
    ----------
    Wang, Li, Zhou, "Joint Learning on Relevant User Attributes in Micro-blog",
    IJCAI 2017.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import LSTMClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"], ["山"]]] * 8)
    >>> model = LSTMClassifier(n_hidden=8, dropout=0.0, random_state=0)
    >>> model.fit(text, ["tea", "hills"] * 8).predict(text[:2])
    array(['tea', 'hills'], dtype=object)
    """

    _architecture = LSTM
    _pipeline = "make_lstm()"
    _reads = "text"
    _optimizer = torch.optim.Adagrad

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_hidden": [POSITIVE]}

    def __init__(
        self,
        *,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        multi_task: bool = False,
        level: Literal["user", "message"] = "user",
        max_words: int | None = None,
        n_hidden: int = 64,
        n_dense: int = 64,
        n_dimensions: int = 200,
        trainable_vectors: bool = False,
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
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.multi_task = multi_task
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


class AuxLSTMClassifier(BaseProfileClassifier):
    """Auxiliary LSTM: one main task, and others that help it.

    The main task reads the text by an LSTM of its own and by the auxiliary LSTM, from
    which the auxiliary tasks are predicted. So what the labels of other attributes
    teach about words serves the main one. Main and auxiliary tasks may be labelled on
    the same or on different users: a user without the main label still teaches the
    auxiliary LSTM. All tasks are predicted, but it is the main one that gains.

    Parameters
    ----------
    main_task : str, default=None
        Name of the main task, a column of `y`; None takes the first.
    main_weight : float, default=0.75
        Weight of the main task's loss, lambda of eq. 19; the auxiliary tasks share the
        rest equally (paper).
    auxiliary : {"shared", "separate"}, default="shared"
        With two or more auxiliary tasks, whether they share one auxiliary LSTM or have
        one each, all read by the main task (our choice: the paper has one auxiliary
        task and leaves more to future work).
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
    trainable_vectors : bool, default=False
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
        "uncertainty" learns the weights (Kendall et al. 2018); None takes the weights
        that `main_weight` gives (paper).
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
    LSTMClassifier : Each task on its own.
    MultiTaskLSTMClassifier : Several tasks that share word vectors.

    Notes
    -----
    The dense layers of eq. 13 and 16 both read the auxiliary LSTM; each is taken to
    have weights of its own. With a single task there is nothing auxiliary: the net is
    then that of :class:`LSTMClassifier`, and the weight of its loss is 1.

    The loss of a task is averaged over the users of a batch who carry its label, so
    that `main_weight` means the same however many users carry each label; eq. 19 sums.

    Our choices: word vectors that a text brings are standardised over the words
    written; biases are initialised to zero, where the paper draws them too; a user
    without text has a learned missing-source embedding in place of the LSTM's average.

    A plain 2-D array is read as padded token ids, one message a user: 0 is padding, any
    other value a word of its own.

    References
    ----------
    Wang, Li, Zhou, "Joint Learning on Relevant User Attributes in Micro-blog",
    IJCAI 2017.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import AuxLSTMClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"], ["山"]]] * 8)
    >>> y = pd.DataFrame(
    ...     {"drink": ["tea", None] * 8, "walks": ["no", "yes"] * 8}, dtype=object
    ... )
    >>> y.loc[1, "drink"] = "water"
    >>> model = AuxLSTMClassifier(main_task="drink", max_epochs=2, random_state=0)
    >>> model.fit(text, y).predict(text).shape
    (16, 2)
    """

    _architecture = AuxLSTM
    _pipeline = "make_aux_lstm()"
    _reads = "text"
    _optimizer = torch.optim.Adagrad

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "main_task": [str, None],
        "main_weight": [Interval(Real, 0, 1, closed="right")],
        "n_hidden": [POSITIVE],
        "auxiliary": [StrOptions({"shared", "separate"})],
    }

    def __init__(
        self,
        *,
        main_task: str | None = None,
        main_weight: float = 0.75,
        auxiliary: Literal["shared", "separate"] = "shared",
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        level: Literal["user", "message"] = "user",
        max_words: int | None = None,
        n_hidden: int = 64,
        n_dense: int = 64,
        n_dimensions: int = 200,
        trainable_vectors: bool = False,
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
        self.main_task = main_task
        self.main_weight = main_weight
        self.auxiliary = auxiliary
        self.source = source
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

    def _main(self) -> int:
        """Find the number of the main task."""
        tasks = self._codec.task_names
        if self.main_task is None:
            return 0
        if self.main_task not in tasks:
            msg = f"main_task must be one of the tasks {tasks}; got {self.main_task!r}"
            raise TargetError(msg)
        return int(tasks.index(self.main_task))

    def _plan(self) -> TrainingPlan:
        plan = super()._plan()
        n_tasks = len(self._codec.task_names)
        if self.loss_weights is not None or n_tasks == 1:
            return plan
        weights = [(1.0 - self.main_weight) / (n_tasks - 1)] * n_tasks
        weights[self._main()] = self.main_weight
        return replace(plan, loss_weights=weights)

    def _architecture_options(self) -> dict[str, Any]:
        return {"main": self._main()}
