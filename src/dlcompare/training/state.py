"""The state of a training run, kept so that it can go on after any interruption as if there had been none.

One file holds all of it: weights, the optimisers' memory, the running average, the best weights so far, the state of
the random generator, and the history. It is written beside its place and moved there, so that at every moment a whole
state stands on the disk. Nothing is pickled: tensors in safetensors, the rest as JSON in its header.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from dlcompare._files import replace_files
from dlcompare.training.distributed import draw_apart, gathered, rank, scattered
from dlcompare.training.history import History

__all__ = ["ResumeError", "TrainingState"]

#: The layout of the file; another layout is another number.
_LAYOUT = 1


class ResumeError(RuntimeError):
    """A saved state is damaged, or belongs to another run."""


def own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return what ``model`` has learned, by name: parameters, one that is shared under one name, and kept buffers."""
    kept = model.state_dict().keys()
    buffers = {name: buffer for name, buffer in model.named_buffers() if name in kept}
    return {name: p.detach() for name, p in model.named_parameters()} | buffers


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of ``tensors`` of any shape, that later steps don't change."""
    return {name: tensor.clone() for name, tensor in tensors.items()}


@torch.no_grad()
def write_over(targets: Mapping[str, Tensor], sources: Mapping[str, Tensor]) -> None:
    """Copy each of ``sources`` into the target of its name and shape, in place."""
    for name, source in sources.items():
        targets[name].copy_(source)


@dataclass
class TrainingState:
    """Where a run stands after ``history.steps`` steps.

    Parameters
    ----------
    model
        what is trained; its weights change in place.
    optimizers
        those that move its parameters.
    history
        what has happened so far.
    average
        the running average of the parameters by name, if one is kept.
    best
        the weights of the best evaluation so far, by name.
    waited
        evaluations since then.
    """

    model: nn.Module
    optimizers: Iterable[torch.optim.Optimizer]
    history: History = field(default_factory=History)
    average: dict[str, Tensor] | None = None
    best: dict[str, Tensor] | None = None
    waited: int = 0

    def save(self, path: Path, identity: str) -> None:
        """Write the state to ``path``, all at once, as that of the run ``identity``. All processes call it together.

        Raises
        ------
        OSError
            when it can't be written; an older state then stays.
        """
        tensors = self._tensors()
        if rank() == 0:
            header = {"layout": _LAYOUT, "identity": identity, "waited": self.waited, "history": vars(self.history)}
            replace_files({path: safetensors_bytes(tensors, {"state": json.dumps(header)})})

    def load(self, path: Path, identity: str) -> None:
        """Go back, in place, to the state that ``path`` holds.

        Raises
        ------
        ResumeError
            when it can't be read, or is the state of another run than ``identity``. Nothing has changed then.
        """
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("state", "{}"))
                stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
        except (SafetensorError, json.JSONDecodeError) as reason:
            raise ResumeError(f"{path} is no whole state of a run ({reason}); remove it to begin anew") from None
        if header.get("layout") != _LAYOUT or header["identity"] != identity:
            raise ResumeError(
                f"{path} is the state of another run: other settings, data or version; remove it to begin anew, or"
                " name another folder"
            )
        weights = own_tensors(self.model)
        if {f"model.{n}": t.shape for n, t in weights.items()} != {
            n: t.shape for n, t in stored.items() if n.startswith("model.")
        }:
            raise ResumeError(f"{path} is the state of another model: its tensors have other names or shapes")

        def part(prefix: str) -> dict[str, Tensor]:
            return {n.removeprefix(prefix): t for n, t in stored.items() if n.startswith(prefix)}

        def like_weights(prefix: str) -> dict[str, Tensor]:
            return {n: scattered(t, weights[n]) for n, t in part(prefix).items()}

        write_over(weights, like_weights("model."))
        parameters = dict(self.model.named_parameters())
        for name, tensor in part("optimizer.").items():
            index, key, of = name.split(".", 2)
            parameter = parameters[of]
            same = tensor.shape == parameter.shape
            memory = scattered(tensor, parameter) if same else tensor  # AdamW counts its steps in a tensor on the CPU
            list(self.optimizers)[int(index)].state[parameter][key] = memory
        self.average = like_weights("average.") or None
        self.best = like_weights("best.") or None
        self.waited = header["waited"]
        vars(self.history).update(header["history"])
        self.history.validation = [(step, value) for step, value in self.history.validation]
        torch.set_rng_state(stored["generator.cpu"])
        if "generator.cuda" in stored and torch.cuda.is_available():
            torch.cuda.set_rng_state(stored["generator.cuda"])
        draw_apart(self.history.steps)

    def _tensors(self) -> dict[str, Tensor]:
        """Everything that is a tensor, whole, on the CPU, by a name that says what it is."""
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        found = {f"model.{name}": tensor for name, tensor in own_tensors(self.model).items()}
        for kind, tensors in (("average", self.average), ("best", self.best)):
            found |= {f"{kind}.{name}": tensor for name, tensor in (tensors or {}).items()}
        for index, optimizer in enumerate(self.optimizers):
            for parameter, memory in optimizer.state.items():
                found |= {f"optimizer.{index}.{key}.{names[parameter]}": tensor for key, tensor in memory.items()}
        whole = {name: gathered(tensor).cpu().contiguous() for name, tensor in found.items()}
        whole["generator.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            whole["generator.cuda"] = torch.cuda.get_rng_state()
        return whole
