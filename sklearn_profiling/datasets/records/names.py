"""Names that columns of ids and of messages have where users come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pyarrow as pa

from sklearn_profiling.datasets.records.tables import Column, RawTable, is_text
from sklearn_profiling.exceptions import DataFormatError

#: Names of one thing, the best first; blanks, hyphens and underscores do not count.
#: An earlier group is preferred, two names of one group are ambiguous.
#: Column of objects of task: label.
LABELS: Final = "labels"
_IDS: Final = (
    (
        ("userid", "useridstr", "user.idstr", "user.id"),
        ("authorid", "author.id"),
        ("uid",),
        ("fromid", "fromuserid", "from.id"),
        ("accountid", "account.id", "account.acct"),
        ("author.did", "did"),
        ("authorchannelid", "authorchannelid.value"),
    ),
    (
        ("author", "author.username"),
        ("username", "user", "user.username", "screenname", "user.screenname"),
        ("handle",),
    ),
    (("idstr", "id"),),
)
_TEXTS: Final = (
    (("messages", "texts"),),
    (
        ("notetweet.text", "extendedtweet.fulltext", "fulltext", "text"),
        ("body", "title+selftext"),
        ("rawcontent", "content", "renderedcontent"),
        ("tweets", "tweet", "tweettext"),
        ("posts", "post", "posttext"),
        ("comments", "comment", "commenttext", "commentbody"),
        ("message", "messagetext"),
        ("review", "reviewtext"),
        ("textoriginal", "textdisplay"),
        ("record.text",),
        ("正文", "微博正文"),
    ),
)
_SAMPLE: Final = 1000
_IGNORED = re.compile(r"[\s_-]")


class TextChoice(NamedTuple):
    """Columns of messages; a row's message is the first that it has.

    `strict` ones must not both stand in a row. A pair joined by "+" is a title and
    the text below it.
    """

    columns: tuple[str, ...]
    strict: bool = False

    @property
    def names(self) -> list[str]:
        """Names of the columns, a pair as two."""
        return [*self.columns, *(part for c in self.columns for part in c.split("+"))]


def is_known(name: str) -> bool:
    """Tell if a name is that of a column of ids or of messages."""
    return is_id(name) or is_text_name(name)


def is_text_name(name: str) -> bool:
    """Tell if a name is that of a column of messages."""
    return _plain(name) in _TEXT_NAMES


def is_id(name: str) -> bool:
    """Tell if a name is that of a column of ids."""
    return _plain(name) in _ID_NAMES


def _plain(name: str) -> str:
    return _IGNORED.sub("", name).lower()


_ID_NAMES: Final = {name for groups in _IDS for group in groups for name in group}
_TEXT_NAMES: Final = {
    part
    for groups in _TEXTS
    for group in groups
    for name in group
    for part in name.split("+")
}


def choose_id(table: RawTable, wanted: str, where: Path) -> str:
    """Return the column of ids: the named one, or "auto" the known one."""
    if wanted != "auto":
        if wanted not in table:
            raise missing_column(table, where, "id_column", wanted)
        return wanted
    found = _Found(table, where, _is_scalar)
    for groups in _IDS:
        groups_found = [names for group in groups if (names := found.of(group))]
        if groups_found:
            return found.one(groups_found, "ids", "id_column")[0]
    reason = f"no column of ids is known among {table.listed()}; name it by id_column"
    if table.untyped:
        reason += ", or write a header if this is the first row of data"
    raise DataFormatError(where, None, reason)


def choose_text(
    table: RawTable,
    wanted: str | Literal[False] | None,
    where: Path,
    others: Collection[str],
) -> TextChoice | None:
    """Return the columns of messages: the named one, or the known ones.

    `others` are no text. Without a known column, one that may be text is an error.
    """
    if wanted is False:
        return None
    if wanted is not None:
        if wanted not in table:
            raise missing_column(table, where, "text_column", wanted)
        return TextChoice((wanted,))
    known = _known_text(table, where, others)
    if known is not None:
        return known
    if any(
        _may_be_text(column)
        for name, column in table.columns.items()
        if name not in others
    ):
        reason = (
            f"no column of messages is known among {table.listed()}; name it by "
            f"text_column, or give False if there is none"
        )
        raise DataFormatError(where, None, reason)
    return None


def _known_text(
    table: RawTable, where: Path, others: Collection[str]
) -> TextChoice | None:
    """Return the columns of messages that are known by their names."""
    named = _Found(table, where).of(_TEXTS[0][0])
    if named:
        return TextChoice(tuple(named), strict=True)
    found = _Found(table, where, _may_be_text, others)
    groups = [names for group in _TEXTS[1] if (names := found.of(group))]
    if groups:
        return TextChoice(tuple(found.one(groups, "messages", "text_column")))
    return None


def widen_text(
    choice: TextChoice, table: RawTable, where: Path, others: Collection[str]
) -> TextChoice:
    """Add the columns of messages that earlier rows of the same table lack.

    Those of one group of names are read together; other ones are ambiguous.
    """
    found = _known_text(table, where, others)
    if found is None or set(found.columns) <= set(choice.columns):
        return choice
    names = {_plain(name): name for name in (*choice.columns, *found.columns)}
    for group in (*_TEXTS[0], *_TEXTS[1]):
        if names.keys() <= set(group):
            columns = tuple(names[name] for name in group if name in names)
            return TextChoice(columns, choice.strict)
    reason = (
        f"messages of later rows are in {found.columns[0]!r:.60}, those of earlier "
        f"ones in {choice.columns[0]!r:.60}; name the column by text_column"
    )
    raise DataFormatError(where, None, reason)


class _Found:
    """Finds the columns of a table by their known names."""

    def __init__(
        self,
        table: RawTable,
        where: Path,
        suits: Callable[[Column], bool] | None = None,
        others: Collection[str] = (),
    ) -> None:
        self._where = where
        self._table = table
        self._suits = suits
        self._names: dict[str, list[str]] = {}
        for name in table.names():
            if name not in others:
                self._names.setdefault(_plain(name), []).append(name)

    def of(self, group: Sequence[str]) -> list[str]:
        """Return the columns of a group of names, the best first."""
        found = []
        for name in group:
            parts = [self._named(part) for part in name.split("+")]
            if all(parts):
                found.append("+".join(part for part in parts if part))
        return found

    def _named(self, plain: str) -> str | None:
        names = [
            name
            for name in self._names.get(plain, ())
            if self._suits is None or self._suits(self._table.find(name))
        ]
        if len(names) > 1:
            shown = " and ".join(map(repr, names))
            reason = f"two columns of one name: {shown}; name one by its parameter"
            raise DataFormatError(self._where, None, reason)
        return names[0] if names else None

    def one(self, groups: list[list[str]], what: str, parameter: str) -> list[str]:
        """Return the only group, or raise an error."""
        if len(groups) > 1:
            shown = ", ".join(repr(names[0]) for names in groups)
            reason = f"several columns may be {what}: {shown}; name one by {parameter}"
            raise DataFormatError(self._where, None, reason)
        return groups[0]


def _is_scalar(column: Column) -> bool:
    if isinstance(column, pa.ChunkedArray):
        return not pa.types.is_nested(column.type)
    return not any(isinstance(cell, dict | list) for cell in column[:_SAMPLE])


def _may_be_text(column: Column) -> bool:
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            kind = column.type.value_type
            return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
        return is_text(column)
    return any(
        isinstance(cell, str)
        or (isinstance(cell, list) and any(isinstance(text, str) for text in cell))
        for cell in column[:_SAMPLE]
    )


def missing_column(
    table: RawTable, where: Path, parameter: str, name: str
) -> DataFormatError:
    """Return the error that a named column is not there."""
    reason = (
        f"no record has {name!r} (given as {parameter}); there are {table.listed()}"
    )
    return DataFormatError(where, None, reason)
