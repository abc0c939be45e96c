"""One model before and after fine-tuning: an explorable of the chapter on pre-training and fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.checkpoints import Checkpoint
from dlcompare.export import Graph
from dlcompare.graphs.finetuning import finetuning_step
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.tokenization import REPLY, USER, BPETokenizer
from dlcompare.training import LoRALinear, WeightChange, weight_changes
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_flag, as_number, as_text, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LARGEST_STRENGTH", "LONGEST_TEXT", "STEPS", "FineTuning"]

#: Tokens of the prompt that are read.
LONGEST_TEXT = 20
#: Tokens that both models write.
STEPS = 12
#: By how much the change may be multiplied.
LARGEST_STRENGTH = 1.5
#: Singular values that are shown.
SHOWN = 8


class FineTuning(Explorable):
    """One GPT before and after fine-tuning, on the same prompt, side by side; which weights moved; the recorded losses.

    Parameters
    ----------
    before:
        The checkpoint that both others started from, with a BPE tokenizer.
    lora:
        It, fine-tuned with LoRA: the one that answers.
    full:
        It, fine-tuned on the same, all its weights.
    prompt:
        A text of 1 to 500 characters; its first 20 tokens are read.
    **traits:
        ``chat`` (whether the models read the prompt in the template of the dialogues), ``strength`` (0 to 1.5, by what
        LoRA's change is multiplied), ``matrix`` (the one that is looked at, in the model's order), ``step`` (0 to 12,
        tokens that are written before what comes next is looked at); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "finetuning"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "finetuning")

    tokenizer: Any = traitlets.Dict(read_only=True).tag(sync=True)
    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    changes: Any = traitlets.List(read_only=True).tag(sync=True)
    recorded: Any = traitlets.Dict(read_only=True).tag(sync=True)
    prompt = Checked(lambda self, value: as_text(value, "prompt", self._tokenizer), "?").tag(sync=True)
    chat = Checked(lambda _, value: as_flag(value, "chat"), False).tag(sync=True)
    strength = Checked(lambda _, value: as_number(value, "strength", 0, LARGEST_STRENGTH), 1.0).tag(sync=True)
    matrix = Checked(lambda self, value: as_whole(value, "matrix", 0, len(self.changes) - 1), 0).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, STEPS), 0).tag(sync=True)

    def __init__(
        self, before: Checkpoint[GPT], lora: Checkpoint[GPT], full: Checkpoint[GPT], prompt: str, **traits: Any
    ) -> None:
        for argument, checkpoint in (("before", before), ("lora", lora), ("full", full)):
            if not isinstance(checkpoint.model, GPT):
                raise StateError(f"{argument} is of a {type(checkpoint.model).__name__}; allowed is a GPT")
        if not isinstance(before.tokenizer, BPETokenizer):
            raise StateError("before has no BPE tokenizer; allowed is a checkpoint with one")
        layers = [module for module in lora.model.modules() if isinstance(module, LoRALinear)]
        if not layers:
            raise StateError("lora has no LoRA; allowed is a checkpoint that was fine-tuned with it")
        self._model, self._tokenizer = lora.model, before.tokenizer
        #: The last walk, by what it depends on: figure, table and words all ask for it.
        self._walked: tuple[object, list[tuple[dict[str, Tensor], dict[str, Tensor]]]] | None = None
        rank = layers[0].rank
        moved = {name: weight_changes(before.model, other.model) for name, other in (("full", full), ("lora", lora))}
        self.set_trait("tokenizer", before.tokenizer.to_page())
        sizes = {
            "user": self._tokenizer.id_of(USER),
            "reply": self._tokenizer.id_of(REPLY),
            "longest": LONGEST_TEXT,
            "steps": STEPS,
            "rank": rank,
            "strength": LARGEST_STRENGTH,
            "guess": math.log(before.tokenizer.vocab_size),
        }
        self.set_trait("sizes", sizes)
        self.set_trait("changes", [_described(*both, rank) for both in zip(moved["full"], moved["lora"], strict=True)])
        self.set_trait("recorded", _recorded(lora.card, full.card))
        # Before anything is chosen, the matrix that moved most.
        largest = max(range(len(self.changes)), key=lambda i: self.changes[i]["full"]["relative"])
        super().__init__(prompt=prompt, **{"matrix": largest, **traits})

    @property
    def ids(self) -> list[int]:
        """What both models read first."""
        read = self._tokenizer.encode(self.prompt)[:LONGEST_TEXT]
        return [self.sizes["user"], *read, self.sizes["reply"]] if self.chat else read

    def make_graphs(self) -> Sequence[Graph]:
        """Return a step of both models."""
        return [finetuning_step(self._model)]

    def _walk(self) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """Return what is asked with its answers: after the prompt, and after each token that both have added."""
        key = (tuple(self.ids), self.strength)
        if self._walked is not None and self._walked[0] == key:
            return self._walked[1]
        texts = torch.tensor([self.ids, self.ids], dtype=torch.int32)
        found = []
        for _ in range(STEPS + 1):
            inputs = {"ids": texts, "strength": torch.tensor(self.strength)}
            outputs = self.ask("finetuning", **inputs)
            found.append((inputs, outputs))
            texts = torch.cat([texts, outputs["top"][:, :1]], dim=1)
        self._walked = key, found
        return found

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return every step of writing on."""
        return [("finetuning", inputs) for inputs, _ in self._walk()]

    @property
    def answers(self) -> list[dict[str, Tensor]]:
        """What :func:`dlcompare.graphs.finetuning_step` gives after the prompt, and after each token written since."""
        return [outputs for _, outputs in self._walk()]

    @property
    def written(self) -> tuple[str, str]:
        """What the model writes before and after fine-tuning: always the likeliest token, twelve of them."""
        tokens = [outputs["top"][:, 0].tolist() for outputs in self.answers[:-1]]
        before, after = (self._tokenizer.decode([pair[i] for pair in tokens]) for i in (0, 1))
        return before, after

    def expected(self, after: bool) -> list[tuple[str, float, float]]:
        """Return the likeliest next tokens of one of the models, with both models' probabilities, before and after."""
        outputs, place = self.answers[self.step], int(after)
        names = [self._tokenizer.decode([token]) for token in outputs["top"][place].tolist()]
        return list(zip(names, outputs["p"][0, place].tolist(), outputs["p"][1, place].tolist(), strict=True))

    def table(self) -> Table:
        """Return the likeliest next tokens of both models, with the probabilities that both give to them."""
        heads = [text(f"finetuning.column_{name}") for name in ("whose", "token", "before", "after")]
        rows: list[list[str | float]] = [
            [text(f"finetuning.{whose}"), readable(token), before, after]
            for whose in ("before", "after")
            for token, before, after in self.expected(whose == "after")
        ]
        return Table(heads, rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        before, after = self.written
        surprise = self.answers[0]["surprise"].tolist()
        return text(
            "finetuning.alternative",
            prompt=self.prompt,
            before=readable(before),
            after=readable(after),
            surprise_before=f"{surprise[0]:.3g}",
            surprise_after=f"{surprise[1]:.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("finetuning.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.finetuning_figure import draw

        return draw(self)


def _described(full: WeightChange, lora: WeightChange, rank: int) -> dict[str, Any]:
    """Return what a page shows of one matrix."""
    layer, _, kind = full.name.removeprefix("blocks.").partition(".")
    return {
        "name": full.name,
        "layer": int(layer) if kind else None,
        "kind": kind.rpartition("attention.")[2] or full.name,
        "shape": list(full.shape),
        **{
            name: {
                "trained": change.trained,
                "relative": change.relative,
                "share": change.share(rank),
                "values": list(change.singular_values[:SHOWN]),
            }
            for name, change in (("full", full), ("lora", lora))
        },
    }


def _recorded(lora: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cards recorded: the losses on the way, and those at the ends."""
    cards = {"full": full, "lora": lora}
    curves = {
        name: [list(pair) for pair in card.get("training", {}).get("validation", [])] for name, card in cards.items()
    }
    results = []
    for of in ("questions", "chats"):
        key = f"{of}_validation_reply_bits_per_character"
        numbers = {
            "before": lora.get("metrics", {}).get(f"{key}_before"),
            "full": full.get("metrics", {}).get(key),
            "lora": lora.get("metrics", {}).get(key),
            "scratch": lora.get("metrics", {}).get(f"{key}_from_scratch"),
        }
        results.append({"of": of, **numbers})
    return {"curves": curves, "results": results}
