"""Drives a web server with prepared requests, as fast as it goes or at a steady pace, and times each answer."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of a drive; ``waits`` are in seconds, sorted."""

    seconds: float
    waits: tuple[float, ...]
    bad: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.waits) / self.seconds

    def quantile(self, share: float) -> float:
        """Return the wait, in milliseconds, that this share of the answers stays below."""
        return self.waits[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1000


def prepared(path: str, body: bytes, kind: str) -> bytes:
    """Return the bytes of a POST on a connection that stays open."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


GET = b"GET /health/ready HTTP/1.1\r\nHost: bench\r\n\r\n"


def drive(  # noqa: PLR0913 - a load has so many sides
    port: int, requests: Iterator[bytes], connections: int, *, count: int = 0, seconds: float = 0.0, rate: float = 0.0
) -> Driven:
    """Send ``count`` requests, or for so long; with a ``rate`` at its steady pace, timing from when each was due."""
    lock, waits, bad = threading.Lock(), list[float](), [0]
    numbers = itertools.count()
    started = time.perf_counter()

    def take() -> tuple[float, bytes] | None:
        with lock:
            number = next(numbers)
            due = started + number / rate if rate else time.perf_counter()
            if (count and number >= count) or (seconds and due - started > seconds):
                return None
            return due, next(requests)

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (job := take()) is not None:
                due, request = job
                time.sleep(max(0.0, due - time.perf_counter()))
                line.sendall(request)
                good = _answer(line)
                waits.append(time.perf_counter() - due)
                bad[0] += not good

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Driven(time.perf_counter() - started, tuple(sorted(waits)), bad[0])


def _answer(line: socket.socket) -> bool:
    """Read one answer to its end; return whether it was 200."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(line)
    head, body = data.split(b"\r\n\r\n", 1)
    length = next(int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length"))
    while len(body) < length:
        body += _more(line)
    return head.startswith(b"HTTP/1.1 200")


def _more(line: socket.socket) -> bytes:
    data = line.recv(65536)
    if not data:
        raise ConnectionError("the server hung up")
    return data


@contextmanager
def serving(command: Sequence[str], port: int, **settings: str) -> Iterator[int]:
    """Run a server until the block ends; yields its process id. Its own output goes to standard error's nowhere."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"} | settings
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=ROOT
    )
    try:
        _await(port, process)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def workers_memory(pid: int) -> list[float]:
    """Return the memory, in MB, of each process below one that serves (Linux; what it shares counts in each)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
            command = (status.parent / "cmdline").read_bytes()
            if int(fields["PPid"]) == pid and b"resource_tracker" not in command and "VmRSS" in fields:
                found.append(int(fields["VmRSS"].split()[0]) / 1024)
    return sorted(found)


def workers_shares(pid: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return, in MB, what each worker of a server sees of memory, and its share of it where others see the same (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    rolled = [Path(f"/proc/{child}/smaps_rollup").read_text(encoding="ascii") for child in children]
    rss, pss = ([_kilobytes(text, name) / 1024 for text in rolled] for name in ("Rss", "Pss"))
    return tuple(rss), tuple(pss)


def _kilobytes(text: str, name: str) -> int:
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:"))


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
                line.sendall(GET)
                if _answer(line):
                    return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    print("服务器没有起来", file=sys.stderr)
    raise TimeoutError
