"""A BERT-style encoder of the Shakespeare GPT's size, pre-trained on the same text with the same budget.

The budget is that of the GPT: as many steps, tokens per step, and threads. The first steps read short rows, the others
long ones, as in the paper (Devlin et al. 2019, appendix A.2, where nine steps of ten are short; here the learning rate
has fallen too far by then: a model trained so needed 3.6 bits for a masked token in a short row, 6.6 in a long one).
Two settings are the encoder's own, for with the GPT's it had learned after 1000 steps little more than how frequent
tokens are: Muon's learning rate is half as high, and the position embeddings start as scaled sinusoids (Vaswani et al.
2017, section 3.5) and not at random.
"""

from __future__ import annotations

import itertools
import math

import torch

from dlcompare import checkpoints, data
from dlcompare.models import BERT, BERTConfig
from dlcompare.models.encoder import sinusoidal_positions
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.recipes.shakespeare import SETTINGS, training_budget
from dlcompare.tokenization import ENCODER_TOKENS, BPETokenizer
from dlcompare.training import (
    IGNORED,
    Batch,
    Marks,
    Run,
    fit,
    pretraining_batches,
    pretraining_examples,
    pretraining_loss,
    pretraining_measures,
    set_seed,
)

__all__ = ["RECIPES", "frequency_baseline"]


def frequency_baseline(train_ids: torch.Tensor, batch: Batch, vocab_size: int) -> dict[str, float]:
    """Return what a guess without looking is worth on ``batch``: of a token by how frequent each is, of a class always.

    Parameters
    ----------
    train_ids
        the text whose tokens are counted, (n,); one is added to each count.
    batch
        (ids, segments, targets, is_random), the first three (n, seq), the last (n,).
    vocab_size
        number of distinct ids.
    """
    _, _, targets, is_random = batch
    hidden = targets[targets != IGNORED]  # (hidden tokens,)
    counts = torch.bincount(train_ids, minlength=vocab_size).double() + 1  # (vocab_size,)
    nats = -(counts / counts.sum()).log()[hidden].mean().item()
    random = is_random.double().mean().item()
    return {
        "baseline_masked_token_accuracy": (hidden == counts.argmax()).double().mean().item(),
        "baseline_bits_per_masked_token": nats / math.log(2),
        "baseline_next_sentence_accuracy": max(random, 1 - random),
    }


def _pretrain(recipe: Recipe, run: Run) -> Trained:
    corpus = data.load_shakespeare()
    s = recipe.settings
    tokenizer = BPETokenizer.train(corpus.train.text, s["vocab_size"]).with_tokens(*ENCODER_TOKENS)
    train_ids, validation_ids = (torch.tensor(tokenizer.encode(c.text)) for c in (corpus.train, corpus.validation))
    marks = Marks.of(tokenizer)
    # The same gaps and pairs at every evaluation: their generator is their own.
    held_out = pretraining_examples(validation_ids, s["seq"], torch.Generator().manual_seed(recipe.seed), marks)
    generator = set_seed(recipe.seed)
    model = BERT(BERTConfig(vocab_size=tokenizer.vocab_size, **s["model"]))
    c = model.config
    with torch.no_grad():
        model.position_embedding.weight.copy_(s["position_scale"] * sinusoidal_positions(c.block_size, c.d_model))
    short_batch_size = s["batch_size"] * s["seq"] // s["short_seq"]  # as many tokens as in a batch of long rows
    short = pretraining_batches(train_ids, s["short_seq"], short_batch_size, generator, marks)
    long = pretraining_batches(train_ids, s["seq"], s["batch_size"], generator, marks)

    def bits(model: torch.nn.Module) -> float:
        measured = pretraining_measures(model, held_out)
        return measured["bits_per_masked_token"] + measured["bits_per_next_sentence"]

    history = fit(
        model,
        pretraining_loss,
        itertools.chain(itertools.islice(short, s["short_steps"]), long),
        **recipe.course,
        evaluate=bits,
        bfloat16=None,
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    measured = pretraining_measures(model, held_out) | frequency_baseline(train_ids, held_out, tokenizer.vocab_size)
    # What was read in both phases, short rows and long ones.
    budgets = [
        training_budget(model, steps, *next(batches)[:2])
        for batches, steps in ((short, s["short_steps"]), (long, s["steps"] - s["short_steps"]))
    ]
    metrics: dict[str, float | int] = {
        **{f"validation_{name}": value for name, value in measured.items()},
        "validation_pairs": len(held_out[0]),
        "validation_masked_tokens": int((held_out[2] != IGNORED).sum()),
        "validation_tokens": len(validation_ids),
        "train_tokens": len(train_ids),
        **{name: sum(budget[name] for budget in budgets) for name in budgets[0]},
    }
    return Trained(model, history, metrics, tokenizer)


#: The recipes of this module.
RECIPES = (
    Recipe(
        "shakespeare-bert",
        "a BERT-style encoder of the GPT's size, on the same tokens with the same budget",
        "shakespeare",
        1,
        {
            **SETTINGS,
            "muon_learning_rate": 0.01,
            "position_scale": 0.03,
            "short_seq": 64,
            "short_steps": 2000,
            "model": {"block_size": 256, "n_layer": 4, "n_head": 4, "d_model": 192},
            "steps": 5500,
        },
        _pretrain,
    ),
)
