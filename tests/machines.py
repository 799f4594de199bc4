"""Runs the bot as people run it, in processes of its own, for tests and measurements; and asks it over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from wechat_platform import AES_KEY, APP_ID, TOKEN, Platform, Told

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90

SAFE = Platform("safe")
ACCOUNT = {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": APP_ID, "WECHAT_AES_KEY": AES_KEY}
"""The settings of a bot that ``deliver`` can deliver to."""


@dataclass
class Machine:
    """A bot that runs; ``log`` is where its standard error goes."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        return send(self.port, "GET", path, b"", headers or {})

    def ask(self, text: str, conversation: str | None = None, question: str | None = None) -> dict[str, Any]:
        """Return the reply object to a question; raises OSError when the bot is gone, ValueError when it is no reply."""
        body = {"q": text, "conversation": conversation, "id": question}
        given = {name: value for name, value in body.items() if value is not None}
        status, said, _ = send(self.port, "POST", "/api/ask", json.dumps(given).encode(), {"Content-Type": "application/json"})
        if status != 200:
            raise ValueError(f"{status} {said[:200]!r}")
        reply: dict[str, Any] = json.loads(said)
        return reply

    def rate(self, turn: str, useful: bool) -> int:
        """Return the status that a rating gets."""
        body = json.dumps({"id": turn, "useful": useful}).encode()
        return send(self.port, "POST", "/api/rate", body, {"Content-Type": "application/json"})[0]

    def deliver(self, xml: str) -> Told:
        """Return what the phone shows when WeChat, in safe mode, delivers a message; raises ValueError on a refusal."""
        parcel = SAFE.parcel(xml)
        target = f"/wechat?{urlencode(dict(parcel.query))}"
        status, said, _ = send(self.port, "POST", target, parcel.body, {"Content-Type": "text/xml"})
        if status != 200:
            raise ValueError(f"{status} {said[:200]!r}")
        return SAFE.read(said)

    def health(self) -> dict[str, Any]:
        """Return what ``/health`` shows."""
        status, said, _ = self.get("/health")
        assert status == 200
        shown: dict[str, Any] = json.loads(said)
        return shown

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines of the log that are the bot's own; half a line, of a full disk, is none."""
        found = list[dict[str, Any]]()
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                found += [json.loads(line)] if line.startswith("{") else []
        return found

    def workers(self) -> list[int]:
        """Return the process ids of the workers (Linux)."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(OSError):
            children = [int(child) for child in path.read_text().split()]
            return [child for child in children if b"tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
        return []

    def kill(self) -> None:
        """End the server and its workers as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End it as systemd does; return its exit code."""
        self.process.terminate()
        return self.process.wait(20)


def send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(), {k.lower(): v for k, v in response.getheaders()}
    except http.client.HTTPException as error:
        raise OSError(type(error).__name__) from None
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(folder: Path, *, at: int = 0, **settings: str) -> Machine:
    """Start a bot with its data in a folder; it may not answer yet."""
    folder.mkdir(parents=True, exist_ok=True)
    port = at or free_port()
    given = {"DATA_DIR": str(folder), "PORT": str(port), "SECRET_KEY": "test", "RATE_LIMIT": "100000 per minute"}
    log = folder.parent / f"{folder.name}-{port}.log"
    with log.open("ab") as file:
        command = [sys.executable, str(ROOT / "scripts" / "run.py")]
        environment = os.environ | given | settings
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
    return Machine(port, process, log)


def await_ready(machine: Machine, seconds: float = START_SECONDS) -> float:
    """Return how long it took until the bot answered."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        try:
            if machine.get("/health/ready")[0] == 200:
                return time.monotonic() - started
        except OSError:
            pass
        if machine.process.poll() is not None:
            break
        time.sleep(0.05)
    raise TimeoutError(machine.log.read_text(encoding="utf-8")[-2000:])


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Machine]:
    """Run a bot until the block ends."""
    machine = start(folder, at=0, **settings)
    try:
        await_ready(machine)
        yield machine
    finally:
        if machine.process.poll() is None:
            machine.kill()
