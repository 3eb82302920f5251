"""The private skorch net behind every estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from skorch import NeuralNet
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from torch import Tensor, nn

from sklearn_profiling._seeding import TORCH_GENERATORS
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.layers.bag import TABLE_OPTIONS, TABLES, BagOfWords
from sklearn_profiling.architectures.layers.randomness import RandomLayer
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.batches import (
    Batch,
    LabelBatch,
    UserDataset,
    collate_whole,
)
from sklearn_profiling.training.callbacks import EpochProgress, LinearDecay
from sklearn_profiling.training.checkpoint import NetCheckpoint
from sklearn_profiling.training.held_out import hold_out_at_random
from sklearn_profiling.training.losses import MultiTaskLoss
from sklearn_profiling.training.optimizers import Adam
from sklearn_profiling.training.processes import (
    BatchParts,
    Processes,
    by_first,
    of_all_processes,
    processes_of,
)
from sklearn_profiling.training.state import is_finite

__all__ = [
    "ProfileNet",
    "TrainingPlan",
    "build_module",
    "lent_generator",
    "make_net",
    "set_generator",
    "train",
]

DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.float32,
}
"""Precision of the parameters; "bfloat16" computes in 16 bits under autocast."""
HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""Precisions of parameters that are not trained."""


class ProfileNet(NeuralNet):
    """A skorch net that takes batches built by :class:`UserDataset`.

    With `autocast` the forward pass computes in the 16 bits of `half`. Training is
    saved to the `checkpoint` of :func:`train` after each epoch, and goes on from it.
    Several `processes` train it together, each with its part of every batch.
    """

    checkpoint: NetCheckpoint | None = None
    processes: Processes | None = None

    def __init__(
        self,
        *args: Any,
        autocast: bool = False,
        half: torch.dtype = torch.bfloat16,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.autocast = autocast
        self.half = half

    def computing(self) -> torch.autocast:
        """Compute in the precision of the net, in a ``with`` statement."""
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=self.half, enabled=self.autocast)

    def fit_loop(
        self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any
    ) -> Any:
        """Train until `epochs` are done, those of the checkpoint among them."""
        if self.checkpoint is None or epochs is None:
            return super().fit_loop(X, y, epochs, **fit_params)
        try:
            for _ in range(epochs - self._restore(self.checkpoint)):
                super().fit_loop(X, y, 1, **fit_params)
                by_first(self.processes, partial(self.checkpoint.save, self))
        except KeyboardInterrupt:
            # Early stopping ends training in this way too.
            if any(_has_stopped(callback) for _, callback in self.callbacks_):
                by_first(self.processes, self.checkpoint.remove)
            raise
        by_first(self.processes, self.checkpoint.remove)
        return self

    def _restore(self, checkpoint: NetCheckpoint) -> int:
        """Go on from a checkpoint; return how many of the epochs are done."""
        done = checkpoint.restore(self)
        found = [done] if self.processes is None else self.processes.gather(done)
        if len(set(found)) > 1:
            msg = (
                "parameter checkpoint must be one folder that all processes read; the "
                f"processes found {found} epochs there"
            )
            raise ProfilingError(msg)
        return done

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin an epoch; each of several processes draws its own noise in it."""
        super().on_epoch_begin(net, **kwargs)
        if self.processes is not None:
            self.seed_noise(len(self.history), self.processes.rank)

    def noise(self) -> list[torch.Generator | None]:
        """Return the generators that batches draw from, beside their order."""
        layers = self.module_.modules()
        return [each.generator for each in layers if isinstance(each, RandomLayer)]

    def seed_noise(self, *keys: int) -> None:
        """Seed what batches draw from by the seed of the net and further numbers."""
        seed = self.iterator_train__generator.initial_seed()
        drawn = np.random.SeedSequence([seed, *keys]).generate_state(1)
        for generator in self.noise():
            if generator is not None:
                generator.manual_seed(int(drawn[0]))

    @of_all_processes(training=True)
    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch and its gradient."""
        step: dict[str, Any] = super().train_step_single(batch, **fit_params)
        return step

    @of_all_processes(training=False)
    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of users of the validation set."""
        step: dict[str, Any] = super().validation_step(batch, **fit_params)
        return step

    def infer(self, x: Batch, **fit_params: Any) -> tuple[Tensor, ...]:  # noqa: ARG002 - skorch's signature
        """Compute the logits of a batch: (n_users, n_classes) a task."""
        batch = x.to(self.device)
        with self.computing():
            logits = self.module_(batch.sources, batch.present)
        if self.autocast:
            return tuple(scores.float() for scores in logits)
        return tuple(logits)

    def get_loss(
        self,
        y_pred: Sequence[Tensor],
        y_true: LabelBatch,
        X: Batch | None = None,  # noqa: ARG002 - skorch's signature
        training: bool = False,  # noqa: ARG002 - skorch's signature
    ) -> Tensor:
        """Compute the loss of a batch."""
        loss: Tensor = self.criterion_(y_pred, y_true.to(self.device))
        return loss


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: the parameters of an estimator, resolved.

    `loss_weights` has one weight a task, None if they are learned; `frozen_dtype` is
    the precision of what is not trained, that of all if None; `net_options` are further
    arguments of `net`.
    """

    loss_weights: list[float] | None
    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    callbacks: list[Any]
    device: str
    dtype: str
    verbose: int
    seed: int
    learning_rate_decay: bool = False
    frozen_dtype: str | None = None
    optimizer: type[torch.optim.Optimizer] = Adam
    net: type[ProfileNet] = ProfileNet
    net_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def torch_device(self) -> str:
        """Name of the device; "auto" is a GPU if there is one."""
        return usable_device(self.device)


