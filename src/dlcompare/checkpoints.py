"""Trained checkpoints: weights (safetensors), a card (JSON), and the tokenizer (JSON) where there is one.

The card tells how the weights came to be: the recipe's name and settings, the data's SHA-256, the seed, the
measured metrics, the versions. Nothing is pickled.

Of a model with LoRA, only what was trained is kept; the rest is that of the checkpoint that it started from, which the
card names with its SHA-256.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from dlcompare import models, tokenization
from dlcompare._files import replace_files
from dlcompare.models.classifier import BERTClassifier, BERTClassifierConfig, GPTClassifier, GPTClassifierConfig
from dlcompare.training import LoRALinear, add_lora, n_parameters

__all__ = ["Checkpoint", "CheckpointError", "card", "directory", "load", "names", "rounded", "save"]

WEIGHTS, CARD, TOKENIZER = "model.safetensors", "card.json", "tokenizer.json"

_MODELS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "MLP": (models.MLP, models.MLPConfig),
    "CNN": (models.CNN, models.CNNConfig),
    "Recurrent": (models.Recurrent, models.RecurrentConfig),
    "RowReader": (models.RowReader, models.RecurrentConfig),
    "RecurrentLM": (models.RecurrentLM, models.RecurrentLMConfig),
    "TransformerEncoder": (models.TransformerEncoder, models.EncoderConfig),
    "GPT": (models.GPT, models.GPTConfig),
    "Llama": (models.Llama, models.LlamaConfig),
    "BERT": (models.BERT, models.BERTConfig),
    "ViT": (models.ViT, models.ViTConfig),
    "GPTClassifier": (GPTClassifier, GPTClassifierConfig),
    "BERTClassifier": (BERTClassifier, BERTClassifierConfig),
}

Model = TypeVar("Model", bound=nn.Module)


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, of another model than was asked for, or cannot be written."""


@dataclass(frozen=True)
class Checkpoint(Generic[Model]):
    """A trained model in evaluation mode, its tokenizer (None for a model without text), and its card."""

    model: Model
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


@typing.overload
def load(name: str, folder: Path | None = None) -> Checkpoint[nn.Module]: ...
@typing.overload
def load(name: str, folder: Path | None = None, *, expected: type[Model]) -> Checkpoint[Model]: ...
def load(name: str, folder: Path | None = None, *, expected: type[nn.Module] = nn.Module) -> Checkpoint[Any]:
    """Load checkpoint ``name``: float32 weights, evaluation mode.

    An adapter is put on the checkpoint that it was trained on, which must be in ``folder`` or among the committed ones.

    Parameters
    ----------
    name
        of the checkpoint.
    folder
        where it is; by default among the committed ones.
    expected
        the class that the model must be of; by default, any.

    Raises
    ------
    CheckpointError
        when it is missing, of another model than ``expected``, its weights are not those that its card was written for,
        they don't fit the model, or the checkpoint that it adapts is missing or another one.
    """
    place = (folder or directory()) / name
    fields = card(name, folder)
    if fields["model"] not in _MODELS:
        raise CheckpointError(f"checkpoint {name!r} is of model {fields['model']!r}; known are {', '.join(_MODELS)}")
    model_type, config_type = _MODELS[fields["model"]]
    if not issubclass(model_type, expected):
        raise CheckpointError(f"checkpoint {name!r} is a {model_type.__name__}; asked for was a {expected.__name__}")
    weights = place / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"checkpoint {name!r} has no {WEIGHTS}")
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != fields["sha256"]:
        raise CheckpointError(
            f"the weights of checkpoint {name!r} have SHA-256 {found}, its card says {fields['sha256']}: restore both"
            f" from version control, or train them again with `dlcompare train {fields['recipe']['name']}`"
        )
    model = model_type(_config(config_type, fields["config"]))
    if "lora" in fields:
        _adapt(name, model, fields, folder)
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


def _config(config_type: type[Any], fields: Mapping[str, Any]) -> Any:
    """Rebuild a configuration from its JSON: lists are tuples, and a configuration may hold another."""
    types = typing.get_type_hints(config_type)
    arguments = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            arguments[key] = _config(types[key], value)
        else:
            arguments[key] = tuple(value) if isinstance(value, list) else value
    return config_type(**arguments)


