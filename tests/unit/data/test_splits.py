import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcompare.data import SEED, Splits
from dlcompare.data._splits import divided, shuffled

words = st.lists(st.text(max_size=5), max_size=60)


def test_the_order_is_the_same_for_ever():
    # Computed once. If this changes, every split changes with it, and with it every number in the book.
    assert "".join(shuffled("abcdefghij", str)) == "hfgdjaicbe"
    assert "".join(shuffled("abcdefghij", str, seed=1)) == "idgajfebhc"
    assert SEED == 0


@given(words)
def test_the_order_does_not_depend_on_the_order_given(items):
    assert shuffled(items, str) == shuffled(items[::-1], str)


@given(words, st.integers(0, 50), st.integers(0, 50))
def test_a_division_loses_nothing_and_separates_groups(items, validation, test):
    parts = divided(items, key=str, validation=validation, test=test)
    assert sorted(item for part in parts for item in part) == sorted(items)
    groups = [set(part) for part in parts]
    assert sum(map(len, groups)) == len(set(items))
    assert len(groups[1]) == len(set(items)) * validation // 100
    assert len(groups[2]) == len(set(items)) * test // 100


def test_every_stratum_has_its_share_in_every_part():
    items = [(label, f"{label}{i}") for label in range(3) for i in range(50)]
    parts = divided(items, key=lambda i: i[1], stratum=lambda i: i[0], validation=10, test=20)
    for part, expected in zip(parts, (35, 5, 10), strict=True):
        assert [sum(label == k for label, _ in part) for k in range(3)] == [expected] * 3


def test_a_part_begins_with_a_mixture_of_the_strata():
    items = [(label, f"{label}-{i}") for label in (0, 1) for i in range(1000)]
    for part in divided(items, key=lambda i: i[1], stratum=lambda i: i[0], validation=20, test=20):
        # 100 fair coins show fewer than 25 or more than 75 heads once in ten million times.
        assert 25 < sum(label for label, _ in part[:100]) < 75


def test_another_seed_divides_differently():
    items = [str(i) for i in range(100)]
    assert divided(items, key=str, validation=10, test=10) != divided(items, key=str, validation=10, test=10, seed=1)


@pytest.mark.parametrize(("validation", "test"), [(-1, 10), (10, -1), (60, 50)])
def test_impossible_shares_are_refused(validation, test):
    with pytest.raises(ValueError, match=f"validation is {validation} and test is {test}"):
        divided("abc", key=str, validation=validation, test=test)


def test_splits_iterate_in_order_and_map():
    splits = Splits("a", "bb", "ccc")
    train, validation, test = splits
    assert (train, validation, test) == ("a", "bb", "ccc")
    assert splits.map(len) == Splits(1, 2, 3)
