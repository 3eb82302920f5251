"""Tables of users and networks on a Dask cluster; needs the extra ``dask``."""

from __future__ import annotations

__all__: list[str] = []
