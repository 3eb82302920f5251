"""The systems of the Aux-LSTM paper, each as one Pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    LSTMClassifier,
    MultiTaskLSTMClassifier,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources import JiebaSegmenter, SourceUnion, Word2VecTransformer

__all__ = ["make_aux_lstm", "make_lstm", "make_multi_task_lstm"]

_SHARED = "text"
"""Name of the source that all tasks read."""


def make_lstm(
    *,
    segmenter: Any = None,
    word_vectors: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the individual classification: segmentation, word2vec, LSTM.

    Parameters
    ----------
    segmenter : transformer, default=None
        From messages to words. None is jieba, duplicate messages dropped (our choice).
    word_vectors : transformer, default=None
        From words to words with vectors. None is skip-gram word2vec with 200
        dimensions and window 5 (paper).
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.LSTMClassifier`, one net a task.
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

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_lstm
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_lstm(random_state=0).set_params(classifier__max_epochs=1)
    >>> model.fit(users.data, users.target["gender"]).predict(users.data).shape
    (60,)
    """
    seeds = derive_seeds(random_state, 2)
    if classifier is None:
        classifier = LSTMClassifier(random_state=seeds[1])
    return _one_text(segmenter, word_vectors, classifier, text_column, memory, seeds[0])


def make_aux_lstm(
    main_task: str | None = None,
    *,
    segmenter: Any = None,
    word_vectors: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the Aux-LSTM system: segmentation, word2vec, Aux-LSTM.

    Parameters
    ----------
    main_task : str, default=None
        Name of the task that the others help; None is the first column of `y`.
    segmenter : transformer, default=None
        From messages to words. None is jieba, duplicate messages dropped (our choice).
    word_vectors : transformer, default=None
        From words to words with vectors. None is skip-gram word2vec with 200
        dimensions and window 5 (paper).
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.AuxLSTMClassifier` with
        `main_task`; one that is given brings a main task of its own.
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

    Raises
    ------
    TargetError
        If both `main_task` and `classifier` are given.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_aux_lstm
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_aux_lstm("age", random_state=0)
    >>> model = model.set_params(classifier__max_epochs=1)
    >>> y = users.target[["age", "occupation"]]
    >>> model.fit(users.data, y).predict(users.data).shape
    (60, 2)
    """
    seeds = derive_seeds(random_state, 2)
    if classifier is None:
        classifier = AuxLSTMClassifier(main_task=main_task, random_state=seeds[1])
    elif main_task is not None:
        msg = (
            f"main_task={main_task!r} is a parameter of the classifier, and one is "
            "given; set its own main_task"
        )
        raise TargetError(msg)
    return _one_text(segmenter, word_vectors, classifier, text_column, memory, seeds[0])


def make_multi_task_lstm(
    tasks: Sequence[str],
    *,
    segmenter: Any = None,
    classifier: Any = None,
    n_dimensions: int = 200,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """Make the multi-task LSTM system: word vectors of each task and shared ones.

    The source of a task is named after it and holds the same words with vectors trained
    on the users labelled for it; the source "text" holds those trained on all users.

    Parameters
    ----------
    tasks : sequence of str
        Names of the tasks with vectors of their own, columns of `y`.
    segmenter : transformer, default=None
        From messages to words. None is jieba, duplicate messages dropped (our choice).
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.MultiTaskLSTMClassifier`.
    n_dimensions : int, default=200
        Length of all word vectors (paper).
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

    Raises
    ------
    TargetError
        If a task is named twice, or "text" like the shared source.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_multi_task_lstm
    >>> users = make_user_profiles(60, random_state=0)
    >>> y = users.target[["age", "occupation"]]
    >>> model = make_multi_task_lstm(y.columns, n_dimensions=20, random_state=0)
    >>> model = model.set_params(classifier__max_epochs=1)
    >>> model.fit(users.data, y).predict(users.data).shape
    (60, 2)
    """
    names = [_SHARED, *tasks]
    if len(set(names)) < len(names):
        msg = (
            f"tasks must be different names, none of them {_SHARED!r}, which is the "
            f"shared source; got {list(tasks)}"
        )
        raise TargetError(msg)
    *seeds, net_seed = derive_seeds(random_state, len(names) + 1)
    if classifier is None:
        classifier = MultiTaskLSTMClassifier(
            source=_SHARED,
            task_sources={task: task for task in tasks},
            random_state=net_seed,
        )
    vectors = {
        name: Word2VecTransformer(
            n_dimensions, task=None if name == _SHARED else name, random_state=seed
        )
        for name, seed in zip(names, seeds, strict=True)
    }
    return _pipeline(segmenter, vectors, classifier, text_column, memory)


def _one_text(
    segmenter: Any,
    word_vectors: Any,
    classifier: Any,
    text_column: str,
    memory: str | joblib.Memory | None,
    seed: int,
) -> Pipeline:
    if word_vectors is None:
        word_vectors = Word2VecTransformer(200, window=5, random_state=seed)
    return _pipeline(
        segmenter, {_SHARED: word_vectors}, classifier, text_column, memory
    )


def _pipeline(
    segmenter: Any,
    vectors: dict[str, Any],
    classifier: Any,
    text_column: str,
    memory: str | joblib.Memory | None,
) -> Pipeline:
    if segmenter is None:
        segmenter = JiebaSegmenter()
    sources = [(name, transformer, "words") for name, transformer in vectors.items()]
    return Pipeline(
        [
            ("segmenter", SourceUnion([("words", segmenter, text_column)])),
            ("sources", SourceUnion(sources)),
            ("classifier", classifier),
        ],
        memory=memory,
    )
