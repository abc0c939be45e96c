import ast
import json
import re
from pathlib import Path

import pytest

from dlcompare import catalogue

ROOT = Path(__file__).parents[2]
ENGLISH = json.loads((ROOT / "src/dlcompare/locale/en.json").read_text(encoding="utf-8"))


def sources() -> dict[str, str]:
    """Python source by place: the package, and the code cells of every chapter."""
    found = {str(p): p.read_text(encoding="utf-8") for p in (ROOT / "src").rglob("*.py")}
    for notebook in (ROOT / "chapters").rglob("*.ipynb"):
        if ".ipynb_checkpoints" not in notebook.parts:
            cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            found[str(notebook)] = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return found


def keys_in(source: str) -> tuple[set[str], set[str]]:
    """Literal keys given to text(), and prefixes given to texts(); an f-string counts as the prefix it starts with."""
    keys, prefixes = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "text_prefixes" and node.value:
            prefixes |= {prefix + "." for prefix in ast.literal_eval(node.value)}  # an explorable's front end
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        argument = node.args[0]
        if name == "text" and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            keys.add(argument.value)
        elif name == "texts" and isinstance(argument, ast.Constant):
            prefixes.add(argument.value + ".")
        elif name == "text" and isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
            prefixes.add(argument.values[0].value)
    return keys, prefixes


def test_every_key_that_is_used_exists_and_every_key_is_used():
    keys, prefixes = set(), set()
    for place, source in sources().items():
        if not place.endswith("catalogue.py"):
            found = keys_in(source)
            keys |= found[0]
            prefixes |= found[1]
    assert keys - set(ENGLISH) == set()
    unused = {key for key in set(ENGLISH) - keys if not any(key.startswith(p) for p in prefixes)}
    assert unused == set()


def test_figures_in_chapters_take_their_words_from_the_catalogue():
    """A literal with letters, given to a function that puts it into a figure, would stay English in every edition."""
    writers = {
        "set_xlabel",
        "set_ylabel",
        "set_title",
        "suptitle",
        "xlabel",
        "ylabel",
        "title",
        "annotate",
        "legend",
    }
    literal = []
    for place, source in sources().items():
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            words = [k.value for k in node.keywords if k.arg == "label"]
            words += node.args[:1] if node.func.attr in writers else []
            literal += [
                f"{place}: {word.value!r}"
                for word in words
                if isinstance(word, ast.Constant)
                and isinstance(word.value, str)
                and re.search(r"[A-Za-z]{3}", word.value)
            ]
    assert literal == []


def test_text_fills_in_values(monkeypatch):
    catalogue._catalogue.cache_clear()
    monkeypatch.setattr(catalogue, "_catalogue", lambda code: {"a.b": "{n} steps", "a.c": "go", "d.e": "x"})
    assert catalogue.text("a.b", n=3) == "3 steps"
    assert catalogue.texts("a") == {"b": "{n} steps", "c": "go"}
    with pytest.raises(KeyError, match=r"no text for key 'a\.z'"):
        catalogue.text("a.z")


def test_an_unknown_language_is_named(monkeypatch):
    monkeypatch.setenv("DLCOMPARE_LANG", "xx")
    with pytest.raises(ValueError, match=r"DLCOMPARE_LANG is 'xx'; there is a catalogue for .*en"):
        catalogue.text("axis.step")
