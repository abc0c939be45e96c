"""How far a gradient reaches, by depth and by time: an MLP, an RNN, an LSTM, a GRU and a GPT with random weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dlcompare.export import Graph

__all__ = ["DEPTH", "LENGTH", "MATRICES", "WIDTH", "gradient_norms"]

#: Numbers in each activation.
WIDTH = 10
#: The most layers.
DEPTH = 8
#: The most steps of a sequence.
LENGTH = 16
#: The networks, in the order of the figure, with the square matrices that a layer of each has.
MATRICES = {"mlp": 1, "rnn": 2, "lstm": 8, "gru": 6, "gpt": 12}
#: Norms below are zero.
LEAST = 1e-30


@dataclass(frozen=True)
class _Settings:
    """What the reader chooses beside the weights: two numbers, without axes."""

    gate_bias: Tensor
    residual: Tensor


@dataclass(frozen=True)
class _Pass:
    """A forward pass: ``outputs`` (layers, steps, d), and what leaves each layer at each step as it was computed.

    ``place`` brings the gradients by ``nodes`` into the order (layers, steps, numbers).
    """

    outputs: Tensor
    nodes: list[Tensor]
    place: Callable[[list[Tensor]], Tensor]


def _mlp(weights: Tensor, x: Tensor, settings: _Settings) -> _Pass:
    """Each step by itself: y = tanh(W y), plus y with residual connections."""
    nodes = [x]
    for layer in weights.unbind(0):  # (1, d, d)
        below = nodes[-1]  # (steps, d)
        nodes.append(torch.tanh(below @ layer[0].T) + settings.residual * below)
    return _Pass(torch.stack(nodes[1:]), nodes[1:], torch.stack)


def _attention(x: Tensor, query: Tensor, key: Tensor, value: Tensor, output: Tensor) -> Tensor:
    """One causal head over (steps, d)."""
    later = torch.ones(len(x), len(x)).triu(1) > 0
    scores = (x @ query.T) @ (x @ key.T).T / math.sqrt(x.shape[1])  # (steps, steps)
    mixed = scores.masked_fill(later, -math.inf).softmax(-1) @ (x @ value.T)
    return mixed @ output.T


def _gpt(weights: Tensor, x: Tensor, settings: _Settings) -> _Pass:
    """Blocks of GPT-2, normalised first, with one head and without biases and positions; a node is a block's output."""
    d = x.shape[1]
    nodes = [x]
    for layer in weights.unbind(0):  # (12, d, d)
        y = settings.residual * nodes[-1] + _attention(F.layer_norm(nodes[-1], (d,)), *layer[:4].unbind(0))
        wide = F.gelu(F.layer_norm(y, (d,)) @ layer[4:8].reshape(4 * d, d).T, approximate="tanh")  # (steps, 4 d)
        # The last sums are over four times as many numbers as the others.
        nodes.append(settings.residual * y + wide @ layer[8:].reshape(4 * d, d) / 2)
    return _Pass(torch.stack(nodes[1:]), nodes[1:], torch.stack)


#: A cell of all layers at once, on columns (layers, d, 1): what comes from below, and the state, (h,) or (h, c).
_Cell = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]]


def _stacked(weights: Tensor) -> Tensor:
    """Matrices (layers, n, d, d) one above the other, (layers, n · d, d)."""
    layers, n, d, _ = weights.shape
    return weights.reshape(layers, n * d, d)


def _rnn_cell(weights: Tensor, settings: _Settings) -> _Cell:
    w, u = weights.unbind(1)  # each (layers, d, d)
    return lambda below, state: (torch.tanh(torch.bmm(w, below) + torch.bmm(u, state[0])),)


