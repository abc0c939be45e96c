"""The attention of a GPT with everything that its equation passes through, and with heads switched on and off."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.models import GPT, MultiHeadSelfAttention
from dlcompare.recording import record

__all__ = ["LONGEST", "attention_pass", "attention_terms"]

#: Tokens of the longest text that the graphs are drawn for.
LONGEST = 32


@contextlib.contextmanager
def _as_asked(model: GPT, causal: bool, keep: Tensor) -> Iterator[None]:
    """While the block runs, mask the future or not, and multiply what each head puts out by its entry of ``keep``."""
    attentions = [module for module in model.modules() if isinstance(module, MultiHeadSelfAttention)]
    before = [attention.causal for attention in attentions]
    handles = [
        # (batch, n_head, seq, d_head)
        attention.mixed.register_forward_hook(lambda module, inputs, mixed, own=own: mixed * own[:, None, None])
        for attention, own in zip(attentions, keep.unbind(), strict=True)
    ]
    for attention in attentions:
        attention.causal = causal
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for attention, value in zip(attentions, before, strict=True):
            attention.causal = value


def attention_pass(model: GPT, *, causal: bool) -> Graph:
    r"""Return the graph of one forward pass, ``attention-causal`` or ``attention-bidirectional``, seen from one head.

    .. math:: A = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}} + M\right), \qquad Y = A V

    (Vaswani et al. 2017, equation 1.) Without the mask M the model is not what it was trained to be; the weights are
    the same.

    Inputs: ``ids`` (1, seq) int32; ``keep`` (n_layer, n_head) float32, by which what each head puts out is multiplied:
    1 leaves it as it is, 0 switches the head off; ``layer`` and ``head``, int32, the head that is looked at. Outputs:

    - ``attention`` (n_layer, n_head, seq, seq): every head's weights; rows ask, columns answer,
    - ``query``, ``key``, ``value`` (seq, d_head) of the head that is looked at,
    - ``dots`` (seq, seq): :math:`Q K^\top`,
    - ``root``, a number: :math:`\sqrt{d_k}`,
    - ``scaled`` (seq, seq): the quotient of the two,
    - ``masked`` (seq, seq): the same with −∞ where a row must not see a column,
    - ``mixed`` (seq, d_head): Y, before it is multiplied by its entry of ``keep``,
    - ``probabilities`` (vocab_size,) of the token that comes next,
    - ``surprise``, a number: by how many bits each token after the first surprised the model, on average; 0 for one
      token alone.

    Raises
    ------
    ValueError
        when ``model`` is in training mode and drops values at random: it would answer differently each time.
    """
    config = model.config
    if model.training and config.dropout:
        raise ValueError("model is in training mode, with dropout; allowed is evaluation mode: call model.eval()")
    longest = min(LONGEST, config.block_size)
    steps = ("query", "key", "value", "scores", "softmax", "mixed")

    def function(ids: Tensor, keep: Tensor, layer: Tensor, head: Tensor) -> dict[str, Tensor]:
        # Recorded first, so that the recording has what a head puts out before it is switched off.
        names = [f"blocks.*.attention.{step}" for step in steps]
        with torch.no_grad(), record(model, *names) as seen, _as_asked(model, causal, keep):
            logits = model(ids.long())[0]  # (seq, vocab_size)

        def every(step: str) -> Tensor:
            heads = [seen[f"blocks.{i}.attention.{step}"] for i in range(config.n_layer)]
            return torch.cat(heads)  # (n_layer, n_head, seq, …)

        def chosen(step: str) -> Tensor:
            place = (layer * config.n_head + head).long().reshape(1)
            return every(step).flatten(0, 1).index_select(0, place)[0]  # (seq, …)

        query, key = chosen("query"), chosen("key")
        dots = query @ key.transpose(0, 1)
        root = torch.ones_like(query[0]).sum().sqrt()
        log_probabilities = logits.log_softmax(-1)
        following = log_probabilities[:-1].gather(-1, ids[0, 1:, None].long())  # (seq - 1, 1)
        count = torch.ones_like(following).sum().clamp(min=1)
        return {
            "attention": every("softmax"),
            "query": query,
            "key": key,
            "value": chosen("value"),
            "dots": dots,
            "root": root,
            "scaled": dots / root,
            "masked": chosen("scores"),
            "mixed": chosen("mixed"),
            "probabilities": log_probabilities[-1].exp(),
            "surprise": (-following).sum() / count / math.log(2),
        }

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        def below(limit: int, *shape: int) -> Tensor:
            return torch.randint(limit, shape, generator=generator, dtype=torch.int32)

        seq = 2 + int(below(longest - 1)) if longest > 1 else 1
        return {
            "ids": below(config.vocab_size, 1, seq),
            "keep": below(2, config.n_layer, config.n_head).float(),
            "layer": below(config.n_layer),
            "head": below(config.n_head),
        }

    name = "attention-causal" if causal else "attention-bidirectional"
    return Graph(name, function, draw, varying={"ids": (1,)})


def _terms(query: Tensor, key: Tensor, masked: Tensor, weights: Tensor, value: Tensor) -> dict[str, Tensor]:
    exponentials = (masked - masked.max()).exp()
    return {
        "products": query * key,
        "exponentials": exponentials,
        "total": exponentials.sum(),
        "terms": weights[:, None] * value,
    }


def attention_terms(d_head: int) -> Graph:
    r"""Return the graph ``attention-terms``: the sums of one row of attention, term by term.

    Inputs, as :func:`attention_pass` gives them for one query: ``query`` (d_head,), ``key`` (seq, d_head), ``masked``
    (seq,), ``weights`` (seq,), the row of the attention, and ``value`` (seq, d_head). Outputs:

    - ``products`` (seq, d_head): query times key, number by number; a row's sum is its dot product,
    - ``exponentials`` (seq,): :math:`e^{s - \max s}` of the masked scores s; the largest is 1, and none is too large,
    - ``total``, a number: their sum; exponentials over total are the weights,
    - ``terms`` (seq, d_head): weight times value; their sum over the keys is what the head puts out.
    """

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        seq = 2 + int(torch.randint(LONGEST - 1, (), generator=generator))
        hidden = torch.rand(seq, generator=generator) < 0.4
        hidden[int(torch.randint(seq, (), generator=generator))] = False  # a query sees at least one key
        masked = torch.randn(seq, generator=generator).mul(3).masked_fill(hidden, -math.inf)
        rows = {name: torch.randn(seq, d_head, generator=generator) for name in ("key", "value")}
        return {
            "query": torch.randn(d_head, generator=generator),
            "key": rows["key"],
            "masked": masked,
            "weights": masked.softmax(-1),
            "value": rows["value"],
        }

    varying = {"key": (0,), "masked": (0,), "weights": (0,), "value": (0,)}
    return Graph("attention-terms", _terms, draw, varying=varying)
