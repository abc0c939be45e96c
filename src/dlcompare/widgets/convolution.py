"""A convolution, one window at a time: the explorable of the chapter on CNNs."""

from __future__ import annotations

import base64
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor
from torch.nn import functional as F

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs import convolution_pass
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PRESETS", "ConvolutionStepper"]

Kernel = tuple[tuple[float, ...], ...]

MAX_KERNEL = 5
MAX_WEIGHT = 100.0
STRIDES = (1, 2, 3)
PADDINGS = (0, 1, 2)
IMAGE_SIDES = range(MAX_KERNEL, 33)

_BINOMIAL = (1, 4, 6, 4, 1)
#: Kernels designed by hand, by the last part of their key in the catalogue (``convolution.preset_…``).
PRESETS: dict[str, Kernel] = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "edges": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "sobel_x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "sobel_y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "blur": ((1 / 9,) * 3,) * 3,
    "gauss": tuple(tuple(a * b / 256 for b in _BINOMIAL) for a in _BINOMIAL),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
}


def _as_kernel(value: object, argument: str) -> Kernel:
    """Return ``value`` as rows of floats; raise ``StateError`` for anything that is no kernel."""
    allowed = f"a square of 1 to {MAX_KERNEL} rows of finite numbers from -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}"
    try:
        weights = torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise StateError(f"{argument} is {value!r}; allowed is {allowed}") from None
    shape = tuple(weights.shape)
    if weights.ndim != 2 or shape[0] != shape[1] or not 1 <= shape[0] <= MAX_KERNEL:
        raise StateError(f"{argument} has the shape {shape}; allowed is {allowed}")
    # A comparison with NaN is false, so that NaN is refused too.
    if not bool((weights.abs() <= MAX_WEIGHT).all()):
        raise StateError(f"{argument} is {weights.tolist()}; allowed is {allowed}")
    return tuple(tuple(row) for row in weights.tolist())


