"""GoogLeNet against a composition of plain functions, written from table 1 and figure 3, and against its figures."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from dlcompare.models.costs import costs
from dlcompare.models.geometry import layers
from dlcompare.models.googlenet import GOOGLENET, GoogLeNet, GoogLeNetConfig, InceptionWidths
from dlcompare.recording import record
from dlcompare.training import n_parameters

IMAGE = torch.empty(1, 3, 224, 224, device="meta")

# Widths differ wherever they may, so that a swapped branch shows.
TINY = GoogLeNetConfig(
    stem=(3, 2, 4),
    inception3=(InceptionWidths(1, 2, 3, 2, 1, 2), InceptionWidths(2, 1, 2, 3, 2, 1)),
    inception4=tuple(InceptionWidths(1 + i, 2, 1, 1, 2, 1) for i in range(5)),
    inception5=(InceptionWidths(1, 2, 1, 2, 1, 3), InceptionWidths(2, 1, 2, 1, 3, 1)),
    auxiliary=(2, 5),
    classes=3,
    image_size=100,
)


def twin():
    torch.manual_seed(0)
    model = GoogLeNet(TINY).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=0.5 if name.endswith("weight") else 0.3)
    return model, torch.randn(2, 3, 100, 100, dtype=torch.float64)


def convolve(x, layer, padding=0, stride=1):
    return F.relu(F.conv2d(x, layer[0].weight, layer[0].bias, padding=padding, stride=stride))


def halve(x):
    """3 × 3 max pooling, stride 2: the field that sticks out at the right and bottom sees what there is."""
    right, bottom = 1 - x.shape[3] % 2, 1 - x.shape[2] % 2
    return F.max_pool2d(F.pad(x, (0, right, 0, bottom), value=-torch.inf), 3, 2)


def response_norm(a):
    n_maps = a.shape[1]
    b = []
    for i in range(n_maps):
        adjacent = range(max(0, i - 2), min(n_maps - 1, i + 2) + 1)
        b.append(a[:, i] / (2 + 1e-4 * sum(a[:, j] ** 2 for j in adjacent)) ** 0.75)
    return torch.stack(b, dim=1)


def inception(x, module):
    return torch.cat(
        [
            convolve(x, module.one),
            convolve(convolve(x, module.three[0]), module.three[1], padding=1),
            convolve(convolve(x, module.five[0]), module.five[1], padding=2),
            convolve(F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 1), module.pool[1]),
        ],
        dim=1,
    )


def auxiliary(x, module):
    x = convolve(F.avg_pool2d(x, 5, 3), module[1]).flatten(1)
    return F.linear(F.relu(F.linear(x, module[3].weight, module[3].bias)), module[6].weight, module[6].bias)


def reference(model, x):
    states = {}
    x = states["conv1"] = convolve(x, model.conv1, padding=3, stride=2)
    x = states["norm1"] = response_norm(halve(x))
    x = states["conv2"] = convolve(convolve(x, model.conv2[0]), model.conv2[1], padding=1)
    x = states["pool2"] = halve(response_norm(x))
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        if name in ("4a", "5a"):
            x = halve(x)
        x = states[f"inception{name}"] = inception(x, getattr(model, f"inception{name}"))
    states["classifier"] = F.linear(x.mean((2, 3)), model.classifier.weight, model.classifier.bias)
    states["auxiliary4a"] = auxiliary(states["inception4a"], model.auxiliary4a)
    states["auxiliary4d"] = auxiliary(states["inception4d"], model.auxiliary4d)
    return states


def test_every_layer_equals_the_functions_of_the_paper():
    model, x = twin()
    expected = reference(model, x)
    with record(model, *expected) as seen:
        all_logits = model.all_logits(x)
    for name, state in expected.items():
        assert torch.allclose(seen[name], state, rtol=1e-12, atol=1e-10), name
    for logits, name in zip(all_logits, ("classifier", "auxiliary4a", "auxiliary4d"), strict=True):
        assert torch.equal(logits, seen[name])
    assert torch.equal(model(x), all_logits[0])


def test_loss_and_gradients_equal_those_of_the_functions_of_the_paper():
    model, x = twin()
    labels = torch.tensor([2, 0])
    states = reference(model, x)
    main, first, second = (
        F.cross_entropy(states[name], labels) for name in ("classifier", "auxiliary4a", "auxiliary4d")
    )
    parameters = dict(model.named_parameters())
    expected = torch.autograd.grad(main + 0.3 * first + 0.3 * second, parameters.values())
    actual = torch.autograd.grad(model.loss(x, labels), parameters.values())
    for name, a, b in zip(parameters, actual, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-10), name
    dead = [name for name, b in zip(parameters, expected, strict=True) if b.abs().max() == 0]
    assert len(dead) <= 0.2 * len(parameters)  # random ReLUs may be shut, but not many


# Table 1: output size, parameters in units of 1024, multiply-adds in millions; a row that disagrees with its own
# widths stands below.
TABLE_1 = {
    "conv2": ((192, 56, 56), 112, 360),
    "inception3a": ((256, 28, 28), 159, 128),
    "inception3b": ((480, 28, 28), 380, 304),
    "inception4a": ((512, 14, 14), 364, 73),
    "inception4b": ((512, 14, 14), 437, 88),
    "inception4d": ((528, 14, 14), 580, 119),
    "inception4e": ((832, 14, 14), 840, 170),
    "inception5b": ((1024, 7, 7), 1388, 71),
}
DISAGREEING = {  # output size, printed parameters and multiply-adds, then ours
    "conv1": ((64, 112, 112), (2.7, 34), (9.2, 118)),
    "inception4c": ((512, 14, 14), (463, 100), (497.5, 100)),
    "inception5a": ((832, 7, 7), (1072, 54), (1018, 51)),
}


def weights_in_k(model, name):
    return sum(p.numel() for p in model.get_submodule(name).parameters() if p.ndim > 1) / 1024


def test_rows_of_table_1():
    with torch.device("meta"):
        model = GoogLeNet()
    cost, geometry = costs(model, IMAGE), layers(model, IMAGE)
    for name, (shape, parameters, multiply_adds) in TABLE_1.items():
        assert geometry[name].shape == shape
        assert weights_in_k(model, name) == pytest.approx(parameters, rel=0.02), name
        assert cost[name].multiply_adds / 1e6 == pytest.approx(multiply_adds, rel=0.02), name
    for name, (shape, printed, ours) in DISAGREEING.items():
        assert geometry[name].shape == shape
        computed = (weights_in_k(model, name), cost[name].multiply_adds / 1e6)
        assert computed == pytest.approx(ours, rel=0.005), name
        assert computed != pytest.approx(printed, rel=0.02), name
    pools = {"pool1": (64, 56, 56), "pool2": (192, 28, 28), "pool3": (480, 14, 14), "pool4": (832, 7, 7)}
    for name, shape in {**pools, "pool": (1024, 1, 1)}.items():
        assert geometry[name].shape == shape


def test_auxiliary_classifiers_see_four_by_four_places():
    with torch.device("meta"):
        model = GoogLeNet()
    with record(model, "auxiliary4a.0", "auxiliary4a.1", "auxiliary4d.0") as seen:
        model.all_logits(IMAGE)
    assert [tuple(maps.shape[1:]) for maps in seen.values()] == [(512, 4, 4), (128, 4, 4), (528, 4, 4)]


def test_parameters_and_costs_of_the_whole():
    with torch.device("meta"):
        model = GoogLeNet()
    assert n_parameters(model) == GOOGLENET.n_parameters == 13_378_280
    cost = costs(model, IMAGE)[""]
    assert cost.parameters == GOOGLENET.n_parameters_at_inference == 6_998_552
    main = [p for name, p in model.named_parameters() if not name.startswith("auxiliary")]
    assert sum(p.numel() for p in main if p.ndim > 1) == 6_990_272
    printed = sum(parameters for _, parameters, _ in TABLE_1.values())
    printed += sum(parameters for _, (parameters, _), _ in DISAGREEING.values()) + 1000
    assert printed == pytest.approx(6_797.7)
    assert printed * 1024 == pytest.approx(6_990_272, rel=0.005)
    with FlopCounterMode(display=False) as counter:
        model.eval()(IMAGE)
    assert cost.flops == counter.get_total_flops()
    assert cost.multiply_adds == 1_582_671_872
    # "1.5 billion multiply-adds": what the paper has with 34 million for the first convolution
    assert cost.multiply_adds - 118_013_952 + 34e6 == pytest.approx(1.5e9, rel=0.01)


def test_dropout_acts_in_training_only():
    model, x = twin()
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize("shape", [(1, 3, 227, 227), (1, 1, 224, 224), (3, 224, 224)])
def test_wrong_images_are_named(shape):
    with torch.device("meta"):
        model = GoogLeNet()
    for call in (model, model.all_logits):
        with pytest.raises(ValueError, match=r"x has shape .*; allowed is \(batch, 3, 224, 224\)"):
            call(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inception4": GOOGLENET.inception3}, "inception4 has 2 modules; allowed are 5"),
        ({"stem": (64, 0, 192)}, "the feature maps are .*; allowed are integers of at least 1"),
        ({"image_size": 78}, "image_size is 78; allowed is at least 79"),
        ({"classes": 0}, "classes is 0"),
        ({"auxiliary_dropout": 1.0}, "auxiliary_dropout is 1.0; allowed is 0 ≤ auxiliary_dropout < 1"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        GoogLeNetConfig(**change)


@pytest.mark.parametrize("image_size", [79, 100, 131])
def test_formula_counts_the_parameters_of_other_sizes(image_size):
    config = dataclasses.replace(TINY, image_size=image_size)
    model = GoogLeNet(config)
    assert n_parameters(model) == config.n_parameters
    assert len(model.all_logits(torch.zeros(1, 3, image_size, image_size))) == 3
