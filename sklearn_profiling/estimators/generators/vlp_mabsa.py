"""VLP-MABSA and AoM: BART reads patches of images among the words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.vlp_mabsa import VLPMABSA, AoM
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier
from sklearn_profiling.training.generators.backbones import SMALL_BART

__all__ = ["AoMClassifier", "VLPMABSAClassifier"]


class VLPMABSAClassifier(BaseGeneratorClassifier):
    """Write a user's profile from words and image patches in one encoder (VLP-MABSA).

    The encoder of BART reads patches of the user's images and the words of the text as
    one sequence, and its decoder writes the profile. A baseline of the unified
    framework: the original finds aspects in a post and the sentiment about them; here
    attributes take the place of aspects and their values that of sentiments.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder: a folder that ``save_pretrained`` of the package
        transformers wrote, a configuration or a dict of one with ``model_type``, for
        random weights, or a model, which is copied. Nothing is downloaded. None is a
        small model with random weights (paper: BART; our choice: one with two layers of
        64 units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is a small
        ViT with random weights, for images of 32 x 32 (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    patch_grid : int, default=6
        Rows and columns of the grid that the patches of an image are averaged to, if it
        has more of them (our choice: 36 cells, as many as the regions of the paper's
        detector).
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
        Parts that training leaves alone, the decoder with the head if that is its own.
        What encoder and decoder share, the token embeddings, is trained all the same.
    frozen_dtype : {"bfloat16", "float16"} or None, default=None
        Precision in which matrices that are not trained are held, those of frozen
        parts: half the memory. What is trained keeps 32 bits, and products are computed
        in 16. "float16" scales the loss by 1024, and suits no T5, whose states leave
        its range. None holds all alike.
    gradient_checkpointing : bool, default=False
        Whether to recompute activations of the language model for the gradient instead
        of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
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
    AoMClassifier : The same with attention to attributes and a graph over similarity.
    ProfileGeneratorClassifier : Images join the text behind its encoder.

    Notes
    -----
    The encoder reads a marker, the patches of all images, a marker, and the text. A
    linear layer projects patches to the embedding dimension of words; the markers are
    two learned embeddings. A user without images has neither, and the states of the
    text are those that the encoder gives for the text alone.

    Deviations from the original. It takes 36 regions of each image from an object
    detector, which this package does not have; here they are averages of neighbouring
    patches of a vision transformer, which is trained too. It is pretrained on posts
    with images; here training begins with the weights given, such as a folder of BART
    for encoder and decoder and one of ViT: what is run is BART with ViT patches. It
    writes positions in the text; here the profile is written as text.

    BART reads at most as many tokens and patches as it has positions (1,024 in
    bart-base); with three images of 36 patches there is room for 600 tokens. With more
    patches the text is truncated.

    The Notes of :class:`ProfileGeneratorClassifier` say how profiles are written, read
    and scored. A text named "captions" is not read.

    References
    ----------
    Ling, Yu and Xia, "Vision-Language Pre-Training for Multimodal Aspect-Based
    Sentiment Analysis", ACL 2022.

    Lewis et al., "BART: Denoising Sequence-to-Sequence Pre-training for Natural
    Language Generation, Translation, and Comprehension", ACL 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags, TokenMessages
    >>> from sklearn_profiling.estimators import VLPMABSAClassifier
    >>> text = TokenMessages.from_lists([[["nice", "place"]]] * 8)
    >>> pixels = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    >>> pixels[::2] = 255  # every other user shows white
    >>> X = {"text": text, "images": ImageBags(pixels, np.arange(9))}
    >>> model = VLPMABSAClassifier(
    ...     learning_rate=0.003, max_epochs=10, dropout=0.0, random_state=0
    ... ).fit(X, ["milk", "coffee"] * 4)
    >>> model.predict(X)[:2].tolist()
    ['milk', 'coffee']
    """

    _architecture = VLPMABSA
    _small_language: ClassVar[dict[str, Any] | None] = SMALL_BART

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        patch_grid: int = 6,
        joint_modes: Sequence[str] = ("fusion",),
        mask_image: float = 0.5,
        mask_profile: float = 0.5,
        mixing: Literal["step", "batch", "epoch"] = "step",
        source: str | None = None,
        max_messages: int | None = 3,
        max_images: int | None = 3,
        max_tokens: int = 600,
        n_beams: int = 5,
        decoding: Literal["beam", "scoring"] = "beam",
        scoring: Literal["sum", "mean"] = "sum",
        max_sets: int = 100,
        dropout: float | None = None,
        frozen: Sequence[str] = (),
        frozen_dtype: str | None = None,
        gradient_checkpointing: bool = False,
        micro_batch_size: int | None = None,
        prediction_batch_size: int = 32,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
        class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
        learning_rate: float = 5e-5,
        learning_rate_decay: bool = False,
        weight_decay: float = 0.0,
        batch_size: int = 4,
        max_epochs: int = 10,
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
        super().__init__(
            language_model=language_model,
            image_model=image_model,
            tokenizer=tokenizer,
            joint_modes=joint_modes,
            mask_image=mask_image,
            mask_profile=mask_profile,
            mixing=mixing,
            source=source,
            max_messages=max_messages,
            max_images=max_images,
            max_tokens=max_tokens,
            n_beams=n_beams,
            decoding=decoding,
            scoring=scoring,
            max_sets=max_sets,
            dropout=dropout,
            frozen=frozen,
            frozen_dtype=frozen_dtype,
            gradient_checkpointing=gradient_checkpointing,
            micro_batch_size=micro_batch_size,
            prediction_batch_size=prediction_batch_size,
            loss_weights=loss_weights,
            class_weight=class_weight,
            learning_rate=learning_rate,
            learning_rate_decay=learning_rate_decay,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_epochs=max_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            callbacks=callbacks,
            checkpoint=checkpoint,
            device=device,
            dtype=dtype,
            random_state=random_state,
            verbose=verbose,
        )
        self.patch_grid = patch_grid


class AoMClassifier(VLPMABSAClassifier):
    """Write a user's profile from words and patches that attend to attributes (AoM).

    The encoder of BART reads patches of images and words as one sequence, as in
    :class:`VLPMABSAClassifier`. Each state then attends to the names of the attributes,
    through a gate, and a graph exchanges information between similar patches and words.
    The decoder writes the profile. A baseline of the unified framework: the original
    looks for aspects of a post; here attributes stand in their place.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder: a folder that ``save_pretrained`` of the package
        transformers wrote, a configuration or a dict of one with ``model_type``, for
        random weights, or a model, which is copied. Nothing is downloaded. None is a
        small model with random weights (paper: BART; our choice: one with two layers of
        64 units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is a small
        ViT with random weights, for images of 32 x 32 (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    patch_grid : int, default=6
        Rows and columns of the grid that the patches of an image are averaged to, if it
        has more of them (our choice: as in :class:`VLPMABSAClassifier`).
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
        Parts that training leaves alone, the decoder with the head if that is its own.
        What encoder and decoder share, the token embeddings, is trained all the same.
    frozen_dtype : {"bfloat16", "float16"} or None, default=None
        Precision in which matrices that are not trained are held, those of frozen
        parts: half the memory. What is trained keeps 32 bits, and products are computed
        in 16. "float16" scales the loss by 1024, and suits no T5, whose states leave
        its range. None holds all alike.
    gradient_checkpointing : bool, default=False
        Whether to recompute activations of the language model for the gradient instead
        of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of each task's loss. A mapping leaves tasks that it does not name at 1;
        "paper" is 3 for a task named "age" and 1 for any other (Zhu et al. 2019);
        "uncertainty" learns the weights (Kendall et al. 2018); None weighs all alike.
    class_weight : "balanced", mapping, list or None, default=None
        Weight of each class's labels in the loss: a mapping from classes, 1 for those
        that it does not name. For several tasks, a mapping from tasks to such, or a
        list with one entry a task; None is 1 for all. "balanced" is
        ``n_labels / (n_classes * count)``, as in scikit-learn.
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
    VLPMABSAClassifier : The same without attention to attributes and without a graph.
    ProfileGeneratorClassifier : Images join the text behind its encoder.

    Notes
    -----
    With h a state of the encoder and a_i the embedding of an attribute, a state becomes
    ``H = g h + (1 - g) sum_i w_i a_i`` with ``w = softmax_i(v tanh(h W_H + a_i W_A))``
    and ``g = sigmoid([h; sum_i w_i a_i] W + b)``. Then ``G_l = relu(D^-1 A G_(l-1) W_l
    + b_l)``, ``G_0 = H``, for two layers; the decoder reads ``H + G_2``. A holds 1
    between a state and itself and the cosine of the states, 0 if negative, between each
    word and each patch of a user.

    Our choices where the description that we follow does not report it, and deviations.
    An attribute's embedding is the average of the states that the encoder gives for its
    name; in the original, aspects are noun phrases of the text. All layers have the
    dimension of a state, and the gate has one value for each entry of a state; it is
    initialised near 0.88, so that the decoder first reads nearly what the encoder gave.
    The graph has no edges between words, for which the original parses sentences, and
    the states are not weighted by a sentiment lexicon, which says nothing of
    attributes. The states before and after the graph have equal weights.

    A user without images has no patches: words attend to attributes all the same, and
    the graph holds each state alone. Patches, markers and the room for text are those
    of :class:`VLPMABSAClassifier`.

    The Notes of :class:`ProfileGeneratorClassifier` say how profiles are written, read
    and scored. A text named "captions" is not read.

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
