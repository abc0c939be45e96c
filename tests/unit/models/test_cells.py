"""Cells and unrolled recurrences against torch.nn's, in float64 to 1e-12."""

from collections import defaultdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import GPT, GPTConfig, Recurrent, RecurrentConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.models.cells import GRUCell, LSTMCell, RNNCell, UnrolledRecurrence, unrolled
from dlcompare.models.tap import Tap

CELLS = {"rnn": (RNNCell, torch.nn.RNNCell), "lstm": (LSTMCell, torch.nn.LSTMCell), "gru": (GRUCell, torch.nn.GRUCell)}
FUSED = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
GATES = {
    "rnn": {"hidden"},
    "lstm": {"input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden"},
    "gru": {"reset_gate", "update_gate", "candidate", "hidden"},
}


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def parts(state):
    """The tensors of a state: (h,) or (h, c)."""
    return state if isinstance(state, tuple) else (state,)


def random_state(kind, *shape):
    h = torch.randn(*shape, dtype=torch.float64)
    return (h, torch.randn(*shape, dtype=torch.float64)) if kind == "lstm" else h


def gate_values(model, *inputs):
    """Each tap's outputs in order, by its name."""
    seen = defaultdict(list)
    for name, module in model.named_modules():
        if isinstance(module, Tap):
            module.register_forward_hook(lambda module, inputs, output, name=name: seen[name].append(output.detach()))
    model(*inputs)
    return seen


def randomise(model):
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)


@settings(deadline=None, max_examples=20)
@given(
    kind=st.sampled_from(list(CELLS)),
    batch=st.integers(1, 4),
    input_size=st.integers(1, 5),
    hidden_size=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_a_step_equals_torchs(kind, batch, input_size, hidden_size, seed):
    torch.manual_seed(seed)
    cell, reference = (of(input_size, hidden_size).double() for of in CELLS[kind])
    randomise(reference)
    cell.load_state_dict(reference.state_dict())  # the same names and shapes
    x, state = torch.randn(batch, input_size, dtype=torch.float64), random_state(kind, batch, hidden_size)
    ours, theirs = (torch.stack(parts(step(x, state))) for step in (cell, reference))
    close(ours, theirs)
    weights = torch.randn_like(ours)  # a loss in which every number counts differently
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    for (name, parameter), expected in zip(cell.named_parameters(), reference.parameters(), strict=True):
        assert name in dict(reference.named_parameters())
        close(parameter.grad, expected.grad)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("n_layer", [1, 3])
def test_an_unrolled_recurrence_equals_the_fused_one(kind, n_layer):
    torch.manual_seed(n_layer)
    fused = FUSED[kind](3, 5, n_layer, batch_first=True).double()
    randomise(fused)
    recurrence = UnrolledRecurrence(fused)
    for state in (None, random_state(kind, n_layer, 2, 5)):
        x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
        gradients = []
        for module in (recurrence, fused):
            hidden, last = module(x, state)
            values = [hidden, *parts(last)]
            loss = sum((value * torch.linspace(-1, 1, value.numel()).view_as(value)).sum() for value in values)
            gradients.append((*values, *torch.autograd.grad(loss, [x, *fused.parameters()])))
        for ours, theirs in zip(*gradients, strict=True):
            close(ours, theirs)


@pytest.mark.parametrize("kind", CELLS)
def test_an_unrolled_language_model_is_the_same_model(kind):
    torch.manual_seed(0)
    model = RecurrentLM(RecurrentLMConfig(kind, vocab_size=7, d_model=6, n_layer=2, dropout=0.2)).double().eval()
    twin = unrolled(model)
    assert isinstance(twin, RecurrentLM)
    assert not twin.recurrence.training
    assert isinstance(model.recurrence, FUSED[kind])  # the original is as it was
    assert {id(p) for p in twin.parameters()} == {id(p) for p in model.parameters()}

    ids = torch.randint(7, (3, 8))
    first, state = twin.advance(ids[:, :3])
    second, last = twin.advance(ids[:, 3:], state)
    expected, expected_last = model.advance(ids)
    close(torch.cat([first, second], dim=1), expected)
    for ours, theirs in zip(parts(last), parts(expected_last), strict=True):
        close(ours, theirs)

    twin(ids).square().sum().backward()
    ours = [p.grad.clone() for p in model.parameters()]  # the parameters are shared, so their gradients are
    model.zero_grad()
    model(ids).square().sum().backward()
    for gradient, parameter in zip(ours, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-12, atol=1e-12)

    torch.optim.SGD(model.parameters(), lr=0.1).step()
    close(twin(ids), model(ids))  # what one learns the other knows


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("n_layer", [1, 2])
def test_an_unrolled_network_over_vectors_equals_the_fused_one(kind, n_layer):
    torch.manual_seed(0)
    config = RecurrentConfig(kind, input_size=3, hidden_size=5, output_size=2, n_layer=n_layer)
    model = Recurrent(config).double()
    x = torch.randn(2, 6, 3, dtype=torch.float64)
    close(unrolled(model)(x), model(x))


def test_unrolling_draws_no_random_number():
    model = Recurrent(RecurrentConfig("gru", 3, 5, 2, n_layer=2))
    before = torch.get_rng_state()
    unrolled(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_acts_between_the_layers_in_training_alone():
    torch.manual_seed(0)
    fused = torch.nn.GRU(3, 400, 2, batch_first=True, dropout=0.25)
    recurrence = UnrolledRecurrence(fused)
    seen = []
    recurrence.dropout.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0], output)))
    recurrence(torch.randn(2, 5, 3))
    ((before, after),) = seen  # once: after the first layer, not after the last
    dropped = after == 0
    assert 0.2 < dropped.float().mean() < 0.3
    torch.testing.assert_close(after[~dropped], before[~dropped] / 0.75)
    recurrence.eval()(torch.randn(2, 5, 3))
    assert torch.equal(*seen[1])


