"""Loader of the MEX-A3T author profiling corpus (Mexican Twitter users)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress
from os import PathLike
from os.path import lexists
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from sklearn_profiling._bounds import bounded_loader
from sklearn_profiling._image_formats import image_endings
from sklearn_profiling._packed_files import check_encodings
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._files import (
    BadLine,
    LineFile,
    OnBadLines,
    check_choice,
    check_min_messages,
    children,
    enough_messages,
)
from sklearn_profiling.datasets.mex_a3t.format import (
    CLASSES,
    IMAGE_FOLDER,
    TASKS,
    TEXT_FOLDER,
    TRUTH,
    TruthRecord,
    natural_order,
    parse_truth_line,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["load_mex_a3t"]


@bounded_loader
def load_mex_a3t(
    path: str | PathLike[str],
    *,
    tasks: Sequence[str] = TASKS,
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    min_messages: int = 0,
    max_bytes: int | None = None,  # noqa: ARG001 - read by bounded_loader
    follow_links: bool = False,  # noqa: ARG001 - read by bounded_loader
) -> UserBunch:
    """Load Mexican Twitter users: their tweets, their images and three attributes.

    The corpus of the MEX-A3T author profiling task of 2019 [1]_ is given out by its
    organisers on request. How its files lie is not described in public; this loader
    expects them in the layout that follows (our choice, after the author profiling
    tasks of PAN), into which a few lines of Python bring any other::

        truth.txt               user_id:::gender:::location:::occupation
        text/USER_ID.txt        one tweet a line
        images/USER_ID/*.jpg    the images, or .png, .gif, .webp ..., in natural order

    Parameters
    ----------
    path : str or path-like
        The folder.
    tasks : sequence of str, default=("gender", "location", "occupation")
        Attributes to load as targets. With an empty sequence ``truth.txt`` is neither
        needed nor read, to predict for users without labels.
    encoding : str or sequence of str, default="utf-8"
        Encodings to try on each whole text file, in order, for example
        ``("utf-8", "latin-1")``.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line that breaks its format: raise an error with file, line
        and fault, or leave it out and count it in ``report``.
    min_messages : int, default=0
        Fewest messages of a user (our choice: 0 keeps all; the paper of Aux-LSTM leaves
        out users with fewer than 50). Those who have fewer are left out and counted in
        ``report["n_users_below_min_messages"]``, and their messages in
        ``report["n_messages_below_min"]``.
    max_bytes : int or None, default=None
        Most bytes of a file, unpacked, and of a line. None takes 100 times the size of
        the file and at least 32 MiB, and 64 MiB for a line (our choice).
    follow_links : bool, default=False
        Read symbolic links that leave the folder; False refuses them.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id``, ``messages`` (list of str, empty if
            missing) and ``images`` (list of paths, empty if missing). Users of
            ``truth.txt`` come first, in its order, then others with a text or images.
        ``target``
            DataFrame of objects with the same index, a column per task; None where a
            label is missing.
        ``graph``
            None: the corpus has no network.
        ``target_names``
            Class names per task, in English.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts of what was read, skipped (by reason) and missing: among them
            "missing_images" and "missing_messages" (users without any),
            "n_images_per_user" (number of users by their number of images) and
            "n_files_ignored" (in other places or with other endings).

    Raises
    ------
    DataFormatError
        If the folder, ``truth.txt`` or all users are missing, or a line is bad under
        ``on_bad_lines="error"``.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    sklearn_profiling.sources.ImageBagTransformer : Reads the images.

    Notes
    -----
    Labels may be in English or Spanish ("northeast", "noreste"), in any case; ``None``
    or nothing marks a missing label. Where the paper names the locations in its text it
    has "south" for what its tables call "west"; the tables are followed. Images are
    listed, not opened: what is broken shows in ``ImageBagTransformer``. Blank lines are
    no tweets.

    References
    ----------
    .. [1] M. E. Aragón, M. Á. Álvarez-Carmona, M. Montes-y-Gómez, H. J. Escalante,
       L. Villaseñor-Pineda, D. Moctezuma. Overview of MEX-A3T at IberLEF 2019:
       Authorship and Aggressiveness Analysis in Mexican Spanish Tweets. IberLEF 2019.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import load_mex_a3t
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "truth.txt").write_text("ana:::female:::north:::arts")
    ...     Path(folder, "text").mkdir()
    ...     _ = Path(folder, "text", "ana.txt").write_text("Buenos días")
    ...     bunch = load_mex_a3t(folder)
    >>> bunch.data["messages"][0], bunch.target.iloc[0].tolist()
    (['Buenos días'], ['female', 'north', 'arts'])
    >>> bunch.report["missing_images"]
    1
    """
    tasks = _check_tasks(tasks)
    check_choice("on_bad_lines", on_bad_lines, get_args(OnBadLines))
    check_encodings(encoding)
    check_min_messages(min_messages)
    folder = Path(path)
    if not folder.is_dir():
        raise DataFormatError(folder, None, "is not a folder")
    truth, files = _read_truth(folder, encoding, on_bad_lines) if tasks else ({}, {})
    texts, n_not_texts = _text_files(folder)
    images_of, n_not_images = _image_files(folder)
    user_ids = list(truth)
    found = sorted({*texts, *images_of} - {*truth}, key=natural_order)
    user_ids += found
    if not user_ids:
        reason = (
            f"no users: {TRUTH}, {TEXT_FOLDER}/*.txt and {IMAGE_FOLDER}/*/ are absent"
        )
        raise DataFormatError(folder, None, reason)

    messages, counts = _read_messages(user_ids, texts, encoding, on_bad_lines)
    enough, below = enough_messages(folder, messages, min_messages)
    user_ids = list(compress(user_ids, enough))
    messages = list(compress(messages, enough))
    counts["n_messages"] -= below["n_messages_below_min"]
    images = [images_of.get(user_id, []) for user_id in user_ids]
    index = pd.RangeIndex(len(user_ids))
    unlabelled = TruthRecord("", None, None, None)
    records = [truth.get(user_id, unlabelled) for user_id in user_ids]
    target = pd.DataFrame(
        {
            task: pd.Series(
                [getattr(record, task) for record in records], index, object
            )
            for task in tasks
        },
        index=index,
    )
    columns = {"user_id": user_ids, "messages": messages, "images": images}
    return UserBunch(
        data=pd.DataFrame(
            {name: pd.Series(cells, index, object) for name, cells in columns.items()}
        ),
        target=target,
        graph=None,
        target_names={task: list(CLASSES[task]) for task in tasks},
        DESCR=load_description("mex_a3t"),
        report={
            "files": files,
            "n_users": len(user_ids),
            "n_users_not_in_truth": len({*user_ids} - {*truth}) if tasks else 0,
            **below,
            "n_labeled_users": int(target.notna().any(axis=1).sum()) if tasks else 0,
            "missing_labels": {task: int(target[task].isna().sum()) for task in tasks},
            "missing_messages": sum(not user for user in messages),
            **counts,
            "missing_images": sum(not user for user in images),
            "n_images": sum(map(len, images)),
            "n_images_per_user": dict(sorted(Counter(map(len, images)).items())),
            "n_files_ignored": n_not_texts + n_not_images,
        },
    )


