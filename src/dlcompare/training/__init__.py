"""Training: one loop for every model, the losses, the batches, and the measures of quality."""

from dlcompare.training.batches import (
    example_batches,
    forecast_batches,
    mixed_batches,
    pretraining_batches,
    pretraining_examples,
    set_seed,
    shuffled_batches,
    window_batches,
)
from dlcompare.training.collate import Collate, Marks, Texts, ended, mask_tokens, packed
from dlcompare.training.loop import History, fit, learning_rate_at
from dlcompare.training.lora import LoRALinear, add_lora, merge_lora
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
from dlcompare.training.measures import accuracy, bits_per_character, classify, n_parameters, pretraining_measures

__all__ = [
    "IGNORED",
    "Batch",
    "Collate",
    "History",
    "LoRALinear",
    "LossFunction",
    "Marks",
    "Texts",
    "accuracy",
    "add_lora",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "classify",
    "ended",
    "example_batches",
    "fit",
    "forecast_batches",
    "learning_rate_at",
    "mask_tokens",
    "masked_lm_loss",
    "merge_lora",
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
