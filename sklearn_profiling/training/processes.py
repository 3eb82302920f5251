"""Data-parallel training: processes of one launch, each with a part of every batch.

Every process holds all users and the whole net. The gradients that the processes
compute on their parts are summed before each step, so that all take the same one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Final, TypeVar, cast

import joblib
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from sklearn_profiling._config import get_config
from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import ProfilingError
from sklearn_profiling.training.batches import Batch, LabelBatch, UserDataset
from sklearn_profiling.training.checkpoint import deciding_parameters
from sklearn_profiling.training.inputs import TrainingUsers

__all__ = [
    "BatchParts",
    "Processes",
    "by_first",
    "from_first",
    "of_all_processes",
    "processes_of",
    "require_same",
]

T = TypeVar("T")

_BYTES_AT_ONCE: Final = 32 << 20
"""Gradients that are sent together: enough to hide the delay of a message."""


def processes_of(device: str) -> Processes | None:
    """Return the processes that train together, if that is asked for.

    None for a process that was launched alone.
    """
    if not get_config()["data_parallel"]:
        return None
    accelerate = import_optional(
        "accelerate", extra="accelerate", purpose="data_parallel=True"
    )
    if torch.distributed.is_available():
        # Its functions keep the group that stands when it is imported, which torch does
        # at the first step: threads of the group would then run when Python ends, and
        # could abort the process.
        importlib.import_module("torch.distributed.nn")
    on_cpu = device == "cpu" or (device == "auto" and not torch.cuda.is_available())
    state = accelerate.PartialState(cpu=on_cpu)
    if state.num_processes == 1:
        return None
    kind = state.device.type
    if device not in {"auto", kind}:
        msg = (
            f"device={device!r} cannot be used by processes that were set up for "
            f"{kind!r}: each takes the device of its own; give 'auto' or {kind!r}, the "
            "same for all nets of a launch"
        )
        raise ProfilingError(msg)
    return Processes(state)


def from_first(value: T, device: str) -> T:
    """Return the value of the first process to all; a lone process has its own."""
    processes = processes_of(device)
    return value if processes is None else processes.from_first(value)


def by_first(processes: Processes | None, action: Callable[[], object]) -> None:
    """Let the first process do something, while the others wait for it."""
    if processes is None or processes.is_first:
        action()
    if processes is not None:
        processes.wait()


def require_same(classifier: Any, users: TrainingUsers, epochs: int) -> None:
    """Refuse to train beside processes that would train something else."""
    processes = processes_of(classifier.device)
    if processes is None:
        return
    facts = {
        "parameters": deciding_parameters(classifier),
        "number of epochs": (epochs, getattr(classifier, "n_iter_", 0)),
        **{f"source {name!r}": each for name, each in users.sources.items()},
        "labels": users.labels,
        "weights": users.weights,
    }
    processes.require_same(type(classifier).__name__, facts)


class Processes:
    """The processes of a launch, as accelerate's ``PartialState`` knows them."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self.rank: int = state.process_index
        self.n_processes: int = state.num_processes

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes are here."""
        self._state.wait_for_everyone()

    def part_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of a batch that this process computes: every n-th, maybe none."""
        return rows[self.rank :: self.n_processes]

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes to each of them."""
        from accelerate.utils import gather_object

        return cast("list[T]", gather_object([value]))

    def from_first(self, value: T) -> T:
        """Return the value of the first process to all."""
        from accelerate.utils import broadcast_object_list

        return cast("T", broadcast_object_list([value])[0])

    def require_same(self, owner: str, facts: Mapping[str, Any]) -> None:
        """Refuse a training of which the processes hold different things, by name.

        Raises ProfilingError in all processes alike.
        """
        own = {
            name: joblib.hash(each, coerce_mmap=True) for name, each in facts.items()
        }
        every = self.gather(own)
        for rank, others in enumerate(every):
            names = dict.fromkeys([*every[0], *others])
            unlike = [each for each in names if every[0].get(each) != others.get(each)]
            if unlike:
                msg = (
                    f"{owner}: processes 0 and {rank} of {self.n_processes} do not "
                    f"hold the same {', '.join(unlike)}; every process must be given "
                    "the same users in the same order and the same parameters, and "
                    "sources fitted with an int as random_state"
                )
                raise ProfilingError(msg)

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the tensors of the first."""
        from accelerate.utils import broadcast

        for tensor in tensors:
            if tensor.numel():
                whole = tensor.detach().to(self._state.device).contiguous()
                broadcast(whole.view(-1).view(torch.uint8))
                tensor.detach().copy_(whole)

    def sum_up(self, loss: Tensor, parameters: Sequence[nn.Parameter] = ()) -> Tensor:
        """Sum a loss over all processes, and in place the gradients of parameters.

        A parameter that no process has used has no gradient afterwards either.
        """
        used = [float(each.grad is not None) for each in parameters]
        sparse = [float(_is_sparse(each)) for each in parameters]
        own = torch.tensor([loss.item(), *used, *sparse], dtype=torch.float64)
        total, *n_used = self._sum(own).tolist()
        kinds = zip(parameters, n_used, n_used[len(parameters) :], strict=False)
        dense: list[Tensor] = []
        for parameter, is_used, is_sparse in kinds:
            if is_sparse:
                parameter.grad = self._sum_sparse(parameter)
            elif is_used:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dense.append(parameter.grad)
        for together in _buckets(dense):
            flat = self._sum(torch.cat([each.reshape(-1) for each in together]))
            parts = torch.split(flat, [each.numel() for each in together])
            for gradient, part in zip(together, parts, strict=True):
                gradient.copy_(part.view_as(gradient))
        return torch.tensor(total, dtype=torch.float64)

    def _sum(self, own: Tensor) -> Tensor:
        from accelerate.utils import reduce

        total: Tensor = reduce(own.to(self._state.device), "sum")
        return total.to(own.device)

    def _sum_sparse(self, parameter: nn.Parameter) -> Tensor:
        """Sum of gradients of some rows, which would take much memory as a table."""
        from accelerate.utils import gather, pad_across_processes

        rows = torch.zeros(0, dtype=torch.int64, device=parameter.device)
        values = parameter.detach()[:0]
        if parameter.grad is not None:
            own = parameter.grad.coalesce()
            rows, values = own.indices()[0], own.values()
        there = self._state.device
        # Padded by zeros for the first row, which change no sum.
        rows, values = (
            gather(pad_across_processes(each.to(there))).to(parameter.device)
            for each in (rows, values)
        )
        shape = parameter.shape
        total = torch.sparse_coo_tensor(
            rows[None], values, shape, check_invariants=False
        )
        return total.coalesce()