def _adapt(name: str, model: nn.Module, fields: Mapping[str, Any], folder: Path | None) -> None:
    """Give ``model`` the frozen weights of the checkpoint that its card names, and LoRA's layers."""
    lora = fields["lora"]
    base, sha256 = lora["base"], fields["sources_sha256"][f"checkpoint {lora['base']}"]
    where = folder if folder is not None and base in names(folder) else None
    if base not in names(where):
        raise CheckpointError(
            f"checkpoint {name!r} adapts checkpoint {base!r}, which is missing; there are: {', '.join(names(where))}"
        )
    started_from = load(base, where)
    if started_from.card["sha256"] != sha256:
        raise CheckpointError(
            f"checkpoint {name!r} adapts checkpoint {base!r} with SHA-256 {sha256}, but {base!r} has SHA-256"
            f" {started_from.card['sha256']}: restore that one, or train {name!r} again"
        )
    adapted = _adapted(model)
    kept = adapted.state_dict().keys()  # a classifier leaves out the heads of pretraining
    state = {key: value for key, value in started_from.model.state_dict().items() if key in kept}
    try:
        adapted.load_state_dict(state)
    except RuntimeError as reason:
        raise CheckpointError(f"the weights of checkpoint {base!r} do not fit {name!r}: {reason}") from reason
    add_lora(adapted, lora["rank"], lora["alpha"], lora["names"])


def _adapted(model: nn.Module) -> nn.Module:
    """Return the part of ``model`` that LoRA freezes: what a classifier stands on, or the whole."""
    return model.base if isinstance(model, GPTClassifier | BERTClassifier) else model


def save(
    name: str,
    model: nn.Module,
    details: Mapping[str, Any],
    tokenizer: tokenization.Tokenizer | None = None,
    folder: Path | None = None,
) -> Path:
    """Write checkpoint ``name`` and return its folder; an older one of that name is replaced.

    All files are written beside their place, then moved there, the card last: a card always describes the weights
    beside it, or loading says that it does not.

    Parameters
    ----------
    model
        its ``config`` is a dataclass; weights that are not already float16 are rounded to it (see :func:`rounded`).
        Of one with LoRA, only what is trained is written.
    details
        what the card tells besides model, configuration, size and hash. For a model with LoRA, its ``sources_sha256``
        has one key "checkpoint NAME": the checkpoint that the frozen weights are of.

    Raises
    ------
    ValueError
        when ``model`` is of a class that no checkpoint can hold, or its configuration is no dataclass; or it has LoRA
        and ``details`` name no checkpoint, or several.
    CheckpointError
        when the files cannot be written, on a full disk for instance; an older checkpoint of that name is then whole.
    """
    config = model.config
    if type(model).__name__ not in _MODELS or not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ValueError(f"model is a {type(model).__name__}; allowed are {', '.join(_MODELS)}")
    tensors = {key: value.half().contiguous() for key, value in _own_tensors(model).items()}
    weights = safetensors_bytes(tensors)
    fields = {
        "name": name,
        "model": type(model).__name__,
        "config": dataclasses.asdict(config),
        **_lora_fields(model, details),
        "parameters": n_parameters(model),
        "dtype": "float16",
        "bytes": len(weights),
        "sha256": hashlib.sha256(weights).hexdigest(),
        **details,
    }
    files = {WEIGHTS: weights}
    if tokenizer is not None:
        files[TOKENIZER] = tokenizer.to_json().encode()
    files[CARD] = (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode()
    place = (folder or directory()) / name
    try:
        replace_files({place / file: content for file, content in files.items()})
    except OSError as reason:
        raise CheckpointError(f"checkpoint {name!r} could not be written to {place}: {reason}") from reason
    return place


def _lora_fields(model: nn.Module, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the card of a model with LoRA tells of it; nothing for one without."""
    layers = {n: layer for n, layer in _adapted(model).named_modules() if isinstance(layer, LoRALinear)}
    if not layers:
        return {}
    bases = [
        key.removeprefix("checkpoint ") for key in details.get("sources_sha256", {}) if key.startswith("checkpoint ")
    ]
    if len(bases) != 1:
        raise ValueError(
            f"sources_sha256 in details names the checkpoints {bases}; for a model with LoRA, allowed is one"
        )
    first = next(iter(layers.values()))
    return {"lora": {"base": bases[0], "rank": first.rank, "alpha": first.alpha, "names": list(layers)}}


def rounded(model: nn.Module) -> nn.Module:
    """Round the weights of ``model`` in place to what a checkpoint keeps (float16), and return it.

    Metrics on a card are measured after this, so that they hold for the weights that are loaded.
    """
    with torch.no_grad():
        for tensor in _own_tensors(model).values():
            tensor.copy_(tensor.half())
    return model


def _own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters by name, one that several modules share under its first name alone; with LoRA, the trained ones."""
    adapter = any(isinstance(module, LoRALinear) for module in model.modules())
    return {
        n: parameter.detach() for n, parameter in model.named_parameters() if parameter.requires_grad or not adapter
    }
