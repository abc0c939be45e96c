"""MLP, CNN, Transformer encoder and n-gram model."""

import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import CNN, MLP, CNNConfig, EncoderConfig, MLPConfig, NGram, TransformerEncoder
from dlcompare.models.transformer import sinusoidal_positions
from dlcompare.training import n_parameters


def test_mlp_is_the_articles_equation():
    torch.manual_seed(0)
    model = MLP(MLPConfig((4, 3, 2), activation="tanh")).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    first, second = model.layers[0], model.layers[2]
    y = torch.empty(5, 3, dtype=torch.float64)
    for example in range(5):
        for i in range(3):  # y_i = f(sum_j w_ij x_j + b_i), neuron by neuron
            total = first.bias[i]
            for j in range(4):
                total = total + first.weight[i, j] * x[example, j]
            y[example, i] = torch.tanh(total)
    assert torch.allclose(model(x), y @ second.weight.T + second.bias, atol=1e-12)
    assert n_parameters(model) == model.config.n_parameters == 4 * 3 + 3 + 3 * 2 + 2


def test_mlp_names_bad_arguments():
    with pytest.raises(ValueError, match=r"sizes is \(4,\)"):
        MLPConfig((4,))
    with pytest.raises(ValueError, match="activation is 'step'; allowed are 'relu', 'tanh', 'sigmoid'"):
        MLPConfig((4, 2), activation="step")
    with pytest.raises(ValueError, match=r"x has 6 numbers per example; allowed is sizes\[0\] = 4"):
        MLP(MLPConfig((4, 2)))(torch.zeros(1, 2, 3))


def test_cnn_equals_the_functions_of_its_layers():
    torch.manual_seed(0)
    model = CNN(CNNConfig(image_size=9, channels=(2, 3), hidden=4, classes=5)).double().eval()
    x = torch.randn(2, 1, 9, 9, dtype=torch.float64)
    y = x
    for level in model.levels:
        y = F.max_pool2d(F.relu(F.conv2d(y, level[0].weight, level[0].bias, padding=1)), 2)
    assert y.shape == (2, 3, 2, 2)  # 9 -> 4 -> 2: pooling rounds down
    first, last = model.classifier[0], model.classifier[3]
    y = F.linear(F.relu(F.linear(y.flatten(1), first.weight, first.bias)), last.weight, last.bias)
    assert torch.allclose(model(x), y, atol=1e-12)


def test_the_articles_cnn_has_seven_by_seven_features():
    assert CNNConfig().final_size == 7


def test_cnn_names_bad_arguments():
    with pytest.raises(ValueError, match="image_size is 3, too small to be halved 2 times"):
        CNNConfig(image_size=3)
    with pytest.raises(ValueError, match=r"channels is \(\)"):
        CNNConfig(channels=())
    with pytest.raises(ValueError, match=r"x has shape \(1, 3, 28, 28\); allowed is \(batch, 1, 28, 28\)"):
        CNN(CNNConfig())(torch.zeros(1, 3, 28, 28))


ENCODER = EncoderConfig(vocab_size=9, block_size=6, n_layer=2, n_head=2, d_model=8, classes=3)


def test_encoder_block_equals_torchs_own():
    torch.manual_seed(0)
    block = TransformerEncoder(ENCODER).double().eval().blocks[0]
    reference = torch.nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, batch_first=True).double().eval()
    reference.load_state_dict(
        {
            "self_attn.in_proj_weight": block.attention.query_key_value.weight,
            "self_attn.in_proj_bias": block.attention.query_key_value.bias,
            "self_attn.out_proj.weight": block.attention.project.weight,
            "self_attn.out_proj.bias": block.attention.project.bias,
            "linear1.weight": block.mlp[0].weight,
            "linear1.bias": block.mlp[0].bias,
            "linear2.weight": block.mlp[2].weight,
            "linear2.bias": block.mlp[2].bias,
            "norm1.weight": block.norm1.weight,
            "norm1.bias": block.norm1.bias,
            "norm2.weight": block.norm2.weight,
            "norm2.bias": block.norm2.bias,
        }
    )
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    assert torch.allclose(block(x), reference(x), atol=1e-12)


def test_encoder_ignores_padding():
    torch.manual_seed(0)
    model = TransformerEncoder(ENCODER).double().eval()
    ids = torch.tensor([[1, 2, 3, 0, 0]])
    visible = torch.tensor([[True, True, True, False, False]])
    assert torch.allclose(model(ids, visible), model(ids[:, :3]), atol=1e-12)


def test_encoder_sees_both_ways():
    torch.manual_seed(0)
    model = TransformerEncoder(ENCODER).double().eval()
    first, second = model.encode(torch.tensor([[1, 2, 3]])), model.encode(torch.tensor([[1, 2, 4]]))
    assert not torch.allclose(first[:, 0], second[:, 0], atol=1e-6)


def test_positions_are_the_papers_sines_and_cosines():
    positions = sinusoidal_positions(50, 16)
    for t in (0, 1, 49):
        for i in (0, 3, 7):
            angle = t / 10000 ** (2 * i / 16)
            assert positions[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert positions[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_encoder_names_bad_arguments():
    with pytest.raises(ValueError, match="d_model is 7; allowed are even multiples of n_head = 1"):
        EncoderConfig(vocab_size=9, block_size=6, n_layer=2, n_head=1, d_model=7, classes=3)
    with pytest.raises(ValueError, match="at most block_size = 6"):
        TransformerEncoder(ENCODER)(torch.zeros(1, 7, dtype=torch.long))


TEXTS = st.text(alphabet="abc ", min_size=1, max_size=60)


@given(TEXTS, TEXTS, st.integers(1, 5))
@settings(deadline=None)
def test_ngram_probabilities_sum_to_one_and_are_never_zero(text, context, order):
    model = NGram(order).fit(text)
    known = sorted(set(text))
    p = [model.probability(c, context) for c in known]
    assert min(p) > 0
    # what the training text never contained shares the probability of one more character
    assert sum(p) + model.probability("\N{SNOWMAN}", context) == pytest.approx(1)


def test_bigram_model_is_witten_and_bells_formula():
    text = "abracadabra"
    model = NGram(2).fit(text)
    unigrams, distinct = Counter(text), len(set(text))
    below = (unigrams["b"] + distinct * 1 / (distinct + 1)) / (len(text) + distinct)
    followers = Counter(b for a, b in zip(text, text[1:], strict=False) if a == "a")  # b c d b
    expected = (followers["b"] + len(followers) * below) / (sum(followers.values()) + len(followers))
    assert model.probability("b", "xxa") == pytest.approx(expected)


def test_ngram_bits_are_the_mean_of_the_log_probabilities():
    model = NGram(3).fit("to be or not to be that is the question")
    text = "to be the"
    bits = [-math.log2(model.probability(c, text[:i])) for i, c in enumerate(text)]
    assert model.bits_per_character(text) == pytest.approx(sum(bits) / len(bits))


def test_ngram_names_bad_arguments():
    with pytest.raises(ValueError, match="order is 0"):
        NGram(0)
    with pytest.raises(ValueError, match="text is empty"):
        NGram(2).fit("")
