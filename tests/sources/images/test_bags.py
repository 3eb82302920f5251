"""ImageBagTransformer: order, threads, bad images, the store, scikit-learn."""

from __future__ import annotations

import pickle
import sys
from collections import UserList
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_profiling import _store
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.containers._ragged import is_mapped
from sklearn_profiling.exceptions import (
    DataQualityWarning,
    MissingDependencyError,
    SourceError,
)
from sklearn_profiling.sources import ImageBagTransformer, SourceUnion
from sklearn_profiling.sources.images import _reading
from sklearn_profiling.sources.images._decoding import Decoder

SIZE = (6, 8)


def shade(value):
    return np.full((*SIZE, 3), value, np.uint8)


@pytest.fixture
def files(tmp_path):
    """Forty PNG files, each of its own grey."""
    paths = []
    for value in range(40):
        path = tmp_path / f"{value}.png"
        Image.fromarray(shade(value)).save(path)
        paths.append(str(path))
    return paths


@pytest.fixture
def decoded(monkeypatch):
    """Count the files that are decoded."""
    calls = []
    original = Decoder.decode

    def decode(self, data):
        calls.append(len(data))
        return original(self, data)

    monkeypatch.setattr(Decoder, "decode", decode)
    return calls


def transformer(**parameters):
    return ImageBagTransformer(**{"size": SIZE, **parameters})


def shades(bags):
    """The grey of each image of each user."""
    return [bags[user][:, 0, 0, 0].tolist() for user in range(len(bags))]


# -- order and number ----------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [None, 1, 3])
@pytest.mark.parametrize("stored", [False, True])
def test_images_come_in_order_for_any_number_of_threads(
    files, tmp_path, n_jobs, stored
):
    memory = tmp_path / "memory" if stored else None
    column = [files[:2], None, files[2:30], [], files[30:]]
    bags = transformer(max_images=None, n_jobs=n_jobs, memory=memory).fit_transform(
        column
    )
    assert isinstance(bags, ImageBags)
    assert bags.image_shape == (3, *SIZE)
    assert shades(bags) == [[0, 1], [], list(range(2, 30)), [], list(range(30, 40))]
    assert bags.missing.tolist() == [False, True, False, True, False]


def test_the_first_images_of_each_user_are_used(files, decoded):
    model = transformer(max_images=2)
    assert shades(model.transform([files[:5], files[5:6]])) == [[0, 1], [5]]
    assert model.report_["n_over_maximum"] == 3
    assert len(decoded) == 3
    assert ImageBagTransformer().max_images == 11


@pytest.mark.parametrize("stored", [False, True])
def test_paths_pil_images_and_arrays_together(files, tmp_path, stored):
    column = [[files[3], shade(50), Image.fromarray(shade(60))], [shade(70)], files[:1]]
    model = transformer(memory=tmp_path / "memory" if stored else None)
    for _ in range(2):
        assert shades(model.transform(column)) == [[3, 50, 60], [70], [0]]


@pytest.mark.parametrize("stored", [False, True])
def test_images_as_libraries_hand_them_over(files, tmp_path, stored):
    model = transformer(memory=tmp_path / "memory" if stored else None)
    data = Path(files[3]).read_bytes()
    pixels = shade(7)
    column = [
        {"bytes": data, "path": None},
        [{"bytes": None, "path": files[4]}, {"path": Path(files[5])}],
        data,
        [BytesIO(data), bytearray(data), memoryview(data)],
        pixels,
        pixels[..., 0],
        [pixels[..., :1], pixels.transpose(2, 0, 1), pixels[None, ..., 0]],
        torch.from_numpy(pixels.transpose(2, 0, 1).copy()),
        torch.from_numpy(pixels.transpose(2, 0, 1)[None].repeat(2, axis=0)),
        [torch.from_numpy(pixels), torch.from_numpy(pixels[None, ..., 0])],
        pd.Series([files[6], None]),
        {"bytes": None, "path": None},
        [np.nan, files[8], None, {"bytes": None}, pd.NA],
        [{"bytes": BytesIO(data), "path": "phone.png"}],
    ]
    expected = [
        *([3], [4, 5], [3], [3, 3, 3], [7], [7], [7, 7, 7], [7], [7, 7], [7, 7], [6]),
        *([], [8], [3]),
    ]
    for _ in range(2):
        assert shades(model.transform(column)) == expected
        assert model.report_["n_nulls"] == 6
    assert shades(model.transform(UserList(column[:3]))) == expected[:3]


