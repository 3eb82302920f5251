"""AoM: VLP-MABSA with attention to attributes and a graph over similarity."""

from __future__ import annotations

from sklearn_profiling.architectures.generators.aom import AoM
from sklearn_profiling.estimators.generators._baseline import BaseRegionGenerator

__all__ = ["AoMClassifier"]


class AoMClassifier(BaseRegionGenerator):
    """Write a user's profile from words and regions that attend to attributes (AoM).

    The encoder of BART reads regions of images and words as one sequence, as in
    :class:`VLPMABSAClassifier`. Each state then attends to the names of the attributes,
    through a gate, and a graph carries what similar regions and words say from one to
    the other. The decoder writes the profile. A baseline of the unified framework: the
    original looks for aspects of a post; here attributes stand in their place.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder, as in :class:`ProfileGeneratorClassifier` (paper: BART);
        None is a small BART with random weights (our choice).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer, as in :class:`ProfileGeneratorClassifier`; None is a small
        ViT with random weights (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, as in :class:`ProfileGeneratorClassifier`.
    region_grid : int, default=6
        Rows and columns of regions that the patches of an image are averaged to, if it
        has more (our choice, as in :class:`VLPMABSAClassifier`).
    joint_modes : sequence of str, default=("fusion",)
        What training looks at, as in :class:`ProfileGeneratorClassifier`: text
        with images alone (paper of the framework, Table 2), or more (its Table 7).
    mask_image : float, default=0.5
        Probability of a pixel to be masked in mode "masked_image" (our choice).
    mask_profile : float, default=0.5
        Probability of a value to be masked in mode "masked_profile" (our choice).
    mixing : {"step", "batch", "epoch"}, default="step"
        Whether each step follows the mean loss of all modes, or modes take turns with
        each batch or with each pass over the users.
    source : str, default=None
        Name of the text to read; may be left out if only one is given.
    max_messages : int or None, default=3
        Messages to read of a user, the first ones (paper of the framework); None reads
        all.
    max_images : int or None, default=3
        Images to read of a user, the first ones (paper of the framework).
    max_tokens : int, default=600
        Tokens of text to read of a user, with the one that ends it (paper of the
        framework).
    n_beams : int, default=5
        Beams of the search (paper of the framework).
    decoding : {"beam", "scoring"}, default="beam"
        How ``predict`` decides, as in :class:`ProfileGeneratorClassifier`.
    scoring : {"sum", "mean"}, default="sum"
        How answers are scored, as in :class:`ProfileGeneratorClassifier`.
    max_sets : int, default=100
        Of a set-valued task so many of the most frequent sets are scored, beside each
        class alone.
    dropout : float or None, default=None
        Dropout in the language model; None keeps what its configuration says (0.1 for
        T5 and BART). A model given as an object keeps its own.
    frozen : sequence of {"text_encoder", "decoder", "image_encoder"}, default=()
        Parts that training leaves alone, as in :class:`ProfileGeneratorClassifier`.
    gradient_checkpointing : bool, default=False
        Whether to compute activations of the language model anew for the gradient
        instead of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    checkpoint_folder : str, path-like or None, default=None
        Folder in which training is saved after each epoch, to go on from after a kill,
        as in :class:`ProfileGeneratorClassifier`.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of what each task's part of the profile costs, as in
        :class:`MMLUPClassifier`.
    learning_rate : float, default=5e-5
        Of Adam (paper of the framework).
    learning_rate_decay : bool, default=False
        Whether the rate falls linearly to zero over the epochs of ``fit``.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=4
        Users in a batch (paper of the framework).
    max_epochs : int, default=10
        Passes over the users (paper of the framework).
    early_stopping : bool, default=False
        Whether to hold out users, stop when their loss no longer falls, and keep the
        best epoch.
    validation_fraction : float, default=0.1
        Share of users held out by `early_stopping`.
    n_iter_no_change : int, default=5
        Epochs without improvement before `early_stopping` stops.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last ``fit`` instead of starting anew.
    callbacks : list, default=None
        Skorch callbacks; copied before use.
    device : str, default="cpu"
        Torch device; "auto" takes a GPU if there is one.
    dtype : {"float32", "float64", "bfloat16"}, default="float32"
        Precision, as in :class:`ProfileGeneratorClassifier`.
    random_state : int, RandomState instance or None, default=None
        Decides initial parameters, order of users, masks and dropout.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar with the time left, 2 prints a line an
        epoch.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        Classes of each task; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    profile_form_ : ProfileText
        How profiles are written and read.
    repairs_ : dict of str to int
        For each task how many users' profiles did not hold it word for word in the last
        ``predict`` by beam search, and got the nearest valid label.
    net_ : skorch.NeuralNet
        The trained net.
    history_ : list of dict
        Losses and times of each epoch.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Columns of `X`, if it was a plain array.

    See Also
    --------
    VLPMABSAClassifier : The same without attention to attributes and without a graph.
    ProfileGeneratorClassifier : Images join the text behind its encoder.

    Notes
    -----
    With h a state of the encoder and a_i the vector of an attribute, a state becomes
    ``H = g h + (1 - g) sum_i w_i a_i`` with ``w = softmax_i(v tanh(h W_H + a_i W_A))``
    and ``g = sigmoid([h; sum_i w_i a_i] W + b)``. Then ``G_l = relu(D^-1 A G_(l-1) W_l
    + b_l)``, ``G_0 = H``, for two layers; the decoder reads ``H + G_2``. A holds 1
    between a state and itself and the cosine of the states, 0 if negative, between each
    word and each region of a user.

    Our choices where the description that we follow is silent, and deviations. An
    attribute's vector is the average of the states that the encoder gives for its name;
    in the original, aspects are noun phrases of the text. All layers are as long as a
    state, and the gate has one value for each entry of a state; it begins near 0.88,
    so that the decoder first reads nearly what the encoder gave. The graph knows no
    edges between words, for which the original parses sentences, and the states are not
    weighed by a dictionary of feelings, which says nothing of attributes. The states
    before and after the graph have the same say.

    A user without images has no regions: words attend to attributes all the same, and
    the graph holds each state alone. Regions, marks and room are those of
    :class:`VLPMABSAClassifier`.

    How profiles are written, read and scored stands in the notes of
    :class:`ProfileGeneratorClassifier`. A text named "captions" is not read.

    References
    ----------
    Zhou, Guo, Liu, Yu, Zhang and Yuan, "AoM: Detecting Aspect-oriented Information for
    Multimodal Aspect-Based Sentiment Analysis", Findings of ACL 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags, TokenMessages
    >>> from sklearn_profiling.estimators import AoMClassifier
    >>> text = TokenMessages.from_lists([[["nice", "place"]]] * 8)
    >>> pixels = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    >>> pixels[::2] = 255  # every other user shows white
    >>> X = {"text": text, "images": ImageBags(pixels, np.arange(9))}
    >>> model = AoMClassifier(
    ...     learning_rate=0.003, max_epochs=10, dropout=0.0, random_state=0
    ... ).fit(X, ["milk", "coffee"] * 4)
    >>> model.predict(X)[:2].tolist()
    ['milk', 'coffee']
    """

    _architecture = AoM
