"""Training: one loop for every model, the losses, the batches, and the measures of quality."""

from dlcompare.training.batches import mixed_batches, set_seed, shuffled_batches, window_batches
from dlcompare.training.loop import History, fit, learning_rate_at
from dlcompare.training.losses import (
    IGNORED,
    Batch,
    LossFunction,
    causal_lm_loss,
    classification_loss,
    regression_loss,
    reply_loss,
)
from dlcompare.training.measures import accuracy, bits_per_character, n_parameters

__all__ = [
    "IGNORED",
    "Batch",
    "History",
    "LossFunction",
    "accuracy",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "fit",
    "learning_rate_at",
    "mixed_batches",
    "n_parameters",
    "regression_loss",
    "reply_loss",
    "set_seed",
    "shuffled_batches",
    "window_batches",
]
