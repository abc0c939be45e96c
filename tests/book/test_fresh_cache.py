"""The key of the execution cache changes with everything that an output can depend on, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from _ext import fresh_cache

Edit = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "src/dlcompare/__init__.py": "A = 1",
        "src/dlcompare/models/gpt.py": "B = 2",
        "src/dlcompare/locale/en.json": "{}",
        "src/dlcompare/widgets/static/host.js": "export {}",
        "data/checkpoints/gpt.json": "{}",
        "data/digits.md": "# Digits",
        "requirements.txt": "numpy==2.0",
        "pyproject.toml": "[project]\nname = 'x'\ndependencies = ['numpy>=1', 'pytest>=8']\n",
        "chapters/one.ipynb": "{}",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda r: (r / "src/dlcompare/models/gpt.py").write_text("B = 3"), id="module"),
        pytest.param(lambda r: (r / "src/dlcompare/new.py").write_text(""), id="new module, empty"),
        pytest.param(lambda r: (r / "src/dlcompare/models/gpt.py").unlink(), id="removed module"),
        pytest.param(
            lambda r: (r / "src/dlcompare/models/gpt.py").rename(r / "src/dlcompare/gpt.py"), id="moved module"
        ),
        pytest.param(lambda r: (r / "src/dlcompare/locale/en.json").write_text('{"a": "b"}'), id="catalogue"),
        pytest.param(lambda r: (r / "data/checkpoints/gpt.json").write_text("[]"), id="checkpoint"),
        pytest.param(lambda r: (r / "requirements.txt").write_text("numpy==2.1"), id="lock"),
    ],
)
def test_key_changes(root: Path, edit: Edit) -> None:
    before = fresh_cache.execution_key(root)
    edit(root)
    assert fresh_cache.execution_key(root) != before


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda r: (r / "chapters/one.ipynb").write_text("[]"), id="chapter"),
        pytest.param(lambda r: (r / "src/dlcompare/widgets/static/host.js").write_text("1"), id="bundle"),
        pytest.param(lambda r: (r / "data/digits.md").write_text("# The digits"), id="data sheet"),
        pytest.param(lambda r: (r / "src/dlcompare/models/gpt.py").touch(), id="time stamp"),
        pytest.param(lambda r: (r / "src/dlcompare/__pycache__").mkdir(), id="compiled folder"),
        pytest.param(lambda r: (r / "src/dlcompare/.gpt.py.swp").write_text("x"), id="editor's file"),
    ],
)
def test_key_stays(root: Path, edit: Edit) -> None:
    before = fresh_cache.execution_key(root)
    edit(root)
    assert fresh_cache.execution_key(root) == before


def test_key_changes_with_an_installed_version(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh_cache.execution_key(root)
    real = fresh_cache.importlib.metadata.version
    monkeypatch.setattr(
        fresh_cache.importlib.metadata, "version", lambda name: "99.0" if name == "numpy" else real(name)
    )
    assert fresh_cache.installed_versions(root)["numpy"] == "99.0"
    assert fresh_cache.execution_key(root) != before


def test_key_tells_apart_where_one_file_ends_and_the_next_begins(tmp_path: Path) -> None:
    keys = set()
    for first, second in (("ab", "c"), ("a", "bc")):
        (tmp_path / "x").write_text(first)
        (tmp_path / "y").write_text(second)
        keys.add(fresh_cache.hash_files(tmp_path, [tmp_path / "x", tmp_path / "y"]))
    assert len(keys) == 2


def test_cache_lies_in_the_folder_named_by_the_key(root: Path) -> None:
    path = fresh_cache.cache_path(root)
    assert path.parent == root / "_build" / ".jupyter_cache"
    assert fresh_cache.execution_key(root).startswith(path.name)
