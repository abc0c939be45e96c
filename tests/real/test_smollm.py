"""SmolLM2-135M as it is fetched: the same logits and tokens as transformers has from the same file, and sense."""

import contextlib
import re
import tempfile
from collections import Counter
from pathlib import Path

import gguf
import pytest
import torch
import transformers
from tokenizers import pre_tokenizers

from dlcompare import data, smollm
from dlcompare.generation import generate, generate_text
from dlcompare.models.llama import SMOLLM2_135M
from dlcompare.sampling import GREEDY
from dlcompare.training import n_parameters

SHEET = " ".join((Path(__file__).parents[2] / "data" / "smollm2.md").read_text(encoding="utf-8").split())

TEXTS = [
    "The quick brown fox doesn't jump; it's 42 years old, isn't it? We'll see.",
    "ROMEO.\nBut soft! what light\n\n\tthrough yonder window breaks?  \n",
    "def f(x: int) -> str:\n    return f'{x:>10_d}'  # déjà vu\n\tpass",
    "3.14159265 1,000,000 0x1F a1b2 2024-01-01 x²³½",
    "Ελληνικά, русский, 中文字符, العربية, हिन्दी, 日本語のテキスト",
    "🙂👩‍👩‍👧 naïve — “quoted” … café\u00a0x\u200b",
    "<|im_start|>user\nHello<|im_end|>\n<|endoftext|><repo_name>x",
    "   leading and trailing   ",
    "",
]
NUMERALS_AFTER_BLANKS = ["a  12", "x =    7\n", "\n\n  3 ", "1 ½"]


@pytest.fixture(scope="module")
def loaded():
    return smollm.load()


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        (Path(place) / "model.gguf").write_bytes(data.load_smollm2())
        yield place


@pytest.fixture(scope="module")
def their_tokenizer(folder):
    return transformers.AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf")


@pytest.fixture(scope="module")
def theirs(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="model.gguf", dtype=torch.float32, attn_implementation="eager"
    ).eval()


@contextlib.contextmanager
def in_double_precision(ours, theirs):
    """Both models in float64, and transformers' norms and softmax too, which otherwise round to float32."""
    norms = {name: module for name, module in theirs.named_modules() if name.endswith("norm")}
    for name, norm in norms.items():
        # The file has ε in float32, 2.5e-13 off; that alone shifts the logits by 4e-10.
        exact = torch.nn.RMSNorm(norm.weight.shape, SMOLLM2_135M.norm_eps)
        exact.weight = norm.weight
        theirs.set_submodule(name, exact)
    theirs.set_attn_implementation("sdpa")
    try:
        yield ours.double(), theirs.double()
    finally:
        for name, norm in norms.items():
            theirs.set_submodule(name, norm)
        theirs.set_attn_implementation("eager")
        ours.float()  # exactly what they were
        torch.nn.Module.float(theirs)  # transformers' own refuses, because the file is quantised


@torch.inference_mode()
def test_logits_equal_transformers(loaded, theirs):
    """Measured: 6e-5 in float32, where logits reach 38; 2e-13 in float64."""
    question = "What is the capital of France? Tell me about the river that flows through it, and its bridges."
    ids = torch.tensor([smollm.encode_chat(loaded.tokenizer, [question])])
    assert ids.shape[1] > 50
    torch.testing.assert_close(loaded.model(ids), theirs(ids).logits, atol=5e-4, rtol=0)
    ids = ids[:, -16:]
    with in_double_precision(loaded.model, theirs) as (ours, reference):
        torch.testing.assert_close(ours(ids), reference(ids).logits, atol=1e-10, rtol=0)


def test_tokens_equal_transformers(loaded, their_tokenizer):
    for text in TEXTS:
        assert loaded.tokenizer.encode(text) == their_tokenizer(text)["input_ids"], text
        assert loaded.tokenizer.decode(loaded.tokenizer.encode(text)) == text
    assert loaded.tokenizer.vocab_size == len(their_tokenizer) == SMOLLM2_135M.vocab_size


