"""How far back a gradient reaches: what of the loss's gradient arrives at each place of a row of tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcompare.recording import record
from dlcompare.training import Batch, LossFunction

__all__ = ["gradient_reach"]


def gradient_reach(model: nn.Module, loss: LossFunction, batch: Batch) -> Tensor:
    """Return how large the loss's gradient is at each place of the input, (seq,): its norm, the mean over the rows.

    The gradient with respect to the vector that stands for a place's token, which is what training has to go by when
    the answer depends on that token (Bengio, Simard & Frasconi 1994, section III). A place that the loss can't depend
    on has exactly 0. The weights stay as they are.

    Parameters
    ----------
    model
        a network that reads tokens (batch, seq); of its embeddings the first is the tokens'.
    loss
        from the model and the batch to a number.
    batch
        the ids (batch, seq), what else the model reads, and the targets.

    Raises
    ------
    ValueError
        when the model has no embedding.
    """
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Embedding)]
    if not names:
        raise ValueError(f"model is a {type(model).__name__} without an embedding; allowed are those that read tokens")
    with record(model, names[0]) as seen:
        (gradient,) = torch.autograd.grad(loss(model, batch), seen[names[0]])  # (batch, seq, d_model)
    reached: Tensor = gradient.norm(dim=-1).mean(0)  # (seq,)
    return reached
