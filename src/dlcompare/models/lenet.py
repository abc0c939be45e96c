"""LeNet-5, the network that read cheques (LeCun et al. 1998, section II.B, figure 2).

The layers carry the paper's names: convolutions C1, C3, C5, subsampling S2, S4, the fully connected F6 and an output
of radial basis functions with fixed codes. What most listings called LeNet-5 leave out is here: C3 sees its inputs
through table I, subsampling has a trainable coefficient and bias per map, every layer up to F6 is squashed by
1.7159 tanh(2a/3), and there is no softmax layer with weights of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.checks import check_images, check_positive

__all__ = ["DIGIT_CODES", "LENET_5", "TABLE_I", "LeNet", "LeNetConfig", "RadialBasis", "ScaledTanh", "Subsampling"]

#: Which maps of S2 each map of C3 sees: the columns of the paper's table I.
TABLE_I: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

_BITMAPS = """
..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
.#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #.....#
#.....# .#.#... ......# ......# ...#.#. #...... #...... ......# #.....# #.....#
#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. ......# .#...#. ######. #...... .....#. #.....# #.....#
#.....# ...#... ....#.. ..####. #....#. ......# ######. ....#.. .#####. .######
#.....# ...#... ...#... ......# #....#. ......# #.....# ....#.. #.....# ......#
#.....# ...#... ..#.... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... #...... ......# .....#. ......# #.....# ..#.... #.....# ......#
.#...#. ...#... #...... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
..###.. .#####. ####### .#####. .....#. .#####. .#####. ..#.... .#####. .####..
"""

#: The ten digits as codes of 84 = 12 × 7 numbers, +1 for ink and -1 for paper, row by row.
DIGIT_CODES: tuple[tuple[float, ...], ...] = tuple(
    tuple(1.0 if pixel == "#" else -1.0 for row in _BITMAPS.split("\n")[1:-1] for pixel in row.split()[digit])
    for digit in range(10)
)


@dataclass(frozen=True)
class LeNetConfig:
    """Sizes of a LeNet: grey images of 32 × 32 pixels, ten digits.

    Parameters
    ----------
    c1
        feature maps of C1 and S2.
    connections
        for each feature map of C3 and S4, the maps of S2 that it sees.
    c5
        feature maps of C5, each a single unit.

    Raises
    ------
    ValueError
        when a field is out of range, or ``connections`` names a map that is not there.
    """

    c1: int = 6
    connections: tuple[tuple[int, ...], ...] = TABLE_I
    c5: int = 120

    def __post_init__(self) -> None:
        check_positive(self, "c1", "c5")
        if not self.connections or any(not seen or not {*seen} <= {*range(self.c1)} for seen in self.connections):
            raise ValueError(
                f"connections is {self.connections!r}; allowed is one tuple per map of C3 with maps 0 to {self.c1 - 1}"
            )

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters by formula; the codes of the output layer are fixed and don't count.

        For LeNet-5: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164, in sum 60,000.
        """
        c3 = len(self.connections)
        return (
            (25 + 1) * self.c1
            + 2 * self.c1
            + sum(25 * len(seen) + 1 for seen in self.connections)
            + 2 * c3
            + (25 * c3 + 1) * self.c5
            + (self.c5 + 1) * len(DIGIT_CODES[0])
        )


#: The network of the paper: 60,000 trainable parameters, as the sum of its figures per layer and as its text says.
LENET_5 = LeNetConfig()


class ScaledTanh(nn.Module):
    """The squashing function A tanh(S a) with A = 1.7159 and S = 2/3, so that f(±1) = ±1 (appendix A)."""

    def forward(self, a: Tensor) -> Tensor:
        """Squash each number."""
        return 1.7159 * torch.tanh(2 / 3 * a)


