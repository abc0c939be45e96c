"""What a model is trained to do: from a model and a batch to a scalar, smaller when it does it better."""

from __future__ import annotations

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "IGNORED",
    "Batch",
    "LossFunction",
    "causal_lm_loss",
    "classification_loss",
    "regression_loss",
    "reply_loss",
]

Batch = tuple[Tensor, ...]

#: A target that stands for "nothing to predict here": :func:`reply_loss` leaves it out.
IGNORED = -100


class LossFunction(Protocol):
    """What :func:`~dlcompare.training.fit` minimises: a model and a batch to a scalar."""

    def __call__(self, model: nn.Module, batch: Batch, /) -> Tensor:
        """Return the mean loss of ``model`` on ``batch``, a scalar with a graph."""


def causal_lm_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per token of each next token; ``batch`` is (ids, ids moved on by one)."""
    ids, targets = batch  # (batch, seq) each
    logits = model(ids)  # (batch, seq, vocab_size)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def reply_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per token over the targets that are not :data:`IGNORED`.

    ``batch`` is (ids, targets), each (batch, seq), the targets moved on by one. The model reads the user's turn
    but is not asked to have said it.

    Raises
    ------
    ValueError
        when every target is ignored: the mean of nothing is no number.
    """
    ids, targets = batch
    if not bool((targets != IGNORED).any()):
        raise ValueError(f"every target is {IGNORED} (ignored); at least one must be a token to predict")
    logits = model(ids)  # (batch, seq, vocab_size)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def classification_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per example; ``batch`` is (inputs, labels of shape (batch,))."""
    inputs, labels = batch
    return F.cross_entropy(model(inputs), labels)


def regression_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error, in the squared unit of the targets; ``batch`` is (inputs, targets)."""
    inputs, targets = batch
    return F.mse_loss(model(inputs), targets)
