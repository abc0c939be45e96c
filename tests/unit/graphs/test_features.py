"""Inside a CNN: maps, a unit's sum, receptive fields and saliency, against the network's own modules and autograd."""

from __future__ import annotations

import pytest
import torch

from dlcompare.graphs import feature_maps, saliency, stages
from dlcompare.models import CNN, CNNConfig
from dlcompare.recording import record


@pytest.fixture(scope="module")
def cnn() -> CNN:
    torch.manual_seed(1)
    return CNN(CNNConfig(image_size=13, channels=(3, 4), hidden=5, classes=6, dropout=0.5)).eval()


NAMES = ["convolution1", "relu1", "pooling1", "convolution2", "relu2", "pooling2", "hidden", "logits"]


def test_the_places_are_those_of_the_network(cnn: CNN) -> None:
    found = stages(cnn)
    assert [stage.name for stage in found] == NAMES
    assert [stage.shape for stage in found] == [
        (3, 13, 13), (3, 13, 13), (3, 6, 6), (4, 6, 6), (4, 6, 6), (4, 3, 3), (5,), (6,),
    ]  # fmt: skip
    assert [stage.field and stage.field.size for stage in found] == [3, 3, 4, 8, 8, 10, None, None]


@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_every_unit_is_the_sum_that_the_network_computes(cnn: CNN, place: int) -> None:
    stage = stages(cnn)[place]
    graph = feature_maps(cnn, stage)
    assert graph.name == f"features-{NAMES[place]}"
    image = torch.rand(13, 13)
    with torch.no_grad(), record(cnn, "*") as seen:
        cnn(image[None, None])
    expected = seen[stage.module][0].detach()
    before = seen[f"levels.{stage.level - 1}.0"][0].detach() if stage.kind == "relu" else expected
    if stage.kind == "hidden":
        before = seen["classifier.0"][0].detach()
    corners = [[0] * 3, [size - 1 for size in (*stage.shape, 1, 1)[:3]]]
    for channel, row, column in [*corners, [int(torch.randint(size, ())) for size in (*stage.shape, 1, 1)[:3]]]:
        unit = {"channel": channel, "row": row, "column": column}
        outputs = graph(image=image, **{key: torch.tensor(value, dtype=torch.int32) for key, value in unit.items()})
        torch.testing.assert_close(outputs["maps"], expected)
        where = (channel, row, column) if stage.level else (channel,)
        torch.testing.assert_close(outputs["y"], expected[where])
        if stage.kind == "pooling":
            assert outputs["window"].max() == outputs["y"]
            continue
        torch.testing.assert_close(outputs["z"], before[where])
        torch.testing.assert_close(outputs["products"], outputs["window"] * outputs["filter"])
        torch.testing.assert_close(outputs["shares"].sum() + outputs["bias"], outputs["z"])
        assert len(outputs["shares"]) == len(outputs["window"])


def test_a_unit_depends_on_its_receptive_field_alone(cnn: CNN) -> None:
    for stage in stages(cnn)[:6]:
        image = torch.rand(13, 13, requires_grad=True)
        with record(cnn, stage.module) as seen:
            cnn(image[None, None])
        row, column = stage.shape[1] // 2, stage.shape[2] - 1
        (by_pixel,) = torch.autograd.grad(seen[stage.module][0, :, row, column].sum(), image)
        assert stage.field is not None
        inside = torch.zeros(13, 13, dtype=torch.bool)
        rows, columns = ([i for i in stage.field.pixels(unit) if 0 <= i < 13] for unit in (row, column))
        inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        assert not by_pixel[~inside].any()


def test_saliency_is_the_slope_that_finite_differences_find(cnn: CNN) -> None:
    image = torch.rand(13, 13)
    for digit in (0, 5):
        outputs = saliency(cnn)(image=image, digit=torch.tensor(digit, dtype=torch.int32))
        with torch.no_grad():
            logits = cnn(image[None, None])[0]
        torch.testing.assert_close(outputs["logits"], logits)
        torch.testing.assert_close(outputs["probabilities"], logits.softmax(0))
        double = CNN(cnn.config).double().eval()
        double.load_state_dict(cnn.state_dict())
        for row, column in torch.randint(13, (5, 2)).tolist():
            values = []
            for step in (1e-6, -1e-6):
                moved = image.double().clone()
                moved[row, column] += step
                with torch.no_grad():
                    values.append(double(moved[None, None])[0, digit])
            slope = (values[0] - values[1]) / 2e-6
            torch.testing.assert_close(outputs["gradient"][row, column].double(), slope, rtol=1e-3, atol=1e-5)


def test_a_network_in_training_is_refused(cnn: CNN) -> None:
    training = CNN(CNNConfig(channels=(2,)))
    with pytest.raises(ValueError, match="model is in training mode"):
        saliency(training)
    with pytest.raises(ValueError, match="in_channels is 3; allowed is 1"):
        saliency(CNN(CNNConfig(in_channels=3)).eval())
    with pytest.raises(ValueError, match="model is in training mode"):
        feature_maps(training, stages(training)[0])
