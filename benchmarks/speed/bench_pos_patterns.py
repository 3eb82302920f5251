"""Speed of mining POS patterns against the same algorithm in plain Python.

The plain version walks over the messages of each user, counts the candidates of one
length in dictionaries and looks at the next length, as the paper writes it down. Tags
follow a Markov chain, so that some sequences are common, as in language. Both find the
same patterns; the ratio is of CPU seconds. One JSON line.

    python benchmarks/speed/bench_pos_patterns.py --n-users 2000 --n-words 600
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter

import numpy as np

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.sources import FrequentPOSPatterns


def make_text(n_users, n_words, n_tags, message_length, seed):
    """Tags of users from a Markov chain with a few likely successors each."""
    generator = np.random.default_rng(seed)
    common = generator.dirichlet(np.full(n_tags, 0.3))
    follows = 0.7 * generator.dirichlet(np.full(n_tags, 0.1), n_tags) + 0.3 * common
    steps = np.cumsum(follows, axis=1)
    # All users take a step at a time.
    tags = np.empty((n_users, n_words), np.int64)
    now = generator.integers(0, n_tags, n_users)
    for word in range(n_words):
        now = (steps[now] < generator.random((n_users, 1))).sum(axis=1)
        now = now.clip(max=n_tags - 1)
        tags[:, word] = now
    return TokenMessages(
        np.zeros(tags.size, np.int32),
        np.arange(0, tags.size + 1, message_length),
        np.arange(n_users + 1) * (n_words // message_length),
        Vocabulary(["word"]),
        tags=tags.ravel(),
        tag_names=[f"t{tag:02}" for tag in range(n_tags)],
    )


def plain(users, min_support=0.3, min_fair_scp=0.2, max_length=5):
    """Mine the patterns of lists of messages of tags."""
    tags = sorted({tag for user in users for message in user for tag in message})
    counts = {}
    kept = []
    candidates = {(tag,) for tag in tags}
    for length in range(1, max_length + 1):
        n_users = Counter()
        for user in users:
            found = set()
            for message in user:
                for start in range(len(message) - length + 1):
                    pattern = tuple(message[start : start + length])
                    if pattern in candidates:
                        found.add(pattern)
            n_users.update(found)
        frequent = [
            p for p in sorted(n_users) if n_users[p] >= min_support * len(users)
        ]
        for pattern in frequent:
            counts[pattern] = n_users[pattern]
            parts = [
                counts[pattern[:i]] * counts[pattern[i:]] for i in range(1, length)
            ]
            if not parts or counts[pattern] ** 2 * len(parts) / sum(parts) >= (
                min_fair_scp
            ):
                kept.append(pattern)
        candidates = {(*pattern, tag) for pattern in frequent for tag in tags}
    return kept


def timed(run):
    start = time.process_time()
    result = run()
    return result, time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-users", type=int, default=2000)
    parser.add_argument("--n-words", type=int, default=600)
    parser.add_argument("--n-tags", type=int, default=45)
    parser.add_argument("--message-length", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    text = make_text(
        args.n_users, args.n_words, args.n_tags, args.message_length, args.seed
    )
    patterns, seconds = timed(lambda: FrequentPOSPatterns().fit(text))
    _, transform_seconds = timed(lambda: patterns.transform(text))
    tags = np.array(text.tag_names)[text.tags].reshape(
        args.n_users, -1, args.message_length
    )
    found, plain_seconds = timed(lambda: plain(tags.tolist()))
    assert found == patterns.patterns_
    print(
        json.dumps(
            {
                "n_users": args.n_users,
                "n_words": args.n_words,
                "seed": args.seed,
                "n_patterns": len(found),
                "longest": max(map(len, found)),
                "plain_python_s": round(plain_seconds, 2),
                "mine_s": round(seconds, 2),
                "transform_s": round(transform_seconds, 2),
                "ratio": round(plain_seconds / seconds, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
