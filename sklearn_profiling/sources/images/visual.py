"""What the images of a user show: counts of visual words, and mean components."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._sparse_output import as_configured
from sklearn_profiling.sources.images._components import (
    PrincipalComponents,
    check_bags,
    image_users,
    small_images,
)

__all__ = ["MeanImageVectors", "VisualWordCounts"]

Floats = NDArray[np.float32]

_N_TO_FIT = 20_000


class _OfSmallImages(TransformerMixin, BaseEstimator, ABC):
    """A transformer of image bags that reads a small version of each image."""

    random_state: RandomState

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImageBags, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn from the images of all users.

        Parameters
        ----------
        X : ImageBags of shape (n_users,)
            Images of any size and number of channels.
        y : object, default=None
            Not used.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        SourceError
            If `X` is not image bags, or no user has an image.
        """
        bags = check_bags(X, self)
        if not bags.pixels.size:
            msg = f"{type(self).__name__} learns from images, and no user has any"
            raise SourceError(msg)
        self._image_shape = bags.image_shape
        draw, start = derive_seeds(self.random_state, 2)
        chosen = np.arange(bags.n_images)
        if bags.n_images > _N_TO_FIT:
            drawn = np.random.RandomState(draw).permutation(bags.n_images)
            chosen = np.sort(drawn[:_N_TO_FIT])
        with fixed_threads():
            images = np.concatenate(list(small_images(bags.pixels, chosen)))
            self._learn(images, start)
        return self

    @abstractmethod
    def _learn(self, images: Floats, seed: int) -> None:
        """Learn from small images that were drawn."""

    def _read(self, X: ImageBags) -> tuple[ImageBags, Iterator[Floats]]:
        """Return checked bags and their small images, some at a time."""
        check_is_fitted(self)
        bags = check_bags(X, self)
        if bags.n_images and bags.image_shape != self._image_shape:
            fitted, given = (
                " x ".join(map(str, shape))
                for shape in (self._image_shape, bags.image_shape)
            )
            msg = (
                f"{type(self).__name__} was fitted on images of {fitted} (channels x "
                f"height x width); got {given}"
            )
            raise SourceError(msg)
        return bags, small_images(bags.pixels, np.arange(bags.n_images))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


