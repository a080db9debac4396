"""Tables and arrays come back as they were written, or are refused."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from numpy.lib import format as npy

from optexp_jax.results.checked_files import arrays_bytes, arrays_from, table_bytes, table_from

PATH = Path("x")
ARRAYS = {
    "floats": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
    "by columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "empty": np.zeros((0, 4)),
    "number": np.array(7),
    "flags": np.array([True, False]),
    "other order of bytes": np.arange(3, dtype=">i4"),
}


def test_arrays_come_back_and_may_be_written_to():
    found = arrays_from(PATH, arrays_bytes(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in found.items():
        assert (array.dtype, array.shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
        assert np.array_equal(array, ARRAYS[name])
        assert array.flags.writeable


def test_they_are_those_that_numpy_reads():
    content = arrays_bytes(ARRAYS)
    with np.load(io.BytesIO(content)) as stored:
        found = arrays_from(PATH, content)
        assert {name: stored[name].tobytes() for name in stored.files} == {
            name: array.tobytes() for name, array in found.items()
        }


def test_arrays_of_later_versions_of_the_format_come_back():
    buffer, member = io.BytesIO(), io.BytesIO()
    npy.write_array(member, np.arange(3), version=(2, 0))
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.npy", member.getvalue())
    assert arrays_from(PATH, buffer.getvalue())["a"].tolist() == [0, 1, 2]


def _zip(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        arrays_bytes(ARRAYS)[:-30],
        _zip(a=np.array([None, {}])),
        _zip(a=np.array(["text"])),
        _zip(a=np.arange(400)).replace(b"(400,)", b"(401,)"),
    ],
)
def test_what_is_no_arrays_of_numbers_is_refused(content):
    with refuses("file-damaged", path=PATH):
        arrays_from(PATH, content)


def test_tables_come_back():
    table = pd.DataFrame(
        {"step": np.arange(3), "loss": [0.5, np.nan, np.inf], "f": np.ones(3, np.float32)}
    )
    pd.testing.assert_frame_equal(table_from(PATH, table_bytes(table)), table)
    assert len(table_from(PATH, table_bytes(table[:0]))) == 0


@pytest.mark.parametrize("column", [["a", "b"], [True, False], [None, None], [[1], [2]]])
def test_columns_that_are_no_numbers_are_refused(column):
    with refuses("file-damaged", why="the column 'x' does not hold numbers"):
        table_from(PATH, table_bytes(pd.DataFrame({"step": [0, 1], "x": column})))
