"""GoogLeNet, the network of inception modules that won ImageNet in 2014 (Szegedy et al. 2015, table 1, figure 3).

This is the network of the paper: 5 × 5 convolutions, biases, response normalisation. torchvision's ``googlenet`` has
3 × 3 convolutions in place of the 5 × 5 and batch norm in place of both others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare.models.checks import check_images, check_positive, check_probability

__all__ = ["GOOGLENET", "GoogLeNet", "GoogLeNetConfig", "Inception", "InceptionWidths"]


class InceptionWidths(NamedTuple):
    """Feature maps inside an inception module, in the order of the columns of table 1."""

    one: int
    reduce3: int
    three: int
    reduce5: int
    five: int
    pool: int

    @property
    def out(self) -> int:
        """Feature maps that the module puts out: its four branches side by side."""
        return self.one + self.three + self.five + self.pool

    def n_parameters(self, n_in: int) -> int:
        """Return the number of parameters with ``n_in`` maps coming in: six convolutions with biases."""
        return (
            (n_in + 1) * (self.one + self.reduce3 + self.reduce5 + self.pool)
            + (9 * self.reduce3 + 1) * self.three
            + (25 * self.reduce5 + 1) * self.five
        )


@dataclass(frozen=True)
class GoogLeNetConfig:
    """Sizes of a GoogLeNet for colour images.

    Parameters
    ----------
    stem
        feature maps of the three convolutions before the first inception module: 7 × 7, 1 × 1, 3 × 3.
    inception3, inception4, inception5
        the inception modules (3a), (3b), …: two, five and two of them.
    auxiliary
        feature maps and hidden width of the two auxiliary classifiers.
    classes
        number of classes.
    image_size
        height and width of the image in pixels.
    dropout, auxiliary_dropout
        probability of dropping a value before the last layer in training.

    Raises
    ------
    ValueError
        when a field is out of range: 2, 5 and 2 modules, ``image_size`` at least 79.
    """

    stem: tuple[int, int, int] = (64, 64, 192)
    inception3: tuple[InceptionWidths, ...] = (
        InceptionWidths(64, 96, 128, 16, 32, 32),
        InceptionWidths(128, 128, 192, 32, 96, 64),
    )
    inception4: tuple[InceptionWidths, ...] = (
        InceptionWidths(192, 96, 208, 16, 48, 64),
        InceptionWidths(160, 112, 224, 24, 64, 64),
        InceptionWidths(128, 128, 256, 24, 64, 64),
        InceptionWidths(112, 144, 288, 32, 64, 64),
        InceptionWidths(256, 160, 320, 32, 128, 128),
    )
    inception5: tuple[InceptionWidths, ...] = (
        InceptionWidths(256, 160, 320, 32, 128, 128),
        InceptionWidths(384, 192, 384, 48, 128, 128),
    )
    auxiliary: tuple[int, int] = (128, 1024)
    classes: int = 1000
    image_size: int = 224
    dropout: float = 0.4
    auxiliary_dropout: float = 0.7

    def __post_init__(self) -> None:
        check_positive(self, "classes", "image_size")
        check_probability(self, "dropout")
        check_probability(self, "auxiliary_dropout")
        for name, allowed in (("inception3", 2), ("inception4", 5), ("inception5", 2)):
            if len(getattr(self, name)) != allowed:
                raise ValueError(f"{name} has {len(getattr(self, name))} modules; allowed are {allowed}")
        widths = (*self.stem, *self.auxiliary, *(w for module in self.inceptions for w in module))
        if any(not isinstance(w, int) or w < 1 for w in widths):
            raise ValueError(f"the feature maps are {widths!r}; allowed are integers of at least 1")
        if self.auxiliary_size < 1:
            raise ValueError(f"image_size is {self.image_size}; allowed is at least 79")

    @property
    def inceptions(self) -> tuple[InceptionWidths, ...]:
        """The nine inception modules from the first to the last."""
        return self.inception3 + self.inception4 + self.inception5

    @property
    def auxiliary_size(self) -> int:
        """Height and width of what the auxiliary classifiers flatten: 224 → 112 → 56 → 28 → 14 → 4."""
        size = (self.image_size + 1) // 2 // 2 // 2 // 2
        return (size - 5) // 3 + 1

    @property
    def n_parameters_at_inference(self) -> int:
        """Number of parameters by formula without the auxiliary classifiers.

        Stem (147 + 1) a + (a + 1) b + (9 b + 1) c, the inception modules, the classifier (n + 1) · classes.
        For GoogLeNet: 124,736 + 5,848,816 + 1,025,000 = 6,998,552.
        """
        a, b, c = self.stem
        stem = (147 + 1) * a + (a + 1) * b + (9 * b + 1) * c
        n_in = (c, *(module.out for module in self.inceptions))
        modules = sum(module.n_parameters(n) for module, n in zip(self.inceptions, n_in, strict=False))
        return stem + modules + (n_in[-1] + 1) * self.classes

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula with the two auxiliary classifiers.

        Each has (n + 1) m for its 1 × 1 convolution, (m · size² + 1) h and (h + 1) · classes for its linear layers.
        For GoogLeNet: 6,998,552 + 3,188,840 + 3,190,888 = 13,378,280.
        """
        m, h = self.auxiliary
        each = [
            (n + 1) * m + (m * self.auxiliary_size**2 + 1) * h + (h + 1) * self.classes
            for n in (self.inception4[0].out, self.inception4[3].out)
        ]
        return self.n_parameters_at_inference + sum(each)


