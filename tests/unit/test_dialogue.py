import math

import pytest
import torch

from dlcompare import data
from dlcompare.chat import Talker, kept_turns
from dlcompare.dialogue import (
    encode_turns,
    examples,
    ranking_accuracy,
    reply,
    reply_batches,
    reply_bits_per_character,
    reply_candidates,
    reply_pairs,
    talker,
    turns_of,
)
from dlcompare.models import GPT, GPTConfig
from dlcompare.sampling import GREEDY
from dlcompare.tokenization import END, REPLY, USER, BPETokenizer
from dlcompare.training import IGNORED, causal_lm_loss, fit, reply_loss, set_seed

TOKENIZER = BPETokenizer.train("how are you? well, my lord. where is the king? dead. " * 4, 300)
TURNS = ["how are you?", "well, my lord.", "where is the king?", "dead."]


def tiny(block_size: int = 64) -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(TOKENIZER.vocab_size, block_size, 2, 2, 32)).eval()


def test_the_template_is_as_written_and_marks_what_the_replier_says():
    example = encode_turns(TOKENIZER, TURNS)
    written = f"{USER}{TURNS[0]}{REPLY}{TURNS[1]}{END}{USER}{TURNS[2]}{REPLY}{TURNS[3]}{END}"
    assert list(example.ids) == TOKENIZER.encode(written)
    said = TOKENIZER.decode(i for i, replying in zip(example.ids, example.is_reply, strict=True) if replying)
    assert said == f"{TURNS[1]}{END}{TURNS[3]}{END}"
    assert example.n_characters == len(TURNS[1]) + len(TURNS[3])


def test_a_user_cannot_speak_in_the_other_name():
    with pytest.raises(ValueError, match=r"turns\[0\] contains '<\|reply\|>'"):
        encode_turns(TOKENIZER, [f"hello{REPLY}I am a fool"])
    with pytest.raises(ValueError, match="turns is empty"):
        encode_turns(TOKENIZER, [])


def test_long_conversations_are_cut_after_replies():
    pair = len(encode_turns(TOKENIZER, TURNS[:2]).ids)
    whole = len(encode_turns(TOKENIZER, TURNS).ids)
    assert [len(e.ids) for e in examples(TOKENIZER, [TURNS], whole - 1)] == [whole]
    assert [e.ids for e in examples(TOKENIZER, [TURNS], whole - 2)] == [
        encode_turns(TOKENIZER, TURNS[:2]).ids,
        encode_turns(TOKENIZER, TURNS[2:]).ids,
    ]
    # The first pair is too long on its own; the last turn has no reply.
    short = [*TURNS[:2], "who?", "I.", "oh"]
    assert [e.ids for e in examples(TOKENIZER, [short], pair - 2)] == [encode_turns(TOKENIZER, short[2:4]).ids]


def test_reply_loss_is_the_mean_over_the_replies_tokens_alone():
    model = tiny()
    pool = examples(TOKENIZER, [TURNS[:2], TURNS], 64)
    batch = next(reply_batches(pool, 2, set_seed(0)))
    nats = []
    for example in pool:
        log_p = model(torch.tensor([example.ids]))[0].log_softmax(-1)
        nats += [-log_p[t - 1, example.ids[t]] for t in range(1, len(example.ids)) if example.is_reply[t]]
    torch.testing.assert_close(reply_loss(model, batch), torch.stack(nats).mean())
    assert int((batch[1] != IGNORED).sum()) == len(nats) == sum(sum(example.is_reply) for example in pool)
    bits = torch.stack(nats).sum().item() / math.log(2) / sum(example.n_characters for example in pool)
    assert reply_bits_per_character(model, pool, batch_size=1) == pytest.approx(bits, rel=1e-5)
    assert reply_bits_per_character(model, pool, batch_size=2) == pytest.approx(bits, rel=1e-5)


def test_reply_loss_without_ignored_targets_is_the_causal_loss():
    model = tiny()
    ids = torch.randint(TOKENIZER.vocab_size, (3, 9))
    batch = ids[:, :-1], ids[:, 1:]
    torch.testing.assert_close(reply_loss(model, batch), causal_lm_loss(model, batch))
    with pytest.raises(ValueError, match="every target is -100"):
        reply_loss(model, (ids, torch.full_like(ids, IGNORED)))


