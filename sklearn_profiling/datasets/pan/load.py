"""Loader of the author profiling corpora of PAN."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, pairwise
from math import inf
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from sklearn_profiling._bounds import bounded_loader, check_file
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
    check_no_loop,
    children,
    enough_messages,
)
from sklearn_profiling.datasets.mex_a3t.format import natural_order
from sklearn_profiling.datasets.pan.format import (
    BIG_FIVE,
    IMAGE_FOLDERS,
    TEXT_FOLDER,
    BadAuthor,
    bin_score,
    clean_label,
    labels_of,
    name_columns,
    parse_author,
    parse_file_name,
    parse_truth_line,
)
from sklearn_profiling.exceptions import DataFormatError, shortened

__all__ = ["holds_authors", "load_pan"]

_HEAD = 4096

Key = tuple[Path, str]
"""The folder of a language, and an author's id."""


@bounded_loader
def load_pan(
    path: str | PathLike[str],
    *,
    tasks: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    score_edges: Sequence[float] | None = None,
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    min_messages: int = 0,
    max_bytes: int | None = None,  # noqa: ARG001 - read by bounded_loader
    follow_links: bool = False,  # noqa: ARG001 - read by bounded_loader
) -> UserBunch:
    """Load an author profiling corpus of PAN: one XML file an author, and the truth.

    PAN gives out such a corpus for each of its shared tasks from 2013 to 2022 [1]_. All
    of these layouts are read, for one language or a folder with several::

        [LANG/]USER_ID.xml          or text/USER_ID.xml, the author's documents
        [LANG/]truth.txt            user_id:::label[:::label ...]
        [LANG/]photo/USER_ID/*.jpg  the images of 2018, in natural order

    Parameters
    ----------
    path : str or path-like
        The folder of a corpus or of one of its languages; everything below is read.
    tasks : sequence of str or None, default=None
        Attributes to load as targets; None loads all. With an empty sequence the truth
        is neither needed nor read, to predict for users without labels.
    target_names : sequence of str or None, default=None
        Names of the columns of the truth after the id, for example
        ``("hate_speech",)``. None recognises them, as the notes tell.
    score_edges : sequence of float or None, default=None
        Rising edges that bin the scores of personality (2015) into classes: with
        ``(0, 0.2)`` "below 0", "0 to 0.2" and "0.2 or more". None leaves the scores
        as the strings they are.
    encoding : str or sequence of str, default="utf-8"
        Encodings to try on each truth file, in order. XML files state their own.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line of the truth or an author's file that breaks its format:
        raise an error with file, line and fault, or leave it out and count it in
        ``report``.
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
            missing), ``images`` (list of paths, if any user has one) and ``language``
            (if there is more than one). Users of the truth come first, in its order.
        ``target``
            DataFrame of objects with the same index, a column per task; None where a
            label is missing.
        ``graph``
            None: the corpora have no network.
        ``target_names``
            Class names per task, sorted.
        ``DESCR``
            Description of the corpora.
        ``report``
            Counts of what was read, skipped (by reason) and missing: "n_author_files"
            is the sum of "n_authors_read" and "skipped_authors", "n_documents" of
            "n_messages", "n_messages_without_text" and "n_messages_below_min".
            "columns" names the columns of the truth, "n_users_per_language" counts
            users.

    Raises
    ------
    DataFormatError
        If the folder or all users are missing, the truth has another number of columns
        than `target_names`, two files hold the same author, or a line or file is bad
        under ``on_bad_lines="error"``.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    dump_pan_predictions : Writes predictions as the shared tasks ask for them.
    load_mex_a3t : Loads folders with one text file a user.

    Notes
    -----
    **Columns** of the truth are recognised by their values, whatever their order:
    ``gender``; ``age_group`` (2013 to 2016); ``extroverted``, ``stable``,
    ``agreeable``, ``conscientious`` and ``open`` (2015: the last five columns, if all
    are decimals from -1 to 1); ``variety`` (2017); ``bot`` (2019: "bot", "human");
    ``spreader`` (2020 and 2021: a single column of "0" and "1", for fake news and hate
    speech, which the files do not tell apart); ``irony`` (2022: "I", "NI"). Other
    columns are ``label0``, ``label1`` ... by their place.

    **Labels** stay as they are written, apart from genders ("M", "FEMALE"), which
    become "male" and "female". ``XX-XX``, ``UNK``, ``None`` or nothing mark a missing
    label, and the gender "bot" of 2019 is missing too: a bot has none.

    **Truth** is ``truth.txt``; where a folder has none, all its ``truth-*.txt`` (2013,
    2019) and ``LANG.txt`` in the folder LANG (2018). It may lie in the folder of a
    language or above. Authors it does not list take their labels from the name
    ``id_lang_age_gender.xml`` (2013) or from ``gender`` and ``age_group`` of
    ``<author>`` (2013, 2014).

    **Messages** are the texts of ``<document>`` and ``<conversation>`` (2013) without
    blanks around them. HTML within stays. Documents without text, as the tweets of 2014
    that have to be downloaded, are counted and left out. An id is the file's name; ids
    that occur in several folders become ``FOLDER/ID``. A file that declares a document
    type or an entity is bad: nothing is expanded or fetched. Celebrity profiling (2019,
    2020) comes as JSON lines and is no such corpus: see :func:`load_records`.

    References
    ----------
    .. [1] F. Rangel, P. Rosso et al. Overviews of the author profiling tasks at PAN.
       CLEF 2013 to 2022, working notes. https://pan.webis.de

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import load_pan
    >>> document = "<document><![CDATA[Rain & tea]]></document>"
    >>> author = f'<author lang="en"><documents>{document}</documents></author>'
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ann.xml").write_text(author)
    ...     _ = Path(folder, "truth.txt").write_text("ann:::female:::great britain")
    ...     bunch = load_pan(folder)
    >>> bunch.data["messages"][0]
    ['Rain & tea']
    >>> bunch.target.to_dict("records")
    [{'gender': 'female', 'variety': 'great britain'}]
    """
    check_choice("on_bad_lines", on_bad_lines, get_args(OnBadLines))
    check_encodings(encoding)
    check_min_messages(min_messages)
    wanted = _check_names("tasks", tasks)
    names = _check_names("target_names", target_names)
    edges = _check_edges(score_edges)
    folder = Path(path)
    if not folder.is_dir():
        raise DataFormatError(folder, None, "is not a folder")
    found = _find(folder)
    authors, counts = _read_authors(found.authors, on_bad_lines)
    truth = _Truth([] if wanted == [] else found.truths, encoding, on_bad_lines)
    labels, columns = truth.labels(names, edges)
    users, n_listed = _match(authors, found.images, labels)
    _check_match(folder, [*authors, *found.images], [*users][:n_listed])
    if not users:
        reason = (
            f"no users: *.xml of authors, {IMAGE_FOLDERS[0]}/*/ and truth.txt are "
            f"absent, here and below"
        )
        raise DataFormatError(folder, None, reason)
    texts = [authors[key].messages if key in authors else [] for key in users]
    enough, below = enough_messages(folder, texts, min_messages)
    n_listed = sum(enough[:n_listed])
    users = dict(compress(users.items(), enough))
    counts["n_messages"] -= below["n_messages_below_min"]
    data, languages = _make_data(folder, list(users), authors, found.images)
    target = _make_target(list(users.values()), wanted, columns)
    return UserBunch(
        data=data,
        target=target,
        graph=None,
        target_names={
            task: sorted(target[task].dropna().unique().tolist()) for task in target
        },
        DESCR=load_description("pan"),
        report={
            "files": truth.files,
            "columns": columns,
            **counts,
            **below,
            "n_users": len(users),
            "n_users_per_language": languages,
            "n_users_without_author_file": len({*users} - {*authors}),
            "n_users_not_in_truth": len(users) - n_listed if truth.files else 0,
            "n_labeled_users": int(target.notna().any(axis=1).sum()),
            "missing_labels": {task: int(target[task].isna().sum()) for task in target},
            "missing_messages": int((data["messages"].str.len() == 0).sum()),
            "n_images": sum(len(found.images.get(key, ())) for key in users),
            "n_files_ignored": found.n_ignored,
        },
    )


