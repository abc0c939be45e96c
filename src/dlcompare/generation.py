"""Generation: predict the next token, choose one, append it, repeat.

The choice: greedy (the most probable), or a draw after temperature and truncation to the ``top_k`` most probable
tokens (Fan et al. 2018) or to the nucleus of mass ``top_p`` (Holtzman et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dlcompare.models.recurrent import RecurrentLM, State
from dlcompare.tokenization import Tokenizer

__all__ = ["generate", "generate_text", "next_token_probabilities", "stream"]


def next_token_probabilities(
    logits: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Turn logits (…, vocab_size) into the probabilities from which a token is drawn.

    Parameters
    ----------
    temperature
        > 0; the logits are divided by it. Below 1 sharpens, above 1 flattens.
    top_k
        keep this many most probable tokens; all if None. Tokens that tie with the last kept one are kept too.
    top_p
        keep the smallest set of most probable tokens whose mass reaches this, in (0, 1]; all if None.

    Raises
    ------
    ValueError
        for a value outside what is allowed.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; allowed is > 0 (for the most probable token: greedy=True)")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; allowed are integers of at least 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; allowed is 0 < top_p ≤ 1")
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        smallest_kept = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < smallest_kept, -torch.inf)
    probabilities = logits.softmax(-1)
    if top_p is not None and top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True)
        mass_before = ordered.cumsum(-1) - ordered
        dropped = torch.zeros_like(mass_before, dtype=torch.bool).scatter(-1, order, mass_before >= top_p)
        probabilities = probabilities.masked_fill(dropped, 0.0)
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    return probabilities


@torch.inference_mode()
def stream(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    *,
    greedy: bool = False,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    stop: set[int] | None = None,
) -> Iterator[Tensor]:
    """Yield one new token per step, (batch,), continuing ``ids`` (batch, seq ≥ 1).

    A recurrent model carries its state. A model with a ``block_size`` reads the last ``block_size`` tokens: what
    slides out of that window is forgotten. Ends after ``max_new_tokens``, or when every row has met a token of
    ``stop`` (which is yielded too).

    Raises
    ------
    ValueError
        when ``ids`` has another shape or ``max_new_tokens`` is negative.
    """
    if ids.ndim != 2 or ids.shape[1] < 1:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; allowed is (batch, seq) with seq of at least 1")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; allowed are integers of at least 0")
    model.eval()
    state: State | None = None
    unread = ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        if isinstance(model, RecurrentLM):
            logits, state = model.advance(unread, state)
        else:
            logits = model(ids[:, -model.config.block_size :])  # type: ignore[union-attr, operator]
        last = logits[:, -1]  # (batch, vocab_size)
        if greedy:
            chosen = last.argmax(-1)
        else:
            p = next_token_probabilities(last, temperature=temperature, top_k=top_k, top_p=top_p)
            chosen = torch.multinomial(p, 1, generator=generator)[:, 0]
        unread = chosen[:, None]
        ids = torch.cat([ids, unread], dim=1)
        yield chosen
        if stop:
            ended |= torch.isin(chosen, torch.tensor(sorted(stop)))
            if bool(ended.all()):
                return


def generate(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    *,
    greedy: bool = False,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    stop: set[int] | None = None,
) -> Tensor:
    """Return ``ids`` (batch, seq) with the new tokens appended; the arguments are those of :func:`stream`."""
    new = list(
        stream(
            model, ids, max_new_tokens, greedy=greedy, temperature=temperature, top_k=top_k, top_p=top_p,
            generator=generator, stop=stop,
        )
    )  # fmt: skip
    return torch.cat([ids, torch.stack(new, dim=1)], dim=1) if new else ids


def generate_text(
    model: nn.Module,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int,
    *,
    greedy: bool = False,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    stop: set[int] | None = None,
) -> str:
    """Return ``prompt`` and its continuation as text. The same ``seed`` gives the same text.

    Raises
    ------
    ValueError
        for an empty prompt: a model predicts from something.
    """
    if not prompt:
        raise ValueError("prompt is empty; at least one character is needed, for instance a newline")
    ids = generate(
        model,
        torch.tensor([tokenizer.encode(prompt)]),
        max_new_tokens,
        greedy=greedy,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=torch.Generator().manual_seed(seed),
        stop=stop,
    )
    return tokenizer.decode(ids[0].tolist())
