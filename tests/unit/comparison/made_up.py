"""Records of sweeps that follow a power law known beforehand, with noise: for tests alone."""

from __future__ import annotations

import math

import torch

from dlcompare.comparison import Record
from dlcompare.comparison.scaling import ALL_CHARACTERS

#: Parameters of each family, and what multiplies their loss.
SIZES = {"gpt": (3_107, 10_265, 30_417, 100_337, 301_121), "lstm": (3_050, 9_870, 30_150, 99_640, 300_400)}
LEVEL = {"gpt": 1.0, "lstm": 1.07}
AMOUNTS = (30_000, 100_000, 300_000, 1_000_000)
STEPS = (250, 500, 1000, 2000)
USUAL = 1000
#: The exponents, by parameters, by data and by steps.
ALPHA, BETA, GAMMA = 0.12, 0.08, 0.1
SEEDS = (0, 1)


def record(family: str, parameters: int, characters: int, steps: int, seed: int, bits: float) -> Record:
    rest = "" if (characters, steps) == (ALL_CHARACTERS, USUAL) else f"-{characters}"
    name = "scaling" + (f"-{steps}-steps" if steps != USUAL else rest)
    settings = {"batch_size": 32, "steps": steps, "seq": 128}
    if characters != ALL_CHARACTERS:
        settings["characters"] = characters
    tokens = 32 * 128 * steps
    return Record(
        f"{family} {parameters} {characters} {steps} {seed}",
        name,
        family,
        "parameters",
        seed,
        configuration={"task": settings},
        learning_rate=0.01 if family == "gpt" else 0.003,
        parameters=parameters,
        flops=6 * parameters * tokens,
        steps=steps,
        tokens=tokens,
        test={"bits_per_character": bits, "loss": bits * math.log(2)},
    )


def records(noise: float = 0.004, seed: int = 0) -> list[Record]:
    """All three sweeps; ``noise`` is the standard deviation of log loss from seed to seed."""
    generator = torch.Generator().manual_seed(seed)
    made = []

    def add(family: str, parameters: int, characters: int, steps: int) -> None:
        for one in SEEDS:
            law = math.log(2.4 * LEVEL[family]) - ALPHA * math.log(parameters / 1e5)
            law -= BETA * math.log(characters / ALL_CHARACTERS) + GAMMA * math.log(steps / USUAL)
            bits = math.exp(law + noise * torch.randn((), generator=generator).item())
            made.append(record(family, parameters, characters, steps, one, bits))

    for family, sizes in SIZES.items():
        for parameters in sizes:
            for steps in STEPS:
                add(family, parameters, ALL_CHARACTERS, steps)
        for characters in AMOUNTS:
            add(family, sizes[3], characters, USUAL)
    return made
