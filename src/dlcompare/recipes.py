"""Recipes: how each committed checkpoint is trained, from the pinned data to the card, by ``dlcompare train NAME``.

A recipe fixes everything that its result depends on: data, split, tokenizer, sizes, steps, seed and the number of
threads. The same versions on the same kind of processor give the same weights.
"""

from __future__ import annotations

import dataclasses
import datetime
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import dlcompare
from dlcompare import checkpoints, data
from dlcompare.dialogue import Example, examples, reply_batches, reply_bits_per_character
from dlcompare.models import (
    CNN,
    GPT,
    MLP,
    CNNConfig,
    GPTConfig,
    MLPConfig,
    NGram,
    RecurrentLM,
    RecurrentLMConfig,
)
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import (
    Batch,
    History,
    accuracy,
    bits_per_character,
    causal_lm_loss,
    classification_loss,
    fit,
    reply_loss,
    set_seed,
    shuffled_batches,
    window_batches,
)

__all__ = ["RECIPES", "Recipe", "Trained", "ngram_baseline", "shift", "train"]


@dataclass(frozen=True)
class Trained:
    """What a recipe's run gives: the model, how it went, what it is worth, and the tokenizer if there is one.

    ``sources`` holds the SHA-256 of what else it came from: other data sets, the checkpoint it started from.
    """

    model: nn.Module
    history: History
    metrics: dict[str, float | int]
    tokenizer: BPETokenizer | None = None
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How one checkpoint is trained.

    Parameters
    ----------
    name
        of the recipe and of its checkpoint.
    summary
        one line for people.
    data
        name of the data set, as in ``dlcompare data list``.
    seed
        of the initial weights, the batches and dropout.
    settings
        every other number that the result depends on; they stand on the card.
    run
        trains by these settings.
    """

    name: str
    summary: str
    data: str
    seed: int
    settings: dict[str, Any]
    run: Callable[[Recipe], Trained]
    threads: int = 1


# Shakespeare: a GPT and an LSTM of the same size, on the same tokens


def ngram_baseline(train: str, validation: str, orders: range = range(4, 9)) -> dict[str, float | int]:
    """Return the n-gram model's bits per character on ``validation`` at the order that serves it best there."""
    best = min((NGram(n).fit(train).bits_per_character(validation), n) for n in orders)
    return {"ngram_validation_bits_per_character": best[0], "ngram_order": best[1]}


