"""Tools that build, check and test the book; each runs as ``python -m tools.NAME`` in the repository."""

import sys

# jsonschema, which every Jupyter library imports, takes this optional package to check addresses if it is installed.
# It compiles 39 grammars when it is imported, for 3 seconds, and nothing here checks an address.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
