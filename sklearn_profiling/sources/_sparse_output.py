"""Sparse rows as scikit-learn's ``set_output`` asks for them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.utils._set_output import _get_output_config

__all__ = ["as_configured"]


def as_configured(transformer: Any, rows: Any, X: Any) -> Any:
    """Return sparse rows as they are, or as a DataFrame of sparse columns for pandas.

    scikit-learn wraps dense arrays only.
    """
    if _get_output_config("transform", transformer)["dense"] != "pandas":
        return rows
    index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
    # the types of pandas lack the accessor of the class
    return pd.DataFrame.sparse.from_spmatrix(rows, index)  # type: ignore[attr-defined]
