"""LSTM, Aux-LSTM and multi-task LSTM as Pipelines, and all systems of their paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
from sklearn.base import clone

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines import (
    make_majority_baseline,
    make_maxent_baseline,
    make_meta_learning_baseline,
    make_svm_baseline,
)
from sklearn_profiling.estimators import (
    AuxLSTMClassifier,
    BowCNNClassifier,
    LSTMClassifier,
    MultiTaskLSTMClassifier,
    PCNNClassifier,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.pipelines._experts import choose_experts, sources_of
from sklearn_profiling.pipelines._presets import Preset, is_paper, named, settings_of
from sklearn_profiling.pipelines._steps import make_text_system
from sklearn_profiling.sources import FrequentWords, Word2VecTransformer
from sklearn_profiling.sources.text.segmentation import default_segmenter

__all__ = [
    "make_aux_lstm",
    "make_aux_lstm_systems",
    "make_lstm",
    "make_multi_task_lstm",
]

_SHARED = "text"
"""Name of the source that all tasks read."""

_PAPER: dict[str, Any] = {
    "level": "user",
    "max_words": None,
    "n_dimensions": 200,
    "trainable_vectors": False,
    "dropout": 0.5,
    "word_dropout": 0.2,
    "source_dropout": 0.0,
    "learning_rate_decay": False,
}
"""Of the LSTMs: sections 4 and 5.1, and ours where they do not report a setting."""

_OURS: dict[str, Any] = {
    "level": "message",
    "dropout": 0.2,
    "learning_rate_decay": True,
    "max_epochs": 10,
}
"""Of the LSTMs beside experts, which see what the average over words hides."""

_PAPER_AUX = {**_PAPER, "main_weight": 0.75, "auxiliary": "shared"}
_PAPER_MULTI_TASK = {**_PAPER, "trainable_vectors": True}
_PAPER_CNN = {"source_dropout": 0.0}

_FINE_TUNING_LEARNING_RATE = 0.03
"""Of Multi-task LSTM, whose word vectors are trained too."""

_OURS_MULTI_TASK = {**_OURS, "learning_rate": _FINE_TUNING_LEARNING_RATE}


def make_lstm(
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    word_vectors: Any = None,
    experts: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the single-task baseline: segmentation, word2vec, LSTM, beside experts.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Settings of the parts that are None: ours, or those of the paper's sections 4
        and 5.1; see Notes.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, by jieba where a message is
        Chinese; duplicate messages are dropped by default
        (our choice).
    word_vectors : transformer, default=None
        From words to words with vectors. None is skip-gram word2vec with 200
        dimensions and window 5 (paper).
    experts : mapping of str to transformer, "drop" or None, default=None
        From words to log-odds of all classes, added to the logits of the net, by name.
        None is, by default, two linear models with
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits`, "tfidf_odds" and
        "counts_odds" (our choice); and none for the paper and beside a given
        `classifier`, whose `offset` has to name those that are given.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.LSTMClassifier`, one net per task.
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
    SourceError
        If `preset` or `experts` is none of what is allowed.

    Notes
    -----
    The average over all words hides the few that tell, so that the net alone learns
    little from a few thousand users. By default it begins at zero beside two linear
    models, a ridge classifier of tf-idf and a naive Bayes one of counts, as in
    :func:`make_profiler`, and learns what they miss; it reads message by message, with
    a dropout of 0.2, for 10 epochs at a learning rate that falls to zero.
    ``experts="drop"`` leaves the net alone, with these settings.

    ``preset="paper"`` has none of this: the net alone, one sequence a user, a constant
    learning rate; it keeps duplicate messages and hides no source of a user. The paper
    does not report sizes, dropout rates, learning rate, batch size and epochs, which it
    tuned.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_lstm
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_lstm(random_state=0).set_params(classifier__max_epochs=1)
    >>> model.fit(users.data, users.target["gender"]).predict(users.data).shape
    (60,)
    """
    seeds = derive_seeds(random_state, 4)
    experts = choose_experts(experts, classifier, preset, seeds[2:])
    if classifier is None:
        classifier = LSTMClassifier(
            **_settings(preset, _PAPER, experts), random_state=seeds[1]
        )
    if word_vectors is None:
        word_vectors = Word2VecTransformer(200, window=5, random_state=seeds[0])
    return make_text_system(
        _segmenter(segmenter, preset),
        [(_SHARED, word_vectors, "words"), *sources_of(experts, [_SHARED])],
        classifier,
        text_column=text_column,
        memory=memory,
    )


