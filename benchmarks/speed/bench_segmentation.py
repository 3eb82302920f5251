"""Speed of segmentation against jieba as it comes and NLTK's TweetTokenizer.

Chinese text is drawn from jieba's dictionary by frequency, with marks, numbers, Latin
words and made-up names in between, or read from a file with one message a line. Every
version cuts the same messages; the share of messages cut as jieba does is printed.
Tweets are drawn by Zipf's law from 40,000 made-up words, without and with accents, with
mentions and links that occur once, hashtags, emoji, emoticons and numbers.
Loading and compiling come before the clock starts, and the quickest of three runs
counts. One JSON line for each version.

    python benchmarks/speed/bench_segmentation.py --megabytes 3
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.util import find_spec
from pathlib import Path

import jieba
import numpy as np

from sklearn_profiling.sources import text as steps


def make_messages(n_megabytes, seed):
    rng = np.random.default_rng(seed)
    tokenizer = plain_jieba()
    words = [word for word, count in tokenizer.FREQ.items() if count]
    shares = np.array([tokenizer.FREQ[word] for word in words], float)
    ideographs = [chr(point) for point in range(0x4E00, 0x9FA6)]
    rest = [*"，。！？、" * 4, "2024", "iPhone", "3.5%", "@", "😀"]
    messages, size = [], 0
    while size < n_megabytes * 1e6:
        picked = rng.choice(len(words), 2000, p=shares / shares.sum())
        parts = [words[i] for i in picked]
        for i in range(0, len(parts), 9):
            parts[i] = rest[rng.integers(len(rest))]
        for i in range(4, len(parts), 31):
            parts[i] = "".join(rng.choice(ideographs, 2))
        for i in range(0, len(parts), 25):
            messages.append("".join(parts[i : i + 25]))
            size += len(messages[-1].encode())
    return messages


def make_tweets(n_megabytes, seed, letters):
    """Draw tweets of made-up words of these letters."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 11, 40_000)
    words = ["".join(rng.choice(letters, length)) for length in lengths]
    words += ["don't", "it's", "l'ami", "well-known", "RT", "sooo", "LOL"]
    marks = ["!", "!!!", "...", ":)", "😀", "👍🏽", "10:30", "3.5%", "#GoodNews", "<3"]
    tweets, size = [], 0
    while size < n_megabytes * 1e6:
        picked = np.minimum(rng.zipf(1.3, 14), len(words)) - 1
        parts = [words[i] for i in picked]
        parts[rng.integers(14)] += rng.choice([",", ".", "?", "!"])
        parts.insert(rng.integers(14), str(rng.choice(marks)))
        if rng.random() < 0.5:
            parts.insert(0, f"@{words[rng.integers(40_000)]}{rng.integers(99)}")
        if rng.random() < 0.4:
            parts.append(f"https://t.co/{rng.integers(1 << 50):x}")
        tweets.append(" ".join(parts))
        size += len(tweets[-1].encode())
    return list(dict.fromkeys(tweets))


def quickest(work, messages, n_times=3, clock=time.process_time):
    """Return the result of some work and the CPU seconds of its quickest run."""
    spent = []
    for _ in range(n_times):
        start = clock()
        result = work(messages)
        spent.append(clock() - start)
    return result, min(spent)


def compare_tweets(settings):
    """Print the speed of WordSegmenter and of NLTK on tweets."""
    from nltk.tokenize import TweetTokenizer

    latin = [*"eeeeetttaaaooiinnsshhrrdlcumwfgypbvk"]
    for text, letters in (
        ("tweets", latin),
        ("tweets with accents", [*latin, *"áéíóúñ"]),
    ):
        tweets = make_tweets(settings.megabytes, settings.seed, letters)
        size = sum(len(tweet.encode()) for tweet in tweets) / 1e6
        _, seconds = quickest(
            lambda each: [*map(TweetTokenizer().tokenize, each)], tweets
        )
        _, own = quickest(steps.WordSegmenter().transform, [tweets])
        for version, spent in (
            ("nltk TweetTokenizer", seconds),
            ("WordSegmenter()", own),
        ):
            result = {"benchmark": "segmentation", "text": text, "seed": settings.seed}
            result.update(megabytes=round(size, 2), n_messages=len(tweets))
            result.update(version=version)
            result["megabytes_per_cpu_second"] = round(size / spent, 2)
            result["ratio_to_nltk"] = round(seconds / spent, 2)
            print(json.dumps(result))


def compare_outputs(messages, shared, seconds):
    """Print the speed to lists of words, and of two threads by the clock."""
    one = steps.JiebaSegmenter(lowercase=False)
    two = steps.JiebaSegmenter(lowercase=False, n_jobs=2)
    _, lists = quickest(lambda each: one.transform(each).tolist(), [messages])
    result = {**shared, "version": "JiebaSegmenter() to lists"}
    result["megabytes_per_cpu_second"] = round(shared["megabytes"] / lists, 2)
    print(json.dumps({**result, "ratio": round(seconds / lists, 2)}))
    elapsed = [
        quickest(each.transform, [messages], clock=time.perf_counter)[1]
        for each in (one, two)
    ]
    result = {**shared, "version": "JiebaSegmenter(n_jobs=2)"}
    result["megabytes_per_second"] = round(shared["megabytes"] / elapsed[1], 2)
    result["ratio_to_one_thread"] = round(elapsed[0] / elapsed[1], 2)
    print(json.dumps(result))


def plain_jieba():
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--file", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    if settings.file is None:
        messages = make_messages(settings.megabytes, settings.seed)
    else:
        messages = settings.file.read_text(encoding="utf-8").splitlines()
    messages = list(dict.fromkeys(messages))
    size = sum(len(message.encode()) for message in messages) / 1e6
    shared = {
        "benchmark": "segmentation",
        "text": "drawn" if settings.file is None else settings.file.name,
        "seed": settings.seed,
        "megabytes": round(size, 2),
        "n_messages": len(messages),
    }

    tokenizer = plain_jieba()
    expected, seconds = quickest(lambda each: [*map(tokenizer.lcut, each)], messages)
    result = {**shared, "version": "jieba as it comes"}
    result["megabytes_per_cpu_second"] = round(size / seconds, 2)
    print(json.dumps(result))

    expected = [[w for w in message if not w.isspace()] for message in expected]
    engines = ["compiled", "jieba"] + ["rjieba"] * (find_spec("rjieba") is not None)
    versions = {
        f"JiebaSegmenter(engine={name!r})": steps.JiebaSegmenter(
            engine=name, lowercase=False
        )
        for name in engines
    }
    versions["WordSegmenter()"] = steps.WordSegmenter()
    versions["CharacterSegmenter()"] = steps.CharacterSegmenter()
    for name, segmenter in versions.items():
        segmenter.transform([messages[:50]])
        text, own = quickest(segmenter.transform, [messages])
        result = {**shared, "version": name}
        result["megabytes_per_cpu_second"] = round(size / own, 2)
        result["ratio"] = round(seconds / own, 2)
        if not name.startswith("Character"):
            kept = [message for message in expected if message]
            same = [a == b for a, b in zip(text[0], kept, strict=True)]
            result["messages_as_jieba"] = round(float(np.mean(same)), 6)
        print(json.dumps(result))
    compare_outputs(messages, shared, seconds)
    if settings.file is None and find_spec("nltk") is not None:
        compare_tweets(settings)


if __name__ == "__main__":
    main()
