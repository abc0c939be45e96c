"""Measure what the book says about speed: ``make bench``, or ``python -m benchmarks.run``, writes bench.json.

Each line compares two ways of doing the same thing, timed side by side (:mod:`benchmarks.side_by_side`); in the same
rounds the machine multiplies matrices or reads memory, so that a line's share of the machine's limit holds for the
very minutes in which it was measured. The peer is transformers' GPT-2, with its default attention and the same weights,
batches, AdamW and clipping.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from benchmarks import machine
from benchmarks.side_by_side import medians
from dlcompare.generation import generate
from dlcompare.models import GPT, GPTConfig, Recurrent, RecurrentConfig, unrolled
from dlcompare.models.attention import Attention
from dlcompare.models.costs import costs
from dlcompare.recording import record
from dlcompare.sampling import GREEDY
from dlcompare.training import causal_lm_loss

FILE = Path(__file__).parents[1] / "data" / "results" / "bench.json"

#: Name of what the peer is, as tables print it.
PEER = "transformers"


@dataclass(frozen=True)
class Shape:
    """A GPT and the batches that it is trained on: the model's sizes and sequences per batch."""

    n_layer: int
    n_head: int
    d_model: int
    block_size: int
    batch: int
    vocab_size: int = 65

    def config(self, block_size: int | None = None) -> GPTConfig:
        """Return the model's configuration, by default with the shape's own ``block_size``."""
        return GPTConfig(self.vocab_size, block_size or self.block_size, self.n_layer, self.n_head, self.d_model)


@dataclass(frozen=True)
class Plan:
    """How much is measured: shapes, lengths and rounds. The tests run a tiny one."""

    shapes: dict[str, Shape]
    rounds: dict[str, int]
    prompt: int = 16
    length: int = 256
    contexts: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    widths: tuple[int, ...] = (64, 128, 256, 512, 768)
    tokens: int = 2048
    recurrent: tuple[int, int, int] = (16, 64, 128)  # batch, steps in time, width
    matrix: int = machine.MATRIX
    read: int = machine.READ


#: What ``make bench`` runs: the two shapes that the figures are stated for.
FULL = Plan(
    shapes={"S": Shape(4, 4, 128, 64, 12), "M": Shape(6, 6, 384, 256, 8)},
    rounds={
        "train S": 60,
        "train M": 11,
        "generate S": 15,
        "generate M": 9,
        "no cache": 3,
        "recording": 40,
        "cells": 20,
    }
    | {"growth": 9},
)

Way = Callable[[], object]


def line(
    name: str, what: str, unit: str, ours: float, other: float, against: str, target: float | None = None, **more: Any
) -> dict[str, Any]:
    """Return one line of the table: two times in ``unit``, and how many times faster ours is than the other."""
    return {
        "name": name,
        "what": what,
        "unit": unit,
        "ours": ours,
        "other": other,
        "against": against,
        "ratio": other / ours,
        "target": target,
        **more,
    }


def limit(kind: str, unit: str, amount: float, seconds: float, needed: float, ours: float) -> dict[str, Any]:
    """Return what the machine could do, and our share of it: ``needed`` in ``ours`` seconds, beside the limit."""
    rate = amount / seconds
    return {"limit": kind, "limit_unit": unit, "limit_rate": rate, "rate": needed / ours, "share": needed / ours / rate}


def twins(config: GPTConfig) -> tuple[GPT, GPT2LMHeadModel]:
    """Return our model and the peer's, with the same random weights."""
    torch.manual_seed(0)
    ours = GPT(config)
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(folder)
        none = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
        theirs = GPT2LMHeadModel.from_pretrained(folder, **none, bos_token_id=0, eos_token_id=None)
    ids = torch.randint(config.vocab_size, (2, config.block_size))
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(ids), theirs.eval()(ids).logits, rtol=0, atol=1e-4)
    return ours, theirs


