"""A parameter or attribute that classifiers share has the same text in all of them.

As scikit-learn's `assert_docstring_consistency`, with two differences. Defaults may
differ: the value ends the type ("default=50"), its origin is the last parenthesis of
the description, "(paper)" or "(our choice: ...)", and neither is compared. Where a
name means something else in a class, `EXCEPTIONS` says why.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict

import pytest
from numpydoc.docscrape import ClassDoc
from public_names import public_objects
from sklearn.base import ClassifierMixin

SECTIONS = ("Parameters", "Attributes")

TRAINING = [
    "loss_weights",
    "class_weight",
    "learning_rate",
    "learning_rate_decay",
    "weight_decay",
    "batch_size",
    "max_epochs",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "warm_start",
    "callbacks",
    "checkpoint",
    "device",
    "dtype",
    "random_state",
    "verbose",
]
FITTED = ["classes_", "task_names_", "net_", "history_", "n_iter_", "n_features_in_"]

LSTMS = ("AuxLSTMClassifier", "LSTMClassifier", "MultiTaskLSTMClassifier")
WINDOWS = ("BowCNNClassifier", "PCNNClassifier")
ADAGRAD = {"trained by Adagrad, as in the Aux-LSTM paper": LSTMS + WINDOWS}
ENCODER_ALONE = {"an encoder alone, which writes nothing": ("COOPNetClassifier",)}
STACKING = ("MetaLearningClassifier",)
CLONES = ("MaskedMultiOutputClassifier",)
HELD_OUT = ("AbstainingClassifier", "PredictionSetClassifier")
SCALED = ("TemperatureScaledClassifier",)
COUNTS = ("NaiveBayesRidgeClassifier",)

EXCEPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "attention": {"over images, not over messages": ("ImageSetClassifier",)},
    "captions": {"optional: the only source beside the text": ("ODTUPClassifier",)},
    "dropout": {
        "acts on the dense layers behind LSTMs": LSTMS,
        "acts on pooling units": WINDOWS,
        "acts on one dense layer": (
            "CNN3DClassifier",
            "ImageSetClassifier",
            "TextCNNClassifier",
        ),
        "acts on sources too": ("MMLUPClassifier", "MultimodalCNN3DClassifier"),
        "acts on the joined encoders": ("COOPNetClassifier",),
    },
    "classes_": {"of one task": COUNTS},
    "coverage": {"of answers, not of sets": ("AbstainingClassifier",)},
    "cv": {"of held-out users": SCALED, "one fold is held out": HELD_OUT},
    "estimator": {
        "classifier of the first stage": STACKING,
        "has probabilities": SCALED,
        "may be fitted already": HELD_OUT,
    },
    "estimator_": {"fitted on some users": HELD_OUT},
    "estimators_": {"of two stages": STACKING},
    "feature_names_in_": {"reads tables itself": STACKING},
    "frozen": {
        "no token embeddings that a decoder shares": ("COOPNetClassifier",),
        "a decoder alone has other parts": ("CausalLMProfileClassifier",),
        "a decoder and a vision transformer": ("LLaVAProfileClassifier",),
        "no image encoder": ("ODTUPClassifier",),
    },
    "frozen_dtype": {
        "with LoRA": (
            "CausalLMProfileClassifier",
            "LLaVAProfileClassifier",
            "ODTUPClassifier",
            "ProfileGeneratorClassifier",
        ),
    },
    "image_model": {"a whole LLaVA has its own": ("LLaVAProfileClassifier",)},
    "language_model": {
        **ENCODER_ALONE,
        "a decoder alone": ("CausalLMProfileClassifier",),
        "a decoder alone, or a whole LLaVA": ("LLaVAProfileClassifier",),
    },
    "learning_rate": ADAGRAD,
    "loss_weights": {"None means `main_weight`": ("AuxLSTMClassifier",)},
    "main_task": {"None means every task in turn": STACKING},
    "max_images": {
        "may read captions of images": (
            "CausalLMProfileClassifier",
            "ODTUPClassifier",
            "ProfileGeneratorClassifier",
        ),
        "images take room of the text": ("LLaVAProfileClassifier",),
    },
    "n_features_in_": {
        "as the clones count": CLONES,
        "arrays alone": STACKING,
        "reads no sources": COUNTS,
    },
    "n_filters": {
        "of convolutions over volumes": ("CNN3DClassifier",),
        "of convolutions over single images": ("ImageSetClassifier",),
    },
    "n_filters_image": {"of convolutions over volumes": ("MultimodalCNN3DClassifier",)},
    "n_hidden": {"units of LSTMs": LSTMS},
    "paradigm": {"a decoder reads no images": ("CausalLMProfileClassifier",)},
    "random_state": {
        "of folds and of other classifiers": STACKING,
        "of folds": SCALED,
        "of held-out users": ("AbstainingClassifier",),
        "of held-out users and of ties": ("PredictionSetClassifier",),
    },
    "source": {
        "a text, with no captions beside it": (
            "AuxLSTMClassifier",
            "LSTMClassifier",
            "TextCNNClassifier",
            *WINDOWS,
        ),
        "images": ("CNN3DClassifier", "ImageSetClassifier"),
        "tasks have texts of their own": ("MultiTaskLSTMClassifier",),
    },
    "stride": {"one for each convolution": ("PCNNClassifier",)},
    "weight_decay": ADAGRAD,
    "windows": {"one kind for each convolution": ("PCNNClassifier",)},
}

# "Users in a batch (paper)." -> "Users in a batch."
ORIGIN = re.compile(r" \((paper|our choice|Johnson and Zhang|as in)\b[^()]*\)\.$")


def without_default(type_text: str, description: list[str]) -> tuple[str, str]:
    """Join lines, and take away a default's value and origin."""
    joined = " ".join(" ".join(description).split())
    return re.sub(r", default=.*$", "", type_text), ORIGIN.sub(".", joined)


