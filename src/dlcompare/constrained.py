"""Constrained decoding: a model writes only what a grammar allows.

Before each draw, tokens that would lead out of the grammar get the probability 0 (Willard & Louf 2023 for regular
expressions and grammars). That makes the form certain. It doesn't make the texts as probable as the model finds them
among those of the form, for a mask doesn't look ahead (Park et al. 2024): :func:`word_probabilities` tells both.
"""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlcompare.models.gpt import GPT
from dlcompare.sampling import AS_IS, Sampler
from dlcompare.tokenization import Tokenizer

__all__ = ["Constrained", "Grammar", "GrammarError", "Parse", "WordProbability", "constrain", "word_probabilities"]

#: A rule's symbol in an alternative: <name>.
_SYMBOL = re.compile(r"<(\w+)>")

#: Part of a rule that has been read: the rule, how much of it, and where it began.
_Item = tuple[int, int, int]


class GrammarError(ValueError):
    """A grammar is not of the form, or the tokens at hand cannot go on with it; the message says why."""


class Grammar:
    """A context-free grammar over characters.

    Read from the left by Earley's method (Earley 1970), which takes every such grammar: a rule may begin with itself,
    be ambiguous, or be empty.

    Parameters
    ----------
    rules
        by name, the alternatives of each rule: texts in which ``<name>`` stands for another rule or the same. A text
        itself can't contain a name in angle brackets.
    start
        the rule that a whole text must follow.

    Raises
    ------
    GrammarError
        for no alternatives, or a name without a rule.

    Examples
    --------
    >>> exits = Grammar({"start": ["[Exit <who>.]"], "who": ["Romeo", "<who> and <who>"]})
    >>> exits.accepts("[Exit Romeo and Romeo.]")
    True
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], start: str = "start"):
        if start not in rules:
            raise GrammarError(f"start is {start!r}; allowed are the rules' names: {', '.join(rules)}")
        self.start = start
        # A rule is its name and its symbols; a symbol is (True, name of a rule) or (False, one character).
        self._rules: list[tuple[str, tuple[tuple[bool, str], ...]]] = []
        self._of: dict[str, list[int]] = defaultdict(list)
        for name, alternatives in rules.items():
            if isinstance(alternatives, str) or not alternatives:
                raise GrammarError(f"rule {name!r} is {alternatives!r}; allowed is a list of at least one text")
            for alternative in alternatives:
                self._of[name].append(len(self._rules))
                self._rules.append((name, tuple(self._symbols(name, alternative, rules))))
        self._empty = self._may_be_empty()

    @classmethod
    def words(cls, words: Sequence[str]) -> Grammar:
        """Return the grammar of a set of words: a text is one of them.

        Raises
        ------
        GrammarError
            for no words.
        """
        # Each word is one rule's text as it stands, angle brackets included.
        grammar = cls({"start": ["" for _ in words]})
        grammar._rules = [("start", tuple((False, character) for character in word)) for word in words]
        grammar._empty = grammar._may_be_empty()
        return grammar

    @staticmethod
    def _symbols(name: str, alternative: str, rules: Mapping[str, Sequence[str]]) -> list[tuple[bool, str]]:
        symbols: list[tuple[bool, str]] = []
        for i, piece in enumerate(_SYMBOL.split(alternative)):
            if i % 2 == 0:
                symbols += [(False, character) for character in piece]
            elif piece in rules:
                symbols.append((True, piece))
            else:
                raise GrammarError(f"rule {name!r} names <{piece}>; allowed are {', '.join(rules)}")
        return symbols

    def _may_be_empty(self) -> set[str]:
        """Return the rules that an empty text follows."""
        empty: set[str] = set()
        while True:
            more = {
                name for name, symbols in self._rules if all(is_rule and symbol in empty for is_rule, symbol in symbols)
            }
            if more <= empty:
                return empty
            empty |= more

    def begin(self) -> Parse:
        """Return the state before the first character."""
        return Parse(self, (self._closed({(rule, 0, 0) for rule in self._of[self.start]}, ()),))

    def accepts(self, text: str) -> bool:
        """Return whether a text is one of the grammar's."""
        parse = self.begin().read(text)
        return parse is not None and parse.complete

    def _closed(self, items: set[_Item], before: tuple[frozenset[_Item], ...]) -> frozenset[_Item]:
        """Return ``items`` with all that they begin and all that they complete."""
        here = len(before)
        found, todo = set(items), list(items)
        while todo:
            rule, dot, origin = todo.pop()
            name, symbols = self._rules[rule]
            new: list[_Item] = []
            if dot == len(symbols):  # complete: go on where it was begun
                waiting = before[origin] if origin < here else found
                new = [
                    (r, d + 1, o)
                    for r, d, o in waiting
                    if d < len(self._rules[r][1]) and self._rules[r][1][d] == (True, name)
                ]
            elif symbols[dot][0]:  # a rule: begin all its alternatives
                new = [(r, 0, here) for r in self._of[symbols[dot][1]]]
                if symbols[dot][1] in self._empty:
                    new.append((rule, dot + 1, origin))
            fresh = set(new) - found
            found |= fresh
            todo += fresh
        return frozenset(found)


