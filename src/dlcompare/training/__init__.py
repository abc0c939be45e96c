"""Training: one loop for every model, the losses, the batches, and the measures of quality."""

from dlcompare.training.batches import (
    Marks,
    mask_tokens,
    mixed_batches,
    packed,
    pretraining_batches,
    pretraining_examples,
    set_seed,
    shuffled_batches,
    window_batches,
)
from dlcompare.training.loop import History, fit, learning_rate_at
from dlcompare.training.losses import (
    IGNORED,
    Batch,
    LossFunction,
    causal_lm_loss,
    classification_loss,
    masked_lm_loss,
    next_sentence_loss,
    pretraining_loss,
    regression_loss,
    reply_loss,
)
from dlcompare.training.measures import accuracy, bits_per_character, n_parameters, pretraining_measures

__all__ = [
    "IGNORED",
    "Batch",
    "History",
    "LossFunction",
    "Marks",
    "accuracy",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "fit",
    "learning_rate_at",
    "mask_tokens",
    "masked_lm_loss",
    "mixed_batches",
    "n_parameters",
    "next_sentence_loss",
    "packed",
    "pretraining_batches",
    "pretraining_examples",
    "pretraining_loss",
    "pretraining_measures",
    "regression_loss",
    "reply_loss",
    "set_seed",
    "shuffled_batches",
    "window_batches",
]
