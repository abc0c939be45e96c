"""A recurrent language model that reads characters one by one, with every gate, every state and one unit's sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.models import RecurrentLM
from dlcompare.models.recurrent import Kind

__all__ = ["GATES", "LONGEST", "PARTS", "recurrent_pass"]

#: Characters that are read: a shorter text is filled up, and what stands behind it changes nothing before it.
LONGEST = 32
#: What a cell puts out at each step, by the names of its taps, in the order in which it is computed.
PARTS: dict[Kind, tuple[str, ...]] = {
    "rnn": ("hidden",),
    "lstm": ("forget_gate", "input_gate", "candidate", "output_gate", "cell", "hidden"),
    "gru": ("reset_gate", "update_gate", "candidate", "hidden"),
}
#: Those of them that are a function of one sum over input and state, in the order of torch's stacked matrices.
GATES: dict[Kind, tuple[str, ...]] = {
    "rnn": ("hidden",),
    "lstm": ("input_gate", "forget_gate", "candidate", "output_gate"),
    "gru": ("reset_gate", "update_gate", "candidate"),
}


State = Mapping[str, Tensor]
_Step = Callable[[Tensor, Tensor, State], dict[str, Tensor]]


def _rnn(x: Tensor, h: Tensor, before: State) -> dict[str, Tensor]:
    return {"hidden": (x + h)[0].tanh()}


def _lstm(x: Tensor, h: Tensor, before: State) -> dict[str, Tensor]:
    i, f, g, o = (x + h).unbind(0)  # each (d,)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * before["cell"] + i * g
    return {
        "forget_gate": f,
        "input_gate": i,
        "candidate": g,
        "output_gate": o,
        "cell": c,
        "hidden": o * c.tanh(),
    }


def _gru(x: Tensor, h: Tensor, before: State) -> dict[str, Tensor]:
    r, z = (x[:2] + h[:2]).sigmoid().unbind(0)  # each (d,)
    n = (x[2] + r * h[2]).tanh()
    return {"reset_gate": r, "update_gate": z, "candidate": n, "hidden": (1 - z) * n + z * before["hidden"]}


#: One step, from what input and state give to each gate, (gates, d) each with its bias. It is that of
#: :mod:`dlcompare.models.cells`, with one matrix product for all gates: a graph of fewer operations.
_STEPS: dict[Kind, _Step] = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}


def _after_zeros(states: Tensor) -> Tensor:
    """Return what stood before each step, (seq, d), from what stands after it."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def _combined(kind: Kind, at_unit: State, before: State) -> dict[str, Tensor]:
    """Return the products that make up the new state of one unit, each (seq,)."""
    if kind == "lstm":
        return {
            "kept": at_unit["forget_gate"] * before["cell"],
            "written": at_unit["input_gate"] * at_unit["candidate"],
            "tanh_cell": at_unit["cell"].tanh(),
        }
    if kind == "gru":
        rest = 1 - at_unit["update_gate"]
        return {"kept": at_unit["update_gate"] * before["hidden"], "rest": rest, "written": rest * at_unit["candidate"]}
    return {}


