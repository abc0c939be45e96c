"""Writing with a GPT, one step at a time: what the model says next, and which token is drawn from that."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.models.cache import KVCache, LayerCache
from dlcompare.models.gpt import GPT
from dlcompare.recording import record

__all__ = [
    "CUT_BY_GREEDY",
    "CUT_BY_TOP_K",
    "CUT_BY_TOP_P",
    "KEPT",
    "SHOWN",
    "generation_step",
    "reply_step",
    "sampling",
]

#: What became of a token, as the output ``cut`` of :func:`sampling` says it: it can be drawn.
KEPT = 0
#: It is less probable than the ``top_k`` most probable.
CUT_BY_TOP_K = 1
#: Those more probable reach the mass ``top_p`` without it.
CUT_BY_TOP_P = 2
#: It is not the most probable, and only that is taken.
CUT_BY_GREEDY = 3

#: The most probable tokens, of which :func:`reply_step` gives the numbers.
SHOWN = 8

#: Tokens that :func:`sampling` can put into an order in which none are equal.
LARGEST_VOCABULARY = 2**16


class _Read(KVCache):
    """A cache as a value: what was read is given, and what is new is handed out, so that a graph can be made of it."""

    def __init__(self, past: Tensor):
        self.past = past  # (past, n_layer, 2 n_head, d_head)
        self.length = past.shape[0]
        #: Of each layer, keys and values of the new tokens, (1, 2 n_head, new, d_head).
        self.new: list[Tensor] = []

    def reserve(self, n: int) -> None:
        """Take as many as come: the model's position embeddings are what ends."""

    def layer(self, index: int) -> LayerCache:
        return _ReadLayer(self, self.past[:, index].movedim(0, 1)[None])


class _ReadLayer(LayerCache):
    cache: _Read

    def extend(self, KV: Tensor) -> tuple[Tensor, Tensor]:
        self.cache.new.append(KV)
        K, V = torch.cat([self.memory, KV], dim=2).chunk(2, dim=1)
        return K, V


def generation_step(model: GPT) -> Graph:
    """Return the graph of one step of ``model``: it reads new tokens after those in its cache, and draws the next one.

    The cache has one row for each token, so that the cache of any text is the rows of its tokens, one below the other.

    Inputs: ``ids`` (1, new), int32, the new tokens, at least one; ``past`` (past, n_layer, 2 · n_head, d_head),
    float32: of each token that has been read, the keys of all heads and then the values; ``past`` may be 0. Both
    together are at most ``block_size`` tokens. And the settings of :func:`sampling`. Outputs:

    - ``logits`` (new, vocab_size): what the model says of the token after each new one,
    - ``given`` (new - 1,): the probability that it gave to each new token but the first, before it read that token,
    - ``new`` (new, n_layer, 2 · n_head, d_head): the rows to add to the cache,
    - ``attention`` (n_layer, new, past + new): from where each new token collected, the mean over the heads,
    - ``token``, a scalar, int32: what :func:`sampling` draws after the last one; and ``chances`` (2,): the probability
      that the model gave it, and the one that it was drawn with.

    The example inputs are drawn at random: tokens, and for ``past`` what the model makes of other tokens.
    """
    weights = [f"blocks.{i}.attention.softmax" for i in range(model.config.n_layer)]

    def read(ids: Tensor, past: Tensor) -> dict[str, Tensor]:
        with record(model, *weights) as seen:
            logits, new = _read(model, ids, past)
        following = ids[0, 1:, None].long()  # (new - 1, 1)
        attention = torch.cat([seen[name].mean(1) for name in weights])  # (n_layer, new, past + new)
        given = logits[:-1].softmax(-1).gather(-1, following)[:, 0]
        return {"logits": logits, "given": given, "new": new, "attention": attention}

    def step(ids: Tensor, past: Tensor, **settings: Tensor) -> dict[str, Tensor]:
        outputs = read(ids, past)
        drawn = _sample(outputs["logits"][-1], **settings)
        at = drawn["token"].long()[None]
        chances = torch.cat([drawn[name].gather(0, at) for name in ("own", "p")])
        return {**outputs, "token": drawn["token"], "chances": chances}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        inputs, logits = _draw_reading(model, generator)
        return {**inputs, **_draw_settings(logits, generator)}

    return Graph("generation", step, draw, varying={"ids": (1,), "past": (0,)})


