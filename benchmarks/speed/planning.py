"""What growth measured here means for networks that no machine here holds.

CPU seconds are continued from the largest size as a power of 1 or more, by least
squares over the logarithms of the largest three sizes measured, memory in proportion.
The build of the documentation fails where a stage has fewer than two sizes.
"""

from __future__ import annotations

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
#: The paper's network, and one for which none of the machines here suffices.
PAPER = {"edges": 550e6, "users": 10e6}
WORLD = {"edges": 10e9, "users": 10e6, "messages": 1e9}
#: Of a machine that is planned with, and passes of LINE's descent.
CORES, MACHINE_GB, PASSES, MACHINES = 16, 128, 10, (1, 10, 100)
_NETWORK = (LINKS, DESCENT, CLOSED)
_SIZES_OF_FIT = 3


class Point(NamedTuple):
    """One size of a stage: edges or users, CPU seconds, and GB beyond the start."""

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


def growth(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Point]]:
    """Return the sizes measured of each stage, in order."""
    found: dict[str, dict[float, Point]] = {}
    for row in rows:
        figures = row["figures"]
        size = float(row["task"].replace(",", ""))
        beyond = figures["peak_gb"] - figures.get("peak_before_gb", 0.0)
        point = Point(size, figures["cpu_seconds"], max(beyond, 0.0))
        found.setdefault(row["row"], {})[size] = point
    return {
        stage: [points[n] for n in sorted(points)] for stage, points in found.items()
    }


def extrapolate(
    measured: Mapping[str, Sequence[Point]], stage: str, size: float
) -> Point:
    """Continue the largest sizes of a stage."""
    points = measured.get(stage, ())
    if len(points) < 2:
        msg = f"{stage}: two sizes or more are needed, got {len(points)}"
        raise NoResultsError(msg)
    sizes, seconds, _ = np.array(points[-_SIZES_OF_FIT:]).T
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
    return [
        Part(
            "links file to graph",
            links.cpu / 3600,
            links.peak,
            "core",
            "one range of users a machine, and each reads the file for its own rows",
        ),
        Part(
            f"LINE, {PASSES} passes of descent in each order",
            2 * PASSES * once.cpu / 3600,
            16 * edges / 1e9 + 8 * 160 * users / 1e9,
            "machine",
            "the closed form on Dask, or tables split by users over machines",
        ),
        Part(
            "LINE, closed form of second order on Dask",
            closed.cpu / 3600,
            16 * edges / 1e9,
            "cluster",
            "further machines",
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
    alone = [part for part in found if part.spreads != "cluster"]
    return max(alone, key=lambda part: part.gb)


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
                f"{last.cpu / last.size * 1e6:,.3g}",
                f"{last.peak / last.size * 1e9:,.3g}",
            ]
        )
    head = ["stage", "measured up to", "CPU us a unit", "bytes a unit"]
    return markdown(head, body)


def extrapolated(measured: Mapping[str, Sequence[Point]]) -> str:
    """Show CPU hours and memory of the paper's edges, and of its users ten times."""
    body = []
    for stage in (*_NETWORK, LINEAR, MMLUP):
        unit = "edges" if stage in _NETWORK else "users"
        size = PAPER[unit]
        point = extrapolate(measured, stage, size)
        used = measured[stage][-_SIZES_OF_FIT:]
        sizes = ", ".join(f"{point.size:,.0f}" for point in used)
        cells = [f"{point.cpu / 3600:,.3g}", f"{point.peak:,.3g}"]
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
        body.append([part.name, f"{part.gb:,.0f}", spreads, *hours, part.remedy])
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
            peaks = [max(point.peak, 1e-3) for point in points]
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
