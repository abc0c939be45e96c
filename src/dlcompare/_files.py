"""Writing files so that they are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["replace_files"]


def replace_files(files: Mapping[Path, bytes]) -> None:
    """Write all ``files`` beside their places, then move each to its place, in their order.

    At every moment each place has its old file or its new one. Whoever is killed in between leaves files that end in
    ``.tmp`` behind.

    Raises
    ------
    OSError
        when one can't be written, on a full disk for example: the old files then stay, and what was begun is removed.
    """
    begun: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
            ) as file:
                begun[path] = Path(file.name)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, written in begun.items():
            written.chmod(0o644)
            written.replace(path)
    except BaseException as reason:
        for left in begun.values():
            left.unlink(missing_ok=True)
        if isinstance(reason, OSError):
            raise OSError(reason.errno, f"{reason.strerror}; what stood there before stays", str(path)) from reason
        raise
