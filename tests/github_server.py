"""A GitHub for tests: a stateful emulator, and in front of it a proxy that makes what goes wrong in the world.

The proxy knows each fault by its name: `502 after` answers 502 when the emulator has done what it was asked, `502
before` without having asked it; likewise `reset` closes the connection and `hang` keeps it open until the client gives
up. A number answers with that status, `secondary` and `secondary 60` ask to wait. A body ends in the middle by `torn`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from npm import npm_package

TOKEN = "gh" + "p_" + "7Qz2Lk9Vt4Xw8Rb3Nf6Hc1Jd5Sg0Ym" + "PaUe"  # put together, so that no scanner takes it for a leak
ENTERPRISE = "/api/v3"
_SEED = {
    "tokens": {TOKEN: {"login": "octocat", "scopes": ["repo", "user"]}},
    "github": {"users": [{"login": "octocat", "name": "Octo Cat", "email": "octo@example.org"}]},
}
_PASSED_ON = {"authorization", "accept", "host"}
_NOT_PASSED_BACK = {"transfer-encoding", "content-length", "connection", "keep-alive", "content-encoding"}


@dataclass
class GitHub:
    """What tests see of it.

    Attributes:
        url: the address of the API.
        asked: method, path and Authorization of every request, in their order.
        faults: method and the end of a path → the faults of the next requests of that kind, one each.
        sub_issues: parent's path → ids, as the emulator has no sub-issues of its own.
    """

    url: str
    port: int
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    faults: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    sub_issues: dict[str, list[int]] = field(default_factory=dict)
    repositories: int = 0

    def repository(self) -> str:
        """A new repository of octocat's, by its full name."""
        self.repositories += 1
        name = f"shop-{self.repositories}"
        self.call("POST", "/user/repos", {"name": name})
        return f"octocat/{name}"

    def issues(self, repository: str) -> list[dict[str, Any]]:
        """All its issues, by number."""
        found: list[dict[str, Any]] = []
        while page := self.call(
            "GET", f"/repos/{repository}/issues?state=all&per_page=100&page={len(found) // 100 + 1}"
        ):
            found += page
            if len(page) < 100:
                break
        return sorted(found, key=lambda issue: issue["number"])

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask the emulator itself."""
        status, _, data = _forward(self.port, method, path, {"Authorization": f"token {TOKEN}"}, body)
        assert status < 400, (method, path, status, data)
        return json.loads(data or b"null")

    def next_fault(self, method: str, path: str) -> str:
        for (wanted, end), faults in self.faults.items():
            if wanted == method and path.partition("?")[0].endswith(end) and faults:
                return faults.pop(0)
        return ""


@contextmanager
def github(folder: Path) -> Iterator[GitHub]:
    """Both servers, for the time of a `with` block; `folder` is for the emulator's files."""
    entry = npm_package("emulate", "0.11.2") / "node_modules/emulate/dist/index.js"
    port, own = _free_port(), _free_port()
    hub = GitHub(f"http://localhost:{own}", port)
    seed = folder / "seed.yaml"
    seed.write_text(json.dumps(_SEED))  # JSON is YAML
    command = ["node", str(entry), "start", "--service", "github", "--port", str(port), "--base-url", hub.url]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--seed", str(seed)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}},
        )
    proxy = ThreadingHTTPServer(("localhost", own), type("Bound", (_Proxy,), {"hub": hub}))
    proxy.daemon_threads = True
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    try:
        _wait_for(hub, process)
        thread.start()
        yield hub
    finally:
        if thread.is_alive():
            proxy.shutdown()
        proxy.server_close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: GitHub

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - http.server wants these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path
        prefix = ENTERPRISE if path.startswith(f"{ENTERPRISE}/") else ""
        self.hub.asked.append((self.command, path, self.headers.get("Authorization", "")))
        path = path.removeprefix(prefix)
        fault, _, when = self.hub.next_fault(self.command, path).partition(" ")
        if fault.isdecimal() and when != "after":
            return self._answer(int(fault), {}, json.dumps({"message": f"the fault {fault}"}).encode())
        if fault == "secondary":
            said = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
            return self._answer(403, {"Retry-After": when} if when else {}, json.dumps(said).encode())
        if fault and when != "after" and fault != "torn":
            return self._break_off(fault)
        headers = {name: value for name, value in self.headers.items() if name.lower() in _PASSED_ON}
        answered: dict[str, str] = {}
        if path.endswith("/sub_issues") and self.command == "POST":
            self.hub.sub_issues.setdefault(path, []).append(json.loads(data)["sub_issue_id"])
            status, body = 201, b'{"id": 1, "number": 1}'
        else:
            status, answered, body = _forward(
                self.hub.port, self.command, path, headers, json.loads(data) if data else None
            )
        if prefix:
            body = body.replace(self.hub.url.encode(), (self.hub.url + prefix).encode())
            answered = {name: value.replace(self.hub.url, self.hub.url + prefix) for name, value in answered.items()}
        if fault.isdecimal():
            return self._answer(int(fault), {}, b"<html>bad gateway</html>")
        if fault == "torn":
            return self._answer(status, answered, body[: len(body) // 2])
        if fault:
            return self._break_off(fault)
        return self._answer(status, answered, body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _NOT_PASSED_BACK:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break_off(self, fault: str) -> None:
        if fault == "hang":
            time.sleep(1.2)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _forward(
    port: int, method: str, path: str, headers: dict[str, str], body: object
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        sent = {"Content-Type": "application/json", **headers}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def _wait_for(hub: GitHub, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            hub.call("GET", "/user")
        except OSError:
            assert process.poll() is None, "the emulator ended"
            assert time.monotonic() < give_up, "the emulator does not answer"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port
