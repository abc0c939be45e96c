"""The checkers of part 4, the code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number, wrong_tensor
from dlcompare.models import CNNConfig, Recurrent, RecurrentConfig
from dlcompare.models.gpt import GPT2
from dlcompare.training import n_parameters

__all__: list[str] = []


@exercise("4.1.1-a")
def _flattened(answer: object) -> str | None:
    config = CNNConfig(image_size=45)
    maps, side = config.channels[-1], config.final_size
    wrong = wrong_number(answer, maps * side**2)
    halved = config.image_size / 2
    if wrong and any(not wrong_number(answer, maps * odd**2) for odd in (halved / 2, halved // 1 / 2, side + 1)):
        return text("exercise-4-1-1-a.rounding")
    if wrong and not wrong_number(answer, side**2):
        return text("exercise-4-1-1-a.one-map")
    if wrong and not wrong_number(answer, maps * config.image_size**2):
        return text("exercise-4-1-1-a.pooling")
    return wrong


@exercise("4.1.1-b")
def _silent_batches(answer: object) -> str | None:
    try:
        found = {int(size) for size in answer}  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return text("exercise-4-1-1-b.no-list", found=type(answer).__name__)
    config = CNNConfig()
    numbers, printed = config.channels[-1] * config.final_size**2, config.channels[-1] * 6 * 6
    silent = {size for size in range(1, 145) if size * numbers % printed == 0}
    if outside := found - set(range(1, 145)):
        return text("exercise-4-1-1-b.outside", size=min(outside))
    if loud := found - silent:
        return text("exercise-4-1-1-b.loud", size=min(loud))
    return text("exercise-4-1-1-b.missing") if silent - found else None


@exercise("4.1.2-a")
def _weights_of_the_rnn(answer: object) -> str | None:
    config = RecurrentConfig("rnn", 68, 64, 14)
    expected = n_parameters(Recurrent(config))
    wrong = wrong_number(answer, expected)
    if wrong and not wrong_number(answer, expected - config.hidden_size):
        return text("exercise-4-1-2-a.one-bias")
    if wrong and not wrong_number(answer, expected - 2 * config.hidden_size - config.output_size):
        return text("exercise-4-1-2-a.no-biases")
    output = config.hidden_size * config.output_size + config.output_size
    if wrong and not wrong_number(answer, expected - output):
        return text("exercise-4-1-2-a.output")
    return wrong


@exercise("4.1.2-c")
def _last_of_each(answer: object) -> str | None:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(412)
    model = Recurrent(RecurrentConfig("rnn", 5, 8, 3)).requires_grad_(False)
    torch.random.set_rng_state(torch_state)
    generator = torch.Generator().manual_seed(412)
    cases, alone = [], {}
    for lengths in ((2, 6, 4), (1, 3), (7,)):
        x = torch.randn(len(lengths), 7, 5, generator=generator)
        outputs = model(x)  # the padding is whatever stands there
        cases.append((outputs, torch.tensor(lengths)))
        alone[len(lengths)] = torch.stack([model(row[None, :n])[0, -1] for row, n in zip(x, lengths, strict=True)])

    def wrong(got: object, expected: Tensor) -> str | None:
        outputs, lengths = cases[len(alone) - len(expected)]
        found = wrong_tensor(got, expected)
        rows = torch.arange(len(outputs))
        if found and not wrong_tensor(got, outputs[:, -1]):
            return text("exercise-4-1-2-c.end")
        if found and not wrong_tensor(got, outputs[rows, lengths % outputs.shape[1]]):
            return text("exercise-4-1-2-c.late")
        return found

    return wrong_function(answer, lambda outputs, lengths: alone[len(lengths)], cases, wrong)


@exercise("4.2.1-a")
def _parameters_of_the_second_size(answer: object) -> str | None:
    config = GPT2["gpt2-medium"]
    expected, d = config.n_parameters, config.d_model
    wrong = wrong_number(answer, expected)
    if wrong and not wrong_number(answer, expected + config.vocab_size * d):
        return text("exercise-4-2-1-a.tied")
    if wrong and not wrong_number(answer, expected - config.block_size * d):
        return text("exercise-4-2-1-a.positions")
    if wrong and not wrong_number(answer, expected - 2 * d):
        return text("exercise-4-2-1-a.last-norm")
    if wrong and not wrong_number(answer, expected - (config.vocab_size + config.block_size) * d):
        return text("exercise-4-2-1-a.embeddings")
    return wrong


@exercise("4.2.1-b")
def _mask(answer: object) -> str | None:
    def forbidden(seq: int) -> Tensor:
        return nn.Transformer.generate_square_subsequent_mask(seq) == -torch.inf

    def wrong(got: object, expected: Tensor) -> str | None:
        if not isinstance(got, Tensor) or got.shape != expected.shape:
            return wrong_tensor(got, expected)
        if got.dtype != torch.bool:
            return text("exercise-4-2-1-b.type", found=str(got.dtype).removeprefix("torch."))
        if torch.equal(got, expected):
            return None
        if torch.equal(got, ~expected):
            return text("exercise-4-2-1-b.opposite")
        if torch.equal(got, expected.T):
            return text("exercise-4-2-1-b.past")
        if torch.equal(got, expected | torch.eye(len(expected), dtype=torch.bool)):
            return text("exercise-4-2-1-b.itself")
        return wrong_tensor(got, expected)

    return wrong_function(answer, forbidden, [(5,), (2,), (1,)], wrong)
