"""ResNet against Hugging Face's, and against the figures of the paper."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode
from transformers import ResNetConfig as HFConfig
from transformers import ResNetForImageClassification

from dlcompare.models.costs import costs
from dlcompare.models.geometry import layers
from dlcompare.models.resnet import RESNET_18, RESNET_34, RESNET_50, RESNET_101, RESNET_152, ResNet, ResNetConfig
from dlcompare.recording import record
from dlcompare.training import n_parameters

TINY = {
    "basic": ResNetConfig("basic", (2, 1, 2), (4, 6, 5), stem=4, classes=3),
    "bottleneck": ResNetConfig("bottleneck", (2, 1, 2), (2, 3, 2), stem=5, classes=3),
}
IMAGE = torch.empty(1, 3, 224, 224, device="meta")


def name_in_transformers(name: str) -> str:
    """Return the name that Hugging Face gives to one of our parameters or buffers."""
    parts = {"0": "convolution", "1": "normalization"}
    name = re.sub(r"^classifier\.", "classifier.1.", name)
    name = re.sub(r"^conv1\.(\d)", lambda m: f"resnet.embedder.embedder.{parts[m[1]]}", name)
    name = re.sub(r"\.residual\.(\d)\.(\d)", lambda m: f".layer.{m[1]}.{parts[m[2]]}", name)
    name = re.sub(r"\.shortcut\.(\d)", lambda m: f".shortcut.{parts[m[1]]}", name)
    return re.sub(r"^stages\.(\d)\.(\d)", r"resnet.encoder.stages.\1.layers.\2", name)


def twins(block):
    """Return our tiny model and Hugging Face's with the same random weights, in float64."""
    config = TINY[block]
    torch.manual_seed(0)
    theirs = ResNetForImageClassification(
        HFConfig(
            embedding_size=config.stem,
            hidden_sizes=[w * config.expansion for w in config.widths],
            depths=list(config.depths),
            layer_type=block,
            downsample_in_bottleneck=True,
            num_labels=config.classes,
        )
    ).double()
    with torch.no_grad():
        for name, value in theirs.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.is_floating_point():
                value.normal_(std=0.5)
    ours = ResNet(config).double()
    weights = theirs.state_dict()
    mapped = {name: weights.pop(name_in_transformers(name)) for name in ours.state_dict()}
    assert not weights  # every one of theirs has a place
    ours.load_state_dict(mapped)
    return ours, theirs, torch.randn(3, 3, 45, 38, dtype=torch.float64)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("train", [False, True])
def test_logits_gradients_and_statistics_equal_hugging_faces(block, train):
    ours, theirs, x = twins(block)
    ours.train(train)
    theirs.train(train)
    labels = torch.tensor([2, 0, 1])
    with record(ours, "pool1", "stages.0", "stages.1", "stages.2") as seen:
        logits = ours(x)
    expected = theirs(x, output_hidden_states=True)
    assert torch.allclose(logits, expected.logits, rtol=0, atol=1e-10)
    for name, state in zip(seen, expected.hidden_states, strict=True):
        assert torch.allclose(seen[name], state, rtol=0, atol=1e-10), name
    F.cross_entropy(logits, labels).backward()
    F.cross_entropy(expected.logits, labels).backward()
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        assert torch.allclose(parameter.grad, gradients[name_in_transformers(name)], rtol=0, atol=1e-10), name
    buffers = dict(theirs.named_buffers())
    for name, buffer in ours.named_buffers():  # means and variances move in training, and only there
        assert torch.allclose(buffer.double(), buffers[name_in_transformers(name)].double(), rtol=0, atol=1e-12), name
    assert ours.conv1[1].num_batches_tracked == int(train)


def test_a_block_adds_its_residual_to_its_shortcut():
    ours, _, x = twins("bottleneck")
    names = [f"stages.1.0{part}" for part in ("", ".residual", ".shortcut")]
    with record(ours.eval(), *names) as seen:
        ours(x)
    block, residual, shortcut = (seen[name] for name in names)
    assert torch.equal(block, torch.clamp(residual + shortcut, min=0))


@pytest.mark.parametrize(
    ("config", "parameters", "printed"),
    [
        (RESNET_18, 11_689_512, 1.8e9),
        (RESNET_34, 21_797_672, 3.6e9),
        (RESNET_50, 25_557_032, 3.8e9),
        (RESNET_101, 44_549_160, 7.6e9),
        (RESNET_152, 60_192_808, 11.3e9),
    ],
)
def test_parameters_and_costs_are_the_published_ones(config, parameters, printed):
    """Parameters as torchvision documents them (version 1.5 has the same); multiply-adds of table 1 within 2 %."""
    with torch.device("meta"):
        model = ResNet(config)
    assert n_parameters(model) == config.n_parameters == parameters
    cost = costs(model, IMAGE)[""]
    with FlopCounterMode(display=False) as counter:
        model.eval()(IMAGE)
    assert cost.flops == counter.get_total_flops()
    assert cost.multiply_adds == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize("config", [RESNET_18, RESNET_50])
def test_shapes_are_those_of_table_1(config):
    with torch.device("meta"):
        geometry = layers(ResNet(config), IMAGE)
    assert geometry["conv1"].shape == (64, 112, 112)
    for stage, (width, size) in enumerate([(64, 56), (128, 28), (256, 14), (512, 7)]):
        assert geometry[f"stages.{stage}"].shape == (width * config.expansion, size, size)
        assert geometry[f"stages.{stage}"].field.jump == 224 // size
    assert geometry[""].shape == (1000,)


def test_the_stride_stands_in_the_first_convolution_of_a_bottleneck():
    with torch.device("meta"):
        block = ResNet(RESNET_50).stages[1][0]
    assert [conv[0].stride for conv in block.residual] == [(2, 2), (1, 1), (1, 1)]


def test_initial_weights_have_the_variance_of_he():
    torch.manual_seed(0)
    model = ResNet(ResNetConfig("basic", (1,), (64,), stem=64, classes=7))
    assert model.stages[0][0].residual[0][0].weight.var().item() == pytest.approx(2 / (9 * 64), rel=0.05)
    assert model.classifier.bias.abs().max() == 0


@pytest.mark.parametrize("shape", [(2, 1, 64, 64), (3, 64, 64)])
def test_wrong_images_are_named(shape):
    with pytest.raises(ValueError, match=r"x has shape .*; allowed is \(batch, 3, height, width\)"):
        ResNet(TINY["basic"])(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block": "wide"}, "block is 'wide'; allowed are 'basic', 'bottleneck'"),
        ({"depths": ()}, r"depths is \(\); allowed is at least one integer of at least 1"),
        ({"depths": (2, 0, 2, 2)}, r"depths is \(2, 0, 2, 2\)"),
        ({"depths": (2, 2)}, "depths has 2 stages; allowed is as many as widths: 4"),
        ({"stem": 0}, "stem is 0; allowed are integers of at least 1"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ResNetConfig(**{"block": "basic", "depths": (2, 2, 2, 2), **change})


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_formula_counts_the_parameters_of_other_sizes(block):
    assert n_parameters(ResNet(TINY[block])) == TINY[block].n_parameters
