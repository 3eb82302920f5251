"""The unified multimodal system as a Pipeline, and the systems of its Table 2."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from causal_models import LLAMA
from generators import BART, VIT
from sklearn.base import BaseEstimator, TransformerMixin, clone

from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.estimators import ProfileGeneratorClassifier
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.pipelines import make_profile_generator, make_unified_systems
from sklearn_profiling.sources import ImageCaptioner, SubwordSegmenter

BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
VLP, AOM = (f"BART with ViT patches ({name})" for name in ("VLP-MABSA", "AoM"))
OURS = ("Ours, basic", "Ours, attention", "Ours, joint")


@pytest.fixture(scope="module")
def users():
    return make_reviewers(
        16, missing_images=0.2, missing_text=0.1, missing_labels=0.1, random_state=0
    )


@pytest.fixture(scope="module")
def tokenizer(users):
    return SubwordSegmenter(n_tokens=300).fit(users.data["messages"]).tokenizer_


def generator(**params):
    settings = {"max_epochs": 1, "max_tokens": 20, "decoding": "scoring"}
    bart = {**BART, "max_position_embeddings": 512, "vocab_size": 300}
    models = {"language_model": bart, "image_model": VIT, "random_state": 0}
    return ProfileGeneratorClassifier(**{**models, **settings, **params})


class Captioner(TransformerMixin, BaseEstimator):
    """Says of each image how light it is."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [
            [f"a picture of {int(np.mean(image)) // 64}" for image in images or ()]
            for images in X
        ]


def test_from_users_to_predictions(users):
    model = make_profile_generator(classifier=generator())
    model.set_params(sources__text__n_tokens=300, sources__images__size=(8, 8))
    model.fit(users.data, users.target)
    found = model.predict_proba(users.data)
    again = clone(model).fit(users.data, users.target).predict_proba(users.data)
    for a, b in zip(found, again, strict=True):
        assert np.isfinite(a).all()
        assert np.array_equal(a, b)
    assert model.predict(users.data).shape == (16, 6)


def test_defaults_go_with_the_models(tokenizer):
    small = make_profile_generator(random_state=0).get_params()
    assert small["sources__images__size"] == (32, 32)
    assert small["sources__images__max_images"] == 3
    assert small["sources__text__tokenizer"] is None
    assert small["classifier__random_state"] is not None
    other = make_profile_generator(classifier=generator(tokenizer=tokenizer))
    assert other.get_params()["sources__images__size"] == (224, 224)
    assert other.get_params()["sources__text__tokenizer"] is tokenizer
    folder = make_profile_generator(
        classifier=generator(language_model="models/flan-t5-base"), image_column=None
    ).get_params()
    assert folder["sources__text__tokenizer"] == "models/flan-t5-base"
    assert "sources__images" not in folder


@pytest.mark.parametrize("paradigm", ["unimodal", "both"])
def test_captions_come_from_a_column_or_a_captioner(users, tokenizer, paradigm):
    classifier = generator(tokenizer=tokenizer, paradigm=paradigm)
    from_images = make_profile_generator(classifier=classifier, captioner=Captioner())
    data = users.data.assign(said=Captioner().transform(users.data["images"]))
    from_column = make_profile_generator(classifier=classifier, caption_column="said")
    found = []
    for model in (from_images, from_column):
        has_images = "sources__images" in model.get_params()
        assert has_images == (paradigm == "both")
        if has_images:
            model.set_params(sources__images__size=(4, 4))
        found.append(model.fit(data, users.target).predict_proba(data))
    for a, b in zip(*found, strict=True):
        assert np.array_equal(a, b)


