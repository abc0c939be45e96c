"""Write requirements.txt, the lock, from pyproject.toml: ``make lock``.

``make lock UPGRADE=1`` takes newer releases; without it, what is pinned stays pinned as long as it fits.

The lock is used on machines with and without a GPU, so it names no build of PyTorch in particular: a local
version such as ``+cpu`` is dropped, and so are the CUDA packages that only PyTorch's CUDA builds ask for.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.txt"
CONSTRAINTS = ("torch==2.13.0",)
CUDA_ONLY = re.compile(r"^(nvidia-|cuda-|triton\b|cusparselt)")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^+\s]+)(?:\+\S+)?(?P<rest>.*)$")
HEADER = """\
# The lock: exact versions of everything that builds, runs and tests this repository.
# Written by `make lock` from pyproject.toml; do not edit it by hand.
"""


def canonical(compiled: str) -> str:
    """Turn pip-compile's output into the lock: no local versions, no CUDA packages, our own header."""
    lines = []
    for line in compiled.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        pin = PIN.match(line)
        if pin is None:
            raise SystemExit(f"lock: cannot read pip-compile's line {line!r}: expected name==version")
        if CUDA_ONLY.match(pin["name"]):
            continue
        # "-c …" names the temporary constraints file, which means nothing to a reader.
        via = [
            part.strip().replace("(pyproject.toml)", "").strip()
            for part in pin["rest"].partition("# via ")[2].split(",")
        ]
        via = [part for part in via if part and not part.startswith("-c ") and not CUDA_ONLY.match(part)]
        pinned = f"{pin['name']}=={pin['version']}"
        lines.append(f"{pinned:<40}# via {', '.join(via)}" if via else pinned)
    return HEADER + "\n".join(sorted(lines)) + "\n"


def compile_lock(upgrade: bool) -> str:
    """Run pip-compile on pyproject.toml with all extras and return what it would write."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(CONSTRAINTS) + "\n", encoding="utf-8")
        output = Path(folder, "requirements.txt")
        if LOCK.exists() and not upgrade:
            output.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--all-extras", "--strip-extras"]
        command += ["--allow-unsafe", "--no-emit-options", "--annotation-style=line"]
        command += ["--constraint", str(constraints), "--output-file", str(output), "pyproject.toml"]
        if upgrade:
            command.insert(-1, "--upgrade")
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"})
        return output.read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upgrade", action="store_true", help="take the newest releases, not the pinned ones")
    arguments = parser.parse_args()
    LOCK.write_text(canonical(compile_lock(arguments.upgrade)), encoding="utf-8")
    print(f"wrote {LOCK.name}")


if __name__ == "__main__":
    main()
