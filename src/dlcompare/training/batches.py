"""The batches that a model is trained on, drawn for ever: what they hold depends on the generator alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from dlcompare.training.collate import Collate, Marks, Texts, mask_tokens, packed
from dlcompare.training.losses import Batch

__all__ = [
    "example_batches",
    "forecast_batches",
    "mixed_batches",
    "pretraining_batches",
    "pretraining_examples",
    "set_seed",
    "shuffled_batches",
    "window_batches",
]


def set_seed(seed: int) -> torch.Generator:
    """Seed torch's global generator and return a fresh one of the same seed, for batches and sampling."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def shuffled_batches(
    inputs: Tensor,
    targets: Tensor,
    batch_size: int,
    generator: torch.Generator,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
) -> Iterator[Batch]:
    """Yield batches for ever, epoch after epoch in a new order; a rest smaller than ``batch_size`` waits.

    ``augment(inputs of one batch, generator)`` may return them changed.

    Raises
    ------
    ValueError
        when there are not as many ``targets`` as ``inputs``, or ``batch_size`` is not between 1 and their number.
    """
    if len(inputs) != len(targets):
        raise ValueError(f"targets has {len(targets)} entries; allowed is as many as inputs has: {len(inputs)}")
    if not 1 <= batch_size <= len(inputs):
        raise ValueError(f"batch_size is {batch_size}; allowed are 1 to {len(inputs)}, the number of examples")
    while True:
        order = torch.randperm(len(inputs), generator=generator)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            batch = inputs[chosen]
            yield (augment(batch, generator) if augment else batch), targets[chosen]


