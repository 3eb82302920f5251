"""Speed of a training step of the 3D-CNN: through the estimator, bare, and padded.

"estimator" is a step of the net behind CNN3DClassifier, building the batch from the
users' bytes included; "bare" is the same module and optimizer in a plain loop over
batches that were built before. "bare, channels first" is that module with the maps
copied to channels first before every convolution, and back. "torch volumes" is what the
paper's authors would write: Conv3d and MaxPool3d over volumes padded with black to the
largest bag, same sizes; with "channels last", volumes and weights lie so. The ways take
turns; one JSON line each, by process time, least of the rounds; "ratio" is to "bare".

    python benchmarks/speed/bench_cnn3d.py --threads 1
    python benchmarks/speed/bench_cnn3d.py --dtype bfloat16
    python benchmarks/speed/bench_cnn3d.py --bags 3 11
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool3d, pad

from sklearn_profiling.architectures.cnn3d import VOLUME_MODELS, VolumeConvolution
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.estimators import CNN3DClassifier
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.batches import UserDataset


class TorchVolumes(nn.Module):
    """The same model over padded volumes."""

    def __init__(self, variant: int, n_filters: int | None, side: int) -> None:
        super().__init__()
        model = VOLUME_MODELS[variant]
        widths = [3, *(f * (n_filters or model.n_filters) for f in model.factors)]
        self.pools = model.pools
        self.convolutions = nn.ModuleList(
            nn.Conv3d(before, after, (2, 3, 3), padding=(0, 1, 1))
            for before, after in pairwise(widths)
        )
        for pool in self.pools:
            side = -(-side // 2) if pool else side
        self.shared = nn.Linear(widths[-1] * side * side, 256)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, n))
            for n in (2, 6, 8)
        )

    def forward(self, volumes):
        """From (n_users, 3, depth, height, width) to logits."""
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            volumes = torch.relu(convolution(pad(volumes, (0, 0, 0, 0, 0, 1))))
            if pool:
                size = (2 if pool == "volume" else 1, 2, 2)
                volumes = max_pool3d(volumes, size, ceil_mode=True)
        shared = torch.relu(self.shared(volumes.amax(dim=2).flatten(1)))
        return [head(shared) for head in self.heads]


def make_users(settings):
    rng = np.random.RandomState(settings.seed)
    low, high = settings.bags
    counts = rng.randint(low, high + 1, settings.n_users)
    shape = (counts.sum(), 3, settings.size, settings.size)
    pixels = rng.randint(0, 256, shape).astype(np.uint8)
    y = np.stack([rng.randint(0, n, settings.n_users) for n in (2, 6, 8)], axis=1)
    for task, n in enumerate((2, 6, 8)):
        y[:n, task] = np.arange(n)
    return ImageBags(pixels, np.concatenate([[0], np.cumsum(counts)])), y


def pad_volumes(batch, depth):
    images = batch.sources["images"]
    pixels = images.pixels.float() / 255
    volumes = torch.zeros(images.n_users, 3, depth, *pixels.shape[2:])
    volumes[images.image_users, :, images.positions()] = pixels
    return volumes


class ChannelsFirst(nn.Module):
    """A convolution that copies its maps to channels first, and back."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, maps):
        """From (n_pairs, n_maps, 2, height, width), in whatever order they lie."""
        found = self.convolution(maps.contiguous()).squeeze(2)
        return found.contiguous(memory_format=torch.channels_last).unsqueeze(2)


def channels_first(module):
    """Copy a 3D-CNN and lay the maps before its convolutions anew."""
    module = copy.deepcopy(module)
    for layer in module.modules():
        if isinstance(layer, VolumeConvolution):
            layer.convolution = ChannelsFirst(layer.convolution)
    return module


def timed(ways, n_repeats):
    """Process time of a step of each way: the least of rounds where all take turns."""
    found = {name: [] for name in ways}
    for _ in range(n_repeats + 1):
        for name, steps in ways.items():
            start = time.process_time()
            n_steps = steps()
            found[name].append((time.process_time() - start) / n_steps)
    return {name: min(seconds[1:]) for name, seconds in found.items()}


def run(settings):
    X, y = make_users(settings)
    model = CNN3DClassifier(
        variant=settings.variant,
        n_filters=settings.filters,
        batch_size=settings.batch_size,
        max_epochs=1,
        dtype=settings.dtype,
        random_state=settings.seed,
    ).fit(X, y)
    net = model.net_
    labels = LabelCodec.learn(y).encode(y)
    dataset = UserDataset({"images": X}, {}, torch.float32, labels)
    ready = [dataset.__getitems__(list(rows)) for rows in batches(settings)]
    half = net.autocast

    def through_the_estimator():
        net.partial_fit(dataset, epochs=1)
        return len(ready)

    def loop(module, optimizer, compute):
        module.train()
        for batch, labels in ready:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                logits = compute(batch)
            loss = sum(
                cross_entropy(scores.float(), labels.codes[:, task])
                for task, scores in enumerate(logits)
            )
            loss.backward()
            optimizer.step()
        return len(ready)

    def read(batch):
        return batch.sources, batch.present

    bare = net.module_
    first = channels_first(bare)
    plain = TorchVolumes(settings.variant, settings.filters, settings.size)
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last_3d)
    volumes = {id(batch): pad_volumes(batch, settings.bags[1]) for batch, _ in ready}
    lying = {
        key: each.contiguous(memory_format=torch.channels_last_3d)
        for key, each in volumes.items()
    }
    adam = {
        m: torch.optim.Adam(m.parameters(), 1e-4) for m in (bare, first, plain, last)
    }
    ways = {
        "bare": lambda: loop(bare, adam[bare], lambda b: bare(*read(b))),
        "estimator": through_the_estimator,
        "bare, channels first": lambda: loop(
            first, adam[first], lambda b: first(*read(b))
        ),
        "torch volumes": lambda: loop(
            plain, adam[plain], lambda b: plain(volumes[id(b)])
        ),
        "torch volumes, channels last": lambda: loop(
            last, adam[last], lambda b: last(lying[id(b)])
        ),
    }
    found = timed(ways, settings.n_repeats)
    for name, seconds in found.items():
        result = {
            "benchmark": "cnn3d", "way": name, **vars(settings), "autocast": half,
            "images": X.n_images, "cpu_seconds_per_step": round(seconds, 4),
            "ratio": round(seconds / found["bare"], 2),
        }  # fmt: skip
        print(json.dumps(result), flush=True)


def batches(settings):
    rows = np.arange(settings.n_users)
    return np.split(
        rows, np.arange(settings.batch_size, len(rows), settings.batch_size)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", type=int, choices=[1, 2], default=1)
    parser.add_argument("--filters", type=int, help="of the first convolution")
    parser.add_argument("--n-users", type=int, default=26)
    parser.add_argument("--batch-size", type=int, default=13)
    parser.add_argument("--bags", type=int, nargs=2, default=[11, 11])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--n-repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    run(settings)


if __name__ == "__main__":
    main()
