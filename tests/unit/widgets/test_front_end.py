"""The front end's own tests and type check, its package lock, and its build."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT

JS = ROOT / "js"
#: The bundles of the explorables.
BUNDLES = [f"{path.name}.{suffix}" for path in (JS / "src" / "explorables").iterdir() for suffix in ("js", "css")]


def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", JS / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("task", ["test", "check"])
def test_the_front_ends_own(task: str) -> None:
    done = run(JS / "hatch_build.py", task)
    assert done.returncode == 0, done.stdout + done.stderr
    if task == "test":
        counted = re.search(r"^\S+ pass (\d+)$", done.stdout, re.MULTILINE)
        assert counted, done.stdout
        assert int(counted[1]) > 30
        assert re.search(r"^\S+ skipped 0$", done.stdout, re.MULTILINE), done.stdout


def test_the_lock_names_no_host() -> None:
    lock = (JS / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "resolved" not in lock
    packages = {name: entry for name, entry in json.loads(lock)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_every_package_is_pinned() -> None:
    package = json.loads((JS / "package.json").read_text(encoding="utf-8"))
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values()), versions


def test_modules_are_small() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (JS / "src").rglob("*.js")}
    assert max(lengths.values()) <= 300, lengths


def test_a_bundle_is_one_file_that_fetches_nothing() -> None:
    static = ROOT / "src" / "dlcompare" / "widgets" / "static"
    explorables = [path.name for path in (JS / "src" / "explorables").iterdir()]
    assert len(explorables) >= 4
    for name in explorables:
        assert not re.search(r"\bimport\b", (static / f"{name}.js").read_text(encoding="utf-8")), name
    for path in static.iterdir():
        # The worker is mostly onnxruntime, which can also fetch models for those who ask it to.
        if path.suffix == ".gz" or path.name == "worker.js":
            continue
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path.name


def test_nothing_is_done_twice(hook, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(hook, "_call", lambda *args, **kwargs: pytest.fail(f"called {args}"))
    hook.install()
    hook.build()


def test_a_change_in_the_sources_is_noticed(hook, tmp_path) -> None:
    js, static = tmp_path / "js", tmp_path / "static"
    shutil.copytree(JS, js, ignore=shutil.ignore_patterns("node_modules"))
    before = hook.fingerprint(js)
    static.mkdir()
    (static / "a.js").write_text("")
    (static / hook.MANIFEST).write_text(json.dumps({"sources": before, "files": ["a.js"]}))
    assert hook.bundles_are_fresh(js, static)
    (static / "a.js").unlink()
    assert not hook.bundles_are_fresh(js, static)
    (static / "a.js").write_text("")
    source = js / "src" / "shared" / "format.js"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert hook.bundles_are_fresh(js, static), "line ends are no change"
    source.write_text(source.read_text() + "// changed\n")
    assert hook.fingerprint(js) != before
    assert not hook.bundles_are_fresh(js, static)


def test_a_broken_source_fails_with_its_place_and_keeps_the_old_bundles(hook, tmp_path) -> None:
    js, static = tmp_path / "js", tmp_path / "static"
    shutil.copytree(JS, js, ignore=shutil.ignore_patterns("node_modules"))
    (js / "node_modules").symlink_to(JS / "node_modules", target_is_directory=True)
    (js / "src" / "shared" / "format.js").write_text("export const short = ;\n")
    static.mkdir()
    (static / "convolution.js").write_text("old")
    with pytest.raises(hook.FrontEndError, match=r"bundling js/src failed[\s\S]*format\.js:1:21"):
        hook.bundle(js, static)
    assert [path.name for path in static.iterdir()] == ["convolution.js"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".static")] == []


def test_without_sources_the_bundles_of_an_sdist_are_taken(hook, tmp_path) -> None:
    static = tmp_path / "static"
    with pytest.raises(hook.FrontEndError, match="neither the front end's sources"):
        hook.build(tmp_path / "js", static)
    static.mkdir()
    (static / hook.MANIFEST).write_text("{}")
    hook.build(tmp_path / "js", static)


def test_a_wheel_from_a_clean_clone_contains_the_bundles(tmp_path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    # What git would check out; the packages of npm, which it would fetch, are taken from here.
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clone / name)
    (clone / "js" / "node_modules").symlink_to(JS / "node_modules", target_is_directory=True)
    assert not (clone / "src" / "dlcompare" / "widgets" / "static").exists()

    done = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"), cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for name in (*BUNDLES, "host.js", "host.css", "worker.js", "onnxruntime.wasm.gz"):
            assert archive.read(f"dlcompare/widgets/static/{name}")
    assert not any("node_modules" in name or name.startswith("js/") for name in names)
