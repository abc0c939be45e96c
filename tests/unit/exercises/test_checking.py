"""What all checkers share: numbers, tensors and functions, and what is said of wrong ones."""

import math

import pytest
import torch

from dlcompare.exercises import ExerciseError, check, exercises
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number, wrong_tensor


@pytest.mark.parametrize("answer", [3, 3.0, torch.tensor(3.0), torch.tensor([3]), 3 + 1e-8])
def test_a_right_number_is_right(answer):
    assert wrong_number(answer, 3) is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("3", "of the type str"),
        (True, "of the type bool"),
        (None, "of the type NoneType"),
        (torch.ones(2), "of the type Tensor"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-3, "the sign is the other"),
        (4, "Too large."),
        (300, "Too large, by more than ten times."),
        (2, "Too small."),
        (0.1, "Too small, by more than ten times."),
    ],
)
def test_a_wrong_number_is_told(answer, said):
    assert said in wrong_number(answer, 3)


def test_a_tensor_is_told_by_type_shape_and_numbers():
    expected = torch.arange(6.0).view(2, 3)
    assert wrong_tensor(expected.double().numpy(), expected) is None
    assert wrong_tensor(expected.tolist(), expected) is None
    assert "of the type str" in wrong_tensor("no", expected)
    assert "(3, 2); asked for is (2, 3): rows and columns" in wrong_tensor(expected.T, expected)
    assert "The shape is (6,)" in wrong_tensor(expected.view(-1), expected)
    assert "sign" in wrong_tensor(-expected, expected)
    assert "NaN" in wrong_tensor(expected / 0, expected)
    off = expected.clone()
    off[1, 1] += 1
    assert "1 of 6 numbers are not, the first of them at (1, 1)" in wrong_tensor(off, expected)


def test_a_function_is_tried_and_told_with_which_example():
    cases = [(torch.ones(2),), (torch.ones(3),)]

    def refuses(x):
        raise IndexError("no such place")

    assert wrong_function(torch.exp, torch.exp, cases, wrong_tensor) is None
    assert "of the type int" in wrong_function(3, torch.exp, cases, wrong_tensor)
    assert "example 1, the function raises IndexError: no such place" in wrong_function(
        refuses, torch.exp, cases, wrong_tensor
    )
    assert "returns nothing" in wrong_function(lambda x: None, torch.exp, cases, wrong_tensor)
    only_two = wrong_function(lambda x: x[:2].exp(), torch.exp, cases, wrong_tensor)
    assert only_two.startswith("Tried with example 2: The shape is (2,)")


def test_a_name_without_a_checker_names_those_near():
    with pytest.raises(ExerciseError, match=r"name is '3\.1\.2-z'; there are checkers of .*3\.1\.2-"):
        check("3.1.2-z", 1)
    with pytest.raises(ExerciseError, match="which has a checker"):
        exercise(exercises()[0])(lambda answer: None)
