"""The Shakespeare GPT, fine-tuned to reply."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from dlcompare import checkpoints, data
from dlcompare.dialogue import Example, examples, reply_batches, reply_bits_per_character
from dlcompare.models import GPT
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import Run, fit, mixed_batches, reply_loss, set_seed

__all__ = ["RECIPES"]


def _turns(conversations: Iterable[data.Conversation]) -> list[tuple[str, ...]]:
    """Each conversation as its texts."""
    return [tuple(turn.text for turn in conversation.turns) for conversation in conversations]


def _dialogue(recipe: Recipe, run: Run) -> Trained:
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

    def measured(model: nn.Module, pools: dict[str, list[Example]]) -> dict[str, float]:
        return {name: reply_bits_per_character(model, pool) for name, pool in pools.items()}

    # While it trains, part of the chats will do; the card's numbers are of them all.
    watched = {name: pool[: s["watched"]] for name, pool in held_out.items()}
    before = measured(model, held_out)
    generator = set_seed(recipe.seed)
    history = fit(
        model,
        reply_loss,
        mixed_batches(
            reply_batches(train_questions, s["questions_batch_size"], generator),
            reply_batches(train_chats, s["chats_batch_size"], generator),
            s["questions_share"],
            generator,
        ),
        steps=s["steps"],
        learning_rate=s["learning_rate"],
        weight_decay=s["weight_decay"],
        warmup=s["warmup"],
        evaluate=lambda m: sum(measured(m, watched).values()) / len(watched),
        evaluate_every=s["evaluate_every"],
        bfloat16=None,
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    after = measured(model, held_out)
    metrics: dict[str, float | int] = {}
    for name, pool in held_out.items():
        metrics[f"{name}_validation_reply_bits_per_character_before"] = before[name]
        metrics[f"{name}_validation_reply_bits_per_character"] = after[name]
        metrics[f"{name}_validation_reply_characters"] = sum(example.n_characters for example in pool)
    metrics["train_questions"] = len(train_questions)
    metrics["train_chat_pieces"] = len(train_chats)
    sources = {"data questions": data.sha256("questions"), f"checkpoint {s['start']}": start.card["sha256"]}
    return Trained(model, history, metrics, tokenizer, sources)


#: The recipes of this module.
RECIPES = (
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
)
