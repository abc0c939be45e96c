"""Recording: see what happens inside a model without changing it.

``with record(model, "blocks.*.attention.softmax") as seen:`` keeps what each named module puts out in the forward
passes of the block, through hooks. Outside the block nothing is kept and nothing costs. After a backward pass,
``seen.gradient(name)`` is the gradient of the loss with respect to that activation.
"""

from __future__ import annotations

import contextlib
import difflib
import fnmatch
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

__all__ = ["Recording", "RecordingError", "record"]


class RecordingError(RuntimeError):
    """What was asked for was not recorded, or is no longer what it was; the message says why."""


class Recording(Mapping[str, Tensor]):
    """What modules put out, by their names, in the order in which they first ran.

    ``recording[name]`` is the output of a module that ran once; :meth:`all` gives every output of one that ran several
    times, as a recurrent cell's gates do, once per time step. Nothing is ever silently empty: what is not there raises,
    from ``get`` too. Of a module that puts out several tensors (a
    recurrent layer: its outputs and its last state) the first is kept.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._outputs: dict[str, list[tuple[Tensor, int]]] = {}

    def _keep(self, name: str, output: object) -> None:
        value = output[0] if isinstance(output, tuple | list) and output else output
        if not isinstance(value, Tensor):
            raise RecordingError(
                f"module {name!r} puts out a {type(value).__name__}; only tensors, and tuples that begin with one,"
                " are recorded"
            )
        if value.requires_grad:
            value.retain_grad()
        self._outputs.setdefault(name, []).append((value, _version(value)))

    def all(self, name: str) -> tuple[Tensor, ...]:
        """Return every output of module ``name``, one per call, in the order of the calls.

        Raises
        ------
        RecordingError
            when the module was not asked for or has not run, or when an operation in place has since overwritten
            what it put out.
        """
        if name not in self._outputs:
            reason = "it has not run yet" if name in self._names else f"only these are: {', '.join(self._names)}"
            raise RecordingError(f"module {name!r} is not recorded; {reason}")
        for value, version in self._outputs[name]:
            if _version(value) != version:
                raise RecordingError(
                    f"what module {name!r} put out was overwritten by an operation in place (such as"
                    " ReLU(inplace=True)); record the module that overwrites it, or let it write elsewhere"
                )
        return tuple(value for value, _ in self._outputs[name])

    def __getitem__(self, name: str) -> Tensor:
        """Return the output of module ``name``, which ran once.

        Raises
        ------
        RecordingError
            as :meth:`all`, and when the module ran several times, for then there is no one output.
        """
        outputs = self.all(name)
        if len(outputs) > 1:
            raise RecordingError(f"module {name!r} ran {len(outputs)} times; all({name!r}) gives all that it put out")
        return outputs[0]

    def __contains__(self, name: object) -> bool:
        return name in self._outputs

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def gradient(self, name: str) -> Tensor:
        """Return the gradient with respect to the output of module ``name``, of the output's shape.

        It belongs to the last ``backward()``; several add up, as in torch.

        Raises
        ------
        RecordingError
            as ``recording[name]``, and when there is no gradient: nothing was propagated backward, the forward pass
            ran under ``torch.no_grad()``, or the loss does not depend on the output.
        """
        value = self[name]
        if not value.requires_grad:
            raise RecordingError(f"module {name!r} has no gradient: its output was computed without a graph")
        if value.grad is None:
            raise RecordingError(f"module {name!r} has no gradient: call backward() on a loss that depends on it")
        return value.grad


@contextlib.contextmanager
def record(model: nn.Module, *names: str) -> Iterator[Recording]:
    """Record what the named modules of ``model`` put out while the block runs.

    Parameters
    ----------
    model
        any module; its parameters and its code stay as they are.
    *names
        names of modules as ``model.named_modules()`` has them, or patterns such as ``"blocks.*.attention.softmax"``
        (as :mod:`fnmatch` knows them; ``*`` stands for anything). ``"*"`` records every module.

    Yields
    ------
    Recording
        a mapping from names to tensors that fills as the modules run. The tensors stay in the graph, and each one
        that requires a gradient retains it.

    Raises
    ------
    ValueError
        for no names, or a name or pattern that fits no module; the message lists names that are close.
    RecordingError
        at the end of the block, when a module that was named in full, or every module that a pattern fits, never
        ran. An empty answer would hide a mistake: some of torch's layers compute in one go what their parts would
        compute (``nn.MultiheadAttention`` never runs its ``out_proj``), and such a part has nothing to show.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    if not names:
        raise ValueError("names is empty; allowed are names of modules, such as those of model.named_modules()")
    found = {name: fnmatch.filter(modules, name) if set(name) & set("*?[") else [name] for name in names}
    for name, fitting in found.items():
        if not fitting or not set(fitting) <= set(modules):
            close = ", ".join(_close(name, list(modules)))
            raise ValueError(f"the model has no module {name!r}; close are: {close}{_fused(name, modules)}")
    chosen = tuple(dict.fromkeys(name for fitting in found.values() for name in fitting))
    recording = Recording(chosen)

    handles = [
        modules[name].register_forward_hook(lambda module, inputs, output, name=name: recording._keep(name, output))
        for name in chosen
    ]
    try:
        yield recording
    finally:
        for handle in handles:
            handle.remove()
    for name, fitting in found.items():
        if not any(one in recording._outputs for one in fitting):
            raise RecordingError(
                f"no module {name!r} ran while recording: the model was not called, or the layer around the module"
                " computes everything in one go, without running it"
            )


def _version(value: Tensor) -> int:
    # An inference tensor has no version counter; in place it cannot be changed outside inference mode.
    return 0 if value.is_inference() else value._version


def _fused(name: str, modules: Mapping[str, nn.Module]) -> str:
    """Return a hint if ``name`` asks for the inside of one of torch's recurrent layers, which has no modules."""
    for outer, module in modules.items():
        if isinstance(module, nn.RNNBase) and name.startswith(f"{outer}."):
            kind = type(module).__name__
            return f". {outer!r} is torch's {kind}, which hides its gates; record dlcompare.models.unrolled(model)"
    return ""


def _close(name: str, known: list[str]) -> list[str]:
    """Return at most eight of the known names that are like ``name``: same last part, or spelt alike."""
    last = name.rsplit(".", 1)[-1]
    close = [other for other in known if other.rsplit(".", 1)[-1] == last or name in other]
    return (close or difflib.get_close_matches(name, known, n=8, cutoff=0.4) or known)[:8]
