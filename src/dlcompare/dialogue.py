"""Dialogue with a language model: the template, examples to fine-tune on, and a reply to a history.

A conversation is a sequence of turns, the user's first, then the reply, and so on. The template writes it as
one row of tokens, so that predicting the next token *is* replying::

    <|user|>How are you?<|reply|>Well, my lord.<|end|><|user|>…
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import chat
from dlcompare.data import Conversation
from dlcompare.sampling import Sampler
from dlcompare.tokenization import END, REPLY, SPECIAL_TOKENS, USER, BPETokenizer
from dlcompare.training import IGNORED, Batch, Collate, Texts, classify, device_of

__all__ = [
    "SAMPLER",
    "Example",
    "encode_turns",
    "examples",
    "ranking_accuracy",
    "reply",
    "reply_batches",
    "reply_bits_per_character",
    "reply_candidates",
    "reply_pairs",
    "talker",
    "turns_of",
]


#: How replies are drawn: a little sharper than the model's own distribution, without its tail.
SAMPLER = Sampler(temperature=0.7, top_p=0.9)


@dataclass(frozen=True)
class Example:
    """A conversation as a model is trained on it.

    Parameters
    ----------
    ids
        its tokens.
    is_reply
        of each token, whether the one who replies has to produce it: the reply's text and its end.
    n_characters
        length of all its replies together.
    """

    ids: tuple[int, ...]
    is_reply: tuple[bool, ...]
    n_characters: int


def turns_of(conversations: Iterable[Conversation]) -> list[tuple[str, ...]]:
    """Return the texts of each conversation, in turn."""
    return [tuple(turn.text for turn in conversation.turns) for conversation in conversations]


def encode_turns(tokenizer: BPETokenizer, turns: Sequence[str]) -> Example:
    """Write ``turns`` (user, reply, user, …) in the template.

    Raises
    ------
    ValueError
        for no turns, or for a turn that contains one of the template's own tokens: with it, a user could
        speak in the other's name.
    """
    if not turns:
        raise ValueError("turns is empty; at least the user's first turn is needed")
    ids: list[int] = []
    is_reply: list[bool] = []
    for i, turn in enumerate(turns):
        if found := [token for token in SPECIAL_TOKENS if token in turn]:
            raise ValueError(f"turns[{i}] contains {found[0]!r}, a mark of the template; allowed is plain text")
        replying = i % 2 == 1
        text = tokenizer.encode(turn)
        ids += [tokenizer.id_of(REPLY if replying else USER), *text]
        is_reply += [False] + [replying] * len(text)
        if replying:
            ids.append(tokenizer.id_of(END))
            is_reply.append(True)
    return Example(tuple(ids), tuple(is_reply), sum(len(turn) for turn in turns[1::2]))


def examples(tokenizer: BPETokenizer, conversations: Iterable[Sequence[str]], block_size: int) -> list[Example]:
    """Write conversations in the template, cut after replies into pieces of ≤ ``block_size + 1`` tokens.

    (A model of ``block_size`` reads all of such a piece but its last token.) A user's turn and its reply stay
    together. Such a pair that is too long on its own is left out, and so is a last turn without a reply.
    """
    found: list[Example] = []
    for turns in conversations:
        piece: list[str] = []
        length = 0
        for i in range(0, len(turns) - 1, 2):
            pair = turns[i : i + 2]
            n = len(encode_turns(tokenizer, pair).ids)
            if piece and length + n > block_size + 1:
                found.append(encode_turns(tokenizer, piece))
                piece, length = [], 0
            if n <= block_size + 1:
                piece += pair
                length += n
        if piece:
            found.append(encode_turns(tokenizer, piece))
    return found


def _padded(chosen: Sequence[Example]) -> Batch:
    """Return (ids, targets), each (batch, longest - 1); a target that is no part of a reply is IGNORED.

    Short rows are filled up on the right, where no prediction of a causal model sees it.
    """
    longest = max(len(example.ids) for example in chosen)
    ids = torch.zeros(len(chosen), longest, dtype=torch.int64)
    targets = torch.full((len(chosen), longest), IGNORED)
    for row, example in enumerate(chosen):
        n = len(example.ids)
        ids[row, :n] = torch.tensor(example.ids)
        targets[row, :n] = torch.where(torch.tensor(example.is_reply), ids[row, :n], IGNORED)
    return ids[:, :-1], targets[:, 1:]


def reply_batches(pool: Sequence[Example], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield for ever batches for :func:`dlcompare.training.reply_loss`, epoch after epoch in a new order.

    Raises
    ------
    ValueError
        when ``batch_size`` is less than 1 or more than the examples in ``pool``.
    """
    if not 1 <= batch_size <= len(pool):
        raise ValueError(f"batch_size is {batch_size}; allowed are 1 to {len(pool)}, the number of examples")
    while True:
        order = torch.randperm(len(pool), generator=generator).tolist()
        for start in range(0, len(order) - batch_size + 1, batch_size):
            yield _padded([pool[i] for i in order[start : start + batch_size]])


@torch.inference_mode()
def reply_bits_per_character(model: nn.Module, pool: Sequence[Example], batch_size: int = 16) -> float:
    """Return the bits that ``model`` needs for the replies of ``pool`` and their ends, per character.

    Raises
    ------
    ValueError
        when no reply in ``pool`` has a character.
    """
    n_characters = sum(example.n_characters for example in pool)
    if not n_characters:
        raise ValueError("pool has no reply with a character; there is nothing to measure")
    model.eval()
    nats = 0.0
    by_length = sorted(pool, key=lambda example: len(example.ids))  # so that rows need little filling up
    for start in range(0, len(by_length), batch_size):
        ids, targets = _padded(by_length[start : start + batch_size])
        targets = targets.to(device_of(model))
        logits = model(ids.to(targets.device))  # (batch, seq, vocab_size)
        nats += F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum").item()
    return nats / math.log(2) / n_characters