def holds_authors(folder: Path) -> bool:
    """Tell if a folder looks like a corpus, by an author at most two folders down."""
    for pattern in ("*.xml", "*/*.xml", f"*/{TEXT_FOLDER}/*.xml"):
        for path in folder.glob(pattern):
            if not path.name.startswith("."):
                check_file(path)
                with path.open("rb") as file:
                    return b"<author" in file.read(_HEAD)
    return False


def _check_names(name: str, values: Sequence[str] | None) -> list[str] | None:
    if values is None:
        return None
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        msg = f"{name} must be None or a sequence of names; got {values!r}"
        raise ValueError(msg)
    if len(set(values)) < len(values):
        msg = f"{name} must not name a task twice; got {list(values)!r}"
        raise ValueError(msg)
    return list(values)


def _check_edges(edges: Sequence[float] | None) -> list[float]:
    if edges is None:
        return []
    values = [float(edge) for edge in edges]
    if not values or not all(a < b for a, b in pairwise([-inf, *values, inf])):
        msg = f"score_edges must be None or finite rising numbers; got {edges!r}"
        raise ValueError(msg)
    return values


@dataclass
class _Found:
    """The files of a corpus by their kind, each kind in natural order."""

    authors: list[tuple[Path, Path]] = field(default_factory=list)
    truths: list[tuple[Path, Path]] = field(default_factory=list)
    images: dict[Key, list[str]] = field(default_factory=dict)
    n_ignored: int = 0