class VisualWordCounts(_OfSmallImages):
    """Count the visual words that the images of each user show.

    An image, and each of nine regions of it, becomes the word whose centre is nearest:
    a cluster of such images or regions in `fit`, found by k-means over their principal
    components. It takes seconds and no pretrained model, and sees colours and shapes
    where they are rather than things.

    Parameters
    ----------
    n_words : int, default=64
        Number of clusters of images, and of each region (our choice); fewer where there
        are fewer different ones.
    n_components : int, default=48
        Number of principal components of an image or region (our choice); fewer where
        there are fewer different ones.
    regions : bool, default=True
        Whether regions of half the height and width, in steps of a quarter, have words
        of their own, beside whole images (our choice: a small thing in an image does
        not decide which cluster the whole belongs to).
    random_state : int, RandomState instance or None, default=None
        Decides the images to learn from, where there are over 20,000, and the initial
        centres.

    Attributes
    ----------
    words_ : dict of ndarray of float32, shape (n_words, n_components)
        Centres of the clusters of "whole" images, and of regions by the row and the
        column of their place, as "row0_column2".
    n_words_ : int
        Number of words of all of them.
    n_components_ : int
        Number of components of whole images.

    See Also
    --------
    MeanImageVectors : Means of components of whole images.
    PretrainedImageVectors : What a pretrained vision model sees in images.

    Notes
    -----
    An image is described by the mean colours of a grid of 16 x 16 cells, where the
    papers [1]_ [2]_ describe the gradients of many small patches; regions in fixed
    places are those of a spatial pyramid [3]_ with overlap. One thread is used, so that
    the result does not depend on the number of threads. Users without images get a row
    without entries, which `OutOfFoldLogits` takes for a missing source.

    References
    ----------
    .. [1] J. Sivic, A. Zisserman. Video Google: A Text Retrieval Approach to Object
       Matching in Videos. ICCV 2003.
    .. [2] G. Csurka, C. Dance, L. Fan, J. Willamowski, C. Bray. Visual Categorization
       with Bags of Keypoints. ECCV Workshop on Statistical Learning in Computer
       Vision, 2004.
    .. [3] S. Lazebnik, C. Schmid, J. Ponce. Beyond Bags of Features: Spatial Pyramid
       Matching for Recognizing Natural Scene Categories. CVPR 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> from sklearn_profiling.sources import VisualWordCounts
    >>> black, white = np.zeros((3, 8, 8), np.uint8), np.full((3, 8, 8), 255, np.uint8)
    >>> bags = ImageBags([black, black, white], [0, 2, 2, 3])
    >>> counts = VisualWordCounts(regions=False, random_state=0)
    >>> counts.fit_transform(bags).toarray()
    array([[2., 0.],
           [0., 0.],
           [0., 1.]], dtype=float32)
    >>> counts.get_feature_names_out().tolist()
    ['whole_0', 'whole_1']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_words": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "regions": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_words: int = 64,
        *,
        n_components: int = 48,
        regions: bool = True,
        random_state: RandomState = None,
    ) -> None:
        self.n_words = n_words
        self.n_components = n_components
        self.regions = regions
        self.random_state = random_state

    def _learn(self, images: Floats, seed: int) -> None:
        self._components: dict[str, PrincipalComponents] = {}
        self.words_: dict[str, Floats] = {}
        for name, part in self._parts(images):
            components = PrincipalComponents(part, self.n_components)
            self._components[name] = components
            self.words_[name] = _centres(components.project(part), self.n_words, seed)
        self.n_words_ = sum(map(len, self.words_.values()))
        self.n_components_ = self._components["whole"].n_components

    def _parts(self, images: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield names and small images of the whole and of regions."""
        yield "whole", images
        if self.regions:
            rows, columns = map(_halves, images.shape[2:])
            for row, some in enumerate(rows):
                for column, others in enumerate(columns):
                    yield f"row{row}_column{column}", images[:, :, some, others]

    def transform(self, X: ImageBags) -> Any:
        """Count the words of users.

        Parameters
        ----------
        X : ImageBags of shape (n_users,)
            Images of the channels and the size of `fit`.

        Returns
        -------
        csr_matrix of float32, shape (n_users, n_features_out)
            Number of images of each word; no entry for users without images. With
            ``set_output(transform="pandas")`` a DataFrame of sparse columns.

        Raises
        ------
        SourceError
            If `X` is not image bags, or its images have another shape than in `fit`.
        """
        bags, chunks = self._read(X)
        found = [np.zeros((0, len(self.words_)), np.int64)]
        with fixed_threads():
            found.extend(map(self._nearest, chunks))
        words = np.concatenate(found)
        users = np.repeat(image_users(bags), words.shape[1])
        counts = sparse.csr_matrix(
            (np.ones(words.size, np.float32), (users, words.ravel())),
            shape=(len(bags), self.n_words_),
        )
        return as_configured(self, counts, X)

    def _nearest(self, images: Floats) -> NDArray[np.int64]:
        """Return the columns of the words of images: (n_images, n_parts)."""
        columns = []
        before = 0
        for name, part in self._parts(images):
            projected = self._components[name].project(part)
            words = self.words_[name]
            columns.append(before + pairwise_distances_argmin(projected, words))
            before += len(words)
        return np.stack(columns, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the words by what they are words of, as "whole_0", "row0_column2_5".

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects, shape (n_features_out,)
            The names.
        """
        del input_features
        check_is_fitted(self)
        return np.array(
            [
                f"{name}_{word}"
                for name, words in self.words_.items()
                for word in range(len(words))
            ],
            dtype=object,
        )


class MeanImageVectors(ClassNamePrefixFeaturesOutMixin, _OfSmallImages):
    """Average the principal components of the images of each user.

    The components are those of the mean colours of a grid of 16 x 16 cells, so the
    means tell of colours and where they are. It takes seconds and no pretrained model.

    Parameters
    ----------
    n_components : int, default=48
        Number of principal components of an image (our choice); fewer where there are
        fewer different images.
    random_state : int, RandomState instance or None, default=None
        Decides the images to learn from, where there are over 20,000.

    Attributes
    ----------
    n_components_ : int
        Number of components.

    See Also
    --------
    VisualWordCounts : Counts of clusters of images.
    PretrainedImageVectors : What a pretrained vision model sees in images.

    Notes
    -----
    One thread is used, so that the result does not depend on the number of threads.
    Users without images get a row of NaN, the mark of a missing source.

    References
    ----------
    M. Turk, A. Pentland. Eigenfaces for Recognition. Journal of Cognitive Neuroscience
    3(1), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> from sklearn_profiling.sources import MeanImageVectors
    >>> black, white = np.zeros((1, 1, 1), np.uint8), np.full((1, 1, 1), 255, np.uint8)
    >>> bags = ImageBags([black, white, white, black], [0, 1, 3, 3, 4])
    >>> MeanImageVectors().fit_transform(bags)
    array([[-0.5],
           [ 0.5],
           [ nan],
           [-0.5]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, n_components: int = 48, *, random_state: RandomState = None
    ) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def _learn(self, images: Floats, seed: int) -> None:  # noqa: ARG002 - as of words
        self._components = PrincipalComponents(images, self.n_components)
        self.n_components_ = self._components.n_components

    def transform(self, X: ImageBags) -> Floats:
        """Average the components of users' images.

        Parameters
        ----------
        X : ImageBags of shape (n_users,)
            Images of the channels and the size of `fit`.

        Returns
        -------
        ndarray of float32, shape (n_users, n_features_out)
            One vector a user; a row of NaN for a user without images.

        Raises
        ------
        SourceError
            If `X` is not image bags, or its images have another shape than in `fit`.
        """
        bags, chunks = self._read(X)
        projected = [np.zeros((0, self.n_components_), np.float32)]
        with fixed_threads():
            projected.extend(map(self._components.project, chunks))
        means = np.zeros((len(bags), self.n_components_))
        np.add.at(means, image_users(bags), np.concatenate(projected))
        means /= np.maximum(np.diff(bags.user_starts), 1)[:, None]
        means[bags.missing] = np.nan
        return means.astype(np.float32)

    @property
    def _n_features_out(self) -> int:
        return self.n_components_


def _halves(n_cells: int) -> list[slice]:
    """Return halves of a side in steps of a quarter."""
    length = n_cells - n_cells // 2
    starts = sorted({0, n_cells // 4, n_cells // 2})
    return [slice(start, start + length) for start in starts]


def _centres(projected: Floats, n_words: int, seed: int) -> Floats:
    """Return centres of clusters that some row is nearest to, at most `n_words`."""
    clusters = KMeans(
        min(n_words, len(projected)), n_init=1, max_iter=30, random_state=seed
    )
    with warnings.catch_warnings():
        # Fewer different images than clusters: the empty ones are left out.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters.fit(projected)
    return np.asarray(clusters.cluster_centers_[np.unique(clusters.labels_)])
