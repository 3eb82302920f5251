"""Commands that train one system or predict with it: fit, predict."""

from __future__ import annotations

import argparse
import sys

from sklearn_profiling.cli._caching import fit_through_cache
from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._model_files import load_model, save_model
from sklearn_profiling.cli._predicting import predict_in_chunks, predicted
from sklearn_profiling.cli._printing import show_users, tell, write_file, write_frame
from sklearn_profiling.cli._reading import load_users
from sklearn_profiling.cli._systems import check_systems, choose_system


def run_fit(options: argparse.Namespace) -> int:
    """Train a system on all users and write it to a file."""
    check_options(options)
    check_systems(options)
    users = load_users(options)
    if options.show:
        show_users(users)
        return 0
    name, model = choose_system(options, users)
    fit_through_cache(model, options.cache)
    save_model(options, users, name, model)
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Write the predictions of a trained system."""
    check_options(options)
    saved = load_model(options.model_file)
    for column, name in saved["columns"].items():
        if getattr(options, column) is None:
            setattr(options, column, name)
    if options.chunk_size is not None:
        return predict_in_chunks(options, saved)
    users = load_users(options, labelled=False)
    if options.show:
        show_users(users)
        return 0
    table = predicted(saved, users, users.graph, options.format)
    if options.out is None:
        write_frame(table, options.format, sys.stdout, safe=options.safe_csv)
        return 0
    write_file(table, options.format, options.out, safe=options.safe_csv)
    tell(options, f"predictions of {len(table)} users: {options.out}")
    return 0
