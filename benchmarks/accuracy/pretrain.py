"""Small backbones that are trained on reviews and pictures before any label is seen.

The models of ``unified_tables.py`` of the same sizes, trained on further synthetic
reviewers and saved as folders, so that its rows can be run with random weights and with
pretrained ones:

    python benchmarks/accuracy/pretrain.py FOLDER
    python benchmarks/accuracy/unified_tables.py --table 2 --epochs 4 --image-size 32 \
        --learning-rate 1e-3 --batch-size 8 --language-model FOLDER/t5 \
        --image-model FOLDER/vit --model bart=FOLDER/bart bert=FOLDER/bert

T5 and BART write the reviews and captions anew of which words are masked, BERT guesses
the masked words, and ViT which words the caption of a picture has.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch.nn import functional
from unified_rows import SMALL

from sklearn_profiling.datasets import make_reviewers
from sklearn_profiling.sources import SubwordSegmenter

MASKED = 0.3  # share of the tokens
IGNORED = -100  # label without a loss
KINDS = {
    "t5": transformers.AutoModelForSeq2SeqLM,
    "bart": transformers.AutoModelForSeq2SeqLM,
    "bert": transformers.AutoModelForMaskedLM,
    "vit": transformers.AutoModelForImageClassification,
}
WITHOUT_DROPOUT = {
    "t5": ("dropout_rate",),
    "bart": ("dropout", "attention_dropout", "activation_dropout"),
    "bert": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "vit": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
}


class Reviews:
    """Reviews, captions and pictures of users whose labels stay unused."""

    def __init__(self, n_users: int, seed: int) -> None:
        self.drawn = np.random.default_rng(seed)
        # The tables' own users are those of seed 0.
        users = make_reviewers(n_users, n_reviews=3, random_state=seed + 1).data
        texts = [*users["messages"], *users["captions"]]
        cut = SubwordSegmenter(n_tokens=1000, drop_duplicates=False).fit(texts)
        self.tokenizer = cut.to_transformers()
        self.texts = [" ".join(cell) for cell in texts if cell]
        self.pictures = np.stack([image for cell in users["images"] for image in cell])
        captions = [text.split() for cell in users["captions"] for text in cell]
        self.words = sorted({word for caption in captions for word in caption})
        self.shown = np.array([[w in c for w in self.words] for c in captions])

    def batches(self, n_rows: int, batch_size: int) -> Iterator[np.ndarray]:
        """Draw the rows of each batch of one epoch."""
        order = self.drawn.permutation(n_rows)
        yield from np.array_split(order, max(1, n_rows // batch_size))

    def masked_texts(self, batch_size: int) -> Iterator[tuple[Any, Any, Any]]:
        """Draw ids of texts, which of them are masked, and the attention mask."""
        for rows in self.batches(len(self.texts), batch_size):
            chosen = [self.texts[row] for row in rows]
            found = self.tokenizer(chosen, padding=True, return_tensors="pt")
            there = found["attention_mask"].bool()
            hidden = torch.from_numpy(self.drawn.random(there.shape) < MASKED) & there
            yield found["input_ids"], hidden, there

    def losses(self, name: str, model: Any, batch_size: int) -> Iterator[Any]:
        """Compute the loss of each batch of one epoch."""
        if name == "vit":
            for rows in self.batches(len(self.pictures), batch_size):
                pixels = torch.from_numpy(self.pictures[rows]).permute(0, 3, 1, 2)
                logits = model(pixels / 127.5 - 1.0).logits
                shown = torch.from_numpy(self.shown[rows]).float()
                yield functional.binary_cross_entropy_with_logits(logits, shown)
            return
        unknown = self.tokenizer.unk_token_id
        for ids, hidden, there in self.masked_texts(batch_size):
            asked = hidden if name == "bert" else there
            yield model(
                input_ids=ids.masked_fill(hidden, unknown),
                attention_mask=there.long(),
                labels=ids.masked_fill(~asked, IGNORED),
            ).loss


def make_model(name: str, reviews: Reviews) -> Any:
    """Make a model with random weights, as large as that of the tables."""
    values = {**SMALL[name], **dict.fromkeys(WITHOUT_DROPOUT[name], 0.0)}
    if name == "vit":
        values["num_labels"] = len(reviews.words)
    else:
        cut = reviews.tokenizer
        values |= {
            "vocab_size": len(cut),
            "pad_token_id": cut.pad_token_id,
            "eos_token_id": cut.eos_token_id,
            "decoder_start_token_id": cut.pad_token_id,
        }
    return KINDS[name].from_config(transformers.AutoConfig.for_model(**values))


def pretrain(name: str, reviews: Reviews, given: argparse.Namespace) -> Any:
    """Train one model; return it."""
    torch.manual_seed(given.seed)
    model = make_model(name, reviews).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=given.learning_rate)
    for epoch in range(given.epochs):
        losses = []
        for loss in reviews.losses(name, model, given.batch_size):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        mean = np.mean(losses[-20:])
        print(f"{name}, epoch {epoch}: loss {mean:.3f}", file=sys.stderr, flush=True)
    return model


def main(arguments: list[str] | None = None) -> None:
    """Write one folder a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", choices=list(KINDS), default=[*KINDS])
    parser.add_argument("--users", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    reviews = Reviews(given.users, given.seed)
    for name in given.models:
        target = given.folder / name
        pretrain(name, reviews, given).save_pretrained(target)
        if name == "vit":
            scale = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
            path = target / "preprocessor_config.json"
            path.write_text(json.dumps(scale), "utf-8")
        else:
            reviews.tokenizer.save_pretrained(target)


if __name__ == "__main__":
    main()
