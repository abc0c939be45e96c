"""Write data/models.json, the table of every published configuration: ``python -m tools.models_table``.

With ``--check`` nothing is written; it fails if the file is not what the package computes.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from dlcompare import published
from tools.chapters import ROOT

FILE = ROOT / "data" / "models.json"


def canonical(rows: list[dict[str, Any]]) -> str:
    """Return the rows as JSON, one line per field and, in a list of objects, one per object: so a diff reads well."""
    written = []
    for row in rows:
        fields = []
        for name, value in row.items():
            text = json.dumps(value, ensure_ascii=False)
            if isinstance(value, list) and value and isinstance(value[0], dict):
                items = ",\n".join("   " + json.dumps(item, ensure_ascii=False) for item in value)
                text = f"[\n{items}\n  ]"
            fields.append(f"  {json.dumps(name)}: {text}")
        written.append(" {\n" + ",\n".join(fields) + "\n }")
    return "[\n" + ",\n".join(written) + "\n]\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write data/models.json, the table of published configurations.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the file is stale")
    check = parser.parse_args().check
    text = canonical(published.table())
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"{FILE.relative_to(ROOT)} is stale: run python -m tools.models_table", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
