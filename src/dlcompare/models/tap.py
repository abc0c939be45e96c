"""A place in a model where a value that no layer puts out can be seen: queries, scores, gates."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.nn.modules.module import _has_any_global_hook

__all__ = ["Tap", "any_hooked"]


class Tap(nn.Identity):
    """Hand on what comes in, under a name of its own.

    :func:`dlcompare.recording.record` sees what modules put out. A value inside a ``forward`` that is worth seeing
    passes through a tap, so that it has a name like any layer: ``blocks.0.attention.query``. It has no parameters
    and changes nothing.
    """


def any_hooked(modules: Iterable[nn.Module | None]) -> bool:
    """Return whether a hook of any kind would run if one of ``modules`` did.

    What several modules compute step by step may be computed in one go only where nobody looks at a step; torch's
    own ``TransformerEncoderLayer`` asks the same question.
    """
    for module in modules:
        if module is not None and (
            module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
        ):
            return True
    return bool(_has_any_global_hook())  # type: ignore[no-untyped-call]
