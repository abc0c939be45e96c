"""Receptive fields against gradients, shapes and costs of the convolutional networks."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dlcompare.models import CNN, GPT, MLP, CNNConfig, GPTConfig, MLPConfig, Recurrent, RecurrentConfig
from dlcompare.models.alexnet import AlexNet, AlexNetConfig
from dlcompare.models.costs import Cost, costs
from dlcompare.models.geometry import Layer, ReceptiveField, layers
from dlcompare.models.googlenet import GoogLeNet, GoogLeNetConfig, InceptionWidths
from dlcompare.models.lenet import LeNet
from dlcompare.models.resnet import ResNet, ResNetConfig
from dlcompare.recording import record

ONES = InceptionWidths(1, 1, 1, 1, 1, 1)


def linear_twin(model: nn.Module) -> nn.Module:
    """Make every pixel that a unit can see count: positive weights, means for maxima, in float64."""
    torch.manual_seed(0)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MaxPool2d):
                mean = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, ceil_mode=child.ceil_mode)
                setattr(parent, name, mean)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(0.5, 1.5).div_(parameter[0].numel())
    return model.double().eval()


def seen_pixels(y: torch.Tensor, x: torch.Tensor, unit: int) -> tuple[range, range]:
    """Return the rows and the columns of ``x`` with a gradient of the unit (unit, unit) of ``y``."""
    (gradient,) = torch.autograd.grad(y[0, :, unit, unit].sum(), x, retain_graph=True)
    spans = []
    for axis in (3, 2):
        places = gradient.abs().sum((0, 1, axis)).nonzero()
        spans.append(range(int(places.min()), int(places.max()) + 1))
    return spans[0], spans[1]


def inside(pixels: range, size: int) -> range:
    return range(max(pixels.start, 0), min(pixels.stop, size))


def check_fields(model: nn.Module, x: torch.Tensor, *names: str) -> None:
    geometry = layers(model, x)
    with record(linear_twin(model), *names) as seen:
        model(x)
    for name in names:
        shape, field = geometry[name].shape, geometry[name].field
        assert shape == seen[name].shape[1:]
        for unit in {0, shape[-1] // 2, shape[-1] - 1}:
            expected = inside(field.pixels(unit), x.shape[-1])
            assert seen_pixels(seen[name], x, unit) == (expected, expected), (name, unit)


def image(channels: int, size: int) -> torch.Tensor:
    return torch.rand(1, channels, size, size, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("model", "x", "names"),
    [
        (LeNet(), image(1, 32), ("c1", "s2", "c3", "s4", "c5")),
        (
            AlexNet(AlexNetConfig((2, 2, 2, 2, 2), hidden=2, classes=2)),
            image(3, 227),
            ("conv1", "norm1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"),
        ),
        (
            GoogLeNet(GoogLeNetConfig((1, 1, 1), (ONES,) * 2, (ONES,) * 5, (ONES,) * 2, (1, 1), classes=2)),
            image(3, 224),
            ("conv1", "pool1", "conv2", "pool2", "inception3a.five", "inception3a", "pool3", "inception4a", "pool4"),
        ),
        (
            ResNet(ResNetConfig("basic", (2, 2, 2, 2), (1, 1, 1, 1), stem=1, classes=2)),
            image(3, 480),
            ("conv1", "pool1", "stages.0", "stages.1.0.residual", "stages.1.0.shortcut", "stages.1", "stages.3"),
        ),
        (
            ResNet(ResNetConfig("bottleneck", (3, 4, 6, 3), (1, 1, 1, 1), stem=1, classes=2)),
            image(3, 512),
            ("stages.0", "stages.1", "stages.2", "stages.3"),
        ),
    ],
    ids=["LeNet", "AlexNet", "GoogLeNet", "ResNet-18", "ResNet-50"],
)
def test_a_unit_has_a_gradient_exactly_in_its_receptive_field(model, x, names):
    check_fields(model, x, *names)


WINDOW = st.tuples(st.sampled_from(["conv", "max", "mean"]), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1))


@given(st.lists(WINDOW, min_size=1, max_size=4), st.integers(1, 2))
@settings(deadline=None, max_examples=25)
def test_any_chain_of_windows(windows, dilation):
    chain, size = [], 40
    for kind, kernel, stride, padding in windows:
        padding = min(padding, kernel // 2)
        if kind == "conv":
            chain.append(nn.Conv2d(1, 1, kernel, stride, padding, dilation))
            size = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        else:
            chain.append((nn.MaxPool2d if kind == "max" else nn.AvgPool2d)(kernel, stride, padding))
            size = (size + 2 * padding - kernel) // stride + 1
        assume(size >= 3)
    model, x = nn.Sequential(*chain), image(1, 40)
    # a stride wider than the kernel leaves gaps, so only the ends count: those of the unit in the middle
    geometry = layers(model, x)
    y = linear_twin(model)(x)
    field, unit = geometry[""].field, y.shape[-1] // 2
    assume(field.pixels(unit).start >= 0 and field.pixels(unit).stop <= 40)
    assert geometry[""].shape == y.shape[1:]
    assert seen_pixels(y, x, unit) == (field.pixels(unit), field.pixels(unit))


def test_receptive_fields_of_the_published_networks():
    """Sizes that Araujo et al. (2019) list: AlexNet 195; ResNet-50, -101, -152 in version 1: 483, 1027, 1507."""
    x = torch.empty(1, 3, 224, 224, device="meta")
    for block, depths, size in [
        ("basic", (2, 2, 2, 2), 435),
        ("basic", (3, 4, 6, 3), 899),
        ("bottleneck", (3, 4, 6, 3), 483),
        ("bottleneck", (3, 4, 23, 3), 1027),
        ("bottleneck", (3, 8, 36, 3), 1507),
    ]:
        with torch.device("meta"):
            model = ResNet(ResNetConfig(block, depths, (1, 1, 1, 1), stem=1, classes=1))
        assert layers(model, x)["stages"] == Layer(
            (4 if block == "bottleneck" else 1, 7, 7), ReceptiveField(size, jump=32, start=-(size // 2))
        )
    model = AlexNet(AlexNetConfig((2, 2, 2, 2, 2), hidden=2, classes=2))
    assert layers(model, torch.empty(1, 3, 227, 227))["pool5"].field == ReceptiveField(195, 32, -64)


def test_the_field_of_a_unit_of_the_chapters_cnn():
    geometry = layers(CNN(CNNConfig()), torch.empty(1, 1, 28, 28))
    assert geometry["levels.0"] == Layer((32, 14, 14), ReceptiveField(size=4, jump=2, start=-1))
    assert geometry["levels.1"] == Layer((64, 7, 7), ReceptiveField(size=10, jump=4, start=-3))
    assert geometry["levels.1"].field.pixels(1) == range(1, 11)
    assert geometry[""] == Layer((10,), None)


def test_the_model_stays_as_it_is():
    model = LeNet()
    before = {name: p.clone() for name, p in model.named_parameters()}
    layers(model, torch.zeros(1, 1, 32, 32))
    costs(model, torch.zeros(1, 1, 32, 32))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


class Meeting(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, stride=2, padding=1)

    def forward(self, x):
        return x + self.conv(x)


class Vanishing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x):
        return self.conv(nn.functional.max_pool2d(x, 2))


def test_what_cannot_be_known_is_not_made_up():
    assert layers(Vanishing(), torch.zeros(1, 1, 8, 8))[""] == Layer((1, 2, 2), None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Meeting(), "branches meet with jumps 1 and 2; allowed are equal ones"),
        (nn.Conv2d(1, 1, (1, 2)), r"a window is \(1, 2\) wide; allowed are squares"),
        (nn.Conv2d(1, 1, 1, padding="same"), "a window is same wide; allowed are squares"),
        (nn.AdaptiveAvgPool2d(2), "output_size is 2; allowed is 1"),
    ],
)
def test_geometry_names_what_it_does_not_cover(model, message):
    with pytest.raises(ValueError, match=message):
        layers(model, torch.zeros(1, 1, 3, 3))


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (MLP(MLPConfig((5, 4, 3))), torch.zeros(2, 5)),
        (CNN(CNNConfig(channels=(2, 3))), torch.zeros(2, 1, 28, 28)),
        (nn.Conv2d(4, 6, 3, stride=2, groups=2), torch.zeros(3, 4, 9, 9)),
        (GPT(GPTConfig(11, block_size=8, n_layer=2, n_head=2, d_model=12)), torch.zeros(2, 7, dtype=torch.long)),
    ],
    ids=["MLP", "CNN", "grouped convolution", "GPT"],
)
def test_costs_equal_torchs_own_counter(model, inputs):
    with FlopCounterMode(display=False) as counter:
        model(inputs)
    cost = costs(model, inputs)[""]
    assert cost.flops == counter.get_total_flops()
    assert cost.parameters == sum(p.numel() for p in model.parameters())


def test_costs_of_a_recurrent_layer_and_a_lookup():
    layer = nn.LSTM(3, 5, batch_first=True)
    assert costs(layer, torch.zeros(2, 7, 3))[""].multiply_adds == 2 * 7 * 4 * 5 * (3 + 5)
    assert costs(nn.Embedding(9, 4), torch.zeros(2, 7, dtype=torch.long))[""] == Cost(36, 0)
    model = Recurrent(RecurrentConfig("gru", input_size=3, hidden_size=5, output_size=2))
    assert costs(model, torch.zeros(1, 7, 3))[""].multiply_adds == 7 * (3 * 5 * (3 + 5) + 5 * 2)


def test_costs_of_parts_sum_to_their_container_and_only_what_ran_counts():
    model = GoogLeNet(GoogLeNetConfig((1, 1, 1), (ONES,) * 2, (ONES,) * 5, (ONES,) * 2, (1, 1), 2, image_size=79))
    cost = costs(model, torch.zeros(1, 3, 79, 79))
    inner = [cost[f"inception3a.{branch}"] for branch in ("one", "three", "five", "pool")]
    assert cost["inception3a"].parameters == sum(c.parameters for c in inner)
    assert cost["inception3a"].multiply_adds == sum(c.multiply_adds for c in inner)
    assert cost[""].parameters == model.config.n_parameters_at_inference < model.config.n_parameters
    assert "auxiliary4a" not in cost


def test_a_layer_without_a_formula_is_named():
    with pytest.raises(
        ValueError, match="0 is a ConvTranspose2d, which has no formula; allowed are Conv1d, Conv2d, Linear"
    ):
        costs(nn.Sequential(nn.ConvTranspose2d(1, 1, 2)), torch.zeros(1, 1, 3, 3))
