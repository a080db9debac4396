"""A wandb server on this machine, for wandb's own client: it keeps what is sent and gives it back.

It speaks the part of the protocol that wandb 0.31 uses to sync and to download runs and artifacts.
History comes back as parquet, or as rows that are still live. `faults` make it fail.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.server
import io
import json
import re
import threading
import time
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

ENTITY = "me"
KEY = "k" * 40
WHEN = "2026-11-26T12:00:00"
_NO_MORE = {"endCursor": None, "hasNextPage": False}


class WandbServer:
    """What the server knows, and how it fails.

    Args:
        live: whether history has not been exported to parquet yet.

    Attributes:
        runs: name -> what the client sent.
        artifacts: id -> name, files (name -> content), run, whether it is committed.
        faults: `(pattern, status, times)`: answers to requests whose operation or path matches.
            The status `hang` means no answer.
        seen: how often each operation or path was asked for.
    """

    def __init__(self, live: bool = False) -> None:
        self.live = live
        self.runs: dict[str, dict] = {}
        self.artifacts: dict[str, dict] = {}
        self.faults: list[list] = []
        self.seen: Counter[str] = Counter()
        self.projects = {"optexp"}
        self.closing = threading.Event()
        self.lock = threading.RLock()
        self.stored: dict[str, bytes] = {}
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def fail(self, pattern: str, status: int | str, times: int = 10**6) -> None:
        """Answer the next requests that match with this status."""
        self.faults.append([re.compile(pattern), status, times])

    def fault(self, what: str) -> int | str | None:
        """The status of the fault that is due; it is used up by that."""
        with self.lock:
            self.seen[what] += 1
            for fault in self.faults:
                if fault[2] > 0 and fault[0].search(what):
                    fault[2] -= 1
                    return fault[1]
        return None

    # -- what operations answer -------------------------------------------------------------------

    def answer(self, name: str, given: dict) -> dict:
        """The data of an operation."""
        with self.lock:
            return getattr(self, f"on_{name}", lambda **_: {})(**given)

    def on_Viewer(self, **_):
        user = {"id": "VTox", "name": ENTITY, "username": ENTITY, "entity": ENTITY, "email": None}
        rest = {"admin": False, "flags": None, "deletedAt": None, "teams": {"edges": []}}
        return {"viewer": user | rest | {"apiKeys": {"edges": []}}}

    on_GetViewer = on_GetDefaultEntity = on_Viewer

    def on_UpsertBucket(self, name, project, **sent):
        inserted = name not in self.runs
        run = self.runs.setdefault(name, {"project": project, "history": [], "summary": {}})
        self.projects.add(project)
        run.setdefault("state", "running")
        for field in ("config", "groupName", "displayName", "tags"):
            if sent.get(field) is not None:
                run[field] = sent[field]
        home = {"id": "UA==", "name": project, "entity": {"id": "RQ==", "name": ENTITY}}
        bucket = {"id": f"id-{name}", "name": name, "displayName": run.get("displayName")}
        rest = {"description": None, "sweepName": None, "historyLineCount": len(run["history"])}
        bucket |= rest | {"config": run.get("config"), "project": home}
        return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}

    def on_RunResumeStatus(self, name, project, **_):
        run, bucket = self.runs.get(name), None
        if run is not None:
            counts = {"historyLineCount": len(run["history"]), "eventsLineCount": 0}
            tails = {"historyTail": json.dumps(run["history"][-1:]), "eventsTail": "[]"}
            bucket = {"id": f"id-{name}", "name": name, "displayName": run.get("displayName")}
            bucket |= counts | tails | {"logLineCount": 0, "config": run.get("config")}
            bucket |= {"tags": run.get("tags"), "notes": None, "wandbConfig": '{"t": 1}'}
            bucket |= {"summaryMetrics": json.dumps(run["summary"])}
        model = {"id": "UA==", "name": project, "entity": {"id": "RQ==", "name": ENTITY}}
        return {"model": model | {"bucket": bucket}}

    def on_CreateRunFiles(self, run, files, **_):
        urls = [{"name": n, "uploadUrl": f"{self.url}/store/{run}/{n}"} for n in files]
        return {"createRunFiles": {"runID": f"id-{run}", "uploadHeaders": [], "files": urls}}

    def on_CreateArtifact(self, input, **_):
        key = f"artifact-{len(self.artifacts)}"
        self.artifacts[key] = {
            "name": input["artifactCollectionName"],
            "type": input["artifactTypeName"],
            "run": input["runName"],
            "digest": input["digest"],
            "metadata": input.get("metadata") or "{}",
            "files": {},
            "committed": False,
        }
        made = {"id": key, "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
        return {"createArtifact": {"artifact": made}}

    def on_CreateArtifactManifest(self, artifactID, **_):
        url = f"{self.url}/manifest/{artifactID}"
        file = {"id": f"file-{artifactID}", "uploadUrl": url, "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": artifactID, "file": file}}}

    def on_CreateArtifactFiles(self, input, **_):
        nodes = []
        for file in input["artifactFiles"]:
            url = f"{self.url}/artifact/{file['artifactID']}/{file['name']}"
            node = {"storagePath": None, "uploadUrl": url, "uploadHeaders": []}
            node |= {"uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}}
            nodes.append({"node": node})
        return {"createArtifactFiles": {"files": {"edges": nodes}}}

    def on_CommitArtifact(self, artifactID):
        artifact = self.artifacts[artifactID]
        artifact["committed"] = True
        return {"commitArtifact": {"artifact": {"id": artifactID, "digest": artifact["digest"]}}}

    def on_ArtifactType(self, **_):
        return {"project": None}

    def on_Runs(self, project, filters="{}", **_):
        if project not in self.projects:
            return {"project": None}
        wanted = json.loads(filters or "{}").get("group")
        found = [n for n, r in self.runs.items() if wanted in (None, r.get("groupName"))]
        found = [n for n in found if self.runs[n]["project"] == project]
        edges = [{"node": self._run(name), "cursor": name} for name in found]
        runs = {"edges": edges, "pageInfo": _NO_MORE}
        rest = {"internalId": "1", "runCount": len(edges), "readOnly": False}
        return {"project": rest | {"runs": runs}}

    def on_Run(self, name, **_):
        return {"project": {"run": self._run(name) if name in self.runs else None}}

    def on_RunHistoryKeys(self, name, **_):
        return {"project": {"run": {"historyKeys": self._keys(name)}}}

    def on_RunParquetHistory(self, runName, **_):
        url = f"{self.url}/history/{runName}.parquet"
        found = {"parquetUrls": [] if self.live else [url], "liveData": None}
        if self.live:
            steps = [json.loads(line)["_step"] for line in self.runs[runName]["history"]]
            found["liveData"] = [{"_step": step} for step in steps]
        return {"project": {"run": {"parquetHistory": found}}}

    def on_HistoryPage(self, run, minStep, maxStep, **_):
        lines = self.runs[run]["history"]
        inside = [x for x in lines if minStep <= json.loads(x)["_step"] < maxStep]
        return {"project": {"run": {"history": inside}}}

    def on_RunOutputArtifacts(self, run, **_):
        found = [k for k, a in self.artifacts.items() if a["run"] == run and a["committed"]]
        edges = [{"node": self._artifact(key)} for key in found]
        listed = {"totalCount": len(edges), "pageInfo": _NO_MORE, "edges": edges}
        return {"project": {"run": {"artifacts": listed}}}

    def on_FetchArtifactManifest(self, id):
        url = f"{self.url}/manifest/{id}"
        return {"artifact": {"currentManifest": {"file": {"directUrl": url}}}}

    def on_ArtifactMembershipByName(self, name, **_):
        wanted = name.partition(":")[0]
        key = [k for k, a in self.artifacts.items() if a["name"] == wanted][-1]
        home, artifact = self._artifact(key)["artifactSequence"], self._artifact(key)
        member = {"id": key, "versionIndex": 0, "createdAt": WHEN, "aliases": []}
        member |= {"artifactCollection": home, "artifact": artifact}
        return {"project": {"artifactCollectionMembership": member}}

    def on_GetArtifactMembershipFileUrls(self, collection, **_):
        key = [k for k, a in self.artifacts.items() if a["name"] == collection][-1]
        nodes = [
            {"node": {"name": n, "directUrl": f"{self.url}/artifact/{key}/{n}"}}
            for n in self.artifacts[key]["files"]
        ]
        files = {"pageInfo": _NO_MORE, "edges": nodes}
        found = {"__typename": "ArtifactSequence", "artifactMembership": {"files": files}}
        return {"project": {"artifactCollection": found}}

    # -- parts of answers ------------------------------------------------------------------------

    def _run(self, name: str) -> dict:
        run = self.runs[name]
        found = {"id": f"id-{name}", "projectId": "1", "name": name, "state": run["state"]}
        found |= {"displayName": run.get("displayName"), "group": run.get("groupName")}
        found |= {"config": run.get("config"), "summaryMetrics": json.dumps(run["summary"])}
        found |= {"tags": run.get("tags") or [], "createdAt": WHEN, "heartbeatAt": WHEN}
        empty = ("sweepName", "jobType", "commit", "description", "notes", "systemMetrics")
        user = {"name": ENTITY, "username": ENTITY}
        found |= dict.fromkeys(empty) | {"readOnly": False, "user": user}
        return found | {
            "historyLineCount": len(run["history"]),
            "historyKeys": self._keys(name),
        }

    def _keys(self, name: str) -> dict:
        steps = [json.loads(line)["_step"] for line in self.runs[name]["history"]]
        return {"lastStep": max(steps, default=-1), "keys": {}, "sets": []}

    def _artifact(self, key: str) -> dict:
        artifact = self.artifacts[key]
        project = {"id": "UA==", "internalId": "UA==", "name": "optexp"}
        project["entity"] = {"name": ENTITY}
        home = {"__typename": "ArtifactSequence", "name": artifact["name"], "project": project}
        alias = {"id": "QQ==", "alias": "v0", "artifactCollection": home}
        return {
            "id": key, "artifactSequence": home, "versionIndex": 0, "description": None,
            "artifactType": {"name": artifact["type"]}, "metadata": artifact["metadata"],
            "state": "COMMITTED",
            "ttlDurationSeconds": -1, "ttlIsInherited": False, "tags": [], "historyStep": None,
            "size": 1, "digest": artifact["digest"], "digestAlgorithm": "MANIFEST_MD5",
            "commitHash": None, "fileCount": len(artifact["files"]), "createdAt": WHEN,
            "updatedAt": WHEN, "aliases": [alias],
        }  # fmt: skip

    # -- bytes ------------------------------------------------------------------------------------

    def receive(self, run: str, sent: dict) -> None:
        """Keep what a client streams of a run: lines with their places, and how it ended."""
        with self.lock:
            kept = self.runs[run]
            for name, file in sent.get("files", {}).items():
                if name == "wandb-history.jsonl":
                    kept["history"][file["offset"] :] = file["content"]
                elif name == "wandb-summary.json":
                    kept["summary"] = json.loads(file["content"][-1])
            if sent.get("complete"):
                kept["state"] = "finished" if sent.get("exitcode") == 0 else "failed"

    def put(self, path: str, content: bytes) -> None:
        """Keep an uploaded file."""
        with self.lock:
            self.stored[path] = content
            if path.startswith("/artifact/"):
                _, _, key, name = path.split("/", 3)
                self.artifacts[key]["files"][name] = content

    def get(self, path: str) -> bytes | None:
        """A stored file, or a history as parquet."""
        with self.lock:
            if path.startswith("/history/"):
                return _parquet(self.runs[path.split("/")[2].removesuffix(".parquet")]["history"])
            return self.stored.get(path)


def _parquet(lines: list[str]) -> bytes:
    """History as the service exports it: a column for each key, whole numbers as integers."""
    rows = [json.loads(line) for line in lines]
    columns = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        whole = all(v is None or isinstance(v, int) for v in values)
        columns[name] = pa.array(values, pa.int64() if whole else pa.float64())
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _handler(server: WandbServer):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            self._serve(lambda _: server.get(self.path.partition("?")[0]))

        def do_PUT(self):
            self._serve(lambda body: server.put(self.path, body) or b"")

        def do_POST(self):
            self._serve(self._post)

        def _post(self, body):
            if self.path.endswith("/graphql"):
                return json.dumps({"data": server.answer(self._operation, self._given)}).encode()
            if self.path.endswith("/file_stream"):
                server.receive(self.path.split("/")[-2], json.loads(body))
                return b"{}"
            return b"{}"

        def _serve(self, answer):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status = server.fault(self._name(body))
            if status == "hang":
                server.closing.wait()
                status = 500
            if self.path.endswith("/graphql") and status is None:
                wanted = "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode()
                status = None if self.headers.get("Authorization") == wanted else 401
            found = None if status else answer(body)
            status = status or (404 if found is None else 200)
            self._reply(int(status), found or b"{}")

        def _name(self, body):
            if not self.path.endswith("/graphql"):
                return self.path
            asked = json.loads(body)
            self._given = asked.get("variables") or {}
            self._operation = re.search(r"(?:query|mutation) (\w+)", asked["query"])[1]
            return self._operation

        def _reply(self, status, content):
            with contextlib.suppress(OSError):  # the client has gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def handle(self):
            with contextlib.suppress(ConnectionError):
                super().handle()

    return Handler


@contextlib.contextmanager
def serving(live: bool = False):
    """A server for the block, and none after it."""
    server = WandbServer(live)
    thread = threading.Thread(target=server.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.http.shutdown()
        server.http.server_close()


if __name__ == "__main__":  # to try things by hand
    with serving() as alone:
        print(f"export WANDB_BASE_URL={alone.url} WANDB_API_KEY={KEY}", flush=True)
        while True:
            time.sleep(60)
