"""The article's equations by hand against autograd, and against the definition of the derivative."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlcompare.models import MLP, MLPConfig
from dlcompare.models.backpropagation import Layers, backpropagate, feed_forward, gradient_step

CASES = {
    "sizes": st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple),
    "activation": st.sampled_from(["relu", "tanh", "sigmoid"]),
    "loss": st.sampled_from(["cross_entropy", "squared_error"]),
    "batch": st.integers(1, 6),
    "seed": st.integers(0, 99),
}


def case(sizes, activation, loss, batch, seed):
    """An MLP with all its weights drawn anew, an input and a target."""
    torch.manual_seed(seed)
    network = MLP(MLPConfig(sizes, activation)).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(batch, sizes[0], dtype=torch.float64, requires_grad=True)
    if loss == "cross_entropy":
        return network, x, torch.randint(sizes[-1], (batch,))
    return network, x, torch.randn(batch, sizes[-1], dtype=torch.float64)


def torchs_loss(loss, output, target):
    if loss == "cross_entropy":
        return F.cross_entropy(output, target)
    return F.mse_loss(output, target, reduction="sum") / 2 / len(output)


def in_order(layers):
    """Weights and biases as ``network.parameters()`` has them: W^1, b^1, W^2, …"""
    return [values[l] for l in layers.w for values in (layers.w, layers.b)]


@settings(deadline=None, max_examples=25)
@given(**CASES)
def test_equals_autograd(sizes, activation, loss, batch, seed):
    network, x, target = case(sizes, activation, loss, batch, seed)
    outputs = []  # after each Linear and each activation
    for layer in network.layers:
        layer.register_forward_hook(lambda module, inputs, output: output.retain_grad() or outputs.append(output))
    expected = torchs_loss(loss, network(x), target)
    expected.backward()

    trace = backpropagate(Layers.of(network), x.detach(), target, loss)
    L = len(sizes) - 1
    assert list(trace.y) == list(trace.dy) == list(range(L + 1))
    assert list(trace.z) == list(trace.dz) == list(trace.dw) == list(trace.db) == list(range(1, L + 1))
    torch.testing.assert_close(trace.loss, expected.detach(), rtol=1e-10, atol=1e-10)
    for l in range(1, L + 1):
        z, y = outputs[2 * l - 2], outputs[2 * l - 1 if l < L else 2 * l - 2]
        for ours, theirs in ((trace.z, z), (trace.y, y), (trace.dz, z.grad), (trace.dy, y.grad)):
            torch.testing.assert_close(ours[l], theirs.detach(), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(trace.dy[0], x.grad, rtol=1e-10, atol=1e-10)
    for ours, parameter in zip(trace.gradients, network.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad, rtol=1e-10, atol=1e-10)
        assert not ours.requires_grad


@settings(deadline=None, max_examples=15)
@given(**CASES)
def test_equals_central_differences(sizes, activation, loss, batch, seed):
    network, x, target = case(sizes, activation, loss, batch, seed)
    x = x.detach()
    layers = Layers.of(network)
    trace = backpropagate(layers, x, target, loss)
    # A difference across ReLU's corner is no derivative; a test of its own is about the corner.
    assume(activation != "relu" or min(z.abs().min() for z in trace.z.values()) > 1e-4)
    step = 1e-6
    for l in layers.w:
        for values, gradient in ((layers.w[l], trace.dw[l]), (layers.b[l], trace.db[l])):
            for index in map(tuple, torch.cartesian_prod(*map(torch.arange, values.shape)).view(-1, values.ndim)):
                original = values[index].clone()
                values[index] = original + step
                above = backpropagate(layers, x, target, loss).loss
                values[index] = original - step
                below = backpropagate(layers, x, target, loss).loss
                values[index] = original
                slope = (above - below) / (2 * step)
                assert abs(slope - gradient[index]) <= 1e-6 * max(1, abs(slope))


@settings(deadline=None, max_examples=15)
@given(**CASES)
def test_a_step_is_sgds(sizes, activation, loss, batch, seed):
    network, x, target = case(sizes, activation, loss, batch, seed)
    before = Layers.of(network)
    after = gradient_step(before, backpropagate(before, x.detach(), target, loss), learning_rate=0.3)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    torchs_loss(loss, network(x), target).backward()
    untouched = [parameter.detach().clone() for parameter in network.parameters()]
    optimizer.step()
    for ours, theirs in zip(in_order(after), network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(in_order(before), untouched, strict=True):
        assert torch.equal(ours, theirs)  # neither the step nor SGD wrote to them
    assert after.activation == activation


def test_relu_has_no_slope_at_zero_as_in_torch():
    layers = Layers([torch.eye(3), torch.ones(1, 3)], [torch.zeros(3), torch.zeros(1)], "relu")
    x = torch.tensor([[-1.0, 0.0, 1.0]], requires_grad=True)
    trace = backpropagate(layers, x.detach(), torch.zeros(1, 1), "squared_error")
    (torchs_loss("squared_error", torch.relu(x).sum(1, keepdim=True), torch.zeros(1, 1))).backward()
    assert torch.equal(trace.dy[0], x.grad)
    assert trace.dy[0].tolist() == [[0.0, 0.0, 1.0]]


def test_one_layer_is_linear_regression():
    torch.manual_seed(0)
    w, b = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, dtype=torch.float64)
    x, target = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    trace = backpropagate(Layers([w], [b], "sigmoid"), x, target, "squared_error")
    error = x @ w.T + b - target  # no activation after the last layer
    assert torch.allclose(trace.dw[1], error.T @ x / 4, atol=1e-12)
    assert torch.allclose(trace.db[1], error.mean(0), atol=1e-12)


def test_cross_entropy_survives_large_logits():
    layers = Layers([torch.tensor([[1000.0], [-1000.0]])], [torch.zeros(2)])
    trace = backpropagate(layers, torch.ones(1, 1), torch.tensor([1]))
    assert trace.loss == 2000
    assert trace.dy[1].tolist() == [[1.0, -1.0]]


def test_images_are_laid_out_in_one_row():
    torch.manual_seed(0)
    network = MLP(MLPConfig((12, 4, 3), "tanh")).double()
    x = torch.randn(2, 1, 3, 4, dtype=torch.float64)
    y, z = feed_forward(Layers.of(network), x)
    assert torch.allclose(y[2], network(x), atol=1e-12)
    assert [tuple(t.shape) for t in (y[0], z[1], y[1], z[2])] == [(2, 12), (2, 4), (2, 4), (2, 3)]


def test_bad_arguments_are_named():
    w, b = torch.zeros(3, 2), torch.zeros(3)
    with pytest.raises(ValueError, match="activation is 'gelu'; allowed are 'relu', 'tanh', 'sigmoid'"):
        Layers([w], [b], "gelu")
    with pytest.raises(ValueError, match="weights is empty"):
        Layers([], [])
    with pytest.raises(ValueError, match="biases holds 2 tensors; allowed is one per matrix: 1"):
        Layers([w], [b, b])
    with pytest.raises(ValueError, match=r"weights of layer 1 have shape \(3,\); allowed is \(n_1, n_0\)"):
        Layers([b], [b])
    with pytest.raises(ValueError, match=r"weights of layer 2 have shape \(3, 2\); allowed is \(n_2, 3\)"):
        Layers([w, w], [b, b])
    with pytest.raises(ValueError, match=r"biases of layer 1 have shape \(2,\); allowed is \(3,\)"):
        Layers([w], [torch.zeros(2)])

    layers, x, labels = Layers([w], [b]), torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64)
    for bad in (torch.zeros(2), torch.zeros(0, 2), torch.zeros(4, 3)):
        with pytest.raises(ValueError, match=r"x has shape .* n_0 = 2 numbers per example"):
            feed_forward(layers, bad)
    with pytest.raises(ValueError, match="loss is 'hinge'; allowed are 'cross_entropy', 'squared_error'"):
        backpropagate(layers, x, labels, "hinge")
    with pytest.raises(ValueError, match=r"target has shape \(3,\) and dtype torch.int64; allowed are .* \(4,\)"):
        backpropagate(layers, x, labels[:3])
    with pytest.raises(ValueError, match=r"target has shape .* and dtype torch.float32; allowed are .* torch.int64"):
        backpropagate(layers, x, labels.float())
    with pytest.raises(ValueError, match="target contains 3; allowed are 0 to 2"):
        backpropagate(layers, x, labels + 3)
    with pytest.raises(ValueError, match="target contains -1; allowed are 0 to 2"):
        backpropagate(layers, x, labels - 1)
    with pytest.raises(ValueError, match=r"target has shape \(4,\); allowed is that of the output: \(4, 3\)"):
        backpropagate(layers, x, labels, "squared_error")

    trace = backpropagate(layers, x, labels)
    for rate in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"learning_rate is {rate}; allowed are positive numbers"):
            gradient_step(layers, trace, rate)
    with pytest.raises(ValueError, match=r"trace is of layers with weights \[\(3, 2\)\]; allowed are .* \[\(1, 2\)\]"):
        gradient_step(Layers([torch.zeros(1, 2)], [torch.zeros(1)]), trace, 0.1)
