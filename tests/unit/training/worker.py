"""One process of a training run, for tests that kill it or start several; the outcome goes into files.

A tiny GPT learns a text by heart; half of the targets, at random, are not asked for, so that the parts of a batch
hold unequally many.
"""

import json
import os
import traceback
from pathlib import Path

import torch
from safetensors.torch import save_file

from dlcompare.models import GPT, GPTConfig
from dlcompare.training import IGNORED, Run, fit, reply_loss, set_seed
from dlcompare.training.distributed import distributed, rank


def train(out: str, began, folder: str | None = None, *, steps: int, die_at: int | None = None, **options):
    generator = set_seed(1)
    text = torch.randint(17, (400,), generator=generator)
    dropout = options.pop("dropout", 0.0)
    model = GPT(GPTConfig(vocab_size=17, block_size=8, n_layer=2, n_head=2, d_model=16, dropout=dropout))

    def batches():
        while True:
            starts = torch.randint(len(text) - 9, (5,), generator=generator)
            windows = torch.stack([text[s : s + 9] for s in starts.tolist()])
            asked = torch.rand(5, 8, generator=generator) < 0.5
            asked[:, 0] = True
            yield windows[:, :-1], windows[:, 1:].masked_fill(~asked, IGNORED)

    calls = 0

    def loss(model, batch):
        nonlocal calls
        calls += 1
        if calls == die_at:
            os._exit(9)
        if calls == 1:
            began.set()
        return reply_loss(model, batch)

    @torch.inference_mode()  # as the measures do
    def evaluate(model):
        return reply_loss(model, (text[None, :8], text[None, 1:9])).item()

    circumstances = {key: options.pop(key) for key in ("sharded", "accumulate", "save_every") if key in options}
    with distributed():
        run = Run(folder=Path(folder) if folder else None, identity="a test", **circumstances)
        history = fit(
            model, loss, batches(), steps=steps, learning_rate=0.01, evaluate=evaluate, warmup=3, run=run, **options
        )
        if rank() == 0:
            save_file({name: p.detach() for name, p in model.named_parameters()}, f"{out}.safetensors")
            Path(f"{out}.json").write_text(json.dumps({"loss": history.loss, "validation": history.validation}))


def main(out: str, began, environment: dict[str, str], arguments: dict) -> None:
    """Train; what goes wrong stands in a file of its own."""
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        train(out, began, **arguments)
    except BaseException:
        Path(f"{out}.{environment['RANK']}.error").write_text(traceback.format_exc())
        os._exit(1)
