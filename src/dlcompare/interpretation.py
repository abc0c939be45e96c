"""Reading what a network holds inside: the logit lens, linear probes, and how far two rankings agree.

What a module puts out comes by :mod:`dlcompare.recording`; here is what one does with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dlcompare.models.checks import check_ids
from dlcompare.models.gpt import GPT
from dlcompare.recording import record

__all__ = ["LinearProbe", "logit_lens", "rank_correlation", "residual_stream"]


@torch.no_grad()
def residual_stream(model: GPT, ids: Tensor) -> Tensor:
    """Return what stands in the residual stream before the first block and after each.

    Parameters
    ----------
    model
        a GPT, in whose evaluation mode nothing is dropped.
    ids
        token ids, (batch, seq).

    Returns
    -------
    Tensor
        (n_layer + 1, batch, seq, d_model); the first is the sum of token and position embedding. No gradient.

    Raises
    ------
    ValueError
        when the GPT refuses the ids.
    """
    check_ids(ids, model.config.vocab_size, longest=model.config.block_size)
    names = [f"blocks.{i}" for i in range(model.config.n_layer)]
    with record(model, "dropout", *names) as seen:
        model.hidden(ids)
    return torch.stack([seen["dropout"], *(seen[name] for name in names)])


@torch.no_grad()
def logit_lens(model: GPT, stream: Tensor) -> Tensor:
    """Return the logits that the stream would give if the remaining blocks were left out (nostalgebraist 2020).

    The last norm and the output layer read each place of the stream as if it were the last.

    Parameters
    ----------
    model
        the GPT that the stream is of.
    stream
        a piece of what :func:`residual_stream` gives, (…, d_model).

    Returns
    -------
    Tensor
        (…, vocab_size). Of the last layer these are the model's own logits.

    Raises
    ------
    ValueError
        when ``stream`` is not as wide as the model.
    """
    if stream.shape[-1] != model.config.d_model:
        raise ValueError(f"stream has shape {tuple(stream.shape)}; allowed is (…, {model.config.d_model})")
    logits: Tensor = model.head(model.norm(stream))
    return logits


@dataclass(frozen=True)
class LinearProbe:
    """A linear question to a layer, answered with yes or no (Alain & Bengio 2016).

    Parameters
    ----------
    direction
        (width,); how far an activation lies along it is the evidence.
    bias
        scalar; what the evidence is shifted by.
    """

    direction: Tensor
    bias: Tensor

    @classmethod
    def fit(cls, x: Tensor, truth: Tensor, penalty: float = 1e-3) -> LinearProbe:
        """Return the probe of a logistic regression, by L-BFGS.

        Both answers count equally in the loss, however rare one is. Each column is scaled to a spread of 1, and
        the squared length of the direction, so scaled, costs ``penalty``.

        Parameters
        ----------
        x
            activations, (n, width).
        truth
            what is so, boolean, (n,).
        penalty
            at least 0.

        Raises
        ------
        ValueError
            for other shapes or types, a negative penalty, or when one of the two answers never occurs.
        """
        if x.ndim != 2 or truth.shape != x.shape[:1] or truth.dtype != torch.bool:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, truth {tuple(truth.shape)} and {truth.dtype}; allowed are (n, width)"
                " and (n,) of torch.bool"
            )
        if penalty < 0:
            raise ValueError(f"penalty is {penalty}; allowed is at least 0")
        share = truth.double().mean().item()
        if not 0 < share < 1:
            raise ValueError(f"truth is true for a share of {share}; allowed are both answers")
        x = x.detach()
        centre, spread = x.mean(0), x.std(0).clamp_min(1e-6)
        scaled = (x - centre) / spread  # (n, width)
        target = truth.to(x.dtype)
        counts = torch.where(truth, 0.5 / share, 0.5 / (1 - share)).to(x.dtype)
        with torch.enable_grad():
            w = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
            b = torch.zeros((), dtype=x.dtype, requires_grad=True)
            optimizer = torch.optim.LBFGS([w, b], max_iter=60, line_search_fn="strong_wolfe")

            def loss() -> Tensor:
                optimizer.zero_grad()
                value = F.binary_cross_entropy_with_logits(scaled @ w + b, target, counts)
                value = value + penalty * w.square().sum()
                value.backward()  # type: ignore[no-untyped-call]
                return value

            optimizer.step(loss)  # type: ignore[no-untyped-call]
        direction = w.detach() / spread
        return cls(direction, b.detach() - centre @ direction)

    def evidence(self, x: Tensor) -> Tensor:
        """Return how much speaks for "it is so" in activations (…, width): (…,), above 0 for yes."""
        return x @ self.direction + self.bias

    def balanced_accuracy(self, x: Tensor, truth: Tensor) -> float:
        """Return the mean of two shares: how many yes were found, and how many no; one half for one who guesses.

        Parameters
        ----------
        x
            activations, (n, width).
        truth
            what is so, boolean, (n,).

        Raises
        ------
        ValueError
            when one of the two answers never occurs.
        """
        if not bool(truth.any()) or bool(truth.all()):
            raise ValueError("truth has one of the two answers alone; allowed are both")
        said = self.evidence(x) > 0  # (n,)
        return (said[truth].double().mean() + (~said[~truth]).double().mean()).item() / 2


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Return Spearman's rank correlation: 1 where two lists order things alike, 0 by chance, -1 where in reverse.

    Parameters
    ----------
    a, b
        numbers about the same things, (n,) with n of at least 2. Equal numbers share their ranks' mean.

    Raises
    ------
    ValueError
        for other shapes, or when all numbers of a list are equal: then there is no order.
    """
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise ValueError(f"a has shape {tuple(a.shape)}, b {tuple(b.shape)}; allowed is (n,) for both, n at least 2")
    ranks = [_ranks(values) for values in (a, b)]
    centred = [rank - rank.mean() for rank in ranks]
    lengths: list[float] = [rank.norm().item() for rank in centred]
    if not all(lengths):
        raise ValueError("a or b has equal numbers alone; allowed are lists with an order")
    product: float = (centred[0] @ centred[1]).item()
    return product / (lengths[0] * lengths[1])


def _ranks(values: Tensor) -> Tensor:
    """Return the rank of each number (n,), from 0; equal ones share the mean of theirs."""
    _, where, counts = torch.unique(values.detach(), return_inverse=True, return_counts=True)
    ranks: Tensor = counts.cumsum(0).double() - (counts.double() + 1) / 2
    return ranks[where]
