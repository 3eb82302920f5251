"""The page on adding an architecture: its example runs, and is as short as it says."""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from pathlib import Path
from types import ModuleType
from unittest import SkipTest

import cases
import pytest
import test_contract
from case_settings import EXACT
from sklearn.utils.estimator_checks import estimator_checks_generator

PAGE = Path(__file__).resolve().parents[1] / "docs" / "add_an_architecture.md"

pytestmark = pytest.mark.skipif(
    not PAGE.is_file(), reason="needs the files of a checkout"
)


def blocks():
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.S | re.M)


@pytest.fixture(scope="module")
def names():
    """What the page defines, as a module; its line in the table is taken out again."""
    module = ModuleType("added_architecture")
    table = dict(cases.CASES)
    sys.modules[module.__name__] = module  # where pickle looks for its classes
    for number, block in enumerate(blocks()):
        code = compile(block, f"{PAGE.name}, block {number}", "exec")
        exec(code, vars(module))  # noqa: S102  the page is our own
    yield vars(module)
    del sys.modules[module.__name__]
    cases.CASES.clear()
    cases.CASES.update(table)


CONTRACT = [
    test_contract.test_several_tasks_of_strings_with_gaps,
    test_contract.test_none_nan_and_na_are_the_same_gap,
    test_contract.test_score_is_the_mean_accuracy_of_labelled_users,
    test_contract.test_one_dimensional_labels_give_one_dimensional_predictions,
    test_contract.test_a_cell_may_hold_a_set,
    test_contract.test_users_without_any_label_are_left_out,
    test_contract.test_any_user_may_lack_any_source,
    test_contract.test_nobody_has_a_source,
    test_contract.test_clone,
]


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_example_keeps_the_contract(names, check):
    assert "DANClassifier" in cases.CASES
    check("DANClassifier")


def test_the_example_passes_the_checks_of_scikit_learn(names):
    settings = {key: value for key, value in EXACT.items() if key != "dropout"}
    model = names["DANClassifier"](
        n_hidden=(16,),
        n_dimensions=8,
        learning_rate=0.05,
        max_epochs=40,
        dropout=0.0,
        **settings,
    )
    checks = list(estimator_checks_generator(model, mark=None, legacy=True))
    assert len(checks) > 50
    for estimator, check in checks:
        with contextlib.suppress(SkipTest):  # needs array API switched on
            check(estimator)


def code_lines(block):
    """Numbers of the lines that hold code: no comment, docstring or blank line."""
    documented = set()
    for node in ast.walk(ast.parse(block)):
        first = getattr(node, "body", [None])
        first = first[0] if isinstance(first, list) and first else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            documented.update(range(first.lineno, first.end_lineno + 1))
    lines = block.splitlines()
    return [
        number
        for number, line in enumerate(lines, start=1)
        if line.strip() and line.strip()[0] != "#" and number not in documented
    ]


def lines_of(block, name, *, body_only):
    """How many of the lines belong to the functions of this name."""
    spans = [
        range(node.body[0].lineno if body_only else node.lineno, node.end_lineno + 1)
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return sum(number in span for span in spans for number in code_lines(block))


def test_little_is_needed_beyond_the_mathematics():
    net, classifier, *_, table = blocks()
    mathematics = lines_of(net, "forward", body_only=True)
    assert len(code_lines(net)) - mathematics <= 40
    declared = lines_of(classifier, "__init__", body_only=False)
    assert len(code_lines(classifier)) - declared <= 40
    (line,) = (
        n
        for n in ast.parse(table).body
        if isinstance(n, ast.Assign) and "CASES" in ast.unparse(n.targets[0])
    )
    assert line.lineno == line.end_lineno
