"""The systems of the MMLUP paper's Table 3 beside plain baselines, ready to compare."""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines import make_majority_baseline, make_tfidf_baseline
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines import make_mmlup, make_text_cnn
from sklearn_profiling.sources import CharacterSegmenter, JiebaSegmenter

__all__ = ["choose_segmenter", "make_table3_systems", "predict_proba_with_links"]

_MOSTLY_SINGLE = 0.75
"""Share of one-character words from which on characters serve as words."""


def choose_segmenter(messages: pd.Series, n_users: int = 200) -> Any:
    """Choose words or characters by what jieba makes of a sample of the text.

    In classical Chinese nearly every character is a word: jieba's dictionary knows few
    of the longer ones, and what its model of unknown words joins is mostly chance.

    Parameters
    ----------
    messages : Series of list of str
        Messages of users.
    n_users : int, default=200
        Users to look at, evenly spread.

    Returns
    -------
    CharacterSegmenter or JiebaSegmenter
        Characters if, by jieba's dictionary alone, three quarters of the words are one
        character long (modern text has about half).
    """
    step = max(1, len(messages) // n_users)
    sample = messages.iloc[::step]
    words = JiebaSegmenter(drop_duplicates=False, hmm=False).transform(sample)
    lengths = np.array(
        # Punctuation is no word.
        [len(word) * word.isalnum() for word in words.vocabulary.words],
        dtype=np.int64,
    )
    counts = words.word_counts()
    single, all_words = counts[lengths == 1].sum(), counts[lengths > 0].sum()
    if single >= _MOSTLY_SINGLE * max(all_words, 1):
        return CharacterSegmenter()
    return JiebaSegmenter()


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
