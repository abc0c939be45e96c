"""The benchmarks run on tiny shapes, and the committed file has every line with its unit. No time is asserted."""

import io
import json
import math

import pytest
import torch
from rich.console import Console

from benchmarks import inference, machine, run
from benchmarks.run import FULL, PEER, Plan, Shape
from benchmarks.side_by_side import medians
from dlcompare import results
from dlcompare.models import GPT, GPTConfig

#: Every line: its name, whom it is compared with, the figure it is to reach on a processor with bf16 units.
LINES = {
    "train S": (PEER, 1.25),
    "train M": (PEER, 1.1),
    "train M bf16": ("our float32", 1.5),
    "generate S": (PEER, 2.5),
    "cache S": ("ours without cache", 3.0),
    "generate M": (PEER, 1.05),
    "generate M bf16, peer bfloat16": (f"{PEER} in bfloat16", 1.8),
    "generate M bf16, peer float32": (f"{PEER} in float32", 1.8),
    "cache M": ("ours without cache", 3.0),
    "record off": ("no way to look inside", None),
    "record weights": ("nothing recorded", None),
    "record all": ("nothing recorded", None),
    "cells rnn": ("torch.nn", None),
    "cells lstm": ("torch.nn", None),
    "cells gru": ("torch.nn", None),
}

TINY = Plan(
    shapes={"S": Shape(1, 2, 8, 6, 2, vocab_size=5), "M": Shape(2, 2, 8, 8, 1, vocab_size=5)},
    rounds=dict.fromkeys(FULL.rounds, 1),
    prompt=2,
    length=5,
    contexts=(4, 8, 16),
    widths=(8, 16),
    tokens=16,
    recurrent=(2, 3, 4),
    matrix=8,
    read=4096,
)


@pytest.fixture(scope="module")
def tiny():
    said = []
    measured = run.measure(TINY, said.append)
    assert said[-1] == "growth"
    assert len(said) == 7
    return json.loads(json.dumps(run.rounded(measured)))


def check(measured):
    assert {row["name"]: row["against"] for row in measured["lines"]} == {name: who for name, (who, _) in LINES.items()}
    for row in measured["lines"]:
        target = LINES[row["name"]][1]
        assert row["target"] == (None if "bf16" in row["name"] and not measured["machine"]["bf16_units"] else target)
        assert row["unit"] in ("ms", "ms/token")
        assert row["limit_unit"] in ("GFLOP/s", "GB/s")
        assert math.isclose(row["ratio"], row["other"] / row["ours"], rel_tol=2e-3)
        assert math.isclose(row["share"], row["rate"] / row["limit_rate"], rel_tol=2e-3)
        assert min(row["ours"], row["other"], row["rate"]) > 0
    for what in ("context", "width"):
        sizes = [row[what] for row in measured["growth"][what]]
        assert sizes == sorted(sizes)
        work = [row["gflop_per_token"] for row in measured["growth"][what]]
        assert work == sorted(work)
        for row in measured["growth"][what]:
            assert math.isclose(row["share"], row["tokens_per_second"] / row["limit_tokens_per_second"], rel_tol=2e-3)
    assert measured["versions"].keys() == {"python", "torch", "transformers"}
    assert measured["machine"].keys() == {
        *("processor", "cores", "threads", "bf16_units", "vector_units", "openmp_waiting", "load_before"),
    }


def test_tiny_shapes_give_every_line(tiny):
    check(tiny)


def test_the_committed_file_has_every_line():
    stored = results.bench()
    check(stored)
    assert stored["shapes"] == {name: vars(shape) for name, shape in FULL.shapes.items()}
    assert [row["context"] for row in stored["growth"]["context"]] == list(FULL.contexts)
    assert [row["width"] for row in stored["growth"]["width"]] == list(FULL.widths)


def test_a_file_is_written_and_read_back(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "measure", lambda plan, say: say("nothing") or tiny)
    file = tmp_path / "new" / "bench.json"
    monkeypatch.setattr("sys.argv", ["run", "--output", str(file), "--threads", str(torch.get_num_threads())])
    run.main()
    assert results.bench(file) == tiny


