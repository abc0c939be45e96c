"""The real data sets: what their loaders return, and that every number in the data sheets is so.

A sheet's tables and sentences are read and compared with what is computed from the data, so a sheet cannot grow stale.
"""

import collections
import contextlib
import io
import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch

from dlcompare import data
from dlcompare.data import dialogue, surnames
from dlcompare.data._archives import _read, members

SHEETS = Path(__file__).parents[2] / "data"
PARTS = ("train", "validation", "test")


class Sheet:
    """A data sheet: its sentences with single blanks, and its tables."""

    def __init__(self, name):
        self.name = name
        self.source = (SHEETS / f"{name}.md").read_text(encoding="utf-8")
        lines = self.source.splitlines()
        self.text = " ".join(" ".join(line for line in lines if not line.startswith("|")).split())
        self.tables = []
        previous = ""
        for line in lines:
            if line.startswith("|"):
                if not previous.startswith("|"):
                    self.tables.append([])
                self.tables[-1].append([cell.strip().strip("`") for cell in line.strip("| ").split("|")])
            previous = line

    def numbers(self, pattern):
        """Return the numbers in the groups of ``pattern``, which must occur once."""
        found = re.findall(pattern, self.text)
        assert len(found) == 1, f"{self.name}.md: {pattern!r} occurs {len(found)} times"
        groups = found[0] if isinstance(found[0], tuple) else found
        values = [float(group.replace(",", "")) for group in groups]
        return values if len(values) > 1 else values[0]

    def table(self, *columns):
        """Return the rows of the table with these columns, numbers as such."""
        (table,) = (table for table in self.tables if table[0] == list(columns))
        return [[number(cell) for cell in row] for row in table[2:]]


def number(cell):
    return int(cell.replace(",", "")) if re.fullmatch(r"[\d,]+", cell) else cell


def joined(splits):
    return [item for part in splits for item in part]


# --- what holds for every sheet


@pytest.mark.parametrize("name", sorted(data.registry()))
def test_a_sheet_states_package_version_size_and_licence(name):
    entry, sheet = data.entry(name), Sheet(name)
    assert f"{entry.package} {entry.version}" in sheet.text
    assert sheet.numbers(r"The file that is fetched has ([\d,]+) bytes") == entry.bytes
    for part in entry.licence.split("; "):
        licence = part.split(": ")[-1].replace("-3-Clause", "")
        assert licence.lower() in sheet.text.lower()


@pytest.mark.parametrize("name", sorted(data.registry()))
def test_a_sheet_has_one_title_and_the_same_sections(name):
    headings = re.findall(r"^(#+) (.+)$", re.sub(r"```.*?```", "", Sheet(name).source, flags=re.DOTALL), re.MULTILINE)
    assert [marks for marks, _ in headings].count("#") == 1
    sections = [title for marks, title in headings if marks == "##"]
    optional = {"What is left out"}
    expected = ["What is in it", "Source, licence and size", "How it is split", "Known faults", "How to load it"]
    assert [title for title in sections if title not in optional] == expected


@pytest.mark.parametrize("name", sorted(data.registry()))
def test_the_code_of_a_sheet_runs(name):
    (code,) = re.findall(r"```python\n(.*?)```", Sheet(name).source, flags=re.DOTALL)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, f"{name}.md", "exec"), {})
    assert output.getvalue().strip()


def test_no_sheet_without_a_set_and_no_set_without_a_sheet():
    assert {file.stem for file in SHEETS.glob("*.md")} == set(data.registry())


# --- digits


def test_digits_are_as_the_sheet_says():
    splits, sheet = data.load_digits(), Sheet("digits")
    expected = []
    for name, part in zip(PARTS, splits, strict=True):
        counts = set(part.labels.bincount(minlength=10).tolist())
        assert len(counts) == 1
        expected.append([name, len(part), counts.pop()])
        assert part.images.shape[1:] == (1, 28, 28)
        assert (part.images.min(), part.images.max()) == (0, 1)
    assert sheet.table("part", "images", "per digit") == expected
    assert sheet.numbers(r"([\d,]+) handwritten digits") == sum(map(len, splits))
    mean, deviation = sheet.numbers(r"mean ([\d.]+) and the standard deviation ([\d.]+\d)")
    assert round(splits.train.images.mean().item(), 3) == mean
    assert round(splits.train.images.std().item(), 3) == deviation


