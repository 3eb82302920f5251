"""What larger networks would take, computed from what was measured."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "speed" / "planning.py").is_file(),
    reason="needs the files of a checkout",
)


@pytest.fixture
def planning(monkeypatch):
    for name in ("accuracy", "speed"):
        monkeypatch.syspath_prepend(str(FOLDER / name))
    return importlib.import_module("planning")


def row(stage, size, cpu, peak=1.0, before=0.0):
    figures = {"cpu_seconds": cpu, "peak_gb": peak, "peak_before_gb": before}
    return {"row": stage, "task": f"{size:,}", "figures": figures}


def rows_of(planning, cpu=1e-6):
    stages = (planning.LINKS, planning.DESCENT, planning.CLOSED)
    rows = [row(s, n, n * cpu, n / 1e7, 0.0) for s in stages for n in (10**6, 10**7)]
    return rows + [
        row(stage, n, n / 100, n / 1e3, 0.0)
        for stage in (planning.LINEAR, planning.MMLUP)
        for n in (1000, 2000)
    ]


def test_sizes_are_sorted_and_the_last_row_of_one_counts(planning):
    rows = [row("a", 100, 3.0, 2.0, 0.5), row("a", 10, 1.0), row("a", 10, 2.0, 1, 3)]
    assert planning.growth(rows) == {"a": [(10, 2.0, 0.0), (100, 3.0, 1.5)]}


def test_powers_are_continued(planning):
    measured = planning.growth(
        [row("a", n, 2e-6 * n**1.5, n / 1e5) for n in (10, 10**4, 10**5, 10**6)]
        + [row("b", 10, 1.0)]
    )
    point = planning.extrapolate(measured, "a", 1e8)
    assert point == (1e8, pytest.approx(2e6), pytest.approx(1000))
    # the smallest of four sizes does not count
    measured["a"][0] = planning.Point(10, 99.0, 0.0)
    assert planning.extrapolate(measured, "a", 1e8) == point
    flat = planning.growth([row("a", n, 5.0 + n**0.5) for n in (100, 10**4)])
    assert planning.extrapolate(flat, "a", 10**5).cpu == pytest.approx(1050)
    with pytest.raises(planning.NoResultsError, match="b: two sizes or more"):
        planning.extrapolate(measured, "b", 100)
    with pytest.raises(planning.NoResultsError, match=r"c: two sizes .* got 0"):
        planning.extrapolate(measured, "c", 100)


def test_what_does_not_spread_stops_scaling(planning):
    cores = planning.CORES
    part = planning.Part("a", 32.0, 1.0, "core", "")
    assert part.hours(1) == part.hours(100) == 32
    part = planning.Part("b", 32.0, 9.0, "machine", "")
    assert part.hours(1) == part.hours(100) == 32 / cores
    part = planning.Part("c", 32.0, 99.0, "cluster", "")
    assert part.hours(10) == part.hours(1) / 10 == 32 / cores / 10


def test_the_page_says_what_stops_first(planning):
    measured = planning.growth(rows_of(planning))
    found = planning.parts(measured)
    hours = {part.name: part.hours(100) for part in found}
    slowest = planning.first_to_stop(found)
    assert hours[slowest.name] == max(hours.values())
    links = found[0]
    assert links.cpu_hours == pytest.approx(1e10 * 1e-6 / 3600)
    assert links.gb == pytest.approx(1000)
    assert planning.largest_in_memory(found).spreads != "cluster"
    page = planning.page(measured)
    assert f"**{slowest.name}** stops scaling first" in page
    assert "| links file to graph | 10,000,000 edges | 1 | 100 |" in page
    assert "| links file to graph | 550,000,000 edges | 0.153 | 55 | 1,000,000" in (
        planning.extrapolated(measured)
    )


def test_growth_is_drawn(planning, tmp_path):
    pytest.importorskip("matplotlib")
    planning.draw(planning.growth(rows_of(planning)), tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text("utf-8")
    assert drawn.startswith("<?xml")


def test_the_results_here_fill_the_page(planning):
    page = importlib.import_module("speed_page")
    measured = planning.growth(page.read(page.SCALE))
    assert "stops scaling first" in planning.page(measured)
