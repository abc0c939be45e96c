import pytest
import torch
from torch import nn

from dlcompare.models import EncoderConfig, GPTConfig, RowSequence, SequenceConfig, SequenceModel, TransformerEncoder
from dlcompare.models.classifier import GPTClassifier, GPTClassifierConfig
from dlcompare.models.costs import costs, measured
from dlcompare.training import n_parameters

BODIES = ("flat", "bag", "window", "cnn", "rnn", "lstm", "gru", "encoder", "gpt")
IDS = torch.randint(20, (3, 7), generator=torch.Generator().manual_seed(0))


def model(body, read="last", **changes) -> SequenceModel:
    sizes = {"d_model": 8, "output_size": 5, "block_size": 9, "vocab_size": 20, "n_layer": 2, "n_head": 2}
    torch.manual_seed(0)
    return SequenceModel(SequenceConfig(body, read, **{**sizes, **changes})).eval()


@pytest.mark.parametrize("body", BODIES)
def test_answers_have_their_shapes_and_padding_changes_nothing(body):
    visible = torch.tensor([[True] * 7, [True] * 4 + [False] * 3, [True] + [False] * 6])
    for read in ("last", "mean", "max"):
        net = model(body, read)
        answers = net(IDS, visible)
        assert answers.shape == (3, 5)
        alone = [net(IDS[i : i + 1, : visible[i].sum()])[0] for i in range(3)]
        torch.testing.assert_close(answers, torch.stack(alone))
    each = model(body, "each")(IDS)
    assert each.shape == ((3, 5) if body in ("flat", "bag") else (3, 7, 5))
    vectors = model(body, vocab_size=None, input_size=2)(torch.randn(3, 7, 2))
    assert vectors.shape == (3, 5)


@pytest.mark.parametrize("body", ["window", "cnn", "rnn", "lstm", "gru", "gpt"])
def test_causal_bodies_see_nothing_that_comes_later(body):
    net = model(body, "each", causal=True)
    changed = IDS.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % 20
    torch.testing.assert_close(net(IDS)[:, :4], net(changed)[:, :4])
    assert not torch.equal(net(IDS)[:, 4:], net(changed)[:, 4:])


@pytest.mark.parametrize("body", ["cnn", "encoder"])
def test_the_others_see_both_ways(body):
    net = model(body, "each")
    changed = IDS.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 20
    assert not torch.equal(net(IDS)[:, 4], net(changed)[:, 4])


@pytest.mark.parametrize(("body", "layer"), [("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_recurrent_bodies_are_torchs(body, layer):
    net = model(body, "each")
    theirs = layer(8, 8, 2, batch_first=True)
    theirs.load_state_dict(net.body.state_dict())
    hidden, _ = theirs(nn.functional.embedding(IDS, net.embedding.weight))
    torch.testing.assert_close(net(IDS), hidden @ net.output.weight.T + net.output.bias)


def test_an_mlp_is_torchs_over_all_places_the_mean_or_a_window():
    flat, bag, window = (model(body, "each", n_layer=1, kernel_size=2) for body in ("flat", "bag", "window"))

    def by_hand(net, x):
        layer, output = net.body.layers[0] if net is not bag else net.body[0], net.output
        return output(torch.relu(layer(x)))

    x = flat.embedding(IDS)
    torch.testing.assert_close(flat(IDS), by_hand(flat, torch.cat([x, torch.zeros(3, 2, 8)], 1).flatten(1)))
    torch.testing.assert_close(bag(IDS), by_hand(bag, bag.embedding(IDS).mean(1)))
    x = window.embedding(IDS)
    before = torch.cat([torch.zeros(3, 1, 8), x[:, :-1]], 1)
    # A window lies feature by feature, in each the older place first.
    torch.testing.assert_close(window(IDS), by_hand(window, torch.stack([before, x], 3).flatten(2)))


def test_the_encoder_is_the_one_that_stands_alone():
    net = model("encoder", "mean")
    alone = TransformerEncoder(EncoderConfig(20, 9, 2, 2, 8, 5)).eval()
    names = {"embedding": "token_embedding", "body": "blocks", "output": "classifier"}
    state = {names[name.split(".")[0]] + name[name.index(".") :]: tensor for name, tensor in net.state_dict().items()}
    alone.load_state_dict(state)
    visible = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]
    torch.testing.assert_close(net(IDS, visible), alone(IDS, visible))


def test_the_gpt_is_the_one_that_stands_alone():
    net = model("gpt", "last")
    alone = GPTClassifier(GPTClassifierConfig(GPTConfig(20, 9, 2, 2, 8), 5)).eval()
    alone.base.token_embedding.weight.data = net.embedding.weight.data
    alone.base.position_embedding.weight.data = net.positions.data
    alone.base.blocks.load_state_dict(net.body.state_dict())
    alone.base.norm.load_state_dict(net.norm.state_dict())
    alone.classifier.load_state_dict(net.output.state_dict())
    visible = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]
    torch.testing.assert_close(net(IDS, visible), alone(IDS, visible))


@pytest.mark.parametrize("body", [body for body in BODIES if body not in ("rnn", "lstm", "gru")])
def test_its_cost_is_what_torch_counts(body):
    net = model(body, "each")
    ours, theirs = costs(net, IDS)[""], measured(net, IDS)
    assert (ours.multiply_adds, ours.activations) == (theirs.multiply_adds, None)
    assert theirs.parameters == n_parameters(net)


def test_images_are_read_row_by_row():
    torch.manual_seed(0)
    net = RowSequence(SequenceConfig("gpt", "last", 8, 10, 6, input_size=4))
    images = torch.randn(2, 1, 6, 4)
    torch.testing.assert_close(net(images), SequenceModel.forward(net, images[:, 0]))
    with pytest.raises(ValueError, match=r"x has shape \(2, 6, 4\)"):
        net(images[:, 0])
    with pytest.raises(ValueError, match="visible has shape"):
        net(images, torch.ones(2, 6, dtype=torch.bool))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"body": "tree"}, "body is 'tree'; allowed are 'flat'"),
        ({"read": "first"}, "read is 'first'; allowed are 'each'"),
        ({"d_model": 0}, "d_model is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"input_size": 2}, "vocab_size is 20 and input_size is 2; allowed is one of them"),
        ({"vocab_size": None}, "vocab_size is None and input_size is None"),
        ({"vocab_size": None, "input_size": 0}, "input_size is 0"),
        ({"body": "gpt", "n_head": 3}, "n_head is 3"),
        ({"body": "encoder", "d_model": 7, "n_head": 1}, "d_model is 7; allowed are even numbers"),
    ],
)
def test_bad_sizes_are_named(changes, message):
    sizes = {"body": "gpt", "read": "last", "d_model": 8, "output_size": 5, "block_size": 9, "vocab_size": 20}
    with pytest.raises(ValueError, match=message):
        SequenceConfig(**{**sizes, **changes})


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match="ids is 10 tokens long"):
        model("lstm")(torch.zeros(1, 10, dtype=torch.int64))
    net = model("cnn", vocab_size=None, input_size=2)
    for shape in ((1, 5, 3), (1, 10, 2), (5, 2)):
        with pytest.raises(ValueError, match="x has shape"):
            net(torch.zeros(shape))
