"""The package as a whole: imports, public names, errors, files, commands."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from public_names import public_modules, public_objects

import sklearn_profiling
from sklearn_profiling import exceptions
from sklearn_profiling._optional import import_optional

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(inspect.getfile(sklearn_profiling)).parent
MAX_LINES = 600

in_checkout = pytest.mark.skipif(
    not (ROOT / ".ci").is_dir(), reason="needs the files of a checkout"
)


def test_import_is_quick_and_light() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import sklearn_profiling; "
        "print(time.perf_counter() - start); import sklearn_profiling.cli; "
        "print(*{'torch', 'sklearn', 'skorch', 'numpy', 'pandas', 'joblib'} "
        "& set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert float(output[0]) < 0.3
    assert output[1:] == [""], f"imported with the command line: {output[1]}"


@pytest.mark.parametrize("module", public_modules(), ids=lambda m: m.__name__)
def test_all_is_sorted_and_importable(module: ModuleType) -> None:
    names = getattr(module, "__all__", [])
    assert names == sorted(names)
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(module, name), f"{module.__name__} lacks {name}"


@in_checkout
def test_every_public_name_is_on_the_api_page() -> None:
    page = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^ {3}(\w+)$", page, flags=re.MULTILINE))
    public = {
        name.rpartition(".")[2]
        for name, value in public_objects()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    assert sorted(public - listed) == [], "add them to docs/api.rst"
    assert sorted(listed - public) == [], "docs/api.rst lists what is not public"


def test_a_missing_optional_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    with pytest.raises(
        exceptions.MissingDependencyError,
        match=r"Quick segmentation needs the package 'rjieba'.*"
        r"pip install 'sklearn_profiling\[fast\]'",
    ):
        import_optional("rjieba", extra="fast", purpose="Quick segmentation")


def test_an_optional_package_that_is_there_is_returned() -> None:
    assert import_optional("json.decoder", extra="x", purpose="x").JSONDecoder


def test_the_tree_of_errors() -> None:
    names = [name for name in exceptions.__all__ if "Warning" not in name]
    for name in names:
        assert issubclass(getattr(exceptions, name), exceptions.ProfilingError)
        assert name in (exceptions.__doc__ or "")
    assert issubclass(exceptions.MissingDependencyError, ImportError)
    assert issubclass(exceptions.DataQualityWarning, exceptions.ProfilingWarning)
    assert issubclass(exceptions.ProfilingWarning, UserWarning)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_errors_survive_pickling(name: str) -> None:
    kind = getattr(exceptions, name)
    error = (
        kind("users.txt", 7, "two fields")
        if kind is exceptions.DataFormatError
        else kind("two fields")
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_format_error_says_where() -> None:
    error = exceptions.DataFormatError(Path("users.txt"), 7, "two fields")
    assert (error.path, error.line, error.reason) == ("users.txt", 7, "two fields")
    assert str(error) == "users.txt, line 7: two fields"
    assert str(exceptions.DataFormatError("a", None, "empty")) == "a: empty"


def python_files() -> list[Path]:
    folders = [PACKAGE, ROOT / "tests", ROOT / "benchmarks"]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in python_files()
    }
    long = {path: lines for path, lines in lengths.items() if lines > MAX_LINES}
    assert long == {}, f"over {MAX_LINES} lines: two modules in one?"


def test_architectures_and_classifiers_are_in_files_of_the_same_name() -> None:
    names = [
        {
            path.relative_to(PACKAGE / floor).as_posix()
            for folder in (".", "generators")
            for path in (PACKAGE / floor / folder).glob("[a-z]*.py")
        }
        for floor in ("architectures", "estimators")
    ]
    assert names[0] == names[1]


def test_library_code_neither_asserts_nor_prints() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent != PACKAGE / "cli"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        )
    ]
    assert found == []


@in_checkout
def test_readme_has_two_commands_and_ci_runs_the_second() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```(?:sh|bash)\n(.*?)\n```$", readme, re.DOTALL | re.M)
    assert len(commands) == 2
    assert all("\n" not in command for command in commands)
    assert "sklearn-profiling demo" in commands[0]
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@in_checkout
def test_every_requirement_is_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    pins = (ROOT / "constraints.txt").read_text("utf-8").lower()
    wanted = set(re.findall(r'^\s+"([\w.-]+)[>=]=[\d.]+",$', project, re.MULTILINE))
    assert "torch" in wanted
    absent = [name for name in wanted if f"\n{name.lower()}==" not in pins]
    assert absent == []


@in_checkout
def test_the_lowest_versions_are_the_bounds() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    groups = [project["dependencies"], *extras.values()]
    bounds = dict(r.split(">=") for group in groups for r in group if ">=" in r)
    lowest = dict(
        line.split("==")
        for line in (ROOT / ".ci" / "lowest.txt").read_text("utf-8").splitlines()
        if "==" in line
    )
    assert lowest == {name: bounds[name].partition(",")[0] for name in lowest}
    tools = (ROOT / ".ci" / "tools.txt").read_text("utf-8").splitlines()[1:]
    tested = [*project["dependencies"], *tools]
    for extra in extras.keys() - {"docs", "test"}:
        tested += extras[extra]
    assert {r.partition(">=")[0] for r in tested} == lowest.keys()


@in_checkout
@pytest.mark.timeout(900)  # without the cache of an earlier check of types
def test_a_typed_script_of_a_user_gets_real_types() -> None:
    api = pytest.importorskip("mypy.api")
    settings = ["--config-file", str(ROOT / "pyproject.toml")]
    script = str(ROOT / "tests" / "typed_user.py")
    said, errors, status = api.run([*settings, script])
    assert (errors, status) == ("", 0), said


@in_checkout
def test_the_next_release_tells_every_change() -> None:
    pytest.importorskip("towncrier")
    fragments = sorted((ROOT / "docs" / "changes.d").iterdir())
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    done = subprocess.run(
        [*command, "--version", "next"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = " ".join(done.stdout.split())
    for fragment in fragments:
        assert " ".join(fragment.read_text("utf-8").split()) in told, fragment.name


@in_checkout
def test_the_badges_are_true() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    badges = (ROOT / "docs" / "_static" / "badges.svg").read_text("utf-8")
    kinds = project["project"]["classifiers"]
    versions = [k.rpartition(" :: ")[2] for k in kinds if "Python :: 3." in k]
    assert f">{' | '.join(versions)}<" in badges
    assert f">{project['project']['license']}<" in badges
    assert project["tool"]["mypy"]["strict"]
    least = project["tool"]["coverage"]["report"]["fail_under"]
    assert f">over {least} %<" in badges
