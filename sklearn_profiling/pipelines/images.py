"""The 3D-CNN as one Pipeline, and the systems that read images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import joblib
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.estimators import (
    CNN3DClassifier,
    ImageSetClassifier,
    MultimodalCNN3DClassifier,
)
from sklearn_profiling.sources import FrequentWords, ImageBagTransformer, SourceUnion
from sklearn_profiling.sources.text.segmentation import default_segmenter

__all__ = ["make_cnn3d", "make_image_systems"]


def make_cnn3d(
    *,
    images: Any = None,
    classifier: Any = None,
    image_column: str = "images",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the 3D-CNN system: bags of images, classifier.

    Parameters
    ----------
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
        classifier = CNN3DClassifier(random_state=derive_seed(random_state))
    # No cache of the Pipeline: it would write all pixels again for each fold, while
    # the slow part, decoding, is cached by file.
    return Pipeline(
        [
            ("sources", SourceUnion([("images", images, image_column)])),
            ("classifier", classifier),
        ]
    )


def make_image_systems(
    *,
    images: Any = None,
    segmenter: Any = None,
    n_filters: tuple[int, int] | None = None,
    image_order: Literal["given", "random"] = "random",
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
    images : transformer, default=None
        As for :func:`~sklearn_profiling.pipelines.make_cnn3d`.
    segmenter : transformer, default=None
        From messages to words; None is WordSegmenter, duplicate messages dropped.
    n_filters : tuple of (int, int), default=None
        Feature maps of the first convolution of Model 1 and Model 2; None is their own.
    image_order : {"given", "random"}, default="random"
        Order of a user's images when the 3D-CNNs are trained. "given" is the paper's;
        "random", because a bag has no order and a net trained on one overfits to it
        (our choice).
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
    Model 2, nearly twice as deep as Model 1, is trained for twice as many epochs (our
    choice): with as many as Model 1 it learns little from single images.

    Examples
    --------
    >>> from sklearn_profiling.pipelines import make_image_systems
    >>> list(make_image_systems(text_column="messages"))[-2:]
    ['Image set', 'Images and text, gated']
    """
    (seed,) = derive_seeds(random_state, 1)
    images = ImageBagTransformer(memory=memory) if images is None else images
    shared = {"random_state": seed, **net_parameters}
    volumes = {"image_order": image_order, **shared}
    first, second = (None, None) if n_filters is None else n_filters
    epochs = volumes.get("max_epochs", CNN3DClassifier().max_epochs)
    deep = {**volumes, "max_epochs": 2 * epochs}

    def alone(classifier: Any) -> Pipeline:
        return make_cnn3d(
            images=images,
            classifier=classifier,
            image_column=image_column,
            memory=memory,
        )

    systems: dict[str, Any] = {
        "Majority class": make_majority_baseline(),
        "3D-CNN, Model 1": alone(CNN3DClassifier(n_filters=first, **volumes)),
        "3D-CNN, Model 2": alone(CNN3DClassifier(variant=2, n_filters=second, **deep)),
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
        systems["Images and text, gated"] = Pipeline(
            [("sources", union), ("classifier", gated)]
        )
    return systems
