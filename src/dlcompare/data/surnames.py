"""Surnames of 14 languages: a character-level task for the recurrent networks."""

from __future__ import annotations

import ast
import collections
import dataclasses
import functools
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits, divided

if TYPE_CHECKING:
    import torch

__all__ = ["LANGUAGES", "Names", "load_surnames"]

# Each language with the lists that it is read from: the locale, and the lists' names in Faker's source.
# Languages in another script are left out, since one letter would give them away; so are those with few
# names. Of Slovak, only men's forms: with Novák and Nováková, one family would stand in two parts.
# Belgium's and Ireland's lists (fr_BE, en_IE) mix languages.
_LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    "Croatian": {"hr_HR": ("last_names",)},
    "Dutch": {"nl_NL": ("last_names",)},
    "English": {"en_GB": ("last_names",), "en_US": ("last_names",)},
    "Estonian": {"et_EE": ("last_names_est",)},
    "Finnish": {"fi_FI": ("last_names",)},
    "French": {"fr_FR": ("last_names",), "fr_CA": ("last_names",)},
    "German": {"de_DE": ("last_names",), "de_AT": ("last_names",), "de_CH": ("last_names",)},
    "Irish": {"ga_IE": ("last_names",)},
    "Italian": {"it_IT": ("last_names",)},
    "Polish": {"pl_PL": ("unisex_last_names", "male_last_names")},
    "Slovak": {"sk_SK": ("last_names_male",)},
    "Spanish": {locale: ("last_names",) for locale in ("es_ES", "es_MX", "es_CL", "es_CO", "es_AR")},
    "Swedish": {"sv_SE": ("last_names",)},
    "Zulu": {"zu_ZA": ("last_names",)},
}

LANGUAGES: tuple[str, ...] = tuple(_LISTS)
"""The languages, in alphabetical order; a label is an index into this."""


@dataclasses.dataclass(frozen=True)
class Names:
    """Surnames and the language of each, one of :data:`LANGUAGES`.

    Raises
    ------
    ValueError
        when the fields are not equally long, or a language is not one of :data:`LANGUAGES`.
    """

    names: tuple[str, ...]
    languages: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.languages):
            raise ValueError(
                f"names has {len(self.names)} items and languages {len(self.languages)}; they must be as many"
            )
        if unknown := sorted(set(self.languages) - set(LANGUAGES)):
            raise ValueError(f"languages has {unknown}; allowed are {', '.join(LANGUAGES)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """All the languages, whether or not this part has a name of each."""
        return LANGUAGES

    @property
    def labels(self) -> torch.Tensor:
        """The languages as indices into :attr:`classes`: ``(n,)``, int64."""
        import torch

        index = {language: i for i, language in enumerate(LANGUAGES)}
        return torch.tensor([index[language] for language in self.languages], dtype=torch.int64)


@functools.cache
def load_surnames() -> Splits[Names]:
    """Return surnames of 14 languages, 80% to train, 10% to validate and 10% to test, of each language.

    A name that occurs in several of the languages is left out, since it has no right answer. Names are in
    Unicode's composed form (NFC); of names of one language that differ in letter case alone, one is kept.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    sources = {PurePosixPath(path).parent.name: raw for path, raw in members("surnames").items()}
    found: dict[str, dict[str, str]] = {}
    for language, locales in _LISTS.items():
        names = found[language] = {}
        for locale, lists in locales.items():
            constants = _constants(sources[locale].decode("utf-8"))
            for name in sorted(name for key in lists for name in constants[key]):
                # "Bourgondië, van" is a form for indices.
                if "," not in name:
                    composed = unicodedata.normalize("NFC", " ".join(name.split()))
                    names.setdefault(composed.casefold(), composed)
    shared = collections.Counter(key for names in found.values() for key in names)
    pairs = [(name, language) for language, names in found.items() for key, name in names.items() if shared[key] == 1]
    return divided(
        pairs, key=lambda pair: pair[0].casefold(), stratum=lambda pair: pair[1], validation=10, test=10
    ).map(lambda part: Names(tuple(name for name, _ in part), tuple(language for _, language in part)))


def _constants(source: str) -> dict[str, tuple[str, ...]]:
    """Return the collections of strings that the classes of a Python source assign, without running it.

    Understood are literal tuples, lists, sets and dictionaries (whose keys count), ``OrderedDict`` of
    pairs, ``+``, and names assigned before. What is anything else is left out.
    """
    constants: dict[str, tuple[str, ...]] = {}
    for name, value in _assignments(ast.parse(source)):
        try:
            constants[name] = tuple(_strings(value, constants))
        except (KeyError, TypeError):
            constants.pop(name, None)
    return constants


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for item in tree.body:
        for statement in item.body if isinstance(item, ast.ClassDef) else [item]:
            if isinstance(statement, ast.Assign):
                target, value = statement.targets[0], statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                target, value = statement.target, statement.value
            else:
                continue
            if isinstance(target, ast.Name):
                yield target.id, value


def _strings(node: ast.AST | None, known: dict[str, tuple[str, ...]]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            for element in elements:
                yield from _strings(element, known)
        case ast.Dict(keys=keys):
            for key in keys:
                yield from _strings(key, known)
        case ast.Call(func=ast.Name(id="OrderedDict"), args=[ast.Tuple(elts=pairs) | ast.List(elts=pairs)]):
            for pair in pairs:
                if not isinstance(pair, ast.Tuple):
                    raise TypeError("OrderedDict of something else than pairs")
                yield from _strings(pair.elts[0], known)
        case ast.Call(func=ast.Name(id="OrderedDict"), args=[ast.Dict() as mapping]):
            yield from _strings(mapping, known)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _strings(left, known)
            yield from _strings(right, known)
        case ast.Name(id=name):
            yield from known[name]
        case _:
            raise TypeError(f"not a literal: {type(node).__name__}")
