"""Measures ``/api/ask`` and WeChat's safe mode over HTTP, each beside a bare view with the same I/O, in the same run."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import base64
import itertools
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import xmltodict
from driving import Driven, drive, free_port, prepared, serving, workers_memory
from wechatpy.crypto import WeChatCrypto

from bot.config import read_config
from bot.knowledge import load
from bot.serving import THREADS

TOKEN, APP_ID = "benchmark", "wx0123456789abcdef"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
CONNECTIONS = 8
WARM = 400
ROUNDS = 3
"""Bot and bare view are driven in turn, so many times: a noisy machine is noisy for both."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; rates in requests a second, waits in milliseconds."""

    what: str
    bare: float
    bot: float
    p99_half: float
    bare_p99_half: float
    bad: int

    @property
    def ratio(self) -> float:
        """The bot's rate as a part of the bare view's."""
        return self.bot / self.bare


def main() -> int:
    """Measure, print the table, draw the plot; return 1 when a request failed."""
    options = _options()
    texts = _texts()
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder), options.workers) as (bot, bare):
        lines = [
            measure("POST /api/ask", bot, bare, lambda: asking(texts), options.seconds),
            measure("微信安全模式", bot, bare, lambda: wechatting(texts), options.seconds),
        ]
        memory = workers_memory(bot.pid)
        grown = _growth(bot, texts, options.growth)
    print(table(lines))
    print(f"\n每个进程内存 {max(memory):.0f} MB；再答 {options.growth} 条以后 {max(grown):.0f} MB")
    _draw(lines, options.plot)
    return 1 if any(line.bad for line in lines) else 0


