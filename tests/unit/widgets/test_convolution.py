from __future__ import annotations

import contextlib
import json

import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcompare.export.graph import to_json
from dlcompare.widgets import ConvolutionStepper, convolution
from dlcompare.widgets.base import StateError


def stepper(**traits) -> ConvolutionStepper:
    generator = torch.Generator().manual_seed(3)
    return ConvolutionStepper(torch.rand(3, 1, 12, 9, generator=generator), [4, 7, "a cat"], **traits)


def test_the_output_is_torchs_convolution() -> None:
    images = torch.rand(4, 28, 28)
    kernel = torch.randn(5, 5)
    widget = ConvolutionStepper(images, range(4), kernel=kernel, stride=2, padding=1, image=3)
    expected = F.conv2d(images[3][None, None], kernel[None, None], stride=2, padding=1)[0, 0]
    torch.testing.assert_close(widget.output, expected, rtol=0, atol=0)
    assert widget.output_shape == tuple(expected.shape)


@pytest.mark.parametrize("name", convolution.PRESETS)
def test_every_preset_does_what_its_name_says(name: str) -> None:
    kernel = torch.tensor(convolution.PRESETS[name], dtype=torch.float64)
    total = kernel.sum().item()
    # On a flat area a kernel answers with the sum of its weights: 0 where it looks for differences, 1 where it keeps.
    assert total == pytest.approx(1.0 if name in {"identity", "blur", "gauss", "sharpen"} else 0.0)
    if name == "sobel_x":
        assert torch.equal(kernel, -kernel.flip(1))
    if name == "sobel_y":
        assert torch.equal(kernel, -kernel.flip(0))


def test_the_window_times_the_kernel_sums_to_the_output() -> None:
    widget = stepper(kernel=torch.randn(3, 3), stride=2, padding=2)
    rows, columns = widget.output_shape
    for position in [(0, 0), (rows - 1, columns - 1), (1, 2)]:
        widget.position = position
        total = (widget.window * widget.kernel_tensor).sum()
        torch.testing.assert_close(total, widget.output[position], rtol=1e-5, atol=1e-5)


def test_it_starts_where_the_output_is_strongest() -> None:
    widget = stepper()
    assert widget.output[widget.position].abs() == widget.output.abs().max()
    assert stepper(position=(2, 3)).position == (2, 3)


