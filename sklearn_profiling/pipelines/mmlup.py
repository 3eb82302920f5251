"""MMLUP as one Pipeline, the systems of its Table 3, and users new to the network."""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines import (
    make_link_baseline,
    make_majority_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.containers._any_graph import as_social_graph
from sklearn_profiling.estimators import MMLUPClassifier, TextCNNClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.pipelines._presets import Preset, is_paper, named, settings_of
from sklearn_profiling.pipelines._steps import make_text_system
from sklearn_profiling.sources import (
    GloVeTransformer,
    LatentSemanticVectors,
    LINEEmbedding,
    RegionKeywords,
)
from sklearn_profiling.sources.text.segmentation import with_punctuation
from sklearn_profiling.sources.union import transform_with_links

__all__ = [
    "make_mmlup",
    "make_table3_systems",
    "make_text_cnn",
    "predict_proba_with_links",
]

_PAPER: dict[str, Any] = {
    "attention": "softmax",
    "n_attention": 64,
    "n_filters": 64,
    "kernel_sizes": (1, 3, 5, 7, 9),
    "n_shared": 256,
    "n_hidden": (128, 64, 32),
    "n_dimensions": 100,
    "trainable_vectors": False,
    "dropout": 0.5,
    "word_dropout": 0.0,
    "source_dropout": 0.0,
    "bag_of_words": 0,
    "loss_weights": "paper",
    "learning_rate": 0.001,
    "learning_rate_decay": False,
    "batch_size": 50,
    "max_epochs": 20,
}
"""Of both classifiers: section 4.2, and ours where it does not report a setting."""


def make_mmlup(
    graph: Any,
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    word_vectors: Any = None,
    network: Any = None,
    keywords: Any = None,
    topics: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    id_column: str = "user_id",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the whole MMLUP system: segmentation, sources, classifier.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array, list or None
        Friendship network of the users, or its edges: pairs, or a table with the
        columns "source" and "target". None leaves the network source out.
    preset : {"default", "paper"}, default="default"
        Settings of the parts that are None: ours, or those of the paper's section 4.2;
        see Notes.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, by jieba where a message is
        Chinese; duplicate messages are dropped (paper).
    word_vectors : transformer, default=None
        From words to words with vectors, the source "text". None is GloVe with 100
        dimensions, minimum count 5 and window 8 (paper); by default with the ideographs
        of rarer words in their place.
    network : transformer or "drop", default=None
        From user ids to vectors, the source "network". None is LINE, 150 dimensions of
        first and 150 of second order (paper); users without a link lack the source.
    keywords : transformer or "drop", default=None
        From words to counts of keywords, the source "keywords". None is the paper's
        regional dictionary, learned from the training labels: for every task, or, as in
        the paper, for the task "region" alone.
    topics : transformer or "drop", default=None
        From words to one vector per user, the source "topics". None is latent semantic
        analysis with 300 dimensions, which the paper does not have, or "drop" with its
        preset.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.MMLUPClassifier`.
    text_column : str, default="messages"
        Column of the users' table with lists of messages.
    id_column : str, default="user_id"
        Column of the users' table with ids in the network.
    memory : str or joblib.Memory, default=None
        Folder for the caches of the Pipeline and of LINE, so that a grid search over
        the classifier prepares the sources of a fold once and trains LINE once.
    random_state : int, RandomState instance or None, default=None
        Decides all parts that are None.

    Returns
    -------
    Pipeline
        Steps "segmenter", "sources" and "classifier"; not fitted.

    Notes
    -----
    Deviations of the default from the paper: the dictionary covers every task instead
    of the region alone, its counts are divided by the user's number of words, the
    ideographs of rare words stand for them, the source "topics" is added, and the
    classifier has our settings, among them a linear model of the words beside the
    convolutions, because on small training sets convolutions alone are worse than
    linear models on word counts.

    ``preset="paper"`` has none of these: 64 filters of widths 1, 3, 5, 7 and 9, heads
    of 128, 64 and 32 units, dropout 0.5 and no dropout of words or sources, a constant
    learning rate of 0.001, the dictionary for the task "region", which the targets have
    to hold, and no topics. What the paper does not report stays as the classifier
    documents it. So does the softmax of the attention; set
    ``classifier__attention="raw"`` for the formula as it is printed.

    GloVe and the topics see only the users passed to ``fit``. LINE sees the whole
    `graph`, as in the paper, but no label.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_mmlup
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_mmlup(users.graph, random_state=0)
    >>> model = model.set_params(
    ...     classifier__max_epochs=1, sources__network__n_samples=1000
    ... )
    >>> model.fit(users.data, users.target).predict(users.data).shape
    (60, 4)
    """
    graph = None if graph is None else as_social_graph(graph)
    seeds = derive_seeds(random_state, 5)
    location = memory.location if isinstance(memory, joblib.Memory) else memory
    paper = is_paper(preset)
    if word_vectors is None:
        word_vectors = _vectors(seeds[0], paper=paper)
    if network is None:
        network = LINEEmbedding(
            graph, 300, unknown="nan", memory=location, random_state=seeds[1]
        )
    if keywords is None:
        keywords = RegionKeywords(
            task="region" if paper else None,
            normalize=None if paper else "words",
            random_state=seeds[2],
        )
    if topics is None:
        topics = "drop" if paper else LatentSemanticVectors(random_state=seeds[3])
    if classifier is None:
        classifier = MMLUPClassifier(
            **settings_of(preset, _PAPER), random_state=seeds[4]
        )
    sources = [
        ("text", word_vectors, "words"),
        ("keywords", keywords, "words"),
        ("topics", topics, "words"),
    ]
    if graph is not None:
        sources.append(("network", network, id_column))
    return make_text_system(
        segmenter,
        sources,
        classifier,
        text_column=text_column,
        kept_columns=[] if graph is None else [id_column],
        memory=memory,
    )


def make_text_cnn(
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    word_vectors: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the single-source baseline: segmentation, GloVe, Text-CNN.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Settings of the parts that are None: ours, or those of the paper's section 4.2;
        see Notes.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, by jieba where a message is
        Chinese; duplicate messages are dropped (paper).
    word_vectors : transformer, default=None
        From words to words with vectors. None is GloVe with 100 dimensions (paper); by
        default with the ideographs of rarer words in their place.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.TextCNNClassifier`, one net per
        task.
    text_column : str, default="messages"
        Column of the users' table with lists of messages.
    memory : str or joblib.Memory, default=None
        Folder for the cache of the Pipeline.
    random_state : int, RandomState instance or None, default=None
        Decides all parts that are None.

    Returns
    -------
    Pipeline
        Steps "segmenter", "sources" and "classifier"; not fitted.

    Notes
    -----
    With ``preset="paper"`` the net has the layers, the attention, the dropout and the
    training of :func:`make_mmlup` with that preset, for each task alone: "the same
    network structure" (section 4.3).

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_text_cnn
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_text_cnn(random_state=0).set_params(classifier__max_epochs=1)
    >>> model.fit(users.data, users.target["gender"]).predict(users.data).shape
    (60,)
    """
    seeds = derive_seeds(random_state, 2)
    paper = is_paper(preset)
    if word_vectors is None:
        word_vectors = _vectors(seeds[0], paper=paper)
    if classifier is None:
        classifier = TextCNNClassifier(
            **settings_of(preset, _PAPER), random_state=seeds[1]
        )
    return make_text_system(
        segmenter,
        [("text", word_vectors, "words")],
        classifier,
        text_column=text_column,
        memory=memory,
    )


def make_table3_systems(
    graph: Any,
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    network: Any = None,
    keywords: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    **net_parameters: Any,
) -> dict[str, Any]:
    """Make majority class, linear baselines, Text-CNN, MMLUP and its ablations.

    Parameters
    ----------
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array, list or None
        Friendship network, or its edges, as for
        :func:`~sklearn_profiling.pipelines.make_mmlup`; None leaves out the network
        source and its ablation.
    preset : {"default", "paper"}, default="default"
        Settings of the nets, as for :func:`~sklearn_profiling.pipelines.make_mmlup`;
        the names of those with the paper's end in ", paper".
    segmenter, network, keywords : transformer, default=None
        As for :func:`~sklearn_profiling.pipelines.make_mmlup`. The linear baselines
        keep punctuation. With the paper's preset, users without the task "region" need
        ``keywords="drop"``.
    text_column : str, default="messages"
        Column with lists of messages.
    memory : str or joblib.Memory, default=None
        Folder for the caches, so that the systems share their sources.
    random_state : int, RandomState instance or None, default=None
        Decides all parts; the systems share their seeds.
    **net_parameters : dict
        Parameters that all nets share, for example ``max_epochs``.

    Returns
    -------
    dict of str to estimator
        Systems by name, in the order of Table 3.

    Notes
    -----
    Each row differs from "MMLUP (full architecture)" in what its name says and in
    nothing else. Text-CNN has its layers, attention, dropout, word vectors and
    training, reads the text alone and has a net for each task.

    Examples
    --------
    >>> from sklearn_profiling.pipelines import make_table3_systems
    >>> list(make_table3_systems([("ann", "bob")], random_state=0))[:3]
    ['Majority class', 'TF-IDF + ridge', 'SVM on n-grams']
    """
    # Once, so that all systems share one network.
    graph = None if graph is None else as_social_graph(graph)
    seed, net_seed = derive_seeds(random_state, 2)
    shared = {"segmenter": segmenter, "text_column": text_column, "memory": memory}
    usual = {**settings_of(preset, _PAPER), **net_parameters, "random_state": net_seed}
    # Those that make_mmlup would make, for Text-CNN too.
    vectors = _vectors(derive_seeds(seed, 1)[0], paper=is_paper(preset))

    def mmlup(**parameters: Any) -> CheckedPipeline:
        return make_mmlup(
            graph,
            preset=preset,
            word_vectors=vectors,
            network=network,
            keywords=keywords,
            classifier=MMLUPClassifier(**{**usual, **parameters}),
            random_state=seed,
            **shared,
        )

    full = mmlup()
    dropped = [name for name, step, _ in full["sources"].sources if step == "drop"]
    own = [name for name in ("text", "keywords", "topics") if name not in dropped]
    nets: dict[str, Any] = {
        "Text-CNN (single task)": make_text_cnn(
            word_vectors=vectors,
            classifier=_text_cnn_like(full["classifier"]),
            **shared,
        ),
        "MMLUP (single task)": mmlup(multi_task=False),
    }
    if graph is not None:
        nets["MMLUP (without friendship network)"] = mmlup(sources=[*own])
        own.append("network")
    nets["MMLUP (without attention)"] = mmlup(attention=None)
    if "topics" in own:
        of_paper = [name for name in own if name != "topics"]
        nets["MMLUP (the paper's sources)"] = mmlup(sources=of_paper)
    nets["MMLUP (full architecture)"] = full
    words = with_punctuation(segmenter)
    return {
        "Majority class": make_majority_baseline(),
        "TF-IDF + ridge": make_tfidf_baseline(column=text_column, segmenter=words),
        "SVM on n-grams": make_svm_baseline(
            segmenter=words, text_column=text_column, memory=memory, random_state=seed
        ),
        **({} if graph is None else {"Links + ridge": make_link_baseline(graph)}),
        **named(nets, preset),
    }


def predict_proba_with_links(
    model: Any, X: pd.DataFrame, graph: Any
) -> list[NDArray[np.floating[Any]]]:
    """Predict users, some of them new but linked to users seen in training.

    Parameters
    ----------
    model : Pipeline or classifier
        A fitted system. Of a Pipeline, such as that of
        :func:`~sklearn_profiling.pipelines.make_mmlup`, each step whose ``transform``
        takes ``new_links`` embeds new users from their links.
    X : DataFrame
        Users.
    graph : SocialGraph, networkx.Graph, sparse matrix, DataFrame, array, list or None
        Network of these users, or its edges; None leaves them to the links
        that the model knows.

    Returns
    -------
    list of ndarray of shape (n_users, n_classes)
        Probabilities, one array per task.

    Raises
    ------
    SourceError
        If the model does not predict probabilities.

    See Also
    --------
    sklearn_profiling.sources.SourceUnion : Its ``transform`` takes ``new_links``.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_mmlup, predict_proba_with_links
    >>> users = make_user_profiles(60, random_state=0)
    >>> known = users.graph.subgraph(users.data["user_id"][:50])
    >>> model = make_mmlup(known, random_state=0).set_params(
    ...     classifier__max_epochs=1, sources__network__n_samples=1000
    ... )
    >>> model = model.fit(users.data[:50], users.target[:50])
    >>> found = predict_proba_with_links(model, users.data[50:], users.graph)
    >>> [probabilities.shape[0] for probabilities in found]
    [10, 10, 10, 10]
    """
    if not hasattr(model, "predict_proba"):
        msg = f"{type(model).__name__} does not predict probabilities"
        raise SourceError(msg)
    if graph is not None and isinstance(model, Pipeline):
        links = _links_of(as_social_graph(graph))
        for _, step in model.steps[:-1]:
            X = transform_with_links(step, X, links)
        model = model[-1]
    found = model.predict_proba(X)
    return found if isinstance(found, list) else [found]


def _text_cnn_like(mmlup: MMLUPClassifier) -> TextCNNClassifier:
    """Make the text alone and each task alone of a net, all else as it is there."""
    usual = mmlup.get_params(deep=False)
    common = {
        name: usual[name] for name in TextCNNClassifier().get_params() if name in usual
    }
    return TextCNNClassifier(**{**common, "multi_task": False})


def _vectors(seed: int, *, paper: bool) -> GloVeTransformer:
    unknown = "drop" if paper else "characters"
    return GloVeTransformer(
        100, min_count=5, window=8, unknown=unknown, random_state=seed
    )


def _links_of(graph: SocialGraph) -> pd.DataFrame:
    """List the arcs of a graph as source, target and weight."""
    links = graph.adjacency.tocoo()
    return pd.DataFrame(
        {
            "source": graph.ids[links.row],
            "target": graph.ids[links.col],
            "weight": links.data,
        }
    )
