"""What a forward pass costs, by closed formula over the layers: parameters, multiply-adds, and what it has to keep.

A *multiply-add* is one product and its addition to a sum: two floating-point operations (FLOPs). The papers' "FLOPs"
of ResNet and "ops" of GoogLeNet are multiply-adds. Counted are convolutions and products of matrices; biases, norms,
activations, pooling and all else that works number by number are not.

*Activations* are the numbers that a forward pass keeps for the backward pass, with dropout off: the floating-point
tensors that autograd saves, the input among them. A tensor that two layers need is kept once, and a part that is needed
keeps the whole that it is a view of. Parameters and buffers are left out, for they are there anyway; so are indices
(token ids, places of maxima) and masks. In 32 bits an activation takes four bytes.

A block of GPT-2, with d = ``d_model``, h heads and T positions, keeps per token

    16 d + h T + 4 numbers:

twice the input of a norm with its mean and its deviation (2 d + 4), the input of both first layers (2 d), queries, keys
and values (3 d), the attention weights (h T), the mean of the values (d), and the MLP's hidden layer before and after
GELU (8 d). Korthikanti et al. (2022, section 4.1) count T b d (34 + 5 h T / d) bytes for b sequences: in 16 bits these
are the same 16 d + h T numbers per token, and dropout's share: two masks of a byte for d numbers each, and for each
attention weight a byte of mask and a second number, the weight after dropout. This is attention as its equation has it;
torch's fused kernel, which runs where nobody looks at the weights, keeps one number per token and head in their place:
16 d + h + 4.

Every formula is checked against what torch itself says: :func:`measured`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, UntypedStorage, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from dlcompare.models.attention import Attention, MultiHeadCrossAttention, MultiHeadSelfAttention
from dlcompare.models.encoder import TransformerEncoder
from dlcompare.models.lenet import RadialBasis, ScaledTanh, Subsampling
from dlcompare.models.llama import GroupedQueryAttention, RMSNorm, SwiGLU
from dlcompare.models.sequence import RowSequence, SequenceModel
from dlcompare.models.tap import Tap
from dlcompare.models.transformer import Transformer

__all__ = ["Cost", "costs", "measured"]


@dataclass(frozen=True)
class Cost:
    """What a module and all its parts cost in one forward pass.

    Parameters
    ----------
    parameters
        numbers that are trained, those of parts that did not run left out, shared ones counted once.
    multiply_adds
        multiply-adds.
    activations
        numbers kept for the backward pass; what several modules keep together counts for each of them. None where
        torch's recurrent layers take part, for what they keep depends on the library that runs them, and for a
        :class:`~dlcompare.models.SequenceModel`.
    """

    parameters: int
    multiply_adds: int
    activations: int | None = 0

    @property
    def flops(self) -> int:
        """Floating-point operations: two per multiply-add."""
        return 2 * self.multiply_adds


def _rows(y: Tensor) -> int:
    """Count the vectors that ``y`` consists of: tokens, mostly."""
    return y.shape[:-1].numel()


# --- multiply-adds: each takes the layer, its inputs and what it puts out, and leaves the layer's parts out ---------


def _none(module: nn.Module, x: Sequence[Tensor], y: Tensor) -> int:
    """Nothing is multiplied by a matrix."""
    return 0


def _convolution(module: nn.Conv1d | nn.Conv2d, x: Sequence[Tensor], y: Tensor) -> int:
    """Each number that comes out is a sum of k² (or k) · (channels in / groups) products."""
    return y.numel() * module.weight[0].numel()


def _linear(module: nn.Linear, x: Sequence[Tensor], y: Tensor) -> int:
    """Each number that comes out is a sum of n_in products."""
    return y.numel() * module.in_features


def _recurrent(module: nn.RNNBase, x: Sequence[Tensor], y: Tensor) -> int:
    """Each matrix multiplies one vector per time step."""
    return _rows(y) * sum(p.numel() for p in module.parameters() if p.ndim == 2)


def _attention(module: Any, x: Sequence[Tensor], y: Tensor) -> int:
    """Q Kᵀ and A V: seq · seq_k · n_head · d_head products each, masked places included.

    The keys belong to the last sequence that comes in: x itself, or the memory that it asks.
    """
    memory = x[1] if isinstance(module, MultiHeadCrossAttention) else x[0]
    width: int = module.n_head * module.d_head
    return 2 * _rows(y) * memory.shape[1] * width


# --- activations: the same arguments; a tensor, or how many numbers that no other layer sees -----------------------

Kept = Sequence[Tensor | int]


def _nothing(module: nn.Module, x: Sequence[Tensor], y: Tensor) -> Kept:
    return ()


def _input(module: nn.Module, x: Sequence[Tensor], y: Tensor) -> Kept:
    return (x[0],)


def _output(module: nn.Module, x: Sequence[Tensor], y: Tensor) -> Kept:
    return (y,)


def _layer_norm(module: nn.LayerNorm, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the input, and the mean and the deviation of each row."""
    return x[0], 2 * _rows(y)


