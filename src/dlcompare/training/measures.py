"""What a trained model is worth: accuracy, bits per character, and its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare.models.recurrent import RecurrentLM, State
from dlcompare.training.collate import Collate, Texts
from dlcompare.training.losses import IGNORED, Batch

__all__ = ["accuracy", "bits_per_character", "classify", "device_of", "n_parameters", "pretraining_measures"]


@torch.inference_mode()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor, batch_size: int = 500) -> float:
    """Return the share of ``inputs`` (n, …) whose largest logit stands at its label, between 0 and 1.

    ``labels`` (n,) holds the classes, int64.
    """
    model.eval()
    device = device_of(model)
    inputs, labels = inputs.to(device), labels.to(device)
    logits = torch.cat([model(inputs[i : i + batch_size]) for i in range(0, len(inputs), batch_size)])
    return int((logits.argmax(-1) == labels).sum()) / len(labels)


@torch.inference_mode()
def classify(model: nn.Module, texts: Sequence[Texts], collate: Collate, batch_size: int = 64) -> Tensor:
    """Return the logits (n, classes) of ``texts``, in their order.

    Parameters
    ----------
    model
        maps what ``collate`` gives to (batch, classes).
    texts
        the token ids of each example's one or two texts.
    collate
        makes what the model reads of some of the texts.
    """
    model.eval()
    device = device_of(model)
    by_length = sorted(range(len(texts)), key=lambda i: sum(map(len, texts[i])))
    logits = [
        model(*(t.to(device) for t in collate([texts[i] for i in by_length[start : start + batch_size]]))).cpu()
        for start in range(0, len(texts), batch_size)
    ]
    return torch.cat(logits)[torch.tensor(by_length).argsort()]


@torch.inference_mode()
def bits_per_character(model: nn.Module, ids: Tensor, n_characters: int, batch_size: int = 16) -> float:
    r"""Return how many bits the model needs per character of a whole text, whatever its tokens are.

    .. math:: -\frac{1}{n_\text{characters}} \sum_{t \ge 2} \log_2 p(\mathrm{id}_t \mid \text{past})

    Each token but the first is predicted exactly once. A recurrent model carries its state through the whole text.
    A model with a ``block_size`` reads overlapping windows, moved on by half, so that each token (but those of the
    first window) is predicted from at least half a block.

    Parameters
    ----------
    ids
        the text's token ids, (n,).
    n_characters
        how many characters these stand for.

    Raises
    ------
    ValueError
        when ``ids`` has another shape or fewer than two tokens.
    """
    if ids.ndim != 1 or len(ids) < 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; allowed is (n,) with n of at least 2")
    model.eval()
    ids = ids.to(device_of(model))
    nats = _nats_with_state(model, ids) if isinstance(model, RecurrentLM) else _nats_in_windows(model, ids, batch_size)
    return nats / math.log(2) / n_characters


def _nats_with_state(model: RecurrentLM, ids: Tensor, piece: int = 4096) -> float:
    state: State | None = None
    nats = 0.0
    for start in range(0, len(ids) - 1, piece):
        targets = ids[start + 1 : start + 1 + piece]
        logits, state = model.advance(ids[None, start : start + len(targets)], state)
        nats += F.cross_entropy(logits[0], targets, reduction="sum").item()
    return nats


def _nats_in_windows(model: nn.Module, ids: Tensor, batch_size: int) -> float:
    block: int = model.config.block_size  # type: ignore[union-attr, assignment]
    stride = max(1, block // 2)
    n_targets = len(ids) - 1
    if n_targets <= block:
        return F.cross_entropy(model(ids[None, :-1])[0], ids[1:], reduction="sum").item()
    # Windows start at 0, stride, 2 stride, …; the last one is moved back to end with the text. Each counts the
    # targets that no earlier window has counted.
    starts = [*range(0, n_targets - block, stride), n_targets - block]
    counted_from = [0] + [previous + block - start for previous, start in zip(starts, starts[1:], strict=False)]
    nats = 0.0
    for i in range(0, len(starts), batch_size):
        windows = torch.stack([ids[s : s + block + 1] for s in starts[i : i + batch_size]])
        losses = F.cross_entropy(model(windows[:, :-1]).transpose(1, 2), windows[:, 1:], reduction="none")
        nats += sum(row[first:].sum().item() for row, first in zip(losses, counted_from[i:], strict=False))
    return nats


@torch.inference_mode()
def pretraining_measures(model: nn.Module, batch: Batch, batch_size: int = 16) -> dict[str, float]:
    """Return how well a BERT guesses hidden tokens and which text follows, each as share of right guesses and in bits.

    Parameters
    ----------
    batch
        (ids, segments, targets, is_random), the first three (n, seq), the last (n,), as in
        :func:`~dlcompare.training.pretraining_examples`.
    """
    model.eval()
    device = device_of(model)
    guesses, truths = {"masked_token": 0, "next_sentence": 0}, {"masked_token": 0, "next_sentence": 0}
    nats = {"masked_token": 0.0, "next_sentence": 0.0}
    for start in range(0, len(batch[0]), batch_size):
        ids, segments, targets, is_random = (x[start : start + batch_size].to(device) for x in batch)
        logits = model(ids, segments)
        hidden = targets != IGNORED
        for task, scores, truth in (
            ("masked_token", logits.masked_lm[hidden], targets[hidden]),  # (hidden tokens, vocab_size)
            ("next_sentence", logits.next_sentence, is_random),  # (batch, 2)
        ):
            guesses[task] += int((scores.argmax(-1) == truth).sum())
            truths[task] += len(truth)
            nats[task] += F.cross_entropy(scores, truth, reduction="sum").item()
    return {f"{task}_accuracy": guesses[task] / n for task, n in truths.items()} | {
        f"bits_per_{task}": nats[task] / math.log(2) / n for task, n in truths.items()
    }


def n_parameters(model: nn.Module) -> int:
    """Return the number of parameters of ``model``, shared ones counted once."""
    return sum(p.numel() for p in model.parameters())


def device_of(model: nn.Module) -> torch.device:
    """Return where ``model`` computes."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))
