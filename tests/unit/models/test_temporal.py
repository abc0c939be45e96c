import pytest
import torch
from torch import nn

from dlcompare.models import SequenceConvolution, TemporalBlock, receptive_field


@pytest.mark.parametrize(("causal", "padding"), [(True, (4, 0)), (False, (2, 2))])
def test_a_convolution_is_torchs_with_zeros_beyond_the_ends(causal, padding):
    torch.manual_seed(0)
    ours = SequenceConvolution(3, 5, 3, dilation=2, causal=causal)
    theirs = nn.Sequential(nn.ConstantPad1d(padding, 0.0), nn.Conv1d(3, 5, 3, dilation=2))
    theirs[1].load_state_dict(ours.convolution.state_dict())
    x = torch.randn(2, 3, 7)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
    assert ours(x).shape == (2, 5, 7)


def test_a_block_is_its_equation():
    torch.manual_seed(0)
    block = TemporalBlock(4, 3, 2, causal=True)
    x = torch.randn(2, 4, 9)
    expected = torch.relu(x + torch.relu(block.second(torch.relu(block.first(x)))))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(("n_layer", "kernel_size"), [(1, 3), (3, 3), (2, 5)])
def test_the_receptive_field_is_as_far_as_a_gradient_reaches(n_layer, kernel_size):
    torch.manual_seed(0)
    net = nn.Sequential(*(TemporalBlock(8, kernel_size, 2**i, causal=True) for i in range(n_layer)))
    field = receptive_field(n_layer, kernel_size)
    x = torch.randn(1, 8, field + 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(x)[0, :, -1].sum(), x)
    seen = gradient.abs().sum(1)[0] > 0  # (seq,)
    assert seen.nonzero()[0].item() == 5
    (early,) = torch.autograd.grad(net(x)[0, :, 3].sum(), x)
    assert not early[0, :, 4:].any()  # nothing later than its own place


def test_a_centred_kernel_has_a_middle():
    with pytest.raises(ValueError, match="kernel_size is 4; allowed are odd numbers"):
        SequenceConvolution(1, 1, 4, causal=False)
