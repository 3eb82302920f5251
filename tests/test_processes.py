"""Workers and temporary folders end with the process they belong to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from joblib.parallel import get_active_backend

from sklearn_profiling import _processes
from sklearn_profiling._processes import (
    Parallel,
    _end_with,
    _Task,
    temporary_folder,
)

PROGRAM = """
import os, sys, time
from joblib import delayed
from sklearn_profiling._processes import Parallel, temporary_folder

def work(number):
    print(os.getpid(), flush=True)
    time.sleep(600)

with temporary_folder() as folder:
    print(folder, flush=True)
    Parallel(n_jobs=2)(delayed(work)(number) for number in range(2))
"""


def gone(path):
    for _ in range(300):
        if not path.exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_killed_process_leaves_neither_workers_nor_folders(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True
    )
    folder = Path(process.stdout.readline().strip())
    workers = [Path("/proc", process.stdout.readline().strip()) for _ in range(2)]
    assert folder.is_dir()
    assert all(worker.exists() for worker in workers)
    process.kill()
    process.wait()
    process.stdout.close()
    assert all(gone(each) for each in (*workers, folder))


def test_a_process_of_another_parent_ends(monkeypatch):
    killed = []
    parents = iter([7, 7, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(os, "kill", lambda *sent: killed.append(sent))
    _end_with(7)
    assert killed == [(os.getpid(), signal.SIGTERM)]


def test_a_task_watches_the_parent_of_a_worker_alone(monkeypatch):
    started = []

    class Noted:
        def __init__(self, target, args, daemon):
            self.noted = target, args, daemon

        def start(self):
            started.append(self.noted)

    monkeypatch.setattr(_processes, "Thread", Noted)
    assert _Task(pow, os.getpid())(2, 3) == 8
    assert not started
    monkeypatch.setattr(os, "getppid", lambda: -7)
    assert [_Task(pow, -7)(2, 3), _Task(pow, -7)(2, 4)] == [8, 16]
    assert started == [(_end_with, (-7,), True)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_are_joblibs(n_jobs):
    tasks = [(pow, (number, 2), {}) for number in range(4)]
    assert Parallel(n_jobs=n_jobs)(tasks) == [0, 1, 4, 9]


def test_a_worker_of_dask_splits_its_task_into_threads(monkeypatch):
    def backend():
        return type(get_active_backend()[0]).__name__, get_active_backend()[1]

    monkeypatch.setattr(_processes, "inside_worker", lambda: True)
    assert _Task(backend, os.getpid())() == ("ThreadingBackend", 1)
    threads = [(os.getpid, (), {}) for _ in range(3)]
    for n_jobs in (None, 2):
        assert Parallel(n_jobs=n_jobs)(threads) == [os.getpid()] * 3
        assert Parallel(n_jobs=n_jobs).n_jobs == (n_jobs or 1)


def test_a_temporary_folder_is_removed_in_the_end():
    with temporary_folder() as folder:
        Path(folder, "file").touch()
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("name", "pid", "ends"),
    [
        ("LokyProcess-2:1", 5, True),
        ("Dask Worker", 5, False),
        ("LokyProcess-1", 7, False),
    ],
)
def test_a_worker_that_begins_after_its_parent_died_ends(monkeypatch, name, pid, ends):
    killed = []
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(os, "getpid", lambda: pid)
    monkeypatch.setattr(os, "kill", lambda *sent: killed.append(sent))
    monkeypatch.setattr(
        _processes, "current_process", lambda: SimpleNamespace(name=name)
    )
    _Task(str, parent=7)(3)
    assert killed == [(5, signal.SIGTERM)] * ends
