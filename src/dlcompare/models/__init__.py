"""The models, one file per idea, each readable from top to bottom."""

from dlcompare.models.alexnet import ALEXNET, AlexNet, AlexNetConfig
from dlcompare.models.attention import MultiHeadCrossAttention, MultiHeadSelfAttention
from dlcompare.models.bert import BERT, BERT_BASE, BERT_LARGE, BERTConfig
from dlcompare.models.cells import GRUCell, LSTMCell, RNNCell, unrolled
from dlcompare.models.cnn import CNN, CNNConfig
from dlcompare.models.encoder import EncoderConfig, TransformerEncoder
from dlcompare.models.googlenet import GOOGLENET, GoogLeNet, GoogLeNetConfig
from dlcompare.models.gpt import GPT, GPT1, GPT2, GPT2_SMALL, GPT3, GPTConfig
from dlcompare.models.lenet import LENET_5, LeNet, LeNetConfig
from dlcompare.models.llama import LLAMA_7B, SMOLLM2_135M, Llama, LlamaConfig
from dlcompare.models.mlp import MLP, MLPConfig
from dlcompare.models.ngram import NGram
from dlcompare.models.pretrained import PretrainedError
from dlcompare.models.recurrent import Recurrent, RecurrentConfig, RecurrentLM, RecurrentLMConfig, RowReader
from dlcompare.models.resnet import RESNET_18, RESNET_34, RESNET_50, RESNET_101, RESNET_152, ResNet, ResNetConfig
from dlcompare.models.sequence import RowSequence, SequenceConfig, SequenceModel
from dlcompare.models.temporal import SequenceConvolution, TemporalBlock, receptive_field
from dlcompare.models.transformer import TRANSFORMER_BASE, TRANSFORMER_BIG, Transformer, TransformerConfig
from dlcompare.models.vit import VIT_BASE_16, VIT_DIGITS, VIT_HUGE_14, VIT_LARGE_16, ViT, ViTConfig

__all__ = [
    "ALEXNET",
    "BERT",
    "BERT_BASE",
    "BERT_LARGE",
    "CNN",
    "GOOGLENET",
    "GPT",
    "GPT1",
    "GPT2",
    "GPT2_SMALL",
    "GPT3",
    "LENET_5",
    "LLAMA_7B",
    "MLP",
    "RESNET_18",
    "RESNET_34",
    "RESNET_50",
    "RESNET_101",
    "RESNET_152",
    "SMOLLM2_135M",
    "TRANSFORMER_BASE",
    "TRANSFORMER_BIG",
    "VIT_BASE_16",
    "VIT_DIGITS",
    "VIT_HUGE_14",
    "VIT_LARGE_16",
    "AlexNet",
    "AlexNetConfig",
    "BERTConfig",
    "CNNConfig",
    "EncoderConfig",
    "GPTConfig",
    "GRUCell",
    "GoogLeNet",
    "GoogLeNetConfig",
    "LSTMCell",
    "LeNet",
    "LeNetConfig",
    "Llama",
    "LlamaConfig",
    "MLPConfig",
    "MultiHeadCrossAttention",
    "MultiHeadSelfAttention",
    "NGram",
    "PretrainedError",
    "RNNCell",
    "Recurrent",
    "RecurrentConfig",
    "RecurrentLM",
    "RecurrentLMConfig",
    "ResNet",
    "ResNetConfig",
    "RowReader",
    "RowSequence",
    "SequenceConfig",
    "SequenceConvolution",
    "SequenceModel",
    "TemporalBlock",
    "Transformer",
    "TransformerConfig",
    "TransformerEncoder",
    "ViT",
    "ViTConfig",
    "receptive_field",
    "unrolled",
]
