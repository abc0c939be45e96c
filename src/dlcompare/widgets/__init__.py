"""Explorables: figures that answer, in a notebook with a kernel and in a published page without one."""

from dlcompare.widgets.attention import AttentionExplorer
from dlcompare.widgets.attention_backprop import AttentionBackprop
from dlcompare.widgets.backprop import BackpropStepper
from dlcompare.widgets.convolution import ConvolutionStepper
from dlcompare.widgets.forward import ForwardPass
from dlcompare.widgets.generation import GenerationDebugger
from dlcompare.widgets.positions import PositionExplorer
from dlcompare.widgets.training import TrainingScrubber

__all__ = [
    "AttentionBackprop",
    "AttentionExplorer",
    "BackpropStepper",
    "ConvolutionStepper",
    "ForwardPass",
    "GenerationDebugger",
    "PositionExplorer",
    "TrainingScrubber",
]
