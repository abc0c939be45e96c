"""Costs by formula are those that torch counts: flop_counter's, and what autograd saves."""

import contextlib
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcompare.models import CNN, GPT, GPT1, MLP, CNNConfig, EncoderConfig, GPTConfig, MLPConfig, TransformerEncoder
from dlcompare.models.alexnet import AlexNet, AlexNetConfig
from dlcompare.models.attention import Attention
from dlcompare.models.bert import BERT, BERTConfig
from dlcompare.models.costs import Cost, costs, measured
from dlcompare.models.googlenet import GoogLeNet, GoogLeNetConfig
from dlcompare.models.lenet import LeNet
from dlcompare.models.llama import Llama, LlamaConfig
from dlcompare.models.recurrent import Recurrent, RecurrentConfig
from dlcompare.models.resnet import ResNet, ResNetConfig
from dlcompare.models.transformer import Transformer, TransformerConfig
from dlcompare.models.vit import ViT, ViTConfig
from dlcompare.recording import record


def ids(batch: int, seq: int) -> torch.Tensor:
    return torch.zeros(batch, seq, dtype=torch.long)


def images(batch: int, channels: int, size: int) -> torch.Tensor:
    return torch.zeros(batch, channels, size, size)


SMALL = TransformerConfig(vocab_size=11, block_size=7, n_layer=2, n_head=2, d_model=8, d_ff=12)
FAMILIES = {
    "MLP": (lambda: MLP(MLPConfig((9, 5, 3), activation="sigmoid")), images(2, 1, 3)),
    "CNN": (lambda: CNN(CNNConfig(image_size=9, channels=(2, 3), hidden=4)), images(2, 1, 9)),
    "LeNet": (LeNet, images(2, 1, 32)),
    "AlexNet": (lambda: AlexNet(AlexNetConfig((4, 6, 4, 4, 6), hidden=5, classes=3, image_size=67)), images(2, 3, 67)),
    "ResNet, basic": (lambda: ResNet(ResNetConfig("basic", (1, 2), (4, 6), 4, 3)), images(2, 3, 33)),
    "ResNet, bottleneck": (lambda: ResNet(ResNetConfig("bottleneck", (1, 2), (4, 6), 4, 3)), images(2, 3, 33)),
    "GoogLeNet": (lambda: GoogLeNet(GoogLeNetConfig(classes=3, image_size=80)), images(1, 3, 80)),
    "encoder": (lambda: TransformerEncoder(EncoderConfig(11, 7, 2, 2, 8, 3)), ids(2, 5)),
    "Transformer": (lambda: Transformer(SMALL), ids(2, 5), ids(2, 3)),
    "Transformer, learned positions": (
        lambda: Transformer(dataclasses.replace(SMALL, learned_positions=True)),
        ids(2, 5),
        ids(2, 3),
    ),
    "BERT": (lambda: BERT(BERTConfig(11, 7, 2, 2, 8, dropout=0.1)), ids(2, 5)),
    "ViT": (lambda: ViT(ViTConfig(8, 4, 3, 2, 2, 8, 5)), images(2, 3, 8)),
    "GPT, post-norm": (lambda: GPT(GPTConfig(11, 7, 2, 2, 8, dropout=0.1, post_norm=True)), ids(3, 5)),
    "GPT, wide heads": (lambda: GPT(GPTConfig(11, 7, 2, 3, 8, d_head=5)), ids(3, 5)),
    "Llama": (lambda: Llama(LlamaConfig(11, 7, 2, 4, 4, 16, 10)), ids(3, 5)),
    "Llama, grouped queries": (lambda: Llama(LlamaConfig(11, 7, 2, 4, 2, 16, 10, tied=True)), ids(3, 5)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_formulas_are_what_torch_counts(name):
    build, *inputs = FAMILIES[name]
    model = build()
    cost, truth = costs(model, *inputs)[""], measured(model, *inputs)
    assert cost.multiply_adds == truth.multiply_adds
    assert cost.activations == truth.activations
    if name != "GoogLeNet":  # its auxiliary classifiers don't run
        assert cost.parameters == truth.parameters


@pytest.mark.parametrize("watched", [True, False])
def test_what_autograd_saves_is_the_same_on_the_processor(watched):
    """The meta device stands for the CPU: the same hooks around a real forward pass of a GPT.

    Where nobody watches, the fused kernel keeps one number per token and head in place of T weights.
    """
    model = GPT(GPTConfig(11, 7, 2, 3, 8, d_head=5))
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    saved = {}

    def pack(tensor):
        memory = tensor.untyped_storage()
        if tensor.is_floating_point() and memory.data_ptr() not in own:
            saved[memory.data_ptr()] = memory.nbytes() // 4
        return tensor

    looking = record(model, "blocks.*.attention.softmax") if watched else contextlib.nullcontext()
    with looking, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = model(ids(3, 5))
    assert logits.requires_grad
    weights = 0 if watched else 2 * 3 * 15 * (5 - 1)  # layers, heads, tokens
    assert sum(saved.values()) == costs(model, ids(3, 5))[""].activations - weights


@given(
    n_layer=st.integers(1, 3), n_head=st.integers(1, 3), d_head=st.integers(1, 4), d=st.integers(2, 9),
    batch=st.integers(1, 3), seq=st.integers(1, 6), post_norm=st.booleans(),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_closed_formulas_of_gpt(n_layer, n_head, d_head, d, batch, seq, post_norm):
    """L (12 d + 4 a + h T + 4) + 2 d + 2 activations per token, and L (4 a d + 8 d² + 2 T a) + V d multiply-adds."""
    vocab_size, a = 11, n_head * d_head
    config = GPTConfig(vocab_size, 6, n_layer, n_head, d, d_head=d_head, post_norm=post_norm)
    with torch.device("meta"):
        model = GPT(config)
    cost = costs(model, ids(batch, seq))[""]
    last = d if post_norm else 2 * d + 2  # what the output layer reads, and before it the last norm
    assert cost.activations == batch * seq * (n_layer * (12 * d + 4 * a + n_head * seq + 4) + last)
    assert cost.multiply_adds == batch * seq * (n_layer * (4 * a * d + 8 * d * d + 2 * seq * a) + vocab_size * d)
    assert cost.parameters == config.n_parameters


def test_a_block_keeps_what_korthikanti_et_al_count_without_dropout():
    """s b h (34 + 5 a s / h) bytes in 16 bits: less two masks of h, and per weight a mask and the dropped weight."""
    with torch.device("meta"):
        model = GPT(dataclasses.replace(GPT1, n_layer=1))
    seq, d, n_head = 512, 768, 12
    block = costs(model, ids(1, seq))["blocks.0"]
    their_bytes = seq * d * 34 + 5 * n_head * seq * seq
    dropout = seq * d * 2 + (1 + 2) * n_head * seq * seq
    assert block.activations == (their_bytes - dropout) // 2 + 4 * seq  # they neglect the norms' statistics


def test_costs_of_parts_add_up_and_flops_are_twice_the_multiply_adds():
    model = CNN(CNNConfig(image_size=9, channels=(2, 3), hidden=4))
    cost = costs(model, images(1, 1, 9))
    parts = [name for name in cost if name and not any(other.startswith(f"{name}.") for other in cost)]
    assert cost[""].multiply_adds == sum(cost[name].multiply_adds for name in parts)
    assert cost[""].parameters == sum(cost[name].parameters for name in parts)
    assert cost["levels.0.0"] == Cost(2 * 9 + 2, 9 * 9 * 2 * 9, 81)
    assert cost["levels.0.0"].flops == 2 * 9 * 9 * 2 * 9
    assert cost["levels.0"].activations == 81 + 2 * 81  # the image, and the ReLU's output, which pooling shares


@pytest.mark.parametrize(("kind", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_layers_have_products_but_no_formula_for_what_they_keep(kind, gates):
    cost = costs(Recurrent(RecurrentConfig(kind, input_size=3, hidden_size=4, output_size=2)), torch.zeros(2, 5, 3))
    assert cost[""].multiply_adds == 2 * 5 * (gates * (4 * 3 + 4 * 4) + 4 * 2)
    assert cost[""].activations is None
    assert cost["output"].activations == 2 * 5 * 4


class Bilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 3))
        self.dropout = nn.Dropout()

    def forward(self, x):
        return x @ self.weight


@pytest.mark.parametrize(
    ("model", "named"),
    [(nn.Sequential(nn.ELU()), "0 is a ELU"), (nn.Sequential(Bilinear()), "0 is a Bilinear")],
)
def test_a_layer_without_a_formula_is_named(model, named):
    with pytest.raises(ValueError, match=f"{named}, which has no formula; allowed are Conv1d, Conv2d, Linear"):
        costs(model, torch.zeros(2, 3))


def test_a_new_kind_of_attention_needs_its_formula():
    class Mean(Attention):
        def forward(self, x):
            return self.attend(x, x, x)

    with pytest.raises(ValueError, match="is a Mean, which has no formula"):
        costs(Mean(), torch.zeros(1, 1, 2, 3))
