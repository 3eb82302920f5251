"""The package beside its alternatives: one table of ratios, all in one run.

Each row runs a script of ``benchmarks/speed``, which measures both sides in turn on the
same data, and reads the JSON lines that it prints. A ratio above 1 says how many times
as fast we are; what is not installed is named as absent.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/peers.py
    python benchmarks/peers.py --only LINE GloVe --line-program path/to/line
    python benchmarks/peers.py --record

``--quick`` takes tiny data, to see that all run. ``--record`` keeps the rows for the
documentation's page on speed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER / "accuracy"))
sys.path.insert(0, str(FOLDER / "speed"))

from results import record  # noqa: E402 - its folder is put on the path above
from speed_page import PEERS  # noqa: E402 - likewise

Line = dict[str, Any]
_RUN = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Script:
    """A script of ``benchmarks/speed`` with the arguments of a full and a quick run."""

    name: str
    full: str = ""
    quick: str = ""

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"bench_{self.name}.py"


@dataclass(frozen=True)
class Peer:
    """One row: a part of the package and what it is measured against.

    `ours` and `theirs` are what tells the two lines of JSON from others, and `figure`
    the number in both, seconds unless `rate`; `their_figure` where one line holds both.
    The row is absent without its `package`; `versions` are of what else it runs on.
    """

    part: str
    against: str
    script: Script | None
    figure: str = ""
    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    their_figure: str = ""
    rate: bool = False
    package: str = ""
    note: str = ""
    versions: tuple[str, ...] = ()

    def figures(self, lines: Sequence[Line]) -> dict[str, float]:
        """Find the figures of both sides, and how many times as fast we are."""
        ours = _find(lines, self.ours)[self.figure]
        theirs = _find(lines, self.theirs)[self.their_figure or self.figure]
        low, high = (theirs, ours) if self.rate else (ours, theirs)
        ratio = high / low if low else math.inf
        return {"ours": ours, "theirs": theirs, "ratio": round(ratio, 2)}

    def their_versions(self) -> dict[str, str]:
        """Return the versions of what we are measured against."""
        own = [self.package] if self.package[:2] not in ("", "--") else []
        return {name: version(name) for name in (*own, *self.versions)}


SEGMENTATION = Script("segmentation", "--megabytes 2", "--megabytes 0.05")
LINE = Script(
    "line",
    "--samples 5000000 --port-samples 1500000",
    "--users 300 --edges 2000 --components 16 --samples 20000 --port-samples 2000 "
    "--noise-table 1000 --repeat 1",
)
LARGE_LINE = Script(
    "line",
    "--users 200000 --edges 3000000 --samples 6000000 --port-samples 1000000 "
    "--repeat 2",
    LINE.quick,
)
GLOVE = Script("glove", "", "--n-words 5000 --n-vocabulary 200")
MITTENS = Script(
    "glove",
    "--n-words 200000 --n-vocabulary 3000 --mittens",
    "--n-words 5000 --n-vocabulary 200 --mittens",
)
TEXT_CNN = Script(
    "flat_text",
    '--layouts flat "padded to the batch\'s largest"',
    "--n-users 8 --n-vocabulary 100 --max-messages 4 --max-words 9",
)
LSTM = Script(
    "lstm", "", "--n-users 8 --n-vocabulary 100 --max-messages 4 --max-words 9"
)
NETS = Script(
    "systems",
    "--only text_cnn lstm",
    "--only text_cnn lstm --n-users 20 --epochs 1 --n-repeats 1",
)
LINEAR = Script(
    "systems", "--only tfidf --n-users 2000", "--only tfidf --n-users 20 --n-repeats 1"
)
BOW = Script("bow_cnn", "", "--n-users 5 --n-words 60 --n-nodes 10")
TFIDF = Script(
    "tfidf", "--n-users 500 --repeats 2", "--n-users 20 --n-words 60 --repeats 1"
)
SPARSE = Script(
    "sparse_source",
    "--n-users 8000",
    "--n-users 200 --n-columns 500 --n-entries 20 --epochs 1",
)
PATTERNS = Script("pos_patterns", "", "--n-users 30 --n-words 60")

_CUT = {"figure": "megabytes_per_cpu_second", "rate": True}
_ARCS = {"figure": "samples_per_cpu_second", "rate": True}
_OURS = {"benchmark": "line_sgd_second_order", "shared_negatives": 1}
_SHARED = {"benchmark": "line_sgd_second_order", "shared_negatives": 8}
_PORT = {"benchmark": "line_authors_port"}
_COMPILED = {"version": "JiebaSegmenter(engine='compiled')"}
_GLOVE = {"version": "sklearn_profiling"}


def _systems(
    part: str, against: str, script: Script, name: str, note: str, *versions: str
) -> Peer:
    line = {"system": name}
    other = "their_cpu_seconds"
    return Peer(
        part,
        against,
        script,
        "cpu_seconds",
        line,
        line,
        other,
        note=note,
        versions=versions,
    )


ROWS = (
    Peer(
        "segmentation of Chinese",
        "jieba",
        SEGMENTATION,
        ours=_COMPILED,
        theirs={"version": "jieba as it comes"},
        versions=("jieba",),
        **_CUT,
    ),
    Peer(
        "segmentation of Chinese",
        "rjieba",
        SEGMENTATION,
        ours=_COMPILED,
        theirs={"version": "JiebaSegmenter(engine='rjieba')"},
        package="rjieba",
        note="through our own list of messages; rjieba cuts some of them otherwise",
        **_CUT,
    ),
    Peer(
        "WordSegmenter, tweets",
        "NLTK's TweetTokenizer",
        SEGMENTATION,
        ours={"text": "tweets", "version": "WordSegmenter()"},
        theirs={"text": "tweets", "version": "nltk TweetTokenizer"},
        package="nltk",
        **_CUT,
    ),
    Peer(
        "LINE, 10,000 users, 334,000 links",
        "the authors' loop, compiled",
        LINE,
        ours=_OURS,
        theirs=_PORT,
        versions=("numba",),
        **_ARCS,
    ),
    Peer(
        "LINE, negatives shared by 8, 10,000 users",
        "the authors' loop, compiled",
        LINE,
        ours=_SHARED,
        theirs=_PORT,
        versions=("numba",),
        **_ARCS,
    ),
    Peer(
        "LINE, 10,000 users, 334,000 links",
        "the authors' program",
        LINE,
        ours=_OURS,
        theirs={"benchmark": "line_program"},
        package="--line-program",
        **_ARCS,
    ),
    Peer(
        "LINE, 200,000 users, 3 million links",
        "the authors' loop, compiled",
        LARGE_LINE,
        ours=_OURS,
        theirs=_PORT,
        versions=("numba",),
        **_ARCS,
    ),
    Peer(
        "LINE, negatives shared by 8, 200,000 users",
        "the authors' loop, compiled",
        LARGE_LINE,
        ours=_SHARED,
        theirs=_PORT,
        versions=("numba",),
        **_ARCS,
    ),
    Peer(
        "LINE, 200,000 users, 3 million links",
        "the authors' program",
        LARGE_LINE,
        ours=_OURS,
        theirs={"benchmark": "line_program"},
        package="--line-program",
        **_ARCS,
    ),
    Peer("LINE", "ensmallen", None, package="ensmallen"),
    Peer(
        "GloVe, a million words",
        "the authors' program, in numba",
        GLOVE,
        "cpu_seconds",
        _GLOVE,
        {"version": "plain numba"},
        versions=("numba",),
    ),
    Peer(
        "GloVe, 200,000 words, 3,000 different",
        "mittens",
        MITTENS,
        "cpu_seconds",
        _GLOVE,
        {"version": "mittens"},
        package="mittens",
        note="mittens descends over all pairs, also those that do not occur",
    ),
    Peer(
        "word2vec",
        "gensim",
        None,
        note="Word2VecTransformer trains by gensim itself",
    ),
    Peer(
        "Text-CNN of MMLUP, forward and backward",
        "padded to the batch's largest",
        TEXT_CNN,
        "cpu_seconds",
        {"layout": "flat"},
        {"layout": "padded to the batch's largest"},
        versions=("torch",),
    ),
    Peer(
        "LSTM, forward and backward",
        "padded to the batch's largest",
        LSTM,
        "cpu_seconds",
        {"layout": "buckets"},
        {"layout": "padded to the batch's largest"},
        versions=("torch",),
    ),
    _systems(
        "TextCNNClassifier, a fit",
        "padded Text-CNN by skorch",
        NETS,
        "text_cnn",
        "padded to the longest message and the most messages of the batch; both Adam",
        "skorch",
        "torch",
    ),
    _systems(
        "LSTMClassifier, a fit",
        "padded LSTM by skorch",
        NETS,
        "lstm",
        "padded as above; both Adagrad",
        "skorch",
        "torch",
    ),
    _systems(
        "make_tfidf_baseline, a fit",
        "scikit-learn's tf-idf and logistic regression",
        LINEAR,
        "tfidf",
        "the same two steps of scikit-learn, with checks of the users",
        "scikit-learn",
    ),
    Peer(
        "TfidfVectors",
        "scikit-learn's TfidfVectorizer",
        TFIDF,
        "TfidfVectors",
        {"benchmark": "tfidf"},
        {"benchmark": "tfidf"},
        "TfidfVectorizer",
        note="begins with words that are cut already; char_wb counts blanks too",
        versions=("scikit-learn",),
    ),
    Peer(
        "bow-CNN, windows as embedding bags",
        "products with sparse counts",
        BOW,
        "cpu_seconds",
        {"way": "embedding bag"},
        {"way": "sparse counts"},
        versions=("torch",),
    ),
    Peer(
        "POS patterns",
        "plain Python",
        PATTERNS,
        "mine_s",
        their_figure="plain_python_s",
    ),
    Peer(
        "MMLUP on sparse rows, 5 epochs",
        "SGDClassifier",
        SPARSE,
        "MMLUPClassifier.seconds",
        their_figure="SGDClassifier.seconds",
        note="a net of several layers beside a linear model",
        versions=("scikit-learn",),
    ),
    Peer(
        "MMLUP on tables",
        "pytorch-widedeep",
        None,
        package="pytorch_widedeep",
        note="needs numpy below 2",
    ),
)


def _find(lines: Sequence[Line], wanted: Mapping[str, Any]) -> Line:
    for line in lines:
        if wanted.items() <= line.items():
            return line
    msg = f"the script prints no line with {dict(wanted)}"
    raise LookupError(msg)


def run(script: Script, *, quick: bool, program: str | None) -> list[Line]:
    """Run a script and return its lines, names of nested figures joined by a dot."""
    arguments = shlex.split(script.quick if quick else script.full)
    if program and script in (LINE, LARGE_LINE):
        arguments += ["--program", program]
    path = FOLDER / "speed" / script.file
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        env={**os.environ, **_RUN},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]
    for line in lines:
        for name, value in list(line.items()):
            if isinstance(value, dict):
                line.update({f"{name}.{key}": each for key, each in value.items()})
    return lines


def measure(
    peers: Sequence[Peer], *, quick: bool, program: str | None
) -> list[dict[str, Any]]:
    """Run what the rows need, each script once, and print and return the rows."""
    found: dict[Script, list[Line]] = {}
    rows = []
    for peer in peers:
        row = {"row": peer.part, "task": peer.against, "seed": 0, "figures": {}}
        row |= {"seconds": 0.0, "note": peer.note}
        shown = "absent"
        script = peer.script
        if script is not None and not _absent(peer.package, program):
            if script not in found:
                found[script] = run(script, quick=quick, program=program)
            row["figures"] = peer.figures(found[script])
            row["script"] = f"{script.file} {script.full}".strip()
            row["unit"] = "rate" if peer.rate else "seconds"
            row["against_versions"] = peer.their_versions()
            shown = "{ours:,} to {theirs:,}, ratio {ratio}".format(**row["figures"])
        rows.append(row)
        note = f" ({peer.note})" * bool(peer.note)
        print(f"{peer.part} | {peer.against} | {shown}{note}", flush=True)
    return rows


def _absent(package: str, program: str | None) -> bool:
    if package.startswith("--"):
        return program is None
    return bool(package) and find_spec(package) is None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="PART", help="words of a row")
    parser.add_argument("--line-program", help="path of the authors' LINE")
    parser.add_argument("--quick", action="store_true", help="tiny data")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args(arguments)
    wanted = [
        peer
        for peer in ROWS
        if not given.only
        or any(word in f"{peer.part} {peer.against}" for word in given.only)
    ]
    if not wanted:
        parser.error(f"no row is named {' or '.join(given.only)}")
    rows = measure(wanted, quick=given.quick, program=given.line_program)
    if given.record:
        setting = "quick" if given.quick else f"{os.cpu_count()} cores"
        record(PEERS, rows, data="synthetic", setting=setting)


if __name__ == "__main__":
    main()
