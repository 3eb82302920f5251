"""SelectAtt: text that selects patches of images, then a profile written as text."""

from __future__ import annotations

from sklearn_profiling.architectures.generators.profile_generator import SelectAtt
from sklearn_profiling.estimators.generators._baseline import BaseGeneratorBaseline

__all__ = ["SelectAttClassifier"]


class SelectAttClassifier(BaseGeneratorBaseline):
    """Write a user's profile from text that attends to patches of images (SelectAtt).

    Each state of the text attends to all patches of the user's images, by softmax and
    with one head; a gate mixes what it finds with the state of the text, and a decoder
    writes the profile. A baseline of the unified framework: its states of images are
    patches, and its attention is not sparse.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder, as in :class:`ProfileGeneratorClassifier`; None is a small
        T5 with random weights (our choice).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer, as in :class:`ProfileGeneratorClassifier`; None is a small
        ViT with random weights (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, as in :class:`ProfileGeneratorClassifier`.
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
    ProfileGeneratorClassifier : Sparse attention, and joint training.

    Notes
    -----
    The fused state is ``(1 - g) H_txt + g H_att`` with ``H_att = softmax(Q K^T /
    sqrt(d)) V`` and ``g = sigmoid([H_att; H_txt] W)``. A user without images keeps the
    states of the text, bit by bit.

    The original translates sentences with an image; here text states of all messages
    read look into the patches of all images of the user. Patches are the states of the
    last layer of the vision transformer without [CLS]. Queries, keys and values are as
    long as a state of the text, and the gate has one value for each entry of a state;
    both are our choice. The attention has no dropout.

    How profiles are written, read and scored stands in the notes of
    :class:`ProfileGeneratorClassifier`. A text named "captions" is not read.

    References
    ----------
    Li, Lv, Zhou, Zhou, Xiao, Ma and Zhu, "On Vision Features in Multimodal Machine
    Translation", ACL 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags, TokenMessages
    >>> from sklearn_profiling.estimators import SelectAttClassifier
    >>> text = TokenMessages.from_lists([[["nice", "place"]]] * 8)
    >>> pixels = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    >>> pixels[::2] = 255  # every other user shows white
    >>> X = {"text": text, "images": ImageBags(pixels, np.arange(9))}
    >>> model = SelectAttClassifier(
    ...     learning_rate=0.003, max_epochs=10, dropout=0.0, random_state=0
    ... ).fit(X, ["milk", "coffee"] * 4)
    >>> model.predict(X)[:2].tolist()
    ['milk', 'coffee']
    """

    _architecture = SelectAtt
    _reads_patches = True

    def _fusion(self) -> str:
        return "selective"
