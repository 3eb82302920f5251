"""Predictions for users who are new to the network."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import SourceError


def predict_proba_with_links(
    model: Any, X: pd.DataFrame, graph: SocialGraph | None
) -> list[Any]:
    """Predict users, some of them new but linked to users seen in training.

    Parameters
    ----------
    model : Pipeline
        A fitted system; one made by :func:`~sklearn_profiling.pipelines.make_mmlup`
        embeds new users from their links.
    X : DataFrame
        Users.
    graph : SocialGraph or None
        Network of these users.

    Returns
    -------
    list of ndarray of shape (n_users, n_classes)
        Probabilities, one array a task.

    Raises
    ------
    SourceError
        If the model is a Pipeline of other steps and does not predict probabilities.
    """
    steps = getattr(model, "named_steps", {})
    union = steps.get("sources") if "segmenter" in steps else None
    line = None if union is None else union.named_sources_.get("network")
    if union is None or line is None or graph is None:
        if not hasattr(model, "predict_proba"):
            msg = f"{type(model).__name__} does not predict probabilities"
            raise SourceError(msg)
        return _as_list(model.predict_proba(X))
    words = steps["segmenter"].transform(X)
    sources = union.transform(words)
    links = graph.adjacency.tocoo()
    column = next(column for name, _, column in union.sources_ if name == "network")
    sources["network"] = line.transform(
        words[column],
        new_links=pd.DataFrame(
            {
                "source": graph.ids[links.row],
                "target": graph.ids[links.col],
                "weight": links.data,
            }
        ),
    )
    return _as_list(steps["classifier"].predict_proba(sources))


def _as_list(probabilities: Any) -> list[Any]:
    return probabilities if isinstance(probabilities, list) else [probabilities]
