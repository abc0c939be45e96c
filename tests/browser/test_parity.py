"""Every graph of every page, run by that page's own engine on inputs drawn afresh, against torch."""

from __future__ import annotations

import secrets

import pytest
import torch

from dlcompare.export.parity import difference
from tools.explorables import EXPLORABLES, Entry
from tools.page_engine import PageEngine

from .conftest import NewPage

#: The book's budget: largest absolute difference in the browser from float32 torch.
BUDGET = 1e-3
DRAWS = 4


@pytest.mark.parametrize("entry", EXPLORABLES, ids=lambda entry: entry.name)
def test_a_pages_graphs_give_what_torch_gives(new_page: NewPage, site: str, entry: Entry) -> None:
    page, _ = new_page()
    page.goto(site + entry.address)
    engine = PageEngine(page)
    graphs = {graph.name: graph for graph in entry.graphs}
    assert set(graphs) <= set(engine.graphs)
    for graph in graphs.values():
        for _ in range(DRAWS):
            seed = secrets.randbits(48)
            inputs = dict(graph.draw(torch.Generator().manual_seed(seed)))
            expected, got = graph(**inputs), engine.run(graph.name, inputs)
            assert set(got) == set(expected)
            for name, value in expected.items():
                apart = difference(value, got[name])
                assert apart <= BUDGET, f"{graph.name}, output {name}: {apart:.2g} (seed {seed})"


def test_every_graph_of_every_page_is_held_against_torch(new_page: NewPage, site: str) -> None:
    from .test_engine import pages

    for address in pages():
        page, _ = new_page()
        page.goto(site + address)
        held = {graph.name for entry in EXPLORABLES if entry.address == address for graph in entry.graphs}
        assert held == set(PageEngine(page).graphs), address
