"""Generation: predict the next token, choose one, append it, repeat.

:func:`steps` is the loop; prompts of unequal lengths and beams need loops of their own, with the same memory. What
a model remembers of what it has read is a key-value cache (GPT, Llama) or a hidden state (recurrent). With memory or
without, the text is the same: only the time differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.cache import KVCache
from dlcompare.models.recurrent import RecurrentLM, State
from dlcompare.sampling import AS_IS, Sampler
from dlcompare.tokenization import Tokenizer

__all__ = ["GenerationTrace", "Step", "beam_search", "generate", "generate_many", "generate_text", "steps", "trace"]


@dataclass(frozen=True)
class Step:
    """One step of generation, of every text in the batch.

    Parameters
    ----------
    logits
        what the model says, (batch, vocab_size).
    text
        the ids that it has read, (batch, seq).
    token
        what was chosen, (batch,).
    sampler
        how it was chosen.
    cached
        tokens in the key-value cache after the step; 0 for a model without one, or with its cache given up.
    """

    logits: Tensor
    text: Tensor
    token: Tensor
    sampler: Sampler
    cached: int

    @property
    def before(self) -> Tensor:
        """The model's own distribution over all tokens, (batch, vocab_size)."""
        return self.logits.softmax(-1)

    @property
    def after(self) -> Tensor:
        """The distribution that the token was drawn from, (batch, vocab_size), after temperature and truncation."""
        return self.sampler.probabilities(self.logits, self.text)

    @property
    def probability(self) -> Tensor:
        """The probability with which the token was drawn, (batch,)."""
        return self.after.gather(-1, self.token[:, None])[:, 0]


@dataclass(frozen=True)
class GenerationTrace:
    """A text as it was generated, with everything that decided it.

    Parameters
    ----------
    ids
        prompt and new tokens, (batch, seq).
    steps
        the steps, one per new token.
    """

    ids: Tensor
    steps: tuple[Step, ...]

    @property
    def before(self) -> Tensor:
        """The model's distribution at each step, (batch, steps, vocab_size)."""
        return torch.stack([step.before for step in self.steps], dim=1)

    @property
    def after(self) -> Tensor:
        """The distribution drawn from at each step, (batch, steps, vocab_size)."""
        return torch.stack([step.after for step in self.steps], dim=1)

    @property
    def probability(self) -> Tensor:
        """The probability of each choice, (batch, steps)."""
        return torch.stack([step.probability for step in self.steps], dim=1)

    @property
    def cached(self) -> list[int]:
        """Tokens in the key-value cache after each step."""
        return [step.cached for step in self.steps]


def _check(ids: Tensor, max_new_tokens: int) -> None:
    if ids.ndim != 2 or min(ids.shape) < 1:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; allowed is (batch, seq) with both at least 1")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; allowed are integers of at least 0")


class _Reader:
    """Reads a growing text and says what comes next, from memory where there is one.

    A window of learned positions cannot slide with its cache: a token's key holds its place in the window, and every
    place changes. So past ``block_size`` a GPT gives up its cache and reads its last ``block_size`` tokens anew for
    every token: slower, and exactly what a model without a cache computes.
    """

    def __init__(self, model: nn.Module, longest: int, use_cache: bool = True):
        self.model = model
        self.longest = longest  # tokens that the text will have at most
        self.use_cache = use_cache
        self.memory: KVCache | State | None = None
        self.read = 0

    def logits(self, ids: Tensor) -> Tensor:
        """Return the logits (batch, vocab_size) of the token after ``ids`` (batch, seq), the text so far."""
        model = self.model
        if isinstance(model, RecurrentLM):
            assert not isinstance(self.memory, KVCache)
            logits, self.memory = model.advance(ids[:, self.read :], self.memory)
            self.read = ids.shape[1]
            return logits[:, -1]
        block_size: int = model.config.block_size  # type: ignore[union-attr, assignment]
        hidden: Callable[..., Tensor] | None = getattr(model, "hidden", None)
        if hidden is None:
            return torch.as_tensor(model(ids[:, -block_size:]))[:, -1]
        if not self.use_cache or ids.shape[1] > block_size:
            self.memory = None
            x = hidden(ids[:, -block_size:])
        else:
            if self.memory is None:
                self.memory = model.new_cache(len(ids), min(block_size, self.longest))  # type: ignore[operator]
            x = hidden(ids[:, self.read :], self.memory)
            self.read = ids.shape[1]
        last: Tensor = model.head(x[:, -1])  # type: ignore[operator]
        return last

    def reorder(self, rows: Tensor) -> None:
        """Let row i go on from what row ``rows[i]`` has read."""
        if isinstance(self.memory, KVCache):
            self.memory.reorder(rows)
        elif isinstance(self.memory, tuple):
            h, c = self.memory
            self.memory = h[:, rows], c[:, rows]
        elif self.memory is not None:
            self.memory = self.memory[:, rows]

    @property
    def cached(self) -> int:
        """Tokens in the cache."""
        return self.memory.length if isinstance(self.memory, KVCache) else 0


