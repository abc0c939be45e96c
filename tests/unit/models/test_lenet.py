"""LeNet-5 against a composition of plain functions, written from the paper, and against its printed figures."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F

from dlcompare.models.costs import costs
from dlcompare.models.geometry import layers
from dlcompare.models.lenet import DIGIT_CODES, LENET_5, LeNet, LeNetConfig, ScaledTanh
from dlcompare.recording import record
from dlcompare.training import n_parameters

# Table I as printed: a row per map of S2, a column per map of C3.
TABLE_I = [
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
]

IMAGE = torch.empty(1, 1, 32, 32, device="meta")


def tiny_values(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.3, 0.3)
    return model.double()


def squash(a):
    return 1.7159 * torch.tanh(2 * a / 3)


def subsample(x, layer):
    total = x[..., 0::2, 0::2] + x[..., 0::2, 1::2] + x[..., 1::2, 0::2] + x[..., 1::2, 1::2]
    return squash(total * layer.coefficient.view(1, -1, 1, 1) + layer.bias.view(1, -1, 1, 1))


def reference(model, x):
    """Return every layer's states; C3 is a full convolution whose absent connections are zeros."""
    states = {}
    x = states["c1"] = squash(F.conv2d(x, model.c1[0].weight, model.c1[0].bias))
    x = states["s2"] = subsample(x, model.s2[0])
    weight = x.new_zeros(16, 6, 5, 5)
    for j, conv in enumerate(model.c3[0].maps):
        present = [i for i in range(6) if TABLE_I[i][j] == "X"]
        weight[j, present] = conv.weight[0]
    bias = torch.cat([conv.bias for conv in model.c3[0].maps])
    x = states["c3"] = squash(F.conv2d(x, weight, bias))
    x = states["s4"] = subsample(x, model.s4[0])
    x = states["c5"] = squash(torch.einsum("bchw,ochw->bo", x, model.c5[0].weight) + model.c5[0].bias)
    x = states["f6"] = squash(x @ model.f6[0].weight.T + model.f6[0].bias)
    codes = torch.tensor(DIGIT_CODES, dtype=x.dtype)
    states["output"] = torch.stack([((x - code) ** 2).sum(1) for code in codes], dim=1)
    return states


def test_every_layer_equals_the_functions_of_the_paper():
    model = tiny_values(LeNet())
    x = torch.randn(3, 1, 32, 32, dtype=torch.float64)
    expected = reference(model, x)
    with record(model, *expected) as seen:
        logits = model(x)
    for name, state in expected.items():
        assert torch.allclose(seen[name].view(state.shape), state, rtol=0, atol=1e-10), name
    assert torch.equal(logits, -seen["output"])


def test_gradients_equal_those_of_the_functions_of_the_paper():
    model = tiny_values(LeNet())
    x = torch.randn(3, 1, 32, 32, dtype=torch.float64)
    labels = torch.tensor([3, 0, 9])
    parameters = dict(model.named_parameters())
    penalties = reference(model, x)["output"]
    # equation 9 without its constant: the penalty of the right class, and the others pushed away
    loss = (penalties[range(3), labels] + torch.log(torch.exp(-penalties).sum(1))).mean()
    expected = torch.autograd.grad(loss, parameters.values())
    actual = torch.autograd.grad(F.cross_entropy(model(x), labels), parameters.values())
    for name, a, b in zip(parameters, actual, expected, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-10), name


def test_parameters_shapes_and_connections_are_those_the_paper_prints():
    with torch.device("meta"):
        model = LeNet()
    assert n_parameters(model) == LENET_5.n_parameters == 60_000
    cost, geometry = costs(model, IMAGE), layers(model, IMAGE)
    printed = {  # layer: trainable parameters, connections with the one to the bias, shape
        "c1": (156, 122_304, (6, 28, 28)),
        "s2": (12, 5_880, (6, 14, 14)),
        "c3": (1_516, 151_600, (16, 10, 10)),
        "s4": (32, 2_000, (16, 5, 5)),
        "c5": (48_120, 48_120, (120, 1, 1)),
        "f6": (10_164, 10_164, (84,)),
    }
    for name, (parameters, connections, shape) in printed.items():
        assert cost[name].parameters == parameters
        assert geometry[name].shape == shape
        inputs = 4 * math.prod(shape) if name in ("s2", "s4") else cost[name].multiply_adds
        assert inputs + math.prod(shape) == connections
    assert sum(parameters for parameters, _, _ in printed.values()) == 60_000
    assert sum(connections for _, connections, _ in printed.values()) + 84 * 10 == 340_908
    assert geometry["c5"].field.size == 32


def test_c3_sees_the_maps_of_table_one():
    columns = [tuple(i for i in range(6) if TABLE_I[i][j] == "X") for j in range(16)]
    assert LENET_5.connections == tuple(columns)


def test_the_squashing_function_maps_one_to_one():
    y = ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0, 100.0]))
    assert torch.allclose(y, torch.tensor([-1.0, 0.0, 1.0, 1.7159]), atol=1e-5)


def test_codes_are_ten_different_bitmaps_and_are_not_trained():
    codes = torch.tensor(DIGIT_CODES)
    assert codes.shape == (10, 84)
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    assert codes.unique(dim=0).shape == (10, 84)
    one = codes[1].view(12, 7)
    assert one[-1].tolist() == [-1, 1, 1, 1, 1, 1, -1]
    model = LeNet()
    assert "output.codes" in model.state_dict()
    assert "output.codes" not in dict(model.named_parameters())
    assert model.output(codes).diagonal().tolist() == [0.0] * 10


def test_initial_weights_lie_within_the_bounds_of_appendix_a():
    torch.manual_seed(0)
    model = LeNet()
    fan_in = {"c1": 25, "s2": 4, "c3.0.maps.0": 75, "c3.0.maps.15": 150, "s4": 4, "c5": 400, "f6": 120}
    for name, inputs in fan_in.items():
        for parameter in model.get_submodule(name).parameters():
            assert parameter.abs().max() <= 2.4 / inputs
    assert model.c5[0].weight.abs().max() > 0.99 * 2.4 / 400


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (1, 3, 32, 32), (1, 32, 32)])
def test_wrong_images_are_named(shape):
    with pytest.raises(ValueError, match=r"x has shape .*; allowed is \(batch, 1, 32, 32\)"):
        LeNet()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c5": 0}, "c5 is 0; allowed are integers of at least 1"),
        ({"connections": ()}, r"connections is \(\); allowed is one tuple per map of C3 with maps 0 to 5"),
        ({"connections": ((0, 6),)}, r"connections is \(\(0, 6\),\)"),
        ({"connections": ((0,), ())}, r"connections is \(\(0,\), \(\)\)"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        LeNetConfig(**change)


def test_formula_counts_the_parameters_of_other_sizes():
    config = dataclasses.replace(LENET_5, c1=3, connections=((0,), (1, 2)), c5=7)
    assert n_parameters(LeNet(config)) == config.n_parameters
