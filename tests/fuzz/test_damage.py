"""Twenty damages to each kind of file; see damage.py for more."""

from __future__ import annotations

import pytest
from fuzz.damage import KINDS, run


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_is_silently_used(kind: str) -> None:
    counts = run(kind, 20)
    assert counts["told"] > 5
