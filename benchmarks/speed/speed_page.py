"""The parts of the pages on speed and planning made from ``benchmarks/results``.

The build of the documentation calls `write_speed`, which fails if a table has no rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planning import draw, extrapolated, growth, newest, page
from result_pages import NoResultsError, markdown
from results import FOLDER, read


@dataclass(frozen=True)
class SpeedTable:
    """A table of speeds: its file in ``benchmarks/results``, and the code it is of."""

    key: str
    uses: tuple[str, ...] = ("sources", "containers", "training", "baselines")


_GROWTH = (
    "Each size in a process of its own; the peak is that of the whole process. Other "
    "work ran beside them, so compare CPU seconds."
)
_CONTINUED = (
    "Continued to the paper's 550 million edges and to ten million users, of which the "
    "paper has 2.6 million, from the sizes in the last column. Memory is left out "
    "where the process had needed as much before the stage:"
)
PEERS = SpeedTable("speed_peers")
SCALE = SpeedTable("speed_scale")


def write_speed(target: Path, folder: Path = FOLDER) -> None:
    """Write both tables as one file, which the page includes."""
    tables = {table.key: read(table, folder) for table in (PEERS, SCALE)}
    missing = [key for key, rows in tables.items() if not rows]
    if missing:
        msg = f"{folder.name} has no rows of {', '.join(missing)}; run the commands"
        raise NoResultsError(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    peers, scale = tables[PEERS.key], newest(tables[SCALE.key])
    parts = [
        "## Beside other libraries",
        "The ratio says how many times as fast the package is, in CPU time.",
        _caption(peers),
        peers_table(peers),
        "## Growth",
        _GROWTH,
        _caption(scale),
        scale_table(scale),
        "![CPU time of an edge and of a user, and memory, by size](results/growth.svg)",
        _CONTINUED,
        extrapolated(growth(scale)),
    ]
    draw(growth(scale), target.parent / "growth.svg")
    target.write_text("\n\n".join(parts) + "\n", "utf-8")


def write_planning(target: Path, folder: Path = FOLDER) -> None:
    """Write the computed part of the page on planning."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(growth(read(SCALE, folder))), "utf-8")


def _caption(rows: Sequence[Mapping[str, Any]]) -> str:
    commands = " and ".join(
        f"`{row}`" for row in dict.fromkeys(r["command"] for r in rows)
    )
    last = rows[-1]
    versions = ", ".join(f"{name} {each}" for name, each in last["versions"].items())
    return f"By {commands}, {last['setting']}; {versions}:"


def _amount(number: float) -> str:
    """Show four digits, or all of a whole number."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def peers_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a row, what is not installed as absent."""
    body = []
    for row in rows:
        figures = row["figures"]
        cells = ["absent"] * 3
        if figures:
            unit = " a second" if row["unit"] == "rate" else " s"
            cells = [f"{_amount(figures[side])}{unit}" for side in ("ours", "theirs")]
            cells.append(f"{figures['ratio']:.3g}")
        script = f"`{row['script']}`" if figures else ""
        versions = row.get("against_versions", {}).items()
        shown = ", ".join(f"{name} {version}" for name, version in versions)
        against = row["task"] + f" ({shown})" * bool(shown)
        body.append([row["row"], against, *cells, script, row["note"]])
    head = ["part", "against", "ours", "theirs", "ratio", "script", "note"]
    return markdown(head, body)


def scale_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a stage and size: seconds, CPU seconds, peak, and what a unit takes."""
    body = [
        [
            row["row"],
            row["task"],
            _amount(row["figures"]["seconds"]),
            _amount(row["figures"]["cpu_seconds"]),
            f"{row['figures']['peak_gb']:.2f}",
            _amount(row["figures"]["microseconds"]),
        ]
        for row in rows
    ]
    head = ["stage", "size", "seconds", "CPU seconds", "peak, GB", "CPU us a unit"]
    return markdown(head, body)
