"""SmolLM2 by prompting: a language model of 135 million parameters is asked in words, and nothing in it is trained.

Whichever of the two words it finds more probable as its answer's first token is its answer. Asked are the first
examples of each part alone, because one takes about a second; the record says how many. In the parts' fixed order,
which looks random, they are a sample.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from dlcompare import smollm
from dlcompare.checkpoints import Checkpoint
from dlcompare.comparison.baselines import Outcome
from dlcompare.comparison.task import Examples, Part, Task, judged
from dlcompare.models import Llama
from dlcompare.tokenization import BPETokenizer

__all__ = ["ASKED", "LABELS", "SHOTS", "answers", "prompted"]

#: How many examples of the validation part and of the test part are asked.
ASKED = (100, 200)
#: The most solved examples in a prompt.
SHOTS = 8
#: The words for the classes, in their order.
LABELS = ("negative", "positive")

_QUESTION = 'Is this sentence from a film review positive or negative? Answer with one word.\n\n"{text}"'


def prompted(
    task: Task,
    examples: Examples,
    seed: int,
    shots: int,
    loaded: Checkpoint[Llama] | None = None,
    asked: tuple[int, int] = ASKED,
) -> Outcome:
    """Return what SmolLM2 answers about sentences, after ``shots`` solved examples.

    Parameters
    ----------
    task, examples
        what is asked: texts of two classes, negative and positive.
    seed
        changes nothing but the sample of training examples, where the task has one.
    shots
        how many training examples stand solved in the prompt, the first ones; fewer where there are fewer.
    loaded
        the model and its tokenizer; by default SmolLM2, which is fetched the first time (93 MB).
    asked
        how many examples of the validation and of the test part are asked.

    Raises
    ------
    ValueError
        when the task is not one of texts and two classes.
    """
    if examples.form.size_out != len(LABELS) or not all(part.raw for part in examples.splits):
        raise ValueError(f"task is {task.name!r}; allowed is one of texts with {len(LABELS)} classes")
    loaded = loaded or _smollm()
    train, validation, test = examples.splits
    solved = [
        turn
        for text, label in zip(train.raw[:shots], train.targets[:shots].tolist(), strict=True)
        for turn in (_QUESTION.format(text=text), LABELS[label])
    ]

    def measured(part: Part, n: int) -> dict[str, float]:
        first = Part(torch.zeros(len(part.raw[:n])), part.targets[:n])
        return judged(answers(loaded, part.raw[:n], solved), first, examples.form)

    configuration = {
        "method": "prompting",
        "model": "SmolLM2-135M-Instruct",
        "prompt": _QUESTION,
        "shots": len(solved) // 2,
        "asked_of_validation": min(asked[0], len(validation)),
        "asked_of_test": min(asked[1], len(test)),
    }
    parameters = loaded.model.config.n_parameters
    return Outcome(measured(validation, asked[0]), measured(test, asked[1]), configuration, parameters)


@functools.cache
def _smollm() -> Checkpoint[Llama]:
    return smollm.load()


@torch.inference_mode()
def answers(loaded: Checkpoint[Llama], texts: Sequence[str], solved: Sequence[str] = ()) -> Tensor:
    """Return the logits (n, 2) of :data:`LABELS` as the answer's first token, for each of n texts.

    What all prompts begin with is read once, into a cache of keys and values.

    Parameters
    ----------
    loaded
        a model and its tokenizer.
    texts
        the sentences that are asked about.
    solved
        turns that stand before, questions and answers.

    Raises
    ------
    TypeError
        when the model has no byte-pair tokenizer.
    ValueError
        when both answers begin with the same token.
    """
    tokenizer = loaded.tokenizer
    if not isinstance(tokenizer, BPETokenizer):
        raise TypeError("loaded has no byte-pair tokenizer; allowed is a model with one")
    words = [tokenizer.encode(label)[0] for label in LABELS]
    if words[0] == words[1]:
        raise ValueError(f"LABELS is {LABELS}, which begin with the same token; allowed are words that don't")
    prompts = [smollm.encode_chat(tokenizer, [*solved, _QUESTION.format(text=text)]) for text in texts]
    shared = _beginning([prompt[:-1] for prompt in prompts])
    model = loaded.model
    cache = model.new_cache(1, max(map(len, prompts)))
    if shared:
        model.hidden(torch.tensor([shared]), cache)
    logits = []
    for prompt in prompts:
        cache.length = len(shared)
        last = model.hidden(torch.tensor([prompt[len(shared) :]]), cache)[0, -1]  # (d_model,)
        logits.append(model.head(last)[words])
    return torch.stack(logits)


def _beginning(rows: Sequence[Sequence[int]]) -> list[int]:
    """Return what all rows begin with."""
    shared = []
    for tokens in zip(*rows, strict=False):
        if len(set(tokens)) > 1:
            break
        shared.append(tokens[0])
    return shared
