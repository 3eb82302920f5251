"""Files are replaced whole or not at all: kills, full disks, links, several at once."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from sklearn_profiling import _writing
from sklearn_profiling._writing import check_writable, write_atomically

AS_ROOT = os.geteuid() == 0


def write(path, content=b"new"):
    """Write content, and raise what is none."""
    with write_atomically(path) as stream:
        if not isinstance(content, bytes):
            stream.write(b"part")
            raise content
        stream.write(content)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"old")
    return file


@contextmanager
def no_access_to(place, monkeypatch):
    """Root has access to all, so it is denied here."""
    access = os.access
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda p, mode: p != place and access(p, mode))
        yield


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with write_atomically(path) as stream:
        stream.write(b"content")
        assert not path.exists()
        (unfinished,) = path.parent.iterdir()
        assert f".{os.getpid()}." in unfinished.name
    assert path.read_bytes() == b"content"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError])
def test_after_an_error_the_old_file_stays(path, error):
    with pytest.raises(error):
        write(path, content=error)
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("full", ["write", "fsync"])
def test_a_full_disk_names_the_file_and_leaves_the_old_one(path, full, monkeypatch):
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(_):
        raise error

    if full == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=f"No space left.*'{path}'") as raised:
        write(path, error if full == "write" else b"new")
    assert raised.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


def test_another_files_error_keeps_its_name(path):
    with pytest.raises(FileNotFoundError, match="absent"), write_atomically(path):
        Path("absent").stat()


def test_all_reaches_the_disk_before_the_name(path, monkeypatch):
    synced = []
    sync = os.fsync

    def note(descriptor):
        mode = os.fstat(descriptor).st_mode
        synced.append(("folder" if stat.S_ISDIR(mode) else "file", path.read_bytes()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write(path)
    assert synced == [("file", b"old"), ("folder", b"new")]


def test_a_folder_that_cannot_be_synced(path, monkeypatch):
    sync = os.fsync

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    write(path)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_permissions_are_kept(path, mode):
    path.chmod(mode)
    with write_atomically(path) as stream:
        assert stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == mode
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_permissions(path):
    usual = path.with_name("usual")
    usual.touch()
    new = path.with_name("new")
    write(new)
    assert new.stat().st_mode == usual.stat().st_mode


def test_where_there_are_no_permissions(path, monkeypatch):
    def fail(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    path.chmod(0o600)
    monkeypatch.setattr(Path, "chmod", fail)
    write(path)
    assert path.read_bytes() == b"new"


def test_links_are_followed(path, tmp_path):
    (tmp_path / "other").mkdir()
    link, hanging = tmp_path / "other" / "link", tmp_path / "hanging"
    link.symlink_to("../file")
    hanging.symlink_to("other/new")
    write(link)
    write(hanging, b"newer")
    assert link.is_symlink()
    assert hanging.is_symlink()
    assert path.read_bytes() == b"new"
    assert (tmp_path / "other" / "new").read_bytes() == b"newer"


def test_links_in_a_circle(tmp_path):
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match=f"levels of symbolic links: '{circle}'"):
        write(circle)
    assert circle.is_symlink()


def test_long_names(tmp_path):
    path = tmp_path / ("名" * 85)
    write(path)
    assert path.read_bytes() == b"new"


def test_what_is_no_file_is_refused_before_the_work(tmp_path):
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    for path, error, kind in (
        (tmp_path, IsADirectoryError, "folder"),
        (fifo, OSError, "FIFO"),
        (link, OSError, "FIFO"),
        (Path("/dev/null"), OSError, "device"),
    ):
        for refuse in (check_writable, write):
            with pytest.raises(error, match=f"^a file is needed; {path} is a {kind}$"):
                refuse(path)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    with pytest.raises(OSError, match=f"^--results: a folder is .* {fifo} is a FIFO$"):
        check_writable(fifo, "--results", folder=True)
    assert {*tmp_path.iterdir()} == {fifo, link}


def test_folders_of_results(path):
    check_writable(path.parent, folder=True)
    check_writable(path.parent / "new" / "folder", folder=True)
    assert [*path.parent.iterdir()] == [path]
    with pytest.raises(NotADirectoryError, match="a folder is needed"):
        check_writable(path, folder=True)
    for folder in (True, False):
        with pytest.raises(NotADirectoryError, match=f"^{path} is no folder, so"):
            check_writable(path / "x", folder=folder)


def test_what_must_not_be_changed_is_refused(path, monkeypatch):
    for place in (path, path.parent):
        said = pytest.raises(PermissionError, match=f"^{place} cannot be written to")
        with no_access_to(place, monkeypatch), said:
            write(path)
    with no_access_to(path.parent, monkeypatch):
        for folder in (True, False):
            with pytest.raises(PermissionError, match="cannot be written to"):
                check_writable(path.parent / "new" / "x", folder=folder)
    assert path.read_bytes() == b"old"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_permissions_of_the_system_are_asked(path):
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=f"^{path} cannot be written to"):
        write(path)


# -- several at once, and processes that died ------------------------------------------

WRITER = """
import sys
from pathlib import Path
from sklearn_profiling._writing import write_atomically
path, number, n_blocks = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
while True:
    with write_atomically(path) as stream:
        for _ in range(n_blocks):
            stream.write(number.to_bytes(4, "big") * 4096)
    number += 2
