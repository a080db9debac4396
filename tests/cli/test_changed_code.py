"""Whoever looks at runs of a class that has changed since is told so, in every command."""

import json

import pytest
from changing_class import imported
from small_workspaces import record, run

from optexp_jax.cli import main as module_main
from optexp_jax.results.__main__ import main
from optexp_jax.results.changes import changed_code

__all__ = ["imported"]  # a fixture
TOLD = changed_code("test-changing", 2)


@pytest.fixture
def recorded(imported, tmp_path, monkeypatch):
    """Two runs of a class whose code has changed since, one of the library's; the module's list."""
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))

    def of(one):
        kind = type(one.optimizer)
        return [run(-1, kind), run(-2, kind), run(-1)]

    for one in of(imported()):
        record(tmp_path, one)
    return of(imported(factory="adam"))


@pytest.fixture
def call(capsys):
    def called(*argv):
        code = main([str(argument) for argument in argv])
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in argv else " ".join(out.split())

    return called


@pytest.mark.parametrize("argv", [["list"], ["list", "a"], ["verify"]])
def test_commands_name_the_class_once(recorded, call, argv):
    code, out = call(*argv)
    assert code == 0
    assert out.count("The code of") == out.count(TOLD) == 1


def test_one_run_says_it_of_itself(recorded, call):
    assert changed_code("test-changing", 1) in call("show", recorded[0].id)[1]
    assert "The code of" not in call("show", recorded[2].id)[1]


def test_programs_are_told_the_name(recorded, call):
    runs = call("list", "a", "--json")[1]["runs"]
    wanted = {one.id: ["test-changing"] for one in recorded[:2]} | {recorded[2].id: []}
    assert {r["id"]: r["changed"] for r in runs} == wanted
    assert call("show", recorded[0].id, "--json")[1]["changed"] == ["test-changing"]
    assert call("verify", "--json")[1]["changed"] == {"test-changing": 2}


def test_a_report_says_it(recorded, capsys):
    with pytest.raises(SystemExit) as ended:
        module_main(recorded, argv=["--report"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.count(TOLD) == 1


def test_a_page_says_it_above_and_marks_the_runs(recorded, call, tmp_path):
    call("page", "a")
    text = (tmp_path / "pages" / "a.html").read_text().split('id="data">')[1]
    shown = json.loads(text.split("</script>")[0])
    assert TOLD in shown["notes"]
    marked = {r["id"]: "of old code: test-changing" in r["note"] for r in shown["runs"]}
    assert marked == {recorded[0].id: True, recorded[1].id: True, recorded[2].id: False}
