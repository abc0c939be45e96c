"""Answers to the exercises of part 4: right ones, and wrong ones with a piece of what is said of them."""

ANSWERS: dict[str, tuple[list, list]] = {}
