import json

import pytest
import torch
from safetensors.torch import save_file

from dlcompare import checkpoints
from dlcompare.checkpoints import CheckpointError
from dlcompare.models import CNN, GPT, MLP, CNNConfig, GPTConfig, MLPConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.tokenization import CharTokenizer

DETAILS = {"recipe": {"name": "tiny"}, "metrics": {"loss": 1.5}}


def tiny_gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=8))


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (tiny_gpt, torch.tensor([[0, 1, 2]])),
        (lambda: RecurrentLM(RecurrentLMConfig("gru", 4, 6)), torch.tensor([[0, 1, 2]])),
        (lambda: MLP(MLPConfig((3, 4, 2))), torch.randn(2, 3)),
        (lambda: CNN(CNNConfig(image_size=8, channels=(2,), hidden=3)), torch.randn(2, 1, 8, 8)),
    ],
)
def test_what_is_loaded_is_what_was_saved(tmp_path, make, inputs):
    model = checkpoints.rounded(make()).eval()
    checkpoints.save("tiny", model, DETAILS, folder=tmp_path)
    loaded = checkpoints.load("tiny", tmp_path)
    assert torch.equal(loaded.model(inputs), model(inputs))
    assert not loaded.model.training
    assert loaded.tokenizer is None
    assert loaded.card["parameters"] == sum(p.numel() for p in model.parameters())
    assert loaded.card["metrics"] == {"loss": 1.5}


def test_the_tokenizer_travels_along(tmp_path):
    checkpoints.save("tiny", tiny_gpt(), DETAILS, CharTokenizer("abcd"), folder=tmp_path)
    tokenizer = checkpoints.load("tiny", tmp_path).tokenizer
    assert tokenizer is not None
    assert tokenizer.encode("dab") == [3, 0, 1]


def test_names_and_cards(tmp_path):
    assert checkpoints.names(tmp_path) == []
    checkpoints.save("b", tiny_gpt(), DETAILS, folder=tmp_path)
    checkpoints.save("a", tiny_gpt(), DETAILS, folder=tmp_path)
    assert checkpoints.names(tmp_path) == ["a", "b"]
    assert checkpoints.card("a", tmp_path)["recipe"] == {"name": "tiny"}


def test_saving_leaves_no_temporary_file(tmp_path):
    place = checkpoints.save("tiny", tiny_gpt(), DETAILS, CharTokenizer("abcd"), folder=tmp_path)
    assert sorted(p.name for p in place.iterdir()) == ["card.json", "model.safetensors", "tokenizer.json"]


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    checkpoints.save("tiny", tiny_gpt(), DETAILS, folder=tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save("tiny", tiny_gpt(), {**DETAILS, "metrics": {"loss": 0.1}}, folder=tmp_path)
    assert checkpoints.load("tiny", tmp_path).card["metrics"] == {"loss": 1.5}
    assert len(list((tmp_path / "tiny").iterdir())) == 2


def test_mistakes_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint is named 'tiny'; there are: none"):
        checkpoints.load("tiny", tmp_path)
    place = checkpoints.save("tiny", tiny_gpt(), DETAILS, folder=tmp_path)
    weights = (place / "model.safetensors").read_bytes()

    (place / "model.safetensors").write_bytes(weights[:-20])  # cut off
    with pytest.raises(CheckpointError, match=r"have SHA-256 .* its card says .* `dlcompare train tiny`"):
        checkpoints.load("tiny", tmp_path)

    (place / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model.safetensors"):
        checkpoints.load("tiny", tmp_path)


def rewrite_card(place, **changes) -> None:
    import hashlib

    card = json.loads((place / "card.json").read_text())
    card["sha256"] = hashlib.sha256((place / "model.safetensors").read_bytes()).hexdigest()
    (place / "card.json").write_text(json.dumps({**card, **changes}))


def test_foreign_weights_are_refused(tmp_path):
    place = checkpoints.save("tiny", tiny_gpt(), DETAILS, folder=tmp_path)
    save_file({"weight": torch.zeros(2)}, place / "model.safetensors")
    rewrite_card(place)
    with pytest.raises(CheckpointError, match=r"differ in the tensors .*weight"):
        checkpoints.load("tiny", tmp_path)
    (place / "model.safetensors").write_bytes(b"no safetensors at all")
    rewrite_card(place)
    with pytest.raises(CheckpointError, match="do not fit its model"):
        checkpoints.load("tiny", tmp_path)
    rewrite_card(place, model="Perceiver")
    with pytest.raises(CheckpointError, match="is of model 'Perceiver'; known are MLP"):
        checkpoints.load("tiny", tmp_path)
    model = torch.nn.Linear(1, 1)
    model.config = None
    with pytest.raises(ValueError, match="model is a Linear; allowed are MLP"):
        checkpoints.save("linear", model, DETAILS, folder=tmp_path)