CLASSIFIERS = {
    value.__name__: ClassDoc(value, config={"show_class_members": False})
    for _, value in public_objects()
    if inspect.isclass(value) and issubclass(value, ClassifierMixin)
}

TEXTS: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
for owner, document in CLASSIFIERS.items():
    for section in SECTIONS:
        for item in document[section]:
            TEXTS[item.name][owner] = without_default(item.type, item.desc)
SHARED = sorted(name for name, texts in TEXTS.items() if len(texts) > 1)


def test_all_classifiers_are_read() -> None:
    assert len(CLASSIFIERS) >= 20
    assert set(TRAINING + FITTED) <= set(SHARED)


@pytest.mark.parametrize("name", SHARED)
def test_same_text(name: str) -> None:
    excepted = {each for group in EXCEPTIONS.get(name, {}).values() for each in group}
    found = defaultdict(list)
    for owner, text in TEXTS[name].items():
        if owner not in excepted:
            found[text].append(owner)
    assert len(found) == 1, f"{name} has {len(found)} texts: {dict(found)}"


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_exceptions_are_needed(name: str) -> None:
    texts = dict(TEXTS[name])
    of_exceptions = []
    for reason, owners in EXCEPTIONS[name].items():
        group = {texts.pop(owner) for owner in owners}
        assert len(group) == 1, f"{name}: {owners} have one reason, {reason!r}"
        of_exceptions.extend(group)
    of_others = set(texts.values())
    assert of_others, f"{name}: the text of all classes is an exception"
    assert len({*of_exceptions, *of_others}) == len(of_exceptions) + len(of_others), (
        f"{name}: an exception has the text of other classes"
    )


@pytest.mark.parametrize("owner", sorted(CLASSIFIERS))
def test_same_order(owner: str) -> None:
    for section, order in zip(SECTIONS, (TRAINING, FITTED), strict=True):
        names = [item.name for item in CLASSIFIERS[owner][section]]
        shared = [name for name in names if name in order]
        assert shared == [name for name in order if name in shared]
    if "net_" in names:
        parameters = [item.name for item in CLASSIFIERS[owner]["Parameters"]]
        assert parameters[-len(TRAINING) :] == TRAINING


@pytest.mark.parametrize(
    ("description", "rest"),
    [
        ("Users in a batch (paper).", "Users in a batch."),
        ("Units (our choice: the paper has 128).", "Units."),
        ("Windows (Johnson and Zhang, for bags).", "Windows."),
        ("None reads all (of them).", "None reads all (of them)."),
        ("Learns (paper). Not.", "Learns (paper). Not."),
    ],
)
def test_origin_of_a_default_is_not_compared(description: str, rest: str) -> None:
    assert without_default("int, default=3", [description]) == ("int", rest)