def usable_device(device: str) -> str:
    """Return the name of a device that can be used here; "auto" prefers a GPU."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        msg = (
            f"device={device!r} cannot be used here: {reason}; 'cpu' always can, and "
            "'auto' takes a GPU where there is one"
        )
        raise ProfilingError(msg) from error
    return device


@contextmanager
def lent_generator(seed: int, device: str = "cpu") -> Iterator[None]:
    """Seed torch's global generators for a while, and give them back as they were."""
    kind = torch.device(device)
    devices = [kind] if kind.type == "cuda" else []
    with TORCH_GENERATORS, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield


@fixed_threads()
def build_module(build: Callable[[], nn.Module], seed: int, dtype: str) -> nn.Module:
    """Build an architecture, with parameters that depend on the seed alone.

    One may name the precision of its matrices that are not trained, `frozen_dtype`.
    """
    with lent_generator(seed):
        module = build()
    frozen_dtype: Any = getattr(module, "frozen_dtype", None)
    if frozen_dtype is None:
        return module.to(DTYPES[dtype])
    for value in module.parameters():
        # Biases and normalisations are small, and norms of 16 bits read 16 alone.
        whole = value.requires_grad or value.ndim < 2
        # In place, so that parameters that are one stay one.
        value.data = value.data.to(DTYPES[dtype] if whole else HALVES[frozen_dtype])
    for buffer in module.buffers():
        if buffer.is_floating_point():
            buffer.data = buffer.data.to(DTYPES[dtype])
    return module


def _computes_bfloat16(device: str) -> bool:
    """Tell whether 16 bits are faster than 32 on a device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not device.startswith("cpu"):
        return True
    flags = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", None),
        getattr(torch.cpu, "_is_amx_tile_supported", None),
    )
    return any(ask is not None and bool(ask()) for ask in flags)


def set_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Give all random layers of a module one generator; None for the global one."""
    for layer in module.modules():
        if isinstance(layer, RandomLayer):
            layer.generator = generator


def make_net(module: nn.Module, n_tasks: int, plan: TrainingPlan) -> ProfileNet:
    """Wrap an architecture into an initialised net."""
    generators = [torch.Generator().manual_seed(plan.seed + k) for k in range(3)]
    set_generator(module, generators[0])
    loss = MultiTaskLoss(plan.loss_weights, n_tasks).to(DTYPES[plan.dtype])
    device = plan.torch_device
    options = dict(plan.net_options)
    if any(isinstance(layer, BagOfWords) for layer in module.modules()):
        options["optimizer__param_groups"] = [(TABLES, dict(TABLE_OPTIONS))]
    net = plan.net(
        module,
        criterion=loss,
        optimizer=plan.optimizer,
        optimizer__weight_decay=plan.weight_decay,
        lr=plan.learning_rate,
        max_epochs=plan.max_epochs,
        batch_size=plan.batch_size,
        train_split=None,
        iterator_train__shuffle=True,
        iterator_train__generator=generators[1],
        iterator_train__collate_fn=collate_whole,
        iterator_valid__generator=generators[2],
        iterator_valid__collate_fn=collate_whole,
        callbacks=_callbacks(plan),
        device=device,
        verbose=int(plan.verbose > 1),
        autocast=plan.frozen_dtype is not None
        or (plan.dtype == "bfloat16" and _computes_bfloat16(device)),
        half=HALVES[plan.frozen_dtype or "bfloat16"],
        **options,
    )
    net.initialize()
    return net


def _callbacks(plan: TrainingPlan) -> list[Any]:
    # As given, as in skorch: they hold writers, trials and lists of the user's.
    callbacks = list(plan.callbacks)
    if plan.early_stopping:
        stopping = EarlyStopping(
            patience=plan.n_iter_no_change,
            load_best=True,
            # Learned task weights make losses negative, and a relative threshold would
            # then count a rise as an improvement.
            threshold_mode="abs",
            sink=print if plan.verbose > 1 else _discard,
        )
        callbacks.append(("early_stopping", stopping))
    if plan.learning_rate_decay:
        decay = LinearDecay(plan.learning_rate, plan.max_epochs)
        callbacks.append(("learning_rate_decay", decay))
    if plan.verbose == 1:
        callbacks.append(("progress", EpochProgress(plan.max_epochs, "fit")))
    return callbacks


def _has_stopped(callback: Any) -> bool:
    stops = isinstance(callback, EarlyStopping)
    return stops and bool(callback.misses_ == callback.patience)


def _discard(message: str) -> None:
    """Print nothing."""


