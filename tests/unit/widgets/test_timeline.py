"""The models in time: the widget's state, its words, and what it refuses."""

from __future__ import annotations

import pytest

from dlcompare.history import history
from dlcompare.widgets import ModelTimeline


def test_it_shows_the_history() -> None:
    widget = ModelTimeline()
    assert [model["name"] for model in widget.models] == [event.name for event in history()]
    assert widget.model == history()[-1]
    rows = widget.table().rows
    assert len(rows) == len(history())
    assert ["BERT base", "October 2018", "12", "768", "110,106,428", "devlin2019"] in rows
    assert ["GPT-1", "2018", "12", "768", "116,534,784", "radford2018"] in rows, (
        "no month that the bibliography supports"
    )
    alternative = widget.alternative_text()
    assert "from 1998 to 2025" in alternative
    assert "lowest is LeNet-5 with 60,000, the highest GPT-3 175B with 174,604,259,328" in alternative
    widget.measure = "layers"
    assert "the highest ResNet-152 with 152" in widget.alternative_text()


@pytest.mark.parametrize("measure", ["parameters", "layers", "width"])
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_the_figure_has_a_lane_for_each_kind(measure: str, scale: str) -> None:
    figure = ModelTimeline(measure=measure, scale=scale).figure()
    assert len(figure.axes) == 3
    assert {axes.get_yscale() for axes in figure.axes} == {scale}
    names = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"LeNet-5", "ResNet", "Transformer", "BERT", "ViT", "GPT-2", "GPT-3", "Llama 7B"} <= set(names)
    assert names.count("//") == 3, "in each lane the years without a model are left out"


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"measure": "cost"}, "measure is 'cost'; allowed are 'parameters', 'layers', 'width'"),
        ({"scale": None}, "scale is None; allowed are 'log', 'linear'"),
        ({"step": 30}, "step is 30; allowed is a whole number from 0 to 29"),
        ({"step": True}, "step is True"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelTimeline(**traits)
