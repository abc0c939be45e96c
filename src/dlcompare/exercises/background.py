"""The checkers of part 1, the background."""

from __future__ import annotations

__all__: list[str] = []
