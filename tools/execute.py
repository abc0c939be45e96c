"""Execute the notebooks that the execution cache does not know yet, side by side, and fill the cache.

myst-nb would execute one after another while Sphinx reads; here as many run at once as there are processors,
each in a kernel of its own with one thread, the longest first. What succeeded is cached at once, so an
interrupted run loses only what was running. A notebook that fails is reported with its cell and traceback,
the others go on.

Two things besides an exception count as failures, because a reader would see them on the page: text on stderr
(a warning; a cell tagged ``remove-stderr`` may write some) and a result shown as a bare object with its
address.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from _ext.fresh_cache import KERNEL_ENVIRONMENT, caches, graphs_path

#: Seconds that one cell may take, and after which a running notebook says that it is still there.
CELL_TIMEOUT = 300
HEARTBEAT = 30

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+>")


@dataclass
class Run:
    """One notebook's execution: how far it is, and in the end how it went."""

    path: Path
    name: str
    notebook: Any
    cell: int = 0
    started: float = 0.0
    seconds: float = 0.0
    peak_memory: int | None = None
    problem: str | None = None
    cells: int = field(init=False)

    def __post_init__(self) -> None:
        self.cells = len(self.notebook.cells)

    def fail(self, index: int, reason: str) -> None:
        """Record that cell `index` failed, with its source and the reason."""
        cell = self.notebook.cells[index]
        source = "\n".join(f"    | {line}" for line in cell.source.splitlines())
        identity = f" (id {cell.id})" if "id" in cell else ""
        reason = "\n".join(f"    {line}" for line in _ANSI.sub("", reason).strip().splitlines())
        self.problem = f"{self.name}, cell {index + 1} of {self.cells}{identity}:\n{source}\n\n{reason}"


@dataclass(frozen=True)
class Cost:
    """What a notebook's last execution took: seconds, and the kernel's peak memory in bytes, None where not known."""

    seconds: float
    peak_memory: int | None


def _costs_file(root: Path) -> Path:
    return caches(root) / "costs.json"


def costs(root: Path) -> dict[str, Cost]:
    """Return what the last execution of each notebook took, by its name relative to the book's folder `root`."""
    file = _costs_file(root)
    if not file.is_file():
        return {}
    return {name: Cost(**cost) for name, cost in json.loads(file.read_text(encoding="utf-8")).items()}


def workers() -> int:
    """Return how many notebooks run at once: DLCOMPARE_JOBS, or one per processor and at most four."""
    asked = os.environ.get("DLCOMPARE_JOBS")
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise SystemExit(f"DLCOMPARE_JOBS is {asked!r}: expected a whole number of at least 1")
        return int(asked)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, 4)  # a kernel with PyTorch takes up to 1 GB of memory


def own_kernel(folder: Path) -> Path:
    """Write the specification of a kernel python3 that is this very Python; return JUPYTER_PATH's folder.

    A python3 kernel that the user has registered elsewhere would come first otherwise, with other packages.
    """
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    # The log level spares the output a warning per kernel; chapters' own warnings do not pass through that log.
    argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    argv.append("--IPKernelApp.log_level=40")
    content = json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}, indent=1)
    if not spec.is_file() or spec.read_text(encoding="utf-8") != content:
        spec.write_text(content, encoding="utf-8")
    return folder


def stale(notebooks: Iterable[Path], cache: JupyterCacheAbstract) -> list[Path]:
    """Return those of the `notebooks` whose code cells, as they are now, have no outputs in the cache."""
    missing = []
    for path in notebooks:
        try:
            record = cache.match_cache_notebook(nbformat.read(path, as_version=4))
            cache.get_cache_bundle(record.pk)  # an interrupted write leaves a record without its file
        except (KeyError, ValueError, OSError):
            missing.append(path)
    return missing


def _check_outputs(run: Run) -> None:
    for index, cell in enumerate(run.notebook.cells):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            tags = cell.metadata.get("tags", [])
            if output.output_type == "stream" and output.name == "stderr" and "remove-stderr" not in tags:
                run.fail(index, f"wrote to stderr, which a reader would see:\n{output.text}")
                return
            text = output.get("data", {}).get("text/plain", "")
            shown_otherwise = set(output.get("data", {})) - {"text/plain"}
            if output.output_type == "execute_result" and not shown_otherwise and _ADDRESS.search(text):
                run.fail(index, f"shows a bare object, {text!r}: end the line with a semicolon or name the result")
                return


