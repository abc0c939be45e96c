import io
import tarfile

import pytest

from dlcompare import data
from dlcompare.data import _archives

INNER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
OUTER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"


def test_members_are_found_by_pattern_and_sorted(pin):
    pin(
        "questions",
        {f"chatterbot_corpus/data/{name}": name.encode() for name in ("english/b.yml", "english/a.yml", "greek/c.yml")},
    )
    assert _archives.members("questions") == {
        "chatterbot_corpus/data/english/a.yml": b"english/a.yml",
        "chatterbot_corpus/data/english/b.yml": b"english/b.yml",
    }


def test_an_archive_inside_the_archive_is_read(pin, pack):
    pin("sentiment", {OUTER: pack("sdist", {INNER: b"inside", "hutto_ICWSM_2014/other.txt": b"no"}), "x": b""})
    assert _archives.members("sentiment") == {f"{OUTER}!{INNER}": b"inside"}


def test_nothing_is_unpacked_to_disk(pin):
    pinned = pin("questions", {"chatterbot_corpus/data/english/a.yml": b"text"})
    _archives.members("questions")
    assert pinned.in_cache() == [pinned.entry.filename]


def test_a_missing_member_is_an_error(pin):
    pin("questions", {"chatterbot_corpus/data/greek/a.yml": b""})
    with pytest.raises(data.ChecksumError, match=r"no member that matches 'chatterbot_corpus/data/english/\*.yml'"):
        _archives.members("questions")


def test_links_in_a_tar_archive_are_passed_over():
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as bundle:
        link = tarfile.TarInfo("a.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        bundle.addfile(link)
    assert _archives._read(raw.getvalue(), {"*"}) == {}
