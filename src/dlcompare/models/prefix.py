"""A GPT that sees: patches of an image stand as a prefix before the text (Tsimpoukelli et al. 2021).

Reads from top to bottom: configuration, model. As in a Vision Transformer (Dosovitskiy et al. 2021, equation 1) each
patch goes through one linear map to the width of the stream; from there on it is treated as a token is.

Deviations from Tsimpoukelli et al.: they keep a large language model as it is and train a deep network that makes two
prefix vectors of an image; here everything is trained, and the eye is one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.checks import check_ids, check_images, check_positive
from dlcompare.models.gpt import GPT, GPTConfig

__all__ = ["ImagePrefixConfig", "ImagePrefixGPT"]


@dataclass(frozen=True)
class ImagePrefixConfig:
    """Sizes of a GPT that reads an image, then a text.

    Parameters
    ----------
    text
        sizes of the GPT; its ``block_size`` holds the patches too.
    image_size
        height and width of the image in pixels.
    patch_size
        height and width of a patch in pixels; divides ``image_size``.
    in_channels
        1 for grey images, 3 for colour.

    Raises
    ------
    ValueError
        when a field is out of range, ``patch_size`` does not divide ``image_size``, the patches leave no room for a
        text, or the GPT normalises after each sum.
    """

    text: GPTConfig
    image_size: int
    patch_size: int
    in_channels: int = 1

    def __post_init__(self) -> None:
        check_positive(self, "image_size", "patch_size", "in_channels")
        if self.image_size % self.patch_size:
            raise ValueError(f"patch_size is {self.patch_size}, which does not divide image_size = {self.image_size}")
        if self.n_patch >= self.text.block_size:
            raise ValueError(
                f"text.block_size is {self.text.block_size}; allowed is more than the {self.n_patch} patches"
            )
        if self.text.post_norm:
            raise ValueError("text.post_norm is True; allowed is False")

    @property
    def n_patch(self) -> int:
        """Number of patches of an image."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula: the GPT's, and C P² d + d for the patches."""
        return self.text.n_parameters + (self.in_channels * self.patch_size**2 + 1) * self.text.d_model


class ImagePrefixGPT(nn.Module):
    """A language model whose first tokens are pieces of an image.

    The patches take the first positions. Attention is causal there as well, so the last patch has seen the whole
    image, and from it on each place predicts a token of the text.
    """

    def __init__(self, config: ImagePrefixConfig):
        super().__init__()
        self.config = config
        self.gpt = GPT(config.text)
        # The same linear map for every patch is a convolution whose stride is its kernel's size.
        self.patch_embedding = nn.Conv2d(
            config.in_channels, config.text.d_model, config.patch_size, stride=config.patch_size
        )

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """Return the logits of each token of a text that stands after an image.

        Parameters
        ----------
        images
            (batch, in_channels, image_size, image_size).
        ids
            the text so far, (batch, seq) with seq ≥ 0 and n_patch + seq ≤ ``block_size``.

        Returns
        -------
        Tensor
            (batch, seq + 1, vocab_size); the first are those of the text's first token.

        Raises
        ------
        ValueError
            for images of another shape, ids out of range, or a text that is too long.
        """
        c, gpt = self.config, self.gpt
        check_images(images, c.in_channels, c.image_size)
        check_ids(ids, c.text.vocab_size, longest=c.text.block_size - c.n_patch)
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)  # (batch, n_patch, d_model)
        x = torch.cat([patches, gpt.token_embedding(ids)], dim=1)  # (batch, n_patch + seq, d_model)
        x = gpt.dropout(x + gpt.position_embedding(torch.arange(x.shape[1], device=x.device)))
        for block in gpt.blocks:
            x = block(x)
        logits: Tensor = gpt.head(gpt.norm(x[:, c.n_patch - 1 :]))
        return logits

    @torch.no_grad()  # not inference mode: the text that is found may be trained on
    def write(self, images: Tensor, max_new_tokens: int, ids: Tensor | None = None) -> Tensor:
        """Return the text that the model writes after each image, the most probable token at a time.

        Parameters
        ----------
        images
            (batch, in_channels, image_size, image_size).
        max_new_tokens
            how many tokens it writes.
        ids
            what the text begins with, (batch, seq); nothing by default.

        Returns
        -------
        Tensor
            (batch, seq + max_new_tokens).

        Raises
        ------
        ValueError
            as in :meth:`forward`.
        """
        self.eval()
        text = torch.zeros(len(images), 0, dtype=torch.int64, device=images.device) if ids is None else ids
        for _ in range(max_new_tokens):
            text = torch.cat([text, self(images, text)[:, -1:].argmax(-1)], dim=1)
        return text
