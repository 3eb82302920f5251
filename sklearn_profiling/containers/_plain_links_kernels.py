"""Compiled loops that take blocks of plain links apart and number their ids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_NEWLINE = 10
_RETURN = 13
_BLANK = 32
_TAB = 9
_ODD = -1
#: Digits that float64 holds exactly, and the largest exact power of ten.
_EXACT_DIGITS = 15
_EXACT_POWER = 22
_POWERS = 10.0 ** np.arange(_EXACT_POWER + 1)


@njit(nogil=True, cache=True)
def _end_of_line(block: Any, begin: int, ends_run: Any) -> tuple[int, int]:
    """Return where the text of a line ends and where the next begins, or -1."""
    end = begin
    while end < len(block) and not ends_run[block[end]]:
        end += 1
    if end == len(block) or block[end] == _NEWLINE:
        return end, end + 1
    after = end + 1
    if block[end] == _RETURN and (after == len(block) or block[after] == _NEWLINE):
        return end, after + 1
    return _ODD, _ODD


@njit(nogil=True, cache=True, inline="always")
def _is_blank(byte: int) -> bool:
    return byte in (_BLANK, _TAB)


@njit(nogil=True, cache=True)
def _next_field(
    block: Any, place: int, end: int, separator: int
) -> tuple[int, int, int]:
    """Return where a field begins and ends, stripped, and where to go on.

    Separator 0 stands for blanks. The last field goes on behind the end.
    """
    if separator == 0:
        while place < end and _is_blank(block[place]):
            place += 1
        begin = place
        while place < end and not _is_blank(block[place]):
            place += 1
        stop = place
        while place < end and _is_blank(block[place]):
            place += 1
        return begin, stop, place if place < end else end + 1
    begin = place
    while place < end and block[place] != separator:
        place += 1
    stop = place
    while begin < stop and _is_blank(block[begin]):
        begin += 1
    while begin < stop and _is_blank(block[stop - 1]):
        stop -= 1
    return begin, stop, place + 1


@njit(nogil=True, cache=True)
def split_links(
    block: Any,
    ends_run: Any,
    separator: int,
    least: int,
    most: int,
    columns: Any,
    begins: Any,
    ends: Any,
) -> int:
    """Find the fields of a block of lines that are a link each; -1 if one is not.

    `columns` name the fields of source, target and weight, whose places are written to
    `begins` and `ends`, (3, n_lines). A weight that a line lacks ends at -1.
    """
    n_lines = 0
    begin = 0
    while begin < len(block):
        end, after = _end_of_line(block, begin, ends_run)
        if end < 0:
            return _ODD
        begins[2, n_lines] = ends[2, n_lines] = -1
        place, n_fields, n_ids = begin, 0, 0
        while place <= end:
            start, stop, place = _next_field(block, place, end, separator)
            for part in range(3):
                if columns[part] == n_fields:
                    begins[part, n_lines], ends[part, n_lines] = start, stop
                    n_ids += part < 2 and stop > start
            n_fields += 1
        if n_fields < least or n_fields > most or n_ids < 2:
            return _ODD
        n_lines += 1
        begin = after
    return n_lines


@njit(nogil=True, cache=True)
def _is_none(block: Any, begin: int, end: int) -> bool:
    return (
        end - begin == 4
        and block[begin] == 78
        and block[begin + 1] == 111
        and block[begin + 2] == 110
        and block[begin + 3] == 101
    )


@njit(nogil=True, cache=True)
def split_fans(
    block: Any, ends_run: Any, user_places: Any, fan_places: Any, lines: Any
) -> tuple[int, int, int]:
    """Find the users and fans of a block; -1 if one of its lines is no such list.

    Returns the numbers of users, of fans and of fans who are None. `lines` are the
    numbers of the fans' users.
    """
    n_users = n_fans = n_missing = 0
    begin = 0
    while begin < len(block):
        end, after = _end_of_line(block, begin, ends_run)
        if end < 0:
            return _ODD, 0, 0
        start, stop, place = _next_field(block, begin, end, 0)
        if stop == start or _is_none(block, start, stop):
            return _ODD, 0, 0
        if place > end:
            for byte in block[start:stop]:
                if byte == 44 or byte == 59:
                    return _ODD, 0, 0
        user_places[0, n_users], user_places[1, n_users] = start, stop
        while place <= end:
            start, stop, place = _next_field(block, place, end, 0)
            if _is_none(block, start, stop):
                n_missing += 1
                continue
            fan_places[0, n_fans], fan_places[1, n_fans] = start, stop
            lines[n_fans] = n_users
            n_fans += 1
        n_users += 1
        begin = after
    return n_users, n_fans, n_missing


@njit(nogil=True, cache=True)
def read_weights(block: Any, begins: Any, ends: Any, weights: Any, hard: Any) -> int:
    """Read weights that float64 holds exactly; 1 where there is none.

    The numbers of the others are written to `hard`; returns how many they are.
    """
    n_hard = 0
    for link in range(len(begins)):
        value, n_digits, n_decimals, point = np.int64(0), 0, 0, False
        for place in range(begins[link], ends[link]):
            byte = block[place]
            if byte == 46 and not point:
                point = True
            elif 48 <= byte <= 57 and n_digits < _EXACT_DIGITS:
                value = 10 * value + (byte - 48)
                n_digits += 1
                n_decimals += point
            else:
                n_digits = 0
                break
        if ends[link] < 0:
            weights[link] = 1.0
        elif n_digits == 0 or value == 0:
            hard[n_hard] = link
            n_hard += 1
        else:
            weights[link] = value / _POWERS[n_decimals]
    return n_hard


@njit(nogil=True, cache=True)
def _key(block: Any, begin: int, end: int) -> np.uint64:
    """Return a key of an id: its number, its bytes, or a hash with the highest bit."""
    n = end - begin
    key = np.uint64(0)
    digits = n <= 18 and (block[begin] != 48 or n == 1)
    place = begin
    while digits and place < end:
        digit = np.uint64(block[place]) - np.uint64(48)
        digits = digit <= np.uint64(9)
        key = key * np.uint64(10) + digit
        place += 1
    if digits:
        return key
    if n <= 7:
        key = np.uint64(0)
        for place in range(begin, end):
            key = (key << np.uint64(8)) | np.uint64(block[place])
        return key | np.uint64(1 << 62)
    key = np.uint64(14695981039346656037)
    for place in range(begin, end):
        key = (key ^ np.uint64(block[place])) * np.uint64(1099511628211)
    return key | np.uint64(1 << 63)


@njit(nogil=True, cache=True, inline="always")
def _slot(key: Any, mask: Any) -> Any:
    mixed = key * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(32))) & mask


@njit(nogil=True, cache=True)
def _same(
    block: Any, begin: int, end: int, names: Any, name_ends: Any, entry: int
) -> bool:
    """Whether a name is the one of an entry."""
    start = name_ends[entry]
    if name_ends[entry + 1] - start != end - begin:
        return False
    for place in range(end - begin):
        if block[begin + place] != names[start + place]:
            return False
    return True


@njit(nogil=True, cache=True)
def number_ids(
    block: Any,
    begins: Any,
    ends: Any,
    keys: Any,
    entries: Any,
    names: Any,
    name_ends: Any,
    small: Any,
    n_entries: int,
    numbers: Any,
    firsts: Any,
) -> int:
    """Write the entry of each id to `numbers`, and return how many there are now.

    The places of new ids are written to `firsts`. The table `keys`, `entries` is
    open-addressed, with -1 where free; `names` are the ids whose keys are hashes, and
    `small` the entries of small numbers, -1 where not known.
    """
    mask = np.uint64(len(keys) - 1)
    n_small = np.uint64(len(small))
    n_new = 0
    for each in range(len(begins)):
        begin, end = begins[each], ends[each]
        key = _key(block, begin, end)
        if key < n_small and small[key] >= 0:
            numbers[each] = small[key]
            continue
        hashed = key >> np.uint64(63)
        slot = _slot(key, mask)
        while entries[slot] >= 0 and not (
            keys[slot] == key
            and (
                not hashed or _same(block, begin, end, names, name_ends, entries[slot])
            )
        ):
            slot = (slot + np.uint64(1)) & mask
        if entries[slot] < 0:
            keys[slot], entries[slot] = key, n_entries
            stop = name_ends[n_entries]
            if hashed:
                for place in range(begin, end):
                    names[stop] = block[place]
                    stop += 1
            firsts[n_new] = each
            n_new += 1
            n_entries += 1
            name_ends[n_entries] = stop
        numbers[each] = entries[slot]
        if key < n_small:
            small[key] = entries[slot]
    return n_entries


@njit(nogil=True, cache=True)
def move_entries(keys: Any, entries: Any, new_keys: Any, new_entries: Any) -> None:
    """Fill a larger table with what stands in another one."""
    mask = np.uint64(len(new_keys) - 1)
    for old in range(len(keys)):
        if entries[old] < 0:
            continue
        slot = _slot(keys[old], mask)
        while new_entries[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        new_keys[slot], new_entries[slot] = keys[old], entries[old]