def test_the_position_stays_inside_when_the_output_shrinks() -> None:
    widget = stepper(position=(11, 8))
    widget.stride = 3
    assert widget.output_shape == (4, 3)
    assert widget.position == (3, 2)
    widget.padding = 0
    assert widget.position == (3, 2)
    widget.kernel = torch.ones(5, 5)
    assert widget.position == (2, 1)


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"kernel": [[1, 2]]}, r"kernel has the shape \(1, 2\); allowed is a square of 1 to 5 rows"),
        ({"kernel": [[float("nan")]]}, r"kernel is \[\[nan\]\]; allowed is"),
        ({"kernel": [[100.5]]}, r"kernel is \[\[100.5\]\].* from -100 to 100"),
        ({"kernel": torch.ones(6, 6)}, r"kernel has the shape \(6, 6\)"),
        ({"kernel": "sobel"}, "kernel is 'sobel'; allowed is a square"),
        ({"kernel": [[1, 2], [3]]}, r"kernel is \[\[1, 2\], \[3\]\]; allowed is"),
        ({"stride": 0}, "stride is 0; allowed is a whole number from 1 to 3"),
        ({"stride": 1.0}, "stride is 1.0; allowed"),
        ({"stride": True}, "stride is True; allowed"),
        ({"padding": 3}, "padding is 3; allowed is a whole number from 0 to 2"),
        ({"image": 3}, "image is 3; allowed is a whole number from 0 to 2"),
        ({"image": -1}, "image is -1; allowed"),
        ({"position": (12, 0)}, r"position is \(12, 0\); allowed are rows 0 to 11 and columns 0 to 8"),
        ({"position": 5}, r"position is 5; allowed is \(row, column\)"),
        ({"position": (1.5, 0)}, r"position is \(1.5, 0\); allowed is \(row, column\), two whole numbers"),
        ({"position": (0, 0), "kernel": 1}, r"kernel has the shape \(\)"),
        ({"position": (0, 0), "stride": "2"}, "stride is '2'; allowed"),
        ({"name": "Two words"}, "name is 'Two words'; allowed are lower-case letters"),
        ({"learned": {"f": [[1, 2]]}}, r"learned\['f'\] has the shape \(1, 2\)"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stepper(**traits)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(2, 3, 28, 28), [1, 2], r"images has the shape \(2, 3, 28, 28\); allowed is"),
        (torch.zeros(0, 28, 28), [], r"images has the shape \(0, 28, 28\)"),
        (torch.zeros(1, 28, 40), [1], "height and width 5 to 32"),
        (torch.full((1, 28, 28), 255.0), [1], "images has values from 255 to 255; allowed are values from 0 to 1"),
        (torch.full((1, 28, 28), float("nan")), [1], "images has values from nan"),
        (torch.zeros(2, 28, 28), [1], "labels has 1 entries; allowed is one for each of the 2 images"),
    ],
)
def test_images_and_labels_are_checked(images: torch.Tensor, labels: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConvolutionStepper(images, labels)


def test_a_refused_message_from_the_front_end_leaves_the_state_as_it_was() -> None:
    widget = stepper()
    before = widget.page_state()
    for message in [{"stride": 2, "kernel": 5}, {"kernel": [[1]], "position": [99, 0]}, {"padding": -1, "image": 2}]:
        with pytest.raises(StateError):
            widget.set_state(message)
        assert widget.page_state() == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(
    message=st.dictionaries(st.sampled_from(["kernel", "stride", "padding", "image", "position"]), json_values),
)
def test_whatever_the_front_end_sends_the_state_stays_valid(message: dict[str, object]) -> None:
    widget = stepper()
    with contextlib.suppress(StateError):  # anything else is a failure
        widget.set_state(message)
    rows, columns = widget.output_shape
    row, column = widget.position
    assert 0 <= row < rows
    assert 0 <= column < columns
    assert tuple(widget.output.shape) == (rows, columns)
    assert torch.isfinite(widget.output).all()


def test_a_kernel_cannot_be_changed_behind_the_widgets_back() -> None:
    widget = stepper(kernel=[[1, 2], [3, 4]])
    with pytest.raises(TypeError):
        widget.kernel[0][0] = 5
    with pytest.raises(traitlets.TraitError):
        widget.images = {}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_every_stride_and_padding_is_a_part_of_what_the_graph_gives(run_node, size: int) -> None:
    """The front end picks that part; held against conv2d with that stride and padding, on fresh random images."""
    code = """
        import { select, termsAt } from "./explorables/convolution/selection.js";
        import { readAll } from "./engine/tensors.js";
        import { readFileSync } from "node:fs";
        const cases = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(cases.map(({ outputs, state, cell }) => {
          const tensors = readAll(outputs);
          const { padded, output } = select(tensors, state);
          const { window, products, sum } = termsAt(tensors, state, cell);
          const shape = [output.height, output.width];
          const maps = { padded: [...padded.values], output: [...output.values] };
          return { shape, sum, ...maps, window: [...window], products: [...products] };
        })));
    """
    sent, expected = [], []
    for stride in convolution.STRIDES:
        for padding in convolution.PADDINGS:
            image, kernel = torch.rand(28, 20), torch.randn(size, size)
            widget = ConvolutionStepper(image[None], [0], kernel=kernel.tolist(), stride=stride, padding=padding)
            rows, columns = widget.output_shape
            widget.position = int(torch.randint(rows, ())), int(torch.randint(columns, ()))
            outputs = widget.ask("convolution", image=image, kernel=widget.kernel_tensor)
            state = {"kernel": kernel.tolist(), "stride": stride, "padding": padding}
            sent.append({"outputs": to_json(outputs), "state": state, "cell": widget.position})
            expected.append((widget, F.pad(image, (padding,) * 4)))
    for (widget, padded), answer in zip(expected, run_node(code, sent), strict=True):
        got = {key: torch.tensor(value, dtype=torch.float32) for key, value in answer.items()}
        assert answer["shape"] == list(widget.output_shape)
        torch.testing.assert_close(got["output"].reshape(answer["shape"]), widget.output, rtol=1e-5, atol=1e-5)
        assert torch.equal(got["padded"], padded.flatten())
        assert torch.equal(got["window"], widget.window.flatten())
        assert torch.equal(got["products"], (widget.window * widget.kernel_tensor).flatten())
        torch.testing.assert_close(got["sum"], widget.output[widget.position], rtol=1e-5, atol=1e-5)


def test_the_front_end_knows_the_same_limits(run_node) -> None:
    limits = run_node(
        'import { LIMITS } from "./explorables/convolution/rules.js"; console.log(JSON.stringify(LIMITS));'
    )
    assert limits == {
        "kernel": convolution.MAX_KERNEL,
        "weight": convolution.MAX_WEIGHT,
        "stride": [convolution.STRIDES[0], convolution.STRIDES[-1]],
        "padding": [convolution.PADDINGS[0], convolution.PADDINGS[-1]],
    }


def test_images_reach_the_front_end_bit_by_bit(run_node) -> None:
    widget = stepper()
    code = """
        import { decodeFloats } from "./shared/base64.js";
        import { readFileSync } from "node:fs";
        console.log(JSON.stringify([...decodeFloats(JSON.parse(readFileSync(0, "utf8")).data)]));
    """
    got = torch.tensor(run_node(code, widget.images), dtype=torch.float64)
    assert torch.equal(got, widget._pixels.flatten().double())
    assert widget.images["shape"] == [3, 12, 9]


def test_the_alternative_text_says_what_is_shown() -> None:
    widget = stepper(kernel=torch.ones(2, 2), stride=3, image=2)
    row, column = widget.position
    spoken = widget.alternative_text()
    assert "2 × 2 kernel" in spoken
    assert "a cat" in spoken
    assert f"row {row}, column {column}" in spoken
    assert f"{widget.output.max().item():.3g}" in spoken


@pytest.mark.parametrize("size", [1, 3, 5])
def test_the_figure_shows_the_same_numbers(size: int) -> None:
    widget = stepper(kernel=torch.randn(size, size))
    figure = widget.figure()
    texts = [text.get_text() for part in figure.subfigs for axis in part.axes for text in axis.texts]
    assert len(texts) == 3 * size * size + 1
    value = widget.output[widget.position].item()
    assert texts[-1].replace("−", "-") == f"{value:.3g}"


def test_the_page_state_is_plain_json() -> None:
    widget = stepper(learned={"edge finder": torch.randn(5, 5)})
    state = json.loads(json.dumps(widget.page_state(), allow_nan=False))
    assert set(state) == {
        *("image", "images", "kernel", "labels", "padding", "position", "presets", "remembered", "stride", "strings"),
    }
    assert state["presets"][-1]["name"] == "edge finder"
    assert {len(preset["kernel"]) for preset in state["presets"]} == {3, 5}
