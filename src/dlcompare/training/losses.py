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
    "masked_lm_loss",
    "next_sentence_loss",
    "pretraining_loss",
    "regression_loss",
    "reply_loss",
]

#: Tensors with equally many rows, of which the last holds the targets (what is counted when a batch is cut in parts).
Batch = tuple[Tensor, ...]

#: A target that stands for "nothing to predict here": the losses leave it out.
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


def _mean_over_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of ``logits`` (batch, seq, vocab_size) over the ``targets`` (batch, seq) to predict."""
    if not targets.is_meta and not bool((targets != IGNORED).any()):
        raise ValueError(f"every target is {IGNORED} (ignored); at least one must be a token to predict")
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


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
    return _mean_over_targets(model(ids), targets)


def masked_lm_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per hidden token (Devlin et al. 2019, section 3.1, task 1).

    ``model`` is a :class:`~dlcompare.models.BERT`, ``batch`` as in :func:`pretraining_loss`; its last tensor is not
    used.

    Raises
    ------
    ValueError
        when every target is :data:`IGNORED`.
    """
    ids, segments, targets, _ = batch
    return _mean_over_targets(model(ids, segments).masked_lm, targets)


def next_sentence_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per pair: does the second text follow the first? (section 3.1, task 2).

    ``model`` is a :class:`~dlcompare.models.BERT`, ``batch`` as in :func:`pretraining_loss`; its targets (batch, seq)
    are not used.
    """
    ids, segments, _, is_random = batch
    return F.cross_entropy(model(ids, segments).next_sentence, is_random)


def pretraining_loss(model: nn.Module, batch: Batch) -> Tensor:
    """BERT's loss in nats: the sum of the means of both tasks (Devlin et al. 2019, appendix A.2), in one pass.

    ``batch`` is (ids, segments, targets, is_random): the first three (batch, seq), the targets of what was hidden
    and :data:`IGNORED` elsewhere, the last (batch,), 1 where the second segment was drawn at random. See
    :func:`~dlcompare.training.pretraining_batches`.

    Raises
    ------
    ValueError
        when every target is :data:`IGNORED`: the mean of nothing is no number.
    """
    ids, segments, targets, is_random = batch
    logits = model(ids, segments)
    return _mean_over_targets(logits.masked_lm, targets) + F.cross_entropy(logits.next_sentence, is_random)


def classification_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats per example; ``batch`` is (inputs, labels of shape (batch,)).

    There may be several inputs, such as ids (batch, seq) and which of them are visible.
    """
    *inputs, labels = batch
    return F.cross_entropy(model(*inputs), labels)


def regression_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error, in the squared unit of the targets; ``batch`` is (inputs, targets)."""
    inputs, targets = batch
    return F.mse_loss(model(inputs), targets)
