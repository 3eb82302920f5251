"""A comparison goes on where it stopped, and never with another one's results."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from sklearn_profiling.baselines import make_majority_baseline
from sklearn_profiling.evaluation import compare
from sklearn_profiling.exceptions import ProfilingWarning

X = np.arange(24.0).reshape(-1, 1)
Y = pd.DataFrame({"gender": ["f", "m", "m"] * 8, "age": ["old", None] * 12})
FITS: list[float] = []


class Counted(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Notes each fit; fails while FAILS is set."""

    fails = False

    def __init__(self, label: str = "m") -> None:
        self.label = label

    def fit(self, X: np.ndarray, y: pd.DataFrame) -> Counted:
        FITS.append(X.sum())
        if Counted.fails:
            msg = "not today"
            raise RuntimeError(msg)
        self.shape_ = y.shape[1]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full((len(X), self.shape_), self.label, dtype=object)


@pytest.fixture(autouse=True)
def no_fits():
    FITS.clear()
    yield
    Counted.fails = False


def run(folder, systems=None, x=X, y=Y, cv=3, **arguments):
    systems = {"counted": Counted()} if systems is None else systems
    return compare(systems, x, y, cv=cv, results_folder=folder, **arguments)


def test_the_second_call_fits_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    first = run(folder)
    assert len(FITS) == 3
    assert len(list(folder.iterdir())) == 3
    second = run(folder)
    assert len(FITS) == 3
    pd.testing.assert_frame_equal(first.scores, second.scores)


def test_a_system_is_added(tmp_path: Path) -> None:
    run(tmp_path)
    both = {"majority": make_majority_baseline(), "counted": Counted()}
    seen: list[str] = []
    result = run(tmp_path, both, on_fold=lambda name, fold, rows: seen.append(name))
    assert len(FITS) == 3
    assert result.systems == ["majority", "counted"]
    # What is there comes first.
    assert seen == ["counted"] * 3 + ["majority"] * 3
    plain = compare(both, X, Y, cv=3)
    timing = ["fit_seconds", "predict_seconds"]
    pd.testing.assert_frame_equal(
        result.scores.drop(columns=timing), plain.scores.drop(columns=timing)
    )


def test_an_interrupt_loses_only_the_fold_at_work(tmp_path: Path) -> None:
    def stop(system: str, fold: int, scores: pd.DataFrame) -> None:
        if fold == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, on_fold=stop)
    assert len(FITS) >= 2
    done = len(list(tmp_path.glob("*.json")))
    assert done >= 2
    FITS.clear()
    run(tmp_path)
    assert len(FITS) == 3 - done


def test_other_metrics_are_there(tmp_path: Path) -> None:
    run(tmp_path, metrics=["accuracy"])
    result = run(tmp_path, metrics=["macro_f1", "accuracy"])
    assert len(FITS) == 3
    assert result.scores["metric"].tolist()[:2] == ["macro_f1", "accuracy"]
    assert result.scores["value"].notna().all()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"systems": {"counted": Counted("f")}}, "its parameters"),
        ({"x": X + 1}, "the users or labels"),
        ({"y": Y[::-1].reset_index(drop=True)}, "the users or labels"),
        ({"y": Y.rename(columns={"age": "old"})}, "the users or labels"),
        ({"cv": 4}, "the folds"),
    ],
)
def test_another_comparison_is_not_mixed_in(
    tmp_path: Path, changed: dict, reason: str
) -> None:
    run(tmp_path)
    fits = len(FITS)
    with pytest.warns(ProfilingWarning, match=rf"3 results .*counted.*since {reason}"):
        run(tmp_path, **changed)
    assert len(FITS) == fits + changed.get("cv", 3)
    with pytest.warns(ProfilingWarning, match="not used"):
        run(tmp_path)
    assert len(FITS) == fits + changed.get("cv", 3)


def test_another_version_is_not_mixed_in(tmp_path: Path, monkeypatch) -> None:
    run(tmp_path)
    module = "sklearn_profiling.evaluation._stored_results.__version__"
    monkeypatch.setattr(module, "999")
    with pytest.warns(ProfilingWarning, match="since the version of this package"):
        run(tmp_path)
    assert len(FITS) == 6


def test_a_failed_fold_is_tried_again(tmp_path: Path) -> None:
    Counted.fails = True
    with pytest.warns(ProfilingWarning, match="not today"):
        result = run(tmp_path)
    assert len(result.failures) == 3
    assert list(tmp_path.iterdir()) == []
    Counted.fails = False
    assert run(tmp_path).failures.empty


def test_a_damaged_file_is_computed_anew(tmp_path: Path) -> None:
    run(tmp_path)
    damaged, stranger, *_ = sorted(tmp_path.iterdir())
    damaged.write_text("{", "utf-8")
    content = json.loads(stranger.read_text("utf-8"))
    stranger.write_text(json.dumps({**content, "format": 0}), "utf-8")
    (tmp_path / "notes.json").write_text("[]", "utf-8")
    with pytest.warns(ProfilingWarning, match="is damaged; it is computed anew") as got:
        run(tmp_path)
    assert len(got) == 2
    assert len(FITS) == 5
    run(tmp_path)
    assert len(FITS) == 5


def test_a_task_without_labels_keeps_its_missing_score(tmp_path: Path) -> None:
    cv = [(np.arange(24), np.array([1, 3, 5]))]
    first, second = run(tmp_path, cv=cv), run(tmp_path, cv=cv)
    assert len(FITS) == 1
    assert second.scores.query("task == 'age'")["value"].isna().all()
    pd.testing.assert_frame_equal(first.scores, second.scores)


def test_a_folder_is_checked_before_the_first_fit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="results_folder: a folder is needed"):
        run(file)
    assert not FITS


def test_several_processes_store_too(tmp_path: Path) -> None:
    run(tmp_path, {"m": make_majority_baseline()}, n_jobs=2)
    assert len(list(tmp_path.iterdir())) == 3


def test_nothing_is_written_without_a_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(None)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_hashed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"systems whose.*hashed; 'odd'.*<lambda>"):
        run(tmp_path, {"odd": Counted(label=lambda: "m")})  # type: ignore[arg-type]
    odd = pd.DataFrame({"a": [lambda: 1] * 24})
    with pytest.raises(ValueError, match=r"data that can be hashed.*<lambda>"):
        run(tmp_path, x=odd)


def test_a_full_disk_costs_no_score(tmp_path: Path, monkeypatch) -> None:
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    module = "sklearn_profiling.evaluation._stored_results.write_atomically"
    monkeypatch.setattr(module, full)
    with pytest.warns(ProfilingWarning, match="done without: No space left") as got:
        result = run(tmp_path)
    assert len(got) == 1
    assert result.failures.empty
    assert len(FITS) == 3
