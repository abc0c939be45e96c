"""A step of a reply, against the step of generation and its sampling."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from dlcompare.export import export
from dlcompare.graphs.generation import KEPT, SHOWN, generation_step, reply_step, sampling
from dlcompare.models import GPT, GPTConfig

from .test_generation import NOTHING, empty, scalars, tiny, tokens


def random_settings() -> dict[str, object]:
    return {
        "temperature": random.uniform(0.3, 2),
        "top_k": random.choice([0, 3, 12]),
        "top_p": random.uniform(0.3, 1),
        "greedy": random.random() < 0.2,
        "uniform": random.random(),
    }


def number(value: int) -> Tensor:
    return torch.tensor(value, dtype=torch.int32)


@pytest.mark.parametrize("chosen", [-1, 0, 17])
def test_it_says_as_much_as_a_figure_shows_of_what_the_sampling_says(chosen: int) -> None:
    model = tiny()
    graph, whole = reply_step(model), generation_step(model)
    for _ in range(5):
        settings = scalars(**random_settings())
        past = whole(ids=tokens(5), past=empty(model), **scalars(**NOTHING))["new"]
        ids = tokens(random.choice([1, 4]))
        read = whole(ids=ids, past=past, **settings)
        sample = sampling(model.config.vocab_size)(logits=read["logits"][-1], **settings)
        got = graph(ids=ids, past=past, chosen=number(chosen), **settings)
        torch.testing.assert_close(got["new"], read["new"])
        token = chosen if chosen >= 0 else int(sample["token"])
        assert (int(got["token"]), int(got["drawn"])) == (token, int(sample["token"]))
        torch.testing.assert_close(got["chances"], torch.stack([sample["own"][token], sample["p"][token]]))
        after = sample["cumulative"][token]
        torch.testing.assert_close(got["between"], torch.stack([after - sample["p"][token], after]), rtol=0, atol=1e-6)
        assert int(got["rank"]) == int((sample["own"] > sample["own"][token]).sum())
        assert int(got["fate"]) == int(sample["cut"][token])
        assert int(got["kept"]) == int((sample["cut"] == KEPT).sum())
        best = sample["order"][:SHOWN]
        assert got["best"].tolist() == best.tolist()
        for name in ("own", "p", "cut"):
            torch.testing.assert_close(got[f"best_{name}"], sample[name][best.long()])


def test_a_small_vocabulary_is_shown_whole() -> None:
    model = GPT(GPTConfig(vocab_size=5, block_size=8, n_layer=1, n_head=1, d_model=4)).eval()
    got = reply_step(model)(ids=tokens(2, 5), past=empty(model), chosen=number(-1), **scalars(**NOTHING))
    assert sorted(got["best"].tolist()) == [0, 1, 2, 3, 4]
    assert got["best_own"].sum().item() == pytest.approx(1)


def test_it_can_be_exported() -> None:
    """Exporting holds it against torch on random inputs, with choices and without."""
    assert export(reply_step(tiny())).bytes > 0
