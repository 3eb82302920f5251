"""The unified multimodal system as one Pipeline, and the systems of its Table 2."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling.estimators import (
    AoMClassifier,
    CausalLMProfileClassifier,
    COOPNetClassifier,
    LLaVAProfileClassifier,
    ODTUPClassifier,
    ProfileGeneratorClassifier,
    SelectAttClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.pipelines._presets import Preset, settings_of
from sklearn_profiling.sources import (
    ImageBagTransformer,
    SourceUnion,
    SubwordSegmenter,
)
from sklearn_profiling.training.generators.backbones import (
    SMALL_BART,
    describe_llava,
)

__all__ = ["make_profile_generator", "make_unified_systems"]

_SMALL, _USUAL = (32, 32), (224, 224)
"""Image sizes of the small model used for None, and of vit-base."""

_PARADIGMS = ("multimodal", "unimodal", "both")

_PAPER: dict[str, Any] = {
    "paradigm": "both",
    "fusion": "attention",
    "joint_modes": ("fusion", "text", "masked_image", "masked_profile"),
    "max_messages": 3,
    "max_images": 3,
    "max_tokens": 600,
    "n_beams": 5,
    "decoding": "beam",
    "learning_rate": 5e-5,
    "learning_rate_decay": False,
    "batch_size": 4,
    "max_epochs": 10,
}
"""Of "Ours": sections 5.3 and 6.1."""


def make_profile_generator(
    *,
    preset: Preset = "default",
    classifier: Any = None,
    segmenter: Any = None,
    images: Any = None,
    captioner: Any = None,
    text_column: str = "messages",
    image_column: str | None = "images",
    caption_column: str | None = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the unified multimodal system: tokens, images, captions, generator.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Settings of the classifier, if it is None: those of its class, which reads
        images, or the paper's, which reads images and captions; see Notes.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.ProfileGeneratorClassifier` with
        its small, randomly initialised models. The parameters of a given classifier
        decide what the Pipeline reads: `paradigm` whether images, captions or both,
        `tokenizer` or `language_model` how text is tokenized.
    segmenter : transformer, default=None
        From messages to tokens, the source "text". None is
        :class:`~sklearn_profiling.sources.SubwordSegmenter` with the tokenizer of
        `classifier`; without one, the tokens are learned.
    images : transformer, default=None
        From lists of images to bags, the source "images". None reads up to three
        images per user (paper) and resizes them to 224 x 224, the size of vit-base, to
        32 x 32 for the small model, or to the size that a LLaVA reads.
    captioner : transformer, default=None
        From lists of images to captions, such as
        :class:`~sklearn_profiling.sources.ImageCaptioner`; replaces `caption_column`.
    text_column : str, default="messages"
        Column of the users' table with lists of messages.
    image_column : str or None, default="images"
        Column with lists of paths, arrays or PIL images; None for text alone.
    caption_column : str or None, default=None
        Column with lists of captions, one per image; an image without one has an empty
        str or None.
    memory : str or joblib.Memory, default=None
        Folder for the cache of decoded images.
    random_state : int, RandomState instance or None, default=None
        Decides the classifier, if it is None.

    Returns
    -------
    Pipeline
        Steps "sources" and "classifier"; not fitted.

    Raises
    ------
    ProfilingError
        If the classifier reads captions and none are given, or text and captions
        cannot share a tokenizer.

    See Also
    --------
    sklearn_profiling.estimators.ProfileGeneratorClassifier : Models, modes, paradigms.

    Notes
    -----
    ``preset="paper"`` is "Ours" of section 6.1: images and captions, guided attention,
    all four modes, three reviews and images, 600 tokens, batches of 4, 10 epochs at
    5e-5 and 5 beams. The models are still yours to give: the paper has flan-t5-base and
    vit-base-patch16-224.

    A learned tokenizer is learned from the messages alone, so captions need a given
    one: fit it with ``SubwordSegmenter().fit(texts).tokenizer_``, or take that of a
    language model.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_reviewers
    >>> from sklearn_profiling.pipelines import make_profile_generator
    >>> users = make_reviewers(20, random_state=0)
    >>> model = make_profile_generator(random_state=0).set_params(
    ...     classifier__max_epochs=1, sources__text__n_tokens=300
    ... )
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (20, 6)
    """
    if classifier is None:
        classifier = ProfileGeneratorClassifier(
            **settings_of(preset, _PAPER), random_state=derive_seed(random_state)
        )
    params = classifier.get_params(deep=False)
    paradigm = getattr(classifier, "paradigm", "multimodal")
    tokenizer = _tokenizer_of(params)
    if segmenter is None:
        segmenter = SubwordSegmenter(tokenizer)
    sources = [("text", segmenter, text_column)]
    if paradigm in {"multimodal", "both"} and image_column is not None:
        if images is None:
            size = _image_size(params)
            images = ImageBagTransformer(size=size, max_images=3, memory=memory)
        sources.append(("images", images, image_column))
    if paradigm in {"unimodal", "both"}:
        column = image_column if captioner is not None else caption_column
        if column is None:
            msg = (
                f"make_profile_generator: a classifier of paradigm {paradigm!r} reads "
                "captions; give caption_column, or captioner and image_column"
            )
            raise ProfilingError(msg)
        if getattr(segmenter, "tokenizer", tokenizer) is None:
            msg = (
                "make_profile_generator: text and captions must be cut by one "
                "tokenizer, and neither classifier nor segmenter has one; give the "
                "classifier a tokenizer"
            )
            raise ProfilingError(msg)
        cut: Any = clone(segmenter)
        if "keep_all" in cut.get_params():
            # The first captions are those of the first images.
            cut.set_params(keep_all=True)
        if captioner is not None:
            cut = Pipeline([("captioner", captioner), ("segmenter", cut)])
        sources.append((getattr(classifier, "captions", "captions"), cut, column))
    return CheckedPipeline(
        [("sources", SourceUnion(sources)), ("classifier", classifier)]
    )