def training_step(model: nn.Module, loss: Callable[[], Tensor], bfloat16: bool = False) -> Way:
    """Return a training step: loss, gradients, clipping, AdamW."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            value = loss()
        model.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def training(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a training step: against the peer, and at M in bfloat16 against float32."""
    shape = plan.shapes[name]
    ours, theirs = twins(shape.config())
    low = copy.deepcopy(ours)
    ids, targets = torch.randint(shape.vocab_size, (2, shape.batch, shape.block_size))

    def their_loss() -> Tensor:
        logits = theirs(ids, use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    product, gflop = machine.matrix_product(torch.float32, plan.matrix)
    ways = {
        "ours": training_step(ours, lambda: causal_lm_loss(ours, (ids, targets))),
        "peer": training_step(theirs, their_loss),
        "limit": product,
    }
    if name == "M":
        ways["bf16"] = training_step(low, lambda: causal_lm_loss(low, (ids, targets)), bfloat16=True)
        ways["bf16 limit"], _ = machine.matrix_product(torch.bfloat16, plan.matrix)
    seconds = medians(ways, plan.rounds[f"train {name}"])
    # A backward pass multiplies twice what the forward pass does: for the inputs' gradients and for the weights'.
    work = 3 * costs(ours, ids)[""].flops / 1e9
    milliseconds = {way: 1e3 * value for way, value in seconds.items()}
    yield line(
        f"train {name}",
        f"training step at {name}, float32",
        "ms",
        milliseconds["ours"],
        milliseconds["peer"],
        PEER,
        {"S": 1.25, "M": 1.1}[name],
        **limit("matrix rate, float32", "GFLOP/s", gflop, seconds["limit"], work, seconds["ours"]),
    )
    if name == "M":
        yield line(
            "train M bf16",
            "training step at M, bfloat16",
            "ms",
            milliseconds["bf16"],
            milliseconds["ours"],
            "our float32",
            1.5 if machine.has_bf16_units() else None,
            **limit("matrix rate, bfloat16", "GFLOP/s", gflop, seconds["bf16 limit"], work, seconds["bf16"]),
        )


def bytes_per_token(model: GPT, length: float) -> float:
    """Return what a step of generation has to read: all weights but the positions, and a cache of ``length`` tokens."""
    c, size = model.config, model.head.weight.element_size()
    return size * (c.n_parameters - c.block_size * c.d_model + 2 * c.n_layer * c.attention_width * length)


def generation(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of greedy generation: against the peer, in float32 and bfloat16, and against no cache."""
    ours, theirs = twins(plan.shapes[name].config(plan.length))
    ours_low, theirs_low = copy.deepcopy(ours).bfloat16(), copy.deepcopy(theirs).bfloat16()
    ids = torch.randint(ours.config.vocab_size, (1, plan.prompt))
    new = plan.length - plan.prompt

    def we(model: GPT, use_cache: bool = True) -> Way:
        return lambda: generate(model, ids, new, GREEDY, use_cache=use_cache)

    def they(model: GPT2LMHeadModel) -> Way:
        settings = {"max_new_tokens": new, "min_new_tokens": new, "do_sample": False, "pad_token_id": 0}
        return torch.inference_mode()(
            lambda: model.generate(ids, attention_mask=torch.ones_like(ids), use_cache=True, **settings)
        )

    assert they(theirs)().shape == we(ours)().shape == (1, plan.length)
    read, gb = machine.memory_read(plan.read)
    ways = {"ours": we(ours), "peer": they(theirs), "limit": read}
    if name == "M":
        ways |= {"ours bf16": we(ours_low), "peer bf16": they(theirs_low)}
    seconds = medians(ways, plan.rounds[f"generate {name}"], warm_up=1)
    per_token = {way: 1e3 * value / new for way, value in seconds.items()}
    middle = (plan.prompt + plan.length) / 2

    def share(model: GPT, way: str) -> dict[str, Any]:
        needed = new * bytes_per_token(model, middle) / 1e9
        return limit("memory bandwidth", "GB/s", gb, seconds["limit"], needed, seconds[way])

    what, unit = f"greedy generation at {name}, {plan.prompt} to {plan.length} tokens", "ms/token"
    targets = {"S": 2.5, "M": 1.05}
    yield line(
        f"generate {name}", f"{what}, float32", unit, per_token["ours"], per_token["peer"], PEER, targets[name],
        **share(ours, "ours"),
    )  # fmt: skip
    if name == "M":
        target = 1.8 if machine.has_bf16_units() else None
        for kind, way in (("bfloat16", "peer bf16"), ("float32", "peer")):
            yield line(
                f"generate M bf16, peer {kind}", f"{what}, bfloat16", unit, per_token["ours bf16"], per_token[way],
                f"{PEER} in {kind}", target, **share(ours_low, "ours bf16"),
            )  # fmt: skip

    seconds = medians(
        {"ours": we(ours), "no cache": we(ours, False), "limit": read}, plan.rounds["no cache"], warm_up=0
    )
    yield line(
        f"cache {name}", f"{what}, float32", unit, 1e3 * seconds["ours"] / new, 1e3 * seconds["no cache"] / new,
        "ours without cache", 3.0, **share(ours, "ours"),
    )  # fmt: skip


def recording(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield what hooks cost: none, where all is off; on the attention weights; on every module."""
    shape = plan.shapes["S"]
    ours, _ = twins(shape.config())
    bare = copy.deepcopy(ours)
    for module in bare.modules():
        if isinstance(module, Attention):  # the kernel alone, which cannot be looked into and does not ask
            module.attend = lambda Q, K, V, visible=None, causal=False: F.scaled_dot_product_attention(  # type: ignore
                Q, K, V, is_causal=causal
            )
    batch = tuple(torch.randint(shape.vocab_size, (2, shape.batch, shape.block_size)))

    def recorded(*names: str) -> Way:
        step = training_step(ours, lambda: causal_lm_loss(ours, batch))

        def run() -> None:
            with record(ours, *names) if names else contextlib.nullcontext():
                step()

        return run

    product, gflop = machine.matrix_product(torch.float32, plan.matrix)
    ways = {
        "bare": training_step(bare, lambda: causal_lm_loss(bare, batch)),
        "off": recorded(),
        "weights": recorded("blocks.*.attention.softmax"),
        "all": recorded("*"),
        "limit": product,
    }
    seconds = medians(ways, plan.rounds["recording"])
    work = 3 * costs(ours, batch[0])[""].flops / 1e9
    for way, against, what in (
        ("off", "bare", "training step at S, nothing recorded"),
        ("weights", "off", "training step at S, attention weights recorded"),
        ("all", "off", "training step at S, every module recorded"),
    ):
        yield line(
            f"record {way}", what, "ms", 1e3 * seconds[way], 1e3 * seconds[against],
            "no way to look inside" if against == "bare" else "nothing recorded",
            **limit("matrix rate, float32", "GFLOP/s", gflop, seconds["limit"], work, seconds[way]),
        )  # fmt: skip


def cells(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield our written-out recurrent cells beside torch's fused layers: loss and gradients of one batch."""
    batch, steps, width = plan.recurrent
    for kind in ("rnn", "lstm", "gru"):
        torch.manual_seed(0)
        fused = Recurrent(RecurrentConfig(kind, width, width, width))
        written = unrolled(fused)
        x = torch.randn(batch, steps, width)

        def run(model: nn.Module, x: Tensor = x) -> Way:
            return lambda: model(x).square().mean().backward()

        product, gflop = machine.matrix_product(torch.float32, plan.matrix)
        seconds = medians({"ours": run(written), "torch": run(fused), "limit": product}, plan.rounds["cells"])
        work = 3 * costs(fused, x)[""].flops / 1e9
        yield line(
            f"cells {kind}", f"{kind.upper()}, loss and gradients, {batch} sequences of {steps}, {width} wide", "ms",
            1e3 * seconds["ours"], 1e3 * seconds["torch"], "torch.nn",
            **limit("matrix rate, float32", "GFLOP/s", gflop, seconds["limit"], work, seconds["ours"]),
        )  # fmt: skip


def growth(plan: Plan, what: str, shapes: dict[int, Shape]) -> list[dict[str, Any]]:
    """Return how fast GPTs read, by context length or by width, beside the formula's work per token.

    Every pass reads about the same number of tokens, ``plan.tokens``.
    """
    ways: dict[str, Way] = {}
    rows = []
    for size, shape in shapes.items():
        model = GPT(shape.config()).eval()
        ids = torch.randint(shape.vocab_size, (max(1, plan.tokens // shape.block_size), shape.block_size))
        ways[str(size)] = torch.inference_mode()(lambda model=model, ids=ids: model(ids))
        rows.append(
            {what: size, "tokens": ids.numel(), "gflop_per_token": costs(model, ids)[""].flops / ids.numel() / 1e9}
        )
    product, gflop = machine.matrix_product(torch.float32, plan.matrix)
    seconds = medians({**ways, "limit": product}, plan.rounds["growth"])
    rate = gflop / seconds["limit"]
    for row in rows:
        row["tokens_per_second"] = row["tokens"] / seconds[str(row[what])]
        row["limit_tokens_per_second"] = rate / row["gflop_per_token"]
        row["share"] = row["tokens_per_second"] / row["limit_tokens_per_second"]
    return rows


def measure(plan: Plan, say: Callable[[str], object] = lambda text: None) -> dict[str, Any]:
    """Run the whole plan and return what the file is to hold."""
    results: dict[str, Any] = machine.describe()
    results["shapes"] = {name: asdict(shape) for name, shape in plan.shapes.items()}
    parts: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        **{f"training at {name}": lambda name=name: training(plan, name) for name in plan.shapes},  # type: ignore
        **{f"generation at {name}": lambda name=name: generation(plan, name) for name in plan.shapes},  # type: ignore
        "recording": lambda: recording(plan),
        "recurrent cells": lambda: cells(plan),
    }
    lines = []
    for name, part in parts.items():
        say(name)
        lines += list(part())
    results["lines"] = lines
    say("growth")
    s = plan.shapes["S"]
    context = {n: Shape(s.n_layer, s.n_head, s.d_model, n, 1, s.vocab_size) for n in plan.contexts}
    width = {
        d: Shape(s.n_layer, max(1, d // 32), d, plan.contexts[len(plan.contexts) // 3], 1, s.vocab_size)
        for d in plan.widths
    }
    results["growth"] = {"context": growth(plan, "context", context), "width": growth(plan, "width", width)}
    return results


def rounded(value: Any) -> Any:
    """Return a value of JSON with its floats at four significant digits: more, no timing knows."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def show(results: dict[str, Any], console: Console) -> None:
    """Print the lines as a table."""
    computer = results["machine"]
    title = f"{results['date']}, {computer['processor']}, {computer['threads']} threads"
    table = Table(
        title=title, caption="times are medians; share: of what the machine could do, measured in the same rounds"
    )
    for name in ("what", "against", "unit", "ours", "other", "ratio", "figure", "share of limit"):
        table.add_column(name, justify="left" if name in ("what", "against", "unit") else "right")
    for row in results["lines"]:
        target = row["target"]
        verdict = "" if target is None else f"{'met' if row['ratio'] >= target else 'missed'}: {target}"
        share = f"{row['share']:.0%} of {row['limit_rate']:.0f} {row['limit_unit']}"
        table.add_row(
            row["what"], row["against"], row["unit"], f"{row['ours']:.3g}", f"{row['other']:.3g}",
            f"{row['ratio']:.2f}", verdict, share,
        )  # fmt: skip
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure speed side by side with the peers; takes about five minutes.")
    parser.add_argument("--threads", type=int, default=2, help="threads that torch uses (default: 2)")
    parser.add_argument(
        "--output", type=Path, default=FILE, help="the file to write (default: data/results/bench.json)"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    console = Console()
    results = rounded(measure(FULL, lambda name: console.print(f"measuring {name} …")))
    show(results, console)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
