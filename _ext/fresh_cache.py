"""Outputs that are never stale: a key for the execution cache, and its use by Sphinx.

jupyter-cache finds a notebook's outputs by the notebook's code cells alone, so after an edit of the package
it would serve yesterday's numbers. Here the cache's *folder* is named after everything else that an output
can depend on: the package, the data and checkpoints in the repository, the
lock, the versions that are really installed, and Python's own. Whenever one of them changes, the folder is a
new one, and every chapter executes.

The data that is fetched needs no entry of its own: its SHA-256 stands in the package's registry files.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

#: What a chapter's kernel finds in its environment while the book is built.
KERNEL_ENVIRONMENT = {
    "DLCOMPARE_BOOK": "1",  # widgets add the text/html that the published page uses
    "DLCOMPARE_QUIET": "1",  # a progress bar is no result
    "OMP_NUM_THREADS": "1",  # chapters run side by side; and the same number of threads gives the same sums
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}

#: Folders and files, relative to the repository, whose content an output can depend on.
KEYED = ("src/dlcompare", "data", "requirements.txt")
#: The bundled front end: an explorable's output only names its module, and the page finds the bundle (static_host).
BUNDLES = "src/dlcompare/widgets/static"

_SKIPPED_FOLDERS = {"__pycache__", ".ipynb_checkpoints", "node_modules"}


def files_under(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files that `names` (files or folders below `root`) stand for, in one fixed order."""
    for name in names:
        start = root / name
        if start.is_file():
            yield start
        for folder, folders, files in os.walk(start):
            folders[:] = sorted(f for f in folders if f not in _SKIPPED_FOLDERS and not f.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and not file.endswith((".pyc", "~")):
                    yield Path(folder, file)


def hash_files(root: Path, files: Iterable[Path], *extra: str) -> str:
    """Return the SHA-256 of the files' paths below `root` and contents, and of the `extra` strings."""
    digest = hashlib.sha256()
    for path in files:
        # Each part is preceded by its length, so that no two different lists give one stream.
        for part in (path.relative_to(root).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    for text in extra:
        digest.update(text.encode())
    return digest.hexdigest()


def installed_versions(root: Path) -> dict[str, str]:
    """Return the installed version of each package that pyproject.toml names as a dependency of ours."""
    with (root / "pyproject.toml").open("rb") as file:
        requirements: list[str] = tomllib.load(file).get("project", {}).get("dependencies", [])
    versions = {}
    for requirement in requirements:
        name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions


def execution_key(root: Path) -> str:
    """Return the hash of everything, apart from its cells, that a chapter's output can depend on."""
    # The data sheets are prose: pages include them, code does not read them.
    files = (
        path for path in files_under(root, KEYED) if path.suffix != ".md" and not path.is_relative_to(root / BUNDLES)
    )
    surroundings = {
        "versions": installed_versions(root),
        "python": platform.python_version(),
        "machine": [sys.platform, platform.machine()],
        "environment": KERNEL_ENVIRONMENT,
    }
    return hash_files(root, files, json.dumps(surroundings, sort_keys=True))


def caches(root: Path) -> Path:
    """Return the folder that holds one execution cache per key."""
    return root / "_build" / ".jupyter_cache"


def graphs_path(root: Path) -> Path:
    """Return the folder into which chapters export the graphs of their explorables, and from which pages take them."""
    return root / "_build" / "graphs"


def cache_path(root: Path) -> Path:
    """Return the folder of the execution cache that fits the repository as it is now."""
    return caches(root) / execution_key(root)[:16]


def _use_fresh_cache(app: Sphinx, config: Config) -> None:
    # Sphinx compares this value with the last build's and reads every page again when it differs.
    config.nb_execution_cache_path = str(cache_path(Path(app.srcdir)))


def _write_every_page(app: Sphinx, env: BuildEnvironment) -> list[str]:
    # Each page shows other pages' titles (navigation, "next"). Writing them all takes seconds and leaves none
    # behind.
    return sorted(env.found_docs)


def setup(app: Sphinx) -> dict[str, Any]:
    # `make book` executes the chapters before Sphinx starts. Where Sphinx is started by hand it executes them
    # itself, and they must find the same environment.
    os.environ.update(KERNEL_ENVIRONMENT)
    os.environ.setdefault("DLCOMPARE_GRAPHS", str(graphs_path(Path(app.srcdir))))
    app.connect("config-inited", _use_fresh_cache)
    app.connect("env-updated", _write_every_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
