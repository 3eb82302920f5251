"""A user's profile written by a decoder alone, after images and text (LLaVA)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.llava import LLaVA
from sklearn_profiling.estimators._constraints import LEAST_PROMPT, POSITIVE
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier
from sklearn_profiling.training.generators.backbones import Kind

__all__ = ["LLaVAProfileClassifier"]


class LLaVAProfileClassifier(BaseGeneratorClassifier):
    """Let an image-text model write a user's profile after images and text (LLaVA).

    A vision transformer reads the images of a user; a projector of two layers turns the
    states of their patches into embeddings like those of tokens, and a decoder alone
    reads them, then the text, and continues with ``Stars: 4; Favorite Category: Coffee,
    Pizza;``. A baseline of the unified multimodal framework.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        A whole LLaVA (``LlavaForConditionalGeneration``), with its own vision model and
        projector, or a decoder alone: a folder that ``save_pretrained`` of the package
        transformers wrote, a configuration or a dict of one with ``model_type``, for
        random weights, or a model, which is copied. Nothing is downloaded. None is a
        small model with random weights (our choice: a LLaMA with two layers of 64
        units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is that of
        a whole LLaVA, or a small ViT with random weights, for images of 32 x 32 (our
        choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    request : str, default="Profile:"
        What the text of each user ends with, so that the model knows where to continue.
        A model without a tokenizer reads the end of a text instead.
    chat : bool, default=False
        Whether text and `request` are the turn of a user in a chat, as the chat
        template of the tokenizer writes it: "USER: ... ASSISTANT:" of LLaVA,
        ``<|user|>`` and ``<|assistant|>`` of GLM. Models that were trained to answer
        know it (our choice).
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
    max_images : int, default=3
        Images to read of a user, the first ones. Each takes as many tokens as it has
        patches, which leave less room for text (paper of the framework).
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
    lora : dict or None, default=None
        Train low-rank matrices beside linear layers of the language model instead of
        its own parameters (LoRA), with the keys "rank" (8), "alpha" (16), "dropout"
        (0.0) and "target_modules", names of layers, by default those that the package
        peft has for the model. All other parts are trained as usual. Needs the extra
        `lora`. None trains the model.
    frozen : sequence of {"embeddings", "layers", "image_encoder"}, default=()
        Parts that training leaves alone: the token embeddings, all layers between them
        and the logits, and the vision transformer. The matrices of LoRA and the
        projector are trained all the same. LLaVA trains its projector alone first, then
        all but the vision transformer.
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

    Raises
    ------
    SourceError
        If a folder holds no model, the model is no decoder alone or too short for the
        profile and the images, a whole LLaVA comes with an `image_model`, or `X` has
        neither text nor images.
    ProfilingError
        If `chat` is set and the tokenizer has no chat template, `lora` has keys that
        are not known or names layers that are not there, or nothing is left to train.

    See Also
    --------
    CausalLMProfileClassifier : Without images.
    ProfileGeneratorClassifier : With an encoder and joint training.
    sklearn_profiling.sources.SubwordSegmenter : From messages to tokens.

    Notes
    -----
    Deviations from the paper and choices where it does not report them. It compares
    with LLaVA without details: here it is trained as the framework is, on the same
    text, images and format. Of a whole LLaVA the states are those of the layer that its
    configuration names (``vision_feature_layer``, the last but one in LLaVA 1.5), with
    or without the first one (``vision_feature_select_strategy``), and its own projector
    brings them to the tokens. Where vision transformer and decoder are given
    separately, the projector is initialised at random, and the last states of patches
    are taken. Images are stretched to the size of the vision model; LLaVA's processor
    cuts out their centre. The first messages and images are read instead of three drawn
    at random.

    The prompt is the token that begins a text, the patches of all images, the text and
    `request`; with `chat` images stand where the chat template has them. A user without
    images has no image tokens: the prompt is that of
    :class:`CausalLMProfileClassifier`, whose other Notes apply too.

    References
    ----------
    "Exploring Unified Training Framework for Multimodal User Profiling", ACL submission
    (anonymous).

    Liu et al., "Improved Baselines with Visual Instruction Tuning", CVPR 2024.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> from sklearn_profiling.estimators import LLaVAProfileClassifier
    >>> shades = np.array([0, 255] * 4, dtype=np.uint8)[:, None, None, None]
    >>> images = ImageBags(np.broadcast_to(shades, (8, 3, 32, 32)), np.arange(9))
    >>> y = ["night", "day"] * 4
    >>> model = LLaVAProfileClassifier(
    ...     learning_rate=0.003, max_epochs=10, random_state=0
    ... )
    >>> model = model.fit(images, y)
    >>> model.generate(images[:2]).tolist()
    ['task0 : night ;', 'task0 : day ;']
    """

    _architecture = LLaVA
    _language_kind: ClassVar[Kind] = "causal"
    _freezable = ("embeddings", "layers", "image_encoder")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_images": [POSITIVE],
        "max_tokens": [LEAST_PROMPT],
    }

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        request: str = "Profile:",
        chat: bool = False,
        joint_modes: Sequence[str] = ("fusion",),
        mask_image: float = 0.5,
        mask_profile: float = 0.5,
        mixing: Literal["step", "batch", "epoch"] = "step",
        source: str | None = None,
        max_messages: int | None = 3,
        max_images: int = 3,
        max_tokens: int = 600,
        n_beams: int = 5,
        decoding: Literal["beam", "scoring"] = "beam",
        scoring: Literal["sum", "mean"] = "sum",
        max_sets: int = 100,
        dropout: float | None = None,
        lora: Mapping[str, Any] | None = None,
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
        self.request = request
        self.chat = chat
        self.lora = lora
