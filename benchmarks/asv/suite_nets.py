"""Epochs of the nets that read text."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, ClassVar

import bench_flat_text
import bench_lstm
import numpy as np
import torch

_SHARED = {"batch_size": 64, "n_dimensions": 100, "seed": 0}


class TextNets:
    """Forward and backward over all users, on one thread."""

    sizes: ClassVar[dict[str, Any]] = {
        "n_users": 192,
        "n_vocabulary": 20_000,
        "max_messages": 100,
        "max_words": 60,
    }
    tiny: ClassVar[dict[str, Any]] = {
        "n_users": 8,
        "n_vocabulary": 100,
        "max_messages": 4,
        "max_words": 9,
    }

    def setup(self) -> None:
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.settings = Namespace(
            **_SHARED,
            **self.sizes,
            n_hidden=64,
            n_filters=32,
            kernel_sizes=[1, 3],
            second_kernel_size=3,
            n_features=64,
        )
        self.text = bench_lstm.make_text(self.settings)
        rng = np.random.default_rng(0)
        codes = [[rng.integers(n) for n in bench_lstm.N_CLASSES] for _ in self.text]
        self.codes = torch.tensor(codes)
        self.lstm = bench_lstm.make_net(self.settings)
        self.cnn = bench_flat_text.make_net(self.settings)

    def teardown(self) -> None:
        torch.set_num_threads(self.threads)

    def time_lstm(self) -> None:
        bench_lstm.epoch(self.lstm, self.text, self.codes, "buckets", self.settings)

    def time_text_cnn(self) -> None:
        bench_flat_text.epoch(self.cnn, self.text, self.codes, "flat", self.settings)
