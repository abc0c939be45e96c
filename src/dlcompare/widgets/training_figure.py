"""The training scrubber as a printed figure: what the network answers, its losses, its weights and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.training import TrainingScrubber

__all__ = ["draw"]

INK = "#222222"
#: The surface keeps off the scale's ends, which are the points', as on the screen.
SOFT = 0.8
TRAINING, HELD_OUT = "#b26a00", "#0072b2"


def draw(scrubber: TrainingScrubber) -> Figure:
    """Return the figure of the scrubber's present state."""
    figure = Figure(figsize=(7.2, 5.6), layout="constrained", facecolor="white")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.6, 1))
    above, below = parts
    left, right = above.subplots(1, 2)
    if scrubber.data == "digits":
        _draw_confusion(left, scrubber)
    else:
        _draw_plane(left, scrubber)
    _draw_losses(right, scrubber)
    _draw_layers(below, scrubber)
    return figure


def _title(axis: Any, words: str) -> None:
    axis.set_title(words, color=INK, fontsize=9, loc="left")


def _draw_plane(axis: Any, scrubber: TrainingScrubber) -> None:
    from dlcompare.widgets.training import SIDE, SPAN

    answers = scrubber.run.outputs["probabilities"][:, 1].reshape(SIDE, SIDE)
    extent = (-SPAN, SPAN, -SPAN, SPAN)
    axis.imshow(
        answers.numpy() - 0.5, cmap=style.DIVERGING, vmin=-SOFT, vmax=SOFT, extent=extent, interpolation="nearest"
    )
    examples = scrubber.examples[scrubber.data]
    for label, mark, colour in ((0, "o", "#2d004b"), (1, "^", "#7f3b08")):
        points = examples.x[examples.y == label]
        axis.scatter(*points.T, marker=mark, s=11, color=colour, edgecolors="white", linewidths=0.4)
    axis.set(xlim=(-SPAN, SPAN), ylim=(-SPAN, SPAN), xticks=[], yticks=[], aspect="equal")
    axis.grid(False)
    _title(axis, text("training.plane"))


def _draw_confusion(axis: Any, scrubber: TrainingScrubber) -> None:
    counts = scrubber.run.outputs["confusion"]
    shown = axis.imshow(counts.numpy(), cmap=style.SEQUENTIAL, vmin=0, interpolation="nearest")
    for row, line in enumerate(counts.int().tolist()):
        for column, count in enumerate(line):
            red, green, blue, _ = shown.cmap(shown.norm(count))
            ink = "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45 else "black"
            axis.text(column, row, str(count), ha="center", va="center", fontsize=7, color=ink)
    axis.set(xticks=range(10), yticks=range(10))
    axis.set_xlabel(text("training.confusion_answers"), fontsize=9)
    axis.set_ylabel(text("training.confusion_truth"), fontsize=9)
    axis.grid(False)
    _title(axis, text("training.confusion_short"))


def _draw_losses(axis: Any, scrubber: TrainingScrubber) -> None:
    measures = scrubber.run.measures
    for column, name, colour, dashes in ((0, "train", TRAINING, "-"), (1, "held", HELD_OUT, "--")):
        label = f"{text(f'training.curve_{name}')} {measures[-1, column].item():.3g}"
        axis.plot(measures[:, column].numpy(), dashes, color=colour, linewidth=1.4, label=label)
    finite = measures[:, :2][measures[:, :2].isfinite()]
    axis.set_ylim(0, min(finite.max().item(), 2.5 * measures[0, 0].item()) * 1.05)
    axis.set_xlabel(text("axis.step"), fontsize=9)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, color="#e4e4e4", linewidth=0.7)
    axis.legend(frameon=False, fontsize=9)
    _title(axis, text("axis.loss"))


def _draw_layers(part: Any, scrubber: TrainingScrubber) -> None:
    run, n_layers = scrubber.run, scrubber.depth + 1
    axes = part.subplots(2, n_layers, squeeze=False)
    for layer in range(1, n_layers + 1):
        norm = run.outputs["norms"][layer - 1].item()
        n_out, n_in = run.inputs[f"w{layer}"].shape
        kinds = (
            (run.inputs[f"w{layer}"], text("training.layer", layer=layer, inputs=n_in, outputs=n_out)),
            (run.outputs[f"dw{layer}"], f"{text('training.norm')} {norm:.2g}"),
        )
        for axis, (values, title) in zip(axes[:, layer - 1], kinds, strict=True):
            limit = values[values.isfinite()].abs().max().item() if bool(values.isfinite().any()) else 1.0
            style.signed_image(axis, values, limit=limit).set_interpolation("nearest")
            axis.set(xticks=[], yticks=[], aspect="auto")
            axis.set_title(title, color=INK, fontsize=8 if n_layers < 4 else 6, loc="left")
    for row, kind in enumerate(("weights", "gradient")):
        axes[row, 0].set_ylabel(text(f"training.{kind}"), fontsize=9)
