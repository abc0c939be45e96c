"""The GPT that reads an image before its text."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from dlcompare.models import GPTConfig
from dlcompare.models.prefix import ImagePrefixConfig, ImagePrefixGPT
from dlcompare.training import fit, n_parameters

TINY = ImagePrefixConfig(GPTConfig(7, 10, n_layer=2, n_head=2, d_model=8), image_size=6, patch_size=3)


def model() -> ImagePrefixGPT:
    torch.manual_seed(0)
    return ImagePrefixGPT(TINY).eval()


def test_its_parameters_are_those_of_the_formula():
    for config in (TINY, replace(TINY, in_channels=3, patch_size=2)):
        assert n_parameters(ImagePrefixGPT(config)) == config.n_parameters


def test_it_is_the_gpt_with_patches_for_its_first_tokens():
    seeing, images, ids = model(), torch.randn(2, 1, 6, 6), torch.tensor([[1, 2, 3], [4, 5, 6]])
    logits = seeing(images, ids)
    assert logits.shape == (2, 4, 7)
    # The patches by hand, and the GPT's forward pass with a table that holds them as tokens 7 to 14.
    rows = images.unfold(2, 3, 3).unfold(3, 3, 3).reshape(2, 4, 9)
    patches = F.linear(rows, seeing.patch_embedding.weight.reshape(8, 9), seeing.patch_embedding.bias)
    gpt = seeing.gpt
    table = torch.cat([gpt.token_embedding.weight, patches.reshape(8, 8)])
    all_ids = torch.cat([torch.arange(7, 15).view(2, 4), ids], 1)
    x = table[all_ids] + gpt.position_embedding.weight[:7]
    for block in gpt.blocks:
        x = block(x)
    torch.testing.assert_close(logits, gpt.head(gpt.norm(x[:, 3:])))


def test_a_place_sees_the_image_and_the_text_before_it():
    seeing, images, ids = model(), torch.randn(1, 1, 6, 6), torch.tensor([[1, 2, 3]])
    other_end = ids.clone()
    other_end[0, 2] = 5
    before, after = seeing(images, ids), seeing(images, other_end)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3])
    for row, column in ((0, 0), (5, 5)):
        changed = images.clone()
        changed[0, 0, row, column] += 1
        assert (seeing(changed, ids) - before).abs().amax((0, 2)).min() > 1e-6


def test_it_writes_the_most_probable_token_each_time():
    seeing, images = model(), torch.randn(3, 1, 6, 6)
    written = seeing.write(images, 4)
    assert written.shape == (3, 4)
    logits = seeing(images, written[:, :-1])
    assert torch.equal(logits.argmax(-1), written)
    begun = seeing.write(images, 2, torch.full((3, 1), 6))
    assert begun.shape == (3, 3)
    assert (begun[:, 0] == 6).all()


def test_it_learns_to_tell_images_apart():
    images = torch.zeros(4, 1, 6, 6)
    for i in range(4):
        images[i, 0, 3 * (i // 2), 3 * (i % 2)] = 5
    texts = torch.tensor([[1, 1], [1, 2], [2, 1], [2, 2]])
    torch.manual_seed(1)
    seeing = ImagePrefixGPT(replace(TINY, text=replace(TINY.text, d_model=16)))

    def loss(network, batch):
        return F.cross_entropy(network(batch[0], batch[1][:, :-1]).transpose(1, 2), batch[1])

    def batches():
        while True:
            yield images, texts

    fit(seeing, loss, batches(), steps=200, learning_rate=1e-2)
    assert torch.equal(seeing.write(images, 2), texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch_size": 4}, "patch_size is 4, which does not divide image_size = 6"),
        ({"patch_size": 1}, "text.block_size is 10; allowed is more than the 36 patches"),
        ({"in_channels": 0}, "in_channels is 0"),
        ({"text": replace(TINY.text, post_norm=True)}, "post_norm is True"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


def test_images_and_texts_that_do_not_fit_are_refused():
    seeing = model()
    with pytest.raises(ValueError, match="x has shape"):
        seeing(torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, dtype=torch.int64))
    with pytest.raises(ValueError, match="7 tokens long; allowed are at most block_size = 6"):
        seeing(torch.zeros(1, 1, 6, 6), torch.zeros(1, 7, dtype=torch.int64))
