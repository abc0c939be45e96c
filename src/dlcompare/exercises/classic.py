"""The checkers of 3.1, the algorithms of classic deep learning."""

from __future__ import annotations

import math
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, slip, wrong_function, wrong_number, wrong_tensor
from dlcompare.models import CNN, GPT, CNNConfig, GPTConfig, GRUCell, LSTMCell, MLPConfig
from dlcompare.models.geometry import ReceptiveField
from dlcompare.training import n_parameters

__all__: list[str] = []


@exercise("3.1.1-a")
def _count(answer: object) -> str | None:
    config = MLPConfig((784, 300, 100, 10))
    wrong = wrong_number(answer, config.n_parameters)
    if wrong and not wrong_number(answer, config.n_parameters - sum(config.sizes[1:])):
        return text("exercise-3-1-1-a.weights")
    return wrong


@exercise("3.1.1-b")
def _probabilities(answer: object) -> str | None:
    def wrong(got: object, expected: Tensor) -> str | None:
        if isinstance(got, Tensor) and got.shape == expected.shape:
            if not bool(got.isfinite().all()):
                return text("exercise-3-1-1-b.overflow")
            columns, rows = got.sum(0), got.sum(1)
            if torch.allclose(columns, torch.ones_like(columns)) and not torch.allclose(rows, torch.ones_like(rows)):
                return text("exercise-3-1-1-b.columns")
        return wrong_tensor(got, expected)

    generator = torch.Generator().manual_seed(311)
    cases = [(size * torch.randn(shape, generator=generator),) for size, shape in ((1, (3, 5)), (3000, (4, 10)))]
    # The largest logits of these two rows are so far apart that one number cannot serve both.
    cases.append((torch.tensor([[3000.0, 2999.0], [-3000.0, -2999.0]]),))
    return wrong_function(answer, lambda logits: logits.softmax(-1), cases, wrong)


@exercise("3.1.1-c")
def _mlp_parameters(answer: object) -> str | None:
    def mlp(d_model: int) -> nn.Module:
        with torch.device("meta"):  # shapes, no numbers
            gpt = GPT(GPTConfig(vocab_size=2, block_size=2, n_layer=1, n_head=1, d_model=d_model))
        return gpt.get_submodule("blocks.0.mlp")

    def wrong(got: object, expected: tuple[int, int]) -> str | None:
        d_model, count = expected
        found = wrong_number(got, count)
        if found and not wrong_number(got, sum(p.numel() for p in mlp(d_model).parameters() if p.ndim == 2)):
            return text("exercise-3-1-1-c.weights")
        if found and not wrong_number(got, MLPConfig((d_model, d_model, d_model)).n_parameters):
            return text("exercise-3-1-1-c.narrow")
        return found

    return wrong_function(answer, lambda d: (d, n_parameters(mlp(d))), [(192,), (768,), (8,)], wrong)


@exercise("3.1.2-a")
def _what_is_kept(answer: object) -> str | None:
    batch, (inputs, hidden, classes) = 64, (784, 128, 10)
    wrong = wrong_number(answer, batch * (inputs + hidden + classes))
    if wrong and not wrong_number(answer, inputs + hidden + classes):
        return text("exercise-3-1-2-a.one")
    if wrong and not wrong_number(answer, inputs * hidden + hidden * classes + hidden + classes):
        return text("exercise-3-1-2-a.parameters")
    return wrong


@exercise("3.1.2-b")
def _sigmoid_backward(answer: object) -> str | None:
    def autograd(upstream: Tensor, y: Tensor) -> Tensor:
        z = y.logit().detach().requires_grad_()
        (gradient,) = torch.autograd.grad(z.sigmoid(), z, upstream)
        return gradient

    generator = torch.Generator().manual_seed(312)
    shapes = [(5,), (4, 3), (2, 3, 4)]
    cases = [
        (torch.randn(shape, generator=generator).double(), torch.randn(shape, generator=generator).double().sigmoid())
        for shape in shapes
    ]
    return wrong_function(answer, autograd, cases, wrong_tensor)