def _as_choice(value: object, argument: str, allowed: Sequence[int]) -> int:
    """Return ``value`` if it is one of the ``allowed`` whole numbers."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise StateError(f"{argument} is {value!r}; allowed is a whole number from {allowed[0]} to {allowed[-1]}")
    return value


def _as_position(value: object) -> tuple[int, int]:
    """Return ``value`` as (row, column); whether it lies in the output is checked when all traits have their values."""
    try:
        row, column = (operator.index(at) for at in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise StateError(f"position is {value!r}; allowed is (row, column), two whole numbers") from None
    return row, column


def _as_images(images: Tensor) -> Tensor:
    """Return ``images`` (n, height, width) or (n, 1, height, width) as float32 (n, height, width)."""
    shape = tuple(images.shape)
    if images.ndim == 4 and shape[1] == 1:
        images = images[:, 0]
    sides = f"{IMAGE_SIDES.start} to {IMAGE_SIDES.stop - 1}"
    if images.ndim != 3 or not len(images) or any(side not in IMAGE_SIDES for side in images.shape[1:]):
        raise StateError(
            f"images has the shape {shape}; allowed is (n, height, width) or (n, 1, height, width), "
            f"n at least 1, height and width {sides}"
        )
    images = images.detach().to("cpu", torch.float32).contiguous()
    if not bool(((images >= 0) & (images <= 1)).all()):
        low, high = images.min().item(), images.max().item()
        raise StateError(f"images has values from {low:g} to {high:g}; allowed are values from 0 to 1")
    return images


class ConvolutionStepper(Explorable):
    """Slide a kernel over an image: the window, the products, their sum, the output pixel.

    Computes what deep learning calls a convolution and mathematics a cross-correlation: the kernel is not flipped
    (Goodfellow, Bengio & Courville 2016, equation 9.6), as in :func:`torch.nn.functional.conv2d`, which :attr:`output`
    calls.

    Parameters
    ----------
    images:
        (n, height, width) or (n, 1, height, width), values from 0 to 1, sides from 5 to 32.
    labels:
        What each image shows, one per image.
    learned:
        Further kernels to choose from, by name: for example the first layer of a trained CNN.
    **traits:
        ``kernel`` (a square of 1 to 5 rows), ``stride`` (1 to 3), ``padding`` (0 to 2), ``image`` (an index),
        ``position`` ((row, column) of the output; without it the pixel with the strongest output); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "convolution"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "convolution")

    images = traitlets.Dict(read_only=True).tag(sync=True)
    labels = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    presets: Any = traitlets.List(read_only=True).tag(sync=True)
    kernel = Checked(lambda _, value: _as_kernel(value, "kernel"), PRESETS["sobel_x"]).tag(sync=True)
    stride = Checked(lambda _, value: _as_choice(value, "stride", STRIDES), 1).tag(sync=True)
    padding = Checked(lambda _, value: _as_choice(value, "padding", PADDINGS), 1).tag(sync=True)
    image = Checked(lambda self, value: _as_choice(value, "image", range(len(self._pixels))), 0).tag(sync=True)
    position = Checked(lambda _, value: _as_position(value), (0, 0)).tag(sync=True)

    def __init__(
        self,
        images: Tensor,
        labels: Sequence[int | str] | Tensor,
        learned: Mapping[str, Tensor | Sequence[Sequence[float]]] | None = None,
        **traits: Any,
    ) -> None:
        self._pixels = _as_images(images)  # (n, height, width)
        names = [str(label) for label in (labels.tolist() if isinstance(labels, Tensor) else labels)]
        if len(names) != len(self._pixels):
            raise StateError(f"labels has {len(names)} entries; allowed is one for each of the {len(images)} images")
        pixels = self._pixels.numpy().astype("<f4").tobytes()
        self.set_trait("images", {"shape": list(self._pixels.shape), "data": base64.b64encode(pixels).decode()})
        self.set_trait("labels", names)
        self.set_trait("presets", self._all_presets(learned or {}))
        super().__init__(**traits)
        if "position" not in traits:
            # The strongest answer is worth looking at first.
            strongest = int(self.output.abs().argmax())
            self.position = divmod(strongest, self.output_shape[1])

    def make_graphs(self) -> Sequence[Graph]:
        """Return the convolution with its windows and products."""
        return (convolution_pass(),)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the present image under the present kernel."""
        return [("convolution", {"image": self._pixels[self.image], "kernel": self.kernel_tensor})]

    @staticmethod
    def _all_presets(learned: Mapping[str, Any]) -> list[dict[str, Any]]:
        designed = text("convolution.group_classic")
        presets = [
            {"id": key, "name": text(f"convolution.preset_{key}"), "group": designed, "kernel": kernel}
            for key, kernel in PRESETS.items()
        ]
        group = text("convolution.group_learned")
        for index, (name, kernel) in enumerate(learned.items()):
            rows = _as_kernel(kernel, f"learned[{name!r}]")
            presets.append({"id": f"learned-{index}", "name": str(name), "group": group, "kernel": rows})
        return presets

    @traitlets.validate("position")
    def _check_position(self, proposal: Any) -> tuple[int, int]:
        rows, columns = self.output_shape
        row, column = proposal["value"]
        if not (0 <= row < rows and 0 <= column < columns):
            raise StateError(
                f"position is {(row, column)}; allowed are rows 0 to {rows - 1} and columns 0 to {columns - 1}"
            )
        return row, column

    @traitlets.observe("kernel", "stride", "padding")
    def _keep_position_inside(self, _change: Any) -> None:
        rows, columns = self.output_shape
        row, column = self.position
        self.position = (min(row, rows - 1), min(column, columns - 1))

    @property
    def output_shape(self) -> tuple[int, int]:
        """The output map's height and width: ⌊(side + 2·padding − kernel) / stride⌋ + 1."""
        height, width = (
            (side + 2 * self.padding - len(self.kernel)) // self.stride + 1 for side in self._pixels.shape[1:]
        )
        return height, width

    @property
    def kernel_tensor(self) -> Tensor:
        """The kernel's weights (k, k), float32."""
        return torch.tensor(self.kernel, dtype=torch.float32)

    @property
    def output(self) -> Tensor:
        """The output map (height, width) by :func:`torch.nn.functional.conv2d`, float32."""
        image = self._pixels[self.image][None, None]  # (1, 1, height, width)
        kernel = self.kernel_tensor[None, None]  # (1, 1, k, k)
        return F.conv2d(image, kernel, stride=self.stride, padding=self.padding)[0, 0]

    @property
    def window(self) -> Tensor:
        """The part of the padded image under the kernel at ``position``, (k, k)."""
        padded = F.pad(self._pixels[self.image], (self.padding,) * 4)
        top, left = (at * self.stride for at in self.position)
        size = len(self.kernel)
        return padded[top : top + size, left : left + size]

    def table(self) -> Table:
        """Return the window's numbers times the kernel's, and their sum."""
        rows: list[list[str | float]] = []
        for row, (pixels, weights) in enumerate(zip(self.window, self.kernel_tensor, strict=True)):
            for column, (pixel, weight) in enumerate(zip(pixels.tolist(), weights.tolist(), strict=True)):
                rows.append([f"{row}, {column}", pixel, weight, pixel * weight])
        row, column = self.position
        rows.append([text("convolution.sum_title"), "", "", self.output[row, column].item()])
        heads = ("place", "window", "kernel", "products")
        return Table([text(f"convolution.{head}") for head in heads], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        output = self.output
        row, column = self.position
        return text(
            "convolution.figure_alt",
            size=len(self.kernel),
            image=self.image,
            label=self.labels[self.image],
            stride=self.stride,
            padding=self.padding,
            row=row,
            column=column,
            value=f"{output[row, column].item():.3g}",
            height=output.shape[0],
            width=output.shape[1],
            low=f"{output.min().item():.3g}",
            high=f"{output.max().item():.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("convolution.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.convolution_figure import draw

        return draw(self)