def _read(model: GPT, ids: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the model says after each token of ``ids`` (1, new), and the rows to add to the cache ``past``."""
    cache = _Read(past)
    with torch.no_grad():
        logits = model.head(model.hidden(ids.long(), cache))[0]  # (new, vocab_size)
    return logits, torch.cat(cache.new).movedim(2, 0)  # (new, n_layer, 2 n_head, d_head)


def _draw_reading(model: GPT, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Return random tokens and the cache of others before them, and what the model says after the last."""
    c = model.config
    half = c.block_size // 2
    new, past = (int(n) for n in torch.randint(min(3, half), half + 1, (2,), generator=generator))
    ids = torch.randint(c.vocab_size, (1, past + new), generator=generator, dtype=torch.int32)
    _, rows = _read(model, ids[:, :past], torch.zeros(0, c.n_layer, 2 * c.n_head, c.attention_width // c.n_head))
    logits, _ = _read(model, ids[:, past:], rows)
    return {"ids": ids[:, past:], "past": rows}, logits[-1]


def reply_step(model: GPT) -> Graph:
    """Return the graph of one step of a reply: ``model`` reads, and a token is drawn, or taken as it is given.

    Inputs: ``ids``, ``past`` and the settings, as those of :func:`generation_step`; and ``chosen``, a scalar, int32:
    the token that is taken whatever the draw says, or a negative number for none. It gives as much of the distribution
    as a figure shows, so that a whole dialogue is small. Outputs:

    - ``new`` (new, n_layer, 2 · n_head, d_head): the rows to add to the cache,
    - ``token``, a scalar, int32: the one that is taken; ``drawn``: what :func:`sampling` draws,
    - of the token that is taken: ``chances`` (2,), the probability that the model gave it and the one that it was drawn
      with; ``between`` (2,), the sums of the latter up to it, without and with it, in the order of the ids; ``rank``,
      int32, how many are more probable; and ``fate``, int32, what became of it, as ``cut`` of :func:`sampling` says it,
    - of the :data:`SHOWN` most probable tokens (fewer where there are no more): ``best``, int32, their ids, and
      ``best_own``, ``best_p`` and ``best_cut``, as ``own``, ``p`` and ``cut`` of :func:`sampling`,
    - ``kept``, a scalar, int32: how many tokens can be drawn.
    """
    vocab_size = model.config.vocab_size
    shown = min(SHOWN, vocab_size)

    def step(ids: Tensor, past: Tensor, chosen: Tensor, **settings: Tensor) -> dict[str, Tensor]:
        logits, new = _read(model, ids, past)
        sample = _sample(logits[-1], **settings)
        token = torch.where(chosen >= 0, chosen, sample["token"])
        at, best = token.long()[None], sample["order"][:shown].long()
        sums = torch.cat([torch.zeros(1), sample["cumulative"]])
        return {
            "new": new,
            "token": token,
            "drawn": sample["token"],
            "chances": torch.cat([sample[name].gather(0, at) for name in ("own", "p")]),
            "between": torch.cat([sums.gather(0, at), sums.gather(0, at + 1)]),
            "rank": (sample["order"] == token).int().argmax().int(),
            "fate": sample["cut"].gather(0, at)[0],
            "best": best.int(),
            **{f"best_{name}": sample[name].gather(0, best) for name in ("own", "p", "cut")},
            "kept": (sample["cut"] == KEPT).sum().int(),
        }

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        inputs: dict[str, Tensor] = {}
        for _ in range(ATTEMPTS):
            reading, logits = _draw_reading(model, generator)
            settings = _draw_settings(logits, generator)
            ordered, order = logits.sort(descending=True)
            best = int(torch.randint(shown, (), generator=generator))
            chosen = int(order[best]) if torch.rand((), generator=generator) < 0.5 else -1
            inputs = {**reading, "chosen": torch.tensor(chosen, dtype=torch.int32), **settings}
            rank = best if chosen >= 0 else int((order == _sample(logits, **settings)["token"]).int().argmax())
            # Rounding must decide neither the order of those shown nor the rank of the one that is taken.
            apart = ordered[:-1] - ordered[1:]
            if bool((apart[:shown] > MARGIN).all() and (apart[max(0, rank - 1) : rank + 1] > MARGIN).all()):
                break
        return inputs

    return Graph("reply", step, draw, varying={"ids": (1,), "past": (0,)})


def _sample(
    logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, greedy: Tensor, uniform: Tensor
) -> dict[str, Tensor]:
    vocab_size = logits.shape[0]
    order = _descending(logits)
    own = logits.softmax(-1)
    scaled = logits / temperature
    tempered = scaled.softmax(-1)

    # As in dlcompare.sampling.Sampler: tokens that tie with the last one kept stay.
    last = torch.where((top_k > 0) & (top_k < vocab_size), top_k, vocab_size).long() - 1
    smallest_kept = scaled.gather(0, order.gather(0, last[None]))
    beyond_k = scaled < smallest_kept
    within_k = scaled.masked_fill(beyond_k, -torch.inf).softmax(-1)

    at = _descending(within_k)
    by_mass = within_k.gather(0, at)
    mass_before = by_mass.double().cumsum(-1).float() - by_mass
    beyond = (mass_before >= top_p) & (top_p < 1)  # never the first: before it is exactly nothing
    beyond_p = torch.zeros_like(beyond).scatter(-1, at, beyond) & ~beyond_k
    kept = within_k.masked_fill(beyond_p, 0.0)
    within_p = torch.where(beyond_p.any(), kept / kept.sum(), within_k)

    best = torch.arange(vocab_size) == order[:1]
    p = torch.where(greedy, best.to(own.dtype), within_p)
    cut = torch.where(
        greedy,
        torch.where(best, KEPT, CUT_BY_GREEDY),
        torch.where(beyond_k, CUT_BY_TOP_K, torch.where(beyond_p, CUT_BY_TOP_P, KEPT)),
    )

    # The first token whose cumulative mass exceeds the number; one without mass adds none and is never it. A number
    # that rounding has made 1 is beyond all: then it is the last token that has any.
    cumulative = p.double().cumsum(-1)
    exceeds = (cumulative > uniform.double() * cumulative[-1]) & (p > 0)
    last_possible = torch.where(p > 0, torch.arange(vocab_size), 0).max()
    token = torch.where(exceeds.any(), exceeds.int().argmax(), last_possible)
    return {
        "own": own,
        "tempered": tempered,
        "within_k": within_k,
        "p": p,
        "cut": cut.int(),
        "order": order.int(),
        "cumulative": cumulative.float(),
        "entropy": torch.stack([_entropy(own), _entropy(p)]),
        "token": token.int(),
    }


def _descending(values: Tensor) -> Tensor:
    """Return the places of ``values``, the largest first, and of equal ones the earlier.

    A stable sort does not export, and others order equal numbers each in its own way. So nothing is equal here: a
    float64 has 29 binary digits more than a float32, and in these, each number is made smaller by its place. Two
    float32 numbers that differ do so by more than 2⁻²⁴ of their size, so that their order stays as it is.
    """
    wide = values.double()
    place = torch.arange(values.shape[0])
    return (wide - place * (wide.abs() * 2.0**-40 + 1e-300)).argsort(descending=True)


def _entropy(p: Tensor) -> Tensor:
    """Return the entropy in bits; what has no probability adds nothing."""
    return -(p * p.clamp_min(torch.finfo(p.dtype).tiny).log2()).sum()


#: Whoever adds in another order gets logits that differ in their last digits. Examples keep so far away from where a
#: token would then just be cut, or just be drawn instead of its neighbour.
MARGIN = 1e-4
#: Attempts to find such settings; the last is taken as it is.
ATTEMPTS = 50


def _draw_settings(logits: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    def number(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((), generator=generator)

    vocab_size = len(logits)
    settings: dict[str, Tensor] = {}
    for _ in range(ATTEMPTS):
        settings = {
            "temperature": number(-2.3, 1.1).exp(),
            "top_k": torch.randint(vocab_size + 1, (), generator=generator, dtype=torch.int32),
            "top_p": number(0.01, 1.0),
            "greedy": torch.rand((), generator=generator) < 0.1,
            "uniform": number(0.0, 1.0),
        }
        drawn = _sample(logits, **settings)
        ordered, k = logits.sort(descending=True).values, int(settings["top_k"])
        mass = drawn["within_k"].sort(descending=True).values.cumsum(0)
        apart = [(mass[:-1] - settings["top_p"]).abs(), (drawn["cumulative"][:-1] - settings["uniform"]).abs()]
        apart.append(ordered[:1] - ordered[1:2])
        if 0 < k < vocab_size:
            apart.append(ordered[k - 1 : k] - ordered[k : k + 1])
        if all(bool((far > MARGIN).all()) for far in apart):
            break
    return settings


def sampling(vocab_size: int) -> Graph:
    """Return the graph that draws a token from logits, after temperature, top-k and top-p, as :class:`.Sampler` does.

    Inputs: ``logits`` (vocab_size,), float32; and scalars: ``temperature``, float32, above 0; ``top_k``, int32, 0 for
    all; ``top_p``, float32, above 0 and up to 1; ``greedy``, bool: take the most probable; ``uniform``, float32, from 0
    to 1: the number that decides. Outputs:

    - ``own`` (vocab_size,): the model's own distribution; ``tempered``: after the temperature; ``within_k``: after
      top-k; ``p``: after top-p, which is what the token is drawn from, or the most probable alone where ``greedy``,
    - ``cut`` (vocab_size,), int32: for each token :data:`KEPT`, or what keeps it from being drawn,
    - ``order`` (vocab_size,), int32: the tokens, the most probable first; of equal ones the smaller id,
    - ``cumulative`` (vocab_size,): the sums of ``p`` up to each token, in the order of the ids,
    - ``entropy`` (2,): of ``own`` and of ``p``, in bits,
    - ``token``, a scalar, int32: the first for which ``cumulative`` exceeds ``uniform`` (inverse transform sampling,
      Devroye 1986, section III.2). It has a probability above zero whatever ``uniform`` is.

    Raises
    ------
    ValueError
        for a ``vocab_size`` below 1 or beyond 65,536.
    """
    if not 1 <= vocab_size <= LARGEST_VOCABULARY:
        raise ValueError(f"vocab_size is {vocab_size}; allowed are integers from 1 to {LARGEST_VOCABULARY}")

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        logits = 3 * torch.randn(vocab_size, generator=generator)
        return {"logits": logits, **_draw_settings(logits, generator)}

    return Graph("sampling", _sample, draw)
