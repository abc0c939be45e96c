"""Evidence for the claims of the article's chapter 3: its formulas and procedures, held against torch."""

import statistics

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcompare import results
from dlcompare.comparison import scaling
from dlcompare.generation import generate, steps
from dlcompare.models import GPT, MLP, GPTConfig, MLPConfig
from dlcompare.models.costs import costs
from dlcompare.sampling import GREEDY


@pytest.fixture
def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=13, block_size=16, n_layer=2, n_head=2, d_model=16)).eval()


def test_attention_is_parallel_in_time_and_quadratic_in_length():
    torch.manual_seed(0)
    d = 8
    attention, lstm = nn.MultiheadAttention(d, 2, batch_first=True), nn.LSTM(d, d, batch_first=True)
    x = torch.randn(1, 6, d)
    # Any position's output needs no other position's: each can be computed alone, in any order.
    whole = attention(x, x, x)[0]
    alone = torch.cat([attention(x[:, [t]], x, x)[0] for t in (3, 0, 5, 1, 4, 2)], 1)[:, [1, 3, 5, 0, 4, 2]]
    torch.testing.assert_close(whole, alone)
    # A recurrent network's last output can't be had without all states before it.
    states = [torch.zeros(1, 1, d)] * 2
    for t in range(6):
        out, states = lstm(x[:, [t]], tuple(states))
    torch.testing.assert_close(out, lstm(x)[0][:, -1:])
    model = GPT(GPTConfig(5, 512, 1, 2, d))
    work = {n: costs(model, torch.zeros(1, n, dtype=torch.int64))["blocks.0.attention"].flops for n in (128, 256, 512)}
    first, second = work[256] - 2 * work[128], work[512] - 2 * work[256]
    assert second == 4 * first > 0  # what is left when the linear part is taken off grows with the square


def test_on_one_core_a_gpt_takes_longer_for_a_step_than_an_lstm():
    """In our own scaling runs, size by size, over the seeds: processor time of the same steps on one thread."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for record in results.scaling():
        if record.task == scaling.TASK:
            assert record.machine["threads"] == 1
            seconds.setdefault((record.budget, record.family), []).append(record.cpu_seconds / record.steps)
    sizes = {budget for budget, _ in seconds}
    assert len(sizes) >= 4
    for budget in sizes:
        assert statistics.median(seconds[budget, "gpt"]) > 1.2 * statistics.median(seconds[budget, "lstm"]), budget


def test_the_next_token_costs_a_gpt_more_and_more_and_an_lstm_always_the_same():
    rows = results.inference()["rows"]
    work = {way: [row["flops"] for row in rows if row["way"] == way] for way in ("gpt", "lstm")}
    kept = {way: [row["bytes"] for row in rows if row["way"] == way] for way in ("gpt", "lstm")}
    assert work["gpt"] == sorted(set(work["gpt"]))
    assert kept["gpt"] == sorted(set(kept["gpt"]))
    assert len(set(work["lstm"])) == len(set(kept["lstm"])) == 1


def test_weights_are_initialised_and_inputs_are_not():
    models = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        models.append(MLP(MLPConfig((2, 3, 1))))
    x = torch.tensor([[0.3, -1.2]])
    same, again, other = (model(x) for model in models)
    assert torch.equal(same, again)
    assert not torch.equal(same, other)
    assert torch.equal(x, torch.tensor([[0.3, -1.2]]))


def test_the_formula_of_a_layer_is_torchs():
    torch.manual_seed(0)
    layer, y = nn.Linear(4, 3), torch.randn(4)
    w, b = layer.weight.tolist(), layer.bias.tolist()
    by_hand = [sum(w[i][j] * y[j].item() for j in range(4)) + b[i] for i in range(3)]
    torch.testing.assert_close(torch.tanh(torch.tensor(by_hand)), torch.tanh(layer(y)))


def test_the_last_layer_is_not_activated():
    torch.manual_seed(0)
    model = MLP(MLPConfig((4, 8, 3)))
    out = model(torch.randn(200, 4))
    assert (out < 0).any()  # a ReLU would have cut that off
    assert not torch.allclose(out.sum(1), torch.ones(200))  # and these are no probabilities yet


def test_the_chain_rule_as_printed():
    torch.manual_seed(0)
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    x = torch.randn(3)
    hidden = torch.tanh(first(x))
    out = torch.tanh(second(hidden))
    loss = out.square().sum()
    of_hidden, of_out = torch.autograd.grad(loss, [hidden, out], retain_graph=True)
    jacobian = torch.autograd.functional.jacobian(lambda h: torch.tanh(second(h)), hidden)  # (2, 4)
    torch.testing.assert_close(of_out @ jacobian, of_hidden)
    of_weight, of_bias = torch.autograd.grad(loss, [first.weight, first.bias])
    slope = 1 - hidden**2  # of tanh
    torch.testing.assert_close(of_weight, (of_hidden * slope)[:, None] * x)
    torch.testing.assert_close(of_bias, of_hidden * slope)


def test_gradients_add_up_over_examples_and_not_over_weights():
    torch.manual_seed(0)
    layer, x = nn.Linear(3, 2), torch.randn(5, 3)
    layer(x).square().sum().backward()
    single = []
    for example in x:
        single.append(torch.autograd.grad(layer(example).square().sum(), layer.weight)[0])
    torch.testing.assert_close(layer.weight.grad, torch.stack(single).sum(0))
    assert layer.weight.grad.shape == layer.weight.shape  # one for each weight, none of them added together
    assert len(layer.weight.grad.flatten().unique()) == 6


def test_the_update_as_printed_is_torchs_sgd():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    layer(torch.randn(4, 3)).square().sum().backward()
    expected = [p - 0.1 * p.grad for p in layer.parameters()]
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    for found, wanted in zip(layer.parameters(), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_convolution_is_a_linear_layer_with_shared_weights():
    torch.manual_seed(0)
    conv = nn.Conv1d(1, 1, 3, bias=False)
    x = torch.randn(1, 1, 6)
    matrix = torch.zeros(4, 6)
    for place in range(4):
        matrix[place, place : place + 3] = conv.weight[0, 0]  # the same three numbers in each row
    torch.testing.assert_close(conv(x)[0, 0], matrix @ x[0, 0])


def test_a_gradient_reaches_further_back_in_an_lstm():
    def reach(recurrence: nn.RNNBase) -> float:
        x = torch.randn(1, 60, 16, generator=torch.Generator().manual_seed(1)).requires_grad_()
        recurrence(x)[0][:, -1].sum().backward()
        norms = x.grad[0].norm(dim=-1)
        return (norms[0] / norms[-1]).item()

    torch.manual_seed(0)
    plain, lstm = nn.RNN(16, 16, batch_first=True), nn.LSTM(16, 16, batch_first=True)
    with torch.no_grad():
        lstm.bias_ih_l0[16:32] = 2.0  # the forget gate, open: Gers et al. (2000), Jozefowicz et al. (2015)
    assert reach(lstm) > 100 * reach(plain)


def as_printed(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the article's formula, for scores (seq, seq) and the layer below (seq, d)."""
    return (scores.exp() / scores.exp().sum(-1, keepdim=True)) @ y


