"""Every public docstring is a complete numpydoc."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass

import pytest
from numpydoc.validate import validate
from public_names import public_objects

# An extended summary, See Also and an example are written where they help.
IGNORED = {"ES01", "EX01", "SA01"}
# Errors take a message; a dataclass describes its fields once, as attributes.
PARAMETERS = {"PR01", "PR02"}


def documented_names() -> Iterator[tuple[str, object]]:
    for name, value in public_objects():
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        yield name, value
        if inspect.isclass(value) and not issubclass(value, BaseException):
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and callable(member):
                    yield f"{name}.{attribute}", member


@pytest.mark.parametrize(
    ("name", "value"), [pytest.param(n, v, id=n) for n, v in documented_names()]
)
def test_docstring(name: str, value: object) -> None:
    assert inspect.getdoc(value), f"{name} has no docstring"
    is_error = inspect.isclass(value) and issubclass(value, BaseException)
    ignored = IGNORED | (PARAMETERS if is_error or is_dataclass(value) else set())
    faults = [
        f"{code}: {text}"
        for code, text in validate(name)["errors"]
        if code not in ignored
    ]
    assert not faults, "\n".join([name, *faults])


def test_names_that_are_called_have_an_example() -> None:
    """Errors are raised and torch modules built for the reader."""
    assert [
        name
        for name, value in public_objects()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and not name.startswith("sklearn_profiling.architectures.")
        and not (inspect.isclass(value) and issubclass(value, BaseException))
        and "\nExamples\n---" not in (inspect.getdoc(value) or "")
    ] == []
