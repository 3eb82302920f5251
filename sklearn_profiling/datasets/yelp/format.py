"""Files of the Yelp Open Dataset: names, classes of the profile, one line of each."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sklearn_profiling.datasets._files import BadLine

REVIEWS: Final = "yelp_academic_dataset_review.json"
BUSINESSES: Final = "yelp_academic_dataset_business.json"
USERS: Final = "yelp_academic_dataset_user.json"
PHOTOS: Final = "photos.json"
PHOTO_FOLDER: Final = "photos"
#: Names of the files in other rounds of the data set.
OTHER_NAMES: Final = {
    REVIEWS: ("review.json",),
    BUSINESSES: ("business.json",),
    USERS: ("user.json",),
    PHOTOS: ("photo.json", "yelp_academic_dataset_photo.json"),
}

STARS: Final = "Stars"
CATEGORY: Final = "Favorite Category"
MEAL: Final = "Preferred Meal"
BUDGET: Final = "Budget Range"
DISCOUNT: Final = "Discount Preference"
SERVICE: Final = "Service Preference"

# the classes of the paper's Table 6, the categories as Yelp writes them
CATEGORIES: Final = (
    *("Automotive", "Shopping", "Event Planning & Services", "Pizza", "Coffee & Tea"),
    *("Active Life", "Beauty & Spas", "Local Services", "Health & Medical"),
    "Home Services",
)
CLASSES: Final[dict[str, tuple[Any, ...]]] = {
    STARS: (1, 2, 3, 4, 5),
    CATEGORY: CATEGORIES,
    MEAL: ("Lunch", "Dinner"),
    BUDGET: ("Low", "High"),
    DISCOUNT: (True, False),
    SERVICE: (True, False),
}
TASKS: Final = tuple(CLASSES)

MEALS_KEY: Final = "GoodForMeal"
PRICE_KEY: Final = "RestaurantsPriceRange2"
DISCOUNT_KEYS: Final = ("HappyHour",)
SERVICE_KEYS: Final = ("RestaurantsTakeOut", "Caters")

_NO_FRIENDS = ("", "None")
# what attributes were called in the rounds until 2015
_OLD_ATTRIBUTES = {
    "Good For": MEALS_KEY,
    "Price Range": PRICE_KEY,
    "Happy Hour": "HappyHour",
    "Take-out": "RestaurantsTakeOut",
}


class Business(NamedTuple):
    """One business: its categories and its attributes as the file has them."""

    business_id: str
    categories: tuple[str, ...]
    attributes: Mapping[str, Any]


class Photo(NamedTuple):
    """One photo of a business."""

    photo_id: str
    business_id: str
    caption: str


class Review(NamedTuple):
    """One review; ``stars`` is None where the file has null."""

    review_id: str
    user_id: str
    business_id: str
    stars: float | None
    text: str


def parse_business(row: Mapping[str, Any]) -> Business:
    """Read a line of the businesses."""
    names = row.get("categories")
    if names is None:
        categories: tuple[str, ...] = ()
    elif isinstance(names, str):
        categories = tuple(name.strip() for name in names.split(",") if name.strip())
    elif isinstance(names, list) and all(isinstance(name, str) for name in names):
        categories = tuple(name.strip() for name in names if name.strip())
    else:
        detail = f"must be a string with commas, a list or null; got {names!r:.60}"
        raise BadLine(kind="bad categories", detail=detail)
    attributes = row.get("attributes")
    if attributes is None:
        attributes = {}
    if isinstance(attributes, list):
        attributes = _listed_attributes(attributes)
    if not isinstance(attributes, dict):
        detail = f"must be an object, a list or null; got {attributes!r:.60}"
        raise BadLine(kind="bad attributes", detail=detail)
    attributes = {_OLD_ATTRIBUTES.get(key, key): attributes[key] for key in attributes}
    return Business(_identifier(row, "business_id"), categories, attributes)


def _listed_attributes(entries: list[Any]) -> dict[str, str]:
    """Read ``["HappyHour: True", ...]``, the attributes of 2017."""
    attributes: dict[str, str] = {}
    for entry in entries:
        name, colon, value = (
            entry.partition(":") if isinstance(entry, str) else [""] * 3
        )
        if not colon:
            detail = f"each of a list must be 'name: value'; got {entry!r:.60}"
            raise BadLine(kind="bad attributes", detail=detail)
        attributes[name.strip()] = value.strip()
    return attributes


def parse_photo(row: Mapping[str, Any]) -> Photo:
    """Read a line of the photos."""
    caption = row.get("caption")
    if caption is not None and not isinstance(caption, str):
        detail = f"must be a string or null; got {caption!r:.60}"
        raise BadLine(kind="bad caption", detail=detail)
    photo_id = _identifier(row, "photo_id")
    return Photo(photo_id, _identifier(row, "business_id"), (caption or "").strip())


def parse_review(row: Mapping[str, Any]) -> Review:
    """Read a line of the reviews."""
    stars = row.get("stars")
    is_number = isinstance(stars, int | float) and not isinstance(stars, bool)
    if stars is not None and not (is_number and 1 <= stars <= 5):
        detail = f"must be a number from 1 to 5 or null; got {stars!r:.60}"
        raise BadLine(kind="bad stars", detail=detail)
    text = row.get("text")
    if not isinstance(text, str):
        raise BadLine(kind="bad text", detail=f"must be a string; got {text!r:.60}")
    names = ("review_id", "user_id", "business_id")
    ids = [_identifier(row, name) for name in names]
    return Review(ids[0], ids[1], ids[2], stars, text)


def parse_friends(row: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Read a line of the users: the user and their friends."""
    friends = row.get("friends")
    if friends is None:
        friends = []
    elif isinstance(friends, str):
        friends = [name.strip() for name in friends.split(",")]
    if not isinstance(friends, list) or not all(isinstance(f, str) for f in friends):
        detail = f"must be a list of ids or a string with commas; got {friends!r:.60}"
        raise BadLine(kind="bad friends", detail=detail)
    return _identifier(row, "user_id"), [f for f in friends if f not in _NO_FRIENDS]


def _identifier(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        detail = f"{name} must be a string that is not empty; got {value!r:.60}"
        raise BadLine(kind=f"bad {name}", detail=detail)
    return value


def plain_value(value: Any) -> Any:
    """Return what an attribute says; None if nothing.

    Values are Python literals written as strings: ``"True"``, ``"u'free'"``,
    ``"{'lunch': True, 'dinner': None}"``. What is none stays a string.
    """
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return value


def truth_of(attributes: Mapping[str, Any], names: tuple[str, ...]) -> bool | None:
    """Return if any of the attributes is True; None if all are unknown."""
    said = [plain_value(attributes.get(name)) for name in names]
    known = [value for value in said if isinstance(value, bool)]
    return any(known) if known else None


def meals_of(attributes: Mapping[str, Any]) -> list[str]:
    """Return which of lunch and dinner the business is good for."""
    said = plain_value(attributes.get(MEALS_KEY))
    if not isinstance(said, dict):
        return []
    return [meal for meal in CLASSES[MEAL] if said.get(meal.lower()) is True]


def price_of(attributes: Mapping[str, Any]) -> int | None:
    """Return the price range, 1 to 4; None if unknown."""
    said = plain_value(attributes.get(PRICE_KEY))
    is_price = isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= 4
    return said if is_price else None