def _peak_memory(pid: int) -> int | None:
    """Return the most memory that a process has had at once, in bytes; None where the system doesn't tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else None


async def _execute(run: Run, environment: dict[str, str], logs: Path) -> None:
    def follow(cell: Any, cell_index: int) -> None:
        run.cell = cell_index

    def weigh(cell: Any, cell_index: int) -> None:
        # After each cell, for after the last one the kernel is gone.
        provisioner: Any = client.km and client.km.provisioner
        run.peak_memory = _peak_memory(provisioner.pid)

    run.started = time.monotonic()
    client = NotebookClient(
        run.notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(run.path.parent)}},
        on_cell_start=follow,
        on_cell_complete=weigh,
        record_timing=False,
    )
    # What a kernel itself says, while it starts, dies or is interrupted, is no part of the notebook.
    log = logs / (run.name.replace("/", "-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("w", encoding="utf-8") as kernels_words:
            await client.async_execute(env=environment, stdout=kernels_words, stderr=kernels_words)
    except CellExecutionError as error:
        # The error's own text repeats the cell; the traceback that a reader would see stands in its output.
        shown = [output for output in run.notebook.cells[run.cell].outputs if output.output_type == "error"]
        run.fail(run.cell, "\n".join(shown[-1].traceback) if shown else str(error))
    except CellTimeoutError:
        run.fail(run.cell, f"still ran after {CELL_TIMEOUT} s, which is the limit for one cell")
    except DeadKernelError:
        last_words = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
        run.fail(run.cell, f"its kernel died: out of memory, or a crash in compiled code\n{last_words}")
    except Exception as error:
        run.fail(run.cell, f"could not be executed: {type(error).__name__}: {error}")
    else:
        _check_outputs(run)
    run.seconds = time.monotonic() - run.started


async def _execute_all(
    runs: list[Run],
    environment: dict[str, str],
    logs: Path,
    done: Callable[[Run], None],
    say: Callable[[str], None],
) -> None:
    places = asyncio.Semaphore(workers())
    running: list[Run] = []

    async def one(run: Run) -> None:
        async with places:
            running.append(run)
            await _execute(run, environment, logs)
            running.remove(run)
            done(run)

    async def heartbeat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for run in running:
                seconds = time.monotonic() - run.started
                say(f"        … {run.name}: cell {run.cell + 1} of {run.cells}, {seconds:.0f} s")

    pulse = asyncio.create_task(heartbeat())
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(one(run))
    finally:
        pulse.cancel()


def _in_own_thread(main: Callable[[], Any]) -> None:
    """Run the coroutine that `main` makes in a thread, and cancel it when this thread is interrupted.

    nbclient installs signal handlers of its own where it can, one notebook's over another's. In a thread it
    cannot; here an interrupt cancels every notebook, and each shuts its kernel down.
    """
    outcome: Future[None] = Future()
    ready = threading.Event()
    handle: dict[str, Any] = {}

    async def body() -> None:
        handle["loop"], handle["task"] = asyncio.get_running_loop(), asyncio.current_task()
        ready.set()
        await main()

    def target() -> None:
        try:
            asyncio.run(body())
            outcome.set_result(None)
        except BaseException as error:
            ready.set()
            outcome.set_exception(error)

    thread = threading.Thread(target=target, name="notebooks")
    thread.start()
    ready.wait()
    try:
        outcome.result()
    except KeyboardInterrupt:
        handle["loop"].call_soon_threadsafe(handle["task"].cancel)
        thread.join()
        raise
    thread.join()


def execute(notebooks: list[Path], root: Path, cache_folder: Path, say: Callable[[str], None] = print) -> list[str]:
    """Execute the stale ones of `notebooks`, put their outputs into the cache and return what went wrong.

    Parameters
    ----------
    notebooks
        The notebooks; each runs in its own folder.
    root
        The repository: names are given relative to it, and ``_build`` below it holds what must be remembered.
    cache_folder
        The jupyter-cache's folder.
    say
        Called with each line of progress.

    Returns
    -------
    list of str
        For each notebook that failed: its name, cell and reason.
    """
    cache = get_cache(str(cache_folder))
    names = {path: path.relative_to(root).as_posix() for path in notebooks}
    todo = stale(notebooks, cache)
    if not todo:
        say("Every chapter has fresh outputs.")
        return []
    known = costs(root)
    # The longest first: otherwise the last one runs alone. One never seen before may be long.
    todo.sort(key=lambda path: -known[names[path]].seconds if names[path] in known else -math.inf)
    kernels = own_kernel(root / "_build" / "kernel")
    search_path = os.pathsep.join(filter(None, [str(kernels), os.environ.get("JUPYTER_PATH")]))
    environment = {
        **os.environ,
        **KERNEL_ENVIRONMENT,
        "DLCOMPARE_GRAPHS": str(graphs_path(root)),
        "JUPYTER_PATH": search_path,
        "IPYTHONDIR": str(root / "_build" / "ipython"),  # no start-up files of the user's
    }
    os.environ["JUPYTER_PATH"] = search_path  # the kernel is looked up in this process
    runs = [Run(path, names[path], nbformat.read(path, as_version=4)) for path in todo]
    failures: list[str] = []
    finished = 0

    def done(run: Run) -> None:
        nonlocal finished
        finished += 1
        mark = "FAILED" if run.problem else f"{run.seconds:6.1f} s"
        say(f"[{finished:2}/{len(runs)}] {mark:>8}  {run.name}")
        if run.problem:
            failures.append(run.problem)
            return
        bundle = CacheBundleIn(run.notebook, str(run.path), data={"execution_seconds": run.seconds})
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        known[run.name] = Cost(round(run.seconds, 1), run.peak_memory)
        written = {name: asdict(cost) for name, cost in sorted(known.items())}
        _costs_file(root).write_text(json.dumps(written, indent=1), encoding="utf-8")

    fresh = len(notebooks) - len(todo)
    say(f"Executing {len(todo)} of {len(notebooks)} notebooks ({fresh} fresh), {min(workers(), len(todo))} at a time:")
    _in_own_thread(lambda: _execute_all(runs, environment, kernels / "logs", done, say))
    return failures
