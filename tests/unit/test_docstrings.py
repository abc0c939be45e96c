"""Every public name says what it is, what it raises, and which shapes its tensors have.

What is public comes from the reference (`_ext/api_reference.py`), which takes it from each module's ``__all__``.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator

import pytest

from _ext import api_reference

Documented = dict[str, object]  # dotted name -> class, function or property

#: A shape: ``(batch, seq)``, ``(n,)``, ``(…, vocab_size)``; or words for a tensor that may have any.
SHAPE = re.compile(r"\([^()]*,[^()]*\)|scalar|any shape|each number")
#: A type that is a tensor or a tuple of some; one inside a function's or a dictionary's type may have any shape.
TENSOR = re.compile(r"(torch\.)?Tensor\b|tuple\[.*\bTensor\b")
#: An error that tells a programmer of a subclass, not a user, that something is missing.
ABSTRACT = "NotImplementedError"


def members(cls: type) -> Iterator[tuple[str, object]]:
    """Yield the public functions and properties that a class itself defines."""
    for name, value in vars(cls).items():
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            yield name, value


@functools.cache
def documented(module: str) -> Documented:
    """Return what `module` defines for the public: names, and public members of classes."""
    found: Documented = {}
    for part in api_reference.parts():
        for entry in api_reference.entries(part).get(module, []):
            if entry.kind != "data":
                found[entry.path] = entry.value
            if inspect.isclass(entry.value):
                found.update({f"{entry.path}.{name}": value for name, value in members(entry.value)})
    return found


def functions(thing: object) -> list[Callable[..., object]]:
    """Return the functions whose behaviour the docstring of `thing` tells."""
    if isinstance(thing, property):
        return [thing.fget] if thing.fget else []
    if inspect.isclass(thing):
        made_by = (vars(thing).get(name) for name in ("__init__", "__post_init__"))
        # A dataclass's own __init__ has no source.
        return [f for f in made_by if inspect.isfunction(f) and f.__code__.co_filename == inspect.getfile(thing)]
    return [inspect.unwrap(thing)]  # type: ignore[arg-type]


def raised(function: Callable[..., object]) -> set[str]:
    """Return the names of the exceptions that a function's own body raises."""
    names = set()
    todo: list[ast.AST] = list(ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body)  # type: ignore[attr-defined]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = ast.unparse(error).rsplit(".", 1)[-1]
            if name[0].isupper() and name != ABSTRACT:  # not a variable, nor a function that makes one
                names.add(name)
        todo += ast.iter_child_nodes(node)
    return names


def section(doc: str, title: str) -> str:
    """Return a section of a docstring in numpydoc's form."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[^\n]*\n---|\Z)", doc, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


MODULES = [module for part in api_reference.parts() for module in api_reference.modules(part)]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring(module: str) -> None:
    bare = [name for name, thing in documented(module).items() if not (inspect.getdoc(thing) or "").strip()]
    for part in api_reference.parts():
        for entry in api_reference.entries(part).get(module, []):
            # A type says by itself what it is: Literal["relu", "tanh"].
            if entry.kind == "data" and not api_reference.is_type(entry.value) and not entry.doc:
                bare.append(entry.path)
    assert not bare


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_tell_what_is_raised(module: str) -> None:
    silent = {}
    for name, thing in documented(module).items():
        doc = inspect.getdoc(thing) or ""
        # "Raise ValueError unless …" says it too.
        told = section(doc, "Raises") + " ".join(re.findall(r"\b[Rr]aises? (\w+)", doc))
        if untold := {error for f in functions(thing) for error in raised(f) if error not in told}:
            silent[name] = untold
    assert not silent


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_tell_the_shapes_of_tensors(module: str) -> None:
    shapeless = []
    for name, thing in documented(module).items():
        for function in functions(thing):
            variadic = inspect.getfullargspec(function).varargs
            hints = inspect.get_annotations(function).items()
            tensors = [name for name, hint in hints if name not in ("return", variadic) and TENSOR.match(str(hint))]
            if tensors and not SHAPE.search(inspect.getdoc(thing) or ""):
                shapeless.append(name)
    assert not shapeless


def test_the_checks_see_what_they_are_there_for() -> None:
    def careless(x: int) -> None:
        """Do it.

        Raises
        ------
        KeyError
            never.
        """
        if x:
            raise ValueError(x)

        def inner() -> None:
            raise TypeError

        error = OSError()
        raise error

    assert raised(careless) == {"ValueError"}
    assert section(inspect.getdoc(careless) or "", "Raises").split() == ["KeyError", "never."]
    assert not SHAPE.search("the tensor (or two)")
    assert all(SHAPE.search(text) for text in ("(batch, seq)", "(n,)", "(…, d)", "a scalar"))
