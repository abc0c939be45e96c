"""The gradient through one attention head, one operation at a time, with the terms of every sum."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcompare.export import Graph

__all__ = ["TOKENS", "WIDTH", "attention_backward"]

#: Tokens that the head reads.
TOKENS = 4
#: Width of each token's vector, of queries, keys and values.
WIDTH = 3

#: What x goes into: the sum with the head's output, and three projections.
WAYS = ("r", "q", "k", "v")
#: The weights.
WEIGHTS = ("wq", "wk", "wv")


def _forward(ways: dict[str, Tensor], leaves: dict[str, Tensor], hidden: Tensor, counts: Tensor) -> dict[str, Tensor]:
    q, k, v = (ways[way] @ leaves[f"w{way}"] for way in "qkv")  # (seq, d)
    dots = q @ k.T  # (seq, seq)
    s = dots / math.sqrt(WIDTH)
    m = s.masked_fill(hidden, -math.inf)
    a = m.softmax(-1)  # rows sum to 1
    o = a @ v  # (seq, d)
    y = ways["r"] + o
    loss_terms = 0.5 * counts * (y - leaves["target"]).square().sum(-1)  # (seq,)
    return {
        "q": q, "k": k, "v": v, "dots": dots, "s": s, "m": m, "a": a, "o": o, "y": y,
        "loss_terms": loss_terms, "loss": loss_terms.sum(),
    }  # fmt: skip


def _products(one: Tensor, other: Tensor) -> Tensor:
    """Return each term of the matrix product of (n, k) and (k, m), as (n, m, k)."""
    return one[:, None, :] * other.T[None, :, :]


def _terms(t: dict[str, Tensor], d: dict[str, Tensor], jacobian: Tensor) -> dict[str, Tensor]:
    """Return the terms of every sum of products, by the name of its result."""
    return {
        "q": _products(t["x"], t["wq"]),
        "k": _products(t["x"], t["wk"]),
        "v": _products(t["x"], t["wv"]),
        "s": _products(t["q"], t["k"].T),
        "o": _products(t["a"], t["v"]),
        "dv": _products(t["a"].T, d["o"]),
        "da": _products(d["o"], t["v"].T),
        "ds": d["a"][:, None, :] * jacobian.transpose(1, 2),  # (row, to, from)
        "dq": _products(d["s"], t["k"]),
        "dk": _products(d["s"].T, t["q"]),
        **{f"dw{way}": _products(t["x"].T, d[way]) for way in "qkv"},
        **{f"dx{way}": _products(d[way], t[f"w{way}"].T) for way in "qkv"},
    }


def _run(
    x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, target: Tensor, causal: Tensor, counts: Tensor
) -> dict[str, Tensor]:
    given = {"x": x, "wq": wq, "wk": wk, "wv": wv, "target": target}
    leaves = {name: value.detach().requires_grad_() for name, value in given.items()}
    hidden = torch.ones(TOKENS, TOKENS, dtype=torch.bool).triu(1) & (causal > 0)
    with torch.enable_grad():
        # A copy of x for each way that it goes, so that autograd tells apart what comes back by each.
        ways = {way: leaves["x"].clone() for way in WAYS}
        values = _forward(ways, leaves, hidden, counts)
        wanted = {
            **{name: leaves[name] for name in ("x", *WEIGHTS)},
            **{name: values[name] for name in ("q", "k", "v", "s", "a", "o", "y")},
            **{f"x{way}": copy for way, copy in ways.items()},
        }
        gradients = torch.autograd.grad(values["loss"], list(wanted.values()), retain_graph=True)
        # Each row of A depends on its own row of M alone: the sum of a column has all rows' derivatives at once.
        rows = [torch.autograd.grad(values["a"][:, j].sum(), values["m"], retain_graph=True)[0] for j in range(TOKENS)]
        (attention,) = torch.autograd.grad(values["o"], leaves["x"], gradients[list(wanted).index("o")])
    d = dict(zip(wanted, gradients, strict=True))
    t = {name: value.detach() for name, value in {**leaves, **values}.items()}
    with torch.no_grad():
        jacobian = torch.stack(rows, 1)  # (row, from, to)
        peak = t["m"].amax(-1, keepdim=True)
        exponentials = (t["m"] - peak).exp()
        terms = _terms(t, d, jacobian)
        paths = {"residual": d["xr"], "q": d["xq"], "k": d["xk"], "v": d["xv"], "attention": attention, "both": d["x"]}
        return {
            **{name: t[name] for name in values},
            "root": x.new_full((), math.sqrt(WIDTH)),
            "peak": peak[:, 0],
            "exponentials": exponentials,
            "totals": exponentials.sum(-1),
            "errors": t["y"] - t["target"],
            **{f"d{name}": value for name, value in d.items()},
            "dxa": attention,
            "jacobian": jacobian,
            "one_less": torch.eye(TOKENS) - t["a"][:, None, :],
            **{f"terms_{name}": value for name, value in terms.items()},
            "sums_dq": terms["dq"].sum(-1),
            "sums_dk": terms["dk"].sum(-1),
            **{f"norm_{name}": value.square().sum().sqrt() for name, value in paths.items()},
        }


def _draw(generator: torch.Generator) -> dict[str, Tensor]:
    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    def chance(*shape: int) -> Tensor:
        return torch.randint(2, shape, generator=generator, dtype=torch.int32)

    return {
        "x": numbers(TOKENS, WIDTH),
        # Of the size of usual initial weights: saturated, a softmax leaves gradients that are rounding alone.
        **{name: numbers(WIDTH, WIDTH) / math.sqrt(WIDTH) for name in WEIGHTS},
        "target": numbers(TOKENS, WIDTH),
        "causal": chance(),
        "counts": chance(TOKENS).float(),
    }


def attention_backward() -> Graph:
    r"""Return the graph of one attention head with its residual connection, forward and back.

    .. math::
        Q = X W_Q, \quad K = X W_K, \quad V = X W_V, \quad S = \frac{Q K^\top}{\sqrt{d}}, \quad
        A = \mathrm{softmax}(S + M), \quad O = A V, \quad Y = X + O, \quad
        L = \tfrac12 \sum_i c_i \lVert y_i - t_i \rVert^2

    The head is that of Vaswani et al. (2017), equation 1, without a matrix after it; the sum with X is the residual
    connection of their section 3.1. All derivatives are PyTorch's autograd's.

    Inputs, float32: ``x`` and ``target`` (4, 3), a row for each token; ``wq``, ``wk``, ``wv`` (3, 3); ``causal``,
    int32, 1 for the causal mask, else 0; ``counts`` (4,), c: by what each token's loss is multiplied. Outputs:

    - ``q``, ``k``, ``v`` (4, 3), ``dots`` and ``s`` (4, 4), before and after the division by ``root``; ``m`` (4, 4), S
      with −∞ where a row must not see a column; ``a`` (4, 4), ``o``, ``y`` (4, 3), ``loss``: the values in their order,
    - ``peak`` (4,): each row's largest number in ``m``; ``exponentials`` (4, 4), of ``m`` less that; ``totals`` (4,),
      their sums; ``errors`` (4, 3), Y − T; ``loss_terms`` (4,): what each token adds to the loss,
    - ``dy``, ``do``, ``da``, ``ds``, ``dq``, ``dk``, ``dv``, ``dwq``, ``dwk``, ``dwv``, ``dx``: the derivatives
      of the loss, each of the shape of what it is taken by,
    - ``dxr``, ``dxq``, ``dxk``, ``dxv`` (4, 3): what comes back to X by the residual connection, the queries, the keys
      and the values; ``dx`` is their sum, and ``dxa`` that of the last three,
    - ``jacobian`` (4, 4, 4): for each row of A the derivative of its entry j by entry k of its row of M;
      ``one_less`` (4, 4, 4): by what entry j is multiplied to give it, 1 − a_k where j is k, else −a_k,
    - ``terms_`` and a result's name, one axis more than the result: the terms of its sum; of ``s``, ``dq`` and ``dk``
      before the division by ``root``, as ``dots``, ``sums_dq`` and ``sums_dk`` are,
    - ``norm_residual``, ``norm_q``, ``norm_k``, ``norm_v``, ``norm_attention``, ``norm_both``: the norms (the root of
      the sum of squares) of ``dxr``, ``dxq``, ``dxk``, ``dxv``, ``dxa`` and ``dx``.
    """
    return Graph("attention-backprop", _run, _draw)
