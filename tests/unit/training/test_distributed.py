"""Two processes train as one does, and a run may go on with another number of them."""

import pytest
import torch

from dlcompare.training import distributed
from tests.unit.training.conftest import Workers

#: Sums are made in another order, which float32 shows.
TOLERANCE = 2e-5
STEPS = {"steps": 12, "evaluate_every": 4}


def assert_same(found, expected):
    assert found[0]["loss"] == pytest.approx(expected[0]["loss"], abs=TOLERANCE)
    for (step, value), (expected_step, expected_value) in zip(
        found[0]["validation"], expected[0]["validation"], strict=True
    ):
        assert step == expected_step
        assert value == pytest.approx(expected_value, abs=TOLERANCE)
    for name, weights in expected[1].items():
        torch.testing.assert_close(found[1][name], weights, atol=TOLERANCE, rtol=0, msg=name)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The outcome of one process, with and without a running average."""
    workers = Workers(tmp_path_factory.mktemp("one"))
    return {average: workers.run(f"average-{average}", average=average, **STEPS) for average in (None, 0.8)}


def test_two_processes_and_parts_of_batches_give_the_losses_and_weights_of_one(workers, one):
    assert_same(workers.run("parts", accumulate=3, **STEPS), one[None])
    assert_same(workers.run("two", 2, accumulate=2, **STEPS), one[None])


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"n_processes": 2}, {"n_processes": 1}),
        ({"n_processes": 1}, {"n_processes": 2, "sharded": True}),
        ({"n_processes": 2, "sharded": True}, {"n_processes": 2}),
    ],
)
def test_a_run_goes_on_with_another_number_of_processes(workers, one, tmp_path, first, then):
    """Also from weights that are shared out (FSDP) to whole ones, and back."""
    options = {"folder": str(tmp_path / "run"), "save_every": 5, "average": 0.8, **STEPS}
    workers.run("cut", code=9, die_at=8, **first, **options)
    assert_same(workers.run("rest", **then, **options), one[0.8])


def test_muon_needs_whole_matrices(workers):
    processes, _ = workers.start("bad", 2, sharded=True, muon_learning_rate=0.1, steps=1)
    said = workers.finish(processes, code=1)
    assert said.count("ValueError: run.sharded is True with a muon_learning_rate; Muon needs whole matrices") == 2


def test_alone_there_is_one_process_and_nothing_to_exchange():
    with distributed.distributed():
        assert (distributed.n_processes(), distributed.rank()) == (1, 0)
    tensor = torch.ones(2)
    assert distributed.summed(tensor) is tensor
    assert distributed.gathered(tensor) is tensor


def test_a_device_that_is_not_there_is_named():
    assert distributed.device().type == "cpu"
    for missing in ("nonsense", "xla"):
        with pytest.raises(ValueError, match=f"device is '{missing}', which is not to be had here"):
            distributed.device(missing)
