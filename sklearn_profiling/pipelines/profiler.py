"""The recommended system: linear experts on words and links, corrected by a net."""

from __future__ import annotations

from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines import OutOfFoldLogits
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines._steps import make_text_system
from sklearn_profiling.sources import (
    AdjacencyRows,
    LatentSemanticVectors,
    LINEEmbedding,
    SourceUnion,
    TfidfVectors,
)
from sklearn_profiling.sources.text.segmentation import default_segmenter

__all__ = ["make_profiler"]


def make_profiler(
    graph: Any = None,
    *,
    text_column: str | None = "messages",
    id_column: str = "user_id",
    segmenter: Any = None,
    classifier: Any = None,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the recommended system: fast, and ahead of its parts on our data.

    A linear classifier reads the words and characters of a user, another the links.
    Their out-of-fold log-odds are the offset of a small net, which begins as their sum
    and learns from all tasks together what they miss, from their log-odds, from topics
    of the text and from an embedding of the network.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array, list or None
        Network of the users, or its edges: pairs, or a table with the columns "source"
        and "target". None leaves it out.
    text_column : str or None, default="messages"
        Column of the users' table with lists of messages; None leaves text out.
    id_column : str, default="user_id"
        Column of the users' table with ids in the network.
    segmenter : transformer, default=None
        From messages to words. None is the default segmenter with punctuation and
        symbols kept, since they tell much of a writer.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.MMLUPClassifier` for 10 epochs.
    memory : str or joblib.Memory, default=None
        Folder for the caches of the Pipeline and of LINE.
    random_state : int, RandomState instance or None, default=None
        Decides all parts.

    Returns
    -------
    Pipeline
        Steps "segmenter", "sources" and "classifier"; not fitted. Users may lack text,
        links or both, and any label.

    Raises
    ------
    SourceError
        If there is neither text nor a network.

    See Also
    --------
    make_mmlup : The paper's system.
    sklearn_profiling.baselines.OutOfFoldLogits : The experts' log-odds.

    Notes
    -----
    The experts are ridge classifiers (``alpha=0.1``), of text on tf-idf of one and two
    words and of two to four characters, of links on rows of the adjacency matrix
    divided by the number of links. All settings are our choice, made on poets and on
    LastFM.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_profiler
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_profiler(users.graph, random_state=0)
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (60, 4)
    """
    if graph is None and text_column is None:
        msg = "make_profiler needs text_column, graph or both; got neither"
        raise SourceError(msg)
    graph = None if graph is None else as_social_graph(graph)
    seeds = derive_seeds(random_state, 5)
    location = memory.location if isinstance(memory, joblib.Memory) else memory
    sources: list[tuple[str, Any, str]] = []
    experts = []
    if text_column is not None:
        expert = OutOfFoldLogits(random_state=seeds[0])
        steps = [("tfidf", TfidfVectors()), ("logits", expert)]
        topics = LatentSemanticVectors(random_state=seeds[1])
        sources += [("text", Pipeline(steps), "words"), ("topics", topics, "words")]
        experts.append("text")
    if graph is not None:
        expert = OutOfFoldLogits(random_state=seeds[2])
        steps = [("rows", AdjacencyRows(graph, norm="l1")), ("logits", expert)]
        line = LINEEmbedding(
            graph, 128, unknown="nan", memory=location, random_state=seeds[3]
        )
        sources += [("links", Pipeline(steps), id_column), ("network", line, id_column)]
        experts.append("links")
    if classifier is None:
        classifier = MMLUPClassifier(
            sources=[name for name, *_ in sources],
            offset=experts,
            max_epochs=10,
            random_state=seeds[4],
        )
    if text_column is None:
        return Pipeline(
            [("sources", SourceUnion(sources)), ("classifier", classifier)],
            memory=memory,
        )
    return make_text_system(
        default_segmenter(segmenter, punctuation="keep"),
        sources,
        classifier,
        text_column=text_column,
        kept_columns=[] if graph is None else [id_column],
        memory=memory,
    )