@dataclass(frozen=True)
class Parse:
    """How far a grammar has been read.

    Parameters
    ----------
    grammar
        what is read.
    chart
        at each place between characters, the parts of rules that have been read up to there.
    """

    grammar: Grammar
    chart: tuple[frozenset[_Item], ...]

    def read(self, text: str) -> Parse | None:
        """Return the state after ``text`` as well; None when no text of the grammar goes on so."""
        parse = self
        for character in text:
            rules = parse.grammar._rules
            moved = {
                (rule, dot + 1, origin)
                for rule, dot, origin in parse.chart[-1]
                if dot < len(rules[rule][1]) and rules[rule][1][dot] == (False, character)
            }
            if not moved:
                return None
            parse = Parse(parse.grammar, (*parse.chart, parse.grammar._closed(moved, parse.chart)))
        return parse

    @property
    def complete(self) -> bool:
        """Whether what has been read is a whole text of the grammar."""
        grammar = self.grammar
        return any(
            origin == 0 and grammar._rules[rule][0] == grammar.start and dot == len(grammar._rules[rule][1])
            for rule, dot, origin in self.chart[-1]
        )

    def after_tokens(self, spelled: Sequence[str]) -> dict[int, Parse]:
        """Return the state after each token that may come next, by its id.

        Parameters
        ----------
        spelled
            what each id of a vocabulary writes; an empty text never comes next.
        """

        @functools.cache
        def after(text: str) -> Parse | None:
            if not text:
                return self
            shorter = after(text[:-1])
            return shorter and shorter.read(text[-1])

        return {token: parse for token, text in enumerate(spelled) if text and (parse := after(text)) is not None}


@dataclass(frozen=True)
class Constrained:
    """A text that was written under a grammar.

    Parameters
    ----------
    text
        what was written, without the prompt.
    ids
        its tokens, (n,).
    left
        at each token, how much of the model's probability the grammar left over, (n,).
    complete
        whether it is a whole text of the grammar; if not, the tokens did not suffice.
    """

    text: str
    ids: Tensor
    left: Tensor
    complete: bool


def _spelled(tokenizer: Tokenizer) -> list[str]:
    """Return what each id writes; of one that writes half a character, a mark that no grammar has."""
    return [tokenizer.decode([token]) for token in range(tokenizer.vocab_size)]


