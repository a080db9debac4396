"""Talk to a wandb server in a child process: one task per line, one answer per line.

wandb's client may wait forever for a server that does not answer, and its public interface cannot
end that. Another process can end this one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from optexp_jax.results.wandb import client, record
from optexp_jax.results.wandb.description import RunDescription

_AT_ONCE = 8
_PAGE = 100  # runs


class Worker:
    """Do tasks, each a method of this class.

    Args:
        workspace: where the runs are.
        patience: seconds that a request may take, retries included.
    """

    def __init__(self, workspace: Path, patience: float) -> None:
        self._workspace = workspace
        self._patience = patience
        self._wandb: Any = None
        self._api: Any = None

    def publish(self, runs: list[dict[str, Any]], partly: dict[str, str], target: str) -> list[str]:
        """Record runs and send the records.

        Args:
            runs: fields of their descriptions.
            partly: wandb id -> path of runs of which the server has some rows; sending these rows
                again would duplicate them.
            target: an empty folder for the records.

        Returns:
            a sentence on what was not sent, if anything.
        """
        described = [RunDescription(**fields) for fields in runs]
        self._wandb = self._wandb or client.connect("offline")
        there = {wandb_id: self._steps(path) for wandb_id, path in partly.items()}
        made = [
            record.make_record(
                self._wandb,
                self._workspace,
                one,
                Path(target),
                without=there.get(one.wandb_id, ()),
            )
            for one in described
        ]
        command = [
            sys.executable,
            "-m",
            "wandb",
            "sync",
            "-n",
            str(_AT_ONCE),
            *(str(one.absolute()) for one in made),
        ]
        # It writes its logs into `wandb/` of the current folder.
        done = subprocess.run(command, capture_output=True, check=False, cwd=target)
        said = [
            line
            for line in done.stderr.decode(errors="replace").splitlines()
            if "ERROR" in line or "error" in line
        ]
        return [client.in_one_line(line) for line in said[-1:]]

    def list(self, project: str, entity: str | None, group: str) -> list[dict[str, Any]] | None:
        """List the server's runs of a group; None if the project does not exist.

        Each has its wandb id, state, number of rows, columns and, where all rows seem to be there,
        the fingerprint of its artifact.
        """
        api = self._connected()
        home = f"{entity or api.default_entity}/{project}"
        try:
            found = list(api.runs(home, filters={"group": group}, per_page=_PAGE, lazy=False))
        except ValueError as error:
            if "Could not find project" in str(error):
                return None
            raise
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(_listed, found))

    def fetch(self, path: str, target: str, rows: bool) -> dict[str, Any]:
        """Download the files of a run, or its rows if it has no files.

        Args:
            path: entity, project and wandb id.
            target: an empty folder.
            rows: whether to download the whole history instead of the artifact.

        Returns:
            `rows`, if they were asked for.
        """
        run = self._connected().run(path)
        if rows:
            return {"rows": [dict(row) for row in run.scan_history(use_cache=False)]}
        shutil.rmtree(target, ignore_errors=True)
        _artifact_of(run).download(target, skip_cache=True)
        return {}

    def _steps(self, path: str) -> set[int]:
        """Return the steps of which the server has rows."""
        rows = self._connected().run(path).scan_history(use_cache=False)
        return {int(row["_step"]) for row in rows}

    def _connected(self) -> Any:
        if self._api is None:
            client.connect("offline")  # which keeps the client quiet
            import wandb

            self._api = wandb.Api(timeout=int(self._patience))
        return self._api


def _listed(run: Any) -> dict[str, Any]:
    config = {k: v for k, v in run.config.items() if k != "definition"}
    has_all = config.get("rows") is not None and run.historyLineCount >= config["rows"]
    artifact = _artifact_of(run) if run.state == "finished" else None
    return {
        "path": "/".join(run.path),
        "wandb_id": run.id,
        "state": run.state,
        "created": str(run.created_at),
        "has_all_rows": has_all,
        "lines": run.historyLineCount,
        "config": config,
        "artifact": None if artifact is None else dict(artifact.metadata).get("results", ""),
    }


def _artifact_of(run: Any) -> Any:
    found = [a for a in run.logged_artifacts() if a.type == "results"]
    return found[-1] if found else None


def main() -> None:
    """Do the tasks on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    request = json.loads(sys.argv[1])
    worker = Worker(Path(request["workspace"]), request["patience"])
    tasks: Mapping[str, Callable[..., Any]] = {
        "publish": worker.publish,
        "list": worker.list,
        "fetch": worker.fetch,
    }
    out, sys.stdout = sys.stdout, sys.stderr  # wandb prints
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": tasks[asked.pop("task")](**asked)}
        except (Exception, SystemExit) as error:  # of wandb, which may raise anything
            answer = {"error": client.reason(error)}
        print(json.dumps(answer), file=out, flush=True)
    client.clean_up()
    os._exit(0)  # threads of wandb may wait for a server that does not answer


if __name__ == "__main__":
    main()
