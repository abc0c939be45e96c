"""Exported graphs: what torch gives, gradients and training steps included, or nothing at all."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import dlcompare.export.onnx_file
from dlcompare.export import Graph, ParityError, export
from dlcompare.export.parity import difference
from dlcompare.models import GPT, GPTConfig
from dlcompare.recording import record

TINY = GPTConfig(vocab_size=160, block_size=16, n_layer=1, n_head=2, d_model=64)


def tiny_gpt(seed: int = 0, *, exact: bool = True) -> GPT:
    """Return a GPT whose weights float16 holds exactly, as those of the checkpoints; or not."""
    torch.manual_seed(seed)
    model = GPT(TINY).eval()
    for parameter in model.parameters():  # larger than at the start of training, so that differences would show
        nn.init.normal_(parameter, std=0.1)
        if exact:
            parameter.data = parameter.data.half().float()
    return model


def draw_ids(generator: torch.Generator) -> dict[str, Tensor]:
    length = int(torch.randint(2, 17, (1,), generator=generator))
    return {"ids": torch.randint(0, 160, (1, length), generator=generator, dtype=torch.int32)}


def forward(model: GPT) -> Graph:
    return Graph("forward", lambda ids: {"logits": model(ids)}, draw_ids, varying={"ids": (1,)})


def gradients(model: GPT) -> Graph:
    """The loss's gradients with respect to attention, queries, keys, values, hidden states and two parameters."""
    names = [f"blocks.{i}{part}" for i in range(1) for part in ("", *(f".attention.{n}" for n in PARTS))]

    def function(ids: Tensor) -> dict[str, Tensor]:
        with record(model, *names) as seen:
            logits = model(ids)
        target = (ids[0, 1:, None] == torch.arange(160)).float()
        loss = -(logits[0, :-1].log_softmax(-1) * target).sum() / target.shape[0]
        watched = [*(seen[name] for name in names), model.token_embedding.weight, model.blocks[0].mlp[0].bias]
        found = torch.autograd.grad(loss, watched)
        keys = [*(name.replace(".", "_") for name in names), "embedding", "bias"]
        return {"loss": loss, **dict(zip(keys, found, strict=True))}

    return Graph("gradients", function, draw_ids, varying={"ids": (1,)})


PARTS = ("query", "key", "value", "scores", "softmax", "mixed")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A folder that several tests export the same graphs into."""
    return tmp_path_factory.mktemp("graphs")


def open_session(folder: Path, exported) -> onnxruntime.InferenceSession:
    """Open the written files as a reader's browser does: inflated, the weights beside the graph."""
    with tempfile.TemporaryDirectory() as opened:
        for name, stem in ((exported.graph, "graph.onnx"), (exported.weights, "weights")):
            if name:
                Path(opened, stem).write_bytes(gzip.decompress((folder / name).read_bytes()))
        return onnxruntime.InferenceSession(Path(opened, "graph.onnx"), providers=["CPUExecutionProvider"])