#: The network of the paper. Its printed figures conflict with each other:
#:
#: - Parameters: the rows of table 1 sum to 6,798K with K = 1024, which are 6.96 million; computed from its own widths
#:   they are 6,990,272 weights and 8,280 biases, auxiliary classifiers not counted. The text's "12 times fewer" than
#:   AlexNet's 60 million would be 5 million.
#: - First convolution: table 1 prints 2.7K parameters and 34M multiply-adds. A 7 × 7 convolution from 3 to 64 maps has
#:   9.4K and 118M. With the 118M the network takes 1.58 · 10⁹ multiply-adds, not the 1.5 · 10⁹ of the text.
#: - (4c) and (5a): table 1 prints 463K and 1072K parameters where its widths give 497K and 1018K, and 54M multiply-adds
#:   for (5a) where they give 51M. The other rows agree within 2 per cent.
GOOGLENET = GoogLeNetConfig()


def _convolution(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (or halves it, stride 2) and ReLU."""
    return nn.Sequential(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2), nn.ReLU())


def _halve() -> nn.MaxPool2d:
    """3 × 3 max pooling with stride 2 that pads on the right and at the bottom: 112 → 56."""
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class Inception(nn.Module):
    """Four branches side by side, 1 × 1, 3 × 3, 5 × 5 and pooling, with 1 × 1 reductions (figure 2b)."""

    def __init__(self, n_in: int, widths: InceptionWidths):
        super().__init__()
        w = widths
        self.one = _convolution(n_in, w.one, 1)
        self.three = nn.Sequential(_convolution(n_in, w.reduce3, 1), _convolution(w.reduce3, w.three, 3))
        self.five = nn.Sequential(_convolution(n_in, w.reduce5, 1), _convolution(w.reduce5, w.five, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _convolution(n_in, w.pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, n_in, h, w) to (batch, one + three + five + pool, h, w)."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


def _auxiliary(n_in: int, config: GoogLeNetConfig) -> nn.Sequential:
    """Return the classifier that hangs on an inner module in training (section 5)."""
    maps, hidden = config.auxiliary
    return nn.Sequential(
        nn.AvgPool2d(5, 3),  # (batch, n_in, 4, 4)
        _convolution(n_in, maps, 1),  # (batch, 128, 4, 4)
        nn.Flatten(),
        nn.Linear(maps * config.auxiliary_size**2, hidden),  # (batch, 1024)
        nn.ReLU(),
        nn.Dropout(config.auxiliary_dropout),
        nn.Linear(hidden, config.classes),  # (batch, 1000)
    )


class GoogLeNet(nn.Module):
    """Three convolutions, nine inception modules, the mean over all places, one linear layer.

    The two auxiliary classifiers on (4a) and (4d) serve training: :meth:`all_logits` runs them, ``forward`` does not.

    Deviations from the paper: it gives no constants for the response normalisation (here AlexNet's), no initial
    weights (here normal with variance 2 / fan-in, biases 0: He et al. 2015) and not on which side an odd padding
    goes (here both sides for convolutions, right and bottom for pooling); the last pooling takes the mean over all
    places, which are the paper's 7 × 7 for an image of 224 × 224.
    """

    def __init__(self, config: GoogLeNetConfig = GOOGLENET):
        super().__init__()
        self.config = config
        c1, reduce, c2 = config.stem
        self.conv1 = _convolution(3, c1, 7, stride=2)
        self.pool1 = _halve()
        self.norm1 = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.conv2 = nn.Sequential(_convolution(c1, reduce, 1), _convolution(reduce, c2, 3))
        self.norm2 = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.pool2 = _halve()
        n_in = (c2, *(widths.out for widths in config.inceptions))
        modules = [Inception(n, widths) for n, widths in zip(n_in, config.inceptions, strict=False)]
        self.inception3a, self.inception3b = modules[:2]
        self.pool3 = _halve()
        self.inception4a, self.inception4b, self.inception4c, self.inception4d, self.inception4e = modules[2:7]
        self.pool4 = _halve()
        self.inception5a, self.inception5b = modules[7:]
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(n_in[-1], config.classes)
        self.auxiliary4a = _auxiliary(config.inception4[0].out, config)
        self.auxiliary4d = _auxiliary(config.inception4[3].out, config)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of the modules (4a), (4d) and (5b)."""
        check_images(x, 3, self.config.image_size)
        x = self.norm1(self.pool1(self.conv1(x)))  # (batch, 64, 112, 112), pooled (batch, 64, 56, 56)
        x = self.pool2(self.norm2(self.conv2(x)))  # (batch, 192, 56, 56), pooled (batch, 192, 28, 28)
        x = self.inception3a(x)  # (batch, 256, 28, 28)
        x = self.pool3(self.inception3b(x))  # (batch, 480, 28, 28), pooled (batch, 480, 14, 14)
        x4a = self.inception4a(x)  # (batch, 512, 14, 14)
        x = self.inception4b(x4a)  # (batch, 512, 14, 14)
        x = self.inception4c(x)  # (batch, 512, 14, 14)
        x4d = self.inception4d(x)  # (batch, 528, 14, 14)
        x = self.pool4(self.inception4e(x4d))  # (batch, 832, 14, 14), pooled (batch, 832, 7, 7)
        x = self.inception5a(x)  # (batch, 832, 7, 7)
        x5b = self.inception5b(x)  # (batch, 1024, 7, 7)
        return x4a, x4d, x5b

    def _classify(self, x5b: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.pool(x5b).flatten(1)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, classes).

        Raises
        ------
        ValueError
            unless ``x`` is (batch, 3, image_size, image_size).
        """
        return self._classify(self._maps(x)[-1])

    def all_logits(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the classifier and of the two auxiliary ones, each (batch, classes)."""
        x4a, x4d, x5b = self._maps(x)
        return self._classify(x5b), self.auxiliary4a(x4a), self.auxiliary4d(x4d)

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the training loss in nats per image: cross-entropy, the auxiliary ones weighted by 0.3 (section 5).

        ``x`` (batch, 3, image_size, image_size) are images, ``labels`` (batch,) their classes.
        """
        main, first, second = (F.cross_entropy(logits, labels) for logits in self.all_logits(x))
        return main + 0.3 * (first + second)
