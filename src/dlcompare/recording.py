"""Recording: see what happens inside a model without changing it.

``with record(model, "blocks.0.attention.softmax") as seen:`` keeps the output of each named module of the next
forward passes, through hooks. Outside the block nothing is kept and nothing costs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import Tensor, nn

__all__ = ["record"]


@contextlib.contextmanager
def record(model: nn.Module, *names: str) -> Iterator[dict[str, Tensor]]:
    """Yield a dictionary that fills with the output of each named module of ``model`` as it runs.

    The tensors stay in the graph, and each one that requires a gradient retains it: after ``backward()``,
    ``seen[name].grad`` is the gradient of the loss with respect to that activation. A module that runs several
    times leaves its last output. A module that returns a tuple (a recurrent layer) leaves the first entry.

    Raises
    ------
    ValueError
        for no names, or a name that the model does not have; the message lists names that are close.
    RuntimeError
        at the end of the block, when a named module never ran: an empty answer would hide a mistake.
    """
    modules = dict(model.named_modules())
    if not names:
        raise ValueError("names is empty; allowed are names of modules, such as those of model.named_modules()")
    for name in names:
        if name not in modules or not name:
            last = name.rsplit(".", 1)[-1]
            close = [known for known in modules if known and (known.endswith(last) or name in known)]
            raise ValueError(
                f"the model has no module {name!r}; close are: {', '.join(close[:8] or list(modules)[1:9])}"
            )
    seen: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor | tuple[Tensor, ...]) -> None:
        value = output[0] if isinstance(output, tuple) else output
        if value.requires_grad:
            value.retain_grad()
        seen[name] = value

    handles = [
        modules[name].register_forward_hook(lambda module, inputs, output, name=name: keep(name, output))
        for name in names
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
    unseen = [name for name in names if name not in seen]
    if unseen:
        raise RuntimeError(f"these modules never ran while recording: {', '.join(unseen)}")
