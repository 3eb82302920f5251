"""What growth measured here means for networks that no machine here holds.

CPU seconds are continued from the largest size: as a power of 1 or more, by least
squares over the logarithms of the largest three sizes, or in proportion where fewer
were measured; memory in proportion. Rows of older code than a stage's newest do not
count. The build of the documentation fails where a stage has no row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from result_pages import NoResultsError, markdown

LINKS = "links file to graph"
DESCENT = "LINE, a pass of second order"
CLOSED = "LINE, closed form of second order"
LINEAR = "make_tfidf_baseline, raw messages to model"
MMLUP = "make_mmlup, raw messages to model"
#: The paper's edges and more users than its 2.6 million, and a network for which none
#: of the machines here suffices.
LARGER = {"edges": 550e6, "users": 10e6}
WORLD = {"edges": 10e9, "users": 10e6, "messages": 1e9}
#: Of a machine that is planned with, and passes of LINE's descent.
CORES, MACHINE_GB, PASSES, MACHINES = 16, 128, 10, (1, 10, 100)
#: The closed form on Dask by `cluster_line.py`: CPU time beside one machine's, bytes a
#: link, and bytes a user: 166 columns, and 300 components of the result.
_CLUSTER_CPU, _CLUSTER_BYTES, _CLUSTER_FACTORS = 8, 92, 24 * 166 + 4 * 300
_NETWORK = (LINKS, DESCENT, CLOSED)
_SIZES_OF_FIT = 3


class Point(NamedTuple):
    """One size of a stage: edges or users, CPU seconds, and GB beyond the start.

    The GB are NaN where the process had needed as much before the stage.
    """

    size: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Part:
    """Work on a network or its users, and over how much of a cluster it spreads."""

    name: str
    cpu_hours: float
    gb: float
    spreads: str  # "core", "machine" or "cluster"
    remedy: str

    def hours(self, n_machines: int) -> float:
        """Return hours on machines of `CORES` cores."""
        cores = {"core": 1, "machine": CORES, "cluster": CORES * n_machines}
        return self.cpu_hours / cores[self.spreads]


def newest(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows of each stage that were made with its newest code."""
    latest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["time"] >= latest.get(row["row"], row)["time"]:
            latest[row["row"]] = row
    return [row for row in rows if row["code"] == latest[row["row"]]["code"]]


def growth(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Point]]:
    """Return the sizes measured of each stage with its newest code, in order."""
    found: dict[str, dict[float, Point]] = {}
    for row in newest(rows):
        figures = row["figures"]
        size = float(row["task"].replace(",", ""))
        beyond = figures["peak_gb"] - figures.get("peak_before_gb", 0.0)
        peak = beyond if beyond > 0 else math.nan
        point = Point(size, figures["cpu_seconds"], peak)
        found.setdefault(row["row"], {})[size] = point
    return {
        stage: [points[n] for n in sorted(points)] for stage, points in found.items()
    }


def _continued(points: Sequence[Point]) -> Sequence[Point]:
    """Return the sizes that decide the power, or else the largest one alone."""
    # a power through two points would be that of their noise
    return points[-_SIZES_OF_FIT:] if len(points) >= _SIZES_OF_FIT else points[-1:]


def extrapolate(
    measured: Mapping[str, Sequence[Point]], stage: str, size: float
) -> Point:
    """Continue the largest sizes of a stage."""
    points = _continued(measured.get(stage, ()))
    if not points:
        msg = f"{stage}: one size or more is needed, got none"
        raise NoResultsError(msg)
    power = 1.0
    if len(points) > 1:
        sizes, seconds, _ = np.array(points).T
        # below 1 are costs that do not grow, and which vanish beside the others
        power = max(float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]), 1.0)
    largest = points[-1]
    times = size / largest.size
    return Point(size, largest.cpu * times**power, largest.peak * times)


def parts(measured: Mapping[str, Sequence[Point]]) -> list[Part]:
    """Return the work on a network of the world's size, from what was measured."""
    edges, users = WORLD["edges"], WORLD["users"]
    links, once, closed = (extrapolate(measured, s, edges) for s in _NETWORK)
    linear, net = (extrapolate(measured, s, users) for s in (LINEAR, MMLUP))
    # beyond two billion arcs an arc takes 12 bytes in place of 8, and an edge two arcs
    graph = 24 * edges / 1e9
    return [
        Part(
            "links file to graph",
            links.cpu / 3600,
            links.peak + 8 * edges / 1e9,
            "core",
            "one range of users a machine, and each reads the file for its own rows",
        ),
        Part(
            f"LINE, {PASSES} passes of descent in each order",
            2 * PASSES * once.cpu / 3600,
            graph + 8 * 160 * users / 1e9,
            "machine",
            "the closed form on Dask, or tables split by users over machines",
        ),
        Part(
            "LINE, closed form of second order on Dask",
            _CLUSTER_CPU * closed.cpu / 3600,
            _CLUSTER_BYTES * edges / 1e9 + _CLUSTER_FACTORS * users / 1e9,
            "cluster",
            "further machines, down to two minutes for the factors that each reads",
        ),
        Part(
            "tf-idf and linear models",
            linear.cpu / 3600,
            linear.peak,
            "core",
            "word counts by partition, and models learned from a sample of the users",
        ),
        Part(
            "MMLUP from raw messages",
            net.cpu / 3600,
            net.peak,
            "cluster",
            "data-parallel training; batches grow with the machines",
        ),
    ]


