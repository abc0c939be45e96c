"""Records: one for each model that was trained and measured, as lines of JSON.

A file of records only ever grows, by whole lines. Whoever is killed while writing one leaves a torn last line; it is
set aside into a file of its own by the next who writes, named when it is read, and never taken for a record.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import typing
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from filelock import FileLock

__all__ = ["Point", "Record", "RecordError", "TornLineWarning", "append", "key_of", "latest", "read"]


class RecordError(ValueError):
    """A line of a file of records is none; the message names the file, the line and what is wrong."""


class TornLineWarning(UserWarning):
    """A file of records ends in a line that was not written to its end."""


@dataclass(frozen=True)
class Point:
    """A point of a training curve.

    Parameters
    ----------
    step
        how many steps had been made.
    loss
        mean training loss since the point before, in nats (or the target's squared unit, in a regression).
    validation
        mean loss on the validation part, in the same unit; lower is better.
    """

    step: int
    loss: float
    validation: float


@dataclass(frozen=True)
class Record:
    """What was trained, how, on what machine, and what it is worth.

    Parameters
    ----------
    key
        of what determines the run, see :func:`key_of`.
    task, family, budget
        their names.
    seed
        of initial weights, batches, dropout, and of a sample of labels.
    configuration
        everything that was chosen for the run: sizes, batch, settings of task and budget.
    learning_rate
        AdamW's peak; None for what is not trained by gradients.
    search
        how that was found: the ``grid``, whose ``seed`` the tries were of, the rates that were ``tried``, and the
        ``validation`` loss of each.
    versions
        of dlcompare, Python, torch and what else took part.
    machine
        processor, cores, threads.
    device
        where it was computed: "cpu" or "cuda".
    seconds, cpu_seconds
        wall time and processor time of the training, in seconds, without search and evaluations.
    peak_memory
        most memory of the run's own process at once, in bytes, libraries and data included; None where the run had no
        process of its own.
    parameters
        numbers that are trained; None for what has no such count.
    flops
        floating-point operations of all training steps, forward and backward; None as above.
    steps
        training steps that were made.
    examples, tokens
        how many were seen in training, repeated ones counted again; tokens are None where the input has none.
    curve
        a few points of the training.
    validation, test
        metrics by their names, each in the unit that the task states; the test part is measured once, at the end.
    error
        why there are no metrics; None where all went well.
    """

    key: str
    task: str
    family: str
    budget: str
    seed: int
    configuration: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int | None = None
    parameters: int | None = None
    flops: int | None = None
    steps: int = 0
    examples: int = 0
    tokens: int | None = None
    curve: tuple[Point, ...] = ()
    validation: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

    def to_json(self) -> str:
        """Return the record as one line of JSON, without the line's end.

        Raises
        ------
        ValueError
            when it holds what JSON has no form for, such as NaN.
        """
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Record:
        """Return the record that ``line`` holds.

        Raises
        ------
        RecordError
            when it is no JSON object, a field is missing, unknown, or of another type.
        """
        try:
            fields = json.loads(line)
        except ValueError as reason:
            raise RecordError(f"no JSON: {reason}") from None
        if not isinstance(fields, dict):
            raise RecordError(f"a {type(fields).__name__}; allowed is a JSON object")
        known = {f.name: f for f in dataclasses.fields(cls)}
        needed = {name for name, f in known.items() if f.default is f.default_factory is dataclasses.MISSING}
        if missing := sorted(needed - set(fields)):
            raise RecordError(f"the fields {', '.join(missing)} are missing")
        if unknown := sorted(set(fields) - set(known)):
            raise RecordError(f"the fields {', '.join(unknown)} are unknown; known are {', '.join(known)}")
        types = get_type_hints(cls)
        for name, value in fields.items():
            if not _fits(value, types[name]):
                raise RecordError(f"{name} is {value!r}; allowed is {types[name]}")
        try:
            curve = tuple(Point(**point) for point in fields.get("curve", ()))
        except TypeError as reason:
            raise RecordError(f"curve holds what is no point: {reason}") from None
        return cls(**{**fields, "curve": curve})


def _fits(value: object, wanted: Any) -> bool:
    """Tell whether a value of JSON can stand for the type ``wanted``."""
    origin = typing.get_origin(wanted)
    if origin is Mapping:
        return isinstance(value, dict)
    if origin is tuple:
        return isinstance(value, list)
    if origin is not None:  # a union
        return any(_fits(value, choice) for choice in typing.get_args(wanted))
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def key_of(**what: Any) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of ``what`` determines a run, written as JSON with sorted names.

    What a run merely happens on (machine, versions, the state of the repository) has no place in it.

    Raises
    ------
    TypeError
        for what JSON has no form for.
    """
    return hashlib.sha256(json.dumps(what, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def append(path: Path, record: Record) -> None:
    """Add ``record`` to the file ``path`` as a line that is there whole or not at all; the file is made if need be.

    Several processes may do so at once. A torn last line is moved to a file beside it, with ".torn" after its name.

    Raises
    ------
    ValueError
        when the record holds what JSON has no form for, such as NaN.
    OSError
        when the file can't be written; what it held before stays.
    """
    line = record.to_json().encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"), path.open("a+b") as file:
        end = _set_aside(path, file)
        try:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # a full disk, for example
            file.truncate(end)
            raise


def _set_aside(path: Path, file: typing.BinaryIO) -> int:
    """Cut a torn last line off ``file``, keep it beside, and return where the next line begins."""
    file.seek(0)
    content = file.read()
    whole, torn = _divided(content)
    if torn:
        with path.with_name(f"{path.name}.torn").open("ab") as aside:
            aside.write(torn + b"\n")
        file.truncate(whole)
    if content and whole == len(content) and not content.endswith(b"\n"):
        file.write(b"\n")  # a whole record that lacks its line's end alone
        file.flush()
        whole += 1
    return whole


def _divided(content: bytes) -> tuple[int, bytes]:
    """Return how many bytes of ``content`` are whole lines, and the torn rest."""
    start = content.rfind(b"\n") + 1
    rest = content[start:]
    if rest:
        try:
            Record.from_json(rest.decode("utf-8"))
        except (RecordError, UnicodeDecodeError):
            return start, rest
    return len(content), b""


def read(path: Path) -> list[Record]:
    """Return the records of the file ``path`` in their order; none when there is no such file.

    A torn last line is left out, with a :class:`TornLineWarning` that names it.

    Raises
    ------
    RecordError
        for any other line that is no record, with the file and the line's number.
    """
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole, torn = _divided(content)
    lines = content[:whole].splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(Record.from_json(line.decode("utf-8")))
        except (RecordError, UnicodeDecodeError) as reason:
            raise RecordError(f"{path}, line {number}: {reason}") from None
    if torn:
        warnings.warn(
            f"{path}, line {len(lines) + 1} was not written to its end ({len(torn)} bytes) and is left out",
            TornLineWarning,
            stacklevel=2,
        )
    return records


def latest(records: Iterable[Record]) -> list[Record]:
    """Return of the records with the same key the last one alone, in the order of the first: a later try counts."""
    return list({record.key: record for record in records}.values())
