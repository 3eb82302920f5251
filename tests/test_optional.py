"""The one way to import optional packages, beyond what test_package.py says."""

from __future__ import annotations

import json

import pytest

from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import MissingDependencyError


def test_the_module_itself_is_returned():
    assert import_optional("json", extra="x", purpose="Reading") is json


def test_the_package_and_the_first_error_are_named():
    with pytest.raises(MissingDependencyError, match=r"'nowhere_to_be'") as caught:
        import_optional("nowhere_to_be.found", extra="fast", purpose="Drawing")
    assert "sklearn_profiling[fast]" in str(caught.value)
    assert str(caught.value).startswith("Drawing needs the package")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_package_that_is_broken_counts_as_absent(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("from json import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match="no_such_name"):
        import_optional("half_installed", extra="fast", purpose="Cutting")


def test_other_faults_of_a_package_are_its_own(tmp_path, monkeypatch):
    (tmp_path / "divides.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        import_optional("divides", extra="fast", purpose="Cutting")
