"""An MLP, a CNN, an LSTM and a Vision Transformer on handwritten digits."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import checkpoints, data
from dlcompare.models import CNN, MLP, VIT_DIGITS, CNNConfig, MLPConfig, RecurrentConfig, RowReader, ViT, ViTConfig
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.training import Run, accuracy, classification_loss, fit, set_seed, shuffled_batches

__all__ = ["RECIPES", "shift"]


def shift(images: Tensor, generator: torch.Generator, by: int = 2) -> Tensor:
    """Move each image (batch, channels, height, width) by up to ``by`` pixels each way; zeros come in."""
    padded = F.pad(images, (by, by, by, by))
    height, width = images.shape[-2:]
    dy, dx = torch.randint(2 * by + 1, (2, len(images)), generator=generator).tolist()
    return torch.stack([p[:, y : y + height, x : x + width] for p, y, x in zip(padded, dy, dx, strict=True)])


def _model(sizes: dict[str, Any]) -> nn.Module:
    """Return a new network of the kind that has these sizes."""
    if "channels" in sizes:
        return CNN(CNNConfig(**sizes))
    if "hidden_size" in sizes:
        return RowReader(RecurrentConfig(**sizes))
    return ViT(ViTConfig(**sizes)) if "patch_size" in sizes else MLP(MLPConfig(**sizes))


def _digits(recipe: Recipe, run: Run) -> Trained:
    digits = data.load_digits()
    s = recipe.settings
    generator = set_seed(recipe.seed)
    model = _model(s["model"])
    train, validation, test = digits
    history = fit(
        model,
        classification_loss,
        shuffled_batches(train.images, train.labels, s["batch_size"], generator, shift if s["shift"] else None),
        **recipe.course,
        # The loss, not the accuracy: in 400 images, one image more or less decides about the accuracy.
        evaluate=lambda m: classification_loss(m, (validation.images, validation.labels)).item(),
        run=run,
        description=recipe.name,
    )
    checkpoints.rounded(model)
    metrics: dict[str, float | int] = {
        "validation_accuracy": accuracy(model, validation.images, validation.labels),
        "test_accuracy": accuracy(model, test.images, test.labels),
        "train_examples": len(train.labels),
        "test_examples": len(test.labels),
    }
    return Trained(model, history, metrics)


_DIGITS = {"batch_size": 64, "weight_decay": 0.05, "warmup": 20, "evaluate_every": 50}


#: The recipes of this module.
RECIPES = (
    Recipe(
        "digits-mlp",
        "an MLP that reads handwritten digits",
        "digits",
        1,
        {
            **_DIGITS,
            "model": {"sizes": (784, 128, 10)},
            "steps": 600,
            "learning_rate": 2e-3,
            "shift": False,
        },
        _digits,
    ),
    Recipe(
        "digits-cnn",
        "the article's CNN, its flattened size mended, on handwritten digits",
        "digits",
        1,
        {
            **_DIGITS,
            "model": {"channels": (32, 64), "hidden": 128, "dropout": 0.3},
            "steps": 900,
            "learning_rate": 2e-3,
            "shift": True,
        },
        _digits,
    ),
    Recipe(
        "digits-lstm",
        "an LSTM that reads handwritten digits row by row",
        "digits",
        1,
        {
            **_DIGITS,
            "model": {"kind": "lstm", "input_size": 28, "hidden_size": 128, "output_size": 10},
            "steps": 1500,
            "learning_rate": 4e-3,
            "shift": True,
        },
        _digits,
    ),
    Recipe(
        "digits-vit",
        "a small Vision Transformer that reads handwritten digits as 16 patches",
        "digits",
        1,
        {
            **_DIGITS,
            "model": {**dataclasses.asdict(VIT_DIGITS), "dropout": 0.1},
            "steps": 2000,
            "learning_rate": 1.5e-3,
            "shift": True,
        },
        _digits,
    ),
)
