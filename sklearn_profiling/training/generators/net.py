"""The skorch net behind generators of profiles: modes of training, batches in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    ProfileInputs,
)
from sklearn_profiling.training.batches import Batch, LabelBatch
from sklearn_profiling.training.generators.checkpoint import TrainingCheckpoint
from sklearn_profiling.training.generators.modes import FusionMode, TrainingMode
from sklearn_profiling.training.generators.tokens import ProfileTokens
from sklearn_profiling.training.net import ProfileNet, lent_generator

__all__ = ["GeneratorNet"]

_LARGEST_SEED = 2**31 - 1


class GeneratorNet(ProfileNet):
    """A net that learns to write profiles.

    Parameters
    ----------
    *args, **kwargs
        As for :class:`~sklearn_profiling.training.net.ProfileNet`.
    modes : mapping of str to TrainingMode
        What the generator gets to read.
    tokens : ProfileTokens
        How profiles are written.
    mixing : {"step", "batch", "epoch"}
        Whether each step follows the mean loss of all modes, each batch is taken in all
        modes, one step each, or each epoch.
    micro_batch_size : int or None
        Users to compute at a time; None computes a batch at once.
    generator : torch.Generator
        Decides masks and dropout; on the CPU.
    checkpoint : TrainingCheckpoint or None
        Where to save after each epoch, and to go on from.
    """

    def __init__(
        self,
        *args: Any,
        modes: Mapping[str, TrainingMode],
        tokens: ProfileTokens,
        mixing: str,
        micro_batch_size: int | None,
        generator: torch.Generator,
        checkpoint: TrainingCheckpoint | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.modes = modes
        self.tokens = tokens
        self.mixing = mixing
        self.micro_batch_size = micro_batch_size
        self.generator = generator
        self.checkpoint = checkpoint

    # -- training --------------------------------------------------------------

    def fit_loop(
        self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any
    ) -> Any:
        """Train, from a checkpoint on if there is one; see skorch.

        Parameters
        ----------
        X : UserDataset
            Training users.
        y : None
            Not used.
        epochs : int
            Epochs to have trained at the end.
        **fit_params : dict
            As for skorch.

        Returns
        -------
        self
            The net.
        """
        if self.checkpoint is None or epochs is None:
            return super().fit_loop(X, y, epochs, **fit_params)
        for _ in range(epochs - self.checkpoint.restore(self)):
            super().fit_loop(X, y, 1, **fit_params)
            self.checkpoint.save(self)
        self.checkpoint.remove()
        return self

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Pass over the users, in training once a mode if modes change by the epoch.

        Parameters
        ----------
        iterator : DataLoader or None
            Batches.
        training : bool
            Whether to train.
        prefix : str
            Beginning of the names in the history.
        step_fn : callable
            What to do with a batch.
        **fit_params : dict
            As for skorch.
        """
        if not training:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        for steps in self._passes():
            self._steps = steps
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)

    def _passes(self) -> list[list[list[TrainingMode]]]:
        """For each pass over the users, the modes of each step with a batch."""
        modes = list(self.modes.values())
        if self.mixing == "step":
            return [[modes]]
        if self.mixing == "batch":
            return [[[mode] for mode in modes]]
        return [[[mode]] for mode in modes]

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Make the steps of this pass with a batch.

        Parameters
        ----------
        batch : tuple
            Users and labels.
        **fit_params : dict
            Not used.

        Returns
        -------
        dict
            The mean loss of the modes.
        """
        losses = []
        for modes in self._steps:
            self._modes_of_step = modes
            losses.append(super().train_step(batch, **fit_params)["loss"])
        return {"loss": torch.stack(losses).mean(), "y_pred": None}

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:  # noqa: ARG002 - skorch's signature
        """Compute the loss of a batch and its gradient.

        Parameters
        ----------
        batch : tuple
            Users and labels.
        **fit_params : dict
            Not used.

        Returns
        -------
        dict
            The loss, mean of the modes of this step.
        """
        self._set_training(training=True)
        losses = []
        for mode in self._modes_of_step:
            seed = int(torch.randint(_LARGEST_SEED, (1,), generator=self.generator))
            # The dropout of transformers draws from the global generators.
            with lent_generator(seed, str(self.device)):
                losses.append(self._loss(batch, mode, training=True))
        return {"loss": torch.stack(losses).mean(), "y_pred": None}

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:  # noqa: ARG002 - skorch's signature
        """Compute the loss of users held out, on all there is to read.

        Parameters
        ----------
        batch : tuple
            Users and labels.
        **fit_params : dict
            Not used.

        Returns
        -------
        dict
            The loss.
        """
        self._set_training(training=False)
        with torch.no_grad():
            loss = self._loss(batch, FusionMode(), training=False)
        return {"loss": loss, "y_pred": None}

    def _loss(
        self, batch: tuple[Batch, LabelBatch], mode: TrainingMode, *, training: bool
    ) -> Tensor:
        """Loss of a batch; in training each part adds its gradient at once."""
        users, labels = batch
        module: ProfileGenerator = self.module_
        inputs = module.inputs(users.to(self.device).sources)
        inputs = mode(inputs, labels, self.generator)
        labels = labels.to(self.device)
        labelled = labels.codes >= 0
        totals = (labelled * labels.weights.unsqueeze(1)).sum(dim=0)
        n_users = inputs.n_users
        step = self.micro_batch_size or n_users
        parts = []
        for start in range(0, n_users, step):
            stop = min(start + step, n_users)
            part = labels.part(start, stop)
            losses = self._task_losses(inputs.part(start, stop), part) / torch.where(
                totals > 0, totals, 1.0
            )
            loss = self.criterion_.combine(
                losses, labelled.any(dim=0), (stop - start) / n_users
            )
            if training:
                (loss / len(self._modes_of_step)).backward()
            parts.append(loss.detach())
        return torch.stack(parts).sum()

    def _task_losses(self, inputs: ProfileInputs, labels: LabelBatch) -> Tensor:
        """Weighted sum over users of what the tokens of each task cost."""
        written = self.tokens.written(labels.to("cpu"))
        ids, tasks = written.ids.to(self.device), written.tasks.to(self.device)
        module: ProfileGenerator = self.module_
        kind = torch.device(self.device).type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.autocast):
            states, is_state = module.encode(inputs)
            likely = module.token_log_likelihoods(states, is_state, ids)
        costs = -likely.to(labels.weights.dtype) * labels.weights.unsqueeze(1)
        return torch.stack(
            [(costs * (tasks == task)).sum() for task in range(labels.codes.shape[1])]
        )
