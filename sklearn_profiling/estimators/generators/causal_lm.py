"""A user's profile written by a decoder alone, after the user's text (LLaMA, GLM)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.estimators._constraints import LEAST_PROMPT
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier
from sklearn_profiling.training.generators.backbones import Kind

__all__ = ["CausalLMProfileClassifier"]


class CausalLMProfileClassifier(BaseGeneratorClassifier):
    """Let a large language model write a user's profile after the user's text.

    A decoder alone, as LLaMA, GLM or GPT-2, reads the text of a user and continues with
    ``Stars: 4; Favorite Category: Coffee, Pizza;``. What it wrote is read back as
    labels. Training teaches it the profile, not the text. A baseline of the unified
    multimodal framework.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Decoder: a folder that ``save_pretrained`` of the package transformers wrote, a
        configuration or a dict of one with ``model_type``, for random weights, or a
        model, which is copied. Nothing is downloaded. None is a small model with random
        weights (our choice: a LLaMA with two layers of 64 units).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    request : str, default="Profile:"
        What the text of each user ends with, so that the model knows where to continue.
        A model without a tokenizer reads the end of a text instead (our choice).
    chat : bool, default=False
        Whether text and `request` are the turn of a user in a chat, as the chat
        template of the tokenizer writes it: "USER: ... ASSISTANT:" of LLaVA,
        ``<|user|>`` and ``<|assistant|>`` of GLM. Models that were trained to answer
        know it (our choice).
    paradigm : {"text", "unimodal"}, default="text"
        Whether to read the text alone, or captions of images after it.
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
    captions : str, default="captions"
        Name of the text that holds captions, one message an image.
    prompt : str or None, default=None
        Words around text and captions, such as ``"Reviews: {text} Images: {captions}"``
        (the paper writes a prompt of both and does not report it). It has an effect
        where captions are read, and needs a tokenizer. None puts captions behind the
        text without a word (our choice).
    max_messages : int or None, default=3
        Messages to read of a user, the first ones; None reads all (paper of the
        framework).
    max_images : int or None, default=3
        Images, or captions of them, to read of a user, the first ones; None reads all
        (paper of the framework).
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
    frozen : sequence of {"embeddings", "layers"}, default=()
        Parts that training leaves alone: the token embeddings, and all layers between
        them and the logits. The matrices of LoRA are trained all the same.
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
        If the folder holds no model, the model is no decoder alone or too short for
        the profile, or `X` has no text.
    ProfilingError
        If `chat` is set and the tokenizer has no chat template, `prompt` lacks a field,
        `lora` has keys that are not known or names layers that are not there, or
        nothing is left to train.

    See Also
    --------
    ProfileGeneratorClassifier : With an encoder, images and joint training.
    LLaVAProfileClassifier : With images before the text.
    sklearn_profiling.sources.SubwordSegmenter : From messages to tokens.

    Notes
    -----
    Deviations from the paper and choices where it does not report them. It compares
    with LLaMA and ChatGLM without details: here they are trained as the framework is,
    on the same text in the same format, and so is any other decoder. Code in a model's
    folder is never run, so of ChatGLM the versions that the package transformers knows
    itself, ``glm`` and ``glm4``, can be read. Of a whole LLaVA the decoder is read. The
    first messages are read instead of three drawn at random.

    The prompt is what begins a text, the user's text and `request`; a user without text
    has the other two. What begins a text is what the tokenizer itself writes before
    one, ``<s>`` of LLaMA or ``[gMASK]<sop>`` of GLM, else the configuration's first
    token. A text that is too long is truncated, not the rest. Rows of a batch are
    padded on the left and masked, positions count from the first token, so that the
    other users of a batch change nothing. The loss, the missing labels and the way back
    from text are those of :class:`ProfileGeneratorClassifier`; an answer is scored with
    the KV cache of the prompt.

    The dropout of transformers draws from torch's global generators, which are lent
    under a lock, as there. LLaMA normalises in 32 bits whatever `dtype` says; GPT-2
    does not. A plain 2-D array is read as padded token ids, one message a user: 0 is
    padding, any other value a word of its own.

    References
    ----------
    "Exploring Unified Training Framework for Multimodal User Profiling", ACL submission
    (anonymous).

    Touvron et al., "Llama 2: Open Foundation and Fine-Tuned Chat Models",
    arXiv:2307.09288, 2023.

    Du et al., "GLM: General Language Model Pretraining with Autoregressive Blank
    Infilling", ACL 2022.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import CausalLMProfileClassifier
    >>> text = TokenMessages.from_lists([[["tea"]], [["hills", "tea"]]] * 4)
    >>> y = [["calm", {"tea"}], ["fit", {"tea", "walks"}]] * 4
    >>> model = CausalLMProfileClassifier(
    ...     learning_rate=0.003, max_epochs=20, random_state=0
    ... )
    >>> model = model.fit(text, y)
    >>> model.generate(text[:2]).tolist()
    ['task0 : calm ; task1 : tea ;', 'task0 : fit ; task1 : tea , walks ;']
    >>> model.predict(text[:1])
    array([['calm', frozenset({'tea'})]], dtype=object)
    """

    _architecture = CausalLM
    _language_kind: ClassVar[Kind] = "causal"
    _freezable = ("embeddings", "layers")
    _reads_images = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_tokens": [LEAST_PROMPT],
        "paradigm": [StrOptions({"text", "unimodal"})],
    }

    def __init__(
        self,
        *,
        language_model: Any = None,
        tokenizer: Any = None,
        request: str = "Profile:",
        chat: bool = False,
        paradigm: Literal["text", "unimodal"] = "text",
        joint_modes: Sequence[str] = ("fusion",),
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
        self.paradigm = paradigm
        self.captions = captions
        self.prompt = prompt
        self.lora = lora
