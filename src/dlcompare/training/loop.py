"""The training loop, one for every model: :func:`fit`.

It takes a loss function and an endless iterator of batches; what a batch is, is the loss's business.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from dlcompare._progress import progress
from dlcompare.training import distributed
from dlcompare.training.history import History
from dlcompare.training.log import Log
from dlcompare.training.losses import Batch, LossFunction
from dlcompare.training.parts import n_targets, rows
from dlcompare.training.planning import DryRun, plan
from dlcompare.training.run import Interruption, Run
from dlcompare.training.state import TrainingState, copied, own_tensors, write_over

__all__ = ["bfloat16_is_fast", "fit", "learning_rate_at"]


class _Clock:
    """Wall time and processor time since its creation, without the pauses, on top of what there was before."""

    def __init__(self, wall: float, cpu: float) -> None:
        now_wall, now_cpu = self._now()
        self._start = now_wall - wall, now_cpu - cpu

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


def bfloat16_is_fast(device: torch.device) -> bool:
    """Return whether ``device`` has units that multiply matrices in bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.9 can't tell yet
    return device.type == "cpu" and any(capabilities.get(unit) for unit in ("avx512_bf16", "amx_bf16", "bf16"))


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
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["initial_lr"] = group["lr"]
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
    average: float | None = None,
    evaluate: Callable[[nn.Module], float] | None = None,
    evaluate_every: int = 100,
    patience: int | None = None,
    bfloat16: bool | None = False,
    run: Run | None = None,
    description: str = "training",
) -> History:
    """Minimise ``loss`` for at most ``steps`` steps, in place: with AdamW, or with Muon for the matrices.

    AdamW: Loshchilov & Hutter 2019, with betas 0.9 and 0.95. Muon: Jordan et al. 2024, torch's implementation.

    Under ``torchrun`` (see :mod:`dlcompare.training.distributed`) and with ``run.accumulate`` each batch is worked on
    in parts, by rows; a part counts by its number of targets, so that the step is that of the whole batch.

    Parameters
    ----------
    batches
        an iterator that yields at least ``steps`` batches, the same ones whenever it is made anew: a run that goes on
        draws those again that it has used.
    learning_rate
        AdamW's peak; see :func:`learning_rate_at` for its course.
    muon_learning_rate
        Muon's peak, of the same course. When given, Muon moves every matrix but the embeddings (and an output layer
        that shares one's weights); AdamW keeps those and the vectors. When None, AdamW moves everything.
    weight_decay
        applied to matrices alone, not to biases and norms.
    clip
        longest allowed gradient, as 2-norm over all parameters.
    average
        evaluate, and end with, an exponential moving average of the weights: after each step it keeps this share of
        itself, 0.999 for example (Polyak & Juditsky 1992 is the idea's origin). None trains without.
    evaluate
        returns a value that is better when lower; called every ``evaluate_every`` steps and after the last, with
        the model in evaluation mode. The model ends with the weights of the best value, not of the last.
    patience
        stop after so many evaluations in a row without a new best one; never if None.
    bfloat16
        multiply matrices in bfloat16 (the weights stay float32): about twice as fast where the processor has
        units for it, slower where not. None asks :func:`bfloat16_is_fast`.
    run
        where to keep the state and the log, on what device and in how many parts; by default nothing is kept.

    Raises
    ------
    ValueError
        for ``steps`` < 1, ``patience`` without ``evaluate``, an ``average`` outside (0, 1), a batch with fewer rows
        than parts, and ``run.sharded`` together with ``muon_learning_rate``: Muon needs whole matrices.
    FloatingPointError
        when the loss or the gradient is no finite number, with the step, its batch, and what to try. The model holds
        the weights from before that step.
    KeyboardInterrupt
        on Ctrl-C or a request to end; with ``run.folder`` the state is saved first.
    DryRun
        with the plan and in place of training, when ``run.dry_run`` is set.
    ResumeError
        when the state in ``run.folder`` is damaged or of another run.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; allowed are integers of at least 1")
    if patience is not None and evaluate is None:
        raise ValueError(f"patience is {patience} but evaluate is None; patience needs something to watch")
    if average is not None and not 0 < average < 1:
        raise ValueError(f"average is {average!r}; allowed is 0 < average < 1, or None")
    run = run or Run()
    if run.sharded and muon_learning_rate is not None:
        raise ValueError("run.sharded is True with a muon_learning_rate; Muon needs whole matrices: give it None")
    if run.dry_run:
        raise DryRun(
            plan(
                model,
                loss,
                next(batches),
                lambda ghost: _optimizers(ghost, learning_rate, muon_learning_rate, weight_decay),
                steps=steps,
                n_processes=run.dry_run,
                accumulate=run.accumulate,
                sharded=run.sharded,
            )
        )
    home = next(model.parameters()).device
    device = distributed.device(run.device) if run.device else home
    model.to(device).train()
    network = distributed.shared_out(model, sharded=run.sharded)
    own = network if run.sharded else model  # what holds the weights that are trained
    optimizers = _optimizers(own, learning_rate, muon_learning_rate, weight_decay)
    state = TrainingState(own, optimizers)
    if average is not None:
        state.average = copied({name: p.detach() for name, p in own.named_parameters()})
    distributed.draw_apart()
    first = distributed.rank() == 0
    if first:
        run.sweep()
    if run.state is not None and distributed.agreed(run.state.is_file(), device):
        state.load(run.state, run.identity)
        for _ in range(state.history.steps):  # these have been used
            next(batches)
    history = state.history
    clock = _Clock(history.seconds, history.cpu_seconds)
    low_precision = torch.autocast(
        device.type, torch.bfloat16, enabled=bfloat16_is_fast(device) if bfloat16 is None else bfloat16
    )
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(progress(description, steps, done=history.steps, quiet=not first))
        log = interruption = None
        if run.folder and first:
            log = stack.enter_context(Log(run.folder, history.steps, tensorboard=run.tensorboard))
        if run.folder:
            hint = "finishing this step (once more to stop at once)"
            interruption = stack.enter_context(Interruption(lambda: show(history.steps, hint)))
        over = history.stopped_early or history.steps >= steps
        stopped = False
        while not over:
            step = history.steps + 1
            batch = next(batches)
            for group in (group for optimizer in optimizers for group in optimizer.param_groups):
                group["lr"] = learning_rate_at(step - 1, steps, group["initial_lr"], warmup)
            own.zero_grad(set_to_none=True)
            asked = interruption is not None and interruption.asked
            value, stopped = _backward(network, loss, batch, run.accumulate, low_precision, device, asked)
            norm = distributed.gathered(nn.utils.clip_grad_norm_(own.parameters(), clip))
            for what, found in (("loss", value), ("gradient's length", norm)):
                if not torch.isfinite(found):
                    raise FloatingPointError(_no_number(what, found.item(), step, batch, learning_rate, run))
            for optimizer in optimizers:
                optimizer.step()
            if average is not None and state.average is not None:
                _move_average(state.average, own, average)
            history.loss.append(value.item())
            history.seconds, history.cpu_seconds = clock.elapsed()
            told = {"seconds": history.seconds, "loss": history.loss[-1], "gradient_norm": norm.item()}
            told["learning_rate"] = learning_rate_at(step - 1, steps, learning_rate, warmup)

            if evaluate is not None and (step % evaluate_every == 0 or step == steps):
                with clock.paused():
                    told["validation"] = _evaluate(state, evaluate, device)
                history.stopped_early = patience is not None and state.waited >= patience
            over = history.stopped_early or stopped or step == steps
            if log is not None:
                log.write(step, told)
            show(step, _note(history))
            if run.state is not None and (over or step % run.save_every == 0):
                with clock.paused():
                    state.save(run.state, run.identity)
        if interruption is not None and (interruption.asked or stopped):
            raise KeyboardInterrupt(f"stopped after step {history.steps} of {steps}; the state is kept in {run.folder}")
    write_over(own_tensors(own), state.best or state.average or {})
    if own is not model:
        write_over(own_tensors(model), {name: distributed.gathered(t) for name, t in own_tensors(own).items()})
    model.to(home).eval()
    return history


def _evaluate(state: TrainingState, evaluate: Callable[[nn.Module], float], device: torch.device) -> float:
    """Add to the history what the weights are worth, or their average if one is kept; keep the best ones."""
    model, history = state.model, state.history
    with _averaged(model, state.average):
        model.eval()
        # Weights that are shared out are gathered anew, and can't be in inference mode.
        with torch.no_grad() if distributed.n_processes() > 1 else torch.inference_mode():
            value = distributed.agreed(evaluate(model), device)
        model.train()
        if not history.validation or value < history.best[1]:
            state.best, state.waited = copied(own_tensors(model)), 0
        else:
            state.waited += 1
    history.validation.append((history.steps, value))
    return value


def _backward(
    network: nn.Module,
    loss: LossFunction,
    batch: Batch,
    accumulate: int,
    low_precision: contextlib.AbstractContextManager[object],
    device: torch.device,
    stop: bool,
) -> tuple[Tensor, bool]:
    """Add the gradient of ``loss`` on the whole batch; return the loss, and whether any process is to ``stop``."""
    n_processes, rank = distributed.n_processes(), distributed.rank()
    shares = [(part, n_targets(part) / n_targets(batch)) for part in rows(batch, n_processes * accumulate)]
    total = torch.zeros(2, device=device, dtype=torch.float64)  # the loss, and how many want to stop
    for i, (part, share) in enumerate(shares[rank * accumulate : (rank + 1) * accumulate]):
        with distributed.without_exchange(network, skip=i + 1 < accumulate):
            with low_precision:
                value = loss(network, tuple(t.to(device) for t in part)) * share
            # The exchange takes the mean over the processes; what is wanted is the sum of their shares.
            (value * n_processes).backward()  # type: ignore[no-untyped-call]
        total[0] += value.detach()
    total[1] = stop
    total = distributed.summed(total)
    return total[0], bool(total[1])


def _no_number(what: str, value: float, step: int, batch: Batch, learning_rate: float, run: Run) -> str:
    """Say that ``what`` is no finite number, with the step, the batch, and advice."""
    broken = [i for i, t in enumerate(batch) if t.is_floating_point() and not torch.isfinite(t).all()]
    described = ", ".join(f"{tuple(t.shape)} {str(t.dtype).removeprefix('torch.')}" for t in batch)
    if broken:
        advice = f"tensor {broken[0]} of the batch holds values that are not finite: mend the data"
    else:
        advice = (
            f"the batch's values are finite: try a lower learning_rate (it is {learning_rate:g}) or a longer warmup"
        )
    kept = f"; the last saved state is in {run.folder}" if run.state and run.state.is_file() else ""
    return f"the {what} is {value} at step {step}, on batch {step} (tensors {described}); {advice}{kept}"


def _note(history: History) -> str:
    """Return what stands beside the progress bar."""
    validation = f", validation {history.validation[-1][1]:.4f}" if history.validation else ""
    return f"loss {history.loss[-1]:.3f}{validation}"


@torch.no_grad()
def _move_average(average: dict[str, Tensor], model: nn.Module, keep: float | None) -> None:
    assert keep is not None
    move = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
    weights = {name: p.detach() for name, p in model.named_parameters()}
    move([average[name] for name in weights], list(weights.values()), 1)


@contextlib.contextmanager
def _averaged(model: nn.Module, average: dict[str, Tensor] | None) -> Iterator[None]:
    """Let ``model`` have the average's weights, if there is one, while this context lasts."""
    if average is None:
        yield
        return
    weights = own_tensors(model)
    kept = copied(weights)
    write_over(weights, average)
    try:
        yield
    finally:
        write_over(weights, kept)
