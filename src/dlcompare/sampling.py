"""From logits to a token: temperature, truncation, a draw.

The order is that of transformers: repetition penalty, temperature, top-k, top-p, min-p.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["AS_IS", "GREEDY", "Sampler"]


@dataclass(frozen=True)
class Sampler:
    """How the next token is chosen from the model's logits.

    Parameters
    ----------
    temperature
        > 0; the logits are divided by it. Below 1 sharpens, above 1 flattens.
    top_k
        keep this many most probable tokens (Fan et al. 2018); all if None. Tokens that tie with the last one stay.
    top_p
        keep the smallest set of most probable tokens whose mass reaches this, in (0, 1] (nucleus sampling, Holtzman et
        al. 2020); all if None. Of tokens that tie, those with smaller ids come first.
    min_p
        keep tokens at least this fraction as probable as the most probable one, in [0, 1] (Nguyen et al. 2025).
    repetition_penalty
        > 0; logits of tokens that stand in the text already are divided by it if positive and multiplied if negative
        (Keskar et al. 2019, section 4.1). 1 leaves them.
    greedy
        take the most probable token; temperature and truncation then change nothing.

    Raises
    ------
    ValueError
        for a value outside what is allowed.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"temperature is {self.temperature}; allowed is > 0 (for the most probable token: GREEDY)")
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise ValueError(f"top_k is {self.top_k}; allowed are integers of at least 1")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; allowed is 0 < top_p ≤ 1")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p is {self.min_p}; allowed is 0 ≤ min_p ≤ 1")
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(f"repetition_penalty is {self.repetition_penalty}; allowed is > 0")

    def probabilities(self, logits: Tensor, text: Tensor | None = None) -> Tensor:
        """Return the probabilities from which a token is drawn.

        Parameters
        ----------
        logits
            (…, vocab_size).
        text
            ids of what stands there already, (…, seq); only the repetition penalty looks at it.

        Returns
        -------
        Tensor
            (…, vocab_size); rows sum to one, and the most probable token is never dropped.
        """
        logits = self._penalised(logits, text)
        if self.greedy:
            return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
        logits = logits / self.temperature
        if self.top_k is not None and self.top_k < logits.shape[-1]:
            smallest_kept = logits.topk(self.top_k, dim=-1).values[..., -1:]
            logits = logits.masked_fill(logits < smallest_kept, -torch.inf)
        p = logits.softmax(-1)
        if self.top_p is not None and self.top_p < 1:
            ordered, order = p.sort(dim=-1, descending=True, stable=True)
            mass_before = ordered.cumsum(-1) - ordered
            # The first has nothing before it, but rounding can make of nothing a little more.
            dropped = (mass_before >= self.top_p).index_fill(
                -1, torch.zeros(1, dtype=torch.long, device=p.device), False
            )
            p = p.masked_fill(torch.zeros_like(dropped).scatter(-1, order, dropped), 0.0)
            p = p / p.sum(-1, keepdim=True)
        if self.min_p:
            p = p.masked_fill(p < self.min_p * p.amax(-1, keepdim=True), 0.0)
            p = p / p.sum(-1, keepdim=True)
        return p

    def choose(self, logits: Tensor, text: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return one token id per row: logits (batch, vocab_size), text (batch, seq), result (batch,)."""
        if self.greedy:
            return self._penalised(logits, text).argmax(-1)
        return torch.multinomial(self.probabilities(logits, text), 1, generator=generator)[:, 0]

    def _penalised(self, logits: Tensor, text: Tensor | None) -> Tensor:
        if self.repetition_penalty == 1 or text is None:
            return logits
        said = logits.gather(-1, text)
        said = torch.where(said > 0, said / self.repetition_penalty, said * self.repetition_penalty)
        return logits.scatter(-1, text, said)


#: The model's own distribution.
AS_IS = Sampler()

#: Always the most probable token.
GREEDY = Sampler(greedy=True)
