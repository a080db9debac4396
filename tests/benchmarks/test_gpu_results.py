"""What was measured on a GPU stays: the command that measures the rest adds to the same folder."""

import json

import pytest

from benchmarks.gpu import with_earlier

CARD = {"device": "H200", "jax": "0.11.2", "memory_limit": 10}


def test_sections_measured_before_are_kept(tmp_path):
    before = {"versions": [{**CARD, "tiny": False}], "steps/cnn": [1], "sums": [2]}
    (tmp_path / "gpu.json").write_text(json.dumps(before))
    result = with_earlier({"versions": [{**CARD, "memory_limit": 11}]}, tmp_path, tiny=False)
    assert result["steps/cnn"] == [1]
    assert result["sums"] == [2]
    assert result["versions"][0]["memory_limit"] == 11


def test_a_new_folder_starts_with_the_versions(tmp_path):
    assert with_earlier({"versions": [dict(CARD)]}, tmp_path, True) == {
        "versions": [{**CARD, "tiny": True}]
    }


@pytest.mark.parametrize(
    ("changes", "tiny", "told"),
    [
        ({"jax": "0.12.0"}, False, "jax 0.11.2 and not 0.12.0"),
        ({}, True, "tiny False and not True"),
    ],
)
def test_another_version_needs_another_folder(tmp_path, changes, tiny, told):
    before = {"versions": [{**CARD, "tiny": False}]}
    (tmp_path / "gpu.json").write_text(json.dumps(before))
    with pytest.raises(SystemExit, match=told):
        with_earlier({"versions": [CARD | changes]}, tmp_path, tiny)
