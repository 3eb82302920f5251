"""The 3D-CNN as one Pipeline, and the systems that read images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import joblib
from sklearn.pipeline import make_pipeline

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.estimators import (
    CNN3DClassifier,
    ImageSetClassifier,
    MultimodalCNN3DClassifier,
)
from sklearn_profiling.pipelines._presets import Preset, is_paper, named, settings_of
from sklearn_profiling.sources import FrequentWords, ImageBagTransformer, SourceUnion
from sklearn_profiling.sources.text.segmentation import default_segmenter
from sklearn_profiling.training.callbacks import InverseTimeDecay

__all__ = ["make_cnn3d", "make_image_systems"]

_PAPER: dict[str, Any] = {
    "n_images": 11,
    "image_order": "given",
    "dropout": 0.0,
    "source_dropout": 0.0,
    "learning_rate": 0.05,
    "learning_rate_decay": False,
    "batch_size": 13,
    "max_epochs": 100,
}
"""Of the 3D-CNN: sections 3.2 and 4, beside its decay of 0.7."""


def _paper_settings(preset: str) -> dict[str, Any]:
    """Return the settings with a new callback, which counts the batches of one net."""
    decay = {"callbacks": [InverseTimeDecay(0.7)]}
    return settings_of(preset, {**_PAPER, **decay})


def make_cnn3d(
    *,
    preset: Preset = "default",
    images: Any = None,
    classifier: Any = None,
    image_column: str = "images",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the 3D-CNN system: bags of images, classifier.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Settings of the classifier, if it is None: ours, or those of the paper's
        sections 3.2 and 4; see Notes.
    images : transformer, default=None
        From lists of images to bags, the source "images". None reads up to 11 images
        per user (paper) and resizes them to 64 x 64 (our choice; the paper does not
        report a size).
    classifier : classifier, default=None
        Reads the source "images". None is
        :class:`~sklearn_profiling.estimators.CNN3DClassifier`, Model 1.
    image_column : str, default="images"
        Column of the users' table with lists of paths, arrays or PIL images.
    memory : str or joblib.Memory, default=None
        Folder for the cache of decoded images, so that a grid search decodes each image
        only once.
    random_state : int, RandomState instance or None, default=None
        Decides all parts that are None.

    Returns
    -------
    Pipeline
        Steps "sources" and "classifier"; not fitted.

    See Also
    --------
    sklearn_profiling.sources.ImageBagTransformer : Sizes, bad files, decoding.

    Notes
    -----
    ``preset="paper"`` has Adam with a learning rate of 0.05, which is divided by 1 +
    0.7 times the batches before (Keras' reading of the paper's "decay equal to 0.7"),
    100 epochs (its "iterations"), batches of 13, and neither dropout nor hidden
    sources, which the paper does not mention. On 300 users of
    :func:`~sklearn_profiling.datasets.make_image_users`, 8 filters and images of 16 x
    16, Model 1 finds 0.50 of "taste" and Model 2 0.38; by default they find 0.74 and
    0.69, and the largest class has 0.37.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_image_users
    >>> from sklearn_profiling.pipelines import make_cnn3d
    >>> users = make_image_users(40, random_state=0)
    >>> model = make_cnn3d(random_state=0).set_params(
    ...     sources__images__size=(16, 16),
    ...     classifier__n_filters=2,
    ...     classifier__max_epochs=1,
    ... )
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (40, 3)
    """
    if images is None:
        images = ImageBagTransformer(memory=memory)
    if classifier is None:
        classifier = CNN3DClassifier(
            **_paper_settings(preset), random_state=derive_seed(random_state)
        )
    # No cache of the Pipeline: it would write all pixels again for each fold, while
    # the slow part, decoding, is cached by file.
    return CheckedPipeline(
        [
            ("sources", SourceUnion([("images", images, image_column)])),
            ("classifier", classifier),
        ]
    )