"""
N_BLOCKS = 512  # of 16 kB


def start(path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(number), str(N_BLOCKS)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process


def kill(process):
    process.kill()
    process.wait()


def whole(path):
    content = path.read_bytes()
    assert len(content) == N_BLOCKS * 16384
    assert content == content[:4] * (len(content) // 4)
    return int.from_bytes(content[:4], "big")


def unfinished(folder):
    return [*folder.glob("*.part")]


def test_kills_leave_a_whole_file_and_no_rest(tmp_path):
    """Kill writers of 8 MB at random moments; two write to one file."""
    path = tmp_path / "model"
    write(path, (0).to_bytes(4, "big") * 4096 * N_BLOCKS)
    moments = np.random.default_rng(0)
    n_left = 0
    for _ in range(20):
        writers = [start(path, number) for number in (1, 2)]
        sleep(moments.uniform(0.005, 0.1))
        for writer in writers:
            kill(writer)
            whole(path)
        n_left += bool(unfinished(tmp_path))
    assert n_left > 0
    # What is left goes when another process writes, however often it was killed.
    last = start(path, 1_000_000)
    deadline = monotonic() + 30
    while whole(path) < 1_000_000:
        assert monotonic() < deadline
        sleep(0.01)
    kill(last)
    assert all(f".{last.pid}." in part.name for part in unfinished(tmp_path))
    _writing._remove_unfinished.cache_clear()
    write(path)
    assert [*tmp_path.iterdir()] == [path]


def test_what_a_live_process_writes_is_left_alone(tmp_path):
    path, other = tmp_path / "file", tmp_path / "other"
    with write_atomically(path) as stream:
        stream.write(b"slow")
        _writing._remove_unfinished.cache_clear()
        write(other)
        assert len(unfinished(tmp_path)) == 1
    assert path.read_bytes() == b"slow"


def test_only_what_this_package_left_is_removed(tmp_path):
    left = [tmp_path / f"{name}.12.0123abcd.part" for name in ("file", "other")]
    kept = [tmp_path / "film.mp4.part", tmp_path / "file.12.0123abcd.part.gz"]
    for place in (*left, *kept):
        place.touch()
    folder, fifo = tmp_path / "a.1.0123abcd.part", tmp_path / "b.1.0123abcd.part"
    folder.mkdir()
    os.mkfifo(fifo)
    path = tmp_path / "file"
    write(path)
    assert {*tmp_path.iterdir()} == {*kept, folder, fifo, path}


def test_a_file_that_is_removed_before_it_is_locked(path, monkeypatch):
    """Another process may see it in the moment between its creation and its lock."""
    lock = _writing.fcntl.flock
    removed = []

    def remove_first(stream, how):
        if not removed:
            removed.extend(unfinished(path.parent))
            removed[0].unlink()
        lock(stream, how)

    monkeypatch.setattr(_writing.fcntl, "flock", remove_first)
    write(path)
    assert path.read_bytes() == b"new"
    assert len(removed) == 1
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("without", ["locks", "module"])
def test_without_locks_nothing_is_removed(path, without, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    if without == "locks":
        monkeypatch.setattr(_writing.fcntl, "flock", fail)
    else:
        monkeypatch.setattr(_writing, "fcntl", None)
    left = path.with_name("file.12.0123abcd.part")
    left.touch()
    write(path)
    assert path.read_bytes() == b"new"
    assert {*path.parent.iterdir()} == {path, left}


def test_a_folder_that_cannot_be_listed(path, monkeypatch):
    def fail(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", fail)
    write(path)
    assert path.read_bytes() == b"new"


def test_a_file_that_another_writes_while_the_path_is_checked(tmp_path, monkeypatch):
    path = tmp_path / "file"
    resolve = os.path.realpath

    def write_first(place):
        path.write_bytes(b"old")
        return resolve(place)

    monkeypatch.setattr(os.path, "realpath", write_first)
    check_writable(path)


def test_threads_write_one_file(tmp_path):
    path = tmp_path / "file"
    barrier = threading.Barrier(4)

    def repeat(number):
        barrier.wait()
        for _ in range(20):
            write(path, bytes([number]) * 100_000)
            content = path.read_bytes()
            assert content == content[:1] * 100_000

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(repeat, range(4)))
    assert [*tmp_path.iterdir()] == [path]
