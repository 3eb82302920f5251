"""Images through a 3D-CNN beside text and vectors, with a gate for each source."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import pandas as pd

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.layers.offset import without_offset
from sklearn_profiling.architectures.multimodal_cnn3d import MultimodalCNN3D
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE, RATE
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.gates import learn_gates
from sklearn_profiling.training.net import TrainingPlan

__all__ = ["MultimodalCNN3DClassifier"]


class MultimodalCNN3DClassifier(BaseProfileClassifier):
    """Images, texts and vectors of users, each through a gate of its own.

    Bags of images go through the 3D-CNN of :class:`CNN3DClassifier`, texts through the
    deep Text-CNN of :class:`MMLUPClassifier`, dense sources are centred and scaled,
    sparse matrices multiplied by a learned table as there. Each source is mapped to one
    dimension by a dense layer, weighted by its gate and concatenated with the others; a
    shared layer and one stack of dense layers a task follow. A gate can learn to ignore
    a source without information.

    Parameters
    ----------
    sources : sequence of str, default=None
        Names of the sources to encode, out of those in `X`; None takes all that
        `offset` does not name. A name with a ``*`` stands for all names that match it,
        in the order of `X`.
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
    gate_fraction : float, default=0.35
        Share of users held out from two trial nets, the validation set on which gates
        are learned; all users train the net itself. 0 leaves all gates open (our
        choice).
    gate_epochs : int, default=15
        Epochs of each trial net over its users (our choice).
    n_gated : int, default=64
        Units that each source is mapped to before its gate.
    variant : {1, 2}, default=1
        Model 1 has four convolutions over images, each with a maximum over 2 x 2 x 2.
        Model 2 has seven; after the first, second and fourth comes a maximum over 2 x 2
        x 2, after the last two one over height and width alone.
    n_filters_image : int, default=None
        Feature maps of the first convolution over images, as `n_filters` of
        :class:`CNN3DClassifier`. None is 32 in Model 1 and 64 in Model 2.
    n_images : int, default=11
        Images to read of a user; of more than these the first ones count, fewer are not
        padded (paper).
    image_order : {"given", "random"}, default="given"
        "random" draws a new order of each user's images for every batch of training,
        since a bag has none, and with it which images count if there are more than
        `n_images`. Prediction always takes the given order.
    attention : {"softmax", "raw"} or None, default="softmax"
        Weights of messages: softmax over a user's messages, the bare score, or None for
        the average.
    n_filters : int, default=64
        Feature maps of each filter width in the first convolution over words.
    kernel_sizes : sequence of int, default=(1, 3, 5, 7, 9)
        Filter widths of the first convolution over words, odd.
    n_filters_second : int, default=64
        Feature maps of the second convolution over words, the embedding dimension of
        messages.
    kernel_size_second : int, default=3
        Filter width of the second convolution over words, odd.
    n_attention : int, default=64
        Hidden units of the attention score.
    n_features_sparse : int, default=64
        Columns that the product of each sparse source with a learned table has (our
        choice: the paper has no sparse sources).
    n_shared : int, default=256
        Units of the dense layer before the tasks' own.
    n_hidden : sequence of int, default=(128,)
        Units of the dense layers of each task.
    n_dimensions : int, default=100
        Embedding dimension of words, learned where a text brings no vectors.
    trainable_vectors : bool, default=False
        Whether training changes the word vectors that a text brings.
    dropout : float, default=0.5
        Dropout on dense and sparse sources, on the embedding of a text beside other
        sources, and on the dense layer before the tasks' own.
    word_dropout : float, default=0.3
        Dropout on the entries of word vectors.
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
    learning_rate : float, default=0.001
        Initial learning rate of Adam.
    learning_rate_decay : bool, default=True
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=13
        Users in a batch (as in :class:`CNN3DClassifier`).
    max_epochs : int, default=30
        Epochs over the users.
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
    CNN3DClassifier : Images alone.
    MMLUPClassifier : Any sources without gates; images as a set.

    Notes
    -----
    The paper announces "a multimodal 3D CNN model which is able to combine visual and
    textual information" as future work and does not report its shape: all but the
    3D-CNN itself is our choice.

    Gates are sigmoids, one for each source and all users, so that each opens and closes
    on its own. Trained along with the net they would stay open for noise, which helps
    to memorise the training users. So a trial net is trained on most users first; then
    the gates alone are fitted to the validation set, on which noise does harm. A second
    trial begins with the gates of the first. A small L1 penalty closes a gate that
    neither helps nor harms, and one below a tenth of the widest is set to zero, since
    larger weights would make up for it. The net itself is then trained on all users
    with the gates as they were found, relative to the widest, which is open.
    ``partial_fit`` learns gates in its first call. A single source has an open gate.

    A gate tells how much of a source the net uses, not how good the source would be
    alone: of two that carry the same information, one may be closed.

    Texts and images are standardised on the training users before the first step. A
    plain 2-D array is read as one dense source.

    References
    ----------
    Valdez-Rodriguez, Calvo and Felipe-Riveron, "Author Profiling From Images Using 3D
    Convolutional Neural Networks", IberLEF 2019.

    Arevalo, Solorio, Montes-y-Gomez and Gonzalez, "Gated Multimodal Units for
    Information Fusion", ICLR 2017 workshop.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags, TokenMessages
    >>> from sklearn_profiling.estimators import MultimodalCNN3DClassifier
    >>> pixels = np.zeros((12, 3, 8, 8), dtype=np.uint8)
    >>> bags = ImageBags(pixels, np.arange(13))
    >>> text = TokenMessages.from_lists([[["tea"]], [["hills"]], None] * 4)
    >>> X = {"images": bags, "text": text}
    >>> model = MultimodalCNN3DClassifier(
    ...     n_filters_image=2, n_filters=4, max_epochs=2, random_state=0
    ... )
    >>> model.fit(X, ["f", "m", None] * 4).predict(X).shape
    (12,)
    >>> model.source_gates(X).columns.tolist()
    ['images', 'text']
    """

    _architecture = MultimodalCNN3D

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gate_fraction": [RATE],
        "gate_epochs": [POSITIVE],
        "n_gated": [POSITIVE],
        "n_filters_image": [POSITIVE, None],
    }

    def __init__(
        self,
        *,
        sources: Sequence[str] | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        gate_fraction: float = 0.35,
        gate_epochs: int = 15,
        n_gated: int = 64,
        variant: Literal[1, 2] = 1,
        n_filters_image: int | None = None,
        n_images: int = 11,
        image_order: Literal["given", "random"] = "given",
        attention: Literal["softmax", "raw"] | None = "softmax",
        n_filters: int = 64,
        kernel_sizes: Sequence[int] = (1, 3, 5, 7, 9),
        n_filters_second: int = 64,
        kernel_size_second: int = 3,
        n_attention: int = 64,
        n_features_sparse: int = 64,
        n_shared: int = 256,
        n_hidden: Sequence[int] = (128,),
        n_dimensions: int = 100,
        trainable_vectors: bool = False,
        dropout: float = 0.5,
        word_dropout: float = 0.3,
        source_dropout: float = 0.1,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 1e-3,
        learning_rate_decay: bool = True,
        weight_decay: float = 0.0,
        batch_size: int = 13,
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
        self.sources = sources
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.gate_fraction = gate_fraction
        self.gate_epochs = gate_epochs
        self.n_gated = n_gated
        self.variant = variant
        self.n_filters_image = n_filters_image
        self.n_images = n_images
        self.image_order = image_order
        self.attention = attention
        self.n_filters = n_filters
        self.kernel_sizes = kernel_sizes
        self.n_filters_second = n_filters_second
        self.kernel_size_second = kernel_size_second
        self.n_attention = n_attention
        self.n_features_sparse = n_features_sparse
        self.n_shared = n_shared
        self.n_hidden = n_hidden
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

    def _prepare(self, dataset: UserDataset, plan: TrainingPlan) -> None:
        super()._prepare(dataset, plan)
        module = self.net_.module_
        scores = learn_gates(
            module,
            dataset,
            plan,
            n_tasks=len(self._codec.classes),
            fraction=self.gate_fraction,
            epochs=self.gate_epochs,
        )
        cast("Any", without_offset(module)).sources.scores.copy_(scores)

    def source_gates(self, X: Any) -> pd.DataFrame:
        """Compute how much of each source is let through.

        Parameters
        ----------
        X : mapping of str to source, TokenMessages, ImageBags or ndarray
            Sources of the users.

        Returns
        -------
        DataFrame of float, shape (n_users, n_sources)
            Gates between 0 and 1, one column a source, the same for all users who have
            the source; 0 for those who lack it.
        """
        dataset = self._dataset(X)
        gated = cast("Any", without_offset(self.net_.module_)).sources
        gates = gated.gates().tolist()
        return pd.DataFrame(
            {
                name: gate * dataset.present[name]
                for name, gate in zip(gated.names, gates, strict=True)
            }
        )