@fixed_threads()
def train(
    net: ProfileNet,
    dataset: UserDataset,
    plan: TrainingPlan,
    *,
    epochs: int,
    checkpoint: NetCheckpoint | None = None,
) -> None:
    """Train a net for some epochs, for the first time or further.

    With a `checkpoint`, go on from there, and save each epoch.

    Raises ProfilingError if training diverges or no user is left to train on.
    """
    # A warm start may change the batch size and the learning rate.
    net.batch_size = plan.batch_size
    for group in net.optimizer_.param_groups:
        group["lr"] = plan.learning_rate
    net.processes = _processes(plan)
    training: Any = dataset
    if plan.early_stopping:
        training, validation = _split(dataset, plan)
        held_out = _part(validation, net.processes)
        net.set_params(train_split=predefined_split(held_out))
    for _, callback in net.callbacks_:
        if isinstance(callback, LinearDecay):
            callback.epochs = epochs
            callback.learning_rate = plan.learning_rate
    before = len(net.history)
    net.checkpoint = checkpoint
    try:
        with _sharing(net):
            net.partial_fit(_part(training, net.processes), epochs=epochs)
    finally:
        _clean_up(net)
    last = net.history[-1] if len(net.history) > before else {}
    loss = last.get("train_loss", 0.0)
    # The final update follows the last recorded loss, so check the parameters too, by
    # their sums: a mask of each would take as much memory again.
    finite = is_finite(net.module_)
    if not (np.isfinite(loss) and finite):
        msg = (
            f"training diverged: the loss is {loss} after epoch {len(net.history)}, "
            f"the parameters are {'' if finite else 'not '}finite; "
            f"learning_rate={plan.learning_rate} is too high or a source holds extreme "
            "values"
        )
        raise ProfilingError(msg)


def _clean_up(net: ProfileNet) -> None:
    """Close the bar, and drop the validation set: a net carries no data about."""
    for _, callback in net.callbacks_:
        if isinstance(callback, EpochProgress):
            callback.close()
    net.checkpoint = net.processes = None
    if net.train_split is not None:
        net.set_params(train_split=None)


def _processes(plan: TrainingPlan) -> Processes | None:
    processes = processes_of(plan.device)
    if processes is not None and plan.batch_size < processes.n_processes:
        msg = (
            f"batch_size={plan.batch_size} is that of all processes together and below "
            f"their number, {processes.n_processes}: some would have nothing to do; "
            "take a larger batch or fewer processes"
        )
        raise ProfilingError(msg)
    return processes


def _part(dataset: UserDataset, processes: Processes | None) -> Any:
    return dataset if processes is None else BatchParts(dataset, processes)


@contextmanager
def _sharing(net: ProfileNet) -> Iterator[None]:
    """Let all processes begin and end with the parameters of the first.

    Their devices may differ in the last bits of what is measured before training.
    """
    processes = net.processes
    if processes is None:
        yield
        return
    state = {**net.module_.state_dict(), **net.criterion_.state_dict(prefix="loss.")}
    processes.share(state.values())
    verbose, net.verbose = net.verbose, net.verbose * processes.is_first
    try:
        yield
    finally:
        net.verbose = verbose
        net.seed_noise(len(net.history))
    processes.share(state.values())


def _split(dataset: UserDataset, plan: TrainingPlan) -> tuple[UserDataset, UserDataset]:
    n_users = len(dataset)
    n_held_out = int(np.ceil(plan.validation_fraction * n_users))
    labels = cast("EncodedLabels", dataset.labels)
    rows, held_out = hold_out_at_random(labels, n_held_out, plan.seed)
    if not len(rows):
        msg = (
            f"early_stopping holds out {len(held_out)} of {n_users} labelled users "
            f"(validation_fraction={plan.validation_fraction}) and leaves none to "
            "train on"
        )
        raise ProfilingError(msg)
    return dataset.take(rows), dataset.take(held_out)


@fixed_threads()
def compute_logits(net: ProfileNet, dataset: UserDataset) -> list[Tensor]:
    """Compute the logits of all users: (n_users, n_classes) a task."""
    net.module_.eval()
    with torch.no_grad():
        parts = [net.infer(batch) for batch in _batches(net, dataset)]
    return [torch.cat(task).cpu() for task in zip(*parts, strict=True)]


@fixed_threads()
def apply_to_batches(
    net: ProfileNet, dataset: UserDataset, function: Callable[[Batch], Tensor]
) -> npt.NDArray[np.float64]:
    """Apply a function to all users, batch by batch, without gradients, and join."""
    net.module_.eval()
    with torch.inference_mode():
        parts = [
            function(batch.to(net.device)).double().cpu().numpy()
            for batch in _batches(net, dataset)
        ]
    return np.concatenate(parts)


def _batches(net: ProfileNet, dataset: UserDataset) -> Iterator[Batch]:
    """Iterate over all users in order; a DataLoader takes a while for a few of them."""
    size: Any = getattr(net, "iterator_valid__batch_size", net.batch_size)
    for start in range(0, len(dataset), size):
        rows = range(start, min(start + size, len(dataset)))
        yield dataset.__getitems__(rows)[0]
