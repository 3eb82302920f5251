"""Bags of images: 3D-CNN, and images as a set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.cnn3d import CNN3D, ImageSet
from sklearn_profiling.architectures.layers.offset import without_offset
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE
from sklearn_profiling.training.batches import Batch
from sklearn_profiling.training.net import apply_to_batches

__all__ = ["CNN3DClassifier", "ImageSetClassifier"]


class CNN3DClassifier(BaseProfileClassifier):
    """Author profiling from images by 3-D convolutions over each user's bag.

    The images of a user form a volume; 2 x 3 x 3 convolutions with maxima in between
    turn it into one embedding, which a dense layer and one stack of dense layers a task
    read. A user may have any number of images, none included.

    Parameters
    ----------
    source : str, default=None
        Name of the images to read; may be left out if `X` holds them only once.
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
    variant : {1, 2}, default=1
        Model 1 has four convolutions over images, each with a maximum over 2 x 2 x 2.
        Model 2 has seven; after the first, second and fourth comes a maximum over 2 x 2
        x 2, after the last two one over height and width alone.
    n_filters : int, default=None
        Feature maps of the first convolution; those of the others keep their proportion
        to it: 1, 2, 4, 8 in Model 1 and 1, 2, 4, 4, 8, 8, 8 in Model 2. None is 32 in
        Model 1 and 64 in Model 2 (our choice: the paper does not report it).
    n_images : int, default=11
        Images to read of a user; of more than these the first ones count, fewer are not
        padded (paper).
    image_order : {"given", "random"}, default="given"
        "random" draws a new order of each user's images for every batch of training,
        since a bag has none, and with it which images count if there are more than
        `n_images`. Prediction always takes the given order.
    n_shared : int, default=256
        Units of the dense layer before the tasks' own (our choice).
    n_hidden : sequence of int, default=(128,)
        Units of the dense layers of each task (our choice).
    dropout : float, default=0.5
        Dropout on the dense layer before the tasks' own (our choice: the paper does not
        report it).
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
        Initial learning rate of Adam (our choice: see Notes on the paper's 0.05).
    learning_rate_decay : bool, default=True
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it (our choice).
    weight_decay : float, default=0.0
        L2 penalty of Adam (our choice).
    batch_size : int, default=13
        Users in a batch (paper).
    max_epochs : int, default=30
        Epochs over the users (our choice: the paper has 100 iterations).
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
    ImageSetClassifier : The same bags as sets: every image on its own, then attention.
    MultimodalCNN3DClassifier : Images beside text and vectors, with a gate a source.

    Notes
    -----
    The paper's stated weakness is that it needs 11 images of every user. Here no bag is
    padded: what follows the last image of a user is zero before every convolution and
    takes no part in any maximum, so that a user's output does not depend on the others
    in the batch, up to rounding.

    Deviations from the paper and choices where it does not report them: widths of
    layers; padded convolutions, and maxima that keep an odd end, so that bags and
    images of any size can be read; places of the maxima in Model 2, after those of the
    T-CNN it is based on; a maximum over the depth that is left at the end; He's
    initialisation; pixels and the vectors of users standardised on the training users;
    dropout; missing-source embeddings for missing images. With the paper's learning
    rate of 0.05 beside our dropout, read with its decay of 0.7 as Keras does or as a
    factor for each epoch, both models stay at the majority class of every task on the
    users of :func:`~sklearn_profiling.datasets.make_image_users`; without dropout, as
    ``make_cnn3d(preset="paper")`` has them, they learn a little. With
    "bfloat16" a step with images of 64 x 64 takes 0.6 times as long; images of 16 x 16
    gain nothing.

    A plain 2-D array, or a dense source where `X` holds no images, is read as one image
    a user, of one channel and one line.

    References
    ----------
    Valdez-Rodriguez, Calvo and Felipe-Riveron, "Author Profiling From Images Using 3D
    Convolutional Neural Networks", IberLEF 2019.

    Hou, Chen and Shah, "Tube Convolutional Neural Network (T-CNN) for Action Detection
    in Videos", ICCV 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> from sklearn_profiling.estimators import CNN3DClassifier
    >>> pixels = np.zeros((12, 3, 8, 8), dtype=np.uint8)
    >>> pixels[::2, 0] = 255  # every other image is red
    >>> bags = ImageBags(pixels, [0, 1, 2, 3, 4, 7, 7, 8, 9, 10, 11, 12])
    >>> colours = ["red", "black", "red", "black", "red", None, "black"] + [None] * 4
    >>> model = CNN3DClassifier(n_filters=4, max_epochs=20, random_state=0)
    >>> model.fit(bags, colours).predict(bags[:2])
    array(['red', 'black'], dtype=object)
    """

    _architecture = CNN3D
    _pipeline = "make_cnn3d()"
    _reads = "images"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_filters": [POSITIVE, None],
    }

    def __init__(
        self,
        *,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        variant: Literal[1, 2] = 1,
        n_filters: int | None = None,
        n_images: int = 11,
        image_order: Literal["given", "random"] = "given",
        n_shared: int = 256,
        n_hidden: Sequence[int] = (128,),
        dropout: float = 0.5,
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
        self.source = source
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.variant = variant
        self.n_filters = n_filters
        self.n_images = n_images
        self.image_order = image_order
        self.n_shared = n_shared
        self.n_hidden = n_hidden
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


class ImageSetClassifier(BaseProfileClassifier):
    """Attributes of users from their images, read one by one.

    Every image goes through the same encoder; attention over the images of a user
    makes one embedding of them, which a dense layer and one stack of dense layers a
    task read. The order of images has no effect, and there may be any number of them.

    Parameters
    ----------
    source : str, default=None
        Name of the images to read; may be left out if `X` holds them only once.
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
    encoder : Module, default=None
        Net from floats (n_images, n_channels, height, width), pixels from 0 to 1, to
        (n_images, n_features), for example one with pretrained weights that begins with
        its normalisation. It is copied before use. None is a small CNN with random
        weights, on pixels standardised by channel.
    freeze_encoder : bool, default=False
        Whether training leaves the parameters of a given `encoder` alone.
    n_filters : sequence of int, default=(16, 32, 64)
        Feature maps of the 3 x 3 convolutions of the small CNN, with a maximum over 2 x
        2 after each.
    n_features_image : int, default=64
        Embedding dimension of images.
    attention : {"softmax", "raw"} or None, default="softmax"
        Weights of images: softmax over a user's images, the bare score, or None for the
        average.
    n_attention : int, default=64
        Hidden units of the attention score.
    n_shared : int, default=256
        Units of the dense layer before the tasks' own (as in :class:`CNN3DClassifier`).
    n_hidden : sequence of int, default=(128,)
        Units of the dense layers of each task (as in :class:`CNN3DClassifier`).
    dropout : float, default=0.5
        Dropout on the dense layer before the tasks' own.
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
    CNN3DClassifier : The same bags as volumes.

    Notes
    -----
    No paper describes this classifier; all defaults are our choice. It shows whether
    convolving over the order of images, which carries no meaning, is worth it.

    A given encoder always works in evaluation mode: its batch statistics stay as they
    are, since those of a batch would let the other users in it change a prediction, and
    its dropout stays off, since torch draws that from the global generator. Its weights
    are part of the pickled parameters and, once more, of the trained net.

    Before the first step the vectors of users are standardised on the training users.
    A plain 2-D array is read as one image a user, of one channel and one line.
    Predictions do not depend on batch size or on the other users of a batch, up to
    rounding.

    References
    ----------
    Ilse, Tomczak and Welling, "Attention-based Deep Multiple Instance Learning", ICML
    2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> from sklearn_profiling.estimators import ImageSetClassifier
    >>> pixels = np.zeros((12, 3, 8, 8), dtype=np.uint8)
    >>> pixels[::2, 0] = 255  # every other image is red
    >>> bags = ImageBags(pixels, [0, 1, 2, 3, 4, 4, 6, 8, 10, 12])
    >>> y = ["one red", "black", "one red", "black", None] + ["one red"] * 4
    >>> model = ImageSetClassifier(max_epochs=20, random_state=0).fit(bags, y)
    >>> model.predict(bags[:2])
    array(['one red', 'black'], dtype=object)
    >>> [weights.shape for weights in model.image_attention(bags[3:6])]
    [(1,), (0,), (2,)]
    """

    _architecture = ImageSet
    _pipeline = "make_cnn3d(classifier={}())"
    _reads = "images"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "encoder": [nn.Module, None],
        "freeze_encoder": ["boolean"],
        "n_filters": ["array-like"],
    }

    def __init__(
        self,
        *,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        encoder: nn.Module | None = None,
        freeze_encoder: bool = False,
        n_filters: Sequence[int] = (16, 32, 64),
        n_features_image: int = 64,
        attention: Literal["softmax", "raw"] | None = "softmax",
        n_attention: int = 64,
        n_shared: int = 256,
        n_hidden: Sequence[int] = (128,),
        dropout: float = 0.5,
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
        self.source = source
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.encoder = encoder
        self.freeze_encoder = freeze_encoder
        self.n_filters = n_filters
        self.n_features_image = n_features_image
        self.attention = attention
        self.n_attention = n_attention
        self.n_shared = n_shared
        self.n_hidden = n_hidden
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

    def image_attention(self, X: Any) -> list[npt.NDArray[np.float64]]:
        """Compute the weight that each image has in its user's vector.

        Parameters
        ----------
        X : mapping of str to source, ImageBags or ndarray of shape (n_users, d)
            Images of the users.

        Returns
        -------
        list of ndarray of float, shape (n_images of the user,)
            One array a user, in the order of the images in `X`; with softmax each sums
            to 1. It says what the model looked at, not why the user is who they are.
        """
        dataset = self._dataset(X)
        joined = cast("Any", without_offset(self.net_.module_)).sources
        (name,) = joined.names
        source = dataset.sources[name]

        def weights(batch: Batch) -> Tensor:
            found: Tensor = joined.encoder(name).image_weights(batch.sources[name])
            return found

        flat = apply_to_batches(self.net_, dataset, weights)
        if isinstance(source, ImageBags):
            return np.split(flat, source.user_starts[1:-1])
        return np.split(flat, len(flat))
