"""Groups of classes against the paper's code."""

import pytest
from reference_files import from_json

from optexp_jax.per_class import frequency_groups

CASES = from_json("frequency_groups.json")


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{len(case['class_counts'])}-classes-{case['n_splits']}"
)
def test_groups_equal_the_reference(case):
    groups = frequency_groups(case["class_counts"], case["n_splits"])
    assert [group.tolist() for group in groups] == case["groups"]


def test_there_are_cases():
    assert CASES
