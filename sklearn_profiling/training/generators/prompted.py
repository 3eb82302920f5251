"""Training and search where a language model is asked about one attribute a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sklearn_profiling.architectures.generators.od_tup import ODTUP
from sklearn_profiling.architectures.generators.profile_generator import ProfileInputs
from sklearn_profiling.training.batches import LabelBatch, UserDataset
from sklearn_profiling.training.generators.net import GeneratorNet
from sklearn_profiling.training.generators.search import (
    search,
    search_settings,
    text_of_row,
)
from sklearn_profiling.training.net import ProfileNet

__all__ = ["PromptedNet", "generate_answers"]


class PromptedNet(GeneratorNet):
    """A net that learns to answer a prompt for each attribute.

    Parameters are those of :class:`GeneratorNet`.
    """

    def _task_losses(self, inputs: ProfileInputs, labels: LabelBatch) -> Tensor:
        """Weighted sum over users of what the answers to each prompt cost."""
        module: ODTUP = self.module_
        kind = torch.device(self.device).type
        on_cpu = labels.to("cpu")
        losses = []
        for task in range(labels.codes.shape[1]):
            written = self.tokens.answered(on_cpu, task)
            ids, tasks = written.ids.to(self.device), written.tasks.to(self.device)
            if not ids.shape[1]:
                losses.append(labels.weights.new_zeros(()))
                continue
            with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.autocast):
                read = module.encode(module.prompted(inputs, task))
                likely = module.token_log_likelihoods(*read, ids)
            costs = -likely.to(labels.weights.dtype) * labels.weights.unsqueeze(1)
            losses.append((costs * (tasks == task)).sum())
        return torch.stack(losses)


def generate_answers(
    net: ProfileNet,
    dataset: UserDataset,
    decode: Callable[[Sequence[int]], str],
    names: Sequence[str],
    *,
    n_beams: int,
    max_new_tokens: int,
) -> list[str]:
    """Write the profiles of all users, one attribute after the other.

    Parameters
    ----------
    net : ProfileNet
        A trained net around an :class:`ODTUP`.
    dataset : UserDataset
        Users.
    decode : callable
        From token ids to text.
    names : sequence of str
        Names of the tasks, as profiles write them.
    n_beams : int
        Beams of the search.
    max_new_tokens : int
        Where an answer stops at the latest.

    Returns
    -------
    list of str
        One profile a user: what was answered to each prompt, up to the sign that ends
        an attribute, behind the name of the task.
    """
    module: ODTUP = net.module_
    how = search_settings(module.ids, n_beams, max_new_tokens)
    module.eval()
    texts: list[str] = []
    with torch.inference_mode():
        for users, _ in net.get_iterator(dataset, training=False):
            inputs = module.inputs(users.to(net.device).sources)
            profiles = [""] * inputs.n_users
            for task, name in enumerate(names):
                read = module.encode(module.prompted(inputs, task))
                found = search(module, *read, how)[:, 1:].tolist()
                for user, row in enumerate(found):
                    value = text_of_row(row, decode, module).partition(";")[0].strip()
                    profiles[user] += f" {name}: {value};"
            texts += [profile.strip() for profile in profiles]
    return texts
