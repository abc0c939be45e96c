"""The training scrubber's Python side: its runs against torch's own training, its twin in JavaScript, its checks."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlcompare.chance import Chance
from dlcompare.data import Images, Splits, make_points
from dlcompare.graphs.training import ACTIVATIONS, DEPTHS, parameter_names
from dlcompare.models import MLP, MLPConfig
from dlcompare.training import accuracy, classification_loss
from dlcompare.widgets import TrainingScrubber, training, training_run
from dlcompare.widgets.base import StateError
from dlcompare.widgets.training_run import BATCHES, LAST_STEP, RATES, Change, as_schedule, batch_at, settings_at

SMALL = {"data": "moons", "depth": 1, "width": 4}


def some_digits() -> Splits[Images]:
    """Return images that are no digits, as many as the widget asks for."""
    generator = torch.Generator().manual_seed(1)

    def images(n: int) -> Images:
        return Images(torch.rand(n, 1, 28, 28, generator=generator), torch.arange(n) % 10)

    return Splits(images(300), images(130), images(10))


def floats(text: str, width: int) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype="<f4").copy()).reshape(-1, width)


def random_schedule(last: int = 40) -> tuple[Change, ...]:
    steps = [0, *sorted(random.sample(range(1, last + 1), random.randint(0, 4)))]
    return tuple(Change(step, random.choice(RATES), random.choice(BATCHES)) for step in steps)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_run_is_torchs_own_training(activation: str) -> None:
    """From the same first weights, on the same batches: torch's module, autograd and optimizer, step by step."""
    depth, seed = random.choice(DEPTHS), random.randrange(10)
    schedule = ((0, 0.1, 32), (7, 0.5, 64), (15, 0.02, 64))
    widget = TrainingScrubber(
        data="spirals", activation=activation, depth=depth, width=8, seed=seed, schedule=schedule, step=25
    )
    model = MLP(MLPConfig((2, *[8] * depth, 2), activation))
    with torch.no_grad():
        for parameter, first in zip(model.parameters(), widget.run.parameters[0].values(), strict=True):
            parameter.copy_(first)
    train_set, held = make_points("spirals", 256, seed=1), make_points("spirals", 128, seed=2)
    for step in range(26):
        for name, parameter in zip(parameter_names(depth), model.parameters(), strict=True):
            torch.testing.assert_close(widget.run.parameters[step][name], parameter.detach(), rtol=1e-4, atol=1e-5)
        measured = [
            classification_loss(model, (train_set.points, train_set.labels)).item(),
            classification_loss(model, (held.points, held.labels)).item(),
            accuracy(model, train_set.points, train_set.labels),
            accuracy(model, held.points, held.labels),
        ]
        assert widget.run.measures[step].tolist() == pytest.approx(measured, rel=1e-4, abs=1e-5)
        _, rate, size = next(entry for entry in reversed(schedule) if entry[0] <= step)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        batch = batch_at(as_schedule(schedule), step, seed, 256)
        assert len(batch) == size
        optimizer.zero_grad()
        classification_loss(model, (train_set.points[batch], train_set.labels[batch])).backward()
        optimizer.step()
    assert widget.run.last == 25
    assert (widget.learning_rate, widget.batch) == (0.02, 64)


def test_first_weights_are_uniform_in_hes_or_glorots_range_and_biases_zero() -> None:
    for activation, bounds in (("relu", (6 / 2, 6 / 16)), ("tanh", (6 / (2 + 16), 6 / (16 + 2)))):
        first = TrainingScrubber(activation=activation, depth=1, width=16, seed=5).run.parameters[0]
        for layer, bound in enumerate(bounds, start=1):
            weights = first[f"w{layer}"]
            assert 0.8 * bound**0.5 < weights.abs().max() <= bound**0.5 * (1 + 1e-6)
            assert not first[f"b{layer}"].any()
    chance = Chance(5 * 4096)
    drawn = torch.tensor([chance.uniform() for _ in range(32)]).reshape(16, 2) * 2 - 1
    relu = TrainingScrubber(depth=1, width=16, seed=5).run.parameters[0]["w1"]
    torch.testing.assert_close(relu, drawn * 3**0.5)


