"""The dialogue of the chat stepper: each reply, token by token, in one of three ways to read.

The front end does the same (``js/src/explorables/chat/talk.js``), and asks the same graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlcompare.chance import Chance
from dlcompare.chat import Write, kept_turns
from dlcompare.tokenization import BPETokenizer

__all__ = ["LONGEST_REPLY", "MOST_TURNS", "WAYS", "Reply", "Rules", "numbers", "talk"]

#: What the model reads: the whole conversation, as far as it fits; the user's last turn and the reply so far; or, as
#: the article's loop has it, the user's last turn for the first token, and then the last token alone.
WAYS = ("whole", "turn", "article")
#: User's turns at most.
MOST_TURNS = 24
#: Tokens of a reply at most.
LONGEST_REPLY = 60


@dataclass(frozen=True)
class Rules:
    """What decides a dialogue, besides what the user says.

    Parameters
    ----------
    write
        the template: turns as token ids, after a user's turn up to where the reply begins.
    tokenizer
        makes the text of a reply's tokens.
    stop
        tokens that end a reply.
    context
        tokens that the model may read.
    longest
        tokens of a reply at most; the context keeps room for them.
    settings
        of the draw, as :func:`dlcompare.graphs.sampling` takes them, without its number.
    seed
        gives each place of each reply its number.
    choices
        the tokens that the reader chose, by the reply and the place in it.
    """

    write: Write
    tokenizer: BPETokenizer
    stop: frozenset[int]
    context: int
    longest: int
    settings: Mapping[str, Tensor]
    seed: int
    choices: Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class Reply:
    """One reply, and all that it was made from.

    Parameters
    ----------
    ids
        the whole conversation up to the place where the reply begins, in the template.
    cut
        how many of these tokens, the first ones, the model does not read.
    turns_cut
        how many turns these are.
    reads
        how many tokens the model read for each token of the reply.
    steps
        what :func:`dlcompare.graphs.reply_step` gave for each.
    text
        the reply as it goes into the conversation.
    ended
        whether it ended itself; otherwise it is as long as a reply may be.
    """

    ids: tuple[int, ...]
    cut: int
    turns_cut: int
    reads: tuple[int, ...]
    steps: tuple[Mapping[str, Tensor], ...]
    text: str
    ended: bool

    @property
    def tokens(self) -> list[int]:
        """The tokens that were taken, with the one that ended the reply."""
        return [int(step["token"]) for step in self.steps]


def numbers(seed: int) -> list[list[float]]:
    """Return the number in [0, 1) for each place of each reply: the same whatever is said and however it is read."""
    chance = Chance(seed)
    return [[chance.uniform() for _ in range(LONGEST_REPLY)] for _ in range(MOST_TURNS)]


def talk(ask: Callable[..., Mapping[str, Tensor]], rules: Rules, turns: Sequence[str], way: str) -> list[Reply]:
    """Return the replies to what the user says, one after the other.

    It ends early where a reply spells a mark of the template: the template refuses it.
    """
    said: list[str] = []
    replies: list[Reply] = []
    for turn, (text, uniforms) in enumerate(zip(turns, numbers(rules.seed), strict=False)):
        said.append(text)
        try:
            ids = tuple(rules.write(said))
        except ValueError:
            break
        kept = kept_turns(rules.write, said, rules.context - rules.longest) if way == "whole" else [text]
        opening = list(rules.write(kept))
        steps = _reply(ask, rules, opening, turn, uniforms, way)
        tokens = [int(step["token"]) for step in steps]
        ended = tokens[-1] in rules.stop
        said.append(rules.tokenizer.decode(tokens[:-1] if ended else tokens).strip())
        reads = [len(opening) + place if way != "article" or not place else 1 for place in range(len(steps))]
        cut = len(ids) - len(opening)
        replies.append(Reply(ids, cut, len(said) - 1 - len(kept), tuple(reads), tuple(steps), said[-1], ended))
    return replies


def _reply(
    ask: Callable[..., Mapping[str, Tensor]],
    rules: Rules,
    opening: list[int],
    turn: int,
    uniforms: Sequence[float],
    way: str,
) -> list[Mapping[str, Tensor]]:
    steps: list[Mapping[str, Tensor]] = []
    new, past = opening, None
    for place in range(rules.longest):
        chosen = rules.choices.get((turn, place), -1) if way == "whole" else -1
        answer = ask(
            new,
            past,
            chosen=torch.tensor(chosen, dtype=torch.int32),
            uniform=torch.tensor(uniforms[place]),
            **rules.settings,
        )
        steps.append({name: value for name, value in answer.items() if name != "new"})
        new = [int(answer["token"])]
        if new[0] in rules.stop:
            break
        # Without what was read before, no cache either.
        past = None if way == "article" else answer["new"] if past is None else torch.cat([past, answer["new"]])
    return steps
