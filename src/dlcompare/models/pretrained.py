"""Read and write GPT weights in the layout of the released models: ``config.json`` and safetensors.

It is the layout of GPT-1 and GPT-2 on the Hugging Face hub, which transformers reads and writes. Two things differ from
:class:`~dlcompare.models.GPT`: the names, which :func:`tensor_names` maps one by one, and OpenAI's linear layers, whose
matrices are stored transposed, (d_in, d_out). Pickled weights (``pytorch_model.bin``) are not read: they can run code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dlcompare.models.gpt import GPT, GPTConfig

__all__ = ["PretrainedError", "load", "save", "tensor_names"]

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"

#: The two kinds of model, by what transformers calls them, and whether they normalise after each sum.
POST_NORM = {"openai-gpt": True, "gpt2": False}

#: What :class:`GPT` computes. Any other value of these settings means another model.
FIXED: dict[str, dict[str, tuple[Any, ...]]] = {
    "gpt2": {
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"),  # two names of the tanh form
        "layer_norm_epsilon": (1e-5,),
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
        "tie_word_embeddings": (True,),
    },
    "openai-gpt": {
        "afn": ("gelu",),  # the tanh form here too, whatever the name says
        "layer_norm_epsilon": (1e-5,),
        "tie_word_embeddings": (True,),
    },
}

#: Tensors in released files that are no weights: masks, and the output layer, which is the token embedding.
NOT_WEIGHTS = (".attn.bias", ".attn.masked_bias")


class PretrainedError(RuntimeError):
    """The files of a pretrained model are missing, damaged, or of another model; the message names which and why."""


def tensor_names(config: GPTConfig) -> dict[str, tuple[str, bool]]:
    """Return for each parameter of a :class:`GPT` its name in the layout, and whether it is stored transposed there."""
    kind = "openai-gpt" if config.post_norm else "gpt2"
    tokens, positions = {"gpt2": ("wte", "wpe"), "openai-gpt": ("tokens_embed", "positions_embed")}[kind]
    names = {
        "token_embedding.weight": (f"{tokens}.weight", False),
        "position_embedding.weight": (f"{positions}.weight", False),
    }
    for i in range(config.n_layer):
        for ours, theirs in {
            "norm1": "ln_1",
            "attention.query_key_value": "attn.c_attn",
            "attention.project": "attn.c_proj",
            "norm2": "ln_2",
            "mlp.0": "mlp.c_fc",
            "mlp.2": "mlp.c_proj",
        }.items():
            transposed = not ours.startswith("norm")
            names[f"blocks.{i}.{ours}.weight"] = (f"h.{i}.{theirs}.weight", transposed)
            names[f"blocks.{i}.{ours}.bias"] = (f"h.{i}.{theirs}.bias", False)
    if not config.post_norm:
        names |= {"norm.weight": ("ln_f.weight", False), "norm.bias": ("ln_f.bias", False)}
    return names


def load(path_or_name: str | Path) -> GPT:
    """Return a GPT with released weights, float32, in evaluation mode.

    Parameters
    ----------
    path_or_name
        a folder with ``config.json`` and ``model.safetensors`` (or its parts and their index), or the name of a model
        on the Hugging Face hub, such as ``"openai-community/gpt2"``, which is then fetched into the hub's cache.

    Raises
    ------
    PretrainedError
        when the folder or a file is missing or damaged, when the model is of a kind or has a setting that
        :class:`GPT` does not compute, when a tensor is missing, unknown or of a wrong shape, or when a model that is
        named cannot be fetched; the message then says what to do without a network.
    """
    folder = Path(path_or_name)
    if not folder.is_dir():
        folder = _fetch(path_or_name)
    config = _read_config(folder / CONFIG)
    stored = _read_tensors(folder)
    with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced at once
        model = GPT(config)
    model.load_state_dict(_translate(stored, config, dict(model.named_parameters()), folder), assign=True)
    model.head.weight = model.token_embedding.weight
    return model.eval()


def save(model: GPT, folder: str | Path) -> Path:
    """Write ``model`` as ``config.json`` and ``model.safetensors`` into ``folder``, and return it.

    ``GPT.from_pretrained`` and transformers (``GPT2LMHeadModel``, or ``OpenAIGPTLMHeadModel`` for GPT-1) read it.

    Raises
    ------
    ValueError
        when the heads do not share ``d_model`` evenly: the layout has no place for their width.
    """
    c = model.config
    if c.attention_width != c.d_model:
        raise ValueError(
            f"the model's n_head · d_head is {c.attention_width}; the layout allows only d_model = {c.d_model}"
        )
    kind = "openai-gpt" if c.post_norm else "gpt2"
    fields = {
        "model_type": kind,
        "architectures": ["OpenAIGPTLMHeadModel" if c.post_norm else "GPT2LMHeadModel"],
        "vocab_size": c.vocab_size,
        "n_positions": c.block_size,
        "n_embd": c.d_model,
        "n_layer": c.n_layer,
        "n_head": c.n_head,
        "embd_pdrop": c.dropout,
        "attn_pdrop": c.dropout,
        "resid_pdrop": c.dropout,
        # Our tokenizers have ids of their own; transformers would assume GPT-2's 50256.
        "bos_token_id": None,
        "eos_token_id": None,
        **{name: allowed[0] for name, allowed in FIXED[kind].items()},
    }
    parameters = dict(model.named_parameters())
    tensors = {
        f"transformer.{theirs}": (parameters[ours].T if transposed else parameters[ours]).detach().contiguous()
        for ours, (theirs, transposed) in tensor_names(c).items()
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    return folder


def _fetch(name: str | Path) -> Path:
    """Return the folder of a model on the Hugging Face hub, fetched if it is not in the hub's cache."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(str(name), allow_patterns=[CONFIG, "model*.safetensors", INDEX]))
    except Exception as reason:  # the hub's HTTP library, and so its errors, differ from release to release
        raise PretrainedError(
            f"path_or_name is {str(name)!r}: there is no such folder, and no model of that name could be fetched from"
            f" the Hugging Face hub ({type(reason).__name__}: {str(reason).splitlines()[0]}). Without a network, copy"
            f" the model's {CONFIG} and {WEIGHTS} into a folder, from a machine that has one, and give its path"
        ) from reason


