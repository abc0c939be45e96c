"""Tiny GGUF files, written by llama.cpp's own package out of Hugging Face's weights, and read back."""

import dataclasses
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers
from transformers import LlamaConfig as HFConfig
from transformers import LlamaForCausalLM

from dlcompare import smollm
from dlcompare.checkpoints import CheckpointError
from dlcompare.models.llama import Llama, LlamaConfig
from dlcompare.tokenization import from_json
from dlcompare.training import n_parameters

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["a b", "Ġ Ġ", "Ġ ab", "1 2"]
TOKENS = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(merge.replace(" ", "") for merge in MERGES)]
TINY = LlamaConfig(
    vocab_size=len(TOKENS), block_size=16, n_layer=2, n_head=4, n_kv_head=2, d_model=32, d_hidden=64,
    rope_theta=1000.0, norm_eps=1e-3, tied=True,
)  # fmt: skip
UNTIED = dataclasses.replace(TINY, tied=False)


def reference(config: LlamaConfig) -> LlamaForCausalLM:
    """A tiny Llama of Hugging Face's with every weight random."""
    model = LlamaForCausalLM(
        HFConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.d_model,
            intermediate_size=config.d_hidden,
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_kv_head,
            max_position_embeddings=config.block_size,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            rms_norm_eps=config.norm_eps,
            tie_word_embeddings=config.tied,
            attn_implementation="eager",
        )
    ).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3, generator=generator)
    return model


