"""``dlcompare chat``: a conversation in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from dlcompare.cli._fail import MISUSED, fail
from dlcompare.data.errors import DataError


def chat(
    model: Annotated[
        str, typer.Option(help="dialogue-gpt: ours, small and silly; smollm2: 135 million parameters, 93 MB to fetch")
    ] = "dialogue-gpt",
    tokens: Annotated[int | None, typer.Option(help="longest reply in tokens", min=1, show_default="60, 300")] = None,
    temperature: Annotated[float | None, typer.Option(help="> 0; by default the model's own")] = None,
    top_p: Annotated[float | None, typer.Option(help="draw from the fewest tokens of this mass")] = None,
    seed: Annotated[int, typer.Option(help="same seed and same words, same replies")] = 0,
) -> None:
    """Talk to a language model in the terminal. An empty line or Ctrl-D ends, /new forgets all that was said.

    The model reads the whole conversation each time. When it no longer fits, the oldest turns are not read.

    Example: dlcompare chat --model smollm2
    """
    import dataclasses

    from dlcompare import checkpoints, dialogue, smollm
    from dlcompare.tokenization import BPETokenizer

    try:
        if model == "smollm2":
            talker = smollm.talker(smollm.load())
        elif model == "dialogue-gpt":
            loaded = checkpoints.load(model)
            assert isinstance(loaded.tokenizer, BPETokenizer)
            talker = dialogue.talker(loaded.model, loaded.tokenizer)
        else:
            fail(f"model is {model!r}; allowed are dialogue-gpt and smollm2", MISUSED)
        sampler = talker.sampler
        if temperature is not None:
            sampler = dataclasses.replace(sampler, temperature=temperature)
        if top_p is not None:
            sampler = dataclasses.replace(sampler, top_p=top_p)
    except (checkpoints.CheckpointError, DataError, ModuleNotFoundError) as reason:
        fail(str(reason))
    except ValueError as reason:
        fail(str(reason), MISUSED)
    longest = tokens or (300 if model == "smollm2" else 60)
    turns: list[str] = []
    while True:
        try:
            said = input("you: ").strip()
        except EOFError:
            typer.echo()
            return
        if not said:
            return
        if said == "/new":
            turns = []
            continue
        pieces = []
        try:
            typer.echo(f"{model}: ", nl=False)
            for piece in talker.stream([*turns, said], sampler=sampler, max_new_tokens=longest, seed=seed + len(turns)):
                typer.echo(piece, nl=False)
                pieces.append(piece)
            typer.echo()
        except ValueError as reason:  # this turn cannot be read; what was said before stays
            typer.echo(f"({reason})")
            continue
        turns += [said, "".join(pieces)]