def make_unified_systems(
    *,
    t5: Any = None,
    bart: Any = None,
    llm: Any = None,
    llava: Any = None,
    encoder: Any = None,
    image_model: Any = None,
    tokenizer: Any = None,
    bart_tokenizer: Any = None,
    llm_tokenizer: Any = None,
    encoder_tokenizer: Any = None,
    paradigms: tuple[Literal["multimodal", "unimodal", "both"], ...] = ("multimodal",),
    images: Any = None,
    captioner: Any = None,
    text_column: str = "messages",
    image_column: str = "images",
    caption_column: str | None = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    **parameters: Any,
) -> dict[str, Any]:
    """Make the systems of Table 2 of the unified framework's paper.

    Parameters
    ----------
    t5 : str, path-like, configuration, dict or Module, default=None
        Language model of all systems that generate with T5, as parameter
        ``language_model`` of
        :class:`~sklearn_profiling.estimators.ProfileGeneratorClassifier`; None is a
        small one, randomly initialised.
    bart : str, path-like, configuration, dict or Module, default=None
        Language model of the systems that generate with BART, likewise.
    llm : str, path-like, configuration, dict or Module, default=None
        Decoder-only model of "LLaMA", as parameter ``language_model`` of
        :class:`~sklearn_profiling.estimators.CausalLMProfileClassifier`.
    llava : str, path-like, configuration, dict or Module, default=None
        A whole LLaVA, as parameter ``language_model`` of
        :class:`~sklearn_profiling.estimators.LLaVAProfileClassifier`. None joins `llm`
        and `image_model` by a new projector.
    encoder : str, path-like, configuration, dict or Module, default=None
        Text encoder of "COOPNet", as parameter ``language_model`` of
        :class:`~sklearn_profiling.estimators.COOPNetClassifier`.
    image_model : str, path-like, configuration, dict or Module, default=None
        Vision transformer of all systems that read images, likewise.
    tokenizer, bart_tokenizer, llm_tokenizer, encoder_tokenizer : object, default=None
        Tokenizers of the models, unless these are folders; `llava` shares that of
        `llm`. None learns the tokens from the messages, which excludes captions.
    paradigms : sequence of {"multimodal", "unimodal", "both"}, default=("multimodal",)
        How the paper's own systems read images; the latter two read captions.
    images, captioner : transformer, default=None
        As for :func:`~sklearn_profiling.pipelines.make_profile_generator`.
    text_column, image_column : str, default="messages" and "images"
        Columns of the users' table.
    caption_column : str or None, default=None
        Column with captions, if there is no `captioner`.
    memory : str or joblib.Memory, default=None
        Folder for the cache of decoded images.
    random_state : int, RandomState instance or None, default=None
        Decides all parts; the systems share their seed.
    **parameters : dict
        Parameters that all systems share, for example ``max_epochs``; each baseline
        takes those that it has.

    Returns
    -------
    dict of str to Pipeline
        Systems by name, in the order of the table: "OD-TUP", "T5", "BART" and "LLaMA",
        which read text alone; "COOPNet", "LLaVA" or, without `llava`, "LLaMA with ViT
        patches (LLaVA)", "SelectAtt" (with T5), "BART with ViT patches (VLP-MABSA)" and
        "BART with ViT patches (AoM)", which read text and images: of what their papers
        pretrained or detected they have only what is named; and of the paper's own, for
        each paradigm, such as "multimodal", "Ours, basic (multimodal)" (images beside
        the text), "Ours, attention (multimodal)" (guided attention, trained on the
        fused sources only) and "Ours, joint (multimodal)" (all four training modes).
        The unimodal paradigm has no guided attention. ChatGLM is "LLaMA" with another
        `llm`.

    Raises
    ------
    ProfilingError
        If a paradigm is unknown, or reads captions that are not given.

    See Also
    --------
    make_image_systems : Systems that read images without a language model.

    Notes
    -----
    There is no `preset`: the defaults of these classes are the paper's settings
    (section 6.1), for "Ours" and the baselines alike: three reviews and images, 600
    tokens, batches of 4, 10 epochs at 5e-5 and 5 beams. The models are yours to give.

    Examples
    --------
    >>> from sklearn_profiling.pipelines import make_unified_systems
    >>> list(make_unified_systems())[-3:]
    ['Ours, basic (multimodal)', 'Ours, attention (multimodal)', \
'Ours, joint (multimodal)']
    """
    unknown = [name for name in paradigms if name not in _PARADIGMS]
    if unknown:
        msg = (
            f"make_unified_systems: paradigms must be among {list(_PARADIGMS)}; got "
            f"{unknown}"
        )
        raise ProfilingError(msg)
    (seed,) = derive_seeds(random_state, 1)
    t5_parts = {"language_model": t5, "tokenizer": tokenizer}
    bart_parts = {
        "language_model": dict(SMALL_BART) if bart is None else bart,
        "tokenizer": bart_tokenizer,
    }
    llm_parts = {"language_model": llm, "tokenizer": llm_tokenizer}
    encoder_parts = {"language_model": encoder, "tokenizer": encoder_tokenizer}
    shared = {"random_state": seed, **parameters}
    usual = ProfileGeneratorClassifier().get_params()

    def system(kind: Callable[..., Any], *, pictures: bool, **own: Any) -> Any:
        models = {"image_model": image_model} if pictures else {}
        # A name that no system knows stays in, so that the constructor refuses it.
        known = kind().get_params()
        common = {k: v for k, v in shared.items() if k in known or k not in usual}
        return make_profile_generator(
            classifier=kind(**{**models, **common, **own}),
            images=images,
            captioner=captioner,
            text_column=text_column,
            image_column=image_column if pictures else None,
            caption_column=caption_column,
            memory=memory,
        )

    ours = ProfileGeneratorClassifier
    alone = {"joint_modes": ("fusion",)}
    patches = "BART with ViT patches"
    joined = _llava(system, llava, llm_parts)
    systems = {
        "OD-TUP": system(ODTUPClassifier, pictures=False, **t5_parts),
        "T5": system(ours, pictures=False, **t5_parts, **alone),
        "BART": system(ours, pictures=False, **bart_parts, **alone),
        "LLaMA": system(CausalLMProfileClassifier, pictures=False, **llm_parts),
        "COOPNet": system(COOPNetClassifier, pictures=True, **encoder_parts),
        **joined,
        "SelectAtt": system(SelectAttClassifier, pictures=True, **t5_parts),
        f"{patches} (VLP-MABSA)": system(
            VLPMABSAClassifier, pictures=True, **bart_parts
        ),
        f"{patches} (AoM)": system(AoMClassifier, pictures=True, **bart_parts),
    }
    for paradigm in paradigms:
        for name, settings in _own_systems(paradigm).items():
            systems[f"Ours, {name} ({paradigm})"] = system(
                ours, pictures=True, paradigm=paradigm, **t5_parts, **settings
            )
    return systems