class Subsampling(nn.Module):
    """Add the four numbers of each 2 × 2 field, multiply by a coefficient, add a bias; both are trained per map."""

    def __init__(self, maps: int):
        super().__init__()
        self.sum = nn.AvgPool2d(2, divisor_override=1)
        self.coefficient = nn.Parameter(torch.empty(maps, 1, 1))
        self.bias = nn.Parameter(torch.empty(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, maps, 2 h, 2 w) to (batch, maps, h, w)."""
        y: Tensor = self.coefficient * self.sum(x) + self.bias
        return y


class PartialConvolution(nn.Module):
    """A 5 × 5 convolution in which each map sees only some of the maps below."""

    def __init__(self, connections: tuple[tuple[int, ...], ...]):
        super().__init__()
        self.connections = connections
        self.maps = nn.ModuleList(nn.Conv2d(len(seen), 1, 5) for seen in connections)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, maps below, h, w) to (batch, maps, h - 4, w - 4)."""
        return torch.cat([conv(x[:, seen]) for conv, seen in zip(self.maps, self.connections, strict=True)], dim=1)


class RadialBasis(nn.Module):
    r"""The squared distance to each class's code, :math:`y_i = \sum_j (x_j - w_{ij})^2` (equation 7)."""

    codes: Tensor

    def __init__(self, codes: tuple[tuple[float, ...], ...]):
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes))  # (classes, 84)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 84) to penalties (batch, classes): the smaller, the better the code fits."""
        return (x[:, None, :] - self.codes).square().sum(-1)


class LeNet(nn.Module):
    """C1, S2, C3, S4, C5, F6 and the radial basis functions.

    Each module ``c1`` … ``f6`` puts out the squashed states; its part ``0`` puts out the weighted sums before.
    ``output`` puts out the paper's penalties.

    Initial weights as in appendix A: uniform between ±2.4 / F with F the number of inputs of a unit; biases alike.

    Deviations from the paper:

    - ``forward`` returns the penalties with their sign turned. Read as logits they make cross-entropy the paper's
      training criterion (equation 9) without its constant for "none of the classes".
    - The paper shows its codes as pictures (figure 3). Ours are drawn after their description, digits on a 7 × 12
      bitmap, and differ from them in single pixels.
    - The input is taken as it comes. The paper scales white to -0.1 and black to 1.175 and puts digits of 28 × 28
      pixels in the middle of the 32 × 32.
    """

    def __init__(self, config: LeNetConfig = LENET_5):
        super().__init__()
        self.config = config
        c3 = len(config.connections)
        self.c1 = nn.Sequential(nn.Conv2d(1, config.c1, 5), ScaledTanh())
        self.s2 = nn.Sequential(Subsampling(config.c1), ScaledTanh())
        self.c3 = nn.Sequential(PartialConvolution(config.connections), ScaledTanh())
        self.s4 = nn.Sequential(Subsampling(c3), ScaledTanh())
        self.c5 = nn.Sequential(nn.Conv2d(c3, config.c5, 5), ScaledTanh())
        self.f6 = nn.Sequential(nn.Linear(config.c5, len(DIGIT_CODES[0])), ScaledTanh())
        self.output = RadialBasis(DIGIT_CODES)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, Subsampling):
                fan_in = 4
            elif isinstance(module, nn.Conv2d | nn.Linear):
                fan_in = math.prod(module.weight.shape[1:])
            else:
                continue
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -2.4 / fan_in, 2.4 / fan_in)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, 10), the penalties with their sign turned.

        Raises
        ------
        ValueError
            unless ``x`` is (batch, 1, 32, 32).
        """
        check_images(x, 1, 32)
        x = self.c1(x)  # (batch, 6, 28, 28)
        x = self.s2(x)  # (batch, 6, 14, 14)
        x = self.c3(x)  # (batch, 16, 10, 10)
        x = self.s4(x)  # (batch, 16, 5, 5)
        x = self.c5(x)  # (batch, 120, 1, 1)
        x = self.f6(x.flatten(1))  # (batch, 84)
        penalties: Tensor = self.output(x)  # (batch, 10)
        return -penalties
