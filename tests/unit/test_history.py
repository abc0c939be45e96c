"""The history: its dates and papers against the bibliography, its sizes against what the papers call their models."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from dlcompare import style
from dlcompare.history import LANES, PAPERS, depth, history, output_width
from dlcompare.published import PUBLISHED

from .conftest import ROOT


def bibliography() -> dict[str, dict[str, str]]:
    """Return the fields of each entry of references.bib."""
    found = {}
    for entry in re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", (ROOT / "references.bib").read_text("utf-8"), re.M | re.S):
        found[entry[0]] = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", entry[1], re.M))
    return found


@pytest.mark.parametrize("key", PAPERS)
def test_papers_and_dates_are_those_of_the_bibliography(key: str) -> None:
    paper, entry = PAPERS[key], bibliography()[key]
    assert paper.title == entry["title"].replace("{", "").replace("}", "").replace("--", "–")
    first = entry["author"].split(",")[0]
    assert paper.authors == f"{first} et al."
    number = re.fullmatch(r"(\d\d)(\d\d)\.\d+", entry.get("eprint", ""))
    if number:
        assert (paper.year, paper.month) == (2000 + int(number[1]), int(number[2]))
    else:
        assert (paper.year, paper.month) == (int(entry["year"]), None)


def test_all_published_models_are_there_in_the_order_of_time() -> None:
    events = history()
    assert sorted(event.name for event in events) == sorted(entry.name for entry in PUBLISHED)
    assert [event.when for event in events] == sorted(event.when for event in events)
    years = {entry.name: entry.year for entry in PUBLISHED}
    assert all(event.paper.year == years[event.name] for event in events)
    assert {event.paper.key for event in events} == set(PAPERS)
    assert sorted(family for families in LANES.values() for family in families) == sorted(
        set(style.FAMILY) - {"baseline"}
    )


def test_sizes_are_those_of_the_models() -> None:
    events = {event.name: event for event in history()}
    for entry in PUBLISHED:
        event = events[entry.name]
        assert event.parameters == entry.parameters
        if entry.family != "cnn":
            last = [p for p in entry.model().parameters() if p.ndim == 2]
            assert event.width in {size for p in last for size in p.shape}
        if entry.name.startswith("ResNet-"):
            assert event.layers == int(entry.name.removeprefix("ResNet-")), "its name says it"
    # AlexNet: five convolutions and three more (abstract); GoogLeNet: 22 layers with parameters (section 5).
    assert [events[name].layers for name in ("AlexNet", "GoogLeNet")] == [8, 22]
    # C1, S2, C3, S4, C5 and F6; the codes of the output layer are fixed.
    assert (events["LeNet-5"].layers, events["LeNet-5"].width) == (6, 84)
    # Table 3: 6 layers each in encoder and decoder. Table 2.1: 96 layers, 12,288 wide.
    assert (events["Transformer base"].layers, events["GPT-3 175B"].layers, events["GPT-3 175B"].width) == (
        12,
        96,
        12288,
    )


def test_depth_and_width_of_a_network_with_ways_of_different_length() -> None:
    class Ways(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.long = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 1))
            self.short = nn.Conv2d(3, 5, 1)
            self.output = nn.Linear(5, 2)

        def forward(self, x):
            return self.output((self.long(x) + self.short(x)).mean((2, 3)))

    x = torch.rand(1, 3, 8, 8)
    assert (depth(Ways(), x), output_width(Ways(), x)) == (3, 5)
    assert depth(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), torch.rand(2, 3)) == 2
