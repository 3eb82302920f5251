"""One fuzzer for each loader: small valid files, and how they are read."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
from PIL import Image

from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.datasets import (
    load_mex_a3t,
    load_pan,
    load_records,
    load_smpcup2016,
    load_yelp,
)

#: Relative paths and contents of the files of one input.
Files = dict[str, bytes]


@dataclass(frozen=True)
class Loader:
    """Valid inputs, and what reads the folder in which one lies."""

    seeds: Callable[[], list[Files]]
    load: Callable[[Path, str], object]


def _policy(turn: str) -> Any:
    return "skip" if turn == "skip" else "error"


# -- tables ---------------------------------------------------------------------

_USERS = [
    {"user_id": "1", "messages": ["hello", "rain"], "labels": {"mood": "good"}},
    {"user_id": "2", "messages": None, "labels": {"mood": None}},
    {"user_id": "3", "messages": ["a"], "labels": {"mood": ["bad", "good"]}},
]
_TWEETS = [
    {"id": i, "text": f"t{i}", "user": {"id_str": str(i % 3), "lang": "en"}, "sex": "f"}
    for i in range(6)
]
_PAGE = {
    "data": [{"author_id": "7", "text": "a"}, {"author_id": "8", "text": "b"}],
    "includes": {"users": [{"id": "7", "name": "x"}]},
    "meta": {"result_count": 2},
}
_CSV = (
    b"user_id,text,sex,when\n7,hello,f,2020-01-02\n"
    b'8,"hi, you",m,\n7,again,f,2020-01-01\n'
)


def _table() -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array([1, 2, 3], pa.int64()),
            "messages": pa.array([["a", "b"], None, ["c"]]),
            "labels": pa.array([{"mood": "x"}, {"mood": None}, {"mood": "y"}]),
            "kind": pa.array(["p", "q", "p"]).dictionary_encode(),
        }
    )


def _parquet(compression: str) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(_table(), file, compression=compression)
    return file.getvalue()


def _feather(compression: str) -> bytes:
    file = io.BytesIO()
    pyarrow.feather.write_feather(_table(), file, compression=compression)
    return file.getvalue()


def _stream() -> bytes:
    file = io.BytesIO()
    with pyarrow.ipc.new_stream(file, _table().schema) as writer:
        writer.write_table(_table())
    return file.getvalue()


def _lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@cache
def _tables() -> list[bytes]:
    split = {
        "columns": ["user_id", "text"],
        "index": [0, 1],
        "data": [[1, "a"], [2, "b"]],
    }
    return [
        *(_lines(_USERS), _lines(_TWEETS), _lines([_PAGE]), _CSV),
        *(json.dumps(rows).encode() for rows in (_USERS, _TWEETS, _PAGE, split)),
        json.dumps({"ann": ["a", "b"], "bob": []}).encode(),
        json.dumps(
            {"user_id": {"0": 1, "1": 2}, "text": {"0": "a", "1": "b"}}
        ).encode(),
        _CSV.replace(b",", b"\t"),
        b"sep=;\n" + _CSV.replace(b",", b";"),
        b"user_id;messages;n\n1;\"['a', 'b']\";1,5\n2;\"['c']\";2\n",
        *(_parquet("snappy"), _parquet("zstd"), _feather("uncompressed")),
        *(_feather("zstd"), _stream(), gzip.compress(_CSV), "﻿".encode() + _CSV),
        _CSV.decode().encode("utf-16"),
    ]


def _records(folder: Path, turn: str) -> object:
    encoding = ("utf-8", "gb18030") if turn == "skip" else "utf-8"
    return load_records(folder / "file", on_bad_lines=_policy(turn), encoding=encoding)


def _labels(folder: Path, turn: str) -> object:
    return load_records(
        folder / "users.jsonl", labels=folder / "file", on_bad_lines=_policy(turn)
    )


def _label_files() -> list[Files]:
    ids = [*map(str, range(9)), "ann", "bob"]
    users = _lines([{"user_id": each, "messages": ["a"]} for each in ids])
    return [{"file": table, "users.jsonl": users} for table in _tables()]


# -- links ----------------------------------------------------------------------

_GRAPHML = b"""<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="w" for="edge" attr.name="weight" attr.type="double"/>
<graph edgedefault="undirected"><node id="a"/><node id="b"/>
<edge source="a" target="b"><data key="w">2.5</data></edge></graph></graphml>
"""
_GEXF = b"""<?xml version="1.0"?>
<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">
<graph defaultedgetype="directed"><nodes><node id="0" label="a"/>
<node id="1" label="b"/></nodes>
<edges><edge id="0" source="0" target="1" weight="2"/></edges></graph></gexf>
"""
_LINKS = [
    b"1 2 3\n2 3 4 5 6\n3\n4 None 1\n",
    b"1\t2\n2\t3\n3\t1\n1\t3\n",
    b"source,target,weight\na,b,1.5\nb,c,2\nc,a,1\n",
    b"Source;Target;Type;Weight\na;b;Directed;1,5\nb;c;Undirected;2\n",
    b"# SNAP\n0 1\n0 2\n1 2\n2 0\n",
    b"% sym weighted\n1 2 3 1200000000\n2 3 1 1300000000\n",
    b"%%MatrixMarket matrix coordinate real general\n% c\n3 3 2\n1 2 1.5\n2 3 2\n",
    b"%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n",
    b"3 2\n2\n1 3\n2\n",
    b"3 2 1\n2 3\n1 3 3 1\n2 1\n",
    *(_GRAPHML, _GEXF),
    (
        b'graph [ directed 0 node [ id 0 label "a" ]\n node [ id 1 label "b" ]\n'
        b"edge [ source 0 target 1 weight 2 ] ]\n"
    ),
    b'*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Arcs\n1 2 1.5\n*Edges\n2 3 2\n',
    b"a b {'weight': 2}\nb c {}\nc d {'weight': 1.5, 'x': 'y'}\n",
    b'"a b","c"\n"d","e, f"\n"a b","d"\n',
]


def _links(folder: Path, turn: str) -> object:
    if turn == "records":
        return load_records(folder / "users.jsonl", links=folder / "file")
    return SocialGraph.from_links_file(
        folder / "file", on_bad_lines=_policy(turn), directed=turn == "directed"
    )


def _link_files() -> list[Files]:
    users = _lines([{"user_id": str(i), "messages": []} for i in range(4)])
    return [{"file": links, "users.jsonl": users} for links in _LINKS]


# -- vectors --------------------------------------------------------------------

_VECTORS = np.array([[0.5, 1.0, -2.0], [2.0, 1.5, 0.0], [0.25, -1.0, 3.0]], np.float32)
_BINARY = b"3 3\n" + b"".join(
    word + b" " + row.tobytes() + b"\n"
    for word, row in zip((b"7", b"8", b"9"), _VECTORS, strict=True)
)
_TEXT = b"3 3\n7 0.5 1.0 -2.0\n8 2.0 1.5 0.0\n9 0.25 -1.0 3.0\n"


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, vectors=_VECTORS, ids=np.array([7, 8, 9]))
    return file.getvalue()


def _vector_table() -> bytes:
    file = io.BytesIO()
    columns = {f"x{i}": _VECTORS[:, i] for i in range(3)}
    pyarrow.parquet.write_table(pa.table({"user_id": [7, 8, 9], **columns}), file)
    return file.getvalue()


def _user_vector_files() -> list[Files]:
    contents = [
        *(_TEXT, _BINARY, _TEXT.partition(b"\n")[2], _npz(), _vector_table()),
        b"user_id,a,b\n7,0.5,1\n8,2,1.5\n",
        b"id;a;b\n7;0,5;1\n8;2;1,5\n",
        b"node\ta\tb\n7\t0.5\t1\n8\t2\t1.5\n",
        gzip.compress(_TEXT),
    ]
    files = [{"file": content} for content in contents]
    ids = [
        {"file": _npy(_VECTORS), "ids": kind}
        for kind in (b"7\n8\n9\n", _npy([7, 8, 9]))
    ]
    return files + ids


def _user_vectors(folder: Path, turn: str) -> object:
    from sklearn_profiling.sources import UserVectors

    ids = folder / "ids"
    given = ids if ids.exists() else None
    return UserVectors(folder / "file", given).fit()


def _word_vectors(folder: Path, turn: str) -> object:
    from sklearn_profiling.sources import PretrainedVectors

    text = TokenMessages.from_lists([[["7", "8"]]])
    vectors = PretrainedVectors(
        folder / "file", only_seen=turn != "directed", on_bad_lines=_policy(turn)
    )
    return vectors.fit(text)


def _word_vector_files() -> list[Files]:
    glove = _TEXT.partition(b"\n")[2]
    return [{"file": c} for c in (_TEXT, _BINARY, glove, gzip.compress(_TEXT))]


# -- images ---------------------------------------------------------------------


@cache
def _images() -> list[Files]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (12, 10, 3)).astype(np.uint8)
    image = Image.fromarray(pixels)
    found = []
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "TGA", "ICO")
    for kind in kinds:
        file = io.BytesIO()
        # Pillow's own smallest icon is larger than this picture.
        image.save(file, kind, **({"sizes": [image.size]} if kind == "ICO" else {}))
        found.append(file.getvalue())
    for kind, mode in (
        ("GIF", "P"),
        ("PNG", "RGBA"),
        ("WEBP", "RGB"),
        ("TIFF", "I;16"),
    ):
        file = io.BytesIO()
        frames = [image.convert("L" if mode == "I;16" else mode) for _ in range(3)]
        frames = [frame.convert(mode) for frame in frames]
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        found.append(file.getvalue())
    return [{"file": content} for content in found]


def _image(folder: Path, turn: str) -> object:
    from sklearn_profiling.sources import ImageBagTransformer

    bags = ImageBagTransformer(size=(8, 8), on_bad_images=_policy(turn))
    return bags.fit_transform([[str(folder / "file")]])


# -- corpora --------------------------------------------------------------------

_AUTHOR = b"""<?xml version="1.0" encoding="UTF-8"?>
<author lang="en" gender="male"><documents>
<document><![CDATA[Rain &amp; tea]]></document><document id="2">a &lt;b&gt;</document>
</documents></author>
"""


def _pan_files() -> list[Files]:
    truth = b"ann:::female:::great britain\nbob:::male:::canada\n"
    scores = b"ann:::F:::25-34:::0.1:::-0.2:::0.3:::0.4:::0.5\n"
    ages = {"en/eve_en_20s_female.xml": _AUTHOR}
    return [
        {"ann.xml": _AUTHOR, "bob.xml": _AUTHOR, "truth.txt": truth},
        {"en/text/ann.xml": _AUTHOR, "en/photo/ann/1.jpeg": b"x", "en/en.txt": truth},
        {"ann.xml": _AUTHOR, "truth.txt": scores},
        {**ages, "en/truth-en.txt": b"eve:::20s:::xx\n"},
    ]


def _pan(folder: Path, turn: str) -> object:
    edges = (0.0, 0.25) if turn == "directed" else None
    return load_pan(folder, on_bad_lines=_policy(turn), score_edges=edges)


def _mex_files() -> list[Files]:
    truth = b"ana:::female:::north:::arts\nluz:::mujer:::noreste:::None\n"
    return [
        {
            "truth.txt": truth,
            "text/ana.txt": "Buenos días\n\nlluvia\n".encode(),
            "images/ana/1.jpg": b"x",
        }
    ]


def _mex(folder: Path, turn: str) -> object:
    return load_mex_a3t(folder, on_bad_lines=_policy(turn))


@cache
def _smp_files() -> list[Files]:
    from tempfile import TemporaryDirectory

    from sklearn_profiling.datasets import dump_smpcup2016, make_user_profiles

    users = make_user_profiles(4, random_state=0)
    with TemporaryDirectory() as name:
        dump_smpcup2016(users, name)
        return [{file.name: file.read_bytes() for file in sorted(Path(name).iterdir())}]


def _smp(folder: Path, turn: str) -> object:
    columns = ("retweets", "source") if turn == "directed" else ()
    return load_smpcup2016(
        folder, on_bad_lines=_policy(turn), status_columns=_status_columns(columns)
    )


def _status_columns(wanted: tuple[str, ...]) -> tuple[str, ...]:
    from sklearn_profiling.datasets.smpcup2016.format import STATUS_COLUMNS

    return tuple(STATUS_COLUMNS) if wanted else ()


def _yelp_files() -> list[Files]:
    business = {
        "business_id": "b1",
        "stars": 4.0,
        "categories": "Pizza, Shopping",
        "attributes": {
            "RestaurantsPriceRange2": "2",
            "GoodForMeal": "{'lunch': True, 'dinner': False}",
            "HappyHour": "True",
            "Caters": "u'no'",
        },
    }
    review = {"review_id": "r1", "user_id": "u1", "business_id": "b1", "stars": 5.0}
    review["text"] = "good " * 12
    photo = {"photo_id": "p1", "business_id": "b1", "caption": "pie", "label": "food"}
    user = {"user_id": "u1", "friends": "u2, u3"}
    return [
        {
            "yelp_academic_dataset_business.json": _lines([business]),
            "yelp_academic_dataset_review.json": _lines(
                [review, {**review, "user_id": "u2"}]
            ),
            "yelp_academic_dataset_user.json": _lines([user]),
            "photos.json": _lines([photo]),
            "photos/p1.jpg": b"x",
        }
    ]


def _yelp(folder: Path, turn: str) -> object:
    return load_yelp(
        folder,
        min_reviews=1,
        with_network=True,
        require_images=turn == "error",
        on_bad_lines=_policy(turn),
    )


# -- lists of words, models -----------------------------------------------------


def _word_files() -> list[Files]:
    words = "的\nand\n\n  the \n".encode()
    jieba = "新词 5 n\n另词 3\n三词\n".encode()
    return [{"words": words, "jieba": jieba}]


def _words(folder: Path, turn: str) -> object:
    from sklearn_profiling.sources import JiebaSegmenter, WordSegmenter

    WordSegmenter(stop_words=folder / "words").fit_transform([["the rain"]])
    segmenter = JiebaSegmenter(user_dictionary=folder / "jieba")
    return segmenter.fit_transform([["新词 三词"]])


@cache
def _model_files() -> list[Files]:
    from tempfile import TemporaryDirectory

    import torch
    import transformers
    from tokenizers import Tokenizer, models

    sizes = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    with TemporaryDirectory() as name, torch.random.fork_rng():
        config = transformers.BertConfig(vocab_size=5, **sizes)
        transformers.BertModel(config).save_pretrained(name)
        words = {word: k for k, word in enumerate(("[PAD]", "[UNK]", "a", "b", "c"))}
        fast = transformers.PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, "[UNK]")),
            pad_token="[PAD]",  # noqa: S106
            unk_token="[UNK]",  # noqa: S106
        )
        fast.save_pretrained(name)
        text = {file.name: file.read_bytes() for file in Path(name).iterdir()}
    with TemporaryDirectory() as name, torch.random.fork_rng():
        config = transformers.ViTConfig(image_size=16, patch_size=8, **sizes)
        transformers.ViTModel(config).save_pretrained(name)
        scale = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.4]}
        Path(name, "preprocessor_config.json").write_text(json.dumps(scale), "utf-8")
        image = {file.name: file.read_bytes() for file in Path(name).iterdir()}
    return [text, image]


def _model(folder: Path, turn: str) -> object:
    from sklearn_profiling.sources import (
        PretrainedImageVectors,
        PretrainedTextVectors,
    )

    if (folder / "preprocessor_config.json").exists():
        pixels = np.zeros((12, 12, 3), np.uint8)
        return PretrainedImageVectors(folder).fit_transform([[pixels]])
    return PretrainedTextVectors(folder).fit_transform([["a b", "c"]])


def _command(folder: Path, turn: str) -> object:
    from contextlib import redirect_stderr, redirect_stdout

    from sklearn_profiling.cli import main

    (path,) = [p for p in folder.iterdir() if p.name.startswith("users")]
    more = ["--labels", str(folder / "file")] if (folder / "file").exists() else []
    arguments = ["compare", str(path), *more, "--systems", "majority", "--folds", "2"]
    arguments += ["--jobs", "1", "--on-bad-lines", _policy(turn)]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
    if status not in (0, 1, 2):
        msg = f"the command line ended with {status!r}"
        raise AssertionError(msg)
    return status


def _command_files() -> list[Files]:
    rows = [
        {
            "user_id": str(i),
            "messages": ["a b", f"w{i}"],
            "labels": {"sex": "fm"[i % 2]},
        }
        for i in range(8)
    ]
    bare = _lines([{"user_id": str(i), "messages": ["a"]} for i in range(8)])
    labels = "user_id,sex\n" + "".join(f"{i},{'fm'[i % 2]}\n" for i in range(8))
    tables = {"users.jsonl": bare, "file": labels.encode()}
    return [{"users.jsonl": _lines(rows)}, tables]


LOADERS: dict[str, Loader] = {
    "records": Loader(lambda: [{"file": table} for table in _tables()], _records),
    "labels": Loader(_label_files, _labels),
    "links": Loader(_link_files, _links),
    "user_vectors": Loader(_user_vector_files, _user_vectors),
    "word_vectors": Loader(_word_vector_files, _word_vectors),
    "images": Loader(_images, _image),
    "pan": Loader(_pan_files, _pan),
    "mex_a3t": Loader(_mex_files, _mex),
    "smpcup2016": Loader(_smp_files, _smp),
    "yelp": Loader(_yelp_files, _yelp),
    "words": Loader(_word_files, _words),
    "models": Loader(_model_files, _model),
    "command": Loader(_command_files, _command),
}
