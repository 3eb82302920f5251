"""SelectAtt: text that selects patches of images, then a profile written as text."""

from __future__ import annotations

from sklearn_profiling.architectures.generators.profile_generator import SelectAtt
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier

__all__ = ["SelectAttClassifier"]


class SelectAttClassifier(BaseGeneratorClassifier):
    """Write a user's profile from text that attends to patches of images (SelectAtt).

    Each state of the text attends to all patches of the user's images, by softmax and
    with one head; a gate mixes what it finds with the state of the text, and a decoder
    writes the profile. A baseline of the unified framework: its states of images are
    patches, and its attention is not sparse.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder: a folder that ``save_pretrained`` of the package
        transformers wrote, a configuration or a dict of one with ``model_type``, for
        random weights, or a model, which is copied. Nothing is downloaded. None is a
        small model with random weights (our choice: a T5 with two layers of 64 units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer, given like `language_model`; images are resized for it. None
        is a small ViT with random weights, for images of 32 x 32 (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    joint_modes : sequence of str, default=("fusion",)
        What training reads: "fusion", text and images; "text", text alone;
        "masked_image", both with masked pixels or caption words; "masked_profile",
        images and the profile with masked values. Modes without their images or
        captions are left out (paper of the framework: Table 2; more are its Table 7).
    mask_image : float, default=0.5
        Probability that mode "masked_image" masks a pixel, or a token of a caption (our
        choice).
    mask_profile : float, default=0.5
        Probability that mode "masked_profile" masks a value (our choice).
    mixing : {"step", "batch", "epoch"}, default="step"
        Whether each step follows the mean loss of all modes, or modes take turns with
        each batch or with each round through the users. An epoch reads all users in
        each mode, so four modes take four times as long as one.
    source : str, default=None
        Name of the text to read; may be left out if `X` holds only one beside captions.
    max_messages : int or None, default=3
        Messages to read of a user, the first ones; None reads all (paper of the
        framework).
    max_images : int or None, default=3
        Images to read of a user, the first ones; None reads all (paper of the
        framework).
    max_tokens : int, default=600
        Tokens to read of a user's text, with special tokens and any prompt (paper of
        the framework).
    n_beams : int, default=5
        Beams of the search (paper of the framework).
    decoding : {"beam", "scoring"}, default="beam"
        Whether ``predict`` follows beam search or the best classes of
        ``predict_proba``.
    scoring : {"sum", "mean"}, default="sum"
        Whether an answer scores the sum or the mean of its tokens' log-probabilities.
    max_sets : int, default=100
        Most frequent sets of a set-valued task to score, beside each class alone.
    dropout : float or None, default=None
        Dropout in the language model, where it has any; None keeps what its
        configuration says (0.1 for T5 and BART, 0 for LLaMA). A model given as an
        object keeps its own.
    frozen : sequence of {"text_encoder", "decoder", "image_encoder"}, default=()
        Parts that training leaves alone. What encoder and decoder share, the token
        embeddings, is trained all the same.
    gradient_checkpointing : bool, default=False
        Whether to recompute activations of the language model for the gradient instead
        of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    checkpoint_folder : str, path-like or None, default=None
        Folder in which training is saved after each epoch. A ``fit`` with the same
        parameters, users and labels continues from there with the same result, also
        after the process was killed.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike.
    learning_rate : float, default=5e-5
        Initial learning rate of Adam (paper of the framework).
    learning_rate_decay : bool, default=False
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=4
        Users in a batch (paper of the framework).
    max_epochs : int, default=10
        Epochs over the users (paper of the framework).
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
        Skorch callbacks; copied before use.
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
    profile_form_ : ProfileText
        How profiles are written and read: ``profile_form_.names``, ``.classes``.
    repairs_ : dict of str to int
        For each task how many users' answers were no label word for word in the last
        ``predict`` by beam search, and got the nearest valid label.
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
    ProfileGeneratorClassifier : Sparse attention, and joint training.

    Notes
    -----
    The fused state is ``(1 - g) H_txt + g H_att`` with ``H_att = softmax(Q K^T /
    sqrt(d)) V`` and ``g = sigmoid([H_att; H_txt] W)``. A user without images keeps the
    states of the text, bit for bit.

    The original translates sentences with an image; here the states of the text, of all
    messages read, attend to the patches of all images of the user. Patches are the
    states of the last layer of the vision transformer without [CLS]. Queries, keys and
    values have the dimension of a text state, and the gate has one value for each entry
    of a state; both are our choice. The attention has no dropout.

    The Notes of :class:`ProfileGeneratorClassifier` say how profiles are written, read
    and scored. A text named "captions" is not read.

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