def test_digits_have_the_stated_faults():
    splits, sheet = data.load_digits(), Sheet("digits")
    pixels = torch.cat([part.images.flatten(1) for part in splits])
    labels = torch.cat([part.labels for part in splits])
    distances = torch.cdist(pixels, pixels).fill_diagonal_(torch.inf)
    assert distances.min() > 0  # no image occurs twice
    count, neighbours = sheet.numbers(r"(\d+) images are such that none of the (\d+) images nearest")
    nearest = distances.topk(int(neighbours), largest=False).indices
    assert int((labels[nearest] != labels[:, None]).all(1).sum()) == count
    (packed,) = members("digits").values()
    import gzip

    in_file = [int(line.rpartition(b",")[2]) for line in gzip.decompress(packed).split()]
    assert in_file == sorted(in_file)
    assert set(in_file[:4000]) == set(range(8))


# --- Shakespeare


def test_shakespeare_is_as_the_sheet_says():
    splits, sheet = data.load_shakespeare(), Sheet("shakespeare")
    assert sheet.table("part", "works", "characters", "words") == [
        [name, len(part), len(part.text), len(part.text.split())] for name, part in zip(PARTS, splits, strict=True)
    ]
    for part in (splits.validation, splits.test):
        first, second = (f"*{document.title}*" for document in part.documents)
        assert f"{first} and {second}" in sheet.text.replace("the Shrew*. A", "the Shrew* A")
    works = [document for part in splits for document in part.documents]
    assert sheet.numbers(r"^# Shakespeare (\d+) plays and poems") == len(works)
    text = "".join(work.text for work in works)
    assert text.isascii()
    assert sheet.numbers(r"with (\d+) different characters") == len(set(text))
    assert all("by William Shakespeare" in work.text[:100] for work in works)


def test_shakespeare_has_the_stated_faults():
    works = [document for part in data.load_shakespeare() for document in part.documents]
    sheet = Sheet("shakespeare")
    by_title = {work.title: work for work in works}
    cymbeline = by_title["Cymbeline"]
    assert len(cymbeline) == sheet.numbers(r"it has ([\d,]+) characters")
    assert re.findall(r"^ACT (\w+)", cymbeline.text, re.MULTILINE) == ["FIRST", "II", "FIFTH"]
    assert not {"Venus and Adonis", "The Two Noble Kinsmen"} & set(by_title)

    def speakers(work, pattern):
        return len(re.findall(rf"^{pattern}$", work.text, re.MULTILINE))

    plays = [work for work in works if "[Enter" in work.text]
    small = {work.title for work in plays if speakers(work, r"[A-Z][a-z]+\.") > 100}
    assert small == {"Hamlet", "King Lear", "Romeo and Juliet"}
    capitals = {work.title for work in plays if speakers(work, r"[A-Z]{3}[A-Z ]*\.") > 100}
    assert {work.title for work in plays} - small - capitals == {"A Midsummer Night's Dream"}
    assert speakers(by_title["A Midsummer Night's Dream"], r"[A-Z]{3}[A-Z ]*") > 100
    assert sheet.numbers(r"(\d+) curly brackets") == sum(work.text.count("{") + work.text.count("}") for work in works)
    assert sheet.numbers(r"(\d+) plays end with") == sum(work.text.endswith("THE END\n") for work in works)


# --- dialogue


@pytest.fixture(scope="module")
def records():
    (raw,) = members("dialogue").values()
    return json.loads(raw)


