"""Each chapter as a lecture: its plan, its exercises with solutions and checkers, its quiz, its text."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from pathlib import Path

import nbformat
import pytest

from dlcompare.exercises import exercises
from dlcompare.quiz import quizzes
from tools.chapters import ROOT

#: The least number of words in a chapter's text, and in one that is meant to be short.
WORDS, SHORT = 1500, 700
SHORT_ONES = {"1.3"}


class Lecture:
    """A chapter's notebook, read for what a lecture must have."""

    def __init__(self, path: Path) -> None:
        cells = nbformat.read(path, as_version=4).cells
        self.text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        self.code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
        self.cells = cells
        found = re.match(r"# (\d(?:\.\d){0,2}[ab]?) ", self.text)
        assert found, f"{path.name} has no number in its title"
        self.number = found[1]

    @cached_property
    def headings(self) -> list[str]:
        return re.findall(r"^## (.+)$", self.text, re.MULTILINE)

    @cached_property
    def plan(self) -> tuple[int, dict[str, int]]:
        """The minutes in all, and those of each part by its heading."""
        total = re.search(r"^:::\{admonition\} Plan, (\d+) minutes$", self.text, re.MULTILINE)
        parts = re.search(r"^\*\*Minutes:\*\* (.+)$", self.text, re.MULTILINE)
        assert total
        assert parts
        pairs = [part.rsplit(" ", 1) for part in parts[1].split(" · ")]
        return int(total[1]), {name: int(minutes) for name, minutes in pairs}

    @cached_property
    def exercises(self) -> list[str]:
        """Their names, in order."""
        return re.findall(r"^:::\{exercise\} (\S+) · ", self.text, re.MULTILINE)

    @cached_property
    def solved(self) -> list[str]:
        """The labels of the exercises that have a solution."""
        return re.findall(r"^:::\{solution-start\} (\S+)$", self.text, re.MULTILINE)

    @cached_property
    def words(self) -> int:
        prose = re.sub(r"\$[^$]*\$|^:::.*$|^:\w+:.*$", "", self.text, flags=re.MULTILINE)
        return len(re.findall(r"[^\W\d_][\w’'-]*", prose))


LECTURES = {lecture.number: lecture for lecture in map(Lecture, sorted((ROOT / "chapters").glob("[1-6]-*/*.ipynb")))}
every = pytest.mark.parametrize("lecture", LECTURES.values(), ids=lambda lecture: lecture.number)


def test_a_quiz_belongs_to_a_chapter() -> None:
    assert set(quizzes()) == set(LECTURES)
    assert {name.rpartition("-")[0] for name in exercises()} == set(LECTURES)


@every
def test_its_plan_gives_minutes_to_each_part(lecture: Lecture) -> None:
    total, parts = lecture.plan
    taught = [one for one in lecture.headings if one not in {"Summary", "Exercises", "Further reading"}]
    assert list(parts) == taught
    assert sum(parts.values()) == total
    assert (15 if lecture.number in SHORT_ONES else 45) <= total <= 75
    for piece in ("**Afterwards you can** ", "**Before:** "):
        assert piece in lecture.text


@every
def test_it_ends_as_a_lecture_does(lecture: Lecture) -> None:
    assert lecture.headings[-5:] == ["Summary", "Common mistakes", "Five questions", "Exercises", "Further reading"]
    assert f'Quiz.of("{lecture.number}")' in [cell.source for cell in lecture.cells if cell.cell_type == "code"]
    reading = lecture.text.rpartition("## Further reading")[2]
    assert len(re.findall(r"\{cite:[pt]\}", reading)) >= 3


@every
def test_its_exercises_have_names_solutions_and_checkers(lecture: Lecture) -> None:
    letters = "abcdefgh"[: len(lecture.exercises)]
    assert len(lecture.exercises) >= 4
    assert lecture.exercises == [f"{lecture.number}-{letter}" for letter in letters]
    labels = [f"ex-{name.replace('.', '-')}" for name in lecture.exercises]
    assert re.findall(r"^:label: (\S+)$", lecture.text, re.MULTILINE) == labels
    assert lecture.solved == labels
    assert lecture.text.count(":::{solution-end}") == len(labels)
    with_checker = [name for name in exercises() if name.startswith(f"{lecture.number}-")]
    assert with_checker
    for name in with_checker:
        asked = lecture.text.partition(f":::{{exercise}} {name} ")[2].partition(":::")[0]
        assert f'exercises.check("{name}", ' in asked, f"{name}: the exercise doesn't name its checker"
        assert f'exercises.check("{name}", ' in lecture.code, f"{name}: the solution isn't checked"
    named = set(re.findall(r'exercises\.check\("([^"]+)"', lecture.text + lecture.code))
    assert named == set(with_checker)


@every
def test_it_has_text_enough_and_does_not_repeat_another(lecture: Lecture) -> None:
    assert lecture.words >= (SHORT if lecture.number in SHORT_ONES else WORDS)
    own = Counter(paragraphs(lecture))
    assert max(own.values()) == 1
    for other in LECTURES.values():
        if other is not lecture:
            assert not set(own) & set(paragraphs(other)), other.number


def paragraphs(lecture: Lecture) -> list[str]:
    """Its longer paragraphs, without their spaces."""
    return [" ".join(one.split()) for one in lecture.text.split("\n\n") if len(one.split()) >= 25]
