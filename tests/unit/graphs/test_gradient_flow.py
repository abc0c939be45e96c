"""The reach of gradients as a graph: against torch.nn's own layers, the package's GPT, and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlcompare.graphs import gradient_norms
from dlcompare.graphs.gradient_flow import DEPTH, LENGTH, WIDTH
from dlcompare.models import GPT, GPTConfig
from dlcompare.recording import record

D = WIDTH
close = torch.testing.assert_close


def drawn(network: str, seed: int = 1, **changes: float) -> dict[str, Tensor]:
    inputs = dict(gradient_norms(network).draw(torch.Generator().manual_seed(seed)))
    return inputs | {name: torch.tensor(value, dtype=inputs[name].dtype) for name, value in changes.items()}


def weights_of(inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The weights (layers, matrices, D, D) that are there, and the sequence (length, D)."""
    depth, length = int(inputs["depth"]), int(inputs["length"])
    weights = inputs["scale"] * math.sqrt(3 / D) * (2 * inputs["draws"][:depth] - 1)
    return weights, math.sqrt(3) * (2 * inputs["inputs"][:length] - 1)


def norms(gradients: list[Tensor]) -> Tensor:
    return torch.stack([gradient.norm(dim=-1) for gradient in gradients])


def test_weights_have_the_size_that_is_asked_for() -> None:
    weights, x = weights_of(drawn("gpt", scale=0.5, depth=DEPTH, length=LENGTH))
    assert weights.std().item() == pytest.approx(0.5 / math.sqrt(D), rel=0.05)
    assert x.std().item() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("residual", [0.0, 1.0])
def test_of_an_mlp_only_the_last_step_is_reached(residual: float) -> None:
    inputs = drawn("mlp", depth=5, length=7, residual=residual)
    weights, x = weights_of(inputs)
    values = [x[-1].requires_grad_()]
    for (w,) in weights:
        values.append(torch.tanh(w @ values[-1]) + residual * values[-1])
    gradients = torch.autograd.grad(values[-1].sum() / math.sqrt(D), values)
    found = gradient_norms("mlp")(**inputs)["norms"]
    close(found[:6, 6], torch.stack([gradient.norm() for gradient in gradients]))
    found[:6, 6] = 0
    assert not found.any()


def _load(layer: nn.RNNBase, weights: Tensor, bias: Callable[[nn.RNNBase], None]) -> nn.RNNBase:
    half = weights.shape[1] // 2
    with torch.no_grad():
        for place, matrices in enumerate(weights):
            getattr(layer, f"weight_ih_l{place}").copy_(matrices[:half].reshape(-1, D))
            getattr(layer, f"weight_hh_l{place}").copy_(matrices[half:].reshape(-1, D))
            getattr(layer, f"bias_ih_l{place}").zero_()
            getattr(layer, f"bias_hh_l{place}").zero_()
        bias(layer)
    return layer


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
def test_stacked_recurrent_layers_are_torchs(network: str) -> None:
    for seed, gate_bias in ((1, 0.0), (2, 2.5)):
        inputs = drawn(network, seed, depth=3, length=6, residual=0, gate_bias=gate_bias)
        weights, x = weights_of(inputs)
        # torch stacks an LSTM's gates as i, f, g, o and a GRU's as r, z, n: the second is the one that keeps.
        kept = slice(D, 2 * D)

        def open_gate(layer: nn.RNNBase, by: float = gate_bias, rows: slice = kept) -> None:
            for place in range(3 if not isinstance(layer, nn.RNN) else 0):
                getattr(layer, f"bias_ih_l{place}")[rows] += by

        kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[network]
        layer = _load(kind(D, D, 3), weights, open_gate)
        x.requires_grad_()
        (by_x,) = torch.autograd.grad(layer(x)[0][-1].sum() / math.sqrt(D), x)
        found = gradient_norms(network)(**inputs)["norms"]
        close(found[0, :6], by_x.norm(dim=-1))
        assert not found[4:].any()
        assert not found[:, 6:].any()
        assert found[3, 5].item() == pytest.approx(1)


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("residual", [0.0, 1.0])
def test_what_leaves_each_recurrent_layer_at_each_step(network: str, residual: float) -> None:
    """Cell by cell with torch's own, layer after layer: what is computed along diagonals is the same."""
    depth, length, gate_bias = 3, 5, 1.5
    inputs = drawn(network, 3, depth=depth, length=length, residual=residual, gate_bias=gate_bias)
    weights, x = weights_of(inputs)
    half = weights.shape[1] // 2
    cells = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
    below = list(x)
    leaving: list[list[tuple[Tensor, ...]]] = []
    for matrices in weights:
        cell = cells[network](D, D)
        with torch.no_grad():
            cell.weight_ih.copy_(matrices[:half].reshape(-1, D))
            cell.weight_hh.copy_(matrices[half:].reshape(-1, D))
            cell.bias_ih.zero_()
            cell.bias_hh.zero_()
            if network != "rnn":
                cell.bias_ih[D : 2 * D] += gate_bias
        state: tuple[Tensor, ...] = tuple(torch.zeros(1, D) for _ in range(2 if network == "lstm" else 1))
        row = []
        for t, value in enumerate(below):
            after = cell(value[None], state if network == "lstm" else state[0])
            # The cell state that goes on is a tensor of its own, so that its gradient leaves out the way through h.
            state = (after[0], after[1].clone()) if network == "lstm" else (after,)
            row.append(state)
            below[t] = state[0][0] + residual * value
        leaving.append(row)
    flat = [part for row in leaving for state in row for part in state]
    gradients = torch.autograd.grad(below[-1].sum() / math.sqrt(D), flat, materialize_grads=True)
    sizes = torch.stack([gradient.square().sum() for gradient in gradients]).view(depth, length, -1).sum(-1).sqrt()
    close(gradient_norms(network)(**inputs)["norms"][1 : depth + 1, :length], sizes)


