"""What a test expects of an error: its code and its values, never its words."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from optexp_jax.errors import OptexpError


@contextlib.contextmanager
def refuses(
    code: str, kind: type[OptexpError] = OptexpError, /, **values: Any
) -> Iterator[pytest.ExceptionInfo[OptexpError]]:
    """The block raises an error of this code, in one line, with at least these values.

    Args:
        code: of the error.
        kind: its class, or one above it.
        values: named values of the error, or patterns that are found in their texts.
    """
    with pytest.raises(kind) as caught:
        yield caught
    check_error(caught.value, code, **values)


def check_error(error: OptexpError, code: str, **values: Any) -> None:
    """Compare an error with its code and some of its values; for what is caught elsewhere."""
    assert error.code == code, f"{error.code} is not {code}: {error}"
    for name, value in values.items():
        assert name in error.values, f"{code} has no value {name}: {error.values}"
        found = error.values[name]
        if isinstance(value, re.Pattern):
            assert value.search(str(found)), f"{name} is {found!r}"
        else:  # NaN differs from itself, in its text it does not
            assert found == value or repr(found) == repr(value), f"{name} is {found!r}"
    assert "\n" not in str(error)
