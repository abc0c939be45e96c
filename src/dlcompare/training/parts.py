"""A batch in parts, for several processes or one after the other: the sum of what they give is that of the whole."""

from __future__ import annotations

from dlcompare.training.losses import IGNORED, Batch

__all__ = ["n_targets", "rows"]


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
    """Return how many targets the last tensor of ``batch`` (batch, …) holds, without those that are :data:`IGNORED`.

    A loss is a mean over them: so much weight a part of a batch has in the mean over the whole.
    """
    return int((batch[-1] != IGNORED).sum())
