"""The Python examples of the README and the guide run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The blocks of one page build on each other: test_add_an_architecture runs them.
PAGES = sorted(
    {*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "add_an_architecture.md"}
)
BLOCKS = [
    pytest.param(page, number, id=f"{page.relative_to(ROOT).as_posix()}-{number}")
    for page in PAGES
    for number in range(page.read_text("utf-8").count("```python\n"))
]


def run_block(page: Path, number: int) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)
    code = compile(blocks[number], f"{page.name}, example {number}", "exec")
    exec(code, {"__name__": "__main__"})  # noqa: S102  the examples are our own


@pytest.mark.parametrize(("page", "number"), BLOCKS)
def test_examples_of_the_guide(page: Path, number: int) -> None:
    run_block(page, number)


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / "README.md").is_file(), reason="needs the files of a checkout"
)
def test_example_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    run_block(ROOT / "README.md", 0)
    printed = capsys.readouterr().out
    for task in ("gender", "age", "region", "occupation"):
        assert task in printed
