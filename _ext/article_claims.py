"""Margin notes on the article's claims, where a chapter comes to what they are about.

``{article-claim}`` takes ids of claims in ``data/claims.yml``, with spaces between them. The note says what the article
says, the verdict, and leads to the entry in the appendix, which says what is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from dlcompare.claims import Claim

#: Where the claims stand; that page makes the targets, and a test holds that each link meets one.
PAGE = "chapters/appendix/claims"
MARKS = {"right": "✓ right", "imprecise": "≈ imprecise", "wrong": "✗ wrong"}


def label(claim: Claim) -> str:
    """Return the target of a claim's entry on that page."""
    return f"claim-{claim.id.replace('.', '-')}"


class ArticleClaim(SphinxDirective):
    """Some claims of the article, in the margin."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the note."""
        from dlcompare.claims import claims  # here, so that a book without claims needs none

        found = {claim.id: claim for claim in claims()}
        names = self.arguments[0].split()
        unknown = [name for name in names if name not in found]
        if unknown:
            raise self.error(f"data/claims.yml has no claim {', '.join(unknown)}")
        page = self.env.app.builder.get_relative_uri(self.env.docname, PAGE)
        note = nodes.sidebar("", nodes.title("", "The article says"), classes=["margin", "dlc-claims"])
        for name in names:
            claim = found[name]
            words = f"{MARKS[claim.verdict]} ({claim.id})"
            link = nodes.reference("", words, refuri=f"{page}#{label(claim)}", internal=True)
            note += nodes.paragraph("", "", nodes.Text(f"{claim.means} "), link)
        return [note]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("article-claim", ArticleClaim)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
