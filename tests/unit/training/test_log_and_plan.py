"""What a run writes down, and what it is known to need before it begins."""

import csv
import dataclasses
import sys

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dlcompare.models import GPT, GPT2_SMALL, MLP, GPTConfig, MLPConfig
from dlcompare.training import (
    DryRun,
    Run,
    bfloat16_is_fast,
    causal_lm_loss,
    classification_loss,
    fit,
    plan,
    set_seed,
    shuffled_batches,
)
from dlcompare.training.log import COLUMNS, Log


def small(run=None, steps=6, **options):
    generator = set_seed(0)
    x = torch.randn(12, 2, generator=generator)
    model = MLP(MLPConfig((2, 4, 2)))
    batches = shuffled_batches(x, (x.sum(1) > 0).long(), 6, generator)
    history = fit(
        model,
        classification_loss,
        batches,
        steps=steps,
        learning_rate=0.1,
        evaluate=lambda m: classification_loss(m, (x, (x.sum(1) > 0).long())).item(),
        evaluate_every=3,
        run=run,
        **options,
    )
    return model, history


def test_the_log_holds_what_the_history_holds(tmp_path):
    _, history = small(Run(folder=tmp_path))
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["loss"]) for row in rows] == pytest.approx(history.loss, rel=1e-8)
    assert [(int(r["step"]), float(r["validation"])) for r in rows if r["validation"]] == [
        (step, pytest.approx(value, rel=1e-8)) for step, value in history.validation
    ]
    assert float(rows[-1]["learning_rate"]) < float(rows[0]["learning_rate"]) == 0.1
    assert all(float(row["gradient_norm"]) > 0 for row in rows)
    assert float(rows[-1]["seconds"]) == pytest.approx(history.seconds, abs=0.5)


def test_tensorboard_reads_the_same_from_its_events(tmp_path):
    _, history = small(Run(folder=tmp_path, tensorboard=True))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [e.step for e in events.Scalars("loss")] == list(range(1, 7))
    assert [e.value for e in events.Scalars("loss")] == pytest.approx(history.loss, rel=1e-6)
    assert [(e.step, e.value) for e in events.Scalars("validation")] == [
        (step, pytest.approx(value, rel=1e-6)) for step, value in history.validation
    ]


def test_without_tensorboard_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ModuleNotFoundError, match="TensorBoard is not installed: pip install tensorboard"):
        Log(tmp_path, 0, tensorboard=True)


def test_a_log_that_goes_on_drops_the_steps_that_are_made_again_and_a_torn_line(tmp_path):
    with Log(tmp_path, 0) as log:
        for step in (1, 2, 3):
            log.write(step, {"loss": float(step)})
    with (tmp_path / "log.csv").open("a") as file:
        file.write("4,0.")
    with Log(tmp_path, 2) as log:
        log.write(3, {"loss": 30.0})
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines == [",".join(COLUMNS), "1,,1,,,", "2,,2,,,", "3,,30,,,"]
    with Log(tmp_path, 0):
        pass
    assert (tmp_path / "log.csv").read_text().splitlines() == [",".join(COLUMNS)]


