"""A training step against torch's own modules, optimizer and finite differences, and the graphs as exported."""

from __future__ import annotations

import gzip
import random
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from dlcompare.export import Graph, GraphError, export
from dlcompare.export.parity import run
from dlcompare.graphs.training import ACTIVATIONS, DEPTHS, first_weights, parameter_names, training_step
from dlcompare.models import MLP, MLPConfig
from dlcompare.training import accuracy, classification_loss

GRAPHS = {depth: training_step(depth) for depth in DEPTHS}


def network(sizes: tuple[int, ...], activation: str) -> MLP:
    """Return an MLP whose biases are not zero, from fresh random numbers."""
    model = MLP(MLPConfig(sizes, activation))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


def inputs_for(model: MLP, learning_rate: float, *, n: int = 40, m: int = 11, points: int = 7, batch: int = 16):
    features, classes = model.config.sizes[0], model.config.sizes[-1]
    names = parameter_names(len(model.config.sizes) - 2)
    parameters = dict(zip(names, (p.detach().clone() for p in model.parameters()), strict=True))
    return {
        "x": torch.randn(n, features),
        "y": torch.randint(classes, (n,), dtype=torch.int32),
        "chosen": torch.randperm(n)[:batch].int(),
        "held_x": torch.randn(m, features),
        "held_y": torch.randint(classes, (m,), dtype=torch.int32),
        "look": torch.randn(points, features),
        "learning_rate": torch.tensor(learning_rate),
        "activation": torch.tensor(ACTIVATIONS.index(model.config.activation), dtype=torch.int32),
        **parameters,
    }


