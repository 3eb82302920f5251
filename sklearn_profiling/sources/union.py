"""Several sources side by side: columns of a users' table to named sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import delayed
from scipy.sparse import issparse
from sklearn.base import TransformerMixin, clone
from sklearn.compose._column_transformer import _VisualBlock
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._processes import Parallel
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources._columns import as_users
from sklearn_profiling.sources._vectors import VectorColumn, holds_vectors

__all__ = ["SourceUnion"]

Column = str | Sequence[str]


# Sources have names, but are no table.
class SourceUnion(  # type: ignore[call-arg, unused-ignore]
    TransformerMixin, _BaseComposition, auto_wrap_output_keys=None
):
    """Apply one transformer to each column and name the results.

    The counterpart of ``ColumnTransformer`` for sources of different kinds: text stays
    ragged, sparse rows stay sparse, and the result can be sliced, hashed, cached and
    sent to workers as one object.

    Parameters
    ----------
    sources : list of (str, transformer, str or list of str)
        Name of the source, its transformer and the column it reads. "passthrough"
        returns the column as an array, with one row a user if its cells are vectors
        (arrays or lists of numbers, None or NaN where a user has none); "drop" leaves
        the source out. A list of columns is passed to the transformer as a DataFrame.
        Names must not contain ``__``.
    n_jobs : int, default=None
        Number of transformers to run in parallel, in processes, as in joblib.

    Attributes
    ----------
    sources_ : list of (str, transformer, column)
        The fitted transformers.
    named_sources_ : dict of str to transformer
        The fitted transformers by name.

    See Also
    --------
    sklearn.compose.ColumnTransformer : The same for one matrix.

    Notes
    -----
    The result of one union can be the input of another, with its sources as columns. So
    text is segmented once and read by several transformers.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.sources import CharacterSegmenter, SourceUnion
    >>> users = pd.DataFrame({"messages": [["茶香"], None], "n_fans": [3.0, 4.0]})
    >>> union = SourceUnion(
    ...     [
    ...         ("text", CharacterSegmenter(), "messages"),
    ...         ("counts", "passthrough", ["n_fans"]),
    ...     ]
    ... )
    >>> made = union.fit_transform(users)
    >>> made["text"].tolist(), made["counts"].shape, made.shape
    ([[['茶', '香']], []], (2, 1), (2,))

    Users who are new to the network are embedded from their links:

    >>> from sklearn_profiling.containers import SocialGraph
    >>> from sklearn_profiling.sources import LINEEmbedding
    >>> graph = SocialGraph.from_edges([("ann", "bob"), ("bob", "cyd")])
    >>> line = LINEEmbedding(graph, 2, solver="spectral", random_state=0)
    >>> union = SourceUnion([("network", line, "user_id")])
    >>> union = union.fit(pd.DataFrame({"user_id": ["ann", "bob"]}))
    >>> new = pd.DataFrame({"user_id": ["eve"]})
    >>> union.transform(new)["network"]
    array([[0., 0., 1.]], dtype=float32)
    >>> union.transform(new, new_links=[("eve", "bob")])["network"][:, -1]
    array([0.], dtype=float32)
    """

    def __init__(
        self, sources: Sequence[tuple[str, Any, Column]], *, n_jobs: int | None = None
    ) -> None:
        self.sources = sources
        self.n_jobs = n_jobs

    # The composition helpers of scikit-learn take pairs of name and estimator.
    @property
    def _pairs(self) -> Sequence[tuple[str, Any]]:
        try:
            return [(name, transformer) for name, transformer, _ in self.sources]
        except (TypeError, ValueError):
            return self.sources  # type: ignore[return-value]

    @_pairs.setter
    def _pairs(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self.sources = [
            (name, transformer, column)
            for (name, transformer), (_, _, column) in zip(
                pairs, self.sources, strict=True
            )
        ]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this union and of its transformers.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of the transformers.

        Returns
        -------
        dict
            Parameters by name; those of a transformer as ``name__parameter``.
        """
        params: dict[str, Any] = self._get_params("_pairs", deep=deep)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this union and of its transformers.

        Parameters
        ----------
        **params : dict
            Parameters by name; those of a transformer as ``name__parameter``, a whole
            transformer by its name.

        Returns
        -------
        self
            This union.
        """
        self._set_params("_pairs", **params)
        return self

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit every transformer on its column.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users; one column alone if the sources read but one.
        y : DataFrame or array-like, default=None
            Labels, for transformers that learn from them.

        Returns
        -------
        self
            The fitted union.

        Raises
        ------
        SourceError
            If `sources` is not a list of triples or a column is absent.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> SliceDict:
        """Fit every transformer on its column and transform it.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users; one column alone if the sources read but one.
        y : DataFrame or array-like, default=None
            Labels, for transformers that learn from them.

        Returns
        -------
        SliceDict
            One entry per source.
        """
        self._check_sources()
        X = as_users(X, self._columns())
        used = [entry for entry in self.sources if not _is(entry[1], "drop")]
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_transform)(
                name,
                transformer if isinstance(transformer, str) else clone(transformer),
                select_column(X, column, name),
                y,
            )
            for name, transformer, column in used
        )
        self.sources_ = [
            (name, fitted, column)
            for (name, _, column), (fitted, _) in zip(used, results, strict=True)
        ]
        self.named_sources_ = {name: fitted for name, fitted, _ in self.sources_}
        return self._join(
            (name, made) for (name, _, _), (_, made) in zip(used, results, strict=True)
        )

    def transform(self, X: Any, *, new_links: Any = None) -> SliceDict:
        """Transform every column.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users; one column alone if the sources read but one.
        new_links : DataFrame, array or list of tuples, default=None
            Links of users who are new to the network, as in
            :meth:`LINEEmbedding.transform`. Passed to each transformer, or step of a
            Pipeline, whose ``transform`` takes ``new_links``; the others ignore them.

        Returns
        -------
        SliceDict
            One entry per source.
        """
        check_is_fitted(self)
        X = as_users(X, self._columns())
        made = Parallel(n_jobs=self.n_jobs)(
            delayed(_transform)(
                name, transformer, select_column(X, column, name), new_links
            )
            for name, transformer, column in self.sources_
        )
        sources = self._join(
            (name, result)
            for (name, _, _), result in zip(self.sources_, made, strict=True)
        )
        index = getattr(X, "index", None)
        if isinstance(index, pd.Index):  # a list has a method of that name
            # For predictions in tables; a slice of the users drops it.
            sources.index = index
        return sources

    def _columns(self) -> Iterator[str]:
        """Yield the columns that are read."""
        for _, transformer, column in self.sources:
            if not _is(transformer, "drop"):
                yield from [column] if isinstance(column, str) else column

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Name the columns of all sources, as ``name__feature``.

        Parameters
        ----------
        input_features : object
            Ignored; here for scikit-learn's interface.

        Returns
        -------
        ndarray of str
            Names, source by source; those of "passthrough" are the columns' or, of a
            column of vectors, their numbers.

        Raises
        ------
        AttributeError
            If a transformer has no names for its features.
        """
        del input_features
        check_is_fitted(self)
        names = [
            f"{name}__{feature}"
            for name, transformer, column in self.sources_
            for feature in _features_of(name, transformer, column)
        ]
        return np.array(names, dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Take the request and ignore it: sources are no table and stay as they are.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self
            This union.
        """
        return self

    def _check_sources(self) -> None:
        entries = self.sources
        if (
            not isinstance(entries, list)
            or not entries
            or not all(isinstance(e, tuple) and len(e) == 3 for e in entries)
        ):
            msg = (
                "sources must be a list of (name, transformer, column); got "
                f"{shortened(entries)}"
            )
            raise SourceError(msg)
        self._validate_names([name for name, _, _ in entries])
        for name, transformer, _ in entries:
            if not (
                transformer in ("drop", "passthrough")
                if isinstance(transformer, str)
                else hasattr(transformer, "transform")
            ):
                msg = (
                    f"source {name!r}: the transformer must have fit and transform, or "
                    f"be 'passthrough' or 'drop'; got {shortened(transformer)}"
                )
                raise SourceError(msg)
        if all(_is(transformer, "drop") for _, transformer, _ in entries):
            msg = "all sources are dropped; at least one is needed"
            raise SourceError(msg)

    @staticmethod
    def _join(entries: Iterator[tuple[str, Any]]) -> SliceDict:
        sources = {name: _sliceable(name, made) for name, made in entries}
        lengths = {name: source.shape[0] for name, source in sources.items()}
        if len(set(lengths.values())) > 1:
            msg = f"every transformer must return one row per user; got {lengths}"
            raise SourceError(msg)
        return SliceDict(**sources)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "sources_")

    def _sk_visual_block_(self) -> Any:
        """Show the sources side by side in scikit-learn's diagram."""
        try:
            parts = [
                (name, transformer, column)
                for name, transformer, column in getattr(self, "sources_", self.sources)
            ]
        except (TypeError, ValueError):  # no triples, which fit tells
            return _VisualBlock("single", self, names=type(self).__name__)
        return parallel_block(parts)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def parallel_block(parts: Sequence[tuple[str, Any, Any]]) -> Any:
    """Put transformers side by side in a diagram, each with what it reads."""
    names, transformers, columns = zip(*parts, strict=True) if parts else ((), (), ())
    shown = [
        "passthrough" if isinstance(each, VectorColumn) else each
        for each in transformers
    ]
    return _VisualBlock("parallel", shown, names=names, name_details=columns)


def _features_of(name: str, transformer: Any, column: Column) -> Sequence[Any]:
    """Name the features of one fitted transformer."""
    if isinstance(transformer, VectorColumn):
        return range(transformer.n_features)
    if isinstance(transformer, str):
        return [column] if isinstance(column, str) else column
    columns = [column] if isinstance(column, str) else list(column)
    try:
        features: Sequence[Any] = transformer.get_feature_names_out(columns)
    except AttributeError as error:
        msg = f"source {name!r} has no names for its features: {error}"
        raise AttributeError(msg) from error
    return features


def _is(transformer: Any, word: str) -> bool:
    return isinstance(transformer, str) and transformer == word


def select_column(X: Any, column: Column, source: str) -> Any:
    """Take one column, or several as a DataFrame; `source` is named in errors."""
    X = as_pandas(X)
    if not isinstance(X, pd.DataFrame | Mapping):
        msg = (
            "X must be a DataFrame of users or a mapping from column names; got "
            f"{type(X).__name__}"
        )
        raise SourceError(msg)
    names = [column] if isinstance(column, str) else list(column)
    absent = [name for name in names if name not in X]
    if absent:
        msg = f"source {source!r} reads the columns {absent}; X has {list(X)}"
        raise SourceError(msg)
    if isinstance(column, str):
        return X[column]
    return (
        X[names]
        if isinstance(X, pd.DataFrame)
        else pd.DataFrame({name: X[name] for name in names})
    )


def _as_array(column: Any, source: str) -> Any:
    if isinstance(column, pd.DataFrame) and not _is_sparse(column):
        try:
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            msg = (
                f"source {source!r} passes the columns {list(column)} through, which "
                f"must be numbers: {error!s:.90}"
            )
            raise SourceError(msg) from error
    return column.to_numpy() if isinstance(column, pd.Series) else column


def _sliceable(name: str, made: Any) -> Any:
    """Convert a table to an array: rows of a table are not selected by position.

    Sparse matrices and tables become CSR matrices in order of columns.
    """
    if isinstance(made, pd.DataFrame) and _is_sparse(made):
        made = _coordinates(made)
    if isinstance(made, pd.DataFrame | pd.Series):
        return made.to_numpy()
    if issparse(made) and len(getattr(made, "shape", ())) > 1:
        return _csr(made)
    if issparse(made) or not hasattr(made, "shape"):
        msg = (
            f"source {name!r}: a transformer must return TokenMessages, ImageBags, or "
            f"an array or sparse matrix; it gave {type(made).__name__}"
        )
        raise SourceError(msg)
    return made


def _csr(matrix: Any) -> Any:
    """Return CSR rows without scipy's flags of what is known, which change a hash."""

    def bare(rows: Any) -> Any:
        return type(rows)((rows.data, rows.indices, rows.indptr), shape=rows.shape)

    rows = bare(matrix.tocsr())
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return bare(rows)


def _coordinates(table: Any) -> Any:
    # pandas has no types for this
    return table.sparse.to_coo()


def _is_sparse(table: pd.DataFrame) -> bool:
    """Whether a table has sparse columns alone, of which absent cells are zeros."""
    return bool(len(table.columns)) and all(
        isinstance(dtype, pd.SparseDtype) and dtype.fill_value == 0
        for dtype in table.dtypes
    )


@fixed_threads()
def _fit_transform(name: str, transformer: Any, column: Any, y: Any) -> tuple[Any, Any]:
    if isinstance(transformer, str) and holds_vectors(column):
        vectors = VectorColumn(name, column)
        return vectors, vectors.transform(column)
    if isinstance(transformer, str):
        return transformer, _as_array(column, name)
    if hasattr(transformer, "fit_transform"):
        # Not fit followed by transform: a transformer that learns from labels may
        # cross-fit, so that training users get what was learned from the others.
        return transformer, transformer.fit_transform(column, y)
    return transformer.fit(column, y), transformer.transform(column)


@fixed_threads()
def _transform(name: str, transformer: Any, column: Any, new_links: Any) -> Any:
    if isinstance(transformer, str):
        return _as_array(column, name)
    return transform_with_links(transformer, column, new_links)


def transform_with_links(step: Any, X: Any, new_links: Any) -> Any:
    """Transform X by a step of a Pipeline, with new links where they are taken."""
    if step is None or _is(step, "passthrough"):
        return X
    if new_links is None:
        return step.transform(X)
    if isinstance(step, Pipeline):
        # Its own transform passes keywords on only by metadata routing.
        for _, part in step.steps:
            X = transform_with_links(part, X, new_links)
        return X
    if "new_links" in signature(step.transform).parameters:
        return step.transform(X, new_links=new_links)
    return step.transform(X)
