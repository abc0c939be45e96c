"""The Vision Transformer: an image is read as a sequence of patches (Dosovitskiy et al. 2021).

Reads from top to bottom: configuration, pre-norm block, model (equations 1 to 4 of the paper).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadSelfAttention, head_width
from dlcompare.models.checks import check_images, check_positive, check_probability

__all__ = ["VIT_BASE_16", "VIT_DIGITS", "VIT_HUGE_14", "VIT_LARGE_16", "ViT", "ViTBlock", "ViTConfig"]


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a Vision Transformer. The MLP's hidden layer is 4 ``d_model`` wide, as in the paper's table 1.

    Parameters
    ----------
    image_size
        height and width of the image in pixels.
    patch_size
        height and width of a patch in pixels (P in the paper); divides ``image_size``.
    in_channels
        1 for grey images, 3 for colour.
    n_layer, n_head, d_model
        blocks, heads per block, width (D in the paper); ``n_head`` divides ``d_model``.
    classes
        number of classes.
    dropout
        probability of dropping a value in training.

    Raises
    ------
    ValueError
        when a field is out of range, ``patch_size`` does not divide ``image_size``, or ``n_head`` ``d_model``.
    """

    image_size: int
    patch_size: int
    in_channels: int
    n_layer: int
    n_head: int
    d_model: int
    classes: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "image_size", "patch_size", "in_channels", "n_layer", "n_head", "d_model", "classes")
        check_probability(self, "dropout")
        if self.image_size % self.patch_size:
            raise ValueError(f"patch_size is {self.patch_size}, which does not divide image_size = {self.image_size}")
        head_width(self.d_model, self.n_head)

    @property
    def n_patch(self) -> int:
        """Number of patches of an image (N = HW/P² in the paper)."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula.

        C P² d + d for the patch embedding, d for the class token, (N + 1) d for the positions; per block 4 d² + 4 d
        for attention, 8 d² + 5 d for the MLP, 4 d for two norms: 12 d² + 13 d; 2 d for the last norm; (d + 1) c for
        the classifier.
        """
        d = self.d_model
        embeddings = (self.in_channels * self.patch_size**2 + self.n_patch + 3) * d
        return embeddings + self.n_layer * (12 * d * d + 13 * d) + 2 * d + (d + 1) * self.classes


#: ViT-B/16 with the 1,000 classes of ImageNet: 86,567,656 parameters; the paper's table 1 says 86M.
VIT_BASE_16 = ViTConfig(image_size=224, patch_size=16, in_channels=3, n_layer=12, n_head=12, d_model=768, classes=1000)

#: ViT-L/16 with 1,000 classes: 304,326,632 parameters. The paper's table 1 says 307M, without a patch size: patches of
#: 32 pixels would give 306,535,400.
VIT_LARGE_16 = ViTConfig(
    image_size=224, patch_size=16, in_channels=3, n_layer=24, n_head=16, d_model=1024, classes=1000
)

#: ViT-H/14 with 1,000 classes: 632,045,800 parameters; the paper's table 1 says 632M.
VIT_HUGE_14 = ViTConfig(image_size=224, patch_size=14, in_channels=3, n_layer=32, n_head=16, d_model=1280, classes=1000)

#: A small one of our own for handwritten digits: 16 patches of 7 × 7 pixels, 205,066 parameters.
VIT_DIGITS = ViTConfig(image_size=28, patch_size=7, in_channels=1, n_layer=4, n_head=4, d_model=64, classes=10)


class ViTBlock(nn.Module):
    """Attention, then an MLP with GELU, each behind a layer norm and added to its input (equations 2 and 3).

    Every linear layer's result is dropped out in training except queries, keys and values (appendix B.1).
    """

    def __init__(self, d_model: int, n_head: int, dropout: float = 0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model, eps=1e-6)
        self.attention = MultiHeadSelfAttention(d_model, n_head, causal=False)
        self.norm2 = nn.LayerNorm(d_model, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * d_model, d_model)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model)."""
        x = x + self.dropout(self.attention(self.norm1(x)))  # (batch, seq, d_model)
        x = x + self.dropout(self.mlp(self.norm2(x)))  # (batch, seq, d_model)
        return x


class ViT(nn.Module):
    """A Transformer encoder that classifies an image by a class token put before its patches.

    The classifier is one linear layer, as in the paper's fine-tuning; in its pretraining there is a hidden layer. The
    norms add 1e-6 to the variance, as the authors' code does. Initial weights: Glorot's uniform ones, biases and class
    token zero, positions normal with standard deviation 0.02.
    """

    def __init__(self, config: ViTConfig):
        super().__init__()
        self.config = config
        d = config.d_model
        # The same linear map for every patch is a convolution whose stride is its kernel's size.
        self.patch_embedding = nn.Conv2d(config.in_channels, d, config.patch_size, stride=config.patch_size)
        self.class_token = nn.Parameter(torch.zeros(1, 1, d))
        self.positions = nn.Parameter(torch.empty(1, config.n_patch + 1, d))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(ViTBlock(d, config.n_head, config.dropout) for _ in range(config.n_layer))
        self.norm = nn.LayerNorm(d, eps=1e-6)
        self.classifier = nn.Linear(d, config.classes)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.positions, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of each class.

        Parameters
        ----------
        x
            images, (batch, in_channels, image_size, image_size).

        Returns
        -------
        Tensor
            (batch, classes).

        Raises
        ------
        ValueError
            for images of another shape.
        """
        c = self.config
        check_images(x, c.in_channels, c.image_size)
        patches = self.patch_embedding(x).flatten(2).transpose(1, 2)  # (batch, n_patch, d_model)
        class_token = self.class_token.expand(len(x), -1, -1)  # (batch, 1, d_model)
        z = torch.cat([class_token, patches], dim=1)  # (batch, n_patch + 1, d_model)
        z = self.dropout(z + self.positions)  # equation 1
        for block in self.blocks:
            z = block(z)  # equations 2 and 3
        y = self.norm(z[:, 0])  # (batch, d_model): the class token, equation 4
        logits: Tensor = self.classifier(y)
        return logits