def test_the_running_average_is_that_of_the_formula():
    """Against the weights after each step, seen from a run without the average: it changes nothing about the steps."""
    weights = []

    def seen(model, batch):
        weights.append([p.detach().clone() for p in model.parameters()])
        return classification_loss(model, batch)

    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long()

    def run(average):
        torch.manual_seed(0)
        model = MLP(MLPConfig((2, 3, 2)))
        fit(model, seen, iter([(x, y)] * 9), steps=5, learning_rate=0.1, average=average)
        return [p.detach() for p in model.parameters()]

    last = run(None)
    steps, weights = [*weights[1:], last], []
    start = None
    averaged = run(0.9)
    start = weights[0]
    for now in steps:
        start = [0.9 * a + 0.1 * p for a, p in zip(start, now, strict=True)]
    for found, expected in zip(averaged, start, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_evaluation_sees_the_average_and_training_goes_on_from_the_weights():
    plain = small()[1]
    averaged = small(average=0.5)[1]
    assert averaged.loss == plain.loss
    assert averaged.validation != plain.validation


@pytest.mark.parametrize("average", [0, 1, -0.5, 2.0])
def test_a_bad_average_is_named(average):
    with pytest.raises(ValueError, match=r"average is .*; allowed is 0 < average < 1, or None"):
        small(average=average)


def test_an_exploding_gradient_stops_before_the_weights_change():
    model = MLP(MLPConfig((1, 1)))
    before = [p.detach().clone() for p in model.parameters()]

    def loss(model, batch):
        return (model(batch[0]) * 0).abs().sum().sqrt()  # 0, whose derivative is infinite times zero

    batches = iter([(torch.ones(1, 1), torch.ones(1, 1))])
    with pytest.raises(FloatingPointError, match=r"the gradient's length is nan at step 1, .* a lower learning_rate"):
        fit(model, loss, batches, steps=1, learning_rate=0.1)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


def test_a_batch_with_fewer_rows_than_parts_is_named():
    with pytest.raises(ValueError, match=r"have 6, 6 rows; allowed is the same number for each, of at least 7"):
        small(Run(accumulate=7))


def test_bfloat16_is_asked_of_the_device():
    wanted = any(torch.cpu.get_capabilities().get(unit) for unit in ("avx512_bf16", "amx_bf16", "bf16"))
    assert bfloat16_is_fast(torch.device("cpu")) == wanted
    assert not bfloat16_is_fast(torch.device("meta"))


def test_a_plan_agrees_with_a_real_step():
    """Bytes of weights, gradients and AdamW's memory against those of the tensors after one real step."""
    model = GPT(GPTConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, d_model=8))
    ids = torch.randint(11, (6, 9), generator=torch.Generator().manual_seed(0))
    batch = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    made = []

    def optimizers(model):
        made[:] = [torch.optim.AdamW(model.parameters())]
        return made

    worked_out = plan(model, causal_lm_loss, batch, optimizers, steps=10, n_processes=3)
    causal_lm_loss(model, batch).backward()
    optimizers(model)[0].step()

    def size(tensors):
        return sum(t.numel() * t.element_size() for t in tensors)

    assert worked_out.parameters == model.config.n_parameters
    assert worked_out.weights == size(model.parameters())
    assert worked_out.gradients == size(p.grad for p in model.parameters())
    assert worked_out.optimizer == size(t for s in made[0].state.values() for t in s.values())
    model.blocks[0].attention.softmax.register_forward_hook(lambda *_: None)  # attention as its equation has it
    kept = []
    part = batch[0][:2], batch[1][:2]
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        causal_lm_loss(model, part)
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *part)}
    memories = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    assert worked_out.activations == sum(n for place, n in memories.items() if place not in own)
    assert worked_out.activations_bfloat16 < worked_out.activations
    whole = plan(model, causal_lm_loss, batch, optimizers, steps=10)
    assert worked_out.flops_per_step == whole.flops_per_step
    sharded = plan(model, causal_lm_loss, batch, optimizers, steps=10, n_processes=3, sharded=True)
    assert sharded.weights == worked_out.weights // 3
    assert sharded.memory < worked_out.memory


def test_gpt2_is_planned_on_the_meta_device_and_takes_six_operations_per_weight_and_token():
    with torch.device("meta"):
        model = GPT(dataclasses.replace(GPT2_SMALL, dropout=0.0))
    ids = torch.zeros(2, 1024, dtype=torch.int64)
    found = plan(model, causal_lm_loss, (ids, ids), lambda m: [torch.optim.AdamW(m.parameters())], steps=100)
    c = GPT2_SMALL
    assert found.parameters == 124_439_808
    # Kaplan et al. 2020, section 2.1: 2 N forward and 4 N backward, N without positions; attention comes on top: two
    # products of d_model per pair of tokens and layer.
    matrices = found.parameters - c.block_size * c.d_model
    per_token = 6 * matrices + 3 * 2 * 2 * c.n_layer * 1024 * c.d_model
    assert found.flops_per_step == pytest.approx(per_token * 2 * 1024, rel=0.01)
    assert found.seconds(1e12) == pytest.approx(100 * found.flops_per_step / 1e12)
    with pytest.raises(ValueError, match=r"flops_per_second is 0; allowed is > 0"):
        found.seconds(0)


def test_a_dry_run_makes_no_step(tmp_path):
    with pytest.raises(DryRun) as dry:
        small(Run(dry_run=2))
    assert (dry.value.plan.n_processes, dry.value.plan.rows_per_step, dry.value.plan.steps) == (2, 6, 6)
    with pytest.raises(ValueError, match="n_processes is 0; allowed are integers of at least 1"):
        plan(MLP(MLPConfig((1, 1))), classification_loss, (torch.ones(1, 1),) * 2, lambda m: [], steps=1, n_processes=0)
