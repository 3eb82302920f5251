"""Reviews, pictures and captions of the synthetic reviewers.

Each shows the value of an attribute at one visit, or hides it: a value of -1.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling.datasets.synthetic._reviewers_model import IntArray
from sklearn_profiling.datasets.yelp.format import (
    BUDGET,
    CATEGORY,
    DISCOUNT,
    MEAL,
    SERVICE,
    STARS,
)

Pixels = npt.NDArray[np.uint8]
Values = dict[str, IntArray]

# one for each of the ten categories
PRODUCTS: Final = (
    *("car", "shirt", "party", "pizza", "coffee"),
    *("bike", "massage", "laundry", "checkup", "repair"),
)
_OPENINGS = ("we came for the {}.", "i tried the {}.")
_HIDDEN_OPENINGS = ("we came by again.", "i tried this place.")
_FILLERS = (
    *("the street was busy.", "it rained all day.", "a friend came along."),
    *("we stayed for an hour.", "my family was there.", "the music was loud."),
)
# two ways to say each value
_SENTENCES: Final = {
    STARS: (
        ("it was terrible.", "the visit was awful."),
        ("it was poor.", "the visit was weak."),
        ("it was okay.", "the visit was average."),
        ("it was good.", "the visit was nice."),
        ("it was excellent.", "the visit was perfect."),
    ),
    BUDGET: (
        ("the bill was small.", "the prices are low."),
        ("the bill was huge.", "the prices are high."),
    ),
    DISCOUNT: (
        ("we used a coupon.", "there was a happy hour."),
        ("we paid in full.", "there were no offers."),
    ),
}

# category c has the colour c // 2; it is a disc if even, a ring if odd
_COLOURS = np.array(
    [(210, 40, 40), (40, 160, 60), (40, 80, 210), (235, 210, 50), (150, 50, 170)]
)
_BOX = (175, 175, 175)
_LIGHT = np.array([(240, 240, 230), (35, 35, 50), (125, 125, 125)])
_FRAMES = np.array([(0, 160, 160), (255, 120, 0)])
_BAG, _MENU = (120, 75, 30), (255, 120, 190)
_GRAIN = 8  # pixels vary by as much, out of 255

_BY_LIGHT = (" by day", " at night", "")
_BY_SERVICE = (" with a bag", " with a menu", "")
_BY_BUDGET = (" in a teal frame", " in an orange frame", "")


def write_reviews(values: Values, rng: np.random.Generator) -> list[str]:
    """Write one review a visit: lower-case sentences, the opening first.

    `values` has what the words say of each attribute, (n_visits,); -1 hides it.
    """
    n_visits = len(values[CATEGORY])
    wording = rng.integers(2, size=(n_visits, 1 + len(_SENTENCES))).tolist()
    fillers = rng.integers(len(_FILLERS), size=n_visits).tolist()
    orders = rng.random((n_visits, 1 + len(_SENTENCES))).argsort(axis=1).tolist()
    columns = [values[task].tolist() for task in _SENTENCES]
    reviews = []
    for visit, product in enumerate(values[CATEGORY].tolist()):
        way = wording[visit]
        sentences = [_FILLERS[fillers[visit]]]
        for place, (task, column) in enumerate(zip(_SENTENCES, columns, strict=True)):
            value = column[visit]
            shown = value >= 0
            sentences.append(_SENTENCES[task][value][way[place]] if shown else "")
        openings = _OPENINGS if product >= 0 else _HIDDEN_OPENINGS
        opening = openings[way[-1]].format(PRODUCTS[product])
        ordered = [sentences[place] for place in orders[visit]]
        reviews.append(" ".join([opening, *filter(None, ordered)]))
    return reviews


def write_captions(values: Values) -> list[str]:
    """Say in words what each picture shows and nothing else."""
    columns = [values[task].tolist() for task in (CATEGORY, MEAL, SERVICE, BUDGET)]
    captions = []
    for product, light, service, budget in zip(*columns, strict=True):
        thing = f"the {PRODUCTS[product]}" if product >= 0 else "a box"
        captions.append(
            f"a picture of {thing}{_BY_LIGHT[light]}{_BY_SERVICE[service]}"
            f"{_BY_BUDGET[budget]}"
        )
    return captions


def draw_pictures(values: Values, size: int, rng: np.random.Generator) -> list[Pixels]:
    """Draw one read-only picture a visit, uint8 of shape (size, size, 3).

    `values` is as in :func:`write_reviews`. Products move by up to 2 / 32 of the size,
    and grain is added.
    """
    n_visits = len(values[CATEGORY])
    shifts = rng.uniform(-2, 2, size=(n_visits, 2)) * (size / 32)
    columns = [values[task].tolist() for task in (CATEGORY, MEAL, BUDGET, SERVICE)]
    pictures = []
    for shift, product, light, budget, service in zip(shifts, *columns, strict=True):
        canvas = np.empty((size, size, 3), dtype=np.int16)
        canvas[:] = _LIGHT[light]
        _draw_product(canvas, product, shift)
        _draw_service(canvas, service)
        _draw_frame(canvas, budget)
        canvas += rng.integers(-_GRAIN, _GRAIN + 1, size=canvas.shape, dtype=np.int16)
        picture = canvas.clip(0, 255).astype(np.uint8)
        picture.flags.writeable = False
        pictures.append(picture)
    return pictures


def _draw_product(canvas: npt.NDArray[Any], product: int, shift: Any) -> None:
    size = len(canvas)
    places = np.arange(size) + 0.5
    rows = (places - 0.45 * size - shift[0])[:, None]
    columns = (places - 0.5 * size - shift[1])[None, :]
    radius = size / 4
    if product < 0:
        box = np.maximum(abs(rows), abs(columns)) < 0.8 * radius
        canvas[box] = _BOX
        return
    distance = np.hypot(rows, columns)
    shape = distance < radius
    if product % 2:
        shape &= distance >= radius / 2
    canvas[shape] = _COLOURS[product // 2]


def _draw_service(canvas: npt.NDArray[Any], service: int) -> None:
    size = len(canvas)
    side, margin = round(size * 7 / 32), round(size * 3 / 32)
    rows = slice(size - margin - side, size - margin)
    if service == 0:
        canvas[rows, margin : margin + side] = _BAG
    elif service == 1:
        canvas[rows, size - margin - side : size - margin] = _MENU


def _draw_frame(canvas: npt.NDArray[Any], budget: int) -> None:
    if budget < 0:
        return
    width = round(len(canvas) * 2 / 32)
    inside = np.zeros(canvas.shape[:2], dtype=bool)
    inside[width:-width, width:-width] = True
    canvas[~inside] = _FRAMES[budget]
