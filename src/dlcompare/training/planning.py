"""What a training run will need, worked out before it begins: memory for each process, arithmetic for each step.

The model makes one step on torch's meta device, which knows shapes and types but holds no numbers: nothing is estimated
by hand, and a model of any size fits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, UntypedStorage, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from dlcompare.models.attention import Attention
from dlcompare.training.losses import Batch, LossFunction
from dlcompare.training.parts import rows

__all__ = ["DryRun", "Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """What a run needs. Memory is that of one process, in bytes; arithmetic is that of all processes together.

    Parameters
    ----------
    parameters
        numbers that are trained.
    steps, rows_per_step
        of the run, and examples in each.
    n_processes
        how many processes share the rows.
    accumulate
        parts that each process cuts its rows into.
    weights, gradients, optimizer
        bytes that last from step to step.
    activations
        bytes that are kept for the backward pass of one part, in float32. Attention counts as its equation has it; a
        fused kernel, which does not keep the weights, needs less.
    activations_bfloat16
        the same with everything in bfloat16: with autocast, the truth lies between the two.
    flops_per_step
        floating-point operations of forward and backward pass; the optimiser's are left out.
    """

    parameters: int
    steps: int
    rows_per_step: int
    n_processes: int
    accumulate: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    activations_bfloat16: int
    flops_per_step: int

    @property
    def memory(self) -> int:
        """Bytes of one process, with activations in float32; what the library and its buffers need comes on top."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def seconds(self, flops_per_second: float) -> float:
        """Return how long the run takes, when each process really does ``flops_per_second``.

        That is the device's peak times the share of it that is reached: 30 to 50 % where all goes well (Chowdhery et
        al. 2022, section 4.1, report 46 % for PaLM).

        Raises
        ------
        ValueError
            for a rate that is not positive.
        """
        if not flops_per_second > 0:
            raise ValueError(f"flops_per_second is {flops_per_second!r}; allowed is > 0")
        return self.steps * self.flops_per_step / (self.n_processes * flops_per_second)


class DryRun(Exception):  # noqa: N818 (it is no error)
    """Raised by :func:`~dlcompare.training.fit` in place of training, when only the plan is wanted."""

    def __init__(self, plan: Plan):
        super().__init__("a dry run")
        self.plan = plan


def plan(
    model: nn.Module,
    loss: LossFunction,
    batch: Batch,
    make_optimizers: Callable[[nn.Module], Iterable[torch.optim.Optimizer]],
    *,
    steps: int,
    n_processes: int = 1,
    accumulate: int = 1,
    sharded: bool = False,
) -> Plan:
    """Return what ``steps`` steps of ``model`` on batches like ``batch`` will need.

    Parameters
    ----------
    model
        any model; it is copied to the meta device and stays as it is.
    loss, batch
        as for :func:`~dlcompare.training.fit`; of the batch only shapes and types count.
    make_optimizers
        from a model to its optimisers.
    steps, n_processes, accumulate, sharded
        as in :class:`Plan` and :class:`~dlcompare.training.Run`; shared out, weights, gradients and the optimiser's
        memory are divided by ``n_processes``.

    Raises
    ------
    ValueError
        when the batch has fewer rows than parts, or ``n_processes`` or ``accumulate`` is below 1.
    """
    for name, value in (("n_processes", n_processes), ("accumulate", accumulate)):
        if value < 1:
            raise ValueError(f"{name} is {value}; allowed are integers of at least 1")
    n_parts = n_processes * accumulate
    part = tuple(tensor.to("meta") for tensor in rows(batch, n_parts)[0])  # the first part is a largest one
    ghost = _ghost(model, torch.float32)
    optimizers = list(make_optimizers(ghost))
    activations, flops = _backward(ghost, loss, part)
    parameters = list(ghost.parameters())
    weights = _bytes([*parameters, *ghost.buffers()])
    gradients = _bytes(p.grad for p in parameters if p.grad is not None)
    for optimizer in optimizers:
        optimizer.step()
    memory = _bytes(t for o in optimizers for kept in o.state.values() for t in kept.values() if isinstance(t, Tensor))
    half_part = tuple(t.to(torch.bfloat16) if t.is_floating_point() else t for t in part)
    shares = n_processes if sharded else 1
    n_rows = len(batch[0])
    return Plan(
        parameters=sum(p.numel() for p in parameters),
        steps=steps,
        rows_per_step=n_rows,
        n_processes=n_processes,
        accumulate=accumulate,
        weights=weights // shares,
        gradients=gradients // shares,
        optimizer=memory // shares,
        activations=activations,
        activations_bfloat16=_backward(_ghost(model, torch.bfloat16), loss, half_part)[0],
        flops_per_step=flops * n_rows // len(part[0]),
    )


def _ghost(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Return a copy of ``model`` on the meta device, in training; weights that it shares stay shared."""
    originals = [*model.parameters(), *model.buffers()]
    types = (dtype if t.is_floating_point() else t.dtype for t in originals)
    ghosts = (torch.empty_like(t, device="meta", dtype=d) for t, d in zip(originals, types, strict=True))
    memo = {
        id(t): nn.Parameter(g) if isinstance(t, nn.Parameter) else g for t, g in zip(originals, ghosts, strict=True)
    }
    ghost_model = copy.deepcopy(model, memo).train()
    for module in ghost_model.modules():
        if isinstance(module, Attention):  # in the equation's form: no kernel's memory is known here
            module.softmax.register_forward_hook(lambda *_: None)
    return ghost_model


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _backward(ghost: nn.Module, loss: LossFunction, part: Batch) -> tuple[int, int]:
    """Return the bytes that forward keeps for backward, and the operations of both."""
    own = {t.untyped_storage()._cdata for t in (*ghost.parameters(), *ghost.buffers(), *part)}
    kept: dict[int, UntypedStorage] = {}  # each memory once; held, so that no other tensor gets the same place

    def pack(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        if memory._cdata not in own:
            kept[memory._cdata] = memory
        return tensor

    with FlopCounterMode(display=False) as counter:
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            value = loss(ghost, part)
        value.backward()  # type: ignore[no-untyped-call]
    return sum(memory.nbytes() for memory in kept.values()), int(counter.get_total_flops())
