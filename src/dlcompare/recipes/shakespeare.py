"""A GPT and an LSTM of the same size, on the same tokens of Shakespeare; three recurrent networks on its characters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcompare import checkpoints, data
from dlcompare.models import GPT, GPTConfig, NGram, RecurrentLM, RecurrentLMConfig
from dlcompare.models.costs import costs
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import BPETokenizer, CharTokenizer, Tokenizer
from dlcompare.training import Run, bits_per_character, causal_lm_loss, fit, set_seed, window_batches

__all__ = ["CHARACTERS", "RECIPES", "SETTINGS", "ngram_baseline", "training_budget"]


def ngram_baseline(train: str, validation: str, orders: range = range(4, 9)) -> dict[str, float | int]:
    """Return the n-gram model's bits per character on ``validation`` at the order that serves it best there."""
    best = min((NGram(n).fit(train).bits_per_character(validation), n) for n in orders)
    return {"ngram_validation_bits_per_character": best[0], "ngram_order": best[1]}


def training_budget(model: nn.Module, steps: int, *inputs: Tensor) -> dict[str, int]:
    """Return how many tokens, those that repeat counted again, and floating-point operations ``steps`` steps take.

    A step takes three times a forward pass: the backward pass has two products for each of the forward pass's. What the
    optimiser does is left out.

    Parameters
    ----------
    model
        what is trained.
    steps
        how often it is moved.
    inputs
        what it reads in one step; the first are token ids, (batch, seq).
    """
    flops = 3 * costs(model, *inputs)[""].flops
    return {"training_tokens": steps * inputs[0].numel(), "training_flops": steps * flops}


def _shakespeare(recipe: Recipe, run: Run) -> Trained:
    corpus = data.load_shakespeare()
    s = recipe.settings
    tokenizer: Tokenizer = (
        BPETokenizer.train(corpus.train.text, s["vocab_size"])
        if "vocab_size" in s
        else CharTokenizer.train(corpus.train.text)
    )
    train_ids, validation_ids = (torch.tensor(tokenizer.encode(c.text)) for c in (corpus.train, corpus.validation))
    generator = set_seed(recipe.seed)
    config = {"vocab_size": tokenizer.vocab_size, **s["model"]}
    model = GPT(GPTConfig(**config)) if "n_head" in config else RecurrentLM(RecurrentLMConfig(**config))
    n_validation = len(corpus.validation.text)
    history = fit(
        model,
        causal_lm_loss,
        window_batches(train_ids, s["seq"], s["batch_size"], generator),
        **recipe.course,
        evaluate=lambda m: bits_per_character(m, validation_ids, n_validation),
        bfloat16=None,
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    metrics: dict[str, float | int] = {
        "validation_bits_per_character": bits_per_character(model, validation_ids, n_validation),
        "validation_characters": n_validation,
        "validation_tokens": len(validation_ids),
        "train_characters": len(corpus.train.text),
        "train_tokens": len(train_ids),
        **training_budget(model, s["steps"], train_ids[: s["batch_size"] * s["seq"]].view(s["batch_size"], s["seq"])),
        **ngram_baseline(corpus.train.text, corpus.validation.text),
    }
    return Trained(model, history, metrics, tokenizer)


#: The budget of every model that is trained on this text alone.
SETTINGS = {
    "vocab_size": 1024,
    "seq": 256,
    "batch_size": 8,
    "warmup": 100,
    "learning_rate": 2e-3,
    "muon_learning_rate": 0.02,
    "weight_decay": 0.1,
    "evaluate_every": 1000,
}

#: The budget of the networks that read characters: without ``vocab_size``, a token is a character.
CHARACTERS = {
    **{name: value for name, value in SETTINGS.items() if name != "vocab_size"},
    "seq": 128,
    "batch_size": 32,
    "steps": 4000,
}


#: The recipes of this module.
RECIPES = (
    Recipe(
        "shakespeare-gpt",
        "a GPT that writes Shakespeare, token by token",
        "shakespeare",
        1,
        {
            **SETTINGS,
            "model": {"block_size": 256, "n_layer": 4, "n_head": 4, "d_model": 192},
            "steps": 5500,
        },
        _shakespeare,
    ),
    Recipe(
        "shakespeare-lstm",
        "an LSTM of the GPT's size, on the same tokens, trained for no less processor time",
        "shakespeare",
        1,
        {
            **SETTINGS,
            "model": {"kind": "lstm", "d_model": 326, "n_layer": 2, "dropout": 0.1},
            "steps": 6300,
        },
        _shakespeare,
    ),
    *(
        Recipe(
            f"shakespeare-char-{kind}",
            f"{article} of 64 units that reads and writes characters",
            "shakespeare",
            1,
            {**CHARACTERS, "model": {"kind": kind, "d_model": 64}},
            _shakespeare,
        )
        for kind, article in (("rnn", "an RNN"), ("lstm", "an LSTM"), ("gru", "a GRU"))
    ),
)
