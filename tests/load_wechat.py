"""Measures the WeChat door under load: a real server with two workers, distinct safe-mode messages over keep-alive.

Run it by hand: ``python tests/load_wechat.py``. It starts a server of its own on a free port, with a fresh store.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from wechat_platform import AES_KEY, APP_ID, SUCCESS, TOKEN, Platform, message  # noqa: E402

from bot.config import read_config  # noqa: E402
from bot.knowledge import load  # noqa: E402

START_SECONDS = 60
SAFE = Platform("safe")

Request = tuple[str, bytes]
Timed = tuple[float, int, bytes]


def main() -> int:
    """Print errors and percentiles; return 1 when anything went wrong or p99 is above the limit."""
    parser = argparse.ArgumentParser(description="微信入口压力测试")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=float, default=50.0, help="p99 上限，毫秒")
    options = parser.parse_args()
    requests = list(_requests(options.messages))
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), options.workers) as port:
        _drive(port, requests[:1] * 50, options.connections)  # warm: nobody measures the first request of a process
        started = time.perf_counter()
        timed = _drive(port, requests, options.connections)
        seconds = time.perf_counter() - started
    bad = sum(not _good(status, body) for _, status, body in timed)
    waits = sorted(wait * 1000 for wait, _, _ in timed)
    p50, p95, p99 = (waits[int(len(waits) * share)] for share in (0.5, 0.95, 0.99))
    sys.stdout.write(
        f"{len(timed)} 条，{bad} 条出错，{seconds:.1f} 秒（每秒 {len(timed) / seconds:.0f} 条）\n"
        f"p50 {p50:.1f}  p95 {p95:.1f}  p99 {p99:.1f}  最慢 {waits[-1]:.1f} 毫秒\n"
    )
    return 1 if bad or p99 > options.limit else 0


def _requests(count: int) -> Iterator[Request]:
    """Yield distinct messages of distinct people, encrypted beforehand: real phrasings, in turn."""
    knowledge = load(read_config().knowledge_dir, datetime.now(UTC).date())
    phrasings = [phrasing for entry in knowledge.entries.values() for phrasing in entry.phrasings]
    for number in range(count):
        text = phrasings[number * 7 % len(phrasings)]
        xml = message(Content=text, MsgId=number + 1, FromUserName=f"oLoad{number % 997}", CreateTime=int(time.time()))
        parcel = SAFE.parcel(xml)
        yield f"/wechat?{urlencode(dict(parcel.query))}", parcel.body


def _drive(port: int, requests: list[Request], connections: int) -> list[Timed]:
    """Send all requests, each connection its share, one after the other."""

    def share(start: int) -> list[Timed]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [_send(connection, *request) for request in requests[start::connections]]

    with ThreadPoolExecutor(connections) as pool:
        return [timed for part in pool.map(share, range(connections)) for timed in part]


def _send(connection: http.client.HTTPConnection, path: str, body: bytes) -> Timed:
    started = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "text/xml"})
    response = connection.getresponse()
    said = response.read()
    return time.perf_counter() - started, response.status, said


def _good(status: int, body: bytes) -> bool:
    told = SAFE.read(body) if status == 200 else SUCCESS
    return told.kind == "text" and bool(told.content) and not told.content.startswith("抱歉，刚才出了点问题")


@contextmanager
def _server(folder: Path, workers: int) -> Iterator[int]:
    """Run the bot on a free port until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    account = {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": APP_ID, "WECHAT_AES_KEY": AES_KEY}
    settings = account | {"DATA_DIR": str(folder), "PORT": str(port), "WORKERS": str(workers)}
    process = subprocess.Popen([sys.executable, str(ROOT / "scripts/run.py")], env=os.environ | settings)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/wechat")
            if connection.getresponse().status == 403:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("服务器没有起来")


if __name__ == "__main__":
    sys.exit(main())