@pytest.mark.parametrize("kind", CELLS)
def test_every_gate_is_seen_at_every_step(kind):
    torch.manual_seed(0)
    model = RecurrentLM(RecurrentLMConfig(kind, vocab_size=7, d_model=6, n_layer=2)).double()
    randomise(model)
    twin = unrolled(model)
    seen = gate_values(twin, torch.randint(7, (3, 5)))
    assert set(seen) == {f"recurrence.layers.{layer}.{gate}" for layer in range(2) for gate in GATES[kind]}
    for name, values in seen.items():
        assert [tuple(value.shape) for value in values] == [(3, 6)] * 5
        if name.endswith("_gate"):
            assert all(((value > 0) & (value < 1)).all() for value in values)


def test_an_open_forget_gate_keeps_the_cell_and_a_closed_one_empties_it():
    cell = LSTMCell(2, 3).double()
    h, c = random_state("lstm", 1, 3)
    for bias, kept in ((100.0, c), (-100.0, torch.zeros_like(c))):
        torch.nn.init.zeros_(cell.weight_ih)
        torch.nn.init.zeros_(cell.weight_hh)
        torch.nn.init.zeros_(cell.bias_hh)
        with torch.no_grad():
            i, f, g, o = cell.bias_ih.chunk(4)
            f.fill_(bias)
            i.fill_(-100)  # nothing is written
            g.zero_()
            o.zero_()
        _, new = cell(torch.randn(1, 2, dtype=torch.float64), (h, c))
        close(new, kept)


@pytest.mark.parametrize(("bias", "keeps"), [(100.0, True), (-100.0, False)])
def test_an_update_gate_of_one_keeps_the_grus_state(bias, keeps):
    torch.manual_seed(0)
    cell = GRUCell(2, 3).double()
    with torch.no_grad():
        cell.bias_ih[3:6] = bias
    h, x = random_state("gru", 1, 3), torch.randn(1, 2, dtype=torch.float64)
    new = cell(x, h)
    candidate = gate_values(cell, x, h)["candidate"][0]
    close(new, h if keeps else candidate)


@pytest.mark.parametrize("kind", CELLS)
def test_the_gradient_through_time_is_the_derivative(kind):
    torch.manual_seed(0)
    fused = FUSED[kind](2, 3, 2, batch_first=True).double()
    recurrence = UnrolledRecurrence(fused)

    def last(x, *parameters):
        names = [name for name, _ in recurrence.named_parameters()]
        return torch.func.functional_call(recurrence, dict(zip(names, parameters, strict=True)), (x,))[0][:, -1]

    x = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(last, (x, *recurrence.parameters()), eps=1e-6, atol=1e-8)


def test_fresh_weights_lie_where_torchs_do():
    torch.manual_seed(0)
    cell = LSTMCell(5, 100)
    for parameter in cell.parameters():
        assert parameter.abs().max() <= 0.1
        assert abs(parameter.std() - 0.1 / 3**0.5) < 0.005  # uniform on ±1/√hidden_size


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="hidden_size is 0; allowed are integers of at least 1"):
        GRUCell(2, 0)
    cell = LSTMCell(2, 3)
    good = torch.zeros(4, 3)
    with pytest.raises(ValueError, match=r"x has shape \(4, 3\); allowed is \(batch, input_size = 2\)"):
        cell(torch.zeros(4, 3), (good, good))
    with pytest.raises(ValueError, match=r"c has shape \(4, 2\); allowed is \(batch = 4, hidden_size = 3\)"):
        cell(torch.zeros(4, 2), (good, torch.zeros(4, 2)))

    for fused in (torch.nn.RNN(2, 3, nonlinearity="relu"), torch.nn.Linear(2, 3)):
        with pytest.raises(ValueError, match=r"fused is .*; allowed are torch.nn.RNN with tanh"):
            UnrolledRecurrence(fused)
    for option in ({"batch_first": False}, {"bias": False}, {"bidirectional": True}, {"proj_size": 2}):
        fused = torch.nn.LSTM(2, 3, **({"batch_first": True} | option))
        with pytest.raises(ValueError, match=r"fused is .*; allowed is batch_first, with biases, in one direction"):
            UnrolledRecurrence(fused)

    recurrence = UnrolledRecurrence(torch.nn.LSTM(2, 3, 2, batch_first=True))
    for x in (torch.zeros(4, 2), torch.zeros(1, 0, 2)):
        with pytest.raises(ValueError, match=r"x has shape .*; allowed is \(batch, seq, input_size\) with seq ≥ 1"):
            recurrence(x)
    state = torch.zeros(1, 4, 3)
    with pytest.raises(ValueError, match=r"state has shape \(1, 4, 3\); allowed is a pair \(h, c\), each \(2, batch"):
        recurrence(torch.zeros(4, 1, 2), state)
    with pytest.raises(ValueError, match=r"state has shape \(1, 4, 3\) and \(1, 4, 3\); allowed is a pair"):
        recurrence(torch.zeros(4, 1, 2), (state, state))

    with pytest.raises(ValueError, match="model is GPT"):
        unrolled(GPT(GPTConfig(vocab_size=5, block_size=4, n_layer=1, n_head=1, d_model=4)))
    with pytest.raises(ValueError, match="not yet unrolled"):
        unrolled(unrolled(Recurrent(RecurrentConfig("rnn", 2, 3, 1))))
