"""Results that were measured once and are read from then on: what ``make bench`` and its like have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dlcompare.comparison.record import Record, latest, read

__all__ = ["bench", "comparison", "inference", "pages", "scaling"]


def _place(name: str) -> Path:
    packaged = Path(__file__).parent / "_results" / name
    return packaged if packaged.is_file() else Path(__file__).parents[2] / "data" / "results" / name


def _read(name: str, path: Path | None) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((path or _place(name)).read_text(encoding="utf-8"))
    return results


def comparison(*, quick: bool = False, path: Path | None = None) -> list[Record]:
    """Return the records of the comparison, of each job the latest, as ``make compare`` has written them.

    Parameters
    ----------
    quick
        those of the reduced run, which ``make compare-quick`` is held against.
    path
        another file of records.

    Returns
    -------
    list
        of :class:`~dlcompare.comparison.Record`; empty where none have been committed.

    Raises
    ------
    RecordError
        when a line of the file is no record.
    """
    return latest(read(path or _place("comparison-quick.jsonl" if quick else "comparison.jsonl")))


def scaling(path: Path | None = None) -> list[Record]:
    """Return the records of the sweeps over size, data and compute, of each job the latest.

    Parameters
    ----------
    path
        another file of records than ``data/results/scaling.jsonl``.

    Returns
    -------
    list
        of :class:`~dlcompare.comparison.Record`; empty where none have been committed.
        :func:`dlcompare.comparison.series` makes the three series of them.

    Raises
    ------
    RecordError
        when a line of the file is no record.
    """
    return latest(read(path or _place("scaling.jsonl")))


def bench(path: Path | None = None) -> dict[str, Any]:
    """Return what ``make bench`` has measured, as ``data/results/bench.json`` holds it.

    Parameters
    ----------
    path
        another file of the same form.

    Returns
    -------
    dict
        ``date``, ``machine`` and ``versions``; ``shapes``, the models that are measured; ``lines``, each with ``ours``
        and ``other`` in ``unit``, their ``ratio`` (other / ours), the ``target`` it is to reach or None, and our
        ``share`` of the machine's limit; ``growth`` by context length and by width, in tokens per second.
    """
    return _read("bench.json", path)


def pages(path: Path | None = None) -> dict[str, Any]:
    """Return what ``make bench-pages`` has measured over the built book, as ``data/results/pages.json`` holds it.

    Parameters
    ----------
    path
        another file of the same form.

    Returns
    -------
    dict
        ``date``, ``machine``, ``versions`` and ``browser``; ``explorables``, each with the bytes of ``scripts``
        (gzipped), ``data`` (its state) and ``engine`` (with the largest graph, gzipped; 0 for one that asks none), and
        the seconds from a first change, a second after the figure came into view, to its answer: with an empty browser
        cache (``cold_seconds``), on a later page of the visit (``warm_seconds``) and with the engine running
        (``next_seconds``); ``graphs``, each with its ``bytes``, ``page_milliseconds`` and
        ``torch_milliseconds`` for one question, and the largest ``difference`` from torch; ``generation``, with
        ``tokens_per_second`` up to the full ``context``; ``training``, with the times of one step.
    """
    return _read("pages.json", path)


def inference(path: Path | None = None) -> dict[str, Any]:
    """Return what the next token costs, as ``python -m benchmarks.inference`` has measured it.

    Parameters
    ----------
    path
        another file of the same form.

    Returns
    -------
    dict
        ``date``, ``machine`` and ``versions``; ``models``, the GPT and the LSTM with their ``parameters``, ``n_layer``
        and ``d_model``; ``rows``, each with the ``way`` ("gpt", "gpt-uncached", "lstm"), the ``context`` in tokens, the
        ``milliseconds`` and floating-point operations (``flops``) of one more token, and the ``bytes`` that are kept
        for it.
    """
    return _read("inference.json", path)
