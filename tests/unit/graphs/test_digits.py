"""Readers of digits as graphs: what the networks themselves give."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlcompare.graphs import digit_reader
from dlcompare.models import CNN, MLP, CNNConfig, MLPConfig, RecurrentConfig, RowReader, ViT, ViTConfig

MAKERS = {
    "mlp": lambda: MLP(MLPConfig((784, 6, 10))),
    "cnn": lambda: CNN(CNNConfig(channels=(2, 3), hidden=5, dropout=0.5)),
    "lstm": lambda: RowReader(RecurrentConfig("lstm", 28, 6, 10)),
    "vit": lambda: ViT(ViTConfig(28, 14, 1, 1, 2, 8, 10, 0.5)),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_it_gives_the_networks_logits_and_their_softmax(kind: str) -> None:
    model = MAKERS[kind]().eval()
    graph = digit_reader(kind, model)
    assert graph.name == f"digits-{kind}"
    inputs = graph.draw(torch.Generator().manual_seed(1))
    outputs = graph(**inputs)
    with torch.no_grad():
        expected = model(inputs["image"].view(1, 1, 28, 28))[0]
    torch.testing.assert_close(outputs["logits"], expected)
    torch.testing.assert_close(outputs["probabilities"], expected.softmax(-1))
    assert not outputs["logits"].requires_grad


def test_a_network_that_drops_values_at_random_is_refused() -> None:
    with pytest.raises(ValueError, match="model is in training mode"):
        digit_reader("mlp", nn.Dropout())
