"""Explorables: figures that answer, in a notebook with a kernel and in a published page without one."""

from dlcompare.widgets.attention import AttentionExplorer
from dlcompare.widgets.attention_backprop import AttentionBackprop
from dlcompare.widgets.backprop import BackpropStepper
from dlcompare.widgets.chat import ChatStepper
from dlcompare.widgets.comparison import ComparisonLab
from dlcompare.widgets.convolution import ConvolutionStepper
from dlcompare.widgets.digits import DigitPad
from dlcompare.widgets.features import FeatureMaps
from dlcompare.widgets.finetuning import FineTuning
from dlcompare.widgets.forward import ForwardPass
from dlcompare.widgets.generation import GenerationDebugger
from dlcompare.widgets.gradient_flow import GradientFlow
from dlcompare.widgets.objectives import ObjectiveViewer
from dlcompare.widgets.positions import PositionExplorer
from dlcompare.widgets.recurrent import RecurrentStepper
from dlcompare.widgets.scaling import ScalingCurve
from dlcompare.widgets.timeline import ModelTimeline
from dlcompare.widgets.tokenizer import TokenizerExplorer
from dlcompare.widgets.training import TrainingScrubber

__all__ = [
    "AttentionBackprop",
    "AttentionExplorer",
    "BackpropStepper",
    "ChatStepper",
    "ComparisonLab",
    "ConvolutionStepper",
    "DigitPad",
    "FeatureMaps",
    "FineTuning",
    "ForwardPass",
    "GenerationDebugger",
    "GradientFlow",
    "ModelTimeline",
    "ObjectiveViewer",
    "PositionExplorer",
    "RecurrentStepper",
    "ScalingCurve",
    "TokenizerExplorer",
    "TrainingScrubber",
]
