"""Training: one loop for every model, the losses, the batches, and the measures of quality."""

from dlcompare.training.batches import mixed_batches, set_seed, shuffled_batches, window_batches
from dlcompare.training.history import History
from dlcompare.training.loop import bfloat16_is_fast, fit, learning_rate_at
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
from dlcompare.training.plan import DryRun, Plan, plan
from dlcompare.training.run import Run
from dlcompare.training.state import StateError

__all__ = [
    "IGNORED",
    "Batch",
    "DryRun",
    "History",
    "LossFunction",
    "Plan",
    "Run",
    "StateError",
    "accuracy",
    "bfloat16_is_fast",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "fit",
    "learning_rate_at",
    "mixed_batches",
    "n_parameters",
    "plan",
    "regression_loss",
    "reply_loss",
    "set_seed",
    "shuffled_batches",
    "window_batches",
]
