import math

import pytest
import torch
import torch.nn.functional as F

from dlcompare.models import GPT, MLP, GPTConfig, MLPConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.training import (
    History,
    accuracy,
    bits_per_character,
    causal_lm_loss,
    classification_loss,
    fit,
    learning_rate_at,
    regression_loss,
    set_seed,
    shuffled_batches,
    window_batches,
)


def spirals(n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    """Two interleaved half circles: separable, but by no line."""
    generator = torch.Generator().manual_seed(0)
    angle = torch.rand(n, generator=generator) * math.pi
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    return torch.cat([upper, lower]), torch.tensor([0] * n + [1] * n)


def test_fit_learns_what_no_line_separates_and_is_reproducible():
    x, y = spirals()

    def run() -> tuple[float, list[float]]:
        generator = set_seed(3)
        model = MLP(MLPConfig((2, 16, 2), "tanh"))
        history = fit(model, classification_loss, shuffled_batches(x, y, 50, generator), steps=250, learning_rate=0.03)
        return accuracy(model, x, y), history.loss

    first, second = run(), run()
    assert first[0] > 0.99
    assert first == second
    assert len(first[1]) == 250


def test_fit_ends_with_the_best_weights_and_stops_early():
    x, y = spirals(20)
    model = MLP(MLPConfig((2, 4, 2)))
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    weights = []

    def evaluate(model: torch.nn.Module) -> float:
        assert not model.training
        weights.append(model.layers[0].weight.clone())
        return next(values)

    history = fit(
        model,
        classification_loss,
        shuffled_batches(x, y, 10, set_seed(0)),
        steps=100,
        learning_rate=0.1,
        evaluate=evaluate,
        evaluate_every=2,
        patience=2,
    )
    assert history.validation == [(2, 3.0), (4, 1.0), (6, 2.0), (8, 2.0)]
    assert history.stopped_early
    assert history.steps == 8
    assert history.best == (4, 1.0)
    assert torch.equal(model.layers[0].weight, weights[1])
    assert not torch.equal(weights[1], weights[3])


def test_evaluation_time_is_not_training_time():
    x, y = spirals(20)
    now = [0.0]

    class FakeTime:
        perf_counter = process_time = staticmethod(lambda: now[0])

    def loss(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        now[0] += 1
        return classification_loss(model, batch)

    def evaluate(model: torch.nn.Module) -> float:
        now[0] += 100
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlcompare.training.loop.time", FakeTime)
        history = fit(
            MLP(MLPConfig((2, 2))),
            loss,
            shuffled_batches(x, y, 10, set_seed(0)),
            steps=6,
            learning_rate=0.1,
            evaluate=evaluate,
            evaluate_every=2,
        )
    assert (history.seconds, history.cpu_seconds) == (6, 6)


def test_a_loss_that_is_no_number_stops_with_the_step_and_keeps_the_weights():
    model = MLP(MLPConfig((1, 1)))
    finite = torch.ones(2, 1)
    batches = iter([(finite, finite), (finite * math.nan, finite)])
    states = []

    def loss(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        states.append([p.detach().clone() for p in model.parameters()])
        return regression_loss(model, batch)

    with pytest.raises(
        FloatingPointError,
        match=r"the loss is nan at step 2, on batch 2 .* tensor 0 .* not finite",
    ):
        fit(model, loss, batches, steps=5, learning_rate=0.1)
    assert all(torch.equal(p, before) for p, before in zip(model.parameters(), states[-1], strict=True))


def test_learning_rate_warms_up_and_falls_to_a_tenth():
    rates = [learning_rate_at(step, 100, 2.0, 10) for step in range(101)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[9] == rates[10] == pytest.approx(2.0)
    assert rates[100] == pytest.approx(0.2)
    assert all(a >= b for a, b in zip(rates[10:], rates[11:], strict=False))


def test_bfloat16_trains_float32_weights():
    generator = set_seed(0)
    model = MLP(MLPConfig((2, 8, 2)))
    history = fit(
        model,
        classification_loss,
        shuffled_batches(*spirals(), 50, generator),
        steps=60,
        learning_rate=0.05,
        bfloat16=True,
    )
    assert model.layers[0].weight.dtype == torch.float32
    assert history.loss[-1] < 0.6 * history.loss[0]


def test_muon_moves_the_hidden_matrices_and_adamw_the_rest():
    """One step of fit equals one step of torch's own optimisers on the parameters that each is to move."""
    config = GPTConfig(vocab_size=5, block_size=6, n_layer=1, n_head=1, d_model=8)
    torch.manual_seed(0)
    model, twin = GPT(config), GPT(config)
    twin.load_state_dict(model.state_dict())
    batch = (torch.tensor([[0, 1, 2]]), torch.tensor([[1, 2, 3]]))
    fit(
        model,
        causal_lm_loss,
        iter([batch]),
        steps=1,
        learning_rate=0.01,
        muon_learning_rate=0.1,
        weight_decay=0.2,
    )

    names = dict(twin.named_parameters())
    hidden = [p for n, p in names.items() if n.startswith("blocks") and p.ndim == 2]
    embeddings = [names["token_embedding.weight"], names["position_embedding.weight"]]
    vectors = [p for p in names.values() if p.ndim == 1]
    causal_lm_loss(twin, batch).backward()
    torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
    torch.optim.Muon(hidden, lr=0.1, weight_decay=0.2).step()
    torch.optim.AdamW(embeddings, lr=0.01, betas=(0.9, 0.95), weight_decay=0.2).step()
    torch.optim.AdamW(vectors, lr=0.01, betas=(0.9, 0.95), weight_decay=0.0).step()
    for (name, ours), expected in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert torch.allclose(ours, expected, atol=1e-6), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0; allowed are integers of at least 1"),
        ({"patience": 2}, "patience is 2 but evaluate is None"),
    ],
)
def test_fit_names_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        fit(MLP(MLPConfig((1, 1))), regression_loss, iter([]), **{"steps": 1, "learning_rate": 0.1, **change})


def test_shuffled_batches_show_each_example_once_per_epoch():
    x = torch.arange(7)
    batches = shuffled_batches(x, x * 10, 3, torch.Generator().manual_seed(0))
    epochs = [torch.cat([next(batches)[0] for _ in range(2)]).tolist() for _ in range(5)]
    assert all(len(set(epoch)) == 6 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    inputs, targets = next(batches)
    assert torch.equal(inputs * 10, targets)


def test_window_batches_are_stretches_of_the_text_and_reach_both_ends():
    ids = torch.arange(20)
    batches = window_batches(ids, 4, 50, torch.Generator().manual_seed(0))
    inputs, targets = next(batches)
    assert inputs.shape == targets.shape == (50, 4)
    assert torch.equal(inputs + 1, targets)
    assert inputs.min() == 0
    assert targets.max() == 19


def test_batches_name_bad_arguments():
    generator = torch.Generator()
    with pytest.raises(ValueError, match="targets has 2 entries; allowed is as many as inputs has: 3"):
        next(shuffled_batches(torch.zeros(3), torch.zeros(2), 1, generator))
    with pytest.raises(ValueError, match="batch_size is 4; allowed are 1 to 3"):
        next(shuffled_batches(torch.zeros(3), torch.zeros(3), 4, generator))
    with pytest.raises(ValueError, match="seq is 5; allowed are 1 to 4"):
        next(window_batches(torch.arange(5), 5, 1, generator))


# Bits per character: each token but the first exactly once, with at least half a block of context


class CountingModel(torch.nn.Module):
    """Gives each next token id t the log-probability that a table says, whatever came before; notes what it saw."""

    def __init__(self, vocab_size: int, block_size: int):
        super().__init__()
        self.config = GPTConfig(vocab_size, block_size, 1, 1, 2)
        self.logits = torch.randn(vocab_size, generator=torch.Generator().manual_seed(0))
        self.starts: list[int] = []

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.starts += ids[:, 0].tolist()
        return self.logits.expand(*ids.shape, -1)


@pytest.mark.parametrize("n", [2, 5, 8, 9, 10, 12, 13, 29, 64])
def test_every_token_is_counted_once(n):
    model = CountingModel(vocab_size=64, block_size=8)
    ids = torch.arange(n)
    expected = -model.logits.log_softmax(0)[1:n].sum().item() / math.log(2) / 100
    assert bits_per_character(model, ids, n_characters=100, batch_size=3) == pytest.approx(expected, rel=1e-5)
    assert all(b - a <= 4 for a, b in zip(model.starts, model.starts[1:], strict=False))


def test_windows_give_each_token_the_promised_context():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=13, block_size=8, n_layer=1, n_head=1, d_model=4)).double().eval()
    ids = torch.randint(13, (21,))
    starts = [0, 4, 8, 12]
    nats, counted = 0.0, 0
    for start in starts:
        logits = model(ids[None, start : start + 8])[0]
        losses = F.cross_entropy(logits, ids[start + 1 : start + 9], reduction="none")
        nats += losses[counted - start :].sum().item()
        counted = start + 8
    assert counted == 20
    assert bits_per_character(model, ids, 50) == pytest.approx(nats / math.log(2) / 50)


def test_a_recurrent_model_carries_its_state_through_the_text():
    torch.manual_seed(0)
    model = RecurrentLM(RecurrentLMConfig("lstm", vocab_size=5, d_model=4)).double().eval()
    ids = torch.randint(5, (9000,))  # longer than one piece
    nats = causal_lm_loss(model, (ids[None, :-1], ids[None, 1:])).item() * 8999
    assert bits_per_character(model, ids, 1000) == pytest.approx(nats / math.log(2) / 1000)


def test_bits_per_character_names_a_bad_argument():
    with pytest.raises(ValueError, match=r"ids has shape \(1,\)"):
        bits_per_character(CountingModel(4, 4), torch.tensor([1]), 1)


def test_a_history_is_shown_in_one_line():
    assert repr(History()) == "History(0 steps, 0.0 s)"
    history = History([2.5, 1.25], [(1, 3.0), (2, 2.0)], seconds=1.04)
    assert repr(history) == "History(2 steps, loss 2.5 to 1.25, best validation 2 at step 2, 1.0 s)"
