"""What attention over messages pays, beside what it could pay, on synthetic users.

MMLUP on text alone, without its bag of words, which reads every message whatever the
attention: the mean of the messages, attention over them, and the mean of the messages
that tell, which the generator knows and no model does. More users, or more messages of
which no more tell:

    python benchmarks/accuracy/attention.py --users 600 2400 --messages 15 45

One line a setting: accuracy of each task and their average on 1,000 further users, mean
over the seeds, which draw other users.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
import torch

from sklearn_profiling.datasets import make_user_profiles
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import accuracy_per_task
from sklearn_profiling.pipelines import make_mmlup

N_TEST = 1000
TELLING = 4.5  # messages of a user


def make_users(n_users: int, n_messages: float, seed: int) -> Any:
    """Make users to train and to test on, each with as many messages that tell."""
    return make_user_profiles(
        n_users + N_TEST,
        n_messages=n_messages,
        signal_rate=TELLING / n_messages,
        random_state=seed,
    )


def telling(users: Any) -> pd.DataFrame:
    """Keep the messages that tell any task."""
    shown = [np.any([*row], axis=0) for row in users.informative.to_numpy()]
    kept = [
        [text for text, tells in zip(texts, row, strict=True) if tells]
        for texts, row in zip(users.data["messages"], shown, strict=True)
    ]
    return users.data.assign(messages=pd.Series(kept, users.data.index))


def measure(n_users: int, n_messages: float, seed: int) -> pd.DataFrame:
    """Accuracy of each way, one row each."""
    users = make_users(n_users, n_messages, seed)
    ways = {
        "mean of the messages": (users.data, None),
        "attention": (users.data, "softmax"),
        "mean of those that tell": (telling(users), None),
    }
    train, test = slice(0, n_users), slice(n_users, None)
    rows = {}
    for name, (data, attention) in ways.items():
        net = MMLUPClassifier(
            attention=attention,
            bag_of_words=0,
            n_filters=16,
            trainable_vectors=True,
            loss_weights=None,
            batch_size=25,
            random_state=seed,
        )
        model = make_mmlup(
            None, keywords="drop", topics="drop", classifier=net, random_state=seed
        )
        model.fit(data[train], users.target[train])
        predicted = model.predict(data[test])
        rows[name] = accuracy_per_task(users.target[test], predicted)
    rows["best possible"] = pd.Series(users.bayes_accuracy_text)
    return pd.DataFrame(rows).T


def main(arguments: list[str] | None = None) -> None:
    """Print one table a setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, nargs="+", default=[600])
    parser.add_argument("--messages", type=float, nargs="+", default=[15.0])
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for n_users in given.users:
        for n_messages in given.messages:
            found = [measure(n_users, n_messages, seed) for seed in range(given.seeds)]
            table = pd.concat(found).groupby(level=0, sort=False).mean()
            table["average"] = table.mean(axis=1)
            title = f"{n_users} users, {n_messages:g} messages, {given.seeds} seeds"
            print(f"\n{title}\n{table.round(3).to_string()}", flush=True)


if __name__ == "__main__":
    main()
