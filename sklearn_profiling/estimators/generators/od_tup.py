"""OD-TUP: a language model that is asked about one attribute at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.generators.od_tup import ODTUP
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
)
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators.generators._base import BaseGeneratorClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.generators.prompted import PromptedNet, generate_answers
from sklearn_profiling.training.inputs import Sources
from sklearn_profiling.training.net import TrainingPlan

__all__ = ["ODTUPClassifier"]


class ODTUPClassifier(BaseGeneratorClassifier):
    """Ask a language model about one attribute after the other (OD-TUP).

    An encoder reads the text of a user with the name of an attribute behind it,
    ``... Stars:``, and a decoder writes the value, ``4;``. There is one such prompt for
    each attribute; answers do not know of each other. The baseline of the unified
    multimodal framework that writes no whole profile.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder and decoder, as in :class:`ProfileGeneratorClassifier`; None is a small
        T5 with random weights.
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns a vector for each
        word of the texts and of the profiles.
    joint_modes : sequence of str, default=("fusion",)
        What training looks at, as in :class:`ProfileGeneratorClassifier`. The
        default reads all there is; all four modes are the unified framework on top of
        OD-TUP (its paper's Table 7). The modes that mask need captions.
    mask_image : float, default=0.5
        Probability of a token of a caption to be masked.
    mask_profile : float, default=0.5
        Probability of a value of the profile to be masked.
    mixing : {"step", "batch", "epoch"}, default="step"
        Whether each step follows the mean loss of all modes, or modes take turns with
        each batch or with each pass over the users.
    source : str, default=None
        Name of the text to read; may be left out if only one is given beside captions.
    captions : str, default=None
        Name of the text that holds captions of the images, one message an image; None
        reads the text alone.
    max_messages : int or None, default=3
        Messages to read of a user, the first ones; None reads all.
    max_images : int or None, default=3
        Captions to read of a user, the first ones.
    max_tokens : int, default=600
        Tokens to read of a user, with the prompt and the one that ends the text.
    n_beams : int, default=5
        Beams of the search for each answer.
    decoding : {"beam", "scoring"}, default="beam"
        How ``predict`` decides: by the answers that beam search writes, or by the most
        probable class of ``predict_proba``, without search.
    scoring : {"sum", "mean"}, default="sum"
        Whether the score of an answer is the sum of the logarithms of its tokens'
        probabilities, or their mean.
    max_sets : int, default=100
        Of a set-valued task so many of the most frequent sets are scored, beside each
        class alone.
    dropout : float or None, default=None
        Dropout in the language model; None keeps what its configuration says.
    frozen : sequence of {"text_encoder", "decoder"}, default=()
        Parts that training leaves alone.
    lora : dict or None, default=None
        Matrices of low rank to train instead of the language model, as in
        :class:`ProfileGeneratorClassifier`.
    gradient_checkpointing : bool, default=False
        Whether to compute activations of the language model anew for the gradient.
    micro_batch_size : int or None, default=None
        Users to compute at a time; None computes a batch at once.
    prediction_batch_size : int, default=32
        Users to predict at a time.
    checkpoint_folder : str, path-like or None, default=None
        Folder in which training is saved after each epoch, to go on from.
    loss_weights : mapping, sequence, "paper", "uncertainty" or None, default=None
        Weight of what each task's answer costs, as in :class:`MMLUPClassifier`.
    learning_rate : float, default=5e-5
        Of Adam (the framework's paper).
    learning_rate_decay : bool, default=False
        Whether the rate falls linearly to zero over the epochs of ``fit``.
    weight_decay : float, default=0.0
        L2 penalty of Adam.
    batch_size : int, default=4
        Users in a batch (the framework's paper).
    max_epochs : int, default=10
        Passes over the users in each mode (the framework's paper).
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
        0 is silent, 1 shows a progress bar, 2 prints a line an epoch.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        Classes of each task; one array if `y` had one dimension.
    task_names_ : list of str
        Names of the tasks: the columns of `y`.
    profile_form_ : ProfileText
        How profiles are written and read.
    repairs_ : dict of str to int
        For each task how many answers were no label word for word in the last
        ``predict`` by beam search, and got the nearest valid one.
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
    ProfileGeneratorClassifier : Writes the whole profile at once.

    Notes
    -----
    Deviations and choices. The paper of the framework names the method and gives no
    prompt: the prompt is the attribute's name with a colon, behind the text, which is
    cut so that the prompt is whole. OD-TUP itself reads tweets and asks for any
    attribute; here the attributes are those of `y`, trained together, and an answer
    that is no label counts as the nearest one.

    Each user is encoded once for each attribute, so that training and prediction cost
    about as many times more than :class:`ProfileGeneratorClassifier` on text as there
    are attributes. An image is never read; give captions of it.

    References
    ----------
    Wen et al., "Towards Open-Domain Twitter User Profile Inference", Findings of ACL
    2023.

    "Exploring Unified Training Framework for Multimodal User Profiling", ACL submission
    (anonymous).

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.estimators import ODTUPClassifier
    >>> text = TokenMessages.from_lists([[["tea"]], [["hills", "tea"]]] * 4)
    >>> y = [["calm", {"tea"}], ["fit", {"tea", "walks"}]] * 4
    >>> model = ODTUPClassifier(
    ...     learning_rate=0.01, max_epochs=20, dropout=0.0, random_state=0
    ... )
    >>> model = model.fit(text, y)
    >>> model.generate(text[:2]).tolist()
    ['task0: calm; task1: tea;', 'task0: fit; task1: tea , walks;']
    >>> model.predict(text[:1])
    array([['calm', frozenset({'tea'})]], dtype=object)
    """

    _architecture: ClassVar[type[ProfileGenerator]] = ODTUP

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "captions": [str, None],
    }

    image_model: ClassVar[Any] = None

    def __init__(
        self,
        *,
        language_model: Any = None,
        tokenizer: Any = None,
        joint_modes: Sequence[str] = ("fusion",),
        mask_image: float = 0.5,
        mask_profile: float = 0.5,
        mixing: Literal["step", "batch", "epoch"] = "step",
        source: str | None = None,
        captions: str | None = None,
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
        self.tokenizer = tokenizer
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

    @property
    def paradigm(self) -> str:
        """What is read beside the text: captions, or nothing."""
        return "multimodal" if self.captions is None else "unimodal"

    def _choose_sources(self, sources: Sources) -> Sources:
        texts: Sources = {
            name: source
            for name, source in sources.items()
            if not isinstance(source, ImageBags)
        }
        if not texts:
            msg = f"ODTUPClassifier reads text; X holds images alone: {list(sources)}"
            raise SourceError(msg)
        return super()._choose_sources(texts)

    def _plan(self) -> TrainingPlan:
        return replace(super()._plan(), net=PromptedNet)

    def _generate(self, dataset: UserDataset) -> list[str]:
        return generate_answers(
            self.net_,
            dataset,
            self._parts.decode,
            self.profile_form_.names,
            n_beams=self.n_beams,
            max_new_tokens=self._parts.tokens.longest_answer,
        )