def test_captions_are_those_of_the_images_that_are_read(users, tokenizer):
    said = ["one", "", "one", "four"]
    captions = [said, None, [None, "two", "three"], ["five"]] * 4
    data = users.data.assign(said=captions)
    classifier = generator(tokenizer=tokenizer, paradigm="unimodal")
    model = make_profile_generator(classifier=classifier, caption_column="said")
    text = model.fit(data, users.target)[0].transform(data)["captions"]
    words = [
        [tokenizer.decode(message) for message in each]
        for each in ids_of_messages(text)
    ]
    assert words[:4] == [said, [], ["", "two", "three"], ["five"]]
    found = model.predict_proba(data)
    cut = [None if each is None else each[:3] for each in captions]
    three = model.predict_proba(data.assign(said=cut))
    other = [[*each[:3], "six"] if len(each or ()) >= 3 else each for each in captions]
    more = model.predict_proba(data.assign(said=other))
    for a, b, c in zip(found, three, more, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)
        assert np.isfinite(a).all()


def ids_of_messages(text):
    for user in range(len(text)):
        starts = text.user_starts[user : user + 2]
        places = text.message_starts[starts[0] : starts[1] + 1]
        yield [text.ids[first:end].tolist() for first, end in pairwise(places)]


def test_a_captioner_in_the_unimodal_paradigm(users):
    pytest.importorskip("transformers")
    from tiny_models import captioner, tokenizer

    cut = tokenizer()
    scale = {"image_mean": (0.5,) * 3, "image_std": (0.5,) * 3}
    systems = make_unified_systems(
        t5={**BART, "max_position_embeddings": 512, "vocab_size": len(cut)},
        tokenizer=cut,
        paradigms=("unimodal",),
        captioner=ImageCaptioner(captioner(), cut, max_tokens=6, **scale),
        prompt="{text} shows: {captions}",
        max_epochs=1,
        decoding="scoring",
        random_state=0,
    )
    model = systems["Ours, basic (unimodal)"].fit(users.data, users.target)
    assert model[-1].prompt == "{text} shows: {captions}"
    assert model[-1]._parts.around.between
    captions = model[0].transform(users.data)["captions"]
    counts = users.data["images"].map(lambda cell: len(cell or ()))
    assert np.diff(captions.user_starts).tolist() == counts.tolist()
    assert model.predict(users.data).shape == (16, 6)


def test_captions_that_cannot_be_read_are_refused(tokenizer):
    both = generator(paradigm="both")
    with pytest.raises(ProfilingError, match="give caption_column, or captioner"):
        make_profile_generator(classifier=both)
    with pytest.raises(ProfilingError, match="cut by one tokenizer"):
        make_profile_generator(classifier=both, caption_column="captions")
    own = make_profile_generator(
        classifier=generator(paradigm="both", tokenizer=tokenizer),
        segmenter=SubwordSegmenter(tokenizer, max_tokens=9),
        caption_column="captions",
    ).get_params()
    assert own["sources__captions__max_tokens"] == 9


# -- systems of Table 2 ---------------------------------------------------------


def nets(**params):
    systems = make_unified_systems(random_state=0, **params)
    return {name: system.named_steps["classifier"] for name, system in systems.items()}


def test_systems_differ_in_what_they_say():
    found = nets(max_epochs=3, batch_size=5)
    for net in found.values():
        assert (net.max_epochs, net.batch_size) == (3, 5)
    assert len({net.random_state for net in found.values()}) == 1
    assert found["T5"].language_model is None
    assert found["BART"].language_model["model_type"] == "bart"
    basic, attention, joint = (found[f"{name} (multimodal)"] for name in OURS)
    params = attention.get_params()
    assert basic.get_params() == {**params, "fusion": "concatenation"}
    assert len(joint.joint_modes) == 4
    modes = {"joint_modes": joint.joint_modes}
    assert joint.get_params() == {**params, **modes}
    assert params["joint_modes"] == ("fusion",)