@torch.inference_mode()
def steps(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    sampler: Sampler = AS_IS,
    *,
    generator: torch.Generator | None = None,
    stop: Collection[int] = (),
    use_cache: bool = True,
) -> Iterator[Step]:
    """Yield one step per new token, each as soon as it is chosen.

    Parameters
    ----------
    model
        a language model: a GPT, a Llama or a :class:`~dlcompare.models.RecurrentLM`. It is put into evaluation mode.
    ids
        prompts of equal length, (batch, seq); for others see :func:`generate_many`. A prompt may be longer than the
        model's ``block_size``: it reads the last tokens, and what slides out of that window is forgotten.
    max_new_tokens
        ends after so many steps, or when every row has met a token of ``stop`` (which is yielded too).
    sampler
        how each token is chosen.
    generator
        the source of chance; the same state gives the same tokens.
    stop
        token ids that end a text.
    use_cache
        whether a GPT keeps keys and values, instead of computing them anew at every step.

    Raises
    ------
    ValueError
        for ids of a wrong shape, or a negative ``max_new_tokens``.
    """
    yield from _steps(model, ids, max_new_tokens, sampler, generator, stop, use_cache)


def _steps(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    sampler: Sampler,
    generator: torch.Generator | None,
    stop: Collection[int],
    use_cache: bool,
) -> Iterator[Step]:
    """Yield what :func:`steps` does; inference mode is the caller's, who need not enter it anew for each step."""
    _check(ids, max_new_tokens)
    model.eval()
    reader = _Reader(model, ids.shape[1] + max_new_tokens, use_cache)
    ends = torch.tensor(sorted(stop), dtype=ids.dtype, device=ids.device)
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(max_new_tokens):
        logits = reader.logits(ids)
        token = sampler.choose(logits, ids, generator)
        yield Step(logits, ids, token, sampler, reader.cached)
        ids = torch.cat([ids, token[:, None]], dim=1)
        if len(ends):
            ended |= torch.isin(token, ends)
            if bool(ended.all()):
                return


def generate(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    sampler: Sampler = AS_IS,
    *,
    generator: torch.Generator | None = None,
    stop: Collection[int] = (),
    use_cache: bool = True,
) -> Tensor:
    """Return ``ids`` (batch, seq) with the new tokens appended; the arguments are those of :func:`steps`."""
    with torch.inference_mode():
        new = [step.token for step in _steps(model, ids, max_new_tokens, sampler, generator, stop, use_cache)]
    # outside of it, for the text may be trained on
    return torch.cat([ids, torch.stack(new, dim=1)], dim=1) if new else ids


def trace(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    sampler: Sampler = AS_IS,
    *,
    generator: torch.Generator | None = None,
    stop: Collection[int] = (),
    use_cache: bool = True,
) -> GenerationTrace:
    """Continue ``ids`` (batch, seq) and keep every step with its distributions; arguments as in :func:`steps`."""
    kept = tuple(steps(model, ids, max_new_tokens, sampler, generator=generator, stop=stop, use_cache=use_cache))
    new = [step.token[:, None] for step in kept]
    return GenerationTrace(torch.cat([ids, *new], dim=1), kept)


@torch.inference_mode()
def generate_many(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    sampler: Sampler = AS_IS,
    *,
    generator: torch.Generator | None = None,
    stop: Collection[int] = (),
    use_cache: bool = True,
) -> list[list[int]]:
    """Continue prompts of unequal lengths side by side, each by ``max_new_tokens`` or up to a token of ``stop``.

    All begin together. A prompt that is longer than the shortest goes on being read where another is already written,
    one token per step. So no row is padded, and greedily each gets the very tokens that it would get alone.

    Returns
    -------
    list of list of int
        each prompt with its continuation, a token of ``stop`` included.

    Raises
    ------
    ValueError
        for no prompts, an empty one, or a negative ``max_new_tokens``.
    """
    if not prompts or not all(len(prompt) for prompt in prompts):
        raise ValueError("prompts is empty or has an empty prompt; allowed is at least one token in each")
    shortest, longest = (f(len(prompt) for prompt in prompts) for f in (min, max))
    ids = torch.tensor([list(prompt[:shortest]) for prompt in prompts])  # (batch, shortest)
    _check(ids, max_new_tokens)
    model.eval()
    reader = _Reader(model, longest + max_new_tokens, use_cache)
    ends = [len(prompt) + max_new_tokens for prompt in prompts]  # where each text ends
    for seq in range(shortest, longest + max_new_tokens):
        if all(seq >= end for end in ends):
            break
        token = sampler.choose(reader.logits(ids), ids, generator)  # (batch,)
        for row, prompt in enumerate(prompts):
            if seq < len(prompt):
                token[row] = prompt[seq]
            elif seq < ends[row] and int(token[row]) in stop:
                ends[row] = seq + 1
        ids = torch.cat([ids, token[:, None]], dim=1)
    return [row[:end].tolist() for row, end in zip(ids, ends, strict=True)]


