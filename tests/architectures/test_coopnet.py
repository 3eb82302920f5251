"""COOPNet by hand: averages of states, the common space, what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from generators import VIT
from hand_sources import image_source, text_source
from transformers import BertConfig, BertModel, ViTConfig, ViTModel

from sklearn_profiling.architectures.coopnet import (
    COOPNet,
    MeanImageStates,
    MeanTextStates,
    TextFrame,
)
from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.training.batches import flatten_text

BERT = {
    "vocab_size": 12,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 4,
}


HALF = torch.full((3,), 0.5)
SHOWN = replace(image_source((3, 4, 4)), mean=HALF, scale=HALF)


def bert():
    torch.manual_seed(0)
    return BertModel(BertConfig(**BERT), add_pooling_layer=False).double()


def apply(layer, rows):
    return rows @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def test_the_vector_of_a_text_is_the_average_over_its_tokens():
    words = [[["a", "b"], ["c"]], None, [["b", "c", "a", "b"]]]
    text = flatten_text(TokenMessages.from_lists(words), 0)
    ids = {"a": 3, "b": 4, "c": 5}
    for frame, room in (
        (TextFrame([], [], pad=0, offset=3), 3),
        (TextFrame([7], [8], pad=0, offset=3), 5),
    ):
        encoder = MeanTextStates(bert(), frame, room).double()
        encoder.set_scale(torch.full((4,), 0.5), torch.full((4,), 2.0))
        found = encoder(text).detach().numpy()
        for user, row in enumerate((["a", "b", "c"], None, ["b", "c", "a"])):
            mean = np.zeros(4)
            if row is not None:
                tokens = [*frame.before, *(ids[word] for word in row), *frame.after]
                read = encoder.model(torch.tensor([tokens])).last_hidden_state[0]
                mean = read.detach().numpy().mean(axis=0)
            expected = (mean - 0.5) / 2
            np.testing.assert_allclose(found[user], expected, rtol=0, atol=1e-6)


def test_nobody_wrote_and_nobody_shows():
    text = flatten_text(TokenMessages.from_lists([None, [["a"]]])[:1], 0)
    encoder = MeanTextStates(bert(), TextFrame([], [], pad=0, offset=1), 5).double()
    assert torch.equal(encoder(text), torch.zeros(1, 4).double())
    images = MeanImageStates(image_states()).double()
    nothing = FlatImages(torch.zeros(0, 3, 4, 4), torch.zeros(0, dtype=torch.int64), 2)
    assert torch.equal(images(nothing), torch.zeros(2, 8).double())


def image_states():
    torch.manual_seed(0)
    settings = {name: value for name, value in VIT.items() if name != "model_type"}
    model = ViTModel(ViTConfig(**settings), add_pooling_layer=False)
    return ImageStates(model, SHOWN)


def test_the_vector_of_images_is_their_average():
    encoder = MeanImageStates(image_states()).double()
    pixels = torch.randint(0, 256, (3, 3, 4, 4))
    found = encoder(FlatImages(pixels, torch.tensor([0, 0, 2]), 3)).detach().numpy()
    scaled = (pixels.double() / 255 - 0.5) / 0.5
    read = encoder.model.model(scaled).last_hidden_state[:, 0].detach().numpy()
    expected = [read[:2].mean(axis=0), np.zeros(8), read[2]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_models_inside_never_drop():
    encoder = MeanTextStates(bert(), TextFrame([], [], pad=0, offset=1), 5)
    assert encoder.train().training
    assert not any(layer.training for layer in encoder.model.modules())


def test_common_space_by_hand():
    torch.manual_seed(0)
    net = COOPNet(
        [text_source(12), SHOWN],
        [2],
        language_model=bert(),
        image_model=image_states().model,
        frame=TextFrame([], [], pad=0, offset=1),
        max_tokens=5,
        n_common=3,
        n_hidden=[],
        dropout=0.0,
        source_dropout=0.0,
    ).double()
    x = np.random.RandomState(0).normal(size=(5, 12))
    parts = [x[:, :4], x[:, 4:]]
    common = sum(np.tanh(apply(net.common[k], parts[k])) for k in range(2)) / 2
    expected = [
        np.maximum(apply(net.joined[k], np.hstack([parts[k], common])), 0)
        for k in range(2)
    ]
    found = net.represent([torch.from_numpy(part) for part in parts])
    np.testing.assert_allclose(
        found.detach().numpy(), np.hstack(expected), rtol=0, atol=1e-6
    )
    text = flatten_text(TokenMessages.from_lists([[["a"]]]), 0)
    images = FlatImages(torch.zeros(0, 3, 4, 4), torch.zeros(0, dtype=torch.int64), 1)
    with torch.no_grad():
        net.sources.missing[1].copy_(torch.arange(8.0))
    there, nowhere = torch.tensor([True]), torch.tensor([False])
    net.eval()
    (logits,) = net(
        {"text": text, "images": images}, {"text": there, "images": nowhere}
    )
    missing = torch.arange(8.0, dtype=torch.float64).unsqueeze(0)
    read = net.sources.encoder("text")(text)
    by_hand = net.heads[0](net.represent([read, missing]))
    torch.testing.assert_close(logits, by_hand)
