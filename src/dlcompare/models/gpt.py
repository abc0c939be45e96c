"""GPT-1, GPT-2 and GPT-3: a stack of causal Transformer blocks that predicts the next token.

Radford et al. 2018 (GPT-1), Radford et al. 2019, section 2.3 (GPT-2), Brown et al. 2020, section 2.1 (GPT-3). Reads
from top to bottom: configuration, the published sizes, block, model. GPT-1 normalises after each sum (post-norm),
GPT-2 and GPT-3 before attention and MLP (pre-norm).

Deviations: GPT-3 alternates dense with locally banded sparse attention (section 2.1); here all attention is dense. The
released GPT-2 has other names of modules, and transposed matrices; :mod:`dlcompare.models.pretrained` maps them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadSelfAttention, head_width
from dlcompare.models.cache import KVCache, LayerCache
from dlcompare.models.checks import check_ids, check_positive, check_probability

__all__ = ["GPT", "GPT1", "GPT2", "GPT2_SMALL", "GPT3", "Block", "GPTConfig"]


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a GPT.

    Parameters
    ----------
    vocab_size
        number of token ids.
    block_size
        longest sequence that the model reads, in tokens.
    n_layer
        number of blocks.
    n_head
        attention heads per block.
    d_model
        width of the residual stream.
    dropout
        probability of dropping a value in training, after embedding, attention and MLP.
    d_head
        width of one head; by default the heads share ``d_model`` evenly, which ``n_head`` must then divide.
    post_norm
        whether each block normalises after adding, as GPT-1 does, and not before attention and MLP.

    Raises
    ------
    ValueError
        for a size below 1, a dropout outside [0, 1), or heads that cannot share ``d_model``.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    d_model: int
    dropout: float = 0.0
    d_head: int | None = None
    post_norm: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "block_size", "n_layer", "n_head", "d_model")
        check_probability(self, "dropout")
        if self.d_head is not None:
            check_positive(self, "d_head")
        head_width(self.d_model, self.n_head, self.d_head)

    @property
    def attention_width(self) -> int:
        """Width of all heads side by side, n_head · d_head: in every size but two of GPT-3 this is ``d_model``."""
        return self.n_head * head_width(self.d_model, self.n_head, self.d_head)

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula; the output layer shares the token embedding.

        With d = ``d_model`` and a = ``attention_width``, a block has 4 a d + 3 a + d for attention, 8 d² + 5 d for
        the MLP, 4 d for two norms: 12 d² + 13 d where a = d. Pre-norm has a last norm of 2 d.
        """
        d, a = self.d_model, self.attention_width
        block = (4 * a * d + 3 * a + d) + (8 * d * d + 5 * d) + 4 * d
        last_norm = 0 if self.post_norm else 2 * d
        return (self.vocab_size + self.block_size) * d + self.n_layer * block + last_norm


#: GPT-1 (section 4.1), whose released vocabulary has 40,478 tokens: 40,000 merges and the 478 symbols they start from.
GPT1 = GPTConfig(vocab_size=40478, block_size=512, n_layer=12, n_head=12, d_model=768, dropout=0.1, post_norm=True)


def _gpt2(n_layer: int, n_head: int, d_model: int) -> GPTConfig:
    return GPTConfig(50257, 1024, n_layer, n_head, d_model, dropout=0.1)


#: GPT-2's four sizes (table 2). The paper prints 117M, 345M, 762M and 1542M; the note beside the released code corrects
#: them to 124M, 355M, 774M and 1.5B, which are the counts here. The numbers of heads stand in the released weights.
GPT2 = {
    "gpt2": _gpt2(12, 12, 768),
    "gpt2-medium": _gpt2(24, 16, 1024),
    "gpt2-large": _gpt2(36, 20, 1280),
    "gpt2-xl": _gpt2(48, 25, 1600),
}
GPT2_SMALL = GPT2["gpt2"]