def test_dialogue_is_as_the_sheet_says():
    splits, sheet = data.load_dialogue(), Sheet("dialogue")
    assert sheet.table("part", "conversations", "turns", "words") == [
        [
            name,
            len(part),
            sum(map(len, part)),
            sum(len(turn.text.split()) for conversation in part for turn in conversation.turns),
        ]
        for name, part in zip(PARTS, splits, strict=True)
    ]
    conversations = joined(splits)
    assert len(set(conversations)) == len(conversations)
    prompts = [conversation.prompt for conversation in conversations]
    assert sheet.numbers(r"there are (\d+) different ones") == len(set(prompts) - {None})
    assert f"none in {prompts.count(None)} conversations" in sheet.source
    middle, longest = sheet.numbers(r"have at most (\d+) turns; the longest has (\d+)")
    lengths = [len(conversation) for conversation in conversations]
    assert (statistics.median(lengths), max(lengths)) == (middle, longest)


def test_what_is_left_out_of_the_dialogue_adds_up(records):
    words, beginnings = dialogue._blocked_words()
    conversations = [dialogue._conversation(record) for record in records.values()]
    two = [conversation for conversation in conversations if len(conversation) >= 2]
    bad = [conversation for conversation in two if dialogue._objectionable(conversation, words, beginnings)]
    left = sum(map(len, data.load_dialogue()))
    assert Sheet("dialogue").table("step", "conversations") == [
        ["in the file", len(conversations)],
        ["with fewer than two turns", len(conversations) - len(two)],
        ["with contact details or blocked words", len(bad)],
        ["left", left],
    ]
    assert len(two) - len(bad) == left


def test_no_contact_details_are_left_in_the_dialogue():
    texts = [turn.text for conversation in joined(data.load_dialogue()) for turn in conversation.turns]
    # Written anew and not taken from the package, so that a mistake there is not repeated here.
    for pattern in (r"\S+@\S+\.\w", r"https?://", r"\d{3}[ .-]?\d{4}", r"\bsnapchat\b", r"\bf+u+c+k", r"\bshit"):
        assert [text for text in texts if re.search(pattern, text, re.IGNORECASE)] == [], pattern


def test_dialogue_has_the_stated_faults(records):
    splits, sheet = data.load_dialogue(), Sheet("dialogue")
    senders = {}
    for record in records.values():
        people = {message["sender"] for turn in record["messages"] for message in turn}
        senders.setdefault(dialogue._conversation(record), people)
    train, _, test = (set().union(*(senders[item] for item in part)) for part in splits)
    assert sheet.numbers(r"(\d+) of the (\d+) participants of the test part") == [len(test & train), len(test)]
    texts = [turn.text for conversation in joined(splits) for turn in conversation.turns]
    assert all(text.isascii() for text in texts)
    share = sum(text[-1].isalnum() for text in texts) / len(texts)
    assert sheet.numbers(r"(\d+)% of the turns end without") == round(100 * share)
    about = re.compile(r"\b(chit ?chat|challenge|points)\b", re.IGNORECASE)
    talk = sum(any(about.search(turn.text) for turn in item.turns) for item in joined(splits))
    assert sheet.numbers(r"In (\d+) conversations they talk about the challenge") == talk


# --- questions


def test_questions_are_as_the_sheet_says():
    splits, sheet = data.load_questions_and_answers(), Sheet("questions")
    questions = [{dialogue._plain(question) for question, _ in part} for part in splits]
    assert sheet.table("part", "pairs", "questions") == [
        [name, len(part), len(asked)] for name, part, asked in zip(PARTS, splits, questions, strict=True)
    ]
    assert len(set().union(*questions)) == sum(map(len, questions))
    pairs = joined(splits)
    assert len(set(pairs)) == len(pairs)
    jokes = sum(question == "Tell me a joke" for question, _ in pairs)
    assert sheet.numbers(r'"Tell me a joke" has (\d+)') == jokes
    open_ended = sum(not question.endswith("?") for question, _ in pairs) / len(pairs)
    assert sheet.numbers(r"(\d+)% end in something else") == round(100 * open_ended)
    assert ("what is gravitation", "an invitation to a burial") in pairs


