"""Every checker: a right answer, and at least two wrong ones with what is said of them."""

import pytest

from dlcompare.exercises import check, exercises

from . import (
    answers_background,
    answers_classic,
    answers_code,
    answers_concepts,
    answers_conclusion,
    answers_gpt,
    answers_outlook,
)

#: By exercise: right answers, and wrong ones, each with a piece of what is said of it.
ANSWERS = {
    **answers_background.ANSWERS,
    **answers_concepts.ANSWERS,
    **answers_classic.ANSWERS,
    **answers_gpt.ANSWERS,
    **answers_code.ANSWERS,
    **answers_outlook.ANSWERS,
    **answers_conclusion.ANSWERS,
}


def test_every_checker_is_tested():
    assert set(ANSWERS) == set(exercises())


@pytest.mark.parametrize("name", exercises())
def test_right_answers_are_right_and_wrong_ones_are_told(name):
    right, wrong = ANSWERS[name]
    assert right
    assert len(wrong) >= 2
    for answer in right:
        verdict = check(name, answer)
        assert verdict, verdict
        assert repr(verdict) == "Right."
    for answer, said in wrong:
        verdict = check(name, answer)
        assert not verdict
        assert said in verdict.message