def _find(folder: Path) -> _Found:
    """List the files; each author's and truth with the folder of its language."""
    found = _Found()
    truths: dict[Path, list[Path]] = {}
    images = image_endings()
    for path in _walk(folder):
        base, parent = path.parent, path.parent
        if parent.name == TEXT_FOLDER and parent != folder:
            base = parent.parent
        ending = path.suffix.lower()
        if ending == ".xml":
            found.authors.append((base, path))
        elif ending == ".txt" and _may_be_truth(path, base):
            truths.setdefault(base, []).append(path)
        elif ending in images and parent.parent.name in IMAGE_FOLDERS:
            key = (parent.parent.parent, parent.name)
            found.images.setdefault(key, []).append(str(path))
        else:
            found.n_ignored += 1
    # the nearest truth comes first
    for base in sorted(truths, key=lambda base: -len(base.parts)):
        exact = [path for path in truths[base] if path.name.lower() == "truth.txt"]
        used = exact or truths[base]
        found.truths += [(base, path) for path in used]
        found.n_ignored += len(truths[base]) - len(used)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files below in natural order; what is hidden is left out."""
    for path in sorted(children(folder), key=lambda path: natural_order(path.name)):
        if path.name.startswith((".", "__MACOSX")):
            continue
        if path.is_dir():
            check_no_loop(path)
            yield from _walk(path)
        else:
            yield path


def _may_be_truth(path: Path, base: Path) -> bool:
    return path.stem.lower().startswith("truth") or path.stem == base.resolve().name


@dataclass
class _User:
    """What an author's file and its name tell."""

    language: str | None
    messages: list[str]
    labels: dict[str, str | None]
    stem: str


def _read_authors(
    files: Sequence[tuple[Path, Path]], on_bad_lines: OnBadLines
) -> tuple[dict[Key, _User], dict[str, Any]]:
    users: dict[Key, _User] = {}
    skipped: Counter[str] = Counter()
    n_without_text = 0
    for base, path in files:
        named = parse_file_name(path.stem)
        key = (base, named.user_id)
        try:
            if key in users:
                kind, detail = "duplicate author", f"{key[1]!r} has an earlier file"
                raise BadAuthor(kind, detail, None)  # noqa: TRY301 - handled below, as the parser's faults are
            check_file(path)
            author = parse_author(path.read_bytes())
        except BadAuthor as fault:
            if on_bad_lines == "error":
                raise DataFormatError(path, fault.line, str(fault)) from fault
            skipped[fault.kind] += 1
            continue
        language = author.attributes.get("lang", "").lower() or named.language
        labels = {**labels_of(author.attributes), **named.labels}
        users[key] = _User(language, author.messages, labels, path.stem)
        n_without_text += author.n_without_text
    n_messages = sum(len(user.messages) for user in users.values())
    return users, {
        "n_author_files": len(files),
        "n_authors_read": len(users),
        "skipped_authors": dict(skipped),
        "n_documents": n_messages + n_without_text,
        "n_messages": n_messages,
        "n_messages_without_text": n_without_text,
    }


class _Truth:
    """The lines of all truth files: by folder and id, the fields of the labels."""

    def __init__(
        self,
        paths: Sequence[tuple[Path, Path]],
        encoding: str | Sequence[str],
        on_bad_lines: OnBadLines,
    ) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self._rows: dict[Key, list[str]] = {}
        self._widths: dict[int, Path] = {}
        for base, path in paths:
            file = LineFile(path, encoding=encoding, on_bad_lines=on_bad_lines)
            self._read(base, file)
            self.files[str(path)] = file.finish()

    def _read(self, base: Path, file: LineFile) -> None:
        n_labels: int | None = None
        for line in file:
            try:
                user_id, *fields = parse_truth_line(line, n_labels)
                if (base, user_id) in self._rows:
                    detail = f"{user_id!r} has an earlier line"
                    raise BadLine(kind="duplicate user", detail=detail)  # noqa: TRY301 - handled below, as the parser's faults are
            except BadLine as fault:
                file.bad(fault)
                continue
            file.n_records += 1
            n_labels = len(fields)
            self._widths.setdefault(n_labels, file.path)
            self._rows[base, user_id] = fields

    def labels(
        self, names: Sequence[str] | None, edges: Sequence[float]
    ) -> tuple[dict[Key, dict[str, str | None]], list[str]]:
        """Return the labels by task, and the names of all columns."""
        columns: dict[int, list[str]] = {}
        for width, path in self._widths.items():
            if names is not None and len(names) != width:
                reason = (
                    f"the lines have {width} labels after the id, target_names has "
                    f"{len(names)}: {list(names)}"
                )
                raise DataFormatError(path, None, reason)
            rows = [row for row in self._rows.values() if len(row) == width]
            columns[width] = name_columns(rows) if names is None else list(names)
        labels = {
            key: {
                task: _label(task, label, edges, self._widths[len(row)])
                for task, label in zip(columns[len(row)], row, strict=True)
            }
            for key, row in self._rows.items()
        }
        return labels, list(dict.fromkeys(chain(*columns.values())))


