"""Check that the Python that runs this can make the environment; the Makefile calls it before anything is there.

Any Python 3 must be able to read this file, so that an old one can say that it is too old.
"""

import importlib.util
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"make: {sys.executable} is Python {sys.version.split()[0]}, and 3.11 or newer is needed. "
        "Name one that is: make book PYTHON=python3.11"
    )
for module in ("venv", "ensurepip"):
    if importlib.util.find_spec(module) is None:
        sys.exit(f"make: {sys.executable} has no module {module}. Debian and Ubuntu: apt-get install python3-venv")