def make_aux_lstm(
    main_task: str | None = None,
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    word_vectors: Any = None,
    experts: Any = None,
    classifier: Any = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the Aux-LSTM system: segmentation, word2vec, Aux-LSTM, beside experts.

    Parameters
    ----------
    main_task : str, default=None
        Name of the task that the others help; None is the first column of `y`.
    preset : {"default", "paper"}, default="default"
        Settings of the parts that are None: ours, or those of the paper's sections 4
        and 5.1; see Notes.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, by jieba where a message is
        Chinese; duplicate messages are dropped by default
        (our choice).
    word_vectors : transformer, default=None
        From words to words with vectors. None is skip-gram word2vec with 200
        dimensions and window 5 (paper).
    experts : mapping of str to transformer, "drop" or None, default=None
        From words to log-odds of all classes, added to the logits of the net, by name.
        None is, by default, two linear models with
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits`, "tfidf_odds" and
        "counts_odds" (our choice); and none for the paper and beside a given
        `classifier`, whose `offset` has to name those that are given.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.AuxLSTMClassifier` with
        `main_task`; a given classifier has a main task of its own.
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
    SourceError
        If `preset` or `experts` is none of what is allowed.
    TargetError
        If both `main_task` and `classifier` are given.

    Notes
    -----
    The average over all words hides the few that tell, so that the net alone learns
    little from a few thousand users. By default it begins at zero beside two linear
    models, a ridge classifier of tf-idf and a naive Bayes one of counts, as in
    :func:`make_profiler`, and learns what they miss; it reads message by message, with
    a dropout of 0.2, for 10 epochs at a learning rate that falls to zero.
    ``experts="drop"`` leaves the net alone, with these settings.

    ``preset="paper"`` has none of this: the net alone, one sequence a user, a constant
    learning rate; it keeps duplicate messages and hides no source of a user. The paper
    does not report sizes, dropout rates, learning rate, batch size and epochs, which it
    tuned.

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
    seeds = derive_seeds(random_state, 4)
    experts = choose_experts(experts, classifier, preset, seeds[2:])
    if classifier is None:
        classifier = AuxLSTMClassifier(
            **_settings(preset, _PAPER_AUX, experts),
            main_task=main_task,
            random_state=seeds[1],
        )
    elif main_task is not None:
        msg = (
            f"main_task={main_task!r} is a parameter of the classifier, and one is "
            "given; set its own main_task"
        )
        raise TargetError(msg)
    if word_vectors is None:
        word_vectors = Word2VecTransformer(200, window=5, random_state=seeds[0])
    return make_text_system(
        _segmenter(segmenter, preset),
        [(_SHARED, word_vectors, "words"), *sources_of(experts, [_SHARED])],
        classifier,
        text_column=text_column,
        memory=memory,
    )


def make_multi_task_lstm(
    tasks: Sequence[str],
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    experts: Any = None,
    classifier: Any = None,
    n_dimensions: int = 200,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
) -> CheckedPipeline:
    """Make the multi-task LSTM system: word vectors of each task and shared ones.

    The source of a task is named after it and has the same words with vectors trained
    on the users labelled for it; those of the source "text" are trained on all users.

    Parameters
    ----------
    tasks : sequence of str
        Names of the tasks with vectors of their own, columns of `y`.
    preset : {"default", "paper"}, default="default"
        Settings of the parts that are None: ours, or those of the paper's sections 4
        and 5.1; see Notes.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, by jieba where a message is
        Chinese; duplicate messages are dropped by default
        (our choice).
    experts : mapping of str to transformer, "drop" or None, default=None
        From words to log-odds of all classes, added to the logits of the net, by name.
        None is, by default, two linear models with
        :class:`~sklearn_profiling.baselines.OutOfFoldLogits`, "tfidf_odds" and
        "counts_odds" (our choice); and none for the paper and beside a given
        `classifier`, whose `offset` has to name those that are given.
    classifier : classifier, default=None
        None is :class:`~sklearn_profiling.estimators.MultiTaskLSTMClassifier`.
    n_dimensions : int, default=200
        Dimension of all word vectors (paper).
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
    SourceError
        If `preset` or `experts` is none of what is allowed.
    TargetError
        If a task is named twice, or "text" like the shared source.

    Notes
    -----
    The average over all words hides the few that tell, so that the net alone learns
    little from a few thousand users. By default it begins at zero beside two linear
    models, a ridge classifier of tf-idf and a naive Bayes one of counts, as in
    :func:`make_profiler`, and learns what they miss; it reads message by message, with
    a dropout of 0.2, for 10 epochs at a learning rate that falls to zero.
    ``experts="drop"`` leaves the net alone, with these settings.

    ``preset="paper"`` has none of this: the net alone, one sequence a user, a constant
    learning rate; it keeps duplicate messages and hides no source of a user. The paper
    does not report sizes, dropout rates, learning rate, batch size and epochs, which it
    tuned.

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
    *seeds, net_seed, tfidf_seed, counts_seed = derive_seeds(
        random_state, len(names) + 3
    )
    experts = choose_experts(experts, classifier, preset, [tfidf_seed, counts_seed])
    if classifier is None:
        classifier = MultiTaskLSTMClassifier(
            **_settings(preset, _PAPER_MULTI_TASK, experts, _OURS_MULTI_TASK),
            source=_SHARED,
            task_sources={task: task for task in tasks},
            random_state=net_seed,
        )
    sources = [
        (
            name,
            Word2VecTransformer(
                n_dimensions, task=None if name == _SHARED else name, random_state=seed
            ),
            "words",
        )
        for name, seed in zip(names, seeds, strict=True)
    ]
    return make_text_system(
        _segmenter(segmenter, preset),
        [*sources, *sources_of(experts, names)],
        classifier,
        text_column=text_column,
        memory=memory,
    )


def make_aux_lstm_systems(
    tasks: Sequence[str],
    *,
    preset: Preset = "default",
    main_task: str | None = None,
    segmenter: Any = None,
    n_dimensions: int = 200,
    stylometric: Any = None,
    tune: bool = True,
    lstm_parameters: Mapping[str, Any] | None = None,
    cnn_parameters: Mapping[str, Any] | None = None,
    text_column: str = "messages",
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    **net_parameters: Any,
) -> dict[str, Any]:
    """Make the majority class and the eight systems of the Aux-LSTM paper.

    Parameters
    ----------
    tasks : sequence of str
        Names of the tasks: the columns of `y`.
    preset : {"default", "paper"}, default="default"
        Settings of the nets and of the segmenter: ours, or those of the paper, and then
        their names end in ", paper"; see Notes.
    main_task : str, default=None
        The task that the others help in Meta-Learning and Aux-LSTM. None is the first
        for Aux-LSTM and every task in turn for Meta-Learning.
    segmenter : transformer, default=None
        From messages to words; None is WordSegmenter, by default with duplicate
        messages dropped.
    n_dimensions : int, default=200
        Dimension of the LSTMs' word vectors, from word2vec with window 5 (paper).
    stylometric : transformer, "drop" or None, default=None
        Stylometric features for SVM, ME and Meta-Learning. None uses them if the
        segmenter can tag parts of speech.
    tune : bool, default=True
        Whether SVM, ME and Meta-Learning choose `C` by inner cross-validation.
    lstm_parameters, cnn_parameters : mapping of str to object, default=None
        Parameters of the LSTMs and of bow-CNN and PCNN alone, for example
        ``n_hidden`` and ``n_nodes``.
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
    dict of str to Pipeline or estimator
        Systems by name, in the order of the paper's tables: "Majority class", "SVM",
        "ME", "bow-CNN", "PCNN", "LSTM", "Meta-Learning", "Multi-task LSTM" and
        "Aux-LSTM".

    Raises
    ------
    TargetError
        If `main_task` is not one of the tasks.

    See Also
    --------
    make_table3_systems : The systems of the MMLUP paper.

    Notes
    -----
    The paper's CNN and PCNN read a bag of the features of SVM and ME; here they read
    words. SVM, ME, the CNNs and LSTM learn each task alone.

    With ``preset="paper"`` the nets are those of :func:`make_lstm`,
    :func:`make_aux_lstm` and :func:`make_multi_task_lstm` with that preset, at a
    constant learning rate, and no net hides a source of a user. What the paper does not
    report stays as the classifiers document it.

    All nets are alone, without the experts that the functions of single systems put
    beside them by default, so that the rows differ in the nets.

    By default, unless `lstm_parameters` or `net_parameters` say otherwise, the learning
    rate of the LSTMs decays to zero; with either preset that of Multi-task LSTM starts
    at 0.03 (our choices). At a constant learning rate the last update decides, and
    occasionally leaves an LSTM below the majority class; Multi-task LSTM also trains
    its word vectors, which at the learning rate of the others overfit within a few
    epochs.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.pipelines import make_aux_lstm_systems
    >>> users = make_user_profiles(40, random_state=0)
    >>> y = users.target[["gender", "age"]]
    >>> systems = make_aux_lstm_systems(y.columns, n_dimensions=20, max_epochs=1)
    >>> systems["Aux-LSTM"].fit(users.data, y).predict(users.data).shape
    (40, 2)
    """
    if main_task is not None and main_task not in tasks:
        msg = f"main_task must be one of the tasks {list(tasks)}; got {main_task!r}"
        raise TargetError(msg)
    seed, vector_seed, net_seed = derive_seeds(random_state, 3)
    segmenter = _segmenter(segmenter, preset)
    shared: dict[str, Any] = {"text_column": text_column, "memory": memory}
    tagger, stylometric = _tagged(segmenter, stylometric)
    linear = {
        "segmenter": tagger,
        "stylometric": stylometric,
        "tune": tune,
        "random_state": seed,
        **shared,
    }
    cnn = {
        **settings_of(preset, _PAPER_CNN),
        "random_state": net_seed,
        **net_parameters,
        **(cnn_parameters or {}),
    }
    given = {"random_state": net_seed, **net_parameters, **(lstm_parameters or {})}
    falling = {"learning_rate_decay": True}
    lstm = {**(settings_of(preset, _PAPER) or falling), **given}
    vectors = Word2VecTransformer(n_dimensions, random_state=vector_seed)
    recurrent = {"segmenter": segmenter, "word_vectors": vectors, **shared}
    multi_task = MultiTaskLSTMClassifier(
        source=_SHARED,
        task_sources={task: task for task in tasks},
        **{
            "learning_rate": _FINE_TUNING_LEARNING_RATE,
            **(settings_of(preset, _PAPER_MULTI_TASK) or falling),
            **given,
        },
    )

    def frequent_words(classifier: Any) -> CheckedPipeline:
        sources = [("text", FrequentWords(), "words")]
        return make_text_system(segmenter, sources, classifier, **shared)

    nets = {
        "bow-CNN": frequent_words(BowCNNClassifier(**cnn)),
        "PCNN": frequent_words(PCNNClassifier(**cnn)),
        "LSTM": make_lstm(classifier=LSTMClassifier(**lstm), **recurrent),
    }
    joint = {
        "Multi-task LSTM": make_multi_task_lstm(
            list(tasks),
            segmenter=segmenter,
            classifier=multi_task,
            n_dimensions=n_dimensions,
            random_state=vector_seed,
            **shared,
        ),
        "Aux-LSTM": make_aux_lstm(
            classifier=AuxLSTMClassifier(main_task=main_task, **lstm), **recurrent
        ),
    }
    return {
        "Majority class": make_majority_baseline(),
        "SVM": make_svm_baseline(preset="paper", **linear),
        "ME": make_maxent_baseline(**linear),
        **named(nets, preset),
        "Meta-Learning": make_meta_learning_baseline(main_task=main_task, **linear),
        **named(joint, preset),
    }


def _settings(
    preset: str,
    paper: Mapping[str, Any],
    experts: Mapping[str, Any],
    ours: Mapping[str, Any] = _OURS,
) -> dict[str, Any]:
    """Return the settings of a net, with the names of its experts."""
    settings = settings_of(preset, paper) or dict(ours)
    return {**settings, "offset": list(experts)} if experts else settings


def _segmenter(given: Any, preset: str) -> Any:
    """Return the given segmenter, or one that keeps duplicates for the paper's."""
    if given is None and is_paper(preset):
        return default_segmenter(drop_duplicates=False)
    return given


def _tagged(segmenter: Any, stylometric: Any) -> tuple[Any, Any]:
    """Let the segmenter tag parts of speech if style is wanted and it can."""
    if isinstance(stylometric, str):
        return segmenter, stylometric
    if segmenter is None:
        return default_segmenter(part_of_speech=True), stylometric
    if "part_of_speech" in segmenter.get_params():
        return clone(segmenter).set_params(part_of_speech=True), stylometric
    # Without tags there is no style to measure, unless a given tagger finds them.
    return segmenter, "drop" if stylometric is None else stylometric