def _is_sparse(parameter: nn.Parameter) -> bool:
    return parameter.grad is not None and parameter.grad.is_sparse


def _buckets(gradients: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Group gradients of one precision: all at once would take their memory again."""
    together: list[Tensor] = []
    for each in gradients:
        size = sum(other.nbytes for other in together) + each.nbytes
        unlike = together and together[0].dtype != each.dtype
        if together and (unlike or size > _BYTES_AT_ONCE):
            yield together
            together = []
        together.append(each)
    if together:
        yield together


class BatchParts(Dataset[Any]):
    """A data set of which each batch holds the users of one process alone.

    Beside their labels stand those of the whole batch.
    """

    def __init__(self, users: UserDataset, processes: Processes) -> None:
        self.users = users
        self.processes = processes

    def __len__(self) -> int:
        return len(self.users)

    def __getitems__(self, rows: Sequence[int]) -> tuple[Batch, LabelBatch]:
        """Build the part of a batch of some rows."""
        chosen = np.asarray(rows, dtype=np.int64)
        part = self.processes.part_of(chosen).tolist()
        batch, labels = self.users.__getitems__(part)
        whole = self.users.labels_of(chosen)
        own = replace(cast("LabelBatch", labels), whole=cast("LabelBatch", whole))
        return replace(batch, n_in_all=len(chosen)), own


def of_all_processes(*, training: bool) -> Callable[[Any], Any]:
    """Decorate a step of a net: losses, in `training` gradients, of all processes."""

    def decorate(step: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        @wraps(step)
        def joined(net: Any, batch: Any, **fit_params: Any) -> dict[str, Any]:
            if net.processes is None:
                return step(net, batch, **fit_params)
            own: dict[str, Any] = {"loss": torch.zeros(()), "y_pred": None}
            if batch[0].n_users:
                own = step(net, batch, **fit_params)
            parameters = [
                value
                for _, value in net.get_all_learnable_params()
                if training and value.requires_grad
            ]
            loss = net.processes.sum_up(own["loss"].detach(), parameters)
            return {**own, "loss": loss}

        return joined

    return decorate
