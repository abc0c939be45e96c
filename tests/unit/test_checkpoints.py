import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from dlcompare import checkpoints
from dlcompare.checkpoints import CheckpointError
from dlcompare.models import (
    BERT,
    CNN,
    GPT,
    MLP,
    BERTConfig,
    CNNConfig,
    GPTConfig,
    Llama,
    LlamaConfig,
    MLPConfig,
    RecurrentConfig,
    RecurrentLM,
    RecurrentLMConfig,
    RowReader,
    ViT,
    ViTConfig,
)
from dlcompare.models.classifier import BERTClassifier, GPTClassifier
from dlcompare.tokenization import CharTokenizer
from dlcompare.training import add_lora

DETAILS = {"recipe": {"name": "tiny"}, "metrics": {"loss": 1.5}}


def tiny_gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=8))


def tiny_bert() -> BERT:
    torch.manual_seed(0)
    return BERT(BERTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=8))


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (tiny_gpt, torch.tensor([[0, 1, 2]])),
        (tiny_bert, torch.tensor([[0, 1, 2]])),
        (lambda: GPTClassifier.from_language_model(tiny_gpt(), 3), torch.tensor([[0, 1, 2]])),
        (lambda: BERTClassifier.from_encoder(tiny_bert(), 3), torch.tensor([[0, 1, 2]])),
        (lambda: Llama(LlamaConfig(4, 6, 1, 2, 1, 8, 12)), torch.tensor([[0, 1, 2]])),
        (lambda: ViT(ViTConfig(8, 4, 1, 1, 1, 8, 3)), torch.randn(2, 1, 8, 8)),
        (lambda: RecurrentLM(RecurrentLMConfig("gru", 4, 6)), torch.tensor([[0, 1, 2]])),
        (lambda: RowReader(RecurrentConfig("lstm", 8, 4, 3)), torch.randn(2, 1, 8, 8)),
        (lambda: MLP(MLPConfig((3, 4, 2))), torch.randn(2, 3)),
        (lambda: CNN(CNNConfig(image_size=8, channels=(2,), hidden=3)), torch.randn(2, 1, 8, 8)),
    ],
)
def test_what_is_loaded_is_what_was_saved(tmp_path, make, inputs):
    model = checkpoints.rounded(make()).eval()
    checkpoints.save("tiny", model, DETAILS, folder=tmp_path)
    loaded = checkpoints.load("tiny", tmp_path)
    torch.testing.assert_close(loaded.model(inputs), model(inputs), atol=0, rtol=0)
    assert type(loaded.model) is type(model)
    assert loaded.model.config == model.config
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
    with pytest.raises(CheckpointError, match=r"'tiny' could not be written to .*tiny: .*No space left"):
        checkpoints.save("tiny", tiny_gpt(), {**DETAILS, "metrics": {"loss": 0.1}}, folder=tmp_path)
    assert checkpoints.load("tiny", tmp_path).card["metrics"] == {"loss": 1.5}
    assert len(list((tmp_path / "tiny").iterdir())) == 2


#: A process in which no file may become larger than 1000 bytes: the card fits, the weights do not.
LIMITED = """
import resource, sys
from pathlib import Path
from dlcompare import checkpoints
from dlcompare.models import GPT, GPTConfig
model = GPT(GPTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=8))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    checkpoints.save("tiny", model, {"metrics": {"loss": 0.1}}, folder=Path(sys.argv[1]))
except checkpoints.CheckpointError as error:
    print(error)
"""


def test_a_write_that_the_system_refuses_half_way_loses_nothing(tmp_path):
    checkpoints.save("tiny", tiny_gpt(), DETAILS, folder=tmp_path)
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "checkpoint 'tiny' could not be written to" in done.stdout
    assert "File too large" in done.stdout
    assert checkpoints.load("tiny", tmp_path).card["metrics"] == {"loss": 1.5}
    assert len(list((tmp_path / "tiny").iterdir())) == 2


