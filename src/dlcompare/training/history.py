"""What happened in a training run."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass(repr=False)
class History:
    """What happened in a training run.

    ``loss[i]`` is the training loss of step i + 1; ``validation`` holds (step, value) pairs of the ``evaluate``
    function; ``seconds`` is wall time and ``cpu_seconds`` the time that the process spent on processors, which is
    steadier on a shared machine; neither includes the evaluations. ``stopped_early``: patience ran out.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped_early: bool = False

    def __repr__(self) -> str:
        losses = f", loss {self.loss[0]:.3g} to {self.loss[-1]:.3g}" if self.loss else ""
        best = f", best validation {self.best[1]:.3g} at step {self.best[0]}" if self.validation else ""
        return f"History({self.steps} steps{losses}{best}, {self.seconds:.1f} s)"

    @property
    def steps(self) -> int:
        """Number of steps made."""
        return len(self.loss)

    @property
    def best(self) -> tuple[int, float]:
        """(step, value) of the lowest validation value.

        Raises
        ------
        ValueError
            when the run had no ``evaluate`` function.
        """
        if not self.validation:
            raise ValueError("the run had no evaluate function, hence there is no best step")
        return min(self.validation, key=lambda pair: pair[1])
