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
from dlcompare.training.changes import WeightChange, weight_changes
from dlcompare.training.collate import Collate, Marks, Texts, ended, mask_tokens, packed
from dlcompare.training.history import History
from dlcompare.training.loop import bfloat16_is_fast, fit, learning_rate_at
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
from dlcompare.training.measures import (
    accuracy,
    bits_per_character,
    classify,
    device_of,
    n_parameters,
    pretraining_measures,
)
from dlcompare.training.planning import DryRun, Plan, plan
from dlcompare.training.run import Run
from dlcompare.training.state import ResumeError

__all__ = [
    "IGNORED",
    "Batch",
    "Collate",
    "DryRun",
    "History",
    "LoRALinear",
    "LossFunction",
    "Marks",
    "Plan",
    "ResumeError",
    "Run",
    "Texts",
    "WeightChange",
    "accuracy",
    "add_lora",
    "bfloat16_is_fast",
    "bits_per_character",
    "causal_lm_loss",
    "classification_loss",
    "classify",
    "device_of",
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
    "plan",
    "pretraining_batches",
    "pretraining_examples",
    "pretraining_loss",
    "pretraining_measures",
    "regression_loss",
    "reply_loss",
    "set_seed",
    "shuffled_batches",
    "weight_changes",
    "window_batches",
]
