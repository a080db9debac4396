"""A real browser without a window, spoken to over pipes by its DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_PATIENCE = 300.0  # seconds
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


class Browser:
    """Chromium with one page, for a `with` block.

    Args:
        folder: for its profile.
    """

    def __init__(self, folder: Path) -> None:
        ours, its = os.pipe(), os.pipe()  # read end, write end: what it hears, what it says
        script = 'exec "$@" 3<&"$HEARS" 4>&"$SAYS"'  # the protocol is on these two
        self._process = subprocess.Popen(
            ["bash", "-c", script, "_", PROGRAM, *_OPTIONS, f"--user-data-dir={folder}"],
            env=os.environ | {"HEARS": str(ours[0]), "SAYS": str(its[1])},
            pass_fds=(ours[0], its[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(its[1])
        self._hears, self._says = ours[1], its[0]
        self._buffer, self._number = b"", 0
        self.events: list[dict] = []
        self._session: str | None = None
        (target,) = (
            t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"
        )
        attached = {"targetId": target["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **attached)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._hears)  # it ends when nobody speaks to it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._says)

    def call(self, method: str, **parameters: object) -> dict:
        """Call a method of the protocol; what happens meanwhile is kept in `events`."""
        self._number += 1
        message: dict = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._hears, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict:
        while b"\0" not in self._buffer:
            piece = os.read(self._says, 1 << 16)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path: Path, width: int = 1200, dark: bool = False) -> None:
        """Open a file, as wide as given, with the colours that a person prefers."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=path.absolute().as_uri())
        self.wait("document.readyState === 'complete'")

    def run(self, expression: str) -> object:
        """The value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + _PATIENCE
        while not self.run(expression):
            assert time.monotonic() < end, expression
            time.sleep(0.05)

    def complaints(self) -> list[dict]:
        """Errors and warnings on the console, and addresses that were asked for, but for files."""
        self.run("1")  # what was said before it has come then
        said = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        asked = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        outside = [
            e for e in asked if not e["params"]["request"]["url"].startswith(("file:", "data:"))
        ]
        return [e for e in self.events if e.get("method") in said] + outside

    def picture(self, path: Path) -> None:
        """A picture of the whole page."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))
