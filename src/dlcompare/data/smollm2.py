"""SmolLM2-135M-Instruct: the weights and the tokenizer of a pretrained language model, as one GGUF file."""

from __future__ import annotations

from dlcompare.data._archives import members

__all__ = ["load_smollm2"]


def load_smollm2() -> bytes:
    """Return the content of the GGUF file, 98 MB; :func:`dlcompare.smollm.load` makes a model of it."""
    (content,) = members("smollm2").values()
    return content
