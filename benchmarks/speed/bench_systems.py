"""Whole fits against other libraries' on the same users, as JSON lines.

- ``tfidf``: `make_tfidf_baseline` with ``loss="log"`` and one C against scikit-learn's
  TfidfVectorizer of the same number of words and pairs of words and a
  LogisticRegression;
- ``text_cnn`` and ``lstm``: our classifiers against skorch nets of the same sizes and
  optimizers whose users are padded to the longest message and to the most messages of
  their batch.

Both take one thread, the same users, epochs and batches, in turn; the quickest of the
runs counts, in CPU seconds. The accuracy on other users shows that both learn.

    python benchmarks/speed/bench_systems.py --only tfidf
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits
from torch import nn

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import LSTMClassifier, TextCNNClassifier

Words = list[list[list[str]]]


def draw_users(n_users: int, n_words: int, seed: int) -> tuple[Words, Any]:
    """Draw words by Zipf's law; class 1 says some of them more often.

    Users write 1 to 100 messages of 3 to 60 words, most of them few and short.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n_users)
    users = []
    for label in labels:
        n_messages = int(np.clip(rng.lognormal(2.5, 0.8), 1, 100))
        own = []
        for size in np.clip(rng.lognormal(2.3, 0.6, n_messages), 3, 60).astype(int):
            drawn = rng.zipf(1.3, size) % n_words
            drawn[(drawn % 40 == label) & (rng.random(size) < 0.5)] += 1
            own.append([f"w{number}" for number in drawn])
        users.append(own)
    return users, labels


def padded(users: Words, vocabulary: dict[str, int]) -> Any:
    """Give words their numbers, 0 for padding: (users, messages, words)."""
    n_messages = max(map(len, users))
    n_words = max(len(words) for own in users for words in own)
    ids = np.zeros((len(users), n_messages, n_words), dtype=np.int64)
    for row, own in enumerate(users):
        for place, words in enumerate(own):
            ids[row, place, : len(words)] = [vocabulary.get(word, 0) for word in words]
    return ids


def trimmed(ids: Any) -> Any:
    """Pad no further than the batch needs: ids (users, messages, words)."""
    real = ids > 0
    n_messages = int(real.any(dim=2).sum(dim=1).max())
    return ids[:, :n_messages, : int(real.sum(dim=2).max())]


