"""Llama: a causal, pre-norm Transformer decoder without a bias (Touvron et al. 2023, section 2.2).

What it changes about GPT-2: RMSNorm for layer norm (Zhang & Sennrich 2019), rotations of queries and keys for position
embeddings (Su et al. 2021), a gated MLP (Shazeer 2020), and keys and values that several heads share (Ainslie et al.
2023; the first Llama gives each head its own). Reads from top to bottom: configuration, norm, rotation, attention, MLP,
block, model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.attention import Attention
from dlcompare.models.cache import KVCache, LayerCache
from dlcompare.models.checks import check_ids, check_positive
from dlcompare.models.tap import Tap

__all__ = [
    "LLAMA_7B",
    "SMOLLM2_135M",
    "Block",
    "GroupedQueryAttention",
    "Llama",
    "LlamaConfig",
    "RMSNorm",
    "SwiGLU",
    "rotate",
]


@dataclass(frozen=True)
class LlamaConfig:
    """Sizes of a Llama.

    Parameters
    ----------
    vocab_size
        number of token ids.
    block_size
        longest sequence that the model reads, in tokens.
    n_layer
        number of blocks.
    n_head
        heads of queries per block; divides ``d_model`` into heads of an even width.
    n_kv_head
        heads of keys and values per block; divides ``n_head``.
    d_model
        width of the residual stream.
    d_hidden
        width of the gated MLP's hidden layer.
    rope_theta
        base of the rotations' wavelengths, which run from 2π tokens to almost 2π ``rope_theta``.
    norm_eps
        added to the mean square under the root of each norm.
    tied
        whether the output layer shares the token embedding.

    Raises
    ------
    ValueError
        for a size below 1, heads that don't divide as above, or a number that is not positive.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_kv_head: int
    d_model: int
    d_hidden: int
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tied: bool = False

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "block_size", "n_layer", "n_head", "n_kv_head", "d_model", "d_hidden")
        check_positive(self, *sizes)
        if self.d_model % (2 * self.n_head):
            raise ValueError(
                f"n_head is {self.n_head}, which does not divide d_model = {self.d_model} into heads of an even width"
            )
        if self.n_head % self.n_kv_head:
            raise ValueError(f"n_kv_head is {self.n_kv_head}, which does not divide n_head = {self.n_head}")
        for name in ("rope_theta", "norm_eps"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed is > 0")

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_head

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula.

        Per block: 2 d² for queries and projection, 2 d · n_kv_head · d_head for keys and values, 3 d · d_hidden for the
        MLP, 2 d for two norms. Besides: the embedding, d for the last norm, and the output layer unless it is tied.
        """
        d = self.d_model
        block = 2 * d * d + 2 * d * self.n_kv_head * self.d_head + 3 * d * self.d_hidden + 2 * d
        return (1 if self.tied else 2) * self.vocab_size * d + self.n_layer * block + d


#: The smallest size of the paper's table 2, which says 6.7B: 6,738,415,616.
LLAMA_7B = LlamaConfig(
    vocab_size=32_000, block_size=2048, n_layer=32, n_head=32, n_kv_head=32, d_model=4096, d_hidden=11_008,
    norm_eps=1e-6,
)  # fmt: skip

#: The smallest SmolLM2 (Allal et al. 2025), with the context of 8,192 tokens: 134,515,008 parameters.
SMOLLM2_135M = LlamaConfig(
    vocab_size=49_152, block_size=8192, n_layer=30, n_head=9, n_kv_head=3, d_model=576, d_hidden=1536,
    rope_theta=100_000.0, tied=True,
)  # fmt: skip


class RMSNorm(nn.Module):
    """Divide by the root of the mean square, then scale (Zhang & Sennrich 2019, equation 4).

    Unlike a layer norm it subtracts no mean and adds no bias. The paper has no ``eps``; Llama adds it, so that zeros
    stay zeros.
    """

    def __init__(self, d_model: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, d_model) to (…, d_model)."""
        mean_square = x.pow(2).mean(-1, keepdim=True)  # (…, 1)
        return x * torch.rsqrt(mean_square + self.eps) * self.weight


def rotate(x: Tensor, position: Tensor, theta: float) -> Tensor:
    r"""Rotate each pair of neighbouring dimensions by an angle that grows with the position (Su et al. 2021, eq. 34).

    Pair :math:`i` of a vector at position :math:`t` turns by :math:`t\,\theta^{-2i/d}`. The product of a rotated query
    and a rotated key then depends on their distance alone, not on where they stand.

    Parameters
    ----------
    x
        queries or keys, (batch, n_head, seq, d_head) with an even ``d_head``.
    position
        of each token, (seq,).
    theta
        base of the wavelengths, 10,000 in the paper.

    Returns
    -------
    Tensor
        of the shape and dtype of ``x``. The angles are float32 in every dtype, as in Llama's code.

    Notes
    -----
    Dimensions 2i and 2i + 1 are a pair, as in the paper and in Llama's weights. Hugging Face's ports pair i with
    i + d_head/2 instead, with the rows of the query and key weights reordered to match.
    """
    d_head = x.shape[-1]
    frequency = 1.0 / theta ** (torch.arange(0, d_head, 2, device=x.device) / d_head)  # (d_head/2,)
    angle = position[:, None] * frequency  # (seq, d_head/2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]  # (batch, n_head, seq, d_head/2)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


class GroupedQueryAttention(Attention):
    """Causal self-attention on rotated queries and keys; each head of keys and values serves a group of queries' heads.

    With ``n_kv_head = n_head`` every head has its own, as in Vaswani et al. (2017); with 1, all share one. What
    a generator has to keep of the past shrinks by ``n_head / n_kv_head`` (Ainslie et al. 2023, section 2.2).
    """

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.n_head, self.n_kv_head, self.d_head = config.n_head, config.n_kv_head, config.d_head
        self.theta = config.rope_theta
        self.to_query = nn.Linear(config.d_model, self.n_head * self.d_head, bias=False)
        self.to_key = nn.Linear(config.d_model, self.n_kv_head * self.d_head, bias=False)
        self.to_value = nn.Linear(config.d_model, self.n_kv_head * self.d_head, bias=False)
        self.project = nn.Linear(self.n_head * self.d_head, config.d_model, bias=False)

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model); with a ``cache``, after what it has read."""
        batch, seq, _ = x.shape
        Q = self.to_query(x).view(batch, seq, self.n_head, self.d_head).transpose(1, 2)
        K = self.to_key(x).view(batch, seq, self.n_kv_head, self.d_head).transpose(1, 2)
        V = self.to_value(x).view(batch, seq, self.n_kv_head, self.d_head).transpose(1, 2)

        past = 0 if cache is None else cache.past
        position = torch.arange(past, past + seq, device=x.device)
        Q = rotate(Q, position, self.theta)  # (batch, n_head, seq, d_head)
        K = rotate(K, position, self.theta)  # (batch, n_kv_head, seq, d_head)
        if cache is not None:
            K, V = cache.extend(torch.cat([K, V], dim=1))  # each (batch, n_kv_head, past + seq, d_head)
            Q = Q.to(K.dtype)  # a cache may keep more digits than the model

        group = self.n_head // self.n_kv_head
        K, V = K.repeat_interleave(group, dim=1), V.repeat_interleave(group, dim=1)  # (batch, n_head, …, d_head)
        y = self.attend(Q, K, V, causal=True).to(x.dtype)  # (batch, n_head, seq, d_head)
        out: Tensor = self.project(y.transpose(1, 2).flatten(2))
        return out


class SwiGLU(nn.Module):
    """An MLP whose hidden values are let through by a learned gate (Shazeer 2020, equation 6).

    ``gate``, ``up`` and ``down`` are the paper's W, V and W₂; ``swish`` is the open gate, ``hidden`` what passes it.
    """

    def __init__(self, d_model: int, d_hidden: int):
        super().__init__()
        self.gate = nn.Linear(d_model, d_hidden, bias=False)
        self.up = nn.Linear(d_model, d_hidden, bias=False)
        self.down = nn.Linear(d_hidden, d_model, bias=False)
        self.swish = nn.SiLU()
        self.hidden = Tap()

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, d_model) to (…, d_model)."""
        hidden = self.hidden(self.swish(self.gate(x)) * self.up(x))  # (…, d_hidden)
        out: Tensor = self.down(hidden)
        return out


