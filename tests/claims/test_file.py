"""The file of claims: each is the article's own, has its sources in the bibliography, and tests that are there."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from dlcompare.claims import ClaimsError, claims

ROOT = Path(__file__).parents[2]
KEYS = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE))
GOOD = {
    "id": "1.1-a",
    "says": "说",
    "means": "says",
    "verdict": "wrong",
    "truth": "is true",
    "sources": ["vaswani2017"],
    "tests": [],
}


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_every_claim_has_evidence_that_is_there(claim):
    assert set(claim.sources) <= KEYS
    for test in claim.tests:
        file, _, name = test.partition("::")
        assert name in functions(file), test
    assert claim.truth.rstrip().endswith((".", ")"))
    assert re.search(r"[\u4e00-\u9fff]|=|GPT", claim.says)


def test_every_test_of_a_claim_is_some_claims():
    named = {test for claim in claims() for test in claim.tests}
    here = Path(__file__).parent
    there = {
        f"tests/claims/{path.name}::{name}"
        for path in here.glob("test_*.py")
        if path != Path(__file__)
        for name in functions(f"tests/claims/{path.name}")
        if name.startswith("test_")
    }
    assert there == named


def test_every_section_of_the_article_has_claims_and_verdicts_vary():
    found = claims()
    assert {claim.section.split(".")[0] for claim in found} == {"1", "2", "3", "4", "5"}
    assert [claim.section for claim in found] == sorted(claim.section for claim in found)
    verdicts = [claim.verdict for claim in found]
    assert min(verdicts.count(verdict) for verdict in ("right", "imprecise", "wrong")) >= 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "maybe"}, r"entry 1 \(1.1-a\): verdict is 'maybe'; allowed are right, imprecise, wrong"),
        ({"truth": ""}, "truth is ''; allowed is a text"),
        ({"sources": "vaswani2017"}, "sources is 'vaswani2017'; allowed is a list of texts"),
        ({"sources": []}, "sources and tests are empty; allowed is evidence"),
        ({"page": 3}, "has the fields .*page.*; allowed are id, means"),
    ],
)
def test_what_is_no_claim_is_named(tmp_path, change, message):
    file = tmp_path / "claims.yml"
    file.write_text(yaml.safe_dump([{**GOOD, **change}], allow_unicode=True), encoding="utf-8")
    with pytest.raises(ClaimsError, match=message):
        claims(file)


def test_a_file_that_is_no_list_and_an_id_that_comes_twice_are_named(tmp_path):
    file = tmp_path / "claims.yml"
    for content, message in (
        ({"a": 1}, "the file holds a dict; allowed is a list of claims"),
        ([GOOD, GOOD], "entry 2 has the id '1.1-a', which another has"),
        (["text"], "entry 1 is 'text'; allowed is a mapping"),
    ):
        file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        with pytest.raises(ClaimsError, match=message):
            claims(file)


def test_every_claim_stands_in_the_margin_of_one_chapter():
    noted = [
        name
        for path in sorted((ROOT / "chapters").glob("[1-6]-*/*.ipynb"))
        for names in re.findall(r":::\{article-claim\} ([^\\\"]+)", path.read_text(encoding="utf-8"))
        for name in names.split()
    ]
    assert sorted(noted) == sorted(claim.id for claim in claims())