def _label(task: str, text: str, edges: Sequence[float], path: Path) -> str | None:
    """Return a label; scores are binned if there are edges."""
    label = clean_label(task, text)
    if label is None or task not in BIG_FIVE or not edges:
        return label
    try:
        return bin_score(label, edges)
    except ValueError as error:
        reason = f"{task} must be a number to be binned by score_edges; got {text!r}"
        raise DataFormatError(path, None, reason) from error


def _match(
    authors: dict[Key, _User],
    images: dict[Key, list[str]],
    truth: dict[Key, dict[str, str | None]],
) -> tuple[dict[Key, dict[str, str | None]], int]:
    """Return each user's labels, those of the truth first, and the number of these.

    A truth labels the authors in its folder and below, which have no nearer one.
    """
    keys_of: dict[str, list[Key]] = {}
    for key in dict.fromkeys([*authors, *images]):
        stem = authors[key].stem if key in authors else key[1]
        for name in {key[1], stem}:
            keys_of.setdefault(name, []).append(key)
    users: dict[Key, dict[str, str | None]] = {}
    for (base, user_id), labels in truth.items():
        matching = [
            key
            for key in keys_of.get(user_id)
            or keys_of.get(user_id.removesuffix(".xml"), [])
            if key[0] == base or base in key[0].parents
        ]
        for key in matching or [(base, user_id)]:
            users.setdefault(key, labels)
    n_listed = len(users)
    for key in dict.fromkeys([*authors, *images]):
        users.setdefault(key, authors[key].labels if key in authors else {})
    return users, n_listed


def _check_match(folder: Path, found: Sequence[Key], listed: Sequence[Key]) -> None:
    """Raise an error if the truth knows none of the users that have files."""
    if found and listed and {*found}.isdisjoint(listed):
        names = [", ".join(shortened(key[1]) for key in s[:3]) for s in (listed, found)]
        reason = (
            f"the truth labels none of the users: it has {names[0]}, the files are "
        )
        raise DataFormatError(folder, None, f"{reason}of {names[1]}")


def _make_data(
    folder: Path,
    keys: Sequence[Key],
    authors: dict[Key, _User],
    images: dict[Key, list[str]],
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the users, and the number of users per language."""
    times = Counter(user_id for _, user_id in keys)
    languages = [
        (key in authors and authors[key].language) or _language_of(key[0])
        for key in keys
    ]
    columns: dict[str, list[Any]] = {
        "user_id": [
            user_id
            if times[user_id] == 1 or base == folder
            else f"{base.relative_to(folder).as_posix()}/{user_id}"
            for base, user_id in keys
        ],
        "messages": [authors[key].messages if key in authors else [] for key in keys],
    }
    if images:
        columns["images"] = [images.get(key, []) for key in keys]
    counts = Counter(language or "unknown" for language in languages)
    if len(counts) > 1:
        columns["language"] = languages
    index = pd.RangeIndex(len(keys))
    data = {name: pd.Series(cells, index, object) for name, cells in columns.items()}
    return pd.DataFrame(data), dict(counts)


def _language_of(base: Path) -> str | None:
    name = base.resolve().name
    return name if len(name) == 2 and name.isalpha() else None


def _make_target(
    users: Sequence[dict[str, str | None]],
    wanted: Sequence[str] | None,
    columns: Sequence[str],
) -> pd.DataFrame:
    """Return the labels of the wanted tasks, by default of all that have a column."""
    named = (task for user in users for task in user if user[task] is not None)
    tasks = list(dict.fromkeys([*columns, *named]))
    for task in wanted or ():
        check_choice("each of tasks", task, tasks)
    index = pd.RangeIndex(len(users))
    cells = {
        task: pd.Series([user.get(task) for user in users], index, object)
        for task in (tasks if wanted is None else wanted)
    }
    return pd.DataFrame(cells, index=index)