def test_questions_have_the_stated_repetitions():
    import yaml

    sheet = Sheet("questions")
    entries = {Path(path).stem: yaml.safe_load(raw)["conversations"] for path, raw in members("questions").items()}
    assert sheet.numbers(r"The files have ([\d,]+) entries") == sum(map(len, entries.values()))
    support = entries["tech_support"]
    different = len({tuple(entry) for entry in support})
    assert sheet.numbers(r"of the ([\d,]+) about technical support, (\d+) are") == [len(support), different]
    assert sum(not isinstance(entry, list) for found in entries.values() for entry in found) == 1
    trivia = {entry[0].strip() for entry in entries["trivia"] if isinstance(entry, list)}
    pairs = joined(data.load_questions_and_answers())
    assert 0.22 < sum(question in trivia for question, _ in pairs) / len(pairs) < 0.28  # "a quarter"


# --- sentiment


def test_sentiment_is_as_the_sheet_says():
    splits, sheet = data.load_sentiment(), Sheet("sentiment")
    assert sheet.table("part", "sentences", "negative", "positive") == [
        [name, len(part), *part.labels.bincount().tolist()] for name, part in zip(PARTS, splits, strict=True)
    ]
    texts = [text for part in splits for text in part.texts]
    assert len({text.casefold() for text in texts}) == len(texts)
    assert round(statistics.mean(len(text.split()) for text in texts), 1) == sheet.numbers(r"has ([\d.]+) words on av")
    assert sheet.numbers(r"(\d+) sentences begin with a small") == sum(text[0].islower() for text in texts)
    assert not any("-" in text or "''" in text or "&amp;" in text for text in texts)
    assert any(text.startswith("Its and pieces of The Hot Chick") for text in texts)
    for part in splits:
        assert (part.scores.abs() > 0.5).all()
        assert torch.equal(part.labels, (part.scores > 0).long())


def test_scores_are_the_means_of_as_many_people_as_the_sheet_says():
    sheet = Sheet("sentiment")
    ((path, raw),) = members("sentiment").items()
    rows = [line.split("\t") for line in raw.decode().splitlines()]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))  # consecutive: no review's number
    total, neutral = sheet.numbers(r"Of ([\d,]+) sentences, the (\d+) whose mean score")
    assert len(rows) == total
    assert sum(abs(float(row[1])) <= 0.5 for row in rows) == neutral
    left = sum(map(len, data.load_sentiment()))
    assert sheet.numbers(r"so are (\d+) that differ") == total - neutral - left
    outer = path.partition("!")[0]
    inner = _read(data.fetch("sentiment").read_bytes(), {outer})[outer]
    (ratings,) = _read(inner, {"*/movieReviewSnippets_anonDataRatings.txt"}).values()
    columns = [line.split("\t") for line in ratings.decode().splitlines()]
    people = [len(json.loads(column[3])) for column in columns]
    assert sheet.numbers(r"by (\d+) to (\d+) people for each sentence, ([\d.]+\d) on average") == [
        min(people),
        max(people),
        round(statistics.mean(people), 1),
    ]
    deviation = statistics.mean(float(column[2]) for column in columns)
    assert sheet.numbers(r"a standard deviation of ([\d.]+\d) on average") == round(deviation, 2)


# --- surnames


def test_surnames_are_as_the_sheet_says():
    splits, sheet = data.load_surnames(), Sheet("surnames")
    counts = [collections.Counter(part.languages) for part in splits]
    expected = [[language, *(count[language] for count in counts)] for language in data.LANGUAGES]
    assert sheet.table("language", *PARTS) == [*expected, ["all", *map(len, splits)]]
    assert sheet.numbers(r"^# Surnames Surnames of (\d+) languages") == len(data.LANGUAGES)
    total = sum(counts, collections.Counter())
    assert sheet.numbers(r"at least (\d+) names of their own") == min(total.values())
    assert sheet.numbers(r"(\d+)% of the names are Polish") == round(100 * total["Polish"] / total.total())
    names = [name for part in splits for name in part.names]
    assert len({name.casefold() for name in names}) == len(names)


