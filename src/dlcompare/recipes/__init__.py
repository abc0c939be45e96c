"""Recipes: how each committed checkpoint is trained, from the pinned data to the card, by ``dlcompare train NAME``.

A recipe fixes everything that its result depends on: data, split, tokenizer, sizes, steps, seed and the number of
threads. The same versions on the same kind of processor give the same weights.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

import dlcompare
from dlcompare import checkpoints, data
from dlcompare.recipes import bert, dialogue, digits, finetuning, gpt2, shakespeare
from dlcompare.recipes.digits import shift
from dlcompare.recipes.recipe import Recipe, Trained
from dlcompare.recipes.shakespeare import ngram_baseline
from dlcompare.training import DryRun, Plan, Run
from dlcompare.training.distributed import rank

__all__ = ["RECIPES", "Recipe", "Trained", "changed", "ngram_baseline", "plan", "shift", "train"]

#: Every recipe by its name.
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for module in (shakespeare, bert, dialogue, finetuning, digits, gpt2)
    for recipe in module.RECIPES
}


def changed(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return recipe ``name``, with other values for some of its settings.

    Raises
    ------
    ValueError
        for an unknown recipe, or a setting that it does not have, naming the known ones.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe is {name!r}; allowed are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    if unknown := sorted(set(changes or ()) - set(recipe.settings)):
        raise ValueError(f"changes names {unknown[0]!r}; recipe {name!r} has {', '.join(recipe.settings)}")
    return dataclasses.replace(recipe, settings={**recipe.settings, **(changes or {})})


def train(
    name: str, folder: Path | None = None, *, run: Run | None = None, changes: Mapping[str, Any] | None = None
) -> Path:
    """Run recipe ``name``, write its checkpoint into ``folder`` (default: the committed ones) and return its place.

    Parameters
    ----------
    run
        under what circumstances; by default nothing is kept until the checkpoint is written. The state that a run
        leaves in ``run.folder`` is removed once the checkpoint stands.
    changes
        other values for some of the recipe's settings; they stand on the card.

    Raises
    ------
    ValueError
        for an unknown name or setting, naming the known ones.
    """
    recipe = changed(name, changes)
    described = {
        f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name not in ("run", "committed")
    }
    versions = {
        "dlcompare": dlcompare.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    data_sha256 = data.sha256(recipe.data)
    identity = json.dumps([described, data_sha256, versions], sort_keys=True)
    run = dataclasses.replace(run or Run(), identity=identity)
    with _threads(recipe.threads):
        trained = recipe.run(recipe, run)
    history = trained.history
    details = {
        "recipe": described,
        "data_sha256": data_sha256,
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
        "versions": versions,
    }
    place = (folder or checkpoints.directory()) / name
    if rank() == 0:
        checkpoints.save(name, trained.model, details, trained.tokenizer, folder)
        run.forget()
    return place


def plan(name: str, *, run: Run, changes: Mapping[str, Any] | None = None) -> Plan:
    """Return what recipe ``name`` needs with ``run.dry_run`` processes; data is read and the model built, no more.

    Raises
    ------
    ValueError
        for an unknown name or setting, or a ``run`` that is no dry one.
    """
    if not run.dry_run:
        raise ValueError("run.dry_run is 0; allowed is the number of processes to plan for")
    recipe = changed(name, changes)
    try:
        recipe.run(recipe, run)
    except DryRun as dry:
        found = dry.plan
    return found


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch use so many threads while this context lasts: more sum up in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
