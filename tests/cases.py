"""The one table of public estimators and transformers that feeds the contract tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from case_settings import (
    CAUSAL,
    CAUSAL_CHECKED,
    CHECKED,
    COMMON_SPACE,
    COMMON_SPACE_CHECKED,
    GENERATOR,
    GENERATOR_CHECKED,
    HEADS,
    IMAGE_CHECKED,
    IMAGE_SIZES,
    LSTM_CHECKED,
    LSTM_SIZES,
    PROMPTED,
    QUICK,
    REGION_CHECKED,
    TEXT,
)
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from skorch.helper import SliceDict

from sklearn_profiling import baselines, estimators, evaluation, pipelines, sources
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
    NaiveBayesRidgeClassifier,
    OutOfFoldLogits,
    PropagatedLabels,
    make_tfidf_baseline,
)
from sklearn_profiling.containers import (
    ImageBags,
    SocialGraph,
    TokenMessages,
    Vocabulary,
)
from sklearn_profiling.estimators import (
    AoMClassifier,
    AuxLSTMClassifier,
    BowCNNClassifier,
    CausalLMProfileClassifier,
    CNN3DClassifier,
    COOPNetClassifier,
    ImageSetClassifier,
    LLaVAProfileClassifier,
    LSTMClassifier,
    MMLUPClassifier,
    MultimodalCNN3DClassifier,
    MultiTaskLSTMClassifier,
    ODTUPClassifier,
    PCNNClassifier,
    ProfileGeneratorClassifier,
    SelectAttClassifier,
    TextCNNClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.evaluation import (
    AbstainingClassifier,
    PredictionSetClassifier,
    TemperatureScaledClassifier,
)
from sklearn_profiling.pipelines import AutoSources
from sklearn_profiling.sources import (
    AdjacencyRows,
    CharacterSegmenter,
    FrequentPOSPatterns,
    FrequentWords,
    GloVeTransformer,
    ImageBagTransformer,
    ImageCaptioner,
    JiebaSegmenter,
    LatentSemanticVectors,
    LINEEmbedding,
    MeanImageVectors,
    MeanWordVectors,
    PretrainedImageVectors,
    PretrainedTextVectors,
    PretrainedVectors,
    ProfileAugmenter,
    RegionKeywords,
    SourceUnion,
    StylometricFeatures,
    SubwordSegmenter,
    TfidfVectors,
    UserVectors,
    VisualWordCounts,
    Word2VecTransformer,
    WordSegmenter,
)

GRAPH = SocialGraph.from_edges([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])


@dataclass(frozen=True)
class Case:
    """One public class.

    Attributes
    ----------
    kind : str
        "text net", "dense net", "image net", "mixed net", "meta", "one task" (a
        classifier of one task, of counts) or "transformer".
    make : callable
        Makes a small configured instance.
    checked : estimator or None
        For classifiers: what scikit-learn's full suite is run on.
    required : bool
        Whether the class has parameters without a default.
    """

    kind: str
    make: Callable[[], Any]
    checked: Any = None
    required: bool = False


def masked_net() -> MaskedMultiOutputClassifier:
    """A net a task, which reads the same sources as the nets themselves."""
    return MaskedMultiOutputClassifier(
        MMLUPClassifier(**HEADS, **TEXT, **QUICK), pass_missing=True
    )


CASES: dict[str, Case] = {
    "TextCNNClassifier": Case(
        "text net",
        lambda: TextCNNClassifier(**HEADS, **TEXT, **QUICK),
        TextCNNClassifier(**CHECKED, **TEXT, bag_dropout=0.0, multi_task=True),
    ),
    "MMLUPClassifier": Case(
        "dense net",
        lambda: MMLUPClassifier(**HEADS, **TEXT, **QUICK),
        MMLUPClassifier(**CHECKED, **TEXT, bag_dropout=0.0),
    ),
    "BowCNNClassifier": Case(
        "text net",
        lambda: BowCNNClassifier(**QUICK, window_size=3, n_nodes=8, n_units=3),
        BowCNNClassifier(**REGION_CHECKED, window_size=3),
    ),
    "PCNNClassifier": Case(
        "text net",
        lambda: PCNNClassifier(**QUICK, window_sizes=(2, 3), n_nodes=8, n_units=3),
        PCNNClassifier(**REGION_CHECKED, window_sizes=(1, 3)),
    ),
    "LSTMClassifier": Case(
        "text net",
        lambda: LSTMClassifier(**LSTM_SIZES, **QUICK),
        LSTMClassifier(**LSTM_CHECKED, multi_task=True),
    ),
    "AuxLSTMClassifier": Case(
        "text net",
        lambda: AuxLSTMClassifier(**LSTM_SIZES, **QUICK),
        AuxLSTMClassifier(**LSTM_CHECKED),
    ),
    "MultiTaskLSTMClassifier": Case(
        "text net",
        lambda: MultiTaskLSTMClassifier(**LSTM_SIZES, **QUICK),
        MultiTaskLSTMClassifier(**LSTM_CHECKED),
    ),
    "CNN3DClassifier": Case(
        "image net",
        lambda: CNN3DClassifier(n_filters=2, **IMAGE_SIZES, **QUICK),
        CNN3DClassifier(n_filters=8, **IMAGE_CHECKED),
    ),
    "ImageSetClassifier": Case(
        "image net",
        lambda: ImageSetClassifier(
            n_filters=(2, 4), n_features_image=8, **HEADS, **QUICK
        ),
        ImageSetClassifier(n_filters=(8, 8), n_features_image=16, **IMAGE_CHECKED),
    ),
    "MultimodalCNN3DClassifier": Case(
        "mixed net",
        lambda: MultimodalCNN3DClassifier(
            n_filters_image=2, n_gated=8, gate_epochs=1, **HEADS, **TEXT, **QUICK
        ),
        MultimodalCNN3DClassifier(
            n_gated=16, gate_fraction=0.0, **{**CHECKED, **TEXT, "max_epochs": 120}
        ),
    ),
    "ProfileGeneratorClassifier": Case(
        "mixed net",
        lambda: ProfileGeneratorClassifier(
            **GENERATOR,
            **{**QUICK, "batch_size": 20},
            joint_modes=("fusion", "masked_image"),
            learning_rate=0.01,
        ),
        ProfileGeneratorClassifier(**GENERATOR_CHECKED),
    ),
    "ODTUPClassifier": Case(
        "text net",
        lambda: ODTUPClassifier(
            **PROMPTED, **{**QUICK, "batch_size": 20}, learning_rate=0.01
        ),
        ODTUPClassifier(
            **{
                name: value
                for name, value in GENERATOR_CHECKED.items()
                if name in PROMPTED or name not in GENERATOR
            }
        ),
    ),
    "SelectAttClassifier": Case(
        "mixed net",
        lambda: SelectAttClassifier(**GENERATOR, **QUICK, learning_rate=0.01),
        SelectAttClassifier(**GENERATOR_CHECKED),
    ),
    "VLPMABSAClassifier": Case(
        "mixed net",
        lambda: VLPMABSAClassifier(**GENERATOR, **QUICK, learning_rate=0.01),
        VLPMABSAClassifier(**GENERATOR_CHECKED),
    ),
    "AoMClassifier": Case(
        "mixed net",
        lambda: AoMClassifier(**GENERATOR, **QUICK, learning_rate=0.01),
        AoMClassifier(**GENERATOR_CHECKED),
    ),
    "COOPNetClassifier": Case(
        "mixed net",
        lambda: COOPNetClassifier(**COMMON_SPACE, **QUICK, learning_rate=0.01),
        COOPNetClassifier(**COMMON_SPACE_CHECKED),
    ),
    "CausalLMProfileClassifier": Case(
        "text net",
        lambda: CausalLMProfileClassifier(**CAUSAL, **QUICK, learning_rate=0.01),
        CausalLMProfileClassifier(**CAUSAL_CHECKED),
    ),
    "LLaVAProfileClassifier": Case(
        "mixed net",
        lambda: LLaVAProfileClassifier(
            **CAUSAL,
            **{**QUICK, "batch_size": 20},
            image_model=GENERATOR["image_model"],
            learning_rate=0.01,
        ),
        LLaVAProfileClassifier(**CAUSAL_CHECKED),
    ),
    "MaskedMultiOutputClassifier": Case(
        "meta",
        masked_net,
        MaskedMultiOutputClassifier(LogisticRegression()),
        required=True,
    ),
    "MetaLearningClassifier": Case(
        "meta",
        lambda: MetaLearningClassifier(
            MMLUPClassifier(**HEADS, **TEXT, **QUICK), cv=2, random_state=0
        ),
        MetaLearningClassifier(LogisticRegression()),
        required=True,
    ),
    # Answers everybody, as the contract of classifiers has it.
    "AbstainingClassifier": Case(
        "meta",
        lambda: AbstainingClassifier(
            MMLUPClassifier(**HEADS, **TEXT, **QUICK), coverage=1.0, random_state=0
        ),
        AbstainingClassifier(
            MaskedMultiOutputClassifier(LogisticRegression()), coverage=1.0
        ),
        required=True,
    ),
    "PredictionSetClassifier": Case(
        "meta",
        lambda: PredictionSetClassifier(
            MMLUPClassifier(**HEADS, **TEXT, **QUICK), random_state=0
        ),
        PredictionSetClassifier(MaskedMultiOutputClassifier(LogisticRegression())),
        required=True,
    ),
    "TemperatureScaledClassifier": Case(
        "meta",
        lambda: TemperatureScaledClassifier(
            MMLUPClassifier(**HEADS, **TEXT, **QUICK), cv=2, random_state=0
        ),
        TemperatureScaledClassifier(MaskedMultiOutputClassifier(LogisticRegression())),
        required=True,
    ),
    "NaiveBayesRidgeClassifier": Case(
        "one task", NaiveBayesRidgeClassifier, NaiveBayesRidgeClassifier()
    ),
    "AutoSources": Case(
        "transformer",
        lambda: AutoSources(topics=TruncatedSVD(2, random_state=0)),
    ),
    "SourceUnion": Case(
        "transformer",
        lambda: SourceUnion([("words", CharacterSegmenter(), "messages")]),
        required=True,
    ),
    "CharacterSegmenter": Case("transformer", CharacterSegmenter),
    "JiebaSegmenter": Case("transformer", JiebaSegmenter),
    "WordSegmenter": Case("transformer", WordSegmenter),
    "SubwordSegmenter": Case("transformer", SubwordSegmenter),
    "GloVeTransformer": Case(
        "transformer",
        lambda: GloVeTransformer(4, min_count=1, max_epochs=2, random_state=0),
    ),
    "Word2VecTransformer": Case(
        "transformer", lambda: Word2VecTransformer(4, min_count=1, random_state=0)
    ),
    "PretrainedVectors": Case(
        "transformer", lambda: PretrainedVectors("vectors.txt"), required=True
    ),
    "MeanWordVectors": Case("transformer", MeanWordVectors),
    "LatentSemanticVectors": Case(
        "transformer", lambda: LatentSemanticVectors(2, random_state=0)
    ),
    "OutOfFoldLogits": Case("transformer", lambda: OutOfFoldLogits(random_state=0)),
    "PropagatedLabels": Case(
        "transformer", lambda: PropagatedLabels(GRAPH, random_state=0), required=True
    ),
    "TfidfVectors": Case("transformer", lambda: TfidfVectors(min_users=1)),
    "RegionKeywords": Case(
        "transformer", lambda: RegionKeywords(cv=2, min_users=1, random_state=0)
    ),
    "FrequentPOSPatterns": Case("transformer", FrequentPOSPatterns),
    "FrequentWords": Case("transformer", FrequentWords),
    "StylometricFeatures": Case("transformer", StylometricFeatures),
    "LINEEmbedding": Case(
        "transformer", lambda: LINEEmbedding(GRAPH, 4, n_samples=100, random_state=0)
    ),
    "AdjacencyRows": Case("transformer", lambda: AdjacencyRows(GRAPH)),
    "UserVectors": Case(
        "transformer",
        lambda: UserVectors({"a": [0.0, 1.0], "d": [1.0, 0.5]}),
        required=True,
    ),
    "ImageBagTransformer": Case(
        "transformer", lambda: ImageBagTransformer(size=(8, 8))
    ),
    "MeanImageVectors": Case("transformer", MeanImageVectors),
    "VisualWordCounts": Case(
        "transformer", lambda: VisualWordCounts(4, random_state=0)
    ),
    "ImageCaptioner": Case(
        "transformer", lambda: ImageCaptioner("folder"), required=True
    ),
    "PretrainedImageVectors": Case(
        "transformer", lambda: PretrainedImageVectors("folder"), required=True
    ),
    "ProfileAugmenter": Case(
        "transformer",
        lambda: ProfileAugmenter(make_tfidf_baseline(), random_state=0),
        required=True,
    ),
    "PretrainedTextVectors": Case(
        "transformer", lambda: PretrainedTextVectors("folder"), required=True
    ),
}

SUITE = [name for name, case in CASES.items() if case.kind != "transformer"]
CLASSIFIERS = [name for name in SUITE if CASES[name].kind != "one task"]
NETS = [name for name, case in CASES.items() if case.kind.endswith("net")]
TRANSFORMERS = [name for name, case in CASES.items() if case.kind == "transformer"]


class LoggedLINE(LINEEmbedding):
    """LINE that writes a line into its cache folder whenever it is trained."""

    def _solve(self, graph: SocialGraph) -> Any:
        with (Path(self.memory) / "log").open("a", encoding="utf-8") as log:
            log.write("trained\n")
        return super()._solve(graph)


def public_classes() -> set[str]:
    """Names of all public estimators and transformers."""
    return {
        name
        for package in (estimators, baselines, evaluation, pipelines, sources)
        for name in package.__all__
        if inspect.isclass(value := getattr(package, name))
        and issubclass(value, BaseEstimator)
        and not issubclass(value, Pipeline)
    }


WORDS = ("山", "水", "茶", "酒", "月", "风", "花", "雪")
VOCABULARY = Vocabulary(
    WORDS, np.random.RandomState(3).normal(size=(8, 5)).astype(np.float32)
)


def join(texts: Any, network: Any) -> SliceDict:
    """Lists of messages and an array of vectors as sources."""
    return SliceDict(
        text=TokenMessages.from_lists(texts, VOCABULARY), network=np.asarray(network)
    )


def pictures(network: Any) -> ImageBags:
    """Up to four images a user, drawn from their vector; none where that is NaN."""
    images, counts = [np.zeros((0, 2, 4, 5), np.uint8)], [0]
    for row in np.asarray(network):
        counts.append(0)
        if not np.isnan(row).any():
            drawn = np.random.RandomState(int(1e6 * abs(row).sum()))
            counts[-1] = drawn.randint(1, 5)
            images.append(drawn.randint(0, 256, (counts[-1], 2, 4, 5)).astype(np.uint8))
    return ImageBags(np.concatenate(images), np.cumsum(counts))


def raw_users(n_users: int = 40, seed: int = 0) -> tuple[list[Any], np.ndarray]:
    """Messages and network vectors, both full."""
    generator = np.random.RandomState(seed)
    texts = [
        [
            list(generator.choice(WORDS, generator.randint(1, 7)))
            for _ in range(generator.randint(1, 5))
        ]
        for _ in range(n_users)
    ]
    return texts, generator.normal(size=(n_users, 3))


def labels(n_users: int = 40, seed: int = 0) -> pd.DataFrame:
    """Labels of three tasks; a fifth of them missing, user 0 without any."""
    generator = np.random.RandomState(seed)
    columns = {}
    for task, classes in {
        "gender": ["f", "m"],
        "age": ["70s", "80s", "90s"],
        "region": ["north", "south"],
    }.items():
        column = np.array(classes, dtype=object)[np.arange(n_users) % len(classes)]
        generator.shuffle(column)
        column[generator.random_sample(n_users) < 0.2] = None
        column[0] = None
        columns[task] = column
    return pd.DataFrame(columns, dtype=object)


def sourced_users(n_users: int = 40, seed: int = 0) -> SliceDict:
    """Users of whom some lack the text, some the network, and user 3 both."""
    texts, network = raw_users(n_users, seed)
    for user in (3, 5, 11):
        texts[user] = [None, []][user % 2]
    network[[3, 4, 12]] = np.nan
    return join(texts, network)