def test_surnames_have_the_stated_faults():
    sheet = Sheet("surnames")
    of = collections.defaultdict(set)
    for part in data.load_surnames():
        for name, language in zip(part.names, part.languages, strict=True):
            of[language].add(name)
    assert {"Yu", "Zuniga"} <= of["English"]
    assert "Abbas" in of["Swedish"]
    assert "Kotov" in of["Estonian"]
    assert "Coreth von und zu Coredo und Starkenberg" in of["Dutch"]
    assert {"Ó Briain", "Briain"} <= of["Irish"]
    prefixed = sum(" " in name for name in of["Irish"]) / len(of["Irish"])
    assert sheet.numbers(r"(\d+)% of the Irish names begin with a word") == round(100 * prefixed)
    sources = {Path(path).parent.name: raw.decode() for path, raw in members("surnames").items()}
    lists = collections.defaultdict(set)
    for language, locales in surnames._LISTS.items():
        for locale, keys in locales.items():
            constants = surnames._constants(sources[locale])
            lists[language] |= {name.casefold() for key in keys for name in constants[key] if "," not in name}
    shared = collections.Counter(name for found in lists.values() for name in found)
    assert sheet.numbers(r"(\d+) names that occur in several") == sum(count > 1 for count in shared.values())
    assert shared["novak"] > 1


# --- temperatures


def test_temperatures_are_as_the_sheet_says():
    sheet = Sheet("temperatures")
    rows, totals = [], {}
    for series in data.SERIES:
        splits = data.load_temperatures(series)
        totals[series] = sum(map(len, splits))
        for name, part in zip(PARTS, splits, strict=True):
            rows.append([series, name, len(part), f"{part.times[0]}:00", f"{part.times[-1]}:00"])
            assert torch.isfinite(part.values).all()
            assert part.values.min() > -30
            assert part.values.max() < 45
    assert sheet.table("series", "part", "values", "first", "last") == rows
    assert {row[0]: row[1] for row in sheet.table("series", "values", "what it is")} == totals


def as_yesterday(part, whole):
    """Return by how much each temperature of ``part`` differs from that of 24 hours before."""
    times = np.concatenate([each.times for each in whole])
    values = dict(zip(times.tolist(), torch.cat([each.values for each in whole]).tolist(), strict=True))
    before = [(time - np.timedelta64(24, "h")).item() for time in part.times]
    return [
        abs(value - values[day_before])
        for value, day_before in zip(part.values.tolist(), before, strict=True)
        if day_before in values
    ]


def test_temperatures_have_the_stated_faults():
    sheet = Sheet("temperatures")
    hourly = data.load_temperatures("seattle")
    changes = [change for part in hourly for change in as_yesterday(part, hourly)]
    assert sheet.numbers(r"changes by ([\d.]+) degrees at most") == round(max(changes), 2)
    assert sheet.numbers(r"off by only ([\d.]+) degrees") == round(
        statistics.mean(as_yesterday(hourly.test, hourly)), 2
    )
    daily = data.load_temperatures("seattle-daily-maximum")
    assert sheet.numbers(r'"as yesterday" is off by ([\d.]+) degrees') == round(
        statistics.mean(as_yesterday(daily.test, daily)), 2
    )
    for series in ("seattle", "san-francisco"):
        times = np.concatenate([part.times for part in data.load_temperatures(series)])
        year = np.arange(np.datetime64("2010-01-01T00"), np.datetime64("2011-01-01T00"))
        assert set(year) - set(times) == {np.datetime64("2010-03-14T03")}
        assert sheet.numbers(r"([\d,]+) values instead of ([\d,]+)\.") == [len(times), len(year)]
    days = np.concatenate([part.times for part in daily])
    assert (np.diff(days) == np.timedelta64(24, "h")).all()
