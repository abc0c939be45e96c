"""What the objectives of pre-training see and ask for, on one text: next tokens, hidden tokens, the next sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dlcompare.export import Graph
from dlcompare.models import BERT, GPT, MultiHeadSelfAttention
from dlcompare.training import IGNORED

__all__ = ["LONGEST_TEXT", "causal_objective", "encoder_objective"]

#: Tokens of the longest text that is read; an encoder reads two, with [CLS] before and [SEP] after each.
LONGEST_TEXT = 20


@contextlib.contextmanager
def _watched(model: GPT | BERT) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """While the block runs, keep the tokens' vectors, as leaves of the graph, and the scores of each layer."""
    vectors: list[Tensor] = []
    scores: list[Tensor] = []

    def leaf(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        vectors.append(output.detach().requires_grad_())
        return vectors[-1]

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        scores.append(output.detach())

    handles = [model.token_embedding.register_forward_hook(leaf)]
    attentions = [module for module in model.modules() if isinstance(module, MultiHeadSelfAttention)]
    handles += [attention.scores.register_forward_hook(keep) for attention in attentions]
    try:
        yield vectors, scores
    finally:
        for handle in handles:
            handle.remove()


def following_tokens(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return what follows each of ``ids`` (batch, seq), int64, and where something does (seq,): 1, and 0 at the last.

    At the last stands the last itself. Nothing in it is ever empty, which onnxruntime warns of in a text of one token.
    """
    place = torch.arange(ids.shape[1])
    return ids.long().index_select(1, torch.minimum(place + 1, place[-1])), (place < place[-1]).float()


def _check(model: GPT | BERT) -> None:
    if model.training and model.config.dropout:
        raise ValueError("model is in training mode, with dropout; allowed is evaluation mode: call model.eval()")


def _asked(logits: Tensor, targets: Tensor, place: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Return what the loss takes of ``logits`` (seq, vocab_size), and the surprise at one place, a scalar."""
    log_p = logits.log_softmax(-1)  # (seq, vocab_size)
    is_target = targets >= 0  # (seq,)
    chosen = log_p.gather(-1, targets.clamp(min=0).long()[:, None])[:, 0]
    losses = torch.where(is_target, -chosen, 0.0)
    at = place.long().reshape(1)
    here = log_p.index_select(0, at)[0]  # (vocab_size,)
    target = targets.long().index_select(0, at)  # (1,)
    # Where nothing is asked for, what the model holds for the likeliest.
    looked_at = torch.where(target >= 0, target, here.detach().argmax().reshape(1))
    outputs = {
        "losses": losses,
        "given": torch.where(is_target, chosen.exp(), 0.0),
        "loss": losses.sum() / is_target.float().sum().clamp(min=1),
        "probabilities": here.exp(),
    }
    return outputs, -here.gather(0, looked_at)[0]


def _sizes(gradient: Tensor) -> Tensor:
    return gradient[0].square().sum(-1).sqrt()  # (seq,)


def _visible(scores: list[Tensor]) -> Tensor:
    """Return a boolean (seq, seq): whether a row's position sees a column's, in any layer and head."""
    return torch.cat(scores).amax((0, 1)) > -torch.inf


def _below(generator: torch.Generator, limit: int, *shape: int) -> Tensor:
    return torch.randint(limit, shape, generator=generator, dtype=torch.int32)


def causal_objective(model: GPT) -> Graph:
    """Return the graph ``objective-causal``: each next token is a target (Radford et al. 2018, equation 1).

    Inputs: ``ids`` (1, seq) int32, and ``place``, int32, the position that is looked at. Outputs:

    - ``sees`` (seq, seq), boolean: whether the position of a row may see that of a column, read off the model's scores,
    - ``losses`` (seq,): of each position, by how many nats its target surprises; 0 at the last, which has none,
    - ``given`` (seq,): the probability that the model gave to the target, 0 at the last,
    - ``loss``, a number: the mean of the losses over the targets,
    - ``probabilities`` (vocab_size,): what the model says at ``place``,
    - ``influence`` (seq,): of each token, the norm of the gradient of the loss at ``place`` by the token's vector; at
      the last position, of the likeliest token's loss.

    Raises
    ------
    ValueError
        when ``model`` is in training mode and drops values at random: it would answer differently each time.
    """
    _check(model)
    longest = min(LONGEST_TEXT, model.config.block_size)

    def function(ids: Tensor, place: Tensor) -> dict[str, Tensor]:
        with torch.enable_grad(), _watched(model) as (vectors, scores):
            logits = model(ids.long())[0]  # (seq, vocab_size)
            following, has_next = following_tokens(ids)
            targets = torch.where(has_next > 0, following[0], IGNORED)
            outputs, surprise = _asked(logits, targets, place)
            (gradient,) = torch.autograd.grad(surprise, vectors[0])
        return {"sees": _visible(scores), "influence": _sizes(gradient), **outputs}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        seq = 2 + int(_below(generator, longest - 1))
        return {"ids": _below(generator, model.config.vocab_size, 1, seq), "place": _below(generator, seq)}

    return Graph("objective-causal", function, draw, varying={"ids": (1,)})


def encoder_objective(model: BERT) -> Graph:
    """Return the graph ``objective-encoder``: both objectives of an encoder (Devlin et al. 2019, section 3.1).

    Inputs, int32: ``ids`` (1, seq), with what is hidden replaced; ``segments`` (1, seq), 0 or 1; ``targets`` (seq,),
    what stood there, and -100 where nothing is asked for; ``place``, a number, the position that is looked at;
    ``label``, a number: 0 where the second text follows the first, 1 where it does not. Outputs: those of
    :func:`causal_objective`, of the hidden tokens, and

    - ``next`` (2,): the probabilities that the second text follows, and that it does not,
    - ``next_loss``, a number: by how many nats the label surprises,
    - ``next_influence`` (seq,): of each token, the norm of the gradient of that loss by the token's vector.

    Raises
    ------
    ValueError
        when ``model`` is in training mode and drops values at random: it would answer differently each time.
    """
    _check(model)
    longest = min(2 * LONGEST_TEXT + 3, model.config.block_size)

    def function(ids: Tensor, segments: Tensor, targets: Tensor, place: Tensor, label: Tensor) -> dict[str, Tensor]:
        with torch.enable_grad(), _watched(model) as (vectors, scores):
            logits = model(ids.long(), segments.long())
            outputs, surprise = _asked(logits.masked_lm[0], targets, place)
            of_pair = logits.next_sentence[0].log_softmax(-1)  # (2,)
            next_loss = -of_pair.gather(0, label.long().reshape(1))[0]
            (gradient,) = torch.autograd.grad(surprise, vectors[0], retain_graph=True)
            (of_next,) = torch.autograd.grad(next_loss, vectors[0])
        pair = {"next": of_pair.exp(), "next_loss": next_loss, "next_influence": _sizes(of_next)}
        return {"sees": _visible(scores), "influence": _sizes(gradient), **outputs, **pair}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        seq = 2 + int(_below(generator, longest - 1))
        ids = _below(generator, model.config.vocab_size, 1, seq)
        hidden = torch.rand(seq, generator=generator) < 0.3
        return {
            "ids": ids,
            "segments": (torch.arange(seq) >= seq // 2).int()[None],
            "targets": _below(generator, model.config.vocab_size, seq).masked_fill(~hidden, IGNORED),
            "place": _below(generator, seq),
            "label": _below(generator, 2),
        }

    return Graph("objective-encoder", function, draw, varying={"ids": (1,), "segments": (1,), "targets": (0,)})
