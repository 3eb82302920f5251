"""Sources and experts for the columns that users have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.baselines import OutOfFoldLogits
from sklearn_profiling.evaluation import MultiTaskStratifiedGroupKFold
from sklearn_profiling.evaluation._users import ids_of
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import SourceUnion, TfidfVectors
from sklearn_profiling.sources._column_kinds import column_kinds
from sklearn_profiling.sources._columns import as_users
from sklearn_profiling.sources._grouped import GroupedSources
from sklearn_profiling.sources._image_cells import is_null
from sklearn_profiling.sources.text.suited import SuitedSegmenter
from sklearn_profiling.sources.union import parallel_block
from sklearn_profiling.targets import label_table

__all__ = ["ODDS", "AutoSources"]

ODDS = "_odds"
"""End of the names of sources of log-odds."""

# Of each kind of column: the parameters with its transformers, and the names of the
# sources, after that of the column.
_OF_COLUMN: dict[str, dict[str, str]] = {
    "text": {
        "tfidf_expert": "tfidf" + ODDS,
        "counts_expert": "counts" + ODDS,
        "topics": "topics",
        "words": "words",
    },
    "images": {
        "visual_words": "looks" + ODDS,
        "image_expert": "colours" + ODDS,
        "image_means": "colours",
        "bags": "bags",
    },
    "vectors": {"vectors": "vectors", "vector_expert": "vectors" + ODDS},
}
# Of the ids, and of all numbers and categories together.
_OF_IDS = {
    "links": "links" + ODDS,
    "neighbors": "neighbors" + ODDS,
    "embedding": "network",
}
_TABLE = ("numbers", "categories", "lists")
_OF_LISTS = ("length", "mean", "deviation", "least", "largest")
_OF_TFIDF = ("tfidf_expert", "topics")
"""Parameters with transformers that read rows of tf-idf, not words."""
_TFIDF = " (tf-idf)"
"""Of the name of a column: its rows of tf-idf."""
_OF_TABLE = {"table": "table", "table_expert": "table" + ODDS}


# Sources have names, but are no table.
class AutoSources(  # type: ignore[call-arg, unused-ignore]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Look at the columns of users, and make the sources of each.

    Each parameter but the first three is the transformer of one kind of column, or
    "drop"; every column of the kind gets a clone. Sources of log-odds have names that
    end in ``_odds``.

    Parameters
    ----------
    graph : SocialGraph or None, default=None
        Network of the users.
    columns : "auto" or mapping of str to str, default="auto"
        What columns hold: "text", "images", "vectors", "numbers", "lists" of numbers,
        "categories", "ids" of the network, or "drop". A column that the mapping does
        not name is looked at.
    segmenter : transformer or "auto", default="auto"
        From messages to words. "auto" is
        :func:`~sklearn_profiling.sources.choose_segmenter` with punctuation kept, since
        it tells much of a writer.
    decoder : transformer, default="drop"
        From lists of images to bags of pixels.
    tfidf : transformer or None, default=None
        From words to rows of tf-idf, for the next two; None is
        :class:`~sklearn_profiling.sources.TfidfVectors`.
    tfidf_expert, topics : transformer, default="drop"
        Of rows of tf-idf: an expert, and a projection.
    counts_expert, words : transformer, default="drop"
        Of the words of a text: expert by counts, and the words themselves
        ("passthrough") for nets that read them.
    visual_words, image_expert, image_means, bags : transformer, default="drop"
        Of bags of images: experts by visual words and by means, vectors of means, and
        the bags themselves ("passthrough").
    vectors, vector_expert : transformer, default="drop"
        Of a column of vectors: a source, and an expert.
    links, neighbors, embedding : transformer, default="drop"
        Of the column of ids: experts by links and by neighbours' labels, and embedding
        of the network.
    table, table_expert : transformer, default="drop"
        Of all numbers and categories together: a source, and an expert.

    Attributes
    ----------
    kinds_ : dict of str to (kind, reason)
        What each column holds, and how that was seen.
    first_, second_ : SourceUnion or None
        Words of texts, pixels of images and arrays of vectors; rows of tf-idf.
    union_ : SourceUnion
        All sources.
    columns_ : list of str
        Columns that are read.
    columns_of_ : dict of str to list of str
        The columns of each source.

    See Also
    --------
    make_profiler : The recommended system, which begins with this step.
    sklearn_profiling.sources.SourceUnion : Sources that are named by hand.

    Notes
    -----
    Of lists of numbers the table has length, mean, deviation, least and largest.

    A column is text if its cells are lists of messages, or strings that are mostly
    letters and either longer than 40 characters or different for most users; other
    strings are categories. Cells are images if they are arrays, image files' bytes or
    names that end as image files do. Ids are the column with most users of the network.
    Columns that fewer than five users have, ids that no network knows, and a column
    ``user_id`` without a network are left out: ``kinds_`` says so.

    A user may stand in several rows, with the same id of the network or in the column
    ``user_id``. Every :class:`~sklearn_profiling.baselines.OutOfFoldLogits` whose `cv`
    is a number then holds out all rows of a user together.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.pipelines import AutoSources
    >>> from sklearn.decomposition import TruncatedSVD
    >>> bios = ["I love red tea", "ale and football", "tea", "football and tea", "red"]
    >>> users = pd.DataFrame({"bio": bios})
    >>> auto = AutoSources(topics=TruncatedSVD(2, random_state=0))
    >>> auto.fit_transform(users.assign(nobody=None))["bio_topics"].shape
    (5, 2)
    >>> auto.kinds_["nobody"].reason
    '0 users have it, fewer than 5'
    """

    # Left out of model files, as they may be large.
    _read_by_fit_alone: ClassVar[frozenset[str]] = frozenset({"graph"})
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "columns": [StrOptions({"auto"}), Mapping],
        # What is wrong with a graph or a transformer is told where it is used.
        "graph": "no_validation",
        "segmenter": "no_validation",
        "tfidf": "no_validation",
        "decoder": "no_validation",
        **{
            parameter: "no_validation"
            for kind in (*_OF_COLUMN.values(), _OF_IDS, _OF_TABLE)
            for parameter in kind
        },
    }

    def __init__(
        self,
        graph: Any = None,
        *,
        columns: Literal["auto"] | Mapping[str, str] = "auto",
        segmenter: Any = "auto",
        decoder: Any = "drop",
        tfidf: Any = None,
        tfidf_expert: Any = "drop",
        topics: Any = "drop",
        counts_expert: Any = "drop",
        words: Any = "drop",
        visual_words: Any = "drop",
        image_expert: Any = "drop",
        image_means: Any = "drop",
        bags: Any = "drop",
        vectors: Any = "drop",
        vector_expert: Any = "drop",
        links: Any = "drop",
        neighbors: Any = "drop",
        embedding: Any = "drop",
        table: Any = "drop",
        table_expert: Any = "drop",
    ) -> None:
        self.graph = graph
        self.columns = columns
        self.segmenter = segmenter
        self.decoder = decoder
        self.tfidf = tfidf
        self.tfidf_expert = tfidf_expert
        self.topics = topics
        self.counts_expert = counts_expert
        self.words = words
        self.visual_words = visual_words
        self.image_expert = image_expert
        self.image_means = image_means
        self.bags = bags
        self.vectors = vectors
        self.vector_expert = vector_expert
        self.links = links
        self.neighbors = neighbors
        self.embedding = embedding
        self.table = table
        self.table_expert = table_expert

    @fixed_threads()
    def fit(self, X: Any, y: Any = None) -> Self:
        """Look at the columns and fit the transformers of each.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users; one column alone holds their messages.
        y : DataFrame or array-like, default=None
            Labels, for experts.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        SourceError
            If no column is of use, or `columns` does not fit `X`.
        """
        self.fit_transform(X, y)
        return self

    @fixed_threads()
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Look at the columns, fit the transformers of each, and transform.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users; one column alone holds their messages.
        y : DataFrame or array-like, default=None
            Labels, for experts.

        Returns
        -------
        SliceDict
            One entry a source.
        """
        self._validate_params()
        users = _as_table(X, ["messages"])
        given = {} if isinstance(self.columns, str) else dict(self.columns)
        self.kinds_ = column_kinds(users, self.graph, given)
        entries = self._sources()
        if not entries:
            seen = {name: each.reason for name, each in self.kinds_.items()}
            msg = f"no column of X is of use as a source; what was seen: {seen}"
            raise SourceError(msg)
        columns = {column for _, _, _, own in entries for column in own}
        self.columns_ = [name for name in self.kinds_ if name in columns]
        self.columns_of_ = {source: own for source, _, _, own in entries}
        first = [
            (name, self._preparation(name), name)
            for name in self.columns_
            if self.kinds_[name].kind in _OF_COLUMN
        ]
        tfidf = TfidfVectors() if self.tfidf is None else self.tfidf
        parts = dict.fromkeys(part for _, _, part, _ in entries if _is_tfidf(part))
        second = [(part, tfidf, part.removesuffix(_TFIDF)) for part in parts]
        self.first_ = SourceUnion(first) if first else None
        self.second_ = SourceUnion(second) if second else None
        made_of = [entry[:3] for entry in entries]
        codes = self._user_codes(users)
        self.union_ = SourceUnion(_hold_out_users(made_of, codes, y))
        stage = self._stage(users, "fit_transform")
        made = self.union_.fit_transform(stage, y)
        if len(np.unique(codes)) < len(codes):
            made = GroupedSources(**made)
            made.groups = codes
        made.index = users.index
        return made

    @fixed_threads()
    def transform(self, X: Any, *, new_links: Any = None) -> Any:
        """Make the sources of users.

        Parameters
        ----------
        X : DataFrame, mapping of str to column, Series, list or array
            Users, with the columns of `columns_`.
        new_links : DataFrame, array or list of tuples, default=None
            Links of users who are new to the network, as in
            :meth:`~sklearn_profiling.sources.LINEEmbedding.transform`.

        Returns
        -------
        SliceDict
            One entry a source.
        """
        check_is_fitted(self)
        users = _as_table(X, self.columns_)
        stage = self._stage(users, "transform")
        made = self.union_.transform(stage, new_links=new_links)
        made.index = users.index
        return made

    def _sources(self) -> list[tuple[str, Any, Any, list[str]]]:
        """List the sources that the columns allow and the parameters ask for.

        Each is its name, its transformer, the part of the stage and the columns.
        """
        columns = [n for n, each in self.kinds_.items() if each.kind in _TABLE]
        table = [part for name in columns for part in self._parts_of(name)]
        ids = [name for name, each in self.kinds_.items() if each.kind == "ids"]
        if len(ids) > 1 or (ids and self.graph is None):
            msg = f'columns has "ids" for {ids}: one column, where there is a graph'
            raise SourceError(msg)
        wanted: list[tuple[str, str, Any, list[str]]] = [
            (
                f"{_plain(name)}_{end}",
                parameter,
                name + _TFIDF if parameter in _OF_TFIDF else name,
                [name],
            )
            for name, each in self.kinds_.items()
            for parameter, end in _OF_COLUMN.get(each.kind, {}).items()
        ]
        wanted += [(end, p, ids[0], ids) for p, end in _OF_IDS.items() if ids]
        wanted += [(end, p, table, columns) for p, end in _OF_TABLE.items() if table]
        return [
            (source, getattr(self, parameter), part, own)
            for source, parameter, part, own in wanted
            if not _is(getattr(self, parameter), "drop")
        ]

    def _parts_of(self, name: str) -> list[str]:
        """Name the columns of the table that stand for a column of users."""
        if self.kinds_[name].kind != "lists":
            return [name]
        return [f"{name} ({figure})" for figure in _OF_LISTS]

    def _user_codes(self, users: pd.DataFrame) -> NDArray[np.int64]:
        """Return a number a row, (n_rows,), one for all rows of a user.

        A row without an id is a user of its own.
        """
        named = [name for name, each in self.kinds_.items() if each.kind == "ids"]
        ids = users[named[0]] if named else ids_of(users, None)
        everyone = np.arange(len(users))
        if ids is None:
            return everyone
        codes, unique = pd.factorize(pd.Series(ids.to_numpy(), dtype=object))
        return np.where(codes < 0, len(unique) + everyone, codes)

    def _preparation(self, name: str) -> Any:
        """Choose what makes words, pixels or an array of a column."""
        kind = self.kinds_[name].kind
        if kind == "images":
            return self.decoder
        if kind == "vectors":
            return "passthrough"
        return SuitedSegmenter() if _is(self.segmenter, "auto") else self.segmenter

    def _stage(self, users: pd.DataFrame, method: str) -> dict[str, Any]:
        """Put words, pixels, arrays and tf-idf, ids and numbers side by side."""
        stage: dict[str, Any] = {}
        for name in self.columns_:
            kind = self.kinds_[name].kind
            if kind == "numbers":
                stage[name] = _as_numbers(name, users[name])
            elif kind == "lists":
                figures = _figures_of_lists(name, users[name])
                stage |= dict(zip(self._parts_of(name), figures, strict=True))
            elif kind == "categories":
                stage[name] = users[name].map(str, na_action="ignore").astype(object)
            else:
                stage[name] = users[name]
        for union in (self.first_, self.second_):
            if union is not None:
                stage |= getattr(union, method)(stage)
        return stage

    def _sk_visual_block_(self) -> Any:
        """Show the sources side by side, before fit the transformers that are given."""
        if hasattr(self, "union_"):
            fitted = self.union_.sources_
            return parallel_block([(n, t, self.columns_of_[n]) for n, t, _ in fitted])
        given = self.get_params(deep=False)
        names = [p for kind in (*_OF_COLUMN.values(), _OF_IDS, _OF_TABLE) for p in kind]
        used = [(name, given[name], "") for name in names]
        return parallel_block([each for each in used if not _is(each[1], "drop")])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _hold_out_users(
    entries: list[tuple[str, Any, Any]], codes: NDArray[np.int64], y: Any
) -> list[tuple[str, Any, Any]]:
    """Let experts hold out all rows of a user together, where one has several."""
    if y is None or len(np.unique(codes)) == len(codes):
        return entries
    known = pd.notna(label_table(y)[0]).any(axis=1)
    n_labelled = len(np.unique(codes[known]))
    own = [
        (name, made if isinstance(made, str) else clone(made), part)
        for name, made, part in entries
    ]
    for expert in [each for _, made, _ in own for each in _experts_in(made)]:
        n_folds = max(2, min(expert.cv, n_labelled))
        folds = MultiTaskStratifiedGroupKFold(n_folds, random_state=expert.random_state)
        expert.cv = list(folds.split(codes, y, codes))
    return own


def _experts_in(transformer: Any) -> list[OutOfFoldLogits]:
    """List the experts in a transformer whose folds are a number."""
    if isinstance(transformer, str):
        return []
    found = [transformer, *transformer.get_params(deep=True).values()]
    return [
        each
        for each in found
        if isinstance(each, OutOfFoldLogits) and isinstance(each.cv, Integral)
    ]


def _as_table(X: Any, columns: Sequence[str]) -> pd.DataFrame:
    """Return users as a table, whose columns must be there."""
    users = as_users(X, columns)
    if not isinstance(users, pd.DataFrame):
        users = pd.DataFrame({name: pd.Series(users[name]) for name in users})
    if any(type(name) is not str for name in users.columns):
        users = users.set_axis([str(name) for name in users.columns], axis=1)
    if not users.columns.is_unique:
        twice = sorted(set(users.columns[users.columns.duplicated()]))
        msg = f"X has several columns named {twice}; names must differ"
        raise SourceError(msg)
    absent = [name for name in columns if name not in users and len(columns) > 1]
    if absent:
        msg = f"X lacks the columns {absent}, which fit read; it has {list(users)}"
        raise SourceError(msg)
    return users


def _is_tfidf(part: Any) -> bool:
    return isinstance(part, str) and part.endswith(_TFIDF)


def _plain(name: str) -> str:
    """Name a source after a column: two underscores are not allowed there."""
    plain = name
    while "__" in plain:
        plain = plain.replace("__", "_")
    return plain


def _is(transformer: Any, word: str) -> bool:
    return isinstance(transformer, str) and transformer == word


def _figures_of_lists(name: str, column: pd.Series) -> list[pd.Series]:
    """Sum lists of numbers up, NaN for users without one; as `_OF_LISTS` has them."""
    rows = np.full((len(column), len(_OF_LISTS)), np.nan)
    for row, cell in enumerate(column):
        if is_null(cell):
            continue
        if isinstance(cell, str) or not isinstance(cell, Sequence | np.ndarray):
            msg = f"column {name!r}, row {row}: held lists in fit; got {cell!r:.60}"
            raise SourceError(msg)
        given = pd.Series(list(cell), dtype=object)
        numbers = _as_numbers(name, given).dropna().to_numpy()
        if len(numbers):
            figures = (np.mean, np.std, np.min, np.max)
            rows[row] = [len(numbers), *(each(numbers) for each in figures)]
    return [pd.Series(values, column.index) for values in rows.T]


def _as_numbers(name: str, column: pd.Series) -> pd.Series:
    """Bring numbers, truth values and dates, these in days, to float64."""
    index, column = column.index, column.reset_index(drop=True)
    dated = pd.api.types.is_datetime64_any_dtype(column.dtype)
    try:
        numbers = pd.Series(np.nan, column.index)
        if not dated:
            numbers = pd.to_numeric(column, errors="coerce").astype(float)
        others = column[numbers.isna() & column.notna()]
        dates = pd.to_datetime(others, format="ISO8601", utc=True)
    except (TypeError, ValueError) as error:
        msg = f"column {name!r} held numbers or dates in fit: {error!s:.90}"
        raise SourceError(msg) from error
    numbers[others.index] = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    endless = np.flatnonzero(np.isinf(numbers))
    if len(endless):
        msg = (
            f"column {name!r}, row {endless[0]}: a number must be finite, or None or "
            f"NaN where it is missing; got {numbers.iloc[endless[0]]}"
        )
        raise SourceError(msg)
    return numbers.set_axis(index)