class Block(nn.Module):
    """Attention, then a gated MLP, each behind a norm and added to the residual stream."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.norm1 = RMSNorm(config.d_model, config.norm_eps)
        self.attention = GroupedQueryAttention(config)
        self.norm2 = RMSNorm(config.d_model, config.norm_eps)
        self.mlp = SwiGLU(config.d_model, config.d_hidden)

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model); with a ``cache``, after what it has read."""
        x = x + self.attention(self.norm1(x), cache)
        x = x + self.mlp(self.norm2(x))
        return x


class Llama(nn.Module):
    """A language model that predicts each next token from all before it.

    Initial weights: normal with standard deviation 0.02, which the paper does not state; GPT-2's value.
    """

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = RMSNorm(config.d_model, config.norm_eps)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tied:
            self.head.weight = self.token_embedding.weight
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits of each next token.

        Parameters
        ----------
        ids
            token ids, integer, (batch, seq) with seq ≤ ``block_size``.

        Returns
        -------
        Tensor
            (batch, seq, vocab_size); position t holds the logits of token t + 1.

        Raises
        ------
        ValueError
            for a wrong shape, an id out of range, or a sequence longer than ``block_size``.
        """
        logits: Tensor = self.head(self.hidden(ids))
        return logits

    def hidden(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Return the last layer (batch, seq, d_model), from which ``head`` computes the logits.

        With a ``cache``, ``ids`` (batch, seq) come after the tokens that it has read; it then has read them too. What
        comes out is the same as without, up to rounding.
        """
        check_ids(ids, self.config.vocab_size, longest=self.config.block_size)
        if cache is not None:
            cache.reserve(ids.shape[1])
        x = self.token_embedding(ids)  # (batch, seq, d_model)
        for i, block in enumerate(self.blocks):
            x = block(x, None if cache is None else cache.layer(i))
        if cache is not None:
            cache.length += ids.shape[1]
        last: Tensor = self.norm(x)
        return last

    def new_cache(self, batch: int, size: int | None = None) -> KVCache:
        """Return an empty cache for ``batch`` sequences of up to ``size`` tokens, by default ``block_size``."""
        c = self.config
        return KVCache(c.n_layer, batch, c.n_kv_head, size or c.block_size, c.d_head, like=self.head.weight)
