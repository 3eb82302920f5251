"""The command line ``sklearn-profiling``: demo, compare, fit, predict."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from sklearn_profiling.cli._options import make_parser

__all__: list[str] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; None takes the arguments of the process.

    Returns 0 on success, 2 for an error that the user can correct, and 130 after an
    interrupt.
    """
    options = make_parser().parse_args(arguments)
    # Imported here, so that --help is quick.
    from sklearn_profiling.exceptions import ProfilingError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            options.run(options)
    except (ProfilingError, OSError) as error:
        print(f"sklearn-profiling: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sklearn-profiling: interrupted", file=sys.stderr)
        return 130
    return 0
