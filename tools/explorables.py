"""The book's explorables: where they stand, how one is made, and something to do with each."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import torch
from playwright.sync_api import Locator

from dlcompare import checkpoints
from dlcompare.export import Graph
from dlcompare.models import BERT, CNN, GPT, MLP, MLPConfig, RecurrentLM
from dlcompare.models.backpropagation import Layers
from dlcompare.models.recurrent import Kind
from dlcompare.tokenization import BPETokenizer, CharTokenizer, WordTokenizer
from dlcompare.widgets import (
    AttentionBackprop,
    AttentionExplorer,
    BackpropStepper,
    ChatStepper,
    ComparisonLab,
    ConvolutionStepper,
    DigitPad,
    FeatureMaps,
    FineTuning,
    ForwardPass,
    GenerationDebugger,
    GradientFlow,
    ModelTimeline,
    ObjectiveViewer,
    PositionExplorer,
    RecurrentStepper,
    ScalingCurve,
    TokenizerExplorer,
    TrainingScrubber,
)
from dlcompare.widgets.base import Explorable
from dlcompare.widgets.pixel_text import from_text


@dataclass(frozen=True)
class Entry:
    """One explorable on one page."""

    name: str
    address: str
    #: One with the same graphs as the page's, which may begin elsewhere.
    make: Callable[[], Explorable]
    #: Changes something in the explorable's root, for the engine to answer if it asks one; each time something else.
    change: Callable[[Locator, int], None]
    #: Whether it asks an engine; if not, all that it shows is there from the beginning.
    asks: bool = True
    #: Whether it shows its numbers as they come, one after the other.
    streams: bool = False
    #: Changes what undo takes back, where ``change`` is a step, which has a way back of its own.
    setting: Callable[[Locator, int], None] | None = None
    #: Selects what in it may scroll by itself.
    scrolls: str = ""
    #: Selects what in it may cut its content off, where the whole is told elsewhere.
    cut: str = ""
    #: One from what a page's state holds of its arguments, where its numbers need more than what can be chosen.
    given: Callable[[Mapping[str, Any]], Explorable] | None = None

    @property
    def container(self) -> str:
        """The selector of its container."""
        return f"#explorable-{self.name}"

    @property
    def graphs(self) -> Sequence[Graph]:
        """The graphs that its page carries."""
        return self.make().make_graphs()

    def begun(self, state: Mapping[str, Any]) -> Explorable:
        """Return the explorable that a page was made from, by the state that travels with it.

        What follows from its arguments, it computes itself: of the state, only what can be chosen is taken.
        """
        widget = self.make() if self.given is None else self.given(state)
        chosen = [name for name, trait in widget.traits(sync=True).items() if name in state and not trait.read_only]
        widget.set_state({name: state[name] for name in chosen})
        return widget


@functools.cache
def _shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


def _language(
    widget: type[AttentionExplorer] | type[GenerationDebugger] | type[PositionExplorer],
) -> Callable[[], Explorable]:
    def make() -> Explorable:
        checkpoint = _shakespeare()
        assert checkpoint.tokenizer is not None
        return widget(checkpoint.model, checkpoint.tokenizer, "ROMEO.")

    return make


def _objectives() -> Explorable:
    encoder = checkpoints.load("shakespeare-bert", expected=BERT)
    return ObjectiveViewer(_shakespeare(), encoder, "ROMEO.", "JULIET.")


def _tokenizer() -> Explorable:
    tokenizer = _shakespeare().tokenizer
    assert isinstance(tokenizer, BPETokenizer)
    text = "But soft, what light through yonder window breaks?"
    return TokenizerExplorer(tokenizer, CharTokenizer.train(text), WordTokenizer.train(text, 20), text)


def _given_tokenizer(state: Mapping[str, Any]) -> Explorable:
    tokenizer, pages = _shakespeare().tokenizer, state["tokenizers"]
    assert isinstance(tokenizer, BPETokenizer)
    characters = CharTokenizer(pages["characters"]["characters"])
    return TokenizerExplorer(tokenizer, characters, WordTokenizer(pages["words"]["words"]), state["text"])


def _given_convolution(state: Mapping[str, Any]) -> Explorable:
    shape, pixels = state["images"]["shape"], bytearray(base64.b64decode(state["images"]["data"]))
    return ConvolutionStepper(torch.frombuffer(pixels, dtype=torch.float32).view(shape), state["labels"])


def _chat() -> Explorable:
    checkpoint = checkpoints.load("dialogue-gpt", expected=GPT)
    assert isinstance(checkpoint.tokenizer, BPETokenizer)
    return ChatStepper(checkpoint.model, checkpoint.tokenizer)


def _say(root: Locator, n: int) -> None:
    root.locator("[data-control=say]").fill(f"And {n + 1}?")
    root.locator("[data-control=speak]").click()


def _recurrent() -> Explorable:
    loaded = {kind: checkpoints.load(f"shakespeare-char-{kind}", expected=RecurrentLM) for kind in get_args(Kind)}
    tokenizer = loaded["lstm"].tokenizer
    assert isinstance(tokenizer, CharTokenizer)
    return RecurrentStepper({kind: each.model for kind, each in loaded.items()}, tokenizer, "?")


def _finetuning() -> Explorable:
    lora, full = (checkpoints.load(name, expected=GPT) for name in ("dialogue-gpt-lora", "dialogue-gpt"))
    return FineTuning(_shakespeare(), lora, full, "Hello")


def _discard(_: object) -> None:
    pass


def _type(root: Locator, n: int) -> None:
    root.locator("[data-control=prompt]").fill(f"O Romeo{', Romeo' * (n + 1)}")


def _step(root: Locator, _: int) -> None:
    root.locator("[data-control=step]").click()


def _temperature(root: Locator, n: int) -> None:
    root.locator("[data-control=temperature]").press(("ArrowRight", "ArrowLeft")[n % 2])


def _activation(root: Locator, n: int) -> None:
    root.locator("[data-control=activation]").select_option(("tanh", "sigmoid")[n % 2])


def _measure(root: Locator, n: int) -> None:
    root.locator("[data-control=measure]").select_option(("layers", "width")[n % 2])


def _costs(root: Locator, n: int) -> None:
    root.locator("[data-control=x]").select_option(("memory", "seconds")[n % 2])


def _leave_out(root: Locator, n: int) -> None:
    if n % 4 == 0:
        root.locator("[data-control=largest]").click()
    else:
        root.locator(f"[role=gridcell][data-index='{n % 4}']").press("Enter")


def _digits() -> Explorable:
    models = {kind: checkpoints.load(f"digits-{kind}").model for kind in ("mlp", "cnn", "lstm", "vit")}
    return DigitPad(models, torch.rand(4, 28, 28), [0, 1, 2, 3])


def _features() -> Explorable:
    cnn = checkpoints.load("digits-cnn", expected=CNN).model
    return FeatureMaps(cnn, torch.rand(4, 28, 28), [0, 1, 2, 3])


def _given_features(state: Mapping[str, Any]) -> Explorable:
    cnn, examples = checkpoints.load("digits-cnn", expected=CNN).model, state["examples"]
    images = torch.stack([from_text(example["image"]) for example in examples])
    return FeatureMaps(cnn, images, [example["label"] for example in examples])


EXPLORABLES = (
    Entry(
        "digits",
        "chapters/2-concepts/2-1-deep-learning.html",
        _digits,
        lambda root, n: _discard(root.locator("[data-control=example]").select_option(str(1 + n % 3))),
    ),
    Entry(
        "convolution",
        "chapters/3-algorithms/3-1-3a-cnn.html",
        lambda: ConvolutionStepper(torch.rand(1, 28, 28), [0]),
        lambda root, n: _discard(
            root.locator("[data-control=kernel]").select_option(("gauss", "edges", "blur")[n % 3])
        ),
        scrolls=".dlc-links",
        given=_given_convolution,
    ),
    Entry(
        "forward",
        "chapters/3-algorithms/3-1-1-forward-propagation.html",
        lambda: ForwardPass(Layers.of(MLP(MLPConfig((2, 2, 1))))),
        lambda root, n: root.locator("[data-control=weight1]").fill(f"{0.5 + n % 3}"),
        cut=".dlc-forward-neuron",
    ),
    Entry(
        "backprop",
        "chapters/3-algorithms/3-1-2-backpropagation.html",
        BackpropStepper,
        lambda root, n: root.locator("[data-control=w11]").fill(f"{0.7 + n % 3}"),
    ),
    Entry(
        "recurrent",
        "chapters/3-algorithms/3-1-3b-rnn.html",
        _recurrent,
        lambda root, n: root.locator("[data-control=prompt]").fill(f"O Romeo{'o' * (n % 9)}"),
    ),
    Entry(
        "gradients",
        "chapters/3-algorithms/3-1-3b-rnn.html",
        GradientFlow,
        lambda root, n: root.locator("[data-control=seed]").click(),
    ),
    Entry(
        "features",
        "chapters/4-code/4-1-1-cnn.html",
        _features,
        lambda root, n: _discard(root.locator("[data-control=image]").select_option(str(1 + n % 3))),
        cut=".dlc-number",
        given=_given_features,
    ),
    Entry(
        "attention",
        "chapters/3-algorithms/3-2-1-transformer.html",
        _language(AttentionExplorer),
        _type,
        cut=".dlc-line-name",
    ),
    Entry(
        "attention-backprop",
        "chapters/3-algorithms/3-2-1-transformer.html",
        AttentionBackprop,
        lambda root, n: root.locator("[data-control=number11]").fill(f"{0.7 + n % 3}"),
    ),
    Entry(
        "objectives",
        "chapters/3-algorithms/3-2-2-pretraining-and-finetuning.html",
        _objectives,
        lambda root, n: root.locator("[data-control=first]").fill(f"O Romeo{', Romeo' * (n + 1)}"),
    ),
    Entry(
        "finetuning",
        "chapters/3-algorithms/3-2-2-pretraining-and-finetuning.html",
        _finetuning,
        _type,
        streams=True,
    ),
    Entry("positions", "chapters/2-concepts/2-1-deep-learning.html", _language(PositionExplorer), _type),
    Entry("timeline", "chapters/1-background/1-3-relation.html", ModelTimeline, _measure, asks=False),
    Entry("scaling", "chapters/5-outlook/5-1-deep-learning.html", ScalingCurve, _leave_out),
    Entry(
        "tokenizer",
        "chapters/2-concepts/2-2-gpt.html",
        _tokenizer,
        lambda root, n: root.locator("[data-control=text]").fill(f"O Romeo{', 字' * (n + 1)}"),
        asks=False,
        given=_given_tokenizer,
    ),
    Entry(
        "chat",
        "chapters/3-algorithms/3-2-3-dialogue.html",
        _chat,
        _say,
        scrolls=".dlc-chat-scroll",
        cut=".dlc-bar, .dlc-chat-window",
        streams=True,
    ),
    Entry(
        "generation",
        "chapters/2-concepts/2-2-gpt.html",
        _language(GenerationDebugger),
        _step,
        scrolls=".dlc-tree-scroll, .dlc-draw-parts",
        cut=".dlc-draw-pin",
        setting=_temperature,
    ),
    Entry("comparison", "chapters/6-conclusion/6-conclusion.html", ComparisonLab, _costs, asks=False),
    Entry("training", "chapters/3-algorithms/3-1-2-backpropagation.html", TrainingScrubber, _step, setting=_activation),
)
#: Those that ask an engine.
ASKING = tuple(entry for entry in EXPLORABLES if entry.asks)


def named(name: str) -> Entry:
    """Return the entry of an explorable."""
    return {entry.name: entry for entry in EXPLORABLES}[name]
