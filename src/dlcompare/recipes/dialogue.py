"""The Shakespeare GPT, fine-tuned to reply: all its weights, or LoRA."""

from __future__ import annotations

from torch import nn

from dlcompare import checkpoints, data
from dlcompare.dialogue import Example, examples, reply_batches, reply_bits_per_character, turns_of
from dlcompare.models import GPT
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import History, Run, add_lora, fit, mixed_batches, n_parameters, reply_loss, set_seed

__all__ = ["RECIPES"]


def _dialogue(recipe: Recipe, run: Run) -> Trained:
    s = recipe.settings
    start = checkpoints.load(s["start"], expected=GPT)
    model, tokenizer = start.model, start.tokenizer
    if not isinstance(tokenizer, BPETokenizer):
        raise TypeError(f"start is {s['start']!r}, which has no BPE tokenizer; allowed is a GPT with one")
    block = model.config.block_size
    questions, chats = data.load_questions_and_answers(), data.load_dialogue()

    # A chat without its first turn is a chat too, in which the other one replies: twice as many replies.
    turns = turns_of(chats.train)
    train_chats = examples(tokenizer, [*turns, *(t[1:] for t in turns)], block)
    train_questions = examples(tokenizer, questions.train, block)
    held_out = {
        "questions": examples(tokenizer, questions.validation, block),
        "chats": examples(tokenizer, turns_of(chats.validation), block),
    }

    # While it trains, part of the chats will do; the card's numbers are of them all.
    watched = {name: pool[: s["watched"]] for name, pool in held_out.items()}

    def measured(model: nn.Module, pools: dict[str, list[Example]]) -> dict[str, float]:
        return {name: reply_bits_per_character(model, pool) for name, pool in pools.items()}

    def trained(model: nn.Module, learning_rate: float, run: Run) -> History:
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
            learning_rate=learning_rate,
            weight_decay=s["weight_decay"],
            warmup=s["warmup"],
            evaluate=lambda m: sum(measured(m, watched).values()) / len(watched),
            evaluate_every=s["evaluate_every"],
            bfloat16=None,
            run=run,
            description=recipe.name,
        )
        checkpoints.rounded(model)
        return history

    results = {"_before": measured(model, held_out)}
    if "lora" in s:
        set_seed(recipe.seed)
        add_lora(model, **s["lora"])
    history = trained(model, s["learning_rate"], run)
    results[""] = measured(model, held_out)
    if "from_scratch_learning_rate" in s:
        set_seed(recipe.seed)
        scratch = GPT(model.config)
        trained(scratch, s["from_scratch_learning_rate"], run.stage("from-scratch"))
        results["_from_scratch"] = measured(scratch, held_out)

    metrics: dict[str, float | int] = {}
    for name, pool in held_out.items():
        key = f"{name}_validation_reply"
        for when, bits in results.items():
            metrics[f"{key}_bits_per_character{when}"] = bits[name]
        metrics[f"{key}_characters"] = sum(example.n_characters for example in pool)
    if "lora" in s:
        metrics["trainable_parameters"] = n_parameters(model) - model.config.n_parameters
    metrics["train_questions"] = len(train_questions)
    metrics["train_chat_pieces"] = len(train_chats)
    sources = {"data questions": data.sha256("questions"), f"checkpoint {s['start']}": start.card["sha256"]}
    return Trained(model, history, metrics, tokenizer, sources)


_DIALOGUE = {
    "start": "shakespeare-gpt",
    "questions_share": 0.3,
    "questions_batch_size": 64,
    "chats_batch_size": 10,
    "weight_decay": 0.1,
    "warmup": 50,
    "watched": 100,
    "evaluate_every": 100,
}


#: The recipes of this module.
RECIPES = (
    Recipe(
        "dialogue-gpt",
        "the Shakespeare GPT, fine-tuned to reply (train shakespeare-gpt first)",
        "dialogue",
        1,
        {**_DIALOGUE, "steps": 1000, "learning_rate": 1e-3},
        _dialogue,
    ),
    Recipe(
        "dialogue-gpt-lora",
        "the same with LoRA, and fewer steps",
        "dialogue",
        1,
        {
            **_DIALOGUE,
            "steps": 400,
            "learning_rate": 5e-3,
            "from_scratch_learning_rate": 2e-3,
            "lora": {"rank": 4, "alpha": 8, "names": ("query_key_value", "project", "mlp.0", "mlp.2")},
            # by what 150 steps reach on the part of the validation replies that is watched
            "searched": {"learning_rate": (2e-3, 5e-3), "from_scratch_learning_rate": (1e-3, 2e-3)},
        },
        _dialogue,
    ),
)
