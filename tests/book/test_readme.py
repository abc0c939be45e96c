"""Each command in the README is run: by CI, or here, as it is printed there."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent

#: `make test` is what CI runs, it makes the book first, and its first stage is `make lint`.
RUN_BY_CI = {"make book", "make test", "make lint"}
SERVERS = {"make serve": "/", ".venv/bin/jupyter lab chapters": "/lab"}


def commands() -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return [line.split("  #")[0].split("   #")[0].strip() for block in blocks for line in block.splitlines() if line]


def words(command: str) -> list[str]:
    """The command as a list, with the running environment in the place of .venv."""
    return shlex.split(command.replace(".venv/bin/", f"{BIN}/"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_readme_has_the_two_commands_and_all_others_are_known():
    found = commands()
    assert found[:2] == ["make book", "make test"]
    assert RUN_BY_CI | set(SERVERS) < set(found)
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in found:
        if command.startswith("make "):
            assert re.search(rf"^{command.split()[1]}:", recipes, flags=re.MULTILINE), command


@pytest.mark.parametrize("command", [c for c in commands() if c not in RUN_BY_CI and c not in SERVERS])
def test_the_command_does_what_it_says(command, tmp_path):
    arguments = words(command.replace("--out runs", f"--out {tmp_path}"))
    before = subprocess.run(["git", "diff", "--stat"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if arguments[0] == "make":  # in this environment, whatever its name
        arguments.append(f"VENV={BIN.parent}")
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    after = subprocess.run(["git", "diff", "--stat"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert before == after  # `make format` finds nothing to do
    expected = {
        "generate": "ROMEO.\nBut soft",
        "data": "shakespeare",
        "info": "digits-cnn",
        "train": "124,439,808 parameters, 20,000 steps of 480" if "--dry-run" in arguments else "digits-mlp",
    }
    for word, output in expected.items():
        if word in arguments[1:2]:
            assert output in done.stdout


@pytest.mark.parametrize("command", sorted(SERVERS))
def test_the_server_answers_on_loopback(command, tmp_path):
    port = free_port()
    arguments = words(command)
    if arguments[0] == "make":
        arguments += [f"PORT={port}", f"VENV={BIN.parent}"]
    else:
        arguments += ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
        arguments += ["--IdentityProvider.token=", "--ip=127.0.0.1"]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    server = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert _answer(f"http://127.0.0.1:{port}{SERVERS[command]}", server) == 200
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def _answer(address: str, server: subprocess.Popen, patience: float = 90.0) -> int:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return int(response.status)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"{address} did not answer; the server's exit status is {server.poll()}")