def measure(what: str, bot: Server, bare: Server, requests: Callable[[], Iterator[bytes]], seconds: float) -> Line:
    """Drive both servers in turn at their peak, then both at half of the bot's peak."""
    peaks: dict[str, list[Driven]] = {bot.name: [], bare.name: []}
    for server in (bot, bare):
        drive(server.port, requests(), CONNECTIONS, count=WARM)
    for _ in range(ROUNDS):
        for server in (bot, bare):
            print(f"{what}：{server.name}……", file=sys.stderr)
            peaks[server.name].append(drive(server.port, requests(), CONNECTIONS, seconds=seconds))
    rates = {name: sorted(driven.rate for driven in found)[ROUNDS // 2] for name, found in peaks.items()}
    half = [drive(s.port, requests(), CONNECTIONS, seconds=seconds, rate=rates[bot.name] / 2) for s in (bot, bare)]
    bad = sum(driven.bad for driven in [*peaks[bot.name], *peaks[bare.name], *half])
    return Line(what, rates[bare.name], rates[bot.name], half[0].quantile(0.99), half[1].quantile(0.99), bad)


def table(lines: list[Line]) -> str:
    """Return the figures as Markdown."""
    head = "| | 同样读写的空页面，每秒 | 机器人，每秒 | 比例 | 半载 p99 毫秒（空页面） | 出错 |\n|---|---|---|---|---|---|"
    rows = [
        f"| {o.what} | {o.bare:.0f} | {o.bot:.0f} | {o.ratio:.0%} | {o.p99_half:.1f}（{o.bare_p99_half:.1f}） | {o.bad} |"
        for o in lines
    ]
    return "\n".join([head, *rows])


def asking(texts: list[str]) -> Iterator[bytes]:
    """Yield questions of ever new people."""
    for text in itertools.cycle(texts):
        yield prepared("/api/ask", json.dumps({"q": text}).encode(), "application/json")


def wechatting(texts: list[str]) -> Iterator[bytes]:
    """Yield encrypted messages of 997 people, each one distinct."""
    crypto, run = WeChatCrypto(TOKEN, AES_KEY, APP_ID), secrets.token_hex(4)
    for number in itertools.count():
        yield _parcel(crypto, texts[number % len(texts)], f"oBench{run}{number % 997}", number)


def _parcel(crypto: WeChatCrypto, text: str, person: str, number: int) -> bytes:
    now = int(time.time())
    inside = (
        f"<xml><ToUserName>gh_bench</ToUserName><FromUserName>{person}</FromUserName><CreateTime>{now}</CreateTime>"
        f"<MsgType>text</MsgType><Content><![CDATA[{text}]]></Content><MsgId>{number + 1}</MsgId></xml>"
    )
    sealed = xmltodict.parse(crypto.encrypt_message(inside, "nonce", str(now)))["xml"]
    query = {"timestamp": sealed["TimeStamp"], "nonce": sealed["Nonce"], "msg_signature": sealed["MsgSignature"]}
    body = f"<xml><ToUserName>gh_bench</ToUserName><Encrypt>{sealed['Encrypt']}</Encrypt></xml>"
    return prepared(f"/wechat?{urlencode(query | {'encrypt_type': 'aes'})}", body.encode(), "text/xml")


def _growth(bot: Server, texts: list[str], count: int) -> list[float]:
    """Return the memory of each worker, in MB, after so many questions more."""
    print(f"再答 {count} 条，看内存……", file=sys.stderr)
    drive(bot.port, asking(texts), CONNECTIONS, count=count)
    return workers_memory(bot.pid)


def _texts() -> list[str]:
    knowledge = load(read_config().knowledge_dir, datetime.now(UTC).date())
    phrasings = [phrasing for entry in knowledge.entries.values() for phrasing in entry.phrasings]
    return [phrasings[number * 7 % len(phrasings)] for number in range(2000)]


def _servers(folder: Path, workers: int) -> _Pair:
    return _Pair(folder, workers)


class _Pair:
    """The bot and the bare view, both on granian with the same number of workers and threads."""

    def __init__(self, folder: Path, workers: int) -> None:
        ports = (free_port(), free_port())
        account = {"WECHAT_TOKEN": TOKEN, "WECHAT_APP_ID": APP_ID, "WECHAT_AES_KEY": AES_KEY}
        own = {"DATA_DIR": str(folder), "RATE_LIMIT": "1000000000 per minute", "WORKERS": str(workers)}
        run = [sys.executable, str(_venv.ROOT / "scripts" / "run.py")]
        bare = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "bench_bare:create_app"]
        bare += ["--workers", str(workers), "--blocking-threads", str(THREADS), "--port", str(ports[1])]
        bare += ["--no-ws", "--http", "1"]
        self._bot = serving(run, ports[0], **account, **own, PORT=str(ports[0]))
        self._bare = serving(bare, ports[1], **account, **own)
        self._ports = ports

    def __enter__(self) -> tuple[Server, Server]:
        bot = Server("机器人", self._ports[0], self._bot.__enter__())
        return bot, Server("空页面", self._ports[1], self._bare.__enter__())

    def __exit__(self, *error: object) -> None:
        self._bot.__exit__(None, None, None)
        self._bare.__exit__(None, None, None)


def _draw(lines: list[Line], path: Path) -> None:
    """Draw both rates of each line; left out where matplotlib (group bench) is not installed."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - wanted for the plot alone
    except ImportError:
        print("没装 matplotlib，不画图", file=sys.stderr)
        return
    figure = Figure(figsize=(6, 3))
    axes = figure.subplots()
    names = ["/api/ask", "WeChat (safe mode)"]
    axes.barh([n - 0.2 for n in range(len(lines))], [line.bare for line in lines], 0.35, label="bare view, same I/O")
    axes.barh([n + 0.2 for n in range(len(lines))], [line.bot for line in lines], 0.35, label="bot")
    axes.set_yticks(range(len(lines)), names[: len(lines)])
    axes.set_xlabel("requests per second, two workers")
    axes.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    print(f"图在 {path}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="测量接口和微信入口，各和同样读写的空页面比")
    parser.add_argument("--seconds", type=float, default=5.0, help="每一轮多少秒")
    parser.add_argument("--growth", type=int, default=5000, help="看内存涨不涨：再答多少条（目标说的是200000）")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path, default=_venv.ROOT / "data" / "bench_http.png")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
