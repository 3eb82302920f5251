"""Decoding of many images in threads, with or without the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from sklearn_profiling._store import Rows, digest_of, turns
from sklearn_profiling.sources._image_cells import ENCODED
from sklearn_profiling.sources.images._decoding import BadImage, Decoder

__all__ = ["ImageReader"]

Pixels = npt.NDArray[np.uint8]
Found = TypeVar("Found")

_AT_ONCE: Final = 16  # images that a thread takes at a time
_MOVED_AT_ONCE: Final = 4096


class ImageReader:
    """Decode a list of paths, bytes, PIL images or arrays in threads.

    `on_bad` gets the place and the fault of each image that cannot be used, and may
    raise; ``good`` (bool, (n_images,)) marks the others. `progress` gets counts.
    """

    def __init__(
        self,
        images: Sequence[Any],
        decoder: Decoder,
        *,
        n_jobs: int | None,
        on_bad: Callable[[int, BadImage], None],
        progress: Callable[[int], Any],
    ) -> None:
        self.images = images
        self.decoder = decoder
        self.good = np.ones(len(images), dtype=bool)
        self._n_jobs = n_jobs
        self._on_bad = on_bad
        self._progress = progress

    def read(self) -> Pixels:
        """Decode all; return the good ones, uint8 (n_good, 3, height, width)."""
        pixels = self._empty(len(self.images))

        def decode(place: int) -> None:
            pixels[place] = self._decode(self.images[place])

        self._run(decode, range(len(self.images)), progress=True)
        return _keep(pixels, self.good)

    def read_through(self, store: Rows) -> tuple[Pixels, npt.NDArray[np.int64]]:
        """Decode what the store lacks; return pixels, and where the good ones lie."""
        is_file = np.array([isinstance(image, ENCODED) for image in self.images], bool)
        digests = self._digests(np.flatnonzero(is_file).tolist())
        self._progress(int(is_file.sum()) - len(digests))
        self._fill(store, digests)
        good = [d for place, d in digests.items() if self.good[place]]
        if is_file.all():
            return store.places(good)
        pixels = self._empty(len(self.images))
        pixels[is_file & self.good] = store.rows(good)

        def convert(place: int) -> None:
            pixels[place] = self._decode(self.images[place])

        self._run(convert, np.flatnonzero(~is_file).tolist(), progress=True)
        kept = _keep(pixels, self.good)
        return kept, np.arange(len(kept))

    def _digests(self, places: list[int]) -> dict[int, bytes]:
        def digest(place: int) -> bytes:
            return digest_of(self.decoder.read(self.images[place]))

        return self._run(digest, places)

    def _fill(self, store: Rows, digests: dict[int, bytes]) -> None:
        """Decode each file once that is not in the store."""
        store.refresh()
        places = {digest: place for place, digest in reversed(digests.items())}
        distinct = list(places)
        missing = sorted(places[distinct[i]] for i in store.absent(distinct))
        self._progress(len(digests) - len(missing))
        faults: dict[bytes, BadImage] = {}
        for turn in turns(len(missing)):
            block = [missing[i] for i in turn]
            with store.lock:
                store.refresh()
                # another process may have been quicker
                new = [block[i] for i in store.absent([digests[p] for p in block])]
                self._progress(len(block) - len(new))
                if new:
                    self._decode_into(store, new, digests, faults)
        for place, digest in digests.items():
            if digest in faults and self.good[place]:
                self._refuse(place, faults[digest])

    def _decode_into(
        self,
        store: Rows,
        places: list[int],
        digests: dict[int, bytes],
        faults: dict[bytes, BadImage],
    ) -> None:
        pixels = self._empty(len(places))
        row_of = {place: row for row, place in enumerate(places)}

        def decode(place: int) -> None:
            data = self.decoder.read(self.images[place])
            if digest_of(data) != digests[place]:
                detail = "the file changed while it was read"
                raise BadImage(kind="unreadable file", detail=detail)
            pixels[row_of[place]] = self.decoder.decode(data)

        def note(place: int, fault: BadImage) -> None:
            faults[digests[place]] = fault
            self._refuse(place, fault)

        done = list(self._run(decode, places, progress=True, on_bad=note))
        store.append([digests[p] for p in done], pixels[[row_of[p] for p in done]])

    def _run(
        self,
        work: Callable[[int], Found],
        places: Sequence[int],
        *,
        progress: bool = False,
        on_bad: Callable[[int, BadImage], None] | None = None,
    ) -> dict[int, Found]:
        """Return what each place gave, in order, without the bad ones."""
        on_bad = on_bad or self._refuse
        found: dict[int, Found] = {}
        parallel = Parallel(
            n_jobs=self._n_jobs, require="sharedmem", return_as="generator"
        )
        chunks = parallel(
            delayed(_attempt)(work, chunk) for chunk in _blocks(places, _AT_ONCE)
        )
        with closing(chunks):
            for chunk in chunks:
                for place, result in chunk:
                    if isinstance(result, BadImage):
                        on_bad(place, result)
                    else:
                        found[place] = result
                if progress:
                    self._progress(len(chunk))
        return found

    def _decode(self, image: Any) -> Pixels:
        if isinstance(image, ENCODED):
            return self.decoder.decode(self.decoder.read(image))
        return self.decoder.convert(image)

    def _refuse(self, place: int, fault: BadImage) -> None:
        self.good[place] = False
        self._on_bad(place, fault)

    def _empty(self, n_images: int) -> Pixels:
        return np.empty(
            (n_images, 3, self.decoder.height, self.decoder.width), np.uint8
        )


def _attempt(
    work: Callable[[int], Found], places: Sequence[int]
) -> list[tuple[int, Found | BadImage]]:
    results: list[tuple[int, Found | BadImage]] = []
    for place in places:
        try:
            results.append((place, work(place)))
        except BadImage as fault:
            results.append((place, fault))
    return results


def _blocks(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _keep(pixels: Pixels, good: npt.NDArray[np.bool_]) -> Pixels:
    """Move the good rows together in place, since a copy would double the space."""
    if good.all():
        return pixels
    rows = np.flatnonzero(good)
    for start in range(0, len(rows), _MOVED_AT_ONCE):
        # rows only move forward, so none is written before it was read
        block = rows[start : start + _MOVED_AT_ONCE]
        pixels[start : start + len(block)] = pixels[block]
    return pixels[: len(rows)]
