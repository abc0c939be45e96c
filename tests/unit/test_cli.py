import json
import runpy
import signal
import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

from dlcompare import __version__, checkpoints, recipes, training
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


@pytest.fixture
def tiny_recipe(tmp_path, monkeypatch):
    """A recipe of ten steps in the place of digits-mlp's, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    x = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > x[:, 1]).long()

    def learn(recipe, run):
        generator = training.set_seed(recipe.seed)
        model = MLP(MLPConfig((2, 2)))
        batches = training.shuffled_batches(x, y, 10, generator)
        history = training.fit(
            model,
            training.classification_loss,
            batches,
            steps=recipe.settings["steps"],
            learning_rate=0.1,
            evaluate=lambda m: training.classification_loss(m, (x, y)).item(),
            run=run,
        )
        return recipes.Trained(model, history, {"accuracy": training.accuracy(model, x, y), "examples": 20})

    recipe = recipes.Recipe("digits-mlp", "a tiny one", "digits", 1, {"steps": 10}, learn)
    monkeypatch.setitem(recipes.RECIPES, "digits-mlp", recipe)
    return recipe


def test_train_writes_a_checkpoint_a_log_and_what_was_measured(tiny_recipe, tmp_path):
    result = run("train", "digits-mlp", "--out", "made", "--tensorboard")
    assert result.exit_code == 0, result.stderr
    card = json.loads((tmp_path / "made" / "digits-mlp" / "card.json").read_text())
    assert card["training"]["steps"] == 10
    assert f"{card['metrics']['accuracy']:.4f}" in result.stdout
    assert all(text in result.stdout for text in ("accuracy", "examples", "20", "written to"))
    left = {path.name for path in (tmp_path / "runs" / "digits-mlp").iterdir()}
    assert left == {"log.csv", "tensorboard"}  # no state: it has come to its end
    info = run("info", "digits-mlp").stdout  # the committed one
    assert "an MLP that reads handwritten digits" in info


def test_train_goes_on_where_it_was_stopped(tiny_recipe, tmp_path, monkeypatch):
    calls = []
    original = training.classification_loss

    def stopping(model, batch):
        calls.append(1)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return original(model, batch)

    with monkeypatch.context() as patch:
        patch.setattr(training, "classification_loss", stopping)
        result = run("train", "digits-mlp", "--out", "a")
    assert result.exit_code == 130
    assert "stopped after step 5 of 10; the state is kept in runs" in result.stderr
    assert not (tmp_path / "a").exists()
    result = run("train", "digits-mlp", "--out", "a")
    assert result.exit_code == 0
    assert "going on from the state in runs" in result.stderr
    assert run("train", "digits-mlp", "--out", "b", "--run", "elsewhere").exit_code == 0
    weights = [(tmp_path / name / "digits-mlp" / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_train_refuses_the_state_of_other_settings_unless_told_to_begin_anew(tiny_recipe, tmp_path, monkeypatch):
    def failing(model):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save", lambda *_: failing(None))
        result = run("train", "digits-mlp", "--out", "a")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (tmp_path / "runs" / "digits-mlp" / "state.safetensors").is_file()  # nothing is lost
    result = run("train", "digits-mlp", "--out", "a", "--steps", "12")
    assert result.exit_code == 1
    assert "is the state of another run" in result.stderr
    result = run("train", "digits-mlp", "--out", "a", "--steps", "12", "--fresh")
    assert result.exit_code == 0
    assert json.loads((tmp_path / "a" / "digits-mlp" / "card.json").read_text())["training"]["steps"] == 12


def test_a_dry_run_shows_memory_arithmetic_and_time(tiny_recipe, tmp_path):
    result = run("train", "digits-mlp", "--dry-run", "--processes", "2", "--teraflops", "0.001")
    assert result.exit_code == 0, result.stderr
    assert all(text in result.stdout for text in ("each of 2 processes", "optimizer", "6 parameters", "hours at 0.001"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "3"], "name a folder for it with --out"),
        (["--out", "a", "--text", "x.txt"], "changes names 'text'; recipe 'digits-mlp' has steps"),
        (["--out", "a", "--sharded"], "sharded is True but there is one process"),
        (["--out", "a", "--device", "nonsense"], "device is 'nonsense', which is not to be had here"),
        (["--out", "a", "--accumulate", "11"], "of at least 11, one for each part"),
    ],
)
def test_train_names_mistakes(tiny_recipe, options, message):
    result = run("train", "digits-mlp", *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_info_shows_the_machine_the_checkpoints_and_one_card(committed):
    result = run("info")
    assert result.exit_code == 0
    assert all(text in result.stdout for text in (torch.__version__, "bfloat16", "shakespeare-gpt", "digits-mlp"))
    result = run("info", "shakespeare-gpt")
    assert result.exit_code == 0
    assert "vocab_size 6" in result.stdout
    result = run("info", "nothing")
    assert result.exit_code == 1
    assert "no checkpoint is named 'nothing'" in result.stderr


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
    assert all(command in result.stdout for command in ("data", "info", "train", "generate", "chat", "Exit codes"))


def test_listing_needs_no_torch():
    """`dlcompare --help` and `data list` answer at once: torch alone takes seconds to import."""
    code = "import sys, dlcompare.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
