"""The checkers of part 4, the code."""

from __future__ import annotations

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_number
from dlcompare.models import CNNConfig

__all__: list[str] = []


@exercise("4.1.1-a")
def _flattened(answer: object) -> str | None:
    config = CNNConfig(image_size=45)
    maps, side = config.channels[-1], config.final_size
    wrong = wrong_number(answer, maps * side**2)
    halved = config.image_size / 2
    if wrong and any(not wrong_number(answer, maps * odd**2) for odd in (halved / 2, halved // 1 / 2, side + 1)):
        return text("exercise-4-1-1-a.rounding")
    if wrong and not wrong_number(answer, side**2):
        return text("exercise-4-1-1-a.one-map")
    if wrong and not wrong_number(answer, maps * config.image_size**2):
        return text("exercise-4-1-1-a.pooling")
    return wrong


@exercise("4.1.1-b")
def _silent_batches(answer: object) -> str | None:
    try:
        found = {int(size) for size in answer}  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return text("exercise-4-1-1-b.no-list", found=type(answer).__name__)
    config = CNNConfig()
    numbers, printed = config.channels[-1] * config.final_size**2, config.channels[-1] * 6 * 6
    silent = {size for size in range(1, 145) if size * numbers % printed == 0}
    if outside := found - set(range(1, 145)):
        return text("exercise-4-1-1-b.outside", size=min(outside))
    if loud := found - silent:
        return text("exercise-4-1-1-b.loud", size=min(loud))
    return text("exercise-4-1-1-b.missing") if silent - found else None
