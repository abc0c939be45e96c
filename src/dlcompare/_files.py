"""Writing a file so that it is there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path`` and move it there: at every moment the old file or the new one stands.

    Raises
    ------
    OSError
        when it can't be written, a full disk for example; the old file then stays, and what was begun is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False) as file:
        begun = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            begun.chmod(0o644)
            begun.replace(path)
        except BaseException as reason:
            begun.unlink(missing_ok=True)
            if isinstance(reason, OSError):
                raise OSError(reason.errno, f"{reason.strerror}; what stood there before stays", str(path)) from reason
            raise
