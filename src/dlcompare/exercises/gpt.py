"""The checkers of 3.2, the algorithms of GPT."""

from __future__ import annotations

__all__: list[str] = []
