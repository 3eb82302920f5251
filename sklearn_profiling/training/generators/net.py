"""The skorch net of generators: training modes, and batches in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sklearn_profiling.architectures.generators._tokens import ProfileInputs
from sklearn_profiling.architectures.generators.profile_generator import BaseGenerator
from sklearn_profiling.training.batches import Batch, LabelBatch
from sklearn_profiling.training.generators.modes import FusionMode, TrainingMode
from sklearn_profiling.training.generators.tokens import ProfileTokens
from sklearn_profiling.training.net import ProfileNet, lent_generator
from sklearn_profiling.training.processes import of_all_processes

__all__ = ["GeneratorNet"]

_LARGEST_SEED = 2**31 - 1
_LOSS_SCALE = 1024.0


class GeneratorNet(ProfileNet):
    """A net that learns to write profiles.

    `modes` decide what the generator reads, `tokens` how profiles are written. With
    `mixing` "step" each step follows the mean loss of all modes; else modes take turns
    with each batch or epoch. `micro_batch_size` users are computed at a time, by
    default a batch. `generator` draws masks and dropout, on the CPU.
    """

    def __init__(
        self,
        *args: Any,
        modes: Mapping[str, TrainingMode],
        tokens: ProfileTokens,
        mixing: str,
        micro_batch_size: int | None,
        generator: torch.Generator,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.modes = modes
        self.tokens = tokens
        self.mixing = mixing
        self.micro_batch_size = micro_batch_size
        self.generator = generator

    # -- training --------------------------------------------------------------

    def noise(self) -> list[torch.Generator | None]:
        """Return the generators that batches draw from, beside their order."""
        return [*super().noise(), self.generator]

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Run over the users, in training once a mode if modes change by the epoch."""
        if not training:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        for steps in self._runs():
            self._steps = steps
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)

    def _runs(self) -> list[list[list[TrainingMode]]]:
        """Modes of each step of a batch, for each run over the users in an epoch."""
        modes = list(self.modes.values())
        if self.mixing == "step":
            return [[modes]]
        if self.mixing == "batch":
            return [[[mode] for mode in modes]]
        return [[[mode]] for mode in modes]

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Make the steps of this run with a batch; the loss is the mean over modes."""
        losses = []
        for modes in self._steps:
            self._modes_of_step = modes
            losses.append(super().train_step(batch, **fit_params)["loss"])
        return {"loss": torch.stack(losses).mean(), "y_pred": None}

    @of_all_processes(training=True)
    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:  # noqa: ARG002 - skorch's signature
        """Compute the mean loss over the modes of this step, and its gradient."""
        self._set_training(training=True)
        losses = []
        for mode in self._modes_of_step:
            seed = int(torch.randint(_LARGEST_SEED, (1,), generator=self.generator))
            # The dropout of transformers draws from the global generators.
            with lent_generator(seed, str(self.device)):
                losses.append(self._loss(batch, mode, training=True))
        if self._scale != 1.0:
            for value in self.module_.parameters():
                if value.grad is not None:
                    value.grad /= self._scale
        return {"loss": torch.stack(losses).mean(), "y_pred": None}

    @property
    def _scale(self) -> float:
        """Factor of the loss, so that small gradients are not lost in float16."""
        scaled = self.autocast and self.half == torch.float16
        return _LOSS_SCALE if scaled else 1.0

    @of_all_processes(training=False)
    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:  # noqa: ARG002 - skorch's signature
        """Compute the loss of users of the validation set, on all there is to read."""
        self._set_training(training=False)
        with torch.no_grad():
            loss = self._loss(batch, FusionMode(), training=False)
        return {"loss": loss, "y_pred": None}

    def _loss(
        self, batch: tuple[Batch, LabelBatch], mode: TrainingMode, *, training: bool
    ) -> Tensor:
        """Loss of a batch; in training each part adds its gradient at once."""
        users, labels = batch
        module: BaseGenerator = self.module_
        inputs = module.inputs(users.to(self.device).sources)
        inputs = mode(inputs, labels, self.generator)
        labels = labels.to(self.device)
        whole = labels.whole or labels
        labelled = whole.codes >= 0
        totals = (labelled * whole.weights).sum(dim=0)
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
                losses, labelled.any(dim=0), (stop - start) / len(whole.codes)
            )
            if training:
                (loss * self._scale / len(self._modes_of_step)).backward()
            parts.append(loss.detach())
        return torch.stack(parts).sum()

    def _task_losses(self, inputs: ProfileInputs, labels: LabelBatch) -> Tensor:
        """Weighted sum over users of what the tokens of each task cost: (n_tasks,)."""
        module: BaseGenerator = self.module_
        n_tasks = labels.codes.shape[1]
        losses = labels.weights.new_zeros(n_tasks)
        texts = self.tokens.texts(labels.to("cpu"))
        for reading, written in zip(module.readings(inputs), texts, strict=True):
            ids, tasks = written.ids.to(self.device), written.tasks.to(self.device)
            if not ids.shape[1]:
                continue
            with self.computing():
                states, is_state = module.encode(reading)
                likely = module.token_log_likelihoods(states, is_state, ids)
            # A token has the weight of the label that it writes.
            weights = labels.weights.gather(1, tasks.clamp(min=0))
            costs = -likely.to(weights.dtype) * weights
            losses = losses + torch.stack(
                [(costs * (tasks == task)).sum() for task in range(n_tasks)]
            )
        return losses
