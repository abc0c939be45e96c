"""Shakespeare's plays and poems, in modern spelling: the text that the small GPT learns from."""

from __future__ import annotations

import configparser
import dataclasses
import functools
from pathlib import PurePosixPath

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits, shuffled

__all__ = ["Corpus", "Document", "load_shakespeare"]

# Not plays; they stay in the training part, so that what is held out is one kind of text.
_POEMS = frozenset(["lovers_complaint", "passionate_pilgrim", "phoenix_and_the_turtle", "rape_of_lucrece", "sonnets"])
# Acts III and IV are missing in the file, so it is not held out either.
_INCOMPLETE = frozenset(["cymbeline"])
_HELD_OUT = 2


@dataclasses.dataclass(frozen=True)
class Document:
    """One work: its title, and its text, whose last character is a line feed."""

    title: str
    text: str

    def __len__(self) -> int:
        return len(self.text)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Several works."""

    documents: tuple[Document, ...]

    @property
    def text(self) -> str:
        """All the works one after the other, with two empty lines between them."""
        return "\n\n".join(document.text for document in self.documents)

    def __len__(self) -> int:
        """Return the number of works."""
        return len(self.documents)


@functools.cache
def load_shakespeare() -> Splits[Corpus]:
    """Return Shakespeare's works, split by whole works: two plays for validation, two for the test.

    The held-out plays are chosen by the seed among the complete plays; the poems and one play of which the
    file has only a part stay in the training part. White space at the end of lines and empty lines around a
    work are removed, and line ends are line feeds; nothing else is changed. Within a part, the works are in
    alphabetical order of their file names.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    content = members("shakespeare")
    metadata = configparser.ConfigParser(interpolation=None, strict=False)
    works: dict[str, str] = {}
    for path, raw in content.items():
        stem = PurePosixPath(path).stem
        if stem == "metadata":
            metadata.read_string(raw.decode("utf-8"))
        else:
            works[stem] = raw.decode("utf-8")
    documents = {
        key.removesuffix("_gut"): Document(title=metadata[key]["title"], text=_normalised(text))
        for key, text in works.items()
    }
    plays = (key for key in documents if key not in _POEMS | _INCOMPLETE)
    chosen = shuffled(plays, str)[: 2 * _HELD_OUT]
    validation, test = chosen[:_HELD_OUT], chosen[_HELD_OUT:]
    return Splits(
        train=Corpus(tuple(documents[key] for key in documents if key not in chosen)),
        validation=Corpus(tuple(documents[key] for key in sorted(validation))),
        test=Corpus(tuple(documents[key] for key in sorted(test))),
    )


def _normalised(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
