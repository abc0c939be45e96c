"""The checkers of part 5, the outlook."""

from __future__ import annotations

__all__: list[str] = []
