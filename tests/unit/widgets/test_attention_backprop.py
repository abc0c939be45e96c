"""The walk back through an attention head: its state, its numbers, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from dlcompare.widgets import AttentionBackprop

ZEROS = ((0.0,) * 3,) * 3


def test_it_begins_at_the_end_with_both_paths() -> None:
    widget = AttentionBackprop()
    assert widget.step == 18
    answers = widget.answers
    rows = widget.table().rows
    assert [row[0] for row in rows][:4] == ["x₁₁", "x₁₂", "x₁₃", "x₂₁"]
    assert len(rows) == 12
    for place, (_, *ways, both) in enumerate(rows):
        assert sum(map(float, ways)) == pytest.approx(both, abs=1e-6)
        assert both == answers["dx"].flatten()[place].item()
    assert f"{answers['norm_attention'].item():.3g} through attention" in widget.alternative_text()
    assert len(widget.figure().findobj(match=lambda artist: artist.__class__.__name__ == "AxesImage")) == 16


def test_without_values_attention_passes_nothing_back_to_the_tokens_but_something_to_wv() -> None:
    answers = AttentionBackprop(wv=ZEROS).answers
    for name in ("da", "ds", "dq", "dk", "dwq", "dwk", "dxa"):
        assert not answers[name].any(), name
    assert answers["dv"].any()
    assert answers["dwv"].any()
    torch.testing.assert_close(answers["dx"], answers["dxr"])


def test_a_sharper_softmax_has_smaller_slopes() -> None:
    widget = AttentionBackprop()
    before = widget.answers["jacobian"][3].abs().max()
    widget.wq = [[8 * value for value in row] for row in widget.wq]
    assert widget.answers["jacobian"][3].abs().max() < before / 4
    assert widget.answers["a"][3].max() > 0.95


def test_the_last_tokens_loss_alone_counts_when_asked() -> None:
    widget = AttentionBackprop(loss_on="last")
    assert widget.counts.tolist() == [0, 0, 0, 1]
    assert not widget.answers["dy"][:3].any()
    assert widget.answers["dxa"][0].any()


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"x": [[1, 2, 3]]}, r"x is \[\[1, 2, 3\]\]; allowed are 4 rows of 3 numbers"),
        ({"x": "1234"}, "x is '1234'; allowed are 4 rows of 3 numbers"),
        ({"wq": [[0, 0, 0], [0, 0, 0], [0, 0, 11]]}, r"wq\[2\]\[2\] is 11; allowed is a number from -10 to 10"),
        ({"wk": [[0, 0, 0], [0, float("nan"), 0], [0, 0, 0]]}, r"wk\[1\]\[1\] is nan"),
        ({"wv": [[0, 0, 0], [0, True, 0], [0, 0, 0]]}, r"wv\[1\]\[1\] is True"),
        ({"target": None}, "target is None; allowed are 4 rows of 3 numbers"),
        ({"causal": 1}, "causal is 1; allowed are True and False"),
        ({"loss_on": "first"}, "loss_on is 'first'; allowed are 'every', 'last'"),
        ({"step": 19}, "step is 19; allowed is a whole number from 0 to 18"),
        ({"part": 3}, "part is 3; allowed is a whole number from 0 to 2"),
        ({"row": 4}, "row is 4; allowed is a whole number from 0 to 3"),
        ({"edited": "wo"}, "edited is 'wo'; allowed are 'x', 'wq', 'wk', 'wv', 'target'"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttentionBackprop(**traits)
