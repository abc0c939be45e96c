"""Margin notes on the article's claims, where a chapter comes to what they are about.

``{article-claim}`` takes ids of claims in ``data/claims.yml``, with spaces between them. The note says what the article
says, the verdict, and leads to the entry in the appendix, which says what is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from dlcompare.claims import Claim, claims

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARKS = {"right": "✓ right", "imprecise": "≈ imprecise", "wrong": "✗ wrong"}


def label(claim: Claim) -> str:
    """Return the target of a claim's entry in the appendix."""
    return f"claim-{claim.id.replace('.', '-')}"


class ArticleClaim(SphinxDirective):
    """Some claims of the article, in the margin."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the note."""
        found = {claim.id: claim for claim in claims()}
        names = self.arguments[0].split()
        unknown = [name for name in names if name not in found]
        if unknown:
            raise self.error(f"data/claims.yml has no claim {', '.join(unknown)}")
        note = nodes.sidebar("", nodes.title("", "The article says"), classes=["margin", "dlc-claims"])
        for name in names:
            claim = found[name]
            link = addnodes.pending_xref("", refdomain="std", reftype="ref", reftarget=label(claim), refexplicit=True)
            link["refwarn"] = True
            link += nodes.inline("", f"{MARKS[claim.verdict]} ({claim.id})")
            self.set_source_info(link)
            note += nodes.paragraph("", "", nodes.Text(f"{claim.means} "), link)
        return [note]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("article-claim", ArticleClaim)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