class PaddedTextCNN(nn.Module):
    """Two convolutions over words, their maximum, and the mean over messages."""

    def __init__(self, n_vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_vocabulary, 100, padding_idx=0)
        self.first = nn.ModuleList(
            nn.Conv1d(100, 32, width, padding=width // 2) for width in (1, 3)
        )
        self.second = nn.Conv1d(64, 64, 3, padding=1)
        self.dense = nn.Linear(64, 64)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(64, 2)

    def forward(self, ids: Any) -> Any:
        """Read ids (users, messages, words); logits (users, 2)."""
        ids = trimmed(ids)
        n_users, n_messages, n_words = ids.shape
        mask = (ids > 0).reshape(-1, 1, n_words)
        words = self.embedding(ids.reshape(-1, n_words)).transpose(1, 2)
        maps = torch.cat([torch.relu(layer(words)) for layer in self.first], dim=1)
        maps = torch.relu(self.second(maps * mask)) * mask
        vectors = maps.amax(dim=2).reshape(n_users, n_messages, -1)
        written = (ids > 0).any(dim=2, keepdim=True)
        means = (vectors * written).sum(dim=1) / written.sum(dim=1).clamp(min=1)
        return self.head(self.dropout(torch.relu(self.dense(means))))


class PaddedLSTM(nn.Module):
    """An LSTM over each message, and the mean of its outputs over words."""

    def __init__(self, n_vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_vocabulary, 200, padding_idx=0)
        self.lstm = nn.LSTM(200, 64, batch_first=True)
        self.dense = nn.Linear(64, 64)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(64, 2)

    def forward(self, ids: Any) -> Any:
        """Read ids (users, messages, words); logits (users, 2)."""
        ids = trimmed(ids)
        n_users, _, n_words = ids.shape
        outputs, _ = self.lstm(self.embedding(ids.reshape(-1, n_words)))
        outputs = outputs.reshape(n_users, -1, outputs.shape[-1])
        mask = (ids > 0).reshape(n_users, -1, 1)
        means = (outputs * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return self.head(self.dropout(torch.relu(self.dense(means))))


def skorch_net(module: type[nn.Module], n_vocabulary: int, epochs: int) -> Any:
    """Take the epochs, batches and optimizers of our classifiers."""
    optimizer: dict[str, Any] = {"optimizer": torch.optim.Adam, "lr": 0.001}
    if module is PaddedLSTM:
        optimizer = {"optimizer": torch.optim.Adagrad, "lr": 0.05}
        optimizer["optimizer__weight_decay"] = 1e-5
    return NeuralNetClassifier(
        module,
        module__n_vocabulary=n_vocabulary,
        criterion=nn.CrossEntropyLoss,
        **optimizer,
        batch_size=50,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def both_nets(ours: Any, module: type[nn.Module], users: Words, epochs: int) -> Any:
    """Pair a classifier and its padded net, with what each reads."""
    text = TokenMessages.from_lists(users)
    words = {word for own in users for message in own for word in message}
    vocabulary = {word: place for place, word in enumerate(sorted(words), 1)}
    net = skorch_net(module, len(vocabulary) + 1, epochs)
    return (ours, text), (net, padded(users, vocabulary))


def pair_of(name: str, users: Words, epochs: int, seed: int) -> Any:
    """Make our estimator and the other's, each with the users as it reads them."""
    same = {"max_epochs": epochs, "batch_size": 50, "random_state": seed}
    if name == "text_cnn":
        ours = TextCNNClassifier(bag_of_words=0, **same)
        return both_nets(ours, PaddedTextCNN, users, epochs)
    if name == "lstm":
        ours = LSTMClassifier(level="message", learning_rate=0.05, **same)
        return both_nets(ours, PaddedLSTM, users, epochs)
    messages = [[" ".join(words) for words in own] for own in users]
    theirs = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), max_features=30_000, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    ours = make_tfidf_baseline(analyzer="word", ngram_range=(1, 2), loss="log", C=10.0)
    plain = np.array(["\n".join(own) for own in messages], dtype=object)
    return (ours, pd.DataFrame({"messages": messages})), (theirs, plain)


def fitted(model: Any, X: Any, labels: Any, n_train: int) -> tuple[float, float]:
    """Return the CPU seconds of a fit, and the accuracy on the users after them."""
    torch.manual_seed(0)
    start = time.process_time()
    model.fit(X[:n_train], labels[:n_train])
    seconds = time.process_time() - start
    right = np.ravel(model.predict(X[n_train:])) == labels[n_train:]
    return seconds, float(right.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["tfidf", "text_cnn", "lstm"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--n-users", type=int, default=500)
    parser.add_argument("--n-vocabulary", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--n-repeats", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    n_train = given.n_users * 4 // 5
    users, labels = draw_users(given.n_users, given.n_vocabulary, given.seed)
    for name in given.only:
        runs: list[list[tuple[float, float]]] = [[], []]
        with threadpool_limits(1):
            for _ in range(given.n_repeats):
                pair = pair_of(name, users, given.epochs, given.seed)
                for own, (model, X) in zip(runs, pair, strict=True):
                    own.append(fitted(model, X, labels, n_train))
        (ours, accuracy), (theirs, other) = (min(own) for own in runs)
        result = {
            "benchmark": "systems",
            "system": name,
            "n_users": given.n_users,
            "epochs": given.epochs,
            "seed": given.seed,
            "cpu_seconds": round(ours, 3),
            "their_cpu_seconds": round(theirs, 3),
            "ratio": round(theirs / ours, 2),
            "accuracy": round(accuracy, 3),
            "their_accuracy": round(other, 3),
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