@exercise("3.1.3a-a")
def _second_layer(answer: object) -> str | None:
    layer = CNN(CNNConfig()).get_submodule("levels.1.0")
    assert isinstance(layer, nn.Conv2d)
    places = 14 * 14  # of the maps that come in, and of those that go out
    guesses = {
        "bias": layer.weight.numel(),
        "depth": n_parameters(nn.Conv2d(1, layer.out_channels, 3)),
        "free": (layer.in_channels * places + 1) * layer.out_channels * places,
    }
    wrong = wrong_number(answer, n_parameters(layer))
    name = wrong and slip(guesses, lambda guess: wrong_number(answer, guess))
    return text(f"exercise-3-1-3a-a.{name}") if name else wrong


@exercise("3.1.3a-b")
def _half_the_size(answer: object) -> str | None:
    kernel, side = 3, 28
    if not isinstance(answer, tuple | list) or len(answer) != 2 or any(type(number) is not int for number in answer):
        return text("exercise-3-1-3a-b.pair")
    stride, padding = answer
    if stride < 1 or not 0 <= padding <= side:
        return text("exercise-3-1-3a-b.pair")
    image = torch.empty(1, 1, side, side, device="meta")  # shapes, no numbers
    got = F.conv2d(image, torch.empty(1, 1, kernel, kernel, device="meta"), stride=stride, padding=padding).shape[-1]
    if got != side // 2:
        return text("exercise-3-1-3a-b.side", side=got)
    return text("exercise-3-1-3a-b.useless") if padding >= kernel else None


@exercise("3.1.3a-d")
def _field(answer: object) -> str | None:
    Windows = list[tuple[int, int]]

    def size(windows: Windows) -> int:
        field = ReceptiveField()
        for kernel, stride in windows:
            field = field.through(kernel, stride, 0)
        return field.size

    def wrong(got: object, windows: Windows) -> str | None:
        found = wrong_number(got, size(windows))
        if found and not wrong_number(got, size([(kernel, 1) for kernel, _ in windows])):
            return text("exercise-3-1-3a-d.jump")
        jumps = [math.prod(stride for _, stride in windows[: i + 1]) for i in range(len(windows))]
        early = 1 + sum((kernel - 1) * jump for (kernel, _), jump in zip(windows, jumps, strict=True))
        if found and not wrong_number(got, early):
            return text("exercise-3-1-3a-d.early")
        return found

    small_cnn = [(3, 1), (2, 2), (3, 1), (2, 2)]
    cases = [([(3, 1)],), (small_cnn,), ([(7, 2), (3, 2), (3, 1), (3, 1)],), ([(5, 3)] * 3,)]
    return wrong_function(answer, lambda windows: windows, cases, wrong)


@exercise("3.1.3a-e")
def _kernel_gradient(answer: object) -> str | None:
    def autograd(x: Tensor, g: Tensor) -> Tensor:
        side = len(x) - len(g) + 1
        kernel = torch.zeros(1, 1, side, side, requires_grad=True)
        (gradient,) = torch.autograd.grad(F.conv2d(x[None, None], kernel), kernel, g[None, None])
        return gradient[0, 0]

    def wrong(got: object, expected: tuple[Tensor, int]) -> str | None:
        gradient, places = expected
        found = wrong_tensor(got, gradient, atol=1e-5)
        if found and isinstance(got, Tensor) and got.shape == gradient.shape:
            if not wrong_tensor(got * places, gradient, atol=1e-4):
                return text("exercise-3-1-3a-e.mean")
            if not wrong_tensor(got.flip(0, 1), gradient, atol=1e-5):
                return text("exercise-3-1-3a-e.flipped")
        return found

    generator = torch.Generator().manual_seed(313)
    cases = [
        (torch.randn(side, side, generator=generator), torch.randn(places, places, generator=generator))
        for side, places in ((5, 3), (8, 6), (6, 2))
    ]
    return wrong_function(answer, lambda x, g: (autograd(x, g), g.numel()), cases, wrong)


