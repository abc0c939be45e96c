"""Surnames: characters in, one of fourteen languages out."""

from __future__ import annotations

from dlcompare import data
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task

__all__ = ["SURNAMES", "load"]

#: The id of a character that no training name has.
_UNKNOWN = 0


def load(seed: int) -> Examples:
    """Return the names of :func:`~dlcompare.data.load_surnames` as ids of characters; ``seed`` changes nothing.

    Id 0 stands for characters that the training part lacks, the last one ends a name.
    """
    names = data.load_surnames()
    ids = {character: i for i, character in enumerate(sorted(set("".join(names.train.names))), 1)}
    end = len(ids) + 1

    def part(of: data.Names) -> Part:
        texts = [([ids.get(character, _UNKNOWN) for character in name],) for name in of.names]
        return Part(texts, of.labels, raw=of.names)

    splits = names.map(part)
    longest = max(len(name) for of in names for name in of.names) + 1
    return Examples(Form("tokens", "class", end + 1, longest, len(data.LANGUAGES), end), splits)


#: Surnames. The languages have different numbers of names; the commonest answer alone is right for a quarter.
SURNAMES = Task(
    "surnames",
    "which language is this surname of?",
    load,
    Metric("accuracy", "share", higher_is_better=True),
    {"batch_size": 64, "steps": 1000},
    data=("surnames",),
    bar=Bar("logistic regression on the TF-IDF of runs of characters", "baseline"),
)
