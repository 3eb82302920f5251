"""Captions: what the model itself generates, behind the messages or alone."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("transformers")

import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from tiny_models import blip2, captioner, tokenizer, vit
from transformers import AutoModel

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import ImageCaptioner, SourceUnion, SubwordSegmenter

DRAWN = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
DRAWN[3] = 255
COLUMN = [[DRAWN[0], DRAWN[1]], None, [DRAWN[2]], [], [DRAWN[0], DRAWN[3], DRAWN[0]]]
# The module and its folder do not say how pixels are scaled.
pytestmark = pytest.mark.filterwarnings("ignore:ImageCaptioner. nothing says how")

MODEL = captioner()
TOKENIZER = tokenizer()


def make(**params):
    return ImageCaptioner(MODEL, TOKENIZER, **{"max_tokens": 6, **params})


@pytest.mark.parametrize("n_beams", [1, 3])
def test_captions_are_those_of_the_model(n_beams):
    found = make(n_beams=n_beams, batch_size=2).fit(None).transform(COLUMN)
    assert found.shape == (5,)
    assert found[1] == found[3] == []
    for user in (0, 2, 4):
        said = []
        for image in COLUMN[user]:
            pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
            tokens = MODEL.eval().generate(
                pixel_values=(pixels - 0.5) / 0.5,
                max_new_tokens=6,
                num_beams=n_beams,
                do_sample=False,
            )
            text = TOKENIZER.decode(tokens[0], skip_special_tokens=True)
            said.append(" ".join(text.split()))
        assert found[user] == said
    assert len({caption for captions in found for caption in captions}) > 1


def test_blip2():
    fitted = ImageCaptioner(blip2(), TOKENIZER, max_tokens=4, random_state=0).fit(None)
    assert fitted.size_ == (16, 16)
    found = fitted.transform(COLUMN)
    pixels = torch.from_numpy(DRAWN[2]).permute(2, 0, 1)[None] / 255
    tokens = fitted._module.generate(
        pixel_values=(pixels - 0.5) / 0.5, max_new_tokens=4, do_sample=False
    )
    said = " ".join(TOKENIZER.decode(tokens[0], skip_special_tokens=True).split())
    assert found[2] == [said]


def test_behind_the_messages():
    users = pd.DataFrame({"images": COLUMN, "reviews": [["a"], "b", None, [], ["c"]]})
    alone = make().fit_transform(COLUMN)
    behind = make(messages="reviews").fit_transform(users[["reviews", "images"]])
    said = [[text for text in captions if text] for captions in alone]
    assert behind.tolist() == [["a", *said[0]], ["b"], said[2], [], ["c", *said[4]]]


def test_in_a_union_as_a_text():
    users = pd.DataFrame({"images": COLUMN, "reviews": [["a"], "b", None, [], ["c"]]})
    cut = SubwordSegmenter(TOKENIZER)
    union = SourceUnion(
        [
            ("captions", make_pipeline(make(), cut), "images"),
            ("raw", make(max_images=1), "images"),
            (
                "text",
                make_pipeline(make(messages="reviews"), cut),
                ["reviews", "images"],
            ),
        ]
    )
    made = union.fit_transform(users)
    assert made["captions"].missing.tolist() == [False, True, False, True, False]
    assert made["text"].missing.tolist() == [False, False, False, True, False]
    assert [len(captions) for captions in made["raw"]] == [1, 0, 1, 0, 1]


def test_bags_and_captions_without_words(monkeypatch):
    fitted = make().fit(None)
    bags = ImageBags(DRAWN.transpose(0, 3, 1, 2), [0, 2, 2, 4])
    assert fitted.transform(bags)[0] == fitted.transform(COLUMN)[0]
    monkeypatch.setattr(fitted, "_describe", lambda pixels: [""] * len(pixels))
    assert fitted.transform(bags).tolist() == [["", ""], [], ["", ""]]
    fitted.set_params(messages="reviews")
    table = pd.DataFrame({"images": COLUMN, "reviews": [["a"], "b", None, [], ["c"]]})
    assert fitted.transform(table).tolist() == [["a"], ["b"], [], [], ["c"]]


def test_no_image_is_described_twice(tmp_path, monkeypatch):
    described = []
    plain = ImageCaptioner._describe

    def counted(self, pixels):
        described.append(len(pixels))
        return plain(self, pixels)

    monkeypatch.setattr(ImageCaptioner, "_describe", counted)
    expected = make().fit_transform(COLUMN).tolist()
    assert sum(described) == 4
    described.clear()
    stored = make(memory=tmp_path).fit(None)
    for users, n_described in ((COLUMN[:3], 3), (COLUMN, 4), (COLUMN, 4)):
        assert stored.transform(users).tolist() == expected[: len(users)]
        assert sum(described) == n_described
    # What a writer that was killed left behind is overwritten.
    (path,) = (tmp_path / "sklearn_profiling" / "pretrained").glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert stored.transform(COLUMN).tolist() == expected
    assert sum(described) == 5
    assert path.read_bytes() == whole
    clone(stored).set_params(max_tokens=2).fit_transform(COLUMN)
    assert sum(described) == 9


def test_a_folder_and_a_pickle(tmp_path, capsys):
    MODEL.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    fitted = ImageCaptioner(tmp_path, max_tokens=6, verbose=1).fit(None)
    expected = make().fit_transform(COLUMN).tolist()
    assert fitted.transform(COLUMN).tolist() == expected
    assert "4/4" in capsys.readouterr().err
    assert pickle.loads(pickle.dumps(fitted)).transform(COLUMN).tolist() == expected


def test_errors(tmp_path):
    with pytest.raises(SourceError, match="needs a tokenizer"):
        ImageCaptioner(MODEL).fit(None)
    with pytest.raises(SourceError, match=r"blip2.*no such folder.*nothing is down"):
        ImageCaptioner("blip2").fit(None)
    with pytest.raises(SourceError, match="generates text; got ViTModel"):
        ImageCaptioner(AutoModel.from_config(vit()), TOKENIZER).fit(None)
    AutoModel.from_config(vit()).save_pretrained(tmp_path)
    with pytest.raises(SourceError, match="folder with a model"):
        ImageCaptioner(tmp_path, TOKENIZER).fit(None)
    fitted = make(messages="reviews").fit(None)
    for table in (pd.DataFrame({"reviews": [1], "a": [1], "b": [1]}), [["x"]]):
        with pytest.raises(SourceError, match="that column and one of images; got"):
            fitted.transform(table)
