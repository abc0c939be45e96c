"""Several processes, one training run: torch's DDP and FSDP2, started by ``torchrun``.

Every process draws the same batches and works on its own rows of them, so that the run is the same whatever the number
of processes: same losses, same weights, up to rounding (and up to dropout, which each process draws for itself).

DDP (Li et al. 2020) keeps the whole model in every process and averages the gradients. FSDP (Zhao et al. 2023) shares
out weights, gradients and the optimiser's memory, and gathers a block's weights when it is their turn.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

__all__ = ["device", "distributed", "n_processes", "rank"]


def n_processes() -> int:
    """Return how many processes train together; 1 outside :func:`distributed`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return which of them this one is, from 0; the one of rank 0 writes and reports."""
    return dist.get_rank() if dist.is_initialized() else 0


def device(name: str | None = None) -> torch.device:
    """Return the device called ``name``, by default the CPU; of several CUDA devices, this process takes its own.

    Raises
    ------
    ValueError
        when this machine, or this build of torch, has no such device.
    """
    try:
        found = torch.device(name or "cpu")
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as reason:
        raise ValueError(f"device is {name!r}, which is not to be had here: {reason}") from reason
    if found.type == "cuda" and found.index is None:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return found


@contextlib.contextmanager
def distributed(device_type: str = "cpu") -> Iterator[None]:
    """Join the processes that ``torchrun`` has started, for as long as the block runs; alone, do nothing.

    CPUs exchange by gloo, CUDA devices by NCCL.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or dist.is_initialized():
        yield
        return
    dist.init_process_group("nccl" if device_type == "cuda" else "gloo")
    try:
        if dist.get_backend() == "gloo":  # who fails at once would cut off those who are still on their way
            dist.barrier()
        yield
    finally:
        dist.destroy_process_group()


def shared_out(model: nn.Module, *, sharded: bool = False) -> nn.Module:
    """Return ``model`` as the processes work on it together: by DDP, or a copy by FSDP if ``sharded``; alone, itself.

    By FSDP every block of ``model.blocks`` is gathered on its own. The copy's weights are shares, of which
    :func:`gathered` makes the whole ones.
    """
    if sharded:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard  # takes a while to import, and few need it

        copied = copy.deepcopy(model)
        mesh = init_device_mesh(next(copied.parameters()).device.type, (n_processes(),))
        # Shares again after each forward pass, the root's too: an evaluation has no backward pass that would do it.
        for part in (*getattr(copied, "blocks", ()), copied):
            fully_shard(part, mesh=mesh, reshard_after_forward=True)
        return copied
    return DistributedDataParallel(model) if n_processes() > 1 else model


@contextlib.contextmanager
def without_exchange(model: nn.Module, skip: bool) -> Iterator[None]:
    """Leave the gradients of this block's backward pass where they are, if ``skip``: others follow before the step."""
    if exchange := getattr(model, "set_requires_gradient_sync", None):  # FSDP
        exchange(not skip)
    with model.no_sync() if skip and isinstance(model, DistributedDataParallel) else contextlib.nullcontext():
        yield


def gathered(tensor: Tensor) -> Tensor:
    """Return a whole tensor of any shape from everyone's shares; one that is whole, itself."""
    whole: Callable[[], Tensor] | None = getattr(tensor, "full_tensor", None)
    return whole() if whole else tensor


def scattered(tensor: Tensor, like: Tensor) -> Tensor:
    """Return this process's share of a whole ``tensor`` of any shape, shared out as ``like`` is, and on its device."""
    tensor = tensor.to(like.device)
    if hasattr(like, "full_tensor"):
        from torch.distributed.tensor import DTensor, distribute_tensor

        assert isinstance(like, DTensor)
        return distribute_tensor(tensor, like.device_mesh, like.placements)
    return tensor


def summed(values: Tensor) -> Tensor:
    """Return the sum of everyone's ``values``, of any shape, the same for all."""
    if n_processes() > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values


def agreed(value: float, on: torch.device) -> float:
    """Return what rank 0 found, so that all decide alike; ``on`` is the device that exchanges."""
    if n_processes() == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64, device=on)
    dist.broadcast(shared, 0)
    return shared.item()


def draw_apart(step: int = 0) -> None:
    """Let every process but the first draw random numbers (dropout's) of its own from ``step`` on."""
    if rank():
        torch.manual_seed(torch.initial_seed() + 1_000_003 * rank() + step)
