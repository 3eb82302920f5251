"""The unified multimodal framework: a user's profile written by a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.estimators.generators._base import (
    MODES,
    BaseGeneratorClassifier,
)

__all__ = ["ProfileGeneratorClassifier"]


class ProfileGeneratorClassifier(BaseGeneratorClassifier):
    """Write a user's profile from reviews and images (unified multimodal framework).

    An encoder reads the text of a user and a vision transformer the images; attention
    guided by the text adds what the images say, and a decoder writes the profile,
    ``Stars: 4; Favorite Category: Coffee, Pizza;``. What it wrote is read back as
    labels. Training looks at each user in several ways: with images, without, with
    images half black, and with parts of the profile instead of the text.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder: the folder of a model that ``save_pretrained`` of the
        package transformers wrote (the paper's is flan-t5-base; BART does too), a
        configuration, or a dict of one with ``model_type``, for one with random
        weights, or a model, which is copied. None is a small T5 with random weights
        (our choice: two layers of 64 units), to try things out. Nothing is ever
        downloaded.
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer, likewise (the paper's is vit-base-patch16-224). Images are
        brought to its size. None is a small ViT with random weights, for images of
        32 x 32 (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns a vector for each
        word of the texts and of the profiles.
    fusion : {"attention", "concatenation"}, default="attention"
        Text-guided attention with sparsemax and a gate (paper, eq. 6 to 8), or states
        of images after those of the text, its basic model (eq. 3).
    paradigm : {"multimodal", "unimodal", "both"}, default="multimodal"
        Read images; captions of them, appended to the text; or both.
    joint_modes : sequence of str, default=all four
        What training looks at: "fusion", text and images; "text", text alone;
        "masked_image", text and images of which pixels are black, or captions of which
        words are masked; "masked_profile", images and the profile of which values are
        masked. ``("fusion",)`` is the basic model. Without images or captions the modes
        that need them are left out.
    mask_image : float, default=0.5
        Probability of a pixel, or a token of a caption, to be masked (our choice: the
        paper gives none).
    mask_profile : float, default=0.5
        Probability of a value of the profile to be masked (our choice).
    mixing : {"step", "batch", "epoch"}, default="step"
        Whether each step follows the mean of the losses of all modes, or modes take
        turns with each batch or with each pass over the users (our choice: the paper
        does not say; small models learn what shows in pictures alone far later where
        modes take turns). In each case an epoch is one pass in each mode, so four modes
        take four times as long as one.
    source : str, default=None
        Name of the text to read; may be left out if only one is given beside captions.
    captions : str, default="captions"
        Name of the text that holds captions, one message an image.
    max_messages : int or None, default=3
        Messages to read of a user, the first ones (paper: three drawn at random); None
        reads all.
    max_images : int or None, default=3
        Images, or captions, to read of a user, the first ones (paper).
    max_tokens : int, default=600
        Tokens of text to read of a user, with the one that ends it (paper).
    n_beams : int, default=5
        Beams of the search (paper).
    decoding : {"beam", "scoring"}, default="beam"
        How ``predict`` decides: by the profile that beam search writes (paper), or by
        the most probable class of ``predict_proba``, without search.
    scoring : {"sum", "mean"}, default="sum"
        Whether the score of an answer is the sum of the logarithms of its tokens'
        probabilities, or their mean, so that long answers do not suffer.
    max_sets : int, default=100
        Of a set-valued task so many of the most frequent sets are scored, beside each
        class alone.
    dropout : float or None, default=None
        Dropout in the language model; None keeps what its configuration says (0.1 for
        T5 and BART). A model given as an object keeps its own.
    frozen : sequence of {"text_encoder", "decoder", "image_encoder"}, default=()
        Parts that training leaves alone. What encoder and decoder share, the table of
        tokens, is trained all the same.
    lora : dict or None, default=None
        Train matrices of low rank beside linear layers of the language model instead of
        the model itself, with the keys "rank" (8), "alpha" (16), "dropout" (0.0) and
        "target_modules", names of layers, by default those that the package peft has
        for the model. What reads and joins images is trained all the same. Needs the
        extra `lora`. None trains the model.
    gradient_checkpointing : bool, default=False
        Whether to compute activations of the language model anew for the gradient
        instead of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    checkpoint_folder : str, path-like or None, default=None
        Folder in which training is saved after each epoch. A ``fit`` with the same
        parameters, users and labels goes on from there, also after the process was
        killed, with the same result; skorch callbacks that count for themselves begin
        anew. Several trainings may share a folder: each has a file of its own, removed
        when it is complete. Passes that ``warm_start`` or ``partial_fit`` add are not
        saved.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of what each task's part of the profile costs, as in
        :class:`MMLUPClassifier`.
    learning_rate : float, default=5e-5
        Of Adam (paper).
    learning_rate_decay : bool, default=False
        Whether the rate falls linearly to zero over the epochs of ``fit``.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=4
        Users in a batch (paper).
    max_epochs : int, default=10
        Passes over the users in each mode (paper).
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
        Precision. "bfloat16" keeps parameters in 32 bits and computes in 16 where the
        device does so in hardware, else in 32; beam search computes in 32 all the same.
        T5 normalises in 32 bits whatever this says; BART does not. There is no
        "float16".
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
        How profiles are written and read: ``profile_form_.names``, ``.classes``.
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
    MMLUPClassifier : Cheaper, for text, images and vectors; no language model.
    sklearn_profiling.sources.SubwordSegmenter : From messages to tokens.

    Notes
    -----
    Deviations from the paper and choices where it is silent. The first messages and
    images are read instead of three drawn at random. Key and value of the attention are
    image states brought to the length of text states by a linear layer; the
    feed-forward layer has four times as many units. A masked value of a profile is the
    tokenizer's ``<mask>``, T5's ``<extra_id_0>``. The loss is the sum of what the
    tokens of each task cost, averaged over the users labelled for it. An attribute
    whose label is missing is left out of the profile to be written.

    BART reads and writes as T5 does, with a sign at the end of a text and none at its
    beginning, also where its weights were pretrained with both.

    A label is written as ``str`` of it, the signs ``; : ,`` replaced by ``/``; what the
    tokenizer cannot write is called ``class 0``, ``class 1`` and so on. A value that
    the decoder wrote and that is no class counts as the one with the smallest edit
    distance; an attribute that it did not write as the commonest class. An attribute
    with nothing behind its name is the empty set, if training users have it; that comes
    from beam search alone, elsewhere a set holds its most probable class at the least.

    ``predict_proba`` asks about one task after the other: each class is scored as the
    text that follows the name of the task and the best answers so far. For a set-valued
    task sets are scored, and a class has the probability of all sets that hold it. Beam
    search weighs whole profiles, so ``predict`` may differ from the most probable class
    of ``predict_proba``; ``decoding="scoring"`` makes both agree.

    The dropout of transformers draws from torch's global generators. They are lent a
    state for each step and given back, under a lock, so two generators trained in two
    threads wait for each other.

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
        gradient_checkpointing: bool = False,
        micro_batch_size: int | None = None,
        prediction_batch_size: int = 32,
        checkpoint_folder: Any = None,
        loss_weights: Mapping[str, float] | Sequence[float] | str | None = None,
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
        device: str = "cpu",
        dtype: str = "float32",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.language_model = language_model
        self.image_model = image_model
        self.tokenizer = tokenizer
        self.fusion = fusion
        self.paradigm = paradigm
        self.joint_modes = joint_modes
        self.mask_image = mask_image
        self.mask_profile = mask_profile
        self.mixing = mixing
        self.source = source
        self.captions = captions
        self.max_messages = max_messages
        self.max_images = max_images
        self.max_tokens = max_tokens
        self.n_beams = n_beams
        self.decoding = decoding
        self.scoring = scoring
        self.max_sets = max_sets
        self.dropout = dropout
        self.frozen = frozen
        self.lora = lora
        self.gradient_checkpointing = gradient_checkpointing
        self.micro_batch_size = micro_batch_size
        self.prediction_batch_size = prediction_batch_size
        self.checkpoint_folder = checkpoint_folder
        self.loss_weights = loss_weights
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
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