def _replied(
    tokenizer: BPETokenizer, conversations: Iterable[Sequence[str]], longest: int
) -> tuple[list[list[int]], list[list[int]], Tensor]:
    """Return each turn that was replied to, its reply, and the number of its conversation (n,)."""
    said, replied, conversation = [], [], []
    for number, turns in enumerate(conversations):
        ids = [tokenizer.encode(turn) for turn in turns]
        for turn, answer in itertools.pairwise(ids):
            said.append(turn[-longest:])
            replied.append(answer[:longest])
            conversation.append(number)
    return said, replied, torch.tensor(conversation)


def _drawn(conversation: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return for each reply the places (n_replies, n) of ``n`` others, of other conversations than its own."""
    if len(conversation) == 0 or bool((conversation == conversation[0]).all()):
        raise ValueError("conversations has replies in fewer than two conversations; allowed are at least two")
    drawn = torch.randint(len(conversation), (len(conversation), n), generator=generator)
    while bool((own := conversation[drawn] == conversation[:, None]).any()):
        drawn[own] = torch.randint(len(conversation), (int(own.sum()),), generator=generator)
    return drawn


def reply_pairs(
    tokenizer: BPETokenizer, conversations: Iterable[Sequence[str]], longest: int, generator: torch.Generator
) -> tuple[list[Texts], Tensor]:
    """Return pairs of a turn and what may be the reply to it, for an encoder to tell which is.

    Each turn comes twice: with the turn that followed (class 0, as BERT's IsNext) and with one that followed another
    turn, in another conversation (class 1, NotNext).

    Parameters
    ----------
    tokenizer
        encodes the turns.
    conversations
        the turns of each.
    longest
        of a turn, at most so many tokens are kept: the last of what was said, the first of a reply.
    generator
        draws the false replies.

    Returns
    -------
    tuple[list[Texts], Tensor]
        the pairs and their classes (n,).

    Raises
    ------
    ValueError
        when fewer than two conversations have a reply.
    """
    said, replied, conversation = _replied(tokenizer, conversations, longest)
    drawn = _drawn(conversation, 1, generator)[:, 0].tolist()
    pairs: list[Texts] = []
    for i, other in enumerate(drawn):
        pairs += [(said[i], replied[i]), (said[i], replied[other])]
    return pairs, torch.tensor([0, 1] * len(said))


def reply_candidates(
    tokenizer: BPETokenizer,
    conversations: Iterable[Sequence[str]],
    longest: int,
    generator: torch.Generator,
    *,
    n_questions: int,
    n_candidates: int = 10,
) -> list[Texts]:
    """Return turns, each paired with ``n_candidates`` replies, of which the first is the one that followed.

    Who guesses finds it with a probability of 1 / ``n_candidates``. Parameters as in :func:`reply_pairs`; the result
    has ``n_questions`` · ``n_candidates`` pairs, those of one turn side by side.

    Raises
    ------
    ValueError
        when fewer than two conversations have a reply.
    """
    said, replied, conversation = _replied(tokenizer, conversations, longest)
    drawn = _drawn(conversation, n_candidates - 1, generator)
    questions = torch.randperm(len(said), generator=generator)[:n_questions].tolist()
    return [(said[i], replied[j]) for i in questions for j in (i, *drawn[i].tolist())]


def ranking_accuracy(model: nn.Module, pairs: Sequence[Texts], collate: Collate, n_candidates: int = 10) -> float:
    """Return how often a classifier finds the reply that followed likelier to follow than each of the others.

    Parameters
    ----------
    model
        maps what ``collate`` gives to logits (batch, 2), class 0 for a reply that follows.
    pairs
        as :func:`reply_candidates` gives them.
    collate
        makes what the model reads of pairs.
    n_candidates
        how many of them belong to one turn.

    Returns
    -------
    float
        the share of turns, between 0 and 1; 1 / ``n_candidates`` for one who guesses.
    """
    logits = classify(model, pairs, collate).view(-1, n_candidates, 2)  # (questions, candidates, classes)
    chosen = (logits[..., 0] - logits[..., 1]).argmax(-1)  # (questions,)
    return (chosen == 0).double().mean().item()


def talker(model: nn.Module, tokenizer: BPETokenizer, sampler: Sampler = SAMPLER) -> chat.Talker:
    """Return a model that was fine-tuned on the template as someone to talk to; any mark of it ends a reply."""

    def write(turns: Sequence[str]) -> list[int]:
        ids = list(encode_turns(tokenizer, turns).ids)
        return [*ids, tokenizer.id_of(REPLY)] if len(turns) % 2 else ids

    return chat.Talker(model, tokenizer, write, frozenset(map(tokenizer.id_of, SPECIAL_TOKENS)), sampler)


def reply(
    model: nn.Module,
    tokenizer: BPETokenizer,
    turns: Sequence[str],
    *,
    sampler: Sampler = SAMPLER,
    max_new_tokens: int = 60,
    seed: int = 0,
) -> str:
    """Return the model's reply to the whole history ``turns``, which ends with the user's turn.

    The model reads the template up to the mark of the reply, then its own tokens as they come, until it ends
    the turn or has said ``max_new_tokens``. Of a history that leaves no room for these, the oldest turns are
    dropped; see :func:`dlcompare.chat.kept_turns`. The same ``seed`` gives the same reply.
    """
    return talker(model, tokenizer, sampler).reply(turns, max_new_tokens=max_new_tokens, seed=seed)
