"""The article's claims: what it says, whether that is right, what is true, and what shows it.

They stand in ``data/claims.yml``. The page of the claims and the margin notes of the chapters are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

__all__ = ["VERDICTS", "Claim", "ClaimsError", "claims"]

#: What a claim may be.
VERDICTS = ("right", "imprecise", "wrong")


class ClaimsError(ValueError):
    """The file of claims holds what is none; the message names the entry, the field, and what is allowed."""


@dataclass(frozen=True)
class Claim:
    """One claim of the article.

    Parameters
    ----------
    id
        the article's section and a letter, such as "1.2-c".
    says, means
        the article's own words, and what they say in English.
    verdict
        one of :data:`VERDICTS`.
    truth
        what is true.
    sources
        where that can be read: keys in ``references.bib``.
    tests
        what shows it: tests, each by file and name.
    """

    id: str
    says: str
    means: str
    verdict: str
    truth: str
    sources: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The section of the article, such as "1.2"."""
        return self.id.rpartition("-")[0]


def _claim(entry: Any, number: int) -> Claim:
    if not isinstance(entry, dict):
        raise ClaimsError(f"entry {number} is {entry!r}; allowed is a mapping")
    name = f"entry {number} ({entry.get('id')})"
    known = {field.name for field in fields(Claim)}
    if set(entry) != known:
        raise ClaimsError(f"{name} has the fields {', '.join(map(str, entry))}; allowed are {', '.join(sorted(known))}")
    for field in ("sources", "tests"):
        if not isinstance(entry[field], list) or not all(isinstance(one, str) for one in entry[field]):
            raise ClaimsError(f"{name}: {field} is {entry[field]!r}; allowed is a list of texts")
    for field in sorted(known - {"sources", "tests"}):
        if not isinstance(entry[field], str) or not entry[field].strip():
            raise ClaimsError(f"{name}: {field} is {entry[field]!r}; allowed is a text")
    if entry["verdict"] not in VERDICTS:
        raise ClaimsError(f"{name}: verdict is {entry['verdict']!r}; allowed are {', '.join(VERDICTS)}")
    if not entry["sources"] and not entry["tests"]:
        raise ClaimsError(f"{name}: sources and tests are empty; allowed is evidence of at least one kind")
    return Claim(**{**entry, "sources": tuple(entry["sources"]), "tests": tuple(entry["tests"])})


def claims(path: Path | None = None) -> list[Claim]:
    """Return the article's claims in its order.

    Parameters
    ----------
    path
        another file of the same form.

    Raises
    ------
    ClaimsError
        when an entry is not of that form, has no evidence, or has another's id.
    """
    packaged = Path(__file__).parent / "_claims.yml"
    own = packaged if packaged.is_file() else Path(__file__).parents[2] / "data" / "claims.yml"
    entries: Iterable[Any] = yaml.safe_load((path or own).read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise ClaimsError(f"the file holds a {type(entries).__name__}; allowed is a list of claims")
    found: dict[str, Claim] = {}
    for number, entry in enumerate(entries, 1):
        claim = _claim(entry, number)
        if claim.id in found:
            raise ClaimsError(f"entry {number} has the id {claim.id!r}, which another has; allowed is each once")
        found[claim.id] = claim
    return list(found.values())