def test_columns_of_polars_and_arrow(files):
    cells = [[{"bytes": Path(files[2]).read_bytes(), "path": None}], None, []]
    for column in (pl.Series(cells), pa.array(cells), pd.Series(cells)):
        assert shades(transformer().transform(column)) == [[2], [], []]
    frame = pl.DataFrame({"image": [files[1], None]})
    assert shades(transformer().transform(frame)) == [[1], []]
    structs = pd.Series(pa.array(cells).to_pandas())
    assert shades(transformer().transform(structs)) == [[2], [], []]


def test_bytes_that_are_no_image_and_paths_that_are_none(tmp_path):
    for cell, fault in (
        (b"", "row 0: empty file"),
        (b"hello", "row 0: not an image"),
        ("http://example.org/a.png", "images are not downloaded"),
        ("a text " * 1000, r"row 0, \.\.\. (a text ){8}: unreadable file: F"),
        (str(tmp_path / ("x" * 80)), r"row 0, /.*/x{80}: missing file: there is no"),
    ):
        with pytest.raises(SourceError, match=fault) as error:
            transformer().transform([cell])
        assert len(str(error.value)) < 400


def test_an_array_of_paths_is_a_column_of_one_image_a_user(files):
    paths = [str(path) for path in files[:3]]
    for column in (np.array(paths), np.array(paths)[:, np.newaxis]):
        assert column.dtype.kind == "U"
        assert shades(transformer().transform(column)) == [[0], [1], [2]]


@pytest.mark.parametrize("column", [[], [None], pd.Series([], dtype=object), [[], []]])
@pytest.mark.parametrize("stored", [False, True])
def test_nobody_has_images(column, tmp_path, stored):
    model = transformer(memory=tmp_path if stored else None)
    bags = model.fit_transform(column)
    assert len(bags) == len(column)
    assert bags.pixels.shape == (0, 3, *SIZE)
    assert model.report_["users_without_images"] == len(column)


def test_one_user_changes_nothing_for_others(files):
    column = [files[:2], files[2:4], files[4:6]]
    full = transformer().transform(column)
    fewer = transformer().transform([files[:2], None, files[4:6]])
    assert fewer[[0, 2]] == full[[0, 2]]


# -- bad images ----------------------------------------------------------------


