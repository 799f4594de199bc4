"""Ten thousand hostile requests over real HTTP, and clocks an hour apart: no 5xx, nobody dies, people are answered."""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest
from machines import ACCOUNT, SAFE, Machine, running, send
from wechat_platform import event, message, pad

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

BODIES = 10_000
AT_ONCE = 8
WAGES = "被拖欠工资怎么办"
GOOD = [message(Content=WAGES), message("voice", Recognition=""), event("subscribe", "qrscene_x"), event("unsubscribe")]
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{"&" + old + ";"}{"&" + old + ";"}">' for old, new in zip("abcdefg", "bcdefgh", strict=True))
    + "]><xml><Content>&h;</Content></xml>"
)

Hostile = tuple[str, str, bytes, dict[str, str]]
"""Method, address, body, headers."""


def damaged(chance: random.Random, whole: bytes) -> bytes:
    """Return something with a piece cut out, another put in."""
    start = chance.randrange(len(whole) + 1)
    return whole[:start] + chance.randbytes(chance.randrange(9)) + whole[start + chance.randrange(12) :]


def signed(chance: random.Random) -> Hostile:
    """A well-signed parcel with anything in it."""
    good = chance.choice(GOOD).encode()
    inside = chance.choice([damaged(chance, good), chance.randbytes(chance.randrange(300)), BOMB.encode(), b"<xml>" * 5000])
    sealed = chance.choice([SAFE.encrypt(inside), SAFE.encrypt_raw(pad(inside)), "A" * chance.randrange(200)])
    query = urlencode(SAFE.sealed_query(sealed))
    body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
    return "POST", f"/wechat?{query}", body, {"Content-Type": "text/xml"}


def unsigned(chance: random.Random) -> Hostile:
    """A parcel whose signature or body was touched."""
    parcel = SAFE.parcel(chance.choice(GOOD))
    query = {name: value for name, value in parcel.query.items() if chance.random() < 0.8}
    touched = {name: chance.choice([value, value[::-1], "", "0" * 40]) for name, value in query.items()}
    return chance.choice(["POST", "GET"]), f"/wechat?{urlencode(touched)}", damaged(chance, parcel.body), {}


def asked(chance: random.Random) -> Hostile:
    """A question to the interface that is no JSON, no question, or one that nobody would ask."""
    text: object = chance.choice([WAGES, "", "\ud800", "\0", "押" * 50_000, "' or 1=1 --", "%s%n{0}", "🏍" * 999, None, 1, []])
    wrong: tuple[dict[str, object], ...] = ({}, {"conversation": "x" * 99}, {"conversation": 1}, {"id": "../../etc"}, {"x": 1})
    whole = json.dumps({"q": text} | chance.choice(wrong)).encode()
    body = chance.choice([whole, whole, damaged(chance, whole), b"[" * 20_000, chance.randbytes(99), b""])
    kind = chance.choice(["application/json", "application/json", "text/plain", "multipart/form-data; boundary=x", ""])
    return "POST", chance.choice(["/api/ask", "/api/ask", "/api/rate", "/"]), body, {"Content-Type": kind}


def looked(chance: random.Random) -> Hostile:
    """A page that there is not, or a search for what breaks searches."""
    strange = ("/a/%00", f"/a/{'x' * 2000}", "/topics/99999999999999999999", "/guide/..%2f..", "/search?q=%ff%fe", "/?q=%00")
    path = chance.choice(strange)
    headers = chance.choice([{}, {"Cookie": "session=" + "x" * 500}, {"X-Forwarded-For": "' , ;"}, {"Accept-Encoding": "\xff"}])
    return "GET", path, b"", headers


KINDS: tuple[Callable[[random.Random], Hostile], ...] = (signed, unsigned, asked, looked)


def test_ten_thousand_hostile_requests(tmp_path: Path) -> None:
    """Of every kind as many; then the same two workers still answer, and the log has no failed request."""
    with running(tmp_path / "data", WORKERS="2", **ACCOUNT) as machine:
        before = machine.workers()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = Counter(pool.map(lambda number: _status(machine, number), range(BODIES)))
        _rude(machine)
        assert machine.workers() == before, "nobody died"
        assert machine.ask(WAGES)["entry"] == "unpaid-wages-how"
        assert "责任科室：" in machine.deliver(message(Content=WAGES, FromUserName="oAfter")).content
        failed = [line for line in machine.logged() if line["event"] in {"request_failed", "wechat_failed"}]
    print(dict(told))  # noqa: T201
    assert sum(told.values()) == BODIES
    assert [status for status in told if status >= 500] == []
    assert failed == []
    assert told[200] > 100
    assert told[403] > 100


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_wrong(hours: int, tmp_path: Path) -> None:
    """WeChat's clock and ours are an hour apart, and then are set right: conversations go on, redeliveries are known."""
    now = int(time.time())
    with running(tmp_path / "data", **ACCOUNT) as machine:
        for number, at in enumerate((now + 3600 * hours, now), 1):
            ask = message(Content=WAGES, MsgId=10 * number, CreateTime=at)
            follow = message(Content="要什么材料", MsgId=10 * number + 1, CreateTime=at + 30)
            assert "责任科室：" in machine.deliver(ask).content
            told = machine.deliver(follow)
            assert "身份证" in told.content
            assert machine.deliver(follow) == told
        assert machine.health()["status"] == "ok"


def _status(machine: Machine, number: int) -> int:
    chance = random.Random(number)  # noqa: S311 - the same requests each time
    return send(machine.port, *KINDS[number % len(KINDS)](chance))[0]


def _rude(machine: Machine) -> None:
    """Hang up in the middle, say nothing, and speak something that is not HTTP."""
    for said in _rudeness():
        with suppress(OSError), socket.create_connection(("127.0.0.1", machine.port), timeout=5) as line:
            line.sendall(said)


def _rudeness() -> Iterator[bytes]:
    whole = b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    for number in range(200):
        yield (b"", whole, whole[:40], os.urandom(200), b"GET / HTTP/9.9\r\n\r\n")[number % 5]
