"""What the tests run in place of ``pip download``: it writes a file as pip does, or fails as pip does.

fake_pip.py MODE SOURCE FILENAME DESTINATION FRESH LOG
"""

import os
import shutil
import sys
import time
from pathlib import Path

mode, source, filename, destination, fresh, log = sys.argv[1:]
with Path(log).open("a", encoding="utf-8") as file:
    file.write(f"{'fresh' if fresh == 'True' else 'cached'}\n")
content = Path(source).read_bytes()
# pip lets the file grow in a folder of its temporary folder, and copies it to the destination when it is
# whole.
growing = Path(os.environ["TMPDIR"]) / "pip-unpack-x" / filename
growing.parent.mkdir()


def grow(content: bytes, seconds: float = 0.0) -> None:
    pieces = 10
    with growing.open("wb") as file:
        for i in range(pieces):
            file.write(content[i * len(content) // pieces : (i + 1) * len(content) // pieces])
            file.flush()
            time.sleep(seconds / pieces)


def hang() -> None:
    parent = os.getppid()
    for _ in range(600):
        if os.getppid() != parent:
            break
        time.sleep(0.05)


if mode == "offline":
    print("WARNING: Retrying after connection broken by 'NewConnectionError'")
    print("ERROR: No matching distribution found")
    sys.exit(1)
if mode == "no-pip":
    print("/usr/bin/python: No module named pip")
    sys.exit(1)
if mode == "no-space":
    grow(content[: len(content) // 2])
    print("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
    sys.exit(1)
if mode == "connection-broken":
    grow(content[: len(content) // 2])
    print("error: incomplete-download")
    sys.exit(1)
if mode == "refused":
    print("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.")
    sys.exit(1)
if mode == "hang":
    grow(content[: len(content) // 2])
    hang()
    sys.exit(1)
if mode == "metadata-fails":
    grow(content, seconds=0.1)
    time.sleep(0.5)
    shutil.rmtree(growing.parent)
    print("error: metadata-generation-failed")
    sys.exit(1)
damaged = mode == "corrupt" or (mode == "corrupt-first" and fresh == "False")
if damaged:
    content = content[:-1] + bytes([content[-1] ^ 1])
grow(content, seconds=0.5 if mode == "slow" else 0.0)
shutil.copyfile(growing, Path(destination) / filename)
print("Successfully downloaded")
