"""A place in a model where a value that no layer puts out can be seen: queries, scores, gates."""

from __future__ import annotations

from torch import nn

__all__ = ["Tap"]


class Tap(nn.Identity):
    """Hand on what comes in, under a name of its own.

    :func:`dlcompare.recording.record` sees what modules put out. A value inside a ``forward`` that is worth seeing
    passes through a tap, so that it has a name like any layer: ``blocks.0.attention.query``. It has no parameters
    and changes nothing.
    """
