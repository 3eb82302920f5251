"""COOPNet: text and images in a common space, each joined with it, one head a task."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.architectures.coopnet import COOPNet, TextFrame
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators._backbones import (
    check_names,
    check_words,
    image_parts,
    tokenizer_of,
    with_pixels,
)
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._constraints import POSITIVE
from sklearn_profiling.training.generators.backbones import (
    Kind,
    build_backbone,
    describe_backbone,
)
from sklearn_profiling.training.inputs import (
    Sources,
    SourceSpec,
    TrainingUsers,
    text_and_images,
)

__all__ = ["COOPNetClassifier"]

_PARTS = ("text_encoder", "image_encoder")
_FRAMES = (("[CLS]", "<s>"), ("[SEP]", "</s>"))


class COOPNetClassifier(BaseProfileClassifier):
    """Predict attributes from text and images mapped to a common space (COOPNet).

    An encoder reads the text of a user and a vision transformer the images. Both are
    mapped to a common space; each is then joined with what they have in common, and a
    regression for each task decides. A baseline of the unified framework that writes
    nothing.

    Parameters
    ----------
    language_model : str, path-like, configuration, dict, Module or None, default=None
        Encoder of text (BERT, RoBERTa; of T5 and BART the encoder is taken): a folder
        that ``save_pretrained`` of the package transformers wrote, a configuration or a
        dict of one with ``model_type``, for random weights, or a model, which is
        copied. Nothing is downloaded. None is a small model with random weights (our
        choice: a BERT with two layers of 64 units).
    image_model : str, path-like, configuration, dict, Module or None, default=None
        Vision transformer with [CLS] or a learned pooler (ViT, DeiT, DINOv2, CLIP,
        SigLIP), given like `language_model`; images are resized for it. None is a small
        ViT with random weights, for images of 32 x 32 (our choice).
    tokenizer : str, path-like, Tokenizer, PreTrainedTokenizerFast or None, default=None
        Tokenizer of the language model, the one that the text was segmented with. None
        takes that of the folder; a configuration without one learns an embedding for
        each word.
    source : str, default=None
        Name of the text to read; may be left out if `X` holds only one beside captions.
    offset : sequence of str, default=None
        Names of dense sources with log-odds of all classes of all tasks, as
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits` gives them. They are added
        to the logits, times a learned factor for each task; a user without them gets
        none. Training begins at the factors of least log loss, and the net at zero. A
        name with a ``*`` stands for all names that match it, in the order of `X` (our
        choice).
    shrink_fraction : float, default=0.2
        Share of the users whom a trial net does not see. They tell, for each task, how
        much of the net to add to `offset`: what makes their loss least, from nothing to
        all of it. 0 adds all without a trial, in half the time, and so do tasks with
        fewer than 20 labels among these users, and ``partial_fit`` (our choice).
    max_messages : int or None, default=3
        Messages to read of a user, the first ones; None reads all (paper of the
        framework).
    max_images : int or None, default=3
        Images to read of a user, the first ones; None reads all (paper of the
        framework).
    max_tokens : int, default=600
        Tokens to read of a user's text, with special tokens and any prompt (paper of
        the framework).
    n_common : int, default=256
        Units of the common space, and of what joins each source with it (our choice).
    n_hidden : sequence of int, default=()
        Units of the dense layers of each task (our choice).
    dropout : float, default=0.1
        Dropout on what the tasks read (our choice).
    source_dropout : float, default=0.1
        Probability that training hides a source of a user, so that its missing-source
        embedding is learned (our choice).
    frozen : sequence of {"text_encoder", "image_encoder"}, default=()
        Parts that training leaves alone.
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
        If a folder holds no model, the text was written with other tokens, or `X` holds
        neither one text nor one source of images.

    See Also
    --------
    MMLUPClassifier : Any sources, without a common space; needs no pretrained model.
    ProfileGeneratorClassifier : The profile written by a language model.

    Notes
    -----
    With x_s the embedding of source s, ``c = mean_s tanh(x_s W_s + b_s)`` is the common
    representation and ``r_s = relu([x_s; c] V_s + d_s)`` each source joined with it;
    the regression of a task reads ``[r_text; r_images]``. The description that we
    follow says "mapped visual and textual modalities into a shared semantic space,
    integrating them with the original representations" and no more: the formulas, the
    sizes and that one regression reads both are our choice. The original predicts
    gender by a regression; here it is one softmax a task, and one sigmoid a class for
    set-valued tasks.

    The embedding of a text is the average of the encoder's states over its tokens, that
    of images the average of their [CLS] states. Both are standardised on the training
    users before the first step. A user without images, or without text, has a
    missing-source embedding in its place; it enters the common space too. Dropout
    inside the encoders stays off, since it draws from torch's global generator.

    A text named "captions" is not read. A plain 2-D array is read as padded token ids,
    one message a user: 0 is padding, any other value a word of its own.

    References
    ----------
    Li, Hu, Zheng, Liu and Lee, "COOPNet: Multi-Modal Cooperative Gender Prediction in
    Social Media User Profiling", ICASSP 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags, TokenMessages
    >>> from sklearn_profiling.estimators import COOPNetClassifier
    >>> text = TokenMessages.from_lists([[["nice", "place"]]] * 8)
    >>> pixels = np.zeros((8, 3, 32, 32), dtype=np.uint8)
    >>> pixels[::2] = 255  # every other user shows white
    >>> X = {"text": text, "images": ImageBags(pixels, np.arange(9))}
    >>> model = COOPNetClassifier(learning_rate=0.003, random_state=0)
    >>> model.fit(X, ["milk", "coffee"] * 4).predict(X)[:2].tolist()
    ['milk', 'coffee']
    """

    _architecture = COOPNet
    _pipeline = "make_profile_generator(classifier={}())"
    _reads = "text"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_common": [POSITIVE]}

    def __init__(
        self,
        *,
        language_model: Any = None,
        image_model: Any = None,
        tokenizer: Any = None,
        source: str | None = None,
        offset: Sequence[str] | None = None,
        shrink_fraction: float = 0.2,
        max_messages: int | None = 3,
        max_images: int | None = 3,
        max_tokens: int = 600,
        n_common: int = 256,
        n_hidden: Sequence[int] = (),
        dropout: float = 0.1,
        source_dropout: float = 0.1,
        frozen: Sequence[str] = (),
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
        self.language_model = language_model
        self.image_model = image_model
        self.tokenizer = tokenizer
        self.source = source
        self.offset = offset
        self.shrink_fraction = shrink_fraction
        self.max_messages = max_messages
        self.max_images = max_images
        self.max_tokens = max_tokens
        self.n_common = n_common
        self.n_hidden = n_hidden
        self.dropout = dropout
        self.source_dropout = source_dropout
        self.frozen = frozen
        self.loss_weights = loss_weights
        self.class_weight = class_weight
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
        self.checkpoint = checkpoint
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def _choose_sources(self, sources: Sources) -> Sources:
        name, reads = type(self).__name__, "one text and one source of images"
        texts, images = text_and_images(
            sources,
            self.source,
            name,
            reads=reads,
            captions="captions",
            required=True,
        )
        most = {
            **dict.fromkeys(texts, self.max_messages),
            **dict.fromkeys(images, self.max_images),
        }
        given: Mapping[str, Any] = sources
        return {name: given[name].first_of_each(n) for name, n in most.items()}

    def _train(
        self, users: TrainingUsers, *, again: bool, epochs: int, shrink: bool = False
    ) -> None:
        check_names(type(self).__name__, "frozen", self.frozen, _PARTS)
        super()._train(users, again=again, epochs=epochs, shrink=shrink)

    def _learn(self, users: TrainingUsers) -> Sources:
        """Find the configurations of the models, and how words become tokens."""
        sources = super()._learn(users)
        specs = {name: SourceSpec.of(source) for name, source in sources.items()}
        self._image, self._pixels = image_parts(self, specs, self.image_model)
        self._text: dict[str, Any] | None = None
        self._frame: TextFrame | None = None
        texts = [s for s in sources.values() if isinstance(s, TokenMessages)]
        if texts:
            name = type(self).__name__
            self._text = describe_backbone(self.language_model, "text", name)
            self._frame = self._learn_frame(self._text, texts[0].vocabulary.words)
        return sources

    def _learn_frame(self, model: dict[str, Any], words: tuple[str, ...]) -> TextFrame:
        tokenizer = tokenizer_of(self)
        if tokenizer is None:
            model.update(vocab_size=len(words) + 1, pad_token_id=0)
            return TextFrame([], [], pad=0, offset=1)
        check_words(tokenizer, words, type(self).__name__)
        model["vocab_size"] = max(model.get("vocab_size", 0), len(words))
        before, after = (
            next(([k] for k in map(tokenizer.token_to_id, names) if k is not None), [])
            for names in _FRAMES
        )
        pad = model.get("pad_token_id")
        return TextFrame(before, after, pad=0 if pad is None else pad, offset=0)

    def _build_module(
        self,
        sources: list[SourceDescription],
        n_classes: list[int],
        *,
        shared: Mapping[str, str] | None,
    ) -> nn.Module:
        given: dict[Kind, Any] = {}
        if shared is None:
            # A net whose state is loaded next needs no weights of the user's models.
            given = {"text": self.language_model, "image": self.image_model}
        configurations: dict[Kind, Any] = {"text": self._text, "image": self._image}
        kinds: dict[str, Kind] = {
            s.name: "image" if s.kind == "images" else "text" for s in sources
        }
        models = {
            kind: build_backbone(given.get(kind), kind, configurations[kind])
            for kind in kinds.values()
        }
        net = self._build_net(
            with_pixels(sources, self._pixels),
            n_classes,
            language_model=models.get("text"),
            image_model=models.get("image"),
            frame=self._frame,
        )
        for name, kind in kinds.items():
            if f"{kind}_encoder" in self.frozen:
                joined: Any = net.sources
                joined.encoder(name).requires_grad_(requires_grad=False)
        return net
