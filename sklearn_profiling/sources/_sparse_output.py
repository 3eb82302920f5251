"""Sparse rows: their lengths, and what ``set_output`` asks for."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2

__all__ = ["as_configured", "unit_rows"]


def as_configured(transformer: Any, rows: Any, X: Any) -> Any:
    """Return sparse rows as they are, or as a DataFrame of sparse columns for pandas.

    scikit-learn wraps dense arrays only.
    """
    if _get_output_config("transform", transformer)["dense"] != "pandas":
        return rows
    index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
    # the types of pandas lack the accessor of the class
    return pd.DataFrame.sparse.from_spmatrix(rows, index)  # type: ignore[attr-defined]


def unit_rows(rows: Any) -> Any:
    """Bring CSR rows of floats to length 1 in place, as ``normalize`` after its checks.

    Rows without entries stay as they are.
    """
    inplace_csr_row_normalize_l2(rows)
    return rows
