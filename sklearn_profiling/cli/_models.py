"""Commands that train one system or predict with it: fit, predict."""

from __future__ import annotations

import argparse
import sys

from sklearn_profiling.cli._reading import load_users, net_parameters, segmenter_of


def run_fit(options: argparse.Namespace) -> None:
    """Train MMLUP on all users and write it to a file."""
    import joblib

    from sklearn_profiling import __version__
    from sklearn_profiling.estimators import MMLUPClassifier
    from sklearn_profiling.pipelines import make_mmlup

    users = load_users(options)
    if "images" in users.data:
        print("images are not read: MMLUP is trained on text and network here")
    classifier = MMLUPClassifier(
        random_state=options.seed, verbose=1, **net_parameters(options)
    )
    model = make_mmlup(
        users.graph,
        segmenter=segmenter_of(options, users),
        classifier=classifier,
        random_state=options.seed,
    )
    model.fit(users.data, users.target)
    options.model.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"version": __version__, "model": model}, options.model, compress=3)
    print(f"model: {options.model}, {options.model.stat().st_size / 1e6:.1f} MB")


def run_predict(options: argparse.Namespace) -> None:
    """Write the predictions of a trained model as CSV."""
    import joblib
    import pandas as pd

    from sklearn_profiling import __version__
    from sklearn_profiling.exceptions import DataFormatError
    from sklearn_profiling.pipelines import predict_proba_with_links

    try:
        saved = joblib.load(options.model)
        model, version = saved["model"], saved["version"]
    except (TypeError, KeyError, ValueError, EOFError) as error:
        reason = f"not a model written by 'sklearn-profiling fit' ({error})"
        raise DataFormatError(options.model, None, reason) from error
    if version != __version__:
        print(f"model of version {version}, read by {__version__}", file=sys.stderr)
    users = load_users(options, labelled=False)
    classifier = model.named_steps["classifier"]
    table = pd.DataFrame({"user_id": users.data["user_id"]})
    probabilities = predict_proba_with_links(model, users.data, users.graph)
    for task, classes, likely in zip(
        classifier.task_names_, classifier.classes_, probabilities, strict=True
    ):
        table[task] = classes[likely.argmax(axis=1)]
        for position, label in enumerate(classes):
            table[f"{task}={label}"] = likely[:, position].round(6)
    table.to_csv(options.out, index=False)
    print(f"predictions of {len(table)} users: {options.out}")
