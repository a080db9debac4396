"""`page GROUP` and `page --all`."""

import json

import paged
import pytest
from fabricated import fabricate
from paged import GOOD, GROUP
from wording import is_told

from optexp_jax.results.__main__ import main
from optexp_jax.results.store import RunFolder


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    for run in GOOD:
        fabricate(tmp_path, run)
    return tmp_path


@pytest.fixture
def call(capsys):
    def called(*argv):
        code = main(["page", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


def data_in(path):
    text = path.read_text(encoding="utf-8").split('id="data">')[1]
    return json.loads(text.split("</script>")[0])


def test_a_group_is_one_file(workspace, call):
    code, out, err = call(GROUP)
    path = workspace / "pages" / f"{GROUP}.html"
    assert (code, err) == (0, "")
    assert str(path) in out
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert len(data_in(path)["runs"]) == len(GOOD)
    assert "index.html" not in path.read_text(encoding="utf-8")


def test_all_groups_have_pages_and_an_index(workspace, call, tmp_path):
    other = paged.experiment(GOOD[0].optimizer, group="other")
    fabricate(workspace, other)
    code, out, _ = call("--all", "--json", "--output", str(tmp_path / "site"))
    assert code == 0
    told = json.loads(out)
    assert told["index"] == str(tmp_path / "site" / "index.html")
    assert [path.rpartition("/")[2] for path in told["pages"]] == ["other.html", f"{GROUP}.html"]
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'href="other.html"' in index
    assert 'href="index.html"' in (tmp_path / "site" / "other.html").read_text(encoding="utf-8")


def test_commands_are_shown_where_the_module_is_named(workspace, call):
    from experiments.linreg_perclass import experiments

    fabricate(workspace, experiments[0])
    group = experiments[0].group
    module = "experiments.linreg_perclass"
    assert call(group, "--module", module)[0] == 0
    (line,) = data_in(workspace / "pages" / f"{group}.html")["reproduce"]
    assert line["command"] == f"python -m {module} --single 0"
    assert call(GROUP, "--module", module)[0] == 0
    lines = data_in(workspace / "pages" / f"{GROUP}.html")["reproduce"]
    assert {line["command"] for line in lines} == {None}


def test_a_damaged_run_is_told_and_the_page_written(workspace, call):
    path = RunFolder(workspace, GOOD[0]).path / "metrics.parquet"
    path.write_bytes(b"")
    code, out, err = call(GROUP)
    assert code == 1
    assert str(path) in err
    assert GROUP in out


def test_mistakes_are_one_sentence(workspace, call, tmp_path, monkeypatch):
    for argv, code, values in (
        (["none"], "no-such-group", {"group": "none"}),
        ([GROUP, "--module", "no.such"], "module-declares-nothing", {"module": "no.such"}),
    ):
        number, _, err = call(*argv)
        assert (number, err.count("\n")) == (2, 1)
        assert is_told(code, err, **values)
    (tmp_path / "file").write_text("")
    number, _, err = call(GROUP, "--output", str(tmp_path / "file"))
    assert (number, err.count("\n")) == (2, 1)
    assert is_told("page-unwritable", err, path=tmp_path / "file" / f"{GROUP}.html")
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "empty"))
    number, _, err = call("--all")
    assert (number, err.count("\n")) == (2, 1)
    assert is_told("workspace-empty", err, workspace=tmp_path / "empty")
    assert not (tmp_path / "empty").exists()