def test_another_model_than_was_asked_for_is_named(tmp_path):
    checkpoints.save("tiny", tiny_gpt(), DETAILS, folder=tmp_path)
    assert isinstance(checkpoints.load("tiny", tmp_path, expected=GPT).model, GPT)
    with pytest.raises(CheckpointError, match="checkpoint 'tiny' is a GPT; asked for was a BERT"):
        checkpoints.load("tiny", tmp_path, expected=BERT)


def save_adapter(folder):
    """Write a GPT, and a classifier and a GPT that adapt it; return the two models."""
    base = checkpoints.rounded(tiny_gpt())
    checkpoints.save("base", base, DETAILS, folder=folder)
    sources = {"sources_sha256": {"data x": "0", "checkpoint base": checkpoints.card("base", folder)["sha256"]}}
    classifier = GPTClassifier.from_language_model(base, 3)
    add_lora(classifier.base, 2, 4, ["query_key_value", "mlp.0"])
    model = add_lora(base, 2, 4, ["project"])
    for name, adapted in (("classifier", classifier), ("writer", model)):
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.requires_grad:
                    parameter.normal_()
        checkpoints.rounded(adapted)
        checkpoints.save(name, adapted, {**DETAILS, **sources}, folder=folder)
    return classifier.eval(), model.eval()


def test_an_adapter_is_kept_alone_and_put_on_its_base(tmp_path):
    ids = torch.tensor([[0, 1, 2]])
    for name, model in zip(("classifier", "writer"), save_adapter(tmp_path), strict=True):
        loaded = checkpoints.load(name, tmp_path)
        assert torch.equal(loaded.model(ids), model(ids))
        assert loaded.card["lora"]["base"] == "base"
        assert loaded.card["lora"]["rank"] == 2
        trained = [p for p in model.parameters() if p.requires_grad]
        assert [p.requires_grad for p in loaded.model.parameters()] == [p.requires_grad for p in model.parameters()]
        assert loaded.card["bytes"] < 2 * sum(p.numel() for p in trained) + 1000


def test_an_adapter_of_a_committed_checkpoint_may_lie_elsewhere(tmp_path, monkeypatch):
    save_adapter(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "writer").rename(tmp_path / "elsewhere" / "writer")
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    assert isinstance(checkpoints.load("writer", tmp_path / "elsewhere").model, GPT)


def test_an_adapter_without_its_base_names_both(tmp_path, monkeypatch):
    save_adapter(tmp_path)
    torch.manual_seed(1)
    other = GPT(GPTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=8))
    checkpoints.save("base", other, DETAILS, folder=tmp_path)
    with pytest.raises(
        CheckpointError, match=r"'writer' adapts checkpoint 'base' with SHA-256 .* but 'base' has SHA-256"
    ):
        checkpoints.load("writer", tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    for file in (tmp_path / "base").iterdir():
        file.unlink()
    with pytest.raises(CheckpointError, match="'writer' adapts checkpoint 'base', which is missing; there are: class"):
        checkpoints.load("writer", tmp_path)


def test_an_adapter_of_another_size_is_refused(tmp_path):
    save_adapter(tmp_path)
    other = GPT(GPTConfig(vocab_size=4, block_size=6, n_layer=1, n_head=1, d_model=4))
    checkpoints.save("base", other, DETAILS, folder=tmp_path)
    card = json.loads((tmp_path / "writer" / "card.json").read_text())
    card["sources_sha256"]["checkpoint base"] = checkpoints.card("base", tmp_path)["sha256"]
    (tmp_path / "writer" / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="weights of checkpoint 'base' do not fit 'writer'"):
        checkpoints.load("writer", tmp_path)


def test_an_adapter_needs_to_know_its_base(tmp_path):
    model = add_lora(tiny_gpt(), 2, 4, ["project"])
    with pytest.raises(ValueError, match=r"sources_sha256 in details names the checkpoints \[\]"):
        checkpoints.save("writer", model, DETAILS, folder=tmp_path)


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
