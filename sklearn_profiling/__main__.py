"""The command line as ``python -m sklearn_profiling``."""

import sys

from sklearn_profiling.cli import main

sys.exit(main())