def test_the_gpt_is_the_packages_own_without_positions_and_biases() -> None:
    inputs = drawn("gpt", 4, depth=3, length=6, residual=1, scale=1)
    weights, x = weights_of(inputs)
    config = GPTConfig(vocab_size=6, block_size=6, n_layer=3, n_head=1, d_model=D)
    gpt = GPT(config).eval()
    with torch.no_grad():
        for name, parameter in gpt.named_parameters():
            if "norm" not in name:
                parameter.zero_()
        gpt.token_embedding.weight.copy_(x)
        for block, w in zip(gpt.blocks, weights, strict=True):
            shapes = {tuple(p.shape): p for n, p in block.named_parameters() if p.ndim == 2 and "norm" not in n}
            shapes[(3 * D, D)].copy_(w[:3].reshape(-1, D))
            shapes[(D, D)].copy_(w[3])
            shapes[(4 * D, D)].copy_(w[4:8].reshape(-1, D))
            shapes[(D, 4 * D)].copy_(w[8:].reshape(4 * D, D).T / 2)
    names = [f"blocks.{place}" for place in range(3)]
    with record(gpt, "token_embedding", *names) as seen:
        gpt(torch.arange(6)[None])
    (seen["blocks.2"][0, -1].sum() / math.sqrt(D)).backward()
    expected = norms([seen.gradient(name)[0] for name in ("token_embedding", *names)])
    close(gradient_norms("gpt")(**inputs)["norms"][:4, :6], expected, rtol=1e-4, atol=1e-6)


def test_a_gpt_without_residual_connections_passes_on_only_what_its_layers_make() -> None:
    inputs = drawn("gpt", 5, depth=2, length=4, residual=0, scale=1)
    weights, x = weights_of(inputs)
    values = [x.requires_grad_()]
    for w in weights:
        normed = F.layer_norm(values[-1], (D,))
        q, k, v = (normed @ w[place].T for place in range(3))
        y = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0] @ w[3].T
        wide = F.gelu(F.layer_norm(y, (D,)) @ w[4:8].reshape(-1, D).T, approximate="tanh")
        values.append(wide @ w[8:].reshape(-1, D) / 2)
    gradients = torch.autograd.grad(values[-1][-1].sum() / math.sqrt(D), values)
    close(gradient_norms("gpt")(**inputs)["norms"][:3, :4], norms(list(gradients)), rtol=1e-4, atol=1e-6)


def test_a_small_gradient_is_not_lost() -> None:
    """Eight layers that hardly let anything in: the square of such a number would be zero in float32."""
    inputs = drawn("gru", 6, scale=0.25, gate_bias=4, depth=DEPTH, length=LENGTH, residual=0)
    graph = gradient_norms("gru")
    found = graph(**inputs)["norms"]
    previous = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        exact = {name: value.double() if value.is_floating_point() else value for name, value in inputs.items()}
        expected = graph.function(**exact)["norms"]
    finally:
        torch.set_default_dtype(previous)
    assert 0 < found[0, -1] < 1e-18
    close(found.double(), expected, rtol=1e-3, atol=0)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="network is 'cnn'; allowed are 'mlp', 'rnn', 'lstm', 'gru', 'gpt'"):
        gradient_norms("cnn")
