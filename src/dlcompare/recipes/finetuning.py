"""The Shakespeare GPT and the Shakespeare BERT, fine-tuned to judge reviews, and the latter to choose replies.

All weights, or LoRA. Each is compared with a model of the same sizes that starts from random weights, trains all of them,
and sees the same batches.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import checkpoints, data
from dlcompare.dialogue import reply_candidates, reply_pairs
from dlcompare.models import BERT, GPT
from dlcompare.models.classifier import BERTClassifier, GPTClassifier
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import END, BPETokenizer
from dlcompare.training import (
    Collate,
    History,
    Marks,
    Texts,
    add_lora,
    classification_loss,
    classify,
    ended,
    example_batches,
    fit,
    packed,
    set_seed,
)

__all__ = ["RECIPES"]

Examples = tuple[Sequence[Texts], Tensor]


def _start(name: str) -> checkpoints.Checkpoint:
    start = checkpoints.load(name)
    if not isinstance(start.model, GPT | BERT) or not isinstance(start.tokenizer, BPETokenizer):
        raise TypeError(f"start is {name!r}; allowed is a GPT or a BERT with a BPE tokenizer")
    return start


def _collate(model: nn.Module, tokenizer: BPETokenizer) -> Collate:
    """Return how a model of this kind reads texts."""
    if isinstance(model, BERT):
        return functools.partial(packed, marks=Marks.of(tokenizer))
    return functools.partial(ended, end=tokenizer.id_of(END))


def _classifier(model: nn.Module, dropout: float) -> GPTClassifier | BERTClassifier:
    """Return a classifier of two classes with a copy of the weights of ``model``."""
    if isinstance(model, BERT):
        return BERTClassifier.from_encoder(model, 2, dropout)
    assert isinstance(model, GPT)
    return GPTClassifier.from_language_model(model, 2, dropout)


def _fit(recipe: Recipe, model: nn.Module, learning_rate: float, train: Examples, held_out: Examples, collate: Collate) -> History:
    s = recipe.settings
    texts, labels = held_out
    return fit(
        model,
        classification_loss,
        example_batches(*train, s["batch_size"], torch.Generator().manual_seed(recipe.seed), collate),
        steps=s["steps"],
        learning_rate=learning_rate,
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        evaluate=lambda m: F.cross_entropy(classify(m, texts, collate), labels).item(),
        evaluate_every=s["evaluate_every"],
        bfloat16=True,
        description=recipe.name,
    )


def _fine_tuned(
    recipe: Recipe, start: nn.Module, train: Examples, held_out: Examples, collate: Collate
) -> tuple[nn.Module, History]:
    s = recipe.settings
    set_seed(recipe.seed)
    model = _classifier(start, s["dropout"])
    if isinstance(start, BERT) and s.get("head") == "next_sentence":
        model.classifier.load_state_dict(start.next_sentence.state_dict())
    if "lora" in s:
        add_lora(model.base, **s["lora"])
    history = _fit(recipe, model, s["learning_rate"], train, held_out, collate)
    return checkpoints.rounded(model), history


def _from_scratch(recipe: Recipe, start: nn.Module, train: Examples, held_out: Examples, collate: Collate) -> nn.Module:
    set_seed(recipe.seed)
    model = _classifier(type(start)(start.config), recipe.settings["dropout"])
    _fit(recipe, model, recipe.settings["from_scratch_learning_rate"], train, held_out, collate)
    return checkpoints.rounded(model)


def _n_trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _share(logits: Tensor, labels: Tensor) -> float:
    """Return the share of the rows of ``logits`` (n, classes) whose largest stands at its label (n,)."""
    return (logits.argmax(-1) == labels).double().mean().item()


def _sentiment(recipe: Recipe) -> Trained:
    start = _start(recipe.settings["start"])
    tokenizer: Any = start.tokenizer
    collate = _collate(start.model, tokenizer)
    train, validation, test = data.load_sentiment().map(
        lambda part: ([(tokenizer.encode(text),) for text in part.texts], part.labels)
    )
    model, history = _fine_tuned(recipe, start.model, train, validation, collate)
    scratch = _from_scratch(recipe, start.model, train, validation, collate)
    metrics: dict[str, float | int] = {}
    for name, measured in (("", model), ("from_scratch_", scratch)):
        for part, (texts, labels) in (("validation", validation), ("test", test)):
            metrics[f"{name}{part}_accuracy"] = _share(classify(measured, texts, collate), labels)
    metrics["trainable_parameters"] = _n_trainable(model)
    metrics["train_examples"] = len(train[1])
    metrics["test_examples"] = len(test[1])
    sources = {f"checkpoint {start.card['name']}": start.card["sha256"]}
    return Trained(model, history, metrics, tokenizer, sources)


def _turns(conversations: Iterable[data.Conversation]) -> list[tuple[str, ...]]:
    """Each conversation as its texts."""
    return [tuple(turn.text for turn in conversation.turns) for conversation in conversations]


def _replies(recipe: Recipe) -> Trained:
    s = recipe.settings
    start = _start(s["start"])
    tokenizer: Any = start.tokenizer
    collate = _collate(start.model, tokenizer)
    chats = data.load_dialogue()
    generator = torch.Generator().manual_seed(recipe.seed)
    train = reply_pairs(tokenizer, _turns(chats.train), s["longest"], generator)
    pairs, labels = reply_pairs(tokenizer, _turns(chats.validation), s["longest"], generator)
    held_out = pairs[: s["watched"]], labels[: s["watched"]]
    candidates = {
        part: reply_candidates(
            tokenizer, _turns(conversations), s["longest"], generator, n_questions=s["questions"], n_candidates=10
        )
        for part, conversations in (("validation", chats.validation), ("test", chats.test))
    }

    def found(model: nn.Module, part: str) -> float:
        """Return the share of turns whose own reply is the one that the model finds likeliest to follow."""
        logits = classify(model, candidates[part], collate).view(-1, 10, 2)  # (questions, candidates, classes)
        return ((logits[..., 0] - logits[..., 1]).argmax(-1) == 0).double().mean().item()

    before = _classifier(start.model, 0.0)
    before.classifier.load_state_dict(start.model.next_sentence.state_dict())  # type: ignore[union-attr, arg-type]
    model, history = _fine_tuned(recipe, start.model, train, held_out, collate)
    scratch = _from_scratch(recipe, start.model, train, held_out, collate)
    metrics: dict[str, float | int] = {}
    for name, measured in (("before_", before), ("", model), ("from_scratch_", scratch)):
        for part in candidates:
            metrics[f"{name}{part}_accuracy_of_ten"] = found(measured, part)
    metrics["trainable_parameters"] = _n_trainable(model)
    metrics["train_pairs"] = len(train[0])
    metrics["test_questions"] = s["questions"]
    sources = {f"checkpoint {start.card['name']}": start.card["sha256"]}
    return Trained(model, history, metrics, tokenizer, sources)


_SENTIMENT = {
    "batch_size": 32,
    "steps": 500,
    "warmup": 50,
    "weight_decay": 0.1,
    "dropout": 0.1,
    "learning_rate": 5e-4,
    "from_scratch_learning_rate": 5e-4,
    "evaluate_every": 100,
}

_LORA = {"rank": 4, "alpha": 8, "names": ("query_key_value", "project")}


#: The recipes of this module.
RECIPES = (
    Recipe(
        "sentiment-gpt",
        "the Shakespeare GPT, fine-tuned to judge film reviews",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-gpt"},
        _sentiment,
    ),
    Recipe(
        "sentiment-gpt-lora",
        "the same with LoRA",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-gpt", "lora": _LORA, "learning_rate": 2e-3},
        _sentiment,
    ),
    Recipe(
        "sentiment-bert",
        "the Shakespeare BERT, fine-tuned to judge film reviews",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-bert"},
        _sentiment,
    ),
    Recipe(
        "sentiment-bert-lora",
        "the same with LoRA",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-bert", "lora": _LORA, "learning_rate": 2e-3},
        _sentiment,
    ),
)