def _llava(
    system: Callable[..., Any], llava: Any, llm_parts: dict[str, Any]
) -> dict[str, Any]:
    """Make a whole LLaVA, or one joined from a decoder and a vision transformer."""
    if llava is None:
        made = system(LLaVAProfileClassifier, pictures=True, **llm_parts)
        return {"LLaMA with ViT patches (LLaVA)": made}
    own = {**llm_parts, "language_model": llava, "image_model": None}
    return {"LLaVA": system(LLaVAProfileClassifier, pictures=True, **own)}


def _image_size(params: dict[str, Any]) -> tuple[int, int]:
    """Height and width of the images that a classifier with these parameters reads."""
    if params.get("image_model") is not None:
        return _USUAL
    given = params.get("language_model")
    absent = isinstance(given, str | os.PathLike) and not Path(given).is_dir()
    llava = None if absent else describe_llava(given, "make_profile_generator")
    if llava is None:
        return _SMALL
    side = int(llava["vision_config"].get("image_size", _USUAL[0]))
    return side, side


def _tokenizer_of(params: dict[str, Any]) -> Any:
    """Find the tokenizer that a classifier with these parameters uses, or None."""
    given = params.get("tokenizer")
    folder = params.get("language_model")
    if given is None and isinstance(folder, str | os.PathLike):
        return folder
    return given


def _own_systems(paradigm: str) -> dict[str, Mapping[str, Any]]:
    """Parameters of the paper's own systems by name."""
    alone = {"joint_modes": ("fusion",)}
    found: dict[str, Mapping[str, Any]] = {
        "basic": {"fusion": "concatenation", **alone},
        "attention": {"fusion": "attention", **alone},
        "joint": {"fusion": "attention"},
    }
    if paradigm == "unimodal":
        # Captions are text, so there is nothing to fuse.
        del found["attention"]
    return found
