"""Dialogues and single questions with answers, for teaching a language model to converse."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
import unicodedata
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits, divided

__all__ = ["Conversation", "Turn", "load_dialogue", "load_questions_and_answers"]


@dataclasses.dataclass(frozen=True)
class Turn:
    """What one speaker says before the other answers; the speaker is 0 or 1.

    Raises
    ------
    ValueError
        when ``speaker`` is neither 0 nor 1, or ``text`` is empty.
    """

    speaker: int
    text: str

    def __post_init__(self) -> None:
        if self.speaker not in (0, 1):
            raise ValueError(f"speaker is {self.speaker!r}; it must be 0 or 1")
        if not self.text.strip():
            raise ValueError(f"text is {self.text!r}; it must not be empty")


@dataclasses.dataclass(frozen=True)
class Conversation:
    """A conversation of two: speaker 0 begins, and the speakers take turns.

    ``prompt`` is the question that both were shown before they began, ``None`` if they were shown none.

    Raises
    ------
    ValueError
        when the speakers of ``turns`` are not 0, 1, 0, 1, ….
    """

    turns: tuple[Turn, ...]
    prompt: str | None = None

    def __post_init__(self) -> None:
        speakers = [turn.speaker for turn in self.turns]
        if speakers != [i % 2 for i in range(len(speakers))]:
            raise ValueError(f"the turns' speakers are {speakers}; they must be 0, 1, 0, 1, …")

    def __len__(self) -> int:
        """Return the number of turns."""
        return len(self.turns)


# A conversation in which one of these is found is left out whole: without one turn, the next makes no sense.
_CONTACT = re.compile(
    r"@\w"  # an e-mail address, or a handle
    r"|https?:|www\.\w|(?<=\w)\.(?:com|edu|games|gov|io|ly|me|net|org|pe|tv|uk)\b"
    r"|(?:\d[\s().-]*){7}"  # a telephone number: seven digits with nothing much between them
    r"|[Mm]y name(?: is|'s) [A-Z][a-z]+ [A-Z]"
)
_CONTACT_WORDS = (
    *("add me", "dm me", "follow me", "text me"),
    *("email", "e mail", "phone number", "my number", "your number"),
    *("insta", "instagram", "snap chat", "snapchat", "venmo"),
    *("full name", "last name", "surname"),
)


@functools.cache
def load_dialogue() -> Splits[tuple[Conversation, ...]]:
    """Return informal conversations of two people, 80% to train, 10% to validate and 10% to test.

    Left out are conversations in which one person alone wrote, those with contact details (addresses of
    e-mail and web, telephone numbers, handles, full names, invitations to social networks), and those with
    a word of ``blocked_words.txt``. The messages of one turn are joined with blanks; speakers are 0, who
    begins, and 1.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    (raw,) = members("dialogue").values()
    words, beginnings = _blocked_words()
    conversations: dict[Conversation, str] = {}
    for identifier, record in json.loads(raw).items():
        conversation = _conversation(record)
        if len(conversation) >= 2 and not _objectionable(conversation, words, beginnings):
            conversations.setdefault(conversation, identifier)
    return divided(conversations, key=conversations.__getitem__, validation=10, test=10)


def _conversation(record: dict[str, Any]) -> Conversation:
    messages = [
        (message["sender"], text)
        for turn in record["messages"]
        for message in turn
        if (text := " ".join(message["text"].split()))
    ]
    turns = [" ".join(text for _, text in group) for _, group in itertools.groupby(messages, key=lambda item: item[0])]
    return Conversation(tuple(Turn(i % 2, text) for i, text in enumerate(turns)), record.get("prompt") or None)


def _objectionable(conversation: Conversation, words: tuple[str, ...], beginnings: tuple[str, ...]) -> bool:
    """Return whether there are contact details, one of ``words``, or a word with one of ``beginnings``."""
    text = "\n".join(turn.text for turn in conversation.turns)
    if _CONTACT.search(text):
        return True
    found = [word.strip("'") for word in re.findall(r"[\w']+", text.casefold())]
    plain = f" {' '.join(found)} "
    return any(f" {word} " in plain for word in (*_CONTACT_WORDS, *words)) or any(
        word.startswith(beginnings) for word in set(found)
    )


@functools.cache
def _blocked_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words and phrases of ``blocked_words.txt``, and its beginnings, without their ``*``."""
    file = resources.files("dlcompare.data") / "blocked_words.txt"
    lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return (
        tuple(line for line in lines if line and not line.endswith("*")),
        tuple(line.removesuffix("*") for line in lines if line.endswith("*")),
    )


# In these files, a list is a conversation: each line answers the one before. In the others, it is a
# question with one or several answers.
_SEQUENCES = frozenset(["conversations", "health", "sports"])


@functools.cache
def load_questions_and_answers() -> Splits[tuple[tuple[str, str], ...]]:
    """Return pairs of a question and an answer in English, 80% to train, 10% to validate and 10% to test.

    All the answers to one question (as far as letter case and punctuation tell) are in one part. Left out are
    repeated pairs, and answers of several lines, which are programs.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    pairs: dict[tuple[str, str], None] = {}
    for path, raw in members("questions").items():
        for lines in yaml.load(raw, Loader=loader)["conversations"]:
            if not isinstance(lines, list):
                continue  # an entry whose list marks are missing in the file
            cleaned = [str(line).strip() for line in lines]
            if PurePosixPath(path).stem in _SEQUENCES:
                found = list(itertools.pairwise(cleaned))
            else:
                found = [(cleaned[0], answer) for answer in cleaned[1:]]
            for question, answer in found:
                if question != answer and "\n" not in question + answer:
                    pairs[question, answer] = None
    return divided(pairs, key=lambda pair: _plain(pair[0]), validation=10, test=10)


def _plain(question: str) -> str:
    """Return ``question`` in small letters, its words separated by blanks, without punctuation."""
    kept = (" " if unicodedata.category(letter)[0] in "PZ" else letter for letter in question.casefold())
    return " ".join("".join(kept).split())