def test_the_table_says_which_figures_are_met(tiny):
    lines = [dict(tiny["lines"][0], ratio=1.3, target=1.25), dict(tiny["lines"][0], ratio=1.2, target=1.25)]
    out = io.StringIO()
    run.show({**tiny, "lines": lines}, Console(file=out, width=200))
    assert "met: 1.25" in out.getvalue()
    assert "missed: 1.25" in out.getvalue()


def test_every_way_runs_in_every_round_and_the_first_rounds_do_not_count(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    order = []
    assert medians({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3, warm_up=1) == {
        "a": 1,
        "b": 1,
    }
    assert order == ["a", "b"] * 4


def test_a_step_of_generation_reads_the_weights_and_the_cache():
    model = GPT(GPTConfig(vocab_size=5, block_size=6, n_layer=2, n_head=2, d_model=8))
    cache = model.new_cache(1)
    with torch.inference_mode():
        model.hidden(torch.tensor([[0, 1, 2]]), cache)
    weights = sum(p.nbytes for name, p in model.named_parameters() if name != "position_embedding.weight")
    assert run.bytes_per_token(model, 3) == weights + cache.bytes
    assert run.bytes_per_token(model.bfloat16(), 3) == (weights + cache.bytes) / 2


def test_the_peer_has_the_same_weights():
    ours, theirs = run.twins(GPTConfig(vocab_size=5, block_size=6, n_layer=2, n_head=2, d_model=8))
    ids = torch.randint(5, (2, 6))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, rtol=0, atol=1e-5)
    assert theirs.config._attn_implementation == "sdpa"


def test_limits_are_counted_in_what_they_are_called():
    product, gflop = machine.matrix_product(torch.float32, 100)
    assert product().shape == (100, 100)
    assert gflop == 2e6 / 1e9
    read, gb = machine.memory_read(4000)
    assert read() == 1000
    assert gb == 4e-6


def test_floats_keep_four_digits():
    assert run.rounded({"a": [1.23456, "text", None, 7, True], "b": 123456.0}) == {
        "a": [1.235, "text", None, 7, True],
        "b": 123500.0,
    }


def test_the_next_token_costs_an_lstm_always_the_same_and_a_gpt_ever_more():
    plan = inference.Plan(1, 2, 16, vocab_size=5, contexts=(4, 8, 16), rounds=1)
    measured = json.loads(json.dumps(run.rounded(inference.measure(plan))))
    check_inference(measured, plan)
    # By hand: queries, keys and values, the projection, the MLP and the head for one token, and attention to four.
    products = 16 * 48 + 16 * 16 + 2 * 16 * 64 + 16 * 5
    assert next(r for r in measured["rows"] if r["way"] == "gpt")["flops"] == 2 * products + 2 * 2 * 16 * 4
    out = io.StringIO()
    inference.show(measured, Console(file=out, width=200))
    assert "gpt-uncached" in out.getvalue()


def check_inference(measured, plan):
    ways = ("gpt", "gpt-uncached", "lstm")
    assert [(r["context"], r["way"]) for r in measured["rows"]] == [(c, w) for c in plan.contexts for w in ways]
    assert all(row["milliseconds"] > 0 for row in measured["rows"])
    by_way = {way: [row for row in measured["rows"] if row["way"] == way] for way in ways}
    assert len({(row["flops"], row["bytes"]) for row in by_way["lstm"]}) == 1
    for key in ("flops", "bytes"):
        grown = [row[key] for row in by_way["gpt"]]
        assert grown == sorted(set(grown))
    for with_cache, without in zip(by_way["gpt"], by_way["gpt-uncached"], strict=True):
        assert without["flops"] > with_cache["flops"]
    sizes = [measured["models"][name]["parameters"] for name in ("gpt", "lstm")]
    assert abs(sizes[0] / sizes[1] - 1) < 0.05


def test_the_committed_file_of_inference_has_every_row():
    check_inference(results.inference(), inference.Plan())
