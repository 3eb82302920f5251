"""A linear classifier on the links of a user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sklearn.compose import ColumnTransformer

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling.baselines._linear import Loss, make_linear
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.sources.network.adjacency import AdjacencyRows


def make_link_baseline(
    graph: Any,
    *,
    column: str = "user_id",
    normalize: Literal["degree", "l2", "symmetric"] | None = "degree",
    loss: Loss = "squared",
    C: float | Sequence[float] = (0.5, 2.0, 10.0),
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    max_iter: int = 1000,
    n_jobs: int | None = None,
) -> CheckedPipeline:
    """Make a linear classifier per task on the rows of the adjacency matrix.

    It learns a weight per neighbour and class, so it works in homophilous networks and
    also where linked users differ systematically.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array or list
        The friendship network, or its edges: pairs, or a table with the columns
        "source" and "target".
    column : str, default="user_id"
        Column of the users' DataFrame with ids in the network.
    normalize : {"degree", "l2", "symmetric"} or None, default="degree"
        How rows are scaled, as of :class:`~sklearn_profiling.sources.AdjacencyRows`:
        "degree" divides by the number of links (our choice, more accurate than None on
        our data).
    loss : {"squared", "squared_hinge", "log"}, default="squared"
        Ridge regression or a linear SVM, one class against the rest, or multinomial
        logistic regression.
    C : float or sequence of float, default=(0.5, 2.0, 10.0)
        Inverse strength of the regularisation; our choice. Of a sequence, held-out
        users choose for each task, as for :func:`make_tfidf_baseline`.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.
    max_iter : int, default=1000
        Maximum number of iterations; enough for convergence on our data.
    n_jobs : int, default=None
        Number of tasks to fit in parallel, as in joblib.

    Returns
    -------
    Pipeline
        Unfitted, with the steps ``links`` and ``classifier``. A user who is not in the
        network has no links and is predicted by the intercepts.

    See Also
    --------
    make_tfidf_baseline : The same from the messages.

    Notes
    -----
    ``normalize=None, loss="log", C=1.0`` is the baseline of earlier versions.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_link_baseline
    >>> from sklearn_profiling.containers import SocialGraph
    >>> graph = SocialGraph.from_edges([("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")])
    >>> users = pd.DataFrame({"user_id": list("abcd")})
    >>> model = make_link_baseline(graph).fit(users, ["old", None, "young", None])
    >>> model.predict(users).tolist()
    ['old', 'old', 'young', 'young']
    """
    links = ColumnTransformer(
        [
            (
                "adjacency",
                AdjacencyRows(as_social_graph(graph), normalize=normalize),
                column,
            )
        ],
        sparse_threshold=1.0,
    )
    # sparse also where scikit-learn is set to return DataFrames
    links.set_output(transform="default")
    classifier = MaskedMultiOutputClassifier(
        make_linear(loss, C, max_iter=max_iter),
        class_weight=class_weight,
        n_jobs=n_jobs,
    )
    return CheckedPipeline([("links", links), ("classifier", classifier)])
