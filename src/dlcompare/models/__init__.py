"""The models, one file per idea, each readable from top to bottom."""

from dlcompare.models.attention import MultiHeadCrossAttention, MultiHeadSelfAttention
from dlcompare.models.cnn import CNN, CNNConfig
from dlcompare.models.gpt import GPT, GPT1, GPT2, GPT2_SMALL, GPT3, GPTConfig
from dlcompare.models.mlp import MLP, MLPConfig
from dlcompare.models.ngram import NGram
from dlcompare.models.pretrained import PretrainedError
from dlcompare.models.recurrent import Recurrent, RecurrentConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.models.transformer import EncoderConfig, TransformerEncoder

__all__ = [
    "CNN",
    "GPT",
    "GPT1",
    "GPT2",
    "GPT2_SMALL",
    "GPT3",
    "MLP",
    "CNNConfig",
    "EncoderConfig",
    "GPTConfig",
    "MLPConfig",
    "MultiHeadCrossAttention",
    "MultiHeadSelfAttention",
    "NGram",
    "PretrainedError",
    "Recurrent",
    "RecurrentConfig",
    "RecurrentLM",
    "RecurrentLMConfig",
    "TransformerEncoder",
]
