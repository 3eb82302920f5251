"""What the workers of a cluster in the tests have to import."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import joblib
from sklearn.dummy import DummyClassifier

from sklearn_profiling._cluster import inside_worker, n_threads
from sklearn_profiling._processes import Parallel


class Deadly(DummyClassifier):
    """The second fit in a folder kills its process; later ones are like others."""

    def __init__(self, folder, strategy="prior"):
        super().__init__(strategy=strategy)
        self.folder = folder

    def fit(self, X, y):
        for number in range(3):
            try:
                Path(self.folder, str(number)).touch(exist_ok=False)
            except FileExistsError:
                continue
            if number == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            break
        return super().fit(X, y)


class Counted(DummyClassifier):
    """Notes each time that a process reads it."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def __setstate__(self, state):
        super().__setstate__(state)
        with Path(self.folder, str(os.getpid())).open("a") as file:
            file.write("read\n")


def nested():
    """Tell where the parts of a task run, of ours and of any other Parallel."""
    ours = Parallel()(joblib.delayed(os.getpid)() for _ in range(3))
    (others,) = Parallel()([joblib.delayed(_of_joblib)()])
    return inside_worker(), n_threads(None), {os.getpid()} == {*ours, *others}


def _of_joblib():
    return joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(3))
