"""A small convolutional network: the article's listing 4.1.1 with the flattened size computed, not typed.

The listing writes 64 · 6 · 6, which does not fit its own layers: 28 × 28 pixels, halved twice, leave 7 × 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dlcompare.models.checks import check_images, check_positive, check_probability

__all__ = ["CNN", "CNNConfig"]


@dataclass(frozen=True)
class CNNConfig:
    """Sizes of the small CNN.

    Parameters
    ----------
    in_channels
        1 for grey images, 3 for colour.
    image_size
        height and width of the image in pixels.
    channels
        feature maps of each convolution; the image is halved after each.
    hidden
        width of the fully connected layer.
    classes
        number of classes.
    dropout
        probability of dropping a hidden value in training.

    Raises
    ------
    ValueError
        when a field is out of range, or ``image_size`` is too small to be halved so often.
    """

    in_channels: int = 1
    image_size: int = 28
    channels: tuple[int, ...] = (32, 64)
    hidden: int = 128
    classes: int = 10
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "in_channels", "image_size", "hidden", "classes")
        check_probability(self, "dropout")
        if not self.channels or any(not isinstance(c, int) or c < 1 for c in self.channels):
            raise ValueError(f"channels is {self.channels!r}; allowed is at least one integer of at least 1")
        if self.final_size < 1:
            raise ValueError(
                f"image_size is {self.image_size}, too small to be halved {len(self.channels)} times;"
                f" allowed is at least {2 ** len(self.channels)}"
            )

    @property
    def final_size(self) -> int:
        """Height and width of the last feature maps: each pooling halves and rounds down."""
        return self.image_size >> len(self.channels)


class CNN(nn.Module):
    """Per level a 3 × 3 convolution that keeps the size, ReLU, 2 × 2 max pooling; then two linear layers."""

    def __init__(self, config: CNNConfig):
        super().__init__()
        self.config = config
        levels = []
        for n_in, n_out in zip((config.in_channels, *config.channels), config.channels, strict=False):
            levels.append(nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)))
        self.levels = nn.Sequential(*levels)
        self.classifier = nn.Sequential(
            nn.Linear(config.channels[-1] * config.final_size**2, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map images (batch, in_channels, image_size, image_size) to logits (batch, classes)."""
        check_images(x, self.config.in_channels, self.config.image_size)
        features = self.levels(x)  # (batch, channels[-1], final_size, final_size)
        logits: Tensor = self.classifier(features.flatten(1))
        return logits
