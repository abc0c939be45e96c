"""Recipes: how each committed checkpoint is trained, from the pinned data to the card, by ``dlcompare train NAME``.

A recipe fixes everything that its result depends on: data, split, tokenizer, sizes, steps, seed and the number of
threads. The same versions on the same kind of processor give the same weights.
"""

from __future__ import annotations

import dataclasses
import datetime
import platform
from pathlib import Path

import torch

import dlcompare
from dlcompare import checkpoints, data
from dlcompare.recipes import bert, dialogue, digits, finetuning, shakespeare
from dlcompare.recipes.digits import shift
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.recipes.shakespeare import ngram_baseline

__all__ = ["RECIPES", "Recipe", "Trained", "ngram_baseline", "shift", "train"]

#: Every recipe by its name.
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for module in (shakespeare, bert, dialogue, finetuning, digits) for recipe in module.RECIPES
}


def train(name: str, folder: Path | None = None) -> Path:
    """Run recipe ``name``, write its checkpoint into ``folder`` (default: the committed ones) and return its place.

    Raises
    ------
    ValueError
        for an unknown name, naming the known ones.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe is {name!r}; allowed are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        trained = recipe.run(recipe)
    finally:
        torch.set_num_threads(threads)
    described = {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name != "run"}
    history = trained.history
    details = {
        "recipe": described,
        "data_sha256": data.sha256(recipe.data),
        **({"sources_sha256": trained.sources} if trained.sources else {}),
        "metrics": trained.metrics,
        "training": {
            "steps": history.steps,
            "best_step": history.best[0],
            "validation": history.validation,
            "seconds": round(history.seconds, 1),
            "cpu_seconds": round(history.cpu_seconds, 1),
        },
        "trained_on": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {
            "dlcompare": dlcompare.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    return checkpoints.save(name, trained.model, details, trained.tokenizer, folder)
