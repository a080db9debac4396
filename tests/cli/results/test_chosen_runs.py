"""`--where FIELD=VALUE` chooses runs for every command of results that takes several."""

import json

import pytest
from small_workspaces import content, record, run
from wording import is_told

from optexp_jax.cli.results.parser import parser
from optexp_jax.optim import Adam
from optexp_jax.results.store import RunFolder

RUNS = [run(-1), run(-2), run(-1, Adam), run(-1, Adam, group="b"), run(-2, group="b", seed=1)]
SLOW = "learning_rate=0.01"


@pytest.fixture(autouse=True)
def recorded(workspace):
    for one in RUNS:
        record(workspace, one)


def told(call, *argv):
    code, out, err = call(*argv, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def left(workspace):
    return [one for one in RUNS if (RunFolder(workspace, one).path / "status.json").exists()]


def test_lists_hold_what_meets_all_conditions(call):
    found = told(call, "list", "a", "--where", "optimizer=SGD", "--where", SLOW)
    assert [r["id"] for r in found["runs"]] == [RUNS[1].id]
    groups = told(call, "list", "--where", "optimizer=Adam")["groups"]
    assert [(g["group"], g["runs"]) for g in groups] == [("a", 1), ("b", 1)]
    (group,) = told(call, "list", "--where", "seed=1")["groups"]
    assert (group["group"], group["runs"]) == ("b", 1)
    every = {g["group"]: g["bytes"]["runs"] for g in told(call, "list")["groups"]}
    assert 0 < group["bytes"]["runs"] < every["b"]


def test_exports_hold_their_rows_only(call):
    code, out, _ = call("export", "a", "--format", "json", "--where", SLOW)
    assert code == 0
    assert {row["id"] for row in json.loads(out)} == {RUNS[1].id}


def test_pages_show_them_only_and_say_so(call, workspace):
    def page(name):
        text = (workspace / "pages" / f"{name}.html").read_text().split('id="data">')[1]
        return json.loads(text.split("</script>")[0])

    told(call, "page", "a", "--where", "optimizer=Adam")
    assert [r["id"] for r in page("a")["runs"]] == [RUNS[2].id]
    assert "Only runs with optimizer=Adam." in page("a")["notes"]
    pages = told(call, "page", "--all", "--where", "seed=1")["pages"]
    assert [path.rpartition("/")[2] for path in pages] == ["b.html"]
    assert [r["id"] for r in page("b")["runs"]] == [RUNS[4].id]


def test_verify_reads_them_only(call, workspace):
    path = RunFolder(workspace, RUNS[0]).path / "metrics.parquet"
    path.write_bytes(b"damaged")
    found = told(call, "verify", "--where", SLOW)
    assert (found["runs"], found["findings"]) == (2, [])
    assert call("verify", "--where", "learning_rate=0.1")[0] == 1


def test_rm_removes_them_only(call, workspace):
    before = content(workspace)
    assert told(call, "rm", "a", "--where", "optimizer=SGD", "--dry-run")["runs"] == 2
    assert content(workspace) == before
    found = told(call, "rm", "a", "--where", "optimizer=SGD", "--yes")
    assert (found["runs"], found["removed"]) == (2, True)
    assert left(workspace) == RUNS[2:]
    code, _, err = call("rm", RUNS[2].id, "--where", "seed=0", "--yes")
    assert code == 2
    assert is_told("no-such-group", err, group=RUNS[2].id)
    assert left(workspace) == RUNS[2:]


def test_merge_copies_them_only(call, workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "new"))
    assert len(told(call, "merge", workspace, "--where", SLOW)) == 2
    assert left(tmp_path / "new") == [RUNS[1], RUNS[4]]


@pytest.mark.parametrize(
    "command",
    [["list"], ["export", "a", "--format", "csv"], ["page", "a"], ["verify"], ["rm", "a", "--yes"]],
)
@pytest.mark.parametrize(
    ("condition", "code"),
    [("seed", "no-condition"), ("sede=0", "no-such-field"), ("seed=7", "no-such-value")],
)
def test_mistakes_are_those_of_every_command(call, workspace, command, condition, code):
    before = content(workspace)
    number, out, err = call(*command, "--where", condition)
    assert (number, out) == (2, "")
    assert is_told(code, err)
    assert content(workspace) == before


def test_help_is_the_same_everywhere(capsys):
    for command in ("list", "export", "page", "merge", "verify", "rm"):
        with pytest.raises(SystemExit):
            parser().parse_args([command, "--help"])
        assert "--where FIELD=VALUE" in capsys.readouterr().out