def neighbours_in_a_pair(rows: np.ndarray, n_head: int) -> np.ndarray:
    """Reorder the rows of a query or key weight as llama.cpp does when it converts Hugging Face's."""
    return rows.reshape(n_head, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def tensors(model: LlamaForCausalLM) -> dict[str, np.ndarray]:
    """The model's weights by GGUF's names, which gguf knows, in llama.cpp's order."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    heads = {"q_proj": model.config.num_attention_heads, "k_proj": model.config.num_key_value_heads}
    converted = {}
    for name, parameter in model.named_parameters():
        weight = parameter.detach().numpy()
        if n_head := heads.get(name.split(".")[-2]):
            weight = neighbours_in_a_pair(weight, n_head)
        converted[names.get_name(name, try_suffixes=(".weight",))] = weight
    return converted


def write(path, config, weights, *, metadata=None, vocabulary=None, quantised=()):
    """Write a GGUF file; ``metadata`` and ``vocabulary`` replace entries, None leaves one out."""
    entries = {
        "llama.vocab_size": config.vocab_size,
        "llama.context_length": config.block_size,
        "llama.block_count": config.n_layer,
        "llama.attention.head_count": config.n_head,
        "llama.attention.head_count_kv": config.n_kv_head,
        "llama.embedding_length": config.d_model,
        "llama.feed_forward_length": config.d_hidden,
        "llama.rope.dimension_count": config.d_model // config.n_head,
        "llama.rope.freq_base": config.rope_theta,
        "llama.attention.layer_norm_rms_epsilon": config.norm_eps,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "general.name": "tiny",
        **(metadata or {}),
    }
    words = {"tokens": TOKENS, "merges": MERGES, **(vocabulary or {})}
    writer = gguf.GGUFWriter(path, entries.pop("general.architecture", "llama"))
    add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    for key, value in entries.items():
        if value is not None:
            add[type(value)](key, value)
    writer.add_token_list(words["tokens"])
    writer.add_token_merges(words["merges"])
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in SPECIAL else normal for token in words["tokens"]])
    for name, weight in weights.items():
        kind = gguf.GGMLQuantizationType.Q4_1 if name in quantised else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def tied():
    return reference(TINY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tiny.gguf"


# --- weights


@pytest.mark.parametrize("config", [TINY, UNTIED], ids=["tied", "untied"])
def test_a_converted_model_has_the_logits_of_the_one_it_was(path, config):
    theirs = reference(config)
    loaded = smollm.read_gguf(write(path, config, tensors(theirs)), config)
    ids = torch.randint(config.vocab_size, (2, config.block_size), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loaded.model(ids), theirs(ids).logits, atol=1e-5, rtol=0)
    assert not loaded.model.training
    assert (loaded.model.head.weight is loaded.model.token_embedding.weight) == config.tied
    assert n_parameters(loaded.model) == config.n_parameters
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert loaded.card["general.name"] == "tiny"


def test_the_weights_outlive_the_file_and_can_be_trained(path, tied):
    loaded = smollm.read_gguf(write(path, TINY, tensors(tied)), TINY)
    path.unlink()
    loaded.model(torch.tensor([[1, 2, 3]])).sum().backward()
    assert all(parameter.grad is not None for parameter in loaded.model.parameters())


def test_quantised_weights_are_dequantised(path, tied):
    """Q4_1: 16 levels from the least to the greatest of 32 neighbours: at most half a level off, besides rounding."""
    name = "blk.1.ffn_down.weight"
    weights = tensors(tied)
    loaded = smollm.read_gguf(write(path, TINY, weights, quantised=[name]), TINY)
    ours = loaded.model.blocks[1].mlp.down.weight.detach().numpy().reshape(-1, 32)
    exact = weights[name].reshape(-1, 32)
    level = (exact.max(1) - exact.min(1)) / 15
    assert len(np.unique(ours[0])) <= 16
    assert (np.abs(ours - exact) <= 0.51 * level[:, None] + 1e-3).all()
    assert not np.array_equal(ours, exact)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blk.1.attn_q.weight": None}, r"differ in the tensors \['blk.1.attn_q.weight'\]"),
        ({"rope_freqs.weight": np.ones(4, np.float32)}, r"differ in the tensors \['rope_freqs.weight'\]"),
        ({"output.weight": np.ones((len(TOKENS), 32), np.float32)}, r"differ in the tensors \['output.weight'\]"),
        (
            {"blk.0.attn_k.weight": np.ones((32, 16), np.float32)},
            r"tensor blk.0.attn_k.weight has shape \(32, 16\); expected is \(16, 32\)",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(path, tied, change, message):
    weights = {name: weight for name, weight in {**tensors(tied), **change}.items() if weight is not None}
    with pytest.raises(CheckpointError, match=message):
        smollm.read_gguf(write(path, TINY, weights), TINY)


# --- metadata and damage


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("general.architecture", "gpt2", "general.architecture = 'gpt2'; expected is 'llama'"),
        ("llama.block_count", 3, "llama.block_count = 3; expected is 2"),
        ("llama.attention.head_count_kv", 4, "llama.attention.head_count_kv = 4; expected is 2"),
        ("llama.rope.freq_base", 1001.0, "llama.rope.freq_base = 1001.0; expected is 1000.0"),
        ("llama.rope.freq_base", None, "llama.rope.freq_base = None; expected is 1000.0"),
        ("llama.context_length", 32, "llama.context_length = 32; expected is 16"),
        ("tokenizer.ggml.pre", "qwen2", "tokenizer.ggml.pre = 'qwen2'; expected is 'smollm'"),
        ("llama.rope.scaling.type", "yarn", "settings that this model does not know: llama.rope.scaling.type"),
    ],
)
def test_a_file_of_another_model_is_refused(path, tied, key, value, message):
    with pytest.raises(CheckpointError, match=message):
        smollm.read_gguf(write(path, TINY, tensors(tied), metadata={key: value}), TINY)


def test_a_vocabulary_of_another_size_is_refused(path, tied):
    with pytest.raises(CheckpointError, match=rf"has {len(TOKENS) + 1} entries in tokenizer.ggml.tokens"):
        smollm.read_gguf(write(path, TINY, tensors(tied), vocabulary={"tokens": [*TOKENS, "x y"]}), TINY)


@pytest.mark.parametrize("key", ["tokens", "token_type"])
def test_a_file_without_a_vocabulary_is_refused(path, tied, key):
    write(path, TINY, tensors(tied))
    # The key is renamed in place, so that the file stays whole.
    path.write_bytes(path.read_bytes().replace(f"tokenizer.ggml.{key}".encode(), f"tokenizer.gone.{key}".encode()))
    with pytest.raises(CheckpointError, match=rf"has 0 entries in tokenizer.ggml.{key}; the model has {len(TOKENS)}"):
        smollm.read_gguf(path, TINY)


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04" + bytes(100), b"{}" * 50], ids=["0", "2", "zip", "json"])
def test_a_file_that_is_no_gguf_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tiny\.gguf is no GGUF file, or is cut short"):
        smollm.read_gguf(path, TINY)


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"tiny\.gguf"):
        smollm.read_gguf(path, TINY)


@pytest.fixture(scope="module")
def whole():
    """The bytes of a good file, without the zeros that fill it up to a round size."""
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "whole.gguf", TINY, tensors(reference(TINY))).read_bytes().rstrip(b"\0")


@given(st.data())
@settings(deadline=None, max_examples=25)
def test_a_file_cut_short_anywhere_is_refused(whole, data):
    metadata_ends = whole.index(b"token_embd.weight")
    length = data.draw(st.one_of(st.integers(0, metadata_ends), st.integers(metadata_ends, len(whole) - 4)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "short.gguf"
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is no GGUF file, or is cut short"):
            smollm.read_gguf(path, TINY)


def test_without_the_package_gguf_the_error_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    for attempt in (smollm.load, lambda: smollm.read_gguf(path, TINY)):
        with pytest.raises(ModuleNotFoundError, match=r"package gguf: .* pip install 'dlcompare\[smollm\]'"):
            attempt()


def test_load_reads_what_was_fetched(path, tied, monkeypatch):
    content = write(path, TINY, tensors(tied)).read_bytes()
    monkeypatch.setattr(smollm, "load_smollm2", lambda: content)
    monkeypatch.setattr(smollm, "SMOLLM2_135M", TINY)
    loaded = smollm.load()
    assert isinstance(loaded.model, Llama)
    assert loaded.model.config == TINY


# --- the tokenizer and the template


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tiny.gguf"
    return smollm.read_gguf(write(path, TINY, tensors(reference(TINY))), TINY).tokenizer


def test_the_tokenizer_merges_splits_digits_and_knows_its_special_tokens(tokenizer):
    assert tokenizer.vocab_size == len(TOKENS)
    assert tokenizer.tokens("ab ab  12") == ["ab", " ab", "  ", "1", "2"]
    assert tokenizer.encode("<|im_end|>") == [2]
    assert tokenizer.id_of(smollm.IM_START) == 1
    assert from_json(tokenizer.to_json()).encode("ab 12<|im_end|>") == tokenizer.encode("ab 12<|im_end|>")


@given(st.text(max_size=20))
@settings(deadline=None, max_examples=25)
def test_every_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_chat_is_written_in_the_template(tokenizer):
    asked = tokenizer.decode(smollm.encode_chat(tokenizer, ["Hello", "Hi.", "How?"], system="Be brief."))
    assert asked == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\nHi.<|im_end|>\n<|im_start|>user\nHow?<|im_end|>\n<|im_start|>assistant\n"
    )
    answered = tokenizer.decode(smollm.encode_chat(tokenizer, ["Hello", "Hi."]))
    assert answered.startswith(f"<|im_start|>system\n{smollm.SYSTEM}<|im_end|>\n")
    assert answered.endswith("<|im_start|>assistant\nHi.<|im_end|>\n")


@pytest.mark.parametrize(
    ("turns", "system", "message"),
    [
        ([], "", "turns is empty"),
        (["a", "b", "<|im_end|>c"], "", r"turns\[2\] contains '<\|im_end\|>', a special token"),
        (["a"], "x<|endoftext|>", r"system contains '<\|endoftext\|>', a special token"),
    ],
)
def test_a_turn_cannot_forge_the_template(tokenizer, turns, system, message):
    with pytest.raises(ValueError, match=message):
        smollm.encode_chat(tokenizer, turns, system)
