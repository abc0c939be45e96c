"""The geometry of a convolutional network: what each layer puts out, and which pixels each unit sees.

Computed from the modules, never typed. Nothing is calculated: the model runs on torch's meta device, where tensors
have shapes and no numbers. The recurrence is that of Araujo et al. (2019), sections 3 and 4.
"""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

__all__ = ["Layer", "ReceptiveField", "layers"]


_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


@dataclass(frozen=True)
class ReceptiveField:
    """The square of input pixels that a unit sees, along one axis.

    Parameters
    ----------
    size
        pixels that a unit sees.
    jump
        pixels between what two neighbouring units see: the product of all strides so far.
    start
        first pixel that unit 0 sees; below 0 it lies in the padding.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def pixels(self, unit: int) -> range:
        """Return the pixels that a unit sees; those outside the image are padding."""
        first = self.start + unit * self.jump
        return range(first, first + self.size)

    def through(self, kernel: int, stride: int, padding: int) -> ReceptiveField:
        """Return the field of units that see ``kernel`` of these ones: r + (k - 1) j, j s, start - p j."""
        return ReceptiveField(
            self.size + (kernel - 1) * self.jump, self.jump * stride, self.start - padding * self.jump
        )

    def __or__(self, other: ReceptiveField) -> ReceptiveField:
        """Return the field of units in which two branches meet: all that either sees."""
        if self.jump != other.jump:
            raise ValueError(f"branches meet with jumps {self.jump} and {other.jump}; allowed are equal ones")
        start = min(self.start, other.start)
        stop = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(stop - start, self.jump, start)


@dataclass(frozen=True)
class Layer:
    """What a module puts out.

    Parameters
    ----------
    shape
        shape of its output for one image, without the batch: (channels, height, width) or (features,).
    field
        receptive field of its units; None where the output has no places, as after flattening, and behind a function
        that moves places without being a module (``F.max_pool2d``).
    """

    shape: tuple[int, ...]
    field: ReceptiveField | None


#: From a tensor to the receptive field of its units.
Fields = MutableMapping[Tensor, ReceptiveField]


def layers(model: nn.Module, x: Tensor) -> dict[str, Layer]:
    """Return shape and receptive field of every named module that ``model`` runs on images like ``x``.

    Parameters
    ----------
    model
        a network whose convolutions and poolings are modules with square windows; it is copied and stays as it is.
        Wherever tensors meet, as in a sum or side by side, units see what either sees.
    x
        images (batch, channels, height, width); only shape and type count.

    Returns
    -------
    dict
        from the names of ``model.named_modules()``, in the order in which they finish; "" is the model itself. A
        module that runs several times leaves its last output.

    Raises
    ------
    ValueError
        for a kernel that is not square, or branches that meet with different jumps.
    """
    model = copy.deepcopy(model).to("meta", x.dtype).eval()
    x = x.to("meta")
    fields: Fields = WeakTensorKeyDictionary()
    fields[x] = ReceptiveField()
    seen: dict[str, Layer] = {}

    def look(name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, _WINDOWS) and inputs[0] in fields:
            fields[output] = fields[inputs[0]].through(*_window(module, inputs[0]))
        if isinstance(output, Tensor):
            seen[name] = Layer(tuple(output.shape[1:]), fields.get(output))

    for name, module in model.named_modules():
        module.register_forward_hook(lambda *call, name=name: look(name, *call))
    with torch.no_grad(), _Tracker(fields):
        model(x)
    return seen


def _window(module: nn.Module, x: Tensor) -> tuple[int, int, int]:
    """Return kernel, stride and padding of a module that slides a window over ``x``."""
    if isinstance(module, nn.AdaptiveAvgPool2d):
        if module.output_size not in (1, (1, 1)):
            raise ValueError(f"output_size is {module.output_size}; allowed is 1")
        return _side(tuple(x.shape[2:])), 1, 0
    assert isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)
    kernel = _side(module.kernel_size)
    if not isinstance(module, nn.AvgPool2d):
        kernel = _side(module.dilation) * (kernel - 1) + 1
    return kernel, _side(module.stride), _side(module.padding)


def _side(size: Any) -> int:
    """Return the side of a square given as a number or a pair."""
    sides = {size} if isinstance(size, int) else {*size}
    if len(sides) != 1 or not isinstance(side := sides.pop(), int):
        raise ValueError(f"a window is {size} wide; allowed are squares")
    return side


class _Tracker(TorchFunctionMode):
    """Hand receptive fields on: what a function puts out place by place sees what its inputs see there."""

    def __init__(self, fields: Fields):
        super().__init__()
        self.fields = fields

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if isinstance(output, Tensor) and output.ndim == 4:
            inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t in self.fields]
            if inputs and all(t.shape[2:] == output.shape[2:] for t in inputs):
                self.fields[output] = functools.reduce(operator.or_, (self.fields[t] for t in inputs))
        return output
