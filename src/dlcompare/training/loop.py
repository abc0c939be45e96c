"""The training loop, one for every model: :func:`fit`.

It takes a loss function and an endless iterator of batches; what a batch is, is the loss's business.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from dlcompare.training.losses import Batch, LossFunction

__all__ = ["History", "fit", "learning_rate_at"]


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
