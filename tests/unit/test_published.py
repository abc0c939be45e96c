"""Closed formula == what torch counts in the model == the printed figure, or the entry says why not."""

import json
import math
import re
from pathlib import Path

import pytest

from dlcompare import published, style
from dlcompare.models.costs import costs, measured
from dlcompare.published import AS_BUILT, PUBLISHED, Figure
from tools import models_table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows():
    return published.table()


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.name)
def test_formulas_are_what_torch_counts(entry, rows):
    row = next(row for row in rows if row["name"] == entry.name)
    truth = measured(entry.model(), *entry.inputs())
    assert entry.config.n_parameters == truth.parameters
    assert row["parameters"] == entry.parameters
    assert row["multiply_adds"] == truth.multiply_adds
    assert row["activations"] == truth.activations
    ran = costs(entry.model(), *entry.inputs())[""].parameters if entry.name == "GoogLeNet" else truth.parameters
    assert entry.parameters == ran  # GoogLeNet's auxiliary classifiers don't run
    assert truth.parameters in (entry.parameters, *entry.variants.values())


def test_printed_figures_are_the_computed_ones_or_the_note_says_why_not(rows):
    for row in rows:
        plain = all(f["agrees"] and f["counts"] == AS_BUILT for f in row["figures"]) and not row["variants"]
        assert bool(row["note"]) == (not plain), row["name"]
        assert row["figures"], row["name"]
    disagree = {row["name"] for row in rows if not all(f["agrees"] for f in row["figures"])}
    assert disagree == {
        *("GoogLeNet", "ResNet-34", "ResNet-50", "Transformer base", "Transformer big", "GPT-2 XL"),
        *("GPT-3 Medium", "GPT-3 13B", "GPT-3 175B"),
    }
    for row in rows:
        for figure in row["figures"]:  # GoogLeNet's "12 times fewer" is the only one that is far off
            far = not math.isclose(figure["computed"], figure["value"], rel_tol=0.07)
            assert far == figure["printed"].startswith("12 times"), row["name"]


def test_the_figures_of_gpt_2_are_those_of_gpt_1s_vocabulary(rows):
    """All four at once: a coincidence is out of the question."""
    gpt2 = [row for row in rows if row["name"].startswith("GPT-2")]
    printed = [117, 345, 762, 1542]
    assert [round(next(iter(row["variants"].values())) / 1e6) for row in gpt2] == printed
    assert [row["figures"][0]["printed"] for row in gpt2] == [f"{n}M" for n in printed]


def test_training_gpt_3_takes_what_its_paper_says(rows):
    (figure,) = published.figures_of(next(r for r in rows if r["name"] == "GPT-3 175B"), "training_flops")
    assert figure["agrees"]
    assert figure["computed"] == 6 * 174_604_259_328 * 300 * 10**9


def test_the_stored_table_is_the_computed_one(rows):
    text = (ROOT / "data" / "models.json").read_text(encoding="utf-8")
    assert text == models_table.canonical(rows), "data/models.json is stale: run python -m tools.models_table"
    assert published.stored() == json.loads(json.dumps(rows))


def test_shapes_multiply_out_to_all_parameters(rows):
    for entry, row in zip(PUBLISHED, rows, strict=True):
        total = sum(math.prod(shape["shape"]) * shape["times"] for shape in row["shapes"])
        assert total == entry.config.n_parameters


def test_entries_are_named_once_in_order_and_have_a_family_and_sources():
    names = [entry.name for entry in PUBLISHED]
    assert len(set(names)) == len(names)
    assert [entry.year for entry in PUBLISHED] == sorted(entry.year for entry in PUBLISHED)
    assert {entry.family for entry in PUBLISHED} <= set(style.FAMILY)
    keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE))
    for entry in PUBLISHED:
        assert {figure.source for figure in entry.figures} <= keys, entry.name
        assert {f.counts for f in entry.figures} <= {AS_BUILT, *entry.variants}, entry.name


@pytest.mark.parametrize(("computed", "agrees"), [(64.4e6, False), (64.5e6, True), (65.5e6, True), (65.6e6, False)])
def test_a_figure_agrees_within_its_rounding(computed, agrees):
    assert Figure("65M", 65e6, 1e6, "vaswani2017", "table 3").agrees(computed) is agrees


def test_the_table_is_written_and_checked(tmp_path, monkeypatch, capsys):
    file = tmp_path / "models.json"
    monkeypatch.setattr(models_table, "FILE", file)
    monkeypatch.setattr(models_table, "ROOT", tmp_path)
    monkeypatch.setattr(published, "PUBLISHED", PUBLISHED[:1])
    monkeypatch.setattr("sys.argv", ["models_table", "--check"])
    assert models_table.main() == 1
    assert "models.json is stale: run python -m tools.models_table" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["models_table"])
    assert models_table.main() == 0
    assert published.stored(file)[0]["parameters"] == 60_000
    monkeypatch.setattr("sys.argv", ["models_table", "--check"])
    assert models_table.main() == 0