def _read_config(path: Path) -> GPTConfig:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as reason:
        raise PretrainedError(f"{path.parent} has no {CONFIG}") from reason
    except (json.JSONDecodeError, UnicodeDecodeError) as reason:
        raise PretrainedError(f"{path} is not JSON: {reason}") from reason
    kind = fields.get("model_type") if isinstance(fields, dict) else None
    if kind not in POST_NORM:
        raise PretrainedError(f"{path}: model_type is {kind!r}; allowed are {', '.join(map(repr, POST_NORM))}")
    for name, allowed in FIXED[kind].items():
        if fields.get(name, allowed[0]) not in allowed:
            raise PretrainedError(
                f"{path}: {name} is {fields[name]!r}; GPT computes only {' or '.join(map(repr, allowed))}"
            )
    if fields.get("n_inner") not in (None, 4 * fields.get("n_embd", 0)):
        raise PretrainedError(f"{path}: n_inner is {fields['n_inner']!r}; GPT computes only 4 · n_embd")
    try:
        return GPTConfig(
            vocab_size=fields["vocab_size"],
            block_size=fields["n_positions"],
            n_layer=fields["n_layer"],
            n_head=fields["n_head"],
            d_model=fields["n_embd"],
            dropout=fields.get("resid_pdrop", 0.1),
            post_norm=POST_NORM[kind],
        )
    except KeyError as reason:
        raise PretrainedError(f"{path} does not say {reason.args[0]}") from reason
    except ValueError as reason:
        raise PretrainedError(f"{path}: {reason}") from reason


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    """Return all tensors of the folder's safetensors files, without the prefix that transformers writes."""
    index = folder / INDEX
    files = [WEIGHTS]
    if index.is_file():
        files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    tensors: dict[str, Tensor] = {}
    for file in files:
        if not (folder / file).is_file():
            pickled = " (a pickled pytorch_model.bin is not read)" if (folder / "pytorch_model.bin").exists() else ""
            raise PretrainedError(f"{folder} has no {file}{pickled}")
        try:
            with safe_open(folder / file, framework="pt") as content:
                for name in sorted(content.keys()):
                    tensors[name.removeprefix("transformer.")] = content.get_tensor(name)
        except SafetensorError as reason:
            raise PretrainedError(f"{folder / file} is damaged or no safetensors file: {reason}") from reason
    return tensors


def _translate(
    stored: Mapping[str, Tensor], config: GPTConfig, parameters: Mapping[str, nn.Parameter], folder: Path
) -> dict[str, Tensor]:
    """Return the state of a :class:`GPT`, after checking that exactly its tensors are there, in their shapes."""
    names = tensor_names(config)
    assert set(names) == set(parameters), "the map of names does not fit GPT"  # ours to keep in step
    expected = {theirs for theirs, _ in names.values()}
    ignored = {name for name in stored if name.endswith(NOT_WEIGHTS) or name == "lm_head.weight"}
    missing, unknown = sorted(expected - set(stored)), sorted(set(stored) - expected - ignored)
    if missing or unknown:
        raise PretrainedError(
            f"the tensors in {folder} are not those of its {CONFIG}: missing {_some(missing)}; unknown {_some(unknown)}"
        )
    state = {}
    for ours, (theirs, transposed) in names.items():
        tensor = stored[theirs].T if transposed else stored[theirs]
        if tensor.shape != parameters[ours].shape:
            allowed = parameters[ours].shape[::-1] if transposed else parameters[ours].shape
            raise PretrainedError(
                f"{folder}: {theirs} has shape {tuple(stored[theirs].shape)}; allowed is {tuple(allowed)}"
            )
        state[ours] = nn.Parameter(tensor.float().contiguous())
    output = stored.get("lm_head.weight")
    if output is not None and not torch.equal(output.float(), state["token_embedding.weight"]):
        raise PretrainedError(
            f"{folder}: lm_head.weight is not the token embedding; GPT computes only with the two tied"
        )
    return {**state, "head.weight": state["token_embedding.weight"]}


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") if names else "none"
