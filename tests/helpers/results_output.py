"""What commands on results print, read again."""

import json


def documents(call, *argv, code=0):
    """What a command prints for programs; NaN is no number of JSON."""
    found, out, _ = call(*argv, "--json")
    assert found == code

    def refuse(name):
        raise AssertionError(name)

    return json.loads(out, parse_constant=refuse)


def line_of(out, text):
    """The cells of the only line of a table with a text."""
    (line,) = (line for line in out.splitlines() if text in line)
    return [
        cell.strip()
        for cell in line.strip("│ ").split("│" if "│" in line else "  ")
        if cell.strip()
    ]
