"""The gradient through an attention head as a graph: against finite differences, torch's attention, the equations."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlcompare.graphs import attention_backward

close = torch.testing.assert_close
GIVEN = ("x", "wq", "wk", "wv", "target")


def drawn(seed: int, **given: Tensor) -> dict[str, Tensor]:
    return {**attention_backward().draw(torch.Generator().manual_seed(seed)), **given}


def flag(on: bool) -> Tensor:
    return torch.tensor(int(on), dtype=torch.int32)


def test_every_derivative_of_what_is_given_is_the_slope_that_finite_differences_find() -> None:
    graph = attention_backward()
    for causal in (True, False):
        inputs = {name: value.double() for name, value in drawn(1, causal=flag(causal)).items()}
        outputs = {name: value.double() for name, value in graph.function(**inputs).items()}
        step = 1e-6
        for name in GIVEN[:4]:
            for place in range(inputs[name].numel()):
                losses = []
                for sign in (1, -1):
                    moved = {key: value.clone() for key, value in inputs.items()}
                    moved[name].view(-1)[place] += sign * step
                    losses.append(graph.function(**moved)["loss"])
                slope = (losses[0] - losses[1]) / (2 * step)
                close(outputs[f"d{name}"].flatten()[place], slope, rtol=1e-5, atol=1e-7)


def test_forward_and_back_it_is_torchs_own_attention() -> None:
    for seed in range(4):
        for causal in (True, False):
            inputs = drawn(seed, causal=flag(causal))
            got = attention_backward()(**inputs)
            x, wq, wk, wv = (inputs[name].clone().requires_grad_() for name in GIVEN[:4])
            q, k, v = (x @ w for w in (wq, wk, wv))
            o = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)[0]
            y = x + o
            loss = 0.5 * (inputs["counts"][:, None] * (y - inputs["target"]).square()).sum()
            wanted = {"x": x, "wq": wq, "wk": wk, "wv": wv, "q": q, "k": k, "v": v, "o": o, "y": y}
            gradients = torch.autograd.grad(loss, list(wanted.values()))
            close(got["loss"], loss.detach())
            for (name, value), gradient in zip(wanted.items(), gradients, strict=True):
                if name not in GIVEN:
                    close(got[name], value.detach())
                close(got[f"d{name}"], gradient)


def test_each_step_back_is_its_equation() -> None:
    for seed, causal in ((5, True), (6, False)):
        inputs = drawn(seed, causal=flag(causal))
        g = {**inputs, **attention_backward()(**inputs)}
        a, root = g["a"], math.sqrt(3)
        close(g["dy"], inputs["counts"][:, None] * (g["y"] - inputs["target"]))
        close(g["do"], g["dy"])
        close(g["dxr"], g["dy"])
        close(g["dv"], a.T @ g["do"])
        close(g["da"], g["do"] @ g["v"].T)
        jacobian = torch.diag_embed(a) - a[:, :, None] * a[:, None, :]
        close(g["jacobian"], jacobian)
        close(g["jacobian"], a[:, :, None] * g["one_less"])
        close(g["ds"], torch.einsum("ij,ijk->ik", g["da"], jacobian))
        close(g["ds"], a * (g["da"] - (a * g["da"]).sum(-1, keepdim=True)))  # without the matrix
        close(g["dq"], g["ds"] @ g["k"] / root)
        close(g["dk"], g["ds"].T @ g["q"] / root)
        for way in "qkv":
            close(g[f"dw{way}"], inputs["x"].T @ g[f"d{way}"])
            close(g[f"dx{way}"], g[f"d{way}"] @ inputs[f"w{way}"].T)
        close(g["dxa"], g["dxq"] + g["dxk"] + g["dxv"])
        close(g["dx"], g["dxr"] + g["dxa"])
        for name, key in (("residual", "r"), ("attention", "a"), ("q", "q"), ("k", "k"), ("v", "v"), ("both", "")):
            close(g[f"norm_{name}"], torch.linalg.norm(g[f"dx{key}"]))


def test_terms_add_up_to_what_they_are_terms_of() -> None:
    g = attention_backward()(**drawn(7))
    sums = {"s": "dots", "dq": "sums_dq", "dk": "sums_dk"}
    names = [name.removeprefix("terms_") for name in g if name.startswith("terms_")]
    assert len(names) == 16
    for name in names:
        close(g[f"terms_{name}"].sum(-1), g[sums.get(name, name)])
    for name, total in sums.items():
        close(g[total] / g["root"], g[name])
    close(g["exponentials"] / g["totals"][:, None], g["a"])
    close((g["m"] - g["peak"][:, None]).exp(), g["exponentials"])
    close(g["loss_terms"].sum(), g["loss"])


def test_what_the_mask_hides_gets_no_weight_and_no_gradient() -> None:
    g = attention_backward()(**drawn(8, causal=flag(True), counts=torch.ones(4)))
    later = torch.ones(4, 4, dtype=torch.bool).triu(1)
    assert (g["m"] == -math.inf).equal(later)
    assert not g["a"][later].any()
    assert not g["ds"][later].any()
    assert g["da"][later].all()  # the weights themselves would have a slope; the softmax stops it
    open_ = attention_backward()(**drawn(8, causal=flag(False)))
    close(open_["m"], open_["s"])


def test_with_a_loss_at_the_last_token_the_others_are_reached_through_attention_alone() -> None:
    g = attention_backward()(**drawn(9, causal=flag(True), counts=torch.tensor([0.0, 0, 0, 1])))
    assert not g["dxr"][:3].any()
    assert g["dxa"][:3].all()
