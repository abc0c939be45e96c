"""Quizzes: those of the book are of the form, and what is not is refused by a message that names it."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from dlcompare.quiz import Quiz, QuizError, quizzes

GOOD = [
    {
        "ask": f"What is {number} *and* `one`?",
        "options": [
            {"text": "so < so", "why": "it is", "right": True},
            {"text": "not so", "why": "it isn't"},
            {"text": "neither", "why": "one of them"},
        ],
    }
    for number in range(5)
]


def written(tmp_path: Path, entries) -> Path:
    path = tmp_path / "1.1.yml"
    path.write_text(yaml.safe_dump(entries), encoding="utf-8")
    return path


@pytest.mark.parametrize("chapter", quizzes())
def test_every_question_has_one_right_answer_and_a_word_on_each(chapter):
    quiz = Quiz.of(chapter)
    assert len(quiz.questions) == 5
    for question in quiz.questions:
        assert sum(option.right for option in question.options) == 1
        assert question.options[question.right].right
        assert len({option.text for option in question.options}) == len(question.options)
        assert len({option.why for option in question.options}) == len(question.options)
        # What is said of an answer must make sense after "Yes." or "No.".
        for option in question.options:
            assert not re.match(r"(yes|no|right|wrong)\b", option.why, re.IGNORECASE), option.why
            assert option.why[-1] in ".?!)", option.why


def test_neither_its_place_nor_its_length_gives_the_right_answer_away():
    places, longest, all_questions = Counter(), 0, 0
    for chapter in quizzes():
        for question in Quiz.of(chapter).questions:
            places[question.right] += 1
            lengths = [len(option.text) for option in question.options]
            longest += lengths[question.right] == max(lengths)
            all_questions += 1
    assert max(places.values()) <= 0.6 * all_questions
    assert longest <= 0.7 * all_questions


def test_it_is_a_form_that_needs_no_script(tmp_path):
    quiz = Quiz.of("1.1", written(tmp_path, GOOD))
    html = quiz._repr_html_()
    assert "<script" not in html
    assert html.count('type="radio"') == 15
    assert html.count('<div class="dlc-quiz-option" data-right="true">') == 5
    assert "What is 0 <em>and</em> <code>one</code>?" in html
    assert "so &lt; so" in html
    identifiers = re.findall(r' id="([^"]+)"', html)
    assert len(set(identifiers)) == 15
    assert set(re.findall(r' for="([^"]+)"', html)) == set(identifiers)
    assert "What is 4" in repr(quiz)
    assert "it isn't" not in repr(quiz)


def test_the_order_of_answers_is_drawn_and_stays(tmp_path):
    path = written(tmp_path, GOOD)
    turned = written(tmp_path, [{**one, "ask": one["ask"] + "!"} for one in GOOD])
    assert Quiz.of("1.1", path) == Quiz.of("1.1", path)
    assert len({question.right for question in Quiz.of("1.1", turned).questions}) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda quiz: quiz[:4], "the file holds a list of 4; allowed is a list of 5 questions"),
        (lambda quiz: {"a": quiz}, "allowed is a list of 5 questions"),
        (lambda quiz: ["text", *quiz[1:]], "question 1 is 'text'; allowed is a mapping with ask and options"),
        (
            lambda quiz: [{"ask": "a", "options": quiz[0]["options"][:2]}, *quiz[1:]],
            "question 1: options are a list of 2",
        ),
        (lambda quiz: [{**quiz[0], "ask": " "}, *quiz[1:]], "question 1: ask is ' '; allowed is a text"),
        (lambda quiz: [{**quiz[0], "options": [{"text": 3, "why": "w"}] * 3}, *quiz[1:]], "option 1: text is 3"),
        (lambda quiz: [{**quiz[0], "options": [{"text": "t"}] * 3}, *quiz[1:]], "option 1 is .* allowed is a mapping"),
        (
            lambda quiz: [{**quiz[0], "options": [{"text": "t", "why": "w", "right": "yes"}] * 3}, *quiz[1:]],
            "option 1: right is 'yes'; allowed are true and false",
        ),
        (
            lambda quiz: [{**quiz[0], "options": [{"text": "t", "why": "w", "right": True}] * 3}, *quiz[1:]],
            "question 1 has 3 right options; allowed is one",
        ),
    ],
)
def test_what_is_no_quiz_is_refused(tmp_path, change, message):
    with pytest.raises(QuizError, match=message):
        Quiz.of("1.1", written(tmp_path, change(GOOD)))


def test_a_chapter_without_a_quiz_is_named():
    with pytest.raises(QuizError, match=r"chapter is '9\.9'; there are quizzes of .*3\.1\.2"):
        Quiz.of("9.9")
