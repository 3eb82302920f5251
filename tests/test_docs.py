"""The Python examples of the README and the guide run as they stand."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sklearn_profiling import estimators

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


def table_below(page: str, header: str) -> str:
    """The first column of the table that begins with a header."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    _, found, rest = text.partition(f"| {header} |")
    assert found
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return "\n".join(row.split("|")[1] for row in rows)


def test_the_page_of_estimators_lists_them_all() -> None:
    listed = table_below("user_guide/estimators.md", "estimator")
    named = re.findall(r"sklearn_profiling\.estimators\.(\w+)`", listed)
    assert sorted(named) == sorted(estimators.__all__)


@pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="needs the files of a checkout"
)
def test_the_table_of_extras_lists_them_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"`(\w+)`", table_below("getting_started.md", "extra"))
    assert sorted(named) == sorted(project["optional-dependencies"])


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / "README.md").is_file(), reason="needs the files of a checkout"
)
def test_example_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    run_block(ROOT / "README.md", 0)
    printed = capsys.readouterr().out
    for task in ("gender", "age", "region", "occupation"):
        assert task in printed
