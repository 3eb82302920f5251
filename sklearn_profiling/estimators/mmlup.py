"""MMLUP: several sources and tasks in one net."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch import nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.architectures.mmlup import MMLUP
from sklearn_profiling.estimators._attention import message_attention
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._offset import pick_offset
from sklearn_profiling.estimators._selection import dropped_sources, select_sources
from sklearn_profiling.training.inputs import Sources, TrainingUsers, named_sources

__all__ = ["MMLUPClassifier"]


class MMLUPClassifier(BaseProfileClassifier):
    """Multi-source and multi-task learning for user profiles (MMLUP).

    Each text goes through a deep Text-CNN with attention over messages, each bag of
    images through a small CNN with attention over images, each dense source (network
    vectors, keywords, topics) is centred and scaled as a whole, each sparse matrix
    multiplied by a learned table; all are concatenated, joined by a shared non-linear
    layer, and read by one stack of dense layers a task. Any number of texts, image bags
    and dense or sparse sources, in any mixture, can be given; a user may lack any of
    them, and any label.

    Parameters
    ----------
    sources : sequence of str, default=None
        Names of the sources to encode, out of those in `X`; None takes all that
        `offset` does not name. A name with a ``*`` stands for all names that match it,
        in the order of `X` (paper: leaving out "network" is its ablation "without
        friendship network", Table 3).
    select_sources : bool, default=False
        Whether ``fit`` drops sources that lower the loss of no task on held-out users,
        before it trains on all users with the others; see Notes (our choice).
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
    multi_task : bool, default=True
        Whether the tasks share one net; False trains one net for each task (paper;
        False is its ablation "single task", Table 3).
    attention : {"softmax", "raw"} or None, default="softmax"
        Weights of messages: softmax over a user's messages, the bare score, or None for
        the average (our choice: the paper prints the bare score; None is its ablation
        "without attention", Table 3).
    n_filters : int, default=32
        Feature maps of each filter width in the first convolution over words (our
        choice: the paper has 64, which beside a bag of words only cost time).
    kernel_sizes : sequence of int, default=(1, 3)
        Filter widths of the first convolution over words, odd (our choice, as for
        `n_filters`: the paper has 1, 3, 5, 7 and 9).
    n_filters_second : int, default=64
        Feature maps of the second convolution over words, the embedding dimension of
        messages (our choice: the paper does not report it).
    kernel_size_second : int, default=3
        Filter width of the second convolution over words, odd (our choice: the paper
        does not report it).
    n_attention : int, default=64
        Hidden units of the attention score (paper).
    n_filters_image : sequence of int, default=(16, 32, 64)
        Feature maps of the 3 x 3 convolutions over images, with a maximum over 2 x 2
        after each (our choice: the paper has no images).
    n_features_image : int, default=64
        Embedding dimension of images (our choice).
    n_features_sparse : int, default=64
        Columns that the product of each sparse source with a learned table has (our
        choice: the paper has no sparse sources).
    n_shared : int, default=256
        Units of the dense layer before the tasks' own (our choice: the paper does not
        report it).
    n_hidden : sequence of int, default=()
        Units of the dense layers of each task (our choice: the paper has 128, 64 and
        32, which some thousand users do not fill; see Notes).
    n_dimensions : int, default=100
        Embedding dimension of words, learned where a text brings no vectors (paper).
    trainable_vectors : bool, default=False
        Whether training changes the word vectors that a text brings (our choice: the
        paper does not report it; with it small training sets are memorised sooner).
    dropout : float, default=0.3
        Dropout on dense and sparse sources, on the embedding of a text beside other
        sources, and on the dense layer before the tasks' own (our choice: the paper has
        0.5).
    word_dropout : float, default=0.1
        Dropout on the entries of word vectors (our choice).
    source_dropout : float, default=0.3
        Probability that training hides a source of a user, so that its missing-source
        embedding is learned (our choice: also so that no source is relied on alone).
    bag_of_words : int, default=2
        Longest sequence of words in a linear model of each text, which is trained along
        and added to the logits; 0 leaves it out (paper; 2 is our choice, see Notes).
    bag_dropout : float, default=0.5
        Probability that training hides a word or sequence of a user from the linear
        model (our choice).
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default="paper"
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike
        (paper).
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
    learning_rate : float, default=0.001
        Initial learning rate of Adam (paper).
    learning_rate_decay : bool, default=True
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it (our choice: the paper says only that the
        learning rate is 0.001 initially).
    weight_decay : float, default=0.0
        L2 penalty of Adam (our choice).
    batch_size : int, default=50
        Users in a batch (paper).
    max_epochs : int, default=20
        Epochs over the users (our choice: the paper does not report it).
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
    selected_sources_ : DataFrame
        With `select_sources`, one row for each source: whether it was ``kept`` and the
        ``reason``; for each task ``gain_<task>``, by how much the source lowers the
        mean loss of held-out users, and ``error_<task>``, the standard error of that.
        NaN where sources could not be tried.

    See Also
    --------
    TextCNNClassifier : The single-source baseline.
    sklearn_profiling.pipelines.make_mmlup : The whole system from raw users.

    Notes
    -----
    Deviations from the paper and choices where it does not report them: softmax in the
    attention (the paper's eq. 4 has none; ``attention="raw"``), sizes of the second
    convolution and of the layer before the tasks' own, place of dropout, missing-source
    embeddings. Word vectors and, before the first step, the embeddings of texts are
    standardised on the training users, dense sources centred and divided by one number:
    without it the net stays at the majority class for many epochs. Each of several
    sources is then scaled to the same mean square norm, so that 18 counts of keywords
    weigh as much as 300 columns of a network; texts and images, which are learned, to a
    quarter of it. Where the batch holds no label of a task, that task adds nothing to
    the loss. An array of labels has no task named "age", so ``loss_weights="paper"``
    weighs its tasks alike.

    A linear model of the words of each text is trained along and added to the logits;
    see :class:`TextCNNClassifier` for what it brings. The paper's net is
    ``make_mmlup(graph, preset="paper")``.

    The paper's dense layers of each task, ``n_hidden=(128, 64, 32)``, and its
    ``dropout=0.5`` are one parameter away. On 2,200 poets and on 400 synthetic users
    they cost one to four points of accuracy.

    With `select_sources` a trial net is trained on four fifths of the users, for half
    of the epochs or 300 batches, whichever is more. `source_dropout` has taught it to
    do without a source, so the others are predicted with each source hidden in turn, at
    no further training. A source stays if the loss of one task rises without it by more
    than two standard errors, or the sum over the tasks by more than one; else the most
    harmful is dropped, and the rest tried again. Another trial net, which never saw the
    dropped sources, has to do as well as the first; if it does not, the source dropped
    last comes back, and after a second such failure all do. ``fit`` takes about twice
    its time on many users and three times on few, and less than that where an expensive
    source is dropped. An offset is never hidden; a source that is an offset too can
    lose its encoder alone. Where fewer than 50 held-out users have a label of some
    task, nothing is tried and all sources are kept. ``partial_fit`` selects nothing; it
    and a warm start go on with the sources that are kept. Sources that were learned
    from the labels of all training users, such as
    :class:`~sklearn_profiling.sources.RegionKeywords`, have seen those of the held-out
    users and look better than they are.

    The table of a sparse source begins as the directions in which the rows of the
    training users vary most, scaled as a dense source, and is trained by gradient
    descent, 10,000 times ``learning_rate`` for rows of mean square length 1, without
    weight decay: under Adam, rare columns would learn as fast as frequent ones.

    As for scikit-learn's ``MLPClassifier``, columns of one dense source that are
    measured in different units should be scaled before.

    Text is never padded, and predictions do not depend on batch size or on the other
    users of a batch, up to rounding. The same `random_state` and the same number of
    torch threads give bit-identical results; another number of threads may change the
    last bits of a convolution.

    A pickled classifier keeps its parameters but not the state of Adam: ``partial_fit``
    after unpickling continues with fresh moments.

    References
    ----------
    Zhu et al., "MMLUP: Multi-Source & Multi-Task Learning for User Profiles in Social
    Network", Computers, Materials & Continua 61(3), 2019.

    Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses",
    CVPR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import MMLUPClassifier
    >>> text = TokenMessages.from_lists([[["茶"]], [["山", "茶"]], None, [["山"]]] * 5)
    >>> network = np.tile(
    ...     [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [np.nan, np.nan]], (5, 1)
    ... )
    >>> y = [["f", "young"], ["m", None], [None, "old"], ["m", "old"]] * 5
    >>> model = MMLUPClassifier(n_filters=4, max_epochs=2, random_state=0)
    >>> model.fit({"text": text, "network": network}, y).task_names_
    ['task0', 'task1']
    >>> model.predict({"text": text, "network": network}).shape
    (20, 2)
    >>> [p.shape for p in model.predict_proba({"text": text, "network": network})]
    [(20, 2), (20, 2)]
    """

    _architecture = MMLUP
    _pipeline = "make_mmlup(graph)"

    def __init__(
        self,
        *,
        sources: Sequence[str] | None = None,
        select_sources: bool = False,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        multi_task: bool = True,
        attention: Literal["softmax", "raw"] | None = "softmax",
        n_filters: int = 32,
        kernel_sizes: Sequence[int] = (1, 3),
        n_filters_second: int = 64,
        kernel_size_second: int = 3,
        n_attention: int = 64,
        n_filters_image: Sequence[int] = (16, 32, 64),
        n_features_image: int = 64,
        n_features_sparse: int = 64,
        n_shared: int = 256,
        n_hidden: Sequence[int] = (),
        n_dimensions: int = 100,
        trainable_vectors: bool = False,
        dropout: float = 0.3,
        word_dropout: float = 0.1,
        source_dropout: float = 0.3,
        bag_of_words: int = 2,
        bag_dropout: float = 0.5,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = "paper",
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 1e-3,
        learning_rate_decay: bool = True,
        weight_decay: float = 0.0,
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
        self.sources = sources
        self.select_sources = select_sources
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.multi_task = multi_task
        self.attention = attention
        self.n_filters = n_filters
        self.kernel_sizes = kernel_sizes
        self.n_filters_second = n_filters_second
        self.kernel_size_second = kernel_size_second
        self.n_attention = n_attention
        self.n_filters_image = n_filters_image
        self.n_features_image = n_features_image
        self.n_features_sparse = n_features_sparse
        self.n_shared = n_shared
        self.n_hidden = n_hidden
        self.n_dimensions = n_dimensions
        self.trainable_vectors = trainable_vectors
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.source_dropout = source_dropout
        self.bag_of_words = bag_of_words
        self.bag_dropout = bag_dropout
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

    def _select(self, users: TrainingUsers, *, partial: bool) -> TrainingUsers:
        chosen = None
        if self.select_sources and not partial:
            chosen = select_sources(self, users)
        # Only now, so that an error before leaves the last fit as it was.
        self.__dict__.pop("selected_sources_", None)
        if chosen is None:
            return users
        self.selected_sources_ = chosen
        return users._replace(sources=self._choose_sources(users.sources))

    def _read(self, X: Any, *, reset: bool) -> Sources:
        # A new net may read what the last one does not.
        last = self.__dict__.pop("selected_sources_", None) if reset else None
        try:
            return super()._read(X, reset=reset)
        finally:
            if last is not None:
                self.selected_sources_ = last

    def _choose_sources(self, sources: Sources) -> Sources:
        dropped = dropped_sources(self)
        if not dropped:
            return super()._choose_sources(sources)
        left = {name: each for name, each in sources.items() if name not in dropped}
        if self.sources is not None:
            table = self.selected_sources_
            left = named_sources(left, table.index[table["kept"]].tolist())
        return {**left, **pick_offset(self, sources)}

    def _build_net(
        self, sources: list[SourceDescription], n_classes: list[int], **options: Any
    ) -> nn.Module:
        # One that is an offset too is still read, but not encoded.
        dropped = dropped_sources(self)
        kept = [source for source in sources if source.name not in dropped]
        return super()._build_net(kept, n_classes, **options)

    def message_attention(
        self, X: Any, *, source: str | None = None, task: str | None = None
    ) -> list[npt.NDArray[np.float64]]:
        """Compute the weight that each message has in its user's text vector.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages or ndarray of shape (n_users, d)
            Sources of the users.
        source : str, default=None
            Name of the text; may be left out if there is only one.
        task : str, default=None
            With ``multi_task=False``, whose net to ask; by default the mean over tasks.
            A shared net has the same weights for all tasks.

        Returns
        -------
        list of ndarray of float, shape (n_messages of the user,)
            One array a user, in the order of the messages in `X`; with softmax each
            sums to 1.

        Raises
        ------
        SourceError
            If there is no such text, or several and none is named.
        """
        return message_attention(self, X, source, task)
