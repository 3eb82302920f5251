"""The systems of the MMLUP paper's Table 3 beside plain baselines."""

from __future__ import annotations

from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines import make_majority_baseline, make_tfidf_baseline
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.pipelines import make_mmlup, make_text_cnn


def make_table3_systems(
    graph: SocialGraph | None,
    *,
    segmenter: Any = None,
    network: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    **net_parameters: Any,
) -> dict[str, Any]:
    """Make majority class, word counts, Text-CNN, MMLUP and MMLUP's ablations.

    Parameters
    ----------
    graph : SocialGraph or None
        Friendship network; None leaves out what needs one.
    segmenter, network : transformer, default=None
        As for :func:`~sklearn_profiling.pipelines.make_mmlup`.
    text_column : str, default="messages"
        Column with lists of messages.
    memory : str or joblib.Memory, default=None
        Folder for the caches: the systems share what they prepare.
    random_state : int, RandomState instance or None, default=None
        Decides all parts; the systems share their seeds.
    **net_parameters : dict
        Parameters that all nets share, for example ``max_epochs``.

    Returns
    -------
    dict of str to estimator
        Systems by name, in the order of Table 3.
    """
    seed, net_seed = derive_seeds(random_state, 2)
    shared = {"segmenter": segmenter, "text_column": text_column, "memory": memory}

    def mmlup(**parameters: Any) -> Pipeline:
        classifier = MMLUPClassifier(
            random_state=net_seed, **{**net_parameters, **parameters}
        )
        return make_mmlup(
            graph, network=network, classifier=classifier, random_state=seed, **shared
        )

    text_cnn = TextCNNClassifier(random_state=net_seed, **net_parameters)
    systems: dict[str, Any] = {
        "Majority class": make_majority_baseline(),
        "TF-IDF + logistic regression": make_tfidf_baseline(column=text_column),
        "Text-CNN (single task)": make_text_cnn(
            classifier=text_cnn, random_state=seed, **shared
        ),
        "MMLUP (single task)": mmlup(multi_task=False),
    }
    own = ["text", "keywords"]
    if graph is not None:
        systems["MMLUP (without friendship network)"] = mmlup(sources=[*own, "topics"])
        own.append("network")
    systems["MMLUP (without attention)"] = mmlup(attention=None)
    systems["MMLUP (the paper's sources)"] = mmlup(sources=own)
    systems["MMLUP (full architecture)"] = mmlup()
    return systems