@torch.inference_mode()
def constrain(
    model: GPT,
    tokenizer: Tokenizer,
    prompt: str,
    grammar: Grammar,
    sampler: Sampler = AS_IS,
    *,
    generator: torch.Generator | None = None,
    max_new_tokens: int = 60,
) -> Constrained:
    """Continue ``prompt`` with a text of the grammar; it ends as soon as it is one.

    So a grammar whose texts begin one another needs a mark at its end. ``sampler`` chooses among what the grammar
    allows.

    Raises
    ------
    ValueError
        for an empty prompt.
    GrammarError
        when no token goes on with the grammar: the vocabulary lacks a character.
    """
    if not prompt:
        raise ValueError("prompt is empty; at least one character is needed, for instance a newline")
    model.eval()
    spelled = _spelled(tokenizer)
    ids = torch.tensor([tokenizer.encode(prompt)])  # (1, seq)
    n = ids.shape[1]
    parse, left = grammar.begin(), []
    while not parse.complete and ids.shape[1] - n < max_new_tokens:
        states = parse.after_tokens(spelled)
        if not states:
            written = tokenizer.decode(ids[0, n:].tolist())
            raise GrammarError(f"after {written!r} no token of the vocabulary goes on with the grammar")
        logits = model(ids[:, -model.config.block_size :])[:, -1]  # (1, vocab_size)
        forbidden = torch.ones(1, len(spelled), dtype=torch.bool)
        forbidden[0, list(states)] = False
        left.append(logits.softmax(-1).masked_fill(forbidden, 0.0).sum().item())
        token = sampler.choose(logits.masked_fill(forbidden, -math.inf), ids, generator)
        parse = states[int(token)]
        ids = torch.cat([ids, token[:, None]], dim=1)
    new = ids[0, n:]
    return Constrained(tokenizer.decode(new.tolist()), new, torch.tensor(left), parse.complete)


@dataclass(frozen=True)
class WordProbability:
    """How probable a word is as the continuation of a prompt.

    Parameters
    ----------
    model
        that the model goes on with it.
    among
        the same, among the words of the set alone: ``model`` divided by the sum over the set.
    masked
        that it comes out when, at each token, those that lead to no word of the set are masked.
    """

    model: float
    among: float
    masked: float


@torch.inference_mode()
def word_probabilities(
    model: GPT, tokenizer: Tokenizer, prompt: str, words: Sequence[str], batch_size: int = 128
) -> dict[str, WordProbability]:
    """Return, for each word of a set, how probable it is, and how probable a mask makes it.

    A word's probability is summed over all rows of tokens that spell it, which are many more than the one that the
    tokenizer would choose.

    Raises
    ------
    ValueError
        for an empty prompt, fewer than two words, an empty one, one that begins another, or one that the tokens
        cannot spell.
    """
    if not prompt:
        raise ValueError("prompt is empty; at least one character is needed, for instance a newline")
    if len(set(words)) < 2 or any(a != b and b.startswith(a) for a in words for b in words):
        raise ValueError(f"words is {list(words)!r}; allowed are two or more of which none begins another")
    model.eval()
    pieces = {text: token for token, text in enumerate(_spelled(tokenizer)) if text}

    def spellings(word: str) -> list[tuple[int, ...]]:
        if not word:
            return [()]
        starts = (word[:n] for n in range(1, len(word) + 1) if word[:n] in pieces)
        return [(pieces[start], *rest) for start in starts for rest in spellings(word[len(start) :])]

    paths = [(word, path) for word in dict.fromkeys(words) for path in spellings(word)]
    if missing := set(words) - {word for word, _ in paths}:
        raise ValueError(f"words has {sorted(missing)!r}, which the tokens cannot spell")
    allowed: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for _, path in paths:
        for k, token in enumerate(path):
            allowed[path[:k]].add(token)
    read = tokenizer.encode(prompt)
    own, masked = dict.fromkeys(words, 0.0), dict.fromkeys(words, 0.0)
    for first in range(0, len(paths), batch_size):
        chosen = paths[first : first + batch_size]
        longest = max(len(path) for _, path in chosen)
        rows = torch.tensor([[*read, *path, *[0] * (longest - len(path))] for _, path in chosen])
        p = model(rows)[:, len(read) - 1 : -1].softmax(-1).double()  # (batch, longest, vocab_size)
        for row, (word, path) in enumerate(chosen):
            steps = [p[row, k, token].item() for k, token in enumerate(path)]
            lefts = [p[row, k, sorted(allowed[path[:k]])].sum().item() for k in range(len(path))]
            own[word] += math.prod(steps)
            masked[word] += math.prod(step / left for step, left in zip(steps, lefts, strict=True))
    total = sum(own.values())
    return {word: WordProbability(own[word], own[word] / total, masked[word]) for word in own}
