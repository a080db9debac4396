"""What the paper's code gave is what plain PyTorch gives, from the inputs that the files hold."""

import json

import pytest

pytest.importorskip("torch", reason="PyTorch, of the extra `bench`, is not here")

from tools.reference.__main__ import FILES, GROUPS, difference, read, regrouped


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_is_computed_from_its_inputs(reference_dir, name):
    data = read(reference_dir / name)
    assert difference(FILES[name](data), data) < 1e-12


def test_groups_are_those_of_their_counts(reference_dir):
    cases = json.loads((reference_dir / GROUPS).read_text(encoding="utf-8"))
    assert regrouped(cases) == cases


def test_another_number_is_another_file(reference_dir):
    data = read(reference_dir / "losses.npz")
    changed = data | {"cross_entropy": data["cross_entropy"] * (1 + 1e-9)}
    assert difference(data, changed) > 1e-10
