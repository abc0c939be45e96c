"""The appendix is complete: each data set has its sheet, and each sheet is in the book."""

from __future__ import annotations

import re
import tomllib

from dlcompare import data
from tools.chapters import ROOT


def test_every_data_set_has_its_sheet_in_the_book() -> None:
    page = (ROOT / "chapters" / "appendix" / "data.md").read_text(encoding="utf-8")
    included = re.findall(r"\{include\} \.\./\.\./data/(\w+)\.md", page)
    assert len(set(included)) == len(included)
    assert set(included) == set(data.registry())
    assert {path.stem for path in (ROOT / "data").glob("*.md")} == set(included)


def test_lock_pins_everything_the_package_asks_for_and_no_build_of_torch() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(re.fullmatch(r"(\S+)==(\S+)(?: +#.*)?", line).groups() for line in lines if line[0] != "#")  # type: ignore[union-attr]
    assert pins["torch"] == "2.13.0"
    assert not [name for name in pins if re.match(r"nvidia|cuda|triton", name)]
    assert not [line for line in lines if "://" in line or line.startswith("-")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["build-system"]["requires"]
    asked += [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    names = {re.split(r"[\s<>=!~;\[]", text, maxsplit=1)[0].lower().replace("_", "-") for text in asked}
    assert names - set(pins) == set()
