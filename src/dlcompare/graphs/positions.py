"""How a Transformer learns where a token stands: position vectors, rotations, and attention to a shuffled text."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.models.encoder import sinusoidal_positions
from dlcompare.models.gpt import GPT, Block
from dlcompare.models.llama import rotate

__all__ = ["KINDS", "LONGEST", "POSITIONS", "THETA", "position_pass"]

#: What tells a token where it stands: nothing, sinusoids, a learned table, rotations; by their numbers in the graph.
KINDS = ("none", "sinusoidal", "learned", "rotary")
#: Positions that are shown.
POSITIONS = 64
#: Tokens of the longest text that the graph is drawn for.
LONGEST = 24
#: Base of the rotations' wavelengths (Su et al. 2021).
THETA = 10_000.0


def position_pass(model: GPT) -> Graph:
    r"""Return the graph of positions and of what attention makes of a shuffled text, with ``model``'s first layer.

    Sinusoids are those of Vaswani et al. (2017), section 3.5, to which belongs the embedding times
    :math:`\sqrt{d}`; the learned table is the model's own; rotations are those of Su et al. (2021), equation 34, of
    the model's queries and keys. The weights were trained with the learned table; that attention without positions
    and without a mask sees no order holds for any weights.

    Inputs, int32: ``ids`` (seq,), the tokens; ``order`` (seq,), which of them stands first, second and so on once the
    text is shuffled; and the numbers ``kind`` (a place in ``KINDS``), ``causal`` (0 or 1), ``token`` (a place in
    the text), ``position`` and ``distance`` (0 to 63) and ``pair`` (of dimensions). Outputs, with N = 64 positions and
    heads of ``d_head``:

    - ``sinusoidal``, ``learned`` (N, d_model): the vectors of both tables; ``rotary`` (N, d_head): the cosine and the
      sine of each pair's angle,
    - ``dots_sinusoidal``, ``dots_learned`` (N,): the vector at ``position`` times each of them; ``dots_rotary`` (N,):
      the token's query in the first head, rotated to ``position``, times its key, rotated to each position,
    - ``query``, ``key`` (2,): that query's and key's ``pair``, without a rotation; ``turned_query``, ``turned_key``
      (2,): rotated to ``position``, and to the one ``distance`` before it; ``angles`` (2,): by how much, in radians;
      ``dot_plain`` and ``dot_turned``: the products of the two pairs before and after,
    - ``in_order`` (seq, d_model): attention's output for the text; ``shuffled``: that for the shuffled text;
      ``moved``: the rows of ``in_order`` in the new order; ``apart`` (seq,): the norms of the differences between the
      last two; ``sizes`` (seq,): the norms of the rows of ``moved``; ``largest``: the largest of ``apart``.

    Raises
    ------
    ValueError
        when ``model`` drops values at random, or reads fewer than 64 tokens, or has heads of an odd width.
    """
    config = model.config
    block = model.blocks[0]
    assert isinstance(block, Block)
    attention, d_head = block.attention, block.attention.d_head
    if model.training and config.dropout:
        raise ValueError("model is in training mode, with dropout; allowed is evaluation mode: call model.eval()")
    if config.block_size < POSITIONS or d_head % 2 or config.d_model % 2:
        raise ValueError(
            f"model has block_size = {config.block_size}, d_model = {config.d_model} and heads of {d_head}; allowed "
            f"are at least {POSITIONS} positions and even widths"
        )
    sinusoids = sinusoidal_positions(POSITIONS, config.d_model)  # (N, d)
    everywhere = torch.arange(POSITIONS)

    def heads(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values of (seq, d), each (1, n_head, seq, d_head)."""
        z = block.norm1(x[None])
        stacked = attention.query_key_value(z).view(1, -1, 3 * config.n_head, d_head).transpose(1, 2)
        q, k, v = stacked.chunk(3, dim=1)
        return q, k, v

    def read(embedded: Tensor, kind: Tensor, causal: Tensor) -> Tensor:
        """Return what the layer's attention puts out for embedded tokens (seq, d) as they stand."""
        seq = embedded.shape[0]
        scale = torch.where(kind == 1, math.sqrt(config.d_model), 1.0)
        added = torch.where(kind == 1, sinusoids[:seq], torch.zeros(()))
        added = torch.where(kind == 2, model.position_embedding.weight[:seq], added)
        q, k, v = heads(scale * embedded + added)
        place = torch.arange(seq)
        q, k = (torch.where(kind == 3, rotate(x, place, THETA), x) for x in (q, k))
        visible = torch.ones(seq, seq, dtype=torch.bool).tril() | (causal == 0)
        mixed = attention.attend(q, k, v, visible)  # (1, n_head, seq, d_head)
        out: Tensor = attention.project(mixed.transpose(1, 2).flatten(2))[0]
        return out

    def row(table: Tensor, place: Tensor) -> Tensor:
        return table.index_select(0, place.long().reshape(1))[0]

    def function(
        ids: Tensor,
        order: Tensor,
        kind: Tensor,
        causal: Tensor,
        token: Tensor,
        position: Tensor,
        distance: Tensor,
        pair: Tensor,
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            learned = model.position_embedding.weight[:POSITIONS]
            embedded = model.token_embedding(ids.long())  # (seq, d)
            q, k, _ = heads(row(embedded, token)[None])
            query, key = q[:, :1], k[:, :1]  # (1, 1, 1, d_head), of the first head
            here = position.long().reshape(1)
            before = here - distance.long().reshape(1)
            keys = rotate(key.expand(1, 1, POSITIONS, d_head), everywhere, THETA)[0, 0]  # (N, d_head)
            turned_query, turned_key = rotate(query, here, THETA), rotate(key, before, THETA)
            basis = torch.ones(d_head) * (torch.arange(d_head) % 2 == 0)  # (1, 0) in every pair
            cosines = rotate(basis.expand(1, 1, POSITIONS, d_head), everywhere, THETA)[0, 0]  # (N, d_head)

            def one_pair(x: Tensor) -> Tensor:
                return row(x.reshape(d_head // 2, 2), pair)

            frequency = THETA ** (-2.0 * pair / d_head)
            two = {
                "query": one_pair(query), "key": one_pair(key),
                "turned_query": one_pair(turned_query), "turned_key": one_pair(turned_key),
            }  # fmt: skip
            places = order.long()
            in_order = read(embedded, kind, causal)
            shuffled = read(embedded.index_select(0, places), kind, causal)
            moved = in_order.index_select(0, places)
            apart = (shuffled - moved).square().sum(-1).sqrt()
            return {
                "sinusoidal": sinusoids * 1,
                "learned": learned * 1,
                "rotary": cosines,
                "dots_sinusoidal": sinusoids @ row(sinusoids, position),
                "dots_learned": learned @ row(learned, position),
                "dots_rotary": keys @ turned_query[0, 0, 0],
                **two,
                "angles": torch.cat([here, before]) * frequency,
                "dot_plain": (two["query"] * two["key"]).sum(),
                "dot_turned": (two["turned_query"] * two["turned_key"]).sum(),
                "in_order": in_order,
                "shuffled": shuffled,
                "moved": moved,
                "apart": apart,
                "sizes": moved.square().sum(-1).sqrt(),
                "largest": apart.amax(0),
            }

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        def below(limit: int, *shape: int) -> Tensor:
            return torch.randint(limit, shape, generator=generator, dtype=torch.int32)

        seq = 2 + int(below(LONGEST - 1))
        return {
            "ids": below(config.vocab_size, seq),
            "order": torch.randperm(seq, generator=generator).int(),
            "kind": below(len(KINDS)),
            "causal": below(2),
            "token": below(seq),
            "position": below(POSITIONS),
            "distance": below(POSITIONS),
            "pair": below(d_head // 2),
        }

    return Graph("positions", function, draw, varying={"ids": (0,), "order": (0,)})
