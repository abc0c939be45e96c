"""Print how long each chapter ran and how much memory its kernel took when it was last executed for the book.

``make costs``, after ``make book``. A chapter's first execution exports the graphs of its explorables as well, which
may take longer than all else in it. Remove ``_build/.jupyter_cache``, and ``make book`` executes all of them without.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tools.chapters import ROOT, notebooks
from tools.execute import costs

#: What a chapter may take: memory is tested, time is reported, for machines are noisy.
MOST_SECONDS, MOST_MEMORY = 90, 1_500_000_000


def main() -> int:
    known = costs(ROOT)
    names = [path.relative_to(ROOT).as_posix() for path in notebooks()]
    there = [name for name in names if name in known]
    if not there:
        print("costs: no chapter has been executed here yet: run make book", file=sys.stderr)
        return 1
    table = Table("chapter", f"seconds, ≤ {MOST_SECONDS}", f"GB, ≤ {MOST_MEMORY / 1e9}")
    table.columns[0].overflow = "fold"  # a name that is cut off tells nothing
    for name in sorted(there, key=lambda name: -known[name].seconds):
        memory = known[name].peak_memory
        table.add_row(
            name.removeprefix("chapters/").removesuffix(".ipynb"),
            f"{known[name].seconds:.1f}",
            "" if memory is None else f"{memory / 1e9:.2f}",
        )
    seconds = [known[name].seconds for name in there]
    table.add_row("all, one after another", f"{sum(seconds):.0f}", "", style="bold")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
