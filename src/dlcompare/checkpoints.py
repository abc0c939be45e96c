"""Trained checkpoints: weights (safetensors), a card (JSON), and the tokenizer (JSON) where there is one.

The card tells how the weights came to be: the recipe's name and settings, the data's SHA-256, the seed, the
measured metrics, the versions. Nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from dlcompare import models, tokenization
from dlcompare.training import n_parameters

__all__ = ["Checkpoint", "CheckpointError", "card", "directory", "load", "names", "rounded", "save"]

WEIGHTS, CARD, TOKENIZER = "model.safetensors", "card.json", "tokenizer.json"

_MODELS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "MLP": (models.MLP, models.MLPConfig),
    "CNN": (models.CNN, models.CNNConfig),
    "Recurrent": (models.Recurrent, models.RecurrentConfig),
    "RecurrentLM": (models.RecurrentLM, models.RecurrentLMConfig),
    "TransformerEncoder": (models.TransformerEncoder, models.EncoderConfig),
    "GPT": (models.GPT, models.GPTConfig),
    "BERT": (models.BERT, models.BERTConfig),
}


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, or does not fit its model."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model in evaluation mode, its tokenizer (None for a model without text), and its card."""

    model: nn.Module
    tokenizer: tokenization.CharTokenizer | tokenization.BPETokenizer | None
    card: Mapping[str, Any]


def directory() -> Path:
    """Return the folder of the committed checkpoints: inside an installed package, or ``data`` of a checkout."""
    packaged = Path(__file__).parent / "_checkpoints"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / "checkpoints"


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the checkpoints that there are."""
    return sorted(path.parent.name for path in (folder or directory()).glob(f"*/{CARD}"))


def card(name: str, folder: Path | None = None) -> dict[str, Any]:
    """Return the card of checkpoint ``name`` without loading its weights.

    Raises
    ------
    CheckpointError
        when there is none, naming those that exist.
    """
    path = (folder or directory()) / name / CARD
    if not path.is_file():
        raise CheckpointError(f"no checkpoint is named {name!r}; there are: {', '.join(names(folder)) or 'none'}")
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def load(name: str, folder: Path | None = None) -> Checkpoint:
    """Load checkpoint ``name``: float32 weights, evaluation mode.

    Raises
    ------
    CheckpointError
        when it is missing, its weights are not those that its card was written for, or they don't fit the model.
    """
    place = (folder or directory()) / name
    fields = card(name, folder)
    weights = place / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"checkpoint {name!r} has no {WEIGHTS}")
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != fields["sha256"]:
        raise CheckpointError(
            f"the weights of checkpoint {name!r} have SHA-256 {found}, its card says {fields['sha256']}: restore both"
            f" from version control, or train them again with `dlcompare train {fields['recipe']['name']}`"
        )
    if fields["model"] not in _MODELS:
        raise CheckpointError(f"checkpoint {name!r} is of model {fields['model']!r}; known are {', '.join(_MODELS)}")
    model_type, config_type = _MODELS[fields["model"]]
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in fields["config"].items()}
    model = model_type(config_type(**arguments))
    try:
        state = {key: value.float() for key, value in load_file(weights).items()}
        if set(state) != set(_own_tensors(model)):
            differing = sorted(set(state) ^ set(_own_tensors(model)))
            raise CheckpointError(f"checkpoint {name!r} and its model differ in the tensors {', '.join(differing)}")
        model.load_state_dict(state, strict=False)  # not strict: a shared tensor is stored under one name alone
    except (SafetensorError, RuntimeError) as reason:
        raise CheckpointError(f"the weights of checkpoint {name!r} do not fit its model: {reason}") from reason
    text = place / TOKENIZER
    tokenizer = tokenization.from_json(text.read_text(encoding="utf-8")) if text.is_file() else None
    return Checkpoint(model.eval(), tokenizer, fields)


def save(
    name: str,
    model: nn.Module,
    details: Mapping[str, Any],
    tokenizer: tokenization.Tokenizer | None = None,
    folder: Path | None = None,
) -> Path:
    """Write checkpoint ``name`` and return its folder; an older one of that name is replaced.

    The files are written beside their place and moved there, the card last: a card always describes the weights
    beside it, or loading says that it does not.

    Parameters
    ----------
    model
        its ``config`` is a dataclass; weights that are not already float16 are rounded to it (see :func:`rounded`).
    details
        what the card tells besides model, configuration, size and hash.

    Raises
    ------
    ValueError
        when ``model`` is of a class that no checkpoint can hold, or its configuration is no dataclass.
    """
    config = model.config
    if type(model).__name__ not in _MODELS or not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ValueError(f"model is a {type(model).__name__}; allowed are {', '.join(_MODELS)}")
    place = (folder or directory()) / name
    place.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.half().contiguous() for key, value in _own_tensors(model).items()}
    weights = safetensors_bytes(tensors)
    fields = {
        "name": name,
        "model": type(model).__name__,
        "config": dataclasses.asdict(config),
        "parameters": n_parameters(model),
        "dtype": "float16",
        "bytes": len(weights),
        "sha256": hashlib.sha256(weights).hexdigest(),
        **details,
    }
    _replace(place / WEIGHTS, weights)
    if tokenizer is not None:
        _replace(place / TOKENIZER, tokenizer.to_json().encode())
    _replace(place / CARD, (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode())
    return place


def rounded(model: nn.Module) -> nn.Module:
    """Round the weights of ``model`` in place to what a checkpoint keeps (float16), and return it.

    Metrics on a card are measured after this, so that they hold for the weights that are loaded.
    """
    with torch.no_grad():
        for tensor in _own_tensors(model).values():
            tensor.copy_(tensor.half())
    return model


def _own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters by name, one that several modules share under its first name alone."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _replace(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
