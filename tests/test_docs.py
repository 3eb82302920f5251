"""The Python examples of the README and the guide run as they stand."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from public_names import public_objects
from sklearn.model_selection import GridSearchCV

import sklearn_profiling
from sklearn_profiling import estimators
from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.datasets import load_records
from sklearn_profiling.estimators import LSTMClassifier, TextCNNClassifier
from sklearn_profiling.persistence import load
from sklearn_profiling.pipelines import make_mmlup

ROOT = Path(__file__).resolve().parents[1]
in_checkout = pytest.mark.skipif(
    not (ROOT / "docs").is_dir(), reason="needs the files of a checkout"
)
# The blocks of the first page build on each other: test_add_an_architecture runs them.
# What the others print is compared with what they show, below.
RUN_ELSEWHERE = ("add_an_architecture.md", "getting_started.md", "index.md")
PAGES = sorted(
    {*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / name for name in RUN_ELSEWHERE}
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


@in_checkout
def test_the_table_of_extras_lists_them_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"`(\w+)`", table_below("install.md", "extra"))
    assert sorted(named) == sorted(project["optional-dependencies"])


@pytest.mark.slow
@in_checkout
def test_example_of_the_readme(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the example writes a file
    run_block(ROOT / "README.md", 0)
    printed = capsys.readouterr().out
    for task in ("gender", "age", "region", "occupation"):
        assert task in printed


@in_checkout
def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / ".github/CONTRIBUTING.md"]
    assert len(pages[0].read_text("utf-8").splitlines()) <= 80
    for page in pages:
        for link in re.findall(r"\]\(([^):]+?)(?:#[\w-]+)?\)", page.read_text("utf-8")):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"


@pytest.mark.parametrize("name", ["index.md", "getting_started.md"])
@in_checkout
def test_the_first_pages_print_what_they_show(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """From top to bottom, each block after those before it."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    blocks = re.findall(r"^```(python|text)\n(.*?)^```$", text, re.S | re.M)
    code = "\n".join(block for kind, block in blocks if kind == "python")
    block = compile(code, name, "exec")
    exec(block, {"__name__": "__main__"})  # noqa: S102  the examples are our own
    shown = " ".join(block for kind, block in blocks if kind == "text")
    assert capsys.readouterr().out.split() == shown.split()


@in_checkout
def test_every_public_name_is_used_in_a_page_or_example() -> None:
    """The API page lists names; a reader also has to meet them where they are used."""
    docs = ROOT / "docs"
    pages = [
        *docs.glob("*.md"),
        *docs.glob("user_guide/*.md"),
        *docs.glob("examples/*.py"),
    ]
    words = {
        word
        for page in pages
        if page.name != "changes.md"
        for word in re.findall(r"\w+", page.read_text("utf-8"))
    }
    named = {
        name.rpartition(".")[2]
        for name, value in public_objects()
        # Architectures are named by their classifiers.
        if ".architectures." not in name
        and (inspect.isclass(value) or inspect.isfunction(value))
    }
    assert sorted(named - words) == []


MESSAGES = {
    "stratify": lambda X, y, _: GridSearchCV(
        make_tfidf_baseline(), {}, cv=2, error_score="raise"
    ).fit(X, y),
    "continuous": lambda X, y, _: make_tfidf_baseline().fit(X, [0.5, 1.5, 1.0, 2.0]),
    "leave it out": lambda X, y, _: make_tfidf_baseline().fit(X, y.assign(a=None)),
    "y has no task": lambda X, y, _: make_mmlup([(1, 2)], preset="paper").fit(X, y),
    "reads the columns": lambda X, y, _: make_tfidf_baseline().fit(
        X.rename(columns={"messages": "text"}), y
    ),
    "users' own messages": lambda X, y, _: TextCNNClassifier().fit(X, y),
    "no column of ids": lambda X, y, path: load_records(path),
    "given as tasks": lambda X, y, path: load_records(
        path, id_column="name", tasks=["age"]
    ),
    "number of fields": lambda X, y, path: load_records(
        path.with_suffix(".bad.csv"), text_column="text"
    ),
    "no model file": lambda X, y, path: load(path),
    "inconsistent": lambda X, y, _: make_tfidf_baseline().fit(X, y[:3]),
    "cannot be used here": lambda X, y, _: LSTMClassifier(device="vulkan").fit(
        [[1, 2], [2, 1], [1, 1], [2, 2]], y
    ),
    "not fitted": lambda X, y, _: make_tfidf_baseline().predict(X),
}


@pytest.fixture
def messy_file(tmp_path: Path) -> Path:
    (tmp_path / "x.csv").write_text("name,text\n1,hello\n2,hi\n", "utf-8")
    (tmp_path / "x.bad.csv").write_text("id,text\n1,hello\n2\n", "utf-8")
    return tmp_path / "x.csv"


def test_the_common_messages_are_those_of_the_page() -> None:
    listed = table_below("user_guide/errors.md", "part of the message").splitlines()
    assert len(listed) == len(MESSAGES)


@pytest.mark.parametrize("word", MESSAGES)
def test_a_common_message_is_raised(word: str, messy_file: Path) -> None:
    listed = table_below("user_guide/errors.md", "part of the message")
    (message,) = [line.strip(" `") for line in listed.splitlines() if word in line]
    texts = [["tea " * 9], ["wine " * 9]] * 2
    users = pd.DataFrame({"user_id": [1, 2, 3, 4], "messages": texts})
    labels = pd.DataFrame({"drink": ["tea", "wine", "tea", None]})
    with pytest.raises(Exception, match=re.escape(message)):
        MESSAGES[word](users, labels, messy_file)


METHODS = ("fit", "predict", "predict_proba", "score", "partial_fit")


@in_checkout
def test_pages_of_classes_show_inherited_methods() -> None:
    """Of the bases at which a page stops, none defines what users call."""
    template = (ROOT / "docs/_templates/autosummary/class.rst").read_text("utf-8")
    (bases,) = re.findall(r":inherited-members: (.+)", template)
    settings = ast.parse((ROOT / "docs" / "conf.py").read_text("utf-8"))
    (plumbing,) = [
        node.value.args[0].value
        for node in settings.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PLUMBING"
    ]
    for name in estimators.__all__:
        mro = getattr(estimators, name).__mro__
        for method in METHODS:
            owner = next(kind for kind in mro if method in vars(kind))
            above = mro[1 : mro.index(owner) + 1]
            assert not {kind.__name__ for kind in above} & {*bases.split(", ")}
            assert not re.fullmatch(plumbing, method)


@in_checkout
def test_figures_are_not_typed_into_the_guide_of_models() -> None:
    for name in ("index.md", "which_model.md"):
        text = (ROOT / "docs" / name).read_text("utf-8")
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
        assert re.findall(r"\b0\.\d+", prose) == [], name


@in_checkout
def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {sklearn_profiling.__version__}\n" in text
