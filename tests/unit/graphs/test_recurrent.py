"""A recurrent language model's pass as a graph: against torch.nn's fused layers and the package's own cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlcompare.graphs import recurrent_pass
from dlcompare.graphs.recurrent import GATES, LONGEST, PARTS
from dlcompare.models import RecurrentLM, RecurrentLMConfig
from dlcompare.models.cells import unrolled
from dlcompare.models.recurrent import Kind
from dlcompare.recording import record

D, VOCABULARY = 6, 11
KINDS: tuple[Kind, ...] = ("rnn", "lstm", "gru")
close = torch.testing.assert_close


def made(kind: Kind, n_layer: int = 1) -> RecurrentLM:
    torch.manual_seed(4)
    return RecurrentLM(RecurrentLMConfig(kind, VOCABULARY, D, n_layer)).eval()


def asked(model: RecurrentLM, unit: int, gate: int, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    ids = torch.randint(VOCABULARY, (LONGEST,), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)
    inputs = {"unit": torch.tensor(unit, dtype=torch.int32), "gate": torch.tensor(gate, dtype=torch.int32)}
    return ids, recurrent_pass(model)(ids=ids, **inputs)


@pytest.mark.parametrize("kind", KINDS)
def test_states_and_probabilities_are_torchs_and_gates_those_of_the_cells(kind: Kind) -> None:
    model = made(kind)
    ids, outputs = asked(model, 2, 0)
    hidden, _ = model.recurrence(model.token_embedding(ids.long())[None])
    close(outputs["hidden"], hidden[0])
    close(outputs["probabilities"], model(ids.long()[None])[0].softmax(-1))
    slow = unrolled(model)
    with record(slow, *(f"recurrence.layers.0.{part}" for part in PARTS[kind])) as seen:
        slow(ids.long()[None])
    for part in PARTS[kind]:
        close(outputs[part], torch.cat(seen.all(f"recurrence.layers.0.{part}")))


@pytest.mark.parametrize("kind", KINDS)
def test_the_sums_of_every_gate_and_unit_add_up_to_what_it_is_bent_from(kind: Kind) -> None:
    model = made(kind)
    for unit in (0, D - 1):
        for place, gate in enumerate(GATES[kind]):
            _, outputs = asked(model, unit, place, seed=unit)
            bent = torch.tanh if gate in ("candidate", "hidden") else torch.sigmoid
            close(bent(outputs["sums"][:, place]), outputs[gate][:, unit])
            close(outputs["products_x"].sum(1), outputs["sum_x"])
            close(outputs["products_h"].sum(1), outputs["sum_h"])
            close(outputs["products_x"], outputs["weights_x"] * outputs["x"])
            before = torch.cat([torch.zeros(1, D), outputs["hidden"][:-1]])
            close(outputs["products_h"], outputs["weights_h"] * before)
            close(outputs["bias"], outputs["bias_x"] + outputs["bias_h"])
            reset = outputs["reset_gate"][:, unit] if (kind, gate) == ("gru", "candidate") else 1
            whole = outputs["sum_x"] + outputs["bias_x"] + reset * outputs["inner"]
            close(whole, outputs["sums"][:, place])


def test_the_products_add_up_to_the_new_state() -> None:
    _, lstm = asked(made("lstm"), 3, 0)
    close(lstm["kept"] + lstm["written"], lstm["cell"][:, 3])
    close(lstm["output_gate"][:, 3] * lstm["tanh_cell"], lstm["hidden"][:, 3])
    close(lstm["kept"][1:], lstm["forget_gate"][1:, 3] * lstm["cell"][:-1, 3])
    _, gru = asked(made("gru"), 3, 0)
    close(gru["kept"] + gru["written"], gru["hidden"][:, 3])
    close(gru["rest"] + gru["update_gate"][:, 3], torch.ones(LONGEST))
    close(gru["kept"][1:], gru["update_gate"][1:, 3] * gru["hidden"][:-1, 3])


@pytest.mark.parametrize("kind", KINDS)
def test_what_fills_a_text_up_changes_nothing_before_it(kind: Kind) -> None:
    graph = recurrent_pass(made(kind))
    inputs = graph.draw(torch.Generator().manual_seed(5))
    other = {**inputs, "ids": torch.cat([inputs["ids"][:9], 1 - inputs["ids"][9:].clamp(0, 1)])}
    one, two = graph(**inputs), graph(**other)
    for name in (*PARTS[kind], "probabilities", "products_h"):
        assert torch.equal(one[name][:9], two[name][:9])


def test_a_model_of_several_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="model has 2 layers; allowed is 1"):
        recurrent_pass(made("gru", n_layer=2))
