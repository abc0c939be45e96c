"""The runner: jobs become records, each in a process of its own, as many at once as fit into the memory.

It can be stopped and killed at any moment. What has finished stands in the file; started again, it goes on with the
rest, by the records' keys. A job that fails leaves a record that says why, and is tried again the next time.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from dlcompare._machine import peak_memory
from dlcompare._progress import QUIET, Update, progress
from dlcompare.comparison.budgets import BudgetError
from dlcompare.comparison.job import Job
from dlcompare.comparison.record import Record, append, latest, read

__all__ = ["FIRST_GUESS", "remaining", "run"]

#: Memory of a job of which no like has been measured, in bytes.
FIRST_GUESS = 1_500_000_000


def remaining(jobs: Iterable[Job], path: Path) -> list[Job]:
    """Return the jobs that have no record without an error in the file ``path``, each once.

    Raises
    ------
    RecordError
        when the file holds what is no record.
    """
    done = {record.key for record in latest(read(path)) if record.error is None}
    return list({job.key: job for job in jobs if job.key not in done}.values())


def run(
    jobs: Iterable[Job],
    path: Path,
    *,
    processes: int = 1,
    memory: int | None = None,
    threads: int = 1,
    device: str = "cpu",
    quiet: bool = False,
) -> list[Record]:
    """Run what remains of ``jobs``, add each record to the file ``path`` when it is there, and return the new ones.

    Parameters
    ----------
    jobs
        what is to be measured; what has a record in ``path`` is left out.
    path
        a file of records, see :func:`dlcompare.comparison.append`.
    processes
        how many jobs run at once. With 0 they run in this process, one after the other, and no memory is measured: for
        families that were written in a notebook, which another process can't import.
    memory
        bytes that all of them may have together; None for no limit. A job is expected to need what one of the same task
        and family has needed (at first :data:`FIRST_GUESS`), and waits until that is free.
    threads
        torch's threads in each process.
    device
        where networks are trained, "cpu" or "cuda".
    quiet
        whether to show no progress and no estimate of the time that is left.

    Raises
    ------
    ValueError
        for a number out of range, a job that can't be sent to another process, or one whose learning rate is found by a
        job that is neither among these nor has a record.
    RecordError
        when the file holds what is no record.
    KeyboardInterrupt
        on Ctrl-C; the jobs that run are ended, and lost.
    """
    for name, value, least in (("processes", processes, 0), ("threads", threads, 1), ("memory", memory or 1, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}; allowed are integers of at least {least}")
    jobs = list({job.key: job for job in jobs}.values())
    todo = remaining(jobs, path)
    _check_sources(todo, path)
    with progress("comparing", len(jobs), done=len(jobs) - len(todo), quiet=quiet) as show:
        if processes == 0:
            return _run_here(todo, path, threads, device, lambda n, note: show(len(jobs) - len(todo) + n, note))
        pool = _Pool(path, processes, memory, threads, device)
        with ExitStack() as stack:
            stack.callback(pool.end)
            return pool.run(todo, lambda n, note: show(len(jobs) - len(todo) + n, note))


def _done(path: Path) -> dict[str, Record]:
    """Return the records without an error by their keys."""
    return {record.key: record for record in latest(read(path)) if record.error is None}


def _check_sources(todo: Sequence[Job], path: Path) -> None:
    known = {job.key for job in todo} | set(_done(path))
    for job in todo:
        if job.source is not None and job.source.key not in known:
            raise ValueError(
                f"jobs has {job.name!r} without {job.source.name!r}, whose search finds its learning rate; it must be"
                f" among the jobs, or have a record in {path}"
            )


def _refused(job: Job, device: str, source: Record) -> Record:
    """Return the record of a job whose search has failed."""
    return job.failed(f"the search for its learning rate failed ({source.error})", device)


def _run_here(todo: Sequence[Job], path: Path, threads: int, device: str, show: Update) -> list[Record]:
    records: list[Record] = []
    before, shown = torch.get_num_threads(), os.environ.get(QUIET)
    torch.set_num_threads(threads)
    os.environ[QUIET] = "1"  # for the bars of each training
    found = _done(path)
    try:
        for job in sorted(todo, key=lambda job: job.source is not None):  # those that search come first
            show(len(records), job.name)
            source = None if job.source is None else found[job.source.key]
            failed = source is not None and source.error is not None
            made = _refused(job, device, source) if failed and source else _attempted(job, device, source)
            append(path, made)
            records.append(made)
            found[job.key] = made
    finally:
        torch.set_num_threads(before)
        os.environ.pop(QUIET)
        if shown is not None:
            os.environ[QUIET] = shown
    return records


def _attempted(job: Job, device: str, source: Record | None) -> Record:
    """Run a job; what goes wrong in it becomes a record."""
    try:
        record = job.run(device, source)
        record.to_json()  # what JSON has no form for is found here
    except Exception as reason:
        return job.failed(_told(reason), device)
    return record


def _told(reason: BaseException) -> str:
    """Return the kind and the message of an exception, and where in its source it was raised.

    What a budget is too small for is no fault of the program: there the message is enough.
    """
    if isinstance(reason, BudgetError):
        return str(reason)
    last = traceback.extract_tb(reason.__traceback__)[-1:]
    where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in last)
    return f"{type(reason).__name__}: {reason}{where}"


def _child(job: Job, source: Record | None, threads: int, device: str, results: Connection) -> None:
    """Run a job in a process of its own, and send its record as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    os.environ[QUIET] = "1"  # the parent shows how far all are
    record = replace(_attempted(job, device, source), peak_memory=peak_memory())
    results.send_bytes(record.to_json().encode())
    results.close()


