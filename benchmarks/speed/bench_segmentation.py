"""Speed of segmentation against jieba as it comes.

Text is drawn from jieba's dictionary by frequency, with marks, numbers, Latin words
and made-up names in between, or read from a file with one message a line. Every
version cuts the same messages; the share of messages cut as jieba does is printed.
Loading and compiling come before the clock starts. One JSON line for each version.

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
    start = time.process_time()
    expected = [tokenizer.lcut(message) for message in messages]
    seconds = time.process_time() - start
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
    versions["CharacterSegmenter()"] = steps.CharacterSegmenter()
    for name, segmenter in versions.items():
        segmenter.transform([messages[:50]])
        start = time.process_time()
        text = segmenter.transform([messages])
        own = time.process_time() - start
        result = {**shared, "version": name}
        result["megabytes_per_cpu_second"] = round(size / own, 2)
        result["ratio"] = round(seconds / own, 2)
        if name.startswith("Jieba"):
            kept = [message for message in expected if message]
            same = [a == b for a, b in zip(text[0], kept, strict=True)]
            result["messages_as_jieba"] = round(float(np.mean(same)), 6)
        print(json.dumps(result))


if __name__ == "__main__":
    main()
