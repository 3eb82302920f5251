"""Files of the Yelp Open Dataset read line by line, the reviews twice."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import lexists
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

import numpy as np

from sklearn_profiling._image_formats import image_endings
from sklearn_profiling._packed_files import PACKED_ENDINGS
from sklearn_profiling.containers._link_codes import Chunk
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._files import (
    BadLine,
    LineFile,
    OnBadLines,
    children,
)
from sklearn_profiling.datasets._networks import OnUnknownLinks, network_of
from sklearn_profiling.datasets.records.format import parse_json_object
from sklearn_profiling.datasets.yelp.format import (
    OTHER_NAMES,
    PHOTO_FOLDER,
    PHOTOS,
    Business,
    Photo,
    Review,
    parse_business,
    parse_friends,
    parse_photo,
    parse_review,
)
from sklearn_profiling.datasets.yelp.profile import ProfileRules, Tally, Votes
from sklearn_profiling.exceptions import DataFormatError

_Entry = TypeVar("_Entry")
_NOBODY = -1
_LINKS_AT_ONCE = 1 << 18


class Image(NamedTuple):
    """A photo that is there."""

    path: str
    caption: str


@dataclass(frozen=True)
class ReviewRules:
    """Which reviews and users stay; the parameters of the loader."""

    min_words: int
    max_words: int | None
    min_reviews: int
    min_kept_reviews: int
    require_images: bool
    images_per_review: int | None
    all_reviews_vote: bool


@dataclass
class Reviewer:
    """A user and the reviews that stay."""

    user_id: str
    messages: list[str] = field(default_factory=list)
    ratings: list[float | None] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    image_reviews: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def add(self, text: str, stars: float | None, images: list[Image]) -> None:
        """Add a review and its images."""
        self.images.extend(image.path for image in images)
        self.captions.extend(image.caption for image in images)
        self.image_reviews.extend([len(self.messages)] * len(images))
        self.messages.append(text)
        # Yelp writes 4 as 4.0.
        if stars is not None and stars == int(stars):
            stars = int(stars)
        self.ratings.append(stars)

    def draw(self, n_reviews: int, generator: np.random.Generator) -> int:
        """Keep some reviews, in their order, and their images; return those left."""
        n_all = len(self.messages)
        drawn = np.sort(generator.permutation(n_all)[:n_reviews]).tolist()
        place = {review: new for new, review in enumerate(drawn)}
        kept = [k for k, review in enumerate(self.image_reviews) if review in place]
        self.messages = [self.messages[review] for review in drawn]
        self.ratings = [self.ratings[review] for review in drawn]
        self.images = [self.images[k] for k in kept]
        self.captions = [self.captions[k] for k in kept]
        self.image_reviews = [place[self.image_reviews[k]] for k in kept]
        return n_all - len(drawn)


def files_of(folder: Path, name: str) -> list[Path]:
    """Return the files of a name or its older ones, plain or packed."""
    names = (name, *OTHER_NAMES[name])
    paths = (folder / f"{each}{ending}" for each in names for ending in PACKED_ENDINGS)
    return [path for path in paths if lexists(path)]


def find_file(folder: Path, name: str) -> Path:
    """Return the file that is nearest in name, or say what the folder holds."""
    if not folder.is_dir():
        raise DataFormatError(folder, None, "is not a folder")
    found = files_of(folder, name)
    if found:
        return found[0]
    names = ", ".join(sorted(file.name for file in folder.iterdir()))
    others = " or ".join(OTHER_NAMES[name])
    reason = (
        f"{name} is missing (also {others}); the folder holds: {names or 'nothing'}"
    )
    raise DataFormatError(folder, None, reason)


def _entries(file: LineFile, parse: Callable[[Any], _Entry]) -> Iterator[_Entry]:
    """Yield what the good lines hold."""
    for line in file:
        try:
            entry = parse(parse_json_object(line))
        except BadLine as fault:
            file.bad(fault)
            continue
        yield entry
        file.n_records += 1


def read_businesses(
    path: Path, rules: ProfileRules, on_bad_lines: OnBadLines
) -> tuple[dict[str, Votes], dict[str, Any]]:
    """Return what a visit to each business says, and the counts of the file."""
    file = LineFile(path, on_bad_lines=on_bad_lines)
    votes: dict[str, Votes] = {}

    def parse(row: Mapping[str, Any]) -> Business:
        business = parse_business(row)
        if business.business_id in votes:
            detail = f"{business.business_id!r} has an earlier line"
            raise BadLine(kind="duplicate business", detail=detail)
        return business

    # most businesses say the same as others, and need no memory of their own
    shared: dict[tuple[Any, ...], Votes] = {}
    for business in _entries(file, parse):
        found = rules.votes(business)
        votes[business.business_id] = shared.setdefault(tuple(found.values()), found)
    return votes, file.finish()


def read_photos(
    folder: Path, known: Collection[str], on_bad_lines: OnBadLines
) -> tuple[dict[str, list[Image]], dict[str, Any]]:
    """Return the photos of each business that are there, and the counts."""
    path = find_file(folder, PHOTOS)
    photo_folder = folder / PHOTO_FOLDER
    if not photo_folder.is_dir():
        reason = f"the folder {PHOTO_FOLDER!r} of the photos must stand beside {PHOTOS}"
        raise DataFormatError(folder, None, reason)
    # one listing instead of a look at each of 200,000 files
    endings = image_endings()
    files = {
        file.stem: file
        for file in children(photo_folder)
        if file.suffix.lower() in endings
    }
    file = LineFile(path, on_bad_lines=on_bad_lines)
    images: dict[str, list[Image]] = {}
    seen: set[str] = set()
    counts = {"n_missing_photos": 0, "n_photos_of_unknown_businesses": 0}

    def parse(row: Mapping[str, Any]) -> Photo:
        photo = parse_photo(row)
        if photo.photo_id in seen:
            detail = f"{photo.photo_id!r} has an earlier line"
            raise BadLine(kind="duplicate photo", detail=detail)
        seen.add(photo.photo_id)
        return photo

    for photo in _entries(file, parse):
        if photo.business_id not in known:
            counts["n_photos_of_unknown_businesses"] += 1
        elif photo.photo_id not in files:
            counts["n_missing_photos"] += 1
        else:
            image = Image(str(files[photo.photo_id]), photo.caption)
            images.setdefault(photo.business_id, []).append(image)
    return images, {**file.finish(), **counts}


class ReviewFile:
    """The reviews, read once to count and once to keep.

    `votes` has what a visit to each known business says; `counts` what was left out, by
    reason.
    """

    def __init__(
        self, path: Path, rules: ReviewRules, votes: Mapping[str, Votes]
    ) -> None:
        self._path = path
        self._rules = rules
        self._votes = votes
        self._stays = bytearray()
        self._user_of_line = array("i")
        self.counts: Counter[str] = Counter(
            n_reviews_of_unknown_businesses=0,
            n_reviews_too_short=0,
            n_reviews_too_long=0,
            n_users_with_too_few_reviews=0,
            n_reviews_of_users_with_too_few=0,
            n_reviews_without_images=0,
            n_users_with_too_few_kept_reviews=0,
            n_reviews_of_users_with_too_few_kept=0,
        )

    def count(self, on_bad_lines: OnBadLines) -> dict[str, Any]:
        """Find the users with enough reviews; return the counts of the file."""
        file = LineFile(self._path, on_bad_lines=on_bad_lines)
        numbers: dict[str, int] = {}
        n_reviews = array("i")
        for review in _entries(file, parse_review):
            fault = self._fault(review)
            if fault:
                self.counts[fault] += 1
                continue
            number = numbers.setdefault(review.user_id, len(numbers))
            if number == len(n_reviews):
                n_reviews.append(0)
            n_reviews[number] += 1
            # lines in between are blank, bad or left out
            n_between = file.n_lines - 1 - len(self._user_of_line)
            self._user_of_line.extend([_NOBODY] * n_between)
            self._user_of_line.append(number)
        fewest = self._rules.min_reviews
        self._stays = bytearray(n >= fewest for n in n_reviews)
        self.counts["n_reviews_of_users_with_too_few"] = sum(
            n for n in n_reviews if n < fewest
        )
        self.counts["n_users_with_too_few_reviews"] = self._stays.count(0)
        return file.finish()

    def _fault(self, review: Review) -> str | None:
        """Return why the review is left out, None if it is not."""
        if review.business_id not in self._votes:
            return "n_reviews_of_unknown_businesses"
        n_words = len(review.text.split())
        if n_words < self._rules.min_words:
            return "n_reviews_too_short"
        if self._rules.max_words is not None and n_words > self._rules.max_words:
            return "n_reviews_too_long"
        return None

    def keep(self, images: Mapping[str, list[Image]]) -> list[Reviewer]:
        """Return the users who stay, in the order of their first reviews."""
        found: dict[int, Reviewer] = {}
        for number, line in self._kept_lines():
            review = parse_review(parse_json_object(line))
            if number not in found:
                found[number] = Reviewer(review.user_id)
            reviewer = found[number]
            there = images.get(review.business_id, [])
            stays = bool(there) or not self._rules.require_images
            if stays:
                chosen = self._chosen(there, review.review_id)
                reviewer.add(review.text, review.stars, chosen)
            else:
                self.counts["n_reviews_without_images"] += 1
            if stays or self._rules.all_reviews_vote:
                reviewer.tally.add(review.stars, self._votes[review.business_id])
        kept = []
        for number in sorted(found):
            reviewer = found[number]
            if len(reviewer.messages) >= self._rules.min_kept_reviews:
                kept.append(reviewer)
                continue
            n_reviews = len(reviewer.messages)
            self.counts["n_users_with_too_few_kept_reviews"] += 1
            self.counts["n_reviews_of_users_with_too_few_kept"] += n_reviews
        return kept

    def _kept_lines(self) -> Iterator[tuple[int, str]]:
        # faults were met and counted the first time
        file = LineFile(self._path, on_bad_lines="skip")
        for line in file:
            place = file.n_lines - 1
            if place >= len(self._user_of_line):
                return
            number = self._user_of_line[place]
            if number != _NOBODY and self._stays[number]:
                yield number, line

    def _chosen(self, images: list[Image], review_id: str) -> list[Image]:
        limit = self._rules.images_per_review
        if limit is None or len(images) <= limit:
            return images
        # spreads the photos of a business over its reviews, the same at each call
        first = crc32(review_id.encode("utf-8", "surrogatepass")) % len(images)
        return [images[(first + step) % len(images)] for step in range(limit)]


def read_friends(
    path: Path,
    user_ids: Sequence[str],
    on_unknown_links: OnUnknownLinks,
    on_bad_lines: OnBadLines,
) -> tuple[SocialGraph | None, dict[str, Any]]:
    """Return the network of the users' friends, and the counts of the file."""
    file = LineFile(path, on_bad_lines=on_bad_lines)
    chunks = _friends_of(file, frozenset(user_ids))
    graph, counts = network_of(path, chunks, user_ids, on_unknown_links)
    return graph, {**file.finish(), **counts}


def _friends_of(file: LineFile, user_ids: Collection[str]) -> Iterator[Chunk]:
    """Yield the links of many lines at a time."""
    chunk = Chunk()
    for user_id, friends in _entries(file, parse_friends):
        if user_id in user_ids:
            chunk.sources.extend(friends)
            chunk.targets.extend([user_id] * len(friends))
            chunk.link_lines.extend([file.n_lines] * len(friends))
        if len(chunk.sources) > _LINKS_AT_ONCE:
            yield chunk
            chunk = Chunk()
    yield chunk