def recurrent_pass(model: RecurrentLM) -> Graph:
    """Return the graph of a recurrent language model of one layer over a text, character by character.

    Its name is ``recurrent-`` and the model's kind. The equations are those of :mod:`dlcompare.models.cells`, on the
    model's own parameters.

    Inputs, int32: ``ids`` (LONGEST,), a text filled up with any ids; ``unit``, a scalar, the one that is looked into;
    ``gate``, a scalar, which of :data:`GATES` is. Outputs, float32, with seq = LONGEST rows, one for each character:

    - by the names in :data:`PARTS`, (seq, d_model): what each step's cell computes, with ``hidden`` as its last,
    - ``x`` (seq, d_model): the characters' embeddings,
    - ``probabilities`` (seq, vocab_size): of the character after each,
    - ``sums`` (seq, gates): of the unit, what each gate is a sigmoid or tanh of,
    - ``weights_x``, ``weights_h`` (d_model,): the gate's weights for the unit; ``products_x``, ``products_h``
      (seq, d_model): each times what it meets, in the embedding and in the state before; ``sum_x``, ``sum_h`` (seq,):
      their sums; ``bias_x``, ``bias_h`` and ``bias``, scalars: its two biases and their sum; ``inner`` (seq,):
      ``sum_h`` with ``bias_h``, which a GRU's reset gate multiplies,
    - of an LSTM's unit, (seq,): ``kept`` (forget gate × cell before), ``written`` (input gate × candidate) and
      ``tanh_cell``; of a GRU's ``rest`` (1 - update gate), ``kept`` (update gate × state before) and ``written``
      (``rest`` × candidate).

    Raises
    ------
    ValueError
        when the model has several layers.
    """
    config = model.config
    kind, d = config.kind, config.d_model
    if config.n_layer != 1:
        raise ValueError(f"model has {config.n_layer} layers; allowed is 1")
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    w, u, b_w, b_u = (getattr(model.recurrence, name).detach() for name in names)
    gates, step = len(GATES[kind]), _STEPS[kind]

    def run(ids: Tensor, unit: Tensor, gate: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            x = model.token_embedding(ids.long())  # (seq, d)
            from_x = x @ w.T + b_w  # (seq, gates · d)
            u_t = u.T  # (d, gates · d)
            state = {name: torch.zeros(d) for name in ("hidden", "cell")}
            steps = []
            for x_t in from_x.unbind(0):  # (gates · d,)
                from_h = state["hidden"] @ u_t + b_u  # (gates · d,)
                state = step(x_t.view(gates, d), from_h.view(gates, d), state)
                steps.append(state)
            parts = {name: torch.stack([state[name] for state in steps]) for name in PARTS[kind]}  # each (seq, d)
            h_before = _after_zeros(parts["hidden"])
            probabilities = model.head(parts["hidden"]).softmax(-1)  # (seq, vocab_size)

            at = unit.long().view(1)
            at_unit = {name: value.index_select(1, at)[:, 0] for name, value in parts.items()}  # each (seq,)
            before = {name: _after_zeros(value) for name, value in at_unit.items() if name in ("hidden", "cell")}
            rows = torch.arange(gates) * d + at
            u_rows, b_rows = u.index_select(0, rows), b_u.index_select(0, rows)  # (gates, d), (gates,)
            sums_h = h_before @ u_rows.T + b_rows  # (seq, gates)
            if kind == "gru":  # the reset gate acts on the candidate's
                sums_h = torch.cat([sums_h[:, :2], at_unit["reset_gate"][:, None] * sums_h[:, 2:]], dim=1)
            row = gate.long().view(1) * d + at
            weights_x, weights_h = w.index_select(0, row)[0], u.index_select(0, row)[0]  # (d,)
            bias_x, bias_h = b_w.index_select(0, row)[0], b_u.index_select(0, row)[0]  # ()
            products_x, products_h = weights_x * x, weights_h * h_before  # (seq, d)
            sum_h = products_h.sum(1)
            return {
                **parts,
                "x": x,
                "probabilities": probabilities,
                "sums": from_x.index_select(1, rows) + sums_h,
                "weights_x": weights_x,
                "weights_h": weights_h,
                "products_x": products_x,
                "products_h": products_h,
                "sum_x": products_x.sum(1),
                "sum_h": sum_h,
                "bias_x": bias_x,
                "bias_h": bias_h,
                "bias": bias_x + bias_h,
                "inner": sum_h + bias_h,
                **_combined(kind, at_unit, before),
            }

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        def whole(below: int, *shape: int) -> Tensor:
            return torch.randint(below, shape, generator=generator, dtype=torch.int32)

        return {"ids": whole(config.vocab_size, LONGEST), "unit": whole(d), "gate": whole(gates)}

    return Graph(f"recurrent-{kind}", run, draw)
