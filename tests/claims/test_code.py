"""Evidence for the claims of the article's chapter 4: its listings, run as printed and mended."""

import re

import pytest
import torch
from torch import nn

from dlcompare.models import GPT, GPTConfig
from dlcompare.models.gpt import GPT2

HEAD = "import torch\nimport torch.nn as nn\nimport torch.optim as optim\n"
CNN = (
    HEAD
    + """
class CNN(nn.Module):
    def __init__(self):
        super(CNN, self).__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(64 * 6 * 6, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 64 * 6 * 6)
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return x
"""
)
RNN = (
    HEAD
    + """
class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.input_size = input_size
        self.output_size = output_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        h0 = torch.zeros(1, x.size(0), self.hidden_size).to(x.device)
        out, _ = self.rnn(x, h0)
        out = self.fc(out[:, -1, :])
        return out
"""
)
GPT2_LISTING = (
    HEAD
    + """
class GPT2(nn.Module):
    def __init__(self, vocab_size, model_dim, num_layers, num_heads, num_attention_heads):
        super(GPT2, self).__init__()
        self.token_embedding = nn.Embedding(vocab_size, model_dim)
        self.position_embedding = nn.Embedding(num_attention_heads, model_dim)
        self.transformer = nn.Transformer(model_dim, num_heads, num_layers)
        self.fc = nn.Linear(model_dim, vocab_size)

    def forward(self, x):
        x = self.token_embedding(x)
        x = x + self.position_embedding(torch.arange(x.size(1)).unsqueeze(0).to(x.device))
        x = self.transformer(x)
        x = self.fc(x)
        return x
"""
)


#: Of nn.Transformer, which the listing calls with time first.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")


def run(listing: str, name: str) -> type[nn.Module]:
    """Execute a listing and return the class that it defines."""
    names: dict[str, object] = {}
    exec(compile(listing, "listing", "exec"), names)
    found = names[name]
    assert isinstance(found, type)
    return found


def test_the_cnn_listing_lacks_an_import():
    model = run(CNN, "CNN")()
    with pytest.raises(NameError, match="name 'F' is not defined"):
        model(torch.zeros(1, 1, 28, 28))


def imported(listing: str) -> str:
    return listing.replace("import torch.optim as optim", "import torch.nn.functional as F")


def test_the_cnn_listing_has_the_wrong_size():
    model = run(imported(CNN), "CNN")()
    for batch in (1, 8, 64):
        with pytest.raises(RuntimeError, match=r"shape '\[-1, 2304\]' is invalid for input of size"):
            model(torch.zeros(batch, 1, 28, 28))
    assert model(torch.zeros(5, 1, 24, 24)).shape == (5, 10)  # the size for which it would be right
    mended = run(imported(CNN).replace("6 * 6", "7 * 7"), "CNN")()
    assert mended(torch.zeros(5, 1, 28, 28)).shape == (5, 10)


def test_the_cnn_listing_mixes_the_images_of_some_batches():
    torch.manual_seed(0)
    model = run(imported(CNN), "CNN")()
    answers = model(torch.rand(36, 1, 28, 28))
    assert answers.shape == (49, 10)  # for 36 images
    assert 36 * 64 * 7 * 7 == 49 * 64 * 6 * 6


def test_the_rnn_listing_runs_as_printed():
    torch.manual_seed(0)
    model = run(RNN, "RNN")(3, 8, 2)
    x = torch.randn(4, 5, 3)
    assert model(x).shape == (4, 2)
    torch.testing.assert_close(model(x), model.fc(model.rnn(x)[0][:, -1]))  # zeros are the default state


def test_the_gpt_listing_has_a_position_for_each_head():
    model = run(GPT2_LISTING, "GPT2")(50, 16, 1, 2, 4)
    assert model.position_embedding.num_embeddings == 4
    with pytest.raises(IndexError, match="index out of range"):
        model(torch.zeros(1, 5, dtype=torch.int64))


def test_the_gpt_listing_calls_a_transformer_with_half_its_inputs():
    model = run(GPT2_LISTING, "GPT2")(50, 16, 1, 2, 4)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'tgt'"):
        model(torch.zeros(1, 4, dtype=torch.int64))
    assert isinstance(model.transformer.encoder, nn.TransformerEncoder)
    assert len(model.transformer.decoder.layers) == 6  # num_layers went to the encoder alone


def encoder(**options: bool) -> nn.TransformerEncoder:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=options.get("batch_first", False))
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval()


def test_without_a_mask_a_position_sees_what_it_is_to_predict():
    layers, x = encoder(batch_first=True), torch.randn(1, 6, 16)
    changed = x.clone()
    changed[:, 4:] += 1
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    with torch.no_grad():
        assert not torch.allclose(layers(x)[:, :4], layers(changed)[:, :4])
        torch.testing.assert_close(layers(x, mask)[:, :4], layers(changed, mask)[:, :4])
    gpt = GPT(GPTConfig(9, 8, 1, 2, 8)).eval()
    with torch.no_grad():
        assert torch.equal(gpt(torch.tensor([[1, 2, 3]]))[:, :2], gpt(torch.tensor([[1, 2, 4]]))[:, :2])


def test_by_default_time_comes_before_the_batch():
    layers, x = encoder(), torch.randn(3, 6, 16)  # meant as three texts of six tokens
    changed = x.clone()
    changed[2] += 1  # the third text alone
    with torch.no_grad():
        assert not torch.allclose(layers(x)[0], layers(changed)[0])  # and the first one's numbers change


def test_gpt2_differs_from_torchs_default_layers():
    layer = nn.TransformerEncoderLayer(16, 2)
    assert layer.norm_first is False
    assert layer.activation is nn.functional.relu
    gpt = GPT(GPTConfig(9, 8, 1, 2, 8))
    names = [name for name, _ in gpt.blocks[0].named_children()]
    assert names.index("norm1") < names.index("attention") < names.index("norm2") < names.index("mlp")
    assert any("GELU" in type(module).__name__ for module in gpt.modules())
    assert gpt.head.weight is gpt.token_embedding.weight
    assert not re.search(r"\.weight = ", GPT2_LISTING)
    assert GPT2["gpt2"].vocab_size == 50_257
