"""Handwritten digits: an image in, one of ten classes out."""

from __future__ import annotations

from dlcompare import data
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task

__all__ = ["DIGITS", "load"]


def load(seed: int) -> Examples:
    """Return the 28 × 28 images of :func:`~dlcompare.data.load_digits`; ``seed`` changes nothing."""
    splits = data.load_digits().map(lambda part: Part(part.images, part.labels))
    return Examples(Form("image", "class", size_in=28, length=28, size_out=10), splits)


#: Handwritten digits. The images are not shifted or otherwise multiplied, for any family.
DIGITS = Task(
    "digits",
    "which digit does the image show?",
    load,
    Metric("accuracy", "share", higher_is_better=True),
    {"batch_size": 64, "steps": 800},
    data=("digits",),
    bar=Bar("a small CNN", "cnn", stated=0.965),
)
