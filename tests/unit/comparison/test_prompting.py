import pytest
import torch

from dlcompare import smollm
from dlcompare.checkpoints import Checkpoint
from dlcompare.comparison import Examples, Form, Part, prompting
from dlcompare.data import Splits
from dlcompare.models import Llama, LlamaConfig
from dlcompare.tokenization import BPETokenizer
from tests.unit.comparison.toys import TOY, load

FORM = Form("tokens", "class", 10, 100, 2, end=0)
TEXTS = ("a fine film", "a dull film", "it is fine", "so dull", "fine")


@pytest.fixture(scope="module")
def tiny() -> Checkpoint[Llama]:
    tokenizer = BPETokenizer.train("is this sentence positive or negative", 265).with_tokens(
        smollm.IM_START, smollm.IM_END
    )
    torch.manual_seed(0)
    model = Llama(LlamaConfig(tokenizer.vocab_size, 4000, 1, 2, 1, 16, 24)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return Checkpoint(model, tokenizer, {})


def test_the_cache_changes_no_answer(tiny):
    solved = ["a question", "positive"]
    found = prompting.answers(tiny, TEXTS, solved)
    words = [tiny.tokenizer.encode(label)[0] for label in prompting.LABELS]
    for text, logits in zip(TEXTS, found, strict=True):
        question = f'Is this sentence from a film review positive or negative? Answer with one word.\n\n"{text}"'
        prompt = smollm.encode_chat(tiny.tokenizer, [*solved, question])
        with torch.inference_mode():
            whole = tiny.model(torch.tensor([prompt]))[0, -1, words]
        torch.testing.assert_close(logits, whole, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(prompting.answers(tiny, TEXTS[:1], solved)[0], found[0], atol=1e-4, rtol=1e-4)


def test_the_record_says_how_many_were_asked(tiny):
    part = Part([([0],)] * 5, torch.tensor([1, 0, 1, 0, 1]), raw=TEXTS)
    examples = Examples(FORM, Splits(part, part, part))
    outcome = prompting.prompted(TOY, examples, 0, 2, loaded=tiny, asked=(2, 4))
    assert (outcome.configuration["asked_of_validation"], outcome.configuration["asked_of_test"]) == (2, 4)
    assert outcome.configuration["shots"] == 2
    solved = [
        turn
        for text, word in zip(TEXTS, ("positive", "negative"), strict=False)
        for turn in (
            f'Is this sentence from a film review positive or negative? Answer with one word.\n\n"{text}"',
            word,
        )
    ]
    right = prompting.answers(tiny, TEXTS[:4], solved).argmax(1) == part.targets[:4]
    assert outcome.test["accuracy"] == right.double().mean().item()
    assert outcome.parameters == tiny.model.config.n_parameters


def test_only_sentences_of_two_classes_can_be_asked(tiny, monkeypatch):
    with pytest.raises(ValueError, match="task is 'toy'; allowed is one of texts with 2 classes"):
        prompting.prompted(TOY, load(0), 0, 0, loaded=tiny)
    with pytest.raises(TypeError, match="no byte-pair tokenizer"):
        prompting.answers(Checkpoint(tiny.model, None, {}), TEXTS)
    monkeypatch.setattr(prompting, "LABELS", ("poor", "positive"))
    with pytest.raises(ValueError, match="begin with the same token"):
        prompting.answers(tiny, TEXTS)
