"""Every published configuration that this package builds, and what its sources print about it.

One entry per configuration: its parameters by closed formula, the printed figures, and which variant of the model each
of them counts. :func:`table` builds the models on torch's meta device and adds shapes, multiply-adds and activations by
formula (:mod:`dlcompare.models.costs`); ``python -m tools.models_table`` writes it to ``data/models.json``, which
:func:`stored` reads. The tests hold every formula against what torch counts in the model.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dlcompare.models import googlenet, resnet, transformer, vit
from dlcompare.models.alexnet import ALEXNET, AlexNet
from dlcompare.models.bert import BERT, BERT_BASE, BERT_LARGE, BERTConfig
from dlcompare.models.costs import costs
from dlcompare.models.gpt import GPT, GPT1, GPT2, GPT3, GPTConfig
from dlcompare.models.lenet import LENET_5, LeNet
from dlcompare.models.llama import LLAMA_7B, SMOLLM2_135M, Llama, LlamaConfig

__all__ = ["PUBLISHED", "Figure", "Published", "figures_of", "stored", "table"]

Quantity = Literal["parameters", "multiply_adds", "training_flops"]

#: A variant's name, where a figure counts the model as it is built.
AS_BUILT = "as built"


@dataclass(frozen=True)
class Figure:
    """A number as a source prints it.

    Parameters
    ----------
    printed
        as it stands there, such as "60 million".
    value
        the same as a number.
    unit
        one in the last place that is printed: zeros at the end of a whole number may be filled in, and don't count.
    source
        key in ``references.bib``.
    where
        table or section of the source.
    quantity
        what is counted: parameters, multiply-adds of one example forward, or the FLOPs of the whole training.
    counts
        which variant of the model it counts, a key of ``Published.variants``. Few sources say; where the numbers
        tell it, the note says so.
    """

    printed: str
    value: float
    unit: float
    source: str
    where: str
    quantity: Quantity = "parameters"
    counts: str = AS_BUILT

    def agrees(self, computed: float) -> bool:
        """Say whether ``computed``, rounded as the figure is, gives the figure."""
        return abs(computed - self.value) <= self.unit / 2


@dataclass(frozen=True)
class Published:
    """A configuration from a paper.

    Parameters
    ----------
    name
        what the paper calls it.
    family
        key of :data:`dlcompare.style.FAMILY`.
    year
        of its first public description.
    build
        the model's class, called with ``config``.
    config
        its sizes.
    parameters
        number of parameters that a forward pass uses, by closed formula.
    example
        shapes of the inputs that costs are counted for: (1, channels, height, width) or (1, tokens).
    figures
        what the sources print.
    variants
        parameters of other ways to count the same model, by closed formula.
    note
        why a figure is not the computed one, or what the variants are; empty where there is nothing to say.
    trained_on
        tokens that it was trained on, where a figure counts the training.
    """

    name: str
    family: str
    year: int
    build: Callable[[Any], nn.Module]
    config: Any
    parameters: int
    example: tuple[tuple[int, ...], ...]
    figures: tuple[Figure, ...]
    variants: dict[str, int] = dataclasses.field(default_factory=dict)
    note: str = ""
    trained_on: int | None = None

    @property
    def tokens(self) -> int | None:
        """Number of tokens of the example, those of the target in a translation; None for an image."""
        return self.example[-1][1] if len(self.example[-1]) == 2 else None

    def model(self) -> nn.Module:
        """Return the model on the meta device: shapes without numbers."""
        with torch.device("meta"):
            return self.build(self.config)

    def inputs(self) -> tuple[Tensor, ...]:
        """Return the example on the meta device: an image, or token ids."""
        kind = torch.float32 if self.tokens is None else torch.int64
        return tuple(torch.empty(shape, dtype=kind, device="meta") for shape in self.example)


IMAGE = ((1, 3, 224, 224),)


def _resnet(depth: int, config: resnet.ResNetConfig, printed: str, note: str = "") -> Published:
    flops = Figure(f"{printed} × 10⁹", float(printed) * 1e9, 1e8, "he2016", "table 1", quantity="multiply_adds")
    return Published(
        f"ResNet-{depth}", "cnn", 2015, resnet.ResNet, config, config.n_parameters, IMAGE, (flops,), note=note
    )


def _transformer(name: str, config: transformer.TransformerConfig, millions: int, note: str) -> Published:
    figure = Figure(f"{millions} × 10⁶", millions * 1e6, 1e6, "vaswani2017", "table 3")
    return Published(
        name, "transformer", 2017, transformer.Transformer, config, config.n_parameters, ((1, 128), (1, 128)),
        (figure,), note=note,
    )  # fmt: skip


def _bert(name: str, config: BERTConfig, millions: int) -> Published:
    return Published(
        name, "transformer", 2018, BERT, config, config.n_parameters, ((1, config.block_size),),
        (Figure(f"{millions}M", millions * 1e6, 1e7, "devlin2019", "section 3"),),
        variants={"encoder and pooler, without the pretraining heads": config.n_encoder_parameters},
        note="The paper does not say whether the two pretraining heads count; both counts round to its figure.",
    )  # fmt: skip


def _vit(name: str, config: vit.ViTConfig, millions: int, counts: str, note: str) -> Published:
    variants = {"without the classifier": config.n_parameters - (config.d_model + 1) * config.classes}
    if config is vit.VIT_LARGE_16:
        variants["with patches of 32 pixels"] = dataclasses.replace(config, patch_size=32).n_parameters
    figure = Figure(f"{millions}M", millions * 1e6, 1e6, "dosovitskiy2021", "table 1", counts=counts)
    return Published(
        name, "transformer", 2020, vit.ViT, config, config.n_parameters, IMAGE, (figure,), variants=variants, note=note
    )


def _gpt2(name: str, key: str, in_paper: int, in_code: str, value: float, unit: float, note: str = "") -> Published:
    config = GPT2[key]
    old = dataclasses.replace(config, vocab_size=GPT1.vocab_size)
    variant = "with GPT-1's vocabulary"
    return Published(
        name, "gpt", 2019, GPT, config, config.n_parameters, ((1, config.block_size),),
        (
            Figure(f"{in_paper}M", in_paper * 1e6, 1e6, "radford2019", "table 2", counts=variant),
            Figure(in_code, value, unit, "openai2019", "note on the models"),
        ),
        variants={variant: old.n_parameters},
        note="The authors call the paper's figure an error and don't say what it counts. With GPT-1's vocabulary "
        "of 40,478 tokens and GPT-2's 1,024 positions the formula gives it for all four sizes." + note,
    )  # fmt: skip


def _gpt3(key: str, printed: str, value: float, unit: float, millions: int, last: int, note: str = "") -> Published:
    """``millions`` is what table D.1 prints, with the last place ``last``."""
    config: GPTConfig = GPT3[key]
    variants = {}
    if key == "XL":
        variants["with 16 heads"] = dataclasses.replace(config, n_head=16).n_parameters
    elif key == "13B":
        variants["with width 5,120"] = dataclasses.replace(config, d_model=5120).n_parameters
    counts = next(iter(variants), AS_BUILT)
    training = (
        Figure("3.14 × 10²³", 3.14e23, 1e21, "brown2020", "table D.1", quantity="training_flops"),
    ) if key == "175B" else ()  # fmt: skip
    return Published(
        f"GPT-3 {key}", "gpt", 2020, GPT, config, config.n_parameters, ((1, config.block_size),),
        (
            Figure(printed, value, unit, "brown2020", "table 2.1", counts=counts),
            Figure(f"{millions:,} million", millions * 1e6, last * 1e6, "brown2020", "table D.1", counts=counts),
            *training,
        ),
        variants=variants, note=note, trained_on=300_000_000_000 if training else None,
    )  # fmt: skip


def _llama(name: str, year: int, config: LlamaConfig, figure: Figure) -> Published:
    return Published(name, "gpt", year, Llama, config, config.n_parameters, ((1, 2048),), (figure,))


#: All of them, in the order in which they were published.
PUBLISHED: tuple[Published, ...] = (
    Published(
        "LeNet-5", "cnn", 1998, LeNet, LENET_5, LENET_5.n_parameters, ((1, 1, 32, 32),),
        (Figure("60,000", 60_000, 1, "lecun1998", "section II.B"),),
    ),
    Published(
        "AlexNet", "cnn", 2012, AlexNet, ALEXNET, ALEXNET.n_parameters, ((1, 3, 227, 227),),
        (Figure("60 million", 60e6, 1e7, "krizhevsky2012", "abstract"),),
    ),
    Published(
        "GoogLeNet", "cnn", 2014, googlenet.GoogLeNet, googlenet.GOOGLENET,
        googlenet.GOOGLENET.n_parameters_at_inference, IMAGE,
        (
            Figure("6.8 million (sum of the rows)", 6.8e6, 1e5, "szegedy2015", "table 1"),
            Figure("12 times fewer than AlexNet's 60 million", 5e6, 1e6, "szegedy2015", "section 1"),
            Figure("1.5 billion", 1.5e9, 1e8, "szegedy2015", "section 1", quantity="multiply_adds"),
        ),
        variants={"with the two auxiliary classifiers of training": googlenet.GOOGLENET.n_parameters},
        note="Table 1 prints 2.7K parameters and 34M multiply-adds for the first convolution, whose widths give 9.4K "
        "and 118M, and for (4c) and (5a) others than its widths give. The text's 12 times would be 5 million.",
    ),
    _resnet(18, resnet.RESNET_18, "1.8"),
    _resnet(34, resnet.RESNET_34, "3.6", note="3.66: the paper cuts off the digit that it does not print."),
    _resnet(50, resnet.RESNET_50, "3.8", note="3.86: the paper cuts off the digit that it does not print. The 4.1 in "
            "circulation counts version 1.5, which has its stride of 2 in the 3 × 3 convolution."),
    _resnet(101, resnet.RESNET_101, "7.6"),
    _resnet(152, resnet.RESNET_152, "11.3"),
    _transformer(
        "Transformer base", transformer.TRANSFORMER_BASE, 65,
        "Counted with 37,000 shared tokens, \"about 37000\" in section 5.1; 65 million would be 40,745 tokens.",
    ),
    _transformer(
        "Transformer big", transformer.TRANSFORMER_BIG, 213,
        "Counted with 37,000 shared tokens; 213 million would be 35,784 tokens, so no one vocabulary gives both sizes.",
    ),
    Published(
        "GPT-1", "gpt", 2018, GPT, GPT1, GPT1.n_parameters, ((1, GPT1.block_size),),
        (Figure("117M", 117e6, 1e6, "radford2019", "table 2, the smallest size"),),  # "equivalent to the original GPT"
    ),
    _bert("BERT base", BERT_BASE, 110),
    _bert("BERT large", BERT_LARGE, 340),
    _gpt2("GPT-2 small", "gpt2", 117, "124M", 124e6, 1e6),
    _gpt2("GPT-2 medium", "gpt2-medium", 345, "355M", 355e6, 1e6),
    _gpt2("GPT-2 large", "gpt2-large", 762, "774M", 774e6, 1e6),
    _gpt2("GPT-2 XL", "gpt2-xl", 1542, "1.5B", 1.5e9, 1e8, note=" The corrected 1.5B is cut off, not rounded: 1.56."),
    _gpt3("Small", "125M", 125e6, 1e6, 125, 1),
    _gpt3("Medium", "350M", 350e6, 1e7, 356, 1, note="Table 2.1 rounds down what table D.1 prints in full."),
    _gpt3("Large", "760M", 760e6, 1e7, 760, 1),
    _gpt3("XL", "1.3B", 1.3e9, 1e8, 1320, 10, note="24 heads of 128 are 3,072 wide, not the printed width of 2,048. "
          "Built as printed, it has 1.52 billion; the paper's figures fit 16 heads."),
    _gpt3("2.7B", "2.7B", 2.7e9, 1e8, 2650, 10),
    _gpt3("6.7B", "6.7B", 6.7e9, 1e8, 6660, 10),
    _gpt3("13B", "13.0B", 13e9, 1e8, 12_850, 10, note="40 heads of 128 are 5,120 wide, not the printed width of 5,140; "
          "table D.1 fits a width of 5,120. Table 2.1 rounds it up to 13.0."),
    _gpt3("175B", "175.0B", 175e9, 1e8, 174_600, 100, note="Table 2.1 rounds up what table D.1 prints in full."),
    _vit("ViT-B/16", vit.VIT_BASE_16, 86, "without the classifier",
         "The paper does not say with how many classes. With 1,000 it is 86.6 million; without a classifier, its 86."),
    _vit("ViT-L/16", vit.VIT_LARGE_16, 307, "with patches of 32 pixels",
         "The paper's table has no size of the patches; its 307 fits 32 pixels and 1,000 classes, not 16."),
    _vit("ViT-H/14", vit.VIT_HUGE_14, 632, AS_BUILT,
         "The paper does not say with how many classes; with 1,000 it is its 632."),
    _llama("Llama 7B", 2023, LLAMA_7B, Figure("6.7B", 6.7e9, 1e8, "touvron2023", "table 2")),
    _llama("SmolLM2-135M", 2025, SMOLLM2_135M, Figure("135M", 135e6, 1e6, "allal2025", "the model's name")),
)  # fmt: skip


def figures_of(row: dict[str, Any], quantity: Quantity = "parameters") -> list[dict[str, Any]]:
    """Return the printed figures of a row that count ``quantity``."""
    return [figure for figure in row["figures"] if figure["quantity"] == quantity]


def _shapes(model: nn.Module) -> list[dict[str, Any]]:
    """Return the shapes of all parameters, a shared one once; those that repeat from block to block on one line."""
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for name, parameter in model.named_parameters():
        pattern = re.sub(r"(\.\d+)+\.", lambda found: ".*" * found[0].count(".", 1) + ".", name, count=1)
        groups.setdefault((pattern, tuple(parameter.shape)), []).append(name)
    return [
        {"parameter": names[0] if len(names) == 1 else pattern, "shape": list(shape), "times": len(names)}
        for (pattern, shape), names in groups.items()
    ]


def _row(entry: Published) -> dict[str, Any]:
    model = entry.model()
    output = model(*entry.inputs())
    outputs = output if isinstance(output, tuple) else (output,)
    cost = costs(model, *entry.inputs())[""]
    computed: dict[str, float] = {"multiply_adds": cost.multiply_adds}
    if entry.trained_on is not None:
        computed["training_flops"] = 6 * entry.parameters * entry.trained_on
    figures = []
    for figure in entry.figures:
        number = computed.get(figure.quantity, {AS_BUILT: entry.parameters, **entry.variants}.get(figure.counts, 0))
        figures.append(
            {
                "printed": figure.printed,
                "value": figure.value,
                "quantity": figure.quantity,
                "counts": figure.counts,
                "source": figure.source,
                "where": figure.where,
                "computed": number,
                "agrees": figure.agrees(number),
            }
        )
    return {
        "name": entry.name,
        "family": entry.family,
        "year": entry.year,
        "config": dataclasses.asdict(entry.config),
        "input": [list(shape) for shape in entry.example],
        "output": [list(y.shape) for y in outputs],
        "tokens": entry.tokens,
        "parameters": entry.parameters,
        "variants": entry.variants,
        "multiply_adds": cost.multiply_adds,
        "activations": cost.activations,
        "figures": figures,
        "note": entry.note,
        "shapes": _shapes(model),
    }


def table() -> list[dict[str, Any]]:
    """Return one row per published configuration, computed anew.

    Returns
    -------
    list
        of dictionaries that JSON can hold. ``parameters`` and ``variants`` are by closed formula; ``multiply_adds`` and
        ``activations`` by formula over the layers, for one example of the shapes in ``input``, which has ``tokens``
        tokens (None for an image). Each of ``figures`` has what is ``printed`` and what is ``computed`` for the variant
        that it ``counts``, and whether the one ``agrees`` with the other, rounded as printed. The FLOPs of a training
        are computed as 6 · parameters · tokens (Kaplan et al. 2020).
    """
    return [_row(entry) for entry in PUBLISHED]


def stored(path: Path | None = None) -> list[dict[str, Any]]:
    """Return the table as ``data/models.json`` holds it, which a test keeps equal to :func:`table`."""
    packaged = Path(__file__).parent / "_models.json"
    checkout = Path(__file__).parents[2] / "data" / "models.json"
    file = path or (packaged if packaged.is_file() else checkout)
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows
