"""The checkers of part 2, the core concepts."""

from __future__ import annotations

__all__: list[str] = []
