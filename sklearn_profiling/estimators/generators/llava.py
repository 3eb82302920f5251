"""A user's profile written by a decoder alone, after images and text (LLaVA)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal

from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators.llava import LLaVA, ProjectedImages
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
)
from sklearn_profiling.estimators.generators.causal_lm import BaseCausalClassifier

__all__ = ["LLaVAProfileClassifier"]


class LLaVAProfileClassifier(BaseCausalClassifier):
    """Let an image-text model write a user's profile after images and text (LLaVA).

    A vision transformer reads the images of a user; a projector of two layers turns the
    states of their patches into vectors like those of tokens, and a decoder alone reads
    them, then the text, and goes on with ``Stars: 4; Favorite Category: Coffee,
    Pizza;``. A baseline of the unified multimodal framework.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Decoder, as in :class:`CausalLMProfileClassifier`; None is a small LLaMA with
        random weights (our choice).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer whose first state is that of [CLS] (ViT, CLIP's), as in
        :class:`ProfileGeneratorClassifier`; None is a small ViT with random weights
        (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, as in :class:`ProfileGeneratorClassifier`.
    request : str, default="Profile:"
        What the text of each user ends with, as in :class:`CausalLMProfileClassifier`.
    joint_modes : sequence of str, default=("fusion",)
        What training looks at, as in :class:`ProfileGeneratorClassifier`: text with
        images (paper of the framework, Table 2), or more (its Table 7).
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
    max_images : int, default=3
        Images to read of a user, the first ones (paper of the framework). Each takes as
        many tokens as it has patches, which leave less room for text.
    max_tokens : int, default=600
        Tokens of text to read of a user, with those that begin and end the prompt
        (paper of the framework).
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
        Dropout in the language model, wherever it has any; None keeps what its
        configuration says (0 for LLaMA). A model given as an object keeps its own.
    lora : dict or None, default=None
        Train matrices of low rank beside frozen layers of the decoder (LoRA), as in
        :class:`CausalLMProfileClassifier`. Projector and vision transformer are
        trained as they are.
    frozen : sequence of {"embeddings", "layers", "image_encoder"}, default=()
        Parts that training leaves alone: the table of tokens, all between it and the
        layer of logits, and the vision transformer. The matrices of LoRA and the
        projector are trained all the same. LLaVA trains its projector alone first, then
        all but the vision transformer.
    gradient_checkpointing : bool, default=False
        Whether to compute activations of the language model anew for the gradient
        instead of keeping them: less memory, a third more time.
    micro_batch_size : int or None, default=None
        Users to compute at a time; their gradients are accumulated to those of the
        batch. None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    checkpoint_folder : str, path-like or None, default=None
        Folder in which training is saved after each epoch, as in
        :class:`ProfileGeneratorClassifier`.
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
        Precision. "bfloat16" keeps parameters in 32 bits and computes in 16 where the
        device does so in hardware, else in 32. LLaMA normalises in 32 bits whatever
        this says; GPT-2 does not.
    random_state : int, RandomState instance or None, default=None
        Decides initial parameters, order of users and dropout.
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

    Raises
    ------
    SourceError
        If a folder holds no model, the model is no decoder alone or too short for the
        profile and the images, or `X` has neither text nor images.
    ProfilingError
        If `lora` has keys that are not known or names layers that are not there, or
        nothing is left to train.

    See Also
    --------
    CausalLMProfileClassifier : Without images.
    ProfileGeneratorClassifier : With an encoder and joint training.
    sklearn_profiling.sources.SubwordSegmenter : From messages to tokens.

    Notes
    -----
    Deviations from the paper and choices where it is silent. It compares with LLaVA and
    says no more of it: here it is trained as the framework is, on the same text, images
    and format. Vision transformer and decoder are given separately, and the projector
    begins with random weights: the folder of a whole LLaVA is not read. Of the vision
    transformer the last states are taken; LLaVA takes those before the last layer.
    The first messages and images are read instead of three drawn at random.

    The prompt is the token that starts a text, the patches of all images, the text and
    `request`. Of a user without images there are no tokens of images: the prompt is
    that of :class:`CausalLMProfileClassifier`, to which the other Notes apply too.

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

    _reads_patches: ClassVar[bool] = True
    _architecture: ClassVar[type[ProfileGenerator]] = LLaVA
    _freezable: ClassVar[tuple[str, ...]] = ("embeddings", "layers", "image_encoder")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_images": [Interval(Integral, 1, None, closed="left")],
    }

    paradigm: ClassVar[str] = "multimodal"
    captions: ClassVar[str] = "captions"

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        request: str = "Profile:",
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
        self.request = request
        self.joint_modes = joint_modes
        self.mask_image = mask_image
        self.mask_profile = mask_profile
        self.mixing = mixing
        self.source = source
        self.max_messages = max_messages
        self.max_images = max_images
        self.max_tokens = max_tokens
        self.n_beams = n_beams
        self.decoding = decoding
        self.scoring = scoring
        self.max_sets = max_sets
        self.dropout = dropout
        self.lora = lora
        self.frozen = frozen
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

    def _build_fusion(
        self, n_text: int, images: ImageStates | None
    ) -> nn.Module | None:
        if images is None:
            return None
        vision: Any = images.model
        return ProjectedImages(n_text, vision.config.hidden_size)

    def _image_tokens(self, images: ImageStates | None) -> int:
        if images is None:
            return 0
        vision: Any = images.model
        patch = vision.config.patch_size
        height, width = (patch, patch) if isinstance(patch, int) else patch
        n_patches = (images.size[0] // height) * (images.size[1] // width)
        return int(self.max_images * n_patches)

    def _parts_of(self, module: ProfileGenerator) -> dict[str, list[nn.Parameter]]:
        parts = super()._parts_of(module)
        if module.image_encoder is not None:
            parts["image_encoder"] = list(module.image_encoder.parameters())
        return parts