@settings(deadline=None)
@given(st.sampled_from(BATCHES), st.integers(0, 9), st.integers(0, 300))
def test_every_epoch_has_each_example_once(batch: int, seed: int, epoch: int) -> None:
    schedule = (Change(0, 0.1, batch),)
    steps = 256 // batch
    first = min(epoch * steps, 2000 // steps * steps)
    seen = [index for step in range(first, first + steps) for index in batch_at(schedule, step, seed, 256)]
    assert sorted(seen) == list(range(256))


def test_a_new_size_of_the_batch_begins_a_new_epoch_and_another_learning_rate_does_not() -> None:
    schedule = (Change(0, 0.1, 32), Change(3, 1.0, 32), Change(13, 1.0, 128))
    plain = (Change(0, 0.1, 32),)
    for step in range(13):
        assert batch_at(schedule, step, 2, 256) == batch_at(plain, step, 2, 256)
    assert sorted(batch_at(schedule, 13, 2, 256) + batch_at(schedule, 14, 2, 256)) == list(range(256))
    assert settings_at(schedule, 12) == Change(3, 1.0, 32)
    assert batch_at(plain, 0, 2, 256) != batch_at(plain, 0, 3, 256) != batch_at(plain, 8, 3, 256)


def test_the_front_end_draws_the_same_batches_and_first_weights(run_node) -> None:
    code = """
        import { batchAt, drawUniform } from "./explorables/training/batches.js";
        import { settingsAt } from "./explorables/training/rules.js";
        import { readFileSync } from "node:fs";
        const { cases, seeds } = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify({
          batches: cases.map(({ schedule, step, seed }) => batchAt(schedule, step, seed, 256)),
          settings: cases.map(({ schedule, step }) => settingsAt(schedule, step)),
          uniform: seeds.map((seed) => drawUniform(seed, [2, 8, 16, 2]).map(({ data }) => [...data])),
        }));
    """
    cases = [
        {"schedule": random_schedule(), "step": random.choice([*range(45), 1999, 2000]), "seed": random.randrange(10)}
        for _ in range(300)
    ]
    twin = run_node(code, {"cases": cases, "seeds": list(range(10))})
    for case, batch, at in zip(cases, twin["batches"], twin["settings"], strict=True):
        assert batch == batch_at(case["schedule"], case["step"], case["seed"], 256), case
        change = settings_at(case["schedule"], case["step"])
        assert at == {"rate": change.learning_rate, "batch": change.batch}
    for seed, layers in enumerate(twin["uniform"]):
        chance = Chance(seed * 4096)
        for got, (n_in, n_out) in zip(layers, pairwise([2, 8, 16, 2]), strict=True):
            drawn = torch.tensor([chance.uniform() for _ in range(n_in * n_out)], dtype=torch.float32)
            assert torch.equal(torch.tensor(got, dtype=torch.float64), drawn.double())


def test_the_front_end_knows_the_same_limits(run_node) -> None:
    known = run_node("""
        import { LIMITS } from "./explorables/training/rules.js";
        import { MEASURES } from "./explorables/training/run.js";
        import { GRID } from "./explorables/training/network.js";
        console.log(JSON.stringify([LIMITS, MEASURES, GRID]));
    """)
    assert known == [
        {
            "activations": list(ACTIVATIONS),
            "depths": list(DEPTHS),
            "widths": list(training.WIDTHS),
            "rates": list(RATES),
            "batches": list(BATCHES),
            "seed": training.LARGEST_SEED,
            "step": LAST_STEP,
            "changes": training_run.MOST_CHANGES,
        },
        list(training_run.MEASURES),
        {"side": training.SIDE, "span": training.SPAN},
    ]


@pytest.mark.parametrize("data", ["circles", "digits"])
@pytest.mark.parametrize("step", [0, 20, 33])
def test_the_front_end_asks_the_very_question_that_was_remembered(run_node, data: str, step: int) -> None:
    """Bit by bit: else the first picture would have to load the engine."""
    widget = TrainingScrubber(some_digits(), data=data, activation="tanh", depth=2, seed=3, step=step)
    widget._remember()
    code = """
        import { createTrainer } from "./explorables/training/trainer.js";
        import { createPlainModel } from "./host/plain_model.js";
        import { readAll, sameTensors } from "./engine/tensors.js";
        import { readFileSync } from "node:fs";
        const state = JSON.parse(readFileSync(0, "utf8"));
        const asked = [];
        const run = (graph, inputs) => (asked.push({ graph, inputs }), new Promise(() => {}));
        const engine = { run, status: () => ({ phase: "running" }) };
        createTrainer(createPlainModel(state), engine, () => {});
        const [record] = state.remembered;
        const wanted = readAll(record.inputs);
        const same = (name) => sameTensors({ a: wanted[name] }, { a: asked[0].inputs[name] });
        const apart = Object.keys(wanted).filter((name) => !same(name));
        const [names, graph] = [Object.keys(asked[0].inputs), asked[0].graph];
        console.log(JSON.stringify({ graph, apart, names, count: asked.length, records: state.remembered.length }));
    """
    answer = run_node(code, json.loads(json.dumps(widget.page_state())))
    names = list(widget.graphs["training-step-2"].example)
    assert answer == {"graph": "training-step-2", "apart": [], "names": names, "count": 1, "records": 1}


def test_what_is_recorded_is_the_run() -> None:
    widget = TrainingScrubber(**SMALL, learning_rate=0.5, batch=16, step=45)
    widget._remember()
    record = widget.recorded
    assert record["settings"] == {**SMALL, "activation": "relu", "seed": 0, "schedule": (Change(0, 0.5, 16),)}
    assert torch.equal(floats(record["measures"], 4), widget.run.measures)
    rows = floats(record["parameters"], 2 * 4 + 4 + 4 * 2 + 2)
    for row, step in zip(rows, (0, 20, 40, 45), strict=True):
        assert torch.equal(row, torch.cat([p.flatten() for p in widget.run.parameters[step].values()]))
    before = widget.recorded
    widget._remember()
    assert widget.recorded is before, "nothing is sent twice"
    widget.step = 0
    widget._remember()
    assert len(floats(widget.recorded["measures"], 4)) == 1


def test_a_run_ends_where_its_loss_is_no_number() -> None:
    widget = TrainingScrubber(data="moons", depth=3, width=16, learning_rate=10.0, step=100)
    run = widget.run
    assert run.last < 100
    assert run.measures[: run.last, 0].isfinite().all()
    assert not run.measures[run.last, 0].isfinite()
    assert "no number any more" in widget.alternative_text()
    assert widget.figure().subfigs
    json.dumps(widget.page_state(), allow_nan=False)


def test_a_run_is_trained_once(monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(
        training, "train", lambda *args, **kwargs: calls.append(kwargs) or training_run.train(*args, **kwargs)
    )
    widget = TrainingScrubber(**SMALL, step=2)
    for _ in range(3):
        assert widget.run.last == 2
    widget.seed = 1
    assert widget.run.last == 2
    assert [call["seed"] for call in calls] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": "iris"}, "data is 'iris'; allowed are 'blobs', 'moons', 'circles', 'squares', 'spirals'$"),
        ({"data": "digits"}, "data is 'digits'; allowed are"),
        ({"data": ["moons"]}, r"data is \['moons'\]; allowed are"),
        ({"activation": "gelu"}, "activation is 'gelu'; allowed are 'relu', 'tanh', 'sigmoid'"),
        ({"depth": 5}, "depth is 5; allowed is a whole number from 1 to 4"),
        ({"depth": True}, "depth is True; allowed"),
        ({"width": 3}, "width is 3; allowed are 2, 4, 8, 16"),
        ({"width": True}, "width is True; allowed"),
        ({"width": [8]}, r"width is \[8\]; allowed"),
        ({"seed": 10}, "seed is 10; allowed is a whole number from 0 to 9"),
        ({"step": 2001}, "step is 2001; allowed is a whole number from 0 to 2000"),
        ({"step": 0.5}, "step is 0.5; allowed"),
        ({"learning_rate": 0.3}, r"learning rate of schedule\[0\] is 0.3; allowed are 0.001, .*, 10$"),
        ({"learning_rate": float("nan")}, "is nan; allowed"),
        ({"learning_rate": True}, "is True; allowed"),
        ({"batch": 100}, r"batch of schedule\[0\] is 100; allowed are 1, 2, 4, .*, 256$"),
        ({"batch": True}, "is True; allowed"),
        ({"batch": 32, "schedule": [(0, 0.1, 32)]}, "schedule is given beside learning_rate or batch; allowed is"),
        ({"schedule": []}, r"schedule is \[\]; allowed are 1 to 60 entries"),
        ({"schedule": 3}, "schedule is 3; allowed are 1 to 60"),
        ({"schedule": [(0, 0.1)]}, "schedule is .*; allowed are 1 to 60"),
        ({"schedule": [(1, 0.1, 32)]}, r"step of schedule\[0\] is 1; allowed is a whole number from 0 to 0"),
        ({"schedule": [(0, 0.1, 32), (0, 1, 32)]}, r"step of schedule\[1\] is 0; allowed is a whole number from 1 to"),
        ({"schedule": [(0, [0.1], 32)]}, r"learning rate of schedule\[0\] is \[0.1\]; allowed"),
        ({"schedule": [(i, 0.1, 32) for i in range(61)]}, "allowed are 1 to 60 entries"),
        ({"name": "Two words"}, "name is 'Two words'; allowed are lower-case letters"),
    ],
)
def test_what_is_not_allowed_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=message):
        TrainingScrubber(**arguments)


