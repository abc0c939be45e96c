"""A process of its own that fetches one data set with the fake pip: ENTRY FAKE_PIP MODE SOURCE LOG."""

import json
import sys
from pathlib import Path

from dlcompare.data import _cache, _registry

fields, fake_pip, mode, source, log = sys.argv[1:]
entry = _registry.Entry(**{**(fields := json.loads(fields)), "members": tuple(fields["members"])})
_registry.registry = lambda: {entry.name: entry}


def command(wanted, requirements, destination, *, fresh):
    arguments = [mode, source, wanted.filename, str(destination), str(fresh), log]
    return [sys.executable, "-I", "-S", fake_pip, *arguments]


_cache.pip_command = command
print(Path(_cache.fetch(entry.name)))
