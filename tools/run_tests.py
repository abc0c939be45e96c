"""Run every test there is, stage by stage, and end with one count of them all.

``python -m tools.run_tests`` runs all stages; with names as arguments, only those. A stage that fails does not keep the
later ones from running, so one run shows all that is wrong. The exit status is that of the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.chapters import ROOT, TocError, notebooks
from tools.execute import CELL_TIMEOUT, own_kernel, workers
from tools.find_browser import NoBrowserError, find_or_install

RESULTS = ROOT / "_build" / "tests"
BIN = Path(sys.executable).parent
#: The least share, in percent, of the package's lines that the unit tests alone must run.
COVERAGE = 95


@dataclass
class Tally:
    """What a stage, or all of them, counted: tests that passed, failed (or could not run) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another stage's counts."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures


def call(name: str, command: list[str], environment: dict[str, str] | None = None) -> bool:
    """Run one command, shown by its `name`; return whether it succeeded."""
    started = time.monotonic()
    print(f"\n=== {name}", flush=True)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False)
    verdict = "ok" if done.returncode == 0 else f"FAILED with status {done.returncode}"
    print(f"=== {name}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)
    return done.returncode == 0


def check(name: str, command: list[str]) -> Tally:
    """Run one check that passes or fails as a whole."""
    return Tally(passed=1) if call(name, command) else Tally(failed=1, failures=[name])


def read_results(report: Path) -> Tally:
    """Return the counts in a JUnit XML file that pytest has written."""
    suite = ElementTree.parse(report).getroot()
    suites = [suite] if suite.tag == "testsuite" else list(suite.iter("testsuite"))
    total, failed, skipped = (
        sum(int(s.get(key, "0")) for s in suites for key in keys)
        for keys in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return Tally(passed=max(total - failed - skipped, 0), failed=failed, skipped=skipped)


def pytest(name: str, arguments: list[str], environment: dict[str, str] | None = None) -> Tally:
    """Run pytest and return its counts. A run that collected nothing or broke off counts as a failure."""
    report = RESULTS / f"{name.replace(' ', '-')}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    succeeded = call(f"{name} (pytest)", command, environment)
    tally = read_results(report) if report.is_file() else Tally()
    if not succeeded or tally.passed + tally.failed == 0:
        tally.failed = max(tally.failed, 1)
        tally.failures.append(name)
    return tally


def form() -> Tally:
    """Check the form of everything that is written by hand."""
    tally = Tally()
    for name, command in {
        "ruff check": [str(BIN / "ruff"), "check", "--quiet"],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet"],
        "mypy": [sys.executable, "-m", "mypy"],
        "codespell": [str(BIN / "codespell")],
        "notebooks' form": [sys.executable, "-m", "tools.format_notebooks", "--check"],
        "front end's types": [sys.executable, "js/hatch_build.py", "check"],
    }.items():
        tally.add(check(name, command))
    return tally


def front_end() -> Tally:
    """Run the front end's own unit tests, in Node."""
    return check("front end's unit tests", [sys.executable, "js/hatch_build.py", "test"])


def show_uncovered(report: Path) -> None:
    """Print how many of the package's lines were run, and which were not in the files where too many were not."""
    measured = json.loads(report.read_text(encoding="utf-8"))
    print(f"lines of src/dlcompare run by the unit tests: {measured['totals']['percent_covered']:.1f} %")
    for name, file in measured["files"].items():
        if file["summary"]["percent_covered"] < COVERAGE:
            lines = ", ".join(map(str, file["missing_lines"]))
            print(f"  {name}: {file['summary']['percent_covered']:.0f} %, without the lines {lines}")


def python() -> Tally:
    """Run the tests of the package and measure what they run; then those of the data, the book and the form."""
    # One thread each: the tests run side by side already.
    side_by_side = ["-n", str(workers()), "--dist", "loadscope"]
    environment = {"OMP_NUM_THREADS": "1"}
    report = RESULTS / "coverage.json"
    report.unlink(missing_ok=True)
    measure = ["--cov=dlcompare", f"--cov-report=json:{report}", f"--cov-fail-under={COVERAGE}"]
    data = {"COVERAGE_FILE": str(RESULTS / "coverage.data")}
    tally = pytest("unit", ["tests/unit", *side_by_side, *measure], environment | data)
    if report.is_file():
        show_uncovered(report)
    names = ("real", "claims", "book", "notebooks")
    folders = [f"tests/{name}" for name in names if any((ROOT / "tests" / name).iterdir())]
    tally.add(pytest("python", [*folders, *side_by_side], environment))
    return tally


def chapters() -> Tally:
    """Execute every chapter as a reader would, without the book's environment, by nbval."""
    paths = [str(path.relative_to(ROOT)) for path in notebooks()]
    environment = {
        "JUPYTER_PATH": str(own_kernel(ROOT / "_build" / "kernel")),
        "IPYTHONDIR": str(ROOT / "_build" / "ipython"),
        "OMP_NUM_THREADS": "1",
        "DLCOMPARE_QUIET": "1",
    }
    # loadscope keeps a notebook's cells in one process: they need each other.
    arguments = ["--nbval-lax", f"--nbval-cell-timeout={CELL_TIMEOUT}", "--nbval-kernel-name=python3"]
    arguments += ["-n", str(workers()), "--dist", "loadscope", "-p", "no:cacheprovider"]
    return pytest("chapters", [*arguments, *paths], environment)


def browser() -> Tally:
    """Open every page of the built book in a real browser."""
    try:
        program = find_or_install()
    except NoBrowserError as error:
        print(f"\n=== browser\n{error}", file=sys.stderr)
        return Tally(failed=1, failures=["browser"])
    # Twice as many as there are cores, for they mostly wait; one thread each. The conftest says who gets which.
    arguments = ["tests/browser", "-n", str(2 * workers()), "--dist", "loadscope"]
    return pytest("browser", arguments, {"CHROMIUM": program, "OMP_NUM_THREADS": "1"})


STAGES: dict[str, Callable[[], Tally]] = {
    "form": form,
    "front-end": front_end,
    "python": python,
    "chapters": chapters,
    "browser": browser,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run every test there is, or only some stages.")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"{', '.join(STAGES)} (default: all)")
    asked = parser.parse_args().stages or list(STAGES)
    unknown = [name for name in asked if name not in STAGES]
    if unknown:
        parser.error(f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)}")
    os.environ.pop("DLCOMPARE_BOOK", None)  # tests set it where they mean it
    total = Tally()
    times = []
    for name in asked:
        started = time.monotonic()
        try:
            total.add(STAGES[name]())
        except TocError as error:
            print(f"\n=== {name}\n{error}", file=sys.stderr)
            total.add(Tally(failed=1, failures=[name]))
        times.append(f"{name} {time.monotonic() - started:.0f} s")
    print(f"\n=== all stages: {', '.join(times)}")
    if total.failures:
        print(f"=== failed: {', '.join(total.failures)}")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
