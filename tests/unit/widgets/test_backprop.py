"""The backpropagation stepper: its state, its numbers, and what it refuses."""

from __future__ import annotations

import pytest

from dlcompare.widgets import BackpropStepper


def test_it_begins_after_the_step_with_a_smaller_loss() -> None:
    widget = BackpropStepper()
    answers = widget.answers
    assert widget.step == 15
    assert answers["new_loss"] < answers["loss"]
    rows = widget.table().rows
    assert [row[0] for row in rows] == ["w11", "w12", "b1", "w21", "w22", "b2", "v1", "v2", "c"]
    for _, value, gradient, new in rows:
        assert new == pytest.approx(float(value) - 0.1 * float(gradient), abs=1e-6)
    assert f"{answers['new_loss'].item():.3g} after one step" in widget.alternative_text()
    assert len(widget.figure().axes) == 1


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"x": [1]}, r"x is \[1\]; allowed are 2 numbers from -10 to 10"),
        ({"x": [1, 11]}, r"x\[1\] is 11; allowed is a number from -10 to 10"),
        ({"target": "1"}, "target is '1'; allowed is a number"),
        ({"hidden": [[1, 2, 3]]}, r"hidden is \[\[1, 2, 3\]\]; allowed are 2 rows of 3 numbers"),
        ({"hidden": [[1, 2, 3], [1, 2]]}, r"hidden\[1\] is \[1, 2\]; allowed are 3 numbers"),
        ({"output": [1, 2, float("inf")]}, r"output\[2\] is inf"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1; allowed is a number from 0 to 2"),
        ({"step": 16}, "step is 16; allowed is a whole number from 0 to 15"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BackpropStepper(**traits)
