"""Speed of TfidfVectors against scikit-learn's TfidfVectorizer, as a JSON line.

Both count one and two words and two to four characters of words, on users whose words
are drawn by Zipf's law, and give the same number of rows; seconds are medians of runs
of both in turn. Segmented text is what systems share, so it is made before.

    python benchmarks/speed/bench_tfidf.py --n-users 2000
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources import TfidfVectors


def write(n_users: int, n_words: int, seed: int) -> list[list[list[str]]]:
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(letters[rng.integers(26, size=n)]) for n in rng.poisson(5, 50_000)]
    words = [word or "a" for word in words]
    users = []
    for _ in range(n_users):
        drawn = rng.zipf(1.3, size=n_words) % len(words)
        own = [words[number] for number in drawn]
        users.append([own[start : start + 20] for start in range(0, n_words, 20)])
    return users


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-users", type=int, default=2000)
    parser.add_argument("--n-words", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    users = write(settings.n_users, settings.n_words, settings.seed)
    text = TokenMessages.from_lists(users)
    plain = ["\n".join(" ".join(words) for words in own) for own in users]

    def theirs() -> None:
        shared = {"sublinear_tf": True, "min_df": 2, "max_features": 200_000}
        words = TfidfVectorizer(ngram_range=(1, 2), analyzer="word", **shared)
        make_union(
            words.set_params(tokenizer=str.split, token_pattern=None),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **shared),
        ).fit_transform(plain)

    versions = {
        "TfidfVectors": lambda: TfidfVectors().fit_transform(text),
        "TfidfVectorizer": theirs,
    }
    runs: dict[str, list[float]] = {name: [] for name in versions}
    for _ in range(settings.repeats):
        for name, run in versions.items():
            start = time.process_time()
            run()
            runs[name].append(time.process_time() - start)
    seconds = {name: statistics.median(times) for name, times in runs.items()}
    result = {
        "benchmark": "tfidf",
        **vars(settings),
        **{name: round(value, 2) for name, value in seconds.items()},
        "ratio": round(seconds["TfidfVectors"] / seconds["TfidfVectorizer"], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
