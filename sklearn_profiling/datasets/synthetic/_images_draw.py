"""Images of the digit users: the digits they show, and the likelihood of these.

A picture of a digit from 1 to 9 speaks for a taste: 1 to 3 "low", 4 to 6 "middle", 7
to 9 "high". A user who shows a zero has it in the place of one such picture. So given
taste t and the answer z to whether the user is one for zeros,

    P(digits | t, z) = P(a zero is shown | z) prod_i P(group of digit i | t)

up to a factor that depends on neither, the product over the pictures without a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]

CLASSES: Final = {
    "taste": ("low", "middle", "high"),
    "zero": ("no", "yes"),
    "coin": ("heads", "tails"),
}
TASKS: Final = tuple(CLASSES)

_DIGITS_PER_TASTE = 3
_N_DIGITS = 10
_LARGEST = 16.0  # the pixels of load_digits are 0 to 16
_TINY = 1e-300


@dataclass(frozen=True)
class Pictures:
    """Digits of all pictures, (n_images,); user u has ``starts[u]:starts[u + 1]``."""

    digits: IntArray
    starts: IntArray


def mixture(noise: float, n_classes: int) -> FloatArray:
    """Return P(class shown | class of the user), row = user."""
    return (1.0 - noise) * np.eye(n_classes) + noise / n_classes


def draw_pictures(
    codes: dict[str, IntArray],
    sizes: IntArray,
    noise: float,
    rng: np.random.Generator,
) -> Pictures:
    """Draw the digits that every user shows, from the codes of "taste" and "zero".

    `noise` is the probability that a digit does not depend on the user's taste;
    squared, that a zero is shown or not regardless of the user.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)])
    tastes = np.repeat(codes["taste"], sizes)
    is_noise = rng.random(len(tastes)) < noise
    groups = np.where(is_noise, rng.integers(3, size=len(tastes)), tastes)
    within = rng.integers(_DIGITS_PER_TASTE, size=len(tastes))
    digits = 1 + _DIGITS_PER_TASTE * groups + within

    is_noise = rng.random(len(sizes)) < noise**2
    shown = np.where(is_noise, rng.integers(2, size=len(sizes)), codes["zero"]) == 1
    shown &= sizes > 0
    places = starts[:-1] + np.floor(rng.random(len(sizes)) * sizes).astype(np.int64)
    digits[places[shown]] = 0
    return Pictures(digits, starts)


def pictures_log_likelihood(pictures: Pictures, noise: float) -> FloatArray:
    """Return log P(digits | zero, taste) up to a constant, shape (n_users, 2, 3)."""
    n_users = len(pictures.starts) - 1
    sizes = np.diff(pictures.starts)
    user = np.repeat(np.arange(n_users), sizes)
    is_zero = pictures.digits == 0
    cells = 3 * user + (pictures.digits - 1) // _DIGITS_PER_TASTE
    counts = np.bincount(cells[~is_zero], minlength=3 * n_users).reshape(n_users, 3)
    # einsum sums in one order on any number of threads, a matrix product does not
    taste = np.einsum("ng,tg->nt", counts, _log(mixture(noise, 3)))
    shown = np.zeros(n_users, dtype=np.int64)
    shown[user[is_zero]] = 1
    zero = _log(mixture(noise**2, 2)).T[shown]
    zero[sizes == 0] = 0.0
    return np.asarray(zero[:, :, None] + taste[:, None, :])


def _log(probability: FloatArray) -> FloatArray:
    # finite, since 0 * -inf would be NaN in the products
    return np.log(np.maximum(probability, _TINY))


def draw_images(digits: IntArray, size: int, rng: np.random.Generator) -> list[Pixels]:
    """Draw a real picture of each digit; read-only, shared where drawn again."""
    bunch = load_digits()
    order = np.argsort(bunch.target, kind="stable")
    counts = np.bincount(bunch.target, minlength=_N_DIGITS)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    pool = enlarge(bunch.images[order], size)
    pool.flags.writeable = False
    chosen = first[digits] + rng.integers(counts[digits])
    return [pool[place] for place in chosen.tolist()]


def enlarge(images: FloatArray, size: int) -> Pixels:
    """Scale (n, side, side) grey values up to 16 to (n, size, size, 3), bilinearly."""
    side = images.shape[1]
    # where the middle of each new pixel lies among the middles of the old ones
    places = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    weights = np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(side)))
    large = np.einsum("ij,njk,lk->nil", weights, images, weights, optimize=True)
    grey = np.rint(large * (255.0 / _LARGEST)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3)
