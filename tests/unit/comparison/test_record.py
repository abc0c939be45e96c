import json
import math
import os
import subprocess
import sys

import pytest

from dlcompare.comparison import Point, Record, RecordError, append, latest, read
from dlcompare.comparison.record import TornLineWarning, key_of

RECORD = Record(
    "0123456789abcdef",
    "digits",
    "mlp",
    "parameters",
    3,
    configuration={"width": 8, "sizes": [1, 2]},
    learning_rate=1e-3,
    search={"grid": [1e-3]},
    versions={"torch": "2"},
    machine={"cores": 2},
    seconds=1,
    peak_memory=10,
    parameters=100,
    flops=10**12,
    steps=5,
    examples=10,
    curve=(Point(5, 1.5, 2.0),),
    validation={"loss": 0.5},
    test={"accuracy": 1},
)


def test_a_record_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new" / "records.jsonl"
    failed = Record("1", "digits", "cnn", "time", 0, error="Größe\nis 0")
    for record in (RECORD, failed):
        append(path, record)
    assert read(path) == [RECORD, failed]
    assert path.read_bytes().count(b"\n") == 2
    assert json.loads(path.read_text().splitlines()[0])["curve"] == [{"step": 5, "loss": 1.5, "validation": 2.0}]
    assert read(tmp_path / "nothing.jsonl") == []


@pytest.mark.parametrize("cut", [1, 40, -30])
def test_a_torn_last_line_is_named_and_set_aside(tmp_path, cut):
    path = tmp_path / "records.jsonl"
    append(path, RECORD)
    torn = RECORD.to_json().encode()[:cut]
    with path.open("ab") as file:
        file.write(torn)
    with pytest.warns(TornLineWarning, match=r"records.jsonl, line 2 was not written to its end"):
        assert read(path) == [RECORD]
    append(path, RECORD)
    assert read(path) == [RECORD, RECORD]
    assert (tmp_path / "records.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_torn_character_is_no_crash(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_bytes('{"key": "ö'.encode()[:-1])
    with pytest.warns(TornLineWarning, match="line 1"):
        assert read(path) == []
    append(path, RECORD)
    assert read(path) == [RECORD]


def test_a_whole_last_line_that_lacks_its_end_alone_counts(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text(RECORD.to_json())
    assert read(path) == [RECORD]
    append(path, RECORD)
    assert read(path) == [RECORD, RECORD]
    assert not (tmp_path / "records.jsonl.torn").exists()


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "records.jsonl"
    append(path, RECORD)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            append(path, RECORD)
    assert path.read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from dlcompare.comparison.record import Record, append
for i in range(20):
    append(Path(sys.argv[1]), Record(f"{sys.argv[2]} {i}", "t" * 2000, "f", "b", i))
"""


def test_several_processes_may_write_at_once(tmp_path):
    path = tmp_path / "records.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n)]) for n in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert sorted(record.key for record in read(path)) == sorted(f"{n} {i}" for n in range(2) for i in range(20))


def fields(**changes):
    return json.dumps({"key": "1", "task": "t", "family": "f", "budget": "b", "seed": 0, **changes})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "no JSON"),
        ("[1]", "a list; allowed is a JSON object"),
        ('{"key": "1"}', "the fields budget, family, seed, task are missing"),
        (fields(colour="red"), "the fields colour are unknown; known are key, task"),
        (fields(seed="one"), "seed is 'one'"),
        (fields(seed=True), "seed is True"),
        (fields(seconds="1"), "seconds is '1'"),
        (fields(parameters=1.5), "parameters is 1.5"),
        (fields(test=[1]), r"test is \[1\]"),
        (fields(curve=[{"step": 1}]), "curve holds what is no point"),
    ],
)
def test_a_line_that_is_no_record_is_named_with_its_place(tmp_path, line, message):
    path = tmp_path / "records.jsonl"
    path.write_text(f"{fields()}\n{line}\n{fields()}\n")
    with pytest.raises(RecordError, match=rf"records.jsonl, line 2: .*{message}"):
        read(path)


def test_what_json_has_no_form_for_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        append(tmp_path / "records.jsonl", Record("1", "t", "f", "b", 0, test={"loss": math.nan}))
    assert read(tmp_path / "records.jsonl") == []


def test_a_key_depends_on_values_and_not_on_their_order():
    assert key_of(a=1, b={"c": 2, "d": [3]}) == key_of(b={"d": [3], "c": 2}, a=1)
    assert key_of(a=1) != key_of(a=2)
    assert len(key_of(a=1)) == 16


def test_a_later_try_counts():
    other = Record("other", "t", "f", "b", 0)
    failed = Record(RECORD.key, "digits", "mlp", "parameters", 3, error="memory")
    assert latest([failed, other, RECORD]) == [RECORD, other]
