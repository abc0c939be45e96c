from __future__ import annotations

import contextlib
import io
import json
import re

import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare import checkpoints, style
from dlcompare.chance import Chance
from dlcompare.graphs import generation_step as step_graph
from dlcompare.graphs.generation import CUT_BY_GREEDY, CUT_BY_TOP_K, CUT_BY_TOP_P, KEPT
from dlcompare.models import GPT, GPTConfig
from dlcompare.sampling import Sampler
from dlcompare.tokenization import CharTokenizer
from dlcompare.widgets import GenerationDebugger
from dlcompare.widgets import generation as module
from dlcompare.widgets.base import StateError

ALPHABET = "abcdefgh \n"


def tiny(**traits: object) -> GenerationDebugger:
    torch.manual_seed(3)
    model = GPT(GPTConfig(vocab_size=10, block_size=12, n_layer=2, n_head=2, d_model=8)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.6)
    return GenerationDebugger(model, CharTokenizer(ALPHABET), **{"prompt": "abc", **traits})


def by_hand(widget: GenerationDebugger, n: int, **changed: object) -> list[int]:
    """The text by the definition: no cache, the package's sampler, a running sum over the ids in order."""
    sampler = Sampler(widget.temperature, widget.top_k or None, widget.top_p, greedy=widget.greedy)
    chance, ids = Chance(widget.seed), list(widget.ids)
    numbers = [chance.uniform() for _ in range(len(ids) + n)]
    for _ in range(n):
        with torch.no_grad():
            p = sampler.probabilities(widget._model(torch.tensor([ids]))[0, -1]).double()
        ids.append(int((p.cumsum(0) <= numbers[len(ids)] * p.sum()).sum()))
    return ids


SETTINGS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**53 - 1),
        "temperature": st.floats(0.1, 3),
        "top_k": st.integers(0, 10),
        "top_p": st.floats(0.01, 1),
        "greedy": st.sampled_from([False, False, True]),
    }
)


@given(SETTINGS)
@settings(deadline=None, max_examples=40)
def test_it_writes_what_the_definition_says(chosen: dict[str, object]) -> None:
    widget = tiny(**chosen)
    expected = by_hand(widget, 9)
    text = widget.generate(9)
    assert list(widget.ids) == expected
    assert text == widget.text == "".join(ALPHABET[i] for i in expected)


def test_shakespeares_gpt_writes_the_same_with_its_cache_up_to_the_full_context() -> None:
    checkpoint = checkpoints.load("shakespeare-gpt", expected=GPT)
    widget = GenerationDebugger(checkpoint.model, checkpoint.tokenizer, "To be, or not to", temperature=0.8, top_k=50)
    expected = by_hand(widget, 250)
    widget.generate(100)
    widget.generate(150)
    assert list(widget.ids) == expected
    assert len(widget.ids) == 256


def test_the_number_belongs_to_the_place_whatever_stands_before_it() -> None:
    widget = tiny(seed=9)
    chance = Chance(9)
    numbers = [chance.uniform() for _ in range(12)]
    assert [widget.number(place) for place in range(12)] == numbers
    widget.generate(4)
    again = tiny(seed=9)
    again.generate(1)
    again.generate(3)
    assert again.ids == widget.ids


def test_beyond_the_context_it_says_so() -> None:
    widget = tiny()
    with pytest.raises(StateError, match=r"n is 10; allowed is 0 to 9: the context holds 12 tokens, 3 are there"):
        widget.generate(10)
    with pytest.raises(StateError, match="n is -1; allowed is 0 to 9"):
        widget.generate(-1)
    assert widget.text == "abc"
    assert widget.generate(0) == "abc"
    assert len(widget.generate(9)) == 12


def test_the_sample_is_the_samplers() -> None:
    widget = tiny(temperature=1.7, top_k=6, top_p=0.8)
    with torch.no_grad():
        logits = widget._model(torch.tensor([[0, 1, 2]]))[0, -1]
    sample = widget.sample
    torch.testing.assert_close(sample["p"], Sampler(1.7, 6, 0.8).probabilities(logits))
    torch.testing.assert_close(sample["own"], logits.softmax(-1))
    assert sample["p"][sample["token"]] > 0