def test_where_numerals_follow_blanks_transformers_lacks_the_rule_of_the_file(loaded, their_tokenizer):
    texts = [*TEXTS, *NUMERALS_AFTER_BLANKS]
    differing = [text for text in texts if loaded.tokenizer.encode(text) != their_tokenizer(text)["input_ids"]]
    assert differing == NUMERALS_AFTER_BLANKS
    engine = their_tokenizer.backend_tokenizer
    plain = engine.pre_tokenizer
    engine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain])
    try:
        assert [loaded.tokenizer.encode(text) for text in texts] == [engine.encode(text).ids for text in texts]
    finally:
        engine.pre_tokenizer = plain


def test_the_template_is_that_of_the_file(loaded, their_tokenizer):
    template = loaded.card["tokenizer.chat_template"]
    for turns in (["Hello"], ["Hello", "Hi!\n"], ["What is 2 + 2?", "4", "And  5?"]):
        messages = [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]
        for system in (smollm.SYSTEM, "Be brief."):
            shown = messages if system == smollm.SYSTEM else [{"role": "system", "content": system}, *messages]
            text = their_tokenizer.apply_chat_template(
                shown, chat_template=template, tokenize=False, add_generation_prompt=len(turns) % 2 == 1
            )
            assert smollm.encode_chat(loaded.tokenizer, turns, system) == loaded.tokenizer.encode(text)


def reply(loaded, question, max_new_tokens):
    ids = torch.tensor([smollm.encode_chat(loaded.tokenizer, [question])])
    end = loaded.tokenizer.id_of(smollm.IM_END)
    said = generate(loaded.model, ids, max_new_tokens, GREEDY, stop={end})[0, ids.shape[1] :]
    return loaded.tokenizer.decode(said.tolist())


def test_it_says_something_sensible(loaded):
    text = generate_text(loaded.model, loaded.tokenizer, "The capital of France is", 3, GREEDY)
    assert text.startswith("The capital of France is Paris")
    assert reply(loaded, "What is the capital of France?", 12) == "The capital of France is Paris.<|im_end|>"


def test_the_whole_history_reaches_it(loaded):
    talker = smollm.talker(loaded)
    turns = ["The cat is called Quill.", "That is a nice name for a cat.", "What is the cat called?"]
    assert talker.reply(turns, sampler=GREEDY, max_new_tokens=12) == "The cat is called Quill."
    assert "Quill" not in talker.reply(turns[2:], sampler=GREEDY, max_new_tokens=12)


# --- the data sheet


def test_sizes_and_types_are_as_the_sheet_says(loaded, folder):
    assert n_parameters(loaded.model) == SMOLLM2_135M.n_parameters
    assert f"{len(loaded.model.blocks)} blocks with {SMOLLM2_135M.n_parameters:,} parameters" in SHEET
    assert f"tokenizer of {loaded.tokenizer.vocab_size:,} tokens" in SHEET
    number, weights = Counter(), Counter()
    for tensor in gguf.GGUFReader(f"{folder}/model.gguf").tensors:
        number[tensor.tensor_type.name] += 1
        weights[tensor.tensor_type.name] += int(tensor.n_elements)
    rows = re.findall(r"\| (\d+) \| (\w+) \| ([\d,]+) \|", SHEET)
    assert {kind: (int(n), int(size.replace(",", ""))) for n, kind, size in rows} == {
        kind: (number[kind], weights[kind]) for kind in number
    }


def test_the_stated_bytes_have_no_token(loaded):
    def comes_back(text):
        return loaded.tokenizer.decode(loaded.tokenizer.encode(text)) == text

    dropped = [byte for byte in range(128) if not comes_back(chr(byte))]
    assert dropped == [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D]
    # F1 and F2 begin the UTF-8 of the code points from U+40000 to U+BFFFF.
    assert [comes_back(chr(code)) for code in (0x3FFFF, 0x40000, 0xBFFFF, 0x100000)] == [True, False, False, True]
    assert loaded.tokenizer.encode("a\x04b") == loaded.tokenizer.encode("a") + loaded.tokenizer.encode("b")
    assert "04, 06, 13, 14, 16, 1D, F1 and F2" in SHEET
    assert "from U+40000 to U+BFFFF" in SHEET


def test_its_arithmetic_is_as_bad_as_the_sheet_says(loaded):
    question, answer = re.search(r'Asked "(.+?)" it answers (\d+)', SHEET).groups()
    assert answer in re.findall(r"\d+", reply(loaded, question, 12))[2:]
