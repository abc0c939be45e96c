"""Evidence for the claims of the article's chapters 1 and 5: years, layers, sizes, and one loop for all networks."""

import math

import pytest
import torch

from dlcompare.comparison.scaling import REFERENCES
from dlcompare.history import PAPERS, history
from dlcompare.models import (
    BERT,
    GPT,
    GPT2,
    GPT3,
    MLP,
    BERTConfig,
    GPTConfig,
    MLPConfig,
)
from dlcompare.models.gpt import GPT1
from dlcompare.models.transformer import TRANSFORMER_BASE
from dlcompare.published import PUBLISHED
from dlcompare.training import causal_lm_loss, classification_loss, fit

EVENTS = {event.name: event for event in history()}
#: The unit of the article's numbers: 亿.
YI = 10**8


def test_convolutional_and_recurrent_networks_are_older_than_2006():
    lenet = EVENTS["LeNet-5"]
    assert lenet.family == "cnn"
    assert lenet.paper.year == 1998 < 2006
    assert history()[0] == lenet


def test_alexnet_is_a_convolutional_network_of_2012():
    alexnet = EVENTS["AlexNet"]
    assert (alexnet.family, alexnet.paper.year) == ("cnn", 2012)


def test_inception_and_resnet_are_of_2014_and_2015():
    inception = next(event for name, event in EVENTS.items() if "GoogLeNet" in name)
    assert (inception.paper.year, EVENTS["ResNet-50"].paper.year, EVENTS["ResNet-50"].paper.month) == (2014, 2015, 12)


def test_the_transformer_is_of_2017():
    paper = PAPERS["vaswani2017"]
    assert (paper.year, paper.month) == (2017, 6)
    assert paper.year > 2015


def test_bert_and_gpt_are_made_of_the_transformers_parts():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, d_model=8)).eval()
    bert = BERT(BERTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, d_model=8)).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    changed = torch.tensor([[5, 6, 7, 9]])  # the last token alone
    with torch.no_grad():
        told = {"gpt": [gpt(x) for x in (ids, changed)], "bert": [bert(x).masked_lm for x in (ids, changed)]}
    # A decoder sees what stands before, an encoder both sides.
    assert torch.equal(told["gpt"][0][:, :3], told["gpt"][1][:, :3])
    assert not torch.allclose(told["bert"][0][:, :3], told["bert"][1][:, :3])


def test_from_the_transformer_to_gpt3_models_grew_eight_hundred_times():
    largest = max(event.parameters for name, event in EVENTS.items() if event.paper.key == "vaswani2017")
    assert EVENTS["GPT-3 175B"].parameters / largest == pytest.approx(820, rel=0.03)


def test_the_years_of_gpt():
    years = {"radford2018": 2018, "radford2019": 2019, "brown2020": 2020}
    assert {key: PAPERS[key].year for key in years} == years
    assert years["radford2019"] != 2020
    assert years["brown2020"] != 2022
    assert PAPERS["brown2020"].month == 5


def test_layers_of_gpt():
    assert (GPT1.n_layer, GPT2["gpt2"].n_layer, GPT2["gpt2-xl"].n_layer, GPT3["175B"].n_layer) == (12, 12, 48, 96)
    assert TRANSFORMER_BASE.n_layer == 6  # of each half, in the first Transformer


def test_parameters_of_gpt():
    for config, true, claimed in (
        (GPT1, 116_534_784, 1.5 * YI),
        (GPT2["gpt2-xl"], 1_557_611_200, 175 * YI),
        (GPT3["175B"], 174_604_259_328, 175 * YI),
    ):
        assert config.n_parameters == true
        assert not 0.9 < claimed / true < 1.1
    # The article's number for GPT-3 is right in billions, and a tenth in 亿.
    assert GPT3["175B"].n_parameters / (10 * 175 * YI) == pytest.approx(1, rel=0.01)
    assert {entry.name: entry.parameters for entry in PUBLISHED}["GPT-1"] == GPT1.n_parameters


def test_operations_of_gpt3():
    """Six operations per parameter and token (Kaplan et al. 2020, section 2.1)."""
    assert 6 * GPT3["175B"].n_parameters * 300e9 == pytest.approx(3.14e23, rel=0.01)


def test_gpt_is_trained_by_the_loop_that_trains_an_mlp():
    torch.manual_seed(0)
    ids = torch.randint(5, (4, 9))
    points = torch.randn(8, 3)
    for model, loss, batch in (
        (GPT(GPTConfig(5, 8, 1, 2, 8)), causal_lm_loss, (ids[:, :-1], ids[:, 1:])),
        (MLP(MLPConfig((3, 8, 2))), classification_loss, (points, (points[:, 0] > 0).long())),
    ):
        history = fit(model, loss, iter(lambda batch=batch: batch, None), steps=60, learning_rate=0.03, description="")
        assert history.loss[-1] < 0.5 * history.loss[0]


def test_each_equal_gain_costs_a_multiple_of_the_last():
    """By a power law with Kaplan's exponent, halving the loss takes nine thousand times the parameters, each time."""
    for_half = 2 ** (1 / REFERENCES["parameters"])
    assert for_half == pytest.approx(9_000, rel=0.02)
    loss = [1e6 ** -REFERENCES["parameters"], *((1e6 * 10**i) ** -REFERENCES["parameters"] for i in (1, 2))]
    gains = [a - b for a, b in zip(loss, loss[1:], strict=False)]
    assert gains[1] < gains[0]  # ten times as much again brings less
    assert math.isclose(loss[1] / loss[0], loss[2] / loss[1])
