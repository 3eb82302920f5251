"""Text-CNN as the paper has it, our steps away from it, and linear models of the text.

Each DATA is what ``sklearn-profiling compare`` reads, or "synthetic:1000".

    python benchmarks/accuracy/text_nets.py poets/ synthetic:1000 --folds 1

One table a data set: accuracy of each task and their average, and the mean seconds that
a fold takes to fit. All systems read the same words of the same folds, once segmented.
Folds that ``--results`` holds are not run again.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from real_users import read
from sklearn.pipeline import Pipeline

from sklearn_profiling.baselines import (
    OutOfFoldLogits,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.estimators import TextCNNClassifier
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold, compare
from sklearn_profiling.pipelines import make_text_cnn
from sklearn_profiling.pipelines._steps import make_text_system
from sklearn_profiling.sources import (
    GloVeTransformer,
    TfidfVectors,
    choose_segmenter,
)


def make_systems(segmenter: Any, seed: int, memory: str) -> dict[str, Any]:
    """Make the variants, each one step from the one before, and the references."""
    shared = {"segmenter": segmenter, "memory": memory, "random_state": seed}

    def paper(**changes: Any) -> Pipeline:
        net = make_text_cnn(preset="paper", **shared)
        return net.set_params(**{f"classifier__{k}": v for k, v in changes.items()})

    glove = GloVeTransformer(unknown="characters", random_state=seed)
    expert = OutOfFoldLogits(random_state=seed)
    linear = Pipeline([("tfidf", TfidfVectors()), ("logits", expert)])
    with_offset = make_text_system(
        segmenter,
        [("text", glove, "words"), ("linear", linear, "words")],
        TextCNNClassifier(source="text", offset=["linear"], random_state=seed),
        text_column="messages",
        memory=memory,
    )
    bag = {"bag_of_words": 1}
    shallow = {"n_hidden": ()}
    return {
        "TF-IDF + logistic regression": make_tfidf_baseline(),
        "SVM": make_svm_baseline(segmenter=segmenter, random_state=seed),
        "Text-CNN (paper)": paper(),
        "+ linear heads": paper(**shallow),
        "+ bag of words": paper(**shallow, **bag),
        "+ pairs of words": paper(**shallow, bag_of_words=2),
        "Text-CNN (default)": make_text_cnn(**shared),
        "Text-CNN (default), words alone": make_text_cnn(**shared).set_params(
            classifier__bag_of_words=1
        ),
        "Text-CNN (default) with offset": with_offset,
    }


def main() -> None:
    """Compare the variants on each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="DATA")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--folds", type=int, default=5, help="of five, to run")
    parser.add_argument("--only", nargs="+", metavar="SYSTEM")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    for name in given.data:
        users = read(name, given.tasks)
        folds = MultiTaskStratifiedKFold(5, random_state=given.seed)
        folder = None if given.results is None else given.results / Path(name).name
        with tempfile.TemporaryDirectory() as memory:
            segmenter = choose_segmenter(users.data["messages"])
            systems = make_systems(segmenter, given.seed, memory)
            result = compare(
                {each: systems[each] for each in given.only or systems},
                users.data,
                users.target,
                cv=list(folds.split(users.data, users.target))[: given.folds],
                metrics="accuracy",
                results_folder=folder,
            )
        print(f"\n{name}: {len(users.data)} users, {given.folds} of 5 folds")
        print(result.to_string("accuracy"))
        seconds = result.scores.drop_duplicates(["system", "fold"])
        means = seconds.groupby("system", sort=False)["fit_seconds"].mean()
        print(means.round(1).to_string())


if __name__ == "__main__":
    main()