def _end_with_parent() -> None:
    """End this process when the one that has started it is no more, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@dataclass
class _Running:
    job: Job
    process: BaseProcess
    results: Connection
    needs: int


class _Pool:
    """Processes with a job each, within a limit of memory."""

    def __init__(self, path: Path, processes: int, memory: int | None, threads: int, device: str):
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        self.context = multiprocessing.get_context(method)
        if method == "forkserver":
            # torch is imported once; each job is a fork from before torch has begun any thread.
            self.context.set_forkserver_preload([__name__])
        self.path, self.processes, self.memory, self.threads, self.device = path, processes, memory, threads, device
        self.running: list[_Running] = []
        self.needed: dict[tuple[str, str], int] = {}
        for record in read(path):
            self.learn(record)
        self.found = _done(path)

    def learn(self, record: Record) -> None:
        """Remember the most memory that a job of this task and family has needed."""
        kind = record.task, record.family
        if record.peak_memory is not None and record.error is None:
            self.needed[kind] = max(self.needed.get(kind, 0), record.peak_memory)

    def needs(self, job: Job) -> int:
        """Return how much memory a job is expected to need, in bytes."""
        return self.needed.get((job.task.name, job.family.name), FIRST_GUESS)

    def run(self, todo: Sequence[Job], show: Update) -> list[Record]:
        """Run all, and return their records in the order in which they finished."""
        waiting, records = list(todo), []
        while waiting or self.running:
            refused = self._start_what_fits(waiting)
            for record in refused or self._finished():
                append(self.path, record)
                self.learn(record)
                self.found[record.key] = record
                records.append(record)
            show(len(records), ", ".join(one.job.name for one in self.running))
        return records

    def _start_what_fits(self, waiting: list[Job]) -> list[Record]:
        """Start jobs from the front while there is room; return records of those that never will have any."""
        refused = []
        for job in list(waiting):
            if len(self.running) >= self.processes:
                break
            source = None if job.source is None else self.found.get(job.source.key)
            if job.source is not None and source is None:
                continue  # its search has not finished yet
            if source is not None and source.error is not None:
                waiting.remove(job)
                refused.append(_refused(job, self.device, source))
                continue
            needs = self.needs(job)
            if self.memory is not None and needs > self.memory:
                waiting.remove(job)
                refused.append(
                    job.failed(f"MemoryError: needs about {needs:,} bytes; allowed are {self.memory:,} for all jobs")
                )
            elif self.memory is None or sum(one.needs for one in self.running) + needs <= self.memory:
                waiting.remove(job)
                self._start(job, source, needs)
        return refused

    def _start(self, job: Job, source: Record | None, needs: int) -> None:
        receive, send = self.context.Pipe(duplex=False)
        process = self.context.Process(target=_child, args=(job, source, self.threads, self.device, send), daemon=True)  # type: ignore[attr-defined]
        try:
            process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as reason:
            raise ValueError(
                f"job {job.name!r} can't be sent to another process ({reason}): define its family in a module that can"
                " be imported, or run with processes=0"
            ) from reason
        send.close()
        self.running.append(_Running(job, process, receive, needs))

    def _finished(self) -> list[Record]:
        """Wait until at least one job has finished; return the records of those that have."""
        ready = wait([one.results for one in self.running])
        records = []
        for one in [one for one in self.running if one.results in ready]:
            try:
                records.append(Record.from_json(one.results.recv_bytes().decode()))
            except EOFError:  # it has ended without a word
                one.process.join()
                code = one.process.exitcode or 0
                how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
                hint = ", as the system does when memory runs out" if code == -signal.SIGKILL else ""
                records.append(one.job.failed(f"the process ended {how}{hint}"))
            one.process.join()
            one.results.close()
            self.running.remove(one)
        return records

    def end(self) -> None:
        """End what still runs."""
        for one in self.running:
            one.process.kill()
        for one in self.running:
            one.process.join()
            one.results.close()
        self.running = []