@exercise("3.1.3b-a")
def _count_a_gru(answer: object) -> str | None:
    sizes = (10, 20)
    gru = nn.GRU(*sizes)
    guesses = {
        "bias": n_parameters(gru) - gru.get_parameter("bias_hh_l0").numel(),
        "rnn": n_parameters(nn.RNN(*sizes)),
        "lstm": n_parameters(nn.LSTM(*sizes)),
    }
    wrong = wrong_number(answer, n_parameters(gru))
    name = wrong and slip(guesses, lambda guess: wrong_number(answer, guess))
    return text(f"exercise-3-1-3b-a.{name}") if name else wrong


@exercise("3.1.3b-b")
def _gru_step(answer: object) -> str | None:
    def package(*arguments: Tensor) -> Tensor:
        x, h, *parameters = arguments
        cell = GRUCell(x.shape[1], h.shape[1])
        with torch.no_grad():
            for parameter, value in zip(cell.parameters(), parameters, strict=True):
                parameter.copy_(value)
            state: Tensor = cell(x, h)
        return state

    def likely(x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        """Return what the likely mistakes give."""
        W_r, W_z, W_n = (x @ W.T + b).chunk(3, -1)
        U_r, U_z, U_n = (h @ U.T + c).chunk(3, -1)
        r, z, c_n = torch.sigmoid(W_r + U_r), torch.sigmoid(W_z + U_z), c.chunk(3)[2]
        n = torch.tanh(W_n + r * U_n)
        early = torch.tanh(W_n + (r * h) @ U.chunk(3)[2].T + c_n)
        merged = torch.tanh(W_n + c_n + r * (U_n - c_n))
        return {
            "exchanged": (1 - z) * h + z * n,
            "reset": z * h + (1 - z) * early,
            "biases": z * h + (1 - z) * merged,
        }

    def wrong(got: object, expected: tuple[Tensor, ...]) -> str | None:
        state, *arguments = expected
        found = wrong_tensor(got, state, atol=1e-5)
        name = found and slip(likely(*arguments), lambda guess: wrong_tensor(got, guess, atol=1e-5))
        return text(f"exercise-3-1-3b-b.{name}") if name else found

    generator = torch.Generator().manual_seed(313)
    cases = []
    for batch, inputs, hidden in ((1, 3, 3), (4, 5, 2)):
        shapes = [(batch, inputs), (batch, hidden), (3 * hidden, inputs), (3 * hidden, hidden), (3 * hidden,)]
        cases.append(tuple(torch.randn(shape, generator=generator) for shape in [*shapes, shapes[-1]]))
    return wrong_function(answer, lambda *arguments: (package(*arguments), *arguments), cases, wrong)


@exercise("3.1.3b-c")
def _forget_bias(answer: object) -> str | None:
    def left(bias: float, steps: int) -> float:
        """Return what an LSTM that only forgets has left of a 1 in its cell."""
        cell = LSTMCell(1, 1)
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.zero_()
            cell.bias_ih[1] = bias  # the forget gate's; the candidate is tanh(0) = 0
            zero, c = torch.zeros(1, 1), torch.ones(1, 1)
            for _ in range(steps):
                _, c = cell(zero, (zero, c))
        return c.item()

    def wrong(got: object, steps: int) -> str | None:
        gate = 0.5 ** (1 / steps)
        found = wrong_number(got, torch.tensor(gate, dtype=torch.float64).logit().item(), rel=1e-4, atol=1e-6)
        if found and not wrong_number(got, gate):
            return text("exercise-3-1-3b-c.gate")
        if found and isinstance(got, Real) and math.isfinite(got):
            return text("exercise-3-1-3b-c.left", left=left(float(got), steps), steps=steps)
        return found

    return wrong_function(answer, lambda steps: steps, [(2,), (30,), (500,)], wrong)