def test_each_system_reads_its_sources():
    tokenizer = SubwordSegmenter(n_tokens=261).fit([["tea"]]).tokenizer_
    systems = make_unified_systems(
        t5="flan-t5-base",
        bart_tokenizer=tokenizer,
        paradigms=("multimodal", "unimodal", "both"),
        caption_column="captions",
        text_column="reviews",
        image_column="photos",
    )
    columns = {
        name: {source: column for source, _, column in system[0].sources}
        for name, system in systems.items()
    }
    for name in ("OD-TUP", "T5", "BART"):
        assert columns[name] == {"text": "reviews"}
    for name in OURS:
        multimodal = {"text": "reviews", "images": "photos"}
        assert columns[f"{name} (multimodal)"] == multimodal
        assert columns[f"{name} (both)"] == {**multimodal, "captions": "captions"}
    unimodal = {"text": "reviews", "captions": "captions"}
    assert columns["Ours, joint (unimodal)"] == unimodal
    assert "Ours, attention (unimodal)" not in columns
    segmenters = {n: s.get_params()["sources__text"] for n, s in systems.items()}
    assert segmenters["BART"].tokenizer is tokenizer
    assert segmenters["T5"].tokenizer == "flan-t5-base"


def test_baselines_take_the_models_of_their_papers():
    tokenizer = SubwordSegmenter(n_tokens=261).fit([["tea"]]).tokenizer_
    systems = make_unified_systems(
        t5="flan-t5-base", encoder=BERT, encoder_tokenizer=tokenizer, n_beams=2
    )
    baselines = ["OD-TUP", "T5", "BART", "LLaMA"]
    baselines += ["COOPNet", "LLaMA with ViT patches (LLaVA)", "SelectAtt", VLP, AOM]
    assert list(systems)[:9] == baselines
    found = {name: system[-1] for name, system in systems.items()}
    assert found["COOPNet"].language_model == BERT
    assert found["SelectAtt"].language_model == "flan-t5-base"
    for name in (VLP, AOM):
        assert found[name].language_model == found["BART"].language_model
    for name in ("COOPNet", "SelectAtt", VLP, AOM):
        read = {source: column for source, _, column in systems[name][0].sources}
        assert read == {"text": "messages", "images": "images"}
    segmenter = systems["COOPNet"].get_params()["sources__text"]
    assert segmenter.tokenizer is tokenizer
    # COOPNet searches nothing; what nobody knows is refused all the same
    assert found[AOM].n_beams == 2
    with pytest.raises(TypeError, match="n_beans"):
        make_unified_systems(n_beans=2)


def test_decoders_alone_take_one_model_with_images_or_without():
    users = make_reviewers(12, missing_pictures=0.3, random_state=0)
    systems = make_unified_systems(
        llm=LLAMA, image_model=VIT, max_epochs=1, n_beams=2, max_tokens=20
    )
    for name, columns in (
        ("LLaMA", {"text": "messages"}),
        ("LLaMA with ViT patches (LLaVA)", {"text": "messages", "images": "images"}),
    ):
        model = systems[name].set_params(sources__text__n_tokens=270)
        assert {s: column for s, _, column in model[0].sources} == columns
        assert model[-1].language_model == LLAMA
        if "images" in columns:
            model.set_params(sources__images__size=(4, 4))
        assert model.fit(users.data, users.target).predict(users.data).shape == (12, 6)


def test_what_cannot_be_made_is_named():
    with pytest.raises(ProfilingError, match=r"got \['dual'\]"):
        make_unified_systems(paradigms=("dual",))
    with pytest.raises(ProfilingError, match="give caption_column"):
        make_unified_systems(paradigms=("both",))


def test_a_system_reads_reviewers():
    users = make_reviewers(12, random_state=0)
    bart = {**BART, "max_position_embeddings": 512}
    systems = make_unified_systems(
        bart=bart,
        t5=bart,
        encoder=BERT,
        image_model=VIT,
        max_epochs=1,
        max_tokens=20,
        decoding="scoring",
        random_state=0,
    )
    for name in ("BART", "COOPNet", AOM, "Ours, basic (multimodal)"):
        model = systems[name].set_params(sources__text__n_tokens=270)
        ours = isinstance(model.named_steps["classifier"], ProfileGeneratorClassifier)
        assert ours == (name not in {"COOPNet", AOM})
        if "sources__images" in model.get_params():
            model.set_params(sources__images__size=(4, 4))
        assert model.fit(users.data, users.target).score(users.data, users.target) > 0
