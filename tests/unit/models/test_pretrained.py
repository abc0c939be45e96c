"""Reading and writing the layout of the released GPT-1 and GPT-2, with files that transformers writes and reads."""

from __future__ import annotations

import json
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, OpenAIGPTConfig, OpenAIGPTLMHeadModel

from dlcompare.models.gpt import GPT, GPTConfig
from dlcompare.models.pretrained import PretrainedError

SIZES = {"vocab_size": 17, "n_positions": 6, "n_layer": 2, "n_head": 2, "n_embd": 8}
NO_TOKENS = {"bos_token_id": None, "eos_token_id": None}
IDS = torch.tensor([[3, 1, 4, 1, 5, 9]])


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def reference(kind: str = "gpt2") -> torch.nn.Module:
    if kind == "gpt2":
        return randomised(GPT2LMHeadModel(GPT2Config(**SIZES, **NO_TOKENS)))
    return randomised(OpenAIGPTLMHeadModel(OpenAIGPTConfig(**SIZES, **NO_TOKENS)))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a folder with a tiny GPT-2 that transformers has written."""
    reference().save_pretrained(tmp_path)
    return tmp_path


def edit(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("kind", ["gpt2", "openai-gpt"])
def test_what_transformers_writes_is_read(tmp_path, kind):
    theirs = reference(kind)
    theirs.save_pretrained(tmp_path)
    ours = GPT.from_pretrained(tmp_path)
    assert not ours.training
    assert ours.config.post_norm == (kind == "openai-gpt")
    assert ours.head.weight is ours.token_embedding.weight
    torch.testing.assert_close(ours(IDS), theirs(IDS).logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("post_norm", [False, True])
def test_what_is_written_is_read_by_transformers_and_by_us(tmp_path, post_norm):
    config = GPTConfig(vocab_size=17, block_size=6, n_layer=2, n_head=2, d_model=8, dropout=0.25, post_norm=post_norm)
    model = randomised(GPT(config))
    assert model.save_pretrained(tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    theirs, report = AutoModelForCausalLM.from_pretrained(tmp_path / "new" / "folder", output_loading_info=True)
    assert not report["missing_keys"] | report["unexpected_keys"] | report["mismatched_keys"]
    torch.testing.assert_close(theirs.eval()(IDS).logits, model(IDS), rtol=0, atol=1e-5)
    again = GPT.from_pretrained(tmp_path / "new" / "folder")
    assert again.config == config
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, again.get_parameter(name)), name


def test_released_files_without_prefix_and_with_masks_and_half_precision_are_read(written):
    """OpenAI's files on the hub have no prefix "transformer." and carry each attention's mask."""
    weights = written / "model.safetensors"
    tensors = {name.removeprefix("transformer."): t.half() for name, t in load_file(weights).items()}
    tensors |= {f"h.{i}.attn.bias": torch.ones(1, 1, 6, 6).tril() for i in range(2)}
    save_file(tensors, weights)
    model = GPT.from_pretrained(str(written))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    torch.testing.assert_close(model(IDS), reference().half().float()(IDS).logits, rtol=0, atol=1e-5)


def test_weights_in_several_files_are_read(tmp_path):
    reference().save_pretrained(tmp_path, max_shard_size="2KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    torch.testing.assert_close(GPT.from_pretrained(tmp_path)(IDS), reference()(IDS).logits, rtol=0, atol=1e-5)
    next(tmp_path.glob("model-00002*")).unlink()
    with pytest.raises(PretrainedError, match=r"has no model-00002-of"):
        GPT.from_pretrained(tmp_path)


def test_it_learns_with_its_two_ends_tied(written):
    model = GPT.from_pretrained(written)
    torch.optim.SGD(model.parameters(), lr=0.1).zero_grad()
    model(IDS).logsumexp(-1).sum().backward()
    assert model.head.weight.grad is model.token_embedding.weight.grad
    assert model.head.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'; allowed are 'openai-gpt', 'gpt2'"),
        ({"activation_function": "relu"}, "activation_function is 'relu'; GPT computes only 'gelu_new'"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon is 1e-06; GPT computes only 1e-05"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False; GPT computes only True"),
        ({"n_inner": 20}, "n_inner is 20; GPT computes only 4 · n_embd"),
        ({"n_head": 3}, "n_head is 3, which does not divide d_model = 8"),
        ({"n_layer": 1}, r"missing none; unknown h\.1\.attn\.c_attn\.bias, .* and 8 more"),
        ({"n_layer": 3}, r"missing h\.2\.attn\.c_attn\.bias, .* and 8 more; unknown none"),
        ({"vocab_size": 18}, r"wte\.weight has shape \(17, 8\); allowed is \(18, 8\)"),
        ({"n_embd": 16}, r"has shape \(17, 8\); allowed is \(17, 16\)"),
    ],
)
def test_a_model_that_gpt_does_not_compute_is_refused(written, changes, message):
    edit(written, **changes)
    with pytest.raises(PretrainedError, match=message):
        GPT.from_pretrained(written)


def test_damaged_and_missing_files_are_named(written):
    weights = written / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PretrainedError, match=r"model\.safetensors is damaged or no safetensors file"):
        GPT.from_pretrained(written)
    weights.unlink()
    with pytest.raises(PretrainedError, match=r"has no model\.safetensors$"):
        GPT.from_pretrained(written)
    (written / "pytorch_model.bin").touch()
    with pytest.raises(
        PretrainedError, match=r"has no model\.safetensors \(a pickled pytorch_model\.bin is not read\)"
    ):
        GPT.from_pretrained(written)
    (written / "config.json").write_text("{")
    with pytest.raises(PretrainedError, match=r"config\.json is not JSON"):
        GPT.from_pretrained(written)
    (written / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(PretrainedError, match="does not say vocab_size"):
        GPT.from_pretrained(written)
    (written / "config.json").unlink()
    with pytest.raises(PretrainedError, match=r"has no config\.json"):
        GPT.from_pretrained(written)


def test_an_output_layer_of_its_own_is_refused(written):
    weights = written / "model.safetensors"
    save_file({**load_file(weights), "lm_head.weight": torch.zeros(17, 8)}, weights)
    with pytest.raises(PretrainedError, match=r"lm_head\.weight is not the token embedding"):
        GPT.from_pretrained(written)


def test_a_name_goes_through_the_hub(written, monkeypatch):
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **how: asked.append((name, how)) or written)
    torch.testing.assert_close(
        GPT.from_pretrained("openai-community/gpt2")(IDS), reference()(IDS).logits, rtol=0, atol=1e-5
    )
    ((name, how),) = asked
    assert name == "openai-community/gpt2"
    assert not [pattern for pattern in how["allow_patterns"] if "bin" in pattern or pattern == "*"]  # nothing pickled


@pytest.mark.parametrize("name", ["openai-community/gpt2", "no/such/folder"])
def test_without_a_network_the_error_says_what_to_do(monkeypatch, tmp_path, name):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    message = (
        rf"path_or_name is '{name}': there is no such folder.*copy the model's config\.json and model\.safetensors"
    )
    with pytest.raises(PretrainedError, match=message):
        GPT.from_pretrained(name)


def test_heads_of_another_width_have_no_place_in_the_layout(tmp_path):
    model = GPT(GPTConfig(vocab_size=5, block_size=4, n_layer=1, n_head=3, d_model=8, d_head=4))
    with pytest.raises(ValueError, match="n_head · d_head is 12; the layout allows only d_model = 8"):
        model.save_pretrained(tmp_path)
