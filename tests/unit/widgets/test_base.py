from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from dlcompare import catalogue, style
from dlcompare.export import graphs_folder
from dlcompare.widgets import ConvolutionStepper, base


class Page(HTMLParser):
    """Collects the elements of a page and the text of its scripts, as a browser would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


@pytest.fixture
def widget() -> ConvolutionStepper:
    return ConvolutionStepper(torch.rand(2, 28, 28), [1, 2])


@pytest.mark.parametrize("missing", ["figure", "alternative_text", "caption"])
def test_a_widget_must_draw_and_describe_itself(missing: str) -> None:
    class Bare(base.Explorable):
        module = "convolution"
        text_prefixes = ()

    with pytest.raises(NotImplementedError, match=rf"Bare must define {missing}\(\)"):
        getattr(Bare(), missing)()


def bundle(widget: ConvolutionStepper) -> dict[str, object]:
    shown = widget._repr_mimebundle_()
    return shown[0] if isinstance(shown, tuple) else shown


def test_a_notebook_gets_the_live_widget_and_no_html(widget, monkeypatch) -> None:
    monkeypatch.delenv("DLCOMPARE_BOOK", raising=False)
    assert set(bundle(widget)) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    monkeypatch.setenv("DLCOMPARE_BOOK", "0")
    assert "text/html" not in bundle(widget)


def test_the_book_gets_html_as_well(widget, monkeypatch) -> None:
    monkeypatch.setenv("DLCOMPARE_BOOK", "1")
    shown = bundle(widget)
    assert shown["text/html"] == widget.to_html()
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_the_container_holds_the_state_and_a_figure_with_its_texts(widget) -> None:
    page = parse(widget.to_html())
    container, script, figure, image, caption, details, *numbers = page.elements
    graphs = json.loads(container[1].pop("data-graphs"))
    assert container == (
        "div",
        {"class": "dlcompare-explorable", "id": "explorable-convolution", "data-module": "convolution"},
    )
    assert set(graphs) == {"convolution"}
    assert (graphs_folder() / graphs["convolution"]["graph"]).stat().st_size == graphs["convolution"]["bytes"]
    assert details[0] == "details"
    assert [tag for tag, _ in numbers if tag == "table"] == ["table"]
    assert script[1]["type"] == "application/json"
    assert json.loads(page.scripts[0]) == json.loads(json.dumps(widget.page_state()))
    assert (figure[0], caption[0]) == ("figure", "figcaption")
    assert image[1]["alt"] == widget.alternative_text()
    kind, data = image[1]["src"].split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_the_same_widget_gives_the_same_html(widget) -> None:
    assert widget.to_html() == widget.to_html()


@pytest.mark.parametrize(
    "label", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028]]>", '"><img src=x onerror=alert(1)>']
)
def test_hostile_texts_stay_texts(label: str) -> None:
    widget = ConvolutionStepper(torch.rand(1, 28, 28), [label], learned={label: torch.ones(3, 3)})
    html = widget.to_html()
    page = parse(html)
    allowed = ["details", "summary", "table", "thead", "tbody", "tr", "th", "td"]
    assert [tag for tag, _ in page.elements if tag not in allowed] == ["div", "script", "figure", "img", "figcaption"]
    state = json.loads(page.scripts[0])
    assert state["labels"] == [label]
    assert state["presets"][-1]["name"] == label
    assert label in page.elements[3][1]["alt"]
    assert not re.search(
        r"<(?!/?(div|script|figure|img|figcaption|details|summary|table|thead|tbody|tr|th|td)\b)", html
    )


def test_two_widgets_on_a_page_have_their_own_names() -> None:
    first = ConvolutionStepper(torch.rand(1, 28, 28), [1])
    second = ConvolutionStepper(torch.rand(1, 28, 28), [1], name="blurred")
    assert 'id="explorable-convolution"' in first.to_html()
    assert 'id="explorable-blurred"' in second.to_html()


def test_missing_bundles_say_how_to_build_them(tmp_path, monkeypatch) -> None:
    base._bundle.cache_clear()
    monkeypatch.setattr(base, "STATIC", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"convolution\.(js|css) is not in .*python js/hatch_build\.py"):
        ConvolutionStepper(torch.rand(1, 28, 28), [1])


def test_the_front_end_gets_its_texts_from_the_catalogue(widget) -> None:
    for prefix in ("widget", "convolution"):
        for key, text in catalogue.texts(prefix).items():
            assert widget.strings[key] == text


def test_every_text_that_the_front_end_asks_for_is_in_the_catalogue(widget) -> None:
    from .conftest import ROOT

    asked, sources = set(), []
    for folder in ("shared", "engine", "host", "explorables/convolution"):
        sources += (ROOT / "js" / "src" / folder).glob("*.js")
    for source in sources:
        code = source.read_text(encoding="utf-8")
        # text("key"…), and text(condition ? "key" : "key"…)
        for call in re.findall(r"\btext\(([^()]*?\?[^()]*?|\s*\"[^\"]*\")[,)]", code):
            asked |= set(re.findall(r'"([a-z_]+)"', call))
    assert {"title", "padding_cell", "step_back", "retry"} <= asked
    assert asked <= set(widget.strings)


def test_the_light_palette_is_the_figures_palette(run_node) -> None:
    import matplotlib as mpl
    import numpy as np
    from matplotlib.colors import to_hex

    palettes = run_node('import { PALETTES } from "./shared/palettes.js"; console.log(JSON.stringify(PALETTES));')
    for stops, name in [
        (palettes["light"]["diverging"], style.DIVERGING),
        (palettes["light"]["even"], style.SEQUENTIAL),
    ]:
        assert stops == [to_hex(colour) for colour in mpl.colormaps[name](np.linspace(0, 1, len(stops)))]


def test_families_have_the_figures_colours_and_a_mark_each(run_node) -> None:
    sheet = (Path(__file__).parents[3] / "js" / "src" / "shared" / "families.css").read_text(encoding="utf-8")
    light = sheet.partition('[data-dlc-theme="dark"]')[0]
    colours = dict(re.findall(r"--dlc-family-(\w+): (#[0-9a-f]{6});", light))
    assert colours == {family: colour.lower() for family, colour in style.FAMILY.items()}
    marks = run_node('import { MARKS } from "./shared/family_mark.js"; console.log(JSON.stringify(MARKS));')
    assert set(marks) == set(style.MARKER)
    assert len(set(marks.values())) == len(marks)
