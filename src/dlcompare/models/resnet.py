"""ResNet: layers that learn what to add to their input (He et al. 2016, section 3 and table 1).

This is the first version. torchvision's ResNet-50 and larger are "version 1.5": there the stride of 2 stands in the
3 × 3 convolution of a bottleneck, here in its first 1 × 1 convolution as in the paper. The parameters are the same,
the multiply-adds are not: 4.1 · 10⁹ there, 3.9 · 10⁹ here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from dlcompare.models.checks import check_images, check_positive

__all__ = [
    "RESNET_18",
    "RESNET_34",
    "RESNET_50",
    "RESNET_101",
    "RESNET_152",
    "ResNet",
    "ResNetConfig",
    "ResidualBlock",
]

BlockKind = Literal["basic", "bottleneck"]


@dataclass(frozen=True)
class ResNetConfig:
    """Sizes of a ResNet for colour images.

    Parameters
    ----------
    block
        "basic" (two 3 × 3 convolutions) or "bottleneck" (1 × 1, 3 × 3, 1 × 1; puts out four times its width).
    depths
        residual blocks of each stage; each stage but the first halves the maps.
    widths
        feature maps inside the blocks of each stage.
    stem
        feature maps of the first convolution.
    classes
        number of classes.

    Raises
    ------
    ValueError
        when a field is out of range, ``block`` is none of these, or there is not one width per stage.
    """

    block: BlockKind
    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: int = 64
    classes: int = 1000

    def __post_init__(self) -> None:
        check_positive(self, "stem", "classes")
        if self.block not in get_args(BlockKind):
            raise ValueError(f"block is {self.block!r}; allowed are {', '.join(map(repr, get_args(BlockKind)))}")
        for name in ("depths", "widths"):
            value = getattr(self, name)
            if not value or any(not isinstance(n, int) or n < 1 for n in value):
                raise ValueError(f"{name} is {value!r}; allowed is at least one integer of at least 1")
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages; allowed is as many as widths: {len(self.widths)}")

    @property
    def expansion(self) -> int:
        """Feature maps that a block puts out, as a multiple of its width."""
        return 4 if self.block == "bottleneck" else 1

    @property
    def blocks(self) -> tuple[tuple[tuple[int, int, int], ...], ...]:
        """For each stage and each of its blocks: maps coming in, width, stride."""
        stages, n_in = [], self.stem
        for number, (depth, width) in enumerate(zip(self.depths, self.widths, strict=True)):
            stage = []
            for i in range(depth):
                stage.append((n_in, width, 2 if number > 0 and i == 0 else 1))
                n_in = width * self.expansion
            stages.append(tuple(stage))
        return tuple(stages)

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula; a convolution has no bias, its batch norm a scale and a shift per map.

        Stem: 147 s + 2 s. Basic block from m to w maps: 9 m w + 9 w² + 4 w. Bottleneck from m to 4 w: m w + 9 w² +
        4 w² + 12 w. Projection, where a block changes the shape: m n + 2 n with n maps out. Classifier: (n + 1)
        · classes.
        """
        total = 147 * self.stem + 2 * self.stem
        for m, w, stride in (block for stage in self.blocks for block in stage):
            n = w * self.expansion
            total += 9 * m * w + 9 * w * w + 4 * w if self.block == "basic" else m * w + 13 * w * w + 12 * w
            if stride != 1 or m != n:
                total += m * n + 2 * n
        return total + (self.widths[-1] * self.expansion + 1) * self.classes


#: Table 1 of the paper. It prints no parameters but "FLOPs", which are multiply-adds: 1.8, 3.6, 3.8, 7.6, 11.3 · 10⁹.
RESNET_18 = ResNetConfig("basic", (2, 2, 2, 2))
RESNET_34 = ResNetConfig("basic", (3, 4, 6, 3))
RESNET_50 = ResNetConfig("bottleneck", (3, 4, 6, 3))
RESNET_101 = ResNetConfig("bottleneck", (3, 4, 23, 3))
RESNET_152 = ResNetConfig("bottleneck", (3, 8, 36, 3))


def _convolution(n_in: int, n_out: int, kernel: int, stride: int = 1, *, relu: bool = True) -> nn.Sequential:
    """Convolution that keeps the size (or halves it, stride 2), batch norm and, if asked for, ReLU."""
    layers = [nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out)]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


def _basic(n_in: int, width: int, stride: int) -> nn.Sequential:
    """F of a basic block: figure 5, left."""
    return nn.Sequential(_convolution(n_in, width, 3, stride), _convolution(width, width, 3, relu=False))


def _bottleneck(n_in: int, width: int, stride: int) -> nn.Sequential:
    """F of a bottleneck block: figure 5, right."""
    return nn.Sequential(
        _convolution(n_in, width, 1, stride),
        _convolution(width, width, 3),
        _convolution(width, 4 * width, 1, relu=False),
    )


class ResidualBlock(nn.Module):
    """ReLU(F(x) + x): equation 1; where F changes the shape, x is projected by a 1 × 1 convolution: equation 2.

    ``residual`` puts out F(x), ``shortcut`` x or its projection (the paper's option B).
    """

    def __init__(self, kind: BlockKind, n_in: int, width: int, stride: int):
        super().__init__()
        n_out = width * (4 if kind == "bottleneck" else 1)
        self.residual = (_bottleneck if kind == "bottleneck" else _basic)(n_in, width, stride)
        self.shortcut = (
            nn.Identity() if stride == 1 and n_in == n_out else _convolution(n_in, n_out, 1, stride, relu=False)
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, n_in, h, w) to (batch, n_out, h / stride, w / stride)."""
        y: Tensor = self.relu(self.residual(x) + self.shortcut(x))
        return y


class ResNet(nn.Module):
    """A first convolution, stages of residual blocks, the mean over all places, one linear layer.

    ``stages.0`` is the paper's conv2_x (without its pooling, which is ``pool1``), ``stages.1`` conv3_x, and so on.

    Initial weights as in He et al. (2015), equation 10: normal with variance 2 / fan-in, biases 0. Deviation from the
    paper: none that is known; it does not say how wide the pooling and the convolutions pad (here half a kernel).
    """

    def __init__(self, config: ResNetConfig):
        super().__init__()
        self.config = config
        self.conv1 = _convolution(3, config.stem, 7, stride=2)
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        self.stages = nn.Sequential(
            *(nn.Sequential(*(ResidualBlock(config.block, *sizes) for sizes in stage)) for stage in config.blocks)
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(config.widths[-1] * config.expansion, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, classes) for images of any size; the shapes below are those of 224 × 224 pixels.

        Raises
        ------
        ValueError
            unless ``x`` is (batch, 3, height, width).
        """
        check_images(x, 3)
        x = self.pool1(self.conv1(x))  # (batch, 64, 112, 112), pooled (batch, 64, 56, 56)
        x = self.stages(x)  # (batch, widths[-1] · expansion, 7, 7)
        x = self.pool(x).flatten(1)  # (batch, widths[-1] · expansion)
        logits: Tensor = self.classifier(x)
        return logits
