"""Sentences of film reviews with the mean score that people gave them, for the Transformer encoder."""

from __future__ import annotations

import dataclasses
import functools
import html
from typing import TYPE_CHECKING

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits, divided

if TYPE_CHECKING:
    import torch

__all__ = ["Sentences", "load_sentiment"]

# A sentence whose mean score is not farther from 0 than this has no label, and is left out.
_NEUTRAL = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences, whether each is meant well, and how much.

    Attributes
    ----------
    texts : tuple of str
        the sentences
    labels : torch.Tensor
        ``(n,)``, int64: 0 negative, 1 positive
    scores : torch.Tensor
        ``(n,)``, float32: the mean of people's scores from -4 (very negative) to 4 (very positive)

    Raises
    ------
    ValueError
        when ``labels`` or ``scores`` has another shape.
    """

    texts: tuple[str, ...]
    labels: torch.Tensor
    scores: torch.Tensor

    def __post_init__(self) -> None:
        for name in ("labels", "scores"):
            shape, n = tuple(getattr(self, name).shape), len(self.texts)
            if shape != (n,):
                raise ValueError(f"{name} has the shape {shape}; for {n} texts it must be ({n},)")

    def __len__(self) -> int:
        return len(self.texts)


def load_sentiment() -> Splits[Sentences]:
    """Return film-review sentences with a label, 80% to train, 10% to validate and 10% to test.

    A sentence has the label 1 if its mean score is above 0.5 and the label 0 if it is below -0.5; those in
    between are left out. Character references (``&amp;``) are resolved, two single quotes become one double
    quote, runs of white space become one blank, and of sentences that differ in letter case alone the first
    is kept. Every part has the same share of positive ones.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    import torch

    def sentences(part: tuple[tuple[str, float], ...]) -> Sentences:
        scores = torch.tensor([score for _, score in part], dtype=torch.float32)
        return Sentences(tuple(text for text, _ in part), (scores > 0).to(torch.int64), scores)

    return _scored().map(sentences)


@functools.cache
def _scored() -> Splits[tuple[tuple[str, float], ...]]:
    (raw,) = members("sentiment").values()
    scored: dict[str, tuple[str, float]] = {}
    for line in raw.decode("utf-8").splitlines():
        _, score, sentence = line.split("\t")
        if abs(float(score)) > _NEUTRAL:
            text = " ".join(html.unescape(sentence).replace("''", '"').split())
            scored.setdefault(text.casefold(), (text, float(score)))
    return divided(
        scored.values(),
        key=lambda item: item[0].casefold(),
        stratum=lambda item: item[1] > 0,
        validation=10,
        test=10,
    )
