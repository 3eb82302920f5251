"""The systems of the Aux-LSTM paper's Tables 3 to 6, ready to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline

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
from sklearn_profiling.pipelines import make_aux_lstm, make_lstm, make_multi_task_lstm
from sklearn_profiling.sources import (
    FrequentWords,
    JiebaSegmenter,
    SourceUnion,
    Word2VecTransformer,
)

_FINE_TUNING_RATE = 0.03


def make_aux_lstm_systems(
    tasks: Sequence[str],
    *,
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
    main_task : str, default=None
        The one of them that the others help in Meta-Learning and Aux-LSTM. None is the
        first for Aux-LSTM and every task in turn for Meta-Learning.
    segmenter : transformer, default=None
        From messages to words; None is jieba, duplicate messages dropped.
    n_dimensions : int, default=200
        Length of the LSTMs' word vectors, from word2vec with window 5 (paper).
    stylometric : transformer, "drop" or None, default=None
        Features of style for SVM, ME and Meta-Learning. None takes them if the
        segmenter can tag parts of speech, and none otherwise.
    tune : bool, default=True
        Whether SVM, ME and Meta-Learning choose their strength by inner folds.
    lstm_parameters, cnn_parameters : mapping of str to object, default=None
        Parameters of the LSTMs and of bow-CNN and PCNN alone, for example
        ``n_hidden`` and ``n_nodes``.
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
    dict of str to Pipeline or estimator
        Systems by name, in the order of the paper's tables: "Majority class", "SVM",
        "ME", "bow-CNN", "PCNN", "LSTM", "Meta-Learning", "Multi-task LSTM" and
        "Aux-LSTM".

    Raises
    ------
    TargetError
        If `main_task` is none of the tasks.

    See Also
    --------
    make_table3_systems : The systems of the MMLUP paper.

    Notes
    -----
    The paper's CNN and PCNN read a bag of the features of SVM and ME; here they read
    words. SVM, ME, the CNNs and LSTM learn each task alone.

    Unless `lstm_parameters` or `net_parameters` say otherwise, the learning rate of the
    LSTMs falls to zero over their passes, and that of Multi-task LSTM begins at 0.03
    (our choices). At a constant rate the last step decides, and now and then leaves an
    LSTM below the majority class; the word vectors of Multi-task LSTM are trained on
    too, and at the rate of the others they learn the training users by heart within a
    few passes.

    Examples
    --------
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.systems import make_aux_lstm_systems
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
    shared: dict[str, Any] = {"text_column": text_column, "memory": memory}
    tagger, stylometric = _tagged(segmenter, stylometric)
    linear = {
        "segmenter": tagger,
        "stylometric": stylometric,
        "tune": tune,
        "random_state": seed,
        **shared,
    }
    cnn = {"random_state": net_seed, **net_parameters, **(cnn_parameters or {})}
    regions = {"segmenter": segmenter, **shared}
    lstm = {
        "learning_rate_decay": True,
        "random_state": net_seed,
        **net_parameters,
        **(lstm_parameters or {}),
    }
    vectors = Word2VecTransformer(n_dimensions, random_state=vector_seed)
    recurrent = {"segmenter": segmenter, "word_vectors": vectors, **shared}
    multi_task = MultiTaskLSTMClassifier(
        source="text",
        task_sources={task: task for task in tasks},
        **{"learning_rate": _FINE_TUNING_RATE, **lstm},
    )
    return {
        "Majority class": make_majority_baseline(),
        "SVM": make_svm_baseline(**linear),
        "ME": make_maxent_baseline(**linear),
        "bow-CNN": _text_pipeline(BowCNNClassifier(**cnn), **regions),
        "PCNN": _text_pipeline(PCNNClassifier(**cnn), **regions),
        "LSTM": make_lstm(classifier=LSTMClassifier(**lstm), **recurrent),
        "Meta-Learning": make_meta_learning_baseline(main_task=main_task, **linear),
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


def _tagged(segmenter: Any, stylometric: Any) -> tuple[Any, Any]:
    """Have the segmenter tag parts of speech, where style is wanted and it can."""
    if isinstance(stylometric, str):
        return segmenter, stylometric
    if segmenter is None:
        return JiebaSegmenter(part_of_speech=True), stylometric
    if "part_of_speech" in segmenter.get_params():
        return clone(segmenter).set_params(part_of_speech=True), stylometric
    # A text without tags has no style to measure, unless a given tagger finds them.
    return segmenter, "drop" if stylometric is None else stylometric


def _text_pipeline(
    classifier: Any,
    *,
    segmenter: Any,
    text_column: str,
    memory: str | joblib.Memory | None,
) -> Pipeline:
    """Make the way from messages to a net that learns its own table of words."""
    segmenter = JiebaSegmenter() if segmenter is None else segmenter
    return Pipeline(
        [
            ("segmenter", SourceUnion([("words", segmenter, text_column)])),
            ("sources", SourceUnion([("text", FrequentWords(), "words")])),
            ("classifier", classifier),
        ],
        memory=memory,
    )