REFUSED = [
    ({"prompt": ""}, "prompt has 0 tokens; allowed is a text of 1 to 11 tokens"),
    ({"prompt": "a" * 12}, "prompt has 12 tokens; allowed is a text of 1 to 11 tokens"),
    ({"prompt": 3}, "prompt is 3; allowed is a text"),
    ({"prompt": "xyz"}, "prompt: text contains 'x', which is not among the 10 known characters"),
    ({"examples": ["a", "?"]}, r"examples: text contains '\?'"),
    ({"ids": []}, r"ids is \[\]; allowed are 1 to 12 whole numbers from 0 to 9"),
    ({"ids": [0] * 13}, "allowed are 1 to 12 whole numbers"),
    ({"ids": [0, 10]}, r"ids\[1\] is 10; allowed is a whole number from 0 to 9"),
    ({"ids": [0, 1.0]}, r"ids\[1\] is 1.0; allowed"),
    ({"ids": "ab"}, "ids is 'ab'; allowed are"),
    ({"own": [3]}, "own has 3; allowed are places in the text, 0 to 2"),
    ({"own": [1, 1]}, r"own is \[1, 1\]; allowed are places in rising order"),
    ({"own": [-1]}, r"own\[0\] is -1; allowed is a whole number from 0 to 11"),
    ({"own": 3}, r"own\[0\] is None; allowed"),
    ({"seed": -1}, "seed is -1; allowed is a whole number from 0 to 9007199254740991"),
    ({"seed": 2**53}, "seed is 9007199254740992; allowed"),
    ({"seed": True}, "seed is True; allowed"),
    ({"temperature": 0.05}, "temperature is 0.05; allowed is a number from 0.1 to 3"),
    ({"temperature": float("nan")}, "temperature is nan; allowed"),
    ({"temperature": "1"}, "temperature is '1'; allowed"),
    ({"top_k": 11}, "top_k is 11; allowed is a whole number from 0 to 10"),
    ({"top_k": 2.0}, "top_k is 2.0; allowed"),
    ({"top_p": 0}, "top_p is 0; allowed is a number from 0.01 to 1"),
    ({"top_p": 1.1}, "top_p is 1.1; allowed"),
    ({"greedy": 1}, "greedy is 1; allowed are True and False"),
    ({"name": "A b"}, "name is 'A b'; allowed are lower-case letters"),
]


@pytest.mark.parametrize(("traits", "message"), REFUSED)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=message):
        tiny(**traits)
    if traits.keys() & {"name", "examples"}:
        return
    widget = tiny(ids=[0, 1, 2])
    before = widget.page_state()
    ((key, value),) = traits.items()
    with pytest.raises(StateError, match=message):
        setattr(widget, key, value)
    assert widget.page_state() == before


def test_a_tokenizer_of_another_size_is_refused() -> None:
    with pytest.raises(StateError, match="tokenizer has 2 tokens; allowed are 10, as many as the model knows"):
        GenerationDebugger(tiny()._model, CharTokenizer("ab"), "a")


def test_a_new_prompt_begins_a_new_text() -> None:
    widget = tiny(ids=[0, 1, 2, 5, 6], own=[4])
    widget.prompt = "ba"
    assert widget.ids == (1, 0)
    assert widget.own == ()


def test_a_prompt_and_its_text_may_come_together_in_any_order() -> None:
    for keys in (("prompt", "ids", "own"), ("own", "ids", "prompt")):
        widget = tiny(ids=[0, 1, 2, 5, 6], own=[4])
        state = {"prompt": "ba", "ids": [1, 0, 7, 8], "own": [3]}
        widget.set_state({key: state[key] for key in keys})  # as it comes from a front end
        assert (widget.prompt, widget.ids, widget.own) == ("ba", (1, 0, 7, 8), (3,))


def test_of_another_text_only_the_part_in_common_was_chosen() -> None:
    widget = tiny(ids=[0, 1, 2, 5, 6, 7], own=[3, 5])
    widget.ids = [0, 1, 2, 5]
    assert widget.own == (3,)
    widget.ids = [0, 1, 2, 4, 4, 4]
    assert widget.own == ()


def test_the_text_may_be_a_part_of_the_prompt_or_leave_it() -> None:
    assert tiny(ids=[0]).text == "a"
    assert tiny(ids=[7, 7]).text == "hh"


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["prompt", "ids", "own", "seed", "temperature", "top_k", "top_p", "greedy"]),
            st.sampled_from(
                ["abc", "b", "", "z", [0], [1, 2], [3], [0, 1, 2, 3, 4], [], 0, 1, 5, 0.5, 1.0, 2.5, True, None]
            ),
            max_size=4,
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=60)
def test_whatever_a_front_end_sends_the_state_stays_whole(messages: list[dict[str, object]]) -> None:
    widget = tiny()
    for message in messages:
        with contextlib.suppress(traitlets.TraitError):
            widget.set_state(message)
        assert 1 <= len(widget.ids) <= 12
        assert all(place < len(widget.ids) for place in widget.own)
        assert json.loads(json.dumps(widget.page_state()))


