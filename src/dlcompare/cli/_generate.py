"""``dlcompare generate``: text from a language model."""

from __future__ import annotations

from typing import Annotated

import typer

from dlcompare.cli._fail import FAILED, MISUSED, fail


def generate(
    prompt: Annotated[str, typer.Argument(help="text to continue; \\n is a line break")] = "ROMEO.\\n",
    checkpoint: Annotated[str, typer.Option(help="a language model's checkpoint")] = "shakespeare-gpt",
    tokens: Annotated[int, typer.Option(help="number of new tokens", min=1)] = 200,
    temperature: Annotated[float, typer.Option(help="> 0; below 1 sharpens, above 1 flattens")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="draw from this many most probable tokens")] = None,
    top_p: Annotated[float | None, typer.Option(help="draw from the fewest tokens of this mass")] = None,
    min_p: Annotated[float | None, typer.Option(help="draw from tokens this fraction as probable as the best")] = None,
    repetition_penalty: Annotated[float, typer.Option(help="> 1 makes tokens that stood before less probable")] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="always take the most probable token")] = False,
    seed: Annotated[int, typer.Option(help="same seed, same text")] = 0,
) -> None:
    r"""Continue a text with a trained language model.

    Example: dlcompare generate "HAMLET.\nTo be" --temperature 0.7 --seed 3
    """
    from dlcompare import checkpoints, generation
    from dlcompare.sampling import Sampler

    try:
        sampler = Sampler(temperature, top_k, top_p, min_p, repetition_penalty, greedy)
        loaded = checkpoints.load(checkpoint)
        if loaded.tokenizer is None:
            fail(f"checkpoint {checkpoint!r} is no language model: it has no tokenizer", MISUSED)
        text = generation.generate_text(
            loaded.model, loaded.tokenizer, prompt.replace("\\n", "\n"), tokens, sampler, seed=seed
        )
    except (checkpoints.CheckpointError, ValueError) as reason:
        fail(str(reason), MISUSED if isinstance(reason, ValueError) else FAILED)
    typer.echo(text)
