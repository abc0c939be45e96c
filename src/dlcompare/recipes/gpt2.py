"""GPT-2 with 124 million parameters, for several GPUs, on text of one's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlcompare import checkpoints, data
from dlcompare.models import GPT, GPTConfig
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import Run, bits_per_character, causal_lm_loss, fit, set_seed, window_batches

__all__ = ["RECIPES"]


def _text(path: str | None) -> tuple[str, str]:
    """Return the text to train on and the text to measure on, which is the last hundredth of a text of one's own.

    Raises
    ------
    ValueError
        when there is no such file, or it is no UTF-8.
    """
    if path is None:
        corpus = data.load_shakespeare()
        return corpus.train.text, corpus.validation.text
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise ValueError(f"text is {path!r}, which can't be read as UTF-8 text: {reason}") from None
    cut = text.rfind("\n", 0, len(text) * 99 // 100) + 1
    if not cut:
        raise ValueError(f"text is {path!r}, which has too few lines to hold some back for validation")
    return text[:cut], text[cut:]


def _tokens(tokenizer: BPETokenizer, text: str) -> Tensor:
    """Encode ``text`` piece by piece; ids fit 16 bits, and a long text should not need 64."""
    lines = text.splitlines(keepends=True)
    pieces = ("".join(lines[i : i + 10_000]) for i in range(0, len(lines), 10_000))
    return torch.from_numpy(np.concatenate([np.array(tokenizer.encode(piece), dtype=np.int32) for piece in pieces]))


def _gpt2(recipe: Recipe, run: Run) -> Trained:
    s = recipe.settings
    train, validation = _text(s["text"])
    generator = set_seed(recipe.seed)
    tokenizer = BPETokenizer.train(train[: s["tokenizer_characters"]], s["model"]["vocab_size"])
    train_ids, validation_ids = _tokens(tokenizer, train), _tokens(tokenizer, validation).long()
    model = GPT(GPTConfig(**s["model"]))
    history = fit(
        model,
        causal_lm_loss,
        window_batches(train_ids, s["seq"], s["batch_size"], generator),
        **recipe.course,
        evaluate=lambda m: bits_per_character(m, validation_ids, len(validation)),
        bfloat16=None,
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    metrics: dict[str, float | int] = {
        "validation_bits_per_character": bits_per_character(model, validation_ids, len(validation)),
        "validation_characters": len(validation),
        "train_characters": len(train),
        "train_tokens": len(train_ids),
    }
    sources = {"text": hashlib.sha256((train + validation).encode()).hexdigest()} if s["text"] else {}
    return Trained(model, history, metrics, tokenizer, sources)


#: The recipes of this module. Sizes: Radford et al. 2019, table 2. The course of training is that of GPT-3's smallest
#: model, the same size (Brown et al. 2020, table 2.1 and appendix B): half a million tokens per step, a peak of
#: 6e-4, gradients clipped at 1, weight decay 0.1; here for ten billion tokens and not three hundred.
RECIPES = (
    Recipe(
        "gpt2-124m",
        "GPT-2's smallest size on your own --text, for several GPUs (look at --dry-run first)",
        "shakespeare",
        1,
        {
            "text": None,
            "tokenizer_characters": 50_000_000,
            "model": {"vocab_size": 50257, "block_size": 1024, "n_layer": 12, "n_head": 12, "d_model": 768},
            "seq": 1024,
            "batch_size": 480,
            "steps": 20_000,
            "learning_rate": 6e-4,
            "weight_decay": 0.1,
            "warmup": 700,
            "evaluate_every": 1000,
        },
        _gpt2,
        committed=False,
    ),
)
