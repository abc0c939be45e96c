"""The Vision Transformer against Hugging Face's ``ViTForImageClassification``; no download.

In float32 (1e-5): Hugging Face computes ViT's softmax in float32 whatever the model's type is.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import ViTConfig as ReferenceConfig
from transformers import ViTForImageClassification

from dlcompare.models.vit import VIT_BASE_16, VIT_DIGITS, VIT_HUGE_14, VIT_LARGE_16, ViT, ViTConfig
from dlcompare.recording import record
from dlcompare.training import n_parameters

TINY = ViTConfig(image_size=12, patch_size=4, in_channels=3, n_layer=2, n_head=2, d_model=8, classes=5)

#: Our names and Hugging Face's outside the blocks.
NAMES = {
    "class_token": "vit.embeddings.cls_token",
    "positions": "vit.embeddings.position_embeddings",
    "patch_embedding.weight": "vit.embeddings.patch_embeddings.projection.weight",
    "patch_embedding.bias": "vit.embeddings.patch_embeddings.projection.bias",
    "norm.weight": "vit.layernorm.weight",
    "norm.bias": "vit.layernorm.bias",
    "classifier.weight": "classifier.weight",
    "classifier.bias": "classifier.bias",
}
#: Our names and Hugging Face's inside a block.
BLOCK_NAMES = {
    "norm1": "layernorm_before",
    "attention.project": "attention.o_proj",
    "norm2": "layernorm_after",
    "mlp.0": "mlp.fc1",
    "mlp.3": "mlp.fc2",
}


def as_ours(theirs: dict[str, torch.Tensor], n_layer: int) -> dict[str, torch.Tensor]:
    """Rename Hugging Face's parameters, or their gradients; every tensor is used exactly once."""
    theirs = dict(theirs)
    ours = {name: theirs.pop(other) for name, other in NAMES.items()}
    for i in range(n_layer):
        block, layer = f"blocks.{i}", f"vit.layers.{i}"
        for kind in ("weight", "bias"):
            parts = [theirs.pop(f"{layer}.attention.{part}_proj.{kind}") for part in "qkv"]
            ours[f"{block}.attention.query_key_value.{kind}"] = torch.cat(parts)
            for name, other in BLOCK_NAMES.items():
                ours[f"{block}.{name}.{kind}"] = theirs.pop(f"{layer}.{other}.{kind}")
    assert not theirs, f"left over: {', '.join(theirs)}"
    return ours


def test_equals_hugging_faces_vit():
    reference = ViTForImageClassification(
        ReferenceConfig(
            image_size=TINY.image_size,
            patch_size=TINY.patch_size,
            num_channels=TINY.in_channels,
            num_hidden_layers=TINY.n_layer,
            num_attention_heads=TINY.n_head,
            hidden_size=TINY.d_model,
            intermediate_size=4 * TINY.d_model,
            num_labels=TINY.classes,
            layer_norm_eps=1e-6,
            attn_implementation="eager",
        )
    ).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.normal_(std=0.3)
    model = ViT(TINY).eval()
    model.load_state_dict(as_ours(dict(reference.named_parameters()), TINY.n_layer))

    x, labels = torch.randn(3, 3, 12, 12), torch.tensor([0, 4, 2])
    expected = reference(pixel_values=x, output_attentions=True)
    with record(model, "blocks.*.attention.softmax") as seen:
        logits = model(x)
    torch.testing.assert_close(logits, expected.logits, atol=1e-5, rtol=0)

    assert len(expected.attentions) == len(seen) == TINY.n_layer
    for attention in expected.attentions:
        attention.retain_grad()
    F.cross_entropy(logits, labels).backward()
    F.cross_entropy(expected.logits, labels).backward()
    for i, attention in enumerate(expected.attentions):
        name = f"blocks.{i}.attention.softmax"
        assert seen[name].shape == (3, 2, 10, 10)  # 9 patches and the class token
        torch.testing.assert_close(seen[name], attention, atol=1e-5, rtol=0)
        torch.testing.assert_close(seen.gradient(name), attention.grad, atol=1e-5, rtol=0)
    gradients = as_ours({name: p.grad for name, p in reference.named_parameters()}, TINY.n_layer)
    assert set(gradients) == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-5, rtol=0)


