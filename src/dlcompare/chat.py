"""A conversation with a language model: write the history, predict, append, until a stop token or the limit.

What every talker shares, whatever its model and its template: :mod:`dlcompare.dialogue` makes one of our own GPT,
:mod:`dlcompare.smollm` one of SmolLM2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from dlcompare.generation import steps
from dlcompare.sampling import Sampler
from dlcompare.tokenization import Tokenizer

__all__ = ["Talker", "kept_turns"]

#: Writes turns (user, reply, user, …) as token ids; after a user's turn, up to the place where the reply begins.
Write = Callable[[Sequence[str]], Sequence[int]]


def kept_turns(write: Write, turns: Sequence[str], room: int) -> list[str]:
    """Return the last turns of a history that fit into ``room`` tokens: what a model with a limited context reads.

    The user's oldest turn and its reply are dropped together until the rest fits: what remains is still a
    conversation.

    Raises
    ------
    ValueError
        when ``turns`` does not end with the user's turn, or that turn alone does not fit.
    """
    if len(turns) % 2 == 0:
        raise ValueError(f"turns has {len(turns)} entries; allowed is an odd number: the user's turn is last")
    for start in range(0, len(turns), 2):
        kept = list(turns[start:])
        length = len(write(kept))
        if length <= room:
            return kept
    raise ValueError(f"the user's last turn takes {length} tokens with its marks; allowed are at most {room}")


@dataclass(frozen=True)
class Talker:
    """Someone to talk to.

    Parameters
    ----------
    model
        a language model with a ``config.block_size``.
    tokenizer
        its tokenizer.
    write
        the template: turns (user, reply, user, …) as token ids, after a user's turn up to where the reply begins.
    stop
        token ids that end a reply.
    sampler
        how replies are drawn, unless something else is said.
    """

    model: nn.Module
    tokenizer: Tokenizer
    write: Write
    stop: frozenset[int]
    sampler: Sampler

    def stream(
        self,
        turns: Sequence[str],
        *,
        sampler: Sampler | None = None,
        max_new_tokens: int = 60,
        context: int | None = None,
        seed: int = 0,
    ) -> Iterator[str]:
        """Yield the reply to the whole history ``turns``, which ends with the user's turn, piece by piece.

        A piece is shown when its characters are whole: a letter may take several tokens. White space around the
        reply is left out. Of a history that leaves no room for ``max_new_tokens`` in the ``context``, the oldest turns
        are not read; see :func:`kept_turns`. The same ``seed`` gives the same reply.

        ``context`` is how many tokens the model may read, at most its ``block_size``, which is what it is without.

        Raises
        ------
        ValueError
            when the last turn alone leaves no room, for a ``context`` beyond the model's, and for what the template
            refuses.
        """
        block_size: int = self.model.config.block_size  # type: ignore[union-attr, assignment]
        if context is not None and not 1 <= context <= block_size:
            raise ValueError(
                f"context is {context}; allowed are integers from 1 to {block_size}, the model's block_size"
            )
        ids = torch.tensor([list(self.write(kept_turns(self.write, turns, (context or block_size) - max_new_tokens)))])
        generator = torch.Generator().manual_seed(seed)
        said: list[int] = []
        shown = ""
        for step in steps(
            self.model, ids, max_new_tokens, sampler or self.sampler, generator=generator, stop=self.stop
        ):
            if int(step.token) in self.stop:
                break
            said.append(int(step.token))
            whole = self.tokenizer.decode(said).lstrip()
            ready = whole.rstrip("\N{REPLACEMENT CHARACTER}").rstrip()  # more may follow
            if len(ready) > len(shown):
                yield ready[len(shown) :]
                shown = ready
        rest = self.tokenizer.decode(said).strip()[len(shown) :]
        if rest:
            yield rest

    def reply(
        self,
        turns: Sequence[str],
        *,
        sampler: Sampler | None = None,
        max_new_tokens: int = 60,
        context: int | None = None,
        seed: int = 0,
    ) -> str:
        """Return the reply as a whole; the arguments are those of :meth:`stream`."""
        stream = self.stream(turns, sampler=sampler, max_new_tokens=max_new_tokens, context=context, seed=seed)
        return "".join(stream)