def test_digits_are_checked_and_sampled_down() -> None:
    digits = some_digits()
    widget = TrainingScrubber(digits, data="digits")
    examples = widget.examples["digits"]
    assert examples.x.shape == (256, 196)
    assert torch.equal(examples.y, digits.train.labels[:256].int())
    block = digits.train.images[7, 0, 4:6, 10:12].mean()
    assert examples.x[7].reshape(14, 14)[2, 5].item() == pytest.approx(block.item(), abs=0.5 / 255 + 1e-6)
    assert examples.look is examples.held_x
    few = Splits(digits.train, digits.test, digits.validation)
    with pytest.raises(
        StateError, match=r"digits.validation holds 10 images of \(1, 28, 28\); allowed are at least 128"
    ):
        TrainingScrubber(few)
    small = Images(torch.zeros(300, 1, 14, 14), torch.zeros(300))
    with pytest.raises(
        StateError, match=r"digits.train holds 300 images of \(1, 14, 14\); allowed are at least 256 of"
    ):
        TrainingScrubber(Splits(small, digits.validation, digits.test))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 3000) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
KEYS = ["data", "activation", "depth", "width", "seed", "schedule", "step"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), json_values))
def test_whatever_the_front_end_sends_the_state_stays_valid(message: dict[str, object]) -> None:
    widget = TrainingScrubber(**SMALL)
    before = widget.page_state()
    try:
        widget.set_state(message)
    except StateError:  # anything else is a failure
        assert widget.page_state() == before
    TrainingScrubber(**{key: getattr(widget, key) for key in KEYS})