def _check_tasks(tasks: Sequence[str]) -> list[str]:
    if isinstance(tasks, str):
        msg = f"tasks must be a sequence of names; got the string {tasks!r}"
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    for task in tasks:
        check_choice("each of tasks", task, TASKS)
    return list(dict.fromkeys(tasks))


def _read_truth(
    folder: Path, encoding: str | Sequence[str], on_bad_lines: OnBadLines
) -> tuple[dict[str, TruthRecord], dict[str, Any]]:
    path = folder / TRUTH
    if not lexists(path):
        names = ", ".join(sorted(file.name for file in folder.iterdir()))
        reason = f"{TRUTH} is missing; the folder holds: {names or 'nothing'}"
        raise DataFormatError(folder, None, reason)
    file = LineFile(path, encoding=encoding, on_bad_lines=on_bad_lines)
    truth: dict[str, TruthRecord] = {}
    for line in file:
        try:
            record = parse_truth_line(line)
            if record.user_id in truth:
                detail = f"{record.user_id!r} has an earlier line"
                raise BadLine(kind="duplicate user", detail=detail)  # noqa: TRY301 - handled below, as the parser's faults are
        except BadLine as fault:
            file.bad(fault)
            continue
        file.n_records += 1
        truth[record.user_id] = record
    return truth, {"truth": file.finish()}


def _text_files(folder: Path) -> tuple[dict[str, Path], int]:
    """Return the text of each user and the number of other files."""
    files = _children(folder / TEXT_FOLDER)
    texts = {path.stem: path for path in files if path.suffix == ".txt"}
    return texts, len(files) - len(texts)


def _image_files(folder: Path) -> tuple[dict[str, list[str]], int]:
    """Return the images of each user and the number of other files."""
    images: dict[str, list[str]] = {}
    n_others = 0
    endings = image_endings()
    for user in _children(folder / IMAGE_FOLDER):
        if not user.is_dir():
            n_others += 1
            continue
        files = _children(user)
        kept = [str(file) for file in files if file.suffix.lower() in endings]
        images[user.name] = kept
        n_others += len(files) - len(kept)
    return images, n_others


def _children(folder: Path) -> list[Path]:
    """Return what is in a folder, in natural order; hidden files are left out."""
    if not folder.is_dir():
        return []
    found = [path for path in children(folder) if not path.name.startswith(".")]
    return sorted(found, key=lambda path: natural_order(path.name))


def _read_messages(
    user_ids: Sequence[str],
    texts: dict[str, Path],
    encoding: str | Sequence[str],
    on_bad_lines: OnBadLines,
) -> tuple[list[list[str]], dict[str, Any]]:
    messages: list[list[str]] = []
    skipped: Counter[str] = Counter()
    n_lines = n_blank = 0
    for user_id in user_ids:
        if user_id not in texts:
            messages.append([])
            continue
        file = LineFile(texts[user_id], encoding=encoding, on_bad_lines=on_bad_lines)
        messages.append(list(file))
        skipped += file.skipped
        n_lines += file.n_lines
        n_blank += file.n_blank
    return messages, {
        "n_message_lines": n_lines,
        "n_messages": sum(map(len, messages)),
        "n_blank_messages": n_blank,
        "skipped_messages": dict(skipped),
    }