def window_batches(ids: Tensor, seq: int, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield for ever ``batch_size`` windows of ``seq`` tokens at random places of the text ``ids`` (n,).

    Raises
    ------
    ValueError
        when ``seq`` is not between 1 and one less than the tokens there are.
    """
    if not 1 <= seq < len(ids):
        raise ValueError(f"seq is {seq}; allowed are 1 to {len(ids) - 1}, one less than the tokens there are")
    while True:
        starts = torch.randint(len(ids) - seq, (batch_size,), generator=generator)
        windows = torch.stack([ids[s : s + seq + 1] for s in starts.tolist()])  # (batch, seq + 1)
        yield windows[:, :-1].long(), windows[:, 1:].long()


def mixed_batches(
    first: Iterator[Batch], second: Iterator[Batch], share: float, generator: torch.Generator
) -> Iterator[Batch]:
    """Yield from ``first`` with probability ``share``, else from ``second``.

    Raises
    ------
    ValueError
        for a ``share`` outside 0 ≤ share ≤ 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; allowed is 0 ≤ share ≤ 1")
    while True:
        yield next(first if torch.rand((), generator=generator) < share else second)


def example_batches(
    texts: Sequence[Texts], labels: Tensor, batch_size: int, generator: torch.Generator, collate: Collate
) -> Iterator[Batch]:
    """Yield for ever batches of texts with their labels, each as long as its longest text.

    Epoch after epoch in a new order. Texts of similar length, of 16 batches drawn at random, come together, so that
    little has to be filled up; a rest smaller than ``batch_size`` waits.

    Parameters
    ----------
    texts
        the token ids of each example's one or two texts.
    labels
        the classes, (n,).
    batch_size
        number of examples.
    generator
        draws the order.
    collate
        makes what the model reads of the texts of a batch.

    Yields
    ------
    Batch
        what ``collate`` gives, and the labels (batch,).

    Raises
    ------
    ValueError
        when there are not as many ``labels`` as ``texts``, or ``batch_size`` is not between 1 and their number.
    """
    if len(texts) != len(labels):
        raise ValueError(f"labels has {len(labels)} entries; allowed is as many as texts has: {len(texts)}")
    if not 1 <= batch_size <= len(texts):
        raise ValueError(f"batch_size is {batch_size}; allowed are 1 to {len(texts)}, the number of examples")
    length = [sum(map(len, row)) for row in texts]
    while True:
        order = torch.randperm(len(texts), generator=generator).tolist()
        for start in range(0, len(order), 16 * batch_size):
            by_length = sorted(order[start : start + 16 * batch_size], key=length.__getitem__)
            n = len(by_length) // batch_size
            for i in torch.randperm(n, generator=generator).tolist():
                chosen = by_length[i * batch_size : (i + 1) * batch_size]
                yield *collate([texts[j] for j in chosen]), labels[chosen]


def forecast_batches(
    series: Tensor, window: int, batch_size: int, generator: torch.Generator, ahead: int = 1
) -> Iterator[Batch]:
    """Yield for ever windows of a series and, for each of their values, the one ``ahead`` later: what to forecast.

    Parameters
    ----------
    series
        the values in the order of time, (n,).
    window
        how many values the model reads.
    batch_size
        windows in a batch.
    generator
        draws their places.
    ahead
        how many steps ahead the forecast lies.

    Yields
    ------
    Batch
        (inputs, targets) for :func:`~dlcompare.training.regression_loss`, each (batch, window, 1), as a
        :class:`~dlcompare.models.Recurrent` reads and gives them.

    Raises
    ------
    ValueError
        when ``series`` has another shape, ``window`` or ``ahead`` is less than 1, or both are longer than the series.
    """
    if series.ndim != 1:
        raise ValueError(f"series has shape {tuple(series.shape)}; allowed is (n,)")
    if window < 1 or ahead < 1 or window + ahead > len(series):
        raise ValueError(
            f"window is {window} and ahead is {ahead}; allowed are at least 1 each and {len(series)} in sum, the"
            " length of the series"
        )
    spans = series.unfold(0, window + ahead, 1)[..., None]  # (n - window - ahead + 1, window + ahead, 1)
    while True:
        chosen = spans[torch.randint(len(spans), (batch_size,), generator=generator)]
        yield chosen[:, :window], chosen[:, ahead:]


def _masked_pairs(
    ids: Tensor,
    starts: Tensor,
    elsewhere: Tensor,
    is_random: Tensor,
    seq: int,
    marks: Marks,
    generator: torch.Generator,
) -> Batch:
    """Return the batch that :func:`pretraining_batches` describes, for windows at ``starts`` (batch,)."""
    n = seq - 3
    cuts = torch.randint(n // 4, n - n // 4 + 1, (len(starts),), generator=generator)
    rows = []
    for start, other, drawn, cut in zip(*(x.tolist() for x in (starts, elsewhere, is_random, cuts)), strict=True):
        second = other if drawn else start
        rows.append((ids[start : start + cut].tolist(), ids[second + cut : second + n].tolist()))
    whole, segments, _ = packed(rows, marks)  # (batch, seq) each
    maskable = (whole != marks.cls) & (whole != marks.sep)
    vocab_size = max(*marks, int(ids.max())) + 1
    read, targets = mask_tokens(whole, maskable, mask_id=marks.mask, vocab_size=vocab_size, generator=generator)
    return read, segments, targets, is_random


def pretraining_batches(
    ids: Tensor, seq: int, batch_size: int, generator: torch.Generator, marks: Marks
) -> Iterator[Batch]:
    """Yield for ever batches for :func:`~dlcompare.training.pretraining_loss`: masked pairs of pieces of a text.

    Each row is a window of the text at a random place, cut in two between its first quarter and its last. The second
    piece is kept in half of the rows; in the others one of the same length comes from elsewhere (Devlin et al. 2019,
    section 3.1 and appendix A.2, where it comes from another document). All rows are equally long and have equally
    many tokens to guess.

    Parameters
    ----------
    ids
        the text, (n,).
    seq
        length of a row: the window, [CLS] and twice [SEP].
    batch_size
        number of rows.
    generator
        draws everything.
    marks
        the ids of the special tokens; ids drawn at random in their place are those up to the highest.

    Yields
    ------
    Batch
        what the model reads, segments, targets, each (batch, seq), and is_random (batch,): 0 where the second piece
        follows the first in the text (IsNext), 1 where it is from elsewhere (NotNext).

    Raises
    ------
    ValueError
        when ``seq`` has no room for two pieces or is longer than the text, or ``batch_size`` < 1.
    """
    if not 7 <= seq <= len(ids) + 3:
        raise ValueError(f"seq is {seq}; allowed are 7 to {len(ids) + 3}, three more than the tokens there are")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; allowed are integers of at least 1")
    while True:
        starts, elsewhere = torch.randint(len(ids) - seq + 4, (2, batch_size), generator=generator)
        is_random = torch.randint(2, (batch_size,), generator=generator)
        yield _masked_pairs(ids, starts, elsewhere, is_random, seq, marks, generator)


def pretraining_examples(ids: Tensor, seq: int, generator: torch.Generator, marks: Marks) -> Batch:
    """Return a whole text, to measure on, as one batch of the form of :func:`pretraining_batches`.

    Window follows window, the last one moved back to end with the text. Every other row has its second piece from
    the window half the text away.

    Parameters
    ----------
    ids
        the text, (n,).
    seq, generator, marks
        as there.

    Raises
    ------
    ValueError
        when the text is shorter than two windows.
    """
    n = seq - 3
    if len(ids) < 2 * n:
        raise ValueError(f"ids has {len(ids)} tokens; allowed are at least {2 * n}, two windows of seq - 3")
    starts = torch.tensor([*range(0, len(ids) - n, n), len(ids) - n])
    is_random = torch.arange(len(starts)) % 2
    return _masked_pairs(ids, starts, starts.roll(len(starts) // 2), is_random, seq, marks, generator)
