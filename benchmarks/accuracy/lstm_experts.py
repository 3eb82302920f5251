"""Accuracy of the linear experts of `make_aux_lstm`, and of the net beside them.

Poets are tested in two of five folds, "synthetic" users are 800 and 400 to test on.

    python benchmarks/accuracy/lstm_experts.py poets/ --tasks dynasty era occupation
    python benchmarks/accuracy/lstm_experts.py synthetic
"""

import argparse

import numpy as np
import pandas as pd
from real_users import read
from sklearn.base import clone

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.pipelines import make_aux_lstm
from sklearn_profiling.sources import WordSegmenter


def measure(users, train, test, main):
    """Return the accuracy of each system by task, and the share of the net."""
    texts, y, truth = users.data["messages"], users.target, users.target.iloc[test]
    segmenter = WordSegmenter().fit(texts.iloc[train])
    words, new = (segmenter.transform(texts.iloc[rows]) for rows in (train, test))
    system = make_aux_lstm(main, random_state=0)
    known, tested, predicted = {}, {}, {}
    for name, part, _ in system["sources"].sources:
        (part if name == "text" else part[-1]).set_params(random_state=0)
        known[name] = part.fit_transform(words, y.iloc[train])
        tested[name] = part.transform(new)
        if name != "text":
            sets = part[-1].classes_
            odds = np.split(tested[name], np.cumsum([*map(len, sets)])[:-1], axis=1)
            best = [c[each.argmax(1)] for c, each in zip(sets, odds, strict=True)]
            predicted[name] = np.stack(best, axis=1)
    net = system["classifier"].set_params(random_state=0)
    still = clone(net).set_params(max_epochs=1, learning_rate=1e-12, shrink_fraction=0)
    for name, each in {"both, no net": still, "Aux-LSTM": net}.items():
        predicted[name] = each.fit(known, y.iloc[train]).predict(tested)
    rows = {n: (p == truth).sum() / truth.count() for n, p in predicted.items()}
    return pd.DataFrame({**rows, "share": net.net_.module_.shares.numpy()}).T


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--tasks", nargs="+")
    given = parser.parse_args()
    splits = [(np.arange(800), np.arange(800, 1200))]
    if given.data == "synthetic":
        users, main = make_user_profiles(1200, random_state=0), "gender"
    else:
        users, main = read(given.data, given.tasks), "era"
        folds = MultiTaskStratifiedKFold(5, random_state=0)
        splits = list(folds.split(users.data, users.target))[:2]
    found = sum(measure(users, *split, main) for split in splits)
    print((found / len(splits)).round(3))
