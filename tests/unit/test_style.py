import math

import matplotlib as mpl
import matplotlib.colors
import numpy as np
import pytest
import torch

mpl.use("Agg")
import matplotlib.pyplot as plt

from dlcompare import style


@pytest.fixture(autouse=True)
def fresh_figures():
    with mpl.rc_context():
        yield
    plt.close("all")


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    channels = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_each_family_has_its_own_colour_and_mark():
    assert set(style.FAMILY) == set(style.MARKER)
    assert len(set(style.FAMILY.values())) == len(set(style.MARKER.values())) == len(style.FAMILY)


def test_colours_stand_out_from_white():
    assert all(1.05 / (luminance(colour) + 0.05) > 2 for colour in style.FAMILY.values())


def test_zero_is_the_middle_of_the_diverging_scale():
    _, axis = plt.subplots()
    image = style.signed_image(axis, torch.tensor([[-1.0, 0.0], [0.5, 3.0]]))
    assert image.get_clim() == (-3.0, 3.0)
    assert style.signed_image(axis, torch.zeros(2, 2)).get_clim() == (-1.0, 1.0)
    assert style.signed_image(axis, torch.ones(2, 2), limit=5).get_clim() == (-5, 5)


def test_attention_is_labelled_with_visible_tokens():
    _, axis = plt.subplots()
    style.attention_map(axis, torch.eye(2), [" to", "\n"])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["·to", "⏎"]
    assert axis.get_images()[0].get_clim()[0] == 0


def test_image_row_shows_each_image_under_its_title():
    figure = style.image_row([torch.zeros(3, 3), np.ones((2, 2))], ["first", "second"])
    assert [axis.get_title() for axis in figure.axes] == ["first", "second"]
    assert [axis.get_images()[0].get_array().shape for axis in figure.axes] == [(3, 3), (2, 2)]
    with pytest.raises(ValueError, match="titles has 1 entries; allowed is one per image, of which there are 2"):
        style.image_row([np.ones((2, 2))] * 2, ["only"])


def test_the_style_is_applied():
    style.use()
    assert mpl.rcParams["image.cmap"] == style.SEQUENTIAL


def test_a_table_is_markdown_with_as_many_cells_everywhere():
    table = style.table(["a", "b", "c"], [["x", 1, 2.5], ("y", "**3**", "")])
    lines = table._repr_markdown_().splitlines()
    assert lines == ["| a | b | c |", "| --- | ---: | ---: |", "| x | 1 | 2.5 |", "| y | **3** |  |"]
    assert style.table(["a", "b"], [], align="---").markdown.endswith("| --- | --- |")
    with pytest.raises(ValueError, match=r"rows has one of 1 cells, \['x'\]; allowed are 2, as many as header"):
        style.table(["a", "b"], [["x"]])


def test_numbers_are_written_as_the_front_end_writes_them(run_node):
    generator = torch.Generator().manual_seed(3)
    exponents = 30 * torch.rand(300, generator=generator, dtype=torch.float64) - 15
    drawn = (10**exponents * torch.randn(300, generator=generator).sign()).tolist()
    values = [*drawn, 0, 0.5, -0.25, 1, 12, 100, 1234, 99999, 100352, 1e6, 0.001, 0.000999, 9.995, 0.957, 1e12]
    code = """
        import { readFileSync } from "node:fs";
        import { short } from "./shared/format.js";
        console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(short)));
    """
    assert [style.short(value) for value in values] == run_node(code, values)
    assert [style.short(value) for value in (0.9568, 1e12, -math.inf)] == ["0.957", "1.00·10¹²", "−∞"]
