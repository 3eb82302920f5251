"""The field's words: what users read says neither more nor less than the field does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sklearn_profiling

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(sklearn_profiling.__file__).parent

pytestmark = pytest.mark.skipif(
    not (ROOT / "docs").is_dir(), reason="needs the files of a checkout"
)

# What is not said, and what is said instead.
WORDS = {
    r"learn\w*( \w+){0,3} by heart": "overfit, memorise",
    r"dealt out|held out from (it|them)": "held-out users, validation set",
    r"pass(es)? over (all |the )?users": "epoch",
    r"sureness": "weight, log-temperature",
    r"stand-ins?\b": "missing-source embedding",
    r"\b(paper|article) (does not tell|is silent|says nothing)": "does not report",
    r"\bvectors of a length": "embedding dimension",
    r"\b(behavior|modeling|favors?|summarized?|optimizing)\b": "British spelling",
    r"\b(simply|obviously|of course|utili[sz]e|leverage[sd]?\b)": "leave it out",
    r"\b(state[- ]of[- ]the[- ]art|cutting[- ]edge|powerful)\b": "say the number",
}


def texts() -> list[tuple[str, str]]:
    """List the pages, examples and docstrings, with where they stand."""
    found = [
        (path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
        for path in [
            *(ROOT / "docs").glob("*.md"),
            *(ROOT / "docs" / "user_guide").glob("*.md"),
            *(ROOT / "docs" / "examples").glob("*.py"),
            *ROOT.glob("*.md"),
        ]
    ]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                place = (
                    f"{path.relative_to(PACKAGE)}, {getattr(node, 'name', 'module')}"
                )
                found.append((place, ast.get_docstring(node) or ""))
    return found


def faults(place: str, text: str) -> list[str]:
    text = re.sub(r"```py.*?^```$|`[^`]*`|\([^()\s]*\)", " ", text, flags=re.S | re.M)
    flat = re.sub(r"\s+", " ", text)
    return [
        f'{place}: "{found[0]}" ({instead})'
        for words, instead in WORDS.items()
        for found in re.finditer(words, flat, re.I)
    ]


def test_the_fields_words_are_used() -> None:
    found = [fault for place, text in texts() for fault in faults(place, text)]
    assert found == []


def test_a_word_that_is_kept_out_is_found() -> None:
    text = "What learns from few users learns\nthem by heart; `learn by heart` is code."
    (fault,) = faults("page", text)
    assert fault.startswith('page: "learns')
    assert fault.endswith('by heart" (overfit, memorise)')
