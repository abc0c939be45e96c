"""AlexNet, the network that won ImageNet in 2012 (Krizhevsky et al. 2012, section 3).

Spread over two GPUs: the second, fourth and fifth convolution see only the maps on their own GPU, which are grouped
convolutions on one device. torchvision's ``alexnet`` is another network, a one-GPU variant of 2014 with 64, 192, 384,
256 and 256 maps, no response normalisation and 61,100,840 parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dlcompare.models.checks import check_images, check_positive, check_probability

__all__ = ["ALEXNET", "AlexNet", "AlexNetConfig"]


@dataclass(frozen=True)
class AlexNetConfig:
    """Sizes of an AlexNet for colour images.

    Parameters
    ----------
    channels
        feature maps of the five convolutions, over all GPUs.
    hidden
        width of the two fully connected layers.
    classes
        number of classes.
    groups
        number of GPUs; divides each number of feature maps.
    image_size
        height and width of the image in pixels. The paper says 224; its first feature maps of 55 × 55 need 227.
    dropout
        probability of dropping an output of the two fully connected layers in training.

    Raises
    ------
    ValueError
        when a field is out of range: ``channels`` are five multiples of ``groups``, ``image_size`` is at least 67.
    """

    channels: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    hidden: int = 4096
    classes: int = 1000
    groups: int = 2
    image_size: int = 227
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "classes", "groups", "image_size")
        check_probability(self, "dropout")
        if len(self.channels) != 5 or any(not isinstance(c, int) or c < 1 or c % self.groups for c in self.channels):
            raise ValueError(f"channels is {self.channels!r}; allowed are five multiples of groups = {self.groups}")
        if self.final_size < 1:
            raise ValueError(f"image_size is {self.image_size}; allowed is at least 67")

    @property
    def final_size(self) -> int:
        """Height and width of the maps after the third pooling: 227 → 55 → 27 → 13 → 6."""
        size = (self.image_size - 11) // 4 + 1
        for _ in range(3):
            size = (size - 3) // 2 + 1
        return size

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula.

        Per convolution k² · (maps below / groups) · maps + maps; per fully connected layer (n_in + 1) · n_out.
        For AlexNet: 34,944 + 307,456 + 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312 + 4,097,000 = 60,965,224.
        """
        c1, c2, c3, c4, c5 = self.channels
        g = self.groups
        convolutions = (
            (11 * 11 * 3 + 1) * c1
            + (5 * 5 * c1 // g + 1) * c2
            + (3 * 3 * c2 + 1) * c3
            + (3 * 3 * c3 // g + 1) * c4
            + (3 * 3 * c4 // g + 1) * c5
        )
        fully_connected = (
            (c5 * self.final_size**2 + 1) * self.hidden
            + (self.hidden + 1) * self.hidden
            + (self.hidden + 1) * self.classes
        )
        return convolutions + fully_connected


#: The network of the paper: 60,965,224 parameters, which it prints as "60 million". Its "650,000 neurons" are 659,272
#: with 55 · 55 · 96 units in the first layer; the 253,440 that figure 2 prints for that layer are 55 · 48 · 96.
ALEXNET = AlexNetConfig()


def _convolution(n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and ReLU; every convolution but the first (stride 4) keeps the size."""
    padding = kernel // 2 if stride == 1 else 0
    return nn.Sequential(nn.Conv2d(n_in, n_out, kernel, stride, padding, groups=groups), nn.ReLU())


def _response_norm() -> nn.LocalResponseNorm:
    r"""Section 3.3: :math:`b_i = a_i / (k + \alpha \sum_j a_j^2)^\beta` with k = 2, n = 5, α = 10⁻⁴, β = 0.75.

    The sum runs over n adjacent maps. torch divides its ``alpha`` by n, hence 5 · 10⁻⁴.
    """
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class AlexNet(nn.Module):
    """Five convolutions, overlapping 3 × 3 max pooling with stride 2 after three of them, three linear layers.

    ``conv1`` … ``conv5`` and ``fc6``, ``fc7`` put out their states after ReLU; their part ``0`` puts out what stands
    before.

    Initial weights as in section 5: normal with standard deviation 0.01; biases 1 in the second, fourth and fifth
    convolution and in ``fc6`` and ``fc7``, elsewhere 0.

    Deviations from the paper: images of 227 × 227 pixels, see :class:`AlexNetConfig`; dropout enlarges the kept
    outputs in training, where the paper halves all outputs in testing; the response normalisation sums over maps of
    both GPUs where they are adjacent, as its formula says, which leaves open what the two GPUs exchanged.
    """

    def __init__(self, config: AlexNetConfig = ALEXNET):
        super().__init__()
        self.config = config
        c1, c2, c3, c4, c5 = config.channels
        self.conv1 = _convolution(3, c1, 11, stride=4)
        self.norm1 = _response_norm()
        self.pool1 = nn.MaxPool2d(3, 2)
        self.conv2 = _convolution(c1, c2, 5, groups=config.groups)
        self.norm2 = _response_norm()
        self.pool2 = nn.MaxPool2d(3, 2)
        self.conv3 = _convolution(c2, c3, 3)
        self.conv4 = _convolution(c3, c4, 3, groups=config.groups)
        self.conv5 = _convolution(c4, c5, 3, groups=config.groups)
        self.pool5 = nn.MaxPool2d(3, 2)
        self.fc6 = nn.Sequential(nn.Linear(c5 * config.final_size**2, config.hidden), nn.ReLU())
        self.fc7 = nn.Sequential(nn.Linear(config.hidden, config.hidden), nn.ReLU())
        self.fc8 = nn.Linear(config.hidden, config.classes)
        self.dropout = nn.Dropout(config.dropout)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.01)
            else:
                layer = name.split(".")[0]
                nn.init.constant_(parameter, 1.0 if layer in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, classes).

        Raises
        ------
        ValueError
            unless ``x`` is (batch, 3, image_size, image_size).
        """
        check_images(x, 3, self.config.image_size)
        x = self.pool1(self.norm1(self.conv1(x)))  # (batch, 96, 55, 55), pooled (batch, 96, 27, 27)
        x = self.pool2(self.norm2(self.conv2(x)))  # (batch, 256, 27, 27), pooled (batch, 256, 13, 13)
        x = self.conv4(self.conv3(x))  # (batch, 384, 13, 13)
        x = self.pool5(self.conv5(x))  # (batch, 256, 13, 13), pooled (batch, 256, 6, 6)
        x = self.dropout(self.fc6(x.flatten(1)))  # (batch, 4096)
        x = self.dropout(self.fc7(x))  # (batch, 4096)
        logits: Tensor = self.fc8(x)  # (batch, 1000)
        return logits