def random_sizes(depth: int) -> tuple[int, ...]:
    return (random.randint(1, 20), *(random.randint(1, 17) for _ in range(depth)), random.randint(2, 10))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_autograd_on_the_module_and_torchs_sgd(depth: int, activation: str) -> None:
    model = network(random_sizes(depth), activation)
    inputs = inputs_for(model, learning_rate := random.uniform(0.01, 2))
    got = GRAPHS[depth](**inputs)
    names = parameter_names(depth)

    batch = inputs["chosen"].long()
    x, y, held_x, held_y = inputs["x"], inputs["y"].long(), inputs["held_x"], inputs["held_y"].long()
    loss = classification_loss(model, (x[batch], y[batch]))
    torch.testing.assert_close(got["loss"], loss.detach())
    torch.testing.assert_close(got["train_loss"], classification_loss(model, (x, y)).detach())
    torch.testing.assert_close(got["held_loss"], classification_loss(model, (held_x, held_y)).detach())
    assert got["train_accuracy"].item() == pytest.approx(accuracy(model, x, y))
    assert got["held_accuracy"].item() == pytest.approx(accuracy(model, held_x, held_y))
    with torch.no_grad():
        probabilities, held = model(inputs["look"]).softmax(1), model(held_x).argmax(1)
    torch.testing.assert_close(got["probabilities"], probabilities)
    assert torch.equal(got["answers"], probabilities.argmax(1).int())
    confusion = torch.zeros(model.config.sizes[-1], model.config.sizes[-1])
    for truth, answer in zip(held_y.tolist(), held.tolist(), strict=True):
        confusion[truth, answer] += 1
    assert torch.equal(got["confusion"], confusion)

    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    loss.backward()
    for name, parameter in zip(names, model.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(got[f"d{name}"], parameter.grad, rtol=1e-4, atol=1e-6)
    optimizer.step()
    for name, parameter in zip(names, model.parameters(), strict=True):
        torch.testing.assert_close(got[f"new_{name}"], parameter.detach(), rtol=1e-4, atol=1e-6)
    for layer in range(depth + 1):
        both = [parameter.grad.flatten() for parameter in list(model.parameters())[2 * layer : 2 * layer + 2]]
        torch.testing.assert_close(got["norms"][layer], torch.cat(both).norm(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_its_gradient_is_the_slope_of_its_loss(activation: str) -> None:
    """The definition of the derivative, in float64, which the function takes as well as float32."""
    model = network((3, 6, 5, 4), activation)
    inputs = {
        name: value.double() if value.is_floating_point() else value for name, value in inputs_for(model, 0.1).items()
    }
    function = GRAPHS[2].function
    gradient = {name: function(**inputs)[f"d{name}"].detach() for name in parameter_names(2)}
    step = 1e-6
    for name in parameter_names(2):
        for index in random.sample(list(torch.cartesian_prod(*map(torch.arange, inputs[name].shape)).tolist()), 4):
            place = tuple(index) if isinstance(index, list) else (index,)
            moved = []
            for by in (step, -step):
                values = inputs[name].clone()
                values[place] += by
                moved.append(function(**{**inputs, name: values})["loss"].item())
            slope = (moved[0] - moved[1]) / (2 * step)
            assert gradient[name][place].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_a_hundred_steps_are_a_hundred_of_torchs() -> None:
    model = network((2, 8, 8, 2), "tanh")
    inputs = inputs_for(model, 0.3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(100):
        inputs["chosen"] = torch.randperm(40)[:16].int()
        got = GRAPHS[2](**inputs)
        inputs |= {name: got[f"new_{name}"] for name in parameter_names(2)}
        batch = inputs["chosen"].long()
        optimizer.zero_grad()
        classification_loss(model, (inputs["x"][batch], inputs["y"].long()[batch])).backward()
        optimizer.step()
    for name, parameter in zip(parameter_names(2), model.parameters(), strict=True):
        torch.testing.assert_close(inputs[name], parameter.detach(), rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Graph, bytes]]:
    """Two of the graphs, exported: their files hold operations only."""
    folder: Path = tmp_path_factory.mktemp("graphs")
    graphs = {}
    for graph in (GRAPHS[2], first_weights()):
        files = export(graph, folder)
        assert files.weights is None
        assert files.bytes < 10_000
        graphs[graph.name] = graph, gzip.decompress((folder / files.graph).read_bytes())
    return graphs


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ((2, 8, 8, 2), {}),
        ((196, 16, 16, 10), {"n": 256, "m": 200, "points": 200, "batch": 256}),
        ((1, 1, 1, 2), {"n": 1, "m": 1, "points": 1, "batch": 1}),
        ((2, 2, 16, 2), {"batch": 1, "points": 3721}),
    ],
)
def test_as_exported_it_gives_torchs_numbers_for_any_sizes(exported, activation, sizes, counts) -> None:
    graph, written = exported["training-step-2"]
    inputs = inputs_for(network(sizes, activation), 0.5, **counts)
    expected, got = graph(**inputs), run(written, b"", inputs)
    assert list(expected) == list(got)
    for name, value in expected.items():
        # A class that is as likely as another within rounding may be answered for it.
        if name not in ("answers", "confusion", "train_accuracy", "held_accuracy"):
            torch.testing.assert_close(got[name], value, rtol=1e-4, atol=1e-5, msg=lambda m, name=name: f"{name}: {m}")
    assert (got["answers"] == expected["answers"]).float().mean() > 0.99


def test_as_exported_it_breaks_as_torch_breaks(exported) -> None:
    """With weights beyond all measure the loss is no number, here as there, and not some other number."""
    graph, written = exported["training-step-2"]
    inputs = inputs_for(network((2, 8, 8, 2), "relu"), 1e30)
    for _ in range(4):
        expected, got = graph(**inputs), run(written, b"", inputs)
        inputs |= {name: expected[f"new_{name}"] for name in parameter_names(2)}
    assert not torch.isfinite(expected["loss"])
    assert not torch.isfinite(got["loss"])


def test_first_weights_lie_as_torch_draws_them(exported) -> None:
    n_out, n_in = random.randint(300, 400), random.randint(40, 60)
    uniform = torch.rand(n_out, n_in)
    graph, written = exported["first-weights"]
    drawn = graph(uniform=uniform)
    for name, value in run(written, b"", {"uniform": uniform}).items():
        torch.testing.assert_close(value, drawn[name])
    references = {
        "he": nn.init.kaiming_uniform_(torch.empty(n_out, n_in), nonlinearity="relu"),
        "glorot": nn.init.xavier_uniform_(torch.empty(n_out, n_in)),
    }
    for name, reference in references.items():
        assert drawn[name].abs().max().item() == pytest.approx(reference.abs().max().item(), rel=1e-2)
        assert drawn[name].std().item() == pytest.approx(reference.std().item(), rel=5e-2)
    ends = graph(uniform=torch.tensor([[0.0, 0.5, 1.0]]))
    torch.testing.assert_close(ends["he"], torch.tensor([[-1.0, 0.0, 1.0]]) * 2**0.5)
    torch.testing.assert_close(ends["glorot"], torch.tensor([[-1.0, 0.0, 1.0]]) * 1.5**0.5)


def test_what_is_not_allowed_is_named() -> None:
    for depth in (0, 5, "2"):
        with pytest.raises(ValueError, match=r"^depth is .*; allowed are the integers from 1 to 4$"):
            training_step(depth)
    inputs = inputs_for(network((2, 3, 2), "relu"), 0.1)
    with pytest.raises(GraphError, match=r"input 'y' of training-step-1 is torch\.int64; allowed is torch\.int32"):
        GRAPHS[1](**{**inputs, "y": inputs["y"].long()})
    with pytest.raises(GraphError, match=r"inputs of training-step-2 are .* allowed are"):
        GRAPHS[2](**inputs)


def test_names_are_the_chapters() -> None:
    assert parameter_names(2) == ["w1", "b1", "w2", "b2", "w3", "b3"]
    for depth, graph in GRAPHS.items():
        parameters = [name for name in graph.example if name in parameter_names(depth)]
        shapes = [tuple(graph.example[name].shape) for name in parameters if name[0] == "w"]
        assert len(shapes) == depth + 1
        assert all(below[0] == above[1] for below, above in pairwise(shapes))
