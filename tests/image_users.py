"""Users with few small images of digits, and what telling them apart takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from sklearn_profiling.containers import ImageBags


def digit_users(n_users=8, seed=0, n_images=3):
    """Bags of digits 0 or 1: which there are more of, and what the first one is."""
    images, digits = load_digits(n_class=2, return_X_y=True)
    generator = np.random.RandomState(seed)
    chosen = generator.randint(len(images), size=(n_users, n_images))
    pixels = (images[chosen] * 15.9).astype(np.uint8).reshape(-1, 1, 8, 8)
    starts = np.arange(0, n_users * n_images + 1, n_images)
    y = pd.DataFrame(
        {
            "most": np.where(digits[chosen].mean(axis=1) > 0.5, "one", "zero"),
            "first": np.where(digits[chosen[:, 0]], "one", "zero"),
        },
        dtype=object,
    )
    return ImageBags(pixels, starts), y
