"""Recurrent cells gate by gate, and the recurrence unrolled: Elman's RNN, the LSTM, the GRU.

:mod:`dlcompare.models.recurrent` trains with ``torch.nn``'s fused kernels, which hide their gates. Here each equation
is a line and each gate passes through a :class:`~dlcompare.models.tap.Tap`, so that it can be recorded. The
parameters have the names, shapes and order of ``torch.nn.RNNCell``, ``LSTMCell`` and ``GRUCell``, so that theirs can
be loaded as they are: the matrices of a cell's gates lie one above the other, and each gate has two biases, one of
which would do (but not in a GRU's candidate).
"""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn

from dlcompare.models.checks import check_positive
from dlcompare.models.recurrent import Recurrent, RecurrentLM, State
from dlcompare.models.tap import Tap

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "UnrolledRecurrence", "unrolled"]


class _Cell(nn.Module):
    """What the cells share: stacked matrices W (input) and U (hidden state) with a bias each, drawn as torch's are.

    Parameters
    ----------
    input_size
        numbers per time step.
    hidden_size
        width of the hidden state.
    """

    gates: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        check_positive(self, "input_size", "hidden_size")
        self.weight_ih = nn.Parameter(torch.empty(self.gates * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(self.gates * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(self.gates * hidden_size))
        self.bias_hh = nn.Parameter(torch.empty(self.gates * hidden_size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    def check(self, x: Tensor, **state: Tensor) -> None:
        """Raise ValueError unless x is (batch, input_size) and each part of the state (batch, hidden_size)."""
        if x.ndim != 2 or x.shape[1] != self.input_size:
            raise ValueError(f"x has shape {tuple(x.shape)}; allowed is (batch, input_size = {self.input_size})")
        for name, value in state.items():
            if value.shape != (len(x), self.hidden_size):
                raise ValueError(
                    f"{name} has shape {tuple(value.shape)}; "
                    f"allowed is (batch = {len(x)}, hidden_size = {self.hidden_size})"
                )


class RNNCell(_Cell):
    r"""A step of Elman's network (1990).

    .. math:: h_t = \tanh(W x_t + U h_{t-1} + b)

    Elman's units lie between 0 and 1; tanh, between -1 and 1, is torch's choice. The tap is ``hidden``.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.hidden = Tap()

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Map an input (batch, input_size) and a hidden state (batch, hidden_size) to the next hidden state."""
        self.check(x, h=h)
        W, U = self.weight_ih, self.weight_hh  # (hidden, input), (hidden, hidden)
        b = self.bias_ih + self.bias_hh  # (hidden,)
        h = self.hidden(torch.tanh(x @ W.T + h @ U.T + b))  # (batch, hidden)
        return h


class LSTMCell(_Cell):
    r"""A step of long short-term memory (Hochreiter & Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    .. math::

       i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i) && \text{input gate} \\
       f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) && \text{forget gate} \\
       g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) && \text{candidate} \\
       o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) && \text{output gate} \\
       c_t &= f_t \odot c_{t-1} + i_t \odot g_t && \text{cell state} \\
       h_t &= o_t \odot \tanh(c_t) && \text{hidden state}

    The paper of 1997 has no f (it is 1), squashes candidate and cell by scaled logistic functions instead of tanh,
    and cuts off the gradients that leave a cell through the gates; here, as in torch, they flow. There are no
    peepholes. The taps are ``input_gate``, ``forget_gate``, ``candidate``, ``output_gate``, ``cell`` and ``hidden``.
    """

    gates = 4

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.input_gate = Tap()
        self.forget_gate = Tap()
        self.candidate = Tap()
        self.output_gate = Tap()
        self.cell = Tap()
        self.hidden = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Map an input (batch, input_size) and a state (h, c), each (batch, hidden_size), to the next state."""
        h, c = state
        self.check(x, h=h, c=c)
        W_i, W_f, W_g, W_o = self.weight_ih.chunk(4)  # each (hidden, input)
        U_i, U_f, U_g, U_o = self.weight_hh.chunk(4)  # each (hidden, hidden)
        b_i, b_f, b_g, b_o = (self.bias_ih + self.bias_hh).chunk(4)  # each (hidden,)

        i = self.input_gate(torch.sigmoid(x @ W_i.T + h @ U_i.T + b_i))  # (batch, hidden)
        f = self.forget_gate(torch.sigmoid(x @ W_f.T + h @ U_f.T + b_f))  # (batch, hidden)
        g = self.candidate(torch.tanh(x @ W_g.T + h @ U_g.T + b_g))  # (batch, hidden)
        o = self.output_gate(torch.sigmoid(x @ W_o.T + h @ U_o.T + b_o))  # (batch, hidden)
        c = self.cell(f * c + i * g)  # (batch, hidden)
        h = self.hidden(o * torch.tanh(c))  # (batch, hidden)
        return h, c


class GRUCell(_Cell):
    r"""A step of the gated recurrent unit (Cho et al. 2014, equations 5 to 8), in torch's variant.

    .. math::

       r_t &= \sigma(W_r x_t + b_{Wr} + U_r h_{t-1} + b_{Ur}) && \text{reset gate} \\
       z_t &= \sigma(W_z x_t + b_{Wz} + U_z h_{t-1} + b_{Uz}) && \text{update gate} \\
       n_t &= \tanh(W_n x_t + b_{Wn} + r_t \odot (U_n h_{t-1} + b_{Un})) && \text{candidate} \\
       h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1} && \text{hidden state}

    Here z = 1 keeps the old state, as in Cho et al. 2014, equation 7 (Chung et al. 2014, arXiv:1412.3555, write the
    two the other way round). Cho et al. reset the state *before* the matrix product, tanh(W x + U (r ⊙ h)), and
    write no biases; here, as in torch and cuDNN, r acts on the product, which is why the candidate's two biases do
    not merge into one. The taps are ``reset_gate``, ``update_gate``, ``candidate`` and ``hidden``.
    """

    gates = 3

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.reset_gate = Tap()
        self.update_gate = Tap()
        self.candidate = Tap()
        self.hidden = Tap()

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Map an input (batch, input_size) and a hidden state (batch, hidden_size) to the next hidden state."""
        self.check(x, h=h)
        W_r, W_z, W_n = self.weight_ih.chunk(3)  # each (hidden, input)
        U_r, U_z, U_n = self.weight_hh.chunk(3)  # each (hidden, hidden)
        b_Wr, b_Wz, b_Wn = self.bias_ih.chunk(3)  # each (hidden,)
        b_Ur, b_Uz, b_Un = self.bias_hh.chunk(3)  # each (hidden,)

        r = self.reset_gate(torch.sigmoid(x @ W_r.T + h @ U_r.T + b_Wr + b_Ur))  # (batch, hidden)
        z = self.update_gate(torch.sigmoid(x @ W_z.T + h @ U_z.T + b_Wz + b_Uz))  # (batch, hidden)
        n = self.candidate(torch.tanh(x @ W_n.T + b_Wn + r * (h @ U_n.T + b_Un)))  # (batch, hidden)
        h = self.hidden((1 - z) * n + z * h)  # (batch, hidden)
        return h


_CELLS: dict[type[nn.RNNBase], type[_Cell]] = {nn.RNN: RNNCell, nn.LSTM: LSTMCell, nn.GRU: GRUCell}


class UnrolledRecurrence(nn.Module):
    """A recurrence of torch run step by step through this module's cells, on the very same parameters.

    It maps what the fused one maps, batch first: (x, state) to (hidden, state). Layer l's cell is ``layers.l``, and
    its taps run once per time step. In training with dropout its masks are drawn in another order.

    Parameters
    ----------
    fused
        a ``torch.nn.RNN`` with tanh, ``LSTM`` or ``GRU`` of any depth, ``batch_first``, with biases, in one direction
        and without projection. Its parameters are shared, not copied: a gradient or a step of one is the other's.

    Raises
    ------
    ValueError
        when ``fused`` is none of these.
    """

    def __init__(self, fused: nn.RNNBase):
        super().__init__()
        if type(fused) not in _CELLS or getattr(fused, "nonlinearity", "tanh") != "tanh":
            raise ValueError(f"fused is {fused}; allowed are torch.nn.RNN with tanh, torch.nn.LSTM and torch.nn.GRU")
        if not fused.batch_first or not fused.bias or fused.bidirectional or fused.proj_size:
            raise ValueError(
                f"fused is {fused}; allowed is batch_first, with biases, in one direction, without projection"
            )
        self.hidden_size = fused.hidden_size
        self.is_lstm = isinstance(fused, nn.LSTM)
        self.layers = nn.ModuleList()
        for layer in range(fused.num_layers):
            with torch.device("meta"):  # its own parameters are never drawn: the shared ones take their place
                cell = _CELLS[type(fused)](fused.input_size if layer == 0 else fused.hidden_size, fused.hidden_size)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                setattr(cell, name, getattr(fused, f"{name}_l{layer}"))
            self.layers.append(cell)
        self.dropout = nn.Dropout(fused.dropout)
        self.train(fused.training)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Map (batch, seq, input_size) and a state, by default zeros, to (batch, seq, hidden_size) and a state.

        A state is (n_layer, batch, hidden_size), an LSTM's a pair (h, c) of such.

        Raises
        ------
        ValueError
            when ``x`` or ``state`` has another shape.
        """
        if x.ndim != 3 or not x.shape[1]:
            raise ValueError(f"x has shape {tuple(x.shape)}; allowed is (batch, seq, input_size) with seq ≥ 1")
        states = self._by_layer(x, state)
        for layer, cell in enumerate(self.layers):
            outputs = []
            for x_t in x.unbind(1):  # (batch, input_size)
                states[layer] = cell(x_t, states[layer])  # h or (h, c), each (batch, hidden_size)
                outputs.append(states[layer][0] if self.is_lstm else states[layer])
            x = torch.stack(outputs, dim=1)  # (batch, seq, hidden_size)
            if layer < len(self.layers) - 1:
                x = self.dropout(x)
        if self.is_lstm:
            h, c = zip(*states, strict=True)
            return x, (torch.stack(h), torch.stack(c))  # each (n_layer, batch, hidden_size)
        return x, torch.stack(states)  # (n_layer, batch, hidden_size)

    def _by_layer(self, x: Tensor, state: State | None) -> list[Any]:
        """Split a state into one per layer: h, or (h, c)."""
        n_layer = len(self.layers)
        if state is None:
            zeros = x.new_zeros(n_layer, len(x), self.hidden_size)  # (n_layer, batch, hidden_size)
            state = (zeros, zeros) if self.is_lstm else zeros
        parts = state if isinstance(state, tuple) else (state,)
        if len(parts) != 1 + self.is_lstm or any(len(part) != n_layer for part in parts):
            form = "a pair (h, c), each" if self.is_lstm else "one tensor"
            shapes = " and ".join(str(tuple(part.shape)) for part in parts)
            raise ValueError(f"state has shape {shapes}; allowed is {form} ({n_layer}, batch, {self.hidden_size})")
        return list(zip(*parts, strict=True)) if self.is_lstm else list(parts[0])


Model = TypeVar("Model", Recurrent, RecurrentLM)


def unrolled(model: Model) -> Model:
    """Return ``model`` with its recurrence run by this module's cells, on the very same parameters.

    Outputs, states and gradients are the fused ones' up to rounding; every gate of every layer has a name, such as
    ``recurrence.layers.0.forget_gate``, and runs once per time step. The model handed in stays as it is, but its
    parameters are shared: what one learns the other knows. For looking, not for training: it takes a Python step per
    time step. Parameters have other names here, so save checkpoints from the original.

    Raises
    ------
    ValueError
        for a model that is not a Recurrent or a RecurrentLM, or is unrolled already.
    """
    if not isinstance(model, Recurrent | RecurrentLM) or isinstance(model.recurrence, UnrolledRecurrence):
        raise ValueError(f"model is {model}; allowed are Recurrent and RecurrentLM, not yet unrolled")
    twin = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    twin.add_module("recurrence", UnrolledRecurrence(model.recurrence))
    return twin