def _gpt3(n_layer: int, d_model: int, n_head: int, d_head: int) -> GPTConfig:
    return GPTConfig(50257, 2048, n_layer, n_head, d_model, d_head=d_head)


#: GPT-3's eight sizes, as table 2.1 prints them. In two rows n_head · d_head is not d_model: XL (24 · 128 = 3072, not
#: 2048) and 13B (40 · 128 = 5120, not 5140). Built as printed, XL has 1.52 billion parameters and not 1.3.
GPT3 = {
    "Small": _gpt3(12, 768, 12, 64),
    "Medium": _gpt3(24, 1024, 16, 64),
    "Large": _gpt3(24, 1536, 16, 96),
    "XL": _gpt3(24, 2048, 24, 128),
    "2.7B": _gpt3(32, 2560, 32, 80),
    "6.7B": _gpt3(32, 4096, 32, 128),
    "13B": _gpt3(40, 5140, 40, 128),
    "175B": _gpt3(96, 12288, 96, 128),
}


class Block(nn.Module):
    """Attention, then an MLP; each is added to the residual stream, with a layer norm before it or after the sum."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        d = config.d_model
        self.post_norm = config.post_norm
        self.norm1 = nn.LayerNorm(d)
        self.attention = MultiHeadSelfAttention(
            d, config.n_head, causal=True, dropout=config.dropout, d_head=config.d_head
        )
        self.norm2 = nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(approximate="tanh"), nn.Linear(4 * d, d))
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model); with a ``cache``, after what it has read."""
        if self.post_norm:  # GPT-1
            x = self.norm1(x + self.dropout(self.attention(x, cache=cache)))
            x = self.norm2(x + self.dropout(self.mlp(x)))
        else:  # GPT-2, GPT-3
            x = x + self.dropout(self.attention(self.norm1(x), cache=cache))
            x = x + self.dropout(self.mlp(self.norm2(x)))
        return x


class GPT(nn.Module):
    """A language model that predicts each next token from all before it.

    Initial weights as in the papers: normal with standard deviation 0.02 and zero biases; in pre-norm models the two
    projections into the residual stream of each block are scaled by 1/√(2 n_layer), as GPT-2's section 2.3 has it.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embedding = nn.Embedding(config.block_size, config.d_model)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = nn.Identity() if config.post_norm else nn.LayerNorm(config.d_model)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.head.weight = self.token_embedding.weight
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        if self.config.post_norm:
            return
        scale = 0.02 / math.sqrt(2 * self.config.n_layer)
        for name, parameter in self.named_parameters():
            if name.endswith(("attention.project.weight", "mlp.2.weight")):
                nn.init.normal_(parameter, std=scale)

    @classmethod
    def from_pretrained(cls, path_or_name: str | Path) -> GPT:
        """Return a GPT with the weights of a folder in the layout of the released GPT-2, in evaluation mode.

        See :func:`dlcompare.models.pretrained.load`, which says what is read and what is raised.
        """
        from dlcompare.models import pretrained

        return pretrained.load(path_or_name)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write the model in the layout of the released GPT-2; see :func:`dlcompare.models.pretrained.save`."""
        from dlcompare.models import pretrained

        return pretrained.save(self, folder)

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
        past = 0
        if cache is not None:
            cache.reserve(ids.shape[1])
            past = cache.length
        position = torch.arange(past, past + ids.shape[1], device=ids.device)
        x = self.token_embedding(ids) + self.position_embedding(position)  # (batch, seq, d_model)
        x = self.dropout(x)
        for i, block in enumerate(self.blocks):
            x = block(x, None if cache is None else cache.layer(i))
        if cache is not None:
            cache.length += ids.shape[1]
        last: Tensor = self.norm(x)
        return last

    def new_cache(self, batch: int, size: int | None = None) -> KVCache:
        """Return an empty cache for ``batch`` sequences of up to ``size`` tokens, by default ``block_size``."""
        c = self.config
        d_head = c.attention_width // c.n_head
        return KVCache(c.n_layer, batch, c.n_head, size or c.block_size, d_head, like=self.head.weight)
