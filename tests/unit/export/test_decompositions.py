"""The way back through convolutions and pooling, written in operations that are exported, held against autograd."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlcompare.export import Graph, export
from dlcompare.export.decompositions import convolution_backward, max_pool_backward
from dlcompare.export.tracing import trace

#: Kernel, stride, padding, dilation, height and width: some leave rows and columns that no window reaches.
WINDOWS = [(3, 1, 1, 1, 8, 6), (3, 2, 0, 1, 8, 7), (2, 3, 1, 1, 9, 11), (3, 2, 1, 2, 12, 11), (1, 1, 0, 1, 4, 5)]


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation", "height", "width"), WINDOWS)
def test_a_convolutions_gradients_are_autograds(kernel, stride, padding, dilation, height, width) -> None:
    x = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 3, kernel, kernel, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    y = F.conv2d(x, weight, bias, stride, padding, dilation)
    gradient = torch.randn_like(y)
    expected = torch.autograd.grad(y, [x, weight, bias], gradient)
    sizes = [stride] * 2, [padding] * 2, [dilation] * 2
    given = (gradient, x.detach(), weight.detach(), [4], *sizes, False, [0, 0], 1)
    got = convolution_backward(*given, [True, True, True])
    for one, other in zip(got, expected, strict=True):
        assert one is not None
        torch.testing.assert_close(one, other)
    assert convolution_backward(*given, [False, False, False]) == (None, None, None)


def test_what_is_not_written_out_is_named() -> None:
    x, weight = torch.randn(1, 2, 5, 5), torch.randn(2, 1, 3, 3)
    given = (x, x, weight, None, [1, 1], [1, 1], [1, 1])
    with pytest.raises(NotImplementedError, match="groups is 2"):
        convolution_backward(*given, False, [0, 0], 2, [True, True, False])
    with pytest.raises(NotImplementedError, match="transposed is True"):
        convolution_backward(*given, True, [0, 0], 1, [True, True, False])


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation", "height", "width"), WINDOWS)
def test_max_poolings_gradient_is_autograds(kernel, stride, padding, dilation, height, width) -> None:
    if 2 * padding > kernel:
        padding = 0
    x = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    y, indices = F.max_pool2d(x, kernel, stride, padding, dilation, return_indices=True)
    gradient = torch.randn_like(y)
    (expected,) = torch.autograd.grad(y, x, gradient)
    sides = [kernel] * 2, [stride] * 2, [padding] * 2, [dilation] * 2
    torch.testing.assert_close(max_pool_backward(gradient, x.detach(), *sides, False, indices), expected)


def test_a_maximum_of_several_windows_gets_the_sum() -> None:
    x = torch.zeros(1, 1, 3, 3)
    x[0, 0, 1, 1] = 1.0  # the maximum of all four windows
    y, indices = F.max_pool2d(x, 2, 1, return_indices=True)
    got = max_pool_backward(torch.ones_like(y), x, [2, 2], [1, 1], [0, 0], [1, 1], False, indices)
    assert got[0, 0, 1, 1] == 4
    assert got.sum() == 4


def _training_step(network: nn.Module) -> Graph:
    """The gradients of a small CNN's logit by its image and by all its parameters."""

    def function(image: Tensor, which: Tensor) -> dict[str, Tensor]:
        x = image.detach().requires_grad_()
        with torch.enable_grad():
            logits = network(x)[0]
            chosen = (logits * (torch.arange(3) == which).to(logits.dtype)).sum()
        names = [name for name, _ in network.named_parameters()]
        found = torch.autograd.grad(chosen, [x, *network.parameters()])
        keys = ["image", *(name.replace(".", "_") for name in names)]
        return {"logits": logits, **{f"d_{key}": value for key, value in zip(keys, found, strict=True)}}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        which = torch.randint(3, (), generator=generator, dtype=torch.int32)
        return {"image": torch.randn(1, 1, 9, 8, generator=generator), "which": which}

    return Graph("cnn-step", function, draw)


def test_the_way_back_through_a_cnn_is_exported(tmp_path: Path) -> None:
    """Its parity with torch is checked where it is written; here, that autograd's own operations are gone."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3, stride=2), nn.Tanh(),
        nn.Flatten(), nn.Linear(5, 3),
    )  # fmt: skip
    graph = _training_step(network)
    operations = {str(node.target) for node in trace(graph).operations.graph.nodes}
    assert not any(
        name in operation for operation in operations for name in ("convolution_b", "max_pool2d_with_indices_b")
    )
    exported = export(graph, tmp_path)
    assert len(exported.parity) == 2 + len(list(network.parameters()))
    assert max(exported.parity.values()) < 1e-5


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_recurrent_layer_is_exported_step_by_step(kind: str, tmp_path: Path) -> None:
    layer = getattr(nn, kind)(3, 4, batch_first=True).eval()

    def function(x: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            return {"y": layer(x)[0]}

    graph = Graph("recurrent", function, lambda generator: {"x": torch.randn(1, 5, 3, generator=generator)})
    before = torch._C._get_mkldnn_enabled()
    assert export(graph, tmp_path).parity["y"] < 1e-5
    assert torch._C._get_mkldnn_enabled() == before
