"""Parquet tables read row by row."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.datasets._lines import CountedFile, OnBadLines
from sklearn_profiling.exceptions import DataFormatError

_ROWS_AT_ONCE = 1024


class ParquetFile(CountedFile):
    """A Parquet table, one record a row; ``n_lines`` counts rows.

    Parameters
    ----------
    path : path-like
        The file.
    on_bad_lines : {"error", "skip"}
        Raise on the first bad row, or count it and go on.
    """

    def __init__(
        self, path: str | PathLike[str], on_bad_lines: OnBadLines = "error"
    ) -> None:
        super().__init__(path, on_bad_lines)
        self._parquet = import_optional(
            "pyarrow.parquet", extra="parquet", purpose="Reading Parquet files"
        )
        self._arrow_error: type[Exception] = import_optional(
            "pyarrow", extra="parquet", purpose="Reading Parquet files"
        ).ArrowException

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dict of Python values."""
        try:
            with self._parquet.ParquetFile(self.path) as table:
                for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE):
                    for row in batch.to_pylist():
                        self.n_lines += 1
                        yield row
        except (self._arrow_error, OSError) as error:
            reason = f"no readable Parquet table: {error}"
            raise DataFormatError(self.path, None, reason) from error

    def error(self, reason: str) -> DataFormatError:
        """Return an error that points at the current row."""
        return DataFormatError(self.path, None, f"row {self.n_lines}: {reason}")
