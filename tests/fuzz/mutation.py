"""Small changes of a file: of bytes, lines, numbers, JSON and packing."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import re
import zipfile
from collections.abc import Callable

#: What readers stumble over.
TOKENS = [
    *(
        b"\0",
        b"\xff",
        b"\xfe\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\r\n",
        b"\n\n",
    ),
    *(
        b'"',
        b"'",
        b"\\",
        b'\\"',
        b",",
        b";",
        b"\t",
        b":::",
        b"|",
        b"{",
        b"[",
        b"}",
        b"]",
    ),
    *(b"null", b"NaN", b"Infinity", b"-1", b"0", b"true", b"None", b"nan", b"inf"),
    *(b"1e999", b"-1e-999", b"9" * 20, b"9" * 5000, b"18446744073709551616", b"1.0"),
    *(b"2147483648", b"99999999999", b"1_0", b"\xc2\xb2", b"0x10", b"1e3", b"--1"),
    *(b"[" * 2000, b"(" * 300, b'{"a":' * 1500, b"<a>" * 1000, b"-" * 3000 + b"1"),
    *(b"\\ud800", b"\xed\xa0\x80", "é中🙂".encode(), b"\xe2\x80\xa8", b"a" * 70_000),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<?xml", b"]]>", b"#", b"%", b"*"),
    *(b"9999-12-31T23:59:59Z", b"10000-01-01", b"0000-00-00", b"1970-01-01 25:61"),
]
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_PACKERS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Return the content after one to four changes."""
    changes = [_flip, _insert, _cut, _repeat, _swap, _number, _line, _json, _pack]
    weights = [3, 4, 2, 2, 1, 4, 3, 4, 0.3]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        (change,) = rng.choices(changes, weights)
        data = change(rng, data)
    return data


def _place(rng: random.Random, data: bytes) -> int:
    # headers come first
    most = rng.choice((8, 64, 512, len(data)))
    return rng.randint(0, min(most, len(data)))


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = min(_place(rng, changed), len(changed) - 1)
        if rng.random() < 0.5:
            changed[at] ^= 1 << rng.randrange(8)
        else:
            changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = _place(rng, data)
    return data[:at] + rng.choice(TOKENS) + data[at + rng.choice((0, 0, 1, 4)) :]


def _cut(rng: random.Random, data: bytes) -> bytes:
    at = _place(rng, data)
    return (
        data[:at] if rng.random() < 0.5 else data[:at] + data[at + rng.randint(1, 50) :]
    )


def _repeat(rng: random.Random, data: bytes) -> bytes:
    at = _place(rng, data)
    end = at + rng.choice((1, 5, 40, 400))
    return data[:end] + data[at:end] * rng.choice((1, 3, 200)) + data[end:]


def _swap(rng: random.Random, data: bytes) -> bytes:
    first, second = sorted((_place(rng, data), _place(rng, data)))
    return data[second:] + data[first:second] + data[:first]


def _number(rng: random.Random, data: bytes) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _insert(rng, data)
    number = rng.choice(found)
    new = rng.choice([token for token in TOKENS if len(token) < 30 or token.isdigit()])
    return data[: number.start()] + new + data[number.end() :]


def _line(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(rng.randrange(len(lines)), lines[at])
    else:
        separator = rng.choice((b",", b"\t", b" ", b";", b":::", b'"'))
        fields = lines[at].split(separator)
        place = rng.randrange(len(fields))
        if kind == 2:
            fields[place] = rng.choice((b"", rng.choice(TOKENS), rng.choice(fields)))
        else:
            fields.insert(place, rng.choice(fields))
        lines[at] = separator.join(fields)
    return b"\n".join(lines)


def _json(rng: random.Random, data: bytes) -> bytes:
    """Change a value of a JSON document, or of one of its lines."""
    lines = [data] if rng.random() < 0.3 else data.split(b"\n")
    at = rng.randrange(len(lines))
    try:
        lines[at] = json.dumps(_changed(rng, json.loads(lines[at]))).encode()
    except (ValueError, RecursionError):
        return _insert(rng, data)
    return b"\n".join(lines)


_VALUES = [
    *(None, True, 0, -1, 1.5, 10**30, float("nan"), "", "7", "a,b", [], {}, [[]], [{}]),
    *([None], [1, "a", None, {"b": []}], {"a": {"b": {"c": 1}}}, {"": ""}, {"id": [1]}),
    *(
        ["a"] * 3,
        "\ud800",
        "2020-01-01",
        "['a', 'b']",
        2**63,
        {"data": 1},
        {"text": {}},
    ),
]


def _changed(rng: random.Random, value: object) -> object:
    if isinstance(value, dict) and value and rng.random() < 0.85:
        value = dict(value)
        key = rng.choice(list(value))
        kind = rng.random()
        if kind < 0.15:
            value[rng.choice((*value, "user", "data", "includes", "text"))] = value.pop(
                key
            )
        elif kind < 0.25:
            del value[key]
        else:
            value[key] = _changed(rng, value[key])
        return value
    if isinstance(value, list) and value and rng.random() < 0.85:
        value = list(value)
        at = rng.randrange(len(value))
        value[at] = _changed(rng, value[at])
        return value
    return rng.choice(_VALUES)


def _pack(rng: random.Random, data: bytes) -> bytes:
    if rng.random() < 0.3:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("file", data)
        return file.getvalue()
    return rng.choice(_PACKERS)(data)