def generate_text(
    model: nn.Module,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int,
    sampler: Sampler = AS_IS,
    *,
    seed: int = 0,
    stop: Collection[int] = (),
) -> str:
    """Return ``prompt`` and its continuation as text. The same ``seed`` gives the same text.

    Raises
    ------
    ValueError
        for an empty prompt: a model predicts from something.
    """
    if not prompt:
        raise ValueError("prompt is empty; at least one character is needed, for instance a newline")
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([tokenizer.encode(prompt)])
    return tokenizer.decode(generate(model, ids, max_new_tokens, sampler, generator=generator, stop=stop)[0].tolist())


@torch.no_grad()  # not inference mode: the text that is found may be trained on
def beam_search(
    model: nn.Module, ids: Tensor, max_new_tokens: int, n_beam: int, *, stop: Collection[int] = (), power: float = 1.0
) -> tuple[Tensor, float]:
    """Search for the most probable continuation, keeping the ``n_beam`` best unfinished texts at each step.

    Parameters
    ----------
    ids
        the prompt, (1, seq).
    n_beam
        1 is greedy generation; more find more probable texts, which are not better ones (Holtzman et al. 2020).
    stop
        token ids that finish a text.
    power
        finished texts compete by log-probability divided by (new tokens)^power; 0 favours short ones.

    Returns
    -------
    tuple
        the best text, (1, seq + new), and its log-probability in nats, the prompt's left out.

    Raises
    ------
    ValueError
        for more than one prompt, or fewer than one beam.
    """
    _check(ids, max_new_tokens)
    if len(ids) != 1:
        raise ValueError(f"ids has {len(ids)} rows; allowed is one prompt")
    if n_beam < 1:
        raise ValueError(f"n_beam is {n_beam}; allowed are integers of at least 1")
    model.eval()
    reader = _Reader(model, ids.shape[1] + max_new_tokens)
    beams = ids.repeat(n_beam, 1)  # (n_beam, seq)
    scores = torch.full((n_beam,), -math.inf, dtype=torch.float64, device=ids.device)  # log-probability of each beam
    scores[0] = 0.0  # all beams are still the same; one counts
    finished: list[tuple[float, float, Tensor]] = []  # (what they compete by, log-probability, text)

    def finish(text: Tensor, score: float) -> None:
        n = text.shape[0] - ids.shape[1]
        finished.append((score / max(n, 1) ** power, score, text))

    for _ in range(max_new_tokens):
        log_p = reader.logits(beams).log_softmax(-1)  # (n_beam, vocab_size)
        vocab_size = log_p.shape[1]
        candidates = (scores[:, None] + log_p).flatten()  # (n_beam · vocab_size,)
        # So many that n_beam remain if every beam is finished by every stop token.
        best = candidates.topk(min((1 + len(stop)) * n_beam, len(candidates)))
        kept: list[tuple[int, int, float]] = []  # (beam it goes on from, token, log-probability)
        for score, candidate in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            beam, token = divmod(candidate, vocab_size)
            if token not in stop and len(kept) < n_beam:
                kept.append((beam, token, score))
            elif token in stop and score > -math.inf:
                finish(torch.cat([beams[beam], ids.new_tensor([token])]), score)
        rows = torch.tensor([beam for beam, _, _ in kept], device=ids.device)
        reader.reorder(rows)
        beams = torch.cat([beams[rows], ids.new_tensor([[token] for _, token, _ in kept])], dim=1)
        scores = torch.tensor([score for _, _, score in kept], dtype=torch.float64, device=ids.device)
    for text, score in zip(beams, scores.tolist(), strict=True):
        finish(text, score)
    _, score, text = max(finished, key=lambda candidate: candidate[0])
    return text[None], score