def _shakespeare(recipe: Recipe) -> Trained:
    corpus = data.load_shakespeare()
    s = recipe.settings
    tokenizer = BPETokenizer.train(corpus.train.text, s["vocab_size"])
    train_ids, validation_ids = (torch.tensor(tokenizer.encode(c.text)) for c in (corpus.train, corpus.validation))
    generator = set_seed(recipe.seed)
    config = {"vocab_size": tokenizer.vocab_size, **s["model"]}
    model = GPT(GPTConfig(**config)) if "n_head" in config else RecurrentLM(RecurrentLMConfig(**config))
    n_validation = len(corpus.validation.text)
    history = fit(
        model,
        causal_lm_loss,
        window_batches(train_ids, s["seq"], s["batch_size"], generator),
        steps=s["steps"],
        learning_rate=s["learning_rate"],
        muon_learning_rate=s["muon_learning_rate"],
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        evaluate=lambda m: bits_per_character(m, validation_ids, n_validation),
        evaluate_every=s["evaluate_every"],
        bfloat16=True,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    metrics: dict[str, float | int] = {
        "validation_bits_per_character": bits_per_character(model, validation_ids, n_validation),
        "validation_characters": n_validation,
        "validation_tokens": len(validation_ids),
        "train_characters": len(corpus.train.text),
        "train_tokens": len(train_ids),
        **ngram_baseline(corpus.train.text, corpus.validation.text),
    }
    return Trained(model, history, metrics, tokenizer)


_SHAKESPEARE = {
    "vocab_size": 1024,
    "seq": 256,
    "batch_size": 8,
    "warmup": 100,
    "learning_rate": 2e-3,
    "muon_learning_rate": 0.02,
    "weight_decay": 0.1,
    "evaluate_every": 1000,
}


# Dialogue: the Shakespeare GPT, fine-tuned to reply


def _mixed(
    first: Iterator[Batch], second: Iterator[Batch], share: float, generator: torch.Generator
) -> Iterator[Batch]:
    """Yield from ``first`` with probability ``share``, else from ``second``."""
    while True:
        yield next(first if torch.rand((), generator=generator) < share else second)


def _turns(conversations: Iterable[data.Conversation]) -> list[tuple[str, ...]]:
    """Each conversation as its texts."""
    return [tuple(turn.text for turn in conversation.turns) for conversation in conversations]


def _dialogue(recipe: Recipe) -> Trained:
    start = checkpoints.load(recipe.settings["start"])
    model, tokenizer = start.model, start.tokenizer
    if not isinstance(model, GPT) or not isinstance(tokenizer, BPETokenizer):
        raise TypeError(f"start is {recipe.settings['start']!r}; allowed is a GPT with a BPE tokenizer")
    s = recipe.settings
    block = model.config.block_size
    questions, chats = data.load_questions_and_answers(), data.load_dialogue()

    # A chat without its first turn is a chat too, in which the other one replies: twice as many replies.
    turns = _turns(chats.train)
    train_chats = examples(tokenizer, [*turns, *(t[1:] for t in turns)], block)
    train_questions = examples(tokenizer, questions.train, block)
    held_out = {
        "questions": examples(tokenizer, questions.validation, block),
        "chats": examples(tokenizer, _turns(chats.validation), block),
    }

    def measured(pools: dict[str, list[Example]]) -> dict[str, float]:
        return {name: reply_bits_per_character(model, pool) for name, pool in pools.items()}

    # While it trains, part of the chats will do; the card's numbers are of them all.
    watched = {name: pool[: s["watched"]] for name, pool in held_out.items()}
    before = measured(held_out)
    generator = set_seed(recipe.seed)
    history = fit(
        model,
        reply_loss,
        _mixed(
            reply_batches(train_questions, s["questions_batch_size"], generator),
            reply_batches(train_chats, s["chats_batch_size"], generator),
            s["questions_share"],
            generator,
        ),
        steps=s["steps"],
        learning_rate=s["learning_rate"],
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        evaluate=lambda m: sum(measured(watched).values()) / len(watched),
        evaluate_every=s["evaluate_every"],
        bfloat16=True,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    after = measured(held_out)
    metrics: dict[str, float | int] = {}
    for name, pool in held_out.items():
        metrics[f"{name}_validation_reply_bits_per_character_before"] = before[name]
        metrics[f"{name}_validation_reply_bits_per_character"] = after[name]
        metrics[f"{name}_validation_reply_characters"] = sum(example.n_characters for example in pool)
    metrics["train_questions"] = len(train_questions)
    metrics["train_chat_pieces"] = len(train_chats)
    sources = {"data questions": data.sha256("questions"), f"checkpoint {s['start']}": start.card["sha256"]}
    return Trained(model, history, metrics, tokenizer, sources)


# Digits: an MLP and a CNN


def shift(images: Tensor, generator: torch.Generator, by: int = 2) -> Tensor:
    """Move each image (batch, channels, height, width) by up to ``by`` pixels each way; zeros come in."""
    padded = F.pad(images, (by, by, by, by))
    height, width = images.shape[-2:]
    dy, dx = torch.randint(2 * by + 1, (2, len(images)), generator=generator).tolist()
    return torch.stack([p[:, y : y + height, x : x + width] for p, y, x in zip(padded, dy, dx, strict=True)])


def _digits(recipe: Recipe) -> Trained:
    digits = data.load_digits()
    s = recipe.settings
    generator = set_seed(recipe.seed)
    model = CNN(CNNConfig(**s["model"])) if "channels" in s["model"] else MLP(MLPConfig(**s["model"]))
    train, validation, test = digits
    history = fit(
        model,
        classification_loss,
        shuffled_batches(train.images, train.labels, s["batch_size"], generator, shift if s["shift"] else None),
        steps=s["steps"],
        learning_rate=s["learning_rate"],
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        # The loss, not the accuracy: in 400 images, one image more or less decides about the accuracy.
        evaluate=lambda m: classification_loss(m, (validation.images, validation.labels)).item(),
        evaluate_every=s["evaluate_every"],
        description=recipe.name,
    )
    checkpoints.rounded(model)
    metrics: dict[str, float | int] = {
        "validation_accuracy": accuracy(model, validation.images, validation.labels),
        "test_accuracy": accuracy(model, test.images, test.labels),
        "train_examples": len(train.labels),
        "test_examples": len(test.labels),
    }
    return Trained(model, history, metrics)


_DIGITS = {"batch_size": 64, "weight_decay": 0.05, "warmup": 20, "evaluate_every": 50}

#: Every recipe by its name.
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "shakespeare-gpt",
            "a GPT that writes Shakespeare, token by token",
            "shakespeare",
            1,
            {
                **_SHAKESPEARE,
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
                **_SHAKESPEARE,
                "model": {"kind": "lstm", "d_model": 326, "n_layer": 2, "dropout": 0.1},
                "steps": 6300,
            },
            _shakespeare,
        ),
        Recipe(
            "dialogue-gpt",
            "the Shakespeare GPT, fine-tuned to reply (train shakespeare-gpt first)",
            "dialogue",
            1,
            {
                "start": "shakespeare-gpt",
                "questions_share": 0.3,
                "questions_batch_size": 64,
                "chats_batch_size": 10,
                "steps": 1000,
                "learning_rate": 1e-3,
                "weight_decay": 0.1,
                "warmup": 50,
                "watched": 100,
                "evaluate_every": 100,
            },
            _dialogue,
        ),
        Recipe(
            "digits-mlp",
            "an MLP that reads handwritten digits",
            "digits",
            1,
            {
                **_DIGITS,
                "model": {"sizes": (784, 128, 10)},
                "steps": 600,
                "learning_rate": 2e-3,
                "shift": False,
            },
            _digits,
        ),
        Recipe(
            "digits-cnn",
            "the article's CNN, its flattened size mended, on handwritten digits",
            "digits",
            1,
            {
                **_DIGITS,
                "model": {"channels": (32, 64), "hidden": 128, "dropout": 0.3},
                "steps": 900,
                "learning_rate": 2e-3,
                "shift": True,
            },
            _digits,
        ),
    )
}


def train(name: str, folder: Path | None = None) -> Path:
    """Run recipe ``name``, write its checkpoint into ``folder`` (default: the committed ones) and return its place.

    Raises
    ------
    ValueError
        for an unknown name, naming the known ones.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe is {name!r}; allowed are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        trained = recipe.run(recipe)
    finally:
        torch.set_num_threads(threads)
    described = {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name != "run"}
    history = trained.history
    details = {
        "recipe": described,
        "data_sha256": data.sha256(recipe.data),
        **({"sources_sha256": trained.sources} if trained.sources else {}),
        "metrics": trained.metrics,
        "training": {
            "steps": history.steps,
            "best_step": history.best[0],
            "validation": history.validation,
            "seconds": round(history.seconds, 1),
            "cpu_seconds": round(history.cpu_seconds, 1),
        },
        "trained_on": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {
            "dlcompare": dlcompare.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    return checkpoints.save(name, trained.model, details, trained.tokenizer, folder)
