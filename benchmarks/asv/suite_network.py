"""LINE by descent and in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from bench_line import block_network, our_speed, spectral_seconds


class LINE:
    """Second order, 64 dimensions."""

    sizes: ClassVar[dict[str, Any]] = {"users": 10_000, "edges": 100_000}
    tiny: ClassVar[dict[str, Any]] = {"users": 200, "edges": 1000}

    def setup(self) -> None:
        self.graph = block_network(self.sizes["users"], self.sizes["edges"])
        our_speed(self.graph, 64, 1000, 1, 1)
        spectral_seconds(self.graph, 64, 1)

    def time_descent(self) -> None:
        our_speed(self.graph, 64, 10 * self.sizes["edges"], 1, 1)

    def time_shared_negatives(self) -> None:
        our_speed(self.graph, 64, 10 * self.sizes["edges"], 1, 8)

    def time_closed_form(self) -> None:
        spectral_seconds(self.graph, 64, 1)
