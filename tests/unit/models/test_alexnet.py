"""AlexNet against two halves on two devices, written from the paper, and against published figures."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from dlcompare.models.alexnet import ALEXNET, AlexNet, AlexNetConfig
from dlcompare.models.costs import costs
from dlcompare.models.geometry import layers
from dlcompare.recording import record
from dlcompare.training import n_parameters

TINY = AlexNetConfig((4, 6, 8, 6, 4), hidden=5, classes=3, image_size=67)
IMAGE = torch.empty(1, 3, 227, 227, device="meta")


def twin(config=TINY):
    torch.manual_seed(0)
    model = AlexNet(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model, torch.randn(2, 3, config.image_size, config.image_size, dtype=torch.float64)


def response_norm(a):
    """Section 3.3, map by map: k = 2, n = 5, α = 10⁻⁴, β = 0.75."""
    n_maps = a.shape[1]
    b = []
    for i in range(n_maps):
        adjacent = range(max(0, i - 2), min(n_maps - 1, i + 2) + 1)
        b.append(a[:, i] / (2 + 1e-4 * sum(a[:, j] ** 2 for j in adjacent)) ** 0.75)
    return torch.stack(b, dim=1)


def on_two_gpus(x, conv, **options):
    """Each half of the kernels sees its half of the maps."""
    halves = zip(x.chunk(2, 1), conv.weight.chunk(2), conv.bias.chunk(2), strict=True)
    return torch.cat([F.relu(F.conv2d(maps, weight, bias, **options)) for maps, weight, bias in halves], dim=1)


def reference(model, x):
    states = {}
    x = states["conv1"] = F.relu(F.conv2d(x, model.conv1[0].weight, model.conv1[0].bias, stride=4))
    x = states["norm1"] = response_norm(x)
    x = states["pool1"] = F.max_pool2d(x, kernel_size=3, stride=2)
    x = states["conv2"] = on_two_gpus(x, model.conv2[0], padding=2)
    x = states["pool2"] = F.max_pool2d(response_norm(x), kernel_size=3, stride=2)
    x = states["conv3"] = F.relu(F.conv2d(x, model.conv3[0].weight, model.conv3[0].bias, padding=1))
    x = states["conv4"] = on_two_gpus(x, model.conv4[0], padding=1)
    x = states["conv5"] = on_two_gpus(x, model.conv5[0], padding=1)
    x = states["pool5"] = F.max_pool2d(x, kernel_size=3, stride=2)
    x = states["fc6"] = F.relu(x.flatten(1) @ model.fc6[0].weight.T + model.fc6[0].bias)
    x = states["fc7"] = F.relu(x @ model.fc7[0].weight.T + model.fc7[0].bias)
    states["fc8"] = x @ model.fc8.weight.T + model.fc8.bias
    return states


@pytest.mark.parametrize("scale", [1.0, 300.0])  # large values make the response norm matter
def test_every_layer_equals_the_functions_of_the_paper(scale):
    model, x = twin()
    expected = reference(model, scale * x)
    with record(model, *expected) as seen:
        logits = model(scale * x)
    for name, state in expected.items():
        assert torch.allclose(seen[name], state, rtol=1e-12, atol=1e-10), name
    assert torch.allclose(logits, expected["fc8"], rtol=1e-12, atol=1e-10)


def test_gradients_equal_those_of_the_functions_of_the_paper():
    model, x = twin()
    parameters = dict(model.named_parameters())
    labels = torch.tensor([2, 0])
    actual = torch.autograd.grad(F.cross_entropy(model(x), labels), parameters.values())
    expected = torch.autograd.grad(F.cross_entropy(reference(model, x)["fc8"], labels), parameters.values())
    for name, a, b in zip(parameters, actual, expected, strict=True):
        assert b.abs().max() > 0, name
        assert torch.allclose(a, b, rtol=0, atol=1e-10), name


def test_parameters_are_the_published_ones():
    """Blob sizes of the released reproduction in Caffe, "bvlc_alexnet": 60,965,224. The paper: "60 million"."""
    with torch.device("meta"):
        model = AlexNet()
    assert n_parameters(model) == ALEXNET.n_parameters == 60_965_224
    assert ALEXNET.n_parameters == pytest.approx(60e6, rel=0.02)


def test_shapes_and_neurons_are_those_the_paper_prints():
    with torch.device("meta"):
        geometry = layers(AlexNet(), IMAGE)
    assert [geometry[f"conv{i}"].shape for i in range(1, 6)] == [
        *((96, 55, 55), (256, 27, 27), (384, 13, 13), (384, 13, 13), (256, 13, 13))
    ]
    assert geometry["pool5"].shape == (256, 6, 6)
    neurons = [math.prod(geometry[n].shape) for n in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")]
    assert neurons[1:] == [186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]  # figure 2
    assert (neurons[0], 55 * 48 * 96) == (290_400, 253_440)  # the paper prints the second
    assert sum(neurons) == 659_272 == pytest.approx(650_000, rel=0.02)


def test_multiply_adds_equal_torchs_counter():
    with torch.device("meta"):
        model = AlexNet()
    cost = costs(model, IMAGE)
    with FlopCounterMode(display=False) as counter:
        model.eval()(IMAGE)
    assert cost[""].flops == counter.get_total_flops()
    assert cost["conv1"].multiply_adds == 55 * 55 * 96 * 11 * 11 * 3
    assert cost["conv2"].multiply_adds == 27 * 27 * 256 * 5 * 5 * 48
    assert cost[""].multiply_adds == 724_406_816


def test_initial_weights_are_those_of_section_5():
    torch.manual_seed(0)
    model = AlexNet(dataclasses.replace(TINY, hidden=300))
    ones = {name for name, p in model.named_parameters() if name.endswith("bias") and bool((p == 1).all())}
    zeros = {name for name, p in model.named_parameters() if name.endswith("bias") and bool((p == 0).all())}
    assert ones == {"conv2.0.bias", "conv4.0.bias", "conv5.0.bias", "fc6.0.bias", "fc7.0.bias"}
    assert zeros == {"conv1.0.bias", "conv3.0.bias", "fc8.bias"}
    assert model.fc7[0].weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_dropout_acts_in_training_only():
    model, x = twin()
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize("shape", [(1, 3, 224, 224), (1, 1, 227, 227), (3, 227, 227)])
def test_wrong_images_are_named(shape):
    with torch.device("meta"):
        model = AlexNet()
    with pytest.raises(ValueError, match=r"x has shape .*; allowed is \(batch, 3, 227, 227\)"):
        model(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": (96, 256, 384, 384)}, "channels is .*; allowed are five multiples of groups = 2"),
        ({"channels": (96, 255, 384, 384, 256)}, "allowed are five multiples of groups = 2"),
        ({"image_size": 66}, "image_size is 66; allowed is at least 67"),
        ({"hidden": 0}, "hidden is 0"),
        ({"dropout": 1}, "dropout is 1; allowed is 0 ≤ dropout < 1"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        AlexNetConfig(**change)


@pytest.mark.parametrize("config", [TINY, dataclasses.replace(TINY, groups=1, image_size=100)])
def test_formula_counts_the_parameters_of_other_sizes(config):
    assert n_parameters(AlexNet(config)) == config.n_parameters
