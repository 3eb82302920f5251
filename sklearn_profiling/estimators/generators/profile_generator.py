"""The unified multimodal framework: a user's profile written by a language model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    SelectAtt,
)
from sklearn_profiling.estimators.generators._base import (
    MODES,
    BaseGeneratorClassifier,
)

__all__ = ["ProfileGeneratorClassifier", "SelectAttClassifier"]


class ProfileGeneratorClassifier(BaseGeneratorClassifier):
    """Write a user's profile from reviews and images (unified multimodal framework).

    An encoder reads the text of a user and a vision transformer the images; attention
    guided by the text adds what the images say, and a decoder writes the profile,
    ``Stars: 4; Favorite Category: Coffee, Pizza;``. What it wrote is read back as
    labels. Training shows each user in several modes: with images, without, with images
    half black, and with parts of the profile instead of the text.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder: a folder that ``save_pretrained`` of the package
        transformers wrote, a configuration or a dict of one with ``model_type``, for
        random weights, or a model, which is copied. Nothing is downloaded. None is a
        small model with random weights (paper: flan-t5-base; our choice: a T5 with two
        layers of 64 units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is a small
        ViT with random weights, for images of 32 x 32 (paper: vit-base-patch16-224; our
        choice: the small one).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    fusion : {"attention", "concatenation"}, default="attention"
        Text-guided attention with sparsemax and a gate (eq. 6 to 8), or states of
        images after those of the text, the paper's basic model (eq. 3) (paper:
        attention).
    paradigm : {"multimodal", "unimodal", "both"}, default="multimodal"
        Whether to read images; captions of them, appended to the text; or both.
    joint_modes : sequence of str, default=all four
        What training reads: "fusion", text and images; "text", text alone;
        "masked_image", both with masked pixels or caption words; "masked_profile",
        images and the profile with masked values. Modes without their images or
        captions are left out (paper: "fusion" alone is its basic model).
    mask_image : float, default=0.5
        Probability that mode "masked_image" masks a pixel, or a token of a caption (our
        choice: the paper does not report it).
    mask_profile : float, default=0.5
        Probability that mode "masked_profile" masks a value (our choice).
    mixing : {"step", "batch", "epoch"}, default="step"
        Whether each step follows the mean loss of all modes, or modes take turns with
        each batch or with each round through the users. An epoch reads all users in
        each mode, so four modes take four times as long as one (our choice: the paper
        does not report it; small models learn what shows in pictures alone far later
        where modes take turns).
    source : str, default=None
        Name of the text to read; may be left out if `X` holds only one beside captions.
    captions : str, default="captions"
        Name of the text that holds captions, one message an image.
    prompt : str or None, default=None
        Words around text and captions, such as ``"Reviews: {text} Images: {captions}"``
        (the paper writes a prompt of both and does not report it). It has an effect
        where captions are read, and needs a tokenizer. None puts captions behind the
        text without a word (our choice).
    max_messages : int or None, default=3
        Messages to read of a user, the first ones; None reads all (paper: three drawn
        at random).
    max_images : int or None, default=3
        Images, or captions of them, to read of a user, the first ones; None reads all
        (paper).
    max_tokens : int, default=600
        Tokens to read of a user's text, with special tokens and any prompt (paper).
    n_beams : int, default=5
        Beams of the search (paper).
    decoding : {"beam", "scoring"}, default="beam"
        Whether ``predict`` follows beam search or the best classes of ``predict_proba``
        (paper: beam search).
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
    lora : dict or None, default=None
        Train low-rank matrices beside linear layers of the language model instead of
        its own parameters (LoRA), with the keys "rank" (8), "alpha" (16), "dropout"
        (0.0) and "target_modules", names of layers, by default those that the package
        peft has for the model. All other parts are trained as usual. Needs the extra
        `lora`. None trains the model.
    frozen_dtype : {"bfloat16", "float16"} or None, default=None
        Precision in which matrices that are not trained are held, those of frozen
        parts and of a language model with LoRA: half the memory. What is trained
        keeps 32 bits, and products are computed in 16. "float16" scales the loss by
        1024, and suits no T5, whose states leave its range. None holds all alike.
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
        Initial learning rate of Adam (paper).
    learning_rate_decay : bool, default=False
        Whether the learning rate falls linearly to zero over the epochs of ``fit``.
        ``partial_fit`` does not lower it.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=4
        Users in a batch (paper).
    max_epochs : int, default=10
        Epochs over the users (paper).
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
    MMLUPClassifier : Cheaper, for text, images and vectors; no language model.
    sklearn_profiling.sources.SubwordSegmenter : From messages to tokens.

    Notes
    -----
    Deviations from the paper and choices where it does not report them. The first
    messages and images are read instead of three drawn at random. Key and value of the
    attention are image states projected to the dimension of text states by a linear
    layer; the feed-forward layer has four times as many units. A masked value of a
    profile is the tokenizer's ``<mask>``, T5's ``<extra_id_0>``. The loss is the sum of
    the cross-entropies of each task's tokens, averaged over the users labelled for it.
    An attribute whose label is missing is left out of the profile to be written.

    Around a text stand the tokens that its tokenizer writes there: ``</s>`` behind it
    for T5, ``<s>`` and ``</s>`` for BART. With weights of BART the decoder is given
    ``</s><s>`` before it writes, as in its pretraining. Without weights, or without
    such tokens, a text has a token at its end and none before it.

    A label is written as ``str`` of it, with ``/`` for the separators ``; : ,``; what
    the tokenizer cannot write is called ``class 0``, ``class 1`` and so on. A value
    that the decoder wrote and that is no class counts as the one with the smallest edit
    distance; an attribute that it did not write as the most frequent class. An
    attribute with nothing after its name is the empty set, if training users have it;
    that comes from beam search alone, elsewhere a set holds at least its most probable
    class.

    ``predict_proba`` asks about one task after the other: each class is scored as the
    text that follows the name of the task and the best answers so far. For a set-valued
    task sets are scored, and a class has the probability of all sets that hold it. Beam
    search weighs whole profiles, so ``predict`` may differ from the most probable class
    of ``predict_proba``; ``decoding="scoring"`` makes both agree. ``scoring="mean"``
    does not penalise long answers.

    The dropout of transformers draws from torch's global generators. They are lent a
    state for each step and given back, under a lock, so two generators trained in two
    threads wait for each other. Beam search computes in the precision of training. T5
    normalises in 32 bits whatever `dtype` says, BART does not. There is no "float16"
    for what is trained.

    A plain 2-D array is read as padded token ids, one message a user: 0 is padding, any
    other value a word of its own.

    References
    ----------
    "Exploring Unified Training Framework for Multimodal User Profiling", ACL submission
    (anonymous).

    Chung et al., "Scaling Instruction-Finetuned Language Models", JMLR 25(70), 2024.

    Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import ProfileGeneratorClassifier
    >>> text = TokenMessages.from_lists([[["tea"]], [["hills", "tea"]]] * 4)
    >>> y = [["calm", {"tea"}], ["fit", {"tea", "walks"}]] * 4
    >>> model = ProfileGeneratorClassifier(
    ...     learning_rate=0.01, max_epochs=20, dropout=0.0, random_state=0
    ... )
    >>> model = model.fit(text, y)
    >>> model.generate(text[:2]).tolist()
    ['task0 : calm ; task1 : tea ;', 'task0 : fit ; task1 : tea , walks ;']
    >>> model.predict(text[:1])
    array([['calm', frozenset({'tea'})]], dtype=object)
    """

    _architecture = ProfileGenerator

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        # "selective" is SelectAttClassifier.
        "fusion": [StrOptions({"attention", "concatenation"})],
    }

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        fusion: Literal["attention", "concatenation"] = "attention",
        paradigm: Literal["multimodal", "unimodal", "both"] = "multimodal",
        joint_modes: Sequence[str] = MODES,
        mask_image: float = 0.5,
        mask_profile: float = 0.5,
        mixing: Literal["step", "batch", "epoch"] = "step",
        source: str | None = None,
        captions: str = "captions",
        prompt: str | None = None,
        max_messages: int | None = 3,
        max_images: int | None = 3,
        max_tokens: int = 600,
        n_beams: int = 5,
        decoding: Literal["beam", "scoring"] = "beam",
        scoring: Literal["sum", "mean"] = "sum",
        max_sets: int = 100,
        dropout: float | None = None,
        frozen: Sequence[str] = (),
        lora: Mapping[str, Any] | None = None,
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
        self.fusion = fusion
        self.paradigm = paradigm
        self.captions = captions
        self.prompt = prompt
        self.lora = lora


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
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is a small
        ViT with random weights, for images of 32 x 32 (our choice).
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
