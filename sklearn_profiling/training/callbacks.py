"""Callbacks: a progress bar, and learning rates that fall."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from tqdm import tqdm

__all__ = ["EpochProgress", "InverseTimeDecay", "LinearDecay"]


class EpochProgress(Callback):
    """Show a bar with one step an epoch and the latest losses, on standard error."""

    def __init__(self, max_epochs: int, description: str) -> None:
        self.max_epochs = max_epochs
        self.description = description

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Open the bar, of the first of several processes alone."""
        processes = getattr(net, "processes", None)
        self.bar_ = tqdm(
            total=self.max_epochs,
            desc=self.description,
            unit="epoch",
            disable=processes is not None and not processes.is_first,
        )

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Move the bar."""
        latest = net.history[-1]
        losses = {
            name: f"{latest[name]:.4g}"
            for name in ("train_loss", "valid_loss")
            if name in latest
        }
        self.bar_.set_postfix(losses)
        self.bar_.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Close the bar at the end of training."""
        self.close()

    def close(self) -> None:
        """Close the bar, however training ended."""
        if hasattr(self, "bar_"):
            self.bar_.close()


class InverseTimeDecay(Callback):
    """Divide the learning rate by 1 + `decay` times the batches before, like Keras."""

    def __init__(self, decay: float) -> None:
        self.decay = decay

    def __repr__(self) -> str:
        """Show the parameter."""
        return f"{type(self).__name__}({self.decay})"

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Start counting batches."""
        self.done_ = 0
        self.rates_ = [group["lr"] for group in net.optimizer_.param_groups]

    def on_batch_begin(
        self,
        net: Any,
        batch: Any = None,  # noqa: ARG002 - skorch's signature
        training: bool | None = None,
        **kwargs: Any,  # noqa: ARG002 - skorch's signature
    ) -> None:
        """Set the learning rate of the batch."""
        if not training:
            return
        groups = net.optimizer_.param_groups
        for group, rate in zip(groups, self.rates_, strict=True):
            group["lr"] = rate / (1.0 + self.decay * self.done_)
        self.done_ += 1


class LinearDecay(Callback):
    """Let the learning rate fall linearly, to zero after the last epoch."""

    def __init__(self, learning_rate: float, epochs: int) -> None:
        self.learning_rate = learning_rate
        self.epochs = epochs

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Start counting epochs."""
        self.done_ = 0

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002 - skorch's signature
        """Set the learning rate of the epoch."""
        rate = self.learning_rate * (1.0 - self.done_ / self.epochs)
        for group in net.optimizer_.param_groups:
            group["lr"] = rate
        self.done_ += 1
