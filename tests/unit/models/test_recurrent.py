import pytest
import torch

from dlcompare.models import Recurrent, RecurrentConfig, RecurrentLM, RecurrentLMConfig, RowReader
from dlcompare.training import n_parameters

KINDS = ["rnn", "lstm", "gru"]


@pytest.mark.parametrize("kind", KINDS)
def test_reading_in_pieces_equals_reading_at_once(kind):
    torch.manual_seed(0)
    model = RecurrentLM(RecurrentLMConfig(kind, vocab_size=7, d_model=6, n_layer=2)).double().eval()
    ids = torch.randint(7, (3, 10))
    first, state = model.advance(ids[:, :4])
    second, _ = model.advance(ids[:, 4:], state)
    assert torch.allclose(model(ids), torch.cat([first, second], dim=1), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_layer", [1, 3])
def test_formula_counts_the_parameters(kind, n_layer):
    config = RecurrentLMConfig(kind, vocab_size=7, d_model=6, n_layer=n_layer)
    assert n_parameters(RecurrentLM(config)) == config.n_parameters


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_output_depends_on_the_first_input(kind):
    torch.manual_seed(0)
    model = Recurrent(RecurrentConfig(kind, input_size=3, hidden_size=5, output_size=2)).double()
    x = torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True)
    model(x)[0, -1].sum().backward()
    assert (x.grad[0, 0] != 0).all()


def test_an_rnn_step_is_elmans_equation():
    torch.manual_seed(0)
    model = Recurrent(RecurrentConfig("rnn", input_size=3, hidden_size=5, output_size=2)).double()
    x = torch.randn(1, 4, 3, dtype=torch.float64)
    r = model.recurrence
    hidden = torch.zeros(5, dtype=torch.float64)
    for t in range(4):
        hidden = torch.tanh(r.weight_ih_l0 @ x[0, t] + r.bias_ih_l0 + r.weight_hh_l0 @ hidden + r.bias_hh_l0)
    assert torch.allclose(model(x)[0, -1], model.output(hidden), atol=1e-12)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kind is 'elman'; allowed are 'rnn', 'lstm', 'gru'"):
        RecurrentConfig("elman", 1, 1, 1)
    with pytest.raises(ValueError, match="hidden_size is 0"):
        RecurrentConfig("rnn", 1, 0, 1)
    model = Recurrent(RecurrentConfig("rnn", input_size=3, hidden_size=5, output_size=2))
    with pytest.raises(ValueError, match=r"x has shape \(1, 4, 2\); allowed is \(batch, seq, input_size = 3\)"):
        model(torch.zeros(1, 4, 2))
    language_model = RecurrentLM(RecurrentLMConfig("gru", vocab_size=4, d_model=4))
    with pytest.raises(ValueError, match="ids contains 4; allowed are 0 to 3"):
        language_model(torch.tensor([[4]]))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_row_reader_reads_an_image_from_top_to_bottom(kind):
    config = RecurrentConfig(kind, input_size=5, hidden_size=4, output_size=3)
    reader, network = RowReader(config), Recurrent(config)
    network.load_state_dict(reader.state_dict())
    images = torch.randn(2, 1, 7, 5)
    torch.testing.assert_close(reader(images), network(images[:, 0])[:, -1])
    with pytest.raises(ValueError, match=r"x has shape \(2, 7, 5\); allowed is \(batch, 1, height, width\)"):
        reader(images[:, 0])
    with pytest.raises(ValueError, match="input_size = 5"):
        reader(images.transpose(2, 3))
