"""Find a Chromium for the browser tests, or install one; having none is an error.

Looked for in this order: the variable CHROMIUM; the usual names on PATH; the one that Playwright has installed. If
there is none, ``python -m tools.find_browser`` installs one: by Playwright, or, where its download is out of reach and
we are root, by the system's package manager.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",  # the same engine without windows, which opens pages in less time
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class NoBrowserError(Exception):
    """There is no usable Chromium; the message says what was tried."""


def _works(program: str) -> bool:
    """Say whether `program` starts: some distributions have a stub of that name that only prints advice."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and any(character.isdigit() for character in done.stdout)


def _playwrights() -> str | None:
    """Return where Playwright's own Chromium is or would be."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str:
    """Return the path of a Chromium that starts.

    Raises
    ------
    NoBrowserError
        If CHROMIUM names a program that does not start, or if there is none anywhere.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        program = shutil.which(named)
        if program is None or not _works(program):
            raise NoBrowserError(f"CHROMIUM is {named!r}: expected a Chromium that answers to --version")
        return program
    for name in NAMES:
        program = shutil.which(name)
        if program and _works(program):
            return program
    own = _playwrights()
    if own and Path(own).exists() and _works(own):
        return own
    raise NoBrowserError(
        "there is no Chromium: CHROMIUM is not set, none of "
        f"{', '.join(NAMES[:7])} is on PATH, and Playwright has installed none. "
        "`python -m tools.find_browser` installs one."
    )


def install() -> None:
    """Install a Chromium: by Playwright, else by apt as root.

    Raises
    ------
    NoBrowserError
        If neither succeeds; the message holds what each said.
    """
    attempts = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        attempts.append([["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "chromium-headless-shell"]])
    said = []
    for commands in attempts:
        for command in commands:
            print("+ " + " ".join(command), file=sys.stderr, flush=True)
            # Long enough for a slow line; a download that hangs must not hold the tests up for ever.
            try:
                done = subprocess.run(
                    command,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    timeout=900,
                    check=False,
                    env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                )
                failed, output = done.returncode != 0, done.stdout
            except subprocess.TimeoutExpired:
                failed, output = True, "no end after 900 s"
            if failed:
                said.append("$ " + " ".join(command) + "\n" + "\n".join(output.strip().splitlines()[-8:]))
                break
        else:
            try:
                find()
            except NoBrowserError as error:
                said.append(str(error))
            else:
                return
    raise NoBrowserError(
        "no Chromium could be installed. Install one (Debian: apt-get install chromium-headless-shell) or name "
        "one with CHROMIUM=…\n" + "\n".join(said)
    )


def find_or_install() -> str:
    """Return the path of a Chromium that starts, installing one if there is none; raises as both do."""
    try:
        return find()
    except NoBrowserError:
        if os.environ.get("CHROMIUM"):
            raise
    install()
    return find()


def main() -> int:
    try:
        print(find_or_install())
    except NoBrowserError as error:
        print(f"browser: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
