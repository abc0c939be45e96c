"""Three made-up tasks of memory, each at several distances: recalling, copying, adding.

Training examples are drawn anew for every batch, the distance of each at random; validation and test part are drawn
once, from seeds of their own, and measured at each distance.

Recall of an associated value from a key is an old test of memory (Graves, Wayne & Danihelka 2014, arXiv:1410.5401,
section 4.3; Ba et al. 2016, arXiv:1610.06258; Arora et al. 2023, arXiv:2312.04927), copying is the first's too (section
4.1), adding is Hochreiter & Schmidhuber's (1997, experiment 4).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task
from dlcompare.data import Splits
from dlcompare.training import IGNORED

__all__ = ["ADDING", "COPYING", "RECALL", "adding", "copying", "recall"]

Draw = Callable[[int, torch.Generator], Part]

#: Seeds of the validation and the test part; those of training are the runs'.
_VALIDATION_SEED, _TEST_SEED = 1_000_001, 1_000_002

_RECALL_DISTANCES, _PAIRS, _KEYS, _QUESTIONS = (2, 8, 16, 32), 4, 8, 16
#: Symbols of a string to copy.
_SYMBOLS = 16
# Even of the shortest strings there are so many that none is trained on and asked for.
_COPY_LENGTHS = (8, 16, 24, 32)
_ADDING_LENGTHS = (8, 16, 32, 64)


def _chosen(choices: tuple[int, ...], n: int, generator: torch.Generator) -> Tensor:
    return torch.tensor(choices)[torch.randint(len(choices), (n,), generator=generator)]


def recall(
    n: int,
    generator: torch.Generator,
    distances: tuple[int, ...] = _RECALL_DISTANCES,
    pairs: int = _PAIRS,
    keys: int = _KEYS,
    questions: int = _QUESTIONS,
) -> Part:
    """Return ``n`` rows with a few pairs of key and value, then blanks, then questions: keys whose values are asked.

    A pair is one token, and so is a question. The answers don't stand in the row. With many questions to a row, this is
    the multi-query form of the task (Arora et al. 2023); each key has one value, drawn anew for every row.

    Parameters
    ----------
    n, generator
        how many rows, (n, seq), and what draws them.
    distances
        how many blanks there may be between the pairs and the questions; before the pairs, blanks fill up.
    pairs
        how many pairs there are; their keys differ.
    keys
        how many keys there are, and as many values. Ids: the pairs, ``keys`` × key + value; the questions; the values;
        the blank.
    questions
        how many of the row's keys are asked for, some more than once.

    Raises
    ------
    ValueError
        when there are more ``pairs`` than keys.
    """
    if pairs > keys:
        raise ValueError(f"pairs is {pairs}; allowed are at most keys = {keys}, for those of a row differ")
    seq = pairs + max(distances) + questions
    question, value, blank = keys**2, keys**2 + keys, keys**2 + 2 * keys  # the first ids of each kind
    distance = _chosen(distances, n, generator)
    chosen = torch.rand(n, keys, generator=generator).argsort(1)[:, :pairs]  # (n, pairs)
    values = torch.randint(keys, (n, pairs), generator=generator)
    asked = torch.randint(pairs, (n, questions), generator=generator)
    ids = torch.full((n, seq), blank)
    begin = max(distances) - distance  # (n,)
    ids.scatter_(1, begin[:, None] + torch.arange(pairs), keys * chosen + values)
    ids[:, -questions:] = question + chosen.gather(1, asked)
    targets = torch.full((n, seq), IGNORED)
    targets[:, -questions:] = value + values.gather(1, asked)
    return Part(ids, targets, groups=distance)


def copying(
    n: int, generator: torch.Generator, lengths: tuple[int, ...] = _COPY_LENGTHS, symbols: int = _SYMBOLS
) -> Part:
    """Return ``n`` rows with a random string, a mark, and the string again, which is to be foretold symbol by symbol.

    Rows (n, seq) of shorter strings begin with blanks. Ids: the symbols, the blank, the mark.
    """
    longest = max(lengths)
    blank, mark = symbols, symbols + 1
    length = _chosen(lengths, n, generator)[:, None]  # (n, 1)
    text = torch.randint(symbols, (n, longest), generator=generator)  # its first symbols count
    place = torch.arange(2 * longest + 1)[None] - (2 * (longest - length))  # (n, 2 longest + 1), 0 at the beginning
    whole = torch.full(place.shape, blank)
    first, second = (place >= 0) & (place < length), place > length
    whole = torch.where(first, text.gather(1, place.clamp(0, longest - 1)), whole)
    whole = torch.where(place == length, mark, whole)
    whole = torch.where(second, text.gather(1, (place - length - 1).clamp(0, longest - 1)), whole)
    targets = whole[:, 1:].masked_fill(~second[:, 1:], IGNORED)
    return Part(whole[:, :-1].contiguous(), targets, groups=length[:, 0])


def adding(n: int, generator: torch.Generator, lengths: tuple[int, ...] = _ADDING_LENGTHS) -> Part:
    """Return ``n`` series of random numbers between 0 and 1, two of them marked, and the sum of those.

    A row is (seq, 2), number and mark; one mark is in its first half and one in its second. Rows (n, seq, 2) of shorter
    series begin with zeros. Whoever always answers 1 has a mean squared error of 1/6.
    """
    longest = max(lengths)
    length = _chosen(lengths, n, generator)  # (n,)
    numbers = torch.rand(n, longest, generator=generator)
    begin = longest - length
    numbers = numbers.masked_fill(torch.arange(longest) < begin[:, None], 0.0)
    half = length // 2
    first = begin + (torch.rand(n, generator=generator) * half).long()
    second = begin + half + (torch.rand(n, generator=generator) * (length - half)).long()
    places = torch.stack([first, second], 1)  # (n, 2)
    marks = torch.zeros(n, longest).scatter_(1, places, 1.0)
    return Part(torch.stack([numbers, marks], 2), numbers.gather(1, places).sum(1, keepdim=True), groups=length)


def load(draw: Draw, form: Form, held_out: int, seed: int) -> Examples:
    """Return a task that ``draw`` makes up, with ``held_out`` examples each to validate and to test on.

    The part to train on is a sample for those that learn from a fixed one, drawn by ``seed``, as large.
    """
    parts = (draw(held_out, torch.Generator().manual_seed(s)) for s in (seed, _VALIDATION_SEED, _TEST_SEED))
    return Examples(form, Splits(*parts), draw)


def _task(
    name: str, summary: str, draw: Draw, form: Form, metric: Metric, bar: Bar, steps: int, numbers: object
) -> Task:
    return Task(
        name,
        summary,
        functools.partial(load, draw, form, 2000),
        metric,
        {"batch_size": 64, "steps": steps, "held_out": 2000, "at": numbers},
        bar=bar,
        sampled=True,
    )


_GUESS = Bar("the answer that is right most often", "baseline")

#: Ids of the recall task: pairs, questions, values, and the blank.
_RECALL_IDS = _KEYS**2 + 2 * _KEYS + 1
_RECALL_FORM = Form(
    "tokens",
    "places",
    _RECALL_IDS,
    _PAIRS + max(_RECALL_DISTANCES) + _QUESTIONS,
    _RECALL_IDS,
    looks_ahead=True,
)
#: Associative recall.
RECALL = _task(
    "recall",
    "which value went with this key, so many tokens ago?",
    recall,
    _RECALL_FORM,
    Metric("accuracy", "share", higher_is_better=True),
    _GUESS,
    1500,
    {"distances": _RECALL_DISTANCES, "pairs": _PAIRS, "keys": _KEYS, "questions": _QUESTIONS},
)

#: Copying.
COPYING = _task(
    "copying",
    "repeat a random string",
    copying,
    Form("tokens", "places", _SYMBOLS + 2, 2 * max(_COPY_LENGTHS), _SYMBOLS + 2),
    Metric("accuracy", "share", higher_is_better=True),
    _GUESS,
    1500,
    {"lengths": _COPY_LENGTHS, "symbols": _SYMBOLS},
)

#: Adding.
ADDING = _task(
    "adding",
    "add the two marked numbers of a long series",
    adding,
    Form("series", "value", 2, max(_ADDING_LENGTHS), 1),
    Metric("mean_absolute_error", "1", higher_is_better=False),
    Bar("the mean of all answers", "baseline"),
    1500,
    {"lengths": _ADDING_LENGTHS},
)
