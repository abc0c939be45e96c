"""Quizzes: five questions to a chapter, with a word on each answer, that work wherever HTML is shown.

They stand in ``data/quizzes``, a file for each chapter. A quiz is a form of radio buttons; its style sheet shows what
belongs to the chosen answer and counts the right ones. It needs neither a kernel nor a script.
"""

from __future__ import annotations

import html
import random
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from dlcompare.catalogue import text

__all__ = ["Option", "Question", "Quiz", "QuizError", "quizzes"]

#: How many questions a quiz has, and how few and many answers each of them offers.
QUESTIONS, FEWEST, MOST = 5, 3, 4


class QuizError(ValueError):
    """A file holds what is no quiz, or there is none of a name; the message says what is allowed."""


@dataclass(frozen=True)
class Option:
    """One answer that a question offers: what it says, why that is right or not, and whether it is right."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question and the answers that it offers, of which one is right.

    In all texts ``*so*`` is emphasis, and what stands between backquotes is code. The order of the answers is drawn
    from the question's text, whatever it is in the file.
    """

    ask: str
    options: tuple[Option, ...]

    @property
    def right(self) -> int:
        """The place of the right answer."""
        return next(place for place, option in enumerate(self.options) if option.right)


@dataclass(frozen=True)
class Quiz:
    """The quiz of a chapter, shown as a form where HTML is shown.

    Parameters
    ----------
    chapter
        the chapter's number, such as "3.1.2".
    questions
        five.
    """

    chapter: str
    questions: tuple[Question, ...]

    @classmethod
    def of(cls, chapter: str, path: Path | None = None) -> Quiz:
        """Return the quiz of a chapter.

        Parameters
        ----------
        chapter
            the chapter's number.
        path
            another file of the same form.

        Raises
        ------
        QuizError
            when there is no quiz of that chapter, or its file is not of the form.
        """
        own = _folder() / f"{chapter}.yml"
        if path is None and chapter not in quizzes():
            raise QuizError(f"chapter is {chapter!r}; there are quizzes of {', '.join(quizzes())}")
        return cls(chapter, _read(yaml.safe_load((path or own).read_text(encoding="utf-8"))))

    def __repr__(self) -> str:
        """Return the questions and their answers as plain text."""
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.ask}")
            lines += [f"   {letter}) {option.text}" for letter, option in zip("abcd", question.options, strict=False)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        style = (resources.files("dlcompare") / "quiz.css").read_text(encoding="utf-8")
        questions = "".join(_question(self.chapter, number, one) for number, one in enumerate(self.questions, 1))
        # The first submit button answers to Enter; disabled, it lets nothing be sent.
        return (
            f'<style>{style}</style><form class="dlc-quiz" aria-label="{html.escape(text("quiz.title"))}">'
            f'<button type="submit" disabled hidden></button>{questions}'
            f'<p class="dlc-quiz-end"><output class="dlc-quiz-score">{_marked(text("quiz.right"))} </output>'
            f'<button type="reset">{_marked(text("quiz.again"))}</button></p></form>'
        )


def quizzes() -> list[str]:
    """Return the numbers of the chapters that have a quiz."""
    return sorted(path.stem for path in _folder().glob("*.yml"))


def _folder() -> Path:
    packaged = Path(__file__).parent / "_quizzes"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / "quizzes"


def _read(entries: Any) -> tuple[Question, ...]:
    if not isinstance(entries, list) or len(entries) != QUESTIONS:
        raise QuizError(f"the file holds {_told(entries)}; allowed is a list of {QUESTIONS} questions")
    return tuple(_read_question(entry, f"question {number}") for number, entry in enumerate(entries, 1))


def _read_question(entry: Any, name: str) -> Question:
    if not isinstance(entry, dict) or set(entry) != {"ask", "options"}:
        raise QuizError(f"{name} is {_told(entry)}; allowed is a mapping with ask and options")
    options = entry["options"]
    if not isinstance(options, list) or not FEWEST <= len(options) <= MOST:
        raise QuizError(f"{name}: options are {_told(options)}; allowed is a list of {FEWEST} to {MOST}")
    read = tuple(_read_option(option, f"{name}, option {place}") for place, option in enumerate(options, 1))
    if sum(option.right for option in read) != 1:
        raise QuizError(f"{name} has {sum(option.right for option in read)} right options; allowed is one")
    ask = _text(entry["ask"], f"{name}: ask")
    # In an order of chance, the same each time: whoever writes a question puts the right answer first, or last.
    order = random.Random(ask).sample(read, len(read))
    return Question(ask, tuple(order))


def _read_option(entry: Any, name: str) -> Option:
    if not isinstance(entry, dict) or not {"text", "why"} <= set(entry) <= {"text", "why", "right"}:
        raise QuizError(
            f"{name} is {_told(entry)}; allowed is a mapping with text, why and, of one option, right: true"
        )
    right = entry.get("right", False)
    if not isinstance(right, bool):
        raise QuizError(f"{name}: right is {right!r}; allowed are true and false")
    return Option(_text(entry["text"], f"{name}: text"), _text(entry["why"], f"{name}: why"), right)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise QuizError(f"{name} is {value!r}; allowed is a text (numbers and truth values stand in quotes)")
    return value.strip()


def _told(value: Any) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else repr(value)


def _marked(words: str) -> str:
    """Return a text as HTML, with its emphasis and its code."""
    escaped = html.escape(words, quote=False)
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])", r"<em>\1</em>", coded)


def _question(chapter: str, number: int, question: Question) -> str:
    options = "".join(
        _option(f"quiz-{chapter.replace('.', '-')}-{number}", place, option)
        for place, option in enumerate(question.options)
    )
    return f"<fieldset><legend>{number}. {_marked(question.ask)}</legend>{options}</fieldset>"


def _option(name: str, place: int, option: Option) -> str:
    verdict = text("quiz.so") if option.right else text("quiz.not_so")
    # The place of the word on an answer is there from the start, so that a screen reader tells what comes into it.
    return (
        f'<div class="dlc-quiz-option" data-right="{str(option.right).lower()}">'
        f'<input type="radio" name="{name}" value="{place}" id="{name}-{place}">'
        f'<label for="{name}-{place}">{_marked(option.text)}</label>'
        f'<div aria-live="polite"><p><b>{_marked(verdict)}</b> {_marked(option.why)}</p></div></div>'
    )