def first_to_stop(found: Sequence[Part]) -> Part:
    """Return the part that takes longest where there are most machines."""
    return max(found, key=lambda part: part.hours(MACHINES[-1]))


def largest_in_memory(found: Sequence[Part]) -> Part:
    """Return the part that needs most memory of one machine."""
    alone = [p for p in found if p.spreads != "cluster" and not math.isnan(p.gb)]
    return max(alone, key=lambda part: part.gb)


def _amount(number: float) -> str:
    """Show three digits or more, and nothing of what was not measured."""
    if math.isnan(number):
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def unit_costs(measured: Mapping[str, Sequence[Point]]) -> str:
    """Show what an edge or a user costs, at the largest size measured."""
    body = []
    for stage, points in measured.items():
        last = points[-1]
        unit = "edge" if stage in (*_NETWORK, "expansion") else "user"
        body.append(
            [
                stage,
                f"{last.size:,.0f} {unit}s",
                _amount(last.cpu / last.size * 1e6),
                _amount(last.peak / last.size * 1e9),
            ]
        )
    head = ["stage", "measured up to", "CPU us a unit", "bytes a unit"]
    return markdown(head, body)


def extrapolated(measured: Mapping[str, Sequence[Point]]) -> str:
    """Show CPU hours and memory of the paper's edges, and of ten million users."""
    body = []
    for stage in (*_NETWORK, LINEAR, MMLUP):
        unit = "edges" if stage in _NETWORK else "users"
        size = LARGER[unit]
        point = extrapolate(measured, stage, size)
        used = _continued(measured[stage])
        sizes = ", ".join(f"{each.size:,.0f}" for each in used)
        cells = [f"{point.cpu / 3600:,.3g}", _amount(point.peak)]
        body.append([stage, f"{size:,.0f} {unit}", *cells, sizes])
    head = ["stage", "size", "CPU hours", "GB beyond the start", "from"]
    return markdown(head, body)


def cluster(found: Sequence[Part]) -> str:
    """Show the hours of each part on several numbers of machines."""
    body = []
    for part in found:
        hours = [f"{part.hours(n):,.3g}" for n in MACHINES]
        spreads = {"core": "one core", "machine": "one machine"}.get(
            part.spreads, "all machines"
        )
        body.append([part.name, _amount(part.gb), spreads, *hours, part.remedy])
    head = [
        "part",
        "GB",
        "spreads over",
        *(f"hours on {n}" for n in MACHINES),
        "what would be done",
    ]
    return markdown(head, body)


def page(measured: Mapping[str, Sequence[Point]]) -> str:
    """Return the part of the page on planning that is computed."""
    found = parts(measured)
    slowest, largest = first_to_stop(found), largest_in_memory(found)
    last = MACHINES[-1]
    machines = (
        f"Machines have {CORES} cores and {MACHINE_GB} GB. A user costs what one "
        f"measured does, with {WORLD['messages'] / WORLD['users']:,.0f} messages or "
        "fewer."
    )
    stops = (
        f"**{slowest.name}** stops scaling first: on {last} machines it takes "
        f"{slowest.hours(last):,.3g} hours, as on one. What would be done: "
        f"{slowest.remedy}."
    )
    memory = (
        f"**{largest.name}** needs most memory of one machine: {largest.gb:,.0f} GB, "
        f"{largest.gb / MACHINE_GB:,.1f} times what it has. What would be done: "
        f"{largest.remedy}."
    )
    pieces = [
        "## What a user and an edge cost",
        unit_costs(measured),
        "## 10 million users, 1 billion messages, 10 billion edges",
        *(machines, cluster(found), stops, memory),
    ]
    return "\n\n".join(pieces) + "\n"


def draw(measured: Mapping[str, Sequence[Point]], path: Path) -> None:
    """Draw CPU time a unit and memory by size, of networks and of users."""
    import matplotlib.pyplot as plt  # of the extra `plots`

    figure, axes = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    for column, unit in enumerate(("edges", "users")):
        for stage, points in measured.items():
            if (stage in (LINEAR, MMLUP)) != (unit == "users"):
                continue
            sizes = [point.size for point in points]
            each = [point.cpu / point.size * 1e6 for point in points]
            peaks = [point.peak for point in points]
            axes[0, column].plot(sizes, each, "o-", label=stage.split(", raw")[0])
            axes[1, column].plot(sizes, peaks, "o-")
        axes[0, column].legend(frameon=False, fontsize="small")
        axes[0, column].set(ylabel=f"CPU us a{'n edge' if column == 0 else ' user'}")
        axes[1, column].set(xlabel=unit, ylabel="GB beyond the start")
    for each in axes.flat:
        each.set(xscale="log", yscale="log")
        each.grid(alpha=0.3)
    figure.savefig(path)
    plt.close(figure)
