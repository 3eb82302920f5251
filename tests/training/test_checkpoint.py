"""Killed trainings go on to the same bits, and no file is taken that does not fit."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import torch
from cases import labels
from contract import make, probabilities, same, users_of
from skorch.callbacks import Callback, LRScheduler

from sklearn_profiling._checkpoints import Checkpoint
from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.exceptions import ProfilingWarning
from sklearn_profiling.sources import GloVeTransformer, LINEEmbedding

GRAPH = SocialGraph.from_edges([(i, (i * i + 3) % 20) for i in range(20)])
MESSAGES = [[["tea", "milk"] * 3, ["hill", "walk"]], [["tea", "hill", "sea"]]] * 5


class KilledError(Exception):
    pass


class Counting(Callback):
    """Learns something plain, something with a state, and what no file can hold."""

    def on_train_begin(self, net, **kwargs):
        self.count_ = 0
        self.lock_ = object()

    def on_epoch_end(self, net, **kwargs):
        self.count_ += 1
        net.history.record("count", np.int64(self.count_))


@pytest.fixture
def kill(monkeypatch):
    """Make the process die behind the n-th save."""

    def after(n_saves):
        save, saved = Checkpoint.save, []

        def save_and_die(self, write):
            save(self, write)
            saved.append(1)
            if len(saved) == n_saves:
                monkeypatch.undo()
                raise KilledError

        monkeypatch.setattr(Checkpoint, "save", save_and_die)

    return after


def net(name="MMLUPClassifier", **settings):
    return make(name, **{"max_epochs": 3, **settings})


def age(folder):
    """Let all files be older than this process, as after a crash."""
    for path in folder.iterdir():
        os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MMLUPClassifier", {"learning_rate_decay": True, "verbose": 1}),
        ("MMLUPClassifier", {"bag_of_words": 8}),
        ("PCNNClassifier", {}),
        ("AuxLSTMClassifier", {}),
        ("MultimodalCNN3DClassifier", {}),
        ("COOPNetClassifier", {}),
    ],
)
def test_a_killed_net_goes_on_to_the_same_bits(tmp_path, kill, name, settings):
    X, y = users_of(name), labels()
    whole = net(name, **settings).fit(X, y)
    kill(2)
    with pytest.raises(KilledError):
        net(name, **settings, checkpoint=tmp_path / "new").fit(X, y)
    (path,) = (tmp_path / "new").iterdir()
    assert path.name.startswith(f"{name}-")
    model = net(name, **settings, checkpoint=tmp_path / "new").fit(X, y)
    assert model.n_iter_ == 3
    assert same(probabilities(model, X), probabilities(whole, X))
    assert not list((tmp_path / "new").iterdir())


def test_early_stopping_goes_on_with_its_best_epoch(tmp_path, kill):
    settings = {
        "early_stopping": True,
        "n_iter_no_change": 2,
        "max_epochs": 30,
        "learning_rate": 0.3,
    }
    X, y = users_of("MMLUPClassifier"), labels()
    whole = net(**settings).fit(X, y)
    assert 3 < whole.n_iter_ < 30
    kill(whole.n_iter_ - 1)
    with pytest.raises(KilledError):
        net(**settings, checkpoint=tmp_path).fit(X, y)
    model = net(**settings, checkpoint=tmp_path).fit(X, y)
    assert model.n_iter_ == whole.n_iter_
    assert same(probabilities(model, X), probabilities(whole, X))
    assert not list(tmp_path.iterdir())


def test_callbacks_go_on_as_far_as_a_file_can_hold_them(tmp_path, kill):
    def settings():
        decay = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.1)
        return {"callbacks": [Counting(), ("decay", decay)]}

    X, y = users_of("MMLUPClassifier"), labels()
    whole = net(**settings()).fit(X, y)
    kill(2)
    with pytest.raises(KilledError):
        net(**settings(), checkpoint=tmp_path).fit(X, y)
    model = net(**settings(), checkpoint=tmp_path).fit(X, y)
    assert [row["count"] for row in model.history_] == [1, 2, 3]
    assert same(probabilities(model, X), probabilities(whole, X))


def test_further_training_goes_on_from_the_net_it_began_with(tmp_path, kill):
    X, y = users_of("MMLUPClassifier"), labels()
    settings = {"warm_start": True, "checkpoint": tmp_path}
    whole, model = (net(**settings).fit(X, y) for _ in range(2))
    whole.fit(X, y)
    kill(2)
    with pytest.raises(KilledError):
        model.fit(X, y)
    again = net(**settings).fit(X, y)  # its first three epochs leave the file alone
    assert len(list(tmp_path.iterdir())) == 1
    again.fit(X, y)
    assert again.n_iter_ == 6
    assert same(probabilities(again, X), probabilities(whole, X))
    assert not list(tmp_path.iterdir())
    assert again.partial_fit(X, y).n_iter_ == 7


def test_an_interrupted_training_keeps_its_checkpoint(tmp_path):
    class Impatient(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    X, y = users_of("MMLUPClassifier"), labels()
    settings = {"checkpoint": tmp_path, "early_stopping": True}
    net(**settings, callbacks=[Impatient()]).fit(X, y)
    assert len(list(tmp_path.iterdir())) == 1


# -- sources ---------------------------------------------------------------------------


def line(**settings):
    return LINEEmbedding(
        GRAPH,
        8,
        n_samples=500,
        expansion=None,
        **{"random_state": 0, "verbose": 1, **settings},
    )


def glove(**settings):
    return GloVeTransformer(
        4, min_count=1, max_epochs=4, **{"random_state": 0, **settings}
    )


TEXT = TokenMessages.from_lists(MESSAGES)
SOURCES = pytest.mark.parametrize(
    ("make_source", "learned"),
    [
        (line, lambda made: made.fit().embedding_),
        (glove, lambda made: made.fit(TEXT).vocabulary_.vectors),
    ],
)


@SOURCES
@pytest.mark.parametrize("n_saves", [1, 3])
def test_a_killed_source_goes_on_to_the_same_bits(
    tmp_path, kill, make_source, learned, n_saves
):
    whole = learned(make_source())
    kill(n_saves)
    with pytest.raises(KilledError):
        learned(make_source(checkpoint=tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    assert np.array_equal(learned(make_source(checkpoint=tmp_path)), whole)
    assert not list(tmp_path.iterdir())


def test_the_first_order_is_kept_until_the_second_is_done(tmp_path, kill):
    whole = line().fit()
    kill(-(-500 // GRAPH.adjacency.nnz) + 2)
    with pytest.raises(KilledError):
        line(checkpoint=tmp_path).fit()
    assert len(list(tmp_path.iterdir())) == 2
    kill(10**6)
    model = line(checkpoint=tmp_path).fit()
    assert np.array_equal(model.embedding_, whole.embedding_)
    assert not list(tmp_path.iterdir())


# -- files that do not fit -------------------------------------------------------------


@SOURCES
def test_another_training_is_left_alone_with_a_warning(
    tmp_path, kill, make_source, learned
):
    whole = learned(make_source(random_state=1))
    kill(1)
    with pytest.raises(KilledError):
        learned(make_source(checkpoint=tmp_path))
    # beside it, as the folds of a search
    learned(make_source(random_state=1, checkpoint=tmp_path))
    age(tmp_path)
    with pytest.warns(ProfilingWarning, match="holds 1 checkpoints .* not use, since"):
        found = learned(make_source(random_state=1, checkpoint=tmp_path))
    assert np.array_equal(found, whole)
    assert len(list(tmp_path.iterdir())) == 1


@SOURCES
def test_a_damaged_file_is_told_and_training_starts_anew(
    tmp_path, kill, make_source, learned
):
    whole = learned(make_source())
    kill(1)
    with pytest.raises(KilledError):
        learned(make_source(checkpoint=tmp_path))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(ProfilingWarning, match="is damaged.*trained from the start"):
        found = learned(make_source(checkpoint=tmp_path))
    assert np.array_equal(found, whole)


@SOURCES
def test_a_full_disk_is_told_once_and_costs_no_result(
    tmp_path, monkeypatch, make_source, learned
):
    def no_space(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    whole = learned(make_source())
    monkeypatch.setattr("sklearn_profiling._checkpoints.write_checked", no_space)
    with pytest.warns(ProfilingWarning, match="No space left on device"):
        found = learned(make_source(checkpoint=tmp_path))
    assert np.array_equal(found, whole)


@SOURCES
def test_folder_and_seed_are_checked(tmp_path, make_source, learned):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="checkpoint: a folder is needed"):
        learned(make_source(checkpoint=file))
    with pytest.warns(ProfilingWarning, match="random_state is None: only an int"):
        learned(make_source(checkpoint=tmp_path / "new", random_state=None))
    assert not (tmp_path / "new").exists()


def test_the_folder_of_a_net_is_checked_before_the_work(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="checkpoint: a folder is needed"):
        net(checkpoint=file).fit("no users", labels())