def test_norms_add_a_millionth_as_the_authors_code_does():
    """Too little to show in float32, so it is looked at directly."""
    assert {module.eps for module in ViT(TINY).modules() if isinstance(module, torch.nn.LayerNorm)} == {1e-6}


def test_patches_are_read_row_by_row_each_by_the_same_linear_map():
    torch.manual_seed(1)
    model = ViT(TINY).double().eval()
    x = torch.randn(1, 3, 12, 12, dtype=torch.float64)
    with record(model, "blocks.0.norm1", "patch_embedding") as seen:
        model(x)
    patches = seen["patch_embedding"].flatten(2).transpose(1, 2)  # (1, 9, 8)
    kernel = model.patch_embedding.weight.flatten(1)  # (8, 48)
    for i in range(9):
        row, column = 4 * (i // 3), 4 * (i % 3)
        pixels = x[0, :, row : row + 4, column : column + 4].flatten()
        assert torch.allclose(patches[0, i], kernel @ pixels + model.patch_embedding.bias, atol=1e-12)
    assert seen["blocks.0.norm1"].shape == (1, 10, 8)


def test_without_positions_the_order_of_patches_is_lost():
    torch.manual_seed(2)
    model = ViT(TINY).double().eval()
    x = torch.randn(1, 3, 12, 12, dtype=torch.float64)
    swapped = x.clone()
    swapped[..., :4, :4], swapped[..., 8:, 4:8] = x[..., 8:, 4:8], x[..., :4, :4]
    assert not torch.allclose(model(x), model(swapped), atol=1e-9)
    with torch.no_grad():
        model.positions.zero_()
    assert torch.allclose(model(x), model(swapped), atol=1e-12)


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (VIT_BASE_16, 86_567_656),
        (VIT_LARGE_16, 304_326_632),
        (replace(VIT_LARGE_16, patch_size=32), 306_535_400),  # the 307M of the paper's table 1
        (VIT_HUGE_14, 632_045_800),
        (VIT_DIGITS, 205_066),
    ],
)
def test_the_papers_sizes(config, count):
    with torch.device("meta"):
        assert n_parameters(ViT(config)) == config.n_parameters == count


@given(
    st.sampled_from([(4, 2), (6, 3), (5, 5), (8, 2)]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([(1, 3), (2, 6), (3, 12)]),
    st.integers(1, 9),
)
@settings(deadline=None, max_examples=25)
def test_formula_counts_the_parameters_of_any_size(image, in_channels, n_layer, heads, classes):
    config = ViTConfig(*image, in_channels, n_layer, *heads, classes)
    with torch.device("meta"):
        assert n_parameters(ViT(config)) == config.n_parameters


def test_the_digits_size_learns_to_tell_bars_apart():
    """A few steps on upright and lying bars: the gradient flows from the logits to the pixels' map."""
    torch.manual_seed(3)
    model = ViT(replace(VIT_DIGITS, n_layer=1, classes=2))
    x, labels = torch.zeros(28, 1, 28, 28), torch.arange(28) % 2
    for i in range(28):
        x[i, 0].select(i % 2, i).fill_(1.0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss = F.cross_entropy(model(x), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < 0.5 < losses[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch_size": 5}, "patch_size is 5, which does not divide image_size = 12"),
        ({"n_head": 3}, "n_head is 3, which does not divide d_model = 8"),
        ({"in_channels": 0}, "in_channels is 0; allowed are integers of at least 1"),
        ({"dropout": 1.0}, "dropout is 1.0; allowed is 0 ≤ dropout < 1"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


def test_images_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"x has shape \(1, 1, 12, 12\); allowed is \(batch, 3, 12, 12\)"):
        ViT(TINY)(torch.zeros(1, 1, 12, 12))
