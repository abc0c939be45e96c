"""SmolLM2 (Allal et al. 2025): a real pretrained language model, out of a GGUF file, and its chat template.

GGUF is the file format of llama.cpp: metadata with the sizes and the vocabulary, then the tensors, here quantised to
about 5 bits per weight. They are dequantised to float32 once, when they are read. The file keeps Llama's own order of
the rows of queries and keys, neighbours in a pair, as :func:`dlcompare.models.llama.rotate` wants it. (Hugging Face's
weights have another order; llama.cpp converts it when it writes the file.)
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers
from torch import Tensor

from dlcompare.chat import Talker
from dlcompare.checkpoints import Checkpoint, CheckpointError
from dlcompare.data import load_smollm2
from dlcompare.models.llama import SMOLLM2_135M, Llama, LlamaConfig
from dlcompare.sampling import Sampler
from dlcompare.tokenization import BPETokenizer

__all__ = ["IM_END", "IM_START", "SYSTEM", "encode_chat", "load", "read_gguf", "talker"]

#: Begins a turn, before the name of who speaks.
IM_START = "<|im_start|>"
#: Ends a turn.
IM_END = "<|im_end|>"
#: What the model is told first, unless something else is given.
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"

#: GGUF's names of the tensors in a block, and ours.
_BLOCK_NAMES = {
    "attn_norm": "norm1",
    "attn_q": "attention.to_query",
    "attn_k": "attention.to_key",
    "attn_v": "attention.to_value",
    "attn_output": "attention.project",
    "ffn_norm": "norm2",
    "ffn_gate": "mlp.gate",
    "ffn_up": "mlp.up",
    "ffn_down": "mlp.down",
}


def load() -> Checkpoint[Llama]:
    """Load SmolLM2-135M-Instruct: a :class:`~dlcompare.models.llama.Llama` in evaluation mode, and its tokenizer.

    The first time, this fetches 93 MB. The weights take 0.54 GB of memory. The card is the file's metadata.

    Raises
    ------
    ModuleNotFoundError
        when the package gguf is not installed.
    DataError
        when the file cannot be had; see :func:`dlcompare.data.fetch`.
    CheckpointError
        as :func:`read_gguf`.
    """
    _gguf()  # before a long download
    with tempfile.TemporaryDirectory(prefix="dlcompare-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "model.gguf"  # the reader maps a file into memory
        path.write_bytes(load_smollm2())
        return read_gguf(path, SMOLLM2_135M)


def read_gguf(path: Path, config: LlamaConfig) -> Checkpoint[Llama]:
    """Read a Llama of the sizes ``config`` with SmolLM's tokenizer out of a GGUF file.

    Returns
    -------
    Checkpoint
        the model (float32, evaluation mode), a :class:`~dlcompare.tokenization.BPETokenizer`, and as the card the
        file's metadata but for the vocabulary.

    Raises
    ------
    ModuleNotFoundError
        when the package gguf is not installed.
    CheckpointError
        when the file is no GGUF file or is cut short, has other sizes than ``config``, or lacks a tensor; the message
        names what differs.
    """
    gguf = _gguf()
    try:
        reader = gguf.GGUFReader(path)
        metadata = {name: field.contents() for name, field in reader.fields.items()}
    except (ValueError, IndexError, KeyError, OverflowError) as reason:
        raise CheckpointError(f"{path} is no GGUF file, or is cut short: {reason}") from reason
    vocabulary = {key: metadata.pop(f"tokenizer.ggml.{key}", []) for key in ("tokens", "merges", "token_type")}
    _check_metadata(metadata, config)
    for key in ("tokens", "token_type"):
        if (n := len(vocabulary[key])) != config.vocab_size:
            raise CheckpointError(
                f"the GGUF file has {n} entries in tokenizer.ggml.{key}; the model has {config.vocab_size} tokens"
            )

    with torch.device("meta"):  # no memory and no random numbers for weights that are replaced at once
        model = Llama(config)
    model.load_state_dict(_weights(gguf, reader, model), assign=True)
    if config.tied:
        model.head.weight = model.token_embedding.weight
    return Checkpoint(model.eval(), _tokenizer(gguf, vocabulary), metadata)


def encode_chat(tokenizer: BPETokenizer, turns: Sequence[str], system: str = SYSTEM) -> list[int]:
    """Return the ids of a conversation (user, assistant, user, …) in SmolLM2's template.

    After a user's turn it ends with the mark of the assistant's, so that what the model generates next is its reply;
    that ends with :data:`IM_END`.

    Raises
    ------
    ValueError
        for no turns, or for a turn that contains a special token: with it, a user could speak in another's name.
    """
    if not turns:
        raise ValueError("turns is empty; at least the user's first turn is needed")
    special = [str(token.content) for token in tokenizer.engine.get_added_tokens_decoder().values()]
    for name, turn in [("system", system), *((f"turns[{i}]", turn) for i, turn in enumerate(turns))]:
        if found := [token for token in special if token in turn]:
            raise ValueError(f"{name} contains {found[0]!r}, a special token; allowed is plain text")
    roles = ["system", *(("user", "assistant")[i % 2] for i in range(len(turns)))]
    text = "".join(f"{IM_START}{role}\n{turn}{IM_END}\n" for role, turn in zip(roles, [system, *turns], strict=True))
    if roles[-1] == "user":
        text += f"{IM_START}assistant\n"
    return tokenizer.encode(text)


def talker(loaded: Checkpoint[Llama], system: str = SYSTEM) -> Talker:
    """Return what :func:`load` returned as someone to talk to, told ``system`` first."""
    tokenizer = loaded.tokenizer
    assert isinstance(tokenizer, BPETokenizer)
    return Talker(
        loaded.model,
        tokenizer,
        lambda turns: encode_chat(tokenizer, turns, system),
        frozenset({tokenizer.id_of(IM_END)}),
        Sampler(temperature=0.2, top_p=0.9),  # as its makers advise
    )


def _gguf() -> ModuleType:
    try:
        import gguf
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "reading a GGUF file needs the package gguf: install it with pip install 'dlcompare[smollm]'"
        ) from missing
    return gguf


def _check_metadata(metadata: Mapping[str, Any], config: LlamaConfig) -> None:
    """Raise CheckpointError unless the file describes a Llama of these sizes, and nothing beyond it."""
    expected = {
        "general.architecture": "llama",
        "llama.vocab_size": config.vocab_size,
        "llama.context_length": config.block_size,
        "llama.block_count": config.n_layer,
        "llama.attention.head_count": config.n_head,
        "llama.attention.head_count_kv": config.n_kv_head,
        "llama.embedding_length": config.d_model,
        "llama.feed_forward_length": config.d_hidden,
        "llama.rope.dimension_count": config.d_head,
        "llama.rope.freq_base": config.rope_theta,
        "llama.attention.layer_norm_rms_epsilon": config.norm_eps,
        "tokenizer.ggml.model": "gpt2",  # byte-level BPE
        "tokenizer.ggml.pre": "smollm",
    }
    for key, wanted in expected.items():
        found = metadata.get(key)
        if isinstance(wanted, float) and isinstance(found, float):
            same = math.isclose(found, wanted, rel_tol=1e-6)  # the file has it in float32
        else:
            same = found == wanted
        if not same:
            raise CheckpointError(f"the GGUF file says {key} = {found!r}; expected is {wanted!r}")
    if unknown := [key for key in metadata if key.startswith("llama.") and key not in expected]:
        raise CheckpointError(f"the GGUF file has settings that this model does not know: {', '.join(unknown)}")


def _weights(gguf: ModuleType, reader: Any, model: Llama) -> dict[str, Tensor]:
    """Return the file's tensors in float32, by our names."""
    config = model.config
    names = {"token_embd.weight": "token_embedding.weight", "output_norm.weight": "norm.weight"}
    if not config.tied:
        names["output.weight"] = "head.weight"
    for i in range(config.n_layer):
        names |= {f"blk.{i}.{theirs}.weight": f"blocks.{i}.{ours}.weight" for theirs, ours in _BLOCK_NAMES.items()}
    found = {tensor.name: tensor for tensor in reader.tensors}
    if set(found) != set(names):
        raise CheckpointError(f"the GGUF file and the model differ in the tensors {sorted(set(found) ^ set(names))}")

    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    weights = {}
    for theirs, ours in names.items():
        tensor = found[theirs]
        shape = tuple(int(n) for n in reversed(tensor.shape))  # GGUF counts from the innermost dimension
        if shape != shapes[ours]:
            raise CheckpointError(f"the GGUF file's tensor {theirs} has shape {shape}; expected is {shapes[ours]}")
        # A copy: where nothing was quantised, the values still lie in the mapped file.
        values = np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        weights[ours] = torch.from_numpy(values)
    assert set(weights) == set(shapes)
    if config.tied:
        weights["head.weight"] = weights["token_embedding.weight"]
    return weights


def _tokenizer(gguf: ModuleType, vocabulary: Mapping[str, Sequence[Any]]) -> BPETokenizer:
    """Return SmolLM's tokenizer: each digit on its own, then GPT-2's byte-level BPE."""
    ids = {token: i for i, token in enumerate(vocabulary["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in vocabulary["merges"]]
    engine = tokenizers.Tokenizer(models.BPE(ids, merges))
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    engine.decoder = decoders.ByteLevel()
    kinds = zip(vocabulary["tokens"], vocabulary["token_type"], strict=True)
    engine.add_special_tokens([token for token, kind in kinds if kind == gguf.TokenType.CONTROL])
    return BPETokenizer(engine)
