"""What larger networks would take, computed from what was measured."""

from __future__ import annotations

import importlib
import math
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


def row(stage, size, cpu, peak=1.0, before=0.0, code="new", hour=1):
    figures = {"cpu_seconds": cpu, "peak_gb": peak, "peak_before_gb": before}
    time = f"2026-11-29T{hour:02}:00:00+00:00"
    made = {"code": code, "time": time}
    return {"row": stage, "task": f"{size:,}", "figures": figures, **made}


def rows_of(planning, cpu=1e-6):
    stages = (planning.LINKS, planning.DESCENT, planning.CLOSED)
    rows = [row(s, n, n * cpu, n / 1e7, 0.0) for s in stages for n in (10**6, 10**7)]
    return rows + [
        row(stage, n, n / 100, n / 1e3, 0.0)
        for stage in (planning.LINEAR, planning.MMLUP)
        for n in (1000, 2000)
    ]


def memory_cells(page):
    """Find what tables say of memory, without cells that are empty."""
    column = None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells:
            column = None
        elif column is None:
            (column,) = (
                n for n, c in enumerate(cells) if c.startswith(("GB", "bytes"))
            )
        elif cells[column].strip("-"):
            yield cells[column].replace(",", "")


def test_sizes_are_sorted_and_the_last_row_of_one_counts(planning):
    rows = [row("a", 100, 3.0, 2.0, 0.5), row("a", 10, 1.0), row("a", 10, 2.0, 4, 3)]
    assert planning.growth(rows) == {"a": [(10, 2.0, 1.0), (100, 3.0, 1.5)]}


def test_rows_of_older_code_do_not_count(planning):
    rows = [
        row("a", 1, 9.0, code="older", hour=3),
        row("a", 10, 1.0, code="newer", hour=4),
        row("a", 100, 9.0, code="oldest", hour=2),
        row("a", 1000, 100.0, code="newer", hour=1),
        row("b", 10, 5.0, code="oldest", hour=0),
    ]
    assert planning.newest(rows) == [rows[1], rows[3], rows[4]]
    assert planning.growth(rows) == {
        "a": [(10, 1.0, 1.0), (1000, 100.0, 1.0)],
        "b": [(10, 5.0, 1.0)],
    }


@pytest.mark.parametrize("before", [1.0, 2.0])
def test_memory_below_an_earlier_peak_is_left_out(planning, before):
    rows = rows_of(planning)
    for each in rows:
        if each["row"] != planning.LINEAR:
            each["figures"] |= {"peak_gb": 1.0, "peak_before_gb": before}
    measured = planning.growth(rows)
    assert math.isnan(measured[planning.LINKS][-1].peak)
    assert "| links file to graph | 550,000,000 edges | 0.153 |  |" in (
        planning.extrapolated(measured)
    )
    found = planning.parts(measured)
    assert math.isnan(found[0].gb)
    # what is known counts, in whatever order
    linear = "tf-idf and linear models"
    for order in (found, found[::-1]):
        assert planning.largest_in_memory(order).name == linear
    page = planning.page(measured)
    assert "| links file to graph |  | one core |" in page
    assert "nan" not in page


def test_powers_are_continued(planning):
    measured = planning.growth(
        [row("a", n, 2e-6 * n**1.5, n / 1e5) for n in (10, 10**4, 10**5, 10**6)]
    )
    point = planning.extrapolate(measured, "a", 1e8)
    assert point == (1e8, pytest.approx(2e6), pytest.approx(1000))
    # the smallest of four sizes does not count
    measured["a"][0] = planning.Point(10, 99.0, 0.0)
    assert planning.extrapolate(measured, "a", 1e8) == point
    flat = planning.growth([row("a", n, 5.0 + n**0.5) for n in (10, 100, 10**4)])
    assert planning.extrapolate(flat, "a", 10**5).cpu == pytest.approx(1050)
    with pytest.raises(planning.NoResultsError, match=r"c: one size .* got none"):
        planning.extrapolate(measured, "c", 100)


def test_fewer_than_three_sizes_are_continued_in_proportion(planning):
    two = planning.growth([row("a", n, float(n) ** 2) for n in (10, 100)])
    assert planning.extrapolate(two, "a", 1000) == (1000, 1e5, 10)
    one = planning.growth([row("a", 10, 3.0)])
    assert planning.extrapolate(one, "a", 100) == (100, 30, 10)


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
    # 12 bytes for each of two arcs, 8 of which the measured network takes too
    assert links.gb == pytest.approx(1000 + 80)
    assert found[1].gb == pytest.approx(240 + 12.8)
    # links, factors of 166 columns, and 300 components of the result
    assert found[2].gb == pytest.approx(920 + 39.84 + 12)
    assert planning.largest_in_memory(found).spreads != "cluster"
    page = planning.page(measured)
    assert f"**{slowest.name}** stops scaling first" in page
    assert "| links file to graph | 10,000,000 edges | 1 | 100 |" in page
    assert "| links file to graph | 550,000,000 edges | 0.153 | 55 | 10,000,000 |" in (
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
    written = planning.page(measured)
    assert "stops scaling first" in written
    memory = [
        float(cell)
        for table in (written, planning.extrapolated(measured))
        for cell in memory_cells(table)
    ]
    assert len(memory) > 10
    assert min(memory) > 0
