"""What a classic method reaches on the data that the recipes fine-tune on."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["TfidfClassifier"]


def _terms(text: str) -> Counter[str]:
    """Count the words of two letters or more, and the pairs of neighbours among them."""
    words = re.findall(r"\b\w\w+\b", text.lower())
    return Counter([*words, *(f"{first} {second}" for first, second in pairwise(words))])


class TfidfClassifier:
    r"""Logistic regression on TF-IDF: how often a text has each term, weighted by how rare that is.

    A text is a vector over the terms t (words and pairs of neighbours) of the n training texts, scaled to length 1:

    .. math:: \mathrm{tf}_t \left(1 + \ln \frac{1 + n}{1 + \mathrm{df}_t}\right)

    with :math:`\mathrm{tf}_t` times the term in the text, and :math:`\mathrm{df}_t` training texts that have it. The
    weights minimise the sum of the texts' losses and :math:`\frac12 \lVert w \rVert^2`. This is what scikit-learn's
    ``TfidfVectorizer(ngram_range=(1, 2))`` and ``LogisticRegression()`` do.

    Parameters
    ----------
    texts
        what it learns from.
    labels
        0 or 1 for each, (n,).
    """

    def __init__(self, texts: Sequence[str], labels: Tensor):
        counted = [_terms(text) for text in texts]
        frequency = Counter(term for terms in counted for term in terms)
        self.idf = {term: 1 + math.log((1 + len(texts)) / (1 + df)) for term, df in frequency.items()}
        self._column = {term: i for i, term in enumerate(self.idf)}
        self.weight = torch.zeros(len(self.idf), requires_grad=True)  # (terms,)
        self.bias = torch.zeros((), requires_grad=True)
        vectors = self._vectors(counted)
        optimizer = torch.optim.LBFGS([self.weight, self.bias], max_iter=100, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            errors = F.binary_cross_entropy_with_logits(self._scores(vectors), labels.float(), reduction="sum")
            value = errors + self.weight.square().sum() / 2
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]

    def _vectors(self, counted: Sequence[Counter[str]]) -> Tensor:
        """Return the texts as sparse vectors (n, terms)."""
        places: list[tuple[int, int]] = []
        values: list[float] = []
        for row, terms in enumerate(counted):
            weighted = {self._column[t]: count * self.idf[t] for t, count in terms.items() if t in self.idf}
            length = math.hypot(*weighted.values()) or 1.0
            places += [(row, column) for column in weighted]
            values += [value / length for value in weighted.values()]
        indices = torch.tensor(places, dtype=torch.int64).view(-1, 2).T
        size = (len(counted), len(self.idf))
        return torch.sparse_coo_tensor(indices, torch.tensor(values), size, check_invariants=True).coalesce()

    def _scores(self, vectors: Tensor) -> Tensor:
        scores: Tensor = torch.sparse.mm(vectors, self.weight[:, None])[:, 0] + self.bias  # (n,)
        return scores

    @torch.no_grad()
    def scores(self, texts: Sequence[str]) -> Tensor:
        """Return the log-odds of class 1 for each text, (n,)."""
        return self._scores(self._vectors([_terms(text) for text in texts]))
