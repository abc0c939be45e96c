"""The batches that a model is trained on, drawn for ever: what they hold depends on the generator alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from dlcompare.training.losses import IGNORED, Batch

__all__ = ["mixed_batches", "set_seed", "shuffled_batches", "window_batches"]


def set_seed(seed: int) -> torch.Generator:
    """Seed torch's global generator and return a fresh one of the same seed, for batches and sampling."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def shuffled_batches(
    inputs: Tensor,
    targets: Tensor,
    batch_size: int,
    generator: torch.Generator,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
) -> Iterator[Batch]:
    """Yield batches for ever, epoch after epoch in a new order; a rest smaller than ``batch_size`` waits.

    ``augment(inputs of one batch, generator)`` may return them changed.

    Raises
    ------
    ValueError
        when there are not as many ``targets`` as ``inputs``, or ``batch_size`` is not between 1 and their number.
    """
    if len(inputs) != len(targets):
        raise ValueError(f"targets has {len(targets)} entries; allowed is as many as inputs has: {len(inputs)}")
    if not 1 <= batch_size <= len(inputs):
        raise ValueError(f"batch_size is {batch_size}; allowed are 1 to {len(inputs)}, the number of examples")
    while True:
        order = torch.randperm(len(inputs), generator=generator)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            batch = inputs[chosen]
            yield (augment(batch, generator) if augment else batch), targets[chosen]


def window_batches(ids: Tensor, seq: int, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield for ever ``batch_size`` windows of ``seq`` tokens at random places of the text ``ids`` (n,).

    Raises
    ------
    ValueError
        when ``seq`` is not between 1 and one less than the tokens there are.
    """
    if not 1 <= seq < len(ids):
        raise ValueError(f"seq is {seq}; allowed are 1 to {len(ids) - 1}, one less than the tokens there are")
    while True:
        starts = torch.randint(len(ids) - seq, (batch_size,), generator=generator)
        windows = torch.stack([ids[s : s + seq + 1] for s in starts.tolist()])  # (batch, seq + 1)
        yield windows[:, :-1].long(), windows[:, 1:].long()


def mixed_batches(
    first: Iterator[Batch], second: Iterator[Batch], share: float, generator: torch.Generator
) -> Iterator[Batch]:
    """Yield from ``first`` with probability ``share``, else from ``second``.

    Raises
    ------
    ValueError
        for a ``share`` outside 0 ≤ share ≤ 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; allowed is 0 ≤ share ≤ 1")
    while True:
        yield next(first if torch.rand((), generator=generator) < share else second)


def rows(batch: Batch, n_parts: int) -> list[Batch]:
    """Cut every tensor (batch, …) of ``batch`` into ``n_parts`` parts by rows, as equal as can be.

    Raises
    ------
    ValueError
        when there are fewer rows than parts, or a tensor has another number of rows than the first.
    """
    if n_parts == 1:
        return [batch]
    n_rows = [len(tensor) for tensor in batch]
    if len(set(n_rows)) != 1 or n_rows[0] < n_parts:
        raise ValueError(
            f"the tensors of the batch have {', '.join(map(str, n_rows))} rows; allowed is the same number for each, of"
            f" at least {n_parts}, one for each part"
        )
    return list(zip(*(tensor.tensor_split(n_parts) for tensor in batch), strict=True))


def n_targets(batch: Batch) -> int:
    """Return how many targets ``batch[1]`` (batch, …) holds, without those that are :data:`IGNORED`.

    A loss is a mean over them: so much weight a part of a batch has in the mean over the whole.
    """
    return int((batch[1] != IGNORED).sum())
