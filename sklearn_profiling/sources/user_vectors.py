"""Vectors of users that were made elsewhere, looked up by id."""

from __future__ import annotations

import os
import warnings
from numbers import Integral, Number
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._bounds import bounded
from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers._ids import is_null, object_array
from sklearn_profiling.exceptions import DataQualityWarning, shortened
from sklearn_profiling.sources._user_vector_files import read_vectors
from sklearn_profiling.sources.network._lookup import id_column as column_of_ids
from sklearn_profiling.sources.network._lookup import rows_in

__all__ = ["UserVectors"]

_FEW = 10  # a tenth of the users, and no warning about fewer users than this
_N_EXAMPLES = 3


class UserVectors(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Use vectors of users that were made elsewhere, found by the users' ids.

    Parameters
    ----------
    vectors : str, path-like, DataFrame, mapping or array of shape (n_known, n_dim)
        The vectors, read once, in `fit`. A file is recognised by its content:

        - word2vec's text or binary format, as node2vec, GraphVite and LINE write it,
          or lines of an id and its numbers;
        - CSV with commas or semicolons, or TSV, as karateclub writes it, with or
          without a header;
        - Parquet, with a column for each number or one column of lists;
        - .npz with an array of vectors and one of ids, or .npy, with `ids`;

        text also packed with gzip, bzip2, xz or zip. A DataFrame may come from pandas,
        polars or Arrow. A mapping gives the vector of each id.
    ids : array-like of shape (n_known,), str, path-like or None, default=None
        Ids of the rows of an array, of an .npy file, or of a table without ids; a path
        is a file with one id a line or an .npy file.
    id_column : str or None, default=None
        Column with the ids, or array of an .npz file. None is the first that has a name
        such as "id", "user_id", "node" or "index"; without one, the index of a pandas
        table unless it only counts the rows, or the first column if it holds text.
    member : str or None, default=None
        The file in a zip archive that holds several.
    trusted : bool, default=False
        Load the files of gensim's ``save``. They are pickles, which can run any code:
        only for files whose origin you trust.
    max_bytes : int or None, default=None
        Most bytes of a file, unpacked, and of a line. None takes 100 times its size and
        at least 32 MiB, and 64 MiB for a line (our choice).

    Attributes
    ----------
    ids_ : ndarray of shape (n_known,)
        Ids of the users who have a vector.
    embedding_ : ndarray of float32, shape (n_known, n_dimensions)
        Their vectors.
    report_ : dict
        "format"; counts of what was read, "n_known" (users with a vector),
        "n_without_vector" (rows of a table whose vector is missing) and
        "n_dimensions"; and of the last call of `fit` with ids or `transform`, "n_users"
        and "n_missing" (users without a vector).

    See Also
    --------
    LINEEmbedding : Vectors from a network at hand.
    PretrainedVectors : The same for words.

    Notes
    -----
    Ids in text files have no kind: 7, 7.0 and "7" are one user. Elsewhere numbers and
    text are different, and ids that are all of the other kind are an error.

    Vectors that were learned with labels of the users to predict are no fair features.

    Examples
    --------
    >>> from sklearn_profiling.sources import UserVectors
    >>> vectors = UserVectors([[0.5, 1.0], [2.0, 1.5]], ids=["ann", "bob"])
    >>> vectors.fit_transform(["bob", "eve"])
    array([[2. , 1.5],
           [nan, nan]], dtype=float32)
    >>> vectors.report_["n_missing"]
    1
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vectors": "no_validation",  # type: ignore[dict-item]
        "ids": "no_validation",  # type: ignore[dict-item]
        "id_column": [str, None],
        "member": [str, None],
        "trusted": ["boolean"],
        "max_bytes": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        vectors: Any,
        ids: Any = None,
        *,
        id_column: str | None = None,
        member: str | None = None,
        trusted: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        self.vectors = vectors
        self.ids = ids
        self.id_column = id_column
        self.member = member
        self.trusted = trusted
        self.max_bytes = max_bytes

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Read the vectors.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1), default=None
            Ids of users, by which it is checked that the vectors are theirs. All
            vectors are kept, whoever is in `X`.
        y : None
            Ignored.

        Returns
        -------
        UserVectors
            The fitted transformer.

        Raises
        ------
        DataFormatError
            If a file is missing, of no known format, or holds a user twice, a number
            that is not finite, or no number.
        SourceError
            If vectors and ids in memory have such a fault, or the ids in `X` are of
            another kind.

        Warns
        -----
        DataQualityWarning
            If fewer than a tenth of the users in `X` have a vector.
        """
        with bounded(self.max_bytes):
            known = read_vectors(
                self.vectors,
                self.ids,
                self.id_column,
                member=self.member,
                trusted=self.trusted,
            )
        self.ids_ = known.ids
        self.embedding_ = known.vectors
        self._typed = known.typed
        self._n_features_out = known.vectors.shape[1]
        self.report_ = {
            "format": known.format,
            "n_known": len(known.ids),
            "n_without_vector": known.n_without_vector,
            "n_dimensions": known.vectors.shape[1],
        }
        if X is not None:
            given, rows = self._find(X)
            self._warn_if_strange(given, rows)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Look up the vectors of users.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of users; None and NaN are welcome.

        Returns
        -------
        ndarray of float32, shape (n_users, n_dimensions)
            Vectors; a row of NaN for a user without one.

        Raises
        ------
        SourceError
            If `X` is not one column of ids, or holds text where the known ids are
            numbers, or the reverse.
        """
        check_is_fitted(self)
        _, rows = self._find(X)
        vectors = self.embedding_[rows]
        vectors[rows < 0] = np.nan
        return vectors

    def _find(self, X: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the ids and their rows, -1 where unknown, and count these."""
        given = column_of_ids(X)
        asked = given if self._typed else _as_text(given)
        rows = rows_in(self.ids_, asked, "vectors")
        counts = {"n_users": len(rows), "n_missing": int((rows < 0).sum())}
        self.report_ = self.report_ | counts
        return given, rows

    def _warn_if_strange(self, given: NDArray[Any], rows: NDArray[np.int64]) -> None:
        n_found = int((rows >= 0).sum())
        if len(rows) < _FEW or _FEW * n_found >= len(rows):
            return
        others = np.setdiff1d(np.arange(len(self.ids_)), rows)[:_N_EXAMPLES]
        users = ", ".join(map(shortened, given[:_N_EXAMPLES].tolist()))
        known = ", ".join(map(shortened, self.ids_[others].tolist()))
        origin = (
            os.fspath(self.vectors)
            if isinstance(self.vectors, str | os.PathLike)
            else "UserVectors"
        )
        warnings.warn(
            f"{origin}: only {n_found} of {len(rows)} users have a vector. Users are "
            f"for example {users}; ids of vectors {known}.",
            DataQualityWarning,
            stacklevel=4,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


def _as_text(ids: NDArray[Any]) -> NDArray[Any]:
    """Write numbers as text, since the ids of a text file have no kind."""
    return object_array(
        [str(n) if isinstance(n, Number) and not is_null(n) else n for n in ids]
    )
