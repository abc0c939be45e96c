"""Recurrent networks: Elman's RNN (1990), the LSTM (Hochreiter & Schmidhuber 1997), the GRU (Cho et al. 2014).

The recurrences themselves are ``torch.nn``'s. Its LSTM has the forget gate of Gers et al. (2000) and no peepholes;
its GRU applies the reset gate after the matrix product, which differs from the paper by that order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from dlcompare.models.checks import check_ids, check_images, check_positive, check_probability

__all__ = ["Kind", "Recurrent", "RecurrentConfig", "RecurrentLM", "RecurrentLMConfig", "RowReader", "State"]

Kind = Literal["rnn", "lstm", "gru"]
#: Hidden state (n_layer, batch, hidden_size); an LSTM's is a pair: hidden and cell state.
State = Tensor | tuple[Tensor, Tensor]

_LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def _check_kind(kind: str) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; allowed are {', '.join(map(repr, get_args(Kind)))}")


@dataclass(frozen=True)
class RecurrentConfig:
    """Sizes of a recurrent network over vectors.

    Parameters
    ----------
    kind
        "rnn", "lstm" or "gru".
    input_size
        numbers per time step.
    hidden_size
        width of the hidden state.
    output_size
        numbers that the linear output layer gives per time step.
    n_layer
        recurrent layers, one above the other.
    """

    kind: Kind
    input_size: int
    hidden_size: int
    output_size: int
    n_layer: int = 1

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        check_positive(self, "input_size", "hidden_size", "output_size", "n_layer")


class Recurrent(nn.Module):
    """A recurrent network with a linear output layer: the article's listing 4.1.2, for every kind and depth.

    The article reads the output of the last step alone; here each step has one, and a classifier takes ``[:, -1]``.
    """

    def __init__(self, config: RecurrentConfig):
        super().__init__()
        self.config = config
        self.recurrence = _LAYERS[config.kind](config.input_size, config.hidden_size, config.n_layer, batch_first=True)
        self.output = nn.Linear(config.hidden_size, config.output_size)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seq, input_size) to (batch, seq, output_size), from a hidden state of zeros.

        Raises
        ------
        ValueError
            when ``x`` has another shape.
        """
        if x.ndim != 3 or x.shape[2] != self.config.input_size:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; allowed is (batch, seq, input_size = {self.config.input_size})"
            )
        hidden, _ = self.recurrence(x)  # (batch, seq, hidden_size)
        y: Tensor = self.output(hidden)
        return y


class RowReader(Recurrent):
    """A recurrent network that reads a grey image from top to bottom, one row per time step.

    Its answer is the output after the last row; ``input_size`` is the image's width, ``output_size`` the number of
    classes. Le, Jaitly & Hinton (2015) read MNIST pixel by pixel; a row at a time makes 28 steps of it instead of 784.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map images (batch, 1, height, input_size) to logits (batch, output_size).

        Raises
        ------
        ValueError
            for images of another shape.
        """
        check_images(x, 1)
        logits: Tensor = super().forward(x[:, 0])[:, -1]
        return logits


@dataclass(frozen=True)
class RecurrentLMConfig:
    """Sizes of a recurrent language model.

    Parameters
    ----------
    kind
        "rnn", "lstm" or "gru".
    vocab_size
        number of token ids.
    d_model
        width of the embedding and of the hidden state.
    n_layer
        recurrent layers, one above the other.
    dropout
        probability of dropping a value in training, before each layer and before the output.
    """

    kind: Kind
    vocab_size: int
    d_model: int
    n_layer: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        check_positive(self, "vocab_size", "d_model", "n_layer")
        check_probability(self, "dropout")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula; the output layer shares the embedding.

        Each gate of a layer has two d × d matrices and two biases; an RNN has 1 gate, a GRU 3, an LSTM 4.
        """
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[self.kind]
        d = self.d_model
        return self.vocab_size * d + self.n_layer * gates * (2 * d * d + 2 * d)


class RecurrentLM(nn.Module):
    """A recurrent language model: embedding, recurrence, and the embedding's transpose as output layer."""

    def __init__(self, config: RecurrentLMConfig):
        super().__init__()
        self.config = config
        d = config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, d)
        self.dropout = nn.Dropout(config.dropout)
        self.recurrence = _LAYERS[config.kind](
            d, d, config.n_layer, batch_first=True, dropout=config.dropout if config.n_layer > 1 else 0.0
        )
        self.head = nn.Linear(d, config.vocab_size, bias=False)
        self.head.weight = self.token_embedding.weight
        nn.init.normal_(self.token_embedding.weight, std=d**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits (batch, seq, vocab_size) of each next token, from a hidden state of zeros."""
        return self.advance(ids)[0]

    def advance(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Read ``ids`` (batch, seq) after ``state`` and return the logits and the new state.

        The whole past is in the state: reading a text in pieces gives the same logits as reading it at once.
        """
        check_ids(ids, self.config.vocab_size)
        x = self.dropout(self.token_embedding(ids))  # (batch, seq, d_model)
        hidden, state = self.recurrence(x, state)
        logits: Tensor = self.head(self.dropout(hidden))
        assert state is not None
        return logits, state
