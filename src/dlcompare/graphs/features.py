"""Inside a CNN, layer by layer: feature maps, one unit's sum, and which pixels a class's logit depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from dlcompare.export import Graph
from dlcompare.models.cnn import CNN
from dlcompare.models.geometry import ReceptiveField, layers
from dlcompare.recording import record

__all__ = ["Stage", "feature_maps", "saliency", "stages"]

Kind = Literal["convolution", "relu", "pooling", "hidden", "logits"]


@dataclass(frozen=True)
class Stage:
    """A place in a CNN at which one can look.

    Parameters
    ----------
    kind
        what the layer does; "hidden" is a linear layer with its ReLU.
    level
        of a convolution, its ReLU and its pooling: which, from 1; otherwise 0.
    module
        name of the module that puts it out.
    source
        name of the module whose output its units are made from, a ReLU's like its convolution's; "" is the image.
    shape
        (channels, height, width), or (units,).
    field
        which pixels a unit sees; None for all of them.
    """

    kind: Kind
    level: int
    module: str
    source: str
    shape: tuple[int, ...]
    field: ReceptiveField | None

    @property
    def name(self) -> str:
        """Short and unique: "convolution1", "logits"."""
        return f"{self.kind}{self.level or ''}"


def stages(model: CNN) -> list[Stage]:
    """Return the places of ``model``, from the first convolution to the logits."""
    size = model.config.image_size
    geometry = layers(model, torch.zeros(1, model.config.in_channels, size, size))
    found: list[Stage] = []
    source = ""
    kinds: Sequence[Kind] = ("convolution", "relu", "pooling")
    for level in range(len(model.levels)):
        below = source
        for place, kind in enumerate(kinds):
            module = f"levels.{level}.{place}"
            found.append(Stage(kind, level + 1, module, below, geometry[module].shape, geometry[module].field))
            source = module
            # A ReLU's unit is made from what its convolution sees; pooling takes the ReLU's.
            below = module if kind == "relu" else below
    for kind, module in (("hidden", "classifier.1"), ("logits", "classifier.3")):
        found.append(Stage(kind, 0, module, source, geometry[module].shape, None))
        source = module
    return found


def _at(values: Tensor, *places: Tensor) -> Tensor:
    """Return the part of ``values`` at the first ``places``, which are tensors."""
    for place in places:
        values = values.index_select(0, place.long().reshape(1))[0]
    return values


def feature_maps(model: CNN, stage: Stage) -> Graph:
    r"""Return the graph ``features-NAME`` of all that ``stage`` puts out, and of one unit's sum, term by term.

    A unit of a convolution adds up what its window holds times its filter (Goodfellow et al. 2016, equation 9.7):

    .. math:: z_{c,i,j} = b_c + \sum_{k,u,v} x_{k,\,i+u,\,j+v}\, W_{c,k,u,v}

    Inputs: ``image`` (height, width) float32; ``channel``, ``row`` and ``column``, int32: the unit; of a linear layer,
    whose units have no place, ``channel`` alone counts, and row and column are 0. Outputs:

    - ``maps``, of the stage's shape,
    - ``window``, what the unit is computed from: of a convolution and its ReLU (channels, 3, 3), zeros at the border
      included; of pooling (2, 2); of the hidden layer (channels, height, width); of the logits (units,),
    - except for pooling, ``filter``, the unit's weights, and ``products``, both of the window's shape; ``shares``
      (channels,), their sums per channel, which for the logits are the products; ``bias``, and ``z``, the sum of all,
    - ``y``, what the unit puts out.

    Raises
    ------
    ValueError
        when ``model`` is in training mode, where dropout would make it answer differently each time, or its images are
        not grey.
    """
    _check(model)
    modules = dict(model.named_modules())
    config = model.config
    names = [name for name in (stage.module, stage.source) if name]

    def terms(x: Tensor, channel: Tensor, row: Tensor, column: Tensor) -> dict[str, Tensor]:
        if stage.kind == "pooling":
            corner = [2 * row.long() + torch.arange(2), 2 * column.long() + torch.arange(2)]
            window = _at(x, channel).index_select(0, corner[0]).index_select(1, corner[1])  # (2, 2)
            return {"window": window, "y": window.max()}
        if stage.level:
            layer = modules[f"levels.{stage.level - 1}.0"]
            around = nn.functional.pad(x, (1, 1, 1, 1))  # (channels, height + 2, width + 2)
            rows, columns = row.long() + torch.arange(3), column.long() + torch.arange(3)
            window = around.index_select(1, rows).index_select(2, columns)  # (channels, 3, 3)
        else:
            layer = modules["classifier.0" if stage.kind == "hidden" else "classifier.3"]
            window = x
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        weight = _at(layer.weight, channel).view(window.shape)
        products = window * weight
        assert layer.bias is not None
        bias = _at(layer.bias, channel)
        shares = products.flatten(1).sum(1) if products.ndim > 1 else products
        z = products.sum() + bias
        y = z.relu() if stage.kind in ("relu", "hidden") else z
        return {
            "window": window, "filter": weight, "products": products, "shares": shares, "bias": bias, "z": z, "y": y,
        }  # fmt: skip

    def run(image: Tensor, channel: Tensor, row: Tensor, column: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), record(model, *names) as seen:
            model(image[None, None])
            x = seen[stage.source][0] if stage.source else image[None]  # (channels, height, width), or (units,)
            return {"maps": seen[stage.module][0], **terms(x, channel, row, column)}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        sizes = (*stage.shape, 1, 1)[:3]
        units = [torch.randint(size, (), generator=generator, dtype=torch.int32) for size in sizes]
        image = torch.rand(config.image_size, config.image_size, generator=generator)
        return {"image": image, **dict(zip(("channel", "row", "column"), units, strict=True))}

    return Graph(f"features-{stage.name}", run, draw)


def saliency(model: CNN) -> Graph:
    r"""Return the graph ``saliency``: the gradient of a class's logit by the pixels (Simonyan et al. 2014, section 3).

    .. math:: g_{i,j} = \frac{\partial z_c}{\partial x_{i,j}}

    It says by how much the logit would rise if a little ink were added there; it is PyTorch's autograd's. The paper
    shows its size; here it keeps its sign.

    Inputs: ``image`` (height, width) float32, and ``digit``, int32, the class c. Outputs: ``logits`` and
    ``probabilities`` (classes,), and ``gradient`` (height, width).

    Raises
    ------
    ValueError
        when ``model`` is in training mode, or its images are not grey.
    """
    _check(model)
    size, classes = model.config.image_size, model.config.classes

    def run(image: Tensor, digit: Tensor) -> dict[str, Tensor]:
        x = image.detach().requires_grad_()
        with torch.enable_grad():
            logits = model(x[None, None])[0]  # (classes,)
            # A masked sum: an index that depends on a value would not be exported.
            chosen = (logits * (torch.arange(classes) == digit).to(logits.dtype)).sum()
        (gradient,) = torch.autograd.grad(chosen, x)
        logits = logits.detach()
        return {"logits": logits, "probabilities": logits.softmax(0), "gradient": gradient}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        digit = torch.randint(classes, (), generator=generator, dtype=torch.int32)
        return {"image": torch.rand(size, size, generator=generator), "digit": digit}

    return Graph("saliency", run, draw)


def _check(model: CNN) -> None:
    if model.training:
        raise ValueError("model is in training mode; allowed is evaluation mode: call model.eval()")
    if model.config.in_channels != 1:
        raise ValueError(f"in_channels is {model.config.in_channels}; allowed is 1, a grey image")