def test_a_forward_pass(store: Path) -> None:
    model = tiny_gpt()
    exported = export(forward(model), store)
    session = open_session(store, exported)
    for length in (1, 2, 7, 16):
        ids = torch.randint(0, 160, (1, length), dtype=torch.int32)
        (logits,) = session.run(None, {"ids": ids.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.tensor(logits), model(ids), rtol=0, atol=1e-4)


def test_gradients_of_activations_attention_and_parameters(store: Path) -> None:
    model = tiny_gpt()
    session = open_session(store, export(gradients(model), store))
    names = [output.name for output in session.get_outputs()]
    assert len(names) == 1 + 7 + 2
    ids = torch.randint(0, 160, (1, 9), dtype=torch.int32)
    got = dict(zip(names, session.run(None, {"ids": ids.numpy()}), strict=True))
    # Held against torch's own loss and backward(), which the graph's function does not use.
    with record(model, *(f"blocks.0.attention.{part}" for part in PARTS)) as seen:
        F.cross_entropy(model(ids)[0, :-1], ids[0, 1:].long()).backward()
    for part in PARTS:
        expected = seen.gradient(f"blocks.0.attention.{part}")
        torch.testing.assert_close(torch.tensor(got[f"blocks_0_attention_{part}"]), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.tensor(got["embedding"]), model.token_embedding.weight.grad, rtol=1e-4, atol=1e-5)


def test_a_training_step_with_widths_left_open(tmp_path: Path) -> None:
    def step(x: Tensor, y: Tensor, rate: Tensor, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
        weight, bias = weight.detach().requires_grad_(), bias.detach().requires_grad_()
        target = (y[:, None] == torch.arange(bias.shape[0])).float()
        loss = -((x @ weight.T + bias).log_softmax(-1) * target).sum() / x.shape[0]
        by_weight, by_bias = torch.autograd.grad(loss, [weight, bias])
        return {"loss": loss, "weight_next": weight - rate * by_weight, "bias_next": bias - rate * by_bias}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        n, inputs, classes = torch.randint(2, 9, (3,), generator=generator).tolist()
        return {
            "x": torch.randn(n, inputs, generator=generator),
            "y": torch.randint(0, classes, (n,), generator=generator, dtype=torch.int32),
            "rate": torch.rand((), generator=generator),
            "weight": torch.randn(classes, inputs, generator=generator),
            "bias": torch.randn(classes, generator=generator),
        }

    varying = {"x": (0, 1), "y": (0,), "weight": (0, 1), "bias": (0,)}
    graph = Graph("step", step, draw, varying=varying)
    session = open_session(tmp_path, export(graph, tmp_path))
    inputs = draw(torch.Generator().manual_seed(torch.seed() % 2**40))
    got = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    layer = nn.Linear(*inputs["weight"].T.shape)
    with torch.no_grad():
        layer.weight.copy_(inputs["weight"])
        layer.bias.copy_(inputs["bias"])
    optimizer = torch.optim.SGD(layer.parameters(), lr=inputs["rate"].item())
    loss = F.cross_entropy(layer(inputs["x"]), inputs["y"].long())
    loss.backward()
    optimizer.step()
    for value, expected in zip(got, (loss, layer.weight, layer.bias), strict=True):
        torch.testing.assert_close(torch.tensor(value), expected.detach(), rtol=1e-5, atol=1e-5)


def test_what_differs_from_torch_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    def two_faced(x: Tensor) -> dict[str, Tensor]:
        return {"y": x + (0.0 if torch.compiler.is_compiling() else 1e-3)}

    graph = Graph("two-faced", two_faced, lambda g: {"x": torch.randn(3, generator=g)})
    with pytest.raises(ParityError, match=r"output 'y' of two-faced differs from torch by 0\.001; allowed is 0\.0001"):
        export(graph, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_of_large_numbers_a_share_may_differ_and_no_more(tmp_path: Path) -> None:
    def large(share: float) -> Graph:
        def function(x: Tensor) -> dict[str, Tensor]:
            return {"y": 1e4 * x * (1.0 if torch.compiler.is_compiling() else 1.0 + share)}

        return Graph("large", function, lambda g: {"x": 1 + torch.rand(3, generator=g)})

    assert export(large(5e-5), tmp_path).parity["y"] > 0.1
    with pytest.raises(ParityError, match=r"output 'y' of large differs from torch by \d+\.?\d*; allowed is [12]\."):
        export(large(5e-4), tmp_path / "other")


def test_the_gradient_of_cross_entropy_is_written_wrongly_by_torch_and_caught(tmp_path: Path) -> None:
    """Why no graph is written without its check. When torch mends this, the note in the design can go."""

    def function(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        x = x.detach().requires_grad_()
        loss = F.cross_entropy(x, y.long())
        return {"gradient": torch.autograd.grad(loss, x)[0]}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        y = torch.randint(0, 4, (5,), generator=generator, dtype=torch.int32)
        return {"x": torch.randn(5, 4, generator=generator), "y": y}

    with pytest.raises(ParityError, match="output 'gradient'"):
        export(Graph("cross-entropy", function, draw), tmp_path)


def test_nothing_is_exported_again_while_nothing_changed(tmp_path: Path, monkeypatch) -> None:
    first = export(forward(tiny_gpt()), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(dlcompare.export.onnx_file, "to_onnx", lambda *_: pytest.fail("exported again"))
        assert export(forward(tiny_gpt()), tmp_path) == first
    changed = export(forward(tiny_gpt(seed=1)), tmp_path)
    assert changed.weights != first.weights
    (tmp_path / first.weights).unlink()
    assert export(forward(tiny_gpt()), tmp_path).weights == first.weights
    assert (tmp_path / first.weights).is_file()
    for record_file in tmp_path.glob("*.json"):
        record_file.write_text("{", encoding="utf-8")
    assert export(forward(tiny_gpt()), tmp_path).graph == first.graph


def test_files_are_named_by_their_content(store: Path) -> None:
    import hashlib

    exported = export(forward(tiny_gpt()), store)
    for name in (exported.graph, exported.weights):
        content = gzip.decompress((store / name).read_bytes())
        assert hashlib.sha256(content).hexdigest().startswith(name.split(".")[1])
    files = [exported.graph, exported.weights]
    assert exported.bytes == sum((store / name).stat().st_size for name in files)
    assert exported.parity["logits"] <= 1e-4


def test_another_process_writes_the_very_same_files(tmp_path: Path, store: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import test_export
print(test_export.export(test_export.gradients(test_export.tiny_gpt()), Path({str(tmp_path / "other")!r})).graph)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == export(gradients(tiny_gpt()), tmp_path / "one").graph


def test_graphs_of_one_model_share_their_weights(store: Path) -> None:
    model = tiny_gpt()
    one, other = export(forward(model), store), export(gradients(model), store)
    assert one.weights == other.weights is not None
    assert one.graph != other.graph


def test_weights_are_halved_only_where_the_result_stays(tmp_path: Path) -> None:
    halved = export(forward(tiny_gpt()), tmp_path)
    assert halved.half, "float16 holds these weights exactly"
    model = tiny_gpt(exact=False)
    exact = Graph("exact", forward(model).function, draw_ids, varying={"ids": (1,)}, tolerance=2e-5)
    full = export(exact, tmp_path)
    assert not full.half
    assert full.bytes > 1.2 * halved.bytes


def test_a_graph_tells_nothing_of_the_machine(store: Path) -> None:
    exported = export(gradients(tiny_gpt()), store)
    content = gzip.decompress((store / exported.graph).read_bytes())
    for trace in (b"site-packages", str(Path.home()).encode(), b"test_export", b"File "):
        assert trace not in content


def test_hostile_sizes_of_a_written_graph(tmp_path: Path) -> None:
    """Sizes 0 and 1, which torch specialises where it may."""

    def function(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"both": torch.cat([x, y]), "sum": (x * 2).sum()}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        n, m = torch.randint(0, 4, (2,), generator=generator).tolist()
        return {"x": torch.randn(n + 2, generator=generator), "y": torch.randn(m + 2, generator=generator)}

    session = open_session(tmp_path, export(Graph("cat", function, draw, varying={"x": (0,), "y": (0,)}), tmp_path))
    for n in (0, 1, 5):
        for m in (0, 1, 7):
            x, y = torch.randn(n), torch.randn(m)
            both, total = session.run(None, {"x": x.numpy(), "y": y.numpy()})
            assert torch.equal(torch.tensor(both), torch.cat([x, y]))
            torch.testing.assert_close(torch.tensor(total), (x * 2).sum())


def test_without_the_packages_it_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RuntimeError, match=r"onnxruntime is not installed: pip install 'dlcompare\[export\]'"):
        export(forward(tiny_gpt()), tmp_path)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5]), 0.5),
        (torch.tensor([1.0, -torch.inf]), torch.tensor([1.25, -torch.inf]), 0.25),
        (torch.tensor([torch.nan]), torch.tensor([torch.nan]), 0.0),
        (torch.tensor([torch.nan]), torch.tensor([0.0]), float("inf")),
        (torch.tensor([torch.inf]), torch.tensor([-torch.inf]), float("inf")),
        (torch.tensor([torch.inf]), torch.tensor([1e30]), float("inf")),
        (torch.zeros(2), torch.zeros(1, 2), float("inf")),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int32), float("inf")),
        (torch.zeros(0), torch.zeros(0), 0.0),
        (torch.tensor([True, False]), torch.tensor([True, True]), 1.0),
    ],
)
def test_a_difference_is_seen_whatever_it_is(one: Tensor, other: Tensor, expected: float) -> None:
    assert difference(one, other) == expected
