"""Steering: add a direction to a layer's activations while a model runs, and change what it writes.

The weights stay as they are. The direction is the difference of two means (Rimsky et al. 2024; Turner et al. 2023 take
it from a single pair of texts): what a layer holds while the model reads texts of one kind, less what it holds while it
reads texts of another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from dlcompare.recording import record

__all__ = ["mean_activation", "steered"]


@torch.no_grad()
def mean_activation(model: nn.Module, name: str, texts: Sequence[Sequence[int]], batch_size: int = 64) -> Tensor:
    """Return what a module puts out on average, over all tokens of all texts but the first of each, (d_model,).

    The first token is left out because nothing stands before it: whatever the text is, it is read without context.

    Parameters
    ----------
    model
        a causal language model. It is put into evaluation mode.
    name
        one of its modules, which puts out (batch, seq, d_model).
    texts
        token ids of each text, at least two in each.
    batch_size
        texts that are read at once.

    Raises
    ------
    ValueError
        for no texts, or one of fewer than two tokens.
    """
    if not texts or min(map(len, texts)) < 2:
        raise ValueError("texts is empty or has a text of fewer than two tokens; allowed are two or more in each")
    model.eval()
    total: Tensor | None = None
    in_order = sorted(texts, key=len)  # so that rows need little filling up
    for start in range(0, len(in_order), batch_size):
        rows = in_order[start : start + batch_size]
        longest = len(rows[-1])
        # Filled up on the right, where nothing that a causal model reads before can see it.
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        counted = torch.tensor([[0 < t < len(row) for t in range(longest)] for row in rows])
        with record(model, name) as seen:
            model(ids)
        sums = seen[name][counted].double().sum(0)
        total = sums if total is None else total + sums
    assert total is not None
    n = sum(len(row) - 1 for row in in_order)
    return (total / n).to(next(model.parameters()).dtype)


@contextlib.contextmanager
def steered(model: nn.Module, name: str, direction: Tensor) -> Iterator[nn.Module]:
    """Let a module of ``model`` put out what it does plus ``direction``, while the block runs.

    Parameters
    ----------
    model
        any module.
    name
        one of its modules, as ``model.named_modules()`` has it, which puts out one tensor (…, d_model).
    direction
        (d_model,); its length is how strongly it steers. The opposite one steers the other way.

    Yields
    ------
    nn.Module
        ``model`` itself.

    Raises
    ------
    ValueError
        for a name that there is not, or a direction that is not as wide as what the module puts out.
    """
    modules = dict(model.named_modules())
    if name not in modules:
        raise ValueError(
            f"name is {name!r}; allowed are the names of the model's modules, such as {list(modules)[1:4]}"
        )

    def add(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        if direction.shape != output.shape[-1:]:
            raise ValueError(f"direction has shape {tuple(direction.shape)}; allowed is ({output.shape[-1]},)")
        return output + direction

    handle = modules[name].register_forward_hook(add)
    try:
        yield model
    finally:
        handle.remove()
