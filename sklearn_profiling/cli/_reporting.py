"""Command that writes a report on a system: report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.cli._caching import cache_of
from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._printing import show_users, tell
from sklearn_profiling.cli._reading import jobs_of, load_users
from sklearn_profiling.cli._systems import (
    check_systems,
    choose_system,
    choose_systems,
)


def add_report_options(report: argparse.ArgumentParser) -> None:
    """Describe what is compared."""
    report.add_argument(
        "--systems",
        nargs="+",
        metavar="NAME",
        help="systems to compare with, as for compare (the majority class and TF-IDF)",
    )
    report.add_argument(
        "--fairness-by",
        nargs="+",
        metavar="NAME",
        help="tasks or columns whose groups of users are compared",
    )
    report.set_defaults(run=run_report, format="table", results=None)


def run_report(options: argparse.Namespace) -> int:
    """Cross-validate a system, and write the page and the card."""
    check_options(options)
    check_systems(options)
    if not options.show:
        for package in ("jinja2", "matplotlib"):
            import_optional(package, extra="plots", purpose="A report")
    users = load_users(options)
    if options.show:
        show_users(users)
        return 0
    from sklearn_profiling.evaluation import model_card

    quiet = argparse.Namespace(**{**vars(options), "quiet": True})
    report = _report(options, quiet, users)
    page = report.to_html(options.out, title=f"{report.name}: {options.path.name}")
    if options.card is not None:
        # The system without the folder of the cache, which may be gone.
        system = choose_system(quiet, users)[1]
        _write(options.card, model_card(system, report))
        tell(options, f"model card: {options.card}")
    tell(options, str(report), f"report: {options.out}, {len(page) / 1e3:,.0f} kB")
    return int(len(report.compared.failures) > 0)


def _report(options: argparse.Namespace, quiet: argparse.Namespace, users: Any) -> Any:
    """Make the report; systems share the folder of the cache, or a temporary one."""
    from sklearn_profiling.evaluation import ProfilingReport

    with cache_of(options) as cache:
        name, system = choose_system(options, users, cache)
        systems = None
        if options.systems is not None:
            systems = choose_systems(quiet, users, cache)
            systems.pop(name, None)
        return ProfilingReport(
            system,
            users.data,
            users.target,
            cv=options.folds,
            systems=systems,
            fairness_by=options.fairness_by,
            name=name,
            n_explained=options.explained,
            random_state=options.seed,
            n_jobs=jobs_of(options),
        )


def _write(path: Path, text: str) -> None:
    from sklearn_profiling._writing import write_atomically

    with write_atomically(path) as file:
        file.write(text.encode("utf-8"))
