"""The models, one file per idea, each readable from top to bottom."""

from dlcompare.models.attention import MultiHeadSelfAttention
from dlcompare.models.cnn import CNN, CNNConfig
from dlcompare.models.gpt import GPT, GPT2_SMALL, GPTConfig
from dlcompare.models.mlp import MLP, MLPConfig
from dlcompare.models.ngram import NGram
from dlcompare.models.recurrent import Recurrent, RecurrentConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.models.transformer import EncoderConfig, TransformerEncoder

__all__ = [
    "CNN",
    "GPT",
    "GPT2_SMALL",
    "MLP",
    "CNNConfig",
    "EncoderConfig",
    "GPTConfig",
    "MLPConfig",
    "MultiHeadSelfAttention",
    "NGram",
    "Recurrent",
    "RecurrentConfig",
    "RecurrentLM",
    "RecurrentLMConfig",
    "TransformerEncoder",
]
