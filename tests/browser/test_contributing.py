"""CONTRIBUTING.md shows how to add an explorable: its steps are followed to the letter, in a copy of the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect

from tools.chapters import ROOT

from .conftest import Watch, serve

#: Files by their place, in the order of the text.
STEP = re.compile(r"`(src/[\w./]+|js/src/[\w./]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def steps() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return dict(STEP.findall(text.partition("## An explorable\n")[2].partition("\n## ")[0]))


def run(folder: Path, *arguments: str) -> None:
    # The copy's package and tools, not those of the repository that this environment has installed.
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "DLCOMPARE_GRAPHS": str(folder / "g"),
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    copy = tmp_path_factory.mktemp("clone")
    folders = ["js", "src", "tools", "_ext", "data/models.json", "data/results", "pyproject.toml"]
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in filter(lambda name: (ROOT / name).is_file(), listed):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    (copy / "js" / "node_modules").symlink_to(ROOT / "js" / "node_modules", target_is_directory=True)

    for name, content in steps().items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            content = json.dumps({**json.loads(path.read_text(encoding="utf-8")), **json.loads(content)})
        path.write_text(content, encoding="utf-8")
    (copy / "try.py").write_text("from dlcompare.widgets.sigmoid import Sigmoid; widget = Sigmoid()\n")
    run(copy, "js/hatch_build.py")
    run(copy, "js/hatch_build.py", "check")
    run(copy, "-m", "tools.preview", "try.py", "--target", str(copy / "page"))
    with serve(copy / "page") as address:
        yield address


def test_it_takes_less_than_a_hundred_lines() -> None:
    files = steps()
    assert len(files) == 5
    lines = [line for content in files.values() for line in content.splitlines() if line.strip()]
    assert 50 < len(lines) < 100


def test_it_answers_with_torchs_numbers(preview: str, browser: Browser) -> None:
    context = browser.new_context()
    watch = Watch()
    watch.follow(context, preview)
    page = context.new_page()
    page.goto(preview)
    readout = page.locator(".dlc-readout")
    slider = page.locator("[data-control=z]")
    expect(page.locator(".dlc-engine")).not_to_have_attribute("data-answered-by", "page")  # the first was remembered
    for z, keys in ((1.0, []), (2.0, ["ArrowRight", "ArrowRight"]), (-8.0, ["Home"])):
        for key in keys:
            slider.press(key)
        point = torch.tensor(z, requires_grad=True)
        value = torch.sigmoid(point)
        value.backward()
        expect(slider).to_have_value(f"{z:g}")
        page.wait_for_function(
            "value => Math.abs(Number(document.querySelector('.dlc-readout').dataset.value) - value) < 1e-6",
            arg=value.item(),
        )
        assert point.grad is not None
        assert float(readout.get_attribute("data-slope") or "nan") == pytest.approx(point.grad.item(), abs=1e-6)
    expect(page.locator(".dlc-engine")).to_have_attribute("data-answered-by", "page")
    context.close()
    assert not watch.foreign
