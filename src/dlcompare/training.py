"""Training: one loop for every model, the losses, the batches, and the measures of quality.

``fit`` takes a loss function and an endless iterator of batches; what a batch is, is the loss's business.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from dlcompare.models.recurrent import RecurrentLM, State

__all__ = [
    "IGNORED",
    "Batch",
    "History",
    "LossFunction",
    "accuracy",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "fit",
    "learning_rate_at",
    "n_parameters",
    "regression_loss",
    "reply_loss",
    "set_seed",
    "shuffled_batches",
    "window_batches",
]

Batch = tuple[Tensor, Tensor]

#: A target that stands for "nothing to predict here": :func:`reply_loss` leaves it out.
IGNORED = -100


class LossFunction(Protocol):
    """What :func:`fit` minimises: a model and a batch to a scalar."""

    def __call__(self, model: nn.Module, batch: Batch, /) -> Tensor:
        """Return the mean loss of ``model`` on ``batch``, a scalar with a graph."""


def set_seed(seed: int) -> torch.Generator:
    """Seed torch's global generator and return a fresh one of the same seed, for batches and sampling."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


# Losses


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


# Batches


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
        yield windows[:, :-1], windows[:, 1:]


# The loop


@dataclass(repr=False)
class History:
    """What happened in a training run.

    ``loss[i]`` is the training loss of step i + 1; ``validation`` holds (step, value) pairs of the ``evaluate``
    function; ``seconds`` is wall time and ``cpu_seconds`` the time that the process spent on processors, which is
    steadier on a shared machine; neither includes the evaluations. ``stopped_early``: patience ran out.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped_early: bool = False

    def __repr__(self) -> str:
        losses = f", loss {self.loss[0]:.3g} to {self.loss[-1]:.3g}" if self.loss else ""
        best = f", best validation {self.best[1]:.3g} at step {self.best[0]}" if self.validation else ""
        return f"History({self.steps} steps{losses}{best}, {self.seconds:.1f} s)"

    @property
    def steps(self) -> int:
        """Number of steps made."""
        return len(self.loss)

    @property
    def best(self) -> tuple[int, float]:
        """(step, value) of the lowest validation value.

        Raises
        ------
        ValueError
            when the run had no ``evaluate`` function.
        """
        if not self.validation:
            raise ValueError("the run had no evaluate function, hence there is no best step")
        return min(self.validation, key=lambda pair: pair[1])


class _Clock:
    """Wall time and processor time since its creation, without the pauses."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def elapsed(self) -> tuple[float, float]:
        wall, cpu = self._now()
        return wall - self._start[0], cpu - self._start[1]

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        wall, cpu = self.elapsed()
        yield
        now_wall, now_cpu = self._now()
        self._start = now_wall - wall, now_cpu - cpu


def learning_rate_at(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up over ``warmup`` steps, then a cosine from ``peak`` down to a tenth of it at ``steps``."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))


def _optimizers(
    model: nn.Module, learning_rate: float, muon_learning_rate: float | None, weight_decay: float
) -> list[torch.optim.Optimizer]:
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    vectors = [p for p in model.parameters() if p.ndim < 2]
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    optimizers: list[torch.optim.Optimizer] = []
    if muon_learning_rate is not None:
        hidden = [p for p in matrices if p.ndim == 2 and id(p) not in embeddings]
        if hidden:
            optimizers.append(torch.optim.Muon(hidden, lr=muon_learning_rate, weight_decay=weight_decay))
        taken = {id(p) for p in hidden}
        matrices = [p for p in matrices if id(p) not in taken]
    groups = [
        {"params": group, "weight_decay": decay} for group, decay in ((matrices, weight_decay), (vectors, 0.0)) if group
    ]
    if groups:
        optimizers.append(torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95)))
    return optimizers