def make_image_systems(
    *,
    preset: Preset = "default",
    images: Any = None,
    segmenter: Any = None,
    n_filters: tuple[int, int] | None = None,
    image_order: Literal["given", "random"] | None = None,
    text_parameters: Mapping[str, Any] | None = None,
    image_column: str = "images",
    text_column: str | None = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    **net_parameters: Any,
) -> dict[str, Any]:
    """Make the majority class, both 3D-CNNs, the image set and the gated net.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Settings of the two 3D-CNNs: ours, or those of
        :func:`~sklearn_profiling.pipelines.make_cnn3d` with that preset, and then their
        names end in ", paper".
    images : transformer, default=None
        As for :func:`~sklearn_profiling.pipelines.make_cnn3d`.
    segmenter : transformer, default=None
        From messages to words; None is WordSegmenter, duplicate messages dropped.
    n_filters : tuple of (int, int), default=None
        Feature maps of the first convolution of Model 1 and Model 2; None is their own.
    image_order : {"given", "random"}, default=None
        Order of a user's images when the 3D-CNNs are trained. None is "given" with the
        paper's preset, else "random", because a bag has no order and a net trained on
        one overfits to it (our choice).
    text_parameters : mapping of str to object, default=None
        Parameters of the text branch of the gated net, for example ``kernel_sizes``.
    image_column : str, default="images"
        Column with lists of images.
    text_column : str, default=None
        Column with lists of messages; None leaves out the system that reads text.
    memory : str or joblib.Memory, default=None
        Folder for the caches, so that the systems share their sources.
    random_state : int, RandomState instance or None, default=None
        Decides all parts; the systems share their seeds.
    **net_parameters : dict
        Parameters that all nets share, for example ``max_epochs``.

    Returns
    -------
    dict of str to Pipeline or estimator
        Systems by name: "Majority class", "3D-CNN, Model 1", "3D-CNN, Model 2", "Image
        set" and, with text, "Images and text, gated".

    See Also
    --------
    make_table3_systems : The systems of the MMLUP paper.

    Notes
    -----
    By default Model 2, nearly twice as deep as Model 1, is trained for twice as many
    epochs (our choice): with as many as Model 1 it learns little from single images.

    Examples
    --------
    >>> from sklearn_profiling.pipelines import make_image_systems
    >>> list(make_image_systems(text_column="messages"))[-2:]
    ['Image set', 'Images and text, gated']
    """
    (seed,) = derive_seeds(random_state, 1)
    images = ImageBagTransformer(memory=memory) if images is None else images
    shared = {"random_state": seed, **net_parameters}
    paper = is_paper(preset)
    order = image_order or ("given" if paper else "random")
    volumes = {"image_order": order, **shared}
    first, second = (None, None) if n_filters is None else n_filters

    def volume(variant: Literal[1, 2], filters: int | None) -> CheckedPipeline:
        usual = {**_paper_settings(preset), **volumes}
        classifier = CNN3DClassifier(variant=variant, n_filters=filters, **usual)
        deeper = 2 if variant == 2 and not paper else 1
        return alone(classifier.set_params(max_epochs=deeper * classifier.max_epochs))

    def alone(classifier: Any) -> CheckedPipeline:
        return make_cnn3d(
            images=images,
            classifier=classifier,
            image_column=image_column,
            memory=memory,
        )

    nets = {
        "3D-CNN, Model 1": volume(1, first),
        "3D-CNN, Model 2": volume(2, second),
    }
    systems: dict[str, Any] = {
        "Majority class": make_majority_baseline(),
        **named(nets, preset),
        "Image set": alone(ImageSetClassifier(**shared)),
    }
    if text_column is not None:
        gated = MultimodalCNN3DClassifier(
            n_filters_image=first, **{**volumes, **(text_parameters or {})}
        )
        words = make_pipeline(
            default_segmenter(segmenter), FrequentWords(), memory=memory
        )
        union = SourceUnion(
            [("text", words, text_column), ("images", images, image_column)]
        )
        systems["Images and text, gated"] = CheckedPipeline(
            [("sources", union), ("classifier", gated)]
        )
    return systems
