"""Backpropagation as a graph: against finite differences and against the package's own equations."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.graphs import backprop_step
from dlcompare.models.backpropagation import Layers, backpropagate


def drawn(seed: int) -> dict[str, Tensor]:
    return backprop_step().draw(torch.Generator().manual_seed(seed))


def test_every_derivative_is_the_slope_that_finite_differences_find() -> None:
    graph = backprop_step()
    inputs = {name: value.double() for name, value in drawn(1).items()}
    outputs = {name: value.double() for name, value in graph.function(**inputs).items()}
    step = 1e-6
    for name in ("x", "hidden", "output"):
        for place in range(inputs[name].numel()):
            losses = []
            for sign in (1, -1):
                moved = {key: value.clone() for key, value in inputs.items()}
                moved[name].view(-1)[place] += sign * step
                losses.append(graph.function(**moved)["loss"])
            slope = (losses[0] - losses[1]) / (2 * step)
            torch.testing.assert_close(outputs[f"d_{name}"].flatten()[place], slope, rtol=1e-5, atol=1e-7)


def test_it_is_the_backpropagation_that_is_written_out() -> None:
    inputs = drawn(2)
    hidden, output = inputs["hidden"], inputs["output"]
    layers = Layers([hidden[:, :-1], output[None, :-1]], [hidden[:, -1], output[-1:]], "tanh")
    trace = backpropagate(layers, inputs["x"][None], inputs["target"].view(1, 1), "squared_error")
    outputs = backprop_step()(**inputs)
    close = torch.testing.assert_close
    close(outputs["loss"], trace.loss)
    close(outputs["z"], trace.z[1][0])
    close(outputs["h"], trace.y[1][0])
    close(outputs["y"], trace.y[2][0, 0])
    close(outputs["d_h"], trace.dy[1][0])
    close(outputs["d_z"], trace.dz[1][0])
    close(outputs["d_x"], trace.dy[0][0])
    close(outputs["d_hidden"], torch.cat([trace.dw[1], trace.db[1][:, None]], dim=1))
    close(outputs["d_output"], torch.cat([trace.dw[2][0], trace.db[2]]))
    close(outputs["d_e"], outputs["e"])
    close(outputs["slope"], 1 - outputs["h"] ** 2)
    close(outputs["ways_x"].sum(0), outputs["d_x"])
    close(outputs["products_hidden"].sum(1) + hidden[:, -1], outputs["z"])
    close(outputs["products_output"].sum() + output[-1], outputs["y"])


def test_the_step_goes_against_the_gradient_and_its_loss_is_computed_anew() -> None:
    inputs = drawn(3)
    outputs = backprop_step()(**inputs)
    rate = inputs["learning_rate"]
    torch.testing.assert_close(outputs["new_hidden"], inputs["hidden"] - rate * outputs["d_hidden"])
    torch.testing.assert_close(outputs["new_output"], inputs["output"] - rate * outputs["d_output"])
    again = backprop_step()(**{**inputs, "hidden": outputs["new_hidden"], "output": outputs["new_output"]})
    torch.testing.assert_close(outputs["new_loss"], again["loss"])