def fit(
    model: nn.Module,
    loss: LossFunction,
    batches: Iterator[Batch],
    *,
    steps: int,
    learning_rate: float,
    muon_learning_rate: float | None = None,
    weight_decay: float = 0.01,
    warmup: int = 0,
    clip: float = 1.0,
    evaluate: Callable[[nn.Module], float] | None = None,
    evaluate_every: int = 100,
    patience: int | None = None,
    bfloat16: bool = False,
    description: str = "training",
) -> History:
    """Minimise ``loss`` for at most ``steps`` steps, in place: with AdamW, or with Muon for the matrices.

    AdamW: Loshchilov & Hutter 2019, with betas 0.9 and 0.95. Muon: Jordan et al. 2024, torch's implementation.

    Parameters
    ----------
    batches
        an iterator that yields at least ``steps`` batches.
    learning_rate
        AdamW's peak; see :func:`learning_rate_at` for its course.
    muon_learning_rate
        Muon's peak, of the same course. When given, Muon moves every matrix but the embeddings (and an output layer
        that shares one's weights); AdamW keeps those and the vectors. When None, AdamW moves everything.
    weight_decay
        applied to matrices alone, not to biases and norms.
    clip
        longest allowed gradient, as 2-norm over all parameters.
    evaluate
        returns a value that is better when lower; called every ``evaluate_every`` steps and after the last, with
        the model in evaluation mode. The model ends with the weights of the best value, not of the last.
    patience
        stop after so many evaluations in a row without a new best one; never if None.
    bfloat16
        multiply matrices in bfloat16 (the weights stay float32): about twice as fast where the processor has
        units for it, slower where not.

    Raises
    ------
    ValueError
        for ``steps`` < 1 or ``patience`` without ``evaluate``.
    FloatingPointError
        when the loss is no finite number, with the step at which that happened. The model holds the weights from
        before that step.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; allowed are integers of at least 1")
    if patience is not None and evaluate is None:
        raise ValueError(f"patience is {patience} but evaluate is None; patience needs something to watch")
    optimizers = _optimizers(model, learning_rate, muon_learning_rate, weight_decay)
    peaks = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    history = History()
    best: tuple[float, dict[str, Tensor]] | None = None
    waited = 0
    clock = _Clock()
    model.train()
    # tqdm's bar for notebooks does not heed this variable by itself.
    quiet = bool(os.environ.get("TQDM_DISABLE"))
    with tqdm(total=steps, desc=description, unit="step", mininterval=0.5, disable=quiet) as bar:
        for step in range(steps):
            groups = (group for optimizer in optimizers for group in optimizer.param_groups)
            for group, peak in zip(groups, peaks, strict=True):
                group["lr"] = learning_rate_at(step, steps, peak, warmup)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                value = loss(model, next(batches))
            if not torch.isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value.item()} at step {step + 1}: try a lower learning_rate"
                    f" (it is {learning_rate:g}), a longer warmup, or look at the batch for values that are not finite"
                )
            model.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            for optimizer in optimizers:
                optimizer.step()
            history.loss.append(value.item())
            bar.update()

            if evaluate is not None and ((step + 1) % evaluate_every == 0 or step + 1 == steps):
                model.eval()
                with torch.inference_mode(), clock.paused():
                    result = evaluate(model)
                model.train()
                history.validation.append((step + 1, result))
                bar.set_postfix(loss=f"{history.loss[-1]:.3f}", validation=f"{result:.4f}")
                if best is None or result < best[0]:
                    best = (result, {name: t.detach().clone() for name, t in model.state_dict().items()})
                    waited = 0
                else:
                    waited += 1
                    if patience is not None and waited >= patience:
                        history.stopped_early = True
                        break
    if best is not None:
        model.load_state_dict(best[1])
    model.eval()
    history.seconds, history.cpu_seconds = clock.elapsed()
    return history


# Measures


@torch.inference_mode()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor, batch_size: int = 500) -> float:
    """Return the share of ``inputs`` (n, …) whose largest logit stands at its label, between 0 and 1.

    ``labels`` (n,) holds the classes, int64.
    """
    model.eval()
    logits = torch.cat([model(inputs[i : i + batch_size]) for i in range(0, len(inputs), batch_size)])
    return int((logits.argmax(-1) == labels).sum()) / len(labels)


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


def n_parameters(model: nn.Module) -> int:
    """Return the number of parameters of ``model``, shared ones counted once."""
    return sum(p.numel() for p in model.parameters())
