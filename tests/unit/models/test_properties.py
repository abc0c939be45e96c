"""What holds for every model of any size: bad sizes are named, good ones give the promised shapes and counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import (
    BERT,
    CNN,
    GPT,
    MLP,
    BERTConfig,
    CNNConfig,
    EncoderConfig,
    GPTConfig,
    Llama,
    LlamaConfig,
    MLPConfig,
    RecurrentLM,
    RecurrentLMConfig,
    Transformer,
    TransformerConfig,
    TransformerEncoder,
    ViT,
    ViTConfig,
)
from dlcompare.training import n_parameters

SIZE = st.integers(-1, 8)  # mostly allowed
TEXT = {"vocab_size": SIZE, "block_size": SIZE, "n_layer": st.integers(-1, 2), "n_head": SIZE, "d_model": SIZE}


@dataclasses.dataclass(frozen=True)
class Family:
    """A model and its configuration, the sizes to draw, when they are allowed, and what shape must come out of what."""

    model: Callable[[Any], torch.nn.Module]
    config: Callable[..., Any]
    sizes: dict[str, st.SearchStrategy[Any]]
    allowed: Callable[[dict[str, Any]], bool]
    shape: Callable[[torch.nn.Module, Any], tuple[tuple[int, ...], tuple[int, ...]]]


def ids(vocab_size: int, seq: int) -> torch.Tensor:
    return torch.arange(2 * seq).view(2, seq) % vocab_size


def text_shape(model: torch.nn.Module, config: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    out = model(ids(config.vocab_size, config.block_size))
    return tuple(out.shape), (2, config.block_size, config.vocab_size)


def divides(sizes: dict[str, Any]) -> bool:
    return sizes["d_model"] % sizes["n_head"] == 0


FAMILIES = {
    "GPT": Family(GPT, GPTConfig, {**TEXT, "post_norm": st.booleans()}, divides, text_shape),
    "Llama": Family(
        Llama,
        LlamaConfig,
        {**TEXT, "d_model": st.integers(-1, 16), "n_kv_head": SIZE, "d_hidden": SIZE, "tied": st.booleans()},
        lambda s: s["d_model"] % (2 * s["n_head"]) == 0 and s["n_head"] % s["n_kv_head"] == 0,
        text_shape,
    ),
    "Transformer": Family(
        Transformer,
        TransformerConfig,
        {**TEXT, "d_ff": SIZE, "learned_positions": st.booleans()},
        lambda s: divides(s) and s["d_model"] % 2 == 0,
        lambda model, c: (
            tuple(model(ids(c.vocab_size, c.block_size), ids(c.vocab_size, 1)).shape),
            (2, 1, c.vocab_size),
        ),
    ),
    "encoder": Family(
        TransformerEncoder,
        EncoderConfig,
        {**TEXT, "classes": SIZE},
        lambda s: divides(s) and s["d_model"] % 2 == 0,
        lambda model, c: (tuple(model(ids(c.vocab_size, c.block_size)).shape), (2, c.classes)),
    ),
    "BERT": Family(
        BERT,
        BERTConfig,
        TEXT,
        divides,
        lambda model, c: (
            tuple(model(ids(c.vocab_size, c.block_size))[0].shape),
            (2, c.block_size, c.vocab_size),
        ),
    ),
    "ViT": Family(
        ViT,
        ViTConfig,
        {name: SIZE for name in ("image_size", "patch_size", "in_channels", "n_head", "d_model", "classes")}
        | {"n_layer": st.integers(-1, 2)},
        lambda s: divides(s) and s["image_size"] % s["patch_size"] == 0,
        lambda model, c: (
            tuple(model(torch.zeros(2, c.in_channels, c.image_size, c.image_size)).shape),
            (2, c.classes),
        ),
    ),
    "recurrent": Family(
        RecurrentLM,
        RecurrentLMConfig,
        {"kind": st.sampled_from(["rnn", "lstm", "gru", "elman"]), "vocab_size": SIZE, "d_model": SIZE}
        | {"n_layer": st.integers(-1, 2)},
        lambda s: s["kind"] != "elman",
        lambda model, c: (tuple(model(ids(c.vocab_size, 3)).shape), (2, 3, c.vocab_size)),
    ),
    "CNN": Family(
        CNN,
        CNNConfig,
        {"in_channels": SIZE, "image_size": st.integers(-1, 20), "hidden": SIZE, "classes": SIZE}
        | {"channels": st.lists(SIZE, max_size=3).map(tuple)},
        lambda s: len(s["channels"]) > 0 and s["image_size"] >> len(s["channels"]) > 0,
        lambda model, c: (
            tuple(model(torch.zeros(2, c.in_channels, c.image_size, c.image_size)).shape),
            (2, c.classes),
        ),
    ),
    "MLP": Family(
        MLP,
        MLPConfig,
        {"sizes": st.lists(SIZE, max_size=4).map(tuple), "activation": st.sampled_from(["relu", "tanh", "sine"])},
        lambda s: len(s["sizes"]) > 1 and s["activation"] != "sine",
        lambda model, c: (tuple(model(torch.zeros(2, c.sizes[0])).shape), (2, c.sizes[-1])),
    ),
}


def positive(value: Any) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return all(not isinstance(number, int) or isinstance(number, bool) or number >= 1 for number in numbers)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_sizes_are_refused_by_name_or_give_the_shapes_and_counts_that_are_promised(family, data):
    sizes = {name: data.draw(strategy, label=name) for name, strategy in family.sizes.items()}
    if all(map(positive, sizes.values())) and family.allowed(sizes):
        config = family.config(**sizes)
        model = family.model(config).eval()
        found, promised = family.shape(model, config)
        assert found == promised
        if hasattr(config, "n_parameters"):
            assert n_parameters(model) == config.n_parameters
    else:
        with pytest.raises(ValueError, match=r"allowed|which does not divide") as refusal:
            family.config(**sizes)
        assert any(name in str(refusal.value) for name in sizes)