def _batch_norm(module: nn.BatchNorm2d, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the input, and the mean and the deviation of each channel."""
    return x[0], 2 * module.num_features


def _response_norm(module: nn.LocalResponseNorm, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the input, its squares with the channels padded, their local sum, and that to the power β."""
    padded = y.numel() // y.shape[1] * (y.shape[1] + module.size - 1)
    return x[0], padded + 2 * y.numel()


def _rms_norm(module: RMSNorm, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the input, the root of each row's mean square, and the input divided by it."""
    return x[0], _rows(y) + y.numel()


def _heads(module: Any, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep queries, and as wide, keys and values; the weights are the softmax's to keep."""
    memory = x[1] if isinstance(module, MultiHeadCrossAttention) else x[0]
    return ((_rows(y) + 2 * _rows(memory)) * module.n_head * module.d_head,)


def _rotated_heads(module: GroupedQueryAttention, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the same, keys and values repeated for each head of their group; and cos and sin of all angles, twice."""
    return (*_heads(module, x, y), 2 * x[0].shape[1] * module.d_head)


def _gated(module: SwiGLU, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the two factors, gate and value."""
    return (2 * _rows(y) * module.up.out_features,)


def _own(module: nn.Module, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep as many numbers of its own as it puts out: the tanh, or the sums, before they are scaled."""
    return (y.numel(),)


def _differences(module: RadialBasis, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the differences to each code, before they are squared."""
    return (len(y) * module.codes.numel(),)


def _mean(module: TransformerEncoder, x: Sequence[Tensor], y: Tensor) -> Kept:
    """Keep the weight of each position in the mean, and their sum."""
    return (x[0].numel() + len(y),)


class _Formula(NamedTuple):
    multiply_adds: Callable[[Any, Sequence[Tensor], Tensor], int]
    keeps: Callable[[Any, Sequence[Tensor], Tensor], Kept] | None


#: The formulas of each kind of module, its parts left out. What is not listed only passes tensors between its parts.
_FORMULAS: dict[type[nn.Module], _Formula] = {
    nn.Conv1d: _Formula(_convolution, _input),
    nn.Conv2d: _Formula(_convolution, _input),
    nn.Linear: _Formula(_linear, _input),
    nn.RNN: _Formula(_recurrent, None),
    nn.LSTM: _Formula(_recurrent, None),
    nn.GRU: _Formula(_recurrent, None),
    MultiHeadSelfAttention: _Formula(_attention, _heads),
    MultiHeadCrossAttention: _Formula(_attention, _heads),
    GroupedQueryAttention: _Formula(_attention, _rotated_heads),
    nn.LayerNorm: _Formula(_none, _layer_norm),
    nn.BatchNorm2d: _Formula(_none, _batch_norm),
    nn.LocalResponseNorm: _Formula(_none, _response_norm),
    RMSNorm: _Formula(_none, _rms_norm),
    nn.ReLU: _Formula(_none, _output),
    nn.Tanh: _Formula(_none, _output),
    nn.Sigmoid: _Formula(_none, _output),
    nn.Softmax: _Formula(_none, _output),
    nn.GELU: _Formula(_none, _input),
    nn.SiLU: _Formula(_none, _input),
    SwiGLU: _Formula(_none, _gated),
    nn.MaxPool2d: _Formula(_none, _input),
    nn.AvgPool2d: _Formula(_none, _input),
    ScaledTanh: _Formula(_none, _own),
    Subsampling: _Formula(_none, _own),
    RadialBasis: _Formula(_none, _differences),
    TransformerEncoder: _Formula(_none, _mean),
    # They add positions; what they keep depends on how they read.
    **dict.fromkeys((SequenceModel, RowSequence), _Formula(_none, None)),
    Transformer: _Formula(_none, _nothing),  # may hold a matrix of positions, which it adds
    **dict.fromkeys(
        (nn.Embedding, nn.Dropout, nn.Identity, Tap, nn.Flatten, nn.AdaptiveAvgPool2d), _Formula(_none, _nothing)
    ),
}


def _formula(name: str, module: nn.Module) -> _Formula:
    formula = _FORMULAS.get(type(module))
    if formula is None:
        matrix = any(p.ndim > 1 and p.shape[0] > 1 for p in module.parameters(recurse=False))
        if matrix or isinstance(module, Attention) or not any(module.children()):
            known = ", ".join(known.__name__ for known in _FORMULAS)
            raise ValueError(f"{name} is a {type(module).__name__}, which has no formula; allowed are {known}")
        formula = _Formula(_none, _nothing)
    return formula


class _Keeper:
    """Counts numbers that are kept, the memory of each tensor once."""

    def __init__(self) -> None:
        self.memory: dict[int, UntypedStorage] = {}
        self.numbers: dict[int, int] = {}
        self.others = 0

    def keep(self, what: Tensor | int) -> None:
        if isinstance(what, int):
            self.others += what
            return
        memory = what.untyped_storage()
        self.memory[memory._cdata] = memory  # held, so that no other tensor gets the same place
        self.numbers[memory._cdata] = memory.nbytes() // what.element_size()

    @property
    def total(self) -> int:
        return sum(self.numbers.values()) + self.others


def costs(model: nn.Module, *inputs: Tensor) -> dict[str, Cost]:
    """Return what each named module costs in one forward pass of ``model`` on ``inputs``, by formula.

    Parameters
    ----------
    model
        any model; it is copied to the meta device and stays as it is.
    inputs
        what ``model`` is called with; only shapes and types count. A batch of one gives the costs of one example.

    Returns
    -------
    dict
        from the names of ``model.named_modules()`` that ran, "" for the whole model.

    Raises
    ------
    ValueError
        for a layer that has no formula: its cost would be missing without a sign.
    """
    originals = dict(model.named_modules())
    copied = copy.deepcopy(model).to("meta").eval()
    products: dict[str, int] = {}
    kept: dict[str, list[Tensor | int] | None] = {}

    def count(name: str, module: nn.Module, x: tuple[Tensor, ...], output: Any) -> None:
        formula = _formula(name, module)
        y = output[0] if isinstance(output, tuple) else output
        products[name] = products.get(name, 0) + formula.multiply_adds(module, x, y)
        before = kept.setdefault(name, [])
        keeps = formula.keeps
        kept[name] = None if keeps is None or before is None else [*before, *keeps(module, x, y)]

    for name, module in copied.named_modules():
        module.register_forward_hook(lambda module, x, output, name=name: count(name, module, x, output))
    with torch.no_grad():
        copied(*(x.to("meta") for x in inputs))

    parts: dict[str, list[str]] = {name: [] for name in products}  # of each module, itself among them
    for part in products:
        steps = part.split(".")
        for name in {"", *(".".join(steps[:n]) for n in range(1, len(steps) + 1))} & parts.keys():
            parts[name].append(part)

    result = {}
    for name, inside in parts.items():
        parameters = {p for part in inside for p in originals[part].parameters(recurse=False)}
        keeper, known = _Keeper(), True
        for part in inside:
            here = kept[part]
            known = known and here is not None
            for what in here or ():
                keeper.keep(what)
        result[name] = Cost(
            sum(p.numel() for p in parameters),
            sum(products[part] for part in inside),
            keeper.total if known else None,
        )
    return result


def measured(model: nn.Module, *inputs: Tensor) -> Cost:
    """Return what torch itself says about one forward pass of ``model`` on ``inputs``, without any formula.

    Parameters are counted in the modules (all of them, also of parts that do not run), multiply-adds by
    ``torch.utils.flop_counter``, activations by ``torch.autograd.graph.saved_tensors_hooks``.

    Parameters
    ----------
    model
        any model; it is copied to the meta device and stays as it is. The copy is in training mode, its dropout off.
    inputs
        what ``model`` is called with; only shapes and types count.
    """
    copied = copy.deepcopy(model).to("meta").train()
    for module in copied.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    own = {tensor.untyped_storage()._cdata for tensor in (*copied.parameters(), *copied.buffers())}
    keeper = _Keeper()

    def pack(tensor: Tensor) -> Tensor:
        if tensor.is_floating_point() and tensor.untyped_storage()._cdata not in own:
            keeper.keep(tensor)
        return tensor

    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(pack, lambda tensor: tensor):
        copied(*(x.to("meta") for x in inputs))
    return Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2, keeper.total)