def test_attention_as_printed_only_mixes_what_is_there():
    torch.manual_seed(0)
    y = torch.randn(7, 5)
    x = y
    for _ in range(30):
        x = as_printed(torch.randn(7, 7), x)
        assert (x.amax(0) <= y.amax(0) + 1e-6).all()
        assert (x.amin(0) >= y.amin(0) - 1e-6).all()
    # Layer upon layer, all positions become the same.
    assert (x.amax(0) - x.amin(0)).max() < 1e-4 < (y.amax(0) - y.amin(0)).min()


def test_attention_as_printed_lacks_the_values():
    torch.manual_seed(0)
    d = 6
    attention = nn.MultiheadAttention(d, 1, bias=False, batch_first=True)
    y = torch.randn(4, d)
    q, k, v = (y @ w.T for w in attention.in_proj_weight.chunk(3))
    scores = q @ k.T / d**0.5
    true = attention(y[None], y[None], y[None])[0][0]
    torch.testing.assert_close(as_printed(scores, v) @ attention.out_proj.weight.T, true)
    assert not torch.allclose(as_printed(scores, y), true, atol=0.1)


def test_two_thirds_of_a_block_are_its_mlp(gpt):
    block = gpt.blocks[0]
    matrices = {name: p.numel() for name, p in block.named_parameters() if p.ndim == 2}
    of_attention = sum(n for name, n in matrices.items() if name.startswith("attention"))
    assert of_attention == 4 * 16**2
    assert sum(matrices.values()) - of_attention == 8 * 16**2


def test_gpt_cannot_see_what_stands_after_a_masked_token(gpt):
    ids = torch.tensor([[1, 2, 0, 4, 5, 6]])  # 0 in the place of the masked one
    other = torch.tensor([[1, 2, 0, 9, 8, 7]])  # another right side
    with torch.no_grad():
        assert torch.equal(gpt(ids)[:, :3], gpt(other)[:, :3])
        # Each position is trained on the one after it, which is what the mask is for.
        assert not torch.equal(gpt(ids)[:, 3:], gpt(other)[:, 3:])


def test_the_articles_loop_forgets(gpt):
    first, second = torch.tensor([[3, 4, 5, 6]]), torch.tensor([[9, 8, 7, 6]])  # what was said differs, the end doesn't

    def article(ids: torch.Tensor, n: int) -> list[int]:
        said = []
        for _ in range(n):
            ids = gpt(ids)[:, -1:].argmax(-1)  # the input becomes the predicted word
            said.append(int(ids))
        return said

    with torch.no_grad():
        assert gpt(first)[0, -1].argmax() in range(13)
        starts = [article(ids[:, -1:], 6) for ids in (first, second)]
        assert starts[0] == starts[1]  # after the same last word, always the same
        logits = [gpt(ids)[0, -1] for ids in (first, second)]
    assert not torch.allclose(*logits)  # read whole, the two are told apart


def test_generation_ends_at_a_length_or_a_token(gpt):
    prompt = torch.tensor([[1, 2]])
    whole = generate(gpt, prompt, 8, GREEDY)
    assert whole.shape == (1, 10)
    stop = int(whole[0, 5])
    shown = []
    for step in steps(gpt, prompt, 8, GREEDY):
        shown.append(int(step.token))
        if shown[-1] == stop:
            break
    assert shown == whole[0, 2 : 2 + len(shown)].tolist()
    assert len(shown) <= 4 < 8
    assert F.one_hot(step.token, 13).sum() == 1
