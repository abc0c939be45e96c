import json
import runpy
import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

from dlcompare import __version__, checkpoints
from dlcompare.cli import app
from dlcompare.models import GPT, MLP, GPTConfig, MLPConfig
from dlcompare.tokenization import BPETokenizer, CharTokenizer

DETAILS = {"recipe": {"name": "tiny"}, "metrics": {}}


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Two tiny checkpoints in the place of the committed ones: a language model, and a model without text."""
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(vocab_size=6, block_size=8, n_layer=1, n_head=1, d_model=8))
    checkpoints.save("shakespeare-gpt", gpt, DETAILS, CharTokenizer("abcde\n"), folder=tmp_path)
    checkpoints.save("digits-mlp", MLP(MLPConfig((2, 2))), DETAILS, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_generate_continues_the_prompt_and_repeats_itself_with_the_same_seed(committed):
    first = run("generate", r"ab\nc", "--tokens", "12", "--seed", "3")
    assert first.exit_code == 0
    assert first.stdout.startswith("ab\nc")
    assert len(first.stdout) == 4 + 12 + 1
    assert first.stdout == run("generate", r"ab\nc", "--tokens", "12", "--seed", "3").stdout
    assert first.stdout != run("generate", r"ab\nc", "--tokens", "12", "--seed", "4").stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["generate", ""], 2, "prompt is empty"),
        (["generate", "ab", "--temperature", "0"], 2, "temperature is 0.0; allowed is > 0"),
        (["generate", "ab", "--top-p", "1.5"], 2, "top_p is 1.5"),
        (["generate", "ab", "--top-k", "0"], 2, "top_k is 0"),
        (["generate", "xyz"], 2, "text contains 'x'"),
        (["generate", "ab", "--checkpoint", "nothing"], 1, "no checkpoint is named 'nothing'; there are: digits-mlp"),
        (["generate", "ab", "--checkpoint", "digits-mlp"], 2, "checkpoint 'digits-mlp' is no language model"),
        (["train", "nothing"], 2, "no recipe is named 'nothing'; there are: shakespeare-gpt"),
    ],
)
def test_mistakes_are_named_on_stderr(committed, arguments, exit_code, message):
    result = run(*arguments)
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert result.stdout == ""


@pytest.fixture
def talking(tmp_path, monkeypatch):
    torch.manual_seed(0)
    tokenizer = BPETokenizer.train("hello how are you", 280)
    gpt = GPT(GPTConfig(tokenizer.vocab_size, block_size=40, n_layer=1, n_head=1, d_model=8))
    checkpoints.save("dialogue-gpt", gpt, DETAILS, tokenizer, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)


def chat(*lines: str, options: tuple[str, ...] = ("--tokens", "4")):
    return CliRunner().invoke(app, ["chat", *options], input="".join(f"{line}\n" for line in lines))


def test_chat_replies_to_each_turn_until_an_empty_line(talking):
    result = chat("hello", "how are you", "", "never read")
    assert result.exit_code == 0
    assert result.stdout.count("dialogue-gpt: ") == 2
    assert result.stdout == chat("hello", "how are you", "").stdout  # the same seed
    assert chat("hello").exit_code == 0  # the input's end, as by Ctrl-D


def test_chat_forgets_on_request_and_survives_a_turn_that_cannot_be_read(talking):
    first = chat("hello").stdout.split("dialogue-gpt: ")[1].split("\n")[0]
    again = chat("hello", "/new", "hello", "").stdout.split("dialogue-gpt: ")
    assert [part.split("\n")[0] for part in again[1:]] == [first, first]
    result = chat("x" * 100, "hello<|end|>", "hello", "")
    assert "the user's last turn takes" in result.stdout
    assert "contains '<|end|>', a mark of the template" in result.stdout
    assert result.stdout.count("dialogue-gpt: ") == 3
    assert result.exit_code == 0


def test_chat_names_mistakes(talking):
    for options, message in (
        (("--model", "gpt-9"), "model is 'gpt-9'; allowed are dialogue-gpt and smollm2"),
        (("--temperature", "0"), "temperature is 0.0; allowed is > 0"),
    ):
        result = chat("hello", options=options)
        assert result.exit_code == 2
        assert message in result.stderr


def test_train_without_a_name_lists_the_recipes():
    result = run("train")
    assert result.exit_code == 0
    assert "shakespeare-gpt" in result.stdout
    assert "digits-cnn" in result.stdout


def test_train_passes_an_error_on(monkeypatch):
    def fail(name: str, folder: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dlcompare.recipes.train", fail)
    result = run("train", "digits-mlp")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr


def test_train_shows_what_was_measured(tmp_path, monkeypatch):
    def trained(name: str, folder: object) -> object:
        (tmp_path / "card.json").write_text(json.dumps({"metrics": {"test_accuracy": 0.96512, "test_examples": 1000}}))
        return tmp_path

    monkeypatch.setattr("dlcompare.recipes.train", trained)
    result = run("train", "digits-mlp")
    assert result.exit_code == 0
    assert all(text in result.stdout for text in ("test accuracy", "0.9651", "test examples", "1,000"))
    assert "written to" in result.stdout


def test_the_package_runs_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dlcompare", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("dlcompare", run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"dlcompare {__version__}\n"


def test_version_and_help():
    assert __version__ in run("--version").stdout
    result = run("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in ("data", "train", "generate", "chat"))


def test_listing_needs_no_torch():
    """`dlcompare --help` and `data list` answer at once: torch alone takes seconds to import."""
    code = "import sys, dlcompare.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
