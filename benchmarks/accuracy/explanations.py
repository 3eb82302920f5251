"""Whether explanations find what decides, on synthetic users where that is known.

Each system is trained on some users and explains the predictions of others. Of those
that it predicts correctly and who have an informative message, that is one about its
writer with a word of the task, "found" is the share whose message ranked first is
informative; of users of digits, whose picture ranked first is a 0, for the class "yes".
"faithfulness" is how much further the log-odds fall without the fifth of the messages
or pictures that are ranked first than without a random fifth, and "seconds" the mean
time of one explanation with all levels.

    python benchmarks/accuracy/explanations.py --users 600 --explained 100
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklearn_profiling.baselines import (
    make_maxent_baseline,
    make_svm_baseline,
    make_tfidf_baseline,
)
from sklearn_profiling.datasets import make_image_users, make_user_profiles
from sklearn_profiling.estimators import ImageSetClassifier
from sklearn_profiling.evaluation import explain, faithfulness
from sklearn_profiling.pipelines import (
    make_aux_lstm,
    make_mmlup,
    make_profiler,
)
from sklearn_profiling.sources import ImageBagTransformer, SourceUnion

TEXT_TASK, IMAGE_TASK = "gender", "zero"


def text_systems(graph: Any) -> dict[str, Callable[[], Any]]:
    """Make the systems that read messages, by name."""
    return {
        "TF-IDF + ridge": make_tfidf_baseline,
        "SVM on n-grams": lambda: make_svm_baseline(random_state=0),
        "Maximum entropy": lambda: make_maxent_baseline(random_state=0),
        "Profiler": lambda: make_profiler(graph, random_state=0),
        "MMLUP": lambda: make_mmlup(graph, random_state=0),
        "Aux-LSTM": lambda: make_aux_lstm(TEXT_TASK, random_state=0),
        "Aux-LSTM, paper": lambda: make_aux_lstm(
            TEXT_TASK, preset="paper", random_state=0
        ),
    }


def image_systems() -> dict[str, Callable[[], Any]]:
    """Make the systems that read images, by name."""
    bags = ImageBagTransformer(size=(16, 16))
    return {
        "Profiler": lambda: make_profiler(random_state=0),
        "Image set": lambda: Pipeline(
            [
                ("sources", SourceUnion([("images", bags, "images")])),
                ("classifier", ImageSetClassifier(random_state=0)),
            ]
        ),
    }


def measure(
    model: Any,
    users: Any,
    rows: Any,
    task: str,
    level: str,
    informative: Callable[[int], Any],
) -> dict[str, Any]:
    """Explain users of some rows, and compare with the parts known to decide."""
    truth = users.complete_target[task]
    hits, found, seconds = [], [], []
    for row in rows:
        known = informative(row)
        if not known.any():
            continue
        start = time.perf_counter()
        each = explain(model, users.data.iloc[[row]], task=task)
        seconds.append(time.perf_counter() - start)
        if each.predicted != truth[row]:
            continue
        found.append(each)
        hits.append(bool(known[each.top(level, 1)["item"].iloc[0]]))
    table = faithfulness(model, found, level=level, random_state=0)
    return {
        "n_users": len(hits),
        "found": np.mean(hits),
        "faithfulness": table["faithfulness"].mean(),
        "seconds": np.mean(seconds),
    }


def main() -> None:
    """Print a table, one row a system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=600, help="training users (600)")
    parser.add_argument("--explained", type=int, default=100, help="others (100)")
    parser.add_argument("--mentions", type=float, default=0.0, help="mention_rate (0)")
    parser.add_argument("--signal", type=float, default=0.2, help="signal_rate (0.2)")
    parser.add_argument("--messages", type=float, default=15, help="n_messages (15)")
    parser.add_argument("--words", type=float, default=10, help="n_words (10)")
    parser.add_argument("--only", nargs="+", help="names of systems")
    options = parser.parse_args()
    n_users, rows = (
        options.users,
        range(options.users, options.users + options.explained),
    )
    texts = make_user_profiles(
        rows.stop,
        mention_rate=options.mentions,
        signal_rate=options.signal,
        n_messages=options.messages,
        n_words=options.words,
        random_state=0,
    )
    images = make_image_users(rows.stop, random_state=0)
    known = texts.informative[TEXT_TASK]
    plan = [
        (name, make, texts, TEXT_TASK, "message", known.__getitem__)
        for name, make in text_systems(texts.graph).items()
    ] + [
        (name, make, images, IMAGE_TASK, "image", lambda row: _zeros(images, row))
        for name, make in image_systems().items()
    ]
    table = []
    for name, make, users, task, level, informative in plan:
        if options.only and name not in options.only:
            continue
        model = make().fit(users.data[:n_users], users.target[:n_users])
        figures = measure(model, users, rows, task, level, informative)
        table.append({"system": name, "users": level, **figures})
        print(table[-1], flush=True)
    print(pd.DataFrame(table).round(3).to_string(index=False))


def _zeros(images: Any, row: int) -> Any:
    """Which pictures decide: the zeros of a user of the class "yes"."""
    is_yes = images.complete_target[IMAGE_TASK][row] == "yes"
    return (images.digits[row] == 0) & is_yes


if __name__ == "__main__":
    main()
