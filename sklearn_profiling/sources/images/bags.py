"""Lists of images of users to bags of pixels of one size."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from joblib import Memory
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from tqdm.auto import tqdm

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._store import Rows, Store, versions_of
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import DataQualityWarning, SourceError
from sklearn_profiling.sources._columns import ImageColumn, read_images
from sklearn_profiling.sources.images._decoding import BadImage, Decoder
from sklearn_profiling.sources.images._reading import ImageReader

__all__ = ["ImageBagTransformer"]


class ImageBagTransformer(TransformerMixin, BaseEstimator):
    """Decode users' images and scale them to one size.

    Each cell of the column holds the images of one user, any number of them:

    - paths of files of any format that the installed Pillow opens, HEIC among them once
      ``pillow_heif.register_heif_opener()`` was called;
    - the bytes of such files, as ``bytes`` or ``io.BytesIO``;
    - dicts of "bytes" and "path", as Hugging Face's ``datasets`` writes them;
    - PIL images;
    - uint8 arrays of shape (height, width), (height, width, 1, 3 or 4) or (1 or 3,
      height, width); where two fit, channels come last;
    - uint8 tensors of shape (1, 3 or 4, height, width), or as arrays;
    - None, NaN or an empty list: a user without images.

    One image need not be in a list, and an array or tensor of four dimensions is a list
    of images. Nulls in a list are left out and counted.

    Parameters
    ----------
    size : tuple of (int, int), default=(64, 64)
        Height and width in pixels (the paper [1]_ does not report it). Images are
        stretched to it, not cropped.
    max_images : int or None, default=11
        Use only the first `max_images` images of each user (11 in the paper); the
        others are not opened. None uses all.
    on_bad_images : {"error", "skip"}, default="error"
        What to do with an image that cannot be used: raise an error that names the
        user's row, the path and the reason, or leave it out, count it in `report_` and
        warn. An image left out is not replaced by one beyond `max_images`. A cell that
        is not an image at all, such as a number, is an error either way.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which decoded images are kept, found by the content of their files,
        `size`, `max_pixels` and the version of Pillow: no file is decoded twice,
        whatever the users and the order it is asked for. None writes nothing.
    n_jobs : int or None, default=None
        Number of threads, as in joblib. The result does not depend on it.
    max_pixels : int, default=64_000_000
        Images with more pixels (height times width) are refused before they are
        decoded, which protects from decompression bombs (our choice: 192 MB as RGB).
        Pillow's own limit, `PIL.Image.MAX_IMAGE_PIXELS`, holds as well.
    verbose : int, default=0
        Show a progress bar if above 0.

    Attributes
    ----------
    report_ : dict
        Counts of the last call of `transform` or `fit_transform`: "n_users",
        "n_images" (used), "users_without_images", "n_over_maximum", "n_nulls" (None or
        NaN among images), "skipped" (number of images by reason) and "bad_images", a
        list of (row label, path or None, reason, detail). It is the only thing that
        `transform` changes.

    See Also
    --------
    sklearn_profiling.containers.ImageBags : What comes out.

    Notes
    -----
    Nothing is learned, so `transform` works without `fit`.

    Some formats stay shut, whatever Pillow does with them: PostScript and Windows
    metafiles are programs, others are containers or hold no image. The error names
    them, as it does a web page or a video in place of an image.

    Files are decoded to RGB: of animations the first frame; turned as their EXIF data
    say; transparent parts on white (our choice); 16 bits a channel as the upper 8.
    Colour profiles are ignored. Grey values of 32 bits have no known range: they make
    a bad image, as does a file of more than 8 `max_pixels` bytes. Scaling is bilinear
    and antialiased; JPEG files are decoded at the smallest scale of at least twice the
    size, other large images averaged to that first, which is much quicker and hardly
    differs.

    With `memory` the pixels stay in the stored file, which is mapped read-only: only
    images that are looked at are read, and chosen users are read from there too. At
    most 512 images are in memory while they are decoded. Several
    processes may use one folder; while one decodes, the others wait for it and then use
    what it stored. Bad files and images given as pixels are not stored, and a column
    with images given as pixels is held in memory (uint8, ``3 * height * width`` bytes
    an image).

    References
    ----------
    .. [1] E. Valdez-Rodríguez, H. Calvo, E. Felipe-Riverón. Author Profiling From
       Images Using 3D Convolutional Neural Networks. IberLEF 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.sources import ImageBagTransformer
    >>> grey = np.zeros((8, 8), dtype=np.uint8)
    >>> column = [[grey, grey], None, [grey] * 3]
    >>> ImageBagTransformer(size=(8, 8), max_images=2).fit_transform(column)
    ImageBags(3 users, 4 images of 3 x 8 x 8)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "size": [tuple, list],
        "max_images": [Interval(Integral, 1, None, closed="left"), None],
        "on_bad_images": [StrOptions({"error", "skip"})],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "max_pixels": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        size: tuple[int, int] = (64, 64),
        max_images: int | None = 11,
        on_bad_images: str = "error",
        memory: str | os.PathLike[str] | Memory | None = None,
        n_jobs: int | None = None,
        max_pixels: int = 64_000_000,
        verbose: int = 0,
    ) -> None:
        self.size = size
        self.max_images = max_images
        self.on_bad_images = on_bad_images
        self.memory = memory
        self.n_jobs = n_jobs
        self.max_pixels = max_pixels
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Check the parameters; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_users,)
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        ImageBagTransformer
            The transformer itself.
        """
        self._checked_size()
        return self

    def transform(self, X: Any) -> ImageBags:
        """Decode and scale the images.

        Parameters
        ----------
        X : Series, array-like of shape (n_users,), or table with one column
            Images of each user; see the class.

        Returns
        -------
        ImageBags of shape (n_users,)
            RGB images of `size`, in the order of the lists.

        Raises
        ------
        SourceError
            If the column is of another kind, or an image cannot be used under
            ``on_bad_images="error"``.
        MissingDependencyError
            If Pillow is not installed and an image is anything but an array of `size`,
            or `memory` is given.

        Warns
        -----
        DataQualityWarning
            If images were left out under ``on_bad_images="skip"``.
        """
        self._validate_params()
        height, width = self._checked_size()
        column = read_images(X, self.max_images, self)
        decoder = Decoder((height, width), self.max_pixels)
        if any(decoder.needs_pillow(image) for image in column.images):
            # before threads start, which share its list of formats
            decoder.load_pillow()
        bad: dict[int, BadImage] = {}

        def on_bad(image: int, fault: BadImage) -> None:
            if self.on_bad_images == "error":
                raise SourceError(self._refusal(column, image, fault))
            bad[image] = fault

        with tqdm(
            total=len(column.images),
            desc="Images",
            unit="image",
            disable=not self.verbose,
        ) as bar:
            reader = ImageReader(
                column.images,
                decoder,
                n_jobs=self.n_jobs,
                on_bad=on_bad,
                progress=bar.update,
            )
            stored = self._stored(decoder)
            if stored is None:
                pixels = reader.read()
                places = np.arange(len(pixels))
            else:
                pixels, places = reader.read_through(stored)
        sizes = np.bincount(column.rows[reader.good], minlength=column.n_users)
        self.report_ = _make_report(column, sizes, bad)
        if bad:
            self._warn()
        starts = np.append(0, np.cumsum(sizes))
        return ImageBags._of_rows(pixels, places, starts)  # noqa: SLF001 - checked here

    def _checked_size(self) -> tuple[int, int]:
        size: Sequence[Any] = self.size
        if len(size) != 2 or not all(
            isinstance(s, int | np.integer) and s > 0 for s in size
        ):
            msg = f"size must be (height, width), both from 1 up; got {size!r}"
            raise ValueError(msg)
        return int(size[0]), int(size[1])

    def _stored(self, decoder: Decoder) -> Rows | None:
        store = Store.of(self.memory, "images")
        if store is None:
            return None
        # all that decides what a file gives: its pixels, or that it is too large
        key = {
            # Raise it whenever the same file gives other pixels than before.
            "decoding": 1,
            "size": [decoder.height, decoder.width],
            "max_pixels": int(self.max_pixels),
            "pillow": decoder.load_pillow().__version__,
            **versions_of("numpy"),
        }
        return store.rows(key, (3, decoder.height, decoder.width))

    def _refusal(self, column: ImageColumn, image: int, fault: BadImage) -> str:
        return (
            f"{type(self).__name__}, {column.place(image)}: {fault}; "
            "on_bad_images='skip' leaves such images out and counts them"
        )

    def _warn(self) -> None:
        report = self.report_
        n_bad = len(report["bad_images"])
        reasons = ", ".join(f"{n} {kind}" for kind, n in report["skipped"].items())
        warnings.warn(
            f"{type(self).__name__} left out {n_bad} of {n_bad + report['n_images']} "
            f"images: {reasons}; report_ names them",
            DataQualityWarning,
            stacklevel=4,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        return tags


def _make_report(
    column: ImageColumn, sizes: npt.NDArray[np.int64], bad: Mapping[int, BadImage]
) -> dict[str, Any]:
    faults = sorted(bad.items())
    return {
        "n_users": column.n_users,
        "n_images": int(sizes.sum()),
        "users_without_images": int((sizes == 0).sum()),
        "n_over_maximum": column.n_over_maximum,
        "n_nulls": column.n_nulls,
        "skipped": dict(Counter(fault.kind for _, fault in faults)),
        "bad_images": [
            (
                column.label(int(column.rows[image])),
                column.path(image),
                fault.kind,
                fault.detail,
            )
            for image, fault in faults
        ],
    }
