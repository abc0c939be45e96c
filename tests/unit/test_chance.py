"""Chance that can be repeated: the published generator, and its twin in JavaScript."""

from __future__ import annotations

import hashlib
import math
import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcompare.chance import Chance

WORDS = st.integers(0, 2**32 - 1)
STATES = st.tuples(WORDS, WORDS, WORDS, WORDS).filter(any)
SEEDS = st.integers(0, 2**53 - 1)
#: What the authors' program, xoshiro128starstar.c, prints from the state 1, 2, 3, 4.
PUBLISHED = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]
#: What the authors' program splitmix64.c prints from 1234567.
PUBLISHED_SPLITMIX = [6457827717110365317, 3203168211198807973]


def resumed(state: tuple[int, ...]) -> Chance:
    chance = Chance(0)
    chance.state = state
    return chance


def test_it_is_the_published_generator() -> None:
    chance = resumed((1, 2, 3, 4))
    assert [chance.uint32() for _ in PUBLISHED] == PUBLISHED


def test_a_seed_is_spread_by_the_published_splitmix64() -> None:
    a, b, c, d = Chance(1234567).state
    assert [a | b << 32, c | d << 32] == PUBLISHED_SPLITMIX


@given(SEEDS)
def test_a_state_is_gone_on_from(seed: int) -> None:
    chance = Chance(seed)
    chance.uniform()
    state = chance.state
    drawn = [chance.uint32(), chance.uniform(), chance.uniform()]
    for again in (chance, Chance(0)):
        again.state = state
        assert [again.uint32(), again.uniform(), again.uniform()] == drawn
    assert len(state) == 4


@given(SEEDS, SEEDS)
def test_different_seeds_give_different_states(one: int, other: int) -> None:
    assert (Chance(one).state == Chance(other).state) == (one == other)


@given(STATES)
def test_a_uniform_number_has_53_bits_from_two_draws(state: tuple[int, ...]) -> None:
    first, second = resumed(state), resumed(state)
    number = first.uniform()
    assert 0 <= number < 1
    assert number * 2**53 == (second.uint32() >> 5) * 2**26 + (second.uint32() >> 6)
    assert first.state == second.state


def test_uniform_numbers_are_uniform() -> None:
    """Bounds of five standard deviations, about one in two million; the seed is fixed, so they fail never or always."""
    n = 100_000
    chance = Chance(2021)
    drawn = np.array([chance.uniform() for _ in range(n)])
    assert abs(drawn.mean() - 1 / 2) < 5 * math.sqrt(1 / 12 / n)
    assert abs(drawn.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 5 / math.sqrt(n)
    counts = np.bincount((drawn * 100).astype(int), minlength=100)
    chi_squared = ((counts - n / 100) ** 2 / (n / 100)).sum()
    assert abs(chi_squared - 99) < 5 * math.sqrt(2 * 99)
    # Each of the 53 bits is set about half the time.
    bits = (drawn * 2**53).astype(np.uint64)[:, None] >> np.arange(53, dtype=np.uint64) & np.uint64(1)
    assert np.abs(bits.mean(0) - 1 / 2).max() < 5 * math.sqrt(1 / 4 / n)


def test_a_permutation_has_every_integer_once_and_every_order_comes_about_equally_often() -> None:
    chance = Chance(5)
    for n in (0, 1, 2, 57):
        assert sorted(chance.permutation(n)) == list(range(n))
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(24_000):
        order = tuple(chance.permutation(4))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert max(abs(count - 1000) for count in counts.values()) < 160  # five standard deviations


def test_what_is_not_allowed_is_named() -> None:
    for seed in (-1, 2**53, 0.5, 1.0, "1", None, True, math.nan):
        with pytest.raises(ValueError, match=r"^seed is .*; allowed are the integers from 0 to 9007199254740991$"):
            Chance(seed)
    assert Chance(np.int64(7)).state == Chance(7).state
    chance = Chance(1)
    before = chance.state
    for state in ((0, 0, 0, 0), (1, 2, 3), (1, 2, 3, 4, 5), (1, 2, 3, 2**32), (1, 2, 3, -1), (1, 2, 3, 0.5), None, 7):
        with pytest.raises(ValueError, match=r"^state is .*; allowed are four integers from 0 to 4294967295, not all"):
            chance.state = state
    assert chance.state == before
    for n in (-1, 0.5, 3.0, "3", None, True):
        with pytest.raises(ValueError, match=r"^n is .*; allowed are integers of at least 0$"):
            chance.permutation(n)
    assert chance.state == before


TWIN = """
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createChance } from "./shared/chance.js";
const { seed, n, seeds, states } = JSON.parse(readFileSync(0, "utf8"));
const chance = createChance(seed);
const words = new DataView(new ArrayBuffer(4 * n));
for (let i = 0; i < n; i++) words.setUint32(4 * i, chance.uint32(), true);
const between = chance.state;
const numbers = new DataView(new ArrayBuffer(8 * n));
for (let i = 0; i < n; i++) numbers.setFloat64(8 * i, chance.uniform(), true);
const hash = (view) => createHash("sha256").update(new Uint8Array(view.buffer)).digest("hex");
const drawn = (chance) => [chance.uint32(), chance.uniform(), chance.state];
console.log(JSON.stringify({
  words: [hash(words), words.getUint32(0, true), words.getUint32(4 * (n - 1), true)],
  numbers: [hash(numbers), numbers.getFloat64(0, true), numbers.getFloat64(8 * (n - 1), true)],
  between,
  state: chance.state,
  seeds: seeds.map((seed) => [createChance(seed).state, ...drawn(createChance(seed))]),
  states: states.map((state) => { const chance = createChance(0); chance.state = state; return drawn(chance); }),
  orders: seeds.map((seed, i) => createChance(seed).permutation(i % 300)),
}));
"""


def test_the_twin_in_javascript_draws_the_same(run_node) -> None:
    """A million words and a million numbers from a fresh seed, many seeds and many states."""
    fresh = random.SystemRandom()
    seed, n = fresh.randrange(2**53), 1_000_000
    print(f"seed {seed}")
    edges = [0, 1, 2**31, 2**32 - 1, 2**32, 2**52, 2**53 - 1]
    seeds = edges + [fresh.randrange(2**53) for _ in range(2000)]
    states = [[0, 0, 0, 1], [2**32 - 1] * 4, [2**31, 0, 0, 0]]
    states += [[fresh.randrange(2**32) for _ in range(4)] for _ in range(2000)]
    twin = run_node(TWIN, {"seed": seed, "n": n, "seeds": seeds, "states": states})

    def drawn(chance: Chance) -> list[object]:
        return [chance.uint32(), chance.uniform(), list(chance.state)]

    chance = Chance(seed)
    words = [chance.uint32() for _ in range(n)]
    assert twin["words"] == [hashlib.sha256(struct.pack(f"<{n}I", *words)).hexdigest(), words[0], words[-1]]
    assert twin["between"] == list(chance.state)
    numbers = [chance.uniform() for _ in range(n)]
    assert twin["numbers"] == [hashlib.sha256(struct.pack(f"<{n}d", *numbers)).hexdigest(), numbers[0], numbers[-1]]
    assert twin["state"] == list(chance.state)
    assert twin["seeds"] == [[list(Chance(seed).state), *drawn(Chance(seed))] for seed in seeds]
    assert twin["states"] == [drawn(resumed(tuple(state))) for state in states]
    assert twin["orders"] == [Chance(seed).permutation(i % 300) for i, seed in enumerate(seeds)]