@pytest.fixture
def broken(files, tmp_path):
    """A broken file of each kind: one in twenty of all."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.jpg").write_text("<html>404</html>")
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-60])
    Image.new("L", (100, 100)).save(tmp_path / "large.png")
    names = ("absent.png", "empty.png", "page.jpg", "cut.png", "large.png")
    return [str(tmp_path / name) for name in names]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("stored", [False, True])
def test_a_folder_with_broken_files_is_processed_to_the_end(
    files, broken, tmp_path, n_jobs, stored
):
    users = [[files[(u + i) % 40] for i in range(10)] for u in range(10)]
    for user, path in enumerate(broken):
        users[2 * user][user] = path
    users.append([broken[2]])  # nothing else, and the same file as another user
    column = pd.Series(users, index=[f"user{u}" for u in range(11)])
    model = transformer(
        on_bad_images="skip",
        max_pixels=9999,
        n_jobs=n_jobs,
        memory=tmp_path / "memory" if stored else None,
    )
    for _ in range(2):
        with pytest.warns(
            DataQualityWarning, match="left out 6 of 101 images"
        ) as caught:
            bags = model.fit_transform(column)
        assert "2 not an image" in str(caught[0].message)
        assert len(bags) == 11
        assert np.diff(bags.user_starts).tolist() == [9, 10] * 5 + [0]
        for user, images in enumerate(users[:-1]):
            expected = [
                int((user + i) % 40) for i, path in enumerate(images) if path in files
            ]
            assert bags[user][:, 0, 0, 0].tolist() == expected
        report = model.report_
        assert report["skipped"] == {
            "missing file": 1,
            "empty file": 1,
            "not an image": 2,
            "truncated file": 1,
            "too large": 1,
        }
        assert report["n_images"] == 95
        assert report["users_without_images"] == 1
        found = [(label, path, kind) for label, path, kind, _ in report["bad_images"]]
        assert found[1] == ("user2", broken[1], "empty file")
        assert found[-1] == ("user10", broken[2], "not an image")


@pytest.mark.parametrize("stored", [False, True])
def test_errors_name_the_row_the_path_and_the_reason(files, broken, tmp_path, stored):
    model = transformer(memory=tmp_path / "memory" if stored else None, max_pixels=9999)
    for path, reason in zip(
        broken,
        (
            "missing file: ",
            "empty file: ",
            "not an image: ",
            "truncated",
            "too large: ",
        ),
        strict=True,
    ):
        column = pd.Series([files[:2], [files[3], path]], index=["anna", "bob"])
        with pytest.raises(SourceError, match="on_bad_images='skip'") as error:
            model.transform(column)
        message = str(error.value)
        assert message.startswith(
            f"ImageBagTransformer, row 1 ('bob'), {path}: {reason}"
        )
    assert not hasattr(model, "report_")
    assert model.transform([files[:2]]).n_images == 2


def test_the_first_bad_image_is_named_whatever_the_threads(files, broken):
    column = [files, [*files[:5], broken[0], broken[1]]]
    with pytest.raises(SourceError, match=r"row 1, .*absent\.png"):
        transformer(max_images=None, n_jobs=4).transform(column)


def test_a_bad_image_is_not_replaced(files, broken):
    model = transformer(max_images=2, on_bad_images="skip")
    with pytest.warns(DataQualityWarning) as caught:
        assert shades(model.transform([[broken[0], *files[:3]]])) == [[0]]
    # the warning points at the caller's line
    assert caught[0].filename == __file__


def test_what_is_no_image_at_all_is_an_error_even_when_skipping():
    with pytest.raises(SourceError, match="row 0: image 0 must be a path"):
        transformer(on_bad_images="skip").transform([[3.5]])


def test_the_report_is_that_of_the_last_call(files):
    model = transformer()
    model.fit_transform([files[:3]])
    assert model.report_["n_images"] == 3
    model.transform([files[:1], None])
    assert model.report_ == {
        "n_users": 2,
        "n_images": 1,
        "users_without_images": 1,
        "n_over_maximum": 0,
        "n_nulls": 0,
        "skipped": {},
        "bad_images": [],
    }


def test_many_bad_images_are_moved_out_in_blocks(files, broken, monkeypatch):
    monkeypatch.setattr(_reading, "_MOVED_AT_ONCE", 3)
    column = [[broken[0], *files[:7], broken[1]], [*files[7:14], broken[0], files[14]]]
    with pytest.warns(DataQualityWarning):
        bags = transformer(on_bad_images="skip").transform(column)
    assert shades(bags) == [list(range(7)), list(range(7, 15))]


# -- the store -----------------------------------------------------------------


def test_no_file_is_decoded_twice(files, tmp_path, decoded):
    memory = tmp_path / "memory"
    model = transformer(max_images=None, memory=memory)
    first = model.fit_transform([files[:10], files[10:20]])
    assert len(decoded) == 20
    assert is_mapped(first.pixels)
    # other users, another order, another process's transformer, and some new
    again = transformer(max_images=None, memory=str(memory), n_jobs=2)
    assert shades(again.transform([files[15:5:-1], files[18:22]])) == [
        list(range(15, 5, -1)),
        list(range(18, 22)),
    ]
    assert len(decoded) == 22
    joblib_memory = transformer(memory=joblib.Memory(memory, verbose=0))
    joblib_memory.transform([files[:5]])
    assert len(decoded) == 22
    transformer(size=(3, 3), memory=memory).transform([files[:5]])
    assert len(decoded) == 27
    # what the store holds does not get round a limit
    with pytest.raises(SourceError, match="too large"):
        transformer(memory=memory, max_pixels=20).transform([files[:5]])


def test_a_grid_search_decodes_each_file_once(files, tmp_path, decoded):
    column = pd.Series([files[start : start + 4] for start in range(0, 40, 4)])
    model = make_pipeline(
        transformer(memory=tmp_path / "memory"),
        FunctionTransformer(lambda bags: [[bags[u].mean()] for u in range(len(bags))]),
        LogisticRegression(),
    )
    search = GridSearchCV(model, {"logisticregression__C": [0.1, 1.0]}, cv=3)
    search.fit(column, ["dark"] * 5 + ["light"] * 5)
    assert search.predict(column[[0, 9]]).tolist() == ["dark", "light"]
    assert len(decoded) == 40


def test_files_are_found_by_content(files, tmp_path, decoded):
    model = transformer(memory=tmp_path / "memory")
    model.transform([files[:1]])
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(files[0]).read_bytes())
    assert shades(model.transform([[copy, files[0], copy]])) == [[0, 0, 0]]
    assert len(decoded) == 1
    Image.fromarray(shade(99)).save(copy)
    assert shades(model.transform([[copy]])) == [[99]]
    assert len(decoded) == 2


def test_two_transformers_at_once_share_the_work(files, tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(_store, "_IN_A_TURN", 4)
    models = [transformer(max_images=None, memory=tmp_path / "m") for _ in range(3)]
    bags = joblib.Parallel(3, backend="threading")(
        joblib.delayed(model.transform)([files]) for model in models
    )
    assert all(shades(b) == [list(range(40))] for b in bags)
    assert len(decoded) == 40


def test_a_file_that_changes_while_it_is_read(files, tmp_path, monkeypatch):
    original = Decoder.read
    seen = []

    def read(self, path):
        seen.append(path)
        return original(self, path) + b"x" * len(seen)

    monkeypatch.setattr(Decoder, "read", read)
    with pytest.raises(SourceError, match="the file changed while it was read"):
        transformer(memory=tmp_path / "memory").transform([files[:1]])


def test_nothing_is_written_without_memory(files, tmp_path, monkeypatch):
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    transformer().fit_transform([files])
    assert sorted(tmp_path.rglob("*")) == before


def test_mapped_bags_slice_pickle_and_hash_like_others(files, tmp_path):
    column = [files[:3], None, files[3:9]]
    mapped = transformer(memory=tmp_path / "memory").transform(column)
    plain = transformer().transform(column)
    assert is_mapped(mapped.pixels)
    assert mapped == plain
    assert joblib.hash(mapped) == joblib.hash(plain)
    assert mapped[[2, 1]] == plain[[2, 1]]
    assert mapped[1:] == plain[1:]
    assert pickle.loads(pickle.dumps(mapped)) == plain
    assert len(pickle.dumps(mapped)) < mapped.pixels.nbytes + 2000
    # whatever the order in which the file has them
    again = transformer(memory=tmp_path / "memory").transform(column[::-1])
    assert is_mapped(again._images[0])
    assert again == plain[::-1]


# -- the rest ------------------------------------------------------------------


def test_progress_adds_up(files, broken, tmp_path, monkeypatch):
    totals = []

    class Bar:
        def __init__(self, *, total, disable, **_):
            self.total, self.disable, self.done = total, disable, 0
            totals.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, n):
            self.done += n

    monkeypatch.setattr("sklearn_profiling.sources.images.bags.tqdm", Bar)
    column = [[*files[:7], shade(3), files[2], broken[0], broken[3]]]
    model = transformer(verbose=1, on_bad_images="skip")
    for memory in (None, tmp_path / "memory", tmp_path / "memory"):
        with pytest.warns(DataQualityWarning):
            model.set_params(memory=memory).transform(column)
    assert [(bar.total, bar.done) for bar in totals] == [(11, 11)] * 3
    transformer().transform([files])
    assert [bar.disable for bar in totals] == [False, False, False, True]


def test_arrays_of_the_right_size_need_no_pillow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    column = [[shade(1), shade(2)[..., 0]], None]
    assert shades(transformer().fit_transform(column)) == [[1, 2], []]
    for image in (np.zeros((9, 9), np.uint8), "a.png"):
        with pytest.raises(MissingDependencyError, match="'PIL'"):
            transformer().fit_transform([[shade(1)], [image]])


def test_a_user_of_a_table_in_a_union(files):
    users = pd.DataFrame({"images": [files[:2], None], "fans": [1.0, 2.0]})
    union = SourceUnion(
        [
            ("images", transformer(), "images"),
            ("fans", "passthrough", ["fans"]),
        ]
    )
    made = union.fit_transform(users)
    assert made["images"].n_images == 2
    assert union.named_sources_["images"].report_["users_without_images"] == 1
    assert union.transform(users)[[1]]["images"].missing.tolist() == [True]


@pytest.mark.parametrize("size", [(0, 3), (3,), (3, 2.5), [1, 2, 3]])
def test_bad_sizes(size):
    for method in ("fit", "transform"):
        with pytest.raises(ValueError, match=r"size must be \(height, width\)"):
            getattr(transformer(size=size), method)([])


@pytest.mark.parametrize(
    "parameters",
    [{"size": 64}, {"max_images": 0}, {"on_bad_images": "drop"}, {"max_pixels": 0}],
)
def test_bad_parameters(parameters):
    for method in ("fit", "transform"):
        with pytest.raises(ValueError, match=next(iter(parameters))):
            getattr(transformer(**parameters), method)([])


def test_clone_and_feature_kind():
    model = transformer(max_images=3)
    assert clone(model).get_params() == model.get_params()
    tags = model.__sklearn_tags__()
    assert not tags.requires_fit
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
