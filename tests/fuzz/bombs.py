"""Small files that stand for gigabytes, and how each is read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

_MIB = 1 << 20


def _gzip(block: bytes, n_blocks: int) -> bytes:
    """Pack a block many times, each as a member of its own."""
    return gzip.compress(block * 64, 9) * (n_blocks // 64)


def _zip(block: bytes, n_blocks: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file", block * n_blocks)
    return file.getvalue()


def _many_members() -> bytes:
    """List 100,000 files in the directory of an archive that holds none."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 2) + bytes(16) + b"aa"
    end = struct.pack("<HHHHIIH", 0, 0, 1000, 1000, 100_000 * len(entry), 0, 0)
    return b"PK\x03\x04" + entry * 100_000 + b"PK\x05\x06" + end


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd", store_schema=False)
    return file.getvalue()


def _feather(table: pa.Table, compression: str = "zstd") -> bytes:
    file = io.BytesIO()
    pyarrow.feather.write_feather(table, file, compression=compression)
    return file.getvalue()


def _large_value(n_rows: int) -> pa.Table:
    indices = pa.array(np.zeros(n_rows, np.int32))
    texts = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * _MIB]))
    return pa.table({"user_id": np.arange(n_rows), "text": texts})


def _npy(shape: str, kind: str = "<f4") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n"
    size = struct.pack("<H", len(header))
    return b"\x93NUMPY\x01\x00" + size + header.encode()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(_MIB))
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


_ENTITIES = "".join(
    f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(12)
)
_LAUGHS = (
    f'<?xml version="1.0"?><!DOCTYPE graphml [{_ENTITIES}]>'
    "<graphml><graph><node id='&e11;'/></graph></graphml>"
).encode()
_LINKS = b"1\t2\n2\t3\n" * 1024
_CSV = b"7,hello,f\n" * 100_000

#: Reader and content, by name; a content is made when it is needed.
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gz of links": ("links", lambda: _gzip(_LINKS, 1 << 20)),
    "bz2 of links": ("links", lambda: bz2.compress(_LINKS * 64) * 4096),
    "xz of zeros": ("links", lambda: lzma.compress(bytes(4 * _MIB), preset=1) * 100),
    "zip of CSV": ("records", lambda: _zip(_CSV, 40)),
    "gz of CSV": (
        "records",
        lambda: gzip.compress(b"id,text,sex\n") + _gzip(_CSV, 128),
    ),
    "gz of one line": ("records", lambda: gzip.compress(b"[" * 64 * _MIB)),
    "zip of many files": ("links", _many_members),
    "npz of many files": ("user_vectors", _many_members),
    "deep JSON": ("records", lambda: b'{"a":' * 200_000),
    "deep array": ("records", lambda: b"[" * 2_000_000),
    "wide CSV": ("records", lambda: b"id," + b"a,b,c," * 20_000 + b"\n1\n"),
    "wide JSON": (
        "records",
        lambda: b"".join(b'{"user_id":%d,"k%d":1}\n' % (i, i) for i in range(17_000)),
    ),
    "sparse JSON": (
        "records",
        lambda: b"".join(b'{"id":%d,"k%d":1}\n' % (i, i % 9000) for i in range(20_000)),
    ),
    "Parquet of a large value": ("records", lambda: _parquet(_large_value(8192))),
    "Parquet of zeros": (
        "records",
        lambda: _parquet(pa.table({"user_id": np.zeros(5 * _MIB, np.int64)})),
    ),
    "Parquet of nulls": (
        "records",
        lambda: _parquet(pa.table({"user_id": pa.nulls(5 * _MIB)})),
    ),
    "Parquet of lists": (
        "records",
        lambda: _parquet(pa.table({"messages": pa.array([["a"] * 5_000_000])})),
    ),
    "Parquet of vectors": (
        "user_vectors",
        lambda: _parquet(_large_value(8192)),
    ),
    "Arrow of zeros": (
        "records",
        lambda: _feather(pa.table({"user_id": np.zeros(5 * _MIB, np.int64)})),
    ),
    "Arrow of a large value": ("records", lambda: _feather(_large_value(8192))),
    "Arrow of one run": (
        "records",
        lambda: _feather(
            pa.table(
                {
                    "id": pa.RunEndEncodedArray.from_arrays(
                        pa.array([2_000_000_000], pa.int32()), pa.array(["a"])
                    )
                }
            ),
            "uncompressed",
        ),
    ),
    "npy of terabytes": ("user_vectors", lambda: _npy("(10000000000, 300)")),
    "npy of no byte": ("user_vectors", lambda: _npy("(1000000000000, 3)", "<U0")),
    "many vectors": ("user_vectors", lambda: b"1000000000000 300\n1 0.5\n2 0.5\n"),
    "long vectors": ("user_vectors", lambda: b"3 1000000000000\n1 0.5\n2 0.5\n"),
    "wide vectors": ("user_vectors", lambda: b"id," + b"0," * (4 * _MIB) + b"\n1\n"),
    "many words": ("word_vectors", lambda: b"1000000000000 300\na 0.5\nb 0.5\n"),
    "endless numbers": ("word_vectors", lambda: b"9" * 5000 + b" 3\na 0.5\n"),
    "gz of vectors": ("word_vectors", lambda: _gzip(b"a 0.5 0.25\n" * 9000, 1 << 14)),
    "Matrix Market": (
        "links",
        lambda: (
            b"%%MatrixMarket matrix coordinate real general\n"
            b"1000000000000 1000000000000 1\n1 1 1\n"
        ),
    ),
    "Matrix Market of links": (
        "links",
        lambda: (
            b"%%MatrixMarket matrix coordinate real general\n3 3 1000000000000\n1 1 1\n"
        ),
    ),
    "Pajek": ("links", lambda: b'*Vertices 1000000000000\n1 "a"\n*Edges\n1 1\n'),
    "entities of GraphML": ("links", lambda: _LAUGHS),
    "entities of an author": ("pan", lambda: _LAUGHS.replace(b"graphml", b"author")),
    "dicts of links": ("links", lambda: b"a b {'w': " + b"[" * _MIB + b"}\n"),
    "large image": ("images", lambda: _png(60_000, 60_000)),
    "wide image": ("images", lambda: _png(2_000_000_000, 1)),
}


def load(kind: str, content: bytes, folder: Path) -> object:
    """Read a bomb with the reader that it is made for."""
    from fuzz.loaders import LOADERS

    name = "ann.xml" if kind == "pan" else "file"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    try:
        return LOADERS[kind].load(folder, "error")
    finally:
        path.unlink()


def measure() -> dict[str, tuple[str, float, int]]:
    """Return the answer, the seconds of work and the megabytes of each bomb."""
    import resource
    import tempfile
    import time

    from fuzz.loaders import LOADERS
    from fuzz.running import write

    from sklearn_profiling.exceptions import ProfilingError

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    found = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in ("links", "records", "user_vectors", "word_vectors", "images"):
            write(Path(name, "seed"), LOADERS[kind].seeds()[0])
            # imports are no part of a refusal
            LOADERS[kind].load(Path(name, "seed"), "error")
        for bomb, (kind, make) in BOMBS.items():
            content = make()
            before, start = peak(), time.process_time()
            try:
                load(kind, content, Path(name, "bomb"))
                answer = "read"
            except ProfilingError as error:
                answer = str(error)
            except Exception as error:  # noqa: BLE001 - told in the report
                answer = f"foreign {type(error).__name__}: {error}"
            seconds = time.process_time() - start
            found[bomb] = (answer[-160:], seconds, peak() - before)
    return found


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1]))
    print(json.dumps(measure()))