def _lstm_cell(weights: Tensor, settings: _Settings) -> _Cell:
    layers, _, d, _ = weights.shape
    w, u = _stacked(weights[:, :4]), _stacked(weights[:, 4:])  # each (layers, 4 d, d)

    def step(below: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h, c = state
        i, f, g, o = (torch.bmm(w, below) + torch.bmm(u, h)).view(layers, 4, d, 1).unbind(1)
        c = torch.sigmoid(f + settings.gate_bias) * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c.clone()  # what goes to the next step, apart from what h is made of

    return step


def _gru_cell(weights: Tensor, settings: _Settings) -> _Cell:
    layers, _, d, _ = weights.shape
    w, u = _stacked(weights[:, :3]), _stacked(weights[:, 3:])  # each (layers, 3 d, d)

    def step(below: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        (h,) = state
        r_x, z_x, n_x = torch.bmm(w, below).view(layers, 3, d, 1).unbind(1)
        r_h, z_h, n_h = torch.bmm(u, h).view(layers, 3, d, 1).unbind(1)
        z = torch.sigmoid(z_x + z_h + settings.gate_bias)
        n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
        return (n + z * (h - n),)  # (1 - z) n + z h

    return step


def _recurrent(make: Callable[[Tensor, _Settings], _Cell], parts: int) -> Callable[[Tensor, Tensor, _Settings], _Pass]:
    """Stacked recurrent layers, all at once along a diagonal: in round k, layer l does its step k - l.

    What a layer needs, its own state and what the layer below hands up, is both of the round before. So a graph has one
    cell for each round and not one for each layer and step.
    """

    def run(weights: Tensor, x: Tensor, settings: _Settings) -> _Pass:
        layers, (steps, d) = len(weights), x.shape
        rounds = steps + layers - 1
        cell = make(weights, settings)
        state = tuple(torch.zeros(layers, d, 1) for _ in range(parts))
        handed = torch.zeros(layers, d)  # what each layer hands up
        upwards = torch.eye(layers).roll(1, 0).tril()  # to the layer above
        # In round k the first layer reads x_k, for which there is a place in each round.
        first = F.pad(x.unsqueeze(1), (0, 0, 0, layers - 1, 0, layers - 1)).unbind(0)  # each (layers, d)
        begun = torch.ones(rounds, layers).tril()[:, :, None, None].unbind(0)  # each (layers, 1, 1)
        nodes, outputs = [], []
        for k in range(rounds):
            below = (upwards @ handed + first[k]).unsqueeze(2)  # (layers, d, 1)
            state = cell(below, state)
            if k < layers - 1:
                state = tuple(part * begun[k] for part in state)
            handed = (state[0] + settings.residual * below).view(layers, d)
            nodes.append(state)
            outputs.append(handed)
        layer = torch.arange(layers)[:, None]
        row = (layer + torch.arange(steps)) * layers + layer  # (layers, steps)

        def ordered(values: list[Tensor]) -> Tensor:
            return torch.cat(values).index_select(0, row.flatten()).view(layers, steps, d)

        def place(values: list[Tensor]) -> Tensor:
            return torch.cat([ordered(values[part::parts]) for part in range(parts)], dim=2)

        return _Pass(ordered(outputs), [part for node in nodes for part in node], place)

    return run


_NETWORKS: dict[str, Callable[[Tensor, Tensor, _Settings], _Pass]] = {
    "mlp": _mlp,
    "rnn": _recurrent(_rnn_cell, 1),
    "lstm": _recurrent(_lstm_cell, 2),
    "gru": _recurrent(_gru_cell, 1),
    "gpt": _gpt,
}


def _norms(gradients: Tensor) -> Tensor:
    # Scaled first: the square of a small number would be zero.
    largest = gradients.abs().amax(-1, keepdim=True).clamp_min(LEAST)
    return (largest * (gradients / largest).square().sum(-1, keepdim=True).sqrt())[..., 0]


def gradient_norms(network: str) -> Graph:
    r"""Return the graph of the gradient of a loss at the last step, by what every layer hands on at every step.

    Its name is ``gradient-`` and the network: "mlp", "rnn", "lstm", "gru" or "gpt", each ``WIDTH`` numbers wide,
    without biases but the one below. The loss is the sum of the last output's numbers over the square root of the
    width: so at the last layer and step the gradient has the norm 1 for all networks. Gradients are PyTorch's
    autograd's.

    Inputs: ``draws`` (DEPTH, matrices, WIDTH, WIDTH), numbers from 0 to 1, which become weights of the mean 0 and the
    standard deviation ``scale``/√WIDTH; ``inputs`` (LENGTH, WIDTH), numbers from 0 to 1, which become the sequence, of
    mean 0 and standard deviation 1; ``scale``; ``gate_bias``, which is added within an LSTM's forget gate and a GRU's
    update gate; ``residual``, 1 for connections around each layer (in a GPT around each half of a block), 0 for none;
    all float32; and ``depth`` and ``length``, int32, how many layers and steps there are. Output ``norms``
    (DEPTH + 1, LENGTH): the norm of the gradient by the sequence, then by what leaves each layer: its output, of a
    recurrent layer its state, of an LSTM hidden and cell state together. It is 0 where nothing leads to the loss.

    Raises
    ------
    ValueError
        for an unknown network.
    """
    if network not in MATRICES:
        raise ValueError(f"network is {network!r}; allowed are {', '.join(map(repr, MATRICES))}")
    forward = _NETWORKS[network]

    def run(
        draws: Tensor,
        inputs: Tensor,
        scale: Tensor,
        gate_bias: Tensor,
        residual: Tensor,
        depth: Tensor,
        length: Tensor,
    ) -> dict[str, Tensor]:
        weights = scale * math.sqrt(3 / WIDTH) * (2 * draws - 1)
        x = (math.sqrt(3) * (2 * inputs - 1)).requires_grad_()
        with torch.enable_grad():
            done = forward(weights, x, _Settings(gate_bias, residual))
            last = (depth.long() - 1) * LENGTH + length.long() - 1
            output = done.outputs.reshape(DEPTH * LENGTH, WIDTH).index_select(0, last.view(1))
            loss = output.sum() / math.sqrt(WIDTH)
        gradients = torch.autograd.grad(loss, [x, *done.nodes], materialize_grads=True)
        by_input, by_node = gradients[0], done.place(list(gradients[1:]))
        return {"norms": torch.cat([_norms(by_input)[None], _norms(by_node)])}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        def number(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand((), generator=generator)

        def whole(most: int) -> Tensor:
            return torch.randint(1, most + 1, (), generator=generator, dtype=torch.int32)

        return {
            "draws": torch.rand(DEPTH, MATRICES[network], WIDTH, WIDTH, generator=generator),
            "inputs": torch.rand(LENGTH, WIDTH, generator=generator),
            "scale": number(0.25, 1.25),
            "gate_bias": number(0, 4),
            "residual": number(0, 2).floor(),
            "depth": whole(DEPTH),
            "length": whole(LENGTH),
        }

    # Without residual connections, eight layers with their normalisations multiply what float32 has rounded.
    return Graph(f"gradient-{network}", run, draw, tolerance=5e-4 if network == "gpt" else 1e-4)
