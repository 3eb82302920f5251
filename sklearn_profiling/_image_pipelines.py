"""The systems that read images, each as one Pipeline."""

from __future__ import annotations

from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.estimators import CNN3DClassifier
from sklearn_profiling.sources import ImageBagTransformer, SourceUnion

__all__ = ["make_cnn3d"]


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
        From lists of images to bags, the source "images". None reads up to 11 images a
        user (paper) and brings them to 64 x 64 (our choice: the paper gives no size).
    classifier : classifier, default=None
        Reads the source "images". None is
        :class:`~sklearn_profiling.estimators.CNN3DClassifier`, Model 1.
    image_column : str, default="images"
        Column of the users' table with lists of paths, arrays or PIL images.
    memory : str or joblib.Memory, default=None
        Folder for the cache of decoded images, so that a grid search decodes each image
        once.
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
    # Without the Pipeline's own cache: it would write all pixels once more for each
    # fold, and what is slow, decoding, has a cache by file.
    return Pipeline(
        [
            ("sources", SourceUnion([("images", images, image_column)])),
            ("classifier", classifier),
        ]
    )