def test_the_front_ends_state_is_taken() -> None:
    widget = TrainingScrubber(**SMALL)
    widget.set_state({"schedule": [[0, 0.5, 32], [10, 1, 64]], "step": 12, "activation": "tanh"})
    assert widget.schedule == (Change(0, 0.5, 32), Change(10, 1.0, 64))
    assert (widget.learning_rate, widget.batch, widget.step) == (1.0, 64, 12)
    with contextlib.suppress(StateError):
        widget.set_state({"step": 3000, "activation": "relu"})
    assert widget.activation == "tanh", "a message is taken as a whole or not at all"


def test_figure_table_and_text_tell_the_same() -> None:
    widget = TrainingScrubber(some_digits(), data="spirals", learning_rate=0.5, step=30)
    run = widget.run
    spoken = widget.alternative_text()
    for value in (run.measures[0, 0], run.measures[-1, 0], run.measures[-1, 1], *run.outputs["norms"]):
        assert f"{value.item():.3g}" in spoken
    assert "after 30 steps" in spoken
    table = widget.table()
    assert [row[0] for row in table.rows] == [str(3 * i) for i in range(11)]
    assert table.rows[-1][1:] == run.measures[-1].tolist()
    above, below = widget.figure().subfigs
    train_line, held_line = above.axes[1].lines
    assert train_line.get_ydata().tolist() == run.measures[:, 0].tolist()
    assert held_line.get_ydata().tolist() == run.measures[:, 1].tolist()
    surface = above.axes[0].images[0].get_array()
    assert surface.shape == (61, 61)
    assert surface[0, 0] + 0.5 == pytest.approx(run.outputs["probabilities"][0, 1].item())
    assert len(below.axes) == 6
    assert below.axes[0].images[0].get_array().tolist() == run.inputs["w1"].tolist()
    widget.data = "digits"
    counts = [cell.get_text() for cell in widget.figure().subfigs[0].axes[0].texts]
    assert counts == [str(int(count)) for count in widget.run.outputs["confusion"].flatten()]


def test_the_grid_is_where_the_picture_is() -> None:
    """The first question is asked at the top left; a place's answer is that of the plain network there."""
    grid = training.plane_grid()
    assert grid.shape == (61 * 61, 2)
    assert grid[0].tolist() == pytest.approx([-1.25 * 60 / 61, 1.25 * 60 / 61])
    assert grid[60 * 61 + 60].tolist() == pytest.approx([1.25 * 60 / 61, -1.25 * 60 / 61])
    assert grid[30 * 61 + 30].tolist() == [0, 0]


def test_a_page_carries_less_than_it_may() -> None:
    widget = TrainingScrubber(some_digits(), learning_rate=0.5, step=100)
    widget._remember()
    # Random images are the worst case: real digits take a third.
    state = json.dumps({k: v for k, v in widget.page_state().items() if k != "sets"}, allow_nan=False)
    assert len(gzip.compress(state.encode())) < 100_000
    planes = {name: written for name, written in widget.sets.items() if name != "digits"}
    assert len(gzip.compress(json.dumps(planes).encode())) < 20_000
