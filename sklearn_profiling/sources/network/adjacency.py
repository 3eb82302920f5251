"""A user's links as features."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import normalize
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.sources._sparse_output import as_configured
from sklearn_profiling.sources.network._lookup import find_rows, id_column


class AdjacencyRows(TransformerMixin, BaseEstimator):
    """Rows of the adjacency matrix: one feature per user of the network.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array or list
        The network, or its edges: pairs, or a table with the columns "source" and
        "target". The links of a directed one are taken in both directions.
    weighted : bool, default=False
        Whether a feature is the weight of the link, or 1 for a link of any weight. Our
        choice: counts of contacts are heavy-tailed.
    normalize : {"degree", "l2", "symmetric"} or None, default=None
        Whether each row is divided by the user's degree, the number of links or, if
        `weighted`, the sum of their weights, or by its Euclidean norm. "symmetric"
        links each user who has links to himself and divides a link by the square root
        of the product of both users' degrees, as graph convolutions do. None leaves the
        links as they are, so that users with many links are predicted with more
        certainty; our choice.

    Attributes
    ----------
    n_features_out_ : int
        Number of users of the network.

    See Also
    --------
    sklearn_profiling.baselines.make_link_baseline : Logistic regression on these rows.

    Notes
    -----
    Nothing is learned, so rows are the same in training and test. The labels of
    neighbours are no part of the features.

    References
    ----------
    Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional
    Networks", ICLR 2017.

    Examples
    --------
    >>> from sklearn_profiling.containers import SocialGraph
    >>> from sklearn_profiling.sources.network.adjacency import AdjacencyRows
    >>> graph = SocialGraph.from_edges([("a", "b"), ("b", "c")], ids=["a", "b", "c"])
    >>> AdjacencyRows(graph).fit_transform(["b", "stranger"]).toarray()
    array([[1., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "graph": "no_validation",
        "weighted": ["boolean"],
        "normalize": [StrOptions({"degree", "l2", "symmetric"}), None],
    }

    def __init__(
        self,
        graph: Any,
        *,
        weighted: bool = False,
        normalize: Literal["degree", "l2", "symmetric"] | None = None,
    ) -> None:
        self.graph = graph
        self.weighted = weighted
        self.normalize = normalize

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> AdjacencyRows:
        """Check the ids; nothing is learned from them.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of the users.
        y : None
            Ignored.

        Returns
        -------
        AdjacencyRows
            Itself.

        Raises
        ------
        SourceError
            If ``X`` is not one column of ids.
        GraphError
            If ``graph`` is no network.
        """
        del y
        id_column(X)
        self._graph = as_social_graph(self.graph)
        self.n_features_out_ = self._graph.n_users
        return self

    def transform(self, X: Any) -> Any:
        """Look up each user's links.

        Parameters
        ----------
        X : array-like of shape (n_users,) or (n_users, 1)
            Ids of the users. An id that is not in the network, None or NaN has no
            links.

        Returns
        -------
        csr_matrix of shape (n_users, n_features_out), dtype float32
            The rows; with ``set_output(transform="pandas")`` a DataFrame of sparse
            columns.

        Raises
        ------
        SourceError
            If ``X`` is not one column of ids, or holds text where the ids of the
            network are numbers, or the reverse.
        """
        graph = self._network()
        rows = find_rows(graph, id_column(X))
        adjacency = sparse.csr_matrix(graph.to_undirected().adjacency, dtype=np.float32)
        if not self.weighted:
            adjacency = _of_weight_one(adjacency)
        if self.normalize == "symmetric":
            adjacency = _symmetric(adjacency)
        known = np.flatnonzero(rows >= 0)
        # One entry per known user; the others keep an empty row.
        choice = sparse.csr_matrix(
            (np.ones(len(known), dtype=np.float32), (known, rows[known])),
            shape=(len(rows), graph.n_users),
        )
        links = (choice @ adjacency).astype(np.float32)
        if self.normalize in ("degree", "l2"):
            norm = "l1" if self.normalize == "degree" else "l2"
            links = normalize(links, norm=norm, copy=False)
        return as_configured(self, links, X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the ids of the network's users, as text.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects of shape (n_features_out,)
            The names.
        """
        del input_features
        return np.array([str(user) for user in self._network().ids], dtype=object)

    def _network(self) -> SocialGraph:
        """Return the network; nothing need be fitted to know it."""
        found: SocialGraph | None = getattr(self, "_graph", None)
        return as_social_graph(self.graph) if found is None else found

    def __sklearn_tags__(self) -> Tags:
        """Say that ids are text and that nothing is learned."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags


def _of_weight_one(adjacency: Any) -> Any:
    """Give every link the weight 1; the network's own array stays."""
    ones = np.ones(adjacency.nnz, dtype=np.float32)
    parts = ones, adjacency.indices, adjacency.indptr
    return sparse.csr_matrix(parts, shape=adjacency.shape)


def _symmetric(adjacency: Any) -> Any:
    """Compute D^-1/2 (A + I) D^-1/2, where I is 1 for users with links."""
    linked = sparse.diags((np.diff(adjacency.indptr) > 0).astype(np.float32))
    joined = adjacency + linked
    sums = np.asarray(joined.sum(axis=1)).ravel()
    halves = sparse.diags(1 / np.sqrt(np.where(sums > 0, sums, 1)))
    return sparse.csr_matrix(halves @ joined @ halves, dtype=np.float32)
