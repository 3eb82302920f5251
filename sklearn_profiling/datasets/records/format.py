"""Lines of JSON, each an object."""

from __future__ import annotations

import json
from typing import Any

from sklearn_profiling.datasets._files import BadLine


def parse_json_object(line: str) -> dict[str, Any]:
    """Return the object of a JSON line."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadLine(kind="invalid JSON", detail=str(error)) from error
    except RecursionError as error:
        raise BadLine(kind="invalid JSON", detail="nested too deeply") from error
    if not isinstance(row, dict):
        kind = "array" if isinstance(row, list) else type(row).__name__
        detail = f"one object per line is needed; got {kind} {row!r:.60}"
        raise BadLine(kind="not an object", detail=detail)
    return row
