"""MLP, CNN and n-gram model."""

import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import CNN, MLP, CNNConfig, MLPConfig, NGram
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
