"""Speed and memory of ImageBagTransformer against plain Pillow in a process pool.

JPEG files of about 100 kB and 1200 x 900 pixels are written to a temporary folder, all
of different content, 11 for each user. Then each version reads them with the same
number of workers, in a process of its own, so that its peak memory is its own:

- ``pillow pool``: open, convert to RGB, resize (bilinear) in a pool of processes,
- ``pillow pool, draft``: the same, decoding JPEG at the smallest sufficient scale,
- ``transformer``: ImageBagTransformer with threads,
- ``transformer, new cache``: the same, storing the pixels under ``memory``,
- ``transformer, filled cache``: the same again, so nothing is decoded.

CPU seconds count the process and its children. Memory is the peak of the process with
the imports (the children of a pool come on top). One JSON line is printed each.

    python benchmarks/speed/bench_image_bags.py --n-images 2000
    python benchmarks/speed/bench_image_bags.py --n-images 20000 --only transformer
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import struct
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from sklearn_profiling.sources import ImageBagTransformer

N_MASTERS = 50
IMAGES_A_USER = 11
WIDTH, HEIGHT = 1200, 900
SIZE = (64, 64)


def make_masters(kilobytes, seed):
    """Return JPEG files of about the size asked for, as bytes."""
    rng = np.random.default_rng(seed)
    masters = []
    for _ in range(N_MASTERS):
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
        grain = rng.normal(0, 6, (HEIGHT, WIDTH, 1))
        photo = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
        low, high = 5, 95
        while high - low > 1:
            quality = (low + high) // 2
            buffer = BytesIO()
            photo.save(buffer, "JPEG", quality=quality)
            if buffer.tell() < kilobytes * 1000:
                low = quality
            else:
                high = quality
        masters.append(buffer.getvalue())
    return masters


def write_files(folder, n_images, kilobytes, seed):
    """Write files of distinct content: a comment in each holds its number."""
    masters = make_masters(kilobytes, seed)
    for number in range(n_images):
        comment = str(number).encode()
        segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
        data = masters[number % N_MASTERS]
        (folder / f"{number}.jpg").write_bytes(data[:2] + segment + data[2:])


def open_plain(path):
    with Image.open(path) as image:
        small = image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1)


def open_draft(path):
    with Image.open(path) as image:
        image.draft("RGB", (2 * SIZE[0], 2 * SIZE[1]))
        small = image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1)


def read_pool(function):
    def read(paths, n_workers, _):
        with multiprocessing.get_context("fork").Pool(n_workers) as pool:
            return np.stack(pool.map(function, paths, chunksize=16))

    return read


def read_package(paths, n_workers, memory):
    column = [
        paths[start : start + IMAGES_A_USER]
        for start in range(0, len(paths), IMAGES_A_USER)
    ]
    transformer = ImageBagTransformer(size=SIZE, n_jobs=n_workers, memory=memory)
    return transformer.fit_transform(column).pixels


VERSIONS = {
    "pillow pool": (read_pool(open_plain), False),
    "pillow pool, draft": (read_pool(open_draft), False),
    "transformer": (read_package, False),
    "transformer, new cache": (read_package, True),
    "transformer, filled cache": (read_package, True),
}


def used_seconds():
    usages = [
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(name, paths, n_workers, folder, queue):
    reader, cached = VERSIONS[name]
    started, used = time.perf_counter(), used_seconds()
    pixels = reader(paths, n_workers, folder if cached else None)
    wall, cpu = time.perf_counter() - started, used_seconds() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((wall, cpu, peak, len(pixels), float(pixels[::97].mean())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-images", type=int, default=2000)
    parser.add_argument("--kilobytes", type=float, default=100.0)
    parser.add_argument("--n-workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=VERSIONS, nargs="*", default=list(VERSIONS))
    settings = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    reference = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # a process of its own: the peak of a parent counts as its children's
        arguments = (folder, settings.n_images, settings.kilobytes, settings.seed)
        writer = context.Process(target=write_files, args=arguments)
        writer.start()
        writer.join()
        paths = [str(folder / f"{number}.jpg") for number in range(settings.n_images)]
        size = sum(Path(path).stat().st_size for path in paths) / len(paths)
        for version in settings.only:
            queue = context.Queue()
            process = context.Process(
                target=measure,
                args=(version, paths, settings.n_workers, name, queue),
            )
            process.start()
            wall, cpu, peak, n_read, mean = queue.get()
            process.join()
            reference = reference or (wall, cpu)
            result = {
                "benchmark": "image_bags", "n_images": n_read,
                "n_workers": settings.n_workers, "seed": settings.seed,
                "mean_kilobytes": round(size / 1000, 1), "version": version,
                "wall_seconds": round(wall, 2), "cpu_seconds": round(cpu, 2),
                "images_per_cpu_second": round(n_read / cpu, 1),
                "speed_over_first_wall": round(reference[0] / wall, 2),
                "speed_over_first_cpu": round(reference[1] / cpu, 2),
                "peak_megabytes": round(peak, 1), "mean_value": round(mean, 2),
            }  # fmt: skip
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
