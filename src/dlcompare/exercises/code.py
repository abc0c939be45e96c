"""The checkers of part 4, the code."""

from __future__ import annotations

__all__: list[str] = []