def test_the_first_picture_is_asked_beforehand_and_stays_small() -> None:
    checkpoint = checkpoints.load("shakespeare-gpt", expected=GPT)
    widget = GenerationDebugger(checkpoint.model, checkpoint.tokenizer, "To be, or not to", temperature=0.8)
    widget._remember()
    entry, drawing = widget.remembered
    assert (entry["graph"], drawing["graph"]) == ("generation", "sampling")
    assert entry["inputs"]["ids"]["dims"] == [1, 6]
    assert entry["inputs"]["past"]["dims"] == [0, 4, 8, 48]
    assert len(json.dumps(widget.page_state())) < 200_000


def test_what_has_no_words_is_no_state_of_a_token(run_node) -> None:
    assert module.FATES.keys() == {KEPT, CUT_BY_TOP_K, CUT_BY_TOP_P, CUT_BY_GREEDY}
    code = 'import { FATES } from "./shared/drawing/words.js"; console.log(JSON.stringify(FATES));'
    assert run_node(code) == [module.FATES[fate].removeprefix("generation.") for fate in range(4)]


def test_the_front_end_knows_the_same_limits(run_node) -> None:
    code = """
    import { LIMITS, TEMPERATURES, TOP_PS, topKs } from "./shared/drawing/settings.js";
    console.log(JSON.stringify({ ...LIMITS, TEMPERATURES, TOP_PS, ks: topKs(10) }));
    """
    limits = run_node(code)
    assert tuple(limits["temperature"]) == module.TEMPERATURES
    assert limits["topP"] == [module.LOWEST_TOP_P, 1]
    assert limits["seed"] == module.LARGEST_SEED
    for temperature in limits["TEMPERATURES"]:
        tiny(temperature=temperature)
    for top_p in limits["TOP_PS"]:
        tiny(top_p=top_p)
    for top_k in limits["ks"]:
        tiny(top_k=top_k)


def test_every_text_that_the_front_end_asks_for_is_in_the_catalogue() -> None:
    from .conftest import ROOT

    folders = (ROOT / "js/src" / folder for folder in ("explorables/generation", "shared/drawing"))
    code = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.js"))
    asked = set(re.findall(r'\btext\(\s*(?:\w+ \? )?"([a-z_]+)"', code)) | set(re.findall(r'\? "([a-z_]+)" :', code))
    ways = ("prompt", "drawn", "own")
    asked |= {f"{stem}_{by}" for stem in ("by", "came") for by in ways}
    asked |= {f"{fate.removeprefix('generation.')}_line" for fate in list(module.FATES.values())[1:]}
    asked |= {fate.removeprefix("generation.") for fate in module.FATES.values()}
    asked |= {"temperature", "top_k", "top_p", "stage_k", "cache_remembered", "cache_several", "crowded"}
    texts = tiny().strings
    assert {"title", "full", "take", "engine_loading"} <= asked | set(texts)
    assert asked - {"true", "fast", "step", "own", "drawn", "group"} <= set(texts)


def test_the_figure_shows_the_most_probable_tokens() -> None:
    widget = tiny(top_k=3, temperature=0.7)
    figure = widget.figure()
    bars, curve = figure.axes
    sample = widget.sample
    shown = [bar.get_width() for bar in bars.containers[0]]
    assert shown == pytest.approx(sample["p"][sample["order"].long()].tolist())
    outlined = [bar.get_width() for bar in bars.containers[1]]
    assert outlined == pytest.approx(sample["own"][sample["order"].long()].tolist())
    assert [label.get_text() for label in bars.get_yticklabels()] == [
        style.readable(ALPHABET[i]) for i in sample["order"].tolist()
    ]
    assert curve.lines[0].get_ydata() == pytest.approx(outlined)
    assert bars.containers[0][0].get_facecolor()[:3] == pytest.approx(
        [int(style.FAMILY["gpt"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
    )
    written = widget.alternative_text()
    assert "after “abc”" in written
    assert f"{sample['own'].max():.3g}" in written
    assert "3 of 10 tokens" in written
    assert len(widget.table().rows) == 10


def test_dollars_in_a_text_are_no_formula() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=3, block_size=12, n_layer=1, n_head=1, d_model=4)).eval()
    widget = GenerationDebugger(model, CharTokenizer("$^a"), "$a^$^$")
    widget.figure().savefig(io.BytesIO(), format="svg")


def test_it_asks_the_graphs_of_the_package() -> None:
    widget = tiny()
    assert list(widget.graphs) == ["generation", "sampling"]
    question = widget.questions()[0][1]
    own = step_graph(widget._model)(**question)
    for name, value in widget.ask("generation", **question).items():
        assert torch.equal(own[name], value)
