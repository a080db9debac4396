"""The status of a run: what was written comes back, anything else is refused in one sentence."""

import json

import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.errors import DamagedError
from optexp_jax.results import provenance, status

KEY, OTHER = "a1" * 32, "b2" * 32
TIME = "2026-11-26T06:54:00+0000"
WHOLE = {
    "status": "preempted",
    "step": 8,
    "total_steps": 24,
    "pack": "c3" * 16,
    "checkpoint": "c3" * 16,
    "pack_mode": "map",
    "micro_batch": None,
    "devices": 1,
    "shard": "fsdp",
    "remat": True,
    "wandb_id": "zzs8chyp",
    "started": TIME,
    "updated": TIME,
    "reason": None,
    "host": "vm",
    "pid": 7,
    "cores": 2,
    "versions": {"jax": "0.10.2"},
    "settings": {},
    "pack_seconds": 1.5,
    "files": {"metrics.parquet": {"sha256": KEY, "bytes": 9, "modified": 1, "rows": 3}},
    "history": [[TIME, "running", 0], [TIME, "preempted", 8]],
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def read_or_refusal(path):
    """What a status says, or the sentence with which it is refused."""
    try:
        return status.read(path, KEY)
    except DamagedError as error:
        return str(error)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("status") / "status.json"


def test_what_was_written_comes_back(path):
    status.write(path, KEY, WHOLE)
    assert status.read(path, KEY) == WHOLE | {"id": KEY}
    with refuses("file-damaged", DamagedError, path=path):
        status.read(path, OTHER)


def test_no_file_is_no_status(path):
    assert status.read(path.with_name("none.json"), KEY) == {}


@given(st.data())
def test_one_flipped_bit_is_noticed_or_changes_nothing(path, data):
    status.write(path, KEY, WHOLE)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    found = read_or_refusal(path)
    if isinstance(found, str):
        assert str(path) in found
        assert "\n" not in found
    else:
        assert found == WHOLE | {"id": KEY}


@given(json_values)
def test_any_json_is_a_status_or_refused(path, document):
    path.write_text(json.dumps(document), encoding="utf-8")
    found = read_or_refusal(path)
    if isinstance(found, str):
        assert "\n" not in found
    else:
        assert all(name not in WHOLE for name in found)


@given(st.sampled_from(sorted(WHOLE)), json_values)
def test_an_entry_of_version_0_1_0_is_of_its_type_or_refused(path, name, value):
    path.write_text(json.dumps(WHOLE | {name: value}), encoding="utf-8")
    found = read_or_refusal(path)
    if isinstance(found, str):
        assert name in found or "JSON" in found
        return
    if name == "checkpoint":
        assert value is None or (len(value) == 32 and set(value) <= set("0123456789abcdef"))
    elif name in ("step", "pid"):
        assert type(value) is int
        assert value >= 0
    elif name == "status":
        assert value in status.STATES
    assert found[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("checkpoint", "../../victim"), ("checkpoint", ["a"]), ("checkpoint", ""),
        ("checkpoint", "a" * 31), ("checkpoint", "A" * 32), ("checkpoint", "c3" * 16 + "\n"),
        ("pack", "/tmp"),
        ("step", True), ("step", -1), ("step", 1e3), ("step", "7"), ("total_steps", 0),
        ("status", "finished"), ("status", ["done"]), ("pack_mode", "both"), ("devices", 0),
        ("micro_batch", 0), ("shard", "both"), ("shard", ["data"]),
        ("remat", 1), ("started", "yesterday"), ("started", 7), ("files", []),
        ("files", {"a": {"sha256": "x"}}), ("versions", [1]), ("wandb_id", "../x"),
        ("pack_seconds", float("nan")), ("pack_seconds", -1),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_neither_read_nor_written(name, value, path):
    path.write_text(json.dumps(WHOLE | {name: value}), encoding="utf-8")
    with pytest.raises(DamagedError):
        status.read(path, KEY)
    with pytest.raises(DamagedError):
        status.write(path, KEY, WHOLE | {name: value})


@pytest.mark.parametrize(
    "history", [{}, [TIME], [[TIME, "running"]], [[TIME, "gone", 0]], [["now", "done", 1]]]
)
def test_a_history_that_cannot_be_is_refused(path, history):
    with refuses("status-entry-malformed", DamagedError, name="history"):
        status.write(path, KEY, WHOLE | {"history": history})


def test_each_time_that_a_status_is_said_is_remembered_and_only_the_last_are_kept():
    entries = {}
    for step in range(300):
        entries = status.with_history(entries, {"status": "running", "step": step}, TIME)
        entries = status.with_history(entries, {"step": step}, TIME)
    assert entries["history"] == [[TIME, "running", step] for step in range(200, 300)]


def test_a_status_names_what_bits_depend_on():
    named = {"python", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "optexp-jax"}
    assert set(provenance.host()["versions"]) == named
