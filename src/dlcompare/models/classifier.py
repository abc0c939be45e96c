"""A pre-trained Transformer with a new layer on top that tells classes apart: what fine-tuning starts from.

GPT's classifier reads the last layer at the last token (Radford et al. 2018, section 3.3 and figure 1), BERT's reads
the pooled last layer at [CLS] (Devlin et al. 2019, section 3.2). Both drop values of it in training.

Deviations: GPT-1 ends a text with a token of its own, which is new in fine-tuning; here whoever writes the ids decides
(the recipes use a token that pre-training never showed). GPT-1 adds its language-modelling loss in fine-tuning
(section 3.2, equation 5); here there is none.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.bert import BERT, BERTConfig
from dlcompare.models.checks import check_positive
from dlcompare.models.gpt import GPT, GPTConfig

__all__ = ["BERTClassifier", "BERTClassifierConfig", "GPTClassifier", "GPTClassifierConfig"]


@dataclass(frozen=True)
class GPTClassifierConfig:
    """Sizes of a GPT that classifies.

    Parameters
    ----------
    base
        sizes of the GPT; its dropout is the new layer's as well.
    classes
        number of classes.

    Raises
    ------
    ValueError
        when ``classes`` is less than 1.
    """

    base: GPTConfig
    classes: int

    def __post_init__(self) -> None:
        check_positive(self, "classes")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula: the GPT's, and (d + 1) c for the new layer."""
        return self.base.n_parameters + (self.base.d_model + 1) * self.classes


class GPTClassifier(nn.Module):
    """A GPT, and a linear layer that reads its last layer at the last token of a text.

    That token alone has seen the whole text. The new layer starts from the GPT's own initial weights: normal with
    standard deviation 0.02, biases zero.
    """

    def __init__(self, config: GPTClassifierConfig):
        super().__init__()
        self.config = config
        self.base = GPT(config.base)
        self.dropout = nn.Dropout(config.base.dropout)
        self.classifier = _new_layer(config.base.d_model, config.classes)

    @classmethod
    def from_language_model(cls, gpt: GPT, classes: int, dropout: float = 0.0) -> GPTClassifier:
        """Return a classifier with a copy of the weights of ``gpt``, and a new last layer."""
        model = cls(GPTClassifierConfig(dataclasses.replace(gpt.config, dropout=dropout), classes))
        model.base.load_state_dict(gpt.state_dict())
        return model

    def forward(self, ids: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return the logits of the classes.

        Parameters
        ----------
        ids
            token ids, integer, (batch, seq) with seq ≤ ``block_size``.
        visible
            boolean, (batch, seq): False marks padding on the right of a text. By default there is none.

        Returns
        -------
        Tensor
            (batch, classes).

        Raises
        ------
        ValueError
            for a wrong shape, an id out of range, or a sequence longer than ``block_size``.
        """
        x = self.base.hidden(ids)  # (batch, seq, d_model)
        visible = torch.ones_like(ids, dtype=torch.bool) if visible is None else visible
        last = visible.sum(1) - 1  # (batch,)
        x = x[torch.arange(len(x), device=x.device), last]  # (batch, d_model)
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


@dataclass(frozen=True)
class BERTClassifierConfig:
    """Sizes of a BERT that classifies texts, or pairs of them.

    Parameters
    ----------
    base
        sizes of the BERT; its dropout is the new layer's as well.
    classes
        number of classes.

    Raises
    ------
    ValueError
        when ``classes`` is less than 1.
    """

    base: BERTConfig
    classes: int

    def __post_init__(self) -> None:
        check_positive(self, "classes")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula: those of encoder and pooler, and (d + 1) c for the new layer."""
        return self.base.n_encoder_parameters + (self.base.d_model + 1) * self.classes


class BERTClassifier(nn.Module):
    """A BERT without its two pretraining heads, and a linear layer that reads what is pooled at [CLS]."""

    def __init__(self, config: BERTClassifierConfig):
        super().__init__()
        self.config = config
        self.base = BERT(config.base)
        del self.base.transform, self.base.masked_lm, self.base.next_sentence
        self.dropout = nn.Dropout(config.base.dropout)
        self.classifier = _new_layer(config.base.d_model, config.classes)

    @classmethod
    def from_encoder(cls, bert: BERT, classes: int, dropout: float = 0.0) -> BERTClassifier:
        """Return a classifier with a copy of the weights of ``bert``, its heads left out, and a new last layer."""
        model = cls(BERTClassifierConfig(dataclasses.replace(bert.config, dropout=dropout), classes))
        kept = model.base.state_dict().keys()
        model.base.load_state_dict({name: tensor for name, tensor in bert.state_dict().items() if name in kept})
        return model

    def forward(self, ids: Tensor, segments: Tensor | None = None, visible: Tensor | None = None) -> Tensor:
        """Return the logits of the classes, (batch, classes).

        Parameters
        ----------
        ids
            token ids, integer, (batch, seq) with seq ≤ ``block_size``, the first of them [CLS].
        segments
            0 or 1 for each token, (batch, seq): the first or the second text. By default all are 0.
        visible
            boolean, (batch, seq): False marks padding, which no position may see.

        Raises
        ------
        ValueError
            for a wrong shape, an id or a segment out of range, or a sequence longer than ``block_size``.
        """
        x = self.base.encode(ids, segments, visible)  # (batch, seq, d_model)
        pooled = self.base.pooler(x[:, 0])  # (batch, d_model)
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def _new_layer(d_model: int, classes: int) -> nn.Linear:
    layer = nn.Linear(d_model, classes)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer
