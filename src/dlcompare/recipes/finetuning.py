"""The Shakespeare GPT and the Shakespeare BERT, fine-tuned to judge reviews, and the latter to choose replies.

All weights, or LoRA. Each is compared with a model of the same sizes that starts from random weights, trains all of
them, and sees the same batches. The GPT's learning rates on reviews are the best of those that ``searched`` lists, by
validation loss. For the encoder on reviews, 5e-4 was better than 2e-4 and 1e-3 (at which it learned nothing); its other
rates are taken over. The test part was looked at once, for the card.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import checkpoints, data
from dlcompare.dialogue import ranking_accuracy, reply_candidates, reply_pairs, turns_of
from dlcompare.models import BERT, GPT
from dlcompare.models.classifier import BERTClassifier, GPTClassifier
from dlcompare.recipes.baselines import TfidfClassifier
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import END, BPETokenizer
from dlcompare.training import (
    Collate,
    History,
    Marks,
    Run,
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

__all__ = ["RECIPES", "as_bert_reads", "as_gpt_reads"]

Examples = tuple[Sequence[Texts], Tensor]
Classifier = GPTClassifier | BERTClassifier
Start = TypeVar("Start", GPT, BERT)


def as_gpt_reads(tokenizer: BPETokenizer) -> Collate:
    """Return how a classifier on a GPT reads texts: with :data:`~dlcompare.tokenization.END` after them."""
    return functools.partial(ended, end=tokenizer.id_of(END))


def as_bert_reads(tokenizer: BPETokenizer) -> Collate:
    """Return how a classifier on a BERT reads texts: with [CLS] before and [SEP] after them."""
    return functools.partial(packed, marks=Marks.of(tokenizer))


def _loaded(name: str, kind: type[Start]) -> tuple[Start, BPETokenizer, dict[str, str]]:
    """Return the model to start from, its tokenizer, and what the card says of it."""
    start = checkpoints.load(name, expected=kind)
    if not isinstance(start.tokenizer, BPETokenizer):
        raise TypeError(f"start is {name!r}, which has no BPE tokenizer; allowed is a {kind.__name__} with one")
    return start.model, start.tokenizer, {f"checkpoint {name}": start.card["sha256"]}


def _trained(
    recipe: Recipe,
    run: Run,
    model: Classifier,
    learning_rate: float,
    train: Examples,
    held_out: Examples,
    collate: Collate,
) -> History:
    s = recipe.settings
    texts, labels = held_out
    history = fit(
        model,
        classification_loss,
        example_batches(*train, s["batch_size"], torch.Generator().manual_seed(recipe.seed), collate),
        steps=s["steps"],
        learning_rate=learning_rate,
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        evaluate=lambda m: F.cross_entropy(classify(m, texts, collate), labels).item(),
        evaluate_every=s["evaluate_every"],
        bfloat16=None,
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    return history


def _both(
    recipe: Recipe,
    run: Run,
    classifier: Callable[[Start], Classifier],
    start: Start,
    train: Examples,
    held_out: Examples,
    collate: Collate,
) -> tuple[Classifier, History, Classifier]:
    """Fine-tune a classifier on ``start``, and train one on a random model of its sizes."""
    s = recipe.settings
    set_seed(recipe.seed)
    model = classifier(start)
    if "lora" in s:
        add_lora(model.base, **s["lora"])
    history = _trained(recipe, run, model, s["learning_rate"], train, held_out, collate)
    set_seed(recipe.seed)
    scratch = classifier(type(start)(start.config))
    rate = s["from_scratch_learning_rate"]
    _trained(recipe, run.stage("from-scratch"), scratch, rate, train, held_out, collate)
    return model, history, scratch


def _n_trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _sentiment(
    recipe: Recipe,
    run: Run,
    start: Start,
    classifier: Callable[[Start], Classifier],
    tokenizer: BPETokenizer,
    collate: Collate,
    sources: dict[str, str],
) -> Trained:
    reviews = data.load_sentiment()
    train, validation, test = reviews.map(
        lambda part: ([(tokenizer.encode(text),) for text in part.texts], part.labels)
    )
    tfidf = TfidfClassifier(reviews.train.texts, reviews.train.labels)
    model, history, scratch = _both(recipe, run, classifier, start, train, validation, collate)
    metrics: dict[str, float | int] = {}
    for name, measured in (("", model), ("from_scratch_", scratch)):
        for part, (texts, labels) in (("validation", validation), ("test", test)):
            right = classify(measured, texts, collate).argmax(-1) == labels  # (n,)
            metrics[f"{name}{part}_accuracy"] = right.double().mean().item()
    for part, sentences in (("validation", reviews.validation), ("test", reviews.test)):
        right = (tfidf.scores(sentences.texts) > 0) == sentences.labels.bool()  # (n,)
        metrics[f"tfidf_{part}_accuracy"] = right.double().mean().item()
    metrics |= {
        "trainable_parameters": _n_trainable(model),
        "train_examples": len(train[1]),
        "validation_examples": len(validation[1]),
        "test_examples": len(test[1]),
    }
    return Trained(model, history, metrics, tokenizer, sources)


def _gpt_sentiment(recipe: Recipe, run: Run) -> Trained:
    start, tokenizer, sources = _loaded(recipe.settings["start"], GPT)

    def classifier(gpt: GPT) -> Classifier:
        return GPTClassifier.from_language_model(gpt, 2, recipe.settings["dropout"])

    return _sentiment(recipe, run, start, classifier, tokenizer, as_gpt_reads(tokenizer), sources)


def _bert_sentiment(recipe: Recipe, run: Run) -> Trained:
    start, tokenizer, sources = _loaded(recipe.settings["start"], BERT)

    def classifier(bert: BERT) -> Classifier:
        return BERTClassifier.from_encoder(bert, 2, recipe.settings["dropout"])

    return _sentiment(recipe, run, start, classifier, tokenizer, as_bert_reads(tokenizer), sources)


def _reply_classifier(bert: BERT, dropout: float) -> BERTClassifier:
    """Return a classifier that starts as what ``bert`` learned of next sentences: class 0 follows, class 1 does not."""
    model = BERTClassifier.from_encoder(bert, 2, dropout)
    model.classifier.load_state_dict(bert.next_sentence.state_dict())
    return model


def _replies(recipe: Recipe, run: Run) -> Trained:
    s = recipe.settings
    start, tokenizer, sources = _loaded(s["start"], BERT)
    collate = as_bert_reads(tokenizer)
    chats = data.load_dialogue()
    generator = torch.Generator().manual_seed(recipe.seed)
    train = reply_pairs(tokenizer, turns_of(chats.train), s["longest"], generator)
    pairs, labels = reply_pairs(tokenizer, turns_of(chats.validation), s["longest"], generator)
    held_out = pairs[: s["watched"]], labels[: s["watched"]]
    candidates = {
        part: reply_candidates(
            tokenizer,
            turns_of(conversations),
            s["longest"],
            torch.Generator().manual_seed(recipe.seed),
            n_questions=s["questions"],
            n_candidates=s["candidates"],
        )
        for part, conversations in (("validation", chats.validation), ("test", chats.test))
    }
    model, history, scratch = _both(
        recipe, run, functools.partial(_reply_classifier, dropout=s["dropout"]), start, train, held_out, collate
    )
    metrics: dict[str, float | int] = {}
    for name, measured in (
        ("before_", _reply_classifier(start, 0.0)),
        ("", model),
        ("from_scratch_", scratch),
    ):
        for part, texts in candidates.items():
            metrics[f"{name}{part}_ranking_accuracy"] = ranking_accuracy(measured, texts, collate, s["candidates"])
    metrics |= {
        "chance_ranking_accuracy": 1 / s["candidates"],
        "trainable_parameters": _n_trainable(model),
        "train_pairs": len(train[1]),
        "test_questions": len(candidates["test"]) // s["candidates"],
    }
    return Trained(model, history, metrics, tokenizer, sources)


_SENTIMENT = {
    "batch_size": 32,
    "steps": 300,
    "warmup": 30,
    "weight_decay": 0.1,
    "dropout": 0.1,
    "from_scratch_learning_rate": 5e-4,
    "evaluate_every": 100,
}

#: What was tried: a rate for all weights, and one for a model that starts from random ones.
_SEARCHED = {"learning_rate": (5e-4, 1e-3), "from_scratch_learning_rate": (5e-4, 1e-3)}

_REPLIES = {
    **_SENTIMENT,
    "longest": 60,
    "watched": 1000,
    "questions": 300,
    "candidates": 10,
}

_LORA = {
    "learning_rate": 2e-3,
    "lora": {"rank": 4, "alpha": 8, "names": ("query_key_value", "project", "mlp.0", "mlp.2")},
}


#: The recipes of this module.
RECIPES = (
    Recipe(
        "sentiment-gpt",
        "the Shakespeare GPT, fine-tuned to judge film reviews",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-gpt", "learning_rate": 1e-3, "searched": _SEARCHED},
        _gpt_sentiment,
    ),
    Recipe(
        "sentiment-gpt-lora",
        "the same with LoRA",
        "sentiment",
        1,
        {
            **_SENTIMENT,
            **_LORA,
            "start": "shakespeare-gpt",
            "searched": {"learning_rate": (2e-3, 4e-3), "from_scratch_learning_rate": (5e-4, 1e-3)},
        },
        _gpt_sentiment,
    ),
    Recipe(
        "sentiment-bert",
        "the Shakespeare BERT, fine-tuned to judge film reviews",
        "sentiment",
        1,
        {**_SENTIMENT, "start": "shakespeare-bert", "learning_rate": 5e-4},
        _bert_sentiment,
    ),
    Recipe(
        "sentiment-bert-lora",
        "the same with LoRA",
        "sentiment",
        1,
        {**_SENTIMENT, **_LORA, "start": "shakespeare-bert"},
        _bert_sentiment,
    ),
    Recipe(
        "replies-bert",
        "the Shakespeare BERT, fine-tuned to choose the reply that followed",
        "dialogue",
        1,
        {**_REPLIES, "start": "shakespeare-bert", "learning_rate": 5e-4},
        _replies,
    ),
    Recipe(
        "replies-bert-lora",
        "the same with LoRA",
        "dialogue",
        1,
        {**_REPLIES, **_LORA, "start": "shakespeare-bert"},
        _replies,
    ),
)