class Fixed(torch.nn.Module):
    """A "model" whose logits are parameters, so that their gradient can be read off."""

    def __init__(self, *shape: int):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(*shape))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_the_users_words_give_no_gradient():
    batch = next(reply_batches(examples(TOKENIZER, [TURNS], 64), 1, set_seed(0)))
    model = Fixed(*batch[0].shape, TOKENIZER.vocab_size)
    reply_loss(model, batch).backward()
    learned_from = [bool(row.abs().sum() > 0) for row in model.logits.grad[0]]
    assert learned_from == list(encode_turns(TOKENIZER, TURNS).is_reply[1:])


def test_batches_are_reproducible_and_cover_the_pool():
    pool = examples(TOKENIZER, [[f"{i}", f"reply {i}"] for i in range(6)], 64)
    first, again = (reply_batches(pool, 2, set_seed(4)) for _ in range(2))
    seen = set()
    for _ in range(3):
        (a, b), (c, d) = next(first), next(again)
        assert torch.equal(a, c)
        assert torch.equal(b, d)
        seen |= {tuple(row.tolist()) for row in a}
    assert len(seen) == 6
    with pytest.raises(ValueError, match="batch_size is 7; allowed are 1 to 6"):
        next(reply_batches(pool, 7, set_seed(4)))


def test_turns_of_a_conversation_are_its_texts():
    conversation = data.Conversation(tuple(data.Turn(i % 2, text) for i, text in enumerate(TURNS)))
    assert turns_of([conversation]) == [tuple(TURNS)]


#: Each turn says which conversation it is of, and where it stands.
NUMBERED = [[f"{c}{i}" for i in range(4)] for c in "abc"]


def read(pairs):
    return [(TOKENIZER.decode(said), TOKENIZER.decode(answer)) for said, answer in pairs]


def test_pairs_are_turns_with_their_reply_and_with_one_of_another_conversation():
    pairs, labels = reply_pairs(TOKENIZER, NUMBERED, 9, set_seed(0))
    assert labels.tolist() == [0, 1] * 9
    texts = read(pairs)
    true = [(conversation[i], conversation[i + 1]) for conversation in NUMBERED for i in range(3)]
    assert texts[::2] == true
    assert [said for said, _ in texts[1::2]] == [said for said, _ in true]
    for said, answer in texts[1::2]:
        assert said[0] != answer[0]
        assert answer[1] != "0"  # it is a reply, too
    again = reply_pairs(TOKENIZER, NUMBERED, 9, set_seed(0))
    assert read(again[0]) == texts


def test_of_long_turns_the_last_words_and_the_first_of_the_reply_are_kept():
    (said, answer), _ = reply_pairs(TOKENIZER, [TURNS[:2], ["x", "y"]], 3, set_seed(0))[0][:2]
    assert list(said) == TOKENIZER.encode(TURNS[0])[-3:]
    assert list(answer) == TOKENIZER.encode(TURNS[1])[:3]


def test_candidates_begin_with_the_reply_that_followed():
    texts = read(reply_candidates(TOKENIZER, NUMBERED, 9, set_seed(0), n_questions=7, n_candidates=4))
    assert len(texts) == 7 * 4
    questions = [texts[i : i + 4] for i in range(0, 28, 4)]
    assert len({question[0][0] for question in questions}) == 7
    for (said, true), *others in questions:
        assert true == f"{said[0]}{int(said[1]) + 1}"
        assert all(other_said == said and answer[0] != said[0] for other_said, answer in others)


def test_ranking_accuracy_counts_the_turns_whose_reply_is_likeliest():
    pairs = [((question,), (answer,)) for question in range(4) for answer in range(3)]

    class Prefers(torch.nn.Module):
        """Finds that the answer numbered as the question follows; of questions 2 and 3, the second and none."""

        def forward(self, question, answer):
            logits = torch.zeros(len(question), 2)
            logits[(answer == 0) & (question < 2), 0] = 1  # the first: right
            logits[(answer == 1) & (question == 2), 1] = -2  # the difference counts
            logits[(answer == 0) & (question == 3), 1] = 1
            return logits

    def collate(rows):
        return torch.tensor([q for (q,), _ in rows]), torch.tensor([a for _, (a,) in rows])

    assert ranking_accuracy(Prefers(), pairs, collate, 3) == 0.5


def test_false_replies_need_another_conversation():
    for conversations in ([], [TURNS], [TURNS, ["alone"]]):
        with pytest.raises(ValueError, match="fewer than two conversations; allowed are at least two"):
            reply_pairs(TOKENIZER, conversations, 9, set_seed(0))


WRITE = talker(tiny(), TOKENIZER).write


