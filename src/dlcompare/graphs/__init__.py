"""The torch functions that explorables ask, as graphs with named inputs and outputs.

An explorable holds no arithmetic of its own: it asks a :class:`~dlcompare.export.Graph`, which runs in torch where
there is a kernel, and exported in the reader's browser where there is none.
"""

from dlcompare.graphs.attention import attention_pass, attention_terms
from dlcompare.graphs.attention_backprop import attention_backward
from dlcompare.graphs.backprop import backprop_step
from dlcompare.graphs.convolution import convolution_pass
from dlcompare.graphs.digits import digit_reader
from dlcompare.graphs.features import feature_maps, saliency, stages
from dlcompare.graphs.finetuning import finetuning_step
from dlcompare.graphs.forward import forward_pass
from dlcompare.graphs.generation import generation_step, reply_step, sampling
from dlcompare.graphs.gradient_flow import gradient_norms
from dlcompare.graphs.objectives import causal_objective, encoder_objective
from dlcompare.graphs.positions import position_pass
from dlcompare.graphs.recurrent import recurrent_pass
from dlcompare.graphs.scaling import power_law
from dlcompare.graphs.training import first_weights, training_step

__all__ = [
    "attention_backward",
    "attention_pass",
    "attention_terms",
    "backprop_step",
    "causal_objective",
    "convolution_pass",
    "digit_reader",
    "encoder_objective",
    "feature_maps",
    "finetuning_step",
    "first_weights",
    "forward_pass",
    "generation_step",
    "gradient_norms",
    "position_pass",
    "power_law",
    "recurrent_pass",
    "reply_step",
    "saliency",
    "sampling",
    "stages",
    "training_step",
]
