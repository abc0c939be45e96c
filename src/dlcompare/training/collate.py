"""From token ids of texts to what a model reads: rows of equal length, with marks around the texts and gaps in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from dlcompare.models.checks import check_ids
from dlcompare.tokenization import CLS, MASK, PAD, SEP, BPETokenizer
from dlcompare.training.losses import IGNORED

__all__ = ["Collate", "Marks", "Texts", "ended", "mask_tokens", "packed"]

#: The token ids of one text, or of the two texts of a pair.
Texts = Sequence[Sequence[int]]

#: Makes what a model reads, each tensor (batch, …), of the texts of each row: :func:`packed` or :func:`ended`.
Collate = Callable[[Sequence[Texts]], tuple[Tensor, ...]]


class Marks(NamedTuple):
    """The ids of the tokens that an encoder reads beside those of its texts: [CLS], [SEP], [MASK] and [PAD]."""

    cls: int
    sep: int
    mask: int
    pad: int

    @classmethod
    def of(cls, tokenizer: BPETokenizer) -> Self:
        """Return the ids that ``tokenizer`` gives them; see :data:`dlcompare.tokenization.ENCODER_TOKENS`.

        Raises
        ------
        ValueError
            when its vocabulary lacks one of them.
        """
        return cls(*(tokenizer.id_of(token) for token in (CLS, SEP, MASK, PAD)))


def packed(texts: Sequence[Texts], marks: Marks) -> tuple[Tensor, Tensor, Tensor]:
    """Write texts, or pairs of texts, as an encoder reads them: [CLS] first [SEP], or [CLS] first [SEP] second [SEP].

    Short rows are filled up with [PAD] on the right (Devlin et al. 2019, section 3).

    Parameters
    ----------
    texts
        for each row, the token ids of its one or two texts.
    marks
        the ids of the tokens around them.

    Returns
    -------
    tuple[Tensor, Tensor, Tensor]
        ids, segments (0 up to the first [SEP], then 1) and visible (False where there is [PAD]), each (batch, seq).

    Raises
    ------
    ValueError
        for no rows, or a row that has neither one nor two texts.
    """
    if not texts or any(len(row) not in (1, 2) for row in texts):
        raise ValueError(
            f"texts has rows of {[len(row) for row in texts]} texts; allowed are 1 or 2, in at least one row"
        )
    rows = [[marks.cls, *(i for text in row for i in (*text, marks.sep))] for row in texts]
    length = torch.tensor([len(row) for row in rows])
    first = torch.tensor([len(row[0]) + 2 for row in texts])  # with [CLS] and [SEP]
    place = torch.arange(int(length.max()))  # (seq,)
    ids = torch.tensor([row + [marks.pad] * (len(place) - len(row)) for row in rows])  # (batch, seq)
    visible = place < length[:, None]  # (batch, seq)
    return ids, ((place >= first[:, None]) & visible).long(), visible


def ended(texts: Sequence[Texts], end: int) -> tuple[Tensor, Tensor]:
    """Write texts as a causal model reads them to judge them: first, second if there is one, then the token ``end``.

    Short rows are filled up with ``end`` on the right, where no earlier position sees it (Radford et al. 2018, section
    3.3, which puts a token between two texts as well).

    Parameters
    ----------
    texts
        for each row, the token ids of its texts.
    end
        id of the token at whose place the model says what it thinks of the whole.

    Returns
    -------
    tuple[Tensor, Tensor]
        ids, and visible (False where a row is filled up), each (batch, seq).

    Raises
    ------
    ValueError
        for no rows.
    """
    if not texts:
        raise ValueError("texts is empty; at least one row is needed")
    rows = [[*(i for text in row for i in text), end] for row in texts]
    length = torch.tensor([len(row) for row in rows])
    place = torch.arange(int(length.max()))  # (seq,)
    ids = torch.tensor([row + [end] * (len(place) - len(row)) for row in rows])  # (batch, seq)
    return ids, place < length[:, None]


def mask_tokens(
    ids: Tensor,
    maskable: Tensor,
    *,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    share: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Hide tokens that the model is to predict, by the recipe of section 3.1, task 1.

    Of the tokens of each sequence, 15 % are chosen. A chosen token becomes [MASK] with probability 0.8, a random token
    with probability 0.1, and stays as it is with probability 0.1, for in fine-tuning there is no [MASK].

    Parameters
    ----------
    ids
        token ids, (batch, seq).
    maskable
        boolean, (batch, seq): False for what is never chosen: padding and the special tokens [CLS] and [SEP].
    mask_id
        id of [MASK].
    vocab_size
        random tokens are drawn from 0 to ``vocab_size`` - 1.
    generator
        draws everything, so that a seed gives the same gaps again.
    share
        share of the maskable tokens of a sequence that are chosen; their number is rounded, and at least one.

    Returns
    -------
    tuple[Tensor, Tensor]
        what the model reads and what it is to predict, each (batch, seq); the targets of tokens that were not chosen
        are :data:`IGNORED`.

    Raises
    ------
    ValueError
        for a ``share`` outside 0 < share ≤ 1, or ids out of range.
    """
    check_ids(ids, vocab_size)
    if not 0 < share <= 1:
        raise ValueError(f"share is {share!r}; allowed is 0 < share ≤ 1")
    draw = torch.rand(ids.shape, generator=generator).masked_fill(~maskable, 2.0)  # (batch, seq)
    number = (share * maskable.sum(1, keepdim=True)).round().clamp(min=1)  # (batch, 1)
    chosen = (draw.argsort(1).argsort(1) < number) & maskable  # (batch, seq): the lowest draws of each sequence

    fate = torch.rand(ids.shape, generator=generator)  # (batch, seq)
    random_ids = torch.randint(vocab_size, ids.shape, generator=generator)  # (batch, seq)
    read = ids.masked_fill(chosen & (fate < 0.8), mask_id)
    read = torch.where(chosen & (fate >= 0.9), random_ids, read)
    return read, ids.masked_fill(~chosen, IGNORED)
