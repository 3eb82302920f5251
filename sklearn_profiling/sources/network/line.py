"""LINE: embedding of the friendship network."""

from __future__ import annotations

import os
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from joblib import Memory
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from sklearn_profiling._checkpoints import Checkpoint, check_checkpoint
from sklearn_profiling._cluster import n_threads
from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling._store import Store, versions_of
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import ProfilingWarning, SourceError, shortened
from sklearn_profiling.sources.network._expansion import expand_low_degrees
from sklearn_profiling.sources.network._line_sgd import (
    SGDSettings,
    default_samples,
    make_zeros,
    train_sgd,
)
from sklearn_profiling.sources.network._line_svd import (
    SpectralSettings,
    embed_spectral,
)
from sklearn_profiling.sources.network._lookup import (
    GraphUsers,
    find_rows,
    id_column,
    mean_of_neighbors,
    unit_rows,
)

__all__ = ["LINEEmbedding"]

Floats = npt.NDArray[np.float32]

# Part of every cache key: to be raised with any change of the numbers.
_ALGORITHM = 2
_ROWS_AT_ONCE = 1 << 16


class LINEEmbedding(TransformerMixin, BaseEstimator):
    """Vectors of users by large-scale information network embedding (LINE).

    First-order proximity places linked users close to each other, second-order
    proximity places users close who have friends in common. The embedding learns
    from links alone: the whole graph takes part in ``fit``, whoever is in ``X``.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array-like or None
        The network, or its edges: pairs, or a table with the columns "source" and
        "target"; needed to fit.
    n_components : int, default=300
        Embedding dimension; even for ``order="both"``, which gives each order one
        half (MMLUP: 150 + 150).
    order : {"both", "first", "second"}, default="both"
        Proximities to embed.
    solver : {"sgd", "spectral"}, default="sgd"
        "sgd" descends as in the paper; "spectral" factorises what the descent
        converges to, which takes seconds at most.
    n_samples : int or None, default=None
        Arcs drawn per order by "sgd". None draws 20 million, but passes 10 times
        over the arcs at least and 400 times at most (our choice).
    early_stopping : bool, default=False
        Whether "sgd" leaves out two links in a hundred (one if they are directed),
        10,000 at most, and stops when three passes over the arcs in a row have not
        lowered their loss by a thousandth. `n_samples` is then the most that is drawn.
    n_negatives : int, default=5
        Noise contexts per arc (paper).
    shared_negatives : int, default=1
        Number of successive arcs that share their noise contexts. 1 shares none
        (paper); 8 or 32 is faster on large graphs and costs some accuracy there.
    learning_rate : float, default=0.025
        Initial learning rate of "sgd"; it falls linearly to 1e-4 of that (paper).
    expansion : int or None, default=10
        Users with fewer neighbours are linked to neighbours of neighbours, the
        heaviest first, until they have that many. None leaves the graph as it is.
        The paper expands very sparse networks, up to 1,000 neighbours; 10 is our
        choice, since it helped on each real network tried and adds little.
    unknown : {"indicator", "nan", "error"}, default="indicator"
        Output for users without known links: a zero vector, and a last column that
        is 1 for them and 0 for others; NaN, this package's mark of a missing source;
        or an error.
    normalize : bool, default=True
        Whether each order's vectors are scaled to unit length (paper).
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which embeddings are stored, so that a grid search over other
        parameters trains once, also with several processes. Only an int as
        ``random_state`` lets an embedding be found again.
    checkpoint : str, path-like or None, default=None
        Folder in which "sgd" is saved after each pass over the arcs, and from which a
        killed training goes on, to the same bits; needs an int as ``random_state``.
    table_folder : str, path-like or None, default=None
        Folder in which the tables of "sgd" and the vectors are held as files without a
        name, which are mapped into memory and go with them. None holds them in main
        memory, where they must fit, as they must if `memory` holds the vectors of an
        earlier fit, which are read as a whole.
    n_jobs : int or None, default=None
        Threads; None is 1 and -1 all. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Decides the initialisation, the samples and their order.
    verbose : int, default=0
        Above 0, a progress bar is shown by "sgd".

    Attributes
    ----------
    embedding_ : float32 ndarray of shape (n_users, n_components)
        Vectors of all users of the graph, in the order of ``graph.ids``; zero for
        users without links.
    n_features_out_ : int
        Columns of the output.

    Raises
    ------
    SourceError
        If there is no graph, ids do not fit it, or users are unknown and
        ``unknown="error"``.

    See Also
    --------
    sklearn_profiling.containers.SocialGraph : The network.

    Notes
    -----
    **Descent.** Objective, noise (degree to the power 0.75), learning rate,
    initialisation and clipped sigmoid are the paper's. Deviations: arcs are not drawn
    independently, but by passes of systematic sampling, which meets every arc of an
    unweighted network once a pass. Users are split at random into parts, anew for each
    pass; the negatives of an arc come from the part of its target, and threads work on
    parts they do not share. No update is lost, and the result is the same for any
    number of threads. On the LastFM network this cost no accuracy.

    **Early stopping** watches the loss on links that are left out, which falls no more
    before the vectors are at their best for other tasks: on LastFM it took a quarter of
    the time, and the accuracy of users' countries was .845 in place of .861 with first
    order and .854 in place of .856 with second.

    **Closed form.** Second order factorises log(vol(G) D^-1 A D^-1) - log b with
    negative entries set to 0 by a randomised SVD; vectors are U S^(1/2). Where this
    leaves nothing, as in very dense small networks, b is 1. The paper
    has no closed form for first order. Here it is the part of largest positive
    eigenvalues of D^-1/2 A D^-1/2, which places users by the sum over links of
    w_ij (u_i / sqrt(d_i) - u_j / sqrt(d_j))^2; on LastFM this was better (accuracy
    .868 with second order) than the positive part of the matrix of second order
    (.859).

    **Direction.** First order ignores the direction of links, since the paper does not
    define it for directed graphs. Second order of a directed graph follows it: users
    who follow nobody have a zero second-order half.

    **Expansion** adds w_ij w_jk / d_j over all j as the weight of (i, k), for
    neighbours of neighbours only. In an undirected graph the new links count for
    both users. To cost two passes over the arcs at most, it follows 64 paths of two
    links per arc or 100 million in all, whichever is more: on large networks with
    hubs, a part of the hubs' neighbours, another for each user.

    **New users** who are linked to known ones (``new_links``) get the weighted mean of
    their neighbours' vectors, scaled to unit length in each order again. This is no
    training step, so such vectors resemble, but do not equal, those of a new fit.

    **Main memory** in bytes, for n users, m arcs (two for an undirected edge): 8 m for
    the graph; 8 min(m, 2^26) for a pass; 4 n d for first and 8 n d for second order
    while it is trained, with d components rounded up to 16s; 4 n ``n_components`` for
    the result; about 30 n for the noise. With `table_folder` the tables and the result
    are on its disk, and as much of them in memory as there is room for. Expansion,
    where it adds arcs, copies the graph. The paper's network (2.6 million users, 1.1
    billion arcs) takes 8.8 GB for the graph, and 15.6 GB at the peak of
    ``expansion=None``.

    References
    ----------
    .. [1] Tang, Qu, Wang, Zhang, Yan and Mei, "LINE: Large-scale Information Network
       Embedding", WWW 2015.
    .. [2] Qiu, Dong, Ma, Li, Wang and Tang, "Network Embedding as Matrix
       Factorization: Unifying DeepWalk, LINE, PTE, and node2vec", WSDM 2018.
    .. [3] Zhu, Xu, Qu and Tang, "GraphVite: A High-Performance CPU-GPU Hybrid System
       for Node Embedding", WWW 2019.

    Examples
    --------
    >>> from sklearn_profiling.containers.social_graph import SocialGraph
    >>> graph = SocialGraph.from_edges(
    ...     [("ann", "bob"), ("bob", "cyd"), ("cyd", "ann"), ("cyd", "dan")]
    ... )
    >>> line = LINEEmbedding(graph, n_components=4, solver="spectral", random_state=0)
    >>> line.fit_transform(["ann", "dan", "eve"]).shape
    (3, 5)
    >>> line.transform(["eve"])
    array([[0., 0., 0., 0., 1.]], dtype=float32)
    >>> line.transform(["eve"], new_links=[("eve", "dan")])[:, -1]
    array([0.], dtype=float32)
    >>> line.get_feature_names_out()
    array(['line_first0', 'line_first1', 'line_second0', 'line_second1',
           'line_missing'], dtype=object)
    """

    # Left out of model files, as they may be large.
    _read_by_fit_alone: ClassVar[frozenset[str]] = frozenset({"graph"})
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "graph": "no_validation",
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "order": [StrOptions({"both", "first", "second"})],
        "solver": [StrOptions({"sgd", "spectral"})],
        "n_samples": [Interval(Integral, 1, None, closed="left"), None],
        "early_stopping": ["boolean"],
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "shared_negatives": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "expansion": [Interval(Integral, 1, None, closed="left"), None],
        "unknown": [StrOptions({"indicator", "nan", "error"})],
        "normalize": ["boolean"],
        "memory": [str, os.PathLike, Memory, None],
        "checkpoint": [str, os.PathLike, None],
        "table_folder": [str, os.PathLike, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        graph: Any = None,
        n_components: int = 300,
        *,
        order: Literal["both", "first", "second"] = "both",
        solver: Literal["sgd", "spectral"] = "sgd",
        n_samples: int | None = None,
        early_stopping: bool = False,
        n_negatives: int = 5,
        shared_negatives: int = 1,
        learning_rate: float = 0.025,
        expansion: int | None = 10,
        unknown: Literal["indicator", "nan", "error"] = "indicator",
        normalize: bool = True,
        memory: str | os.PathLike[str] | Memory | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        table_folder: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.graph = graph
        self.n_components = n_components
        self.order = order
        self.solver = solver
        self.n_samples = n_samples
        self.early_stopping = early_stopping
        self.n_negatives = n_negatives
        self.shared_negatives = shared_negatives
        self.learning_rate = learning_rate
        self.expansion = expansion
        self.unknown = unknown
        self.normalize = normalize
        self.memory = memory
        self.checkpoint = checkpoint
        self.table_folder = table_folder
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any = None, y: object = None) -> LINEEmbedding:  # noqa: ARG002 - scikit-learn's signature
        """Embed all users of the graph.

        Parameters
        ----------
        X : sequence, Series or frame of one column, of shape (n,), default=None
            Ids of users. They are checked, and do not change the embedding.
        y : object, default=None
            Ignored; labels play no part.

        Returns
        -------
        LINEEmbedding
            Itself.
        """
        check_checkpoint(self)
        graph = self._checked_graph()
        if self.order == "both" and self.n_components % 2:
            msg = (
                'order="both" gives each order half of n_components, which must be '
                f"even, got {self.n_components}."
            )
            raise SourceError(msg)
        users = GraphUsers(graph)
        if X is not None:
            find_rows(users, id_column(X))
        self.embedding_ = self._scaled(self._solve_or_load(graph))
        self._users = users
        self.n_features_out_ = self.n_components + (self.unknown == "indicator")
        return self

    def transform(self, X: Any, new_links: Any = None) -> Floats:
        """Look up the vectors of users.

        Parameters
        ----------
        X : sequence, Series or frame of one column, of shape (n,)
            Ids of users.
        new_links : DataFrame, array or iterable of tuples, default=None
            Links (a, b) or (a, b, weight) between users without links in the graph
            and users with such; a DataFrame has columns ``source``, ``target`` and
            perhaps ``weight``. Other links are ignored.

        Returns
        -------
        float32 ndarray of shape (n, n_features_out)
            Vectors; see ``unknown`` for users without links.
        """
        check_is_fitted(self)
        ids = id_column(X)
        rows = find_rows(self._users, ids)
        known = (rows >= 0) & ~self._users.isolated[rows]
        vectors = np.zeros((len(ids), self.n_components), dtype=np.float32)
        vectors[known] = self.embedding_[rows[known]]
        if new_links is not None and not known.all():
            new = np.flatnonzero(~known)
            means, linked = mean_of_neighbors(
                ids[new], new_links, self._users, self.embedding_
            )
            vectors[new[linked]] = self._scaled(means[linked])
            known[new[linked]] = True
        if self.unknown == "indicator":
            return np.column_stack([vectors, (~known).astype(np.float32)])
        if self.unknown == "error" and not known.all():
            row = int(np.argmin(known))
            msg = (
                f"{int((~known).sum())} users have no links in the graph, for example "
                f'{shortened(ids[row])} in row {row}; unknown="indicator" or "nan" '
                "would let them pass."
            )
            raise SourceError(msg)
        vectors[~known] = np.nan
        return vectors

    def get_feature_names_out(
        self,
        input_features: object = None,  # noqa: ARG002 - scikit-learn's signature
    ) -> npt.NDArray[Any]:
        """Name the columns of the output.

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        object ndarray of shape (n_features_out,)
            ``line_first0`` ..., ``line_second0`` ... and ``line_missing``.
        """
        check_is_fitted(self)
        names = [
            f"line_{order}{number}"
            for order in self._orders()
            for number in range(self._width())
        ]
        if self.unknown == "indicator":
            names.append("line_missing")
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags

    def _orders(self) -> list[str]:
        return ["first", "second"] if self.order == "both" else [self.order]

    def _scaled(self, vectors: Floats) -> Floats:
        if not self.normalize:
            return vectors
        if self.table_folder is None:
            return unit_rows(vectors, len(self._orders()))
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            rows = vectors[start : start + _ROWS_AT_ONCE]
            rows[:] = unit_rows(rows, len(self._orders()))
        return vectors

    def _width(self) -> int:
        return self.n_components // len(self._orders())

    def _checked_graph(self) -> SocialGraph:
        if self.graph is None:
            msg = "LINEEmbedding needs the network: graph=SocialGraph..., got None."
            raise SourceError(msg)
        graph = as_social_graph(self.graph)
        if graph.n_edges == 0:
            msg = f"The graph of {graph.n_users} users has no links to learn from."
            raise SourceError(msg)
        return graph

    def _solve_or_load(self, graph: SocialGraph) -> Floats:
        store = Store.of(self.memory, "line")
        if store is None:
            return self._solve(graph)
        if not isinstance(self.random_state, (int, np.integer)):
            warnings.warn(
                "The embedding is not stored in memory, since random_state is "
                f"{self.random_state!r}: only an int lets it be found again.",
                ProfilingWarning,
                stacklevel=4,
            )
            return self._solve(graph)
        return store.array(self._key(graph), lambda: self._solve(graph))

    def _key(self, graph: SocialGraph) -> dict[str, Any]:
        names = ["n_components", "order", "solver", "n_negatives", "expansion"]
        if self.solver == "sgd":
            names += [
                "n_samples",
                "early_stopping",
                "shared_negatives",
                "learning_rate",
            ]
        key = {name: getattr(self, name) for name in names}
        # numpy's numbers are not JSON's.
        key = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in key.items()
        }
        seed = derive_seed(self.random_state)
        return (
            key
            | {"graph": graph.fingerprint, "seed": seed}
            | {
                "version": _ALGORITHM,
                **versions_of("numba", "numpy", "scipy", "scikit-learn"),
            }
        )

    def _solve(self, graph: SocialGraph) -> Floats:
        seeds = dict(
            zip(("first", "second"), derive_seeds(self.random_state, 2), strict=True)
        )
        views: dict[int, Any] = {}
        vectors = make_zeros((graph.n_users, self.n_components), self.table_folder)
        columns = np.split(vectors, len(self._orders()), axis=1)
        saved: list[Checkpoint | None] = []
        for order, part in zip(self._orders(), columns, strict=True):
            view = graph.to_undirected() if order == "first" else graph
            if id(view) not in views:
                views[id(view)] = view, self._expanded(view)
            adjacency = views[id(view)][1]
            if self.solver == "sgd":
                saved.append(self._saved(graph, order))
                half = self._descend(adjacency, order, seeds[order], saved[-1])
            else:
                half = self._factorise(adjacency, order, seeds[order])
            # Vertices without edges still hold their random initialisation; zero them.
            part[:] = half
            part[np.diff(adjacency.indptr) == 0] = 0.0
            del half
        for each in saved:
            if each is not None:
                each.remove()
        return vectors

    def _saved(self, graph: SocialGraph, order: str) -> Checkpoint | None:
        """Open the checkpoint of one order, which is kept until both are done."""
        return Checkpoint.of(self, lambda: {**self._key(graph), "half": order})

    def _expanded(self, graph: SocialGraph) -> Any:
        if self.expansion is None:
            return graph.adjacency
        return expand_low_degrees(
            graph.adjacency,
            self.expansion,
            directed=graph.directed,
            n_threads=n_threads(self.n_jobs),
        )

    def _descend(
        self, adjacency: Any, order: str, seed: int, saved: Checkpoint | None
    ) -> Floats:
        n_samples = self.n_samples or default_samples(adjacency.nnz)
        with tqdm(
            total=n_samples,
            desc=f"LINE, {order} order",
            unit="arc",
            unit_scale=True,
            disable=not self.verbose,
        ) as bar:
            settings = SGDSettings(
                n_dimensions=self._width(),
                n_samples=n_samples,
                n_negatives=self.n_negatives,
                shared_negatives=self.shared_negatives,
                learning_rate=self.learning_rate,
                seed=seed,
                n_threads=n_threads(self.n_jobs),
                progress=bar.update if self.verbose else None,
                checkpoint=saved,
                early_stopping=self.early_stopping,
                table_folder=self.table_folder,
            )
            return train_sgd(adjacency, settings, order=order)

    def _factorise(self, adjacency: Any, order: str, seed: int) -> Floats:
        settings = SpectralSettings(
            n_dimensions=self._width(),
            n_negatives=self.n_negatives,
            seed=seed,
            n_threads=n_threads(self.n_jobs),
        )
        return embed_spectral(adjacency, settings, order=order)