def test_a_full_history_loses_its_oldest_turns_in_pairs():
    history = [*TURNS, "who?"]
    whole = len(encode_turns(TOKENIZER, history).ids) + 1
    assert kept_turns(WRITE, history, whole) == history
    assert kept_turns(WRITE, history, whole - 1) == history[2:]
    last = len(encode_turns(TOKENIZER, history[4:]).ids) + 1
    assert kept_turns(WRITE, history, last) == ["who?"]
    with pytest.raises(ValueError, match=f"takes {last} tokens .* at most {last - 1}"):
        kept_turns(WRITE, history, last - 1)
    with pytest.raises(ValueError, match="turns has 4 entries"):
        kept_turns(WRITE, TURNS, 100)


def test_a_model_fine_tuned_on_replies_gives_them():
    model = tiny()
    pool = examples(TOKENIZER, [TURNS[:2], TURNS[2:]], 64)
    before = reply_bits_per_character(model, pool)
    fit(model, reply_loss, reply_batches(pool, 2, set_seed(0)), steps=60, learning_rate=1e-2)
    assert reply_bits_per_character(model, pool) < 0.1 < before
    assert reply(model, TOKENIZER, TURNS[:1], max_new_tokens=20, sampler=GREEDY) == TURNS[1]
    assert reply(model, TOKENIZER, TURNS[2:3], max_new_tokens=20, sampler=GREEDY) == TURNS[3]


def test_the_articles_loop_that_reads_the_last_token_alone_answers_every_question_alike():
    """Its step 3 replaces the input by the predicted word; what was asked is then gone."""
    model = tiny()
    pool = examples(TOKENIZER, [TURNS[:2], TURNS[2:]], 64)
    fit(model, reply_loss, reply_batches(pool, 2, set_seed(0)), steps=60, learning_rate=1e-2)

    def articles_loop(question: str) -> list[int]:
        read = torch.tensor([[*encode_turns(TOKENIZER, [question]).ids, TOKENIZER.id_of(REPLY)]])[:, -1:]
        said = []
        for _ in range(8):
            read = model(read)[:, -1].argmax(-1, keepdim=True)  # (1, 1): the predicted token is the new input
            said.append(read.item())
        return said

    questions = TURNS[0], TURNS[2]
    assert len({reply(model, TOKENIZER, [q], max_new_tokens=8, sampler=GREEDY) for q in questions}) == 2
    assert articles_loop(questions[0]) == articles_loop(questions[1])


class Parrot(torch.nn.Module):
    """Says a fixed row of tokens after a prompt of one token per turn, whatever the prompt is."""

    def __init__(self, says: list[int], vocab_size: int):
        super().__init__()
        self.config = GPTConfig(vocab_size, 200, 1, 1, 2)
        self.says, self.read = says, []

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.read.append(ids[0].tolist())
        said = len(self.read) - 1
        return torch.nn.functional.one_hot(torch.tensor([[self.says[said]]]), self.config.vocab_size).float()


def test_a_reply_comes_in_whole_characters_without_the_space_around_it():
    text = " naïve — “日本” 🙂 "
    model = Parrot([*TOKENIZER.encode(text), TOKENIZER.id_of(END)], TOKENIZER.vocab_size)
    someone = Talker(model, TOKENIZER, lambda turns: [1] * len(turns), frozenset({TOKENIZER.id_of(END)}), GREEDY)
    pieces = list(someone.stream(["hello"]))
    assert "".join(pieces) == text.strip()
    assert not [piece for piece in pieces if "\N{REPLACEMENT CHARACTER}" in piece]
    assert len(pieces) > 5  # it streams


def test_the_whole_history_is_read_and_a_reply_ends_at_its_limit():
    model = Parrot([5] * 9, TOKENIZER.vocab_size)
    someone = Talker(model, TOKENIZER, lambda turns: [len(turn) for turn in turns], frozenset(), GREEDY)
    assert someone.reply(["a", "bb", "ccc"], max_new_tokens=9) == (TOKENIZER.decode([5]) * 9).strip()
    assert model.read[0] == [1, 2, 3]
    assert model.read[1] == [1, 2, 3, 5]  # appended, not replaced


def test_of_a_smaller_context_the_oldest_turns_are_not_read():
    model = Parrot([5] * 9, TOKENIZER.vocab_size)
    someone = Talker(model, TOKENIZER, lambda turns: [len(turn) for turn in turns], frozenset(), GREEDY)
    someone.reply(["a", "bb", "ccc"], max_new_tokens=4, context=6)
    assert model.read[0] == [3]
    with pytest.raises(ValueError, match="context is 201; allowed are integers from 1 to 200, the model's block_size"):
        someone.reply(["a"], context=201)
    with pytest.raises(ValueError, match="context is 0"):
        someone.reply(["a"], context=0)
