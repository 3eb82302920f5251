"""Does an auxiliary task help? Aux-LSTM against LSTM on synthetic users, as JSON lines.

The auxiliary attribute, of six classes, shows in the text; the main one, of three,
hardly does, and a fifth of the users carry its label. In the first setting most users
have the main class that goes with their auxiliary class, in the second the two are
independent. For each seed new users are drawn; both systems get the same users, word
vectors and settings. With ``--same-steps`` LSTM, which sees fewer labelled users, makes
up for it in epochs.

The paper found the first to help (gender and profession) and the second to cost little
(gender and age). The last line of each setting holds the mean difference in accuracy
and F of the main task, and the paired t-test over seeds, which are independent since
each draws its own users.

    python benchmarks/accuracy/aux_lstm_synthetic.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time

import numpy as np
import pandas as pd
import torch

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.estimators import AuxLSTMClassifier, LSTMClassifier
from sklearn_profiling.evaluation import macro_prf, paired_test
from sklearn_profiling.sources import Word2VecTransformer

N_MAIN, N_AUXILIARY = 3, 6  # classes
N_TOPIC_WORDS = 15  # of each class of each attribute
N_COMMON_WORDS = 200
SETTINGS = {"correlated": 0.8, "independent": 0.0}


def make_users(n_users, correlation, settings, rng):
    """Text of users, and the classes of both attributes."""
    auxiliary = rng.integers(0, N_AUXILIARY, n_users)
    same = rng.random(n_users) < correlation
    main = np.where(same, auxiliary % N_MAIN, rng.integers(0, N_MAIN, n_users))
    n_messages = 1 + rng.poisson(settings.n_messages - 1, n_users)
    writer = np.repeat(np.arange(n_users), n_messages)
    n_words = 1 + rng.poisson(settings.n_words - 1, len(writer))
    owner = np.repeat(np.arange(len(writer)), n_words)
    # As in real text, a few words make up much of it.
    weights = 1.0 / (10.0 + np.arange(N_COMMON_WORDS))
    ids = rng.choice(N_COMMON_WORDS, len(owner), p=weights / weights.sum())
    parts = [(owner, ids)]
    first = N_COMMON_WORDS
    for classes, n_classes, rate in [
        (auxiliary, N_AUXILIARY, settings.auxiliary_rate),
        (main, N_MAIN, settings.main_rate),
    ]:
        chosen = np.flatnonzero(rng.random(len(writer)) < rate)
        shown = classes[writer[chosen]]
        noise = rng.random(len(chosen)) < settings.noise
        shown = np.where(noise, rng.integers(0, n_classes, len(chosen)), shown)
        # Two words each time, so that the company of words tells classes apart.
        both = rng.integers(0, N_TOPIC_WORDS, (2, len(chosen)))
        parts += [(chosen, first + shown * N_TOPIC_WORDS + words) for words in both]
        first += n_classes * N_TOPIC_WORDS
    owner, ids = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((rng.random(len(owner)), owner))
    text = TokenMessages(
        ids[order],
        np.concatenate([[0], np.cumsum(np.bincount(owner))]),
        np.concatenate([[0], np.cumsum(n_messages)]),
        Vocabulary([f"word{k}" for k in range(first)]),
    )
    return text, pd.DataFrame({"main": main, "auxiliary": auxiliary}).astype(object)


def run_seed(correlation, settings, seed):
    """Score both systems on the main task of new users."""
    rng = np.random.default_rng(seed)
    n_train = settings.n_train
    text, y = make_users(n_train + settings.n_test, correlation, settings, rng)
    train, test = np.arange(n_train), np.arange(n_train, len(text))
    labels = y.iloc[train].copy()
    hidden = rng.random(n_train) >= settings.main_labelled
    labels.loc[hidden, "main"] = None
    vectors = Word2VecTransformer(50, min_count=2, max_epochs=5, random_state=seed)
    vectors.fit(text[train])
    known, new = vectors.transform(text[train]), vectors.transform(text[test])
    shared = {
        "level": settings.level,
        "n_hidden": settings.n_hidden,
        "n_dense": settings.n_hidden,
        "max_epochs": settings.max_epochs,
        "random_state": seed,
    }
    if settings.learning_rate:
        shared["learning_rate"] = settings.learning_rate
    result = {}
    for name, model in {
        "LSTM": LSTMClassifier(**shared),
        "Aux-LSTM": AuxLSTMClassifier(main_task="main", **shared),
    }.items():
        if name == "LSTM" and settings.same_steps:
            epochs = round(settings.max_epochs / settings.main_labelled)
            model.set_params(max_epochs=epochs)
        start = time.process_time()
        # With a single task LSTM sees the users who carry its label.
        model.fit(known, labels["main"] if name == "LSTM" else labels)
        predicted = model.predict(new)
        main = predicted if predicted.ndim == 1 else predicted[:, 0]
        truth = y["main"].iloc[test].to_numpy()
        result[name] = {
            "accuracy": float((main == truth).mean()),
            "F": f_of_averages(truth, main),
            "cpu_seconds": round(time.process_time() - start, 1),
        }
        if name == "Aux-LSTM":
            other = predicted[:, 1] == y["auxiliary"].iloc[test].to_numpy()
            result[name]["auxiliary_accuracy"] = float(other.mean())
    return result


def f_of_averages(truth, predicted):
    """F as in the paper: of the macro averages of precision and recall."""
    table = macro_prf(truth, predicted, definition="f_of_averages")
    return float(table["f"].iloc[0])


def commit():
    command = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-train", type=int, default=600)
    parser.add_argument("--n-test", type=int, default=1000)
    parser.add_argument("--main-labelled", type=float, default=0.2)
    parser.add_argument("--n-messages", type=float, default=8)
    parser.add_argument("--n-words", type=float, default=8)
    parser.add_argument("--auxiliary-rate", type=float, default=0.4)
    parser.add_argument("--main-rate", type=float, default=0.15)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--level", choices=("user", "message"), default="message")
    parser.add_argument("--n-hidden", type=int, default=32)
    parser.add_argument("--max-epochs", type=int, default=30)
    parser.add_argument("--learning-rate", type=float, default=None)
    parser.add_argument("--same-steps", action="store_true")
    parser.add_argument("--n-seeds", type=int, default=10)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=[*SETTINGS])
    settings = parser.parse_args()
    chosen = settings.settings
    del settings.settings
    torch.set_num_threads(1)
    for name in chosen:
        scores = {"accuracy": [], "F": []}
        for seed in range(settings.n_seeds):
            result = run_seed(SETTINGS[name], settings, seed)
            print(json.dumps({"setting": name, "seed": seed, **result}), flush=True)
            for metric, pairs in scores.items():
                pairs.append([result[s][metric] for s in ("LSTM", "Aux-LSTM")])
        summary = {"benchmark": "aux_lstm_synthetic", "setting": name}
        for metric, pairs in scores.items():
            lstm, aux = np.array(pairs).T
            summary[metric] = {
                "LSTM": round(lstm.mean(), 4),
                "Aux-LSTM": round(aux.mean(), 4),
                "difference": round((aux - lstm).mean(), 4),
            }
            if settings.n_seeds > 1:
                test = paired_test(aux, lstm)
                summary[metric]["p"] = test.p_value
        print(json.dumps({**summary, **vars(settings), "commit": commit()}), flush=True)


if __name__ == "__main__":
    main()
