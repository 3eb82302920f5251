"""Pseudonyms for ids, and tokens in place of what names a person in messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.evaluation._users import is_null
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text._markup import person_pattern

__all__ = ["pseudonymise"]

_TOKENS: Mapping[str, str] = {
    "link": "<link>",
    "mail": "<mail>",
    "handle": "<handle>",
    "phone": "<phone>",
}
_LEAST_KEY = 16
_LONGEST_KEY = 64  # bytes, BLAKE2's own bound


def pseudonymise(
    messages: Any, *, key: str | bytes, id_column: str = "user_id", strip: bool = False
) -> Any:
    """Hash ids with a key, and take out what names a person in the messages.

    Links, mail addresses, handles (``@name``) and phone numbers, with all other numbers
    of seven digits or more, give way to ``<link>``,
    ``<mail>``, ``<handle>`` and ``<phone>``. An id is replaced by 32 hexadecimal
    digits, the same for the same id and key, so that tables can still be joined.

    Parameters
    ----------
    messages : str, list, Series or DataFrame
        A message; messages, or one list of them a user; or a table of users, of which
        the columns with text, or lists of it, are cleaned and the column or index
        `id_column` is hashed. Values that are no text stay.
    key : str or bytes
        Secret of 16 to 64 bytes, such as ``secrets.token_bytes(32)``. Keep it apart
        from the data or destroy it: who has it can find out whose pseudonym is whose.
    id_column : str, default="user_id"
        Column, or name of the index, with the ids.
    strip : bool, default=False
        Whether to leave nothing in place of a link, mail address, handle or number,
        instead of its token.

    Returns
    -------
    object of the same kind
        A copy; tables of other libraries come back as pandas ones.

    Raises
    ------
    ValueError
        If the key is shorter or longer than that.
    SourceError
        If ``messages`` is of another kind.

    Notes
    -----
    This is pseudonymisation, not anonymisation, and the result is still personal data.
    It does not promise that nobody can be recognised. Names, places and employers in
    running text stay, as do handles without an ``@``, links and numbers that are
    written to evade such patterns, and pictures; who searches for a sentence finds
    its author; writing style, links between users and labels tell persons apart. A
    handle loses its identity, so who mentions whom is lost. Ids in other columns,
    in names of columns, in file paths and in a network are not touched: hash a
    network's ids by giving them as ``pd.DataFrame({"user_id": ids})``.

    Ids are hashed by keyed BLAKE2b of their text, so the number 7 and the text "7" have
    one pseudonym; missing ids stay missing.

    References
    ----------
    .. [1] "The BLAKE2 Cryptographic Hash and Message Authentication Code", RFC 7693.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import pseudonymise
    >>> key = b"a secret of 32 bytes, kept apart"
    >>> pseudonymise(["ask @ann or ann@mail.org", "see www.ann.org/me"], key=key)
    ['ask <handle> or <mail>', 'see <link>']
    >>> import pandas as pd
    >>> messages = [["call +1 555 123 4567"]]
    >>> users = pd.DataFrame({"user_id": ["ann"], "messages": messages})
    >>> hidden = pseudonymise(users, key=key)
    >>> hidden["messages"][0], len(hidden["user_id"][0])
    (['call <phone>'], 32)
    """
    secret = _checked_key(key)
    messages = as_pandas(messages)

    def replaced(match: Any) -> str:
        return "" if strip else _TOKENS[match.lastgroup]

    def clean(text: str) -> str:
        return str(person_pattern().sub(replaced, text))

    if isinstance(messages, pd.DataFrame):
        return _clean_users(messages, secret, id_column, clean)
    if isinstance(messages, pd.Series):
        if messages.name == id_column:
            return _hashed(messages, secret)
        made = _hashed_index(messages, secret, id_column)
        return _clean_column(made, clean)
    if isinstance(messages, str | list | tuple):
        return _clean_cell(messages, clean)
    msg = (
        "messages must be a str, a list of messages, a Series or a table of users; got "
        f"{type(messages).__name__}"
    )
    raise SourceError(msg)


def _checked_key(key: Any) -> bytes:
    if not isinstance(key, str | bytes):
        msg = f"key must be str or bytes; got {type(key).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - one error for every bad key
    secret = key.encode("utf-8") if isinstance(key, str) else key
    if not _LEAST_KEY <= len(secret) <= _LONGEST_KEY:
        msg = (
            f"key must have {_LEAST_KEY} to {_LONGEST_KEY} bytes, so that nobody can "
            f"guess it; got {len(secret)}"
        )
        raise ValueError(msg)
    return secret


def _clean_users(
    users: pd.DataFrame, secret: bytes, id_column: str, clean: Callable[[str], str]
) -> pd.DataFrame:
    made: pd.DataFrame = _hashed_index(users, secret, id_column)
    columns = [
        _hashed(made.iloc[:, number], secret)
        if name == id_column
        else _clean_column(made.iloc[:, number], clean)
        for number, name in enumerate(made.columns)
    ]
    return pd.concat(columns, axis=1) if columns else made


def _hashed_index(table: Any, secret: bytes, id_column: str) -> Any:
    """Return a copy whose index is hashed if it holds the ids."""
    made = table.copy()
    if made.index.name == id_column:
        made.index = pd.Index(
            _hashed(made.index.to_series(), secret).to_numpy(), name=id_column
        )
    return made


def _hashed(ids: pd.Series[Any], secret: bytes) -> pd.Series[Any]:
    made = [
        value
        if is_null(value)
        else blake2b(
            str(value).encode("utf-8", "surrogatepass"), key=secret, digest_size=16
        ).hexdigest()
        for value in ids.tolist()
    ]
    return pd.Series(made, index=ids.index, name=ids.name, dtype=object)


def _clean_column(column: pd.Series[Any], clean: Callable[[str], str]) -> Any:
    """Clean the text of a column; one without text keeps its type."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    cells = column.tolist()
    made = [_clean_cell(cell, clean) for cell in cells]
    if all(new is old for new, old in zip(made, cells, strict=True)):
        return column
    return pd.Series(made, index=column.index, name=column.name, dtype=object)


def _clean_cell(cell: Any, clean: Callable[[str], str]) -> Any:
    """Clean a text, or texts in lists of any depth; anything else stays."""
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, list | tuple):
        return type(cell)(_clean_cell(each, clean) for each in cell)
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "OU":
        return [_clean_cell(each, clean) for each in cell.tolist()]
    return cell
